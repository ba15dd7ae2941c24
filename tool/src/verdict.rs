// SPDX-License-Identifier: GPL-2.0
//! What hurts, which tasks, why, and what to try on the whole machine, in plain words.

use crate::{
    advice, container,
    format::{count, percent, span},
    names::{Cause, Origin, Verdict},
    report::{CauseRow, Report, StallsSection, WaitedForRow},
    summary::Line,
};

/// The lines of the verdict; none if no task stalled for long.
pub fn machine(report: &Report) -> Vec<Line> {
    let Some(stalls) = report.stalls.get().filter(|stalls| stalls.ns >= advice::PAIN) else {
        return Vec::new();
    };
    let mut lines = vec![Line::bad("STALLS", hurts(stalls)), Line::bad("STALLS", who(stalls)), why(report, stalls)];
    lines.extend(locks(stalls));
    lines.extend(advice::sentence(report).map(|(text, cause)| Line::bad(section(report, cause), text)));
    lines
}

/// The same for a narrowed report, without what to try.
pub fn part(report: &Report) -> Vec<Line> {
    let stalls = report.stalls.get().filter(|stalls| stalls.ns >= advice::PAIN);
    stalls.map_or(Vec::new(), |stalls| {
        vec![Line::bad("STALLS", hurts(stalls)), Line::bad("STALLS", who(stalls)), why(report, stalls)]
    })
}

/// How long tasks that wanted memory stalled.
fn hurts(stalls: &StallsSection) -> String {
    let longest = stalls.origins.iter().filter_map(|row| row.longest_ns).max();
    let longest = longest.map_or(String::new(), |ns| format!(", up to {} at a time", span(ns / 1000)));
    format!(
        "Tasks that wanted memory stalled {} times, for {} in all{longest}.",
        count(stalls.stalls),
        span(stalls.ns / 1000)
    )
}

/// The cgroups of the tasks, what they reclaimed for, and the task that had the longest stall.
fn who(stalls: &StallsSection) -> String {
    let share = |ns: u64| percent(ns as f64 / stalls.ns.max(1) as f64);
    let mut origins: Vec<_> = stalls.origins.iter().collect();
    origins.sort_by_key(|row| std::cmp::Reverse(row.ns));
    let whose = origins.iter().take(2).map(|row| format!("{} ({})", reclaim(row.origin), share(row.ns)));
    let whose = whose.collect::<Vec<_>>().join(" and ");
    // For a cgroup, the origin is not always known.
    let whose = if whose.is_empty() { whose } else { format!(", in {whose}") };
    let cgroups =
        stalls.cgroups.iter().take(2).map(|row| format!("{} ({})", row.label(container::short), share(row.ns)));
    let cgroups = cgroups.collect::<Vec<_>>().join(" and ");
    let tasks = if cgroups.is_empty() { "tasks".into() } else { format!("tasks of cgroup {cgroups}") };
    let longest = stalls.longest.first();
    let longest =
        longest.map_or(String::new(), |stall| format!("; {}[{}] has the longest that is kept", stall.task, stall.pid));
    format!("Who: {tasks}{whose}{longest}.")
}

/// The name of reclaim of this origin.
pub fn reclaim(origin: Origin) -> String {
    format!("{} reclaim", origin.label().trim_end_matches(" reclaim"))
}

/// The waits of tasks for locks held by tasks that stalled, if they were long.
fn locks(stalls: &StallsSection) -> Option<Line> {
    let locks = stalls.locks.as_ref().filter(|locks| locks.all.ns >= advice::PAIN)?;
    let most = locks.sites.first().map_or(String::new(), |site| {
        let cause = site.cause.map_or(String::new(), |cause| format!(" behind {}", cause.label()));
        // The longest since the module was loaded says nothing about an interval, if it ended before that.
        let longest = if site.longest_is_new {
            format!(
                "; the longest was {}[{}] for {}[{}], {}",
                site.waiter.task,
                site.waiter.pid,
                site.holder.task,
                site.holder.pid,
                span(site.longest_ns / 1000)
            )
        } else {
            String::new()
        };
        format!(", most in {}{cause}{longest}", site.function())
    });
    let text = format!(
        "Tasks waited {} times for locks held by tasks that stalled, {} in all{most}.",
        count(locks.all.waits),
        span(locks.all.ns / 1000)
    );
    Some(Line::bad("STALLS", text))
}

/// What the time went to, and what NBD requests were waiting for in that time.
fn why(report: &Report, stalls: &StallsSection) -> Line {
    let part = |row: &CauseRow| format!("{} ({})", row.cause.label(), percent(row.share));
    let parts: Vec<String> = stalls.causes.iter().take(2).map(part).collect();
    let requests = report.nbd.get().and_then(|nbd| waited_for(&nbd.stalls));
    let section = if requests.is_some() { "NBD REQUESTS" } else { "STALLS" };
    Line::bad(section, format!("Why: {}.{}", parts.join(" and "), requests.unwrap_or_default()))
}

/// How much of the stalls' time was spent waiting for NBD requests.
fn waited_for(row: &WaitedForRow) -> Option<String> {
    let whose = row.verdict.map(Verdict::label)?;
    Some(format!(
        " Of the stalls, {} waited for NBD requests, for {} in all; most of that ({}) was {whose}.",
        count(row.stalls),
        span(row.ns / 1000),
        percent(row.verdict_share.unwrap_or(0.0))
    ))
}

/// The section that says most about a cause.
pub fn section(report: &Report, cause: Cause) -> &'static str {
    match cause {
        Cause::NbdLock | Cause::NbdSend if report.nbd.get().is_some() => "NBD REQUESTS",
        Cause::SwapSubmit | Cause::TagWait | Cause::ThrottleWriteback if report.handoff.get().is_some() => "HANDOFF",
        Cause::Shrinker => "SHRINKERS",
        Cause::Pfmemalloc => "RESERVES",
        Cause::Compaction | Cause::Drain => "COMPACTION",
        Cause::Tlb => "TLB FLUSHES",
        _ => "STALLS",
    }
}
