// SPDX-License-Identifier: GPL-2.0

//! The tasks that are inside reclaim, and why.
//!
//! This is a bounded, preallocated table of slots keyed by task. A task claims a slot when its
//! first window opens, and leaves it when its last one closes. Claiming is one
//! compare-and-exchange. After that only the owner touches the slot, so there is no lock.
//!
//! What does not fit is known to be missing: while the window of any task is without a slot, writes
//! of tasks without a slot are charged to [`Origin::Lost`].
//!
//! Context: task context with preemption off.

use crate::{
    kernel_ext::{
        cell::{
            peek,
            Cell64, //
        },
        percpu::Pinned, //
    },
    ledgers::{
        repeats::{
            EventKey,
            Recorded,
            RepeatCounter,
            RepeatResult, //
        },
        shrinkers::SlotCall, //
    },
    policy::{
        batch::{
            Extent,
            Submitter, //
        },
        nest::{
            Nest,
            MAX_NEST, //
        },
        slots, //
    },
    tables::farthest::Farthest,
    words::{
        Flush,
        Layer,
        Origin, //
    },
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

const NEST: usize = MAX_NEST as usize;

/// The state of a task inside reclaim. Only that task writes it, except for
/// [`Windows::forget_repeats`] and [`Windows::clear`].
pub(crate) struct Slot {
    task: Atomic<usize>,
    nest: Cell64,
    /// For each window: when it began (0 if not measured), the pages written since, and the stack
    /// depth at its entry.
    began: [Cell64; NEST],
    written: [Cell64; NEST],
    entry: [Cell64; NEST],
    /// The stack depth at which each lower layer was sampled last; 0 if it was not.
    below: [Cell64; Layer::COUNT],
    /// The last folio of the swap bio that the task submitted last, with `SYNCHRONOUS` and the
    /// other marks below; 0 once the write of that folio was recorded.
    bio: Cell64,
    /// The folio that zswap was offered last; 0 once its write was recorded.
    zswap: Cell64,
    /// The call of a shrinker that goes on.
    pub(super) shrink: SlotCall,
    /// Pages that others wrote while the task waited, and that the kernel counts as freed by it.
    credited: Cell64,
    /// The purpose of the TLB flush that goes on, plus 1, and when it began; 0 if there is none.
    flush: Cell64,
    flush_began: Cell64,
    /// The address of the swap write that is being submitted, with a code for its submitter in the
    /// low bits; 0 if there is none.
    submitter: Cell64,
    /// The place of the last swap write, and its origin plus 1, if the next write tells why it
    /// ended; the origin is 0 if it does not.
    last: [Cell64; 4],
    last_origin: Cell64,
    /// The task that had the slot last. What is below belongs to it.
    owner: Cell64,
    /// The number of swap writes to devices that write at once, since the last one that was timed;
    /// and the number of writes for which the one stands that is being timed. The latter is 0 if
    /// none is.
    untimed: Cell64,
    timed: Cell64,
    /// Writes that are like the one before. What is counted here and below is in
    /// [`Slot::repeats`].
    pub(super) writes: RepeatCounter,
    /// Bios that are like the one before.
    pub(super) bios: RepeatCounter,
    /// Packets that are like one of the last two sorts. A connection sends from a few places, in
    /// turn.
    pub(super) packets: [RepeatCounter; PACKETS],
    /// The sort of packets that is replaced next.
    next_packets: Cell64,
}

/// The number of sorts of packets that are told apart.
const PACKETS: usize = 2;

/// Marks of `Slot::bio`.
const SYNCHRONOUS: u64 = 1;
const REFUSED: u64 = 2;
/// The stall of the task is told when the write is done.
const TIMED: u64 = 4;
const MARKS: u64 = SYNCHRONOUS | REFUSED | TIMED;

/// One swap write of this many, to devices that write at once, is timed.
const TIMED_ONE_IN: u64 = 32;

/// Marks in the value of [`Slot::write_state`]: the folio was in no bio, and zswap was offered the
/// folio.
const NO_BIO: u64 = 8;
const OFFERED: u64 = 16;
/// The value of [`Slot::write_state`] if it was another folio.
const ANOTHER: u64 = u64::MAX;

/// The result of submitting a swap bio.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum SubmitResult {
    /// It ends later.
    Queued,
    /// A synchronous device wrote it.
    Written,
    /// A synchronous device failed to write it.
    Refused,
}

