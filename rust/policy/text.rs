// SPDX-License-Identifier: GPL-2.0

//! Text that comes from tasks and drivers, and is shown to users.

/// Replaces bytes that are neither printable ASCII nor NUL by `?`. Nearly all text has no such
/// bytes. For this case all 16 bytes are checked in a dozen operations.
#[inline]
pub fn make_printable(text: &mut [u8; 16]) {
    if is_printable(u128::from_ne_bytes(*text)) {
        return;
    }
    for b in text {
        if *b != 0 && *b != b' ' && !b.is_ascii_graphic() {
            *b = b'?';
        }
    }
}

/// Whether each byte is printable or NUL.
pub const fn is_printable(bytes: u128) -> bool {
    const EACH: u128 = u128::MAX / 0xff;
    const HIGH: u128 = 0x80 * EACH;
    const BELOW_HIGH: u128 = 0x7f * EACH;
    const HIGH_LESS_SPACE: u128 = (0x80 - b' ' as u128) * EACH;
    if bytes & HIGH != 0 {
        return false;
    }
    // None of these sums carries into the next byte.
    let not_nul = bytes.wrapping_add(BELOW_HIGH);
    let not_control = bytes.wrapping_add(HIGH_LESS_SPACE);
    let delete = bytes.wrapping_add(EACH);
    (not_nul & !not_control | delete) & HIGH == 0
}
