// SPDX-License-Identifier: GPL-2.0

//! Plugging: a task's requests to block devices wait until it has made all of them.
//!
//! C header: `include/linux/blkdev.h`

use core::mem::MaybeUninit;
use kernel::bindings;

/// Runs `f` with this task's block requests held back until it ends (or blocks), so that
/// neighbours merge; then they go to their devices, from this task. Sleeps.
pub(crate) fn plugged<R>(f: impl FnOnce() -> R) -> R {
    let mut plug = MaybeUninit::<bindings::blk_plug>::uninit();
    // SAFETY: `plug` is ours, does not move, and lives until the call below.
    unsafe { bindings::blk_start_plug(plug.as_mut_ptr()) };
    let r = f();
    // SAFETY: Started above, by this task.
    unsafe { bindings::blk_finish_plug(plug.as_mut_ptr()) };
    r
}
