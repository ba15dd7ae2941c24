// SPDX-License-Identifier: GPL-2.0

//! Handlers for vmscan: windows, and the writes inside them.

use super::{
    shrinker,
    stall, //
};
use crate::{
    kernel_ext::{
        events,
        percpu::Pinned,
        system,
        tracepoint::ProbeState, //
    },
    ledgers::{
        repeats::{
            EventKey,
            Recorded, //
        },
        stalls::Wanted,
        windows::{
            EndResult,
            Slot,
            SubmitResult, //
        },
        Ledgers, //
    },
    policy::classify::Caller,
    settings,
    shim::{
        At,
        Context,
        Folio, //
    },
    tables::callers::FRAMES,
    words::{
        Cause,
        Function,
        Group,
        Kind,
        Layer,
        Origin,
        Window, //
    },
};

/// Returns for which limit a window of a memory cgroup is, because one event serves all limits.
fn memcg_origin(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) -> Origin {
    let told = |c| {
        matches!(
            c,
            Caller::MemcgMax | Caller::MemcgHigh | Caller::MemcgReclaim
        )
    };
    // Mostly the caller of the function with the tracepoint tells it, which needs no stack trace.
    let in_task = at.context() == Context::Task;
    let above = ledgers.callers.above(at).filter(|_| in_task);
    let found = above.filter(|&c| told(c)).or_else(|| {
        if above.is_none() && in_task {
            ledgers.callers.measure_frame(at);
        }
        ledgers.caller(pin, FRAMES, told)
    });
    match found {
        Some(Caller::MemcgMax) => Origin::MemcgMax,
        Some(Caller::MemcgHigh) => Origin::MemcgHigh,
        Some(Caller::MemcgReclaim) => Origin::MemcgReclaim,
        _ => Origin::Other,
    }
}

/// A window begins in the current task, for an allocation that asks for `wanted`.
pub(crate) fn window_begin(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    window: Window,
    wanted: Wanted,
) {
    let origin = match window {
        Window::Kswapd => Origin::Kswapd,
        Window::Direct => Origin::Direct,
        Window::MemcgSoft => Origin::MemcgSoft,
        Window::Node => Origin::Node,
        Window::Memcg => memcg_origin(ledgers, pin, at),
    };
    let at = &ledgers.call_site(pin, at);
    let in_slot = ledgers.begin(pin, at, origin, at.depth).is_some();
    stall::window_begin(ledgers, pin, at, window, origin, wanted);
    if in_slot && settings::enabled() && ledgers.in_task(pin, at, Layer::Entry) {
        ledgers.sample(pin, at, origin, Layer::Entry, Some(at.depth as u64));
    }
}

/// The innermost window of the current task ends, which is a `window`. It has freed `reclaimed`
/// pages, as the kernel counts them.
pub(crate) fn window_end(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    window: Window,
    reclaimed: usize,
) {
    // The helper told the kernel of pages that it saw written. These were not freed by the window.
    let credited = match window {
        Window::Direct => ledgers
            .windows
            .find(pin, at.task)
            .map_or(0, Slot::take_credited),
        _ => 0,
    };
    let reclaimed = reclaimed.saturating_sub(credited as usize);
    stall::window_end(ledgers, pin, at, window, reclaimed);
    close(ledgers, pin, at, reclaimed);
}

fn close(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, reclaimed: usize) {
    if let Some(slot) = ledgers.windows.find(pin, at.task) {
        ledgers.record_counted(pin, slot);
        shrinker::end_untold(ledgers, pin, slot);
    }
    let origin = match ledgers.windows.end(pin, at.task) {
        EndResult::Closed(w) => {
            if events::reclaim_window_enabled() {
                let ns = match w.began {
                    0 => 0,
                    began => system::clock_ns().saturating_sub(began),
                };
                events::reclaim_window(w.origin, reclaimed, w.written, w.depth, ns);
            }
            w.origin
        }
        EndResult::NoSlot => Origin::Lost,
        EndResult::Unknown => {
            ledgers.cost.this(pin).lost.preload.add(1);
            Origin::Lost
        }
    };
    if settings::enabled() {
        ledgers.writes.this(pin).window(origin, reclaimed as u64);
        if ledgers.states.is_live(Group::Tlb) {
            ledgers.tlb.this(pin).window(origin, reclaimed as u64);
        }
    }
}

