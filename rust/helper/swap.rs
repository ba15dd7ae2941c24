// SPDX-License-Identifier: GPL-2.0

//! The writeback helper, swap half: handoff.
//!
//! Flow: reclaim has prepared a request to swap out -> [`SwapHook::write`] puts it into the queue
//! of its device -> that device's writer submits it; and who made it, when it is through with a
//! batch of folios, waits in [`SwapHook::wait`] until there is room for more -> ends of requests
//! make room.
//!
//! A prepared request is folios under writeback, unlocked, in neighbouring slots: to all of
//! the kernel they are what they would be if the device had them already. So whoever asks may
//! be served alike, and nothing is referenced, tried again or given up. `policy::link` says
//! how much the device is given at once. Who finds more under way than that waits its turn, as
//! it would wait for a tag or for a lock of the device; for a device that is late, some seconds
//! at most.
//!
//! Stop order: nobody is let in any more, and those who wait go away; the kernel is told, and
//! waits for the last call; then the writers submit what they have, and end. A writer that
//! is inside a device that does not answer keeps us waiting; we say so.
//!
//! Context: [`SwapHook::write`] runs inside reclaim, where reclaim would submit, and does not
//! sleep; [`SwapHook::wait`] does, after a batch. Neither allocates. [`SwapHook::done`] runs in any
//! context.
//!
//! Locks: those of lane.rs and table.rs, never both.

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
            Done,
            SwapBatch,
            SwapRequest, //
        },
        system,
        workqueue::{
            Tick,
            Ticker, //
        },
    },
    ledgers::Ledgers,
    policy::{
        handoff::{
            decide,
            Who, //
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
    sync::{
        atomic::Relaxed,
        Arc, //
    },
};
use lane::Asker;
use table::{
    SwapLanes,
    LANES, //
};
use writer::Writer;

/// A cookie is one of so many, by its lane.
const COOKIES: usize = 2 * LANES;

/// Pages that one who waits has seen written at most: as many as direct reclaim is content with
/// (SWAP_CLUSTER_MAX). It looks for memory then, before it makes more requests, for which it
/// would have to wait anew.
const MOST_SEEN: u32 = 32;

/// How often it is looked whether a device is late, in ms, while somebody waits.
const LOOK_MS: u32 = 100;

/// What hook, writers and readers share.
#[pin_data]
pub(crate) struct SwapState {
    ledgers: Arc<Ledgers>,
    #[pin]
    table: SwapLanes,
    /// Tells our requests from those of a helper before us that are still in flight.
    since: usize,
}

impl SwapState {
    /// What the requests of a lane are marked with; not 0.
    fn cookie(&self, lane: usize) -> usize {
        self.since.wrapping_mul(COOKIES) | lane.wrapping_add(1)
    }

    /// The lane of a request; `None` if it is not ours.
    fn lane_of(&self, cookie: usize) -> Option<usize> {
        let lane = (cookie % COOKIES).checked_sub(1)?;
        (lane < LANES && self.cookie(lane) == cookie).then_some(lane)
    }

    /// Calls `f` with name and state of each device that was served.
    pub(crate) fn devices(&self, f: impl FnMut(SwapDeviceName, &SwapLane)) {
        self.table.each(f);
    }

    /// Memory that the helper takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of::<Self>()
            .saturating_add(self.table.bytes())
            .saturating_add(LANES.saturating_mul(Writer::bytes(self.table.requests())))
    }
}

impl Tick for SwapState {
    fn tick(&self) -> u32 {
        // All of them, not only the first.
        let waits = self.table.iter().filter(|lane| lane.look()).count();
        match waits {
            0 => 0,
            _ => LOOK_MS,
        }
    }
}

