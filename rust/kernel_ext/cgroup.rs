// SPDX-License-Identifier: GPL-2.0

//! Cgroups by id.

use crate::shim;

/// A buffer for the path of a cgroup.
pub(crate) type PathBuffer = [u8; 1024];

/// Returns the path of the cgroup with this id in the initial namespace. `None` if the cgroup is
/// gone, or if its path is too long. May sleep.
pub(crate) fn path(id: u64, buf: &mut PathBuffer) -> Option<&str> {
    // SAFETY: The buffer is valid for writes of the given length.
    let len = unsafe { shim::rwb_cgroup_path(id, buf.as_mut_ptr().cast(), buf.len()) };
    let path = buf.get(..usize::try_from(len).ok()?)?;
    core::str::from_utf8(path).ok()
}
