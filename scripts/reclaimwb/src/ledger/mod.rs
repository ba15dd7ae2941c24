// SPDX-License-Identifier: GPL-2.0
//! The module's ledgers as types, one file each.

mod cgroups;
mod half;
mod handoff;
mod headroom;
mod helper;
mod rows;
mod stacks;
mod status;
mod writes;

pub use cgroups::{Cgroup, Cgroups, Hierarchy};
pub use half::{HelperState, LAST_BUCKET, Log2};
pub use handoff::{Handoff, HandoffCounters, HandoffDevice, HandoffOrigin};
pub use headroom::{Headroom, HeadroomCell, Used};
pub use helper::{Helper, HelperCounters, HelperDevice};
pub use rows::{Rows, grown, total};
pub use stacks::{Frame, Stack, Stacks};
pub use status::{Availability, Cost, Probe, Status};
pub use writes::{Cell, OriginWrites, Writes};

use crate::error::{Error, Result};

/// Names of the ledgers, as files in the module's debugfs directory.
pub const NAMES: [&str; 7] = ["status", "writes", "headroom", "stacks", "cgroups", "helper", "handoff"];

/// Ledgers that older modules do not have, and why a report then lacks them.
pub const LATER: [(&str, &str); 2] = [
    ("helper", "the module is older than write-around and has no such ledger"),
    ("handoff", "the module is older than handoff and has no such ledger"),
];

/// A ledger, or why it could not be read.
pub type Read<T> = std::result::Result<T, String>;

/// All ledgers of one moment.
#[derive(Debug)]
pub struct Ledgers {
    /// What is attached, lost and spent.
    pub status: Status,
    /// Who wrote what.
    pub writes: Read<Writes>,
    /// Stack left, by layer.
    pub headroom: Read<Headroom>,
    /// Worst stacks.
    pub stacks: Read<Stacks>,
    /// Pages by cgroup.
    pub cgroups: Read<Cgroups>,
    /// What became of the dirty file folios that reclaim met.
    pub helper: Read<Helper>,
    /// What became of the folios that reclaim would have swapped out itself.
    pub handoff: Read<Handoff>,
    /// Rows that this tool does not know, as `ledger:key`.
    pub unknown_rows: Vec<String>,
}

impl Ledgers {
    /// Parses the ledgers; `text` gives a ledger's text or why there is none.
    pub fn parse<'a>(text: impl Fn(&'static str) -> std::result::Result<&'a str, String>) -> Result<Self> {
        let mut unknown_rows = Vec::new();
        let status = text("status").map_err(|why| Error::ledger("status", why))?;
        let status = parse_one("status", status, Status::parse, &mut unknown_rows)?;
        let unknown = &mut unknown_rows;
        Ok(Self {
            status,
            writes: parse_read("writes", text("writes"), Writes::parse, unknown)?,
            headroom: parse_read("headroom", text("headroom"), Headroom::parse, unknown)?,
            stacks: parse_read("stacks", text("stacks"), Stacks::parse, unknown)?,
            cgroups: parse_read("cgroups", text("cgroups"), Cgroups::parse, unknown)?,
            helper: parse_read("helper", text("helper"), Helper::parse, unknown)?,
            handoff: parse_read("handoff", text("handoff"), Handoff::parse, unknown)?,
            unknown_rows,
        })
    }

    /// What was counted since `before`. Minima and worst stacks stay what they were.
    pub fn since(self, before: &Self) -> Result<Self> {
        Ok(Self {
            status: self.status.since(&before.status)?,
            writes: since_read("writes", self.writes, &before.writes, Writes::since)?,
            headroom: since_read("headroom", self.headroom, &before.headroom, Headroom::since)?,
            stacks: since_read("stacks", self.stacks, &before.stacks, |now, then| Ok(now.since(then)))?,
            cgroups: since_read("cgroups", self.cgroups, &before.cgroups, Cgroups::since)?,
            helper: since_read("helper", self.helper, &before.helper, Helper::since)?,
            handoff: since_read("handoff", self.handoff, &before.handoff, Handoff::since)?,
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
