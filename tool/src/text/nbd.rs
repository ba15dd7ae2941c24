// SPDX-License-Identifier: GPL-2.0
//! Draws where the time of requests of NBD devices went, and how much swap wrote at once.

use std::collections::BTreeMap;

use super::{
    available,
    figures::{bound, share},
    layout::{Page, Table},
};
use crate::{
    advice,
    format::{cell, count, mib_number, percent, span},
    ledger::{GroupState, total},
    names::{Ended, Phase, Verdict},
    report::{BatchRow, NbdDeviceRow, NbdRow, Report, WaitedForRow},
    system::Queue,
};

/// Draws where the time of requests went.
pub fn render(page: &mut Page, report: &Report) {
    page.heading("NBD REQUESTS", "where their time went: the network, the server, or us");
    let Some(nbd) = available(page, &report.nbd) else {
        return;
    };
    if nbd.state == GroupState::Off {
        page.paragraph("  ", "  ", "They are not followed now (parameter nbd).");
    }
    if nbd.devices.is_empty() {
        if nbd.state == GroupState::On {
            page.paragraph("  ", "  ", "There was none.");
        }
        return;
    }
    let mut table = Table::new(&["<device", "<", "requests", "MiB", "in all", "half below", "99% below"]);
    let mut phases = Table::new(&["<share of it", "<", "lock", "header", "payload", "server", "reply", "given back"]);
    table.say_once(0);
    phases.say_once(0);
    for device in &nbd.devices {
        for row in &device.directions {
            table.row(vec![
                device.device.clone(),
                row.direction.label().into(),
                cell(row.requests.count),
                mib_number(row.bytes),
                span(row.ns / 1000),
                bound(&row.requests, row.requests.p50_below_us),
                bound(&row.requests, row.requests.p99_below_us),
            ]);
            let mut cells = vec![device.device.clone(), row.direction.label().into()];
            cells.extend(Phase::ALL.iter().map(|phase| share(row.phases_ns.get(phase).copied().unwrap_or(0), row.ns)));
            phases.row(cells);
        }
    }
    page.table(&table);
    page.line("");
    page.table(&phases);
    if nbd.lock_state == GroupState::Unavailable {
        page.paragraph("  ", "  ", "The wait for a connection is not seen on this kernel: nbd_queue_rq is not probed.");
    }
    if let Some(text) = waited_for(&nbd.stalls) {
        page.paragraph("  ", "    ", &text);
    }
    for device in &nbd.devices {
        page.paragraph("  ", "    ", &verdict(device));
        let queue = report.machine.queues.get(&device.device).cloned().unwrap_or_default();
        if let Some(text) = remedies(device, &queue).filter(|_| device.lock_held_long) {
            page.advice("  ", "    ", &text);
        }
        for row in &device.directions {
            if let Some(text) = longest(device, row) {
                page.paragraph("  ", "    ", &text);
            }
            if let Some(text) = trouble(device, row) {
                page.paragraph("  ", "    ", &text);
            }
        }
    }
    if nbd.others_requests > 0 {
        let text = format!("Requests of devices that found no room: {}.", count(nbd.others_requests));
        page.paragraph("  ", "  ", &text);
    }
}

/// What stalled tasks waited for, in a sentence.
fn waited_for(row: &WaitedForRow) -> Option<String> {
    (row.stalls > 0).then(|| {
        format!(
            "{} stalls waited {} in all while requests were under way, and these were: {}.",
            count(row.stalls),
            span(row.ns / 1000),
            phases(&row.phases_ns, row.ns)
        )
    })
}

/// What requests were waiting for, with the share of each phase, the largest first.
pub fn phases(spent: &BTreeMap<Phase, u64>, all: u64) -> String {
    let mut spent: Vec<_> = spent.iter().filter(|(_, ns)| **ns > 0).collect();
    spent.sort_by_key(|(_, ns)| std::cmp::Reverse(**ns));
    let shares: Vec<String> =
        spent.iter().map(|(phase, ns)| format!("{} {}", phase.label(), share(**ns, all))).collect();
    shares.join(", ")
}

