// SPDX-License-Identifier: GPL-2.0

//! What asked for reclaim, what became of a write, and where it was sampled:
//! the words that every ledger is indexed by. Order and names are part of the
//! debugfs format, and are checked against the C shim's when the module loads.

use crate::probes::Event;

/// Gives an enumeration its list, count and names.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// All of them, in order.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// How many there are.
            pub(crate) const COUNT: usize = Self::ALL.len();

            /// Its name in the ledgers and trace events.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}
pub(crate) use named;

named! {
    /// What asked for reclaim.
    Origin {
        /// The node's reclaim thread.
        Kswapd => "kswapd",
        /// An allocation that found no free page.
        Direct => "direct",
        /// A cgroup at its memory.max (v1: memory.limit_in_bytes).
        MemcgMax => "memcg_max",
        /// A cgroup above its memory.high.
        MemcgHigh => "memcg_high",
        /// memory.reclaim (v1: memory.force_empty).
        MemcgReclaim => "memcg_reclaim",
        /// A v1 cgroup above its soft limit, within kswapd or direct reclaim.
        MemcgSoft => "memcg_soft",
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
    pub(crate) fn from_u8(v: u8) -> Option<Self> {
        Self::ALL.get(usize::from(v)).copied()
    }
}

named! {
    /// What became of a folio that reclaim wrote.
    Kind {
        /// Queued to a block device.
        Io => "io",
        /// Written by the time the call returned: a synchronous device.
        Sync => "sync",
        /// Taken by zswap.
        Zswap => "zswap",
        /// All zeros: a mark in the swap table.
        Zero => "zero",
        /// Its swap slot was no longer needed: nothing to write.
        Dropped => "dropped",
        /// Not known: the probe that would tell is not attached.
        Unknown => "unknown",
    }
}

named! {
    /// A sample point on the way down.
    Layer {
        /// A window begins.
        Entry => "entry",
        /// pageout() asked the helper to take a folio.
        Handoff => "handoff",
        /// pageout() handed a folio to swap.
        Write => "write",
        /// A swap bio is submitted.
        Bio => "bio",
        /// NBD sends a request.
        Nbd => "nbd",
        /// A packet goes to the network device.
        Net => "net",
    }
}

/// The kinds of window that a begin event opens. The values are the C shim's
/// `RWB_WINDOW_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// balance_pgdat().
    Kswapd,
    /// try_to_free_pages().
    Direct,
    /// mem_cgroup_shrink_node(), v1's soft limit.
    MemcgSoft,
    /// __node_reclaim().
    Node,
    /// try_to_free_mem_cgroup_pages(): which limit, the callers tell.
    Memcg,
}

impl Window {
    /// From the value that the C entry passes.
    pub(crate) const fn from_raw(v: u32) -> Option<Self> {
        Some(match v {
            0 => Self::Kswapd,
            1 => Self::Direct,
            5 => Self::MemcgSoft,
            6 => Self::Node,
            0xff => Self::Memcg,
            _ => return None,
        })
    }

    /// The event that opens it.
    pub(crate) const fn begin_event(self) -> Event {
        match self {
            Self::Kswapd => Event::BalanceBegin,
            Self::Direct => Event::DirectBegin,
            Self::MemcgSoft => Event::SoftBegin,
            Self::Node => Event::NodeBegin,
            Self::Memcg => Event::MemcgBegin,
        }
    }

    /// The event that closes it.
    pub(crate) const fn end_event(self) -> Event {
        match self {
            Self::Kswapd => Event::BalanceEnd,
            Self::Direct => Event::DirectEnd,
            Self::MemcgSoft => Event::SoftEnd,
            Self::Node => Event::NodeEnd,
            Self::Memcg => Event::MemcgEnd,
        }
    }
}
