// SPDX-License-Identifier: GPL-2.0

//! Safe functions for the trace events in events.h. Any context; they do not sleep.

use crate::{
    kernel_ext::fs::Inode,
    shim::{
        rwb_trace_headroom_low,
        rwb_trace_headroom_low_enabled,
        rwb_trace_reclaim_window,
        rwb_trace_reclaim_window_enabled,
        rwb_trace_reclaim_write,
        rwb_trace_reclaim_write_enabled,
        rwb_trace_stall,
        rwb_trace_stall_enabled,
        rwb_trace_write_around,
        rwb_trace_write_around_enabled,
        stall::StallEnd,
        Folio,
        RWB_LOW_CALLERS, //
    },
    words::{
        Kind,
        Layer,
        Origin, //
    },
};

/// The most callers that [`headroom_low`] carries.
pub(crate) const LOW_CALLERS: usize = RWB_LOW_CALLERS as usize;

/// Emits `reclaimwb:reclaim_write` if it is enabled.
#[inline]
pub(crate) fn reclaim_write(origin: Origin, kind: Kind, folio: &Folio, headroom: usize) {
    // SAFETY: Has no precondition.
    if unsafe { rwb_trace_reclaim_write_enabled() } {
        // SAFETY: `folio` is a valid `struct rwb_folio` during the call.
        unsafe { rwb_trace_reclaim_write(origin as u32, kind as u32, folio, headroom) };
    }
}

/// Whether `reclaimwb:reclaim_window` is enabled.
#[inline]
pub(crate) fn reclaim_window_enabled() -> bool {
    // SAFETY: Has no precondition.
    unsafe { rwb_trace_reclaim_window_enabled() }
}

/// Emits `reclaimwb:reclaim_window`. `depth` is the nesting of the window; 1 is the outermost one.
pub(crate) fn reclaim_window(origin: Origin, reclaimed: usize, written: u64, depth: u32, ns: u64) {
    // SAFETY: All arguments are plain values.
    unsafe { rwb_trace_reclaim_window(origin as u32, reclaimed, written, depth, ns) };
}

/// Whether `reclaimwb:headroom_low` is enabled.
pub(crate) fn headroom_low_enabled() -> bool {
    // SAFETY: Has no precondition.
    unsafe { rwb_trace_headroom_low_enabled() }
}

/// Emits `reclaimwb:headroom_low` with the first [`LOW_CALLERS`] callers.
pub(crate) fn headroom_low(
    origin: Origin,
    layer: Layer,
    headroom: usize,
    floor: usize,
    callers: &[usize],
) {
    let nr = callers.len().min(LOW_CALLERS) as u32;
    // SAFETY: `callers` is valid for reads of `nr` entries during the call.
    unsafe {
        rwb_trace_headroom_low(
            origin as u32,
            layer as u32,
            headroom,
            floor,
            callers.as_ptr(),
            nr,
        )
    };
}

/// Emits `reclaimwb:write_around` if it is enabled. `nr` pages of a file were written from page
/// `start` on, `us` microseconds after reclaim met the first of them.
pub(crate) fn write_around(
    inode: &Inode<'_>,
    start: u64,
    nr: u32,
    targets: u32,
    others: u32,
    ranges: u32,
    us: u64,
) {
    // SAFETY: Has no precondition.
    if unsafe { rwb_trace_write_around_enabled() } {
        // SAFETY: The inode and its superblock are live.
        unsafe { rwb_trace_write_around(inode.as_ptr(), start, nr, targets, others, ranges, us) };
    }
}

/// Emits `reclaimwb:stall` if it is enabled.
pub(crate) fn stall(stall: &StallEnd) {
    // SAFETY: Has no precondition.
    if unsafe { rwb_trace_stall_enabled() } {
        // SAFETY: `stall` is a valid `struct rwb_stall_end` during the call.
        unsafe { rwb_trace_stall(stall) };
    }
}
