// SPDX-License-Identifier: GPL-2.0
//! The module's ledgers as types, with one file for each ledger.

mod batches;
mod cgroups;
mod compaction;
mod group;
mod half;
mod handoff;
mod headroom;
mod heirs;
mod helper;
mod kswapd;
mod locks;
mod metadata;
mod nbd;
mod reserves;
mod rows;
mod shrinkers;
mod stacks;
mod stall_cgroups;
mod stalls;
mod status;
mod tlb;
mod waits;
mod writes;

pub use batches::{Batches, OriginBatches};
pub use cgroups::{Cgroup, Cgroups, Hierarchy};
pub use compaction::{Compaction, OrderCompaction, Taken, Tried};
pub use group::State as GroupState;
pub use half::{HelperState, LAST_BUCKET, Log2};
pub use handoff::{Handoff, HandoffCounters, HandoffDevice, HandoffOrigin, Requests};
pub use headroom::{Headroom, HeadroomCell, Used};
pub use helper::{Helper, HelperCounters, HelperDevice};
pub use kswapd::{Kswapd, NodeKswapd, NodeLeft, Passes, Waker};
pub use locks::{HeldBy, LockWaits, Locks, Who};
pub use metadata::{Bitmaps, DeviceMetadata, Metadata};
pub use nbd::{InFlight, LongestRequest, Nbd, NbdDevice, NbdRequests, WaitedFor};
pub use reserves::{Lowest, NodeWaits, Reserves, TakenPages, WaitCount, Zone};
pub use rows::{Rows, grown, total};
pub use shrinkers::{ShrinkerCounts, ShrinkerKey, Shrinkers};
pub use stacks::{Frame, Stack, Stacks};
pub use stall_cgroups::{CgroupStalls, StallCgroups};
pub use stalls::{CauseTime, Longest, OriginStalls, Part, STALLING, Stall, Stalls};
pub use status::{Availability, Cost, Probe, Status};
pub use tlb::{Flushes, Tlb};
pub use waits::{CameBack, CgroupWaits, WaitCgroups, Waits, WaitsOfKind};
pub use writes::{Cell, FailedWrites, OriginWrites, Writes, ZswapWriteback};

use crate::error::{Error, Result};

/// Names of the ledgers, as files in the module's debugfs directory.
pub const NAMES: [&str; 21] = [
    "status",
    "writes",
    "headroom",
    "stacks",
    "cgroups",
    "helper",
    "handoff",
    "stalls",
    "stalls_cgroups",
    "stalls_longest",
    "stalls_locks",
    "shrinkers",
    "compaction",
    "tlb",
    "metadata",
    "reserves",
    "nbd",
    "batches",
    "kswapd",
    "waits",
    "waits_cgroups",
];

/// Ledgers that older modules do not have, and the reason that a report gives for this.
pub const LATER: [(&str, &str); 16] = [
    ("helper", "the module is older than write-around and has no such ledger"),
    ("handoff", "the module is older than handoff and has no such ledger"),
    ("stalls", "the module is older than the stall ledger"),
    ("stalls_cgroups", "the module is older than the stall ledger"),
    ("stalls_longest", "the module is older than the stall ledger"),
    ("stalls_locks", "the module is older than the ledger of locks"),
    ("shrinkers", "the module is older than the shrinker ledger"),
    ("compaction", "the module is older than the compaction ledger"),
    ("tlb", "the module is older than the TLB ledger"),
    ("metadata", "the module is older than the metadata ledger"),
    ("nbd", "the module is older than the ledger of NBD requests"),
    ("batches", "the module is older than the ledger of swap batches"),
    ("reserves", "the module is older than the reserve ledger"),
    ("kswapd", "the module is older than the ledger of kswapd"),
    ("waits", "the module is older than the ledger of waits"),
    ("waits_cgroups", "the module is older than the ledger of waits"),
];

/// A ledger, or the reason why it could not be read.
pub type Read<T> = std::result::Result<T, String>;

