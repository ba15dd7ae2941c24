// SPDX-License-Identifier: GPL-2.0

//! Where a task stalls, and a stall that ended, as the C shim passes them.

use super::{
    rwb_locks_tell_holders,
    rwb_setting,
    RWB_FOLIO_CGROUP_GONE,
    RWB_FOLIO_CGROUP_V1, //
};
pub(crate) use super::{
    Setting,
    StallEnd, //
};
use crate::policy::cgroup_key::CgroupKey;

/// Whether the mutexes and rw_semaphores of this kernel name their holders.
pub(crate) fn locks_tell_holders() -> bool {
    // SAFETY: Has no precondition.
    unsafe { rwb_locks_tell_holders() }
}

impl Setting {
    /// Returns the setting of the current task. Any context; never sleeps.
    pub(crate) fn current() -> Self {
        let mut setting: Self = pin_init::zeroed();
        // SAFETY: `setting` is valid for writes.
        unsafe { rwb_setting(&mut setting) };
        setting
    }

    /// Returns the key of the task's cgroup; see [`CgroupKey`].
    pub(crate) fn cgroup_key(&self) -> CgroupKey {
        CgroupKey::new(self.cgroup, self.flags & RWB_FOLIO_CGROUP_V1 != 0)
    }

    /// Whether that cgroup has been removed.
    pub(crate) fn cgroup_gone(&self) -> bool {
        self.flags & RWB_FOLIO_CGROUP_GONE != 0
    }
}
