// SPDX-License-Identifier: GPL-2.0
//! A summary of the report: a few lines with figures, each of which names the section that says more.

use std::collections::BTreeMap;

use crate::{
    advice,
    format::{bytes_label, count, mib, percent, span},
    ledger::{HelperState, total},
    names::{Kind, Origin, Parameter, Verdict},
    report::{
        HandoffSection, KswapdRow, NbdDeviceRow, NotRecorded, Report, ReservesSection, StackRow, WriteAroundSection,
        WritesSection,
    },
    system::{Psi, Queue, System},
    verdict,
};

/// A summary has at most this many lines. The sections have the rest.
pub const MOST: usize = 10;
/// If some task waits for memory (PSI) for at least this part of the time, that hurts.
const PRESSED: f64 = 0.01;
/// A kswapd that uses at least this part of a CPU takes it from somebody. That hurts, too.
const HOT: f64 = 0.25;
/// A zone that had less than this part of its min watermark left was nearly empty.
const NEAR_EMPTY: f64 = 0.25;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// It hurts: the machine is not healthy.
    Bad,
    /// A reader has to know it to understand the other lines.
    Always,
    /// It says what happened. If there are too many lines, those with the highest rank are left out first.
    Fact(u8),
}

/// One line, and the section of the report that says more.
#[derive(Clone, Debug)]
pub struct Line {
    /// What it says.
    pub text: String,
    /// The heading of that section.
    pub section: &'static str,
    weight: Weight,
}

impl Line {
    /// A line that says what hurts.
    pub fn bad(section: &'static str, text: impl Into<String>) -> Self {
        Self { text: text.into(), section, weight: Weight::Bad }
    }

    /// A line that a reader must know.
    pub fn always(section: &'static str, text: impl Into<String>) -> Self {
        Self { text: text.into(), section, weight: Weight::Always }
    }

    fn fact(rank: u8, section: &'static str, text: impl Into<String>) -> Self {
        Self { text: text.into(), section, weight: Weight::Fact(rank) }
    }

    /// Whether it belongs to a verdict: it says what hurts, or a reader must know it.
    pub fn matters(&self) -> bool {
        !matches!(self.weight, Weight::Fact(_))
    }

    /// Whether it says what hurts.
    pub fn hurts(&self) -> bool {
        self.weight == Weight::Bad
    }

    /// The line, with the section that it refers to, if there is one.
    pub fn with_section(&self) -> String {
        if self.section.is_empty() {
            return self.text.clone();
        }
        format!("{} ->\u{a0}{}", self.text, self.section.replace(' ', "\u{a0}"))
    }
}

/// Splits a line of a summary into its text and the heading of the section that it refers to.
pub fn split(line: &str) -> (&str, Option<String>) {
    match line.rsplit_once(" ->\u{a0}") {
        Some((text, section)) => (text, Some(section.replace('\u{a0}', " "))),
        None => (line, None),
    }
}

/// How much the machine suffered in an interval.
#[derive(Clone, Copy, Debug)]
pub struct Pressure {
    seconds: f64,
    some: f64,
    full: f64,
}

/// The summary of a report, of at most [`MOST`] lines: what hurts, which tasks, why, and what to try; then what reclaim
/// did, and whether the numbers can be trusted. If nothing hurts, one line says so.
pub fn sentences(report: &Report, pressure: Option<Pressure>) -> Vec<String> {
    shown(lines(report, pressure)).iter().map(Line::with_section).collect()
}

/// The lines for a report that is limited to a cgroup, a task or a part of the time. `advice` says what to try.
pub fn narrowed(report: &Report, advice: Option<String>) -> Vec<Line> {
    let mut out = verdict::part(report);
    if !out.is_empty() {
        out.extend(advice.map(|text| Line::bad("STALLS", text)));
    } else if report.stalls.get().is_some() {
        out.push(Line::always("STALLS", format!("Nothing hurts: {}.", hardly(report))));
    }
    if let crate::report::Section::Unavailable { unavailable } = &report.stalls {
        // There is no section to refer to.
        out.push(Line::always("", format!("How long it stalled is not known: {unavailable}.")));
    }
    let waits = report.waits.get().and_then(crate::report::waits_sentence);
    out.extend(waits.map(|text| Line::bad("WAITS", text)));
    if let Some(writes) = report.writes.get() {
        if writes.pages == 0 {
            out.push(Line::fact(1, "WHO WROTE", nothing_written(writes)));
        } else {
            let says = format!("Reclaim wrote {} pages ({}).", count(writes.pages), mib(writes.bytes));
            out.push(Line::always("WHO WROTE", says));
            out.push(Line::fact(4, "WHO WROTE", how(writes)));
        }
    } else if let Some(cgroups) = report.cgroups.get() {
        let pages = total(cgroups.groups.iter().map(|row| row.pages));
        let bytes = mib(pages.saturating_mul(report.machine.page_size));
        out.push(Line::always("WHOSE PAGES", format!("Reclaim wrote {} of its pages ({bytes}).", count(pages))));
    }
    out
}

