// SPDX-License-Identifier: GPL-2.0
//! `status`: what is attached, what was lost, what it cost.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::rows::{Rows, grown};
use crate::{
    error::{Error, Result},
    names::{Event, Function, Layer},
};

/// The ledger format this tool reads.
pub const FORMAT: &str = "2";

/// The parts of the ledgers that depend on a probe. A newer module may have more.
const PARTS: [&str; 9] = [
    "windows",
    "writes",
    "io_split",
    "zswap_split",
    "headroom.entry",
    "headroom.write",
    "headroom.bio",
    "headroom.nbd",
    "headroom.net",
];
/// The tables that can be full. A newer module may have more.
const LOST: [&str; 5] = ["slots", "depth", "cgroups", "stacks", "preload"];

/// Whether a part of the ledgers can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Availability {
    /// Its probes are attached.
    Available,
    /// Its probes are missing, so its rows mean nothing.
    Unavailable,
}

/// One probe of the module.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Probe {
    /// Tracepoint or function.
    pub name: String,
    /// `tracepoint` or `fprobe`.
    pub via: &'static str,
    /// `attached`; `resting` while it would have nothing to report; or the reason why it is not attached.
    pub state: String,
    /// The name of the function in this kernel, if the compiler changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
}

impl Probe {
    /// Whether it records.
    pub fn attached(&self) -> bool {
        self.state == "attached" || self.state == "resting"
    }

    /// Whether it does not record although it should.
    pub fn missing(&self) -> bool {
        !self.attached() && self.state != "off"
    }
}

/// What the module's own work cost.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Cost {
    /// Events handled.
    pub events: u64,
    /// Events whose cycles were counted.
    pub sampled_events: u64,
    /// Cycles of those.
    pub sampled_cycles: u64,
    /// Cycles of all events, estimated from the sample.
    pub cycles_estimate: u64,
    /// The same in nanoseconds, if the module has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ns_estimate: Option<u64>,
    /// The time that this estimate covers, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ns: Option<u64>,
    /// Memory the module holds.
    pub memory_bytes: u64,
}

impl Cost {
    /// The share of one CPU that the handlers took, by estimate.
    pub fn share_of_a_cpu(&self) -> Option<f64> {
        let since = self.since_ns.filter(|ns| *ns > 0)?;
        Some(self.ns_estimate? as f64 / since as f64)
    }
}

/// The `status` ledger.
#[derive(Clone, Debug)]
pub struct Status {
    /// The module's version.
    pub version: String,
    /// Whether it records now.
    pub enabled: bool,
    /// All probes.
    pub probes: Vec<Probe>,
    /// By part of the ledgers.
    pub parts: BTreeMap<String, Availability>,
    /// State of the helper's half that writes dirty file folios.
    pub helper: String,
    /// State of its half that swaps out, if the module has one.
    pub handoff: Option<String>,
    /// Groups of probes that are switched together, and whether they are on.
    pub groups: BTreeMap<String, bool>,
    /// Events handled, by tracepoint.
    pub events: BTreeMap<String, u64>,
    /// What did not fit, by table.
    pub lost: BTreeMap<String, u64>,
    /// Samples taken on an IRQ stack, by layer.
    pub irq: BTreeMap<Layer, u64>,
    /// Samples taken in softirq on top of a reclaimer, by layer.
    pub softirq: BTreeMap<Layer, u64>,
    /// Samples of a task that is in no window, by layer.
    pub outside: BTreeMap<Layer, u64>,
    /// Calls of probed functions by interrupts while a handler ran. The kernel does not pass them on, and they belong
    /// to no stall.
    pub calls_of_irqs: Option<u64>,
    /// Windows open now.
    pub windows_open: u64,
    /// Stalls that are going on now, if the module counts them.
    pub stalls_open: Option<u64>,
    /// Room for tasks in a window.
    pub slots: u64,
    /// Samples below the parameter `headroom_floor`.
    pub low: Option<u64>,
    /// Samples of these whose event was suppressed by the rate limit.
    pub low_suppressed: Option<u64>,
    /// The module's own cost.
    pub cost: Cost,
}

