// SPDX-License-Identifier: GPL-2.0
//! `--cgroup`, `--task` and `--between`: what is asked for, and which rows and events belong to it.
//!
//! Some ledgers count by cgroup or by task. The events of a recording also have a time. What is known from neither is
//! left out of the answer, and the answer names it, so that a figure for the whole machine is never taken for that of a
//! part.

mod counted;
mod moment;

use std::{collections::BTreeSet, path::Path};

use schemars::JsonSchema;
use serde::Serialize;

pub use counted::{Counted, has as has_event};
pub use moment::Moment;

use crate::{
    cli, container,
    error::{Error, Result},
    ledger::{Hierarchy, Ledgers},
    recording::{Event, PARAMETER, Recording},
};

/// The kernel keeps this many bytes of a task's name.
const COMM: usize = 15;
/// If a cgroup is not known, at most this many others are suggested.
const OFFERED: usize = 5;
/// At least this many digits of a container's id are needed to recognise it.
const DIGITS: usize = 6;

/// A task, as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// A task, by its PID.
    Pid(i64),
    /// All tasks of a name.
    Name(String),
}

impl Task {
    /// Reads what was asked for. A number is a PID.
    pub fn new(asked: &str) -> Self {
        asked.parse().map_or_else(|_| Self::Name(asked.to_owned()), Self::Pid)
    }

    /// Whether a task with this PID and name was asked for.
    pub fn is(&self, pid: i64, name: &str) -> bool {
        match self {
            Self::Pid(asked) => *asked == pid,
            Self::Name(_) => self.is_named(name),
        }
    }

    /// Whether tasks of this name were asked for. If a PID was asked for, its name is not known, so this is false.
    pub fn is_named(&self, name: &str) -> bool {
        match self {
            Self::Pid(_) => false,
            // The kernel cuts off long names.
            Self::Name(asked) => asked == name || asked.len() > COMM && asked.get(..COMM) == Some(name),
        }
    }