/// Selects the lines that are shown.
pub fn shown(mut lines: Vec<Line>) -> Vec<Line> {
    let mut weights: Vec<Weight> = lines.iter().map(|line| line.weight).collect();
    weights.sort_unstable();
    if let Some(last) = weights.get(MOST.saturating_sub(1)).filter(|_| lines.len() > MOST) {
        // Of the lines with the lowest weight, only as many are kept as there is room for.
        let mut room = MOST - lines.iter().filter(|line| line.weight < *last).count().min(MOST);
        lines.retain(|line| {
            if line.weight == *last && room > 0 {
                room -= 1;
                return true;
            }
            line.weight < *last
        });
    }
    lines
}

/// All lines, the verdict first.
pub fn lines(report: &Report, pressure: Option<Pressure>) -> Vec<Line> {
    let known = report.stalls.get().filter(|stalls| stalls.on || stalls.stalls > 0);
    let mut out = verdict::machine(report);
    let waits = report.waits.get().and_then(crate::report::waits_sentence);
    out.extend(waits.map(|text| Line::bad("WAITS", text)));
    out.extend(pressure.map(pressed));
    out.extend(report.not_recorded.below_floor.filter(|low| *low > 0).map(|low| {
        let floor = report
            .module
            .params
            .get(Parameter::HeadroomFloor.name())
            .map_or(String::new(), |f| format!(" of {f} bytes"));
        Line::bad(
            "STACK HEADROOM",
            format!("WARNING: {} samples had less stack left than the floor{floor}.", count(low)),
        )
    }));
    out.extend(report.reserves.get().and_then(reserves));
    out.extend(report.handoff.get().and_then(troubled));
    out.extend(report.writes.get().and_then(refused));
    out.extend(report.kswapd.get().into_iter().flat_map(|section| &section.nodes).filter_map(kswapd));
    if known.is_some() && !out.iter().any(|line| line.weight == Weight::Bad) {
        let mut out = vec![healthy(report, pressure)];
        out.extend(no_pressure(report.machine.psi));
        out.extend((report.not_recorded.lost_something() || far_off(report)).then(|| numbers(report)));
        return out;
    }
    if known.is_some_and(|stalls| stalls.ns < advice::PAIN) {
        let text = format!("In reclaim {}: that is not what hurts.", hardly(report));
        out.insert(0, Line::always("STALLS", text));
    }
    if known.is_none() {
        let why = match &report.stalls {
            crate::report::Section::Unavailable { unavailable } => unavailable.clone(),
            crate::report::Section::Available(_) => "stalls are not timed (reclaimwb tune stalls=Y)".into(),
        };
        out.insert(0, Line::always("STALLS", format!("What hurts is not known: {why}.")));
    }
    out.extend(no_pressure(report.machine.psi));
    if let Some(nbd) = report.nbd.get() {
        let told = nbd.devices.iter().filter(|device| device.verdict.is_some());
        out.extend(told.map(|device| Line::fact(3, "NBD REQUESTS", nbd_verdict(device, &report.machine.queues))));
    }
    match &report.writes {
        crate::report::Section::Available(writes) if writes.pages == 0 => {
            out.push(Line::fact(1, "WHO WROTE", nothing_written(writes)));
        }
        crate::report::Section::Available(writes) => {
            out.push(Line::fact(1, "WHO WROTE", who(writes)));
            out.push(Line::fact(4, "WHO WROTE", how(writes)));
        }
        crate::report::Section::Unavailable { unavailable } => {
            out.push(Line::fact(1, "WHO WROTE", format!("Who wrote is not known: {unavailable}.")));
        }
    }
    let around = report.write_around.get().and_then(around);
    out.extend(around.map(|text| Line::fact(3, "WRITE-AROUND", text)));
    let handed = report.handoff.get().and_then(|section| handed(section, report.machine.page_size));
    out.extend(handed.map(|text| Line::fact(2, "HANDOFF", text)));
    out.extend(deepest(report).map(|text| Line::fact(2, "STACK HEADROOM", text)));
    out.push(numbers(report));
    out
}

