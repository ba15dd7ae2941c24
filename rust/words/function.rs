// SPDX-License-Identifier: GPL-2.0

//! The functions that are probed.

use super::Group;

named! {
    /// A function that is probed.
    Function {
        /// zswap takes a folio, or refuses it.
        ZswapStore => "zswap_store",
        /// The allocation slow path, with its retries.
        SlowPath => "__alloc_pages_slowpath",
        /// Direct reclaim. Until its window begins, the task waits for the reserves.
        TryToFree => "try_to_free_pages",
        /// Direct compaction.
        Compact => "try_to_compact_pages",
        /// Pages on the lists of all CPUs are returned to the allocator.
        DrainPages => "__drain_all_pages",
        /// Folios in the batches of all CPUs are put on the LRU lists.
        DrainLru => "lru_add_drain_all",
        /// One call of a shrinker: it counts, and then scans.
        ShrinkSlab => "do_shrink_slab",
        /// Swap-out is submitted.
        SwapSubmit => "swap_write_submit",
        /// The TLBs of other CPUs are flushed, for clean folios.
        TlbFlush => "try_to_unmap_flush",
        /// The TLBs of other CPUs are flushed, before a dirty folio is written.
        TlbFlushDirty => "try_to_unmap_flush_dirty",
        /// A task above memory.high returns to user space.
        OverHigh => "__mem_cgroup_handle_over_high",
        /// The NBD driver gets a request.
        NbdQueue => "nbd_queue_rq",
        /// zswap looks at a page that it holds, and may write it back.
        ZswapWriteback => "shrink_memcg_cb",
        // The end of a PSI section is probed before its begin.
        /// A PSI section (memory pressure of a task) ends.
        PsiLeave => "psi_memstall_leave",
        /// A PSI section begins.
        PsiEnter => "psi_memstall_enter",
        /// A task waits for a folio.
        WaitBit => "folio_wait_bit",
        /// A task waits for a folio, and can be killed.
        WaitBitKillable => "folio_wait_bit_killable",
        /// A task waits for the lock of a folio.
        FolioLock => "__folio_lock",
        /// A task waits for the lock of a folio, and can be killed.
        FolioLockKillable => "__folio_lock_killable",
        /// A page fault waits for the lock of a folio.
        LockOrRetry => "__folio_lock_or_retry",
        /// Pages are read from a swap device, or the read is started.
        SwapRead => "swap_bdev_submit_read",
        /// A page is read again that was reclaimed a short time ago.
        Refault => "workingset_refault",
        /// A task waits for a folio, in any way: the part that the compiler did not inline.
        WaitBitCommon => "folio_wait_bit_common",
        /// The policy of a queue (WBT, iolatency, iocost) looks at a bio, and may wait.
        RqQos => "__rq_qos_throttle",
        /// zswap is switched on or off.
        ZswapSwitch => "zswap_enabled_param_set",
    }
}

impl Function {
    /// Returns the group with which the probe is switched; `None` if it is always on.
    pub const fn group(self) -> Option<Group> {
        match self {
            Self::ZswapStore | Self::ZswapWriteback | Self::ZswapSwitch => None,
            Self::ShrinkSlab => Some(Group::Shrinkers),
            Self::TlbFlush | Self::TlbFlushDirty => Some(Group::Tlb),
            Self::NbdQueue => Some(Group::Nbd),
            function if function.tells_of_waits() => Some(Group::Waits),
            _ => Some(Group::Stalls),
        }
    }

    /// Whether the function is probed for the ledger of waits.
    pub const fn tells_of_waits(self) -> bool {
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

    /// Returns what is not known if the function is not probed.
    pub const fn without(self) -> &'static str {
        match self {
            Self::ZswapStore => "zswap and zero-filled are not told apart",
            Self::SlowPath => "stalls are only reclaim windows, without the time between them",
            Self::TryToFree => "the wait for reserves is not seen",
            Self::Compact => "compaction is not told apart",
            Self::DrainPages | Self::DrainLru => "drains are not told apart",
            Self::ShrinkSlab => "shrinkers are not told apart",
            Self::SwapSubmit => "swap submission is not told apart",
            Self::TlbFlush | Self::TlbFlushDirty => "TLB flushes are not told apart",
            Self::OverHigh => "the penalty of memory.high is not seen",
            Self::NbdQueue => "the wait for an NBD connection is not seen",
            Self::RqQos => "throttling by the block layer is not told apart",
            Self::ZswapWriteback => "what zswap writes back is not seen",
            Self::ZswapSwitch => "zswap is watched while it is off, too",
            Self::PsiLeave | Self::PsiEnter => "what PSI counts is not told apart",
            Self::WaitBit
            | Self::WaitBitKillable
            | Self::FolioLock
            | Self::FolioLockKillable
            | Self::LockOrRetry
            | Self::WaitBitCommon
            | Self::SwapRead => "some waits for pages that are read again are not seen",
            Self::Refault => "pages that come back are not counted",
        }
    }

    /// Returns the loadable module that may contain the function; `None` if it is in the kernel
    /// image.
    pub const fn module(self) -> Option<&'static str> {
        match self {
            Self::NbdQueue => Some("nbd"),
            _ => None,
        }
    }

    /// Converts the number of the C shim; `None` if it is unknown.
    pub fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }
}
