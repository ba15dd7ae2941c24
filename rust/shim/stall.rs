// SPDX-License-Identifier: GPL-2.0

//! Where a stall begins, and what it was when it ended.

use super::rwb_setting;
use crate::policy::{
    cgroup_key::CgroupKey,
    stall::Parts, //
};
use pin_init::Zeroable;

/// Where a stall begins. Mirrors `struct rwb_setting`.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub(crate) struct Setting {
    cgroup: u64,
    /// Pages on the inactive file lists of its node.
    pub(crate) inactive_file: u64,
    /// Pages on the inactive anon lists of its node.
    pub(crate) inactive_anon: u64,
    /// Pages of files on its node that are dirty or under writeback.
    pub(crate) dirty: u64,
    /// The node that the task runs on.
    pub(crate) nid: u32,
    flags: u32,
}

impl Setting {
    /// The current task's. Any context; never sleeps.
    pub(crate) fn current() -> Self {
        let mut setting = pin_init::zeroed();
        // SAFETY: `setting` is valid for writes.
        unsafe { rwb_setting(&mut setting) };
        setting
    }

    /// Key of the task's cgroup; see [`CgroupKey`].
    pub(crate) fn cgroup_key(&self) -> CgroupKey {
        CgroupKey::new(self.cgroup, self.flags & 8 != 0)
    }
}

/// A stall that ended. Mirrors `struct rwb_stall`.
#[repr(C)]
#[derive(Clone, Copy, Zeroable)]
pub(crate) struct Stalled {
    /// How long it took.
    pub(crate) ns: u64,
    /// When it began, on the local clock.
    pub(crate) began: u64,
    /// Nanoseconds by cause; their sum is `ns`.
    pub(crate) parts: Parts,
    /// Pages that it scanned to free them.
    pub(crate) scanned: u64,
    /// Pages that it freed.
    pub(crate) freed: u64,
    /// Where it began.
    pub(crate) setting: Setting,
    /// What it was for: an [`Origin`](crate::origin::Origin).
    pub(crate) origin: u32,
    /// Flags of the allocation; 0 for a cgroup's.
    pub(crate) gfp: u32,
    /// Order of the allocation.
    pub(crate) order: u32,
}
