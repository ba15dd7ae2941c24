// SPDX-License-Identifier: GPL-2.0

//! The ring of a node: the targets that are queued, and an account of those that are being worked
//! on.
//!
//! Locks: the ring's spinlock, which process context takes with preemption on. Nothing under it
//! sleeps, allocates or puts a folio. For its place in the order see Documentation/design.rst.

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
            PageCache, //
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

/// Number of lanes: so many devices can have targets at once.
pub(crate) const LANES: usize = WORKERS;

/// Batches that are further apart than this, in nanoseconds, do not belong to the same wait.
const APART_NS: u64 = 100_000_000;

/// A ring none of whose targets was settled for this time, in nanoseconds, does not move.
const MOVES_NS: u64 = 1_000_000_000;

/// Number of places in the table of queued folios.
const SEEN: usize = 1024;

/// A target: a dirty file folio that reclaim met.
pub(crate) struct QueuedTarget {
    /// A reference to the folio. It keeps the folio from being freed or moved.
    pub(crate) folio: FolioRef,
    /// Address of the folio's superblock, which is only compared.
    pub(crate) sb: usize,
    /// Address of its inode, which is only compared.
    pub(crate) inode: usize,
    /// Address of its backing device, which is only compared.
    pub(crate) bdi: usize,
    /// Offset of the folio in the file, in pages.
    pub(crate) index: u64,
    /// When reclaim met the folio, in nanoseconds of `clock_ns()`.
    pub(crate) met: u64,
    /// Size of the folio in pages.
    pub(crate) nr_pages: u32,
    /// Node of the folio.
    pub(crate) nid: u32,
    /// The allocation for which reclaim met the folio.
    pub(crate) alloc: Alloc,
    /// How often the worker found the folio locked.
    pub(crate) tries: u32,
    /// For whom the folio is needed.
    pub(crate) need: Need,
}

/// For whom reclaim needs a folio.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The node of the folio is short of memory.
    Node,
    /// A cgroup to which the folio is charged is short of memory.
    Cgroup,
    /// Userspace asked for reclaim (proactive reclaim), whether memory is short or not.
    Asked,
}

struct RingInner {
    lanes: Lanes<QueuedTarget, KVVec<lanes::FifoSlot<QueuedTarget>>, LANES>,
    /// Addresses of queued folios, in places that their hash chooses. A folio may displace another
    /// one.
    seen: KVVec<usize>,
}

/// The outcome of [`Ring::offer`].
pub(crate) enum OfferResult {
    /// The target is queued now.
    Queued,
    /// The same folio was queued already.
    Merged,
    /// The target was refused, for this reason.
    Refused(Skip),
}

/// The ring of a node.
#[pin_data]
pub(crate) struct Ring {
    #[pin]
    inner: SpinLock<RingInner>,
    /// Pages of targets that are queued, worked on or under writeback.
    outstanding: Atomic<i64>,
    /// Whether the last target was offered on behalf of a cgroup, not of the node.
    for_cgroup: Atomic<bool>,
    /// When a target was settled last, in nanoseconds of `clock_ns()`.
    settled_at: Atomic<u64>,
    /// Batches of which nothing was freed, since a reclaimer waited last.
    futile: Atomic<u64>,
    /// When the last of these batches ended, in nanoseconds of `clock_ns()`.
    futile_at: Atomic<u64>,
    /// Time in which a page of the node is written, in nanoseconds; 0 if not known.
    ns_per_page: Atomic<u64>,
    bytes: usize,
}

fn place(folio: usize) -> usize {
    slots::probe_sequence(folio as u64, SEEN)
        .next()
        .unwrap_or(0)
}

impl Ring {
    /// Allocates a ring whose targets hold at most `pages` pages. Sleeps.
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

