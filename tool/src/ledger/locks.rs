// SPDX-License-Identifier: GPL-2.0
//! `stalls_locks`: tasks that waited for a lock while the task that held it stalled.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    group::State,
    reserves::WaitCount,
    rows::{Rows, grown},
};
use crate::{error::Result, names::Cause};

/// What holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HeldBy {
    /// One task.
    Task,
    /// Readers. The task that is named is the last reader that came, which may have left before its stall.
    Readers,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Who {
    /// Its name.
    pub task: String,
    /// Its process id.
    pub pid: i64,
}

/// Waits for a lock at one call site, for tasks that stalled mostly for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LockWaits {
    /// The call site: FUNCTION+OFFSET/SIZE, and the module in brackets.
    pub at: String,
    /// What the holders' stalls were mostly spent on; absent if this tool does not know the cause.
    pub cause: Option<Cause>,
    /// What held the lock.
    pub held_by: HeldBy,
    /// How many there were, and how long they took.
    #[serde(flatten)]
    pub waits: WaitCount,
    /// The longest since the module was loaded, in nanoseconds.
    pub longest_ns: u64,
    /// Whether it ended after the earlier snapshot, if there is one.
    pub longest_is_new: bool,
    /// The task that waited longest.
    pub waiter: Who,
    /// The task that it waited for.
    pub holder: Who,
}

impl LockWaits {
    /// The function that took the lock.
    pub fn function(&self) -> &str {
        self.at.split(['+', ' ']).next().unwrap_or(&self.at)
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.at, self.cause, self.held_by) == (&other.at, other.cause, other.held_by)
    }
}

/// The `stalls_locks` ledger.
#[derive(Clone, Debug)]
pub struct Locks {
    /// Whether such waits are seen.
    pub state: State,
    /// All of them.
    pub all: WaitCount,
    /// How many of these were waits of tasks that stalled themselves.
    pub stalled: WaitCount,
    /// By call site, cause and kind of holder.
    pub rows: Vec<LockWaits>,
    /// Waits for which there was no row.
    pub other: WaitCount,
}

fn count(rows: &mut Rows, prefix: &str) -> Result<WaitCount> {
    Ok(WaitCount { waits: rows.number(&format!("{prefix}waits"))?, ns: rows.number(&format!("{prefix}ns"))? })
}

fn who(rows: &mut Rows, row: &str) -> Result<Who> {
    let task = rows.take(row)?;
    let pid = rows.take(&format!("{row}.pid"))?;
    let pid = pid.parse().map_err(|_| rows.error(format!("row {row}.pid is not a number: {pid:?}")))?;
    Ok(Who { task, pid })
}

fn less(name: &str, now: WaitCount, before: WaitCount) -> Result<WaitCount> {
    Ok(WaitCount {
        waits: grown(&format!("{name}waits"), now.waits, before.waits)?,
        ns: grown(&format!("{name}ns"), now.ns, before.ns)?,
    })
}

impl Locks {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let state = State::parse(rows)?;
        let numbers: Vec<String> =
            rows.keys("lock.").filter_map(|rest| rest.strip_suffix(".at")).map(str::to_owned).collect();
        let mut all = Vec::new();
        for number in numbers {
            let row = format!("lock.{number}");
            let held_by = match rows.take(&format!("{row}.held_by"))?.as_str() {
                "task" => HeldBy::Task,
                "readers" => HeldBy::Readers,
                other => return Err(rows.error(format!("row {row}.held_by is neither task nor readers: {other:?}"))),
            };
            all.push(LockWaits {
                at: rows.take(&format!("{row}.at"))?,
                cause: Cause::from_key(&rows.take(&format!("{row}.cause"))?),
                held_by,
                waits: count(rows, &format!("{row}."))?,
                longest_ns: rows.number(&format!("{row}.longest.ns"))?,
                longest_is_new: true,
                waiter: who(rows, &format!("{row}.longest.waiter"))?,
                holder: who(rows, &format!("{row}.longest.holder"))?,
            });
        }
        all.sort_by_key(|row| std::cmp::Reverse(row.waits.ns));
        Ok(Self {
            state,
            all: count(rows, "")?,
            stalled: count(rows, "stalled.")?,
            rows: all,
            other: count(rows, "other.")?,
        })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        self.all = less("", self.all, before.all)?;
        self.stalled = less("stalled.", self.stalled, before.stalled)?;
        self.other = less("other.", self.other, before.other)?;
        for row in &mut self.rows {
            if let Some(old) = before.rows.iter().find(|old| old.is_same(row)) {
                row.waits = less(&format!("lock at {} ", row.at), row.waits, old.waits)?;
                row.longest_is_new = row.longest_ns > old.longest_ns;
            }
        }
        self.rows.retain(|row| row.waits.waits > 0);
        self.rows.sort_by_key(|row| std::cmp::Reverse(row.waits.ns));
        Ok(self)
    }
}
