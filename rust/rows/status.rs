// SPDX-License-Identifier: GPL-2.0

//! `status`: which probes are attached, which ledgers are available, what was lost, and what the
//! module costs.

use super::{
    FORMAT,
    VERSION, //
};
use crate::{
    control::{
        helper,
        probes, //
    },
    kernel_ext::{
        cell::Cell64,
        tracepoint::ProbeState, //
    },
    ledgers::{
        cost::{
            Cost,
            EventCost,
            LostCounts, //
        },
        Ledgers, //
    },
    settings,
    words::{
        Event,
        Form,
        Function,
        Group,
        Layer, //
    },
};
use kernel::{
    fmt::{
        self,
        Write, //
    },
    sync::Arc, //
};

fn state(f: &mut fmt::Formatter<'_>, state: ProbeState) -> fmt::Result {
    match state {
        ProbeState::Missing => f.write_str("missing"),
        ProbeState::Changed => f.write_str("changed"),
        ProbeState::Waiting => f.write_str("waiting"),
        ProbeState::Unpaired => f.write_str("unpaired"),
        ProbeState::Attached => f.write_str("attached"),
        ProbeState::Off | ProbeState::Paused => f.write_str("off"),
        ProbeState::Resting => f.write_str("resting"),
        ProbeState::Failed(errno) => write!(f, "failed:{errno}"),
    }
}

/// Returns the names of the ledgers, and whether the probes that they need work.
pub(crate) fn availability(ledgers: &Ledgers) -> [(&'static str, bool); 9] {
    let on = |e| ledgers.states.state(e).works();
    let windows = [
        Event::BalanceBegin,
        Event::DirectBegin,
        Event::MemcgBegin,
        Event::SoftBegin,
        Event::NodeBegin,
        Event::ReclaimPages,
    ];
    let windows = windows.into_iter().all(on);
    [
        ("windows", windows),
        ("writes", on(Event::WriteFolio)),
        ("io_split", on(Event::WriteFolio) && on(Event::BioQueue)),
        (
            "zswap_split",
            on(Event::WriteFolio) && ledgers.states.function(Function::ZswapStore).works(),
        ),
        ("headroom.entry", windows),
        ("headroom.write", on(Event::WriteFolio)),
        ("headroom.bio", on(Event::BioQueue)),
        ("headroom.nbd", on(Event::NbdSend)),
        ("headroom.net", on(Event::NetXmit)),
    ]
}

/// Formats the file `status`.
pub(super) fn status(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "format {FORMAT}")?;
    writeln!(f, "version {VERSION}")?;
    writeln!(f, "enabled {}", u8::from(settings::enabled()))?;
    for &event in Event::ALL.iter() {
        write!(f, "probe.{} ", event.name())?;
        state(f, ledgers.states.state(event))?;
        f.write_char('\n')?;
    }
    for &function in Function::ALL {
        write!(f, "fprobe.{} ", function.name())?;
        state(f, ledgers.states.function(function))?;
        f.write_char('\n')?;
        match probes::form(function) {
            None | Some(Form::Whole) => {}
            Some(form) => {
                let name = function.name();
                writeln!(f, "form.{name} {name}{}", form.name())?;
            }
        }
    }
    for &group in Group::ALL {
        let on = if settings::group(group) { "on" } else { "off" };
        writeln!(f, "group.{} {on}", group.name())?;
    }
    for (name, available) in availability(ledgers) {
        let state = if available {
            "available"
        } else {
            "unavailable"
        };
        writeln!(f, "ledger.{name} {state}")?;
    }
    writeln!(f, "helper {}", super::helper::state(|on| on.around))?;
    writeln!(f, "handoff {}", super::helper::state(|on| on.handoff))?;
    counts(ledgers, f)?;
    cost(ledgers, f)
}

