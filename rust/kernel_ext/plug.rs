// SPDX-License-Identifier: GPL-2.0

//! Plugging: a task's block requests are held back until it has made all of them.
//!
//! C header: `include/linux/blkdev.h`

use core::mem::MaybeUninit;
use kernel::bindings;

/// Runs `f`, and holds back the block requests of this task until `f` returns or blocks, so that
/// neighbours are merged. Then this task submits them. Sleeps.
pub(crate) fn plugged<R>(f: impl FnOnce() -> R) -> R {
    let mut plug = MaybeUninit::<bindings::blk_plug>::uninit();
    // SAFETY: `plug` is ours, does not move, and lives until after the call below.
    unsafe { bindings::blk_start_plug(plug.as_mut_ptr()) };
    let r = f();
    // SAFETY: This task started the plug above.
    unsafe { bindings::blk_finish_plug(plug.as_mut_ptr()) };
    r
}
