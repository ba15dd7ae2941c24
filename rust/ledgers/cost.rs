// SPDX-License-Identifier: GPL-2.0

//! The events that the module could not record, and the cost of the module.
//!
//! One instance per CPU. Handlers in task context write it with preemption off. Handlers in IRQ and
//! softirq context use the same counters. If one of them interrupts a handler that is changing the
//! same counter, a count may be lost. This is rare.

use crate::{
    kernel_ext::{
        cell::Cell64,
        system, //
    },
    words::{
        Event,
        Function,
        Layer, //
    },
};
use pin_init::Zeroable;

/// The cycles of one event in this many are measured, for each sort of event.
const SAMPLE: u64 = 64;

/// The counts of one sort of event.
#[derive(Zeroable)]
pub(crate) struct EventCost {
    /// Events that were handled.
    pub(crate) handled: Cell64,
    /// Events of these that were measured.
    pub(crate) sampled: Cell64,
    /// Cycles that the measured events took in the handler.
    pub(crate) cycles: Cell64,
}

impl EventCost {
    /// Counts an event. Returns the cycle counter if this event is measured.
    #[inline(always)]
    pub(crate) fn enter(&self) -> Option<u64> {
        let n = self.handled.get();
        self.handled.set(n.wrapping_add(1));
        (n % SAMPLE == 0).then(system::cycles)
    }

    /// Ends what [`EventCost::enter`] began.
    #[inline(always)]
    pub(crate) fn leave(&self, started: Option<u64>) {
        if let Some(started) = started {
            self.sampled.add(1);
            self.cycles.add(system::cycles().wrapping_sub(started));
        }
    }
}

/// A point in time, on two clocks: nanoseconds of `clock_ns()`, and cycles.
pub(crate) struct Timestamp {
    ns: u64,
    cycles: u64,
}

impl Timestamp {
    /// Returns the current time.
    pub(crate) fn now() -> Self {
        Self {
            ns: system::clock_ns(),
            cycles: system::cycles(),
        }
    }

    /// Returns the nanoseconds and cycles that have passed.
    pub(crate) fn elapsed(&self) -> (u64, u64) {
        let now = Self::now();
        (
            now.ns.saturating_sub(self.ns),
            now.cycles.wrapping_sub(self.cycles),
        )
    }
}

/// Counts of what could not be recorded.
#[derive(Zeroable)]
pub(crate) struct LostCounts {
    /// Windows that found no free slot.
    pub(crate) slots: Cell64,
    /// Windows that were nested too deep to be told apart.
    pub(crate) depth: Cell64,
    /// Writes of cgroups that lost their row to another.
    pub(crate) cgroups: Cell64,
    /// Rows of cgroups whose removal will not be noticed.
    pub(crate) known_cgroups: Cell64,
    /// Deep stacks that were not kept, because another CPU or the reader used the place, or because
    /// the scratch buffer was in use.
    pub(crate) stacks: Cell64,
    /// Windows that ended without a begin, because they were open when the module was loaded, or
    /// when its probes were attached again.
    pub(crate) preload: Cell64,
    /// Handlers that found the scratch buffer of the CPU in use.
    pub(crate) scratch: Cell64,
    /// Stalls that found no free entry.
    pub(crate) stalls: Cell64,
    /// Stalls of cgroups that lost their row to another.
    pub(crate) stall_cgroups: Cell64,
    /// Calls of shrinkers that could not be followed, or whose row was given away.
    pub(crate) shrinkers: Cell64,
    /// Large blocks whose taker could not be noted.
    pub(crate) takers: Cell64,
    /// Call sites that found no room.
    pub(crate) sites: Cell64,
    /// Waits for the reserves that found no room.
    pub(crate) waits: Cell64,
    /// Waits for the reserves for which the name of the task found no room.
    pub(crate) waiters: Cell64,
    /// Stalls that are hidden from the tasks that wait for a lock of the stalled task.
    pub(crate) lock_holders: Cell64,
    /// Waits for locks that found no free entry.
    pub(crate) lock_waits: Cell64,
    /// Long stalls that were not kept, because a reader used the table.
    pub(crate) longest: Cell64,
    /// Requests of NBD devices that found no free entry.
    pub(crate) nbd_requests: Cell64,
    /// Requests of NBD devices whose end was not seen.
    pub(crate) nbd_abandoned: Cell64,
    /// Requests of NBD devices that were not compared with the longest one, because a reader used
    /// that.
    pub(crate) nbd_longest: Cell64,
    /// Wakeups of kswapd for which the name of the waker found no room.
    pub(crate) wakers: Cell64,
    /// Queued swap writes that found no free entry. If such a write fails, its origin is not known.
    pub(crate) swap_writes: Cell64,
    /// Pages that zswap writes back, or tries to, whose task found no free entry.
    pub(crate) zswap: Cell64,
    /// Waits for memory that found no free entry.
    pub(crate) memory_waits: Cell64,
    /// Waits, and pages that came back, of cgroups that lost their row to another, or that an
    /// interrupt counted while the table was being changed.
    pub(crate) wait_cgroups: Cell64,
    /// Waits for memory for which the name of the task found no room.
    pub(crate) wait_tasks: Cell64,
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct Cost {
    events: [EventCost; Event::COUNT],
    functions: [EventCost; Function::COUNT],
    /// Events that were only counted, because they were like the one before. See
    /// [`crate::ledgers::repeats`].
    repeats: [EventCost; 3],
    /// What could not be recorded.
    pub(crate) lost: LostCounts,
    irq: [Cell64; Layer::COUNT],
    softirq: [Cell64; Layer::COUNT],
    outside: [Cell64; Layer::COUNT],
    /// Samples below the headroom floor.
    pub(crate) low: Cell64,
    /// Samples of these for which the rate limit suppressed the trace event.
    pub(crate) low_suppressed: Cell64,
}

impl Cost {
    /// Returns the counts of one sort of event.
    #[inline(always)]
    pub(crate) fn event(&self, event: Event) -> Option<&EventCost> {
        self.events.get(event as usize)
    }

    /// Returns the counts of the calls of one function: its entries and exits.
    pub(crate) fn function(&self, function: Function) -> Option<&EventCost> {
        self.functions.get(function as usize)
    }

    /// Returns the counts of the events that were only counted; `None` if the events of this sort
    /// never are.
    pub(crate) fn repeats(&self, event: Event) -> Option<&EventCost> {
        let [writes, bios, packets] = &self.repeats;
        match event {
            Event::WriteFolio => Some(writes),
            Event::BioQueue => Some(bios),
            Event::NetXmit => Some(packets),
            _ => None,
        }
    }

    /// Returns the number of samples that ran on an IRQ stack on top of a reclaimer.
    pub(crate) fn irq(&self, layer: Layer) -> Option<&Cell64> {
        self.irq.get(layer as usize)
    }

    /// Returns the number of samples that ran in softirq on a reclaimer's own stack.
    pub(crate) fn softirq(&self, layer: Layer) -> Option<&Cell64> {
        self.softirq.get(layer as usize)
    }

    /// Returns the number of samples of tasks outside of any window.
    pub(crate) fn outside(&self, layer: Layer) -> Option<&Cell64> {
        self.outside.get(layer as usize)
    }
}
