// SPDX-License-Identifier: GPL-2.0

//! A bounded queue with a lane for each device.
//!
//! The entries of all lanes share one pool. The pages of an entry count as held from
//! [`Lanes::push`] until [`Lanes::release`], so also while the worker that took it uses it. A lane
//! that is not emptied cannot take the whole pool: it may hold at most [`SHARE`] times the pages,
//! and the slots, that it leaves free (dynamic thresholds for shared buffers: Choudhury and Hahne,
//! 1998). So the more lanes are slow, the less each of them gets, and some room is left for a new
//! one. A lane that holds nothing only needs room for its entry.

use core::{
    marker::PhantomData,
    ops::DerefMut, //
};

/// A lane may hold this many times what it leaves free. A single lane gets 3/4 of all.
pub const SHARE: u64 = 3;

/// The index of no slot.
const NONE: u32 = u32::MAX;

/// Room for one entry.
pub struct FifoSlot<T> {
    next: u32,
    value: Option<T>,
}

impl<T> FifoSlot<T> {
    /// Creates an empty slot.
    pub const fn new() -> Self {
        Self {
            next: NONE,
            value: None,
        }
    }
}

impl<T> Default for FifoSlot<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Clone, Copy)]
struct Fifo {
    head: u32,
    tail: u32,
    queued: u32,
    pages: u64,
}

/// Why an entry was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushError {
    /// There is no room at all.
    Full,
    /// The lane has its share.
    Share,
}

/// Whether a lane that holds `held` would hold too much with `add` more, if `left` were free then.
fn exceeds_share(held: u64, add: u64, left: u64) -> bool {
    held != 0 && held.saturating_add(add) > left.saturating_mul(SHARE)
}

/// The queue. `S` is its memory, which never grows.
pub struct Lanes<T, S, const N: usize> {
    slots: S,
    free: u32,
    free_slots: u32,
    lanes: [Fifo; N],
    pages: u64,
    limit: u64,
    values: PhantomData<T>,
}

impl<T, S: DerefMut<Target = [FifoSlot<T>]>, const N: usize> Lanes<T, S, N> {
    /// Creates an empty queue with these slots, whose entries hold at most `limit` pages. Slots
    /// beyond `u32::MAX - 1` are not used.
    pub fn new(mut slots: S, limit: u64) -> Self {
        let n = slots.len().min(NONE as usize);
        for (i, slot) in slots.iter_mut().take(n).enumerate() {
            slot.value = None;
            let next = i.saturating_add(1);
            slot.next = if next < n { next as u32 } else { NONE };
        }
        Self {
            slots,
            free: if n == 0 { NONE } else { 0 },
            free_slots: n as u32,
            lanes: [Fifo {
                head: NONE,
                tail: NONE,
                queued: 0,
                pages: 0,
            }; N],
            pages: 0,
            limit,
            values: PhantomData,
        }
    }

    /// Appends an entry that holds `pages` pages, or returns it with the reason. If nothing else is
    /// held, an entry may hold more than the limit.
    pub fn push(&mut self, lane: usize, pages: u32, value: T) -> Result<(), (PushError, T)> {
        let add = u64::from(pages);
        let left = self.limit.saturating_sub(self.pages);
        if add > left && self.pages != 0 {
            return Err((PushError::Full, value));
        }
        let Some(l) = self.lanes.get_mut(lane) else {
            return Err((PushError::Full, value));
        };
        let i = self.free;
        let Some(slot) = self.slots.get_mut(i as usize) else {
            return Err((PushError::Full, value));
        };
        let slots_left = self.free_slots.saturating_sub(1);
        if exceeds_share(l.pages, add, left.saturating_sub(add))
            || exceeds_share(l.queued.into(), 1, slots_left.into())
        {
            return Err((PushError::Share, value));
        }
        self.free_slots = slots_left;
        self.free = slot.next;
        slot.next = NONE;
        slot.value = Some(value);
        let tail = core::mem::replace(&mut l.tail, i);
        match self.slots.get_mut(tail as usize) {
            Some(last) => last.next = i,
            None => l.head = i,
        }
        l.queued = l.queued.saturating_add(1);
        l.pages = l.pages.saturating_add(add);
        self.pages = self.pages.saturating_add(add);
        Ok(())
    }

    /// Removes and returns the oldest entry of a lane. Its pages still count as held.
    pub fn pop(&mut self, lane: usize) -> Option<T> {
        let l = self.lanes.get_mut(lane)?;
        let i = l.head;
        let slot = self.slots.get_mut(i as usize)?;
        let value = slot.value.take()?;
        l.head = slot.next;
        l.queued = l.queued.saturating_sub(1);
        if l.head == NONE {
            l.tail = NONE;
        }
        slot.next = self.free;
        self.free = i;
        self.free_slots = self.free_slots.saturating_add(1);
        Some(value)
    }

    /// Gives back the pages of an entry of the lane.
    pub fn release(&mut self, lane: usize, pages: u32) {
        let Some(l) = self.lanes.get_mut(lane) else {
            return;
        };
        // This must not give back what other lanes hold.
        let sub = l.pages.min(pages.into());
        l.pages = l.pages.saturating_sub(sub);
        self.pages = self.pages.saturating_sub(sub);
    }

    /// Returns the number of entries that are queued in the lane.
    pub fn queued(&self, lane: usize) -> u32 {
        self.lanes.get(lane).map_or(0, |l| l.queued)
    }

    /// Returns the number of pages that the lane's entries hold, including those that a worker
    /// uses.
    pub fn lane_pages(&self, lane: usize) -> u64 {
        self.lanes.get(lane).map_or(0, |l| l.pages)
    }

    /// Returns the number of pages that all entries hold.
    pub fn pages(&self) -> u64 {
        self.pages
    }
}
