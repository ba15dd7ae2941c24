// SPDX-License-Identifier: GPL-2.0

//! A node's ring: the targets that wait, and those being worked on.
//!
//! Locks: the ring's own, innermost but for those of `folio_get()`'s kind (none).
//! Taken in process context with preemption on; nothing under it sleeps,
//! allocates, or puts a folio.

use crate::{
    kernel_ext::{
        fs::FolioRef,
        reclaim::Alloc,
        system, //
    },
    ledgers::write_around::WORKERS,
    policy::{
        lanes::{
            self,
            Lanes, //
        },
        patience::{
            self,
            Cache, //
        },
        slots, //
    },
    words::Skip, //
};
use kernel::{
    alloc::KVVec,
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        SpinLock, //
    },
};

/// Devices that can have targets at once and be told apart.
pub(crate) const LANES: usize = WORKERS;

/// Batches further apart than this have nothing to do with each other.
const APART_NS: u64 = 100_000_000;

/// A ring of which nothing was written for so long does not move.
const MOVES_NS: u64 = 1_000_000_000;

/// Places of the table of what is queued.
const SEEN: usize = 1024;

/// A dirty file folio that reclaim met.
pub(crate) struct QueuedTarget {
    /// The folio, kept from being freed or moved.
    pub(crate) folio: FolioRef,
    /// Addresses of its superblock, inode and backing device, to be compared.
    pub(crate) sb: usize,
    /// See `sb`.
    pub(crate) inode: usize,
    /// See `sb`.
    pub(crate) bdi: usize,
    /// Its place in the file, in pages.
    pub(crate) index: u64,
    /// When it was met, in nanoseconds of `clock_ns()`.
    pub(crate) met: u64,
    /// Its size in pages.
    pub(crate) nr_pages: u32,
    /// Its node.
    pub(crate) nid: u32,
    /// The allocation that reclaim met it for.
    pub(crate) alloc: Alloc,
    /// How often its folio was found locked.
    pub(crate) tries: u32,
    /// For whom it is needed.
    pub(crate) need: Need,
}

/// Who is short of memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The folio's node.
    Node,
    /// A cgroup that it is charged to.
    Cgroup,
    /// Userspace wants it reclaimed.
    Asked,
}

struct RingInner {
    lanes: Lanes<QueuedTarget, KVVec<lanes::FifoSlot<QueuedTarget>>, LANES>,
    /// Addresses of queued folios, by hash; one may drive out another.
    seen: KVVec<usize>,
}

/// What came of offering a target.
pub(crate) enum Offered {
    /// It waits now.
    Queued,
    /// It waits already.
    Merged,
    /// No room, and why.
    Refused(Skip),
}

/// The ring of a node.
#[pin_data]
pub(crate) struct Ring {
    #[pin]
    inner: SpinLock<RingInner>,
    /// Pages of targets that are queued, worked on or under writeback.
    outstanding: Atomic<i64>,
    /// The target that was offered last was for a cgroup, not for the node.
    for_cgroup: Atomic<bool>,
    /// When the last target was clean, or given up, in nanoseconds of `clock_ns()`.
    settled_at: Atomic<u64>,
    /// Batches of which nothing was freed, since one waited.
    futile: Atomic<u64>,
    /// When the last of them was, in nanoseconds of `clock_ns()`.
    futile_at: Atomic<u64>,
    /// What a page of the node takes to be written, in nanoseconds.
    ns_per_page: Atomic<u64>,
    bytes: usize,
}

fn place(folio: usize) -> usize {
    slots::probe_sequence(folio as u64, SEEN)
        .next()
        .unwrap_or(0)
}

impl Ring {
    /// A ring whose targets hold at most `pages`. Sleeps.
    pub(crate) fn new(pages: usize) -> Result<Pin<KBox<Self>>> {
        let mut slots = KVVec::with_capacity(pages, GFP_KERNEL)?;
        for _ in 0..pages {
            slots.push(lanes::FifoSlot::new(), GFP_KERNEL)?;
        }
        let seen = KVVec::from_elem(0usize, SEEN, GFP_KERNEL)?;
        let bytes = core::mem::size_of_val(slots.as_slice())
            .saturating_add(core::mem::size_of_val(seen.as_slice()));
        KBox::pin_init(
            pin_init!(Self {
                inner <- new_spinlock!(
                    RingInner { lanes: Lanes::new(slots, pages as u64), seen },
                    "reclaimwb_ring"
                ),
                outstanding: Atomic::new(0),
                for_cgroup: Atomic::new(false),
                settled_at: Atomic::new(0),
                futile: Atomic::new(0),
                futile_at: Atomic::new(0),
                ns_per_page: Atomic::new(0),
                bytes,
            }),
            GFP_KERNEL,
        )
    }

