// SPDX-License-Identifier: GPL-2.0
//! The data that a frame shows.

use super::{
    rows,
    watch::{Gained, Watch},
};
use crate::{
    error::Result,
    ledger::{GroupState, Ledgers, Read, STALLING, Zone, total},
    names::{Layer, Origin},
    narrow::{Narrow, Task, is_asked},
};

/// What the rows of the table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// What asked for reclaim
    Origin,
    /// Cgroups: of the task for stalls, of the page's owner for writes
    Cgroup,
    /// Tasks that the ledgers name
    Task,
}

impl By {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Origin, Self::Cgroup, Self::Task];

    /// Its name on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Cgroup => "cgroup",
            Self::Task => "task",
        }
    }
}

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Its growth in a second, since the last sample; `None` if there is no earlier sample.
    pub per_s: Option<f64>,
    /// Its growth since the totals were reset, or since the module was loaded.
    pub total: u64,
}

/// The zone that came closest to being empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// Its node and name.
    pub zone: String,
    /// Pages free now.
    pub free: u64,
    /// Its min watermark now, below which the reserve lies.
    pub min: u64,
    /// Pages that were free when it was lowest, and the min watermark then; `None` if no page was taken from the
    /// reserve.
    pub lowest: Option<(u64, u64)>,
}

/// The least stack that was left at any place since the module was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Least {
    /// Bytes left.
    pub left: u64,
    /// The size of a stack, in bytes.
    pub of: u64,
    /// The origin of the reclaim.
    pub origin: Origin,
    /// The layer.
    pub layer: Layer,
}

/// A column of the table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its title.
    pub title: &'static str,
    /// Columns of the terminal that it takes.
    pub width: u16,
    /// Whether it has words, which are aligned left; numbers are aligned right.
    pub words: bool,
}

impl Column {
    /// Its name in CSV, with its unit.
    pub fn csv(self) -> &'static str {
        match self.title {
            "ORIGIN" => "origin",
            "CGROUP" => "cgroup",
            "TASK" => "task",
            "MOSTLY" => "mostly",
            "STALLS/S" => "stalls_per_s",
            "STALLED" => "stalled_ns_per_s",
            "WRITTEN/S" => "written_pages_per_s",
            "FREED/S" => "freed_pages_per_s",
            "HANDED/S" => "handed_pages_per_s",
            "REFUSED/S" => "refused_requests_per_s",
            "STALLS" => "stalls",
            "STALLED FOR" => "stalled_ns",
            "WRITTEN" => "written_pages",
            "LEAST" => "least_left_bytes",
            "LONGEST" => "longest_ns",
            "WAITED" => "waited_ns",
            "KEPT" => "kept_stalls",
            other => other,
        }
    }
}

/// A cell of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// The text that is shown.
    pub text: String,
    /// The value that it is sorted by; `None` if this is not known. Such rows come last.
    pub key: Option<f64>,
}

/// The cgroup or task that a row is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whose {
    /// The path of the cgroup, or of the task's cgroup, if it is known.
    pub path: Option<String>,
    /// The task: its PID, or -1 if this is not known, and its name.
    pub task: Option<(i64, String)>,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The cgroup or task that it is about.
    pub whose: Whose,
    /// Its cells, one for each column. The first one is its name.
    pub cells: Vec<Cell>,
}

/// The table.
#[derive(Clone, Debug)]
pub struct Table {
    /// What its rows are.
    pub by: By,
    /// Its columns. The first one is the name. Those at the end are shown only if there is room.
    pub columns: Vec<Column>,
    /// Its rows, in the order of the ledgers.
    pub rows: Vec<Row>,
    /// What a reader has to know to understand it.
    pub note: &'static str,
}

impl Table {
    /// Sorts the rows by this column, the largest first, then by name.
    pub fn sort(&mut self, column: usize) {
        let key = |row: &Row| row.cells.get(column).and_then(|cell| cell.key).unwrap_or(f64::NEG_INFINITY);
        let name = |row: &Row| row.cells.first().map(|cell| cell.text.clone());
        self.rows.sort_by(|a, b| key(b).total_cmp(&key(a)).then_with(|| name(a).cmp(&name(b))));
    }
}

