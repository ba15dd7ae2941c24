// SPDX-License-Identifier: GPL-2.0

//! Handlers for the block layer: swap bios, and those of our workers.

use crate::{
    kernel_ext::{
        percpu::Pinned,
        tracepoint::ProbeState, //
    },
    ledgers::{
        swap_io::For,
        windows::Slot,
        Ledgers, //
    },
    policy::{
        batch::{
            self,
            By, //
        },
        classify::Caller, //
    },
    settings,
    shim::{
        function,
        nbd::Bio,
        At,
        Context,
        SwapEnd, //
    },
    words::{
        EndReason,
        Function,
        Group,
        Layer,
        Origin, //
    },
};

/// A swap write is submitted.
pub(crate) fn bio(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, bio: &Bio) {
    if let Some((area, device)) = bio.swap_area().filter(|_| !bio.stacked()) {
        ledgers.waits.area_is_on(area, device);
    }
    if !ledgers.in_task(pin, at, Layer::Bio) {
        return;
    }
    let (slot, origin) = match ledgers.slot_or_origin(pin, at) {
        Ok(slot) => (Some(slot), slot.origin()),
        Err(origin) => (None, origin),
    };
    if let Some(slot) = slot {
        slot.submitted(bio.last_folio, bio.synchronous());
    }
    // A driver's own is the same pages once more; what the writer submits has been seen when it
    // was handed over.
    if !bio.stacked() && origin != Origin::Writer {
        begins(ledgers, pin, at, bio, || origin);
        batch(ledgers, pin, slot, origin, bio);
    }
    if !settings::enabled() {
        return;
    }
    let at = &ledgers.call_site(pin, at);
    let used = slot.and_then(|s| s.sample(Layer::Bio, at.depth as u64));
    ledgers.sample(pin, at, origin, Layer::Bio, used);
}

/// A swap write is about to be submitted, for whom its end is charged if it fails. One of a
/// synchronous device ends in the task that submits it; those whose ends are not seen would stay
/// for ever.
fn begins(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    bio: &Bio,
    origin: impl FnOnce() -> Origin,
) {
    if bio.synchronous() || bio.ends_unseen() {
        return;
    }
    let of_zswap = ledgers.swap_io.zswap.with(pin, at.task, |what| *what);
    let what = of_zswap.unwrap_or_else(|| For {
        origin: origin(),
        zswap: false,
    });
    if !ledgers.swap_io.begins(bio.key, what) {
        ledgers.cost.this(pin).lost.swap_writes.add(1);
    }
}

/// The same, of one that is about to be handed over: from then on it may end at any time.
pub(crate) fn gathers(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, bio: &Bio) {
    begins(ledgers, pin, at, bio, || {
        match ledgers.slot_or_origin(pin, at) {
            Ok(slot) => slot.origin(),
            Err(origin) => origin,
        }
    });
}

/// A swap write is done. Any context, with interrupts off.
pub(crate) fn ended(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, end: &SwapEnd) {
    let what = match end.sync {
        false => ledgers.swap_io.ended(end.bio),
        // In the task that submitted it: the write event that follows looks.
        true => {
            if let Some(slot) = ledgers.windows.find(pin, at.task) {
                slot.refused();
            }
            ledgers.swap_io.zswap.with(pin, at.task, |what| *what)
        }
    };
    if !end.failed || !settings::enabled() {
        return;
    }
    ledgers.swap_io.device_failed(end);
    match what {
        Some(what) if what.zswap => ledgers.swap_io.counts.this(pin).zswap_failed.add(1),
        Some(what) => ledgers.swap_io.queued_failed(pin, what.origin, end),
        None => {}
    }
}

/// A swap write is handed over: it is as good as submitted, to who made it.
pub(crate) fn gathered(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    slot: Option<&Slot>,
    origin: Origin,
    bio: &Bio,
) {
    if let Some(slot) = slot {
        slot.submitted(bio.last_folio, false);
    }
    batch(ledgers, pin, slot, origin, bio);
}

/// Records how many pages are written at once, and why the task's last write was not longer.
fn batch(ledgers: &Ledgers, pin: &Pinned<'_>, slot: Option<&Slot>, origin: Origin, bio: &Bio) {
    let last = slot.and_then(Slot::last_write);
    let noted = slot.and_then(|s| s.submitter(bio.key));
    if !settings::enabled() {
        return;
    }
    let batches = ledgers.batches.this(pin);
    let place = bio.place();
    if let Some((last, whose)) = last {
        batches.ended(whose, batch::parted(&last, &place));
    }
    let by = match noted {
        Some(by) => by,
        // Who adds folios does not call the function, where it is inlined there.
        None if slot.is_some() && tells_why(ledgers) => By::Adder,
        None => By::Unknown,
    };
    batches.submitted(origin, bio.pages());
    let why = batch::ended(bio.folios, bio.room, bio.synchronous(), by);
    match (why, slot) {
        (Some(why), _) => batches.ended(origin, why),
        (None, Some(slot)) => slot.ends_with_next(&place, origin),
        (None, None) => batches.ended(origin, EndReason::Unknown),
    }
}

/// Whether it can be told why a swap write ended.
pub(crate) fn tells_why(ledgers: &Ledgers) -> bool {
    ledgers.states.live(Group::Stalls)
        && ledgers.states.function(Function::SwapSubmit) == ProbeState::Attached
        && function::sees_swap_io()
}

/// A swap write is about to be submitted, by who returns to `caller`.
pub(super) fn submit(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, write: usize, caller: usize) {
    if at.context() != Context::Task {
        return;
    }
    // One without a begin event is opened here, before its first write.
    if let Ok(slot) = ledgers.slot_or_origin(pin, at) {
        let by = match ledgers.caller_at(pin, caller) {
            Some(Caller::SwapAdd) => By::Adder,
            Some(_) => By::Ender,
            None => By::Unknown,
        };
        slot.submits(write, by);
    }
}

/// A worker of the system submits a write of `pages`: is it one of ours?
pub(crate) fn worker_bio(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, pages: u32) {
    if ledgers.workers.has(at.task) {
        let [bios, of_pages] = &ledgers.write_around.this(pin).bios;
        bios.add(1);
        of_pages.add(u64::from(pages));
    }
}
