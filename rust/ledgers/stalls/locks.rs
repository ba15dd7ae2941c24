// SPDX-License-Identifier: GPL-2.0

//! Tasks that wait for a lock while the task that holds it stalls: by call site of the lock, and by
//! what the stall of the holder was spent on.
//!
//! A mutex and a rw_semaphore name their holder. The name is compared with the tasks that stall,
//! and never dereferenced. Only the part of a wait counts in which the holder stalled. It is
//! counted when the wait ends. If the holder still stalls then, the part is kept with the holder
//! until it is known what that stall was spent on.
//!
//! Some waits are not seen:
//!
//! - waits for spinlocks, because nothing names their holder;
//! - waits for the later holders of a rw_semaphore that changes hands meanwhile (for a mutex, the
//!   holder is read each time that the waiting task wakes up);
//! - waits that began before any task stalled.
//!
//! For readers, a rw_semaphore names the last one that came, which may have left by now. So waits
//! for readers have rows of their own.
//!
//! Context: any task, with preemption off. All CPUs share the rows and holders. They are written
//! when a stall begins or ends, or when a wait behind a stall ends. Locks: only a `TryLock`.

use crate::{
    kernel_ext::{
        cell::{
            peek,
            Cell64, //
        },
        compat,
        percpu::{
            pinned,
            Pinned, //
        },
        system,
        trylock::TryLock, //
    },
    policy::{
        shrink::mix,
        slots,
        stall::total_stall_time, //
    },
    tables::tasks::Tasks,
    words::Cause, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
};

/// The most tasks of which it is known whether they stall, or did a moment ago.
const HOLDERS: usize = 256;

/// The most call sites that wait for one holder and are told apart until its stall ends.
const SITES: usize = 4;

/// Number of rows. Each is for one call site, cause, and sort of holder.
const ROWS: usize = 128;

/// What [`Holder::task`] has while the place is made ready for another task.
const BUSY: usize = 1;

/// What a lock tells of its holder: the address of the task, and in the lowest bit whether readers
/// hold it. 0 if it tells nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct LockHolder(pub(crate) usize);

impl LockHolder {
    /// Whether the lock does not tell.
    pub(crate) fn is_unknown(self) -> bool {
        self.task() == 0
    }

    /// Whether readers hold the lock. The task is one that did, and may have left.
    fn is_reader(self) -> bool {
        self.0 & 1 != 0
    }

    fn task(self) -> usize {
        self.0 & !1
    }
}

/// A wait that goes on.
#[derive(Clone, Copy)]
struct LockWait {
    lock: usize,
    holder: LockHolder,
    began: u64,
    /// The time that the holder had stalled in all when the wait began, in nanoseconds.
    before: u64,
}

/// The identity of a task.
#[derive(Clone, Copy)]
pub(crate) struct TaskId {
    /// Its process id.
    pub(crate) pid: i32,
    /// Its name, NUL-terminated.
    pub(crate) comm: [u8; system::COMM_LEN],
}

impl TaskId {
    const NONE: Self = Self {
        pid: 0,
        comm: [0; system::COMM_LEN],
    };

    fn current() -> Self {
        Self {
            pid: system::pid(),
            comm: system::comm(),
        }
    }
}

/// The longest of several waits.
#[derive(Clone, Copy)]
pub(crate) struct LongestLockWait {
    /// Its length, in nanoseconds.
    pub(crate) ns: u64,
    /// The task that waited.
    pub(crate) waiter: TaskId,
    /// The task for which it waited.
    pub(crate) holder: TaskId,
}

impl LongestLockWait {
    const NONE: Self = Self {
        ns: 0,
        waiter: TaskId::NONE,
        holder: TaskId::NONE,
    };
}

/// The sum of several waits.
struct LockWaitSum {
    waits: Atomic<u64>,
    ns: Atomic<u64>,
    longest: TryLock<LongestLockWait>,
}

