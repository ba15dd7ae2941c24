// SPDX-License-Identifier: GPL-2.0

//! How the C shim follows reads of swap, and whether zswap is on.

use crate::shim;

/// Sets whether reads of swap from devices that have read when they are told to are followed by
/// their bios, instead of by the function that reads. Any context.
pub(crate) fn follow(follow: bool) {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_follow_reads(follow) };
}

/// Counts one more read that is looked at closely, whose end must be seen. Any context.
pub(crate) fn opened() {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_read_opened() };
}

/// Counts one less read that is looked at closely. Any context.
pub(crate) fn closed() {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_read_closed() };
}

/// Returns whether zswap takes pages; `None` if that cannot be told. Waits for a task that is
/// switching zswap. Sleeps. The caller must be a task that sees sysfs where it belongs.
pub(crate) fn zswap_on() -> Option<bool> {
    // SAFETY: Process context.
    match unsafe { shim::rwb_zswap_on() } {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}
