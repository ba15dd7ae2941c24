// SPDX-License-Identifier: GPL-2.0
//! Amounts over time, in bins that grow with the time that they cover. There are few bins even if there are many
//! events.

use std::collections::BTreeMap;

use super::chart::round_up;

/// The shortest bin, in nanoseconds.
const FINEST: u64 = 1_000_000;

/// There are at most this many bins from the first to the last.
const MOST: u64 = 4000;

/// Amounts by key over time. What is added is never lost; it only moves within a bin.
#[derive(Clone, Debug)]
pub struct Timeline<K> {
    /// Nanoseconds of a bin. This is [`FINEST`] times a power of ten, so that longer bins can be made of shorter ones.
    width: u64,
    bins: BTreeMap<u64, BTreeMap<K, u64>>,
}

/// The time axis that all charts of a page share. It has few bins of a round length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// Where the first bin begins, in nanoseconds of the recording's clock.
    base: u64,
    /// Nanoseconds of a bin.
    pub width: u64,
    /// How many bins there are.
    count: u64,
}

impl Axis {
    /// Divides the `ns` nanoseconds from `start` on into some `about` bins, so that no bin of a timeline lies in two of
    /// them. `finest` is the width of the widest bins of all timelines.
    pub fn new(start: u64, ns: u64, about: u64, finest: u64) -> Self {
        let (ns, finest) = (ns.max(1), finest.max(FINEST));
        let least = ns / finest.saturating_mul(about.max(1)) + 1;
        let width = finest.saturating_mul(round_up(least));
        let base = start / finest * finest;
        let count = (start - base).saturating_add(ns).div_ceil(width).max(1);
        Self { base, width, count }
    }

    /// The position of a moment, from 0 to 1. A moment outside of the axis is at one of its ends.
    pub fn place(&self, ns: u64) -> f64 {
        let all = self.width as f64 * self.count as f64;
        (ns.saturating_sub(self.base) as f64 / all).min(1.0)
    }

    /// Nanoseconds from the beginning of the axis to a moment.
    pub fn since(&self, ns: u64) -> u64 {
        ns.saturating_sub(self.base)
    }
}

/// A timeline cut into the bins of an axis.
#[derive(Clone, Debug)]
pub struct Bins<K> {
    /// Nanoseconds of a bin.
    pub width: u64,
    /// The bins from the beginning on, without gaps.
    pub bins: Vec<BTreeMap<K, u64>>,
}

impl<K: Copy + Ord> Default for Timeline<K> {
    fn default() -> Self {
        Self { width: FINEST, bins: BTreeMap::new() }
    }
}

impl<K: Copy + Ord> Timeline<K> {
    /// Adds an amount, spread evenly from `from` to `to` (nanoseconds of the same clock).
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
            // The ends are rounded, and not the parts, so that the parts add up to the whole.
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

    /// Makes the bins longer until there are few of them from the first to the last.
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

    /// All that was added, by key.
    pub fn totals(&self) -> BTreeMap<K, u64> {
        let mut totals = BTreeMap::new();
        for (key, amount) in self.bins.values().flatten() {
            let sum: &mut u64 = totals.entry(*key).or_default();
            *sum = sum.saturating_add(*amount);
        }
        totals
    }

    /// Nanoseconds of a bin, for an [`Axis`].
    pub fn width(&self) -> u64 {
        self.width
    }

    /// Sorts the amounts into the bins of an axis. Amounts from before or after it are in the first or the last bin.
    pub fn bins(&self, axis: &Axis) -> Bins<K> {
        let Axis { base, width, count } = *axis;
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
        let bins = line.bins(&Axis::new(1_000_000_000, 4_000_000_000, 5, line.width()));
        assert_eq!(bins.width, 1_000_000_000);
        let expected = [vec![('a', 500_000_000)], vec![('a', 1_000_000_000)], vec![('a', 500_000_000)], vec![('b', 3)]];
        assert_eq!(bins.bins, expected.map(BTreeMap::from_iter));
    }

    #[test]
    fn what_is_outside_is_at_the_ends() {
        let mut line = Timeline::default();
        line.add(1_000_000_000, 1_001_000_000, 'a', 1);
        line.add(9_000_000_000, 9_001_000_000, 'a', 2);
        let bins = line.bins(&Axis::new(2_000_000_000, 2_000_000_000, 3, line.width())).bins;
        assert_eq!(bins, [BTreeMap::from([('a', 1)]), BTreeMap::from([('a', 2)])]);
    }

    /// Columns of timelines with bins of different widths begin at the same places.
    #[test]
    fn one_axis_for_all() {
        let (mut short, mut long) = (Timeline::default(), Timeline::default());
        short.add(5_003_000_000, 5_003_000_000, 'a', 1);
        // This one needs bins of 10 ms.
        long.add(1_000_000_000, 31_000_000_000, 'b', 60);
        assert_eq!((short.width(), long.width()), (1_000_000, 10_000_000));
        let axis = Axis::new(1_004_000_000, 12_000_000_000, 80, short.width().max(long.width()));
        let (few, many) = (short.bins(&axis), long.bins(&axis));
        assert_eq!((few.width, few.bins.len()), (many.width, many.bins.len()));
        assert_eq!(few.bins.iter().position(|bin| !bin.is_empty()), Some(20));
        let place = axis.place(5_003_000_000) * few.bins.len() as f64;
        assert!((20.0..21.0).contains(&place), "{place}");
        assert!(axis.place(0).abs() < 1e-12 && (axis.place(u64::MAX) - 1.0).abs() < 1e-12);
    }

    proptest! {
        /// Nothing is lost, and there are few bins, regardless of the length and the number of what is added.
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
            let bins = line.bins(&Axis::new(start, ns, 80, line.width()));
            prop_assert!(bins.bins.len() <= 81, "{}", bins.bins.len());
            let mut found = BTreeMap::new();
            for (key, amount) in bins.bins.iter().flatten() {
                *found.entry(*key).or_insert(0) += amount;
            }
            prop_assert_eq!(found, sums);
        }
    }
}
