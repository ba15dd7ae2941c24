// SPDX-License-Identifier: GPL-2.0
//! What to try first, by what most of the stalls' time went to. The recipes in Documentation/admin-guide.rst say
//! more, and why.

use crate::{
    ledger::{HelperState, total},
    names::Cause,
    report::{CauseRow, NbdDeviceRow, Report},
};

/// Below this part of the stalls' time a cause is not worth a sentence.
const WORTH: f64 = 0.15;
/// Less than this in all, in ns, is no pain: nothing is advised.
const PAIN: u64 = 100_000_000;

/// What to try against the largest causes of stalls; `None` where nobody stalled for long.
pub fn sentence(report: &Report) -> Option<String> {
    let stalls = report.stalls.get()?;
    if stalls.ns < PAIN {
        return None;
    }
    let mut tips: Vec<String> = Vec::new();
    for row in stalls.causes.iter().filter(|row| row.share >= WORTH).take(2) {
        let tip = tip(report, row);
        if !tips.contains(&tip) {
            tips.push(tip);
        }
    }
    // Many small causes: the largest is still the first suspect.
    if tips.is_empty() {
        tips.push(tip(report, stalls.causes.first()?));
    }
    Some(format!("To try: {}.", tips.join("; and ")))
}

fn tip(report: &Report, row: &CauseRow) -> String {
    let handoff = report.handoff.get().map_or(HelperState::Unavailable, |section| section.state);
    let around = report.write_around.get().map_or(HelperState::Unavailable, |section| section.state);
    match row.cause {
        Cause::NbdLock | Cause::NbdSend => {
            let devices = report.nbd.get().map_or(&[][..], |nbd| &nbd.devices);
            let requests = |row: &&NbdDeviceRow| total(row.directions.iter().map(|row| row.requests.count));
            let device = devices.iter().max_by_key(requests).map_or("nbd0", |row| &row.device);
            let by_hand = format!(
                "smaller requests (128 in /sys/block/{device}/queue/max_sectors_kb) and a second connection \
                 (nbd-client -C 2)"
            );
            match handoff {
                HelperState::On => by_hand,
                HelperState::Off => format!("a writer for swap-out (reclaimwb tune handoff=always); or {by_hand}"),
                HelperState::Unavailable => format!("{by_hand}; or a kernel with our patches, for handoff"),
            }
        }
        Cause::SwapSubmit | Cause::TagWait => {
            "a faster swap device or a second one of the same priority, as this one takes no more; or zswap before it"
                .into()
        }
        Cause::ThrottleWriteback if report.handoff.get().is_some_and(|section| section.handed_requests > 0) => {
            "a faster swap device or line, less to swap, or a limit for who fills memory, as tasks wait for the swap \
             writer, and it for the device"
                .into()
        }
        Cause::ThrottleWriteback => {
            let writer = if around == HelperState::Off { " and reclaimwb tune write_around=Y" } else { "" };
            format!(
                "less dirty memory (sysctl vm.dirty_bytes){writer} if it is dirty files that reclaim waits for, a \
                     faster swap device if it is swap"
            )
        }
        Cause::ThrottleIsolated
        | Cause::ThrottleNoprogress
        | Cause::ThrottleCongested
        | Cause::LruLock
        | Cause::Lock => "fewer tasks that need memory at once, or cgroups with limits of their own".into(),
        Cause::Scan => "more memory or swap, or a limit for who fills it, as much is scanned for little".into(),
        Cause::Shrinker => "SHRINKERS below, for which of them gives back nothing".into(),
        Cause::Pfmemalloc => "larger reserves (sysctl vm.min_free_kbytes)".into(),
        Cause::Compaction | Cause::Drain => {
            "madvise or defer in /sys/kernel/mm/transparent_hugepage/defrag, so that tasks do not compact".into()
        }
        Cause::HighPenalty => "a higher memory.high for the cgroup that STALLS names, or less in it".into(),
        Cause::Runqueue => "fewer tasks or more CPUs, as who waits for one would wait without reclaim, too".into(),
        Cause::Tlb => "reclaimwb tune tlb=Y, to see for which mappings CPUs are interrupted".into(),
        Cause::OffCpu | Cause::Unexplained => {
            "reclaimwb record --events stall beside perf sched, to see where tasks sleep".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{report, snapshot::Snapshot};
    use std::path::Path;

    fn of(fixture: &str, change: impl Fn(&mut Report)) -> Option<String> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
        let snapshot = Snapshot::load(&path).expect("a fixture");
        let mut report = report::build(&snapshot, None, "snapshot").expect("a report");
        change(&mut report);
        sentence(&report)
    }

    fn with(cause: Cause, share: f64, ns: u64) -> impl Fn(&mut Report) {
        move |report| {
            if let report::Section::Available(stalls) = &mut report.stalls {
                stalls.ns = ns;
                stalls.causes.truncate(1);
                for row in &mut stalls.causes {
                    (row.cause, row.share) = (cause, share);
                }
            }
        }
    }

    #[test]
    fn each_cause_has_a_tip() {
        for &cause in Cause::ALL {
            let tip = of("stalls.json", with(cause, 0.5, 1_000_000_000)).expect("advice");
            assert!(tip.starts_with("To try: ") && tip.ends_with('.') && tip.len() > 30, "{tip}");
        }
    }

    #[test]
    fn handoff_is_advised_where_it_can_be_had() {
        let tip = of("stalls.json", with(Cause::NbdLock, 0.5, 1_000_000_000)).expect("advice");
        assert!(tip.contains("tune handoff=always"), "{tip}");
        let on = |report: &mut Report| {
            with(Cause::NbdLock, 0.5, 1_000_000_000)(report);
            if let report::Section::Available(section) = &mut report.handoff {
                section.state = HelperState::On;
            }
        };
        let tip = of("stalls.json", on).expect("advice");
        assert!(!tip.contains("handoff") && tip.contains("max_sectors_kb"), "{tip}");
    }

    #[test]
    fn who_waits_for_the_writer_needs_a_faster_device() {
        let handed = |requests| {
            move |report: &mut Report| {
                with(Cause::ThrottleWriteback, 0.5, 1_000_000_000)(report);
                if let report::Section::Available(section) = &mut report.handoff {
                    section.handed_requests = requests;
                }
            }
        };
        let tip = of("stalls.json", handed(1)).expect("advice");
        assert!(tip.contains("wait for the swap writer"), "{tip}");
        let tip = of("stalls.json", handed(0)).expect("advice");
        assert!(!tip.contains("writer"), "{tip}");
    }

    #[test]
    fn no_pain_no_advice() {
        assert_eq!(of("stalls.json", with(Cause::Scan, 0.9, PAIN - 1)), None);
        assert!(of("stalls.json", with(Cause::Scan, WORTH / 2.0, PAIN)).is_some());
    }
}
