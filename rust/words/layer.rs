// SPDX-License-Identifier: GPL-2.0

//! Where a stack is sampled.

named! {
    /// A sample point on the way down.
    Layer {
        /// A window begins.
        Entry => "entry",
        /// pageout() handed a folio to swap.
        Write => "write",
        /// A swap-out request is handed to the writer.
        Handoff => "handoff",
        /// A swap bio is submitted.
        Bio => "bio",
        /// NBD sends a request.
        Nbd => "nbd",
        /// A packet goes to the network device.
        Net => "net",
    }
}
