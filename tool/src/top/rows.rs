// SPDX-License-Identifier: GPL-2.0
//! The rows of the table: by origin, cgroup or task.

use std::collections::BTreeMap;

use super::{
    figures::{By, Cell, Column, Figure, Row, Table, Whose, figure, handoff, stalls},
    watch::Gained,
};
use crate::{
    container,
    format::{count, span},
    ledger::{CgroupStalls, Cgroups, Hierarchy, Ledgers, Read, STALLING, StallCgroups, total},
    names::{Cause, Origin},
};

/// What is shown if a figure is missing.
pub const NONE: &str = "-";

const fn number(title: &'static str, width: u16) -> Column {
    Column { title, width, words: false }
}

const fn words(title: &'static str, width: u16) -> Column {
    Column { title, width, words: true }
}

/// The table of rows of this kind. `all` is used for totals, `now` for the present state.
pub(super) fn table(by: By, step: Option<&Gained>, all: &Ledgers, now: &Ledgers) -> Table {
    match by {
        By::Origin => origins(step, all, now),
        By::Cgroup => cgroups(step, all),
        By::Task => tasks(step, all),
    }
}

/// A rate per second. A small one has a decimal.
pub fn rate(per_s: Option<f64>) -> String {
    match per_s {
        None => NONE.into(),
        Some(n) if n <= 0.0 => "0".into(),
        Some(n) if n < 0.1 => "<0.1".into(),
        Some(n) if n < 100.0 => format!("{n:.1}"),
        Some(n) => crate::format::mean(n),
    }
}

/// Nanoseconds per second as a share of time. If several tasks stall at once, it may be more than 100 %.
pub fn share(ns_per_s: Option<f64>) -> String {
    match ns_per_s.map(|ns| ns / 1e7) {
        None => NONE.into(),
        Some(p) if p <= 0.0 => "0 %".into(),
        Some(p) if p < 0.1 => "<0.1 %".into(),
        Some(p) => format!("{p:.1} %"),
    }
}

fn word(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), key: None }
}

fn rated(figure: &Read<Figure>, show: fn(Option<f64>) -> String) -> Cell {
    let per_s = figure.as_ref().ok().and_then(|figure| figure.per_s);
    let text = if per_s == Some(0.0) { NONE.into() } else { show(per_s) };
    Cell { text, key: per_s }
}

fn counted(n: Option<u64>, show: fn(u64) -> String) -> Cell {
    Cell { text: n.filter(|n| *n > 0).map_or(NONE.into(), show), key: n.map(|n| n as f64) }
}

/// A number for which the smallest value is the worst.
fn least(n: Option<u64>) -> Cell {
    Cell { text: n.map_or(NONE.into(), count), key: n.map(|n| -(n as f64)) }
}

fn ns(ns: u64) -> String {
    span(ns / 1000)
}

fn origins(step: Option<&Gained>, all: &Ledgers, now: &Ledgers) -> Table {
    let columns = vec![
        words("ORIGIN", 13),
        number("STALLS/S", 8),
        number("STALLED", 9),
        number("WRITTEN/S", 9),
        number("FREED/S", 9),
        number("HANDED/S", 8),
        number("REFUSED/S", 9),
        number("LEAST", 7),
        number("STALLS", 9),
        number("STALLED FOR", 13),
        number("WRITTEN", 12),
    ];
    let rows = Origin::ALL.iter().map(|&origin| {
        let stall = |get: fn(&crate::ledger::OriginStalls) -> u64| {
            figure(step, all, move |l| {
                let of = stalls(l)?.origins.get(&origin).filter(|_| STALLING.contains(&origin));
                of.map(get).ok_or_else(String::new)
            })
        };
        let write = |get: fn(&crate::ledger::OriginWrites) -> u64| {
            figure(step, all, move |l| {
                let writes = l.writes.as_ref().map_err(String::clone)?;
                writes.origins.get(&origin).map(get).ok_or_else(String::new)
            })
        };
        let hand = |get: fn(&crate::ledger::HandoffOrigin) -> u64| {
            figure(step, all, move |l| handoff(l)?.origins.get(&origin).map(get).ok_or_else(String::new))
        };
        let (stalls, ns_stalled, written) =
            (stall(|s| s.stalls), stall(|s| s.ns), write(crate::ledger::OriginWrites::pages));
        let left = now
            .headroom
            .as_ref()
            .ok()
            .and_then(|headroom| headroom.cells.get(&origin)?.values().filter_map(|cell| cell.min).min());
        let sum = |figure: &Read<Figure>| figure.as_ref().ok().map(|figure| figure.total);
        Row {
            whose: Whose::default(),
            cells: vec![
                word(origin.label()),
                rated(&stalls, rate),
                rated(&ns_stalled, share),
                rated(&written, rate),
                rated(&write(|w| w.reclaimed), rate),
                rated(&hand(|h| h.taken.pages), rate),
                rated(&hand(|h| total(h.refused.values().copied())), rate),
                least(left),
                counted(sum(&stalls), count),
                counted(sum(&ns_stalled), ns),
                counted(sum(&written), count),
            ],
        }
    });
    Table {
        by: By::Origin,
        columns,
        rows: rows.collect(),
        note: "pages a second; REFUSED: requests. LEAST: bytes of stack left since load",
    }
}

