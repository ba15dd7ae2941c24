// SPDX-License-Identifier: GPL-2.0

//! Log2 histogram of bytes of stack.

/// Number of buckets: [0, 64), [64, 128), ... [16384, 32768), [32768, ...).
pub const BUCKETS: usize = 11;

/// Bucket of a value.
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

/// Smallest value of a bucket, in bytes.
pub const fn lower_bound(bucket: usize) -> u64 {
    if bucket == 0 {
        0
    } else if bucket < BUCKETS {
        32 << bucket
    } else {
        u64::MAX
    }
}
