// SPDX-License-Identifier: GPL-2.0

//! Events of a task that are like the last one of their sort.
//!
//! Most writes of a window differ in nothing that is recorded of them, nor do the bios of a device
//! that writes at once, nor the packets in which a request is sent. Such events are only counted,
//! in the slot of the task. They are recorded together when one differs, when a window begins or
//! ends, and when [`MOST`] have been counted.
//!
//! Context: the task whose slot it is, with preemption off; or any task, while no probe is
//! attached.

use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::Pinned,
        system, //
    },
    ledgers::{
        windows::Slot,
        Ledgers, //
    },
    settings,
    shim::{
        self,
        At,
        Folio, //
    },
    words::{
        EndReason,
        Event,
        Kind,
        Layer,
        Origin, //
    },
};
use pin_init::Zeroable;

/// The most events that are counted before they are recorded.
const MOST: u64 = 32;

/// The place of an event, and all that would be recorded of it, in words that the C shim makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventKey {
    /// The stack pointer of the function that called the probe. It is never 0, and never that of
    /// another task.
    pub(crate) sp: usize,
    /// The address to which the probe returns.
    pub(crate) caller: usize,
    /// The facts of the folio or bio.
    pub(crate) facts: usize,
    /// The id of the cgroup that the folio is charged to.
    pub(crate) cgroup: u64,
}

impl EventKey {
    /// Describes an event that the probe at `at` saw.
    pub(crate) fn new(at: &At, facts: usize, cgroup: u64) -> Self {
        Self {
            sp: at.sp,
            caller: at.caller,
            facts,
            cgroup,
        }
    }
}

/// The result of counting an event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum RepeatResult {
    /// The event differs, and has to be looked at.
    Differs,
    /// The event was counted.
    Counted,
    /// The event was counted, and what was counted is to be recorded.
    Full,
}

impl RepeatResult {
    /// Returns the value that the C shim uses for it.
    #[inline(always)]
    pub(crate) fn to_raw(self) -> u32 {
        match self {
            Self::Differs => shim::RWB_REPEAT_DIFFERS,
            Self::Counted => shim::RWB_REPEAT_COUNTED,
            Self::Full => shim::RWB_REPEAT_FULL,
        }
    }
}

/// The record of the event that the others are like.
#[derive(Clone, Copy)]
pub(crate) struct Recorded {
    /// The origin of the event.
    pub(crate) origin: Origin,
    /// The kind of the write of a folio. For a bio or packet this is not used.
    pub(crate) kind: Kind,
    /// The folio; for a bio or packet zeroes.
    pub(crate) folio: Folio,
    /// The bytes of stack that were left.
    pub(crate) headroom: u64,
    /// The bytes of stack that were in use.
    pub(crate) depth: u64,
    /// The bytes of stack that were used since the layer above; `None` if not known.
    pub(crate) used: Option<u64>,
}

/// Events of one sort of a task. If all is zero, no event may be counted.
#[derive(Zeroable)]
pub(crate) struct RepeatCounter {
    // These describe what may be counted. If `sp` is 0, nothing may be.
    sp: Cell64,
    caller: Cell64,
    facts: Cell64,
    cgroup: Cell64,
    state: Cell64,
    /// The number of events that were counted and are not recorded yet.
    times: Cell64,
    depth: Cell64,
    // The value of `sp` in a window like that of the last event, and which window that is.
    last_sp: Cell64,
    nest: Cell64,
    entry: Cell64,
    // These are the other things that are recorded.
    origin: Cell64,
    kind: Cell64,
    nid: Cell64,
    flags: Cell64,
    headroom: Cell64,
    /// The stack used, plus 1; 0 if not known.
    used: Cell64,
}

impl RepeatCounter {
    /// Whether the event is like the last one that was recorded, and `state` is the same.
    #[inline(always)]
    pub(crate) fn matches(&self, this: &EventKey, state: u64) -> bool {
        self.sp.get() == this.sp as u64
            && self.facts.get() == this.facts as u64
            && self.cgroup.get() == this.cgroup
            && self.state.get() == state
            && self.caller.get() == this.caller as u64
    }

    /// Counts an event.
    #[inline(always)]
    pub(crate) fn count(&self) -> RepeatResult {
        let times = self.times.get().wrapping_add(1);
        self.times.set(times);
        if times < MOST {
            RepeatResult::Counted
        } else {
            RepeatResult::Full
        }
    }

    /// Does what counting an event takes, to measure it.
    #[inline(never)]
    fn matches_last(&self) -> bool {
        let last = EventKey {
            sp: self.sp.get() as usize,
            caller: self.caller.get() as usize,
            facts: self.facts.get() as usize,
            cgroup: self.cgroup.get(),
        };
        self.matches(&last, self.state.get())
    }

    /// Returns how deep the stack is in all of these events.
    #[inline(always)]
    pub(crate) fn depth(&self) -> u64 {
        self.depth.get()
    }

    /// Says that from now on events like this one are counted, until the window is another one.
    /// What was counted must have been recorded.
    pub(crate) fn set_event(&self, this: &EventKey, state: u64, what: &Recorded) {
        self.last_sp.set(this.sp as u64);
        self.caller.set(this.caller as u64);
        self.facts.set(this.facts as u64);
        self.cgroup.set(this.cgroup);
        self.state.set(state);
        self.depth.set(what.depth);
        self.origin.set(what.origin as u64);
        self.kind.set(what.kind as u64);
        self.nid.set(what.folio.nid.into());
        self.flags.set(what.folio.flags.into());
        self.headroom.set(what.headroom);
        self.used
            .set(what.used.map_or(0, |used| used.wrapping_add(1)));
    }

