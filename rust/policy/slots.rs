// SPDX-License-Identifier: GPL-2.0

//! The index arithmetic of a bounded open-addressed table that is keyed by an address or an id.

/// The most places that are searched for one key.
pub const MAX_PROBES: usize = 16;

/// Returns the places at which `key` is searched in a table of `len` slots, a power of two. There
/// are none in an empty table.
pub fn probe_sequence(key: u64, len: usize) -> impl Iterator<Item = usize> {
    // This is Fibonacci hashing: the bits of the golden ratio spread neighbouring keys.
    let hash = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    let mask = len.wrapping_sub(1);
    (0..MAX_PROBES.min(len)).map(move |i| hash.wrapping_add(i) & mask)
}