/// How little tasks stalled.
fn hardly(report: &Report) -> String {
    let stalls = report.stalls.get().filter(|stalls| stalls.stalls > 0);
    stalls.map_or("no task stalled for memory".into(), |stalls| {
        format!("tasks stalled {} times for memory, {} in all", count(stalls.stalls), span(stalls.ns / 1000))
    })
}

/// The line for a machine on which nothing hurts.
fn healthy(report: &Report, pressure: Option<Pressure>) -> Line {
    let stalls = hardly(report);
    let wrote = match report.writes.get() {
        Some(writes) if writes.pages > 0 => {
            format!("; reclaim wrote {} pages ({})", count(writes.pages), mib(writes.bytes))
        }
        Some(_) => "; reclaim wrote nothing".into(),
        None => String::new(),
    };
    let pressure = pressure.map_or(String::new(), |pressure| {
        format!("; some task waited for memory {} of the time (PSI)", percent(pressure.share()))
    });
    let lost = if report.not_recorded.lost_something() { "" } else { "; nothing was lost" };
    Line::always("STALLS", format!("Nothing hurts: {stalls}{wrote}{pressure}{lost}."))
}

impl Pressure {
    /// The part of the time in which some task waited.
    fn share(&self) -> f64 {
        if self.seconds > 0.0 { self.some / self.seconds } else { 0.0 }
    }
}

fn pressed(of: Pressure) -> Line {
    let Pressure { seconds, some, full } = of;
    let text = format!(
        "Memory pressure (PSI) in these {seconds:.1} s: some task stalled for {some:.1} s, all of them for {full:.1} s."
    );
    if of.share() < PRESSED { Line::fact(1, "STALLS", text) } else { Line::bad("STALLS", text) }
}

/// Says that pressure is not known, why, and how to get it.
fn no_pressure(psi: Psi) -> Option<Line> {
    let why = match psi {
        Psi::On => return None,
        Psi::SwitchedOff => "PSI is off (psi=0 on the kernel's command line); boot with psi=1",
        Psi::DefaultOff => "PSI is off by default in this kernel (CONFIG_PSI_DEFAULT_DISABLED); boot with psi=1",
        Psi::NotBuilt => {
            "PSI is not available, because this kernel was built without it; it takes one with CONFIG_PSI=y"
        }
        Psi::Off => {
            "PSI is off, by default or because the kernel was built without it; boot with psi=1, or with a kernel \
             that has CONFIG_PSI=y"
        }
    };
    Some(Line::always("STALLS", format!("Memory pressure is not known: {why}.")))
}

/// Whether the books differ by more than what can have been under way while the ledgers were read.
fn far_off(report: &Report) -> bool {
    let books = report.books.as_deref().unwrap_or_default();
    books.iter().any(|book| book.difference.unsigned_abs() > book.kernel / 100 + 64)
}

/// What was lost, and whether the books balance.
fn numbers(report: &Report) -> Line {
    let lost = losses(&report.not_recorded);
    let books = report.books.as_ref().filter(|books| !books.is_empty()).map_or(String::new(), |books| {
        let off: Vec<String> = books
            .iter()
            .filter(|book| book.difference != 0)
            .map(|book| format!("{} by {:+}", book.counter, book.difference))
            .collect();
        if off.is_empty() {
            format!(" The books balance: all {} comparisons with the kernel's own counters agree exactly.", books.len())
        } else {
            format!(" The books do not balance: recorded differs from {}.", off.join(", from "))
        }
    });
    let text = lost + &books;
    let must = report.not_recorded.lost_something() || far_off(report);
    if must { Line::always("NOT IN THE NUMBERS", text) } else { Line::fact(0, "NOT IN THE NUMBERS", text) }
}

