// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb why`: what hurts, which tasks, why, and what to try, on one screen and from the ledgers alone. It answers
//! for the machine, for one task, or for one cgroup and all below it.

use std::{collections::BTreeMap, fs, path::Path, thread};

use crate::{
    advice, cli, container,
    error::{Error, Result},
    format::{count, mib, percent, span},
    ledger::{Stall, total},
    names::{Cause, Origin},
    narrow::{self, Absent, Counted, LIVE, Narrow, Narrowed, Task},
    recording::Recording,
    report::{self, CgroupRow, Report, StallCgroupRow},
    residence,
    snapshot::Snapshot,
    summary::{self, Line},
    text, verdict,
};

/// At most this many causes, tasks or cgroups are named in a line.
const NAMED: usize = 3;

/// What is asked about.
#[derive(Clone, Debug)]
pub enum About {
    /// The whole machine.
    Machine,
    /// A task, or all tasks of one name.
    Task {
        /// The task, as it was asked for.
        task: Task,
        /// Its name and the path of its cgroup, if it was asked for by its PID and is alive.
        lives: Option<(String, String)>,
    },
    /// A cgroup.
    Cgroup {
        /// What was asked for: a path, a name, or the beginning of a container's id.
        asked: String,
        /// Whether there is a directory of it now.
        lives: bool,
    },
}

/// The answer for one interval.
#[derive(Debug)]
pub struct Block {
    /// What the answer is about, and for which interval.
    pub head: String,
    /// What hurts, which tasks, why, and what to try.
    pub lines: Vec<Line>,
    /// Whether tasks stalled for so long that there is a verdict.
    pub is_verdict: bool,
}

/// Answers, as text for a terminal of `width` columns.
pub fn run(args: &cli::Why, width: usize) -> Result<String> {
    residence::stay();
    // For a saved file, the tasks and cgroups that exist now do not matter.
    let root = args.file.is_none().then_some(Path::new("/"));
    let narrow = Narrow::new(&args.narrow)?;
    let about = match &narrow {
        // For a cgroup and a task at once, or for a part of the time, the answer comes from the narrowed report.
        Some(narrow) if narrow.between.is_some() || narrow.cgroup.is_some() && narrow.task.is_some() => {
            return part(args, narrow).map(|block| text::why(&[block], width));
        }
        Some(narrow) => {
            let task = narrow.task.as_ref().map(Task::asked);
            About::of(task.as_deref(), narrow.cgroup.as_deref(), root)
        }
        None => About::new(args.of.as_deref(), root),
    };
    let blocks = match &args.file {
        Some(path) if Recording::is_one(path)? => {
            let recording = Recording::visit(path, drop)?;
            saved(&recording.after, Some(&recording.before), "recording", &about)?
        }
        Some(path) => saved(&Snapshot::load(path)?, None, "snapshot", &about)?,
        None => {
            let time = *args.time;
            let before = if time.is_zero() { None } else { Some(Snapshot::take(&args.source.debugfs)?) };
            thread::sleep(time);
            live(&Snapshot::take(&args.source.debugfs)?, before.as_ref(), &about)?
        }
    };
    Ok(text::why(&blocks, width))
}

/// The answer for a narrowed report.
fn part(args: &cli::Why, narrow: &Narrow) -> Result<Block> {
    let part = match &args.file {
        Some(path) if Recording::is_one(path)? => {
            let (recording, filter, counted) = Counted::read(path, narrow, Absent::Wrong)?;
            report::narrow::of_recording(&recording, &filter, &counted)?
        }
        Some(path) => {
            narrow.without_between(&path.display().to_string())?;
            report::narrow::of_ledgers(&Snapshot::load(path)?, None, "snapshot", narrow, Absent::Wrong)?
        }
        None => {
            narrow.without_between("what is there now")?;
            let before = Snapshot::take(&args.source.debugfs)?;
            thread::sleep(*args.time);
            let now = Snapshot::take(&args.source.debugfs)?;
            let before = (!args.time.is_zero()).then_some(&before);
            report::narrow::of_ledgers(&now, before, "live", narrow, LIVE)?
        }
    };
    let words = part.report.narrowed.as_ref().map_or(String::new(), Narrowed::words);
    let is_verdict = part.lines.iter().any(Line::hurts);
    let mut lines = part.lines;
    lines.extend(text::narrowed(&part.report).into_iter().skip(1).map(|line| Line::always("", line)));
    Ok(Block { head: format!("{words}, {}", text::interval(&part.report)), lines, is_verdict })
}

