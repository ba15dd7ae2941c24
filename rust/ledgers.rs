// SPDX-License-Identifier: GPL-2.0

//! The observer: all ledgers, and the steps that the handlers share.

pub(crate) mod batches;
pub(crate) mod cgroups;
pub(crate) mod compaction;
pub(crate) mod cost;
pub(crate) mod handoff;
pub(crate) mod headroom;
pub(crate) mod kswapd;
pub(crate) mod metadata;
pub(crate) mod nbd;
pub(crate) mod reserves;
pub(crate) mod shrinkers;
pub(crate) mod stalls;
pub(crate) mod swap_io;
pub(crate) mod takers;
pub(crate) mod tlb;
pub(crate) mod waits;
pub(crate) mod windows;
pub(crate) mod worst;
pub(crate) mod write_around;
pub(crate) mod writes;

use crate::{
    kernel_ext::{
        cell::peek,
        percpu::{
            pinned,
            Exclusive,
            PerCpu,
            Pinned, //
        },
        stack, system,
        tracepoint::{
            Host,
            Probe,
            State,
            Wanted, //
        },
    },
    ledgers::{
        batches::Batches,
        cgroups::{
            Cgroups,
            Known, //
        },
        compaction::Compaction,
        cost::Cost,
        handoff::{
            Handoff,
            Requests, //
        },
        headroom::Headroom,
        kswapd::Kswapd,
        metadata::Metadata,
        nbd::Nbd,
        reserves::Reserves,
        shrinkers::Shrinkers,
        stalls::Stalls,
        swap_io::SwapIo,
        takers::Takers,
        tlb::Tlb,
        waits::Waits,
        windows::{
            Begun,
            Slot,
            Windows, //
        },
        worst::Worst,
        write_around::{
            Workers,
            WriteAround, //
        },
        writes::Writes, //
    },
    policy::{
        classify::Caller,
        ratelimit, //
    },
    probes, settings,
    shim::{
        attached,
        events,
        At,
        Context,
        Folio, //
    },
    tables::{
        callers::{
            Callers,
            FRAMES, //
        },
        scratch::Scratch, //
    },
    words::{
        Event,
        Function,
        Group,
        Kind,
        Layer,
        Origin, //
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

/// Least time between two headroom_low events, in nanoseconds.
const LOW_INTERVAL: u64 = 100_000_000;

/// The ledgers. Shared by probes and debugfs; never changes after `new` but
/// through cells that each ledger documents.
#[pin_data]
pub(crate) struct Observer {
    /// Who is inside reclaim.
    pub(crate) windows: Windows,
    /// What reclaim wrote.
    pub(crate) writes: PerCpu<Writes>,
    /// How much stack was left.
    pub(crate) headroom: PerCpu<Headroom>,
    /// Whose pages were written.
    pub(crate) cgroups: Cgroups<{ Origin::COUNT }>,
    /// The cgroups that have rows here and among the stalls.
    pub(crate) known: Arc<Known>,
    /// What was lost, and what we cost.
    pub(crate) cost: PerCpu<Cost>,
    /// What became of the dirty file folios that reclaim met.
    pub(crate) write_around: PerCpu<WriteAround>,
    /// What became of the folios that reclaim would have swapped out.
    pub(crate) handoff: PerCpu<Handoff>,
    /// The requests of the swap writers.
    pub(crate) swap_requests: Requests,
    /// The tasks that our workers run in.
    pub(crate) workers: Workers,
    /// The deepest stacks.
    pub(crate) worst: Worst,
    callers: Callers,
    scratch: PerCpu<Exclusive<Scratch>>,
    probes: [Probe; Event::COUNT],
    /// Where the time of stalled tasks went.
    pub(crate) stalls: Stalls,
    /// What was evicted of block devices, and read again.
    pub(crate) metadata: Metadata,
    /// How often other CPUs were interrupted.
    pub(crate) tlb: PerCpu<Tlb>,
    /// What compacting memory came to.
    pub(crate) compaction: PerCpu<Compaction>,
    /// Who takes large blocks that someone else compacted for.
    pub(crate) takers: Takers,
    /// Who called which shrinker.
    pub(crate) shrinkers: Shrinkers,
    /// Who takes from the reserves, and who waits for them.
    pub(crate) reserves: Reserves,
    /// Where the time of requests of NBD devices goes.
    pub(crate) nbd: Nbd,
    /// What tasks wait for that memory is to blame for.
    pub(crate) waits: Waits,
    /// How much swap writes at once.
    pub(crate) batches: PerCpu<Batches>,
    /// Swap writes under way, and those that failed.
    pub(crate) swap_io: SwapIo,
    /// What kswapd costs, and why it does not rest.
    pub(crate) kswapd: Kswapd,
    /// States of the function probes; see [`State`].
    functions: [Atomic<i32>; Function::COUNT],
    /// See [`Observer::live`].
    live: [Atomic<bool>; Group::COUNT],
    /// When the next headroom_low event may fire, in nanoseconds of `clock_ns()`.
    low_due: Atomic<u64>,
}

impl Host for Observer {
    const WANTED: &'static [Wanted] = &probes::WANTED;

    fn probes(&self) -> &[Probe] {
        &self.probes
    }

    fn on(&self, group: Group) -> bool {
        settings::group(group)
    }

    fn module_gone(&self) {
        self.callers.forget();
    }

    fn module_switched(&self, module: &str, here: bool) {
        attached::module_switched(module, here);
    }
}

impl Observer {
    /// Allocates all ledgers. Sleeps.
    pub(crate) fn new() -> Result<Arc<Self>> {
        let known = Arc::new(Known::new()?, GFP_KERNEL)?;
        Arc::pin_init(
            try_pin_init!(Self {
                windows: Windows::new(settings::window_slots())?,
                writes: PerCpu::new()?,
                headroom: PerCpu::new()?,
                cgroups: Cgroups::new(known.clone())?,
                cost: PerCpu::new()?,
                write_around: PerCpu::new()?,
                handoff: PerCpu::new()?,
                swap_requests: Requests::new(),
                workers: Workers::new(),
                worst: Worst::new()?,
                callers: Callers::new()?,
                scratch: PerCpu::new()?,
                probes: [const { Probe::new() }; Event::COUNT],
                stalls: Stalls::new(settings::window_slots(), known.clone())?,
                metadata: Metadata::new()?,
                tlb: PerCpu::new()?,
                compaction: PerCpu::new()?,
                takers: Takers::new()?,
                shrinkers: Shrinkers::new(settings::window_slots())?,
                reserves: Reserves::new(settings::window_slots())?,
                nbd: Nbd::new()?,
                waits: Waits::new(settings::window_slots())?,
                batches: PerCpu::new()?,
                swap_io: SwapIo::new()?,
                kswapd: Kswapd::new()?,
                functions: [const { Atomic::new(State::Missing.to_raw()) }; Function::COUNT],
                live: [const { Atomic::new(false) }; Group::COUNT],
                low_due: Atomic::new(0),
                known,
            }),
            GFP_KERNEL,
        )
    }

    /// Whether the probe of an event is attached.
    pub(crate) fn state(&self, event: Event) -> State {
        self.probes
            .get(event as usize)
            .map_or(State::Missing, Probe::state)
    }

    /// Whether the probe of an event is attached.
    pub(crate) fn attached(&self, event: Event) -> bool {
        self.state(event) == State::Attached
    }

    /// Notes whether a function is probed.
    pub(crate) fn set_function(&self, function: Function, state: State) {
        if let Some(there) = self.functions.get(function as usize) {
            there.store(state.to_raw(), Relaxed);
        }
    }

    /// Whether a function is probed.
    pub(crate) fn function(&self, function: Function) -> State {
        self.functions
            .get(function as usize)
            .map_or(State::Missing, |s| State::from_raw(peek(s)))
    }

    /// Whether a group's probes are all attached, as far as they can be. A part of what
    /// they tell would be wrong.
    pub(crate) fn live(&self, group: Group) -> bool {
        self.live.get(group as usize).is_some_and(peek)
    }

    /// See [`live`](Self::live).
    pub(crate) fn set_live(&self, group: Group, live: bool) {
        if let Some(there) = self.live.get(group as usize) {
            there.store(live, Relaxed);
        }
    }

    /// A group is not live any more, and no handler of its probes runs, nor one that saw it
    /// live: what was under way is forgotten.
    pub(crate) fn forget(&self, group: Group) {
        match group {
            Group::Stalls => {
                self.stalls.open.clear();
                self.takers.clear();
            }
            Group::Shrinkers => self.shrinkers.clear(),
            Group::Metadata => self.metadata.clear(),
            Group::Reserves => self.reserves.waiting.clear(),
            Group::Nbd => self.nbd.clear(),
            Group::Waits => self.waits.open.clear(),
            Group::Tlb | Group::Takers => {}
        }
    }

    /// Memory that the ledgers take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        [
            core::mem::size_of::<Self>(),
            self.windows.bytes(),
            self.worst.bytes(),
            self.callers.bytes(),
            self.writes.bytes(),
            self.headroom.bytes(),
            self.cgroups.bytes(),
            self.known.bytes(),
            self.cost.bytes(),
            self.write_around.bytes(),
            self.handoff.bytes(),
            self.stalls.bytes(),
            self.metadata.bytes(),
            self.tlb.bytes(),
            self.compaction.bytes(),
            self.takers.bytes(),
            self.shrinkers.bytes(),
            self.reserves.bytes(),
            self.nbd.bytes(),
            self.waits.bytes(),
            self.batches.bytes(),
            self.swap_io.bytes(),
            self.kswapd.bytes(),
            self.scratch.bytes(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// The innermost function on the current stack that `wanted` accepts. Task
    /// context.
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

    /// Tells `f` of the functions on the current stack, innermost first. Any context.
    pub(crate) fn callers(
        &self,
        pin: &Pinned<'_>,
        frames: usize,
        f: impl FnMut(usize, Caller),
    ) -> Option<()> {
        let done = self
            .scratch
            .with(pin, |scratch| self.callers.each(scratch, frames, f));
        if done.is_none() {
            self.cost.this(pin).lost.scratch.add(1);
        }
        done.flatten()
    }

    /// What the function that `addr` returns to tells. Task context.
    pub(crate) fn caller_at(&self, pin: &Pinned<'_>, addr: usize) -> Option<Caller> {
        let told = self
            .scratch
            .with(pin, |scratch| self.callers.of(scratch, addr));
        if told.is_none() {
            self.cost.this(pin).lost.scratch.add(1);
        }
        told
    }

    /// The slot of the current task. If it has none, looks at its callers: a
    /// window of MADV_PAGEOUT or DAMON has no begin event and is opened here.
    /// Without a slot, the origin that is known for it. Task context.
    pub(crate) fn slot_or_origin(&self, pin: &Pinned<'_>, at: &At) -> Result<&Slot, Origin> {
        if let Some(slot) = self.windows.find(pin, at.task) {
            return Ok(slot);
        }
        let told = |c| matches!(c, Caller::Pages | Caller::Hibernation | Caller::Window);
        match self.caller(pin, FRAMES, told) {
            Some(Caller::Pages) => {
                // Its end event will close the window; without one it must not
                // be opened.
                if !self.attached(Event::ReclaimPages) {
                    return Err(Origin::Madvise);
                }
                // The entry to reclaim was not sampled: depth 0 says so.
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

    /// Opens a window of the current task; counts it as lost if it has no
    /// room. Task context.
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
        let lost = &self.cost.this(pin).lost;
        match self.windows.begin(pin, at.task, origin, depth as u64, now) {
            Begun::InSlot(slot) => return Some(slot),
            Begun::TooDeep => lost.depth.add(1),
            Begun::NoSlot => lost.slots.add(1),
        }
        None
    }

    /// The current task, one of ours, begins to write for `origin`. Task context.
    pub(crate) fn begin_own(&self, task: usize, origin: Origin) {
        pinned(|pin| {
            if matches!(self.windows.begin(pin, task, origin, 0, 0), Begun::NoSlot) {
                self.cost.this(pin).lost.slots.add(1);
            }
        });
    }

    /// It is done.
    pub(crate) fn end_own(&self, task: usize) {
        pinned(|pin| {
            self.windows.end(pin, task);
        });
    }

    /// Records a write. Task context.
    pub(crate) fn write(&self, pin: &Pinned<'_>, at: &At, origin: Origin, kind: Kind, f: &Folio) {
        self.writes.this(pin).record(origin, kind, f);
        let pages = u64::from(f.nr_pages);
        let (key, gone) = (f.cgroup_key(), f.cgroup_gone());
        let not_kept = self.cgroups.count(pin, key, gone, pages, |by_origin| {
            if let Some(cell) = by_origin.get(origin as usize) {
                cell.add(pages);
            }
        });
        if not_kept.any() {
            let lost = &self.cost.this(pin).lost;
            lost.cgroups.add(not_kept.events);
            lost.known_cgroups.add(not_kept.unknown.into());
        }
        events::reclaim_write(origin, kind, f, at.headroom);
    }

    /// Sorts out a sample by where it ran: counts those in IRQ and softirq,
    /// which are charged to nobody, and returns false for them.
    pub(crate) fn in_task(&self, pin: &Pinned<'_>, at: &At, layer: Layer) -> bool {
        let cost = self.cost.this(pin);
        let counter = match at.context() {
            Context::Task => return true,
            Context::Irq => cost.irq(layer),
            Context::Softirq => cost.softirq(layer),
        };
        // What interrupts a task that is not reclaiming is no business of ours.
        if at.memalloc() && settings::enabled() {
            if let Some(counter) = counter {
                counter.add(1);
            }
        }
        false
    }

    /// Where the tracepoint of a probe is called: above the iterator that calls the probes,
    /// while there is more than one. Elsewhere than on a task's own stack it is left as it is.
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

    /// Records a stack sample. Task context, on the task's own stack.
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
            .record(origin, layer, headroom, depth, used);
        if self.worst.is_worse(origin, layer, at.depth) {
            self.keep(pin, at, origin, layer);
        }
        if at.headroom < settings::headroom_floor() {
            self.low(pin, at, origin, layer);
        }
    }

    #[cold]
    fn keep(&self, pin: &Pinned<'_>, at: &At, origin: Origin, layer: Layer) {
        let kept = self
            .scratch
            .with(pin, |scratch| self.worst.keep(scratch, origin, layer, at));
        if kept != Some(true) {
            self.cost.this(pin).lost.stacks.add(1);
        }
    }

    #[cold]
    fn low(&self, pin: &Pinned<'_>, at: &At, origin: Origin, layer: Layer) {
        let cost = self.cost.this(pin);
        cost.low.add(1);
        if !events::headroom_low_enabled() {
            return;
        }
        let due = self.low_due.load(Relaxed);
        let next = ratelimit::pass(system::clock_ns(), due, LOW_INTERVAL);
        // Whoever exchanges first fires; the others are within the interval.
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
