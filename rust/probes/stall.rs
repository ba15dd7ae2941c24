// SPDX-License-Identifier: GPL-2.0

//! Handlers for stalls: how they begin and end, and what their tasks do meanwhile.
//!
//! Only what a task does itself counts. An interrupt is part of what the task was doing.

use super::shrinker;
use crate::{
    kernel_ext::{
        events,
        percpu::Pinned,
        system, //
    },
    ledgers::{
        stalls::{
            HolderStall,
            LockHolder,
            OpenStall,
            Wanted, //
        },
        Ledgers, //
    },
    policy::{
        classify::Caller,
        stall::{
            main_cause,
            Stall, //
        },
    },
    settings,
    shim::{
        function::FunctionCall,
        At,
        Context, //
    },
    words::{
        Cause,
        CompactResult,
        Event,
        Function,
        Group,
        Origin,
        Outcome,
        Window, //
    },
};

/// The number of frames that are searched for the function that takes a lock. The lock and this
/// module have about five frames each, and twice as many if a compiler inlines less.
const LOCK_FRAMES: usize = 24;

/// Changes the stall of the current task, if it is in one.
fn update_stall(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, f: impl FnOnce(&mut Stall, u64)) {
    if ledgers.stalls.open.is_empty() || at.context() != Context::Task {
        return;
    }
    ledgers
        .stalls
        .open
        .with(pin, at.task, |open| f(&mut open.stall, system::clock_ns()));
}

/// Begins an envelope of the current task. Returns true if it counts, so that its end counts, too.
fn begin(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, wanted: Wanted) -> bool {
    if !ledgers.states.is_live(Group::Stalls) || at.context() != Context::Task {
        return false;
    }
    ledgers
        .stalls
        .open
        .with(pin, at.task, OpenStall::nest)
        .is_some()
        || begin_first(ledgers, pin, at.task, wanted)
}

/// Begins the first envelope. This is a function of its own because it needs more stack than the
/// rest of [`begin`], which may be called when little stack is left.
#[inline(never)]
fn begin_first(ledgers: &Ledgers, pin: &Pinned<'_>, task: usize, wanted: Wanted) -> bool {
    let now = system::clock_ns();
    let began = ledgers
        .stalls
        .open
        .insert_with(pin, task, |open| *open = OpenStall::new(now, wanted));
    if !began {
        ledgers.cost.this(pin).lost.stalls.add(1);
    }
    began
}

/// Ends an envelope of the current task.
fn end(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) {
    if at.context() != Context::Task {
        return;
    }
    if ledgers.stalls.open.with(pin, at.task, OpenStall::unnest) == Some(true) {
        end_last(ledgers, pin, at.task);
    }
}

/// Ends the last envelope, and the stall. This is a function of its own for the same reason as
/// [`begin_first`].
#[inline(never)]
fn end_last(ledgers: &Ledgers, pin: &Pinned<'_>, task: usize) {
    let locks = &ledgers.stalls.locks;
    ledgers.stalls.open.remove_with(pin, task, |open| {
        let announced = open.is_announced();
        // Without an event, this was a slow path that found its page at once, or a slow path of a
        // task that must not reclaim, such as kswapd.
        if !open.stall.eventful() || !settings::enabled() {
            if announced {
                locks.forget_stall(task);
            }
            return;
        }
        let now = system::clock_ns();
        let (stall, not_kept) = ledgers.stalls.close(pin, open, &ledgers.nbd, now);
        if announced {
            locks.record_stall_end(task, main_cause(&stall.parts), now);
        }
        let lost = &ledgers.cost.this(pin).lost;
        lost.stall_cgroups.add(not_kept.cgroups.events);
        lost.known_cgroups.add(not_kept.cgroups.unknown.into());
        lost.longest.add(not_kept.longest.into());
        events::stall(&stall);
    });
}

/// Notes that from now on the stall may wait for NBD requests.
fn begin_request_waits(ledgers: &Ledgers, open: &mut OpenStall, now: u64) {
    if ledgers.states.is_live(Group::Nbd) {
        open.begin_request_waits(|| ledgers.nbd.phase_times(now));
    }
}

/// Notes that the task stalls, for tasks that wait for a lock that it holds.
fn announce_stall(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, open: &mut OpenStall) {
    if let Some(began) = open.announce() {
        if !ledgers.stalls.locks.record_stall_begin(at.task, began) {
            ledgers.cost.this(pin).lost.lock_holders.add(1);
        }
    }
}

