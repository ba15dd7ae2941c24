// SPDX-License-Identifier: GPL-2.0

//! The origins of reclaim: what asked for it.

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
        /// A writer of the helper, on behalf of the tasks that handed off swap-out.
        Writer => "writer",
        /// Anything else, for example hibernation.
        Other => "other",
        /// The origin is not known: there was no room for its window, or the window was open when
        /// the module was loaded.
        Lost => "lost",
    }
}

impl Origin {
    /// Converts the number of an origin; `None` if it is unknown.
    pub fn from_u8(v: u8) -> Option<Self> {
        Self::ALL.get(usize::from(v)).copied()
    }
}