    /// What was asked for, as text.
    pub fn asked(&self) -> String {
        match self {
            Self::Pid(pid) => pid.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Narrow {
    /// A cgroup and all below it.
    pub cgroup: Option<String>,
    /// A task.
    pub task: Option<Task>,
    /// A part of the time, from the first moment to the second.
    pub between: Option<(Moment, Moment)>,
}

impl Narrow {
    /// Reads the options; `None` if nothing is limited.
    pub fn new(args: &cli::Narrow) -> Result<Option<Self>> {
        let between = match args.between.as_deref() {
            Some([from, to]) => Some((Moment::parse(from)?, Moment::parse(to)?)),
            _ => None,
        };
        let narrow = Self {
            cgroup: args.of.cgroup.as_deref().map(|asked| path(asked).to_owned()),
            task: args.of.task.as_deref().map(Task::new),
            between,
        };
        Ok(Some(narrow).filter(|narrow| narrow.cgroup.is_some() || narrow.task.is_some() || narrow.between.is_some()))
    }

    /// The same for commands that cannot limit the time.
    pub fn of(args: &cli::Of) -> Option<Self> {
        let narrow = Self {
            cgroup: args.cgroup.as_deref().map(|asked| path(asked).to_owned()),
            task: args.task.as_deref().map(Task::new),
            between: None,
        };
        Some(narrow).filter(|narrow| narrow.cgroup.is_some() || narrow.task.is_some())
    }

    /// Fails if a part of the time is asked for, because only a recording has times.
    pub fn without_between(&self, file: &str) -> Result<()> {
        match self.between {
            None => Ok(()),
            Some(_) => Err(Error::Options(format!(
                "--between: there are no events in {file}, so it is not known when anything was; only a recording has \
                 them: reclaimwb record"
            ))),
        }
    }
}

/// The path of a cgroup as in the ledgers. What was asked for may begin with the mount point in the filesystem.
pub fn path(asked: &str) -> &str {
    let below = asked.strip_prefix("/sys/fs/cgroup").filter(|rest| rest.is_empty() || rest.starts_with('/'));
    match below.unwrap_or(asked).trim_end_matches('/') {
        // Nothing is left of the root but its slash, or the mount point.
        "" if !asked.is_empty() => "/",
        path => path,
    }
}

/// Whether the cgroup with this path was asked for: the cgroup itself or one above it, by its path, its name or its
/// container.
pub fn is_asked(path: &str, asked: &str) -> bool {
    let below = |of: &str| path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if asked.starts_with('/') {
        return path == asked || asked != "/" && below(asked);
    }
    // Each path has an empty part, before its first slash.
    if asked.is_empty() {
        return false;
    }
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let digits = asked.len() >= DIGITS && hex(asked);
    // A name has only the first digits of an id. A short word of it, such as the number of a session, is not an id.
    let id = |word: &str| word.len() >= container::SHORT && hex(word);
    let is = |word: &str| word == asked || digits && (word.starts_with(asked) || id(word) && asked.starts_with(word));
    let named = container::name(path).is_some_and(|name| name == asked || name.split(' ').any(is));
    named || path.split('/').any(|part| part == asked) || below(&format!("/{asked}"))
}

/// A cgroup, by its hierarchy and id.
pub type Group = (Hierarchy, u64);

/// A part of the time, from the first moment to the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// The start, in nanoseconds of the recording's clock.
    pub from_ns: u64,
    /// The end, which does not belong to it.
    pub to_ns: u64,
    /// The start, in seconds from the start of the recording.
    pub from_s: f64,
    /// The end, in seconds from the start of the recording.
    pub to_s: f64,
}

/// What a report is limited to, and what it lacks because of this.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Narrowed {
    /// The cgroup, with all below it; null if it is not limited.
    pub cgroup: Option<String>,
    /// The task's name or PID; null if it is not limited.
    pub task: Option<String>,
    /// The start of the part, in seconds from the recording's start; null if the time is not limited.
    pub from_seconds: Option<f64>,
    /// The end, in seconds from the start of the recording.
    pub to_seconds: Option<f64>,
    /// Sections that cannot be limited in this way. `unavailable` in each of them says why.
    pub left_out: Vec<&'static str>,
}

impl Narrowed {
    /// The same in words: `cgroup /a and those below it, task memhog, from 1.000 s to 2.500 s`.
    pub fn words(&self) -> String {
        let cgroup = self.cgroup.as_ref().map(|path| match path.as_str() {
            "/" => "the root cgroup, without those below it".to_owned(),
            path => format!("cgroup {} and those below it", container::shown(path)),
        });
        let task = self.task.as_ref().map(|task| format!("task {task}"));
        let range = self.from_seconds.zip(self.to_seconds);
        let range = range.map(|(from, to)| format!("from {from:.3} s to {to:.3} s"));
        cgroup.into_iter().chain(task).chain(range).collect::<Vec<_>>().join(", ")
    }
}

/// What it means if no ledger has a cgroup that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It is mistyped, which is an error.
    Wrong,
    /// It is mistyped if it does not exist now.
    WrongIfGone,
    /// It is not an error, because other files may have it.
    Nothing,
}

/// What to use for live ledgers: a cgroup that did nothing yet is in none of them.
pub const LIVE: Absent = Absent::WrongIfGone;

/// Selects the rows and events that are asked for.
#[derive(Clone, Debug)]
pub struct Filter {
    /// What is asked for.
    pub narrow: Narrow,
    /// The cgroups that are asked for, if the ledgers know their paths.
    pub groups: BTreeSet<Group>,
    /// The ids of those that events and kept stalls mean by these ids.
    ids: BTreeSet<u64>,
    /// The part of the time, for the events of a recording.
    pub range: Option<Range>,
}

