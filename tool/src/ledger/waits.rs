// SPDX-License-Identifier: GPL-2.0
//! `waits` and `waits_cgroups`: what tasks waited for because memory was short, and which of these waits PSI counts.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    cgroups::Hierarchy,
    group::{State, sparse},
    half::Log2,
    heirs::{all_fell, fell, missed, settled, take_all_off, take_off},
    reserves::WaitCount,
    rows::{Rows, grown, total},
};
use crate::{
    error::Result,
    names::{Limit, WaitKind},
};

/// Waits of one kind.
#[derive(Clone, Debug, Default)]
pub struct WaitsOfKind {
    /// How many there were, and how long they took.
    pub all: WaitCount,
    /// The part of this that PSI counts, in nanoseconds.
    pub psi_ns: u64,
    /// The longest, in nanoseconds.
    pub longest_ns: u64,
    /// Whether the longest ended after the earlier snapshot, if there is one.
    pub longest_is_new: bool,
    /// By microseconds.
    pub hist: Log2,
    /// Nanoseconds by the limit that pages were reclaimed for; only for some kinds.
    pub limits: BTreeMap<Limit, u64>,
    /// By task; only for some kinds.
    pub tasks: BTreeMap<String, WaitCount>,
}

/// Pages that came back, by the limit that was reached.
pub type CameBack = BTreeMap<Limit, u64>;

/// The `waits` ledger.
#[derive(Clone, Debug)]
pub struct Waits {
    /// Whether all waits for pages that are being read are seen.
    pub state: State,
    /// Whether the parts of what PSI counts are told apart.
    pub psi_state: State,
    /// Whether the pauses of tasks that dirty pages are seen.
    pub dirty_state: State,
    /// Whether pages that come back are counted.
    pub refaults_state: State,
    /// By kind.
    pub kinds: BTreeMap<WaitKind, WaitsOfKind>,
    /// Pages of anonymous memory and shmem that came back.
    pub anon: CameBack,
    /// Pages of files that came back.
    pub file: CameBack,
    /// By device, as major and minor number; `0:0` if the device is not known.
    pub devices: BTreeMap<String, BTreeMap<WaitKind, WaitCount>>,
    /// Nanoseconds for devices for which there was no room.
    pub other_devices_ns: u64,
    /// Waits that had not ended.
    pub open: u64,
}

/// Waits of one cgroup's tasks, and pages of the cgroup that came back.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct CgroupWaits {
    /// Its path, or the path that it had when it was removed; absent if this is not known.
    pub path: Option<String>,
    /// Whether it has been removed.
    pub removed: bool,
    /// At most this many nanoseconds more are its own. They are among those that have no row, because it had none for a
    /// while. A page that came back counts as 1000 nanoseconds.
    pub missed_ns: u64,
    /// By kind; only kinds that occurred.
    pub kinds: BTreeMap<WaitKind, WaitCount>,
    /// The part of them that PSI counts, in nanoseconds.
    pub psi_ns: u64,
    /// Nanoseconds by kind and by the limit that pages were reclaimed for.
    pub limits: BTreeMap<WaitKind, BTreeMap<Limit, u64>>,
    /// Pages of anonymous memory and shmem that came back.
    pub anon_pages: u64,
    /// Pages of files that came back.
    pub file_pages: u64,
    /// A cgroup whose limit was reached.
    pub limited_by: Option<String>,
}

/// The `waits_cgroups` ledger.
#[derive(Clone, Debug, Default)]
pub struct WaitCgroups {
    /// By hierarchy and cgroup id.
    pub groups: BTreeMap<(Hierarchy, u64), CgroupWaits>,
    /// Waits of tasks in no cgroup, and in cgroups that have no row.
    pub other: CgroupWaits,
    /// Waits of tasks in cgroups that were removed and have no row any more.
    pub removed: CgroupWaits,
    /// In an interval, how many cgroups lost their row. What they had counted before is not in `other`.
    pub lost_rows: u64,
}

fn wait_count(rows: &mut Rows, row: &str) -> Result<Option<WaitCount>> {
    let Some(waits) = rows.number_opt(&format!("{row}.waits"))? else {
        return Ok(None);
    };
    Ok(Some(WaitCount { waits, ns: rows.number(&format!("{row}.ns"))? }))
}

