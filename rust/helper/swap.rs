// SPDX-License-Identifier: GPL-2.0

//! The swap half of the writeback helper: handoff.
//!
//! Flow: when reclaim has prepared a request to swap out, [`SwapHook::write`] puts it into the
//! queue of its device. That device's writer submits it. When the reclaimer that made the request
//! is through with a batch of folios, it waits in [`SwapHook::wait`] until there is room for more.
//! The end of a request makes room.
//!
//! A prepared request consists of folios under writeback, unlocked, in neighbouring slots. To the
//! rest of the kernel they are what they would be if the device had them already. So all reclaimers
//! may be served alike, and the helper references nothing, tries nothing again and gives nothing
//! up. `policy::link` says how much the device is given at once. A reclaimer that finds more under
//! way than that waits its turn, as it would wait for a tag or for a lock of the device. If the
//! device is late, it waits some seconds at most.
//!
//! Stop order: the helper lets nobody in any more, and sends away the tasks that wait. The writers
//! submit what they have. The helper tells the kernel, which waits for the last call. Then the
//! writers end. A writer that is inside a device that does not answer keeps us waiting; a message
//! says so.
//!
//! Context: [`SwapHook::write`] runs inside reclaim, where reclaim would submit, and does not
//! sleep. [`SwapHook::wait`] sleeps, after a batch. Neither allocates. [`SwapHook::done`] runs in
//! any context.
//!
//! Locks: those of lane.rs and table.rs.

mod lane;
mod table;
mod writer;

pub(crate) use lane::SwapLane;
pub(crate) use table::SwapDeviceName;

use crate::{
    kernel_ext::{
        kthread::Kthread,
        percpu::pinned,
        reclaim::{
            CompletedRequest,
            SwapBatch,
            SwapRequest, //
        },
        workqueue::{
            Tick,
            Ticker, //
        },
    },
    ledgers::Ledgers,
    policy::{
        handoff::{
            decide,
            TaskClass, //
        },
        idle, //
    },
    probes::{
        block,
        stall, //
    },
    settings,
    words::{
        Layer,
        Origin,
        Refusal, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};
use lane::Reclaimer;
use table::{
    SwapLanes,
    LANES, //
};
use writer::Writer;

/// The most pages that a task that waited is told were written meanwhile: as many as direct reclaim
/// is content with (SWAP_CLUSTER_MAX). The task then looks for memory before it makes more
/// requests, for which it would have to wait anew.
const MOST_SEEN: u32 = 32;

/// How often the ticker checks whether a device is late, in ms, while somebody waits.
const LOOK_MS: u32 = 100;

/// State that the hook, the writers and the debugfs readers share.
#[pin_data]
pub(crate) struct SwapState {
    ledgers: Arc<Ledgers>,
    #[pin]
    table: SwapLanes,
}

impl SwapState {
    /// Calls `f` with the name and the state of each device that was served.
    pub(crate) fn devices(&self, f: impl FnMut(SwapDeviceName, &SwapLane)) {
        self.table.for_each(f);
    }

    /// Returns the memory that the helper takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of::<Self>()
            .saturating_add(self.table.bytes())
            .saturating_add(LANES.saturating_mul(Writer::bytes(self.table.requests())))
    }
}

impl Tick for SwapState {
    fn tick(&self) -> u32 {
        // This looks at all lanes, and does not stop at the first one.
        let waits = self.table.iter().filter(|lane| lane.check_late()).count();
        match waits {
            0 => 0,
            _ => LOOK_MS,
        }
    }
}

/// The handoff half of [`Callbacks`](super::Callbacks): what the kernel calls.
pub(crate) struct SwapHook {
    // Dropped in this order: the ticker, the writers, then what they use.
    ticker: Ticker<SwapState>,
    writers: KVec<Kthread<Writer>>,
    shared: Arc<SwapState>,
}

impl SwapHook {
    /// Starts the writers. Sleeps.
    pub(crate) fn new(ledgers: Arc<Ledgers>) -> Result<Self> {
        let requests = settings::ring_pages();
        let shared = Arc::pin_init(
            try_pin_init!(SwapState {
                ledgers,
                table <- SwapLanes::new(requests),
            }? Error),
            GFP_KERNEL,
        )?;
        let mut writers = KVec::with_capacity(LANES, GFP_KERNEL)?;
        for index in 0..LANES {
            let writer = Writer::new(shared.clone(), index, requests)?;
            writers.push(Kthread::new(writer, index)?, GFP_KERNEL)?;
        }
        Ok(Self {
            ticker: Ticker::new(shared.clone())?,
            writers,
            shared,
        })
    }

    /// Returns the state that debugfs readers look at.
    pub(crate) fn shared(&self) -> Arc<SwapState> {
        self.shared.clone()
    }