    /// Offers a target to a lane. Process context, does not sleep.
    pub(crate) fn offer(&self, lane: usize, target: QueuedTarget) -> Offered {
        let (key, nr) = (target.folio.key(), target.nr_pages);
        let refused = {
            let mut inner = self.inner.lock();
            if inner.seen.get(place(key)) == Some(&key) {
                // The target is dropped after the lock: see the head.
                Some((Offered::Merged, target))
            } else {
                match inner.lanes.push(lane, nr, target) {
                    Ok(()) => {
                        if let Some(seen) = inner.seen.get_mut(place(key)) {
                            *seen = key;
                        }
                        // Before the worker can take it and count it down.
                        self.outstanding.fetch_add(i64::from(nr), Relaxed);
                        None
                    }
                    Err((lanes::PushError::Full, t)) => Some((Offered::Refused(Skip::Full), t)),
                    Err((lanes::PushError::Share, t)) => Some((Offered::Refused(Skip::Share), t)),
                }
            }
        };
        refused.map_or(Offered::Queued, |(offered, _target)| offered)
    }

    /// Moves the lane's targets to `into`, at most `max`, as far as it has room.
    /// They count as held until [`Ring::release`]. Does not sleep.
    pub(crate) fn take(&self, lane: usize, into: &mut KVVec<QueuedTarget>, max: usize) {
        let room = into.capacity().min(into.len().saturating_add(max));
        let mut inner = self.inner.lock();
        while into.len() < room {
            let Some(target) = inner.lanes.pop(lane) else {
                break;
            };
            // There is room, so nothing is dropped under the lock.
            let _ = into.push_within_capacity(target);
        }
    }

    /// A target gives up its folio: it holds no pages any more, and may be met
    /// again. Drops it. May free the folio.
    pub(crate) fn release(&self, lane: usize, target: QueuedTarget) {
        let key = target.folio.key();
        {
            let mut inner = self.inner.lock();
            inner.lanes.release(lane, target.nr_pages);
            if let Some(seen) = inner.seen.get_mut(place(key)) {
                if *seen == key {
                    *seen = 0;
                }
            }
        }
        drop(target);
    }

    /// `nr` pages of targets are clean, or given up.
    pub(crate) fn settle(&self, nr: u32) {
        self.outstanding.fetch_sub(i64::from(nr), Relaxed);
        self.settled_at.store(system::clock_ns(), Relaxed);
    }

    /// Is what is held being written, or is it that of a device that does not answer?
    pub(crate) fn moves(&self) -> bool {
        let since = system::clock_ns().saturating_sub(self.settled_at.load(Relaxed));
        self.busy() && since < MOVES_NS
    }

    /// Are targets still to be written?
    pub(crate) fn busy(&self) -> bool {
        self.outstanding.load(Relaxed) > 0
    }

    /// Notes whether the last target was for a cgroup: the node's counters then do
    /// not tell how much of what it may reclaim is dirty. A guess when several
    /// reclaim at once.
    pub(crate) fn set_for_cgroup(&self, yes: bool) {
        if self.for_cgroup.load(Relaxed) != yes {
            self.for_cgroup.store(yes, Relaxed);
        }
    }

    /// See [`Ring::set_for_cgroup`].
    pub(crate) fn for_cgroup(&self) -> bool {
        self.for_cgroup.load(Relaxed)
    }

    /// Counts a batch of which nothing was freed: is it time to wait? `cache`: the
    /// node's, or none on behalf of a cgroup.
    pub(crate) fn out_of_patience(&self, cache: Option<Cache>) -> bool {
        let now = system::clock_ns();
        let apart = now.saturating_sub(self.futile_at.load(Relaxed)) > APART_NS;
        let futile = if apart { 0 } else { self.futile.load(Relaxed) };
        let wait = futile >= patience::batches(self.ns_per_page.load(Relaxed), cache);
        let next = if wait { 0 } else { futile.saturating_add(1) };
        self.futile_at.store(now, Relaxed);
        self.futile.store(next, Relaxed);
        wait
    }

    /// A window of `pages`, with targets of the node, took `ns` more to be written.
    pub(crate) fn took(&self, pages: u32, ns: u64) {
        let mean = patience::mean(self.ns_per_page.load(Relaxed), pages, ns);
        self.ns_per_page.store(mean, Relaxed);
    }

    /// What a page of the node takes to be written, in nanoseconds; 0: not known.
    pub(crate) fn ns_per_page(&self) -> u64 {
        self.ns_per_page.load(Relaxed)
    }

    /// Targets that wait in the lane.
    pub(crate) fn queued(&self, lane: usize) -> u32 {
        self.inner.lock().lanes.queued(lane)
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