/// Whether the window is an envelope, into which a task was sent. kswapd's window is its own work,
/// and the window of a soft limit lies inside another one.
const fn is_envelope(window: Window) -> bool {
    matches!(window, Window::Direct | Window::Memcg | Window::Node)
}

/// A window begins.
pub(super) fn window_begin(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    window: Window,
    origin: Origin,
    wanted: Wanted,
) {
    if !is_envelope(window) || !begin(ledgers, pin, at, wanted) {
        return;
    }
    ledgers.stalls.open.with(pin, at.task, |open| {
        let now = system::clock_ns();
        open.set_wanted(wanted);
        // A task that reclaims does not wait for the reserves any more.
        if open.stall.at() == Cause::Pfmemalloc {
            open.stall.leave(Cause::Pfmemalloc, now);
        }
        open.stall.enter(Cause::Scan, now);
        open.set_origin(origin);
        announce_stall(ledgers, pin, at, open);
        begin_request_waits(ledgers, open, now);
    });
}

/// A window ends.
pub(super) fn window_end(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    window: Window,
    reclaimed: usize,
) {
    if !is_envelope(window) || ledgers.stalls.open.is_empty() || at.context() != Context::Task {
        return;
    }
    let there = ledgers.stalls.open.with(pin, at.task, |open| {
        open.stall.leave(Cause::Scan, system::clock_ns());
        open.freed = open.freed.wrapping_add(reclaimed as u64);
    });
    if there.is_some() {
        end(ledgers, pin, at);
    }
}

/// The current task isolated folios from an inactive list: `taken` pages of those `scanned`.
pub(crate) fn isolated(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, scanned: usize, taken: usize) {
    if at.kswapd() && settings::enabled() {
        ledgers
            .kswapd
            .record_isolated(at.task, scanned as u64, taken as u64);
    }
    if at.context() != Context::Task {
        return;
    }
    if let Some(slot) = ledgers.windows.find(pin, at.task) {
        shrinker::end_untold(ledgers, pin, slot);
    }
    ledgers.stalls.open.with(pin, at.task, |open| {
        open.stall.back_in_reclaim(system::clock_ns());
        open.scanned = open.scanned.wrapping_add(scanned as u64);
    });
}

/// Reclaim put the current task to sleep for `reason`, which is the kernel's
/// (`enum vmscan_throttle_state`). The task is awake again.
pub(super) fn throttled(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, reason: u32) {
    update_stall(ledgers, pin, at, |stall, now| {
        stall.has_slept(Cause::throttle(reason), now);
    });
}

/// The CPU goes from task `prev` to task `next`. `runnable` means that `prev` did not go to sleep.
pub(crate) fn switch(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    prev: usize,
    next: usize,
    runnable: bool,
) {
    let open = &ledgers.stalls.open;
    if open.is_empty() {
        return;
    }
    open.with(pin, prev, |o| o.stall.off(runnable, system::clock_ns()));
    open.with(pin, next, |o| o.stall.on(system::clock_ns()));
}

/// The current task begins to wait for a lock, which names `holder`, or (not `begin`) has it or has
/// given up.
pub(crate) fn contention(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    lock: usize,
    holder: LockHolder,
    begin: bool,
) {
    if at.context() != Context::Task {
        return;
    }
    let locks = &ledgers.stalls.locks;
    let holder_stall = match begin {
        true if holder.is_unknown() || !ledgers.states.is_live(Group::Stalls) => None,
        true => locks.record_wait_begin(pin, at.task, lock, holder, system::clock_ns(), || {
            ledgers.cost.this(pin).lost.lock_waits.add(1)
        }),
        false if locks.has_no_waiters() => None,
        false => locks.record_wait_end(pin, at.task, lock, system::clock_ns()),
    };
    if let Some(holder_stall) = holder_stall {
        record_lock_wait(ledgers, pin, at, &holder_stall);
    }
    if ledgers.stalls.open.is_empty() {
        return;
    }
    if !begin {
        return update_stall(ledgers, pin, at, |stall, now| {
            stall.end_lock_wait(lock, now)
        });
    }
    // The callers are looked at outside of the table, because that takes long.
    if !ledgers.stalls.open.contains(pin, at.task) {
        return;
    }
    let began = system::clock_ns();
    let cause = match ledgers.caller(pin, LOCK_FRAMES, |c| c != Caller::Locking) {
        Some(Caller::Lru) => Cause::LruLock,
        Some(Caller::Nbd) => Cause::NbdLock,
        _ => Cause::Lock,
    };
    // The time that this took is part of the wait.
    update_stall(ledgers, pin, at, |stall, _| {
        stall.begin_lock_wait(cause, lock, began)
    });
}

