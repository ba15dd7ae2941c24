// SPDX-License-Identifier: GPL-2.0

//! The functions of Rust that the C shim calls.
//!
//! Context of the entries of probes: that of the tracepoint, with preemption disabled by the C
//! entry. They never sleep, never allocate, and take no lock that is ever held around an
//! allocation.

mod kswapd;
mod nbd;
mod reserve;
mod stall;

use crate::{
    control::parameters,
    helper::Callbacks,
    kernel_ext::{
        percpu::Pinned,
        reclaim::{
            CompletedRequest,
            DirtyFolio,
            HelperData,
            SwapBatch,
            SwapRequest, //
        },
        system,
        tracepoint::ProbeData,
    },
    ledgers::{
        cost::{
            Cost,
            EventCost, //
        },
        repeats::EventKey,
        stalls::Wanted,
        windows::Slot,
        Ledgers, //
    },
    policy::cgroup_key::CgroupKey,
    probes,
    shim::{
        entries,
        nbd::Bio,
        rwb_set_slot,
        wait::WaitFacts,
        At,
        Folio,
        Swap,
        SwapDone,
        SwapEnd,
        SwapWait,
        Target,
        RWB_REPEATED_BIOS,
        RWB_REPEATED_PACKETS, //
    },
    words::{
        Event,
        Window, //
    },
};
use kernel::{
    error::from_result,
    ffi::{
        c_char,
        c_int,
        c_ulong,
        c_void, //
    },
    prelude::*, //
};

use kswapd::*;
use nbd::*;
use reserve::*;
use stall::*;

entries!();

// SAFETY: `enter()` turns the data of a probe into `Ledgers`, and all entries of probes use it.
unsafe impl ProbeData for Ledgers {}

// SAFETY: The entries below that the kernel calls for a helper turn their data into `Callbacks`.
unsafe impl HelperData for Callbacks {}

/// Turns what C passes to every entry of a probe into safe types. Counts the event, and for a
/// sample of events its cycles.
///
/// # Safety
///
/// - `ledgers` is the `Ledgers` with which the probe was registered. They live until the probe has
///   been unregistered and its handlers are done.
/// - `at` is valid for reads during the call.
/// - Preemption is disabled during the call.
#[inline(always)]
unsafe fn enter<R>(
    ledgers: *mut c_void,
    at: *const At,
    counts: impl FnOnce(&Cost) -> Option<&EventCost>,
    f: impl FnOnce(&Ledgers, &Pinned<'_>, &At) -> R,
) -> R {
    // SAFETY: By the safety requirements.
    let (ledgers, at, pin) = unsafe {
        (
            &*ledgers.cast_const().cast::<Ledgers>(),
            &*at,
            Pinned::new(),
        )
    };
    let counts = counts(ledgers.cost.this(&pin));
    let started = counts.and_then(EventCost::enter);
    let r = f(ledgers, &pin, at);
    if let Some(counts) = counts {
        counts.leave(started);
    }
    r
}

/// Like [`enter`], for an event.
///
/// # Safety
///
/// As for [`enter`].
#[inline(always)]
unsafe fn event(
    ledgers: *mut c_void,
    at: *const At,
    event: Event,
    f: impl FnOnce(&Ledgers, &Pinned<'_>, &At),
) {
    // SAFETY: By the safety requirements.
    unsafe { enter(ledgers, at, |cost| cost.event(event), f) }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_window_begin(
    ledgers: *mut c_void,
    at: *const At,
    window: u32,
    gfp: u32,
    order: u32,
) {
    let Some(window) = Window::from_raw(window) else {
        return;
    };
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, window.begin_event(), |ledgers, pin, at| {
            probes::vmscan::window_begin(ledgers, pin, at, window, Wanted { gfp, order })
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_window_end(
    ledgers: *mut c_void,
    at: *const At,
    window: u32,
    nr_reclaimed: c_ulong,
) {
    let Some(window) = Window::from_raw(window) else {
        return;
    };
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, window.end_event(), |ledgers, pin, at| {
            probes::vmscan::window_end(ledgers, pin, at, window, nr_reclaimed)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_pages_end(ledgers: *mut c_void, at: *const At, nr_reclaimed: c_ulong) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::ReclaimPages, |ledgers, pin, at| {
            probes::vmscan::pages_end(ledgers, pin, at, nr_reclaimed)
        })
    }
}

/// # Safety
///
/// As for [`event`], and `folio` is valid for reads during the call.
#[no_mangle]
unsafe extern "C" fn rwb_rs_write(ledgers: *mut c_void, at: *const At, folio: *const Folio) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::WriteFolio, |ledgers, pin, at| {
            note_slot(pin, probes::vmscan::write(ledgers, pin, at, &*folio));
        })
    }
}

/// Notes the slot of the current task, so that C can find it for an event like the one just
/// handled.
fn note_slot(_: &Pinned<'_>, slot: Option<&Slot>) {
    if let Some(slot) = slot {
        // SAFETY: The slot belongs to the ledgers of the module, which live until all probes are
        // gone. Preemption is off.
        unsafe { rwb_set_slot(core::ptr::from_ref(slot) as usize) };
    }
}

/// Counts a folio that pageout() wrote, if it is like the one before. The arguments are all that is
/// recorded of it. If it was counted, nothing else has to be looked at. Returns `RWB_REPEAT_*`.
///
/// # Safety
///
/// `slot` is one that [`note_slot`] noted, and a probe of its ledgers runs during the call.
#[no_mangle]
unsafe extern "C" fn rwb_rs_repeated_write(
    slot: usize,
    sp: usize,
    caller: usize,
    facts: usize,
    cgroup: u64,
    folio: usize,
) -> u32 {
    // SAFETY: By the safety requirement. The slot lives as long as its ledgers.
    let slot = unsafe { &*(slot as *const Slot) };
    let this = EventKey {
        sp,
        caller,
        facts,
        cgroup,
    };
    slot.count_repeated_write(&this, folio).to_raw()
}

/// Like [`rwb_rs_repeated_write`], for a swap bio of one page that is submitted to a device that
/// writes at once.
///
/// # Safety
///
/// As for [`rwb_rs_repeated_write`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_repeated_bio(
    slot: usize,
    sp: usize,
    caller: usize,
    facts: usize,
    folio: usize,
) -> u32 {
    // SAFETY: As in `rwb_rs_repeated_write()`.
    let slot = unsafe { &*(slot as *const Slot) };
    let this = EventKey {
        sp,
        caller,
        facts,
        cgroup: 0,
    };
    slot.count_repeated_bio(&this, folio).to_raw()
}

