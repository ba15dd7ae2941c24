// SPDX-License-Identifier: GPL-2.0

//! Probes that are switched together.

named! {
    /// Probes that are switched on and off together, by a parameter of that name.
    Group {
        /// Where the time of stalls goes.
        Stalls => "stalls",
        /// Who calls which shrinker.
        Shrinkers => "shrinkers",
        /// Flushes of other CPUs' TLBs.
        Tlb => "tlb",
        /// Metadata of filesystems that is evicted and read again.
        Metadata => "metadata",
        /// Who takes pages while someone compacts for them.
        Takers => "takers",
        /// Who takes from the reserves, and who waits for them.
        Reserves => "reserves",
        /// Where the time of requests of NBD devices goes.
        Nbd => "nbd",
        /// What tasks wait for that memory is to blame for.
        Waits => "waits",
    }
}

impl Group {
    /// Its probes are attached when nobody says otherwise: those that cost little.
    pub const fn on_by_default(self) -> bool {
        !matches!(self, Self::Tlb | Self::Metadata | Self::Takers)
    }
}
