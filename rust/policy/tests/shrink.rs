// SPDX-License-Identifier: GPL-2.0

//! The accounts of shrinkers: deferred objects are paid or still owed. Also the count of tasks that
//! are inside one.

use std::collections::HashMap;

use proptest::prelude::*;
use reclaimwb_policy::shrink::{mix, RunningCount, ScanPlan};

proptest! {
    /// The objects that calls deferred and have not paid are owed, as long as nothing is capped.
    #[test]
    fn what_is_put_off_is_paid_or_owed(
        calls in prop::collection::vec((0u64..1000, 0u64..100), 0..100),
    ) {
        let (mut owed, mut deferred, mut paid) = (0u64, 0u64, 0u64);
        for (own, percent) in calls {
            // do_shrink_slab() at the highest priority: all objects that are owed, and its own
            // share.
            let planned = owed + own;
            let scanned = planned * percent / 100;
            let done = ScanPlan { own, planned, least: 1 }.settle((planned - scanned) as i64);
            prop_assert_eq!(done.scanned, scanned);
            prop_assert_eq!(done.refused, scanned < planned);
            owed = owed + own - scanned;
            deferred += done.deferred;
            paid += done.paid;
            prop_assert_eq!(owed, deferred - paid);
        }
    }

    /// The words count as a map does, for each key, and all of them are free in the end.
    #[test]
    fn running_counts(steps in prop::collection::vec((0u64..6, any::<bool>()), 0..200)) {
        let mut words = [RunningCount(0); 8];
        let mut model: HashMap<u64, u64> = HashMap::new();
        for (who, enter) in steps {
            let key = mix(&[who]);
            if enter {
                // The ledger does the same: it takes the word of the key, or a free one.
                let own = words.iter().position(|w| w.leave(key).is_some());
                let at = own.or_else(|| words.iter().position(|w| w.0 == 0)).unwrap();
                let (next, others) = words[at].enter(key).unwrap();
                words[at] = next;
                prop_assert_eq!(others, model.get(&key).is_some_and(|&n| n > 0));
                *model.entry(key).or_default() += 1;
            } else if model.get(&key).is_some_and(|&n| n > 0) {
                let at = words.iter().position(|w| w.leave(key).is_some()).unwrap();
                words[at] = words[at].leave(key).unwrap();
                *model.get_mut(&key).unwrap() -= 1;
            } else {
                prop_assert!(words.iter().all(|w| w.leave(key).is_none()));
            }
        }
        let open: u64 = model.values().sum();
        let counted: u64 = words.iter().map(|w| w.0 & 0xffff).sum();
        prop_assert_eq!(counted, open);
    }

    /// Each bit of each word matters.
    #[test]
    fn mix_takes_all_of_each_word(a in any::<u64>(), b in any::<u64>()) {
        for bit in (0..64).map(|n| 1 << n) {
            prop_assert!(mix(&[a, b]) != mix(&[a, b ^ bit]));
            prop_assert!(mix(&[a, b]) != mix(&[a ^ bit, b]));
        }
    }

    /// Another order of the words gives another key, and no key is 0.
    #[test]
    fn mix_tells_apart(a in any::<u64>(), b in any::<u64>()) {
        prop_assume!(a != b);
        prop_assert!(mix(&[a, b]) != mix(&[b, a]));
        prop_assert!(mix(&[a]) != 0);
    }
}

#[test]
fn less_than_a_batch_is_left_and_more_is_refused() {
    let work = ScanPlan {
        own: 300,
        planned: 300,
        least: 128,
    };
    assert!(!work.settle(44).refused);
    assert!(!work.settle(127).refused);
    assert!(work.settle(128).refused);
    // It scanned more than it was asked for.
    let more = work.settle(-20);
    assert_eq!((more.scanned, more.paid, more.refused), (320, 20, false));
}

#[test]
fn a_call_that_did_nothing_put_off_its_share() {
    let work = ScanPlan {
        own: 300,
        planned: 300,
        least: 128,
    };
    // More is left than was planned, so nothing was scanned.
    let none = work.settle(305);
    assert_eq!((none.scanned, none.deferred, none.paid), (0, 300, 0));
    // Where there is nothing to scan, nothing is refused.
    let empty = ScanPlan {
        own: 0,
        planned: 0,
        least: 0,
    };
    assert!(!empty.settle(0).refused);
}

/// These are the first numbers of splitmix64 with a seed of 0.
#[test]
fn mix_is_splitmix64() {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    assert_eq!(mix(&[STEP]), 0xe220_a839_7b1d_cdaf);
    assert_eq!(mix(&[STEP.wrapping_mul(2)]), 0x6e78_9e6a_a1b9_65f4);
    assert_eq!(mix(&[STEP.wrapping_mul(3)]), 0x06c4_5d18_8009_454f);
}

#[test]
fn a_full_word_counts_no_more() {
    let key = mix(&[1]);
    let full = RunningCount((key & !0xffff) | 0xffff);
    assert!(full.enter(key).is_none());
    assert!(full.leave(key).is_some());
}
