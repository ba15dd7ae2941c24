// SPDX-License-Identifier: GPL-2.0

//! Where a stack is sampled.

named! {
    /// A sample point on the way down.
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
        /// A packet goes to the network device.
        Net => "net" ("net transmit"),
    }
}
