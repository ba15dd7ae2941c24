// SPDX-License-Identifier: GPL-2.0
//! Figures that the sections about both halves of the helper have in common.

use schemars::JsonSchema;
use serde::Serialize;

use crate::ledger::{LAST_BUCKET, Log2};

/// A sum that must come out even.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FolioBook {
    /// What is compared.
    pub what: &'static str,
    /// Folios that came in, including those that were pending when the counting began.
    pub folios: u64,
    /// Folios whose outcome is known.
    pub accounted: u64,
    /// `folios` minus `accounted`. This is not zero if folios were met or decided while the ledger was read, or if the
    /// ledger is wrong.
    pub difference: i64,
}

/// The same for requests.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RequestBook {
    /// What is compared.
    pub what: &'static str,
    /// Requests that came in, including those that were pending when the counting began.
    pub requests: u64,
    /// Requests whose outcome is known.
    pub accounted: u64,
    /// `requests` minus `accounted`. This is not zero if requests came in or were submitted while the ledger was read,
    /// or if the ledger is wrong.
    pub difference: i64,
}

/// How long many things of one kind took.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Times {
    /// How many there are.
    pub count: u64,
    /// The mean, in microseconds; absent if there were none.
    pub mean_us: Option<f64>,
    /// Half of them took less, in microseconds; absent if there were none, or if it is beyond the end of the histogram.
    pub p50_below_us: Option<u64>,
    /// The same for 99 out of 100.
    pub p99_below_us: Option<u64>,
    /// How many there are, by their lower bound in microseconds: 0, 1, 2, 4, ...
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

/// Compares folios.
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

/// `sum` divided by `of`; `None` if `of` is 0.
pub(super) fn mean(sum: u64, of: u64) -> Option<f64> {
    (of > 0).then(|| sum as f64 / of as f64)
}

/// A histogram without its empty buckets.
pub(super) fn filled(hist: &Log2) -> Log2 {
    hist.iter().filter(|(_, n)| **n > 0).map(|(low, n)| (*low, *n)).collect()
}

/// The upper bound of `percent` of 100; `None` if there are none, or if it is in the last bucket, which has no end.
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