fn limits(rows: &mut Rows, row: impl Fn(Limit) -> String) -> Result<BTreeMap<Limit, u64>> {
    let mut limits = BTreeMap::new();
    for &limit in Limit::ALL {
        if let Some(n) = rows.number_opt(&row(limit))? {
            limits.insert(limit, n);
        }
    }
    Ok(limits)
}

fn less(name: &str, now: WaitCount, before: WaitCount) -> Result<WaitCount> {
    Ok(WaitCount {
        waits: grown(&format!("{name}.waits"), now.waits, before.waits)?,
        ns: grown(&format!("{name}.ns"), now.ns, before.ns)?,
    })
}

/// Turns the counts of each key into their growth since `before`.
fn less_each<K: Ord>(
    name: &str,
    now: &mut BTreeMap<K, WaitCount>,
    before: Option<&BTreeMap<K, WaitCount>>,
) -> Result<()> {
    for (key, n) in now.iter_mut() {
        let old = before.and_then(|b| b.get(key)).copied().unwrap_or_default();
        *n = less(name, *n, old)?;
    }
    Ok(())
}

fn less_limits(name: &str, now: &mut BTreeMap<Limit, u64>, before: Option<&BTreeMap<Limit, u64>>) -> Result<()> {
    for (limit, n) in now.iter_mut() {
        let old = before.and_then(|b| b.get(limit)).copied().unwrap_or(0);
        *n = grown(&format!("{name}.{}", limit.key()), *n, old)?;
    }
    Ok(())
}

impl WaitsOfKind {
    fn parse(rows: &mut Rows, name: &str) -> Result<Self> {
        let mut kind = Self {
            all: WaitCount { waits: rows.number(&format!("{name}.waits"))?, ns: rows.number(&format!("{name}.ns"))? },
            psi_ns: rows.number(&format!("{name}.psi.ns"))?,
            longest_ns: rows.number(&format!("{name}.longest.ns"))?,
            longest_is_new: true,
            hist: sparse(rows, &format!("{name}.hist.us."))?,
            limits: limits(rows, |limit| format!("{name}.limit.{}.ns", limit.key()))?,
            tasks: BTreeMap::new(),
        };
        for n in 0.. {
            let row = format!("{name}.task.{n}");
            let Some(task) = rows.take_opt(&format!("{row}.name")) else {
                break;
            };
            let Some(counts) = wait_count(rows, &row)? else {
                return Err(rows.error(format!("row {row}.waits is missing")));
            };
            kind.tasks.insert(task, counts);
        }
        Ok(kind)
    }

    fn since(&mut self, before: &Self, name: &str) -> Result<()> {
        self.all = less(name, self.all, before.all)?;
        self.psi_ns = grown(&format!("{name}.psi.ns"), self.psi_ns, before.psi_ns)?;
        self.longest_is_new = self.longest_ns > before.longest_ns;
        for (low, n) in &mut self.hist {
            *n = grown(&format!("{name}.hist.us"), *n, before.hist.get(low).copied().unwrap_or(0))?;
        }
        less_limits(name, &mut self.limits, Some(&before.limits))?;
        less_each(name, &mut self.tasks, Some(&before.tasks))
    }
}

