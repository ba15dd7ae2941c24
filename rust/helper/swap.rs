// SPDX-License-Identifier: GPL-2.0

//! The writeback helper, swap half: handoff.
//!
//! Flow: reclaim would swap out a folio -> [`Hook::defer`] takes a reference into the
//! queue of the folio's swap device -> that device's writer swaps it out -> the end of
//! the request lets more in, and wakes who waits.
//!
//! Flow control. What waits and what is in flight is as much as the device takes in
//! some ten milliseconds, each. When that is reached, reclaim leaves folios where they
//! are (mapped, if they are), and a task that freed nothing waits, with all folios back
//! on their LRU lists, until enough was written for all who wait. It writes itself only
//! where `policy::handoff` says so. A folio is written however many refer to it: a
//! reclaimer that isolates it meanwhile, as they do all the time, is no reason to give
//! it up. Who swaps in finds no more than that before it.
//!
//! Stop order: as for write-around (see helper.rs). A writer that is inside a device that
//! does not answer keeps us waiting; we say so.
//!
//! Context: the hook runs inside reclaim: it never sleeps, allocates or drops the last
//! reference to anything. [`Hook::done`] runs in any context.
//!
//! Locks: those of lane.rs and table.rs, never both.

mod lane;
mod table;
mod writer;

pub(crate) use lane::Lane;
pub(crate) use table::Name;

use crate::{
    handoff::Later,
    kernel_ext::{
        kthread::Kthread,
        percpu::pinned,
        system, //
    },
    observer::Observer,
    origin::{
        Layer,
        Origin, //
    },
    params,
    policy::{
        handoff::{
            decide,
            Answer,
            Refused, //
        },
        idle,
        link, //
    },
    shim::reclaim::{
        self,
        Asking, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};
use lane::Handed;
use table::{
    Table,
    LANES, //
};
use writer::Writer;

/// A cookie is one of so many, by its lane.
const COOKIES: usize = 2 * LANES;

/// What hook, writers and readers share.
#[pin_data]
pub(crate) struct Shared {
    observer: Arc<Observer>,
    #[pin]
    table: Table,
    /// Lane that was handed to last: most likely that of the next folio.
    last: Atomic<usize>,
    /// Pages that were written.
    credit: Atomic<u64>,
    /// Tells our requests from those of a helper before us that are still in flight.
    since: usize,
}

impl Shared {
    /// What the requests of a lane's writer are marked with; not 0.
    fn cookie(&self, lane: usize) -> usize {
        self.since.wrapping_mul(COOKIES) | (lane + 1)
    }

    /// The lane of a request; `None` if it is not ours.
    fn lane_of(&self, cookie: usize) -> Option<usize> {
        let lane = (cookie % COOKIES).checked_sub(1)?;
        (lane < LANES && self.cookie(lane) == cookie).then_some(lane)
    }

    /// `pages` were written: for how many tasks is that, with what was left over?
    fn credit(&self, pages: u32) -> u32 {
        let before = self.credit.fetch_add(u64::from(pages), Relaxed);
        let batch = u64::from(link::MIN_PAGES);
        let tasks = (before + u64::from(pages)) / batch - before / batch;
        u32::try_from(tasks).unwrap_or(u32::MAX)
    }

    /// Calls `f` with name and state of each device that was served.
    pub(crate) fn devices(&self, f: impl FnMut(Name, &Lane)) {
        self.table.each(f);
    }

    /// Memory that the helper takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of::<Self>() + self.table.bytes() + LANES * Writer::BYTES
    }
}

/// What comes of asking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// Reclaim writes it itself.
    Refused(Refused),
    /// The writer has it.
    Taken,
    /// It is met again later.
    Later(Later),
}

/// What the kernel calls.
pub(crate) struct Hook {
    // Dropped in this order: the writers, then what they use.
    writers: KVec<Kthread<Writer>>,
    shared: Arc<Shared>,
}

impl Hook {
    /// Starts the writers. Sleeps.
    pub(crate) fn new(observer: Arc<Observer>) -> Result<Self> {
        let pages = params::ring_pages();
        let shared = Arc::pin_init(
            try_pin_init!(Shared {
                observer,
                table <- Table::new(pages),
                last: Atomic::new(0),
                credit: Atomic::new(0),
                since: system::clock_ns() as usize,
            }? Error),
            GFP_KERNEL,
        )?;
        let mut writers = KVec::with_capacity(LANES, GFP_KERNEL)?;
        for index in 0..LANES {
            let writer = Writer::new(shared.clone(), index)?;
            writers.push(Kthread::new(writer, index)?, GFP_KERNEL)?;
        }
        Ok(Self { writers, shared })
    }

