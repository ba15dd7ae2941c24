// SPDX-License-Identifier: GPL-2.0
//! `--cgroup`, `--task` and `--between`: what is asked for, and which rows and events are of it.
//!
//! A ledger says whose something was, or not; the events of a recording also say when. What neither says is left out
//! of the answer, which names it: no figure of the whole machine is given as that of a part.

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

/// Marks the id of a cgroup of a v1 hierarchy, in events.
const V1: u64 = 1 << 63;
/// Bytes of a task's name that the kernel keeps.
const COMM: usize = 15;
/// Cgroups named to one who asks for another.
const OFFERED: usize = 5;
/// So many digits of a container's id tell it from others.
const DIGITS: usize = 6;

/// A task, as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// By its number.
    Pid(i64),
    /// By its name.
    Name(String),
}

impl Task {
    /// A number is a task's number.
    pub fn new(asked: &str) -> Self {
        asked.parse().map_or_else(|_| Self::Name(asked.to_owned()), Self::Pid)
    }

    /// Whether it is this one.
    pub fn is(&self, pid: i64, name: &str) -> bool {
        match self {
            Self::Pid(asked) => *asked == pid,
            Self::Name(_) => self.is_named(name),
        }
    }

    /// Whether it is one of this name; nothing is known of the name of one that is asked for by its number.
    pub fn is_named(&self, name: &str) -> bool {
        match self {
            Self::Pid(_) => false,
            // The kernel cuts it off.
            Self::Name(asked) => asked == name || asked.len() > COMM && asked.get(..COMM) == Some(name),
        }
    }

    /// As it was asked for.
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
    /// From when to when.
    pub between: Option<(Moment, Moment)>,
}

impl Narrow {
    /// What the options say; `None`: all of it is wanted.
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

    /// The same without a time, for what has none.
    pub fn of(args: &cli::Of) -> Option<Self> {
        let narrow = Self {
            cgroup: args.cgroup.as_deref().map(|asked| path(asked).to_owned()),
            task: args.task.as_deref().map(Task::new),
            between: None,
        };
        Some(narrow).filter(|narrow| narrow.cgroup.is_some() || narrow.task.is_some())
    }

    /// Of what can only be told of a recording.
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

/// A cgroup as it is called in the ledgers, of one that may be called as it is found in the filesystem.
pub fn path(asked: &str) -> &str {
    let asked = asked.strip_prefix("/sys/fs/cgroup").filter(|rest| rest.starts_with('/')).unwrap_or(asked);
    if asked.len() > 1 { asked.trim_end_matches('/') } else { asked }
}

/// Whether a cgroup of this path is asked for: it or one above it, by path, by name, or by its container.
pub fn is_asked(path: &str, asked: &str) -> bool {
    let below = |of: &str| path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if asked.starts_with('/') {
        return path == asked || asked != "/" && below(asked);
    }
    let digits = asked.len() >= DIGITS && asked.bytes().all(|b| b.is_ascii_hexdigit());
    let is = |word: &str| word == asked || digits && (word.starts_with(asked) || asked.starts_with(word));
    let named = container::name(path).is_some_and(|name| name == asked || name.split(' ').any(is));
    named || path.split('/').any(|part| part == asked) || below(&format!("/{asked}"))
}

/// A cgroup by its hierarchy and its id.
pub type Group = (Hierarchy, u64);

/// The cgroup that an event names.
pub fn group_of(id: u64) -> Group {
    if id & V1 == 0 { (Hierarchy::V2, id) } else { (Hierarchy::V1, id & !V1) }
}

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// In nanoseconds of the recording's clock.
    pub from_ns: u64,
    /// The first that is out of it.
    pub to_ns: u64,
    /// In seconds from the recording's start.
    pub from_s: f64,
    /// Likewise.
    pub to_s: f64,
}

/// What was asked for, and what of a report cannot be told of it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Narrowed {
    /// The cgroup, which counts with all below it; null: all.
    pub cgroup: Option<String>,
    /// The task's name or number; null: all.
    pub task: Option<String>,
    /// Seconds from the recording's start; null: all of the time.
    pub from_seconds: Option<f64>,
    /// Likewise.
    pub to_seconds: Option<f64>,
    /// Sections that cannot be told so: `unavailable` of each says why.
    pub left_out: Vec<&'static str>,
}

impl Narrowed {
    /// In words: `cgroup /a and those below it, task memhog, from 1.000 s to 2.500 s`.
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

/// What it means that no ledger has a cgroup that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It is mistyped.
    Wrong,
    /// The same, if it is not there now.
    WrongIfGone,
    /// Others may have it.
    Nothing,
}

/// Of ledgers that are read now: a cgroup that did nothing yet is in none.
pub const LIVE: Absent = Absent::WrongIfGone;

