// SPDX-License-Identifier: GPL-2.0
//! Which shrinkers were called, by what, how long they took, and what they freed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Section, figures::mean};
use crate::{
    ledger::{GroupState, Hierarchy, ShrinkerCounts, Shrinkers},
    names::Origin,
};

/// One shrinker.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShrinkerRow {
    /// Its name.
    pub name: String,
    /// The sums over its calls.
    #[serde(flatten)]
    pub counts: ShrinkerCounts,
    /// The share of the calls that had no objects or too few to free, 0 to 1; absent if there was no call.
    pub useless_share: Option<f64>,
    /// Pages freed in each millisecond; absent if it took no time.
    pub pages_per_ms: Option<f64>,
    /// Its calls by origin.
    pub origins: BTreeMap<Origin, ShrinkerCounts>,
    /// Its calls by the cgroup that was to shrink, `ID` or `v1:ID`; 0 for none.
    pub cgroups: BTreeMap<String, ShrinkerCounts>,
    /// Its calls by node.
    pub nodes: BTreeMap<u64, ShrinkerCounts>,
    /// At most this many nanoseconds more belong to its calls. They are among the calls that have no row.
    pub missed_ns: u64,
}

/// All shrinkers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShrinkersSection {
    /// Whether calls are counted, at the end.
    pub state: GroupState,
    /// The sums over all calls.
    pub total: ShrinkerCounts,
    /// The sums over the calls of direct reclaim.
    pub direct: ShrinkerCounts,
    /// By shrinker. The one that took most time comes first.
    pub shrinkers: Vec<ShrinkerRow>,
    /// Calls that have no row in the ledger, for living cgroups and for none.
    pub other: ShrinkerCounts,
    /// Calls that have no row any more, for cgroups that were removed.
    pub removed: ShrinkerCounts,
    /// In an interval, how many rows were given to other shrinkers or cgroups.
    pub lost_rows: u64,
}

pub(super) fn section(ledger: &Shrinkers) -> Section<ShrinkersSection> {
    if ledger.state == GroupState::Unavailable {
        return Section::unavailable("do_shrink_slab or its events cannot be probed on this kernel");
    }
    let (mut total, mut direct) = (ledger.other, ShrinkerCounts::default());
    total.add(ledger.removed);
    let mut by_name = BTreeMap::<&str, ShrinkerRow>::new();
    for (key, counts) in &ledger.rows {
        total.add(*counts);
        if key.origin == Origin::Direct {
            direct.add(*counts);
        }
        let row = by_name.entry(&key.name).or_insert_with(|| ShrinkerRow {
            name: key.name.clone(),
            counts: ShrinkerCounts::default(),
            useless_share: None,
            pages_per_ms: None,
            origins: BTreeMap::new(),
            cgroups: BTreeMap::new(),
            nodes: BTreeMap::new(),
            missed_ns: 0,
        });
        row.counts.add(*counts);
        row.origins.entry(key.origin).or_default().add(*counts);
        row.nodes.entry(key.node).or_default().add(*counts);
        let cgroup = match key.cgroup {
            (Hierarchy::V1, id) => format!("v1:{id}"),
            (Hierarchy::V2, id) => id.to_string(),
        };
        row.cgroups.entry(cgroup).or_default().add(*counts);
    }
    let mut shrinkers: Vec<ShrinkerRow> = by_name.into_values().filter(|row| row.counts.calls > 0).collect();
    for row in &mut shrinkers {
        row.useless_share = mean(row.counts.useless(), row.counts.calls);
        row.pages_per_ms = mean(row.counts.freed_pages.saturating_mul(1_000_000), row.counts.ns());
    }
    for (key, ns) in &ledger.missed_ns {
        if let Some(row) = shrinkers.iter_mut().find(|row| row.name == key.name) {
            row.missed_ns = row.missed_ns.saturating_add(*ns).min(ledger.other.ns());
        }
    }
    shrinkers.sort_by_key(|row| std::cmp::Reverse(row.counts.ns()));
    Section::Available(ShrinkersSection {
        state: ledger.state,
        total,
        direct,
        shrinkers,
        other: ledger.other,
        removed: ledger.removed,
        lost_rows: ledger.lost_rows,
    })
}