/// All ledgers of one moment.
#[derive(Clone, Debug)]
pub struct Ledgers {
    /// What is attached, lost and spent.
    pub status: Status,
    /// What reclaim wrote, by origin.
    pub writes: Read<Writes>,
    /// Stack left, by layer.
    pub headroom: Read<Headroom>,
    /// Worst stacks.
    pub stacks: Read<Stacks>,
    /// Pages by cgroup.
    pub cgroups: Read<Cgroups>,
    /// What became of the dirty file folios that reclaim met.
    pub helper: Read<Helper>,
    /// What became of the swap-out requests that reclaim prepared.
    pub handoff: Read<Handoff>,
    /// Where the time of tasks that wanted memory went.
    pub stalls: Read<Stalls>,
    /// The same by the tasks' cgroups.
    pub stall_cgroups: Read<StallCgroups>,
    /// The longest of these, with all that is known of them.
    pub longest: Read<Longest>,
    /// Tasks that waited for locks of those that stalled.
    pub locks: Read<Locks>,
    /// Which shrinkers were called, and what came of it.
    pub shrinkers: Read<Shrinkers>,
    /// What direct compaction came to.
    pub compaction: Read<Compaction>,
    /// How often other CPUs were interrupted.
    pub tlb: Read<Tlb>,
    /// Pages of block devices that were evicted and read again.
    pub metadata: Read<Metadata>,
    /// Where the time of requests of NBD devices went.
    pub nbd: Read<Nbd>,
    /// How many pages swap wrote at once.
    pub batches: Read<Batches>,
    /// What kswapd costs, and why it does not rest.
    pub kswapd: Read<Kswapd>,
    /// What takes pages from the reserves, and which tasks wait for them.
    pub reserves: Read<Reserves>,
    /// What tasks waited for because memory was short.
    pub waits: Read<Waits>,
    /// The same by the tasks' cgroups.
    pub wait_cgroups: Read<WaitCgroups>,
    /// Rows that this tool does not know, as `ledger:key`.
    pub unknown_rows: Vec<String>,
}