/// What most of a device's time was lost to.
pub fn verdict(device: &NbdDeviceRow) -> String {
    let (Some(verdict), Some(share)) = (device.verdict, device.verdict_share) else {
        return format!("{}: no request was completed.", device.device);
    };
    let why = match verdict {
        Verdict::Lock => "us: requests waited until others had been sent on their connection",
        Verdict::Network => "the network towards the server, which took requests slowly",
        Verdict::Server => "the server, or the way to it and back: requests were sent, and waited for the reply",
        Verdict::Reply => "the network from the server, or us: replies were slow to come in",
        Verdict::Requeued => "lost connections: requests were given back, and waited to be tried once more",
    };
    format!("{}: most of the time ({}) was {why}.", device.device, percent(share))
}

/// What lets other requests pass; `None` if the device has it already.
fn remedies(device: &NbdDeviceRow, queue: &Queue) -> Option<String> {
    let name = &device.device;
    let smaller = advice::can_have_smaller_requests(queue)
        .then(|| format!("smaller ones (a lower /sys/block/{name}/queue/max_sectors_kb) let others through sooner"));
    let more =
        advice::can_have_more_connections(queue).then(|| "more connections (nbd-client -C) let them pass".to_owned());
    let helps: Vec<String> = smaller.into_iter().chain(more).collect();
    (!helps.is_empty()).then(|| {
        format!(
            "Requests of {name} held the send lock for long ({} of the time others waited for it): {}.",
            percent(device.lock_share.unwrap_or(0.0)),
            helps.join(", ")
        )
    })
}

fn longest(device: &NbdDeviceRow, row: &NbdRow) -> Option<String> {
    let longest = row.longest.as_ref()?;
    let mut parts: Vec<_> = longest.phases_ns.iter().filter(|(_, ns)| **ns > 0).collect();
    parts.sort_by_key(|(_, ns)| std::cmp::Reverse(**ns));
    let parts: Vec<String> =
        parts.iter().take(3).map(|(phase, ns)| format!("{} {}", phase.label(), span(**ns / 1000))).collect();
    Some(format!(
        "{} {}: the longest took {} ({} KiB): {}.",
        device.device,
        row.direction.label(),
        span(longest.ns / 1000),
        count(longest.bytes / 1024),
        parts.join(", ")
    ))
}

/// The requests that failed, were given back, or are in flight.
fn trouble(device: &NbdDeviceRow, row: &NbdRow) -> Option<String> {
    let mut says = Vec::new();
    if row.errors > 0 {
        says.push(format!("{} failed", count(row.errors)));
    }
    if row.requeues > 0 {
        says.push(format!("given back {} times to be tried again", count(row.requeues)));
    }
    if row.in_flight.requests > 0 {
        says.push(format!(
            "{} in flight at the end, the oldest for {}",
            count(row.in_flight.requests),
            span(row.in_flight.oldest_ns / 1000)
        ));
    }
    (!says.is_empty()).then(|| format!("{} {}: {}.", device.device, row.direction.label(), says.join(", ")))
}

/// Draws how many pages swap wrote at once.
pub fn batches(page: &mut Page, report: &Report) {
    page.heading("SWAP BATCHES", "pages that swap wrote at once, and why not more");
    let Some(batches) = available(page, &report.batches) else {
        return;
    };
    if batches.origins.is_empty() {
        page.paragraph("  ", "  ", "Swap wrote nothing to a block device.");
        return;
    }
    let mut table = Table::new(&["<origin", "writes", "pages", "pages a write"]);
    for row in &batches.origins {
        table.row(vec![
            row.origin.label().into(),
            count(row.batches),
            count(row.pages),
            row.pages_per_batch.map_or("-".into(), |mean| format!("{mean:.1}")),
        ]);
    }
    page.table(&table);
    for row in &batches.origins {
        page.paragraph("  ", "    ", &ended(row));
    }
    let unknown = total(batches.origins.iter().filter_map(|row| row.ended.get(&Ended::Unknown)).copied());
    if unknown > 0 {
        let why = match batches.reasons {
            GroupState::On => "no window was open, or two writes adjoin for a reason that is not seen",
            GroupState::Off => "that needs the parameter stalls",
            GroupState::Unavailable => "this kernel does not show it",
        };
        page.paragraph("  ", "    ", &format!("unknown: it could not be told why a write ended ({why})."));
    }
}

/// Why the writes of an origin ended, the most frequent reason first.
fn ended(row: &BatchRow) -> String {
    let mut why: Vec<_> = row.ended.iter().collect();
    why.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
    let why: Vec<String> = why.iter().map(|(why, n)| format!("{} {}", why.label(), share(**n, row.batches))).collect();
    format!("{}: why they ended: {}.", row.origin.label(), if why.is_empty() { "-".into() } else { why.join(", ") })
}
