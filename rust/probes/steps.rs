// SPDX-License-Identifier: GPL-2.0

//! Steps that several handlers share.

use crate::{
    kernel_ext::{
        events,
        percpu::{
            pinned,
            Pinned, //
        },
        stack,
        system, //
    },
    ledgers::{
        windows::{
            BeginResult,
            Slot, //
        },
        Ledgers, //
    },
    policy::{
        classify::Caller,
        ratelimit, //
    },
    settings,
    shim::{
        At,
        Context,
        Folio, //
    },
    tables::callers::FRAMES,
    words::{
        Event,
        Kind,
        Layer,
        Origin, //
    },
};
use kernel::{
    prelude::*,
    sync::atomic::Relaxed, //
};

/// The least time between two headroom_low events, in nanoseconds.
const LOW_INTERVAL: u64 = 100_000_000;

impl Ledgers {
    /// Returns the innermost of at most `frames` functions on the current stack that `wanted`
    /// accepts. Task context.
    pub(crate) fn caller(
        &self,
        pin: &Pinned<'_>,
        frames: usize,
        wanted: impl Fn(Caller) -> bool,
    ) -> Option<Caller> {
        let found = self
            .scratch
            .with(pin, |scratch| self.callers.find(scratch, frames, wanted));
        if found.is_none() {
            self.cost.this(pin).lost.scratch.add(1);
        }
        found.flatten()
    }

    /// Calls `f` for each of at most `frames` functions on the current stack, innermost first.
    /// Returns `None` if the scratch buffer is in use. Any context.
    pub(crate) fn callers(
        &self,
        pin: &Pinned<'_>,
        frames: usize,
        f: impl FnMut(usize, Caller),
    ) -> Option<()> {
        let done = self
            .scratch
            .with(pin, |scratch| self.callers.for_each(scratch, frames, f));
        if done.is_none() {
            self.cost.this(pin).lost.scratch.add(1);
        }
        done.flatten()
    }

    /// Returns what the function tells into which `addr` returns. Task context.
    pub(crate) fn caller_at(&self, pin: &Pinned<'_>, addr: usize) -> Option<Caller> {
        let told = self
            .scratch
            .with(pin, |scratch| self.callers.of(scratch, addr));
        if told.is_none() {
            self.cost.this(pin).lost.scratch.add(1);
        }
        told
    }

    /// Returns the slot of the current task. If it has none, looks at the callers: a window of
    /// MADV_PAGEOUT or DAMON has no begin event, and is opened here. If there is still no slot,
    /// returns the origin, as far as it is known. Task context.
    pub(crate) fn slot_or_origin(&self, pin: &Pinned<'_>, at: &At) -> Result<&Slot, Origin> {
        if let Some(slot) = self.windows.find(pin, at.task) {
            return Ok(slot);
        }
        // Windows are not followed now, so the end of this one would not be seen.
        if !settings::enabled() {
            return Err(Origin::Other);
        }
        let told = |c| matches!(c, Caller::Pages | Caller::Hibernation | Caller::Window);
        match self.caller(pin, FRAMES, told) {
            Some(Caller::Pages) => {
                // The end event closes the window. If that is not attached, the window must not be
                // opened.
                if !self.states.is_attached(Event::ReclaimPages) {
                    return Err(Origin::Madvise);
                }
                // Depth 0 means that the stack was not sampled at the entry to reclaim.
                match self.begin(pin, at, Origin::Madvise, 0) {
                    Some(slot) => Ok(slot),
                    None => Err(Origin::Lost),
                }
            }
            Some(Caller::Window) => Err(Origin::Lost),
            _ if self.windows.any_unslotted() => Err(Origin::Lost),
            _ => Err(Origin::Other),
        }
    }

    /// Opens a window of the current task. Counts it as lost if there is no room. Task context.
    pub(crate) fn begin(
        &self,
        pin: &Pinned<'_>,
        at: &At,
        origin: Origin,
        depth: usize,
    ) -> Option<&Slot> {
        let now = if events::reclaim_window_enabled() {
            system::clock_ns()
        } else {
            0
        };
        if let Some(slot) = self.windows.find(pin, at.task) {
            self.record_counted(pin, slot);
        }
        let lost = &self.cost.this(pin).lost;
        match self.windows.begin(pin, at.task, origin, depth as u64, now) {
            BeginResult::InSlot(slot) => return Some(slot),
            BeginResult::TooDeep => lost.depth.add(1),
            BeginResult::NoSlot => lost.slots.add(1),
        }
        None
    }