impl Ledgers {
    /// Parses the ledgers. `text` returns the text of a ledger, or the reason why there is none.
    pub fn parse<'a>(text: impl Fn(&'static str) -> std::result::Result<&'a str, String>) -> Result<Self> {
        let mut unknown_rows = Vec::new();
        let status = text("status").map_err(|why| Error::ledger("status", why))?;
        let status = parse_one("status", status, Status::parse, &mut unknown_rows)?;
        let unknown = &mut unknown_rows;
        let parse_handoff = |rows: &mut Rows| Handoff::parse(rows, &status.version);
        let handoff = parse_read("handoff", text("handoff"), parse_handoff, unknown)?;
        Ok(Self {
            status,
            writes: parse_read("writes", text("writes"), Writes::parse, unknown)?,
            headroom: parse_read("headroom", text("headroom"), Headroom::parse, unknown)?,
            stacks: parse_read("stacks", text("stacks"), Stacks::parse, unknown)?,
            cgroups: parse_read("cgroups", text("cgroups"), Cgroups::parse, unknown)?,
            helper: parse_read("helper", text("helper"), Helper::parse, unknown)?,
            handoff,
            stalls: parse_read("stalls", text("stalls"), Stalls::parse, unknown)?,
            stall_cgroups: parse_read("stalls_cgroups", text("stalls_cgroups"), StallCgroups::parse, unknown)?,
            locks: parse_read("stalls_locks", text("stalls_locks"), Locks::parse, unknown)?,
            shrinkers: parse_read("shrinkers", text("shrinkers"), Shrinkers::parse, unknown)?,
            compaction: parse_read("compaction", text("compaction"), Compaction::parse, unknown)?,
            tlb: parse_read("tlb", text("tlb"), Tlb::parse, unknown)?,
            metadata: parse_read("metadata", text("metadata"), Metadata::parse, unknown)?,
            nbd: parse_read("nbd", text("nbd"), Nbd::parse, unknown)?,
            batches: parse_read("batches", text("batches"), Batches::parse, unknown)?,
            kswapd: parse_read("kswapd", text("kswapd"), Kswapd::parse, unknown)?,
            reserves: parse_read("reserves", text("reserves"), Reserves::parse, unknown)?,
            waits: parse_read("waits", text("waits"), Waits::parse, unknown)?,
            wait_cgroups: parse_read("waits_cgroups", text("waits_cgroups"), WaitCgroups::parse, unknown)?,
            longest: parse_read("stalls_longest", text("stalls_longest"), Longest::parse, unknown)?,
            unknown_rows,
        })
    }

    /// The cgroup with this id. Neither events nor the stalls that are kept tell its hierarchy, in which alone an id is
    /// unique. But memory is charged to cgroups of one hierarchy only, which the rows of cgroups show. `None` for id 0,
    /// and if there are rows of both hierarchies with this id.
    pub fn group(&self, id: u64) -> Option<(Hierarchy, u64)> {
        let has = |hierarchy| {
            let key = (hierarchy, id);
            self.stall_cgroups.as_ref().is_ok_and(|all| all.groups.contains_key(&key))
                || self.cgroups.as_ref().is_ok_and(|all| all.groups.contains_key(&key))
                || self.wait_cgroups.as_ref().is_ok_and(|all| all.groups.contains_key(&key))
        };
        if id == 0 {
            return None;
        }
        match (has(Hierarchy::V2), has(Hierarchy::V1)) {
            (true, true) => None,
            (false, true) => Some((Hierarchy::V1, id)),
            (_, false) => Some((Hierarchy::V2, id)),
        }
    }

    /// Whether the module was loaded anew since `before`. Its own counts say so: nothing else sets these back.
    pub fn is_reloaded(&self, before: &Self) -> bool {
        self.status.clone().since(&before.status).is_err()
    }

    /// What was counted since `before`. Minima and worst stacks are not changed, because they cannot be subtracted.
    pub fn since(self, before: &Self) -> Result<Self> {
        Ok(Self {
            status: self.status.since(&before.status)?,
            writes: since_read("writes", self.writes, &before.writes, Writes::since)?,
            headroom: since_read("headroom", self.headroom, &before.headroom, Headroom::since)?,
            stacks: since_read("stacks", self.stacks, &before.stacks, |now, then| Ok(now.since(then)))?,
            cgroups: since_read("cgroups", self.cgroups, &before.cgroups, Cgroups::since)?,
            helper: since_read("helper", self.helper, &before.helper, Helper::since)?,
            handoff: since_read("handoff", self.handoff, &before.handoff, Handoff::since)?,
            stalls: since_read("stalls", self.stalls, &before.stalls, Stalls::since)?,
            stall_cgroups: since_read(
                "stalls_cgroups",
                self.stall_cgroups,
                &before.stall_cgroups,
                StallCgroups::since,
            )?,
            locks: since_read("stalls_locks", self.locks, &before.locks, Locks::since)?,
            shrinkers: since_read("shrinkers", self.shrinkers, &before.shrinkers, Shrinkers::since)?,
            compaction: since_read("compaction", self.compaction, &before.compaction, Compaction::since)?,
            tlb: since_read("tlb", self.tlb, &before.tlb, Tlb::since)?,
            metadata: since_read("metadata", self.metadata, &before.metadata, Metadata::since)?,
            nbd: since_read("nbd", self.nbd, &before.nbd, Nbd::since)?,
            batches: since_read("batches", self.batches, &before.batches, Batches::since)?,
            kswapd: since_read("kswapd", self.kswapd, &before.kswapd, Kswapd::since)?,
            reserves: since_read("reserves", self.reserves, &before.reserves, Reserves::since)?,
            waits: since_read("waits", self.waits, &before.waits, Waits::since)?,
            wait_cgroups: since_read("waits_cgroups", self.wait_cgroups, &before.wait_cgroups, WaitCgroups::since)?,
            longest: since_read("stalls_longest", self.longest, &before.longest, |now, then| Ok(now.since(then)))?,
            unknown_rows: self.unknown_rows,
        })
    }
}

fn parse_one<T>(
    ledger: &'static str,
    text: &str,
    parse: impl Fn(&mut Rows) -> Result<T>,
    unknown: &mut Vec<String>,
) -> Result<T> {
    let mut rows = Rows::parse(ledger, text)?;
    let parsed = parse(&mut rows)?;
    unknown.extend(rows.unknown().into_iter().map(|key| format!("{ledger}:{key}")));
    Ok(parsed)
}

fn parse_read<T>(
    ledger: &'static str,
    text: std::result::Result<&str, String>,
    parse: impl Fn(&mut Rows) -> Result<T>,
    unknown: &mut Vec<String>,
) -> Result<Read<T>> {
    match text {
        Ok(text) => parse_one(ledger, text, parse, unknown).map(Ok),
        Err(why) => Ok(Err(why)),
    }
}

fn since_read<T>(ledger: &str, now: Read<T>, before: &Read<T>, since: impl Fn(T, &T) -> Result<T>) -> Result<Read<T>> {
    match (now, before) {
        (Ok(now), Ok(before)) => since(now, before).map(Ok),
        (Ok(_), Err(why)) => Ok(Err(format!("the earlier snapshot has no {ledger}: {why}"))),
        (Err(why), _) => Ok(Err(why)),
    }
}
