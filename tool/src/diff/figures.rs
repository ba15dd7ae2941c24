// SPDX-License-Identifier: GPL-2.0
//! The figures that can be compared: their names, what they mean, and where they come from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::side::Side;
use crate::{
    ledger::{GroupState, Log2, STALLING, total},
    names::{Cause, Kind, Layer, Origin, Phase, WaitKind},
    report::{HandoffRow, HandoffSection, HeadroomRow, Section, StallsSection, Times, ZoneRow, percentile},
};

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A number of things.
    Count,
    /// Pages.
    Pages,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// A part of a whole, 0 to 1.
    Share,
    /// A number for each one of something.
    Each,
}

impl Unit {
    /// The word shown to people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Pages => "pages",
            Self::Bytes => "bytes",
            Self::Seconds => "time",
            Self::Share => "share",
            Self::Each => "each",
        }
    }

    /// An amount that is too small to matter. A change from 0 to this amount counts like a change to twice as much.
    pub(super) fn grain(self) -> f64 {
        match self {
            Self::Count => 10.0,
            Self::Pages | Self::Bytes => 256.0,
            Self::Seconds => 1e-3,
            Self::Share => 0.01,
            Self::Each => 1.0,
        }
    }
}

/// Whether a number is exact, or only a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The number is exact.
    Exact,
    /// The real value is less. The ledger keeps only powers of two.
    Below,
    /// The real value is this or more.
    AtLeast,
}

/// A figure of one side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Number {
    /// In the figure's unit.
    pub value: f64,
    /// What the value means.
    pub bound: Bound,
}

/// All that a value can be, if it is not known exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// It is not less than this.
    pub least: f64,
    /// It is not even equal to that.
    pub is_more: bool,
    /// It is not more than this; may be infinite.
    pub most: f64,
    /// It is not even equal to that.
    pub is_less: bool,
}

impl Range {
    /// The range of a value that is known.
    pub const fn exact(value: f64) -> Self {
        Self { least: value, is_more: false, most: value, is_less: false }
    }

    /// The range of `b` divided by `a`; infinite if `a` is 0 and `b` is not.
    pub fn ratio(b: Self, a: Self) -> Self {
        let least = match (b.least == 0.0, a.most == 0.0) {
            (true, true) => 1.0,
            (false, true) => f64::INFINITY,
            _ => b.least / a.most,
        };
        let most = match (b.most == 0.0, a.least == 0.0) {
            (true, true) => 1.0,
            (false, true) => f64::INFINITY,
            _ => b.most / a.least,
        };
        Self { least, is_more: b.is_more || a.is_less && b.least > 0.0, most, is_less: b.is_less || a.is_more }
    }

    /// The value, if it is known.
    pub fn value(self) -> Option<f64> {
        (self.least.to_bits() == self.most.to_bits()).then_some(self.least)
    }
}

impl Number {
    /// All that the real value can be.
    pub fn range(self) -> Range {
        let exact = Range::exact(self.value);
        match self.bound {
            Bound::Exact => exact,
            // It is the end of a bucket, which begins at half of that. The first bucket begins at 0.
            Bound::Below => {
                let least = if self.value <= 1e-6 { 0.0 } else { self.value / 2.0 };
                Range { least, is_less: true, ..exact }
            }
            Bound::AtLeast => Range { most: f64::INFINITY, ..exact },
        }
    }
}

/// A figure, or the reason why there is none.
pub type Got = std::result::Result<Number, String>;

/// A figure that can be compared.
pub struct Figure {
    /// Its name, which conditions use.
    pub name: String,
    /// What it is measured in.
    pub unit: Unit,
    /// What it means.
    pub meaning: String,
    /// Whether it grows over time. Then it is compared per second if the lengths differ.
    pub adds_up: bool,
    get: Box<dyn Fn(&Side) -> Got>,
}

impl Figure {
    /// The figure of one side.
    pub fn of(&self, side: &Side) -> Got {
        (self.get)(side)
    }
}

/// All figures, in the order in which they are listed.
pub fn all() -> Vec<Figure> {
    let mut list = List(Vec::new());
    stalls(&mut list);
    pressure(&mut list);
    writes(&mut list);
    headroom(&mut list);
    write_around(&mut list);
    handoff(&mut list);
    reserves(&mut list);
    nbd(&mut list);
    groups(&mut list);
    list.0
}