/// Like [`rwb_rs_repeated_write`], for a packet that the current task sends. Called in task
/// context.
///
/// # Safety
///
/// As for [`rwb_rs_repeated_write`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_repeated_packet(slot: usize, sp: usize, caller: usize) -> u32 {
    // SAFETY: As in `rwb_rs_repeated_write()`.
    let slot = unsafe { &*(slot as *const Slot) };
    let this = EventKey {
        sp,
        caller,
        facts: 0,
        cgroup: 0,
    };
    slot.count_repeated_packet(&this).to_raw()
}

/// Records what was counted in a slot, when it is enough. `what` says which events these were, as
/// `RWB_REPEATED_*`.
///
/// # Safety
///
/// As for [`enter`], and as for [`rwb_rs_repeated_write`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_record_counted(ledgers: *mut c_void, slot: usize, what: u32) {
    // SAFETY: By the safety requirements.
    let (ledgers, pin, slot) = unsafe {
        (
            &*ledgers.cast_const().cast::<Ledgers>(),
            Pinned::new(),
            &*(slot as *const Slot),
        )
    };
    match what {
        RWB_REPEATED_BIOS => {
            ledgers.measure_and_record(&pin, slot, Event::BioQueue);
            probes::block::begin_timing(ledgers, &pin, system::task(), slot);
        }
        RWB_REPEATED_PACKETS => ledgers.measure_and_record(&pin, slot, Event::NetXmit),
        _ => ledgers.measure_and_record(&pin, slot, Event::WriteFolio),
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_throttled(ledgers: *mut c_void, at: *const At, us: u32, reason: u32) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::Throttled, |ledgers, pin, at| {
            probes::vmscan::throttled(ledgers, pin, at, us, reason)
        })
    }
}

/// # Safety
///
/// As for [`event`], and `path` is a string that is valid during the call.
#[no_mangle]
unsafe extern "C" fn rwb_rs_cgroup_removed(
    ledgers: *mut c_void,
    at: *const At,
    id: u64,
    v1: bool,
    path: *const c_char,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::CgroupRemoved, |ledgers, _, _| {
            let path = CStr::from_char_ptr(path).to_bytes();
            probes::cgroup::removed(ledgers, CgroupKey::new(id, v1), path);
        })
    }
}

/// # Safety
///
/// As for [`event`], and `bio` is valid for reads during the call.
#[no_mangle]
unsafe extern "C" fn rwb_rs_bio(ledgers: *mut c_void, at: *const At, bio: *const Bio) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::BioQueue, |ledgers, pin, at| {
            note_slot(pin, probes::block::bio(ledgers, pin, at, &*bio));
        })
    }
}

/// A page of swap is read, and the function that reads it is not probed.
///
/// # Safety
///
/// As for [`event`], and `folio` is the address of a locked folio that has a swap slot.
#[no_mangle]
unsafe extern "C" fn rwb_rs_swap_read(
    ledgers: *mut c_void,
    at: *const At,
    bio: usize,
    folio: usize,
    stands_for: u32,
    sync: bool,
) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::BioQueue, |ledgers, pin, at| {
            let facts = || WaitFacts::of_swapin(folio, stands_for);
            probes::block::swap_read(ledgers, pin, at, bio, facts, sync);
        })
    }
}

/// A read is done that may have been passed to [`rwb_rs_swap_read`]. Any context, with interrupts
/// off.
///
/// # Safety
///
/// As for [`event`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_swap_read_done(ledgers: *mut c_void, at: *const At, bio: usize) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::BioDone, |ledgers, pin, _| {
            probes::wait::swap_read_end(ledgers, pin, bio)
        })
    }
}

