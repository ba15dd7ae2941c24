// SPDX-License-Identifier: GPL-2.0

//! What asked for reclaim.

named! {
    /// What asked for reclaim.
    Origin {
        /// The node's reclaim thread.
        Kswapd => "kswapd",
        /// An allocation that found no free page.
        Direct => "direct",
        /// A cgroup at its memory.max (v1: memory.limit_in_bytes).
        MemcgMax => "memcg_max" ("memcg max"),
        /// A cgroup above its memory.high.
        MemcgHigh => "memcg_high" ("memcg high"),
        /// memory.reclaim (v1: memory.force_empty).
        MemcgReclaim => "memcg_reclaim" ("memcg reclaim"),
        /// A v1 cgroup above its soft limit, within kswapd or direct reclaim.
        MemcgSoft => "memcg_soft" ("memcg soft"),
        /// vm.zone_reclaim_mode, or a node's `reclaim` file.
        Node => "node",
        /// MADV_PAGEOUT, or DAMON.
        Madvise => "madvise",
        /// Nobody: a writer of ours, for those who handed off.
        Writer => "writer",
        /// Anything else, hibernation for one.
        Other => "other",
        /// Not known: its window did not fit, or was open when we loaded.
        Lost => "lost",
    }
}

impl Origin {
    /// From its number.
    pub fn from_u8(v: u8) -> Option<Self> {
        Self::ALL.get(usize::from(v)).copied()
    }
}