/// A window that was closed.
pub(crate) struct ClosedWindow {
    /// Its origin.
    pub(crate) origin: Origin,
    /// Pages that were written inside it, without those of nested windows.
    pub(crate) written: u64,
    /// How deep it was nested; 1 for an outermost one.
    pub(crate) depth: u32,
    /// When it began, in nanoseconds of `clock_ns()`; 0 if not measured.
    pub(crate) began: u64,
}

impl Slot {
    fn new() -> Self {
        let zero = pin_init::zeroed::<[Cell64; NEST]>;
        Self {
            task: Atomic::new(0),
            nest: pin_init::zeroed(),
            began: zero(),
            written: zero(),
            entry: zero(),
            below: pin_init::zeroed(),
            bio: pin_init::zeroed(),
            zswap: pin_init::zeroed(),
            shrink: pin_init::zeroed(),
            credited: pin_init::zeroed(),
            flush: pin_init::zeroed(),
            flush_began: pin_init::zeroed(),
            submitter: pin_init::zeroed(),
            last: pin_init::zeroed(),
            last_origin: pin_init::zeroed(),
            owner: pin_init::zeroed(),
            untimed: pin_init::zeroed(),
            timed: pin_init::zeroed(),
            writes: pin_init::zeroed(),
            bios: pin_init::zeroed(),
            packets: pin_init::zeroed(),
            next_packets: pin_init::zeroed(),
        }
    }

    /// Returns all that is only counted as long as it is like the one before.
    fn repeats(&self) -> impl Iterator<Item = &RepeatCounter> {
        Iterator::chain([&self.writes, &self.bios].into_iter(), &self.packets)
    }

    fn nest(&self) -> Nest {
        Nest(self.nest.get())
    }

    /// Returns the index of the innermost window, if it is told apart.
    fn innermost(&self) -> Option<usize> {
        let i = self.nest().depth().checked_sub(1)? as usize;
        (i < NEST).then_some(i)
    }

    /// Returns the origin of the innermost window; [`Origin::Lost`] if it is nested too deep to be
    /// told apart.
    #[inline]
    pub(crate) fn origin(&self) -> Origin {
        self.nest()
            .top()
            .and_then(Origin::from_u8)
            .unwrap_or(Origin::Lost)
    }

    /// Notes that the innermost window wrote pages.
    #[inline]
    pub(crate) fn add_written(&self, pages: u64) {
        if let Some(w) = self.innermost().and_then(|i| self.written.get(i)) {
            w.add(pages);
        }
    }

    /// Notes a sample. Returns the stack that was used since the nearest higher layer that was
    /// sampled in this window, if there was one.
    #[inline]
    pub(crate) fn sample(&self, layer: Layer, depth: u64) -> Option<u64> {
        let index = layer as usize;
        self.below.get(index)?.set(depth);
        let above = self.below.get(..index)?.iter().rev();
        let entry = self.innermost().and_then(|i| self.entry.get(i));
        Iterator::chain(above, entry)
            .map(Cell64::get)
            .find(|&d| d != 0 && d <= depth)
            .map(|d| depth.wrapping_sub(d))
    }

    /// Returns the stack depth at which the innermost window was entered.
    fn entry_depth(&self) -> u64 {
        let entry = self.innermost().and_then(|i| self.entry.get(i));
        entry.map_or(0, Cell64::get)
    }

    /// Returns what would be recorded of a folio that was written now, as far as this slot knows.
    pub(crate) fn write_state(&self, folio: usize) -> u64 {
        Self::write_state_of(self.bio.get(), self.zswap.get(), folio)
    }

    #[inline(always)]
    fn write_state_of(bio: u64, zswap: u64, folio: usize) -> u64 {
        let (folio, mut state) = (folio as u64, NO_BIO);
        if bio != 0 {
            state = bio ^ folio;
            if state > MARKS {
                return ANOTHER;
            }
        }
        if zswap != 0 {
            if zswap != folio {
                return ANOTHER;
            }
            state |= OFFERED;
        }
        state
    }