impl Waits {
    /// Whether waits of this kind are seen.
    pub fn state_of(&self, kind: WaitKind) -> State {
        match kind {
            WaitKind::Swapin | WaitKind::Refault => self.state,
            WaitKind::Dirty => self.dirty_state,
            // They are told by the function that begins a section of PSI.
            WaitKind::Stall | WaitKind::High | WaitKind::IoThrottle | WaitKind::Kernel | WaitKind::Unexplained => {
                self.psi_state
            }
        }
    }

    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let mut kinds = BTreeMap::new();
        for &kind in WaitKind::ALL {
            kinds.insert(kind, WaitsOfKind::parse(rows, kind.key())?);
        }
        let names: Vec<String> = rows
            .keys("device.")
            .filter_map(|rest| rest.strip_suffix(".waits")?.rsplit_once('.'))
            .map(|(device, _)| device.to_owned())
            .collect();
        let mut devices = BTreeMap::<String, BTreeMap<WaitKind, WaitCount>>::new();
        for name in names {
            for &kind in WaitKind::ALL {
                if let Some(counts) = wait_count(rows, &format!("device.{name}.{}", kind.key()))? {
                    devices.entry(name.clone()).or_default().insert(kind, counts);
                }
            }
        }
        Ok(Self {
            state: State::parse(rows)?,
            psi_state: State::parse_row(rows, "psi")?,
            dirty_state: State::parse_row(rows, "dirty")?,
            refaults_state: State::parse_row(rows, "refaults")?,
            kinds,
            anon: limits(rows, |limit| format!("refaults.anon.{}.pages", limit.key()))?,
            file: limits(rows, |limit| format!("refaults.file.{}.pages", limit.key()))?,
            devices,
            other_devices_ns: rows.number("device.other.ns")?,
            open: rows.number("open")?,
        })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (kind, now) in &mut self.kinds {
            if let Some(before) = before.kinds.get(kind) {
                now.since(before, kind.key())?;
            }
        }
        less_limits("refaults.anon", &mut self.anon, Some(&before.anon))?;
        less_limits("refaults.file", &mut self.file, Some(&before.file))?;
        for (name, kinds) in &mut self.devices {
            less_each(&format!("device.{name}"), kinds, before.devices.get(name))?;
        }
        self.other_devices_ns = grown("device.other.ns", self.other_devices_ns, before.other_devices_ns)?;
        Ok(self)
    }
}

impl CgroupWaits {
    fn parse(rows: &mut Rows, row: &str) -> Result<Self> {
        let mut group = Self {
            path: Some(rows.take(&format!("{row}.path"))?).filter(|path| path != "-"),
            psi_ns: rows.number(&format!("{row}.psi.ns"))?,
            anon_pages: rows.number(&format!("{row}.refaults.anon.pages"))?,
            file_pages: rows.number(&format!("{row}.refaults.file.pages"))?,
            limited_by: rows.take_opt(&format!("{row}.limit.path")).filter(|path| path != "-"),
            removed: rows.take_opt(&format!("{row}.removed")).is_some(),
            missed_ns: rows.number_opt(&format!("{row}.missed.ns"))?.unwrap_or(0),
            ..Self::default()
        };
        for &kind in WaitKind::ALL {
            let name = format!("{row}.{}", kind.key());
            if let Some(counts) = wait_count(rows, &name)? {
                group.kinds.insert(kind, counts);
            }
            let limits = limits(rows, |limit| format!("{name}.limit.{}.ns", limit.key()))?;
            if !limits.is_empty() {
                group.limits.insert(kind, limits);
            }
        }
        Ok(group)
    }

    fn since(&mut self, before: &Self, name: &str) -> Result<()> {
        less_each(name, &mut self.kinds, Some(&before.kinds))?;
        for (kind, limits) in &mut self.limits {
            less_limits(name, limits, before.limits.get(kind))?;
        }
        self.psi_ns = grown(&format!("{name}.psi.ns"), self.psi_ns, before.psi_ns)?;
        self.anon_pages = grown(&format!("{name}.refaults.anon.pages"), self.anon_pages, before.anon_pages)?;
        self.file_pages = grown(&format!("{name}.refaults.file.pages"), self.file_pages, before.file_pages)?;
        Ok(())
    }

    /// Turns counts into their growth. What is missing of the earlier counts was given away, and is added to `given`.
    /// Returns true if something is missing.
    fn fell(&mut self, before: &Self, given: &mut Self) -> bool {
        let had = given.weight();
        for (kind, old) in &before.kinds {
            let mut none = WaitCount::default();
            let now = self.kinds.get_mut(kind).unwrap_or(&mut none);
            let given = given.kinds.entry(*kind).or_default();
            fell(&mut now.waits, old.waits, &mut given.waits);
            fell(&mut now.ns, old.ns, &mut given.ns);
        }
        for (kind, old) in &before.limits {
            let mut none = BTreeMap::new();
            let now = self.limits.get_mut(kind).unwrap_or(&mut none);
            all_fell(now, old, given.limits.entry(*kind).or_default());
        }
        for (now, old, given) in [
            (&mut self.psi_ns, before.psi_ns, &mut given.psi_ns),
            (&mut self.anon_pages, before.anon_pages, &mut given.anon_pages),
            (&mut self.file_pages, before.file_pages, &mut given.file_pages),
        ] {
            fell(now, old, given);
        }
        given.weight() > had
    }

