// SPDX-License-Identifier: GPL-2.0

//! Entries of the probes that follow requests of NBD devices. Context as in [`super`].

use super::event;
use crate::{
    ledgers::nbd,
    probes,
    shim::{
        nbd::NbdRequest,
        At, //
    },
    words::Event, //
};
use kernel::ffi::c_void;

/// # Safety
///
/// As for [`event`], and `request` is a live request of an NBD device.
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_nbd(
    ledgers: *mut c_void,
    at: *const At,
    request: usize,
    swap: bool,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::NbdSend, |ledgers, pin, at| {
            if swap {
                probes::nbd::send(ledgers, pin, at);
            }
            probes::nbd::sending(ledgers, pin, request, || NbdRequest::new(request));
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_nbd_header(
    ledgers: *mut c_void,
    at: *const At,
    request: usize,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::NbdHeader, |ledgers, _, _| {
            probes::nbd::record_step(ledgers, request, nbd::RequestStep::Header)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_nbd_sent(
    ledgers: *mut c_void,
    at: *const At,
    request: usize,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::NbdSent, |ledgers, pin, at| {
            probes::nbd::record_step(ledgers, request, nbd::RequestStep::Sent);
            probes::stall::nbd_send(ledgers, pin, at, false);
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_nbd_reply(
    ledgers: *mut c_void,
    at: *const At,
    request: usize,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::NbdReply, |ledgers, _, _| {
            probes::nbd::record_step(ledgers, request, nbd::RequestStep::Reply)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_nbd_requeued(
    ledgers: *mut c_void,
    at: *const At,
    request: usize,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::RqRequeue, |ledgers, _, _| {
            probes::nbd::requeued(ledgers, request)
        })
    }
}

/// A request is completed. Called with interrupts off.
///
/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_nbd_done(
    ledgers: *mut c_void,
    at: *const At,
    request: usize,
    failed: bool,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::RqComplete, |ledgers, pin, _| {
            probes::nbd::done(ledgers, pin, request, failed)
        })
    }
}