    /// Counts a write of a folio, if all that is recorded of it is as before. `write` describes all
    /// of that.
    #[inline(always)]
    pub(crate) fn count_repeated_write(&self, write: &EventKey, folio: usize) -> RepeatResult {
        let (bio, zswap) = (self.bio.get(), self.zswap.get());
        if bio | zswap == 0 {
            if !self.writes.matches(write, NO_BIO) {
                return RepeatResult::Differs;
            }
        } else {
            if !self
                .writes
                .matches(write, Self::write_state_of(bio, zswap, folio))
            {
                return RepeatResult::Differs;
            }
            self.bio.set(0);
            self.zswap.set(0);
        }
        self.sampled(Layer::Write, self.writes.depth());
        self.writes.count()
    }

    /// Lets writes like this one be counted from now on. `state` is what [`Self::write_state`]
    /// returned for it.
    pub(crate) fn set_repeatable_write(&self, write: &EventKey, state: u64, what: &Recorded) {
        if state != ANOTHER && state & (TIMED | REFUSED) == 0 {
            self.writes.set_event(write, state, what);
            self.writes.set_window(self.nest.get(), self.entry_depth());
        }
    }

    /// Counts a swap bio that is submitted, if all that is recorded of it is as before. `bio`
    /// describes all of that.
    #[inline(always)]
    pub(crate) fn count_repeated_bio(&self, bio: &EventKey, folio: usize) -> RepeatResult {
        let handed = self.below.get(Layer::Handoff as usize);
        let other = self.submitter.get() | self.last_origin.get() | handed.map_or(0, Cell64::get);
        if other != 0 {
            return RepeatResult::Differs;
        }
        if !self.bios.matches(bio, self.depth_above_bio()) {
            return RepeatResult::Differs;
        }
        self.bio.set(folio as u64 | SYNCHRONOUS);
        self.sampled(Layer::Bio, self.bios.depth());
        self.untimed.add(1);
        self.bios.count()
    }

    /// Lets bios like this one be counted from now on, unless it is the first one of a window. For
    /// the first one, the stack is measured from the entry of the window.
    pub(crate) fn set_repeatable_bio(&self, bio: &EventKey, what: &Recorded) {
        if self.depth_above_bio() != 0 {
            self.bios.set_event(bio, self.depth_above_bio(), what);
            self.bios.set_window(self.nest.get(), self.entry_depth());
        }
    }

    /// Counts a packet that the task sends, if all that is recorded of it is as before. `packet` is
    /// where it is sent.
    #[inline(always)]
    pub(crate) fn count_repeated_packet(&self, packet: &EventKey) -> RepeatResult {
        let above = self.depth_above_packet();
        for packets in &self.packets {
            if packets.matches(packet, above) {
                self.sampled(Layer::Net, packets.depth());
                return packets.count();
            }
        }
        RepeatResult::Differs
    }

    /// Lets packets like this one be counted from now on, if they are sent inside of a request of
    /// NBD. What was counted must have been recorded.
    pub(crate) fn set_repeatable_packet(&self, packet: &EventKey, what: &Recorded) {
        let above = self.depth_above_packet();
        if above == 0 || above > what.depth {
            return;
        }
        let next = self.next_packets.get() as usize;
        self.next_packets
            .set((next.wrapping_add(1) % PACKETS) as u64);
        if let Some(packets) = self.packets.get(next) {
            packets.set_event(packet, above, what);
            packets.set_window(self.nest.get(), self.entry_depth());
        }
    }

    /// Returns the stack depth at which the layer above packets was sampled last in this window; 0
    /// if it was not.
    #[inline(always)]
    fn depth_above_packet(&self) -> u64 {
        self.below.get(Layer::Nbd as usize).map_or(0, Cell64::get)
    }

    /// Returns the stack depth at which the layer above bios was sampled last in this window, if
    /// nothing was handed over in the window; 0 if it was not sampled.
    #[inline(always)]
    fn depth_above_bio(&self) -> u64 {
        self.below.get(Layer::Write as usize).map_or(0, Cell64::get)
    }

    /// Notes one more swap write to a device that writes at once.
    pub(crate) fn count_untimed(&self) {
        self.untimed.add(1);
    }

    /// Returns the number of swap writes for which the one stands that was submitted just now, to a
    /// device that writes at once, if a write is to be timed.
    pub(crate) fn take_untimed(&self) -> Option<u64> {
        let times = self.untimed.get();
        if times < TIMED_ONE_IN {
            return None;
        }
        self.untimed.set(0);
        Some(times)
    }

