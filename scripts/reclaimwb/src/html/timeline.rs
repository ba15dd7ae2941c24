// SPDX-License-Identifier: GPL-2.0
//! Amounts over time, in bins that grow with the time they cover: however many events there are, the bins are few.

use std::collections::BTreeMap;

use super::chart::round_up;

/// The shortest bin, in nanoseconds.
const FINEST: u64 = 1_000_000;

/// Bins from the first to the last, at most.
const MOST: u64 = 4000;

/// Amounts by key over time. What is added is never lost, only moved within a bin.
#[derive(Clone, Debug)]
pub struct Timeline<K> {
    /// Nanoseconds of a bin: [`FINEST`] times a power of ten, so that longer bins can be made of them.
    width: u64,
    bins: BTreeMap<u64, BTreeMap<K, u64>>,
}

/// A timeline cut into few bins of a round length.
#[derive(Clone, Debug)]
pub struct Bins<K> {
    /// Nanoseconds of a bin.
    pub width: u64,
    /// From the beginning on, without gaps.
    pub bins: Vec<BTreeMap<K, u64>>,
}

impl<K: Copy + Ord> Default for Timeline<K> {
    fn default() -> Self {
        Self { width: FINEST, bins: BTreeMap::new() }
    }
}

impl<K: Copy + Ord> Timeline<K> {
    /// Adds an amount, spread evenly from `from` to `to` (nanoseconds of any one clock).
    pub fn add(&mut self, from: u64, to: u64, key: K, amount: u64) {
        if amount == 0 {
            return;
        }
        let to = to.max(from);
        self.make_room(from, to);
        let (first, last) = (from / self.width, to.saturating_sub(1).max(from) / self.width);
        let long = u128::from(to - from).max(1);
        let mut given = 0;
        for bin in first..=last {
            let end = bin.saturating_add(1).saturating_mul(self.width).min(to);
            // Ends are rounded, not parts: these sum to the whole.
            let due = if bin == last {
                amount
            } else {
                u64::try_from(u128::from(amount) * u128::from(end - from) / long).unwrap_or(amount)
            };
            let sum = self.bins.entry(bin).or_default().entry(key).or_default();
            *sum = sum.saturating_add(due - given);
            given = due;
        }
    }

    /// Lengthens the bins until those from the first to the last are few.
    fn make_room(&mut self, from: u64, to: u64) {
        loop {
            let first = self.bins.first_key_value().map_or(u64::MAX, |(bin, _)| *bin).min(from / self.width);
            let last = self.bins.last_key_value().map_or(0, |(bin, _)| *bin).max(to / self.width);
            if last - first < MOST {
                return;
            }
            self.width = self.width.saturating_mul(10);
            for (bin, amounts) in std::mem::take(&mut self.bins) {
                let into = self.bins.entry(bin / 10).or_default();
                for (key, amount) in amounts {
                    let sum = into.entry(key).or_default();
                    *sum = sum.saturating_add(amount);
                }
            }
        }
    }

    /// What was added, by key.
    pub fn totals(&self) -> BTreeMap<K, u64> {
        let mut totals = BTreeMap::new();
        for (key, amount) in self.bins.values().flatten() {
            let sum: &mut u64 = totals.entry(*key).or_default();
            *sum = sum.saturating_add(*amount);
        }
        totals
    }

    /// The `ns` nanoseconds from `start` on in about `about` bins. What was before or after is in the first or the
    /// last one.
    pub fn bins(&self, start: u64, ns: u64, about: u64) -> Bins<K> {
        let ns = ns.max(1);
        let least = ns / self.width.saturating_mul(about.max(1)) + 1;
        let width = self.width.saturating_mul(round_up(least));
        // Where a bin of ours begins.
        let base = start / self.width * self.width;
        let count = (start - base).saturating_add(ns).div_ceil(width).max(1);
        let mut bins = vec![BTreeMap::new(); usize::try_from(count).unwrap_or(1)];
        for (bin, amounts) in &self.bins {
            let at = bin.saturating_mul(self.width).saturating_sub(base) / width;
            let at = usize::try_from(at).unwrap_or(usize::MAX).min(bins.len() - 1);
            for (key, amount) in amounts {
                let sum: &mut u64 = bins[at].entry(*key).or_default();
                *sum = sum.saturating_add(*amount);
            }
        }
        Bins { width, bins }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spread_evenly() {
        let mut line = Timeline::default();
        line.add(1_500_000_000, 3_500_000_000, 'a', 2_000_000_000);
        line.add(4_000_000_000, 4_000_000_000, 'b', 3);
        let bins = line.bins(1_000_000_000, 4_000_000_000, 5);
        assert_eq!(bins.width, 1_000_000_000);
        let expected = [vec![('a', 500_000_000)], vec![('a', 1_000_000_000)], vec![('a', 500_000_000)], vec![('b', 3)]];
        assert_eq!(bins.bins, expected.map(BTreeMap::from_iter));
    }

    #[test]
    fn what_is_outside_is_at_the_ends() {
        let mut line = Timeline::default();
        line.add(1_000_000_000, 1_001_000_000, 'a', 1);
        line.add(9_000_000_000, 9_001_000_000, 'a', 2);
        let bins = line.bins(2_000_000_000, 2_000_000_000, 3).bins;
        assert_eq!(bins, [BTreeMap::from([('a', 1)]), BTreeMap::from([('a', 2)])]);
    }

    proptest! {
        /// However long and however many: nothing is lost, and the bins stay few.
        #[test]
        fn nothing_is_lost(
            adds in prop::collection::vec((0..u64::MAX, 0..10_000_000_000_u64, 0..3_u8, 0..1_000_000_000_000_u64), 0..60),
            near in any::<bool>(),
            start in 0..u64::MAX,
            ns in 0..u64::MAX,
        ) {
            let (mut line, mut sums) = (Timeline::default(), BTreeMap::new());
            for (from, long, key, amount) in adds {
                let from = if near { from % 100_000_000_000 } else { from };
                line.add(from, from.saturating_add(long), key, amount);
                if amount > 0 {
                    *sums.entry(key).or_insert(0) += amount;
                }
                prop_assert!(line.bins.len() as u64 <= MOST);
            }
            prop_assert_eq!(&line.totals(), &sums);
            let bins = line.bins(start, ns, 80);
            prop_assert!(bins.bins.len() <= 81, "{}", bins.bins.len());
            let mut found = BTreeMap::new();
            for (key, amount) in bins.bins.iter().flatten() {
                *found.entry(*key).or_insert(0) += amount;
            }
            prop_assert_eq!(found, sums);
        }
    }
}
