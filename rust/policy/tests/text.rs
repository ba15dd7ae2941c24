// SPDX-License-Identifier: GPL-2.0

//! Names can be shown to users.

use proptest::prelude::*;
use reclaimwb_policy::text::{is_printable, make_printable};

/// Returns what is shown for a byte.
fn shown(b: u8) -> u8 {
    match b {
        0 | b' '..=b'~' => b,
        _ => b'?',
    }
}

#[test]
fn each_byte_at_each_place() {
    for b in 0..=u8::MAX {
        for at in 0..16 {
            // The neighbours are the greatest and the least bytes that are fine, so that neither
            // carries nor borrows.
            for others in [0, b' ', b'~'] {
                let mut text = [others; 16];
                text[at] = b;
                let wanted = text.map(shown);
                let fine = is_printable(u128::from_ne_bytes(text));
                assert_eq!(fine, text == wanted, "{b:#x} at {at} among {others:#x}");
                make_printable(&mut text);
                assert_eq!(text, wanted, "{b:#x} at {at} among {others:#x}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_name(mut text: [u8; 16]) {
        let wanted = text.map(shown);
        make_printable(&mut text);
        prop_assert_eq!(text, wanted);
    }
}
