// SPDX-License-Identifier: GPL-2.0

//! What asked for reclaim, what became of a write, and where it was sampled:
//! the words that every ledger is indexed by. Order and names are part of the
//! debugfs format, and are held against the C shim's by [`contract`](crate::shim).

use crate::{
    probes::Event,
    shim, //
};

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
        /// The device refused it, or failed: it was not written, and stays in memory.
        Failed => "failed",
        /// Not known: the probe that would tell is not attached.
        Unknown => "unknown",
    }
}

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

named! {
    /// A function that is probed; the order is the C shim's `RWB_FUNCTIONS`.
    Function {
        /// zswap takes a folio, or not.
        ZswapStore => "zswap_store",
        /// The allocation slow path, with its retries.
        SlowPath => "__alloc_pages_slowpath",
        /// Direct reclaim; until its window begins it waits for the reserves.
        TryToFree => "try_to_free_pages",
        /// Direct compaction.
        Compact => "try_to_compact_pages",
        /// Pages on the lists of all CPUs go back to the allocator.
        DrainPages => "__drain_all_pages",
        /// Folios that all CPUs hold back go to the LRU lists.
        DrainLru => "lru_add_drain_all",
        /// One call of a shrinker: count, then scan.
        ShrinkSlab => "do_shrink_slab",
        /// Swap-out is submitted.
        SwapSubmit => "swap_write_submit",
        /// Other CPUs' TLBs are flushed, for clean folios.
        TlbFlush => "try_to_unmap_flush",
        /// The same, before a dirty folio is written.
        TlbFlushDirty => "try_to_unmap_flush_dirty",
        /// A task above memory.high returns to user space.
        OverHigh => "__mem_cgroup_handle_over_high",
        /// The NBD driver gets a request.
        NbdQueue => "nbd_queue_rq",
        /// zswap looks at a page that it holds, and may write it back.
        ZswapWriteback => "shrink_memcg_cb",
        // What ends a section of PSI's is probed before what begins it.
        /// Memory pressure, as PSI has it, ends for a task.
        PsiLeave => "psi_memstall_leave",
        /// It begins.
        PsiEnter => "psi_memstall_enter",
        /// A task waits for a folio.
        WaitBit => "folio_wait_bit",
        /// The same, until it is killed.
        WaitBitKillable => "folio_wait_bit_killable",
        /// A task waits for a folio's lock.
        FolioLock => "__folio_lock",
        /// The same, until it is killed.
        FolioLockKillable => "__folio_lock_killable",
        /// A page fault waits for it.
        LockOrRetry => "__folio_lock_or_retry",
        /// A page of swap is read, or its read is begun.
        SwapRead => "swap_read_folio",
        /// A page comes back that is remembered.
        Refault => "workingset_refault",
        /// A task waits for a folio, in any way: what the compiler did not inline of it.
        WaitBitCommon => "folio_wait_bit_common",
    }
}

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
    /// The C shim's number of its parameter.
    pub(crate) const fn param(self) -> u32 {
        match self {
            Self::Stalls => shim::RWB_PARAM_STALLS,
            Self::Shrinkers => shim::RWB_PARAM_SHRINKERS,
            Self::Tlb => shim::RWB_PARAM_TLB,
            Self::Metadata => shim::RWB_PARAM_METADATA,
            Self::Takers => shim::RWB_PARAM_TAKERS,
            Self::Reserves => shim::RWB_PARAM_RESERVES,
            Self::Nbd => shim::RWB_PARAM_NBD,
            Self::Waits => shim::RWB_PARAM_WAITS,
        }
    }
}

impl Function {
    /// The group that it is switched with; `None`: it is always probed.
    pub(crate) const fn group(self) -> Option<Group> {
        match self {
            Self::ZswapStore | Self::ZswapWriteback => None,
            Self::ShrinkSlab => Some(Group::Shrinkers),
            Self::TlbFlush | Self::TlbFlushDirty => Some(Group::Tlb),
            Self::NbdQueue => Some(Group::Nbd),
            function if function.tells_of_waits() => Some(Group::Waits),
            _ => Some(Group::Stalls),
        }
    }

    /// It is probed for the ledger of waits.
    pub(crate) const fn tells_of_waits(self) -> bool {
        matches!(
            self,
            Self::PsiLeave
                | Self::PsiEnter
                | Self::WaitBit
                | Self::WaitBitKillable
                | Self::FolioLock
                | Self::FolioLockKillable
                | Self::LockOrRetry
                | Self::SwapRead
                | Self::Refault
                | Self::WaitBitCommon
        )
    }

    /// What is not known without a probe on it.
    pub(crate) const fn tells(self) -> &'static str {
        match self {
            Self::ZswapStore => "zswap and zero-filled are not told apart",
            Self::SlowPath => "a stall is a reclaim window, without what lies between",
            Self::TryToFree => "the wait for reserves is not seen",
            Self::Compact => "compaction is not told apart",
            Self::DrainPages | Self::DrainLru => "drains are not told apart",
            Self::ShrinkSlab => "shrinkers are not told apart",
            Self::SwapSubmit => "swap submission is not told apart",
            Self::TlbFlush | Self::TlbFlushDirty => "TLB flushes are not told apart",
            Self::OverHigh => "the penalty of memory.high is not seen",
            Self::NbdQueue => "the wait for an NBD connection is not seen",
            Self::ZswapWriteback => "what zswap writes back is not seen",
            Self::PsiLeave | Self::PsiEnter => "what PSI counts is not told apart",
            Self::WaitBit
            | Self::WaitBitKillable
            | Self::FolioLock
            | Self::FolioLockKillable
            | Self::LockOrRetry
            | Self::WaitBitCommon
            | Self::SwapRead => "waits for pages that are read again are not all seen",
            Self::Refault => "pages that come back are not counted",
        }
    }

    /// The loadable module that may hold it, if it need not be in the kernel.
    pub(crate) const fn module(self) -> Option<&'static str> {
        match self {
            Self::NbdQueue => Some("nbd"),
            _ => None,
        }
    }

    /// From the C shim's number.
    pub(crate) fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
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
            shim::RWB_WINDOW_KSWAPD => Self::Kswapd,
            shim::RWB_WINDOW_DIRECT => Self::Direct,
            shim::RWB_WINDOW_MEMCG_SOFT => Self::MemcgSoft,
            shim::RWB_WINDOW_NODE => Self::Node,
            shim::RWB_WINDOW_MEMCG => Self::Memcg,
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