    /// What readers look at.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    fn decide(&self, asking: &Asking<'_>, lane: Option<usize>, blocking: bool) -> Answer {
        let mut asked = asking.asked(blocking);
        if let Some(lane) = lane.and_then(|l| self.shared.table.get(l)) {
            asked.late = lane.late();
            asked.stuck = asked.late && lane.stuck();
            asked.failing = lane.failing();
        }
        if asked.late {
            let mut others = self.shared.table.iter().enumerate();
            asked.others = others.any(|(i, l)| Some(i) != lane && l.goes_on());
        }
        decide(params::handoff(), params::handoff_floor(), &asked)
    }

    fn ask(&self, asking: &Asking<'_>) -> Says {
        let table = &self.shared.table;
        let lane = table.find(asking.device());
        let answer = self.decide(asking, lane, asking.blocking());
        if asking.busy() {
            let queued = |l: &Lane| l.has(asking.folio_key());
            return match !matches!(answer, Answer::Refuse(_)) && table.iter().any(queued) {
                true => Says::Later(Later::Queued),
                false => Says::Refused(Refused::Busy),
            };
        }
        match answer {
            Answer::Refuse(why) => return Says::Refused(why),
            Answer::Keep => return Says::Later(Later::Stuck),
            Answer::Hand => {}
        }
        let lane = lane.or_else(|| table.assign(asking.device(), asking.blocking()));
        let (Some(index), Some(lane), Some(writer)) = (
            lane,
            lane.and_then(|l| table.get(l)),
            lane.and_then(|l| self.writers.get(l)),
        ) else {
            return Says::Refused(Refused::Devices);
        };
        self.shared.last.store(index, Relaxed);
        if !lane.has_room(asking.nr_pages()) || lane.push(Self::handed(asking)).is_err() {
            return Says::Later(Later::Full);
        }
        Self::rouse(lane, writer);
        Says::Taken
    }

    fn handed(asking: &Asking<'_>) -> Handed {
        Handed {
            folio: asking.folio(),
            slot: asking.slot(),
            taken: system::clock_ns(),
            nr_pages: asking.nr_pages(),
            tries: 0,
        }
    }

    /// Wakes the writer if it sleeps. Any context.
    fn rouse(lane: &Lane, writer: &Kthread<Writer>) {
        idle::rouse(&lane.idle, || writer.wake());
    }

    fn origin(&self, task: usize) -> Origin {
        let windows = &self.shared.observer.windows;
        pinned(|pin| {
            let slot = windows.find(pin, task);
            slot.map_or(Origin::Other, |slot| slot.origin())
        })
    }

    /// Reclaim would swap out a folio. Does not sleep.
    pub(crate) fn defer(&self, asking: &Asking<'_>) -> Says {
        let says = self.ask(asking);
        let obs = &self.shared.observer;
        let at = asking.at();
        pinned(|pin| {
            let slot = obs.windows.find(pin, at.task);
            let origin = slot.map_or(Origin::Other, |slot| slot.origin());
            if says == Says::Taken && params::enabled() {
                let used = slot.and_then(|s| s.sample(Layer::Handoff, at.depth as u64));
                obs.sample(pin, at, origin, Layer::Handoff, used);
            }
            let ledger = obs.handoff.this(pin);
            match says {
                Says::Refused(why) => ledger.refuse(origin, why),
                Says::Taken => ledger.take(origin, asking.nr_pages()),
                Says::Later(why) => ledger.later(origin, why),
            }
        });
        says
    }

    /// Would a folio that is still mapped find no room? Does not sleep.
    pub(crate) fn full(&self, asking: &Asking<'_>) -> bool {
        let last = self.shared.last.load(Relaxed);
        let Some(lane) = self.shared.table.get(last) else {
            return false;
        };
        // With a stuck device the next folio may well be for another one.
        let full =
            !lane.has_room(1) && self.decide(asking, Some(last), lane.blocks()) == Answer::Hand;
        if full {
            let origin = self.origin(asking.at().task);
            pinned(|pin| {
                let ledger = self.shared.observer.handoff.this(pin);
                ledger.later(origin, Later::Mapped);
            });
        }
        full
    }

    /// Is it worth to wait for room? Does not sleep.
    pub(crate) fn busy(&self, task: usize) -> bool {
        let mut lanes = self.shared.table.iter();
        let busy = lanes.any(|lane| lane.is_busy() && !lane.broken());
        if busy {
            let origin = self.origin(task);
            pinned(|pin| self.shared.observer.handoff.this(pin).wait(origin));
        }
        busy
    }

    /// A request of a writer's is done. Any context.
    pub(crate) fn done(&self, cookie: usize, pages: u32, ns: u64, failed: bool) {
        let lane = self.shared.lane_of(cookie);
        let (Some(lane), Some(writer)) = (
            lane.and_then(|l| self.shared.table.get(l)),
            lane.and_then(|l| self.writers.get(l)),
        ) else {
            return;
        };
        // First: who sees nothing in flight any more finds all of it counted.
        self.shared
            .observer
            .swap_requests
            .count(pages, ns / 1000, failed);
        match failed {
            true => lane.failed(pages),
            false => lane.finished(pages, ns),
        }
        // One for each batch that can be freed now; all, when there is nothing to wait for.
        reclaim::swap_wake(match lane.is_busy() {
            true => self.shared.credit(pages),
            false => u32::MAX,
        });
        Self::rouse(lane, writer);
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // The kernel calls no more. A writer that is inside a device cannot be stopped.
        self.shared.devices(|name, lane| {
            if lane.stuck() {
                pr_warn!("waiting for swap device {name}, which does not answer\n");
            }
        });
    }
}
