// SPDX-License-Identifier: GPL-2.0

//! A histogram of one CPU, by powers of two. Context: any, with preemption off.

use crate::{
    kernel_ext::cell::Cell64,
    policy::log2, //
};
use pin_init::Zeroable;

/// The number of values in each bucket of [`log2`].
#[derive(Zeroable)]
pub(crate) struct Hist([Cell64; log2::BUCKETS]);

impl Hist {
    /// Counts a value. Only the one writer of the cells may call this.
    #[inline(always)]
    pub(crate) fn count(&self, value: u64) {
        self.add(value, 1);
    }

    /// Counts a value `n` times. Only the one writer of the cells may call this.
    #[inline(always)]
    pub(crate) fn add(&self, value: u64, n: u64) {
        if let Some(cell) = self.0.get(log2::bucket(value)) {
            cell.add(n);
        }
    }

    /// Returns the number of values in a bucket.
    pub(crate) fn get(&self, bucket: usize) -> u64 {
        self.0.get(bucket).map_or(0, Cell64::get)
    }
}