/// Reports swap devices that complete nothing, and requests that failed.
fn troubled(section: &HandoffSection) -> Option<Line> {
    let late: Vec<&str> = section.devices.iter().filter(|row| row.late).map(|row| row.device.as_str()).collect();
    let mut says = Vec::new();
    if !late.is_empty() {
        says.push(format!("late, completes nothing that it was given: {}", late.join(", ")));
    }
    if section.request_errors > 0 {
        says.push(format!("{} requests of the swap writer failed", count(section.request_errors)));
    }
    (!says.is_empty()).then(|| Line::bad("HANDOFF", format!("WARNING: {}.", says.join("; "))))
}

/// What most of the time of an NBD device's requests was lost to.
fn nbd_verdict(device: &NbdDeviceRow, queues: &BTreeMap<String, Queue>) -> String {
    let requests = total(device.directions.iter().map(|row| row.requests.count));
    let whose = device.verdict.map_or("nobody", Verdict::label);
    let queue = queues.get(&device.device).cloned().unwrap_or_default();
    let help = match (advice::can_have_smaller_requests(&queue), advice::can_have_more_connections(&queue)) {
        _ if !device.lock_held_long => "",
        (true, true) => "; smaller requests or more connections may help",
        (true, false) => "; smaller requests may help",
        (false, true) => "; more connections may help",
        (false, false) => "",
    };
    format!(
        "{}: {} requests; most of their time ({}) was {whose}{help}.",
        device.device,
        count(requests),
        percent(device.verdict_share.unwrap_or(0.0))
    )
}

/// How much the machine suffered between the two.
pub fn pressure(now: &System, before: &System) -> Option<Pressure> {
    let stalled = |who: &str| {
        let us = now.memory_stall_us.get(who)?.checked_sub(*before.memory_stall_us.get(who)?)?;
        Some(us as f64 / 1e6)
    };
    let (some, full) = (stalled("some")?, stalled("full")?);
    let seconds = now.uptime - before.uptime;
    // The kernel accounts for pressure with a delay, so the sum can be a little more than the time that has passed.
    let (some, full) = (some.min(seconds), full.min(seconds));
    Some(Pressure { seconds, some, full })
}

fn nothing_written(writes: &WritesSection) -> String {
    match writes.windows {
        Some(windows) => format!("Reclaim wrote nothing, in {} windows.", count(windows)),
        None => "Reclaim wrote nothing.".into(),
    }
}

fn who(writes: &WritesSection) -> String {
    let mut rows: Vec<_> = writes.origins.iter().filter(|row| row.pages > 0).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.pages));
    let shares: Vec<String> = rows.iter().map(|r| format!("{} {}", r.origin.label(), percent(r.share))).collect();
    let windows = writes.windows.map_or(String::new(), |n| format!(" in {} windows", count(n)));
    let freed = match writes.freed_pages {
        Some(freed) if freed > 0 => {
            format!(" ({:.0} pages written for 100 freed)", 100.0 * writes.pages as f64 / freed as f64)
        }
        _ => String::new(),
    };
    let wrote = if writes.failed_pages > 0 { "tried to write" } else { "wrote" };
    format!(
        "Reclaim {wrote} {} pages ({}){windows}{freed}: {}. Tasks other than kswapd wrote {} of it on their own \
         stack.",
        count(writes.pages),
        mib(writes.bytes),
        shares.join(", "),
        percent(writes.foreground_pages as f64 / writes.pages as f64),
    )
}

/// Reports devices that refused or failed to write swap-out.
fn refused(writes: &WritesSection) -> Option<Line> {
    let devices: Vec<String> = writes
        .failed_devices
        .iter()
        .map(|row| {
            let pages = count(row.failed.pages);
            if row.is_zram() {
                format!(
                    "the swap device {} refused {pages} pages: zram is full (its mem_limit is reached, or no memory is \
                     left for what it would hold)",
                    row.device
                )
            } else {
                format!("the swap device {} reports errors: {pages} pages were not written", row.device)
            }
        })
        .collect();
    let first = devices.first()?;
    let rest = devices.get(1..).unwrap_or(&[]).iter().map(|device| format!("; {device}"));
    let kernel = "; they stay in memory, and the kernel's pswpout counts them all the same.";
    Some(Line::bad("WHO WROTE", format!("WARNING: {first}{}{kernel}", rest.collect::<String>())))
}

