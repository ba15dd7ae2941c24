// SPDX-License-Identifier: GPL-2.0

//! What a request of an NBD device is at.

named! {
    /// What a request is at.
    Phase {
        /// It waits for its turn on a connection: the lock, or one that is alive.
        Lock => "lock" ("waiting for the send lock"),
        /// Its header is sent.
        Header => "header" ("sending the header"),
        /// Its data are sent, if it is a write.
        Payload => "payload" ("sending data"),
        /// The server has it, or the network: until its reply begins.
        Server => "server" ("server and round trip"),
        /// Its reply, with its data if it is a read, until it is completed.
        Reply => "reply" ("receiving the reply"),
        /// It was given back to the block layer, to be tried once more.
        Requeued => "requeued" ("given back"),
    }
}
