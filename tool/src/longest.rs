// SPDX-License-Identifier: GPL-2.0
//! The longest stalls, with all that is known of each: those that the ledger keeps, or those of a recording.

use std::{collections::BTreeMap, path::Path};

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    container,
    error::{Error, Result},
    ledger::{CgroupStalls, HeldBy, Ledgers, LockWaits, Stall},
    names::{Cause, Origin},
    narrow::{Absent, Filter, Narrow, Narrowed, Task},
    recording::{Event, Recording},
    snapshot::Snapshot,
    terminal,
};

const FORMAT: &str = "reclaimwb-stalls";
const VERSION: u64 = 1;

/// A stall, with the path of its cgroup.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Kept {
    /// All that is known of it.
    #[serde(flatten)]
    pub stall: Stall,
    /// The path of its cgroup; absent if the cgroup is gone, not visible, or in a v1 hierarchy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup_path: Option<String>,
    /// What runs in it, if the path tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup_name: Option<String>,
}

/// The longest stalls of one source.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Longest {
    format: &'static str,
    version: u64,
    tool: &'static str,
    /// `live`, `snapshot` or `recording`.
    pub source: &'static str,
    /// Whether stalls are timed now. Absent for a recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timed: Option<bool>,
    /// How many stalls there were, of which these are the longest: all stalls of a recording, or else all since the
    /// module was loaded.
    pub of: u64,
    /// What the stalls are limited to; then `of` counts only those. Null: they are not limited.
    pub narrowed: Option<Narrowed>,
    /// Whether `of` counts the stalls of the whole machine, because the ledgers do not count those that were asked for.
    pub of_all: bool,
    /// Events that the recording has lost; longer stalls may be among them. Absent if this is not a recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_events: Option<u64>,
    /// Longest first.
    pub stalls: Vec<Kept>,
}

impl Longest {
    /// At most `n` of the stalls that the ledgers keep and that `narrow` asks for.
    pub fn of_snapshot(
        snapshot: &Snapshot,
        source: &'static str,
        n: usize,
        narrow: Option<&Narrow>,
        absent: Absent,
    ) -> Result<Self> {
        let ledgers = snapshot.ledgers()?;
        let filter = narrow.map(|narrow| Filter::of_ledgers(narrow, &[&ledgers], absent)).transpose()?;
        let is_its = |stall: &&Stall| {
            filter.as_ref().is_none_or(|filter| filter.has_id(stall.cgroup) && filter.has_task(stall.pid, &stall.task))
        };
        let (all, kept) = match (&ledgers.stalls, &ledgers.longest) {
            (Ok(all), Ok(kept)) => (all, kept),
            (Err(why), _) | (_, Err(why)) => return Err(Error::NoStalls(why.clone())),
        };
        let mut of = crate::ledger::total(all.origins.values().map(|origin| origin.stalls));
        let mut of_all = false;
        match (&filter, &ledgers.stall_cgroups) {
            (None, _) => {}
            (Some(filter), Ok(groups)) if filter.narrow.task.is_none() => {
                let its = groups.groups.iter().filter(|(group, _)| filter.has_group(**group));
                of = crate::ledger::total(its.map(|(_, stalls)| stalls.stalls));
            }
            // Stalls are not counted by task.
            (Some(_), _) => of_all = true,
        }
        let stalls = kept.0.iter().filter(is_its).take(n).cloned().collect();
        let narrowed = filter.map(|filter| filter.narrowed(Vec::new()));
        Ok(Self { timed: Some(all.on), narrowed, of_all, ..Self::new(source, of, None, stalls, &ledgers) })
    }

