// SPDX-License-Identifier: GPL-2.0

//! A limit of one event per interval.

/// Returns when the next event is due, if an event at time `now` may pass; `None` if it may not. It
/// may pass once `due`, the result for the last one, is reached. Times are in nanoseconds of any
/// one clock.
///
/// If the clock stepped back by more than an interval, events pass without waiting until it has
/// caught up.
pub const fn pass(now: u64, due: u64, interval: u64) -> Option<u64> {
    if now >= due || due.saturating_sub(now) > interval {
        Some(now.saturating_add(interval))
    } else {
        None
    }
}
