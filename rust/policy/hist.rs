// SPDX-License-Identifier: GPL-2.0

//! A log2 histogram of bytes of stack.

/// Number of buckets: [0, 64), [64, 128), ... [16384, 32768), [32768, ...).
pub const BUCKETS: usize = 11;

/// Returns the bucket of a number of bytes.
pub const fn bucket(bytes: u64) -> usize {
    if bytes < 64 {
        return 0;
    }
    let b = bytes.ilog2().saturating_sub(5) as usize;
    if b < BUCKETS {
        b
    } else {
        BUCKETS - 1
    }
}

/// Returns the smallest value of a bucket, in bytes.
pub const fn lower_bound(bucket: usize) -> u64 {
    if bucket == 0 {
        0
    } else if bucket < BUCKETS {
        32 << bucket
    } else {
        u64::MAX
    }
}