/// What the kernel calls.
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
                since: system::clock_ns() as usize,
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

    /// What readers look at.
    pub(crate) fn shared(&self) -> Arc<SwapState> {
        self.shared.clone()
    }

    /// Returns its cookie, or why it was not taken.
    fn take(&self, request: &SwapRequest<'_>) -> Result<usize, Refusal> {
        if let Some(why) = decide(
            settings::handoff(),
            settings::handoff_floor(),
            &request.info(),
        ) {
            return Err(why);
        }
        let table = &self.shared.table;
        let found = table
            .lane_of(request.device())
            .and_then(|index| Some((index, table.get(index)?, self.writers.get(index)?)));
        let (index, lane, writer) = found.ok_or(Refusal::Devices)?;
        let cookie = self.shared.cookie(index);
        if lane.enter(request, cookie)? {
            idle::rouse(&lane.idle, || writer.wake());
        }
        Ok(cookie)
    }

    /// A request is prepared. Is it ours? Its cookie, or 0. Does not sleep.
    pub(crate) fn write(&self, request: &SwapRequest<'_>) -> usize {
        let ledgers = &self.shared.ledgers;
        let at = request.at();
        pinned(|pin| block::gathers(ledgers, pin, at, request.bio()));
        let taken = self.take(request);
        pinned(|pin| {
            let (slot, origin) = match ledgers.slot_or_origin(pin, at) {
                Ok(slot) => (Some(slot), slot.origin()),
                Err(origin) => (None, origin),
            };
            let ledger = ledgers.handoff.this(pin);
            match taken {
                Ok(cookie) => {
                    // The writer's bio is another task's, which knows neither.
                    block::gathered(ledgers, pin, slot, origin, request.bio());
                    if settings::enabled() {
                        let used = slot.and_then(|s| s.sample(Layer::Handoff, at.depth as u64));
                        ledgers.sample(pin, at, origin, Layer::Handoff, used);
                    }
                    ledger.take(origin, request.pages());
                    cookie
                }
                Err(why) => {
                    ledger.refuse(origin, why);
                    0
                }
            }
        })
    }

    /// Reclaim is through with a batch, of which pages were taken. Sleeps, in reclaim.
    pub(crate) fn wait(&self, batch: &SwapBatch<'_>) {
        let Some(lane) = self.shared.lane_of(batch.cookie()) else {
            return;
        };
        let Some(lane) = self.shared.table.get(lane) else {
            return;
        };
        let ledgers = &self.shared.ledgers;
        let at = batch.at();
        let asker = Asker {
            who: batch.who(),
            task: at.task,
            faults: batch.faults(),
        };
        let waited = lane.wait(batch.counts(), asker, || {
            pinned(|pin| stall::writer(ledgers, pin, at, true));
            self.ticker.start(LOOK_MS);
        });
        // Most batches find room.
        let Some(waited) = waited else {
            return;
        };
        // It is progress of a task's direct reclaim, which looks for memory then. Other reclaim
        // ignores it, and reclaim for a larger order would take it for pages that may lie side
        // by side. It is told with and without the observer, for the books only if there are any.
        let tells = batch.who() == Who::Task && batch.order() == 0;
        let seen = if tells {
            waited.written.min(MOST_SEEN)
        } else {
            0
        };
        pinned(|pin| {
            stall::writer(ledgers, pin, at, false);
            let (slot, origin) = match ledgers.slot_or_origin(pin, at) {
                Ok(slot) => (Some(slot), slot.origin()),
                Err(origin) => (None, origin),
            };
            ledgers.handoff.this(pin).waited(origin, waited.ns);
            if let Some(slot) = slot.filter(|_| origin == Origin::Direct) {
                slot.saw(seen.into());
            }
        });
        if seen != 0 {
            batch.saw_written(seen);
        }
    }

    /// A request with a cookie is done. Any context.
    pub(crate) fn done(&self, done: &Done) {
        let Some(index) = self.shared.lane_of(done.cookie) else {
            return;
        };
        let Some(lane) = self.shared.table.get(index) else {
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

    /// Sends away who waits for room, and lets nobody in any more. To be called before the
    /// kernel is told that we go, which waits for them.
    pub(crate) fn close(&self) {
        for lane in self.shared.table.iter() {
            lane.close();
        }
    }
}

impl Drop for SwapHook {
    fn drop(&mut self) {
        // The kernel calls no more. A writer that is inside a device cannot be stopped.
        self.shared.devices(|name, lane| {
            // What was submitted is nobody's of us any more.
            if lane.figures().late && lane.taken.load(Relaxed) != lane.written.load(Relaxed) {
                pr_warn!("waiting for swap device {name}, which does not answer\n");
            }
        });
    }
}