    /// At most `n` of the stalls of a recording that `narrow` asks for. If it asks for a part of the time, a stall
    /// counts if any part of it is in this time.
    pub fn of_recording(path: &Path, n: usize, narrow: Option<&Narrow>) -> Result<Self> {
        let filter = filter(path, narrow)?;
        let (mut stalls, mut of, mut broken) = (Vec::new(), 0, None);
        let recording = Recording::visit(path, |event| {
            if event.name != "stall" || broken.is_some() || filter.as_ref().is_some_and(|only| !only.touches(&event)) {
                return;
            }
            match stall(&event) {
                Ok(stall) => {
                    of += 1;
                    stalls.push(stall);
                    // Only as many are kept as are shown, and not as many as were recorded.
                    if stalls.len() >= n.saturating_mul(2).max(1024) {
                        longest(&mut stalls, n);
                    }
                }
                Err(what) => broken = Some(what),
            }
        })?;
        if let Some(what) = broken {
            return Err(Error::Recording { path: path.to_owned(), what });
        }
        recorded_stalls(&recording, path)?;
        longest(&mut stalls, n);
        let ledgers = recording.after.ledgers()?;
        for stall in &mut stalls {
            requests(stall, &ledgers);
        }
        let narrowed = filter.map(|filter| filter.narrowed(Vec::new()));
        Ok(Self { narrowed, ..Self::new("recording", of, Some(recording.end.lost), stalls, &ledgers) })
    }

    fn new(source: &'static str, of: u64, lost_events: Option<u64>, stalls: Vec<Stall>, ledgers: &Ledgers) -> Self {
        let stalls = stalls.into_iter().map(|stall| {
            let cgroup_path = path_of(stall.cgroup, ledgers);
            Kept { cgroup_name: cgroup_path.as_deref().and_then(container::name), cgroup_path, stall }
        });
        Self {
            format: FORMAT,
            version: VERSION,
            tool: concat!("reclaimwb ", env!("CARGO_PKG_VERSION")),
            source,
            timed: None,
            of,
            narrowed: None,
            of_all: false,
            lost_events,
            stalls: stalls.collect(),
        }
    }
}

/// The time of one cause in one place: for a cgroup, a task and an origin, or for a cgroup alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The frames, from the outermost to the innermost, which is the cause.
    pub frames: Vec<String>,
    /// The cause.
    pub cause: Cause,
    /// Nanoseconds.
    pub ns: u64,
}

/// The time of stalls by cgroup, task, origin and cause, added up as the stalls come. The paths of cgroups are known
/// only at the end.
#[derive(Clone, Debug, Default)]
pub struct Folds(BTreeMap<(u64, String, Origin, Cause), u64>);

impl Folds {
    /// Adds a stall.
    pub fn add(&mut self, stall: &Stall) {
        for (cause, ns) in &stall.parts_ns {
            let sum = self.0.entry((stall.cgroup, stall.task.clone(), stall.origin, *cause)).or_default();
            *sum = sum.saturating_add(*ns);
        }
    }

    /// The stacks, each with the cgroup, the task, the origin and the cause.
    pub fn stacks(&self, ledgers: &Ledgers) -> Vec<Stack> {
        let stack = |((id, task, origin, cause), ns): (&(u64, String, Origin, Cause), &u64)| Stack {
            frames: vec![
                group(path_of(*id, ledgers).as_deref(), *id),
                task.clone(),
                origin.label().to_owned(),
                cause.label().to_owned(),
            ],
            cause: *cause,
            ns: *ns,
        };
        self.0.iter().map(stack).collect()
    }
}

/// The stacks of the stalls of one cgroup of this name, or of several, each with the name and the cause.
pub fn stacks_of_group(name: &str, causes: &BTreeMap<Cause, u64>) -> Vec<Stack> {
    let stack = |(cause, ns): (&Cause, &u64)| Stack {
        frames: vec![name.to_owned(), cause.label().to_owned()],
        cause: *cause,
        ns: *ns,
    };
    causes.iter().map(stack).collect()
}

