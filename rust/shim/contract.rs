// SPDX-License-Identifier: GPL-2.0

//! The contract between C and Rust: shim.h and words.h, which `contract.awk` converts to Rust when
//! the module is built. What Rust itself has of the contract is compared with that, here and in
//! [`entry`](crate::entry). If the two differ, the module does not build.

#![allow(
    dead_code,
    improper_ctypes,
    reason = "C uses more of it; the kernel's structures are only passed on"
)]

use crate::words::{
    Cause,
    Form,
    Function,
    Kind,
    Layer,
    Mode,
    Origin,
    Parameter, //
};
use kernel::{
    bindings,
    ffi::{
        c_char,
        c_int,
        c_long,
        c_uint,
        c_ulong,
        c_void, //
    },
    prelude::static_assert, //
};
use pin_init::Zeroable;

include!(env!("RWB_CONTRACT"));

const fn same_bytes(mut a: &[u8], mut b: &[u8]) -> bool {
    while let ([x, rest_a @ ..], [y, rest_b @ ..]) = (a, b) {
        if *x != *y {
            return false;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.is_empty() && b.is_empty()
}

/// Asserts that a list of C's has the names of an enumeration, in the same order.
macro_rules! same {
    ($theirs:expr, $name:ident) => {
        static_assert!({
            let mut same = true;
            let (mut theirs, mut ours): (&[&str], &[$name]) = (&$theirs, $name::ALL);
            while let ([name, rest_theirs @ ..], [one, rest_ours @ ..]) = (theirs, ours) {
                same = same && same_bytes(name.as_bytes(), one.name().as_bytes());
                (theirs, ours) = (rest_theirs, rest_ours);
            }
            same && theirs.is_empty() && ours.is_empty()
        });
    };
}

// words.h is generated from the room `words`. If it is out of date, the module does not build.
same!(RWB_ORIGINS, Origin);
same!(RWB_KINDS, Kind);
same!(RWB_LAYERS, Layer);
same!(RWB_FUNCTIONS, Function);
same!(RWB_FORMS, Form);
same!(RWB_CAUSES, Cause);
same!(RWB_MODES, Mode);
same!(RWB_PARAMS, Parameter);
static_assert!(RWB_CAUSES.len() == RWB_NR_CAUSES as usize);