/// The cause that took most of the time, and its share.
fn mostly(parts: &BTreeMap<Cause, u64>) -> Cell {
    let sum = total(parts.values().copied());
    let most = parts.iter().max_by_key(|(_, ns)| **ns).filter(|(_, ns)| **ns > 0);
    // Round down, so that a share below 1 is never shown as 100.
    let percent = |ns: u64| u128::from(ns) * 100 / u128::from(sum.max(1));
    word(most.map_or(NONE.into(), |(cause, ns)| format!("{} % {}", percent(*ns), cause.label())))
}

/// What a row of the table of cgroups stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// All without a row in the ledgers, and tasks in no cgroup.
    Others,
    /// All that were removed and have no row any more.
    Removed,
    /// A cgroup.
    Group((Hierarchy, u64)),
}

impl Place {
    fn stalls(self, ledger: &StallCgroups) -> Option<&CgroupStalls> {
        match self {
            Self::Others => Some(&ledger.other),
            Self::Removed => Some(&ledger.removed),
            Self::Group(group) => ledger.groups.get(&group),
        }
    }

    fn pages(self, ledger: &Cgroups) -> u64 {
        let pages = match self {
            Self::Others => Some(&ledger.other),
            Self::Removed => Some(&ledger.removed),
            Self::Group(group) => ledger.groups.get(&group).map(|group| &group.pages),
        };
        pages.map_or(0, |pages| total(pages.values().copied()))
    }
}

fn cgroups(step: Option<&Gained>, all: &Ledgers) -> Table {
    let columns = vec![
        words("CGROUP", 18),
        number("STALLS/S", 8),
        number("STALLED", 9),
        number("WRITTEN/S", 9),
        words("MOSTLY", 32),
        number("STALLS", 9),
        number("STALLED FOR", 13),
        number("WRITTEN", 12),
    ];
    let mut names: BTreeMap<Place, Option<String>> = BTreeMap::new();
    if let Ok(ledger) = &all.stall_cgroups {
        names.extend(ledger.groups.iter().map(|(key, group)| (Place::Group(*key), group.path.clone())));
        names.insert(Place::Others, None);
    }
    if let Ok(ledger) = &all.cgroups {
        for (key, group) in &ledger.groups {
            // One of the two ledgers may know the path of a cgroup that the other does not.
            let path = names.entry(Place::Group(*key)).or_default();
            *path = path.take().or_else(|| group.path.clone());
        }
    }
    let stalled = all.stall_cgroups.as_ref().is_ok_and(|ledger| ledger.removed.stalls > 0);
    if stalled || all.cgroups.as_ref().is_ok_and(|ledger| Place::Removed.pages(ledger) > 0) {
        names.insert(Place::Removed, None);
    }
    let rows = names.into_iter().map(|(place, path)| {
        let stall = |get: fn(&CgroupStalls) -> u64| {
            figure(step, all, move |l| {
                stalls(l)?;
                Ok(place.stalls(l.stall_cgroups.as_ref().map_err(String::clone)?).map_or(0, get))
            })
        };
        let written = figure(step, all, |l| Ok(place.pages(l.cgroups.as_ref().map_err(String::clone)?)));
        let (number, time) = (stall(|s| s.stalls), stall(|s| s.ns));
        let parts = all.stall_cgroups.as_ref().ok().and_then(|ledger| Some(&place.stalls(ledger)?.causes));
        let sum = |figure: &Read<Figure>| figure.as_ref().ok().map(|figure| figure.total);
        let whose = Whose { path: path.clone(), task: None };
        let name = match (place, path) {
            (Place::Others, _) => "(cgroup unknown)".into(),
            (Place::Removed, _) => "(removed ones)".into(),
            (Place::Group(_), Some(path)) => container::shown(&path),
            (Place::Group((Hierarchy::V1, id)), None) => format!("(v1 cgroup {id})"),
            (Place::Group((Hierarchy::V2, id)), None) => format!("(gone: {id})"),
        };
        Row {
            whose,
            cells: vec![
                word(name),
                rated(&number, rate),
                rated(&time, share),
                rated(&written, rate),
                parts.map_or_else(|| word(NONE), mostly),
                counted(sum(&number), count),
                counted(sum(&time), ns),
                counted(sum(&written), count),
            ],
        }
    });
    Table {
        by: By::Cgroup,
        columns,
        rows: rows.collect(),
        note: "stalls: the task's cgroup; pages: their owner's. No handoff by cgroup is kept",
    }
}