/// The answer from a file.
pub fn saved(now: &Snapshot, before: Option<&Snapshot>, source: &'static str, about: &About) -> Result<Vec<Block>> {
    known(&report::build(now, None, source)?, about)?;
    Ok(vec![block(now, before, source, about)?])
}

/// The answer from the live ledgers: what happened just now, and if no task stalled for long, also what happened
/// before.
pub fn live(now: &Snapshot, before: Option<&Snapshot>, about: &About) -> Result<Vec<Block>> {
    known(&report::build(now, None, "live")?, about)?;
    let mut blocks = vec![block(now, before, "live", about)?];
    if before.is_some() && !blocks.iter().any(|block| block.is_verdict) {
        let all = block(now, None, "live", about)?;
        if all.is_verdict {
            blocks.push(all);
        }
    }
    Ok(blocks)
}

fn block(now: &Snapshot, before: Option<&Snapshot>, source: &'static str, about: &About) -> Result<Block> {
    let report = report::build(now, before, source)?;
    let pressure = before.and_then(|before| summary::pressure(&now.system, &before.system));
    let (of, lines) = match about {
        About::Machine => {
            ("the machine".to_owned(), summary::lines(&report, pressure).into_iter().filter(Line::matters).collect())
        }
        About::Task { task, lives } => self::task(&report, task, lives.as_ref()),
        About::Cgroup { asked, .. } => cgroup(&report, asked),
    };
    let over = match report.taken.seconds {
        Some(seconds) if source == "live" => format!("in the last {seconds:.1} s"),
        _ => text::interval(&report),
    };
    let is_verdict = match about {
        About::Machine => !verdict::machine(&report).is_empty(),
        About::Task { .. } | About::Cgroup { .. } => lines.iter().any(Line::hurts),
    };
    Ok(Block { head: format!("{of}, {over}"), lines, is_verdict })
}

impl About {
    /// What `asked` means: a number is the PID of a task, anything else a cgroup. If `root` is given, it is where /proc
    /// and /sys are looked up.
    pub fn new(asked: Option<&str>, root: Option<&Path>) -> Self {
        let is_task = asked.is_some_and(|asked| asked.parse::<i64>().is_ok());
        if is_task { Self::of(asked, None, root) } else { Self::of(None, asked, root) }
    }

    /// The same for a task or a cgroup.
    fn of(task: Option<&str>, cgroup: Option<&str>, root: Option<&Path>) -> Self {
        if let Some(task) = task.map(Task::new) {
            let lives = match task {
                Task::Pid(pid) => root.and_then(|root| living(root, pid)),
                Task::Name(_) => None,
            };
            return Self::Task { task, lives };
        }
        let Some(asked) = cgroup else { return Self::Machine };
        let asked = narrow::path(asked);
        Self::Cgroup { asked: asked.to_owned(), lives: root.is_some_and(|root| narrow::is_there(root, asked)) }
    }
}

/// The name and the cgroup of a task that is alive.
fn living(root: &Path, pid: i64) -> Option<(String, String)> {
    let dir = root.join("proc").join(pid.to_string());
    let comm = fs::read_to_string(dir.join("comm")).ok()?;
    let groups = fs::read_to_string(dir.join("cgroup")).ok()?;
    // The other lines are of v1 hierarchies.
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some((comm.trim_end_matches('\n').to_owned(), path.to_owned()))
}

fn stalled<'a>(report: &'a Report, asked: &str) -> Vec<&'a StallCgroupRow> {
    let rows = report.stalls.get().map_or(&[][..], |stalls| &stalls.cgroups);
    rows.iter().filter(|row| row.path.as_deref().is_some_and(|path| narrow::is_asked(path, asked))).collect()
}