/// All that a frame shows.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The module's version, and which parts of it are on.
    pub module: String,
    /// Seconds between the last two samples.
    pub step_s: Option<f64>,
    /// Seconds since the totals were reset; `None` if they count since the module was loaded.
    pub total_s: Option<f64>,
    /// Why everything started again with this sample, if it did.
    pub restarted: Option<String>,
    /// Stalls that ended.
    pub stalls: Read<Figure>,
    /// Nanoseconds of these stalls.
    pub stalled_ns: Read<Figure>,
    /// Pages that reclaim wrote.
    pub written: Read<Figure>,
    /// Pages that it freed.
    pub freed: Read<Figure>,
    /// Pages that it handed to a writer.
    pub handed: Read<Figure>,
    /// Requests that it had to submit itself.
    pub refused: Read<Figure>,
    /// Samples of the stack below the parameter `headroom_floor`.
    pub low: Read<Figure>,
    /// What could not be recorded, because the module's tables had no room.
    pub lost: u64,
    /// The least stack left; `None` if nothing was sampled.
    pub least: Read<Option<Least>>,
    /// The zone that came closest to being empty; `None` if the ledger has no zone.
    pub reserve: Read<Option<Reserve>>,
    /// The table.
    pub table: Table,
    /// What its rows are limited to, if they are limited.
    pub only: Option<String>,
}

/// The figure for the counter that `get` returns.
pub(super) fn figure(
    step: Option<&Gained>,
    all: &Ledgers,
    get: impl Fn(&Ledgers) -> std::result::Result<u64, String>,
) -> Read<Figure> {
    let total = get(all)?;
    let gained = step.map(|step| get(&step.ledgers).map(|n| (n, step.seconds))).transpose()?;
    // Two samples of the same moment have no rate.
    let per_s = gained.filter(|(_, seconds)| *seconds > 0.0).map(|(n, seconds)| n as f64 / seconds);
    Ok(Figure { per_s, total })
}

impl Figures {
    /// Makes the figures of this moment.
    pub fn new(watch: &Watch, by: By) -> Result<Self> {
        let now = &watch.now().ledgers;
        let step = watch.step()?;
        let reset = watch.total()?;
        let all = reset.as_ref().map_or(now, |reset| &reset.ledgers);
        let of = |get: fn(&Ledgers) -> std::result::Result<u64, String>| figure(step.as_ref(), all, get);
        Ok(Self {
            module: module(now),
            step_s: step.as_ref().map(|step| step.seconds),
            total_s: reset.as_ref().map(|reset| reset.seconds),
            restarted: watch.restarted().map(str::to_owned),
            stalls: of(|l| stalls(l).map(|s| total(STALLING.iter().filter_map(|o| Some(s.origins.get(o)?.stalls))))),
            stalled_ns: of(|l| stalls(l).map(|s| total(STALLING.iter().filter_map(|o| Some(s.origins.get(o)?.ns))))),
            written: of(|l| l.writes.as_ref().map(|w| w.total_pages).map_err(String::clone)),
            freed: of(|l| {
                let writes = l.writes.as_ref().map_err(String::clone)?;
                Ok(total(writes.origins.values().map(|o| o.reclaimed)))
            }),
            handed: of(|l| handoff(l).map(|h| total(h.origins.values().map(|o| o.taken.pages)))),
            refused: of(|l| handoff(l).map(|h| total(h.origins.values().flat_map(|o| o.refused.values().copied())))),
            low: of(|l| l.status.low.ok_or_else(|| "the module is older than that count".to_owned())),
            lost: total(all.status.lost.values().copied()),
            least: now.headroom.as_ref().map(least).map_err(String::clone),
            reserve: reserve(now),
            table: rows::table(by, step.as_ref(), all, now),
            only: None,
        })
    }

