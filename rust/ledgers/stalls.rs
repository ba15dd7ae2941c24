// SPDX-License-Identifier: GPL-2.0

//! The stall ledger: where the time of tasks that wanted memory went.
//!
//! A stall lasts as long as its envelope. That is the slow path of an allocation with its retries,
//! or the reclaim of a cgroup or node that a task was sent into outside of the slow path, or a
//! task's stay in the memory.high throttle. Envelopes nest; the outermost one is the stall.
//!
//! A stall that goes on is kept in a table by task, and only its task, or the CPU that switches to
//! or from it, touches the entry. A stall that ended is added to the instance of its CPU, with
//! preemption off. So CPUs share only the keys of the table, the count of its tasks, the tables of
//! `locks`, and the table of cgroups that have rows.

mod cgroups;
mod locks;
mod longest;

pub(crate) use cgroups::{
    CgroupStalls,
    StallCgroups,
    COUNTS, //
};
pub(crate) use locks::{
    HolderStall,
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
        cgroups::KnownCgroups,
        nbd::Nbd, //
    },
    policy::{
        nbd,
        stall::{
            mostly_clean,
            request_waits,
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
    LongestStall,
    LongestStalls, //
};
use pin_init::Zeroable;

/// The origins that a stall can have. Any other one counts as the last of these.
pub(crate) const ORIGINS: [Origin; 6] = [
    Origin::Direct,
    Origin::MemcgMax,
    Origin::MemcgHigh,
    Origin::MemcgReclaim,
    Origin::Node,
    Origin::Other,
];

/// What an allocation asks for.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wanted {
    /// The flags (`gfp_t`); 0 if they are not known.
    pub(crate) gfp: u32,
    /// The order.
    pub(crate) order: u32,
}

/// A stall that goes on.
#[derive(Clone, Copy)]
pub(crate) struct OpenStall {
    /// The time of the stall, by cause.
    pub(crate) stall: Stall,
    /// Number of open envelopes. The stall ends with the last one.
    envelopes: u32,
    origin: Option<Origin>,
    wanted: Wanted,
    setting: Option<Setting>,
    /// Pages that the task scanned to free them.
    pub(crate) scanned: u64,
    /// Pages that the task freed.
    pub(crate) freed: u64,
    compaction: CompactionState,
    /// The time that NBD requests had spent when the task began to reclaim, or to wait until it may
    /// reclaim.
    requests: Option<nbd::PhaseTimes>,
    /// Whether the stall was noted for the tasks that wait for a lock of this task.
    announced: bool,
}

/// The state of the task's last attempt to compact.
#[derive(Clone, Copy)]
pub(crate) enum CompactionState {
    /// There was no attempt, or the last one is settled.
    Idle,
    /// The task has been compacting since this time, in nanoseconds.
    Running(u64),
    /// The attempt had this result, inside so many envelopes. It is not known yet whether the task
    /// gets its block.
    Done(CompactResult, u32),
}

impl OpenStall {
    /// Begins a stall with its first envelope.
    pub(crate) fn new(now: u64, wanted: Wanted) -> Self {
        Self {
            stall: Stall::new(now),
            envelopes: 1,
            origin: None,
            wanted,
            setting: None,
            scanned: 0,
            freed: 0,
            compaction: CompactionState::Idle,
            requests: None,
            announced: false,
        }
    }

    /// Returns when the stall began, if it must be noted now, because the task does more than look
    /// for a page; `None` if it has been noted.
    pub(crate) fn announce(&mut self) -> Option<u64> {
        let announced = core::mem::replace(&mut self.announced, true);
        (!announced).then_some(self.stall.began())
    }

    /// Whether the stall has been noted.
    pub(crate) fn is_announced(&self) -> bool {
        self.announced
    }

    /// Notes that from now on the task may wait for NBD requests. `phase_times` tells the time that
    /// requests have spent so far.
    pub(crate) fn begin_request_waits(&mut self, phase_times: impl FnOnce() -> nbd::PhaseTimes) {
        self.requests.get_or_insert_with(phase_times);
    }

    /// Notes the origin of the stall, unless it is known, and what memory looks like now.
    pub(crate) fn set_origin(&mut self, origin: Origin) {
        self.origin.get_or_insert(origin);
        self.setting.get_or_insert_with(Setting::current);
    }

    /// Opens one more envelope.
    pub(crate) fn nest(&mut self) {
        self.envelopes = self.envelopes.saturating_add(1);
    }

    /// Closes an envelope. Returns true if it was the last one.
    pub(crate) fn unnest(&mut self) -> bool {
        self.envelopes = self.envelopes.saturating_sub(1);
        self.envelopes == 0
    }

    /// Notes what is asked for, if the first envelope did not tell.
    pub(crate) fn set_wanted(&mut self, wanted: Wanted) {
        if self.wanted.gfp == 0 {
            self.wanted = wanted;
        }
    }

    /// Notes that the task begins to compact.
    pub(crate) fn begin_compaction(&mut self, now: u64) {
        self.compaction = CompactionState::Running(now);
    }

    /// Notes that the task is done compacting. Returns the order, and how long it took in
    /// nanoseconds; `None` if the begin was not seen.
    pub(crate) fn end_compaction(&mut self, result: CompactResult, now: u64) -> Option<(u32, u64)> {
        let CompactionState::Running(began) = self.compaction else {
            return None;
        };
        self.compaction = CompactionState::Done(result, self.envelopes);
        Some((self.wanted.order, now.saturating_sub(began)))
    }

    /// Drops the current or last attempt to compact, which is not to be counted.
    pub(crate) fn drop_compaction(&mut self) {
        self.compaction = CompactionState::Idle;
    }

