// SPDX-License-Identifier: GPL-2.0
//! `reserves`: what takes pages without regard to the watermarks, how low zones fell, which tasks waited for the
//! reserves, and which packets were dropped to save them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    group::{State, sparse},
    half::Log2,
    rows::{Rows, grown},
};
use crate::{
    error::Result,
    names::{User, Woken},
};

/// What one user of the reserves took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TakenPages {
    /// Allocations.
    pub allocations: u64,
    /// Pages.
    pub pages: u64,
    /// How many of these pages left their zone below its min watermark.
    pub below_min_pages: u64,
}

/// A number of waits, and how long they took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitCount {
    /// How many there were.
    pub waits: u64,
    /// Nanoseconds.
    pub ns: u64,
}

/// How low a zone fell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lowest {
    /// Pages that were free.
    pub free_pages: u64,
    /// The min watermark at that time.
    pub min_pages: u64,
    /// Nanoseconds since the machine started.
    pub at_ns: u64,
    /// Whether it was reached after the earlier snapshot, if there is one.
    pub is_new: bool,
}

/// A zone.
#[derive(Clone, Copy, Debug)]
pub struct Zone {
    /// Pages free when the snapshot was taken.
    pub free: u64,
    /// Its min watermark, below which the reserve lies.
    pub min: u64,
    /// Its low watermark.
    pub low: u64,
    /// The lowest when a page was taken from the reserves; `None` if none was taken.
    pub lowest: Option<Lowest>,
}

/// Waits for one node.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeWaits {
    /// All of them.
    pub all: WaitCount,
    /// The longest, in nanoseconds.
    pub longest_ns: u64,
    /// Whether the longest ended after the earlier snapshot, if there is one.
    pub longest_is_new: bool,
}

/// The `reserves` ledger.
#[derive(Clone, Debug)]
pub struct Reserves {
    /// Whether pages are counted.
    pub state: State,
    /// Whether waits are counted.
    pub waits_state: State,
    /// Whether dropped packets are counted.
    pub drops_state: State,
    /// By user.
    pub users: BTreeMap<&'static str, TakenPages>,
    /// Slabs that were made of such pages.
    pub slabs: u64,
    /// Pages of user `other` by call site.
    pub sites: BTreeMap<String, u64>,
    /// By node and name, such as `0.DMA32`.
    pub zones: BTreeMap<String, Zone>,
    /// By the reason why they ended.
    pub waits: BTreeMap<&'static str, WaitCount>,
    /// By microseconds.
    pub hist: Log2,
    /// Waits that had not ended.
    pub open: u64,
    /// By node.
    pub nodes: BTreeMap<String, NodeWaits>,
    /// By task.
    pub waiters: BTreeMap<String, WaitCount>,
    /// Packets dropped.
    pub drops: u64,
    /// By call site.
    pub drop_sites: BTreeMap<String, u64>,
    /// Sockets that may use the reserves now; `None` if the kernel does not say.
    pub sockets: Option<u64>,
}

/// What stands between `prefix` and `key` in the keys of the rows that begin and end with these.
fn numbered(rows: &Rows, prefix: &str, key: &str) -> Vec<String> {
    rows.keys(prefix).filter_map(|rest| rest.strip_suffix(key)).map(str::to_owned).collect()
}

fn sites(rows: &mut Rows, prefix: &str, unit: &str) -> Result<BTreeMap<String, u64>> {
    let mut sites = BTreeMap::new();
    for n in numbered(rows, &format!("{prefix}."), ".at") {
        let at = rows.take(&format!("{prefix}.{n}.at"))?;
        // Two call sites may be in the same function.
        let function = at.split('+').next().unwrap_or(&at).to_owned();
        let count: &mut u64 = sites.entry(function).or_default();
        *count = count.saturating_add(rows.number(&format!("{prefix}.{n}.{unit}"))?);
    }
    Ok(sites)
}