/// # Safety
///
/// As for [`event`], and `end` is valid for reads during the call.
#[no_mangle]
unsafe extern "C" fn rwb_rs_bio_end(ledgers: *mut c_void, at: *const At, end: *const SwapEnd) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::BioDone, |ledgers, pin, at| {
            probes::block::swap_write_end(ledgers, pin, at, &*end)
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_net(ledgers: *mut c_void, at: *const At) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::NetXmit, |ledgers, pin, at| {
            note_slot(pin, probes::net::xmit(ledgers, pin, at));
        })
    }
}

/// # Safety
///
/// As for [`event`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_worker_bio(ledgers: *mut c_void, at: *const At, pages: u32) {
    // SAFETY: By the safety requirements.
    unsafe {
        event(ledgers, at, Event::BioQueue, |ledgers, pin, at| {
            probes::block::worker_bio(ledgers, pin, at, pages)
        })
    }
}

/// Offers a dirty file folio that reclaim met. Returns whether the helper will write it soon.
/// Called in a task that reclaims, under RCU. Does not sleep.
///
/// # Safety
///
/// - `helper` is the `Callbacks` that were registered. The kernel waits for this call before it
///   lets them go.
/// - `target` is valid for reads during the call. Its folio is locked, and is in the page cache of
///   its inode.
#[no_mangle]
unsafe extern "C" fn rwb_rs_dirty_file(helper: *mut c_void, target: *const Target) -> bool {
    // SAFETY: By the safety requirements.
    let (callbacks, folio) = unsafe {
        (
            &*helper.cast_const().cast::<Callbacks>(),
            DirtyFolio::new(&*target),
        )
    };
    callbacks
        .around
        .as_ref()
        .is_some_and(|hook| hook.dirty_file(&folio))
}

/// Whether the helper has still to write folios of the node. Called in a task that reclaims, under
/// RCU. Does not sleep.
///
/// # Safety
///
/// As for `helper` of [`rwb_rs_dirty_file`].
#[no_mangle]
unsafe extern "C" fn rwb_rs_busy(helper: *mut c_void, nid: c_int) -> bool {
    // SAFETY: By the safety requirement.
    let callbacks = unsafe { &*helper.cast_const().cast::<Callbacks>() };
    callbacks
        .around
        .as_ref()
        .is_some_and(|hook| hook.busy(nid as u32))
}

/// Offers a swap-out request that is prepared. Returns its cookie if the helper takes it, or else
/// 0. Called in a task that reclaims, under RCU. Does not sleep.
///
/// # Safety
///
/// - `helper` is as for [`rwb_rs_dirty_file`].
/// - `swap` is valid for reads during the call. Its request is live, and only the caller uses it
///   until this function returns a cookie.
#[no_mangle]
unsafe extern "C" fn rwb_rs_swap_write(helper: *mut c_void, swap: *const Swap) -> usize {
    // SAFETY: By the safety requirements.
    let (callbacks, request) = unsafe {
        (
            &*helper.cast_const().cast::<Callbacks>(),
            SwapRequest::new(&*swap),
        )
    };
    callbacks
        .swap
        .as_ref()
        .map_or(0, |hook| hook.write(&request))
}

/// Tells that a batch of folios is done, some of which the helper took. Process context, under
/// SRCU. Sleeps.
///
/// # Safety
///
/// `helper` is as for [`rwb_rs_dirty_file`], and `wait` is valid for reads during the call.
#[no_mangle]
unsafe extern "C" fn rwb_rs_swap_wait(helper: *mut c_void, wait: *const SwapWait) {
    // SAFETY: By the safety requirements.
    let (callbacks, wait) = unsafe { (&*helper.cast_const().cast::<Callbacks>(), &*wait) };
    if let Some(hook) = callbacks.swap.as_ref() {
        hook.wait(&SwapBatch::new(wait));
    }
}

/// Tells that a request with a cookie is done. Any context, under RCU.
///
/// # Safety
///
/// `helper` is as for [`rwb_rs_dirty_file`], and `done` is valid for reads during the call.
#[no_mangle]
unsafe extern "C" fn rwb_rs_swap_done(helper: *mut c_void, done: *const SwapDone) {
    // SAFETY: By the safety requirements.
    let (callbacks, done) = unsafe { (&*helper.cast_const().cast::<Callbacks>(), &*done) };
    if let Some(hook) = callbacks.swap.as_ref() {
        hook.done(&CompletedRequest::new(done));
    }
}

/// Sets a parameter. Fails with `EINVAL` if the value is out of its range. May be called before the
/// module's init.
#[no_mangle]
extern "C" fn rwb_rs_param_set(id: u32, value: u64) -> c_int {
    from_result(|| parameters::set(id, value).map(|()| 0))
}

/// Returns the value of a parameter.
#[no_mangle]
extern "C" fn rwb_rs_param_get(id: u32) -> u64 {
    parameters::get(id)
}
