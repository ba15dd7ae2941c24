// SPDX-License-Identifier: GPL-2.0

//! Groups of probes that are switched together.

named! {
    /// A group of probes that is switched on and off by a parameter with its name.
    Group {
        /// What the time of stalls is spent on.
        Stalls => "stalls",
        /// Which origins call which shrinkers.
        Shrinkers => "shrinkers",
        /// Flushes of the TLBs of other CPUs.
        Tlb => "tlb",
        /// Metadata of filesystems that is evicted and read again.
        Metadata => "metadata",
        /// Which tasks take large blocks while another task compacts memory for one.
        Takers => "takers",
        /// Which tasks take pages from the reserves, and which wait for them.
        Reserves => "reserves",
        /// What the time of NBD requests is spent on.
        Nbd => "nbd",
        /// Waits of tasks for which memory is to blame.
        Waits => "waits",
    }
}

impl Group {
    /// Whether the probes are attached by default. These are the groups that cost little.
    pub const fn on_by_default(self) -> bool {
        !matches!(self, Self::Tlb | Self::Metadata | Self::Takers)
    }
}
