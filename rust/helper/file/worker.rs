// SPDX-License-Identifier: GPL-2.0

//! The worker of a lane, which writes the windows around the targets of one device.
//!
//! The worker holds a superblock's `s_umount` (shared), and a reference to an inode under it, while
//! it submits one window. It begins no window while too much is in flight. It waits for windows in
//! flight by references to a few folios of each. So a device that does not answer delays neither an
//! unmount nor the flusher by more than their own wait for it. The exception is a device with so
//! little room that the submission itself has to wait.
//!
//! Context: a worker of the lane's own workqueue. It sleeps. It runs without PF_MEMALLOC, because
//! iomap refuses to write with it. Inside the filesystem it may allocate, and so reclaim; the
//! callback then queues targets for this same worker, but never waits.
//!
//! While memory is short, the worker may write with real-time priority for the sake of its
//! allocations (see [`system::urgently`]). Otherwise it would wait for memory along with the tasks
//! that wait for it, if all memory that can be reclaimed is dirty. It may do so for a part of the
//! time only (see [`urgent`]), because a filesystem that compresses must not keep a CPU.
//!
//! Locks: the lane's `at_hand`, `s_umount` and the folio lock. The worker only tries to take the
//! latter two. For the order see Documentation/design.rst.

use super::{
    freed,
    ring::{
        Need,
        QueuedTarget, //
    },
    FileLane, //
};
use crate::{
    kernel_ext::{
        events,
        fs::{
            FolioRef,
            FsUnavailable,
            Inode,
            LockedFolio,
            Superblock, //
        },
        percpu::pinned,
        plug::plugged,
        reclaim,
        system, //
    },
    policy::{
        budget::Budget,
        urgent::{
            self,
            Urgent, //
        },
        window::{
            self,
            PageSet,
            Ranges, //
        },
    },
    settings,
    words::Skip, //
};
use core::ops;
use kernel::{
    alloc::{
        kvec::InsertError,
        KVVec, //
    },
    prelude::*,
    sync::atomic::Relaxed,
    time::{
        delay::fsleep,
        Delta, //
    },
};

/// Number of targets that a worker has at hand at most.
const PENDING: usize = 512;

/// Number of targets that are taken from a ring at once.
const FRESH: usize = 64;

/// Number of targets in flight at most.
const FLYING: usize = 2 * PENDING;

/// Number of windows in flight at most.
const FLIGHTS: usize = 16;

/// Number of parts of a window, each of which is waited for.
const PARTS: usize = 4;

/// A target that has waited longer than this, in nanoseconds, is written first, however sparse its
/// window is.
const OLD_NS: u64 = 500_000_000;

/// How often the worker tries a target whose folio is locked, once in a millisecond.
const TRIES: u32 = 4;

/// What the worker keeps of a target whose window is in flight.
#[derive(Clone, Copy)]
struct TargetInFlight {
    page: freed::WatchedPage,
    met: u64,
    nr_pages: u32,
    nid: u32,
}

/// A window in flight.
struct WindowInFlight {
    /// The last folio of each part of the window. The window has landed once none of these is under
    /// writeback: as a rule a device that writes all of them is done with the others, too.
    last: [Option<FolioRef>; PARTS],
    pages: u32,
    /// Cost of the window for the device, in pages: see [`WorkerState::window_cost`].
    cost: u32,
    /// How many entries of [`WorkerState::flying`] are targets of this window.
    targets: usize,
    since: u64,
    /// Whether the budget kept other windows back while this one was in flight.
    full: bool,
}

/// The windows in flight, oldest first.
struct WindowsInFlight {
    flights: [Option<WindowInFlight>; FLIGHTS],
    first: usize,
    len: usize,
    pages: u32,
    cost: u32,
}

impl WindowsInFlight {
    fn new() -> Self {
        Self {
            flights: [const { None }; FLIGHTS],
            first: 0,
            len: 0,
            pages: 0,
            cost: 0,
        }
    }

    fn push(&mut self, flight: WindowInFlight) {
        let at = self.first.wrapping_add(self.len) % FLIGHTS;
        if let Some(place) = self.flights.get_mut(at) {
            self.len = self.len.saturating_add(1);
            self.pages = self.pages.saturating_add(flight.pages);
            self.cost = self.cost.saturating_add(flight.cost);
            *place = Some(flight);
        }
    }