fn written<'a>(report: &'a Report, asked: &str) -> Vec<&'a CgroupRow> {
    let rows = report.cgroups.get().map_or(&[][..], |cgroups| &cgroups.groups);
    rows.iter().filter(|row| row.path.as_deref().is_some_and(|path| narrow::is_asked(path, asked))).collect()
}

/// Fails if nothing is known of what is asked about, because it may be mistyped.
fn known(report: &Report, about: &About) -> Result<()> {
    match about {
        About::Task { task, lives: None } if kept(report, task).is_empty() && stack(report, task).is_none() => {
            Err(Error::Why(format!(
                "no task {}: it does not exist here, and none of the longest stalls and worst stacks is its own; \
                 reclaimwb stalls has those that are kept",
                task.asked()
            )))
        }
        About::Cgroup { asked, lives: false }
            if stalled(report, asked).is_empty() && written(report, asked).is_empty() =>
        {
            let rows = report.stalls.get().map_or(&[][..], |stalls| &stalls.cgroups);
            let paths = rows.iter().filter_map(|row| row.path.as_deref());
            Err(Error::Why(narrow::no_cgroup(asked, paths)))
        }
        _ => Ok(()),
    }
}

fn kept<'a>(report: &'a Report, task: &Task) -> Vec<&'a Stall> {
    let longest = report.stalls.get().map_or(&[][..], |stalls| &stalls.longest);
    longest.iter().filter(|stall| task.is(stall.pid, &stall.task)).collect()
}

fn stack<'a>(report: &'a Report, task: &Task) -> Option<&'a report::StackRow> {
    let worst = &report.stacks.get()?.worst;
    let its = |stack: &&report::StackRow| task.is(i64::try_from(stack.pid).unwrap_or(-1), &stack.comm);
    worst.iter().filter(|stack| stack.is_new).find(its)
}

/// The causes that took time, the largest first.
fn largest(causes: &BTreeMap<Cause, u64>) -> Vec<(Cause, u64)> {
    let mut causes: Vec<(Cause, u64)> =
        causes.iter().map(|(cause, ns)| (*cause, *ns)).filter(|(_, ns)| *ns > 0).collect();
    causes.sort_by_key(|(_, ns)| std::cmp::Reverse(*ns));
    causes
}

fn why(causes: &[(Cause, u64)], ns: u64) -> String {
    let share =
        |(cause, part): &(Cause, u64)| format!("{} ({})", cause.label(), percent(*part as f64 / ns.max(1) as f64));
    let named: Vec<String> = causes.iter().take(NAMED).map(share).collect();
    format!("Why: {}.", named.join(", "))
}

/// The sum of causes of several stalls or cgroups.
fn together<'a>(all: impl Iterator<Item = &'a BTreeMap<Cause, u64>>) -> BTreeMap<Cause, u64> {
    let mut sum = BTreeMap::new();
    for (cause, ns) in all.flatten() {
        let of: &mut u64 = sum.entry(*cause).or_default();
        *of = of.saturating_add(*ns);
    }
    sum
}

/// The origin of most of these stalls' time.
fn origin(stalls: &[&Stall]) -> Option<Origin> {
    let mut sums: BTreeMap<Origin, u64> = BTreeMap::new();
    for stall in stalls {
        let sum = sums.entry(stall.origin).or_default();
        *sum = sum.saturating_add(stall.ns);
    }
    sums.into_iter().max_by_key(|(_, ns)| *ns).map(|(origin, _)| origin)
}