    /// Notes that this write is timed, and stands for `times` writes.
    pub(crate) fn set_timed(&self, times: u64) {
        self.timed.set(times);
        self.bio.set(self.bio.get() | TIMED);
    }

    /// Takes out the number of writes for which the timed one stands, if one was timed.
    pub(crate) fn take_timed(&self) -> Option<u64> {
        let times = self.timed.get();
        if times == 0 {
            return None;
        }
        self.timed.set(0);
        Some(times)
    }

    #[inline(always)]
    fn sampled(&self, layer: Layer, depth: u64) {
        if let Some(below) = self.below.get(layer as usize) {
            below.set(depth);
        }
    }

    /// Notes that a task has the slot. What was known of another one is of no use to it.
    fn set_owner(&self, task: usize) {
        if self.owner.get() != task as u64 {
            self.owner.set(task as u64);
            self.untimed.set(0);
            self.repeats().for_each(RepeatCounter::forget);
        }
    }

    /// Notes that a window began or ended. What was counted must have been recorded.
    fn window_changed(&self) {
        let (nest, entry) = (self.nest.get(), self.entry_depth());
        for counted in self.repeats() {
            counted.window_changed(nest, entry);
        }
    }

    /// Notes the swap bio that the task submits.
    pub(crate) fn set_bio(&self, last_folio: usize, synchronous: bool) {
        let mark = if synchronous { SYNCHRONOUS } else { 0 };
        self.bio.set(last_folio as u64 | mark);
    }

    /// Notes that the bio failed, if it was for a synchronous device.
    pub(crate) fn mark_refused(&self) {
        let bio = self.bio.get();
        if bio & SYNCHRONOUS != 0 {
            self.bio.set(bio | REFUSED);
        }
    }

    /// Notes that the kernel will count `pages` more pages as freed by the task.
    pub(crate) fn add_credited(&self, pages: u64) {
        self.credited.add(pages);
    }

    /// Takes out the number of these pages.
    pub(crate) fn take_credited(&self) -> u64 {
        let credited = self.credited.get();
        self.credited.set(0);
        credited
    }

    /// Whether the task called a shrinker, of which nothing has been seen since. If the task does
    /// something else now, the call has ended.
    #[inline(always)]
    pub(crate) fn may_have_left_shrinker(&self) -> bool {
        self.shrink.may_be_over()
    }

    /// Notes that zswap was offered a folio.
    pub(crate) fn set_zswapped(&self, folio: usize) {
        self.zswap.set(folio as u64);
    }

    /// Takes out what became of the bio that was submitted last, if `folio` was the last one in it.
    #[inline]
    pub(crate) fn take_submitted(&self, folio: usize) -> Option<SubmitResult> {
        let bio = self.bio.get();
        if bio == 0 {
            return None;
        }
        self.bio.set(0);
        let state = match bio & (SYNCHRONOUS | REFUSED) {
            0 => SubmitResult::Queued,
            SYNCHRONOUS => SubmitResult::Written,
            _ => SubmitResult::Refused,
        };
        (bio & !MARKS == folio as u64).then_some(state)
    }

    /// Notes that the task flushes the TLBs of other CPUs, from `now` on.
    pub(crate) fn begin_flush(&self, flush: Flush, now: u64) {
        self.flush.set((flush as u64).wrapping_add(1));
        self.flush_began.set(now);
    }

    /// Returns the purpose of the flush that goes on, if there is one.
    pub(crate) fn flushing(&self) -> Option<Flush> {
        let n = usize::try_from(self.flush.get()).ok()?.checked_sub(1)?;
        Flush::ALL.get(n).copied()
    }

    /// Takes out the purpose of the flush, and when it began.
    pub(crate) fn end_flush(&self) -> Option<(Flush, u64)> {
        let flush = self.flushing()?;
        self.flush.set(0);
        Some((flush, self.flush_began.get()))
    }

    /// Notes the submitter of a swap write.
    pub(crate) fn set_submitter(&self, write: usize, submitter: Submitter) {
        let submitter = match submitter {
            Submitter::Adder => 1,
            Submitter::Ender => 2,
            Submitter::Unknown => 3,
        };
        self.submitter.set(write as u64 | submitter);
    }