    /// Offers a target to a lane. A target that is not taken is dropped. Process context; does not
    /// sleep.
    pub(crate) fn offer(&self, lane: usize, target: QueuedTarget) -> OfferResult {
        let (key, nr) = (target.folio.key(), target.nr_pages);
        let refused = {
            let mut inner = self.inner.lock();
            if inner.seen.get(place(key)) == Some(&key) {
                // The target is dropped after the lock is released: nothing puts a folio under it.
                Some((OfferResult::Merged, target))
            } else {
                match inner.lanes.push(lane, nr, target) {
                    Ok(()) => {
                        if let Some(seen) = inner.seen.get_mut(place(key)) {
                            *seen = key;
                        }
                        // This is counted before the worker can take the target and subtract it.
                        self.outstanding.fetch_add(i64::from(nr), Relaxed);
                        None
                    }
                    Err((lanes::PushError::Full, t)) => Some((OfferResult::Refused(Skip::Full), t)),
                    Err((lanes::PushError::Share, t)) => {
                        Some((OfferResult::Refused(Skip::Share), t))
                    }
                }
            }
        };
        refused.map_or(OfferResult::Queued, |(offered, _target)| offered)
    }

    /// Moves targets of the lane to `into`: at most `max`, and no more than its capacity allows.
    /// Their pages count as held until [`Ring::release`]. Does not sleep.
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

    /// Drops a target and the pages that it holds. Its folio may be queued again from now on. May
    /// free the folio. Does not sleep.
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

    /// Accounts for `nr` pages of targets that are clean now, or were given up.
    pub(crate) fn settle(&self, nr: u32) {
        self.outstanding.fetch_sub(i64::from(nr), Relaxed);
        self.settled_at.store(system::clock_ns(), Relaxed);
    }

    /// Whether the targets are being written. False if none is left, or if their device does not
    /// answer.
    pub(crate) fn moves(&self) -> bool {
        let since = system::clock_ns().saturating_sub(self.settled_at.load(Relaxed));
        self.busy() && since < MOVES_NS
    }

    /// Whether any targets are still to be written.
    pub(crate) fn busy(&self) -> bool {
        self.outstanding.load(Relaxed) > 0
    }

    /// Notes whether the last target was for a cgroup. If so, the counters of the node do not tell
    /// how much of the cgroup's memory is dirty. This is a guess if several tasks reclaim at once.
    pub(crate) fn set_for_cgroup(&self, yes: bool) {
        if self.for_cgroup.load(Relaxed) != yes {
            self.for_cgroup.store(yes, Relaxed);
        }
    }

    /// Whether the last target was for a cgroup: see [`Ring::set_for_cgroup`].
    pub(crate) fn for_cgroup(&self) -> bool {
        self.for_cgroup.load(Relaxed)
    }

    /// Counts a batch of which nothing was freed. Returns true if it is time to wait. `cache` is
    /// the page cache of the node; `None` on behalf of a cgroup.
    pub(crate) fn out_of_patience(&self, cache: Option<PageCache>) -> bool {
        let now = system::clock_ns();
        let apart = now.saturating_sub(self.futile_at.load(Relaxed)) > APART_NS;
        let futile = if apart { 0 } else { self.futile.load(Relaxed) };
        let wait = futile >= patience::batches(self.ns_per_page.load(Relaxed), cache);
        let next = if wait { 0 } else { futile.saturating_add(1) };
        self.futile_at.store(now, Relaxed);
        self.futile.store(next, Relaxed);
        wait
    }

    /// Accounts for a window of `pages` pages, with targets of this node, which was written in `ns`
    /// nanoseconds.
    pub(crate) fn record_window(&self, pages: u32, ns: u64) {
        let mean = patience::mean(self.ns_per_page.load(Relaxed), pages, ns);
        self.ns_per_page.store(mean, Relaxed);
    }

    /// Returns the time in which a page of the node is written, in nanoseconds; 0 if not known.
    pub(crate) fn ns_per_page(&self) -> u64 {
        self.ns_per_page.load(Relaxed)
    }

    /// Returns the number of targets that are queued in the lane.
    pub(crate) fn queued(&self, lane: usize) -> u32 {
        self.inner.lock().lanes.queued(lane)
    }

    /// Returns the memory that the ring uses, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
