// SPDX-License-Identifier: GPL-2.0

//! `helper`: what became of the dirty file folios that reclaim met.

use crate::{
    control::helper,
    helper::Halves,
    kernel_ext::{
        cell::Cell64,
        percpu::PerCpu,
        reclaim, //
    },
    ledgers::{
        write_around::WriteAround,
        Ledgers, //
    },
    policy::log2,
    tables::hist::Hist,
    words::Skip, //
};
use kernel::{
    fmt,
    sync::{
        atomic::Relaxed,
        Arc, //
    },
};

/// Returns whether a half of the helper is on, off, or unavailable.
pub(super) fn state(half: fn(Halves) -> bool) -> &'static str {
    if helper::on().is_some_and(half) {
        "on"
    } else if reclaim::available() {
        "off"
    } else {
        "unavailable"
    }
}

fn hist(
    f: &mut fmt::Formatter<'_>,
    ledger: &PerCpu<WriteAround>,
    key: &str,
    hist: fn(&WriteAround) -> &Hist,
) -> fmt::Result {
    for bucket in 0..log2::BUCKETS {
        let n = ledger.sum(|l| hist(l).get(bucket));
        writeln!(f, "{key}.{} {n}", log2::lower_bound(bucket))?;
    }
    Ok(())
}

/// Formats the file `helper`.
pub(super) fn helper(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let ledger = &ledgers.write_around;
    let sum = |get: fn(&WriteAround) -> &Cell64| ledger.sum(|l| get(l).get());
    let two = |get: fn(&WriteAround) -> &[Cell64; 2]| {
        let [a, b] = [0, 1].map(|i| ledger.sum(|l| get(l).get(i).map_or(0, Cell64::get)));
        (a, b)
    };

    writeln!(f, "state {}", state(|on| on.around))?;
    let (folios, pages) = two(|l| &l.met);
    writeln!(f, "met.folios {folios}\nmet.pages {pages}")?;
    writeln!(f, "merged.folios {}", sum(|l| &l.merged))?;
    let (folios, pages) = two(|l| &l.queued);
    writeln!(f, "queued.folios {folios}\nqueued.pages {pages}")?;
    for &why in Skip::ALL {
        let n = ledger.sum(|l| l.skipped(why));
        writeln!(f, "skipped.{}.folios {n}", why.name())?;
    }
    writeln!(f, "written.folios {}", sum(|l| &l.written))?;
    writeln!(f, "windows {}", sum(|l| &l.windows))?;
    writeln!(f, "ranges {}", sum(|l| &l.ranges))?;
    writeln!(f, "errors {}", sum(|l| &l.errors))?;
    writeln!(f, "written.pages.targets {}", sum(|l| &l.pages_targets))?;
    writeln!(f, "written.pages.others {}", sum(|l| &l.pages_others))?;
    hist(f, ledger, "window.pages.hist", |l| &l.window_pages)?;
    let (bios, pages) = two(|l| &l.bios);
    writeln!(f, "bios {bios}\nbio.pages {pages}")?;
    writeln!(f, "clean.targets {}", sum(|l| &l.cleaned))?;
    writeln!(f, "clean.us.sum {}", sum(|l| &l.clean_us))?;
    hist(f, ledger, "clean.us.hist", |l| &l.clean_us_hist)?;
    writeln!(f, "freed.watched {}", sum(|l| &l.freed_watched))?;
    writeln!(f, "freed.within_1s {}", sum(|l| &l.freed_within))?;
    writeln!(f, "freed.unwatched {}", sum(|l| &l.freed_unwatched))?;
    writeln!(f, "waits {}", sum(|l| &l.waits))?;

    let mut pending = 0;
    let mut result = Ok(());
    if let Some(shared) = helper::write_around() {
        shared.devices(|name, state| {
            let waiting = state.pending.load(Relaxed).max(0);
            pending = waiting.saturating_add(pending);
            let rows = [
                ("queued", state.queued.load(Relaxed)),
                ("written", state.written.load(Relaxed)),
                ("windows", state.windows.load(Relaxed)),
                ("pending", waiting as u64),
                ("inflight_pages", state.inflight_pages.load(Relaxed).into()),
                ("budget_pages", state.budget_pages.load(Relaxed).into()),
                ("stuck", state.stuck().into()),
            ];
            for (key, n) in rows {
                let written = writeln!(f, "device.{name}.{key} {n}");
                result = result.and(written);
            }
        });
    }
    result?;
    if let Some(shared) = helper::write_around() {
        for (nid, ns) in shared.pace() {
            writeln!(f, "node.{nid}.ns_per_page {ns}")?;
        }
    }
    writeln!(f, "pending.folios {pending}")
}
