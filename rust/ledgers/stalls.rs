// SPDX-License-Identifier: GPL-2.0

//! The stall ledger: where the time of tasks that wanted memory went.
//!
//! A stall lasts as long as its envelope: the allocation slow path with its retries, or
//! the reclaim of a cgroup or node that a task was sent into outside of it, or a task's
//! stay in the memory.high throttle. Envelopes nest; the outermost one is the stall.
//!
//! What goes on is kept in a table by task, and only its task touches it. What ended is
//! added to one instance per CPU, with preemption off, so that CPUs share nothing on the
//! way but the table's keys, and the count of tasks in it.

mod cgroups;
mod locks;
mod longest;

pub(crate) use cgroups::{
    CgroupStalls,
    StallCgroups,
    COUNTS, //
};
pub(crate) use locks::{
    Behind,
    LockHolder,
    LockRow,
    LockWaits, //
};

use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::{
            PerCpu,
            Pinned, //
        },
    },
    ledgers::{
        cgroups::Known,
        nbd::Nbd, //
    },
    policy::{
        nbd,
        stall::{
            mostly_clean,
            waits,
            Stall, //
        },
    },
    shim::stall::{
        Setting,
        StallEnd, //
    },
    tables::{
        hist::Hist,
        tasks::Tasks, //
    },
    words::{
        Cause,
        CompactResult,
        Origin,
        Phase, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use longest::{
    Kept,
    LongestStalls, //
};
use pin_init::Zeroable;

/// What a stall can be for; what is not here counts as the last one.
pub(crate) const ORIGINS: [Origin; 6] = [
    Origin::Direct,
    Origin::MemcgMax,
    Origin::MemcgHigh,
    Origin::MemcgReclaim,
    Origin::Node,
    Origin::Other,
];

/// A stall that goes on.
#[derive(Clone, Copy)]
pub(crate) struct OpenStall {
    /// Where its time goes.
    pub(crate) stall: Stall,
    /// Envelopes that are open; it ends with the last one.
    envelopes: u32,
    origin: Option<Origin>,
    gfp: u32,
    order: u32,
    setting: Option<Setting>,
    /// Pages that it scanned to free them.
    pub(crate) scanned: u64,
    /// Pages that it freed.
    pub(crate) freed: u64,
    compacting: Compacting,
    /// What NBD requests had spent when it began to reclaim, or to wait for that.
    requests: Option<nbd::PhaseTimes>,
    /// It is noted that the task stalls, for those that wait for a lock of its.
    noted: bool,
}

/// What the task compacts for.
#[derive(Clone, Copy)]
pub(crate) enum Compacting {
    /// It did not, or its last attempt is settled.
    No,
    /// It is at it, since then.
    Since(u64),
    /// It did, with this result, inside so many envelopes, and what it has of it is not
    /// known yet.
    Tried(CompactResult, u32),
}

impl OpenStall {
    /// Begins with its first envelope.
    pub(crate) fn new(now: u64, gfp: u32, order: u32) -> Self {
        Self {
            stall: Stall::new(now),
            envelopes: 1,
            origin: None,
            gfp,
            order,
            setting: None,
            scanned: 0,
            freed: 0,
            compacting: Compacting::No,
            requests: None,
            noted: false,
        }
    }

    /// That the task stalls is to be noted, as it does more than look for a page: since when.
    /// `None`: it is.
    pub(crate) fn note(&mut self) -> Option<u64> {
        let noted = core::mem::replace(&mut self.noted, true);
        (!noted).then_some(self.stall.began())
    }

    /// It has been noted.
    pub(crate) fn is_noted(&self) -> bool {
        self.noted
    }

    /// From now on it may wait for NBD requests, of which `spent` says what they have spent.
    pub(crate) fn may_wait(&mut self, spent: impl FnOnce() -> nbd::PhaseTimes) {
        self.requests.get_or_insert_with(spent);
    }

    /// Notes what it is for, once, and what memory looked like then.
    pub(crate) fn is_for(&mut self, origin: Origin) {
        self.origin.get_or_insert(origin);
        self.setting.get_or_insert_with(Setting::current);
    }

    /// One more envelope.
    pub(crate) fn nest(&mut self) {
        self.envelopes = self.envelopes.saturating_add(1);
    }

    /// One less; true when that was the last.
    pub(crate) fn unnest(&mut self) -> bool {
        self.envelopes = self.envelopes.saturating_sub(1);
        self.envelopes == 0
    }

    /// What is asked for, if its first envelope did not tell.
    pub(crate) fn asks(&mut self, gfp: u32, order: u32) {
        if self.gfp == 0 {
            (self.gfp, self.order) = (gfp, order);
        }
    }

    /// It begins to compact.
    pub(crate) fn compacts(&mut self, now: u64) {
        self.compacting = Compacting::Since(now);
    }

    /// It is done compacting: the order, and how long it took.
    pub(crate) fn compacted(&mut self, result: CompactResult, now: u64) -> Option<(u32, u64)> {
        let Compacting::Since(began) = self.compacting else {
            return None;
        };
        self.compacting = Compacting::Tried(result, self.envelopes);
        Some((self.order, now.saturating_sub(began)))
    }

    /// It compacts, or did, and that is not to be counted.
    pub(crate) fn gives_up_attempt(&mut self) {
        self.compacting = Compacting::No;
    }

    /// It compacted with success, and has its block not yet.
    pub(crate) fn waits_for_block(&self) -> bool {
        matches!(
            self.compacting,
            Compacting::Tried(CompactResult::Success, _)
        )
    }

    /// What it does next in the same envelope settles what it had of its last attempt, if
    /// it made one: the order, and what the kernel said of it.
    pub(crate) fn settle(&mut self) -> Option<(u32, CompactResult)> {
        match self.compacting {
            Compacting::Tried(result, envelopes) if envelopes == self.envelopes => {
                self.compacting = Compacting::No;
                Some((self.order, result))
            }
            _ => None,
        }
    }

    fn ended(&self, now: u64) -> StallEnd {
        let began = self.stall.began();
        let (ns, parts) = self.stall.end(now);
        let origin = self.origin.unwrap_or(Origin::Direct);
        StallEnd {
            ns,
            began,
            parts,
            scanned: self.scanned,
            freed: self.freed,
            setting: self.setting.unwrap_or_else(Setting::current),
            origin: origin as u32,
            gfp: self.gfp,
            order: self.order,
        }
    }
}

/// Per-CPU instance, of one origin.
#[derive(Zeroable)]
pub(crate) struct OriginStalls {
    /// Stalls.
    pub(crate) stalls: Cell64,
    /// Nanoseconds in all.
    pub(crate) ns: Cell64,
    /// Of the longest.
    pub(crate) longest_ns: Cell64,
    /// Pages scanned.
    pub(crate) scanned: Cell64,
    /// Pages freed.
    pub(crate) freed: Cell64,
    /// Stalls by their length in microseconds, log2.
    pub(crate) hist: Hist,
    parts: [Part; Cause::COUNT],
}

/// What went to one cause.
#[derive(Zeroable)]
pub(crate) struct Part {
    /// Nanoseconds.
    pub(crate) ns: Cell64,
    /// Stalls that spent something on it, by microseconds spent, log2.
    pub(crate) hist: Hist,
}

impl OriginStalls {
    fn add(&self, stall: &StallEnd) {
        self.stalls.add(1);
        self.ns.add(stall.ns);
        self.longest_ns.raise(stall.ns);
        self.scanned.add(stall.scanned);
        self.freed.add(stall.freed);
        self.hist.count(stall.ns / 1000);
        for (part, &ns) in self.parts.iter().zip(&stall.parts) {
            if ns != 0 {
                part.ns.add(ns);
                part.hist.count(ns / 1000);
            }
        }
    }

    /// What went to a cause.
    pub(crate) fn part(&self, cause: Cause) -> Option<&Part> {
        self.parts.get(cause as usize)
    }
}

/// Per-CPU instance: stalls that began while what could be freed was mostly clean.
#[derive(Zeroable)]
pub(crate) struct Clean {
    /// How many.
    pub(crate) stalls: Cell64,
    /// Nanoseconds in all.
    pub(crate) ns: Cell64,
    parts: [Cell64; Cause::COUNT],
}

impl Clean {
    fn add(&self, stall: &StallEnd) {
        self.stalls.add(1);
        self.ns.add(stall.ns);
        for (part, &ns) in self.parts.iter().zip(&stall.parts) {
            part.add(ns);
        }
    }

    /// Nanoseconds that went to a cause.
    pub(crate) fn part(&self, cause: Cause) -> u64 {
        self.parts.get(cause as usize).map_or(0, Cell64::get)
    }
}

/// What [`Stalls::close`] could not do.
#[derive(Default)]
pub(crate) struct StallLoss {
    /// For want of rows of cgroups.
    pub(crate) cgroups: crate::ledgers::cgroups::CgroupLoss,
    /// A reader was at the longest ones.
    pub(crate) longest: bool,
}

/// All of it.
pub(crate) struct Stalls {
    /// Those that go on.
    pub(crate) open: Tasks<OpenStall>,
    origins: [PerCpu<OriginStalls>; ORIGINS.len()],
    /// Those that began although there were clean pages.
    pub(crate) clean: PerCpu<Clean>,
    /// By cgroup.
    pub(crate) cgroups: StallCgroups,
    longest: PerCpu<LongestStalls>,
    /// Tasks that wait for locks of those that stall.
    pub(crate) locks: LockWaits,
}

impl Stalls {
    /// Allocates, for `tasks` that can stall at once, a power of two. Sleeps.
    pub(crate) fn new(tasks: usize, known: Arc<Known>) -> Result<Self> {
        Ok(Self {
            open: Tasks::new(tasks, OpenStall::new(0, 0, 0))?,
            origins: [
                PerCpu::new()?,
                PerCpu::new()?,
                PerCpu::new()?,
                PerCpu::new()?,
                PerCpu::new()?,
                PerCpu::new()?,
            ],
            clean: PerCpu::new()?,
            cgroups: StallCgroups::new(known)?,
            longest: PerCpu::new()?,
            locks: LockWaits::new(tasks)?,
        })
    }

    /// The stall of the current task ended.
    pub(crate) fn close(
        &self,
        pin: &Pinned<'_>,
        open: &OpenStall,
        requests: &Nbd,
        now: u64,
    ) -> (StallEnd, StallLoss) {
        let before = open.requests;
        let stall = open.ended(now);
        let for_requests = before.map_or([0; Phase::COUNT], |before| {
            requests.waited(pin, &before, &waits(&stall.parts), now)
        });
        if let Some(ledger) = self.of(stall.origin) {
            ledger.this(pin).add(&stall);
        }
        let at = &stall.setting;
        if mostly_clean(at.inactive_file, at.inactive_anon, at.dirty) {
            self.clean.this(pin).add(&stall);
        }
        let not_kept = StallLoss {
            cgroups: self.cgroups.count(
                pin,
                at.cgroup_key(),
                at.cgroup_gone(),
                stall.ns,
                |counts| cgroups::add(counts, &stall),
            ),
            longest: !self.longest.this(pin).keep(&stall, &for_requests),
        };
        (stall, not_kept)
    }

    fn of(&self, origin: u32) -> Option<&PerCpu<OriginStalls>> {
        let known = ORIGINS.iter().position(|&o| o as u32 == origin);
        self.origins
            .get(known.unwrap_or(const { ORIGINS.len() - 1 }))
    }

    /// The ledger of one of [`ORIGINS`].
    pub(crate) fn origin(&self, origin: Origin) -> Option<&PerCpu<OriginStalls>> {
        self.of(origin as u32)
    }

    /// The longest stalls of all CPUs, longest first. Process context; sleeps.
    pub(crate) fn longest(&self) -> Result<KVVec<Kept>> {
        let mut all = KVVec::new();
        for cpu in self.longest.all() {
            cpu.copy(&mut all)?;
        }
        all.sort_unstable_by_key(|k| core::cmp::Reverse(k.stall.ns));
        Ok(all)
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let origins = self.origins.iter().map(PerCpu::bytes);
        self.open
            .bytes()
            .saturating_add(origins.fold(0, usize::saturating_add))
            .saturating_add(self.clean.bytes())
            .saturating_add(self.cgroups.bytes())
            .saturating_add(self.longest.bytes())
            .saturating_add(self.locks.bytes())
    }
}