    /// Keeps only the rows that are asked for.
    #[must_use]
    pub fn narrowed(mut self, narrow: Option<&Narrow>) -> Self {
        let Some(narrow) = narrow else { return self };
        let its = |whose: &Whose| {
            let path = |asked: &String| whose.path.as_deref().is_some_and(|path| is_asked(path, asked));
            let task = |asked: &Task| whose.task.as_ref().is_some_and(|(pid, name)| asked.is(*pid, name));
            narrow.cgroup.as_ref().is_none_or(path) && narrow.task.as_ref().is_none_or(task)
        };
        self.table.rows.retain(|row| its(&row.whose));
        let cgroup = narrow.cgroup.as_ref().map(|path| format!("cgroup {path}"));
        let task = narrow.task.as_ref().map(|task| format!("task {}", task.asked()));
        let of = cgroup.into_iter().chain(task).collect::<Vec<_>>().join(", ");
        let whose = match self.table.by {
            By::Origin => "there are no rows by origin of it (keys c and t)",
            By::Cgroup if narrow.task.is_some() => "there are no rows by cgroup of it (key t)",
            By::Cgroup | By::Task => "this applies to the rows; what is above them is of the whole machine",
        };
        self.only = Some(format!("only {of}: {whose}"));
        self
    }

    /// What is missing, and why. Each thing is named once.
    pub fn missing(&self) -> Vec<String> {
        let figures = [
            ("stalls", self.stalls.as_ref().err()),
            ("written", self.written.as_ref().err()),
            ("handed off", self.handed.as_ref().err()),
            ("headroom low", self.low.as_ref().err()),
            ("headroom", self.least.as_ref().err()),
            ("reserve", self.reserve.as_ref().err()),
        ];
        let missing = figures.into_iter().filter_map(|(what, why)| Some(format!("{what}: {}", why?)));
        self.only.iter().cloned().chain(missing).collect()
    }
}

/// The stall ledger, if stalls are timed.
pub(super) fn stalls(ledgers: &Ledgers) -> std::result::Result<&crate::ledger::Stalls, String> {
    let stalls = ledgers.stalls.as_ref().map_err(String::clone)?;
    if stalls.on { Ok(stalls) } else { Err("switched off; reclaimwb tune stalls=Y".into()) }
}

/// The handoff ledger, if the kernel supports handoff.
pub(super) fn handoff(ledgers: &Ledgers) -> std::result::Result<&crate::ledger::Handoff, String> {
    let handoff = ledgers.handoff.as_ref().map_err(String::clone)?;
    match handoff.state {
        crate::ledger::HelperState::Unavailable => Err("unavailable on this kernel (qemu/patches)".into()),
        _ => Ok(handoff),
    }
}

fn module(now: &Ledgers) -> String {
    let status = &now.status;
    let handoff = status.handoff.as_ref().map_or(String::new(), |state| match &now.handoff {
        Ok(handoff) if state == "on" => format!(", handoff {}", handoff.policy.key()),
        _ => format!(", handoff {state}"),
    });
    let recording = if status.enabled { "recording" } else { "NOT RECORDING (enabled=N)" };
    format!("{} {recording}, write-around {}{handoff}", status.version, status.helper)
}

fn least(headroom: &crate::ledger::Headroom) -> Option<Least> {
    let cells =
        headroom.cells.iter().flat_map(|(origin, layers)| layers.iter().map(move |(l, cell)| (*origin, *l, cell)));
    cells
        .filter_map(|(origin, layer, cell)| Some(Least { left: cell.min?, of: headroom.stack_size, origin, layer }))
        .min_by_key(|least| least.left)
}

fn reserve(now: &Ledgers) -> Read<Option<Reserve>> {
    let reserves = now.reserves.as_ref().map_err(String::clone)?;
    match reserves.state {
        GroupState::On => {}
        GroupState::Off => return Err("switched off; reclaimwb tune reserves=Y".into()),
        GroupState::Unavailable => return Err("unavailable on this kernel (qemu/patches, 0003 and 0004)".into()),
    }
    // Zones are compared by what was left of the reserve when it was lowest. If no page was taken, what is left now
    // counts.
    let left = |zone: &Zone| {
        let (free, min) = zone.lowest.map_or((zone.free, zone.min), |lowest| (lowest.free_pages, lowest.min_pages));
        free as f64 / min.max(1) as f64
    };
    let worst = reserves.zones.iter().min_by(|(_, a), (_, b)| {
        // A zone from whose reserve pages were taken comes first.
        (a.lowest.is_none(), left(a)).partial_cmp(&(b.lowest.is_none(), left(b))).unwrap_or(std::cmp::Ordering::Equal)
    });
    Ok(worst.map(|(name, zone)| Reserve {
        zone: name.clone(),
        free: zone.free,
        min: zone.min,
        lowest: zone.lowest.map(|lowest| (lowest.free_pages, lowest.min_pages)),
    }))
}