/// reclaim_pages() is done, for MADV_PAGEOUT or DAMON. Its window was opened only if something was
/// written in it.
pub(crate) fn pages_end(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, reclaimed: usize) {
    let opened = ledgers
        .windows
        .find(pin, at.task)
        .is_some_and(|s| s.origin() == Origin::Madvise);
    if opened {
        close(ledgers, pin, at, reclaimed);
    } else if settings::enabled() {
        ledgers
            .writes
            .this(pin)
            .window(Origin::Madvise, reclaimed as u64);
    }
}

/// Returns what became of a folio that pageout() gave to swap, judged by its state right after
/// (mm/page_io.c, swap_writeout()).
fn kind(ledgers: &Ledgers, slot: Option<&Slot>, folio: &Folio) -> Kind {
    let submitted = slot.and_then(|s| s.take_submitted(folio.key));
    let zswapped = slot.is_some_and(|s| s.take_zswapped(folio.key));
    // A folio under writeback was queued. A folio that is not may have been in a bio that was
    // submitted, and is done already.
    if folio.writeback() {
        return Kind::Io;
    }
    match submitted {
        Some(SubmitResult::Written) => return Kind::Sync,
        Some(SubmitResult::Refused) => return Kind::Failed,
        Some(SubmitResult::Queued) => return Kind::Io,
        None => {}
    }
    if zswapped {
        return Kind::Zswap;
    }
    if !folio.swapcache() {
        return Kind::Dropped;
    }
    // A folio that is left needed no write. It was full of zeros, unless zswap took it unseen.
    let seen = match ledgers.states.function(Function::ZswapStore) {
        ProbeState::Attached => true,
        ProbeState::Resting => ledgers.needs.zswap_is_off(),
        _ => false,
    };
    if slot.is_some() && seen {
        Kind::Zero
    } else {
        Kind::Unknown
    }
}

/// pageout() wrote a folio. Returns the slot of the current task, if it has one.
pub(crate) fn write<'a>(
    ledgers: &'a Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    folio: &Folio,
) -> Option<&'a Slot> {
    let (slot, origin) = match ledgers.slot_or_origin(pin, at) {
        Ok(slot) => (Some(slot), slot.origin()),
        Err(origin) => (None, origin),
    };
    let state = slot.map(|s| s.write_state(folio.key));
    if let Some(times) = slot.and_then(Slot::take_timed) {
        stall::end_timed_submit(ledgers, pin, at, times);
    }
    let kind = kind(ledgers, slot, folio);
    if !settings::enabled() {
        return slot;
    }
    if let Some(slot) = slot {
        ledgers.record_counted(pin, slot);
        slot.add_written(u64::from(folio.nr_pages));
    }
    let site = &ledgers.call_site(pin, at);
    ledgers.write(pin, site, origin, kind, folio);
    if !ledgers.in_task(pin, at, Layer::Write) {
        return slot;
    }
    let used = slot.and_then(|s| s.sample(Layer::Write, site.depth as u64));
    ledgers.sample(pin, site, origin, Layer::Write, used);
    if let (Some(slot), Some(state)) = (slot, state) {
        if folio.plain() && site.headroom >= settings::headroom_floor() {
            let what = Recorded {
                origin,
                kind,
                folio: *folio,
                headroom: site.headroom as u64,
                depth: site.depth as u64,
                used,
            };
            let this = EventKey::new(at, folio.facts, folio.cgroup);
            slot.set_repeatable_write(&this, state, &what);
        }
    }
    slot
}

/// Reclaim put the current task to sleep for `us` microseconds. `reason` is the kernel's
/// (`enum vmscan_throttle_state`).
pub(crate) fn throttled(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, us: u32, reason: u32) {
    stall::throttled(ledgers, pin, at, reason);
    if !settings::enabled() || Cause::throttle(reason) != Cause::ThrottleWriteback {
        return;
    }
    let slot = ledgers.windows.find(pin, at.task);
    let origin = slot.map_or(Origin::Other, Slot::origin);
    ledgers
        .handoff
        .this(pin)
        .record_throttled(origin, u64::from(us));
}
