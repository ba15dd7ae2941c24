// SPDX-License-Identifier: GPL-2.0
//! What tasks waited for because memory was short.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Section,
    figures::{Times, mean},
};
use crate::{
    container,
    format::{count, span},
    ledger::{CgroupWaits, GroupState, Hierarchy, WaitCgroups, WaitCount, Waits, total},
    names::{Limit, WaitKind},
};

/// Waits that took less than this, in nanoseconds, are not worth a sentence.
const PAIN: u64 = 100_000_000;

/// Waits of one kind.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WaitKindRow {
    /// The kind.
    pub kind: WaitKind,
    /// How many there were, and how long they took.
    pub waits_us: Times,
    /// Nanoseconds in all.
    pub ns: u64,
    /// The part of this that PSI counts; absent in a narrowed report.
    pub psi_ns: Option<u64>,
    /// The longest since the module was loaded; absent in a narrowed report.
    pub longest_ns: Option<u64>,
    /// With `--since`, whether the longest ended in the interval; absent in a narrowed report.
    pub longest_is_new: Option<bool>,
    /// Nanoseconds by the limit that pages were reclaimed for.
    pub limits: BTreeMap<Limit, u64>,
    /// By task.
    pub tasks: BTreeMap<String, WaitCount>,
}

/// Waits of a cgroup's tasks.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WaitCgroupRow {
    /// Its id, `ID` or `v1:ID`; absent for all cgroups that have no row, which are added up as removed ones and others.
    pub cgroup: Option<String>,
    /// Nanoseconds in all.
    pub ns: u64,
    /// What its tasks waited for.
    #[serde(flatten)]
    pub waits: CgroupWaits,
}

impl WaitCgroupRow {
    /// Its name.
    pub fn name(&self) -> String {
        let removed = if self.waits.removed { " (removed)" } else { "" };
        match (&self.waits.path, &self.cgroup) {
            (Some(path), _) => format!("{}{removed}", container::short(path)),
            (None, Some(id)) => format!("cgroup {id}{removed}"),
            (None, None) if self.waits.removed => "(removed ones)".into(),
            (None, None) => "(others)".into(),
        }
    }
}

/// All waits.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WaitsSection {
    /// Whether waits for pages that are being read are seen, at the end.
    pub state: GroupState,
    /// Whether the parts of what PSI counts are told apart.
    pub psi_state: GroupState,
    /// Whether the pauses of tasks that dirty pages are seen.
    pub dirty_state: GroupState,
    /// Whether pages that come back are counted.
    pub refaults_state: GroupState,
    /// Nanoseconds of tasks, without kernel threads.
    pub ns: u64,
    /// What PSI counts, with kernel threads; absent in a report for one task.
    pub psi_ns: Option<u64>,
    /// The share of this that is of no known kind, 0 to 1; absent if PSI counts nothing.
    pub unexplained_share: Option<f64>,
    /// By kind; only kinds that occurred. The one that took most time comes first.
    pub kinds: Vec<WaitKindRow>,
    /// Pages of anonymous memory and shmem that came back, by the limit that was reached.
    pub anon_refaults: BTreeMap<Limit, u64>,
    /// Pages of files that came back.
    pub file_refaults: BTreeMap<Limit, u64>,
    /// By cgroup. The one that waited longest comes first.
    pub cgroups: Vec<WaitCgroupRow>,
    /// In an interval, how many cgroups lost their row to another.
    pub lost_rows: u64,
    /// By device, `MAJOR:MINOR`, and kind; `0:0` if the device is not known.
    pub devices: BTreeMap<String, BTreeMap<WaitKind, WaitCount>>,
    /// Nanoseconds for devices for which the ledger had no room; absent in a narrowed report.
    pub other_devices_ns: Option<u64>,
}

impl WaitsSection {
    /// The row of one kind, if there was such a wait.
    pub fn kind(&self, kind: WaitKind) -> Option<&WaitKindRow> {
        self.kinds.iter().find(|row| row.kind == kind)
    }