impl Reserves {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let mut users = BTreeMap::new();
        for &user in User::NAMES {
            let pages = rows.number(&format!("{user}.pages"))?;
            let taken = TakenPages {
                allocations: rows.number(&format!("{user}.allocations"))?,
                pages,
                // The two are read without a lock, one after the other. Pages that were taken in between may be counted
                // in the second alone, which is not a damaged ledger.
                below_min_pages: rows.number(&format!("{user}.below_min.pages"))?.min(pages),
            };
            users.insert(user, taken);
        }
        let mut waits = BTreeMap::new();
        for &woken in Woken::NAMES {
            let row = format!("wait.{woken}");
            let count =
                WaitCount { waits: rows.number(&format!("{row}.waits"))?, ns: rows.number(&format!("{row}.ns"))? };
            waits.insert(woken, count);
        }
        let mut zones = BTreeMap::new();
        for name in numbered(rows, "zone.", ".low.pages") {
            let row = format!("zone.{name}");
            let lowest = match rows.number_opt(&format!("{row}.lowest.free.pages"))? {
                None => None,
                Some(free_pages) => Some(Lowest {
                    free_pages,
                    min_pages: rows.number(&format!("{row}.lowest.min.pages"))?,
                    at_ns: rows.number(&format!("{row}.lowest.at.ns"))?,
                    is_new: true,
                }),
            };
            let zone = Zone {
                free: rows.number(&format!("{row}.free.pages"))?,
                min: rows.number(&format!("{row}.min.pages"))?,
                low: rows.number(&format!("{row}.low.pages"))?,
                lowest,
            };
            zones.insert(name, zone);
        }
        let mut nodes = BTreeMap::new();
        for nid in numbered(rows, "node.", ".waits") {
            let row = format!("node.{nid}");
            let all =
                WaitCount { waits: rows.number(&format!("{row}.waits"))?, ns: rows.number(&format!("{row}.ns"))? };
            let longest_ns = rows.number(&format!("{row}.longest.ns"))?;
            nodes.insert(nid, NodeWaits { all, longest_ns, longest_is_new: true });
        }
        let mut waiters: BTreeMap<String, WaitCount> = BTreeMap::new();
        for n in numbered(rows, "waiter.", ".task") {
            let row = format!("waiter.{n}");
            let waiter = waiters.entry(rows.take(&format!("{row}.task"))?).or_default();
            waiter.waits = waiter.waits.saturating_add(rows.number(&format!("{row}.waits"))?);
            waiter.ns = waiter.ns.saturating_add(rows.number(&format!("{row}.ns"))?);
        }
        Ok(Self {
            state: State::parse(rows)?,
            waits_state: State::parse_row(rows, "waits")?,
            drops_state: State::parse_row(rows, "drops")?,
            users,
            slabs: rows.number("slabs")?,
            sites: sites(rows, "site", "pages")?,
            zones,
            waits,
            hist: sparse(rows, "wait.hist.us.")?,
            open: rows.number("wait.open")?,
            nodes,
            waiters,
            drops: rows.number("drops.packets")?,
            drop_sites: sites(rows, "drop", "packets")?,
            sockets: rows.number_opt("sockets.memalloc")?,
        })
    }

    /// The waits for the node that had the longest one.
    pub fn longest(&self) -> Option<&NodeWaits> {
        self.nodes.values().max_by_key(|node| node.longest_ns)
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (user, now) in &mut self.users {
            let old = before.users.get(user).copied().unwrap_or_default();
            now.allocations = grown(&format!("{user}.allocations"), now.allocations, old.allocations)?;
            now.pages = grown(&format!("{user}.pages"), now.pages, old.pages)?;
            now.below_min_pages = grown(&format!("{user}.below_min.pages"), now.below_min_pages, old.below_min_pages)?;
        }
        for (name, zone) in &mut self.zones {
            let old = before.zones.get(name).and_then(|zone| zone.lowest);
            if let Some(lowest) = &mut zone.lowest {
                lowest.is_new = old.is_none_or(|old| old.free_pages != lowest.free_pages);
            }
        }
        for (woken, now) in &mut self.waits {
            since_waits(&format!("wait.{woken}"), now, before.waits.get(woken).copied())?;
        }
        for (task, now) in &mut self.waiters {
            since_waits(&format!("waiter {task}"), now, before.waiters.get(task).copied())?;
        }
        for (nid, now) in &mut self.nodes {
            let old = before.nodes.get(nid);
            since_waits(&format!("node.{nid}"), &mut now.all, old.map(|node| node.all))?;
            now.longest_is_new = old.is_none_or(|old| now.longest_ns > old.longest_ns);
        }
        for (low, n) in &mut self.hist {
            *n = grown("wait.hist.us", *n, before.hist.get(low).copied().unwrap_or(0))?;
        }
        for (sites, old) in [(&mut self.sites, &before.sites), (&mut self.drop_sites, &before.drop_sites)] {
            for (site, n) in sites {
                *n = grown(site, *n, old.get(site).copied().unwrap_or(0))?;
            }
        }
        self.slabs = grown("slabs", self.slabs, before.slabs)?;
        self.drops = grown("drops.packets", self.drops, before.drops)?;
        Ok(self)
    }
}

fn since_waits(row: &str, now: &mut WaitCount, before: Option<WaitCount>) -> Result<()> {
    let before = before.unwrap_or_default();
    now.waits = grown(&format!("{row}.waits"), now.waits, before.waits)?;
    now.ns = grown(&format!("{row}.ns"), now.ns, before.ns)?;
    Ok(())
}