    fn pop(&mut self) -> Option<WindowInFlight> {
        let flight = self.flights.get_mut(self.first)?.take()?;
        self.first = self.first.wrapping_add(1) % FLIGHTS;
        self.len = self.len.saturating_sub(1);
        self.pages = self.pages.saturating_sub(flight.pages);
        self.cost = self.cost.saturating_sub(flight.cost);
        Some(flight)
    }

    /// Notes that the budget kept another window back.
    fn kept_back(&mut self) {
        for flight in self.flights.iter_mut().flatten() {
            flight.full = true;
        }
    }
}

/// What a worker keeps between its runs.
pub(crate) struct WorkerState {
    /// Targets that are to be written, sorted by superblock, inode and index.
    pending: KVVec<QueuedTarget>,
    /// Targets that were just taken from a ring.
    fresh: KVVec<QueuedTarget>,
    /// Targets in flight, in the order of the flights.
    flying: KVVec<TargetInFlight>,
    dirty: PageSet,
    wanted: PageSet,
    budget: Budget,
    urgent: Urgent,
    /// When the last window landed, in nanoseconds of `clock_ns()`.
    landed: u64,
    /// Where the last window was: address of the inode, and page.
    last: (usize, u64),
}

impl WorkerState {
    /// Allocates the lists, which are empty at first. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            pending: KVVec::with_capacity(PENDING, GFP_KERNEL)?,
            fresh: KVVec::with_capacity(FRESH, GFP_KERNEL)?,
            flying: KVVec::with_capacity(FLYING, GFP_KERNEL)?,
            dirty: PageSet::new(),
            wanted: PageSet::new(),
            budget: Budget::new(Self::window_cost()),
            urgent: Urgent::new(),
            landed: 0,
            last: (0, 0),
        })
    }

    /// Cost of a window that is written by one request, in pages.
    fn window_cost() -> u32 {
        settings::window_pages().saturating_add(settings::request_cost())
    }

    /// Returns the memory that a worker uses, in bytes.
    pub(crate) const fn bytes() -> usize {
        core::mem::size_of::<(
            Self,
            [QueuedTarget; PENDING + FRESH],
            [TargetInFlight; FLYING],
        )>()
    }

    /// Writes targets until none is left.
    pub(crate) fn run(&mut self, lane: &FileLane) {
        let mut flights = WindowsInFlight::new();
        loop {
            self.refill(lane);
            match self.choose() {
                // `range.len()` is not used, because with rustc 1.85 it leaves an assertion of core
                // behind.
                Some(range) if self.admits(&flights, range.end.saturating_sub(range.start)) => {
                    self.begin(lane, range, &mut flights);
                }
                Some(_) => {
                    flights.kept_back();
                    self.land(lane, &mut flights);
                }
                None if flights.len != 0 => self.land(lane, &mut flights),
                None if lane.has_work() => {}
                None => break,
            }
            self.show(lane, &flights);
        }
    }

    // --- targets

    /// Gives up a target that is not written. If it was the last one of its node, wakes the
    /// reclaimers, which look again.
    fn skip(lane: &FileLane, target: QueuedTarget, why: Skip) {
        let (nid, nr) = (target.nid, target.nr_pages);
        pinned(|pin| lane.shared.ledgers.write_around.this(pin).skip(why));
        lane.release(target);
        lane.settle(nid, nr);
        if !lane.shared.ring(nid).is_some_and(|ring| ring.busy()) {
            reclaim::done(nid);
        }
    }

    /// Takes the targets that are queued, sorts them in, and skips those that are not needed any
    /// more.
    fn refill(&mut self, lane: &FileLane) {
        let mut any = false;
        for ring in lane.shared.rings() {
            loop {
                let room = self.pending.capacity().saturating_sub(self.pending.len());
                ring.take(lane.index, &mut self.fresh, room);
                if self.fresh.is_empty() {
                    break;
                }
                any = true;
                self.insert(lane);
            }
        }
        let stopping = lane.shared.stopping();
        if !any && !stopping {
            return;
        }
        // There are only a few nodes and kinds of allocations, so each is looked up once.
        let (mut asked, mut short) = (None, false);
        let mut last = (0, 0, 0);
        self.take_if(
            |t| {
                let key = (t.sb, t.inode, t.index);
                let duplicate = key == core::mem::replace(&mut last, key);
                if asked != Some((t.nid, t.alloc)) {
                    short = reclaim::node_short(t.nid, t.alloc);
                    asked = Some((t.nid, t.alloc));
                }
                let needed = match t.need {
                    Need::Node => short,
                    Need::Cgroup => short || t.folio.memcg_short(),
                    Need::Asked => true,
                };
                if stopping {
                    Some(Skip::Dropped)
                } else if !lane.state().is_some_and(|s| s.serves(t.bdi)) {
                    Some(Skip::Moved)
                } else if duplicate {
                    Some(Skip::Duplicate)
                } else if !needed {
                    Some(Skip::Unneeded)
                } else {
                    None
                }
            },
            lane,
        );
    }

    /// Moves the fresh targets to their sorted places. (`sort_unstable()` would panic if it found
    /// the order inconsistent.)
    fn insert(&mut self, lane: &FileLane) {
        while let Some(target) = self.fresh.pop() {
            let key = (target.sb, target.inode, target.index);
            let at = self
                .pending
                .partition_point(|t| (t.sb, t.inode, t.index) < key);
            match self.pending.insert_within_capacity(at, target) {
                Ok(()) => {}
                // This does not happen: no more targets were taken than there is room for.
                Err(InsertError::IndexOutOfBounds(t) | InsertError::OutOfCapacity(t)) => {
                    Self::skip(lane, t, Skip::Full);
                }
            }
        }
    }

    /// Skips the targets for which `why` returns a reason.
    fn take_if(&mut self, mut why: impl FnMut(&QueuedTarget) -> Option<Skip>, lane: &FileLane) {
        // This goes from the end, so that nothing has to be moved when all are skipped.
        for i in (0..self.pending.len()).rev() {
            if let Some(why) = self.pending.get(i).and_then(&mut why) {
                self.skip_at(lane, i, why);
            }
        }
    }

    /// Skips the pending targets of a superblock.
    fn skip_superblock(&mut self, lane: &FileLane, sb: usize, why: Skip) {
        self.take_if(|t| (t.sb == sb).then_some(why), lane);
    }

    // --- superblocks

    /// Pins the superblock of the first target of a window whose folio can be locked. Skips the
    /// targets that cannot be written: one of them if its folio is the reason, all of the
    /// superblock if that is. Returns `None` if no superblock can be pinned now.
    fn pin_superblock(
        &mut self,
        lane: &FileLane,
        range: &mut ops::Range<usize>,
    ) -> Option<Superblock> {
        let mut i = range.start;
        while i < range.end {
            let target = self.pending.get(i)?;
            let sb = target.sb;
            let (why, all) = match target.folio.try_lock() {
                None => {
                    i = i.saturating_add(1);
                    continue;
                }
                Some(folio) if folio.inode_key() != Some(target.inode) => (Skip::Gone, false),
                Some(folio) => match folio.superblock() {
                    Ok(sb) => return Some(sb),
                    Err(FsUnavailable::Gone) => (Skip::Gone, false),
                    Err(FsUnavailable::Unmounting) => (Skip::Unmounting, true),
                    Err(FsUnavailable::Frozen) => (Skip::Frozen, true),
                    Err(FsUnavailable::ReadOnly) => (Skip::ReadOnly, true),
                },
            };
            if all {
                self.skip_superblock(lane, sb, why);
                return None;
            }
            self.skip_at(lane, i, why);
            range.end = range.end.saturating_sub(1);
        }
        self.wait_for_locks(lane, range.clone());
        None
    }

    /// Called when the folios of all these targets are locked, as a rule by the reclaimer that just
    /// queued them. Sleeps for a moment, and skips the targets that were tried too often.
    fn wait_for_locks(&mut self, lane: &FileLane, range: ops::Range<usize>) {
        if range.is_empty() {
            return;
        }
        for i in range.rev() {
            let Some(target) = self.pending.get_mut(i) else {
                continue;
            };
            target.tries = target.tries.saturating_add(1);
            if target.tries > TRIES {
                self.skip_at(lane, i, Skip::Locked);
            }
        }
        fsleep(Delta::from_millis(1));
    }

    fn skip_at(&mut self, lane: &FileLane, i: usize, why: Skip) {
        if let Ok(target) = self.pending.remove(i) {
            Self::skip(lane, target, why);
        }
    }

    fn show(&self, lane: &FileLane, flights: &WindowsInFlight) {
        if let Some(state) = lane.state() {
            state.inflight_pages.store(flights.pages, Relaxed);
            state.budget_pages.store(self.budget.pages(), Relaxed);
        }
    }

    fn admits(&self, flights: &WindowsInFlight, targets: usize) -> bool {
        flights.len < FLIGHTS
            && self.flying.len().saturating_add(targets) <= FLYING
            && self.budget.admits(flights.cost)
    }

    // --- windows

    /// Returns the range of pending targets whose window is written next. That is the window with
    /// the highest score, and among equals one that lies behind the last window. A window with a
    /// target that waits for long comes first.
    fn choose(&self) -> Option<ops::Range<usize>> {
        let size = settings::window_pages();
        let cost = settings::request_cost();
        let now = system::clock_ns();
        let key = |t: &QueuedTarget| (t.sb, t.inode, window::start_of(t.index, size));
        let mut best = None;
        let mut from = 0;
        while let Some(first) = self.pending.get(from) {
            let (mut to, mut pages, mut runs) = (from, 0u32, 0u32);
            let (mut next, mut oldest) = (u64::MAX, u64::MAX);
            while let Some(t) = self.pending.get(to).filter(|t| key(t) == key(first)) {
                runs = runs.saturating_add(u32::from(t.index != next));
                pages = pages.saturating_add(t.nr_pages);
                next = t.index.saturating_add(u64::from(t.nr_pages));
                oldest = oldest.min(t.met);
                to = to.saturating_add(1);
            }
            let waited = now.saturating_sub(oldest);
            let old = if waited > OLD_NS { waited } else { 0 };
            let behind = (first.inode, first.index) < self.last;
            let rank = (old, window::score(pages, runs, cost), !behind);
            if best.as_ref().is_none_or(|(r, _)| *r < rank) {
                best = Some((rank, from..to));
            }
            from = to;
        }
        best.map(|(_, range)| range)
    }

    /// Takes a reference to the inode of the first target of the window whose folio can be locked.
    /// Skips the targets before it that are not to be written.
    fn pin_inode<'sb>(
        &mut self,
        lane: &FileLane,
        sb: &'sb Superblock,
        range: &mut ops::Range<usize>,
    ) -> Option<Inode<'sb>> {
        let mut i = range.start;
        while i < range.end {
            let target = self.pending.get(i)?;
            let why = match target.folio.try_lock() {
                None => {
                    i = i.saturating_add(1);
                    continue;
                }
                Some(folio) => match Self::grab(sb, &folio, target) {
                    Ok(inode) => return Some(inode),
                    Err(why) => why,
                },
            };
            self.skip_at(lane, i, why);
            range.end = range.end.saturating_sub(1);
        }
        self.wait_for_locks(lane, range.clone());
        None
    }

    fn grab<'sb>(
        sb: &'sb Superblock,
        folio: &LockedFolio<'_>,
        target: &QueuedTarget,
    ) -> Result<Inode<'sb>, Skip> {
        if folio.inode_key() != Some(target.inode) {
            return Err(Skip::Gone);
        }
        if folio.writeback() {
            return Err(Skip::Writeback);
        }
        if !folio.dirty() {
            return Err(Skip::Clean);
        }
        sb.grab(folio).ok_or(Skip::Freeing)
    }

    /// Submits the window of these pending targets.
    fn begin(
        &mut self,
        lane: &FileLane,
        mut range: ops::Range<usize>,
        flights: &mut WindowsInFlight,
    ) {
        let Some(sb) = self.pin_superblock(lane, &mut range) else {
            return;
        };
        let Some(inode) = self.pin_inode(lane, &sb, &mut range) else {
            return;
        };
        let size = settings::window_pages();
        let Some(first) = self.pending.get(range.start) else {
            return;
        };
        let start = window::start_of(first.index, size);
        self.last = (first.inode, first.index);
        inode.dirty_pages(start, size, &mut self.dirty);
        let mapping = inode.mapping_key();

        // From here on the targets are only numbers: references would keep their folios from being
        // freed once they are clean.
        self.wanted.clear();
        let mut targets = 0usize;
        for _ in range.clone() {
            let Ok(target) = self.pending.remove(range.start) else {
                break;
            };
            let at = target.index.saturating_sub(start) as u32;
            if !self.dirty.contains(at) {
                Self::skip(lane, target, Skip::Clean);
                continue;
            }
            self.wanted.insert(at, target.nr_pages);
            let flying = TargetInFlight {
                page: freed::WatchedPage {
                    pfn: target.folio.pfn(),
                    mapping,
                    index: target.index,
                    at: 0,
                },
                met: target.met,
                nr_pages: target.nr_pages,
                nid: target.nid,
            };
            // `admits()` made sure that there is room.
            if self.flying.push_within_capacity(flying).is_ok() {
                targets = targets.saturating_add(1);
                lane.release(target);
            } else {
                Self::skip(lane, target, Skip::Clean);
            }
        }
        if targets != 0 {
            self.flush(lane, &inode, start, targets, flights);
        }
        // Dropping the last reference may evict the inode.
        lane.blocking(|| drop(inode));
    }

    /// Writes the ranges of a window that hold the pages in `dirty` and `wanted`.
    fn flush(
        &mut self,
        lane: &FileLane,
        inode: &Inode<'_>,
        start: u64,
        targets: usize,
        flights: &mut WindowsInFlight,
    ) {
        let since = system::clock_ns();
        let size = settings::window_pages();
        let (mut low, mut high, mut pages, mut ranges) = (u64::MAX, 0, 0u32, 0u32);
        let mut runs = 0u32;
        let ledger = &lane.shared.ledgers.write_around;
        // What is plugged is submitted at the end, which may wait for the device as well.
        let write = || {
            for r in Ranges::new(&self.dirty, &self.wanted, settings::request_cost()) {
                let from = start.saturating_add(u64::from(r.start));
                let nr = u64::from(r.end.saturating_sub(r.start));
                let result = inode.flush(from, nr);
                pinned(|pin| ledger.this(pin).range(&r, result.is_err()));
                low = low.min(from);
                high = high.max(from.saturating_add(nr));
                pages = pages.saturating_add(r.pages);
                ranges = ranges.saturating_add(1);
                runs = runs.saturating_add(r.runs);
            }
        };
        let (free, min) = system::free_pages();
        if urgent::short(free, min) && self.urgent.allows_realtime(since) {
            let ((), ns) = lane.blocking(|| system::urgently(|| plugged(write)));
            self.urgent.charge(ns);
        } else {
            lane.blocking(|| plugged(write));
        }
        pinned(|pin| ledger.this(pin).window(pages, targets as u64));
        let asked = self.wanted.count(0, size);
        let met = self.flying.iter().rev().take(targets).map(|f| f.met).min();
        let us = since.saturating_sub(met.unwrap_or(since)) / 1000;
        events::write_around(
            inode,
            start,
            pages,
            asked,
            pages.saturating_sub(asked),
            ranges,
            us,
        );
        if let Some(state) = lane.state() {
            state.written.fetch_add(targets as u64, Relaxed);
            state.windows.fetch_add(1, Relaxed);
        }
        let part = high.saturating_sub(low).div_ceil(PARTS as u64).max(1);
        let last = core::array::from_fn(|n| {
            let from = low.min(high).saturating_add(part.saturating_mul(n as u64));
            inode.last_written(from, from.saturating_add(part).min(high))
        });
        flights.push(WindowInFlight {
            last,
            pages,
            cost: pages.saturating_add(runs.saturating_mul(settings::request_cost())),
            targets,
            since,
            full: false,
        });
    }

    /// Waits until the oldest window has landed, and accounts for its targets.
    fn land(&mut self, lane: &FileLane, flights: &mut WindowsInFlight) {
        let Some(mut flight) = flights.pop() else {
            return;
        };
        for folio in flight.last.iter_mut().filter_map(Option::take) {
            lane.blocking(|| folio.wait_writeback());
        }
        let now = system::clock_ns();
        // The budget is never below a few windows. If others keep the queue of the device full,
        // each window takes long anyway, and the windows had better wait together.
        let least = Self::window_cost().saturating_mul(4);
        let most = settings::inflight_pages().max(least);
        self.budget
            .update(flight.since, now, flight.full, least, most);

        let ledger = &lane.shared.ledgers.write_around;
        // The time that this window took after the one before it had landed.
        let alone = now.saturating_sub(flight.since.max(self.landed));
        self.landed = now;
        for flying in self.flying.iter().take(flight.targets) {
            let us = now.saturating_sub(flying.met) / 1000;
            pinned(|pin| ledger.this(pin).clean(us));
            lane.settle(flying.nid, flying.nr_pages);
            lane.shared.watch(freed::WatchedPage {
                at: now,
                ..flying.page
            });
        }
        let mut nid = u32::MAX;
        for flying in self.flying.iter().take(flight.targets) {
            if core::mem::replace(&mut nid, flying.nid) != flying.nid {
                if let Some(ring) = lane.shared.ring(nid) {
                    ring.record_window(flight.pages, alone);
                }
                reclaim::done(nid);
            }
        }
        let landed = flight.targets.min(self.flying.len());
        let left = self.flying.len().saturating_sub(landed);
        self.flying.copy_within(landed.., 0);
        self.flying.truncate(left);
    }
}