impl Filter {
    /// Makes a filter for ledgers, which have no times.
    pub fn of_ledgers(narrow: &Narrow, ledgers: &[&Ledgers], absent: Absent) -> Result<Self> {
        let (mut groups, mut ids) = (BTreeSet::new(), BTreeSet::new());
        if let Some(asked) = &narrow.cgroup {
            for ledgers in ledgers {
                let known = paths(ledgers);
                let its: BTreeSet<Group> =
                    known.filter(|(_, path)| is_asked(path, asked)).map(|(group, _)| group).collect();
                ids.extend(its.iter().filter(|group| ledgers.group(group.1) == Some(**group)).map(|(_, id)| *id));
                groups.extend(its);
            }
            let is_wrong = match absent {
                Absent::Wrong => true,
                Absent::WrongIfGone => !is_there(Path::new("/"), asked),
                Absent::Nothing => false,
            };
            if groups.is_empty() && is_wrong {
                let others = ledgers.last().map(|ledgers| stalled(ledgers)).unwrap_or_default();
                return Err(Error::Why(no_cgroup(asked, others.into_iter())));
            }
        }
        Ok(Self { narrow: narrow.clone(), groups, ids, range: None })
    }

    /// Makes a filter for a recording.
    pub fn of_recording(narrow: &Narrow, recording: &Recording, absent: Absent) -> Result<Self> {
        let (before, after) = (recording.before.ledgers()?, recording.after.ledgers()?);
        let mut filter = Self::of_ledgers(narrow, &[&before, &after], absent)?;
        filter.range = narrow.between.as_ref().map(|(from, to)| moment::range(from, to, recording)).transpose()?;
        Ok(filter)
    }

    /// Whether a cgroup was asked for that no ledger has.
    pub fn is_absent(&self) -> bool {
        self.narrow.cgroup.is_some() && self.groups.is_empty()
    }

    /// Whether this cgroup is asked for.
    pub fn has_group(&self, group: Group) -> bool {
        self.narrow.cgroup.is_none() || self.groups.contains(&group)
    }

    /// Whether the cgroup that an event or a kept stall names by this id is asked for.
    pub fn has_id(&self, id: u64) -> bool {
        self.narrow.cgroup.is_none() || self.ids.contains(&id)
    }

    /// Whether this task is asked for.
    pub fn has_task(&self, pid: i64, name: &str) -> bool {
        self.narrow.task.as_ref().is_none_or(|task| task.is(pid, name))
    }

    /// Whether an event is asked for. An event with a duration counts when it ended.
    pub fn takes(&self, event: &Event) -> bool {
        self.is_its(event) && self.range.is_none_or(|range| (range.from_ns..range.to_ns).contains(&event.ns))
    }

    /// Whether an event is asked for. An event with a duration counts if any part of it is in the time.
    pub fn touches(&self, event: &Event) -> bool {
        let began = event.ns.saturating_sub(event.number("usecs").unwrap_or(0).saturating_mul(1000));
        self.is_its(event) && self.range.is_none_or(|range| began < range.to_ns && event.ns >= range.from_ns)
    }

    fn is_its(&self, event: &Event) -> bool {
        // A parameter is set for all tasks and cgroups.
        if event.name == PARAMETER {
            return true;
        }
        // An event without a cgroup may belong to any, so it does not count.
        let group = || event.number("cgroup").is_some_and(|id| self.has_id(id));
        (self.narrow.cgroup.is_none() || group()) && self.has_task(i64::try_from(event.pid).unwrap_or(-1), &event.comm)
    }

    /// What was asked for, with the sections that are left out.
    pub fn narrowed(&self, left_out: Vec<&'static str>) -> Narrowed {
        Narrowed {
            cgroup: self.narrow.cgroup.clone(),
            task: self.narrow.task.as_ref().map(Task::asked),
            from_seconds: self.range.map(|range| range.from_s),
            to_seconds: self.range.map(|range| range.to_s),
            left_out,
        }
    }
}