    /// The cgroup whose tasks waited longest for it, and for how many nanoseconds.
    pub fn most(&self, kind: WaitKind) -> Option<(&WaitCgroupRow, u64)> {
        let of = |row: &WaitCgroupRow| row.waits.kinds.get(&kind).map_or(0, |w| w.ns);
        self.cgroups.iter().map(|row| (row, of(row))).filter(|(_, ns)| *ns > 0).max_by_key(|(_, ns)| *ns)
    }

    /// The device that most of these waits were for, and for how many nanoseconds.
    pub fn device(&self, kind: WaitKind) -> Option<(&str, u64)> {
        let of = self.devices.iter().filter(|(name, _)| *name != "0:0");
        of.filter_map(|(name, kinds)| Some((name.as_str(), kinds.get(&kind)?.ns))).max_by_key(|(_, ns)| *ns)
    }

    /// Pages of files that came back.
    pub fn file_pages(&self) -> u64 {
        if self.file_refaults.is_empty() {
            // A narrowed report does not know the limits.
            return total(self.cgroups.iter().map(|row| row.waits.file_pages));
        }
        total(self.file_refaults.values().copied())
    }
}

pub(super) fn section(ledger: &Waits, cgroups: &WaitCgroups) -> Section<WaitsSection> {
    if [ledger.state, ledger.psi_state, ledger.dirty_state].iter().all(|state| *state == GroupState::Unavailable) {
        return Section::unavailable("what tasks wait for cannot be probed on this kernel");
    }
    let kinds = ledger.kinds.iter().filter(|(_, of)| of.all.waits > 0).map(|(kind, of)| WaitKindRow {
        kind: *kind,
        waits_us: Times::new(of.all.waits, of.all.ns / 1000, &of.hist),
        ns: of.all.ns,
        psi_ns: Some(of.psi_ns),
        longest_ns: Some(of.longest_ns),
        longest_is_new: Some(of.longest_is_new),
        limits: of.limits.clone(),
        tasks: of.tasks.iter().filter(|(_, n)| n.waits > 0).map(|(name, n)| (name.clone(), *n)).collect(),
    });
    let mut kinds: Vec<WaitKindRow> = kinds.collect();
    kinds.sort_by_key(|row| std::cmp::Reverse(row.ns));
    let psi_ns = total(kinds.iter().filter_map(|row| row.psi_ns));
    let unexplained = kinds.iter().find(|row| row.kind == WaitKind::Unexplained).and_then(|row| row.psi_ns);
    let mut groups: Vec<WaitCgroupRow> = cgroups
        .groups
        .iter()
        .map(|(group, waits)| row(Some(*group), waits))
        .chain([row(None, &cgroups.other), row(None, &CgroupWaits { removed: true, ..cgroups.removed.clone() })])
        .filter(|row| row.ns > 0 || row.waits.anon_pages > 0 || row.waits.file_pages > 0)
        .collect();
    groups.sort_by_key(|row| std::cmp::Reverse(row.ns));
    let devices = ledger.devices.iter().map(|(name, kinds)| {
        let kinds = kinds.iter().filter(|(_, n)| n.waits > 0).map(|(kind, n)| (*kind, *n));
        (name.clone(), kinds.collect::<BTreeMap<_, _>>())
    });
    Section::Available(WaitsSection {
        state: ledger.state,
        psi_state: ledger.psi_state,
        dirty_state: ledger.dirty_state,
        refaults_state: ledger.refaults_state,
        ns: total(kinds.iter().filter(|row| row.kind != WaitKind::Kernel).map(|row| row.ns)),
        psi_ns: Some(psi_ns),
        unexplained_share: mean(unexplained.unwrap_or(0), psi_ns),
        kinds,
        anon_refaults: ledger.anon.clone(),
        file_refaults: ledger.file.clone(),
        cgroups: groups,
        lost_rows: cgroups.lost_rows,
        devices: devices.filter(|(_, kinds)| !kinds.is_empty()).collect(),
        other_devices_ns: Some(ledger.other_devices_ns),
    })
}

