// SPDX-License-Identifier: GPL-2.0

//! A histogram of one CPU, by powers of two. Any context, preemption off.

use crate::{
    kernel_ext::cell::Cell64,
    policy::log2, //
};
use pin_init::Zeroable;

/// How many values were in each bucket of [`log2`].
#[derive(Zeroable)]
pub(crate) struct Hist([Cell64; log2::BUCKETS]);

impl Hist {
    /// Counts a value. For the one writer of its cells.
    #[inline(always)]
    pub(crate) fn count(&self, value: u64) {
        self.add(value, 1);
    }

    /// Counts a value `n` times.
    #[inline(always)]
    pub(crate) fn add(&self, value: u64, n: u64) {
        if let Some(cell) = self.0.get(log2::bucket(value)) {
            cell.add(n);
        }
    }

    /// How many values were in a bucket.
    pub(crate) fn get(&self, bucket: usize) -> u64 {
        self.0.get(bucket).map_or(0, Cell64::get)
    }
}