impl Status {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        // Check the format first, so that a newer format is not taken for a broken ledger.
        let format = rows.take("format")?;
        if format != FORMAT {
            return Err(Error::Format(format, FORMAT));
        }
        let version = rows.take("version")?;
        let enabled = match rows.take("enabled")?.as_str() {
            "1" => true,
            "0" => false,
            other => return Err(rows.error(format!("row enabled is neither 0 nor 1: {other:?}"))),
        };
        let mut probes = Vec::new();
        for (prefix, via) in [("probe.", "tracepoint"), ("fprobe.", "fprobe")] {
            let found = rows.take_prefix(prefix);
            probes.extend(found.into_iter().map(|(name, state)| Probe { name, via, state, symbol: None }));
        }
        for (function, symbol) in rows.take_prefix("form.") {
            if let Some(probe) = probes.iter_mut().find(|probe| probe.name == function) {
                probe.symbol = Some(symbol);
            }
        }
        if probes.is_empty() {
            return Err(rows.error("there is no probe row"));
        }
        // These rows are for `make cost`, which measures each handler by itself.
        for prefix in ["counted.", "mean_cycles."] {
            rows.take_prefix(prefix);
        }
        Ok(Self {
            version,
            enabled,
            probes,
            parts: parse_parts(rows)?,
            helper: rows.take("helper")?,
            handoff: rows.take_opt("handoff"),
            groups: groups(rows)?,
            events: numbers(rows, "events.", &[])?,
            lost: numbers(rows, "lost.", &LOST)?,
            irq: by_layer(rows, |layer| format!("context.{layer}.irq"))?,
            softirq: by_layer(rows, |layer| format!("context.{layer}.softirq"))?,
            outside: by_layer(rows, |layer| format!("outside.{layer}"))?,
            calls_of_irqs: rows.number_opt("context.functions.irq")?,
            windows_open: rows.number("windows.open")?,
            stalls_open: rows.number_opt("stalls.open")?,
            slots: rows.number("windows.slots")?,
            low: rows.number_opt("low.samples")?,
            low_suppressed: rows.number_opt("low.suppressed")?,
            cost: Cost {
                events: rows.number("cost.events")?,
                sampled_events: rows.number("cost.sampled_events")?,
                sampled_cycles: rows.number("cost.sampled_cycles")?,
                cycles_estimate: rows.number("cost.cycles_estimate")?,
                ns_estimate: rows.number_opt("cost.ns_estimate")?,
                since_ns: rows.number_opt("cost.since_ns")?,
                memory_bytes: rows.number("cost.memory_bytes")?,
            },
        })
    }

    /// Why a part cannot be trusted; `None` if it can.
    pub fn unavailable(&self, part: &str) -> Option<String> {
        if self.parts.get(part) == Some(&Availability::Available) {
            return None;
        }
        let missing: Vec<String> = self
            .probes
            .iter()
            .filter(|probe| !probe.attached() && concerns(part, &probe.name))
            .map(|probe| format!("{} is {}", probe.name, probe.state))
            .collect();
        Some(if missing.is_empty() {
            format!("the module marks {part} unavailable; dmesg | grep reclaimwb says why")
        } else {
            missing.join(", ")
        })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        subtract(&mut self.events, &before.events, |name| format!("events.{name}"))?;
        subtract(&mut self.lost, &before.lost, |table| format!("lost.{table}"))?;
        subtract(&mut self.irq, &before.irq, |layer| format!("context.{}.irq", layer.key()))?;
        subtract(&mut self.softirq, &before.softirq, |layer| format!("context.{}.softirq", layer.key()))?;
        subtract(&mut self.outside, &before.outside, |layer| format!("outside.{}", layer.key()))?;
        self.calls_of_irqs = grown_opt("context.functions.irq", self.calls_of_irqs, before.calls_of_irqs)?;
        self.low = grown_opt("low.samples", self.low, before.low)?;
        self.low_suppressed = grown_opt("low.suppressed", self.low_suppressed, before.low_suppressed)?;
        let cost = &mut self.cost;
        cost.events = grown("cost.events", cost.events, before.cost.events)?;
        cost.sampled_events = grown("cost.sampled_events", cost.sampled_events, before.cost.sampled_events)?;
        cost.sampled_cycles = grown("cost.sampled_cycles", cost.sampled_cycles, before.cost.sampled_cycles)?;
        // An estimate is not a counter. It may even fall a little while its averages settle.
        cost.cycles_estimate = cost.cycles_estimate.saturating_sub(before.cost.cycles_estimate);
        let ns = cost.ns_estimate.zip(before.cost.ns_estimate);
        cost.ns_estimate = ns.map(|(now, before)| now.saturating_sub(before));
        cost.since_ns = grown_opt("cost.since_ns", cost.since_ns, before.cost.since_ns)?;
        Ok(self)
    }
}

