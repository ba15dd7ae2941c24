// SPDX-License-Identifier: GPL-2.0

//! Handlers for the block layer: bios of swap and of our workers.

use super::{
    stall,
    wait, //
};
use crate::{
    kernel_ext::{
        percpu::Pinned,
        tracepoint::ProbeState, //
    },
    ledgers::{
        repeats::{
            EventKey,
            Recorded, //
        },
        swap_io::WritePurpose,
        windows::Slot,
        Ledgers, //
    },
    policy::{
        batch::{
            self,
            Submitter, //
        },
        classify::Caller, //
    },
    settings,
    shim::{
        function,
        nbd::Bio,
        wait::WaitFacts,
        At,
        Context,
        SwapEnd, //
    },
    words::{
        EndReason,
        Function,
        Group,
        Kind,
        Layer,
        Origin, //
    },
};

/// Handles a swap write that is submitted. Returns the slot of the current task, if it has one.
pub(crate) fn bio<'a>(
    ledgers: &'a Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    bio: &Bio,
) -> Option<&'a Slot> {
    if let Some((area, device)) = bio.swap_area().filter(|_| !bio.stacked()) {
        ledgers.waits.set_area_device(area, device);
        ledgers.needs.note_access(bio.synchronous(), 1);
    }
    if !ledgers.in_task(pin, at, Layer::Bio) {
        return None;
    }
    let (slot, origin) = match ledgers.slot_or_origin(pin, at) {
        Ok(slot) => (Some(slot), slot.origin()),
        Err(origin) => (None, origin),
    };
    if let Some(slot) = slot {
        ledgers.record_counted(pin, slot);
        slot.set_bio(bio.last_folio, bio.synchronous());
        if bio.facts != 0 {
            slot.count_untimed();
            begin_timing(ledgers, pin, at.task, slot);
        }
    }
    // A bio that a driver made holds the same pages once more. A bio that the writer submits was
    // seen when it was handed over.
    if !bio.stacked() && origin != Origin::Writer {
        note_purpose(ledgers, pin, at, bio, || origin);
        record_batch(ledgers, pin, slot, origin, bio);
    }
    if !settings::enabled() {
        return slot;
    }
    let site = &ledgers.call_site(pin, at);
    let used = slot.and_then(|s| s.sample(Layer::Bio, site.depth as u64));
    ledgers.sample(pin, site, origin, Layer::Bio, used);
    let repeatable =
        bio.facts != 0 && origin != Origin::Writer && site.headroom >= settings::headroom_floor();
    if let Some(slot) = slot.filter(|_| repeatable) {
        let what = Recorded {
            origin,
            kind: Kind::Sync,
            folio: pin_init::zeroed(),
            headroom: site.headroom as u64,
            depth: site.depth as u64,
            used,
        };
        slot.set_repeatable_bio(&EventKey::new(at, bio.facts, 0), &what);
    }
    slot
}

/// Begins to time a swap write that the task has just submitted to a device that writes at once, if
/// the function that submits swap writes is not probed. Only a few of these writes are timed. The
/// time ends with the event of the write's folio. A write of zswap's has no such event, so none is
/// timed while zswap writes back.
pub(crate) fn begin_timing(ledgers: &Ledgers, pin: &Pinned<'_>, task: usize, slot: &Slot) {
    let Some(times) = slot.take_untimed() else {
        return;
    };
    if !ledgers.needs.function(Function::SwapSubmit)
        && ledgers.swap_io.zswap.is_empty()
        && stall::begin_timed_submit(ledgers, pin, task)
    {
        slot.set_timed(times);
    }
}

/// Handles a read of a page of swap, while the function that reads is not probed. `sync` means that
/// the device has read when it is told to. Then the read stands for several.
pub(crate) fn swap_read(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    bio: usize,
    facts: impl FnOnce() -> WaitFacts,
    sync: bool,
) {
    ledgers.needs.note_access(sync, 1);
    if sync {
        wait::swap_read_begin(ledgers, pin, at, bio, facts);
    }
}

/// Notes for which origin a swap write is about to be submitted. The origin is charged if the write
/// fails. Writes to synchronous devices are left out, because they end in the task that submits
/// them. Writes whose ends are not seen are left out, because they would never leave the table.
fn note_purpose(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    bio: &Bio,
    origin: impl FnOnce() -> Origin,
) {
    if bio.synchronous() || bio.ends_unseen() {
        return;
    }
    let zswap_purpose = ledgers.swap_io.zswap.with(pin, at.task, |purpose| *purpose);
    let purpose = zswap_purpose.unwrap_or_else(|| WritePurpose {
        origin: origin(),
        zswap: false,
    });
    if !ledgers.swap_io.insert(bio.key, purpose) {
        ledgers.cost.this(pin).lost.swap_writes.add(1);
    }
}