/// What a busy kswapd took, and why it did not rest.
fn kswapd(row: &KswapdRow) -> Option<Line> {
    if !row.busy() {
        return None;
    }
    let share = row.cpu_share.map_or(String::new(), |share| format!(" ({} of a CPU)", percent(share)));
    let scanned = match (row.scanned_pages, row.scanned_per_freed) {
        (_, Some(per)) => format!(", and scanned {per:.1} pages for each page freed"),
        (Some(scanned), None) => format!(", and scanned {} pages and freed none", count(scanned)),
        _ => String::new(),
    };
    let why = row.reasons.first().map_or(String::new(), |reason| format!(". It does not rest: {}", reason.why.label()));
    let text = format!("kswapd of node {} was busy for {}{share}{scanned}{why}.", row.node, span(row.cpu_ns / 1000));
    let bad = row.cpu_share.is_some_and(|share| share >= HOT);
    Some(if bad { Line::bad("KSWAPD", text) } else { Line::fact(2, "KSWAPD", text) })
}

fn how(writes: &WritesSection) -> String {
    let what = |kind| match kind {
        Kind::Io => "queued to a block device",
        Kind::Sync => "written synchronously",
        Kind::Zswap => "compressed into zswap",
        Kind::Zero => "zero-filled and only noted",
        Kind::Dropped => "dropped (the swap slot was free again)",
        Kind::Failed => "refused by the device, or failed (they stay in memory)",
        Kind::Unknown => "of unknown fate",
    };
    let parts: Vec<String> = writes
        .kinds
        .iter()
        .filter(|(_, pages)| **pages > 0)
        .map(|(kind, pages)| {
            format!("{} pages ({}) {}", count(*pages), percent(*pages as f64 / writes.pages as f64), what(*kind))
        })
        .collect();
    format!("What became of them: {}.", parts.join(", "))
}

/// How far the reserves were used, and how long tasks waited for them.
fn reserves(section: &ReservesSection) -> Option<Line> {
    let below = section.below_min_pages();
    let waits = section.waits.as_ref().map_or(0, |waits| waits.all.waits);
    if below == 0 && waits == 0 {
        return None;
    }
    let lowest = section.zones.iter().filter(|zone| zone.lowest.is_some_and(|lowest| lowest.is_new));
    let lowest = lowest.filter_map(|zone| Some((zone.left_share?, zone))).min_by(|a, b| a.0.total_cmp(&b.0));
    let fell = lowest.map_or(String::new(), |(left, zone)| {
        format!("; zone {} fell to {} of its min watermark", zone.zone, percent(left))
    });
    let waited = section.waits.as_ref().filter(|_| waits > 0).map_or(String::new(), |row| {
        format!("; tasks waited {} times for the reserves, for {} in all", count(waits), span(row.all.ns / 1000))
    });
    let text = format!("Reserves: {} pages were taken from below the min watermarks{fell}{waited}.", count(below));
    let bad = waits > 0 || lowest.is_some_and(|(left, _)| left < NEAR_EMPTY);
    Some(if bad { Line::bad("RESERVES", text) } else { Line::fact(2, "RESERVES", text) })
}

fn around(section: &WriteAroundSection) -> Option<String> {
    if section.met_folios == 0 && section.written_folios == 0 {
        return None;
    }
    let off = if section.state == HelperState::On { "" } else { " (off now)" };
    let windows = section
        .pages_per_window
        .map_or(String::new(), |mean| format!(" in {} windows of {mean:.1} pages on average", count(section.windows)));
    let freed = section.freed.share.map_or(String::new(), |share| {
        format!("; {} of those looked at were free a second after they were clean", percent(share))
    });
    Some(format!(
        "Write-around{off}: of {} dirty file folios that reclaim met, {} were queued and {} written{windows}{freed}.",
        count(section.met_folios),
        count(section.queued_folios),
        count(section.written_folios),
    ))
}

fn handed(section: &HandoffSection, page_size: u64) -> Option<String> {
    if section.handed_requests == 0 && section.written_requests == 0 {
        return None;
    }
    let off = if section.state == HelperState::On { "" } else { " (off now)" };
    let direct = section.of(Origin::Direct);
    let own = direct
        .and_then(|row| row.own_share)
        .map_or(String::new(), |share| format!("; direct reclaim submitted {} of its swap-out itself", percent(share)));
    let waited = section.waits.mean_us.map_or("nobody waited for room".to_owned(), |mean| {
        let times = if section.waits.count == 1 { "time" } else { "times" };
        format!("reclaim waited {} {times} for room, {:.1} ms on average", count(section.waits.count), mean / 1e3)
    });
    Some(format!(
        "Handoff{off}: {} pages ({}) that reclaim would have submitted on its own stack were handed to the writer, {} \
         of them by direct reclaim{own}. In all, {} requests; {waited}.",
        count(section.handed_pages),
        mib(section.handed_pages.saturating_mul(page_size)),
        count(direct.map_or(0, |row| row.handed_pages)),
        count(section.handed_requests),
    ))
}

