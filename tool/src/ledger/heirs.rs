// SPDX-License-Identifier: GPL-2.0
//! The growth of rows that may have been given to others in the interval.
//!
//! When the row of a cgroup is given to another one, its counts are added to `other` or `removed`, which are called its
//! heirs. So a count may fall, and an heir may grow by what was counted before the interval. What fell is subtracted
//! from the heirs, so that the sums are exact.

use std::collections::BTreeMap;

use super::rows::total;
use crate::error::{Error, Result};

/// Turns a count into its growth. If it is less than the earlier count, the rest was given away, and is added to
/// `given`.
pub(super) fn fell(now: &mut u64, before: u64, given: &mut u64) {
    *given = given.saturating_add(before.saturating_sub(*now));
    *now = now.saturating_sub(before);
}

/// The same for counts by key.
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

/// Subtracts from the growth of an heir what it was given from before the interval.
pub(super) fn take_off(heir: &mut u64, given: &mut u64) {
    let taken = (*heir).min(*given);
    *heir -= taken;
    *given -= taken;
}

/// The same for counts by key.
pub(super) fn take_all_off<K: Ord>(heir: &mut BTreeMap<K, u64>, given: &mut BTreeMap<K, u64>) {
    for (key, given) in given {
        if let Some(heir) = heir.get_mut(key) {
            take_off(heir, given);
        }
    }
}

/// If something is left that no heir was given, the ledger does not continue the earlier one.
pub(super) fn settled(name: &str, left: impl IntoIterator<Item = u64>) -> Result<()> {
    match total(left) {
        0 => Ok(()),
        left => Err(Error::Since(format!("{left} of the {name} of cgroups in the earlier snapshot are nowhere now"))),
    }
}

/// How much more, at most, is a cgroup's own in an interval. This is `at_end`, without what it lost of its count from
/// `before` to `now`, and not more than what was counted `elsewhere` in the interval.
pub(super) fn missed(at_end: u64, before: u64, now: u64, elsewhere: u64) -> u64 {
    at_end.saturating_sub(before.saturating_sub(now)).min(elsewhere)
}