    /// Takes a request, and returns its cookie, or why it was not taken. Does not sleep.
    fn take(&self, request: &SwapRequest<'_>) -> Result<usize, Refusal> {
        let (floor, info) = (settings::handoff_floor(), request.info());
        if let Some(why) = decide(settings::handoff(), floor, &info) {
            return Err(why);
        }
        let table = &self.shared.table;
        let found = table
            .lane_of(request.device())
            .and_then(|index| Some((table.get(index)?, self.writers.get(index)?)));
        let (lane, writer) = found.ok_or(Refusal::Devices)?;
        let (cookie, goes_on) = lane.enter(request, info.headroom >= floor)?;
        if goes_on {
            idle::rouse(&lane.idle, || writer.wake());
        }
        Ok(cookie)
    }

    /// Offers a request that reclaim has prepared. Returns its cookie if it is ours, or 0. Does not
    /// sleep.
    pub(crate) fn write(&self, request: &SwapRequest<'_>) -> usize {
        let ledgers = &self.shared.ledgers;
        let at = request.at();
        pinned(|pin| block::note_handoff(ledgers, pin, at, request.bio()));
        let taken = self.take(request);
        pinned(|pin| {
            let (slot, origin) = match ledgers.slot_or_origin(pin, at) {
                Ok(slot) => (Some(slot), slot.origin()),
                Err(origin) => (None, origin),
            };
            let ledger = ledgers.handoff.this(pin);
            match taken {
                Ok(cookie) => {
                    // The bio is made by the writer, a task that knows neither slot nor origin.
                    block::record_handoff(ledgers, pin, slot, origin, request.bio());
                    if settings::enabled() {
                        let used = slot.and_then(|s| s.sample(Layer::Handoff, at.depth as u64));
                        ledgers.sample(pin, at, origin, Layer::Handoff, used);
                    }
                    ledger.record_taken(origin, request.pages());
                    cookie
                }
                Err(why) => {
                    ledger.record_refused(origin, why);
                    0
                }
            }
        })
    }

    /// Makes a reclaimer wait, if there is no room, when it is through with a batch of which pages
    /// were taken. Called in reclaim. Sleeps.
    pub(crate) fn wait(&self, batch: &SwapBatch<'_>) {
        let cookie = batch.cookie();
        let Some((_, lane)) = self.shared.table.find(cookie) else {
            return;
        };
        let ledgers = &self.shared.ledgers;
        let at = batch.at();
        let reclaimer = Reclaimer {
            class: batch.class(),
            task: at.task,
            faults: batch.faults(),
        };
        let waited = lane.wait(cookie, batch.counts(), reclaimer, || {
            pinned(|pin| stall::writer_wait(ledgers, pin, at, true));
            self.ticker.start(LOOK_MS);
        });
        // Most batches find room.
        let Some(waited) = waited else {
            return;
        };
        // The pages that were written are progress for direct reclaim of a task, which then looks
        // for memory. Other reclaim ignores them. Reclaim for a larger order would take them for
        // pages that may lie side by side. The kernel is told with or without the observer. The
        // task's slot counts them only if there is a slot.
        let tells = batch.class() == TaskClass::Ordinary && batch.order() == 0;
        let seen = if tells {
            waited.written.min(MOST_SEEN)
        } else {
            0
        };
        pinned(|pin| {
            stall::writer_wait(ledgers, pin, at, false);
            let (slot, origin) = match ledgers.slot_or_origin(pin, at) {
                Ok(slot) => (Some(slot), slot.origin()),
                Err(origin) => (None, origin),
            };
            ledgers.handoff.this(pin).record_wait(origin, waited.ns);
            if let Some(slot) = slot.filter(|_| origin == Origin::Direct) {
                slot.add_credited(seen.into());
            }
        });
        if seen != 0 {
            batch.report_written(seen);
        }
    }

    /// Accounts for the end of a request that has a cookie. Any context.
    pub(crate) fn done(&self, done: &CompletedRequest) {
        let Some((index, lane)) = self.shared.table.find(done.cookie) else {
            return;
        };
        let (ns, goes_on) = lane.done(done.pages, done.sent, done.failed);
        if goes_on {
            if let Some(writer) = self.writers.get(index) {
                idle::rouse(&lane.idle, || writer.wake());
            }
        }
        self.shared
            .ledgers
            .swap_requests
            .count(done.pages, ns / 1000, done.failed);
    }

    /// Sends away the tasks that wait for room, and lets nobody in any more. This must be called
    /// before the kernel is told that we go, because the kernel waits for these tasks.
    pub(crate) fn close(&self) {
        for (lane, writer) in self.shared.table.iter().zip(&self.writers) {
            lane.close();
            // Once the kernel calls no more, no end of a request wakes a writer. Each one submits
            // what it has now, and does not wait until those before it have been stopped.
            idle::rouse(&lane.idle, || writer.wake());
        }
    }
}

impl Drop for SwapHook {
    fn drop(&mut self) {
        // The kernel calls no more. A writer that is inside a device cannot be stopped.
        self.shared.devices(|name, lane| {
            // The requests that were submitted no longer depend on us.
            let stats = lane.stats();
            if stats.late && stats.taken != stats.written {
                pr_warn!("waiting for swap device {name}, which does not answer\n");
            }
        });
    }
}
