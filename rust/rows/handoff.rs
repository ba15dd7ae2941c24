// SPDX-License-Identifier: GPL-2.0

//! `handoff`: what became of the folios that reclaim would have swapped out itself.

use super::helper::state;
use crate::{
    control::helper,
    kernel_ext::{
        cell::Cell64,
        percpu::PerCpu, //
    },
    ledgers::{
        handoff::{
            Handoff,
            OriginHandoff, //
        },
        Ledgers, //
    },
    policy::log2,
    settings,
    words::{
        Origin,
        Refusal, //
    },
};
use kernel::{
    fmt,
    sync::{
        atomic::Relaxed,
        Arc, //
    },
};

fn hist(f: &mut fmt::Formatter<'_>, key: &str, get: impl Fn(usize) -> u64) -> fmt::Result {
    for bucket in 0..log2::BUCKETS {
        writeln!(f, "{key}.{} {}", log2::lower_bound(bucket), get(bucket))?;
    }
    Ok(())
}

fn origins(f: &mut fmt::Formatter<'_>, ledger: &PerCpu<Handoff>) -> fmt::Result {
    for &origin in Origin::ALL {
        let name = origin.name();
        let sum =
            |get: &dyn Fn(&OriginHandoff) -> u64| ledger.sum(|l| l.origin(origin).map_or(0, get));
        let taken = |i: usize| sum(&|o| o.taken.get(i).map_or(0, Cell64::get));
        writeln!(f, "{name}.taken.requests {}", taken(0))?;
        writeln!(f, "{name}.taken.pages {}", taken(1))?;
        for &why in Refusal::ALL {
            let reason = why.name();
            let n = sum(&|o| o.refused(why));
            writeln!(f, "{name}.refused.{reason}.requests {n}")?;
        }
        let waits = |i: usize| sum(&|o| o.waits.get(i).map_or(0, Cell64::get));
        writeln!(f, "{name}.waits {}", waits(0))?;
        writeln!(f, "{name}.waits.us {}", waits(1))?;
        for bucket in 0..log2::BUCKETS {
            let n = sum(&|o| o.waits_hist.get(bucket));
            if n != 0 {
                let from = log2::lower_bound(bucket);
                writeln!(f, "{name}.waits.us.hist.{from} {n}")?;
            }
        }
        let throttled = |i: usize| sum(&|o| o.throttled.get(i).map_or(0, Cell64::get));
        writeln!(f, "{name}.throttled {}", throttled(0))?;
        writeln!(f, "{name}.throttled.us {}", throttled(1))?;
    }
    Ok(())
}

/// Formats the file `handoff`.
pub(super) fn handoff(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let ledger = &ledgers.handoff;
    let sum = |get: fn(&Handoff) -> &Cell64| ledger.sum(|l| get(l).get());

    writeln!(f, "state {}", state(|on| on.handoff))?;
    writeln!(f, "policy {}", settings::handoff().name())?;
    origins(f, ledger)?;
    for (i, unit) in ["requests", "pages"].into_iter().enumerate() {
        let n = ledger.sum(|l| l.written.get(i).map_or(0, Cell64::get));
        writeln!(f, "written.{unit} {n}")?;
    }
    writeln!(f, "queued.us.sum {}", sum(|l| &l.queued_us))?;
    hist(f, "queued.us.hist", |b| {
        ledger.sum(|l| l.queued_us_hist.get(b))
    })?;
    writeln!(f, "batches {}", sum(|l| &l.batches))?;
    hist(f, "batch.pages.hist", |b| {
        ledger.sum(|l| l.batch_pages.get(b))
    })?;
    writeln!(f, "wakeups {}", sum(|l| &l.wakeups))?;

    let requests = &ledgers.swap_requests;
    let [done, pages] = &requests.done;
    writeln!(f, "requests {}", done.load(Relaxed))?;
    writeln!(f, "request.pages {}", pages.load(Relaxed))?;
    writeln!(f, "request.errors {}", requests.errors.load(Relaxed))?;
    writeln!(f, "request.us.sum {}", requests.us.load(Relaxed))?;
    hist(f, "request.us.hist", |b| requests.us_hist(b))?;

    let mut pending = 0u64;
    let mut result = Ok(());
    if let Some(shared) = helper::handoff() {
        shared.devices(|name, lane| {
            let stats = lane.stats();
            pending = pending.saturating_add(stats.taken.saturating_sub(stats.written));
            let rows = [
                ("taken", stats.taken),
                ("written", stats.written),
                ("inside_pages", stats.inside.into()),
                ("inflight_pages", stats.in_flight.into()),
                ("limit_pages", stats.limit.into()),
                ("reserve_pages", stats.reserve.into()),
                ("pages_per_s", stats.rate),
                ("request_ns", stats.rtt),
                ("waiting", stats.waiting.into()),
                ("late", stats.late.into()),
            ];
            for (key, n) in rows {
                let written = writeln!(f, "device.{name}.{key} {n}");
                result = result.and(written);
            }
        });
    }
    result?;
    writeln!(f, "pending.requests {pending}")
}
