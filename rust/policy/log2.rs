// SPDX-License-Identifier: GPL-2.0

//! A log2 histogram of counts and times.

/// Number of buckets: 0, 1, [2, 4), [4, 8), ... [2^23, ...).
pub const BUCKETS: usize = 25;

/// Returns the bucket of a value.
pub const fn bucket(v: u64) -> usize {
    if v == 0 {
        return 0;
    }
    let b = (v.ilog2() as usize).saturating_add(1);
    if b < BUCKETS {
        b
    } else {
        BUCKETS - 1
    }
}

/// Returns the smallest value of a bucket.
pub const fn lower_bound(bucket: usize) -> u64 {
    if bucket == 0 {
        0
    } else if bucket < BUCKETS {
        1 << bucket.saturating_sub(1)
    } else {
        u64::MAX
    }
}
