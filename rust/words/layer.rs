// SPDX-License-Identifier: GPL-2.0

//! The points at which a stack is sampled.

named! {
    /// A sample point on the way down from reclaim to the device.
    Layer {
        /// A window begins.
        Entry => "entry" ("reclaim entry"),
        /// pageout() handed a folio to swap.
        Write => "write" ("swap write"),
        /// A swap-out request is handed to the writer.
        Handoff => "handoff",
        /// A swap bio is submitted.
        Bio => "bio",
        /// NBD sends a request.
        Nbd => "nbd" ("NBD send"),
        /// A packet is given to a network device.
        Net => "net" ("net transmit"),
    }
}
