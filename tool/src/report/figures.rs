// SPDX-License-Identifier: GPL-2.0
//! Figures that the sections on the helper's two halves have in common.

use schemars::JsonSchema;
use serde::Serialize;

use crate::ledger::{LAST_BUCKET, Log2};

/// One sum that must come out even.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FolioBook {
    /// What is compared.
    pub what: &'static str,
    /// Folios that came in, those pending when the counting began among them.
    pub folios: u64,
    /// Folios of which it is known what became of them.
    pub accounted: u64,
    /// The former minus the latter. Not zero if folios were met or decided while the ledger was read, or if it is
    /// wrong.
    pub difference: i64,
}

/// The same, of requests.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RequestBook {
    /// What is compared.
    pub what: &'static str,
    /// Requests that came in, those pending when the counting began among them.
    pub requests: u64,
    /// Requests of which it is known what became of them.
    pub accounted: u64,
    /// The former minus the latter. Not zero if requests came in or were submitted while the ledger was read, or if it
    /// is wrong.
    pub difference: i64,
}

/// Times of many of a kind.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Times {
    /// How many there are.
    pub count: u64,
    /// Mean microseconds; absent if there were none.
    pub mean_us: Option<f64>,
    /// Half of them took less; absent if there were none or the histogram ends below.
    pub p50_below_us: Option<u64>,
    /// The same for 99 of 100.
    pub p99_below_us: Option<u64>,
    /// How many there are, by lower bound of microseconds: 0, 1, 2, 4, ...
    pub histogram: Log2,
}

impl Times {
    pub(super) fn new(count: u64, sum_us: u64, hist: &Log2) -> Self {
        Self {
            count,
            mean_us: mean(sum_us, count),
            p50_below_us: percentile(hist, 50),
            p99_below_us: percentile(hist, 99),
            histogram: filled(hist),
        }
    }
}

/// Compares.
pub(super) fn book(what: &'static str, folios: u64, accounted: u64) -> FolioBook {
    FolioBook { what, folios, accounted, difference: difference(folios, accounted) }
}

/// Compares requests.
pub(super) fn request_book(what: &'static str, requests: u64, accounted: u64) -> RequestBook {
    RequestBook { what, requests, accounted, difference: difference(requests, accounted) }
}

fn difference(there: u64, accounted: u64) -> i64 {
    let most = if there > accounted { i64::MAX } else { i64::MIN };
    i64::try_from(i128::from(there) - i128::from(accounted)).unwrap_or(most)
}

/// `sum` for each of `of`; `None` if there are none.
pub(super) fn mean(sum: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| sum as f64 / of as f64)
}

/// A histogram without its empty buckets.
pub(super) fn filled(hist: &Log2) -> Log2 {
    hist.iter().filter(|(_, n)| **n > 0).map(|(low, n)| (*low, *n)).collect()
}

/// What so many of 100 are below; `None` if there are none, or if it is beyond the lower bound of the last bucket,
/// which has no end.
pub fn percentile(hist: &Log2, percent: u128) -> Option<u64> {
    let all: u128 = hist.values().map(|n| u128::from(*n)).sum();
    let mut seen = 0;
    let (low, _) = hist.iter().find(|(_, n)| {
        seen += u128::from(**n);
        seen > 0 && seen * 100 >= all * percent
    })?;
    match *low {
        0 => Some(1),
        LAST_BUCKET => None,
        low => Some(low * 2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hist(of: &[(u64, u64)]) -> Log2 {
        of.iter().copied().collect()
    }

    #[test]
    fn percentiles_are_upper_bounds() {
        assert_eq!(percentile(&hist(&[]), 50), None);
        assert_eq!(percentile(&hist(&[(0, 0), (1, 0)]), 50), None);
        assert_eq!(percentile(&hist(&[(0, 3), (1, 1)]), 50), Some(1));
        assert_eq!(percentile(&hist(&[(0, 1), (1, 1), (2, 0)]), 99), Some(2));
        let long = hist(&[(0, 0), (512, 99), (4096, 1)]);
        assert_eq!((percentile(&long, 50), percentile(&long, 99)), (Some(1024), Some(1024)));
        let longer = hist(&[(512, 98), (4096, 2)]);
        assert_eq!((percentile(&longer, 50), percentile(&longer, 99)), (Some(1024), Some(8192)));
        let open = hist(&[(512, u64::MAX), (LAST_BUCKET, u64::MAX)]);
        assert_eq!((percentile(&open, 50), percentile(&open, 99)), (Some(1024), None));
    }

    #[test]
    fn books_are_off_by_what_is_missing() {
        assert_eq!(book("", 5, 5).difference, 0);
        assert_eq!(book("", 5, 8).difference, -3);
        assert_eq!(book("", u64::MAX, 0).difference, i64::MAX);
        assert_eq!(book("", 0, u64::MAX).difference, i64::MIN);
    }
}