/// Figures under construction.
struct List(Vec<Figure>);

impl List {
    /// Adds a figure that grows over time.
    fn sum(
        &mut self,
        name: impl Into<String>,
        unit: Unit,
        meaning: impl Into<String>,
        get: impl Fn(&Side) -> Result<f64, String> + 'static,
    ) {
        self.add(name, unit, meaning, true, move |side| get(side).map(exact));
    }

    /// Adds a figure that does not.
    fn level(
        &mut self,
        name: impl Into<String>,
        unit: Unit,
        meaning: impl Into<String>,
        get: impl Fn(&Side) -> Got + 'static,
    ) {
        self.add(name, unit, meaning, false, get);
    }

    fn add(
        &mut self,
        name: impl Into<String>,
        unit: Unit,
        meaning: impl Into<String>,
        adds_up: bool,
        get: impl Fn(&Side) -> Got + 'static,
    ) {
        self.0.push(Figure { name: name.into(), unit, meaning: meaning.into(), adds_up, get: Box::new(get) });
    }
}

fn exact(value: f64) -> Number {
    Number { value, bound: Bound::Exact }
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

/// `part` divided by `whole`; 0 if `whole` is 0.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The section's numbers, or why there are none.
fn section<T>(section: &Section<T>) -> Result<&T, String> {
    match section {
        Section::Available(section) => Ok(section),
        Section::Unavailable { unavailable } => Err(unavailable.clone()),
    }
}

fn is_on(state: GroupState, group: &str) -> Result<(), String> {
    match state {
        GroupState::On => Ok(()),
        GroupState::Off => Err(format!("switched off (parameter {group})")),
        GroupState::Unavailable => Err("not to be had on this kernel".into()),
    }
}

fn stalls_of(side: &Side) -> Result<&StallsSection, String> {
    let stalls = section(&side.report.stalls)?;
    if stalls.on { Ok(stalls) } else { Err("switched off (parameter stalls)".into()) }
}

fn stalls(list: &mut List) {
    list.sum("stall.count", Unit::Count, "stalls", |side| Ok(stalls_of(side)?.stalls as f64));
    list.sum("stall.seconds", Unit::Seconds, "time in stalls, of all tasks", |side| Ok(seconds(stalls_of(side)?.ns)));
    list.level("stall.mean", Unit::Seconds, "what a stall took; 0 if there was none", |side| {
        let stalls = stalls_of(side)?;
        Ok(exact(if stalls.stalls == 0 { 0.0 } else { seconds(stalls.ns) / stalls.stalls as f64 }))
    });
    for percent in [50, 90, 99] {
        let meaning = format!("what {percent} of 100 stalls took at most; 0 if there was none");
        list.level(format!("stall.p{percent}"), Unit::Seconds, meaning, move |side| stall_percentile(side, percent));
    }
    list.level("stall.max", Unit::Seconds, "the longest stall; 0 if there was none", longest_stall);
    list.level("stall.unexplained.share", Unit::Share, "part of that time that nothing explains", |side| {
        Ok(exact(stalls_of(side)?.unexplained_share.unwrap_or(0.0)))
    });
    for origin in STALLING {
        let (key, label) = (origin.key(), origin.label());
        let of = move |side: &Side| -> Result<(u64, u64), String> {
            let stalls = stalls_of(side)?;
            if stalls.origins.is_empty() && stalls.stalls > 0 {
                return Err("it is not counted by both cgroup and origin".into());
            }
            let row = stalls.origins.iter().find(|row| row.origin == origin);
            Ok(row.map_or((0, 0), |row| (row.stalls.count, row.ns)))
        };
        let meaning = format!("stalls of origin {label}");
        list.sum(format!("stall.{key}.count"), Unit::Count, meaning, move |side| Ok(of(side)?.0 as f64));
        let meaning = format!("time in stalls of origin {label}");
        list.sum(format!("stall.{key}.seconds"), Unit::Seconds, meaning, move |side| Ok(seconds(of(side)?.1)));
    }
    for &cause in Cause::ALL {
        let meaning = format!("time of stalls that went to: {}", cause.label());
        list.sum(format!("stall.cause.{}.seconds", cause.key()), Unit::Seconds, meaning, move |side| {
            let row = stalls_of(side)?.causes.iter().find(|row| row.cause == cause);
            Ok(seconds(row.map_or(0, |row| row.ns)))
        });
    }
}

fn stall_percentile(side: &Side, percent: u32) -> Got {
    let stalls = stalls_of(side)?;
    if let Some(us) = &side.stalls_us {
        // The smallest value that `percent` of 100 do not exceed.
        let rank = (us.len() as u128 * u128::from(percent)).div_ceil(100).max(1) - 1;
        let us = usize::try_from(rank).ok().and_then(|rank| us.get(rank)).copied().unwrap_or(0);
        return Ok(exact(us as f64 / 1e6));
    }
    if stalls.stalls == 0 {
        return Ok(exact(0.0));
    }
    let mut all = Log2::new();
    // For one cgroup alone there are no origins.
    let cgroups = stalls.cgroups.iter().filter(|_| stalls.origins.is_empty()).map(|row| &row.stalls);
    for (low, n) in stalls.origins.iter().map(|row| &row.stalls).chain(cgroups).flat_map(|times| &times.histogram) {
        let bucket = all.entry(*low).or_default();
        *bucket = bucket.saturating_add(*n);
    }
    below_us(&all, percent)
}

/// A percentile of a histogram of microseconds that is not empty.
fn below_us(hist: &Log2, percent: u32) -> Got {
    match percentile(hist, u128::from(percent)) {
        Some(us) => Ok(Number { value: us as f64 / 1e6, bound: Bound::Below }),
        // The last bucket has no end.
        None => match hist.keys().next_back() {
            Some(us) => Ok(Number { value: *us as f64 / 1e6, bound: Bound::AtLeast }),
            None => Err("the ledger has no histogram of it".into()),
        },
    }
}

fn longest_stall(side: &Side) -> Got {
    let stalls = stalls_of(side)?;
    if let Some(us) = &side.stalls_us {
        return Ok(exact(us.last().map_or(0.0, |us| *us as f64 / 1e6)));
    }
    if stalls.stalls == 0 {
        return Ok(exact(0.0));
    }
    let since_load = stalls.origins.iter().filter_map(|row| row.longest_ns).max();
    // A new stall that is kept is longer than all new ones that are not kept.
    match stalls.longest.first().map(|stall| stall.ns).max(since_load) {
        Some(ns) => Ok(exact(seconds(ns))),
        None => Err("longer ones from before took all the room, and its stall events are not in the file".into()),
    }
}

fn pressure(list: &mut List) {
    for (who, meaning) in
        [("some", "time in which some task waited for memory (PSI)"), ("full", "time in which all of them did (PSI)")]
    {
        list.sum(format!("psi.{who}.seconds"), Unit::Seconds, meaning, move |side| side.pressure(who));
    }
    for (name, unit, meaning) in [
        ("pgmajfault", Unit::Count, "page faults that read"),
        ("pswpin", Unit::Pages, "swapped in"),
        ("pswpout", Unit::Pages, "swapped out"),
        ("pgscan_kswapd", Unit::Pages, "scanned by kswapd"),
        ("pgscan_direct", Unit::Pages, "scanned by direct reclaim"),
        ("pgsteal_kswapd", Unit::Pages, "freed by kswapd"),
        ("pgsteal_direct", Unit::Pages, "freed by direct reclaim"),
        ("workingset_refault_anon", Unit::Pages, "anon pages that were wanted again"),
        ("workingset_refault_file", Unit::Pages, "file pages that were wanted again"),
        ("oom_kill", Unit::Count, "tasks killed for want of memory"),
    ] {
        list.sum(format!("vmstat.{name}"), unit, meaning, move |side| Ok(side.vmstat(name)? as f64));
    }
}

fn writes(list: &mut List) {
    list.sum("writes.pages", Unit::Pages, "written by reclaim", |side| Ok(section(&side.report.writes)?.pages as f64));
    list.sum("writes.foreground.pages", Unit::Pages, "of these, by tasks other than kswapd", |side| {
        Ok(section(&side.report.writes)?.foreground_pages as f64)
    });
    list.level("writes.foreground.share", Unit::Share, "their part of all", |side| {
        let writes = section(&side.report.writes)?;
        Ok(exact(share(writes.foreground_pages, writes.pages)))
    });
    for &origin in Origin::ALL {
        let meaning = format!("written by origin {}", origin.label());
        list.sum(format!("writes.{}.pages", origin.key()), Unit::Pages, meaning, move |side| {
            let row = section(&side.report.writes)?.origins.iter().find(|row| row.origin == origin);
            row.map(|row| row.pages as f64).ok_or_else(|| "the module is older and does not tell it apart".into())
        });
    }
    for &kind in Kind::ALL {
        let meaning = format!("written, {}", kind.label());
        list.sum(format!("writes.kind.{}.pages", kind.key()), Unit::Pages, meaning, move |side| {
            Ok(section(&side.report.writes)?.kinds.get(&kind).copied().unwrap_or(0) as f64)
        });
    }
    let no_windows = || "windows are not recorded".to_owned();
    list.sum("reclaim.windows", Unit::Count, "times that reclaim ran", move |side| {
        section(&side.report.writes)?.windows.map(|n| n as f64).ok_or_else(no_windows)
    });
    list.sum("reclaim.freed.pages", Unit::Pages, "freed by it", move |side| {
        section(&side.report.writes)?.freed_pages.map(|n| n as f64).ok_or_else(no_windows)
    });
    list.level("batches.pages", Unit::Each, "pages of a swap write", |side| {
        let rows = &section(&side.report.batches)?.origins;
        let writes = total(rows.iter().map(|row| row.batches));
        if writes == 0 {
            return Err("nothing was swapped out".into());
        }
        Ok(exact(total(rows.iter().map(|row| row.pages)) as f64 / writes as f64))
    });
}

fn headroom(list: &mut List) {
    list.level("headroom.min", Unit::Bytes, "least stack left", |side| least_left(side, None));
    for &layer in Layer::ALL {
        let meaning = format!("least stack left at layer {}", layer.label());
        list.level(format!("headroom.{}.min", layer.key()), Unit::Bytes, meaning, move |side| {
            least_left(side, Some(layer))
        });
    }
}

fn least_left(side: &Side, layer: Option<Layer>) -> Got {
    let headroom = section(&side.report.headroom)?;
    if let Some(why) = layer.and_then(|layer| headroom.unavailable_layers.get(&layer)) {
        return Err(why.clone());
    }
    let rows = headroom.rows.iter().filter(|row| layer.is_none_or(|layer| row.layer == layer));
    let least = rows.map(row_least).min_by(|a, b| a.value.total_cmp(&b.value));
    least.ok_or_else(|| "no sample".into())
}

/// The least of the interval. A smaller one from before hides it, but the histogram of the interval gives a bound.
fn row_least(row: &HeadroomRow) -> Number {
    if row.min_is_new {
        return exact(row.min_left as f64);
    }
    let lowest = row.histogram.keys().next().copied().unwrap_or(0);
    Number { value: lowest.max(row.min_left) as f64, bound: Bound::AtLeast }
}

fn write_around(list: &mut List) {
    list.sum("write_around.written.folios", Unit::Count, "dirty file folios written by write-around", |side| {
        Ok(section(&side.report.write_around)?.written_folios as f64)
    });
    list.level("write_around.clean.p99", Unit::Seconds, "what 99 of 100 of them took to be clean", |side| {
        let clean = &section(&side.report.write_around)?.clean;
        if clean.targets == 0 { Ok(exact(0.0)) } else { below_us(&clean.histogram, 99) }
    });
    list.level("write_around.freed.share", Unit::Share, "part of them that was freed within a second", |side| {
        let freed = &section(&side.report.write_around)?.freed;
        freed.share.map(exact).ok_or_else(|| "none was watched".into())
    });
}

fn handoff(list: &mut List) {
    list.sum("handoff.handed.pages", Unit::Pages, "handed to a writer", |side| {
        Ok(section(&side.report.handoff)?.handed_pages as f64)
    });
    list.level("handoff.refused.share", Unit::Share, "part of the requests that were refused; 0 of none", |side| {
        let rows = &section(&side.report.handoff)?.origins;
        let refused = total(rows.iter().map(HandoffRow::left));
        Ok(exact(share(refused, total(rows.iter().map(HandoffRow::prepared)))))
    });
    list.level("handoff.direct.own.share", Unit::Share, "pages direct reclaim submitted itself; 0 of none", |side| {
        let row = section(&side.report.handoff)?.of(Origin::Direct).ok_or("no such origin")?;
        let own = row.own_pages.ok_or("writes are not recorded")?;
        Ok(exact(share(own, own.saturating_add(row.handed_pages))))
    });
    let times = |list: &mut List, name: &str, what: &str, of: fn(&HandoffSection) -> &Times| {
        for percent in [50, 99] {
            let meaning = format!("what {percent} of 100 {what}; 0 if there was none");
            list.level(format!("handoff.{name}.p{percent}"), Unit::Seconds, meaning, move |side| {
                let times = of(section(&side.report.handoff)?);
                if times.count == 0 { Ok(exact(0.0)) } else { below_us(&times.histogram, percent) }
            });
        }
    };
    list.sum("handoff.waits", Unit::Count, "requests that waited for room", |side| {
        Ok(section(&side.report.handoff)?.waits.count as f64)
    });
    list.sum("handoff.waits.seconds", Unit::Seconds, "time of these", |side| {
        Ok(section(&side.report.handoff)?.waits_us as f64 / 1e6)
    });
    times(list, "wait", "waits for room took", |handoff| &handoff.waits);
    times(list, "queued", "waits in the queue took", |handoff| &handoff.queued);
    times(list, "request", "requests of the writers took", |handoff| &handoff.requests);
    list.sum("handoff.throttled.seconds", Unit::Seconds, "time that reclaimers waited for writeback", |side| {
        let rows = &section(&side.report.handoff)?.origins;
        Ok(total(rows.iter().map(|row| row.throttled_us)) as f64 / 1e6)
    });
}

fn reserves(list: &mut List) {
    list.sum("reserves.pages", Unit::Pages, "taken without regard to the watermarks", |side| {
        let reserves = section(&side.report.reserves)?;
        is_on(reserves.state, "reserves")?;
        Ok(reserves.pages() as f64)
    });
    list.sum("reserves.below_min.pages", Unit::Pages, "of these, below the min watermark", |side| {
        let reserves = section(&side.report.reserves)?;
        is_on(reserves.state, "reserves")?;
        Ok(reserves.below_min_pages() as f64)
    });
    list.level("reserves.lowest.pages", Unit::Pages, "free in the zone that had least, when one was taken", |side| {
        lowest(side, |zone| zone.lowest.map(|lowest| lowest.free_pages as f64))
    });
    list.level("reserves.lowest.share", Unit::Share, "the same as a part of the zone's min watermark", |side| {
        lowest(side, |zone| zone.left_share)
    });
    let waits = |side: &Side| -> Result<(u64, u64), String> {
        let waits = section(&side.report.reserves)?.waits.as_ref().ok_or("waits cannot be probed on this kernel")?;
        Ok((waits.all.waits, waits.all.ns))
    };
    list.sum("reserves.waits", Unit::Count, "waits for the reserves", move |side| Ok(waits(side)?.0 as f64));
    list.sum("reserves.waits.seconds", Unit::Seconds, "time of these", move |side| Ok(seconds(waits(side)?.1)));
    list.sum("reserves.dropped.packets", Unit::Count, "packets dropped to keep the reserves", |side| {
        let dropped = section(&side.report.reserves)?.dropped_packets;
        dropped.map(|n| n as f64).ok_or_else(|| "they cannot be probed on this kernel".into())
    });
}

fn lowest(side: &Side, of: impl Fn(&ZoneRow) -> Option<f64>) -> Got {
    let zones = &section(&side.report.reserves)?.zones;
    let numbers = zones.iter().filter_map(|zone| {
        // A value from before hides that of the interval, which was not lower.
        let bound = if zone.lowest?.is_new { Bound::Exact } else { Bound::AtLeast };
        Some(Number { value: of(zone)?, bound })
    });
    numbers.min_by(|a, b| a.value.total_cmp(&b.value)).ok_or_else(|| "nobody took a page of the reserves".into())
}

/// Sums over the requests of all NBD devices.
#[derive(Default)]
struct NbdSums {
    requests: u64,
    errors: u64,
    ns: u64,
    phases: BTreeMap<Phase, u64>,
}

fn nbd_sums(side: &Side) -> Result<NbdSums, String> {
    let nbd = section(&side.report.nbd)?;
    is_on(nbd.state, "nbd")?;
    let mut sums = NbdSums::default();
    for row in nbd.devices.iter().flat_map(|device| &device.directions) {
        sums.requests = sums.requests.saturating_add(row.requests.count);
        sums.errors = sums.errors.saturating_add(row.errors);
        sums.ns = sums.ns.saturating_add(row.ns);
        for (phase, ns) in &row.phases_ns {
            let sum = sums.phases.entry(*phase).or_default();
            *sum = sum.saturating_add(*ns);
        }
    }
    Ok(sums)
}

fn nbd(list: &mut List) {
    list.sum("nbd.requests", Unit::Count, "requests of NBD devices", |side| Ok(nbd_sums(side)?.requests as f64));
    list.sum("nbd.errors", Unit::Count, "of these, failed", |side| Ok(nbd_sums(side)?.errors as f64));
    list.level("nbd.mean", Unit::Seconds, "what a request took; 0 if there was none", |side| {
        let sums = nbd_sums(side)?;
        Ok(exact(if sums.requests == 0 { 0.0 } else { seconds(sums.ns) / sums.requests as f64 }))
    });
    for &phase in Phase::ALL {
        let meaning = format!("time of requests that went to: {}", phase.label());
        list.sum(format!("nbd.{}.seconds", phase.key()), Unit::Seconds, meaning, move |side| {
            Ok(seconds(nbd_sums(side)?.phases.get(&phase).copied().unwrap_or(0)))
        });
    }
    list.sum("nbd.stalls.seconds", Unit::Seconds, "time that stalls waited for requests", |side| {
        let nbd = section(&side.report.nbd)?;
        is_on(nbd.state, "nbd")?;
        Ok(seconds(nbd.stalls.ns))
    });
}

fn groups(list: &mut List) {
    list.sum("shrinkers.calls", Unit::Count, "calls of shrinkers", |side| {
        let shrinkers = section(&side.report.shrinkers)?;
        is_on(shrinkers.state, "shrinkers")?;
        Ok(shrinkers.total.calls as f64)
    });
    list.sum("shrinkers.seconds", Unit::Seconds, "time in shrinkers", |side| {
        let shrinkers = section(&side.report.shrinkers)?;
        is_on(shrinkers.state, "shrinkers")?;
        Ok(seconds(shrinkers.total.ns()))
    });
    list.sum("compaction.attempts", Unit::Count, "attempts at direct compaction", |side| {
        let compaction = section(&side.report.compaction)?;
        is_on(compaction.state, "stalls")?;
        Ok(total(compaction.orders.iter().map(|row| row.attempts.count)) as f64)
    });
    list.sum("compaction.seconds", Unit::Seconds, "time of these", |side| {
        let compaction = section(&side.report.compaction)?;
        is_on(compaction.state, "stalls")?;
        Ok(seconds(total(compaction.orders.iter().map(|row| row.ns))))
    });
    list.sum("tlb.ipis", Unit::Count, "times that reclaim interrupted other CPUs", |side| {
        let tlb = section(&side.report.tlb)?;
        is_on(tlb.state, "tlb")?;
        Ok(total(tlb.origins.iter().flat_map(|row| row.flushes.values()).map(|row| row.counts.ipis)) as f64)
    });
    list.sum("metadata.reread.pages", Unit::Pages, "of block devices, evicted and read again", |side| {
        let metadata = section(&side.report.metadata)?;
        is_on(metadata.state, "metadata")?;
        Ok(total(metadata.devices.iter().map(|row| row.reread_pages)) as f64)
    });
    for (name, what, kind) in [
        ("waits.swapin.seconds", "waited for pages that were swapped out", WaitKind::Swapin),
        ("waits.refault.seconds", "waited for pages of files that were read again", WaitKind::Refault),
        ("waits.dirty.seconds", "paused for dirtying pages too fast", WaitKind::Dirty),
    ] {
        list.sum(name, Unit::Seconds, what, move |side| {
            let waits = section(&side.report.waits)?;
            is_on(if kind == WaitKind::Dirty { waits.dirty_state } else { waits.state }, "waits")?;
            Ok(seconds(waits.kind(kind).map_or(0, |row| row.ns)))
        });
    }
    list.sum("waits.refaults.pages", Unit::Pages, "of files that were read again soon after reclaim", |side| {
        let waits = section(&side.report.waits)?;
        is_on(waits.refaults_state, "waits")?;
        if side.report.narrowed.as_ref().is_some_and(|narrowed| narrowed.task.is_some()) {
            return Err("it is not counted by task".into());
        }
        Ok(waits.file_pages() as f64)
    });
    list.sum("events.lost", Unit::Count, "trace events that were lost", |side| {
        side.events_lost.map(|n| n as f64).ok_or_else(|| "a snapshot has no events".into())
    });
}