/// The cgroups whose path is known.
fn paths(ledgers: &Ledgers) -> impl Iterator<Item = (Group, &str)> {
    let stalls = ledgers.stall_cgroups.as_ref().into_iter().flat_map(|all| &all.groups);
    let pages = ledgers.cgroups.as_ref().into_iter().flat_map(|all| &all.groups);
    let waits = ledgers.wait_cgroups.as_ref().into_iter().flat_map(|all| &all.groups);
    let stalls = stalls.map(|(group, row)| (*group, row.path.as_deref()));
    let pages = pages.map(|(group, row)| (*group, row.path.as_deref()));
    let waits = waits.map(|(group, row)| (*group, row.path.as_deref()));
    stalls.chain(pages).chain(waits).filter_map(|(group, path)| Some((group, path?)))
}

/// Whether there is a directory of this cgroup.
pub fn is_there(root: &Path, asked: &str) -> bool {
    root.join("sys/fs/cgroup").join(asked.trim_start_matches('/')).is_dir()
}

/// The error for a cgroup of which nothing is known. It names others, those that stalled most first.
pub fn no_cgroup<'a>(asked: &str, others: impl Iterator<Item = &'a str>) -> String {
    let others: Vec<&str> = others.take(OFFERED).collect();
    let others = if others.is_empty() {
        "no cgroup's tasks stalled".to_owned()
    } else {
        format!("those whose tasks stalled most are {}", others.join(", "))
    };
    format!("no cgroup {asked}: there is no such directory, and no ledger has it; {others}")
}

/// The paths of cgroups whose tasks stalled, those that stalled most first.
fn stalled(ledgers: &Ledgers) -> Vec<&str> {
    let rows = ledgers.stall_cgroups.as_ref().into_iter().flat_map(|all| all.groups.values());
    let mut rows: Vec<(u64, &str)> = rows.filter_map(|row| Some((row.ns, row.path.as_deref()?))).collect();
    rows.sort_by_key(|(ns, _)| std::cmp::Reverse(*ns));
    rows.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_for() {
        let id = "4f1d02c3a9b8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e";
        let docker = format!("/system.slice/docker-{id}.scope");
        for asked in ["/system.slice", &docker, "4f1d02", id, "docker 4f1d02c3a9b8", "system.slice"] {
            assert!(is_asked(&docker, asked), "{asked}");
            assert!(is_asked(&format!("{docker}/inner"), asked), "{asked}");
        }
        for asked in ["/", "/system", "/system.slic", "4f1d", "4f1d03", "docker-", "/docker"] {
            assert!(!is_asked(&docker, asked), "{asked}");
        }
        let session = "/user.slice/user-1000.slice/session-3.scope";
        for asked in ["3f0d12ab", "3f0d12ab4c5d", "3", "", "session"] {
            assert_eq!(is_asked(session, asked), asked == "3" || asked == "session", "{asked}");
        }
        assert!(!is_asked("/lxc/decade", "decade12") && !is_asked("/", ""));
        assert!(is_asked("/", "/") && !is_asked("/a", "/"));
        assert!(is_asked("/a/b", "a/b") && is_asked("/x/nginx.service", "nginx.service"));
        for asked in ["/a/b", "/a/b/", "/sys/fs/cgroup/a/b"] {
            assert_eq!(path(asked), "/a/b");
        }
        for asked in ["/", "//", "/sys/fs/cgroup", "/sys/fs/cgroup/"] {
            assert_eq!(path(asked), "/", "{asked}");
        }
        assert_eq!((path(""), path("/sys/fs/cgroups/a")), ("", "/sys/fs/cgroups/a"));
    }

    #[test]
    fn tasks_by_number_and_by_name() {
        assert!(Task::new("42").is(42, "x") && !Task::new("42").is(43, "42") && !Task::new("42").is_named("42"));
        assert!(Task::new("kworker/0").is(1, "kworker/0") && !Task::new("kworker").is(1, "kworker/0"));
        // ps(1) may show the whole name, but the kernel keeps only its beginning.
        assert!(Task::new("a-name-that-is-too-long").is_named("a-name-that-is-"));
        assert!(!Task::new("a-name").is_named("a-name-that-is-"));
    }
}
