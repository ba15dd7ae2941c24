// SPDX-License-Identifier: GPL-2.0

//! The file half of the writeback helper: write-around.
//!
//! Flow: when reclaim meets a dirty file folio, [`FileHook::dirty_file`] puts a reference to it
//! into the ring of the folio's node, in the lane of its device. The worker of that lane writes the
//! windows around the targets that are queued there, and records the result in the ledger.
//!
//! Stop order: the module unregisters from the kernel, which waits for the last callback. Then the
//! workers are told to stop, their queues are drained, and what is left is freed.
//!
//! Context: the callback runs inside reclaim. It never sleeps, allocates or drops the last
//! reference to anything.
//!
//! Locks: `at_hand` of a lane, which only the lane's own worker takes. For the order of all locks
//! see Documentation/design.rst.

mod freed;
mod lane;
mod ring;
mod worker;

pub(crate) use freed::Freed;

use crate::{
    kernel_ext::{
        percpu::pinned,
        reclaim::{
            self,
            BackingDevice,
            DirtyFolio, //
        },
        system,
        workqueue::{
            Ticker,
            Workqueue, //
        },
    },
    ledgers::Ledgers,
    settings,
    words::Skip, //
};
use kernel::{
    impl_has_work, new_mutex, new_work,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc,
        Mutex, //
    },
    workqueue::{
        Work,
        WorkItem, //
    },
};
use lane::{
    FileLanes,
    LaneState, //
};
use ring::{
    Need,
    OfferResult,
    QueuedTarget,
    Ring,
    LANES, //
};

/// State that the callback, the workers and the debugfs readers share.
#[pin_data]
pub(crate) struct FileState {
    ledgers: Arc<Ledgers>,
    /// The rings, by node. `None` for a node that was not online when the helper was switched on.
    rings: KVec<Option<Pin<KBox<Ring>>>>,
    #[pin]
    table: FileLanes,
    freed: Ticker<Freed>,
    stopping: Atomic<bool>,
}

impl FileState {
    fn rings(&self) -> impl Iterator<Item = &Ring> {
        self.rings.iter().flatten().map(|r| &**r)
    }

    fn ring(&self, nid: u32) -> Option<&Ring> {
        self.rings.get(nid as usize)?.as_deref()
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Acquire)
    }

    /// Checks in a second whether the page has been freed. Does not sleep.
    fn watch(&self, page: freed::WatchedPage) {
        self.freed.data().watch(page);
        self.freed.start(freed::TICK_MS);
    }
}

/// The lane of a device: its work item, and the state of its worker.
#[pin_data]
pub(crate) struct FileLane {
    shared: Arc<FileState>,
    index: usize,
    #[pin]
    work: Work<FileLane>,
    #[pin]
    at_hand: Mutex<worker::WorkerState>,
}

impl_has_work! {
    impl HasWork<Self> for FileLane { self.work }
}

impl FileLane {
    fn new(shared: Arc<FileState>, index: usize) -> Result<Arc<Self>> {
        let at_hand = worker::WorkerState::new()?;
        Arc::pin_init(
            pin_init!(Self {
                shared,
                index,
                work <- new_work!("reclaimwb_lane"),
                at_hand <- new_mutex!(at_hand, "reclaimwb_lane"),
            }),
            GFP_KERNEL,
        )
    }

    fn state(&self) -> Option<&LaneState> {
        self.shared.table.state(self.index)
    }

    /// See [`LaneState::blocking`].
    fn blocking<R>(&self, f: impl FnOnce() -> R) -> R {
        match self.state() {
            Some(state) => state.blocking(f),
            None => f(),
        }
    }

    /// Whether targets are queued for this lane.
    fn has_work(&self) -> bool {
        self.shared.rings().any(|r| r.queued(self.index) != 0)
    }

