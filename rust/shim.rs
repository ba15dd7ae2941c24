// SPDX-License-Identifier: GPL-2.0

//! C, and what calls it. What the two sides say to each other is shim.h,
//! of which the Rust side is made: see [`contract`].
//!
//! Internal: safe wrappers stand in `kernel_ext`. What C calls is in `entry`.

mod contract;
pub(crate) mod function;
pub(crate) mod nbd;
pub(crate) mod reserve;
pub(crate) mod stall;
pub(crate) mod wait;

use crate::policy::{
    cgroup_key::CgroupKey,
    kswapd, //
};
pub(crate) use contract::*;

/// On which stack a probe ran.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// The task's own, in the task itself.
    Task,
    /// Another one: IRQ, NMI, exception.
    Irq,
    /// The task's, but in a softirq on top of it.
    Softirq,
}

impl At {
    /// On which stack the probe ran; `headroom` and `depth` mean nothing on
    /// [`Context::Irq`].
    pub(crate) fn context(&self) -> Context {
        match self.ctx {
            RWB_CTX_TASK => Context::Task,
            RWB_CTX_IRQ => Context::Irq,
            _ => Context::Softirq,
        }
    }

    /// The same, seen from a function whose stack pointer is `bytes` further up: at most
    /// `depth`.
    pub(crate) fn above(self, bytes: usize) -> Self {
        let bytes = bytes.min(self.depth);
        Self {
            sp: self.sp.wrapping_add(bytes),
            headroom: self.headroom.wrapping_add(bytes),
            depth: self.depth.wrapping_sub(bytes),
            ..self
        }
    }

    /// The current task has PF_MEMALLOC set: it is a reclaimer, or sends what
    /// a reclaimer waits for.
    pub(crate) fn memalloc(&self) -> bool {
        self.flags & RWB_AT_MEMALLOC != 0
    }

    /// The current task is a worker of a workqueue.
    pub(crate) fn worker(&self) -> bool {
        self.flags & RWB_AT_WORKER != 0
    }

    /// A sample for tests that fire no tracepoint.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) fn fake(task: usize, depth: usize, context: Context) -> Self {
        // SAFETY: Has no precondition.
        let size = unsafe { rwb_stack_size() };
        Self {
            task,
            sp: 0,
            caller: 0,
            headroom: size.saturating_sub(depth),
            depth,
            ctx: match context {
                Context::Task => RWB_CTX_TASK,
                Context::Irq => RWB_CTX_IRQ,
                Context::Softirq => RWB_CTX_SOFTIRQ,
            },
            flags: RWB_AT_MEMALLOC,
        }
    }
}

impl Folio {
    /// Anonymous memory, as opposed to shmem.
    pub(crate) fn anon(&self) -> bool {
        self.flags & RWB_FOLIO_ANON != 0
    }

    /// Under writeback.
    pub(crate) fn writeback(&self) -> bool {
        self.flags & RWB_FOLIO_WRITEBACK != 0
    }

    /// Key of the cgroup it is charged to; see [`CgroupKey`].
    pub(crate) fn cgroup_key(&self) -> CgroupKey {
        CgroupKey::new(self.cgroup, self.flags & RWB_FOLIO_CGROUP_V1 != 0)
    }

    /// That cgroup has been removed.
    pub(crate) fn cgroup_gone(&self) -> bool {
        self.flags & RWB_FOLIO_CGROUP_GONE != 0
    }

    /// Its `facts` and its cgroup's id tell all of it: one page, whose cgroup, if it has one, is
    /// of v2 and there.
    pub(crate) fn plain(&self) -> bool {
        self.facts != 0 && self.flags & (RWB_FOLIO_CGROUP_V1 | RWB_FOLIO_CGROUP_GONE) == 0
    }

    /// Has a swap slot.
    pub(crate) fn swapcache(&self) -> bool {
        self.flags & RWB_FOLIO_SWAPCACHE != 0
    }

    /// A folio for tests that fire no tracepoint: one page.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) const fn fake(key: usize, anon: bool, writeback: bool, swapcache: bool) -> Self {
        Self {
            key,
            cgroup: 1,
            facts: 0,
            nr_pages: 1,
            order: 0,
            nid: 0,
            flags: (anon as u32).wrapping_mul(RWB_FOLIO_ANON)
                | (writeback as u32).wrapping_mul(RWB_FOLIO_WRITEBACK)
                | (swapcache as u32).wrapping_mul(RWB_FOLIO_SWAPCACHE),
        }
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl Target {
    /// A target for tests that no reclaim met: page `index` of a file that does
    /// not exist, as the folio that `page` is.
    pub(crate) fn fake(page: &kernel::page::Page, index: u64, flags: u32) -> Self {
        Self {
            folio: page.as_ptr() as usize,
            sb: 0x1000,
            inode: 0x2000,
            bdi: 0x3000,
            index,
            nr_pages: 1,
            nid: 0,
            order: 0,
            highest_zone: 0,
            flags,
        }
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl Swap {
    /// A request for tests that nobody prepared, of a device that does not exist: nothing
    /// happens when it is submitted.
    pub(crate) fn fake(slot: u64, pages: u32, flags: u32) -> Self {
        Self {
            request: 0,
            slot,
            at: At::fake(0x1000, 8192, Context::Task),
            bio: nbd::Bio::fake(0x9000, 0x5000, false, pages.min(32)).at(slot, 0),
            device: 0x0ff0_0001,
            pages,
            flags,
        }
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl SwapWait {
    /// For tests: of who handed over a request with that cookie, and freed nothing.
    pub(crate) fn fake(cookie: usize, pages: u32, flags: u32) -> Self {
        Self::freed(cookie, pages, 0, flags)
    }

    /// For tests: of who freed so many pages, too.
    pub(crate) fn freed(cookie: usize, pages: u32, freed: u32, flags: u32) -> Self {
        Self {
            at: At::fake(0x1000, 8192, Context::Task),
            cookie,
            pages,
            freed,
            order: 0,
            faults: 0,
            flags,
        }
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl SwapEnd {
    /// The end of a write of a page of anonymous memory, for tests.
    pub(crate) fn fake(bio: usize, failed: bool, sync: bool) -> Self {
        Self {
            bio,
            device: 0x0ff0_0001,
            anon_folios: failed.into(),
            anon_pages: failed.into(),
            shmem_folios: 0,
            shmem_pages: 0,
            failed,
            sync,
            name: [b'x'; RWB_DISK_NAME_LEN as usize],
        }
    }
}

impl KswapdAt {
    /// What the node has, at the end.
    pub(crate) fn node(&self) -> kswapd::NodePages {
        kswapd::NodePages {
            free: self.free,
            high: self.high,
            anon: self.anon,
            shmem: self.shmem,
            file: self.file,
            unevictable: self.unevictable,
            swap_free: self.swap_free,
            enough: self.enough,
            block: self.block,
        }
    }
}
