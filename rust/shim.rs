// SPDX-License-Identifier: GPL-2.0

//! The border to C. shim.h declares all functions and structures that cross it, and the Rust side
//! is generated from it. See [`contract`].
//!
//! This is internal: `kernel_ext` has safe wrappers, and `entry` has the functions that C calls.

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

/// The stack on which a probe ran.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// The stack of the task, in the task itself.
    Task,
    /// Another stack, that of an interrupt, an NMI or an exception.
    Irq,
    /// The stack of the task, in a softirq on top of it.
    Softirq,
}

impl At {
    /// Returns the stack on which the probe ran. On [`Context::Irq`], `headroom` and `depth` mean
    /// nothing.
    pub(crate) fn context(&self) -> Context {
        match self.ctx {
            RWB_CTX_TASK => Context::Task,
            RWB_CTX_IRQ => Context::Irq,
            _ => Context::Softirq,
        }
    }

    /// Returns the place of a function whose stack pointer is `bytes` further up, `depth` at most.
    pub(crate) fn above(self, bytes: usize) -> Self {
        let bytes = bytes.min(self.depth);
        Self {
            sp: self.sp.wrapping_add(bytes),
            headroom: self.headroom.wrapping_add(bytes),
            depth: self.depth.wrapping_sub(bytes),
            ..self
        }
    }

    /// Whether the current task has PF_MEMALLOC set, because it reclaims, or sends for tasks that
    /// do.
    pub(crate) fn memalloc(&self) -> bool {
        self.flags & RWB_AT_MEMALLOC != 0
    }

    /// Whether the current task is a worker of a workqueue.
    pub(crate) fn worker(&self) -> bool {
        self.flags & RWB_AT_WORKER != 0
    }

    /// Whether the current task is a kswapd that isolates folios.
    pub(crate) fn kswapd(&self) -> bool {
        self.flags & RWB_AT_KSWAPD != 0
    }

    /// Makes a sample for tests that fire no tracepoint.
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
    /// Whether the folio is anonymous memory, as opposed to shmem.
    pub(crate) fn anon(&self) -> bool {
        self.flags & RWB_FOLIO_ANON != 0
    }

    /// Whether the folio is under writeback.
    pub(crate) fn writeback(&self) -> bool {
        self.flags & RWB_FOLIO_WRITEBACK != 0
    }

    /// Returns the key of the cgroup that the folio is charged to. See [`CgroupKey`].
    pub(crate) fn cgroup_key(&self) -> CgroupKey {
        CgroupKey::new(self.cgroup, self.flags & RWB_FOLIO_CGROUP_V1 != 0)
    }

    /// Whether that cgroup has been removed.
    pub(crate) fn cgroup_gone(&self) -> bool {
        self.flags & RWB_FOLIO_CGROUP_GONE != 0
    }

    /// Whether `facts` and the id of the cgroup say all that is recorded of the folio: it has one
    /// page, and its cgroup, if there is one, is of v2 and has not been removed.
    pub(crate) fn plain(&self) -> bool {
        self.facts != 0 && self.flags & (RWB_FOLIO_CGROUP_V1 | RWB_FOLIO_CGROUP_GONE) == 0
    }

    /// Whether the folio has a swap slot.
    pub(crate) fn swapcache(&self) -> bool {
        self.flags & RWB_FOLIO_SWAPCACHE != 0
    }

    /// Makes a folio of one page for tests that fire no tracepoint.
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
    /// Makes a target for tests, which no reclaim met: page `index` of a file that does not exist.
    /// Its folio is `page`.
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
    /// Makes a request for tests, which nobody prepared, for a device that does not exist. Nothing
    /// happens when it is submitted.
    pub(crate) fn fake(slot: u64, pages: u32, flags: u32) -> Self {
        Self {
            request: 0,
            slot,
            at: At::fake(0x1000, 8192, Context::Task),
            bio: nbd::Bio::fake(0x9000, 0x5000, false, pages.min(32)).at(slot, 0),
            device: 0x0ff0_0001,
            area: 0,
            pages,
            flags,
        }
    }
}

#[cfg(CONFIG_KUNIT = "y")]
impl SwapWait {
    /// Makes a batch for tests, of a task that handed over a request with that cookie, and freed
    /// nothing.
    pub(crate) fn fake(cookie: usize, pages: u32, flags: u32) -> Self {
        Self::freed(cookie, pages, 0, flags)
    }

    /// Makes a batch for tests, of a task that also freed `freed` pages.
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
    /// Makes the end of a write of a page of anonymous memory, for tests.
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
    /// Returns the pages of the node when the pass ended.
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