    /// Subtracts from the growth of an heir what it was given from before the interval.
    fn take_off(&mut self, given: &mut Self) {
        for (kind, given) in &mut given.kinds {
            if let Some(heir) = self.kinds.get_mut(kind) {
                take_off(&mut heir.waits, &mut given.waits);
                take_off(&mut heir.ns, &mut given.ns);
            }
        }
        for (kind, given) in &mut given.limits {
            if let Some(heir) = self.limits.get_mut(kind) {
                take_all_off(heir, given);
            }
        }
        take_off(&mut self.psi_ns, &mut given.psi_ns);
        take_off(&mut self.anon_pages, &mut given.anon_pages);
        take_off(&mut self.file_pages, &mut given.file_pages);
    }

    fn settled(&self) -> Result<()> {
        settled("waits", self.kinds.values().map(|n| n.waits))?;
        settled("waits' time", self.kinds.values().map(|n| n.ns).chain([self.psi_ns]))?;
        settled("waits' time at limits", self.limits.values().flat_map(BTreeMap::values).copied())?;
        settled("pages that came back", [self.anon_pages, self.file_pages])
    }

    /// Nanoseconds in all.
    pub fn ns(&self) -> u64 {
        total(self.kinds.values().map(|n| n.ns))
    }

    /// The weight by which the module finds the heaviest rows.
    fn weight(&self) -> u64 {
        let pages = self.anon_pages.saturating_add(self.file_pages);
        self.ns().saturating_add(pages.saturating_mul(1000))
    }
}

impl WaitCgroups {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let mut ledger = Self::default();
        for hierarchy in [Hierarchy::V2, Hierarchy::V1] {
            let name = hierarchy.row();
            let ids: Vec<String> = rows
                .keys(&format!("{name}."))
                .filter_map(|rest| rest.split_once('.').filter(|(_, what)| *what == "path"))
                .map(|(id, _)| id.to_owned())
                .collect();
            for id in ids {
                let row = format!("{name}.{id}");
                let group = CgroupWaits::parse(rows, &row)?;
                ledger.groups.insert((hierarchy, rows.parse_number(&row, &id)?), group);
            }
        }
        for (heir, name) in [(&mut ledger.other, "other.0"), (&mut ledger.removed, "removed.0")] {
            if rows.keys(&format!("{name}.")).next().is_some() {
                *heir = CgroupWaits::parse(rows, name)?;
            }
        }
        Ok(ledger)
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        let (mut living, mut gone) = (CgroupWaits::default(), CgroupWaits::default());
        for (key, old) in &before.groups {
            let mut none = CgroupWaits::default();
            let there = self.groups.contains_key(key);
            let group = self.groups.get_mut(key).unwrap_or(&mut none);
            let had = group.weight();
            self.lost_rows += u64::from(group.fell(old, if there { &mut living } else { &mut gone }));
            group.missed_ns = missed(group.missed_ns, old.weight(), had, u64::MAX);
            group.path = group.path.take().or_else(|| old.path.clone());
        }
        self.other.since(&before.other, "other.0")?;
        self.removed.since(&before.removed, "removed.0")?;
        // A cgroup that has a row now was not removed when it lost its earlier one. A cgroup that has none was mostly
        // removed.
        self.other.take_off(&mut living);
        self.removed.take_off(&mut living);
        self.removed.take_off(&mut gone);
        self.other.take_off(&mut gone);
        living.settled()?;
        gone.settled()?;
        let elsewhere = self.other.weight();
        for group in self.groups.values_mut() {
            group.missed_ns = group.missed_ns.min(elsewhere);
        }
        Ok(self)
    }
}
