// SPDX-License-Identifier: GPL-2.0

//! What a task does just as it did it before: most writes of a window differ in nothing that is
//! recorded of them, nor do the bios of a device that writes at once. They are only counted, in the
//! slot of the task, and recorded together: when one differs, when a window begins or ends, and
//! [`MOST`] at a time.
//!
//! Context: the task whose slot it is, with preemption off; or nobody's, while no probe is attached.

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

/// What is counted before it is recorded, at most.
const MOST: u64 = 32;

/// Where an event was, and all that would be recorded of it, in words that the C shim makes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sameness {
    /// Stack pointer of who called the probe: never 0, and no other task's.
    pub(crate) sp: usize,
    /// Where the probe returns to.
    pub(crate) caller: usize,
    /// Of the folio or bio.
    pub(crate) facts: usize,
    /// Id of the cgroup that the folio is charged to.
    pub(crate) cgroup: u64,
}

impl Sameness {
    /// Of an event that the probe at `at` saw.
    pub(crate) fn new(at: &At, facts: usize, cgroup: u64) -> Self {
        Self {
            sp: at.sp,
            caller: at.caller,
            facts,
            cgroup,
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It is another one: it has to be looked at.
    No,
    /// It was counted.
    Counted,
    /// It was counted, and what was counted is to be recorded.
    Enough,
}

impl Again {
    /// As C has it.
    #[inline(always)]
    pub(crate) fn to_raw(self) -> u32 {
        match self {
            Self::No => shim::RWB_AGAIN_NO,
            Self::Counted => shim::RWB_AGAIN_COUNTED,
            Self::Enough => shim::RWB_AGAIN_ENOUGH,
        }
    }
}

/// What was recorded of the one that the others are like.
#[derive(Clone, Copy)]
pub(crate) struct Recorded {
    /// Whose it was.
    pub(crate) origin: Origin,
    /// What became of it; a bio has none.
    pub(crate) kind: Kind,
    /// What it was.
    pub(crate) folio: Folio,
    /// Stack that was left, in use, and used since the layer above.
    pub(crate) headroom: u64,
    /// See above.
    pub(crate) depth: u64,
    /// See above.
    pub(crate) used: Option<u64>,
}

/// Events of one sort of a task. All zeroes: none may be counted.
#[derive(Zeroable)]
pub(crate) struct Repeats {
    // Of what may be counted. 0 in `sp`: nothing.
    sp: Cell64,
    caller: Cell64,
    facts: Cell64,
    cgroup: Cell64,
    became: Cell64,
    /// Counted, and not recorded yet.
    times: Cell64,
    depth: Cell64,
    // What `sp` is in a window like that of the last one; and which that is.
    its_sp: Cell64,
    nest: Cell64,
    entry: Cell64,
    // What else is recorded.
    origin: Cell64,
    kind: Cell64,
    nid: Cell64,
    flags: Cell64,
    headroom: Cell64,
    /// Plus 1; 0: not known.
    used: Cell64,
}

impl Repeats {
    /// Is it like the last one that was recorded, and `became` the same?
    #[inline(always)]
    pub(crate) fn has(&self, this: &Sameness, became: u64) -> bool {
        self.sp.get() == this.sp as u64
            && self.facts.get() == this.facts as u64
            && self.cgroup.get() == this.cgroup
            && self.became.get() == became
            && self.caller.get() == this.caller as u64
    }

    /// Counts one.
    #[inline(always)]
    pub(crate) fn count(&self) -> Again {
        let times = self.times.get().wrapping_add(1);
        self.times.set(times);
        if times < MOST {
            Again::Counted
        } else {
            Again::Enough
        }
    }

    /// What counting one takes.
    #[inline(never)]
    fn looks(&self) -> bool {
        let last = Sameness {
            sp: self.sp.get() as usize,
            caller: self.caller.get() as usize,
            facts: self.facts.get() as usize,
            cgroup: self.cgroup.get(),
        };
        self.has(&last, self.became.get())
    }

    /// How deep the stack is in all of them.
    #[inline(always)]
    pub(crate) fn depth(&self) -> u64 {
        self.depth.get()
    }

    /// From now on those like this one are counted, until the window is another one. What was
    /// counted has been recorded.
    pub(crate) fn like(&self, this: &Sameness, became: u64, what: &Recorded) {
        self.its_sp.set(this.sp as u64);
        self.caller.set(this.caller as u64);
        self.facts.set(this.facts as u64);
        self.cgroup.set(this.cgroup);
        self.became.set(became);
        self.depth.set(what.depth);
        self.origin.set(what.origin as u64);
        self.kind.set(what.kind as u64);
        self.nid.set(what.folio.nid.into());
        self.flags.set(what.folio.flags.into());
        self.headroom.set(what.headroom);
        self.used
            .set(what.used.map_or(0, |used| used.wrapping_add(1)));
    }

    /// Which window it is of: the task's innermost one, of all that are open, and where that was
    /// entered.
    pub(crate) fn in_window(&self, nest: u64, entry: u64) {
        self.nest.set(nest);
        self.entry.set(entry);
        self.sp.set(self.its_sp.get());
    }

    /// A window began or ended: what was recorded in one like that goes on to be counted.
    pub(crate) fn window_changed(&self, nest: u64, entry: u64) {
        let same = self.nest.get() == nest && self.entry.get() == entry;
        self.sp.set(if same { self.its_sp.get() } else { 0 });
    }

    /// None is counted until a window is as that of the last one.
    pub(crate) fn suspend(&self) {
        self.sp.set(0);
    }

    /// None is counted until one is recorded.
    pub(crate) fn forget(&self) {
        self.sp.set(0);
        self.its_sp.set(0);
    }

    /// Takes what was counted.
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
            self.writes_again(pin, slot, times, &what);
        }
        if let Some((times, what)) = slot.bios.take() {
            self.bios_again(pin, times, &what);
        }
    }

    fn writes_again(&self, pin: &Pinned<'_>, slot: &Slot, times: u64, what: &Recorded) {
        slot.wrote(times);
        self.record_writes(pin, what.origin, what.kind, &what.folio, times);
        self.samples_again(pin, Layer::Write, Event::WriteFolio, times, what);
    }

    fn bios_again(&self, pin: &Pinned<'_>, times: u64, what: &Recorded) {
        let batches = self.batches.this(pin);
        batches.submitted(what.origin, 1, times);
        batches.ended(what.origin, EndReason::Sync, times);
        self.needs.device(true, times);
        self.samples_again(pin, Layer::Bio, Event::BioQueue, times, what);
    }

    fn samples_again(
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
        // Set higher since, or else they would not have been counted.
        if what.headroom < settings::headroom_floor() as u64 {
            cost.low.add(times);
        }
        if let Some(counts) = cost.again(event) {
            counts.handled.add(times);
        }
    }

    /// Records writes of folios that are alike. Task context, or no probe is attached.
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

    /// Records what was counted, where one has just been counted. How long that took is looked at
    /// once more.
    #[cold]
    #[inline(never)]
    pub(crate) fn enough(&self, pin: &Pinned<'_>, slot: &Slot, event: Event) {
        let began = system::cycles();
        let same = match event {
            Event::WriteFolio => slot.writes.looks(),
            _ => slot.bios.looks(),
        };
        let took = system::cycles().wrapping_sub(began);
        if let Some(counts) = self.cost.this(pin).again(event).filter(|_| same) {
            counts.sampled.add(1);
            counts.cycles.add(took);
        }
        self.record_counted(pin, slot);
    }
}
