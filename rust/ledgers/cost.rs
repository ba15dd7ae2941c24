// SPDX-License-Identifier: GPL-2.0

//! What the module could not record, and what it costs.
//!
//! One instance per CPU, written with preemption off by handlers in task
//! context. Handlers in IRQ or softirq context bump the same counters; on the
//! rare clash with a handler that they interrupted, one count may be lost.

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

/// Of how many events of a sort one has its cycles measured.
const SAMPLE: u64 = 64;

/// Counts of one sort of event.
#[derive(Zeroable)]
pub(crate) struct EventCost {
    /// Events handled.
    pub(crate) handled: Cell64,
    /// Of these, how many were measured.
    pub(crate) sampled: Cell64,
    /// Cycles that the measured ones took in the handler.
    pub(crate) cycles: Cell64,
}

impl EventCost {
    /// Counts one; the cycle counter if this one is measured.
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

/// When something began, on both clocks.
pub(crate) struct Began {
    ns: u64,
    cycles: u64,
}

impl Began {
    /// Now.
    pub(crate) fn now() -> Self {
        Self {
            ns: system::clock_ns(),
            cycles: system::cycles(),
        }
    }

    /// Nanoseconds and cycles since then.
    pub(crate) fn since(&self) -> (u64, u64) {
        let now = Self::now();
        (
            now.ns.saturating_sub(self.ns),
            now.cycles.wrapping_sub(self.cycles),
        )
    }
}

/// What could not be recorded.
#[derive(Zeroable)]
pub(crate) struct Lost {
    /// Windows without a free slot.
    pub(crate) slots: Cell64,
    /// Windows nested too deep to be told apart.
    pub(crate) depth: Cell64,
    /// Writes of cgroups that lost their row to another.
    pub(crate) cgroups: Cell64,
    /// Rows of cgroups that will not be noticed when they go.
    pub(crate) known_cgroups: Cell64,
    /// Deep stacks not kept because another CPU was keeping one.
    pub(crate) stacks: Cell64,
    /// Windows that ended without a begin: open when the module loaded.
    pub(crate) preload: Cell64,
    /// Handlers that found the CPU's scratch buffer in use.
    pub(crate) scratch: Cell64,
    /// Stalls without a free entry.
    pub(crate) stalls: Cell64,
    /// Stalls of cgroups that lost their row to another.
    pub(crate) stall_cgroups: Cell64,
    /// Calls of shrinkers that could not be followed, or whose row was given to another.
    pub(crate) shrinkers: Cell64,
    /// Takers of large blocks that had no room.
    pub(crate) takers: Cell64,
    /// Call sites that had no room.
    pub(crate) sites: Cell64,
    /// Waits for the reserves that had no room.
    pub(crate) waits: Cell64,
    /// Names of tasks that waited for the reserves that had no room.
    pub(crate) waiters: Cell64,
    /// Stalls of which those that wait for a lock of the task will not learn.
    pub(crate) lock_holders: Cell64,
    /// Long stalls not kept because someone was reading them.
    pub(crate) longest: Cell64,
    /// Requests of NBD devices without a free entry.
    pub(crate) nbd_requests: Cell64,
    /// Requests of NBD devices whose end was not seen.
    pub(crate) nbd_abandoned: Cell64,
    /// Long ones not kept because someone was reading them.
    pub(crate) nbd_longest: Cell64,
    /// Tasks that woke kswapd whose name had no room.
    pub(crate) wakers: Cell64,
    /// Queued swap writes without a free entry: if one fails, it is not known whose it was.
    pub(crate) swap_writes: Cell64,
    /// Waits for memory without a free entry.
    pub(crate) memory_waits: Cell64,
    /// Waits, and pages that came back, of cgroups that lost their row to another.
    pub(crate) wait_cgroups: Cell64,
    /// Waits for memory whose task had no room.
    pub(crate) wait_tasks: Cell64,
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct Cost {
    events: [EventCost; Event::COUNT],
    functions: [EventCost; Function::COUNT],
    /// Events that were only counted, as they were like the one before: see
    /// [`crate::ledgers::again`].
    again: [EventCost; 2],
    /// See [`Lost`].
    pub(crate) lost: Lost,
    irq: [Cell64; Layer::COUNT],
    softirq: [Cell64; Layer::COUNT],
    outside: [Cell64; Layer::COUNT],
    /// Samples below the headroom floor.
    pub(crate) low: Cell64,
    /// Of these, how many the rate limit kept from the trace event.
    pub(crate) low_suppressed: Cell64,
}

impl Cost {
    /// Counts of one sort of event.
    #[inline(always)]
    pub(crate) fn event(&self, event: Event) -> Option<&EventCost> {
        self.events.get(event as usize)
    }

    /// Counts of one function's entries and exits.
    pub(crate) fn function(&self, function: Function) -> Option<&EventCost> {
        self.functions.get(function as usize)
    }

    /// Counts of those that were only counted, of the sorts of which there are any.
    pub(crate) fn again(&self, event: Event) -> Option<&EventCost> {
        let [writes, bios] = &self.again;
        match event {
            Event::WriteFolio => Some(writes),
            Event::BioQueue => Some(bios),
            _ => None,
        }
    }

    /// Samples that ran on an IRQ stack on top of a reclaimer.
    pub(crate) fn irq(&self, layer: Layer) -> Option<&Cell64> {
        self.irq.get(layer as usize)
    }

    /// Samples that ran in softirq on a reclaimer's own stack.
    pub(crate) fn softirq(&self, layer: Layer) -> Option<&Cell64> {
        self.softirq.get(layer as usize)
    }

    /// Samples of a task that is in no window.
    pub(crate) fn outside(&self, layer: Layer) -> Option<&Cell64> {
        self.outside.get(layer as usize)
    }
}