/// The waits of the tasks of one cgroup, or of all cgroups that have no row.
pub(super) fn row(cgroup: Option<(Hierarchy, u64)>, waits: &CgroupWaits) -> WaitCgroupRow {
    let cgroup = cgroup.map(|(hierarchy, id)| match hierarchy {
        Hierarchy::V1 => format!("v1:{id}"),
        Hierarchy::V2 => id.to_string(),
    });
    WaitCgroupRow { cgroup, ns: waits.ns(), waits: waits.clone() }
}

/// A sentence about the largest kind of wait, if it took much time. Stalls of allocations do not count, because they
/// have a sentence of their own. If there is no such kind, the sentence may be about pages of files that were read
/// again.
pub fn sentence(section: &WaitsSection) -> Option<String> {
    let stalls = section.kind(WaitKind::Stall).map_or(0, |row| row.ns);
    let others = [WaitKind::Swapin, WaitKind::Refault, WaitKind::Dirty, WaitKind::High, WaitKind::IoThrottle];
    let rows = others.iter().filter_map(|kind| section.kind(*kind));
    if let Some(row) = rows.filter(|row| row.ns >= PAIN && row.ns >= stalls).max_by_key(|row| row.ns) {
        return Some(format!("Tasks spent {} {}.", span(row.ns / 1000), waiting(section, row)));
    }
    again(section)
}

/// A sentence about pages of files that came back, if there were many.
pub fn again(section: &WaitsSection) -> Option<String> {
    let pages = section.file_pages();
    let (group, most) =
        section.cgroups.iter().map(|row| (row, row.waits.file_pages)).max_by_key(|(_, pages)| *pages)?;
    if section.ns < PAIN || pages < 1000 {
        return None;
    }
    let waited = section.kind(WaitKind::Refault).map_or(0, |row| row.ns);
    Some(format!(
        "{} pages of files were read again soon after reclaim, {} of them {}; tasks waited {} for them, and {} to have \
         room for them and others.",
        count(pages),
        count(most),
        whose(group, &section.file_refaults),
        span(waited / 1000),
        span(section.kind(WaitKind::Stall).map_or(0, |row| row.ns) / 1000),
    ))
}

/// Names the cgroup, and the limit that it mostly was at.
fn whose(row: &WaitCgroupRow, limits: &BTreeMap<Limit, u64>) -> String {
    let limit = limits.iter().max_by_key(|(_, n)| **n).filter(|(_, n)| **n > 0).map(|(limit, _)| *limit);
    let of = row.waits.limited_by.as_deref();
    let at = match limit {
        Some(limit @ (Limit::Max | Limit::High)) => match of.filter(|of| Some(*of) != row.waits.path.as_deref()) {
            Some(of) => format!(" at the {} of {}", limit.label(), container::short(of)),
            None => format!(" at its {}", limit.label()),
        },
        _ => ", because all of memory was short".into(),
    };
    format!("in {}{at}", row.name())
}

/// What a task does in this kind of wait.
fn waiting(section: &WaitsSection, row: &WaitKindRow) -> String {
    let mostly = section.most(row.kind).map_or(String::new(), |(group, _)| {
        let limits = group.waits.limits.get(&row.kind).unwrap_or(&row.limits);
        match row.kind {
            WaitKind::Swapin | WaitKind::Refault => format!(", mostly {}", whose(group, limits)),
            _ => format!(", mostly in {}", group.name()),
        }
    });
    let device = section.device(row.kind).map_or(String::new(), |(name, _)| format!(" of device {name}"));
    match row.kind {
        WaitKind::Swapin => {
            format!("waiting for pages that were swapped out{}{mostly}", device.replace(" of ", " to "))
        }
        WaitKind::Refault => {
            format!("waiting for file pages{device} that were read again soon after reclaim{mostly}")
        }
        WaitKind::Dirty => format!(
            "paused because they dirty pages{device} faster than these are written (balance_dirty_pages, not \
             reclaim){mostly}"
        ),
        WaitKind::High => format!("above memory.high, in its reclaim and its penalty{mostly}"),
        _ => format!("waiting: {}{mostly}", row.kind.label()),
    }
}