    /// Whether the task compacted with success and does not have its block yet.
    pub(crate) fn waits_for_block(&self) -> bool {
        matches!(
            self.compaction,
            CompactionState::Done(CompactResult::Success, _)
        )
    }

    /// Settles the last attempt to compact, if it was made in the current envelope: the next step
    /// of the task there tells what the attempt was worth. Returns the order, and the result that
    /// the kernel gave.
    pub(crate) fn settle_compaction(&mut self) -> Option<(u32, CompactResult)> {
        match self.compaction {
            CompactionState::Done(result, envelopes) if envelopes == self.envelopes => {
                self.compaction = CompactionState::Idle;
                Some((self.wanted.order, result))
            }
            _ => None,
        }
    }

    fn finish(&self, now: u64) -> StallEnd {
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
            gfp: self.wanted.gfp,
            order: self.wanted.order,
        }
    }
}

/// The instance of a CPU, for one origin.
#[derive(Zeroable)]
pub(crate) struct OriginStalls {
    /// Number of stalls.
    pub(crate) stalls: Cell64,
    /// Nanoseconds of all stalls.
    pub(crate) ns: Cell64,
    /// Nanoseconds of the longest stall.
    pub(crate) longest_ns: Cell64,
    /// Pages that were scanned.
    pub(crate) scanned: Cell64,
    /// Pages that were freed.
    pub(crate) freed: Cell64,
    /// Stalls by microseconds, log2.
    pub(crate) hist: Hist,
    parts: [CauseStalls; Cause::COUNT],
}

/// The part of the stalls that was spent on one cause.
#[derive(Zeroable)]
pub(crate) struct CauseStalls {
    /// Nanoseconds.
    pub(crate) ns: Cell64,
    /// Stalls that spent time on the cause, by the microseconds spent, log2.
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

    /// Returns what was spent on a cause.
    pub(crate) fn part(&self, cause: Cause) -> Option<&CauseStalls> {
        self.parts.get(cause as usize)
    }
}

/// The instance of a CPU: stalls that began while most of what could be freed was clean.
#[derive(Zeroable)]
pub(crate) struct CleanStalls {
    /// Number of stalls.
    pub(crate) stalls: Cell64,
    /// Nanoseconds of all stalls.
    pub(crate) ns: Cell64,
    parts: [Cell64; Cause::COUNT],
}

impl CleanStalls {
    fn add(&self, stall: &StallEnd) {
        self.stalls.add(1);
        self.ns.add(stall.ns);
        for (part, &ns) in self.parts.iter().zip(&stall.parts) {
            part.add(ns);
        }
    }

    /// Returns the nanoseconds that were spent on a cause.
    pub(crate) fn part(&self, cause: Cause) -> u64 {
        self.parts.get(cause as usize).map_or(0, Cell64::get)
    }
}

/// The parts of a stall that [`Stalls::close`] could not record.
#[derive(Default)]
pub(crate) struct StallLoss {
    /// The loss because the cgroup had no row.
    pub(crate) cgroups: crate::ledgers::cgroups::CgroupLoss,
    /// Whether the stall was not compared with the longest ones, because a reader used them.
    pub(crate) longest: bool,
}

/// The ledger of stalls.
pub(crate) struct Stalls {
    /// Stalls that go on.
    pub(crate) open: Tasks<OpenStall>,
    origins: [PerCpu<OriginStalls>; ORIGINS.len()],
    /// Stalls that began although most pages were clean.
    pub(crate) clean: PerCpu<CleanStalls>,
    /// Stalls by cgroup.
    pub(crate) cgroups: StallCgroups,
    longest: PerCpu<LongestStalls>,
    /// Waits of tasks for locks of tasks that stall.
    pub(crate) locks: LockWaits,
}

impl Stalls {
    /// Allocates the ledger for `tasks` tasks, a power of two, that can stall at the same time.
    /// Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(tasks: usize, known: Arc<KnownCgroups>) -> Result<Self> {
        Ok(Self {
            open: Tasks::new(tasks, OpenStall::new(0, Wanted::default()))?,
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

    /// Counts a stall of the current task, which ended at `now`.
    pub(crate) fn close(
        &self,
        pin: &Pinned<'_>,
        open: &OpenStall,
        requests: &Nbd,
        now: u64,
    ) -> (StallEnd, StallLoss) {
        let before = open.requests;
        let stall = open.finish(now);
        let for_requests = before.map_or([0; Phase::COUNT], |before| {
            requests.record_stall(pin, &before, &request_waits(&stall.parts), now)
        });
        if let Some(ledger) = self.by_origin(stall.origin) {
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

    fn by_origin(&self, origin: u32) -> Option<&PerCpu<OriginStalls>> {
        let known = ORIGINS.iter().position(|&o| o as u32 == origin);
        self.origins
            .get(known.unwrap_or(const { ORIGINS.len() - 1 }))
    }

    /// Returns the counts of an origin. One that is not in [`ORIGINS`] counts as the last of these.
    pub(crate) fn origin(&self, origin: Origin) -> Option<&PerCpu<OriginStalls>> {
        self.by_origin(origin as u32)
    }

    /// Returns the longest stalls of all CPUs, longest first. Process context; sleeps. Fails with
    /// `ENOMEM`.
    pub(crate) fn longest(&self) -> Result<KVVec<LongestStall>> {
        let mut all = KVVec::new();
        for cpu in self.longest.all() {
            cpu.copy(&mut all)?;
        }
        all.sort_unstable_by_key(|k| core::cmp::Reverse(k.stall.ns));
        Ok(all)
    }

    /// Returns the memory that the ledger takes, in bytes.
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