impl LockWaitSum {
    const fn new() -> Self {
        Self {
            waits: Atomic::new(0),
            ns: Atomic::new(0),
            longest: TryLock::new(LongestLockWait::NONE),
        }
    }

    /// Adds waits.
    fn add(&self, waits: u64, ns: u64, longest: &LongestLockWait) {
        self.waits.fetch_add(waits, Relaxed);
        self.ns.fetch_add(ns, Relaxed);
        self.longest.with_patience(|kept| {
            if longest.ns > kept.ns {
                *kept = *longest;
            }
        });
    }

    /// Takes the sum out; `None` if there are no waits.
    fn take(&self) -> Option<(u64, u64, LongestLockWait)> {
        let waits = self.waits.xchg(0, Relaxed);
        if waits == 0 {
            return None;
        }
        let ns = self.ns.xchg(0, Relaxed);
        let longest = self
            .longest
            .with_patience(|kept| core::mem::replace(kept, LongestLockWait::NONE));
        Some((waits, ns, longest.unwrap_or(LongestLockWait::NONE)))
    }
}

/// Waits at one call site for one task whose stall goes on.
struct PendingWaits {
    /// The return address, with [`LockHolder::is_reader`] in the lowest bit; 0 if the place is
    /// free.
    site: Atomic<usize>,
    sum: LockWaitSum,
}

/// A task that stalls, or did.
struct Holder {
    /// The address of the task; 0 if the place is free. See [`BUSY`].
    task: Atomic<usize>,
    began: Cell64,
    /// Nanoseconds of those of its stalls that ended while the task had this place.
    total: Cell64,
    /// When the last stall ended; 0 while the task stalls.
    ended: Cell64,
    /// The main cause of the last stall that ended.
    cause: Cell64,
    id: TryLock<TaskId>,
    pending: [PendingWaits; SITES],
}

impl Holder {
    fn stall_time(&self, now: u64) -> u64 {
        // This order is the reverse of that in `record_stall_end()`.
        let total = self.total.get();
        compat::smp_rmb();
        let ended = self.ended.get();
        // And this one is the reverse of that in `record_stall_begin()`.
        compat::smp_rmb();
        total_stall_time(total, (self.began.get(), ended), now)
    }

    fn forget_waits(&self) {
        for pending in &self.pending {
            pending.sum.take();
            pending.site.store(0, Relaxed);
        }
    }
}

/// A row: waits at a call site for tasks that stalled for a cause.
struct SharedLockRow {
    /// The three fields below, mixed into a word; 0 if the row is free.
    key: Atomic<u64>,
    site: Atomic<usize>,
    /// A [`Cause`], as a number.
    cause: Atomic<u32>,
    /// Whether the row is for readers: 0 or 1.
    reader: Atomic<u32>,
    sum: LockWaitSum,
}

/// The part of a wait that has ended in which the holder stalled.
pub(crate) struct HolderStall {
    /// The index of the holder.
    holder: usize,
    task: usize,
    is_reader: bool,
    /// Its length, in nanoseconds.
    pub(crate) ns: u64,
}

/// The ledger of waits for locks.
pub(crate) struct LockWaits {
    waiting: Tasks<LockWait>,
    holders: KVVec<Holder>,
    rows: KVVec<SharedLockRow>,
    /// Waits that found no row, or whose call site is not known.
    other: LockWaitSum,
    /// Waits, among all others, of tasks that stalled themselves.
    by_stalled: LockWaitSum,
}

/// The counts of one call site, cause and sort of holder.
pub(crate) struct LockRow {
    /// The return address into the function that took the lock; 0 for waits without a row.
    pub(crate) site: usize,
    /// The main cause of the stalls of the holders.
    pub(crate) cause: Option<Cause>,
    /// Whether readers held the lock.
    pub(crate) is_reader: bool,
    /// Number of waits.
    pub(crate) waits: u64,
    /// Nanoseconds of the waits.
    pub(crate) ns: u64,
    /// The longest wait.
    pub(crate) longest: LongestLockWait,
}

