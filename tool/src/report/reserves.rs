// SPDX-License-Identifier: GPL-2.0
//! The reserves below the min watermarks: what took pages of them, how low the zones fell, and which tasks waited.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::Section;
use crate::ledger::{GroupState, Log2, Lowest, Reserves, TakenPages, WaitCount, total};

/// If a zone has less than this share of its min watermark left, its reserve counts as nearly used up. The kernel makes
/// tasks wait for kswapd already at a half (`allow_direct_reclaim()`, mm/vmscan.c).
const NEARLY: f64 = 0.25;

/// A zone.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ZoneRow {
    /// Its node and name, such as `0.DMA32`.
    pub zone: String,
    /// Pages free at the end.
    pub free_pages: u64,
    /// Its min watermark at the end.
    pub min_pages: u64,
    /// How low it fell when a page was taken without regard to the watermarks; absent if none was taken.
    pub lowest: Option<Lowest>,
    /// The share of the min watermark that was left then; it can be more than 1.
    pub left_share: Option<f64>,
}

/// Waits for the reserves.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WaitsRow {
    /// All of them.
    #[serde(flatten)]
    pub all: WaitCount,
    /// The longest since the module was loaded, in nanoseconds.
    pub longest_ns: u64,
    /// With `--since`, whether the longest ended in the interval.
    pub longest_is_new: bool,
    /// By the reason why they ended.
    pub ended: BTreeMap<&'static str, WaitCount>,
    /// By microseconds.
    pub histogram_us: Log2,
    /// By task.
    pub tasks: BTreeMap<String, WaitCount>,
    /// Waits that had not ended, at the end.
    pub open: u64,
}

/// The reserves.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReservesSection {
    /// Whether pages are counted, at the end.
    pub state: GroupState,
    /// Pages taken without regard to the watermarks, by user; only users that took some.
    pub users: BTreeMap<&'static str, TakenPages>,
    /// Pages of the user `other`, by function.
    pub sites: BTreeMap<String, u64>,
    /// Slabs that were made of such pages.
    pub slabs: u64,
    /// The zones.
    pub zones: Vec<ZoneRow>,
    /// Waits for the reserves; absent if they cannot be probed.
    pub waits: Option<WaitsRow>,
    /// Packets dropped because they were in such pages; absent if this cannot be probed.
    pub dropped_packets: Option<u64>,
    /// Dropped packets by function.
    pub drop_sites: BTreeMap<String, u64>,
    /// Sockets that may use the reserves at the end.
    pub memalloc_sockets: Option<u64>,
    /// Advice.
    pub advice: Vec<String>,
}

impl ReservesSection {
    /// Pages taken by all.
    pub fn pages(&self) -> u64 {
        total(self.users.values().map(|taken| taken.pages))
    }

    /// How many of these pages were below the min watermark.
    pub fn below_min_pages(&self) -> u64 {
        total(self.users.values().map(|taken| taken.below_min_pages))
    }
}

pub(super) fn section(ledger: &Reserves) -> Section<ReservesSection> {
    if ledger.state == GroupState::Unavailable && ledger.waits_state == GroupState::Unavailable {
        return Section::unavailable(
            "this kernel lacks the patches that report the use of the reserves (qemu/patches/README)",
        );
    }
    let zones = ledger.zones.iter().map(|(name, zone)| ZoneRow {
        zone: name.clone(),
        free_pages: zone.free,
        min_pages: zone.min,
        lowest: zone.lowest,
        left_share: zone.lowest.filter(|low| low.min_pages > 0).map(|low| low.free_pages as f64 / low.min_pages as f64),
    });
    let known = |state: GroupState| state != GroupState::Unavailable;
    let mut section = ReservesSection {
        state: ledger.state,
        users: ledger.users.iter().filter(|(_, taken)| taken.allocations > 0).map(|(u, t)| (*u, *t)).collect(),
        sites: nonzero(&ledger.sites),
        slabs: ledger.slabs,
        zones: zones.collect(),
        waits: known(ledger.waits_state).then(|| waits(ledger)),
        dropped_packets: known(ledger.drops_state).then_some(ledger.drops),
        drop_sites: nonzero(&ledger.drop_sites),
        memalloc_sockets: ledger.sockets,
        advice: Vec::new(),
    };
    section.advice = advice(&section);
    Section::Available(section)
}

fn nonzero(counts: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    counts.iter().filter(|(_, n)| **n > 0).map(|(name, n)| (name.clone(), *n)).collect()
}

fn waits(ledger: &Reserves) -> WaitsRow {
    let sum = |get: fn(&WaitCount) -> u64| total(ledger.waits.values().map(get));
    let some = |count: &WaitCount| count.waits > 0;
    WaitsRow {
        all: WaitCount { waits: sum(|w| w.waits), ns: sum(|w| w.ns) },
        longest_ns: ledger.longest().map_or(0, |node| node.longest_ns),
        longest_is_new: ledger.longest().is_some_and(|node| node.longest_is_new),
        ended: ledger.waits.iter().filter(|(_, w)| some(w)).map(|(woken, w)| (*woken, *w)).collect(),
        histogram_us: ledger.hist.iter().filter(|(_, n)| **n > 0).map(|(low, n)| (*low, *n)).collect(),
        tasks: ledger.waiters.iter().filter(|(_, w)| some(w)).map(|(task, w)| (task.clone(), *w)).collect(),
        open: ledger.open,
    }
}

fn advice(section: &ReservesSection) -> Vec<String> {
    let mut advice = Vec::new();
    let low = |zone: &&ZoneRow| {
        zone.left_share.is_some_and(|left| left < NEARLY) && zone.lowest.is_some_and(|lowest| lowest.is_new)
    };
    if let Some(zone) = section.zones.iter().find(low) {
        advice.push(format!(
            "Zone {} was nearly out of its reserve: a larger vm.min_free_kbytes (twice what it is) leaves more to \
             those who free memory.",
            zone.zone
        ));
    }
    if section.dropped_packets.is_some_and(|n| n > 0) {
        advice.push(
            "Packets of other connections were dropped to keep the reserves for swap: they are sent again, late; a \
             larger vm.min_free_kbytes makes that rarer."
                .into(),
        );
    }
    advice
}