fn task(report: &Report, task: &Task, now: Option<&(String, String)>) -> (String, Vec<Line>) {
    let kept = kept(report, task);
    let name = now.map(|(comm, _)| comm.as_str()).or_else(|| kept.first().map(|stall| stall.task.as_str()));
    let of = match task {
        Task::Pid(pid) => format!("task {}[{pid}]", name.unwrap_or("?")),
        Task::Name(name) => format!("tasks {name}"),
    };
    let rows = report.stalls.get().map_or(&[][..], |stalls| &stalls.cgroups);
    let of_stall = kept.first().and_then(|stall| report.stalls.get()?.cgroup_of(stall)?.path.as_deref());
    let path = now.map(|(_, path)| path.as_str()).or(of_stall);
    let mut lines = Vec::new();
    let ns = total(kept.iter().map(|stall| stall.ns));
    let all = report.stalls.get().map_or(0, |stalls| stalls.longest.len());
    if let (Some(longest), Some(origin)) = (kept.iter().map(|stall| stall.ns).max(), origin(&kept)) {
        lines.push(Line::bad(
            "STALLS",
            format!(
                "Of the {all} longest stalls that are kept, {} are its own: {} in all, up to {} at a time, in {}.",
                kept.len(),
                span(ns / 1000),
                span(longest / 1000),
                verdict::reclaim(origin)
            ),
        ));
        let causes = largest(&together(kept.iter().map(|stall| &stall.parts_ns)));
        lines.push(Line::bad("STALLS", why(&causes, ns)));
        if let Some((cause, _)) = causes.first() {
            let advice = advice::for_cgroup(report, *cause, origin, path);
            lines.push(Line::bad(verdict::section(report, *cause), format!("To try: {advice}.")));
        }
    } else {
        lines.push(Line::always("STALLS", format!("None of the {all} longest stalls that are kept is its own.")));
    }
    if let Some(stack) = stack(report, task) {
        lines.push(Line::always(
            "WORST STACKS",
            format!(
                "It left the least stack in {} at {}: {} bytes.",
                verdict::reclaim(stack.origin),
                stack.layer.label(),
                count(stack.left)
            ),
        ));
    }
    if let Some(path) = path {
        // Only the cgroup of the task itself counts, and not those below it.
        let row = rows.iter().find(|row| row.path.as_deref() == Some(path));
        let stalled = row.map_or("none of its tasks stalled".to_owned(), |row| {
            format!("its tasks stalled {} times, {} in all", count(row.stalls.count), span(row.ns / 1000))
        });
        lines.push(Line::always("STALLS", format!("Its cgroup is {}: {stalled}.", container::shown(path))));
    }
    (of, lines)
}

fn cgroup(report: &Report, asked: &str) -> (String, Vec<Line>) {
    let (rows, pages) = (stalled(report, asked), written(report, asked));
    let paths = rows.iter().filter_map(|row| row.path.as_deref());
    let mut paths: Vec<&str> = paths.chain(pages.iter().filter_map(|row| row.path.as_deref())).collect();
    paths.sort_by_key(|path| path.len());
    paths.dedup();
    // If it was asked for by the name of its container or by something other than its path, show its path.
    let of = match paths.first() {
        Some(path) if !asked.starts_with('/') => container::shown(path),
        _ => container::shown(asked),
    };
    let ns = total(rows.iter().map(|row| row.ns));
    let stalls = total(rows.iter().map(|row| row.stalls.count));
    let mut lines = Vec::new();
    if ns < advice::PAIN {
        let says = if stalls == 0 {
            "none of its tasks stalled for memory".to_owned()
        } else {
            format!("its tasks stalled {} times for memory, {} in all", count(stalls), span(ns / 1000))
        };
        lines.push(Line::always("STALLS", format!("Nothing hurts it: {says}.")));
    } else {
        lines.extend(hurt(report, &rows, &pages, stalls, ns));
    }
    let swapped = total(pages.iter().map(|row| row.pages));
    if swapped > 0 {
        let mut by: BTreeMap<Origin, u64> = BTreeMap::new();
        for (origin, n) in pages.iter().flat_map(|row| &row.origins) {
            let sum = by.entry(*origin).or_default();
            *sum = sum.saturating_add(*n);
        }
        let mut by: Vec<(Origin, u64)> = by.into_iter().collect();
        by.sort_by_key(|(_, pages)| std::cmp::Reverse(*pages));
        let by = by
            .iter()
            .take(NAMED)
            .map(|(origin, n)| format!("{} {}", origin.label(), percent(*n as f64 / swapped as f64)));
        lines.push(Line::always(
            "WHOSE PAGES",
            format!(
                "Reclaim wrote {} of its pages ({}): {}.",
                count(swapped),
                mib(swapped.saturating_mul(report.machine.page_size)),
                by.collect::<Vec<_>>().join(", ")
            ),
        ));
    }
    (format!("cgroup {of}"), lines)
}