impl LockWaits {
    /// Allocates the ledger for `tasks` tasks, a power of two, that can wait at the same time.
    /// Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(tasks: usize) -> Result<Self> {
        let none = LockWait {
            lock: 0,
            holder: LockHolder(0),
            began: 0,
            before: 0,
        };
        let mut holders = KVVec::with_capacity(HOLDERS, GFP_KERNEL)?;
        for _ in 0..HOLDERS {
            let free = Holder {
                task: Atomic::new(0),
                began: pin_init::zeroed(),
                total: pin_init::zeroed(),
                ended: pin_init::zeroed(),
                cause: pin_init::zeroed(),
                id: TryLock::new(TaskId::NONE),
                pending: [const {
                    PendingWaits {
                        site: Atomic::new(0),
                        sum: LockWaitSum::new(),
                    }
                }; SITES],
            };
            holders.push(free, GFP_KERNEL)?;
        }
        let mut rows = KVVec::with_capacity(ROWS, GFP_KERNEL)?;
        for _ in 0..ROWS {
            let free = SharedLockRow {
                key: Atomic::new(0),
                site: Atomic::new(0),
                cause: Atomic::new(0),
                reader: Atomic::new(0),
                sum: LockWaitSum::new(),
            };
            rows.push(free, GFP_KERNEL)?;
        }
        Ok(Self {
            waiting: Tasks::new(tasks, none)?,
            holders,
            rows,
            other: LockWaitSum::new(),
            by_stalled: LockWaitSum::new(),
        })
    }

    fn places(&self, task: usize) -> impl Iterator<Item = (usize, &Holder)> {
        slots::probe_sequence((task >> 6) as u64, self.holders.len())
            .filter_map(|i| Some((i, self.holders.get(i)?)))
    }

    fn holder(&self, task: usize) -> Option<(usize, &Holder)> {
        self.places(task).find(|(_, h)| peek(&h.task) == task)
    }

    /// Notes that the current task has stalled since `began`. Returns false if there is no room.
    pub(crate) fn record_stall_begin(&self, task: usize, began: u64) -> bool {
        // Take the task's own place, a free one, or that of the task whose stall ended first.
        let of = self.holder(task).or_else(|| {
            let through = self.places(task).filter(|(_, h)| match peek(&h.task) {
                0 => true,
                BUSY => false,
                _ => h.ended.get() != 0,
            });
            through.min_by_key(|(_, h)| match peek(&h.task) {
                0 => 0,
                _ => h.ended.get(),
            })
        });
        let Some((_, holder)) = of else {
            return false;
        };
        let before = peek(&holder.task);
        if before != task {
            if before == BUSY || holder.task.cmpxchg(before, BUSY, Acquire).is_err() {
                return false;
            }
            holder.total.set(0);
        }
        holder.id.with_patience(|id| *id = TaskId::current());
        // In this order, nobody takes the time before this stall for a part of it.
        holder.began.set(began);
        compat::smp_wmb();
        holder.ended.set(0);
        if before != task {
            // Nobody sees the task before its place is ready.
            holder.task.store(task, Release);
        }
        true
    }

    /// Notes that the stall of the task ended, and was mostly spent on `cause`.
    pub(crate) fn record_stall_end(&self, task: usize, cause: Cause, now: u64) {
        if let Some((_, holder)) = self.holder(task) {
            holder.cause.set(cause as u64);
            // In this order, a reader that comes in between misses this stall. It would count it
            // twice otherwise.
            holder.ended.set(now.max(1));
            compat::smp_wmb();
            holder.total.add(now.saturating_sub(holder.began.get()));
            // Pairs with the barrier in `record_wait()`.
            compat::smp_mb();
            self.count_pending(holder);
        }
    }

    /// Forgets the stall of a task, which is not to be counted.
    pub(crate) fn forget_stall(&self, task: usize) {
        if let Some((_, holder)) = self.holder(task) {
            holder.task.store(0, Relaxed);
            holder.forget_waits();
        }
    }

    /// Counts the waits for a task whose stall has ended.
    fn count_pending(&self, holder: &Holder) {
        let cause = u32::try_from(holder.cause.get()).unwrap_or(0);
        for pending in &holder.pending {
            let site = peek(&pending.site);
            if let Some((waits, ns, longest)) = pending.sum.take() {
                self.add(site & !1, cause, site & 1 != 0, waits, ns, &longest);
            }
            // A wait that is added in between is counted without its call site: what added it
            // settles again.
            pending.site.store(0, Relaxed);
        }
    }

    /// Adds waits to their row, or to those without a row if their call site is not known.
    fn add(
        &self,
        site: usize,
        cause: u32,
        is_reader: bool,
        waits: u64,
        ns: u64,
        longest: &LongestLockWait,
    ) {
        let key = mix(&[site as u64, cause.into(), is_reader.into()]);
        let places = slots::probe_sequence(key, self.rows.len()).filter_map(|i| self.rows.get(i));
        for row in places.filter(|_| site != 0) {
            let there = match peek(&row.key) {
                0 => row.key.cmpxchg(0, key, Relaxed).unwrap_or_else(|is| is),
                is => is,
            };
            if there == 0 {
                row.cause.store(cause, Relaxed);
                row.reader.store(is_reader.into(), Relaxed);
                row.site.store(site, Relaxed);
            }
            if there == 0 || there == key {
                return row.sum.add(waits, ns, longest);
            }
        }
        self.other.add(waits, ns, longest);
    }

    /// Whether no task waits for a lock whose holder is known.
    #[inline(always)]
    pub(crate) fn has_no_waiters(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns the counter of the tasks that wait, for C.
    pub(crate) fn waiter_counter(&self) -> &Atomic<usize> {
        self.waiting.counter()
    }

    /// Notes that the current task begins to wait for a lock, or, for a mutex, goes on to wait. If
    /// the lock has another holder now, returns the part of the wait for the one before. Calls
    /// `lost` if there is no room to follow the wait.
    pub(crate) fn record_wait_begin(
        &self,
        pin: &Pinned<'_>,
        task: usize,
        lock: usize,
        holder: LockHolder,
        now: u64,
        lost: impl FnOnce(),
    ) -> Option<HolderStall> {
        let wait = LockWait {
            lock,
            holder,
            began: now,
            before: self
                .holder(holder.task())
                .map_or(0, |(_, h)| h.stall_time(now)),
        };
        let before = self.waiting.with(pin, task, |there| {
            if (there.lock, there.holder) == (lock, holder) {
                return None;
            }
            let before = core::mem::replace(there, wait);
            // If this was for another lock, the end of that wait was not seen.
            (before.lock == lock).then_some(before)
        });
        match before {
            Some(before) => self.holder_stall(&before?, now),
            None => {
                if !self.waiting.insert(pin, task, wait) {
                    lost();
                }
                None
            }
        }
    }

    /// Notes that the current task has the lock, or gave up. Returns the part of the wait in which
    /// the holder stalled.
    pub(crate) fn record_wait_end(
        &self,
        pin: &Pinned<'_>,
        task: usize,
        lock: usize,
        now: u64,
    ) -> Option<HolderStall> {
        let ours = self.waiting.with(pin, task, |there| there.lock == lock);
        if ours != Some(true) {
            return None;
        }
        let wait = self.waiting.remove(pin, task)?;
        self.holder_stall(&wait, now)
    }

    fn holder_stall(&self, wait: &LockWait, now: u64) -> Option<HolderStall> {
        let task = wait.holder.task();
        let (at, holder) = self.holder(task)?;
        let stalled = holder.stall_time(now).saturating_sub(wait.before);
        let ns = stalled.min(now.saturating_sub(wait.began));
        // The place may belong to another task by now.
        (ns != 0 && peek(&holder.task) == task).then_some(HolderStall {
            holder: at,
            task,
            is_reader: wait.holder.is_reader(),
            ns,
        })
    }

    /// Counts a part of a wait of the current task, which wanted the lock at the call site `site`.
    /// `is_stalled` tells whether the task stalls itself.
    pub(crate) fn record_wait(&self, holder_stall: &HolderStall, site: usize, is_stalled: bool) {
        let Some(holder) = self.holders.get(holder_stall.holder) else {
            return;
        };
        let longest = LongestLockWait {
            ns: holder_stall.ns,
            waiter: TaskId::current(),
            holder: holder
                .id
                .with_patience(|id| *id)
                .filter(|_| peek(&holder.task) == holder_stall.task)
                .unwrap_or(TaskId::NONE),
        };
        if is_stalled {
            self.by_stalled.add(1, holder_stall.ns, &longest);
        }
        // Return addresses may be odd. The lowest bit does not matter, because one byte more or
        // less is mostly the same line.
        let site = site & !1;
        let key = site | usize::from(holder_stall.is_reader);
        let goes_on = holder.ended.get() == 0 && peek(&holder.task) == holder_stall.task;
        let mut places = holder.pending.iter().filter(|_| goes_on && site != 0);
        let pending = places.find(|pending| {
            let there = peek(&pending.site);
            there == key || (there == 0 && pending.site.cmpxchg(0, key, Relaxed).is_ok())
        });
        match pending {
            Some(pending) => {
                pending.sum.add(1, holder_stall.ns, &longest);
                // Pairs with the barrier in `record_stall_end()`: one of the two sees what the
                // other wrote.
                compat::smp_mb();
                if holder.ended.get() != 0 {
                    self.count_pending(holder);
                }
            }
            None if goes_on => self.other.add(1, holder_stall.ns, &longest),
            None => {
                let cause = u32::try_from(holder.cause.get()).unwrap_or(0);
                self.add(
                    site,
                    cause,
                    holder_stall.is_reader,
                    1,
                    holder_stall.ns,
                    &longest,
                );
            }
        }
    }

    /// Returns what was counted. The last row is of waits that found no row. Process context;
    /// sleeps. Fails with `ENOMEM`.
    pub(crate) fn rows(&self) -> Result<KVVec<LockRow>> {
        let mut all = KVVec::with_capacity(ROWS, GFP_KERNEL)?;
        for row in self.rows.iter() {
            let (waits, site) = (row.sum.waits.load(Relaxed), row.site.load(Relaxed));
            if waits != 0 && site != 0 {
                let read = LockRow {
                    site,
                    cause: Cause::ALL.get(row.cause.load(Relaxed) as usize).copied(),
                    is_reader: row.reader.load(Relaxed) != 0,
                    ..read(&row.sum)
                };
                all.push(read, GFP_KERNEL)?;
            }
        }
        all.push(read(&self.other), GFP_KERNEL)?;
        Ok(all)
    }

    /// Returns the waits of tasks that stalled themselves. Process context.
    pub(crate) fn waits_of_stalled(&self) -> LockRow {
        read(&self.by_stalled)
    }

    /// Forgets the waits and stalls that go on.
    pub(crate) fn clear(&self) {
        self.waiting.clear();
        for holder in self.holders.iter() {
            holder.task.store(0, Relaxed);
            holder.forget_waits();
        }
    }

    /// Returns the memory that the ledger takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.waiting
            .bytes()
            .saturating_add(core::mem::size_of_val(self.holders.as_slice()))
            .saturating_add(core::mem::size_of_val(self.rows.as_slice()))
    }
}

fn read(sum: &LockWaitSum) -> LockRow {
    let longest = loop {
        if let Some(longest) = pinned(|_| sum.longest.try_with(|longest| *longest)) {
            break longest;
        }
    };
    LockRow {
        site: 0,
        cause: None,
        is_reader: false,
        waits: sum.waits.load(Relaxed),
        ns: sum.ns.load(Relaxed),
        longest,
    }
}