fn counts(ledgers: &Ledgers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for &event in Event::ALL {
        let n = ledgers.cost.sum(|c| {
            let of = |counts: Option<&EventCost>| counts.map_or(0, |e| e.handled.get());
            of(c.event(event)).wrapping_add(of(c.repeats(event)))
        });
        writeln!(f, "events.{} {n}", event.name())?;
    }
    for event in [Event::WriteFolio, Event::BioQueue, Event::NetXmit] {
        let n = ledgers
            .cost
            .sum(|c| c.repeats(event).map_or(0, |e| e.handled.get()));
        writeln!(f, "counted.{} {n}", event.name())?;
    }
    for &function in Function::ALL {
        let n = ledgers
            .cost
            .sum(|c| c.function(function).map_or(0, |e| e.handled.get()));
        writeln!(f, "events.{} {n}", function.name())?;
    }
    type LostField = fn(&LostCounts) -> &Cell64;
    let lost: [(&str, LostField); 26] = [
        ("slots", |l| &l.slots),
        ("depth", |l| &l.depth),
        ("cgroups", |l| &l.cgroups),
        ("known_cgroups", |l| &l.known_cgroups),
        ("stacks", |l| &l.stacks),
        ("preload", |l| &l.preload),
        ("scratch", |l| &l.scratch),
        ("stalls", |l| &l.stalls),
        ("stall_cgroups", |l| &l.stall_cgroups),
        ("lock_holders", |l| &l.lock_holders),
        ("lock_waits", |l| &l.lock_waits),
        ("longest", |l| &l.longest),
        ("takers", |l| &l.takers),
        ("shrinkers", |l| &l.shrinkers),
        ("sites", |l| &l.sites),
        ("waits", |l| &l.waits),
        ("waiters", |l| &l.waiters),
        ("nbd_requests", |l| &l.nbd_requests),
        ("nbd_abandoned", |l| &l.nbd_abandoned),
        ("nbd_longest", |l| &l.nbd_longest),
        ("wakers", |l| &l.wakers),
        ("swap_writes", |l| &l.swap_writes),
        ("zswap", |l| &l.zswap),
        ("memory_waits", |l| &l.memory_waits),
        ("wait_cgroups", |l| &l.wait_cgroups),
        ("wait_tasks", |l| &l.wait_tasks),
    ];
    for (name, cell) in lost {
        let n = ledgers.cost.sum(|c| cell(&c.lost).get());
        writeln!(f, "lost.{name} {n}")?;
    }
    let missed = probes::missed();
    writeln!(f, "lost.calls {}", missed.calls)?;
    writeln!(f, "context.functions.irq {}", missed.interrupts)?;
    let by_layer = |get: fn(&Cost, Layer) -> Option<&Cell64>, layer| {
        ledgers.cost.sum(|c| get(c, layer).map_or(0, Cell64::get))
    };
    for &layer in Layer::ALL {
        let name = layer.name();
        writeln!(f, "context.{name}.irq {}", by_layer(Cost::irq, layer))?;
        writeln!(
            f,
            "context.{name}.softirq {}",
            by_layer(Cost::softirq, layer)
        )?;
    }
    for &layer in Layer::ALL {
        writeln!(
            f,
            "outside.{} {}",
            layer.name(),
            by_layer(Cost::outside, layer)
        )?;
    }
    writeln!(f, "low.samples {}", ledgers.cost.sum(|c| c.low.get()))?;
    writeln!(
        f,
        "low.suppressed {}",
        ledgers.cost.sum(|c| c.low_suppressed.get())
    )?;
    let (slots, used) = ledgers.windows.usage();
    writeln!(f, "windows.open {used}")?;
    writeln!(f, "stalls.open {}", ledgers.stalls.open.len())?;
    writeln!(f, "windows.slots {slots}")
}

/// An event or function whose handler costs time.
enum CostSource {
    Event(Event),
    Repeats(Event),
    Function(Function),
}

fn cost(ledgers: &Ledgers, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mut handled, mut sampled, mut cycles, mut estimate) = (0u64, 0u64, 0u64, 0u64);
    let events = Event::ALL.iter().map(|&e| CostSource::Event(e));
    let repeats = Event::ALL.iter().map(|&e| CostSource::Repeats(e));
    let functions = Function::ALL.iter().map(|&f| CostSource::Function(f));
    for counted in Iterator::chain(Iterator::chain(events, repeats), functions) {
        let sum = |get: fn(&EventCost) -> &Cell64| {
            ledgers.cost.sum(|c| {
                let counts = match counted {
                    CostSource::Event(e) => c.event(e),
                    CostSource::Repeats(e) => c.repeats(e),
                    CostSource::Function(f) => c.function(f),
                };
                counts.map_or(0, |e| get(e).get())
            })
        };
        let (h, s, c) = (sum(|e| &e.handled), sum(|e| &e.sampled), sum(|e| &e.cycles));
        handled = handled.wrapping_add(h);
        sampled = sampled.wrapping_add(s);
        cycles = cycles.wrapping_add(c);
        // Each event has its own average, because they differ by orders of magnitude.
        let mean = c.checked_div(s).unwrap_or(0);
        estimate = estimate.wrapping_add(mean.wrapping_mul(h));
        if s != 0 {
            match counted {
                CostSource::Event(e) => writeln!(f, "mean_cycles.{} {mean}", e.name()),
                CostSource::Repeats(e) => writeln!(f, "mean_cycles.counted.{} {mean}", e.name()),
                CostSource::Function(e) => writeln!(f, "mean_cycles.{} {mean}", e.name()),
            }?;
        }
    }
    writeln!(f, "cost.events {handled}")?;
    writeln!(f, "cost.sampled_events {sampled}")?;
    writeln!(f, "cost.sampled_cycles {cycles}")?;
    writeln!(f, "cost.cycles_estimate {estimate}")?;
    let (ns, cycles) = ledgers.created.elapsed();
    let per_ms = cycles.checked_div(ns / 1_000_000).unwrap_or(0);
    let ns_estimate = estimate.checked_div(per_ms).map_or(0, |ms| {
        let rest = estimate.wrapping_sub(ms.wrapping_mul(per_ms));
        let rest = rest.wrapping_mul(1_000_000).checked_div(per_ms);
        ms.wrapping_mul(1_000_000).wrapping_add(rest.unwrap_or(0))
    });
    writeln!(f, "cost.ns_estimate {ns_estimate}")?;
    writeln!(f, "cost.since_ns {ns}")?;
    let bytes = ledgers
        .bytes()
        .saturating_add(helper::write_around().map_or(0, |shared| shared.bytes()))
        .saturating_add(helper::handoff().map_or(0, |shared| shared.bytes()));
    writeln!(f, "cost.memory_bytes {bytes}")
}