/// Counts a wait of the current task for a lock, while the task that held the lock stalled. This is
/// a function of its own because it looks at the callers.
#[inline(never)]
fn record_lock_wait(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, holder_stall: &HolderStall) {
    if !settings::enabled() {
        return;
    }
    let mut site = 0;
    ledgers.callers(pin, LOCK_FRAMES, |addr, caller| {
        if site == 0 && caller != Caller::Locking {
            site = addr;
        }
    });
    let is_stalled = ledgers.stalls.open.contains(pin, at.task);
    ledgers
        .stalls
        .locks
        .record_wait(holder_stall, site, is_stalled);
}

/// The current task calls a shrinker. If that finds no object, nothing tells that it returns. Then
/// the task is in the next one when it calls that, or in none when it takes folios from a list.
pub(super) fn begin_shrinker(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, now: u64) {
    ledgers.stalls.open.with(pin, at.task, |open| {
        open.stall.enter_untold(Cause::Shrinker, now)
    });
}

/// A shrinker that the current task called is through with scanning.
pub(super) fn end_shrinker(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, now: u64) {
    ledgers
        .stalls
        .open
        .with(pin, at.task, |open| open.stall.leave(Cause::Shrinker, now));
}

/// The current task is about to sleep until a device has a free tag.
pub(crate) fn tag_wait(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) {
    update_stall(ledgers, pin, at, |stall, now| {
        stall.will_sleep(Cause::TagWait, now)
    });
}

/// The current task has submitted a swap write that is done at once, and that is to be timed.
/// Returns true if the task is in a stall.
pub(super) fn begin_timed_submit(ledgers: &Ledgers, pin: &Pinned<'_>, task: usize) -> bool {
    let open = &ledgers.stalls.open;
    ledgers.states.is_live(Group::Stalls)
        && !open.is_empty()
        && open
            .with(pin, task, |open| {
                open.stall
                    .enter_sample(Cause::SwapSubmit, system::clock_ns());
            })
            .is_some()
}

/// The swap write that was timed is done. It stands for `times` writes.
pub(super) fn end_timed_submit(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, times: u64) {
    update_stall(ledgers, pin, at, |stall, now| {
        stall.leave_sample(Cause::SwapSubmit, times, now)
    });
}

/// The current task begins to send an NBD request, or (not `begin`) has sent one.
pub(crate) fn nbd_send(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, begin: bool) {
    if begin && ledgers.states.is_attached(Event::NbdSent) {
        update_stall(ledgers, pin, at, |stall, now| {
            stall.enter(Cause::NbdSend, now)
        });
    } else if !begin {
        update_stall(ledgers, pin, at, |stall, now| {
            stall.leave(Cause::NbdSend, now)
        });
    }
}

/// The current task begins to wait for room at the swap writer, or (not `begin`) stops waiting.
pub(crate) fn writer_wait(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, begin: bool) {
    let cause = Cause::ThrottleWriteback;
    update_stall(ledgers, pin, at, |stall, now| match begin {
        true => stall.enter(cause, now),
        false => stall.leave(cause, now),
    });
}

/// Returns what the time inside a probed function is spent on; `None` if that is not a cause.
const fn cause_of(function: Function) -> Option<Cause> {
    Some(match function {
        Function::TryToFree => Cause::Pfmemalloc,
        Function::Compact => Cause::Compaction,
        Function::DrainPages | Function::DrainLru => Cause::Drain,
        Function::SwapSubmit => Cause::SwapSubmit,
        Function::TlbFlush | Function::TlbFlushDirty => Cause::Tlb,
        Function::OverHigh => Cause::HighPenalty,
        Function::RqQos => Cause::RqQos,
        Function::ZswapStore
        | Function::ZswapWriteback
        | Function::ZswapSwitch
        | Function::ShrinkSlab
        | Function::SlowPath
        | Function::NbdQueue => return None,
        Function::PsiLeave
        | Function::PsiEnter
        | Function::WaitBit
        | Function::WaitBitKillable
        | Function::FolioLock
        | Function::FolioLockKillable
        | Function::LockOrRetry
        | Function::SwapRead
        | Function::Refault
        | Function::WaitBitCommon => return None,
    })
}