fn deepest(report: &Report) -> Option<String> {
    let headroom = report.headroom.get()?;
    let Some(row) = headroom.deepest() else {
        return Some("No stack was sampled.".into());
    };
    let size = headroom.stack_size;
    let stack = report
        .stacks
        .get()
        .and_then(|stacks| stacks.worst.first())
        .filter(|stack| (stack.origin, stack.layer, stack.left) == (row.origin, row.layer, row.min_left));
    let by = stack.map_or(String::new(), |stack| format!(" ({}:{})", stack.comm, stack.pid));
    let parts = stack.map_or(String::new(), parts_text);
    let of = match row.origin {
        Origin::Kswapd => "kswapd".to_owned(),
        Origin::Writer => "the swap writer".to_owned(),
        origin => format!("{} reclaim", origin.label().trim_end_matches(" reclaim")),
    };
    Some(format!(
        "The deepest stack is {of} at {}{by}: {} of {} bytes used, {} ({}) left{parts}.",
        row.layer.label(),
        count(size.saturating_sub(row.min_left)),
        count(size),
        bytes_label(row.min_left),
        percent(row.min_left as f64 / size as f64),
    ))
}

fn parts_text(stack: &StackRow) -> String {
    let parts: Vec<String> =
        stack.parts.iter().map(|part| format!("{} {}", part.part.label(), count(part.bytes))).collect();
    if parts.is_empty() { String::new() } else { format!("; {}", parts.join(", ")) }
}

fn losses(lost: &NotRecorded) -> String {
    if !lost.lost_something() {
        return "Nothing was lost.".into();
    }
    let mut parts = Vec::new();
    if let Some(pages) = lost.lost_pages.filter(|pages| *pages > 0) {
        parts.push(format!("{} pages whose window was not recorded", count(pages)));
    }
    for (table, n) in lost.lost.iter().filter(|(_, n)| **n > 0) {
        let what = match table.as_str() {
            "slots" => "without a slot (windows; load with a larger window_slots=)",
            "depth" => "nested too deep (windows)",
            "cgroups" => "beyond the table (writes, by cgroup)",
            "known_cgroups" => "not followed (cgroups with a row, whether they are removed)",
            "stacks" => "not kept (stacks)",
            "scratch" => "whose stack could not be kept (samples)",
            "preload" => "already open when the module was loaded (windows)",
            "calls" => "not followed (calls of functions that are timed)",
            "stalls" => "not followed (stalls: too many tasks at once)",
            "stall_cgroups" => "beyond the table (stalls, by cgroup)",
            "lock_holders" => "not compared with waits for locks (stalls: too many tasks at once)",
            "lock_waits" => "not followed (waits for locks: too many tasks at once)",
            "longest" => "not looked at (stalls, whether they are among the longest)",
            "shrinkers" => "beyond the table (calls of shrinkers)",
            "takers" => "beyond the table (blocks taken)",
            "sites" => "beyond the table (call sites)",
            "waits" => "not followed (waits for the reserves)",
            "memory_waits" => "not followed (waits for memory: too many tasks at once)",
            "wait_cgroups" => "beyond the table (waits for memory, by cgroup)",
            "wait_tasks" => "beyond the table (waits for memory, by task)",
            "waiters" => "beyond the table (tasks that waited for the reserves)",
            "wakers" => "beyond the table (tasks that woke kswapd)",
            "nbd_requests" => "not followed (NBD requests: too many at once)",
            "nbd_abandoned" => "whose end was not seen (NBD requests)",
            "nbd_longest" => "not looked at (NBD requests, whether they are the longest)",
            "swap_writes" => "not followed (queued swap writes, of which it would not be known whose failed)",
            "zswap" => "counted as written by reclaim (pages that zswap wrote back: too many tasks at once)",
            other => other,
        };
        parts.push(format!("{} {what}", count(*n)));
    }
    format!("Lost: {}.", parts.join("; "))
}
