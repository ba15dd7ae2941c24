// SPDX-License-Identifier: GPL-2.0

//! Entries of the probes that watch the reserves. Context as in [`super`].

use super::event;
use crate::{
    probes,
    shim::{
        reserve::Page,
        At, //
    },
    words::{
        Event,
        Woken, //
    },
};
use kernel::{
    bindings,
    ffi::{
        c_int,
        c_void, //
    },
};

/// # Safety
///
/// As for [`event`], and `page` is valid for reads during the call.
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_reserve_taken(
    ledgers: *mut c_void,
    at: *const At,
    page: *const Page,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::ReserveTaken, |ledgers, pin, at| {
            probes::reserve::taken(ledgers, pin, at, &*page)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_reserve_wait(ledgers: *mut c_void, at: *const At, nid: u32) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::WaitBegin, |ledgers, pin, at| {
            probes::reserve::wait_begin(ledgers, pin, at, nid)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_reserve_woken(
    ledgers: *mut c_void,
    at: *const At,
    err: c_int,
) {
    let woken = Woken::of(err, (bindings::ETIME as i32).wrapping_neg());
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::WaitEnd, |ledgers, pin, at| {
            probes::reserve::wait_end(ledgers, pin, at, woken)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_skb_dropped(
    ledgers: *mut c_void,
    at: *const At,
    site: usize,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::SkbDropped, |ledgers, pin, at| {
            probes::reserve::dropped(ledgers, pin, at, site)
        })
    }
}
