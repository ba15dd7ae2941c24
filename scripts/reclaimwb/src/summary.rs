// SPDX-License-Identifier: GPL-2.0
//! What the report comes to, in sentences with figures.

use crate::{
    advice,
    format::{bytes_label, count, mib, percent, span},
    ledger::{HelperState, total},
    names::{Kind, Origin, Verdict},
    report::{
        CauseRow, HandoffSection, NbdDeviceRow, NotRecorded, Report, ReservesSection, StackRow, StallsSection,
        WaitedForRow, WriteAroundSection, WritesSection,
    },
    system::System,
};

/// The summary of a report: what hurt, why, what to try; then what reclaim did, and whether the numbers can be
/// believed. `pressure` is how much the machine suffered meanwhile.
pub fn sentences(report: &Report, pressure: Option<String>) -> Vec<String> {
    let mut out: Vec<String> = report.stalls.get().and_then(stalled).into_iter().collect();
    out.extend(pressure);
    if let Some(nbd) = report.nbd.get() {
        out.extend(nbd.devices.iter().filter(|device| device.verdict.is_some()).map(nbd_verdict));
        out.extend(waited_for(&nbd.stalls));
    }
    out.extend(advice::sentence(report));
    match &report.writes {
        crate::report::Section::Available(writes) if writes.pages == 0 => out.push(nothing_written(writes)),
        crate::report::Section::Available(writes) => {
            out.push(who(writes));
            out.push(how(writes));
        }
        crate::report::Section::Unavailable { unavailable } => {
            out.push(format!("Who wrote is not known: {unavailable}."));
        }
    }
    out.extend(report.write_around.get().and_then(around));
    out.extend(report.handoff.get().and_then(|section| handed(section, report.machine.page_size)));
    out.extend(report.reserves.get().and_then(reserves));
    out.extend(deepest(report));
    if let Some(low) = report.not_recorded.below_floor.filter(|low| *low > 0) {
        let floor = report.module.params.get("headroom_floor").map_or(String::new(), |f| format!(" of {f} bytes"));
        out.push(format!("WARNING: {} samples had less stack left than the floor{floor}.", count(low)));
    }
    out.push(losses(&report.not_recorded));
    if let Some(books) = report.books.as_ref().filter(|books| !books.is_empty()) {
        out.push(if books.iter().all(|book| book.difference == 0) {
            format!("The books balance: all {} comparisons with the kernel's own counters agree exactly.", books.len())
        } else {
            let off = books.iter().filter(|book| book.difference != 0);
            let off: Vec<String> = off.map(|b| format!("{} by {:+}", b.counter, b.difference)).collect();
            format!("The books do not balance: recorded differs from {}.", off.join(", from "))
        });
    }
    out
}

/// Whose the time of an NBD device's requests was.
fn nbd_verdict(device: &NbdDeviceRow) -> String {
    let requests = total(device.directions.iter().map(|row| row.requests.count));
    let whose = device.verdict.map_or("nobody", Verdict::label);
    let help = if device.lock_held_long { "; smaller requests or more connections may help" } else { "" };
    format!(
        "{}: {} requests; most of their time ({}) was {whose}{help}.",
        device.device,
        count(requests),
        percent(device.verdict_share.unwrap_or(0.0))
    )
}

/// How much of the stalls was for them.
fn waited_for(row: &WaitedForRow) -> Option<String> {
    let whose = row.verdict?.label();
    Some(format!(
        "Of the stalls, {} waited for NBD requests, for {} in all; most of that ({}) was {whose}.",
        count(row.stalls),
        span(row.ns / 1000),
        percent(row.verdict_share.unwrap_or(0.0))
    ))
}

