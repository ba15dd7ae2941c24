// SPDX-License-Identifier: GPL-2.0

//! Handlers for waits: for a page that is read again, in the sections that PSI counts, and for
//! dirty pages to be written. They run in the task that waits, except [`swap_read_end`].

use crate::{
    kernel_ext::{
        percpu::Pinned,
        system, //
    },
    ledgers::{
        swap_reads::OpenRead,
        waits::{
            OpenWait,
            WaitLoss, //
        },
        Ledgers, //
    },
    policy::{
        classify::Caller,
        wait::{
            section_kind,
            Wait, //
        },
    },
    settings,
    shim::{
        function::FunctionCall,
        wait::WaitFacts,
        At,
        Context, //
    },
    words::{
        Event,
        Function,
        Group,
        WaitKind, //
    },
};

/// Begins a wait of the current task. Returns false if there is no room.
fn open(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, wait: Wait, facts: WaitFacts) -> bool {
    let stands_for = facts.stands_for.into();
    let began = ledgers
        .waits
        .open
        .insert(pin, at.task, OpenWait::new(wait, facts));
    if !began {
        ledgers.cost.this(pin).lost.memory_waits.add(stands_for);
    }
    began
}

/// Ends the wait of the current task, and counts it.
fn close(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) {
    let now = system::clock_ns();
    if let Some(open) = ledgers.waits.open.remove(pin, at.task) {
        if settings::enabled() {
            count_lost(ledgers, pin, &ledgers.waits.close(pin, &open, now));
        }
    }
}

fn count_lost(ledgers: &Ledgers, pin: &Pinned<'_>, lost: &WaitLoss) {
    let counts = &ledgers.cost.this(pin).lost;
    counts.wait_cgroups.add(lost.cgroup.events);
    counts.known_cgroups.add(lost.cgroup.unknown.into());
    counts.wait_tasks.add(lost.task.into());
}

/// The current task begins to wait for a page. Returns true if the end of the call has to be seen,
/// which is so if the page was in memory before.
fn begin(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, call: &FunctionCall<'_>) -> bool {
    if ledgers.waits.open.contains(pin, at.task) {
        if call.reads_at_once() {
            if let Some(facts) = call.waits_for() {
                facts.leave_others();
            }
        }
        // The call that began the wait returns later than this one.
        return false;
    }
    let Some(facts) = call.waits_for() else {
        return false;
    };
    facts
        .kind()
        .is_some_and(|kind| open(ledgers, pin, at, Wait::new(kind, system::clock_ns()), facts))
}

/// A section of PSI's begins, in the function to which the address `caller` returns.
fn section(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, caller: usize) {
    let now = system::clock_ns();
    let nests = ledgers
        .waits
        .open
        .with(pin, at.task, |o| o.wait.begin_section(now));
    if nests.is_none() {
        let facts = WaitFacts::current();
        let caller = ledgers.caller_at(pin, caller).unwrap_or(Caller::Unrelated);
        let kind = section_kind(caller, facts.kernel());
        open(ledgers, pin, at, Wait::section(kind, now), facts);
    }
}

/// Handles the call of a function that tells of waits. Returns true if the end of the call has to
/// be seen.
pub(super) fn entry(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, call: &FunctionCall<'_>) -> bool {
    if !ledgers.states.is_live(Group::Waits) || at.context() != Context::Task {
        return false;
    }
    match call.function() {
        Function::PsiEnter => {
            let [_, caller] = call.args();
            section(ledgers, pin, at, caller);
            false
        }
        Function::PsiLeave => {
            let now = system::clock_ns();
            let over = ledgers
                .waits
                .open
                .with(pin, at.task, |o| o.wait.end_section(now));
            if over == Some(true) {
                close(ledgers, pin, at);
            }
            false
        }
        Function::Refault => {
            if let Some(facts) = call.refault().filter(|_| settings::enabled()) {
                let cgroup = ledgers.waits.refault(pin, &facts);
                if cgroup.any() {
                    let task = false;
                    count_lost(ledgers, pin, &WaitLoss { cgroup, task });
                }
            }
            false
        }
        function => {
            if function == Function::SwapRead {
                ledgers.needs.note_access(call.reads_at_once(), 1);
            }
            ledgers.needs.function(function) && begin(ledgers, pin, at, call)
        }
    }
}

/// Handles the end of a call for which [`entry`] returned true.
pub(super) fn exit(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) {
    if ledgers.waits.open.with(pin, at.task, |o| o.wait.unnest()) == Some(true) {
        close(ledgers, pin, at);
    }
}

/// The current task reads a page of swap from a device that has read when it is told to. If the
/// task is inside a wait, the read is a part of that.
pub(super) fn swap_read_begin(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    bio: usize,
    facts: impl FnOnce() -> WaitFacts,
) {
    let waits = &ledgers.waits.open;
    if !settings::enabled()
        || !ledgers.states.is_live(Group::Waits)
        || !ledgers.states.is_attached(Event::BioDone)
        || at.context() != Context::Task
    {
        return;
    }
    let facts = facts();
    if waits.contains(pin, at.task) {
        facts.leave_others();
        return;
    }
    let read = OpenRead {
        facts,
        comm: system::comm(),
        began: system::clock_ns(),
    };
    let stands_for = read.facts.stands_for.into();
    if stands_for != 0 && !ledgers.swap_reads.insert(pin, bio, read) {
        ledgers.cost.this(pin).lost.memory_waits.add(stands_for);
    }
}

/// A read is done, which may be one that [`swap_read_begin`] has noted. Any context, with
/// interrupts off.
pub(crate) fn swap_read_end(ledgers: &Ledgers, pin: &Pinned<'_>, bio: usize) {
    let Some(read) = ledgers.swap_reads.remove(bio) else {
        return;
    };
    let ns = system::clock_ns().saturating_sub(read.began);
    let waits = &ledgers.waits;
    if settings::enabled() {
        let kind = WaitKind::Swapin;
        count_lost(
            ledgers,
            pin,
            &waits.add_for_task(pin, read.comm, kind, &read.facts, ns, 0),
        );
    }
}

/// The current task is about to pause for `ns` nanoseconds, because it dirties pages of a device
/// faster than they are written.
pub(crate) fn dirty_pause(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    facts: &WaitFacts,
    ns: u64,
) {
    if settings::enabled() && ledgers.states.is_live(Group::Waits) && at.context() == Context::Task
    {
        let lost = ledgers.waits.add(pin, WaitKind::Dirty, facts, ns, 0);
        count_lost(ledgers, pin, &lost);
    }
}
