// SPDX-License-Identifier: GPL-2.0
//! One side of a comparison.

use std::path::Path;

use crate::{
    error::{Error, Result},
    narrow::{Absent, Counted, Narrow},
    recording::Recording,
    report::{self, Report},
    snapshot::Snapshot,
    system::System,
};

/// A recording or a snapshot, with all that its figures are made from.
#[derive(Debug)]
pub struct Side {
    /// The file, as it was named.
    pub file: String,
    /// The command that was recorded.
    pub command: Option<Vec<String>>,
    /// When the counting ended, as RFC 3339.
    pub at: String,
    /// How long was counted; `None` if it was counted since the module was loaded.
    pub seconds: Option<f64>,
    /// The report.
    pub report: Report,
    /// The machine at the end.
    pub now: System,
    /// The machine at the beginning; `None` for a single snapshot.
    pub before: Option<System>,
    /// The microseconds of every stall, sorted; `None` if not all stalls were recorded.
    pub stalls_us: Option<Vec<u64>>,
    /// Trace events that were lost; `None` for a snapshot.
    pub events_lost: Option<u64>,
    /// Whether a cgroup is asked for that it does not have.
    pub is_absent: bool,
}

impl Side {
    /// Loads a recording or a snapshot. A snapshot counts from `since`, or else from when the module was loaded.
    /// `narrow` limits what is counted.
    pub fn load(path: &Path, since: Option<&Path>, narrow: Option<&Narrow>) -> Result<Self> {
        let file = path.display().to_string();
        if Recording::is_one(path)? {
            if since.is_some() {
                return Err(Error::Options(format!(
                    "{file} is a recording and has its own beginning; leave out --since-a or --since-b for it"
                )));
            }
            return match narrow {
                Some(narrow) => Self::of_part(file, path, narrow),
                None => Self::of_recording(file, path),
            };
        }
        if let Some(narrow) = narrow {
            narrow.without_between(&file)?;
        }
        let now = Snapshot::load(path)?;
        let before = since.map(Snapshot::load).transpose()?;
        let mut side = Self::new(file, &now, before.as_ref(), "snapshot")?;
        side.seconds = side.report.taken.seconds;
        if let Some(narrow) = narrow {
            let part = report::narrow::of_ledgers(&now, before.as_ref(), "snapshot", narrow, Absent::Nothing)?;
            (side.report, side.is_absent) = (part.report, part.is_absent);
        }
        Ok(side)
    }

    /// Makes a side from a part of a recording.
    fn of_part(file: String, path: &Path, narrow: &Narrow) -> Result<Self> {
        let (recording, filter, counted) = Counted::read(path, narrow, Absent::Nothing)?;
        let mut side = Self::new(file, &recording.after, Some(&recording.before), "recording")?;
        let part = report::narrow::of_recording(&recording, &filter, &counted)?;
        (side.report, side.is_absent) = (part.report, part.is_absent);
        let end = &recording.end;
        let asked = recording.head.events.iter().any(|event| event == "stall");
        side.stalls_us = Some(counted.stalls_us).filter(|_| asked && end.lost == 0 && end.unreadable == 0);
        side.command = recording.head.command;
        side.seconds = Some(filter.range.map_or(end.seconds, |range| range.to_s - range.from_s));
        side.events_lost = Some(end.lost);
        Ok(side)
    }

    fn of_recording(file: String, path: &Path) -> Result<Self> {
        let mut stalls_us = Some(Vec::new());
        let recording = Recording::visit(path, |event| {
            // A stall without a length comes from a module that this tool does not know.
            if event.name == "stall" {
                match (event.number("usecs"), &mut stalls_us) {
                    (Some(us), Some(all)) => all.push(us),
                    _ => stalls_us = None,
                }
            }
        })?;
        let mut side = Self::new(file, &recording.after, Some(&recording.before), "recording")?;
        let end = &recording.end;
        let asked = recording.head.events.iter().any(|event| event == "stall");
        side.stalls_us = stalls_us.filter(|_| asked && end.lost == 0 && end.unreadable == 0);
        if let Some(all) = &mut side.stalls_us {
            all.sort_unstable();
        }
        side.command = recording.head.command;
        side.seconds = Some(end.seconds);
        side.events_lost = Some(end.lost);
        Ok(side)
    }

    fn new(file: String, now: &Snapshot, before: Option<&Snapshot>, source: &'static str) -> Result<Self> {
        let report = report::build(now, before, source).map_err(|err| match err {
            Error::Since(what) => Error::Recording {
                path: file.clone().into(),
                what: format!("{what}; its figures cannot be told: record again, with the module kept loaded"),
            },
            other => other,
        })?;
        Ok(Self {
            file,
            command: None,
            at: report.taken.at.clone(),
            seconds: None,
            report,
            now: now.system.clone(),
            before: before.map(|before| before.system.clone()),
            stalls_us: None,
            events_lost: None,
            is_absent: false,
        })
    }

    /// Fails if the report is narrowed, because the kernel's counters are for the whole machine and all of the time.
    fn of_all(&self) -> std::result::Result<(), String> {
        match self.report.narrowed {
            Some(_) => Err("it is counted for the whole machine only".into()),
            None => Ok(()),
        }
    }

    /// The growth of one of the kernel's counters in `/proc/vmstat`.
    pub(super) fn vmstat(&self, name: &str) -> std::result::Result<u64, String> {
        self.of_all()?;
        let before = self.before.as_ref().ok_or("a single snapshot has it since boot only")?;
        let of = |system: &System| system.vmstat.get(name).copied().ok_or_else(|| format!("this kernel has no {name}"));
        of(&self.now)?.checked_sub(of(before)?).ok_or_else(|| format!("{name} went back"))
    }

    /// Seconds of memory pressure, `some` or `full`.
    pub(super) fn pressure(&self, who: &str) -> std::result::Result<f64, String> {
        self.of_all()?;
        let before = self.before.as_ref().ok_or("a single snapshot has it since boot only")?;
        let of = |system: &System| {
            system
                .memory_stall_us
                .get(who)
                .copied()
                .ok_or("PSI is off in this kernel: boot with psi=1, or with one that has CONFIG_PSI=y")
        };
        let us = of(&self.now)?.checked_sub(of(before)?).ok_or("it went back")?;
        Ok(us as f64 / 1e6)
    }
}
