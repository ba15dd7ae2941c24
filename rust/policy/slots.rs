// SPDX-License-Identifier: GPL-2.0

//! Index arithmetic of a bounded open-addressed table keyed by an address or
//! an id.

/// Most places that are looked at for one key.
pub const MAX_PROBES: usize = 16;

/// Fewest and most slots of the window table.
pub const MIN_SLOTS: u64 = 64;
/// See [`MIN_SLOTS`].
pub const MAX_SLOTS: u64 = 65536;

/// True for a number of slots that the window table may have.
pub const fn valid_slots(n: u64) -> bool {
    n >= MIN_SLOTS && n <= MAX_SLOTS && n.is_power_of_two()
}

/// The places to look for `key` in a table of `len` slots, a power of two.
/// Empty for an empty table.
pub fn probe_sequence(key: u64, len: usize) -> impl Iterator<Item = usize> {
    // Fibonacci hashing: the golden ratio's bits spread neighbouring keys.
    let hash = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    let mask = len.wrapping_sub(1);
    (0..MAX_PROBES.min(len)).map(move |i| hash.wrapping_add(i) & mask)
}