/// Returns what is asked for, by the first two arguments of a function that allocates.
fn wanted(call: &FunctionCall<'_>) -> Wanted {
    let [gfp, order] = call.args();
    Wanted {
        gfp: gfp as u32,
        order: order as u32,
    }
}

/// Handles the call of a probed function. Returns true if the end of the call has to be seen.
pub(super) fn entry(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, call: &FunctionCall<'_>) -> bool {
    let function = call.function();
    match function {
        // The arguments are (gfp_t gfp_mask, unsigned int order, ...). Both are passed as 0 if gcc
        // made another function of it.
        Function::SlowPath => begin(ledgers, pin, at, wanted(call)),
        Function::OverHigh => {
            begin(ledgers, pin, at, Wanted::default()) && {
                ledgers.stalls.open.with(pin, at.task, |open| {
                    open.stall.enter(Cause::HighPenalty, system::clock_ns());
                    open.set_origin(Origin::MemcgHigh);
                    announce_stall(ledgers, pin, at, open);
                });
                true
            }
        }
        _ => {
            let Some(cause) = cause_of(function) else {
                return false;
            };
            if ledgers.stalls.open.is_empty()
                || at.context() != Context::Task
                || !ledgers.needs.function(function)
            {
                return false;
            }
            // The arguments of these two are the gfp mask and the order.
            let has_gfp = matches!(function, Function::TryToFree | Function::Compact);
            if has_gfp {
                settle_compaction(ledgers, pin, at, Outcome::Again);
            }
            let there = ledgers.stalls.open.with(pin, at.task, |open| {
                let now = system::clock_ns();
                if has_gfp {
                    open.set_wanted(wanted(call));
                }
                open.stall.enter(cause, now);
                match cause {
                    Cause::Compaction => {
                        open.set_origin(Origin::Direct);
                        announce_stall(ledgers, pin, at, open);
                        open.begin_compaction(now);
                    }
                    Cause::Pfmemalloc => {
                        announce_stall(ledgers, pin, at, open);
                        begin_request_waits(ledgers, open, now);
                    }
                    _ => {}
                }
            });
            there.is_some()
        }
    }
}

/// Counts what came of the current task's last attempt to compact, which is known now. An attempt
/// that was counted is settled whether events are recorded or not. Otherwise it would never have an
/// outcome.
fn settle_compaction(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, outcome: Outcome) {
    let settled = ledgers
        .stalls
        .open
        .with(pin, at.task, OpenStall::settle_compaction)
        .flatten();
    if let Some((order, result)) = settled {
        if result == CompactResult::Success {
            ledgers.takers.change_waiters(order, -1);
        }
        if let Some(ledger) = ledgers.compaction.this(pin).order(order as usize) {
            ledger.record_outcome(result, outcome);
        }
    }
}

/// The current task is done compacting, with `result` (`enum compact_result`).
fn compaction_done(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, result: usize) {
    let Some(result) = u32::try_from(result).ok().and_then(CompactResult::from_raw) else {
        return;
    };
    let now = system::clock_ns();
    let attempt = ledgers.stalls.open.with(pin, at.task, |open| {
        if !settings::enabled() {
            open.drop_compaction();
        }
        open.end_compaction(result, now)
    });
    if let Some((order, ns)) = attempt.flatten() {
        if result == CompactResult::Success {
            ledgers.takers.change_waiters(order, 1);
        }
        if let Some(ledger) = ledgers.compaction.this(pin).order(order as usize) {
            ledger.record_attempt(result, ns);
        }
    }
}

/// Handles the end of a call for which [`entry`] returned true. The function returns `ret`.
pub(super) fn exit(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, function: Function, ret: usize) {
    if let Some(cause) = cause_of(function) {
        update_stall(ledgers, pin, at, |stall, now| stall.leave(cause, now));
    }
    match function {
        // The function returns an enum, which is in the lower half.
        Function::Compact => compaction_done(ledgers, pin, at, ret & 0xffff_ffff),
        Function::SlowPath => {
            settle_compaction(
                ledgers,
                pin,
                at,
                if ret == 0 {
                    Outcome::Failed
                } else {
                    Outcome::Served
                },
            );
            end(ledgers, pin, at);
        }
        Function::OverHigh => end(ledgers, pin, at),
        _ => {}
    }
}
