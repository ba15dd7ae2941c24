// SPDX-License-Identifier: GPL-2.0

//! Real-time priority is used for at most three quarters of the time, whatever a window costs.

use proptest::prelude::*;
use reclaimwb_policy::urgent::{short, Urgent, ROOM_NS};

/// Returns the most CPU time that can be spent in `ns` of the clock, if one window takes at most
/// `window_ns`.
fn most(ns: u64, window_ns: u64) -> u64 {
    ns - ns / 4 + ROOM_NS + window_ns
}

proptest! {
    /// In any stretch of time, not only in the first one, the time spent is at most three quarters,
    /// the size of the bucket, and the window that was begun last.
    #[test]
    fn no_stretch_has_more_than_its_share(
        windows in prop::collection::vec((0u64..20_000_000, 0u64..200_000_000), 1..200),
    ) {
        let mut urgent = Urgent::new();
        let (mut now, mut spent) = (1_000_000_000u64, Vec::new());
        let dearest = windows.iter().map(|w| w.1).max().unwrap_or(0);
        for (idle, cost) in windows {
            now += idle;
            let may = urgent.allows_realtime(now);
            let from = now;
            now += cost;
            if may {
                urgent.charge(cost);
                spent.push((from, now, cost));
            }
        }
        for (n, first) in spent.iter().enumerate() {
            let mut sum = 0;
            for last in &spent[n..] {
                sum += last.2;
                prop_assert!(sum <= most(last.1 - first.0, dearest), "{sum} in {}", last.1 - first.0);
            }
        }
    }

    /// A worker that stays below three quarters is never refused.
    #[test]
    fn cheap_windows_are_never_refused(costs in prop::collection::vec(0u64..1_000_000, 1..200)) {
        let mut urgent = Urgent::new();
        let mut now = 1;
        for cost in costs {
            prop_assert!(urgent.allows_realtime(now));
            urgent.charge(cost);
            now += cost * 4 / 3 + 2;
        }
    }

    /// A full bucket can be used again after four thirds of what is too much in it. A clock that
    /// steps back does not drain it.
    #[test]
    fn it_comes_back(much in ROOM_NS..10_000_000_000u64, back in 0u64..1_000_000_000) {
        let mut urgent = Urgent::new();
        let start = 2_000_000_000;
        prop_assert!(urgent.allows_realtime(start));
        urgent.charge(much);
        prop_assert!(!urgent.allows_realtime(start));
        prop_assert!(!urgent.allows_realtime(start - back));
        prop_assert!(!urgent.allows_realtime(start));
        let wait = (much - ROOM_NS + 1) * 4 / 3 + 1;
        prop_assert!(urgent.allows_realtime(start + wait));
    }
}

#[test]
fn a_full_bucket_has_no_room() {
    let mut urgent = Urgent::new();
    assert!(urgent.allows_realtime(1));
    urgent.charge(ROOM_NS - 1);
    assert!(urgent.allows_realtime(1));
    urgent.charge(1);
    assert!(!urgent.allows_realtime(1));
}

#[test]
fn short_is_below_the_low_watermark() {
    assert!(short(124, 100) && !short(125, 100));
    assert!(!short(0, 0));
}
