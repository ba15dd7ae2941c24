// SPDX-License-Identifier: GPL-2.0

//! What C and Rust say to each other: shim.h, as `contract.awk` puts it into Rust when the
//! module is built. What Rust itself has of it is held against that, here and in
//! [`entry`](crate::entry), so that the module does not build when the two differ.

#![allow(
    dead_code,
    improper_ctypes,
    reason = "C uses more of it; the kernel's structures are only passed on"
)]

use crate::{
    policy::{
        handoff::Mode,
        stall::Cause, //
    },
    words::{
        Direction,
        Form,
        Function,
        Kind,
        Layer,
        Origin, //
    },
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

/// Asserts that a list of C's has the numbers and names of an enumeration.
macro_rules! same {
    ($theirs:expr, $ours:expr, $one:ident => ($number:expr, $name:expr)) => {
        static_assert!({
            let (mut same, mut n) = (true, 0u32);
            let (mut theirs, mut ours): (&[&str], &[_]) = (&$theirs, &$ours);
            while let ([name, rest_theirs @ ..], [$one, rest_ours @ ..]) = (theirs, ours) {
                same = same && $number as u32 == n;
                same = same && same_bytes(name.as_bytes(), $name.as_bytes());
                n = n.wrapping_add(1);
                (theirs, ours) = (rest_theirs, rest_ours);
            }
            same && theirs.is_empty() && ours.is_empty()
        });
    };
}

same!(RWB_ORIGINS, *Origin::ALL, o => (*o, o.name()));
same!(RWB_KINDS, *Kind::ALL, k => (*k, k.name()));
same!(RWB_LAYERS, *Layer::ALL, l => (*l, l.name()));
same!(RWB_FUNCTIONS, *Function::ALL, f => (*f, f.name()));
same!(RWB_FORMS, *Form::ALL, f => (*f, f.name()));
same!(RWB_CAUSES, Cause::ALL, c => (c.0, c.1));
same!(RWB_MODES, Mode::ALL, m => (m.0, m.1));

static_assert!(RWB_FORMS.len() == Form::COUNT);
static_assert!(RWB_CAUSES.len() == RWB_NR_CAUSES as usize);
static_assert!(Function::ZswapStore as u32 == RWB_FUNCTION_ZSWAP_STORE);
static_assert!(Function::SlowPath as u32 == RWB_FUNCTION_SLOW_PATH);
static_assert!(Function::TryToFree as u32 == RWB_FUNCTION_TRY_TO_FREE);
static_assert!(Function::DrainPages as u32 == RWB_FUNCTION_DRAIN_PAGES);
static_assert!(Function::SwapSubmit as u32 == RWB_FUNCTION_SWAP_SUBMIT);
static_assert!(Function::NbdQueue as u32 == RWB_FUNCTION_NBD_QUEUE);
static_assert!(Function::PsiLeave as u32 == RWB_FUNCTION_PSI_LEAVE);
static_assert!(Function::PsiEnter as u32 == RWB_FUNCTION_PSI_ENTER);
static_assert!(Function::WaitBit as u32 == RWB_FUNCTION_WAIT_BIT);
static_assert!(Function::WaitBitKillable as u32 == RWB_FUNCTION_WAIT_BIT_KILLABLE);
static_assert!(Function::SwapRead as u32 == RWB_FUNCTION_SWAP_READ);
static_assert!(Function::Refault as u32 == RWB_FUNCTION_REFAULT);
static_assert!(Function::WaitBitCommon as u32 == RWB_FUNCTION_WAIT_BIT_COMMON);
static_assert!(Origin::Kswapd as u32 == RWB_WINDOW_KSWAPD);
static_assert!(Origin::Direct as u32 == RWB_WINDOW_DIRECT);
static_assert!(Origin::MemcgSoft as u32 == RWB_WINDOW_MEMCG_SOFT);
static_assert!(Origin::Node as u32 == RWB_WINDOW_NODE);
static_assert!(Direction::Read as u32 == RWB_NBD_READ);
static_assert!(Direction::Write as u32 == RWB_NBD_WRITE);
static_assert!(Direction::Other as u32 == RWB_NBD_OTHER);