/// The time of all stalls of a recording as folded stacks: frames separated by semicolons, a blank, and microseconds.
/// The frames are the cgroup, the task, the origin and the cause. The second value is the number of events that the
/// recording lost.
pub fn folded_recording(path: &Path, narrow: Option<&Narrow>) -> Result<(String, u64)> {
    let filter = filter(path, narrow)?;
    let mut folds = Folds::default();
    let mut broken = None;
    let recording = Recording::visit(path, |event| {
        // All of a stall's time counts when it ends.
        if event.name != "stall" || broken.is_some() || filter.as_ref().is_some_and(|only| !only.takes(&event)) {
            return;
        }
        match stall(&event) {
            Ok(stall) => folds.add(&stall),
            Err(what) => broken = Some(what),
        }
    })?;
    if let Some(what) = broken {
        return Err(Error::Recording { path: path.to_owned(), what });
    }
    recorded_stalls(&recording, path)?;
    let stacks = folds.stacks(&recording.after.ledgers()?);
    Ok((folded(stacks.into_iter().map(|stack| (stack.frames, stack.ns))), recording.end.lost))
}

/// The same from the ledgers, which know only the cgroup and the cause.
pub fn folded_snapshot(snapshot: &Snapshot, narrow: Option<&Narrow>, absent: Absent) -> Result<String> {
    let ledgers = snapshot.ledgers()?;
    let all = ledgers.stall_cgroups.as_ref().map_err(|why| Error::NoStalls(why.clone()))?;
    let filter = narrow.map(|narrow| Filter::of_ledgers(narrow, &[&ledgers], absent)).transpose()?;
    if let Some(task) = filter.as_ref().and_then(|filter| filter.narrow.task.as_ref()) {
        return Err(Error::NoStalls(format!(
            "the time of {} is not known, as the ledgers do not keep it by task; a recording does: reclaimwb record",
            Task::asked(task)
        )));
    }
    let is_its = |group| filter.as_ref().is_none_or(|filter| filter.has_group(group));
    let heirs = [("(others)", &all.other), ("(removed ones)", &all.removed)].into_iter().filter(|_| filter.is_none());
    let heirs = heirs.map(|(name, stalls)| (name.to_owned(), stalls));
    let its = all.groups.iter().filter(|(group, _)| is_its(**group));
    let removed = |stalls: &CgroupStalls| if stalls.removed { " (removed)" } else { "" };
    let its = its.map(|((_, id), stalls)| (group(stalls.path.as_deref(), *id) + removed(stalls), stalls));
    let groups = its.chain(heirs);
    let stacks = groups.flat_map(|(name, stalls)| stacks_of_group(&name, &stalls.causes));
    Ok(folded(stacks.map(|stack| (stack.frames, stack.ns))))
}

/// The time of waits for locks held by tasks that stalled, as folded stacks: the function that took the lock, the kind
/// of holder, and what the holder's stall was spent on. Together they have all of the time.
pub fn folded_locks(ledgers: &Ledgers) -> Result<String> {
    let locks = ledgers.locks.as_ref().map_err(|why| Error::NoStalls(why.clone()))?;
    let stack = |row: &LockWaits| {
        let held_by = match row.held_by {
            HeldBy::Task => "a task",
            HeldBy::Readers => "readers",
        };
        // A newer module may know more causes. That is not the time that nothing explains.
        let cause = row.cause.map_or("(unknown cause)", Cause::label);
        (vec![row.function().to_owned(), format!("held by {held_by}"), cause.to_owned()], row.waits.ns)
    };
    Ok(folded(locks.rows.iter().map(stack).chain([(vec!["(others)".to_owned()], locks.other.ns)])))
}

fn group(path: Option<&str>, id: u64) -> String {
    match (path, id) {
        (Some(path), _) => container::shown(path),
        (None, 0) => "(none)".into(),
        (None, id) => format!("id {id}"),
    }
}