fn parse_parts(rows: &mut Rows) -> Result<BTreeMap<String, Availability>> {
    let mut parts = Vec::new();
    for part in PARTS {
        parts.push((part.to_owned(), rows.take(&format!("ledger.{part}"))?));
    }
    parts.extend(rows.take_prefix("ledger."));
    let availability = |(part, word): (String, String)| match word.as_str() {
        "available" => Ok((part, Availability::Available)),
        "unavailable" => Ok((part, Availability::Unavailable)),
        _ => Err(rows.error(format!("row ledger.{part} is neither available nor unavailable: {word:?}"))),
    };
    parts.into_iter().map(availability).collect()
}

fn groups(rows: &mut Rows) -> Result<BTreeMap<String, bool>> {
    let found = rows.take_prefix("group.");
    let state = |(group, word): (String, String)| match word.as_str() {
        "on" => Ok((group, true)),
        "off" => Ok((group, false)),
        _ => Err(rows.error(format!("row group.{group} is neither on nor off: {word:?}"))),
    };
    found.into_iter().map(state).collect()
}

fn grown_opt(name: &str, now: Option<u64>, before: Option<u64>) -> Result<Option<u64>> {
    now.map(|now| grown(name, now, before.unwrap_or(0))).transpose()
}

/// All rows with a prefix. The required ones must be among them.
fn numbers(rows: &mut Rows, prefix: &str, required: &[&str]) -> Result<BTreeMap<String, u64>> {
    let mut numbers = BTreeMap::new();
    for name in required {
        numbers.insert((*name).to_owned(), rows.number(&format!("{prefix}{name}"))?);
    }
    for (name, value) in rows.take_prefix(prefix) {
        let number = rows.parse_number(&format!("{prefix}{name}"), &value)?;
        numbers.insert(name, number);
    }
    Ok(numbers)
}

fn by_layer(rows: &mut Rows, key: impl Fn(&str) -> String) -> Result<BTreeMap<Layer, u64>> {
    let mut counts = BTreeMap::new();
    for layer in Layer::ALL {
        // Not every layer has such a row, because only the lower ones can run outside of a window.
        if let Some(count) = rows.number_opt(&key(layer.key()))? {
            counts.insert(*layer, count);
        }
    }
    Ok(counts)
}

fn subtract<K: Ord>(now: &mut BTreeMap<K, u64>, before: &BTreeMap<K, u64>, name: impl Fn(&K) -> String) -> Result<()> {
    for (key, value) in now {
        *value = grown(&name(key), *value, before.get(key).copied().unwrap_or(0))?;
    }
    Ok(())
}

/// Whether a part of the ledgers depends on this probe.
fn concerns(part: &str, probe: &str) -> bool {
    match part {
        "windows" | "headroom.entry" => {
            probe == Event::ReclaimPages.name()
                || probe.starts_with("mm_vmscan_") && (probe.ends_with("_begin") || probe.ends_with("_end"))
        }
        "writes" | "headroom.write" => probe == Event::WriteFolio.name(),
        "zswap_split" => probe == Function::ZswapStore.name(),
        "headroom.bio" | "io_split" => probe == Event::BioQueue.name(),
        "headroom.nbd" => probe == Event::NbdSend.name(),
        "headroom.net" => probe == Event::NetXmit.name(),
        _ => false,
    }
}