/// Which rows and events are of what is asked for.
#[derive(Clone, Debug)]
pub struct Filter {
    /// What is asked for.
    pub narrow: Narrow,
    /// Cgroups that are, by what the ledgers know of their paths.
    pub groups: BTreeSet<Group>,
    /// The time, of a recording's events.
    pub range: Option<Range>,
}

impl Filter {
    /// Of ledgers, which know no time.
    pub fn of_ledgers(narrow: &Narrow, ledgers: &[&Ledgers], absent: Absent) -> Result<Self> {
        let mut groups = BTreeSet::new();
        if let Some(asked) = &narrow.cgroup {
            for ledgers in ledgers {
                let known = paths(ledgers);
                groups.extend(known.filter(|(_, path)| is_asked(path, asked)).map(|(group, _)| group));
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
        Ok(Self { narrow: narrow.clone(), groups, range: None })
    }

    /// Of a recording.
    pub fn of_recording(narrow: &Narrow, recording: &Recording, absent: Absent) -> Result<Self> {
        let (before, after) = (recording.before.ledgers()?, recording.after.ledgers()?);
        let mut filter = Self::of_ledgers(narrow, &[&before, &after], absent)?;
        filter.range = narrow.between.as_ref().map(|(from, to)| moment::range(from, to, recording)).transpose()?;
        Ok(filter)
    }

    /// Whether a cgroup is asked for that no ledger has.
    pub fn is_absent(&self) -> bool {
        self.narrow.cgroup.is_some() && self.groups.is_empty()
    }

    /// Whether a cgroup is asked for.
    pub fn has_group(&self, group: Group) -> bool {
        self.narrow.cgroup.is_none() || self.groups.contains(&group)
    }

    /// Whether a task is asked for.
    pub fn has_task(&self, pid: i64, name: &str) -> bool {
        self.narrow.task.as_ref().is_none_or(|task| task.is(pid, name))
    }

    /// Whether an event is of it: one of a time counts when that ended.
    pub fn takes(&self, event: &Event) -> bool {
        self.is_its(event) && self.range.is_none_or(|range| (range.from_ns..range.to_ns).contains(&event.ns))
    }

    /// Whether an event is of it, or of a time a part of which is.
    pub fn touches(&self, event: &Event) -> bool {
        let began = event.ns.saturating_sub(event.number("usecs").unwrap_or(0).saturating_mul(1000));
        self.is_its(event) && self.range.is_none_or(|range| began < range.to_ns && event.ns >= range.from_ns)
    }

    fn is_its(&self, event: &Event) -> bool {
        // What is set is set for all.
        if event.name == PARAMETER {
            return true;
        }
        // Of an event that names no cgroup it is not known whose it is.
        let group = || event.number("cgroup").is_some_and(|id| self.groups.contains(&group_of(id)));
        (self.narrow.cgroup.is_none() || group()) && self.has_task(i64::try_from(event.pid).unwrap_or(-1), &event.comm)
    }

    /// What was asked for, and that these sections are not told so.
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

/// That nothing is known of a cgroup, and of which something is, who stalled most first.
pub fn no_cgroup<'a>(asked: &str, others: impl Iterator<Item = &'a str>) -> String {
    let others: Vec<&str> = others.take(OFFERED).collect();
    let others = if others.is_empty() {
        "no cgroup's tasks stalled".to_owned()
    } else {
        format!("those whose tasks stalled most are {}", others.join(", "))
    };
    format!("no cgroup {asked}: there is no such directory, and no ledger has it; {others}")
}

/// Paths of cgroups whose tasks stalled, who stalled most first.
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
        assert!(is_asked("/", "/") && !is_asked("/a", "/"));
        assert!(is_asked("/a/b", "a/b") && is_asked("/x/nginx.service", "nginx.service"));
        for asked in ["/a/b", "/a/b/", "/sys/fs/cgroup/a/b"] {
            assert_eq!(path(asked), "/a/b");
        }
        assert_eq!((path("/"), path("/sys/fs/cgroups/a")), ("/", "/sys/fs/cgroups/a"));
    }

    #[test]
    fn tasks_by_number_and_by_name() {
        assert!(Task::new("42").is(42, "x") && !Task::new("42").is(43, "42") && !Task::new("42").is_named("42"));
        assert!(Task::new("kworker/0").is(1, "kworker/0") && !Task::new("kworker").is(1, "kworker/0"));
        // As ps(1) shows it, and as the kernel keeps it.
        assert!(Task::new("a-name-that-is-too-long").is_named("a-name-that-is-"));
        assert!(!Task::new("a-name").is_named("a-name-that-is-"));
    }
}