/// Notes the same for a swap write that is about to be handed over. From then on it may end at any
/// time.
pub(crate) fn note_handoff(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, bio: &Bio) {
    note_purpose(ledgers, pin, at, bio, || {
        match ledgers.slot_or_origin(pin, at) {
            Ok(slot) => slot.origin(),
            Err(origin) => origin,
        }
    });
}

/// Handles the end of a swap write. Any context, with interrupts off.
pub(crate) fn swap_write_end(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, end: &SwapEnd) {
    let purpose = match end.sync {
        false => ledgers.swap_io.remove(end.bio),
        // This is the task that submitted the write. The handler of the write event that follows
        // looks at the slot.
        true => {
            if let Some(slot) = ledgers.windows.find(pin, at.task) {
                slot.mark_refused();
            }
            ledgers.swap_io.zswap.with(pin, at.task, |purpose| *purpose)
        }
    };
    if !end.failed || !settings::enabled() {
        return;
    }
    ledgers.swap_io.device_failed(end);
    match purpose {
        Some(purpose) if purpose.zswap => ledgers.swap_io.counts.this(pin).zswap_failed.add(1),
        Some(purpose) => ledgers.swap_io.queued_failed(pin, purpose.origin, end),
        None => {}
    }
}

/// Records a swap write that is handed over. For the task that made it, it is as good as submitted.
pub(crate) fn record_handoff(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    slot: Option<&Slot>,
    origin: Origin,
    bio: &Bio,
) {
    if let Some(slot) = slot {
        slot.set_bio(bio.last_folio, false);
    }
    record_batch(ledgers, pin, slot, origin, bio);
}

/// Records how many pages are written at once, and why the task's last write was not longer.
fn record_batch(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    slot: Option<&Slot>,
    origin: Origin,
    bio: &Bio,
) {
    let last = slot.and_then(Slot::take_last_write);
    let noted = slot.and_then(|s| s.take_submitter(bio.key));
    if !settings::enabled() {
        return;
    }
    let batches = ledgers.batches.this(pin);
    let place = bio.place();
    if let Some((last, last_origin)) = last {
        batches.record_ended(last_origin, batch::split_reason(&last, &place), 1);
    }
    let submitter = match noted {
        Some(submitter) => submitter,
        // The compiler may have inlined the function where folios are added, so that no call is
        // seen from there.
        None if slot.is_some() && knows_end_reason(ledgers) && follows_submitter(ledgers) => {
            Submitter::Adder
        }
        None => Submitter::Unknown,
    };
    batches.record_submitted(origin, bio.pages(), 1);
    let why = batch::end_reason(bio.folios, bio.room, bio.synchronous(), submitter);
    match (why, slot) {
        (Some(why), _) => batches.record_ended(origin, why, 1),
        (None, Some(slot)) => slot.set_last_write(&place, origin),
        (None, None) => batches.record_ended(origin, EndReason::Unknown, 1),
    }
}

/// Whether the module can tell why a swap write ended.
pub(crate) fn knows_end_reason(ledgers: &Ledgers) -> bool {
    ledgers.states.is_live(Group::Stalls)
        && ledgers.states.function(Function::SwapSubmit).works()
        && function::sees_swap_io()
}

/// Whether the callers that submit swap writes are followed, which is necessary only for devices
/// that take their time.
fn follows_submitter(ledgers: &Ledgers) -> bool {
    ledgers.states.function(Function::SwapSubmit) == ProbeState::Attached
        && ledgers.needs.function(Function::SwapSubmit)
}

/// Notes who submits the swap write `write`, by the address `caller` to which the function returns.
pub(super) fn note_submitter(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    write: usize,
    caller: usize,
) {
    if at.context() != Context::Task || !ledgers.needs.function(Function::SwapSubmit) {
        return;
    }
    // A window without a begin event is opened here, before its first write.
    if let Ok(slot) = ledgers.slot_or_origin(pin, at) {
        let submitter = match ledgers.caller_at(pin, caller) {
            Some(Caller::SwapAdd) => Submitter::Adder,
            Some(_) => Submitter::Ender,
            None => Submitter::Unknown,
        };
        slot.set_submitter(write, submitter);
    }
}

/// Counts a write of `pages` pages that a worker of a workqueue submits, if the worker is one of
/// ours.
pub(crate) fn worker_bio(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, pages: u32) {
    if ledgers.workers.contains(at.task) {
        let [bios, of_pages] = &ledgers.write_around.this(pin).bios;
        bios.add(1);
        of_pages.add(u64::from(pages));
    }
}
