// SPDX-License-Identifier: GPL-2.0

//! Index arithmetic of a bounded open-addressed table keyed by an address or
//! an id.

/// Most places that are looked at for one key.
pub const MAX_PROBES: usize = 16;

/// The places to look for `key` in a table of `len` slots, a power of two.
/// Empty for an empty table.
pub fn probe_sequence(key: u64, len: usize) -> impl Iterator<Item = usize> {
    // Fibonacci hashing: the golden ratio's bits spread neighbouring keys.
    let hash = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    let mask = len.wrapping_sub(1);
    (0..MAX_PROBES.min(len)).map(move |i| hash.wrapping_add(i) & mask)
}
