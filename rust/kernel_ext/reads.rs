// SPDX-License-Identifier: GPL-2.0

//! Reads of swap, as the C shim follows them; and whether zswap is on.

use crate::shim;

/// Whether reads of swap from devices that have read when they are told to are followed by their
/// bios, instead of by the function that reads.
pub(crate) fn follow(follow: bool) {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_follow_reads(follow) };
}

/// One more is looked at closely: its end is to be seen.
pub(crate) fn opened() {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_read_opened() };
}

/// One less.
pub(crate) fn closed() {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_read_closed() };
}

/// Whether zswap takes pages; `None` if that cannot be told. Waits for who is switching it. In a
/// task that sees sysfs where it belongs; sleeps.
pub(crate) fn zswap_on() -> Option<bool> {
    // SAFETY: Process context.
    match unsafe { shim::rwb_zswap_on() } {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}
