// SPDX-License-Identifier: GPL-2.0

//! `nbd`: what the time of NBD requests is spent on.

use crate::{
    kernel_ext::{
        cell::Cell64,
        system,
        tracepoint::ProbeState, //
    },
    ledgers::{
        nbd::{
            LongestRequest,
            RequestCounts, //
        },
        Ledgers, //
    },
    policy::log2,
    words::{
        Direction,
        Event,
        Function,
        Group,
        Phase, //
    },
};
use kernel::{
    fmt,
    prelude::*,
    sync::Arc, //
};

/// Before the module nbd is loaded there are no requests that could be missed.
fn there(state: ProbeState) -> ProbeState {
    match state {
        ProbeState::Waiting => ProbeState::Attached,
        other => other,
    }
}

/// Formats the file `nbd`.
pub(super) fn nbd(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let needs = [
        Event::NbdSend,
        Event::NbdHeader,
        Event::NbdSent,
        Event::NbdReply,
        Event::RqComplete,
        Event::RqRequeue,
    ];
    let needs = needs.map(|e| there(ledgers.states.state(e)));
    writeln!(f, "state {}", super::group(Group::Nbd, &needs))?;
    let lock = [there(ledgers.states.function(Function::NbdQueue))];
    writeln!(f, "lock {}", super::group(Group::Nbd, &lock))?;
    let counts = &ledgers.nbd.counts;
    let mut seen = KVec::<u32>::new();
    let known = counts.all().flat_map(|c| c.devices());
    for index in Iterator::chain(known.filter_map(|d| d.index()), ledgers.nbd.busy_devices()) {
        if !seen.contains(&index) {
            seen.push(index, GFP_KERNEL).map_err(|_| fmt::Error)?;
        }
    }
    for index in seen {
        for &direction in Direction::ALL {
            device(ledgers, f, index, direction)?;
        }
    }
    writeln!(f, "stalls.stalls {}", counts.sum(|c| c.stalls.stalls.get()))?;
    for &phase in Phase::ALL {
        let what = phase.name();
        let ns = counts.sum(|c| c.stalls.ns(phase));
        writeln!(f, "stalls.phase.{what}.ns {ns}")?;
    }
    writeln!(f, "others.requests {}", counts.sum(|c| c.others.get()))
}

fn device(
    ledgers: &Ledgers,
    f: &mut fmt::Formatter<'_>,
    index: u32,
    direction: Direction,
) -> fmt::Result {
    let counts = &ledgers.nbd.counts;
    let name = direction.name();
    let sum = |get: &dyn Fn(&RequestCounts) -> u64| {
        counts.sum(|c| {
            let own = c.devices().filter(|d| d.index() == Some(index));
            own.filter_map(|d| d.direction(direction))
                .map(get)
                .fold(0, u64::wrapping_add)
        })
    };
    type CountField = fn(&RequestCounts) -> &Cell64;
    let numbers: [(&str, CountField); 4] = [
        ("requests", |c| &c.requests),
        ("bytes", |c| &c.bytes),
        ("errors", |c| &c.errors),
        ("requeues", |c| &c.requeues),
    ];
    for (what, cell) in numbers {
        let n = sum(&|c| cell(c).get());
        writeln!(f, "device.nbd{index}.{name}.{what} {n}")?;
    }
    for &phase in Phase::ALL {
        let what = phase.name();
        let ns = sum(&|c| c.ns(phase));
        writeln!(f, "device.nbd{index}.{name}.phase.{what}.ns {ns}")?;
    }
    for bucket in 0..log2::BUCKETS {
        let n = sum(&|c| c.hist.get(bucket));
        if n != 0 {
            let from = log2::lower_bound(bucket);
            writeln!(f, "device.nbd{index}.{name}.hist.us.{from} {n}")?;
        }
    }
    let mut longest: LongestRequest = pin_init::zeroed();
    for device in counts.all().flat_map(|c| c.devices()) {
        if device.index() == Some(index) {
            if let Some(other) = device.direction(direction).map(RequestCounts::longest) {
                if other.ns > longest.ns {
                    longest = other;
                }
            }
        }
    }
    writeln!(f, "device.nbd{index}.{name}.longest.ns {}", longest.ns)?;
    writeln!(
        f,
        "device.nbd{index}.{name}.longest.bytes {}",
        longest.bytes
    )?;
    for (what, ns) in Phase::NAMES.iter().zip(&longest.parts) {
        writeln!(f, "device.nbd{index}.{name}.longest.phase.{what}.ns {ns}")?;
    }
    let now = ledgers.nbd.in_flight(index, direction, system::clock_ns());
    writeln!(f, "device.nbd{index}.{name}.inflight {}", now.requests)?;
    writeln!(
        f,
        "device.nbd{index}.{name}.inflight.oldest.ns {}",
        now.oldest_ns
    )?;
    for (what, n) in Phase::NAMES.iter().zip(&now.phases) {
        writeln!(f, "device.nbd{index}.{name}.inflight.phase.{what} {n}")?;
    }
    Ok(())
}
