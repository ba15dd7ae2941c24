// SPDX-License-Identifier: GPL-2.0

//! `handoff`: what became of the folios that reclaim would have swapped out itself.

use super::helper::state;
use crate::{
    handoff::{
        ByOrigin,
        Handoff,
        Later,
        Skip, //
    },
    kernel_ext::{
        cell::Cell64,
        percpu::PerCpu, //
    },
    observer::Observer,
    origin::Origin,
    params,
    policy::{
        handoff::Refused,
        log2, //
    },
    shim::reclaim, //
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
        let sum = |get: &dyn Fn(&ByOrigin) -> u64| ledger.sum(|l| l.origin(origin).map_or(0, get));
        let taken = |i: usize| sum(&|o| o.taken.get(i).map_or(0, Cell64::get));
        writeln!(f, "{name}.taken.folios {}", taken(0))?;
        writeln!(f, "{name}.taken.pages {}", taken(1))?;
        for &(why, reason) in Later::ALL {
            let n = sum(&|o| o.later(why));
            writeln!(f, "{name}.later.{reason}.folios {n}")?;
        }
        for (why, reason) in Refused::ALL {
            let n = sum(&|o| o.refused(why));
            writeln!(f, "{name}.refused.{reason}.folios {n}")?;
        }
        writeln!(f, "{name}.waits {}", sum(&|o| o.waits.get()))?;
        let throttled = |i: usize| sum(&|o| o.throttled.get(i).map_or(0, Cell64::get));
        writeln!(f, "{name}.throttled {}", throttled(0))?;
        writeln!(f, "{name}.throttled.us {}", throttled(1))?;
    }
    Ok(())
}

/// Writes the file.
pub(super) fn handoff(obs: &Arc<Observer>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let ledger = &obs.handoff;
    let sum = |get: fn(&Handoff) -> &Cell64| ledger.sum(|l| get(l).get());

    writeln!(f, "state {}", state(|on| on.handoff))?;
    writeln!(f, "policy {}", params::handoff().name())?;
    origins(f, ledger)?;
    for &(why, name) in Skip::ALL {
        let n = ledger.sum(|l| l.skipped(why));
        writeln!(f, "skipped.{name}.folios {n}")?;
    }
    for (i, unit) in ["folios", "pages"].into_iter().enumerate() {
        let n = ledger.sum(|l| l.written.get(i).map_or(0, Cell64::get));
        writeln!(f, "written.{unit} {n}")?;
    }
    writeln!(f, "queued.us.sum {}", sum(|l| &l.queued_us))?;
    hist(f, "queued.us.hist", |b| ledger.sum(|l| l.queued_us_hist(b)))?;
    writeln!(f, "batches {}", sum(|l| &l.batches))?;
    hist(f, "batch.pages.hist", |b| ledger.sum(|l| l.batch_pages(b)))?;
    writeln!(f, "wakeups {}", sum(|l| &l.wakeups))?;

    let requests = &obs.swap_requests;
    let [done, pages] = &requests.done;
    writeln!(f, "requests {}", done.load(Relaxed))?;
    writeln!(f, "request.pages {}", pages.load(Relaxed))?;
    writeln!(f, "request.errors {}", requests.errors.load(Relaxed))?;
    writeln!(f, "request.us.sum {}", requests.us.load(Relaxed))?;
    hist(f, "request.us.hist", |b| requests.us_hist(b))?;

    let mut pending = 0;
    let mut result = Ok(());
    if let Some(shared) = reclaim::handoff() {
        shared.devices(|name, lane| {
            let waiting = lane.folios.load(Relaxed).max(0) as u64;
            pending += waiting;
            let rows = [
                ("taken", lane.taken.load(Relaxed)),
                ("written", lane.written.load(Relaxed)),
                ("pending", waiting),
                ("room_pages", lane.room.load(Relaxed).into()),
                ("inflight_pages", lane.in_flight().into()),
                ("limit_pages", lane.limit.load(Relaxed).into()),
                ("reserve_pages", lane.reserve.load(Relaxed).into()),
                ("pages_per_s", lane.rate.load(Relaxed)),
                ("request_ns", lane.rtt.load(Relaxed)),
                ("stuck", lane.stuck().into()),
            ];
            for (key, n) in rows {
                let written = writeln!(f, "device.{name}.{key} {n}");
                result = result.and(written);
            }
        });
    }
    result?;
    writeln!(f, "pending.folios {pending}")
}
