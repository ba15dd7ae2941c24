// SPDX-License-Identifier: GPL-2.0

//! The functions that are probed.

use super::Group;

named! {
    /// A function that is probed.
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
        /// Pages of swap are read from a block device, or their read is begun.
        SwapRead => "swap_bdev_submit_read",
        /// A page comes back that is remembered.
        Refault => "workingset_refault",
        /// A task waits for a folio, in any way: what the compiler did not inline of it.
        WaitBitCommon => "folio_wait_bit_common",
        /// What limits a queue's I/O (WBT, iolatency, iocost) looks at a bio, and may wait.
        RqQos => "__rq_qos_throttle",
    }
}

impl Function {
    /// The group that it is switched with; `None`: it is always probed.
    pub const fn group(self) -> Option<Group> {
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

    /// What is not known without a probe on it.
    pub const fn tells(self) -> &'static str {
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
            Self::RqQos => "throttling by the block layer is not told apart",
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
    pub const fn module(self) -> Option<&'static str> {
        match self {
            Self::NbdQueue => Some("nbd"),
            _ => None,
        }
    }

    /// From the C shim's number.
    pub fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }
}
