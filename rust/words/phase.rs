// SPDX-License-Identifier: GPL-2.0

//! The phases of a request to an NBD device.

named! {
    /// A phase of a request.
    Phase {
        /// The request waits for a connection: for its lock, or for one that is alive.
        Lock => "lock" ("waiting for the send lock"),
        /// The header is being sent.
        Header => "header" ("sending the header"),
        /// The data are being sent, if the request is a write.
        Payload => "payload" ("sending data"),
        /// The request is at the server, or in the network, until the reply begins to arrive.
        Server => "server" ("server and round trip"),
        /// The reply is being received, with the data if the request is a read, until it is
        /// completed.
        Reply => "reply" ("receiving the reply"),
        /// The request was given back to the block layer, which tries it again.
        Requeued => "requeued" ("given back"),
    }
}
