// SPDX-License-Identifier: GPL-2.0

//! Entries of the probes that follow kswapd. Context as in [`super`].

use super::{
    enter,
    event, //
};
use crate::{
    probes,
    shim::{
        At,
        KswapdAt,
        Shrunk, //
    },
    words::Event, //
};
use kernel::ffi::{
    c_ulong,
    c_void, //
};

/// The begin of a pass. The entry of the window that begins with it counts the event.
///
/// # Safety
///
/// As for [`enter`], and `kswapd` is valid for reads during the call.
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_kswapd_begin(
    ledgers: *mut c_void,
    at: *const At,
    kswapd: *const KswapdAt,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        enter(
            ledgers,
            at,
            |_| None,
            |ledgers, _, at| probes::kswapd::begin(ledgers, at, &*kswapd),
        )
    }
}

/// The end of a pass. The entry of the window that ends with it counts the event.
///
/// # Safety
///
/// As for [`enter`], and `kswapd` is valid for reads during the call.
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_kswapd_end(
    ledgers: *mut c_void,
    at: *const At,
    kswapd: *const KswapdAt,
    nr_reclaimed: c_ulong,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        enter(
            ledgers,
            at,
            |_| None,
            |ledgers, _, at| probes::kswapd::end(ledgers, at, &*kswapd, nr_reclaimed),
        )
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_kswapd_sleep(
    ledgers: *mut c_void,
    at: *const At,
    nid: u32,
    cpu_ns: u64,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::KswapdSleep, |ledgers, _, _| {
            probes::kswapd::sleep(ledgers, nid, cpu_ns)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_kswapd_woken(
    ledgers: *mut c_void,
    at: *const At,
    _nid: u32,
    order: u32,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::KswapdWoken, |ledgers, pin, at| {
            probes::kswapd::woken(ledgers, pin, at, order)
        })
    }
}

/// # Safety
///
/// As for [`event`], and `shrunk` is valid for reads during the call.
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_shrunk(
    ledgers: *mut c_void,
    at: *const At,
    shrunk: *const Shrunk,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::Shrunk, |ledgers, _, _| {
            probes::kswapd::shrunk(ledgers, &*shrunk)
        })
    }
}