/// A line for each stack, which has frames and nanoseconds. Equal stacks are added up.
fn folded(stacks: impl Iterator<Item = (Vec<String>, u64)>) -> String {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for (frames, ns) in stacks {
        // A semicolon ends a frame, so untrusted text must not contain one.
        let frames: Vec<String> =
            frames.iter().map(|frame| terminal::line(&frame.replace(';', ":")).into_owned()).collect();
        let sum = sums.entry(frames.join(";")).or_default();
        *sum = sum.saturating_add(ns);
    }
    let lines = sums.iter().filter(|(_, ns)| **ns >= 1000);
    let lines: Vec<String> = lines.map(|(frames, ns)| format!("{frames} {}\n", ns / 1000)).collect();
    lines.concat()
}

/// The filter for what is asked for of a recording. This is known only after the whole recording was read once.
pub fn filter(path: &Path, narrow: Option<&Narrow>) -> Result<Option<Filter>> {
    let Some(narrow) = narrow else { return Ok(None) };
    Filter::of_recording(narrow, &Recording::visit(path, drop)?, Absent::Wrong).map(Some)
}

/// An error if the event `stall` was not recorded.
fn recorded_stalls(recording: &Recording, path: &Path) -> Result<()> {
    let asked = &recording.head.events;
    if !asked.is_empty() && !asked.iter().any(|name| name == "stall") {
        return Err(Error::NoStalls(format!(
            "{} was recorded without the event stall; record with --events stall, or leave --events out",
            path.display()
        )));
    }
    Ok(())
}

fn longest(stalls: &mut Vec<Stall>, n: usize) {
    stalls.sort_by_key(|stall| (std::cmp::Reverse(stall.ns), stall.began_ns));
    stalls.truncate(n);
}

/// The path of the cgroup with this id, if the ledgers know it.
fn path_of(id: u64, ledgers: &Ledgers) -> Option<String> {
    let key = ledgers.group(id)?;
    let of_stalls = ledgers.stall_cgroups.as_ref().ok().and_then(|all| all.groups.get(&key)?.path.clone());
    of_stalls.or_else(|| ledgers.cgroups.as_ref().ok().and_then(|all| all.groups.get(&key)?.path.clone()))
}

/// What NBD requests were waiting for is not in the event. The ledger has it for the longest stalls.
fn requests(stall: &mut Stall, ledgers: &Ledgers) {
    let Ok(kept) = &ledgers.longest else { return };
    let same = |other: &&Stall| {
        let of = |stall: &Stall| (stall.pid, stall.origin, stall.ns / 1000, stall.scanned_pages, stall.freed_pages);
        of(other) == of(stall)
    };
    if let Some(other) = kept.0.iter().find(same) {
        stall.nbd_ns.clone_from(&other.nbd_ns);
    }
}

/// Reads a `stall` event. Its times are whole microseconds, so each part may be too short by less than one.
pub fn stall(event: &Event) -> std::result::Result<Stall, String> {
    let ns = event.needed("usecs")?.saturating_mul(1000);
    let mut parts_ns = BTreeMap::new();
    for &cause in Cause::ALL {
        if let Some(us) = event.number(cause.key()).filter(|us| *us > 0) {
            parts_ns.insert(cause, us.saturating_mul(1000));
        }
    }
    Ok(Stall {
        ns,
        began_ns: event.ns.saturating_sub(ns),
        origin: event.origin()?,
        order: event.needed("order")?,
        gfp: event.text("gfp").ok_or_else(|| event.lacks("gfp"))?.into_owned(),
        node: event.needed("nid")?,
        pid: i64::try_from(event.pid).map_err(|_| event.lacks("pid"))?,
        task: event.comm.clone(),
        cgroup: event.needed("cgroup")?,
        scanned_pages: event.needed("scanned")?,
        freed_pages: event.needed("freed")?,
        inactive_file_pages: event.needed("inactive_file")?,
        inactive_anon_pages: event.needed("inactive_anon")?,
        dirty_pages: event.needed("dirty")?,
        parts_ns,
        nbd_ns: BTreeMap::new(),
    })
}
