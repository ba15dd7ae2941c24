// SPDX-License-Identifier: GPL-2.0

//! Entries of the probes that follow stalls, waits, and what these consist of. Context as in
//! [`super`].

use super::{
    enter,
    event, //
};
use crate::{
    ledgers::{
        metadata::Bitmap,
        stalls::LockHolder, //
    },
    policy::shrink::ScanPlan,
    probes::{
        self,
        function::ExitHandlers, //
    },
    shim::{
        function::{
            FunctionCall,
            Shrink, //
        },
        wait::WaitFacts,
        At, //
    },
    words::{
        Event,
        Function, //
    },
};
use kernel::ffi::{
    c_ulong,
    c_void, //
};

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_isolated(
    ledgers: *mut c_void,
    at: *const At,
    scanned: c_ulong,
    taken: c_ulong,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::Isolated, |ledgers, pin, at| {
            probes::stall::isolated(ledgers, pin, at, scanned, taken)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_switch(
    ledgers: *mut c_void,
    at: *const At,
    prev: usize,
    next: usize,
    runnable: bool,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::Switch, |ledgers, pin, _| {
            probes::stall::switch(ledgers, pin, prev, next, runnable)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_contention(
    ledgers: *mut c_void,
    at: *const At,
    lock: usize,
    holder: usize,
    begin: bool,
) {
    let which = match begin {
        true => Event::ContentionBegin,
        false => Event::ContentionEnd,
    };
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, which, |ledgers, pin, at| {
            probes::stall::contention(ledgers, pin, at, lock, LockHolder(holder), begin)
        })
    }
}

/// # Safety
///
/// As for [`event`], and `control` and `shrinker` are the live arguments of do_shrink_slab().
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_shrink_start(
    ledgers: *mut c_void,
    at: *const At,
    control: usize,
    shrinker: usize,
    own: u64,
    planned: u64,
    least: u64,
) {
    let plan = ScanPlan {
        own,
        planned,
        least,
    };
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::ShrinkStart, |ledgers, pin, at| {
            probes::shrinker::scan_begin(ledgers, pin, at, plan, || Shrink::of(control, shrinker))
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_shrink_end(
    ledgers: *mut c_void,
    at: *const At,
    left: i64,
    freed: u64,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::ShrinkEnd, |ledgers, pin, at| {
            probes::shrinker::scan_end(ledgers, pin, at, left, freed)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_tag_wait(ledgers: *mut c_void, at: *const At) {
    // SAFETY: By the safety requirements.
    unsafe { event(ledgers, at, Event::TagWait, probes::stall::tag_wait) }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_remote_flush(ledgers: *mut c_void, at: *const At) {
    // SAFETY: By the safety requirements.
    unsafe { event(ledgers, at, Event::TlbFlush, probes::tlb::remote_flush) }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_folio_gone(
    ledgers: *mut c_void,
    at: *const At,
    dev: u32,
    index: u64,
    pages: u64,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::FolioGone, |ledgers, pin, at| {
            probes::metadata::evicted(ledgers, pin, at, dev, index, pages)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_folio_added(
    ledgers: *mut c_void,
    at: *const At,
    dev: u32,
    index: u64,
    pages: u64,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::FolioAdded, |ledgers, pin, _| {
            probes::metadata::read(ledgers, pin, dev, index, pages)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_bitmap(
    ledgers: *mut c_void,
    at: *const At,
    dev: u32,
    group: u64,
    inodes: bool,
) {
    let (event_of, of) = if inodes {
        (Event::InodeBitmap, Bitmap::Inodes)
    } else {
        (Event::BlockBitmap, Bitmap::Blocks)
    };
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, event_of, |ledgers, pin, _| {
            probes::metadata::bitmap(ledgers, pin, dev, group, of)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_page_alloc(ledgers: *mut c_void, at: *const At, order: u32) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::PageAlloc, |ledgers, pin, at| {
            probes::page::alloc(ledgers, pin, at, order)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_dirty_pause(
    ledgers: *mut c_void,
    at: *const At,
    device: u32,
    ns: u64,
    limited: bool,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::DirtyPause, |ledgers, pin, at| {
            probes::wait::dirty_pause(
                ledgers,
                pin,
                at,
                &WaitFacts::of_dirty_pause(device, limited),
                ns,
            )
        })
    }
}

/// A probed function is entered. `a` and `b` are its first two arguments, or what the C shim passes
/// in their place. Returns the handlers that want to see its end, as [`ExitHandlers`] encodes them;
/// 0 if none does.
///
/// # Safety
///
/// As for [`enter`], and `a` and `b` are as [`FunctionCall::new`] requires. The function does not
/// return during the call.
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_function_entry(
    ledgers: *mut c_void,
    at: *const At,
    id: u32,
    a: usize,
    b: usize,
) -> u32 {
    let Some(function) = Function::from_raw(id) else {
        return 0;
    };
    // SAFETY: By the safety requirement.
    let call = unsafe { FunctionCall::new(function, [a, b]) };
    // SAFETY: By the safety requirements.
    unsafe {
        enter(
            ledgers,
            at,
            |cost| cost.function(function),
            |ledgers, pin, at| probes::function::entry(ledgers, pin, at, &call).0,
        )
    }
}

/// A probed function returns `ret`. `handlers` is what [`rwb_rs_function_entry`] returned for the
/// call.
///
/// # Safety
///
/// As for [`enter`].
#[no_mangle]
pub(super) unsafe extern "C" fn rwb_rs_function_exit(
    ledgers: *mut c_void,
    at: *const At,
    id: u32,
    handlers: u32,
    ret: usize,
) {
    let Some(function) = Function::from_raw(id) else {
        return;
    };
    // SAFETY: By the safety requirements.
    unsafe {
        enter(
            ledgers,
            at,
            |cost| cost.function(function),
            |ledgers, pin, at| {
                probes::function::exit(ledgers, pin, at, function, ExitHandlers(handlers), ret)
            },
        )
    }
}
