// SPDX-License-Identifier: GPL-2.0
//! The growth of rows that may be given to others meanwhile.
//!
//! What a cgroup had counted goes to `other`, or to `removed`, when another gets its row. So a count may fall, and
//! that of an heir grows by what was counted before the interval. What fell is taken off the heirs: the sums are exact.

use std::collections::BTreeMap;

use super::rows::total;
use crate::error::{Error, Result};

/// Turns a count into its growth; what is missing of the earlier one was given away.
pub(super) fn fell(now: &mut u64, before: u64, given: &mut u64) {
    *given = given.saturating_add(before.saturating_sub(*now));
    *now = now.saturating_sub(before);
}

/// The same for counts by something.
pub(super) fn all_fell<K: Ord + Copy>(
    now: &mut BTreeMap<K, u64>,
    before: &BTreeMap<K, u64>,
    given: &mut BTreeMap<K, u64>,
) {
    for (key, &old) in before {
        let mut none = 0;
        fell(now.get_mut(key).unwrap_or(&mut none), old, given.entry(*key).or_default());
    }
}

/// Takes off an heir's growth what it was given of the time before.
pub(super) fn take_off(heir: &mut u64, given: &mut u64) {
    let taken = (*heir).min(*given);
    *heir -= taken;
    *given -= taken;
}

/// The same for counts by something.
pub(super) fn take_all_off<K: Ord>(heir: &mut BTreeMap<K, u64>, given: &mut BTreeMap<K, u64>) {
    for (key, given) in given {
        if let Some(heir) = heir.get_mut(key) {
            take_off(heir, given);
        }
    }
}

/// What nobody was given is lost: the ledger is not the earlier one's.
pub(super) fn settled(name: &str, left: impl IntoIterator<Item = u64>) -> Result<()> {
    match total(left) {
        0 => Ok(()),
        left => Err(Error::Since(format!("{left} of the {name} of cgroups in the earlier snapshot are nowhere now"))),
    }
}

/// At most so much more is a cgroup's own, of an interval: of what is missing of it at the end, as it had counted
/// `before` and has `now`, and of what was counted elsewhere in the interval.
pub(super) fn missed(at_end: u64, before: u64, now: u64, elsewhere: u64) -> u64 {
    at_end.saturating_sub(before.saturating_sub(now)).min(elsewhere)
}