/// What hurts its tasks, which of them, why, and what to try.
fn hurt(report: &Report, rows: &[&StallCgroupRow], pages: &[&CgroupRow], stalls: u64, ns: u64) -> Vec<Line> {
    let section = report.stalls.get();
    let all = section.map_or(0, |stalls| stalls.ns);
    let kept: Vec<&Stall> = section
        .map_or(&[][..], |stalls| &stalls.longest)
        .iter()
        .filter(|stall| {
            let its = section.and_then(|stalls| stalls.cgroup_of(stall));
            its.is_some_and(|its| rows.iter().any(|row| (row.hierarchy, row.id) == (its.hierarchy, its.id)))
        })
        .collect();
    let longest = kept.iter().map(|stall| stall.ns).max();
    let longest = longest.map_or(String::new(), |ns| format!(", up to {} at a time", span(ns / 1000)));
    let mut lines = vec![Line::bad(
        "STALLS",
        format!(
            "Its tasks stalled {} times for memory, for {} in all{longest}: {} of all stall time on this machine.",
            count(stalls),
            span(ns / 1000),
            percent(ns as f64 / all.max(1) as f64)
        ),
    )];
    let mut who: Vec<String> = Vec::new();
    for stall in &kept {
        let name = format!("{}[{}] ({})", stall.task, stall.pid, span(stall.ns / 1000));
        let same = format!("{}[{}] ", stall.task, stall.pid);
        if who.len() < NAMED && !who.iter().any(|other| other.starts_with(&same)) {
            who.push(name);
        }
    }
    let groups: Vec<String> = rows
        .iter()
        .take(NAMED)
        .map(|row| format!("{} {}", row.label(container::short), percent(row.ns as f64 / ns.max(1) as f64)))
        .collect();
    let groups = if rows.len() > 1 { format!("; by cgroup {}", groups.join(", ")) } else { String::new() };
    if !who.is_empty() || !groups.is_empty() {
        let who = if who.is_empty() { "none of its stalls is among the longest".into() } else { who.join(", ") };
        lines.push(Line::bad("STALLS", format!("Who: {who}{groups}.")));
    }
    let causes = largest(&together(rows.iter().map(|row| &row.causes_ns)));
    lines.push(Line::bad("STALLS", why(&causes, ns)));
    // The origin of a stall is known only for the longest ones. Without these, guess it from the reclaim that wrote the
    // cgroup's pages.
    let limits = [Origin::MemcgMax, Origin::MemcgHigh, Origin::MemcgReclaim];
    let guess = || {
        let of = |origin: &Origin| total(pages.iter().filter_map(|row| row.origins.get(origin).copied()));
        limits.into_iter().filter(|origin| of(origin) > 0).max_by_key(of)
    };
    let origin = origin(&kept).or_else(guess).unwrap_or(Origin::Direct);
    if let (Some((cause, _)), Some(row)) = (causes.first(), rows.first()) {
        let advice = advice::for_cgroup(report, *cause, origin, row.path.as_deref());
        lines.push(Line::bad(verdict::section(report, *cause), format!("To try: {advice}.")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_now() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let dir = root.path().join("proc/42");
        fs::create_dir_all(&dir).expect("made");
        fs::write(dir.join("comm"), "two words\n").expect("written");
        fs::write(dir.join("cgroup"), "3:memory:/v1\n0::/a/b\n").expect("written");
        fs::create_dir_all(root.path().join("sys/fs/cgroup/a/b")).expect("made");
        let new = |asked| About::new(Some(asked), Some(root.path()));
        let About::Task { task: Task::Pid(42), lives: Some((comm, path)) } = new("42") else { panic!("a task") };
        assert_eq!((comm.as_str(), path.as_str()), ("two words", "/a/b"));
        assert!(matches!(new("43"), About::Task { lives: None, .. }));
        assert!(matches!(About::new(Some("42"), None), About::Task { lives: None, .. }));
        for asked in ["/a/b", "a/b/", "/sys/fs/cgroup/a/b"] {
            assert!(matches!(new(asked), About::Cgroup { lives: true, asked } if asked.ends_with("a/b")), "{asked}");
        }
        assert!(matches!(new("/a/c"), About::Cgroup { lives: false, .. }));
        assert!(matches!(About::new(None, None), About::Machine));
    }
}