    /// Says which window the event belongs to: the innermost of the task's `nest` open windows,
    /// which was entered at stack depth `entry`.
    pub(crate) fn set_window(&self, nest: u64, entry: u64) {
        self.nest.set(nest);
        self.entry.set(entry);
        self.sp.set(self.last_sp.get());
    }

    /// Notes that a window began or ended. If the window is now one like that of the last recorded
    /// event, events go on to be counted.
    pub(crate) fn window_changed(&self, nest: u64, entry: u64) {
        let same = self.nest.get() == nest && self.entry.get() == entry;
        self.sp.set(if same { self.last_sp.get() } else { 0 });
    }

    /// Stops counting until a window is like that of the last event.
    pub(crate) fn suspend(&self) {
        self.sp.set(0);
    }

    /// Stops counting until an event is recorded.
    pub(crate) fn forget(&self) {
        self.sp.set(0);
        self.last_sp.set(0);
    }

    /// Takes what was counted, and what is to be recorded of it; `None` if nothing was counted.
    fn take(&self) -> Option<(u64, Recorded)> {
        let times = self.times.get();
        if times == 0 {
            return None;
        }
        self.times.set(0);
        let small = |cell: &Cell64| u8::try_from(cell.get()).ok();
        let kind = usize::try_from(self.kind.get()).ok();
        let what = Recorded {
            origin: small(&self.origin).and_then(Origin::from_u8)?,
            kind: kind.and_then(|kind| Kind::ALL.get(kind).copied())?,
            folio: Folio {
                key: 0,
                cgroup: self.cgroup.get(),
                facts: 0,
                nr_pages: 1,
                order: 0,
                nid: self.nid.get() as u32,
                flags: self.flags.get() as u32,
            },
            headroom: self.headroom.get(),
            depth: self.depth.get(),
            used: self.used.get().checked_sub(1),
        };
        Some((times, what))
    }
}

impl Ledgers {
    /// Records what was counted in a slot.
    pub(crate) fn record_counted(&self, pin: &Pinned<'_>, slot: &Slot) {
        if let Some((times, what)) = slot.writes.take() {
            self.record_repeated_writes(pin, slot, times, &what);
        }
        if let Some((times, what)) = slot.bios.take() {
            self.record_repeated_bios(pin, times, &what);
        }
        for packets in &slot.packets {
            if let Some((times, what)) = packets.take() {
                self.record_repeated_samples(pin, Layer::Net, Event::NetXmit, times, &what);
            }
        }
    }

    fn record_repeated_writes(&self, pin: &Pinned<'_>, slot: &Slot, times: u64, what: &Recorded) {
        slot.add_written(times);
        self.record_writes(pin, what.origin, what.kind, &what.folio, times);
        self.record_repeated_samples(pin, Layer::Write, Event::WriteFolio, times, what);
    }

    fn record_repeated_bios(&self, pin: &Pinned<'_>, times: u64, what: &Recorded) {
        let batches = self.batches.this(pin);
        batches.record_submitted(what.origin, 1, times);
        batches.record_ended(what.origin, EndReason::Sync, times);
        self.needs.note_access(true, times);
        self.record_repeated_samples(pin, Layer::Bio, Event::BioQueue, times, what);
    }

    fn record_repeated_samples(
        &self,
        pin: &Pinned<'_>,
        layer: Layer,
        event: Event,
        times: u64,
        what: &Recorded,
    ) {
        self.headroom.this(pin).record(
            what.origin,
            layer,
            what.headroom,
            what.depth,
            what.used,
            times,
        );
        let cost = self.cost.this(pin);
        // The floor was set higher since then, or these events would not have been counted.
        if what.headroom < settings::headroom_floor() as u64 {
            cost.low.add(times);
        }
        if let Some(counts) = cost.repeats(event) {
            counts.handled.add(times);
        }
    }

    /// Records `times` writes of folios that are alike. Task context, or no probe is attached.
    pub(crate) fn record_writes(
        &self,
        pin: &Pinned<'_>,
        origin: Origin,
        kind: Kind,
        f: &Folio,
        times: u64,
    ) {
        self.writes.this(pin).record(origin, kind, f, times);
        let pages = u64::from(f.nr_pages).wrapping_mul(times);
        let (key, gone) = (f.cgroup_key(), f.cgroup_gone());
        let not_kept = self
            .cgroups
            .count_times(pin, key, gone, times, pages, |by_origin| {
                if let Some(cell) = by_origin.get(origin as usize) {
                    cell.add(pages);
                }
            });
        if not_kept.any() {
            let lost = &self.cost.this(pin).lost;
            lost.cgroups.add(not_kept.events);
            lost.known_cgroups.add(not_kept.unknown.into());
        }
    }

    /// Records what was counted, after an event has just been counted. The event is looked at once
    /// more, to measure how long that takes.
    #[cold]
    #[inline(never)]
    pub(crate) fn measure_and_record(&self, pin: &Pinned<'_>, slot: &Slot, event: Event) {
        let began = system::cycles();
        let same = match event {
            Event::WriteFolio => slot.writes.matches_last(),
            Event::NetXmit => slot.packets.iter().any(RepeatCounter::matches_last),
            _ => slot.bios.matches_last(),
        };
        let took = system::cycles().wrapping_sub(began);
        if let Some(counts) = self.cost.this(pin).repeats(event).filter(|_| same) {
            counts.sampled.add(1);
            counts.cycles.add(took);
        }
        self.record_counted(pin, slot);
    }
}