    /// Opens a window of `origin` for the current task, which is one of ours. Task context.
    pub(crate) fn begin_own_window(&self, task: usize, origin: Origin) {
        pinned(|pin| {
            if matches!(
                self.windows.begin(pin, task, origin, 0, 0),
                BeginResult::NoSlot
            ) {
                self.cost.this(pin).lost.slots.add(1);
            }
        });
    }

    /// Closes the windows of the current task, which is one of ours. Task context.
    pub(crate) fn end_own_window(&self, task: usize) {
        pinned(|pin| {
            if let Some(slot) = self.windows.find(pin, task) {
                self.record_counted(pin, slot);
            }
            self.windows.leave(pin, task);
        });
    }

    /// Records the write of a folio, and fires the event of it. Task context.
    pub(crate) fn write(&self, pin: &Pinned<'_>, at: &At, origin: Origin, kind: Kind, f: &Folio) {
        self.record_writes(pin, origin, kind, f, 1);
        events::reclaim_write(origin, kind, f, at.headroom);
    }

    /// Whether a sample was taken in a task. Samples in IRQ and softirq are only counted, and
    /// charged to no origin.
    pub(crate) fn in_task(&self, pin: &Pinned<'_>, at: &At, layer: Layer) -> bool {
        let cost = self.cost.this(pin);
        let counter = match at.context() {
            Context::Task => return true,
            Context::Irq => cost.irq(layer),
            Context::Softirq => cost.softirq(layer),
        };
        // Interrupts of a task that does not reclaim are not counted.
        if at.memalloc() && settings::enabled() {
            if let Some(counter) = counter {
                counter.add(1);
            }
        }
        false
    }

    /// Returns `at` as seen from the call site of the tracepoint. If a tracepoint has several
    /// probes, an iterator calls them, and the call site is above its frame. On another stack than
    /// the task's own, `at` is returned as it is.
    #[inline]
    pub(crate) fn call_site(&self, pin: &Pinned<'_>, at: &At) -> At {
        if at.context() != Context::Task {
            return *at;
        }
        let bytes = self.callers.below_call_site(at).unwrap_or_else(|| {
            let measured = self
                .scratch
                .with(pin, |scratch| self.callers.measure(scratch, at));
            if measured.is_none() {
                self.cost.this(pin).lost.scratch.add(1);
            }
            measured.unwrap_or(0)
        });
        at.above(bytes)
    }

    /// Records a sample of the stack. Task context, on the task's own stack.
    pub(crate) fn sample(
        &self,
        pin: &Pinned<'_>,
        at: &At,
        origin: Origin,
        layer: Layer,
        used: Option<u64>,
    ) {
        let (headroom, depth) = (at.headroom as u64, at.depth as u64);
        self.headroom
            .this(pin)
            .record(origin, layer, headroom, depth, used, 1);
        if self.stacks.is_deeper(origin, layer, at.depth) {
            self.keep_stack(pin, at, origin, layer);
        }
        if at.headroom < settings::headroom_floor() {
            self.report_low_headroom(pin, at, origin, layer);
        }
    }

    #[cold]
    fn keep_stack(&self, pin: &Pinned<'_>, at: &At, origin: Origin, layer: Layer) {
        let kept = self
            .scratch
            .with(pin, |scratch| self.stacks.keep(scratch, origin, layer, at));
        if kept != Some(true) {
            self.cost.this(pin).lost.stacks.add(1);
        }
    }

    #[cold]
    fn report_low_headroom(&self, pin: &Pinned<'_>, at: &At, origin: Origin, layer: Layer) {
        let cost = self.cost.this(pin);
        cost.low.add(1);
        if !events::headroom_low_enabled() {
            return;
        }
        let due = self.low_due.load(Relaxed);
        let next = ratelimit::pass(system::clock_ns(), due, LOW_INTERVAL);
        // The first CPU that exchanges the time fires. The others are within the interval.
        if next.is_none_or(|next| self.low_due.cmpxchg(due, next, Relaxed).is_err()) {
            cost.low_suppressed.add(1);
            return;
        }
        let fired = self.scratch.with(pin, |scratch| {
            let callers = stack::trace_from(at.sp, &mut scratch.trace);
            let floor = settings::headroom_floor();
            events::headroom_low(origin, layer, at.headroom, floor, callers);
        });
        if fired.is_none() {
            cost.lost.scratch.add(1);
        }
    }
}
