// SPDX-License-Identifier: GPL-2.0

//! What tasks wait for, and folios that came back, as the C shim describes them.

pub(crate) use super::WaitFacts;
use super::{
    rwb_refault,
    rwb_swapins_returned,
    rwb_wait,
    rwb_wait_folio,
    rwb_wait_swapin,
    RWB_FOLIO_CGROUP_GONE,
    RWB_FOLIO_CGROUP_V1,
    RWB_WAIT_AGAIN,
    RWB_WAIT_FILE,
    RWB_WAIT_HIGH,
    RWB_WAIT_KERNEL,
    RWB_WAIT_MAX,
    RWB_WAIT_SWAPIN, //
};
use crate::{
    policy::cgroup_key::CgroupKey,
    words::{
        Limit,
        WaitKind, //
    },
};

impl WaitFacts {
    /// Returns the facts of the current task. Any context; never sleeps.
    pub(crate) fn current() -> Self {
        let mut facts: Self = pin_init::zeroed();
        // SAFETY: `facts` is valid for writes.
        unsafe { rwb_wait(&mut facts) };
        facts
    }

    /// Returns the facts of the current task, which waits for a folio.
    ///
    /// # Safety
    ///
    /// `folio` is the address of a folio that is not freed meanwhile.
    pub(super) unsafe fn of_folio(folio: usize) -> Self {
        let mut facts: Self = pin_init::zeroed();
        // SAFETY: By the safety requirement; `facts` is valid for writes.
        unsafe { rwb_wait_folio(folio, &mut facts) };
        facts
    }

    /// Returns the facts of the current task, which reads a page of swap. The read stands for
    /// `stands_for` reads.
    ///
    /// # Safety
    ///
    /// `folio` is the address of a locked folio that has a slot of swap.
    pub(crate) unsafe fn of_swapin(folio: usize, stands_for: u32) -> Self {
        let mut facts: Self = pin_init::zeroed();
        // SAFETY: By the safety requirement; `facts` is valid for writes.
        unsafe { rwb_wait_swapin(folio, stands_for, &mut facts) };
        facts
    }

    /// Gives back the other reads for which this one stands, because it is part of another wait.
    /// The next read that is looked at stands for them, too. Any context.
    pub(crate) fn leave_others(&self) {
        if let Some(others) = self.stands_for.checked_sub(1).filter(|&n| n != 0) {
            // SAFETY: Has no precondition.
            unsafe { rwb_swapins_returned(others) };
        }
    }

    /// Returns the facts of a folio that came back.
    ///
    /// # Safety
    ///
    /// `folio` is the address of a locked folio.
    pub(super) unsafe fn of_refault(folio: usize) -> Self {
        let mut facts: Self = pin_init::zeroed();
        // SAFETY: By the safety requirement; `facts` is valid for writes.
        unsafe { rwb_refault(folio, &mut facts) };
        facts
    }

    /// Returns the key of the cgroup of the task or of the folio; see [`CgroupKey`].
    pub(crate) fn cgroup_key(&self) -> CgroupKey {
        CgroupKey::new(self.cgroup, self.flags & RWB_FOLIO_CGROUP_V1 != 0)
    }

    /// Whether that cgroup has been removed.
    pub(crate) fn cgroup_gone(&self) -> bool {
        self.flags & RWB_FOLIO_CGROUP_GONE != 0
    }

    /// Returns the kind of the wait, if it is due to a lack of memory. The first read of a page is
    /// not.
    pub(crate) fn kind(&self) -> Option<WaitKind> {
        if self.flags & RWB_WAIT_SWAPIN != 0 {
            Some(WaitKind::Swapin)
        } else if self.file() && self.flags & RWB_WAIT_AGAIN != 0 {
            Some(WaitKind::Refault)
        } else {
            None
        }
    }

    /// Whether the folio is of a file, as opposed to anonymous memory and shmem.
    pub(crate) fn file(&self) -> bool {
        self.flags & RWB_WAIT_FILE != 0
    }

    /// Returns the number of the swap area from which the folio is read.
    pub(crate) fn swap_area(&self) -> Option<usize> {
        usize::try_from(self.swap.checked_sub(1)?).ok()
    }

    /// Returns which limit is reached.
    pub(crate) fn limit(&self) -> Limit {
        if self.flags & RWB_WAIT_MAX != 0 {
            Limit::Max
        } else if self.flags & RWB_WAIT_HIGH != 0 {
            Limit::High
        } else {
            Limit::Global
        }
    }

    /// Whether the task is a kernel thread.
    pub(crate) fn kernel(&self) -> bool {
        self.flags & RWB_WAIT_KERNEL != 0
    }

    /// Returns the facts of the current task, which pauses because it dirties pages of a device.
    /// `limited` means that the limit is a share of its cgroup's memory.max, not of all memory.
    pub(crate) fn of_dirty_pause(device: u32, limited: bool) -> Self {
        let task = Self::current();
        let (flags, of) = match (limited, task.limited) {
            (false, _) => (0, 0),
            (true, 0) => (RWB_WAIT_MAX, task.cgroup),
            (true, of) => (RWB_WAIT_MAX, of),
        };
        let own = RWB_FOLIO_CGROUP_V1 | RWB_FOLIO_CGROUP_GONE | RWB_WAIT_KERNEL;
        Self {
            device,
            limited: of,
            flags: task.flags & own | flags,
            ..task
        }
    }
}