    /// Releases the folio of a target that was decided: written or skipped.
    fn release(&self, target: QueuedTarget) {
        if let Some(state) = self.state() {
            state.pending.fetch_sub(1, Relaxed);
        }
        match self.shared.ring(target.nid) {
            Some(ring) => ring.release(self.index, target),
            None => drop(target),
        }
    }

    /// Accounts for `nr` pages of a target on node `nid` that are clean now, or were given up.
    fn settle(&self, nid: u32, nr: u32) {
        if let Some(ring) = self.shared.ring(nid) {
            ring.settle(nr);
        }
    }
}

impl WorkItem for FileLane {
    type Pointer = Arc<FileLane>;

    fn run(this: Arc<FileLane>) {
        if let Some(state) = this.state() {
            let workers = &this.shared.ledgers.workers;
            state.set_running(true);
            workers.set(this.index, system::task());
            this.at_hand.lock().run(&this);
            workers.set(this.index, 0);
            state.set_running(false);
        }
    }
}

/// Returns for whom reclaim needs the folio.
fn need(folio: &DirtyFolio<'_>) -> Need {
    if folio.proactive() {
        Need::Asked
    } else if folio.memcg() {
        Need::Cgroup
    } else {
        Need::Node
    }
}

/// The write-around half of [`Callbacks`](super::Callbacks).
pub(crate) struct FileHook {
    // Dropped in this order: the queues, which wait until their workers are done, then what the
    // workers use.
    queues: KVec<Workqueue>,
    lanes: KVec<Arc<FileLane>>,
    shared: Arc<FileState>,
}

impl FileHook {
    /// Allocates rings and lanes, and creates a workqueue for each lane. Sleeps. Fails with
    /// `ENOMEM`.
    pub(crate) fn new(ledgers: Arc<Ledgers>) -> Result<Arc<Self>> {
        let freed = Ticker::new(Freed::new(ledgers.clone())?)?;
        let mut rings = KVec::new();
        for nid in 0..reclaim::nodes() {
            let ring = match system::node_online(nid as u32) {
                true => Some(Ring::new(settings::ring_pages())?),
                false => None,
            };
            rings.push(ring, GFP_KERNEL)?;
        }
        let shared = Arc::pin_init(
            pin_init!(FileState {
                ledgers,
                rings,
                table <- FileLanes::new(),
                freed,
                stopping: Atomic::new(false),
            }),
            GFP_KERNEL,
        )?;
        let (mut queues, mut lanes) = (KVec::new(), KVec::new());
        for index in 0..LANES {
            queues.push(Workqueue::new(index)?, GFP_KERNEL)?;
            lanes.push(FileLane::new(shared.clone(), index)?, GFP_KERNEL)?;
        }
        Ok(Arc::new(
            Self {
                queues,
                lanes,
                shared,
            },
            GFP_KERNEL,
        )?)
    }

    /// Returns the state that debugfs readers show.
    pub(crate) fn shared(&self) -> Arc<FileState> {
        self.shared.clone()
    }

    /// Called when reclaim meets a dirty file folio. Returns true if the folio will be written
    /// soon. Does not sleep.
    pub(crate) fn dirty_file(&self, folio: &DirtyFolio<'_>) -> bool {
        let offered = self.offer(folio);
        pinned(|pin| {
            let ledger = self.shared.ledgers.write_around.this(pin);
            let [folios, pages] = &ledger.met;
            folios.add(1);
            pages.add(u64::from(folio.nr_pages()));
            match offered {
                OfferResult::Queued => {
                    let [folios, pages] = &ledger.queued;
                    folios.add(1);
                    pages.add(u64::from(folio.nr_pages()));
                    true
                }
                OfferResult::Merged => {
                    ledger.merged.add(1);
                    true
                }
                OfferResult::Refused(why) => {
                    ledger.skip(why);
                    // The ring is full because much is being written already. Reclaim waits for
                    // that, so the flusher need not write everything else. If none of it is
                    // written, only the flusher can help.
                    let full = matches!(why, Skip::Full | Skip::Share);
                    full && self.shared.ring(folio.nid()).is_some_and(Ring::moves)
                }
            }
        })
    }