    /// Takes out the submitter of a swap write, if that was noted.
    pub(crate) fn take_submitter(&self, write: usize) -> Option<Submitter> {
        let noted = self.submitter.get();
        self.submitter.set(0);
        let submitter = match noted & 3 {
            1 => Submitter::Adder,
            2 => Submitter::Ender,
            _ => Submitter::Unknown,
        };
        (noted & !3 == write as u64).then_some(submitter)
    }

    /// Notes a swap write. The next one will tell why it ended.
    pub(crate) fn set_last_write(&self, place: &Extent, origin: Origin) {
        let words = [place.device, place.start, place.end, place.cgroup];
        for (cell, word) in self.last.iter().zip(words) {
            cell.set(word);
        }
        self.last_origin.set((origin as u64).wrapping_add(1));
    }

    /// Takes out the place and the origin of that write.
    pub(crate) fn take_last_write(&self) -> Option<(Extent, Origin)> {
        let origin = u8::try_from(self.last_origin.get().checked_sub(1)?).ok()?;
        self.last_origin.set(0);
        let [device, start, end, cgroup] = &self.last;
        let place = Extent {
            device: device.get(),
            start: start.get(),
            end: end.get(),
            cgroup: cgroup.get(),
        };
        Some((place, Origin::from_u8(origin)?))
    }

    /// Takes out whether zswap was offered `folio`.
    #[inline]
    pub(crate) fn take_zswapped(&self, folio: usize) -> bool {
        let taken = self.zswap.get();
        self.zswap.set(0);
        taken != 0 && taken == folio as u64
    }
}

/// The table.
pub(crate) struct Windows {
    slots: KVVec<Slot>,
    farthest: Farthest,
    /// Number of open windows that have no slot.
    unslotted: Atomic<i64>,
}

/// How a window began.
pub(crate) enum BeginResult<'a> {
    /// In a slot, and told apart.
    InSlot(&'a Slot),
    /// In a slot, but nested too deep.
    TooDeep,
    /// Without a slot, because none was free.
    NoSlot,
}

/// How a window ended.
pub(crate) enum EndResult {
    /// It had a slot.
    Closed(ClosedWindow),
    /// It had no slot, because none was free.
    NoSlot,
    /// Its begin was not seen, because no probe was attached: the module was not loaded, or was
    /// paused.
    Unknown,
}

