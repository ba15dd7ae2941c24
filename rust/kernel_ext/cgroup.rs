// SPDX-License-Identifier: GPL-2.0

//! Control groups by id.

use crate::shim;

/// Room for a path.
pub(crate) type PathBuffer = [u8; 1024];

/// Path of the cgroup with this id in the initial namespace; `None` when it is
/// gone, or its path too long. May sleep.
pub(crate) fn path(id: u64, buf: &mut PathBuffer) -> Option<&str> {
    // SAFETY: The buffer is valid for writes of the length given.
    let len = unsafe { shim::rwb_cgroup_path(id, buf.as_mut_ptr().cast(), buf.len()) };
    let path = buf.get(..usize::try_from(len).ok()?)?;
    core::str::from_utf8(path).ok()
}