    fn offer(&self, folio: &DirtyFolio<'_>) -> OfferResult {
        if let Some(why) = folio.unfit() {
            return OfferResult::Refused(why);
        }
        let Some(ring) = self.shared.ring(folio.nid()) else {
            return OfferResult::Refused(Skip::Node);
        };
        if need(folio) == Need::Node && !reclaim::node_short(folio.nid(), folio.alloc()) {
            return OfferResult::Refused(Skip::Enough);
        }
        let device = folio.device();
        let Some(lane) = self.shared.table.lane_of(&device) else {
            return OfferResult::Refused(Skip::Devices);
        };
        let (Some(state), Some(item), Some(queue)) = (
            self.shared.table.state(lane),
            self.lanes.get(lane),
            self.queues.get(lane),
        ) else {
            return OfferResult::Refused(Skip::Devices);
        };
        if state.stuck() {
            return OfferResult::Refused(Skip::Stuck);
        }
        ring.set_for_cgroup(need(folio) != Need::Node);
        // The count is raised first, because a worker that finds no pending targets frees the lane.
        state.pending.fetch_add(1, Relaxed);
        let offered = ring.offer(lane, Self::target(folio, &device));
        if matches!(offered, OfferResult::Queued) {
            state.queued.fetch_add(1, Relaxed);
            let _ = queue.enqueue(item.clone());
        } else {
            state.pending.fetch_sub(1, Relaxed);
        }
        offered
    }

    fn target(folio: &DirtyFolio<'_>, device: &BackingDevice<'_>) -> QueuedTarget {
        QueuedTarget {
            folio: folio.reference(),
            sb: folio.sb_key(),
            inode: folio.inode_key(),
            bdi: device.key(),
            index: folio.index(),
            met: system::clock_ns(),
            nr_pages: folio.nr_pages(),
            nid: folio.nid(),
            alloc: folio.alloc(),
            tries: 0,
            need: need(folio),
        }
    }

    /// Called by a reclaimer that freed nothing of a batch. Returns true if it had better wait for
    /// the targets of the node that are still to be written. Does not sleep.
    pub(crate) fn busy(&self, nid: u32) -> bool {
        let busy = self.shared.ring(nid).is_some_and(|ring| {
            ring.busy()
                && ring.out_of_patience((!ring.for_cgroup()).then(|| reclaim::node_cache(nid)))
        });
        if busy {
            pinned(|pin| self.shared.ledgers.write_around.this(pin).waits.add(1));
        }
        busy
    }
}

impl Drop for FileHook {
    fn drop(&mut self) {
        // The kernel does not call us any more (see `Registration`). The workers give up the
        // targets that they hold. Targets that they have not taken are dropped with the rings.
        self.shared.stopping.store(true, Release);
        for (queue, lane) in self.queues.iter().zip(self.lanes.iter()) {
            let _ = queue.enqueue(lane.clone());
        }
    }
}

impl FileState {
    /// Calls `f` with the name and state of each device that has a lane.
    pub(crate) fn devices(&self, f: impl FnMut(&str, &LaneState)) {
        self.table.for_each(f);
    }

    /// Returns each node with the time in which one of its pages is written, in nanoseconds; 0 if
    /// that is not known yet.
    pub(crate) fn pace(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let rings = self.rings.iter().enumerate();
        rings.filter_map(|(nid, ring)| Some((nid, ring.as_ref()?.ns_per_page())))
    }

    /// Returns the memory that write-around uses, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of::<Self>()
            .saturating_add(self.rings().map(Ring::bytes).fold(0, usize::saturating_add))
            .saturating_add(LANES.saturating_mul(worker::WorkerState::bytes()))
            .saturating_add(self.freed.data().bytes())
    }
}
