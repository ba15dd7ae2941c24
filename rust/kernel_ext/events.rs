// SPDX-License-Identifier: GPL-2.0

//! Safe calls of the trace events in events.h. Any context; never sleep.

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

/// Callers that [`headroom_low`] carries at most.
pub(crate) const LOW_CALLERS: usize = RWB_LOW_CALLERS as usize;

/// Emits `reclaimwb:reclaim_write` if someone listens.
#[inline]
pub(crate) fn reclaim_write(origin: Origin, kind: Kind, folio: &Folio, headroom: usize) {
    // SAFETY: Has no precondition.
    if unsafe { rwb_trace_reclaim_write_enabled() } {
        // SAFETY: `folio` is a valid `struct rwb_folio` during the call.
        unsafe { rwb_trace_reclaim_write(origin as u32, kind as u32, folio, headroom) };
    }
}

/// True when someone listens to `reclaimwb:reclaim_window`.
#[inline]
pub(crate) fn reclaim_window_enabled() -> bool {
    // SAFETY: Has no precondition.
    unsafe { rwb_trace_reclaim_window_enabled() }
}

/// Emits `reclaimwb:reclaim_window`; `depth` is the nesting, 1 for outermost.
pub(crate) fn reclaim_window(origin: Origin, reclaimed: usize, written: u64, depth: u32, ns: u64) {
    // SAFETY: Plain values.
    unsafe { rwb_trace_reclaim_window(origin as u32, reclaimed, written, depth, ns) };
}

/// True when someone listens to `reclaimwb:headroom_low`.
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

/// Emits `reclaimwb:write_around`, if someone listens, for `nr` pages of a file
/// that were written from `start`, `us` after the first of them was met.
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
        // SAFETY: The inode is live, and so is its superblock.
        unsafe { rwb_trace_write_around(inode.as_ptr(), start, nr, targets, others, ranges, us) };
    }
}

/// Emits `reclaimwb:stall` if someone listens.
pub(crate) fn stall(stall: &StallEnd) {
    // SAFETY: Has no precondition.
    if unsafe { rwb_trace_stall_enabled() } {
        // SAFETY: `stall` is a valid `struct rwb_stall_end` during the call.
        unsafe { rwb_trace_stall(stall) };
    }
}