/// How much the machine suffered meanwhile.
pub fn pressure(now: &System, before: &System) -> Option<String> {
    let stalled = |who: &str| {
        let us = now.memory_stall_us.get(who)?.checked_sub(*before.memory_stall_us.get(who)?)?;
        Some(us as f64 / 1e6)
    };
    let (some, full) = (stalled("some")?, stalled("full")?);
    let seconds = now.uptime - before.uptime;
    // The kernel adds up what it knows late: a little more than there was time for can come out.
    let (some, full) = (some.min(seconds), full.min(seconds));
    Some(format!(
        "Memory pressure (PSI) in these {seconds:.1} s: some task stalled for {some:.1} s, all of them for {full:.1} s."
    ))
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
    format!(
        "Reclaim wrote {} pages ({}){windows}{freed}: {}. Tasks that only wanted memory wrote {} of it on their own \
         stack.",
        count(writes.pages),
        mib(writes.bytes),
        shares.join(", "),
        percent(writes.foreground_pages as f64 / writes.pages as f64),
    )
}

fn how(writes: &WritesSection) -> String {
    let what = |kind| match kind {
        Kind::Io => "queued to a block device",
        Kind::Sync => "written synchronously",
        Kind::Zswap => "compressed into zswap",
        Kind::Zero => "zero-filled and only noted",
        Kind::Dropped => "dropped (the swap slot was free again)",
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

/// How long tasks that wanted memory stalled, and on what.
fn stalled(stalls: &StallsSection) -> Option<String> {
    let first = stalls.causes.first()?;
    let part = |row: &CauseRow| format!("{} ({})", row.cause.label(), percent(row.share));
    let second = stalls.causes.get(1).map_or(String::new(), |row| format!(" and {}", part(row)));
    let longest = stalls.origins.iter().filter_map(|row| row.longest_ns).max();
    let longest = longest.map_or(String::new(), |ns| format!(", up to {} at a time", span(ns / 1000)));
    Some(format!(
        "Tasks that wanted memory stalled {} times, for {} in all{longest}: the largest parts are {}{second}.",
        count(stalls.stalls),
        span(stalls.ns / 1000),
        part(first),
    ))
}

/// How far the reserves were used, and who waited for them.
fn reserves(section: &ReservesSection) -> Option<String> {
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
        format!("; tasks waited {} times for more, for {} in all", count(waits), span(row.all.ns / 1000))
    });
    Some(format!("Reserves: {} pages were taken from below the min watermarks{fell}{waited}.", count(below)))
}

fn around(section: &WriteAroundSection) -> Option<String> {
    if section.met_folios == 0 && section.written_folios == 0 {
        return None;
    }
    let off = if section.state == HelperState::On { "" } else { " (off by now)" };
    let windows = section
        .pages_per_window
        .map_or(String::new(), |mean| format!(" in {} windows of {mean:.1} pages in the mean", count(section.windows)));
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
    let off = if section.state == HelperState::On { "" } else { " (off by now)" };
    let direct = section.of(Origin::Direct);
    let own = direct
        .and_then(|row| row.own_share)
        .map_or(String::new(), |share| format!("; direct reclaim submitted {} of its swap-out itself", percent(share)));
    let waited = section.waits.mean_us.map_or("nobody waited for room".to_owned(), |mean| {
        let times = if section.waits.count == 1 { "time" } else { "times" };
        format!("reclaim waited {} {times} for room, {:.1} ms in the mean", count(section.waits.count), mean / 1e3)
    });
    let late: Vec<&str> = section.devices.iter().filter(|row| row.late).map(|row| row.device.as_str()).collect();
    let late = match late[..] {
        [] => String::new(),
        _ => format!(" WARNING: late, nothing of what it was given is done: {}.", late.join(", ")),
    };
    Some(format!(
        "Handoff{off}: {} pages ({}) that reclaim would have submitted on its own stack were handed to the writer, {} \
         of them by direct reclaim{own}. In all {} requests; {waited}.{late}",
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
            "longest" => "not looked at (stalls, whether they are among the longest)",
            "shrinkers" => "beyond the table (calls of shrinkers)",
            "takers" => "beyond the table (blocks taken)",
            "sites" => "beyond the table (call sites)",
            "waits" => "not followed (waits for the reserves)",
            "waiters" => "beyond the table (tasks that waited for the reserves)",
            other => other,
        };
        parts.push(format!("{} {what}", count(*n)));
    }
    format!("Lost: {}.", parts.join("; "))
}
