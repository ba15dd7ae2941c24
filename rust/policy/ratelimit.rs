// SPDX-License-Identifier: GPL-2.0

//! One event per interval.

/// Whether an event at time `now` may pass when the next one was due at `due`;
/// if so, when the one after it is due. Times in nanoseconds of any one clock.
///
/// A clock that stepped back by more than an interval does not silence the
/// events until it has caught up.
pub const fn pass(now: u64, due: u64, interval: u64) -> Option<u64> {
    if now >= due || due.saturating_sub(now) > interval {
        Some(now.saturating_add(interval))
    } else {
        None
    }
}