/// What is known of one task.
#[derive(Default)]
struct Task {
    kept: u64,
    longest: Option<u64>,
    parts: BTreeMap<Cause, u64>,
    origin: Option<Origin>,
    cgroup: Option<u64>,
    left: Option<u64>,
    waited: Option<u64>,
    fresh: bool,
}

fn tasks(step: Option<&Gained>, all: &Ledgers) -> Table {
    let columns = vec![
        words("TASK", 18),
        number("LONGEST", 10),
        words("MOSTLY", 32),
        number("LEAST", 6),
        number("WAITED", 10),
        number("KEPT", 4),
        words("ORIGIN", 13),
        words("CGROUP", 20),
    ];
    // Tasks that wait for the reserves are known only by their names.
    let mut tasks: BTreeMap<(String, Option<u64>), Task> = BTreeMap::new();
    if let Ok(longest) = &all.longest {
        for stall in &longest.0 {
            let pid = u64::try_from(stall.pid).ok();
            let task = tasks.entry((stall.task.clone(), pid)).or_default();
            task.kept += 1;
            if task.longest.is_none_or(|ns| ns < stall.ns) {
                task.longest = Some(stall.ns);
                task.parts.clone_from(&stall.parts_ns);
                task.origin = Some(stall.origin);
                task.cgroup = Some(stall.cgroup);
            }
            let new = step.and_then(|step| step.ledgers.longest.as_ref().ok());
            task.fresh |= new.is_some_and(|new| new.0.contains(stall));
        }
    }
    if let Ok(stacks) = &all.stacks {
        for ((origin, _), stack) in stacks.worst.iter().filter(|(_, stack)| stack.is_new) {
            let task = tasks.entry((stack.comm.clone(), Some(stack.pid))).or_default();
            if task.left.is_none_or(|left| left > stack.headroom) {
                task.left = Some(stack.headroom);
                task.origin = task.origin.or(Some(*origin));
            }
        }
    }
    if let Ok(reserves) = &all.reserves {
        for (name, waits) in reserves.waiters.iter().filter(|(_, waits)| waits.waits > 0) {
            tasks.entry((name.clone(), None)).or_default().waited = Some(waits.ns);
        }
    }
    let path = |id: u64| {
        let groups = &all.stall_cgroups.as_ref().ok()?.groups;
        groups.get(&all.group(id)?)?.path.clone()
    };
    let rows =
        tasks.into_iter().map(|((name, pid), task)| Row {
            whose: Whose {
                path: task.cgroup.and_then(path),
                task: Some((pid.and_then(|pid| i64::try_from(pid).ok()).unwrap_or(-1), name.clone())),
            },
            cells: vec![
                word(format!(
                    "{}{name}{}",
                    if task.fresh { "*" } else { " " },
                    pid.map_or(String::new(), |pid| format!("[{pid}]"))
                )),
                counted(task.longest, ns),
                mostly(&task.parts),
                least(task.left),
                counted(task.waited, ns),
                counted(Some(task.kept), count),
                word(task.origin.map_or(NONE, Origin::label)),
                word(task.cgroup.map_or(NONE.into(), |id| {
                    path(id).map_or_else(|| format!("({id})"), |path| container::shown(&path))
                })),
            ],
        });
    Table {
        by: By::Task,
        columns,
        rows: rows.collect(),
        note: "* new. Of tasks: the longest stalls, worst stacks, waits for reserves (WAITED)",
    }
}