impl Windows {
    /// Allocates a table of `len` slots, a power of two. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(len: usize) -> Result<Self> {
        let mut table = KVVec::with_capacity(len, GFP_KERNEL)?;
        for _ in 0..len {
            table.push(Slot::new(), GFP_KERNEL)?;
        }
        Ok(Self {
            slots: table,
            farthest: Farthest::new(),
            unslotted: Atomic::new(0),
        })
    }

    fn places(&self, task: usize) -> impl Iterator<Item = &Slot> {
        // A task_struct is aligned to a cache line, so its low bits are always the same.
        slots::probe_sequence((task >> 6) as u64, self.slots.len())
            .filter_map(|i| self.slots.get(i))
    }

    /// Returns the slot of the current task, if it is inside a window.
    #[inline]
    pub(crate) fn find(&self, _: &Pinned<'_>, task: usize) -> Option<&Slot> {
        self.places(task)
            .take(self.farthest.places())
            .find(|s| peek(&s.task) == task)
    }

    fn claim(&self, task: usize) -> Option<&Slot> {
        let (distance, slot) = self
            .places(task)
            .enumerate()
            .find(|(_, s)| peek(&s.task) == 0 && s.task.cmpxchg(0, task, Acquire).is_ok())?;
        self.farthest.note(distance);
        Some(slot)
    }

    /// Notes that the current task enters a window of `origin` at the time `now` (0 if not
    /// measured), where its stack is `depth` bytes deep.
    pub(crate) fn begin(
        &self,
        pin: &Pinned<'_>,
        task: usize,
        origin: Origin,
        depth: u64,
        now: u64,
    ) -> BeginResult<'_> {
        let Some(slot) = self.find(pin, task).or_else(|| self.claim(task)) else {
            self.unslotted.add(1, Relaxed);
            return BeginResult::NoSlot;
        };
        slot.set_owner(task);
        let (nest, fits) = slot.nest().push(origin as u8);
        slot.nest.set(nest.0);
        if !fits {
            slot.window_changed();
            return BeginResult::TooDeep;
        }
        if let Some(i) = slot.innermost() {
            for (cells, v) in [(&slot.began, now), (&slot.written, 0), (&slot.entry, depth)] {
                if let Some(cell) = cells.get(i) {
                    cell.set(v);
                }
            }
        }
        slot.forget_samples();
        slot.window_changed();
        BeginResult::InSlot(slot)
    }

    /// Notes that the current task leaves its innermost window.
    pub(crate) fn end(&self, pin: &Pinned<'_>, task: usize) -> EndResult {
        let Some(slot) = self.find(pin, task) else {
            return if self.forget_unslotted() {
                EndResult::NoSlot
            } else {
                EndResult::Unknown
            };
        };
        let depth = slot.nest().depth();
        let read = |cells: &[Cell64; NEST]| {
            slot.innermost()
                .and_then(|i| cells.get(i))
                .map_or(0, Cell64::get)
        };
        let (written, began) = (read(&slot.written), read(&slot.began));
        let (nest, origin) = slot.nest().pop();
        slot.nest.set(nest.0);
        slot.forget_samples();
        slot.window_changed();
        if nest.is_empty() {
            slot.free();
        }
        EndResult::Closed(ClosedWindow {
            origin: origin.and_then(Origin::from_u8).unwrap_or(Origin::Lost),
            written,
            depth,
            began,
        })
    }

    /// Notes that the current task, a thread of the helper, leaves all of its windows. If it
    /// entered any since, their ends may not have been seen.
    pub(crate) fn leave(&self, pin: &Pinned<'_>, task: usize) {
        match self.find(pin, task) {
            Some(slot) => slot.free(),
            None => {
                self.forget_unslotted();
            }
        }
    }

    /// Returns all slots.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }

    /// Makes each task look closely at its next write, because what is recorded of writes has
    /// changed. Any context.
    pub(crate) fn forget_repeats(&self) {
        for slot in self.slots.iter() {
            slot.repeats().for_each(RepeatCounter::forget);
        }
    }

    /// Forgets the calls of shrinkers that go on. No handler of their probes runs any more.
    pub(crate) fn forget_shrinkers(&self) {
        for slot in self.slots.iter() {
            slot.shrink.clear();
        }
    }

    /// Takes out all tasks but the swap writers, when no probe is attached. What they counted must
    /// have been recorded.
    pub(crate) fn clear(&self) {
        self.forget_repeats();
        for slot in self.slots.iter() {
            match slot.nest().bottom().and_then(Origin::from_u8) {
                // The slot is free, or a swap writer claims it just now.
                None => {}
                Some(Origin::Writer) => {}
                Some(_) => slot.free(),
            }
        }
        self.unslotted.store(0, Relaxed);
    }

    /// Takes one off the number of windows without a slot. Returns false if there is none.
    fn forget_unslotted(&self) -> bool {
        let mut n = self.unslotted.load(Relaxed);
        while n > 0 {
            match self.unslotted.cmpxchg(n, n.saturating_sub(1), Relaxed) {
                Ok(_) => return true,
                Err(now) => n = now,
            }
        }
        false
    }

    /// Whether some task is inside a window that has no slot.
    pub(crate) fn any_unslotted(&self) -> bool {
        peek(&self.unslotted) > 0
    }

    /// Returns the number of slots, and how many are in use.
    pub(crate) fn usage(&self) -> (usize, usize) {
        let used = self.slots.iter().filter(|s| s.task.load(Relaxed) != 0);
        (self.slots.len(), used.count())
    }

    /// Returns the memory that the table takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.slots.as_slice())
    }
}

impl Slot {
    /// Frees the slot.
    fn free(&self) {
        self.nest.set(Nest::default().0);
        self.last_origin.set(0);
        self.credited.set(0);
        self.submitter.set(0);
        self.shrink.clear();
        self.forget_samples();
        self.repeats().for_each(RepeatCounter::suspend);
        self.task.store(0, Release);
    }

    /// Forgets the samples of the layers below the entry of the window, because a window began or
    /// ended.
    fn forget_samples(&self) {
        for cell in &self.below {
            cell.set(0);
        }
        self.bio.set(0);
        self.zswap.set(0);
        self.flush.set(0);
        self.timed.set(0);
    }
}
