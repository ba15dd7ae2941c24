// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb`: the command for the reclaimwb kernel module.

use std::{
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use clap::Parser;
use reclaimwb::{
    cli::{self, Cli, Command},
    diff::{self, Condition, Side},
    error::{Error, Result},
    export,
    html::{self, Recorded},
    longest::{self, Longest},
    manual,
    narrow::{Absent, Counted, LIVE, Narrow},
    perfetto, record,
    recording::Recording,
    report::{self, Report},
    schema,
    snapshot::Snapshot,
    tables, terminal, text, top, tune, why,
};

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(err) => return usage(&err),
    };
    match run(&command) {
        Ok(code) => code,
        Err(err) => {
            if !matches!(err, Error::Reported) {
                terminal::say(&err.to_string());
            }
            failure(&command, &err).into()
        }
    }
}

/// Prints the help, which is our own text, or what is wrong with the arguments. These may be untrusted text, such as
/// file names that a shell found.
fn usage(err: &clap::Error) -> ExitCode {
    if !err.use_stderr() || !std::env::args_os().any(|arg| arg.to_string_lossy().contains(terminal::steers)) {
        err.exit();
    }
    let text = err.render().to_string();
    // If writing fails, there is nothing else to do.
    let _ = io::stderr().write_all(terminal::lines(&text).as_bytes());
    ExitCode::from(2)
}

/// The exit code of a failure, where it is not 1.
fn failure(command: &Command, err: &Error) -> u8 {
    match (command, err) {
        // 1 means that a condition holds.
        (Command::Diff(_), _) => 2,
        // The same codes as those of env(1) and timeout(1): most commands do not use them.
        (Command::Record(_), Error::Command { source, .. }) if source.kind() == io::ErrorKind::NotFound => 127,
        (Command::Record(_), Error::Command { .. }) => 126,
        (Command::Record(args), _) if !args.command.is_empty() => 125,
        _ => 1,
    }
}

fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Snapshot(args) => {
            let snapshot = Snapshot::take(&args.source.debugfs)?;
            match &args.output {
                Some(path) => snapshot.save(path)?,
                None => print(&snapshot.to_json())?,
            }
        }
        Command::Report(args) => report(args)?,
        Command::Status(args) => {
            let snapshot = Snapshot::take(&args.source.debugfs)?;
            let report = report::build(&snapshot, None, "live")?;
            show(&text::status(&report, width(None)))?;
        }
        Command::Record(args) => return record::run(args).map(ExitCode::from),
        Command::Diff(args) => return compare(args),
        Command::Export(args) => {
            let snapshot = match &args.snapshot {
                Some(path) => Snapshot::load(path)?,
                None => Snapshot::take(&args.source.debugfs)?,
            };
            let text = export::prometheus(&snapshot, args.cgroups, args.cgroup.as_deref())?;
            match &args.output {
                Some(path) => export::save(&text, path)?,
                None => print(&text)?,
            }
        }
        Command::Stalls(args) => stalls(args)?,
        Command::Why(args) => show(&why::run(args, width(args.width))?)?,
        Command::Top(args) => top::run(args)?,
        Command::Tune(args) => {
            let (params, text) = tune::run(args, width(None))?;
            print_or(schema::Of::Tune, &params, args.json, &args.tables, || text)?;
        }
        Command::Schema(args) => print(&schema::text(args.of))?,
        Command::Completions(args) => write_out(&manual::completions(args.shell))?,
        Command::Man(args) => match &args.dir {
            Some(dir) => manual::write(dir)?,
            None => write_out(&manual::main_page()?)?,
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(args: &cli::Diff) -> Result<ExitCode> {
    let figures = diff::figures();
    let (Some(a), Some(b), false) = (&args.a, &args.b, args.list) else {
        show(&text::diff_list(&figures, width(args.width)))?;
        return Ok(ExitCode::SUCCESS);
    };
    // A mistyped condition is reported before files are read.
    let conditions: Result<Vec<_>> = args.fail_if.iter().map(|text| Condition::parse(text, &figures)).collect();
    let conditions = conditions?;
    let narrow = Narrow::new(&args.narrow)?;
    let load = |path: &Path, since: Option<&Path>| Side::load(path, since, narrow.as_ref());
    let (a, b) = (load(a, args.since_a.as_deref())?, load(b, args.since_b.as_deref())?);
    let diff = diff::compare(a, b, &figures, &conditions)?;
    print_or(schema::Of::Diff, &diff, args.json, &args.tables, || text::diff(&diff, width(args.width), args.all))?;
    Ok(if diff.fails() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Prints the data as JSON or CSV for programs, or else as text for people.
fn print_or(
    of: schema::Of,
    data: &impl serde::Serialize,
    is_json: bool,
    csv: &cli::Csv,
    text: impl FnOnce() -> String,
) -> Result<()> {
    if is_json {
        return print(&json(data)?);
    }
    let value = || serde_json::to_value(data).map_err(|err| Error::io("write", Path::new("CSV"), err.into()));
    match (&csv.csv, &csv.csv_dir) {
        (Some(name), _) => print(&tables::one(of, &value()?, name)?),
        (None, Some(dir)) => tables::write(of, &value()?, dir),
        (None, None) => show(&text()),
    }
}

fn json(of: &impl serde::Serialize) -> Result<String> {
    let json = serde_json::to_string_pretty(of);
    json.map(|json| json + "\n").map_err(|err| Error::io("write", Path::new("JSON"), err.into()))
}

fn stalls(args: &cli::Stalls) -> Result<()> {
    let narrow = Narrow::new(&args.narrow)?;
    let narrow = narrow.as_ref();
    if let (Some(path), Some(out)) = (&args.file, &args.perfetto) {
        return perfetto::write(path, out, narrow);
    }
    if args.folded {
        return folded(args, narrow);
    }
    check_between(narrow, args.file.as_deref())?;
    // This fits on every machine that the tool runs on.
    let number = usize::try_from(args.number).unwrap_or(usize::MAX);
    let longest = match &args.file {
        Some(path) if Recording::is_one(path)? => Longest::of_recording(path, number, narrow)?,
        Some(path) => Longest::of_snapshot(&Snapshot::load(path)?, "snapshot", number, narrow, Absent::Wrong)?,
        None => {
            let now = Snapshot::take(&args.source.debugfs)?;
            Longest::of_snapshot(&now, "live", number, narrow, LIVE)?
        }
    };
    print_or(schema::Of::Stalls, &longest, args.json, &args.tables, || text::longest(&longest, width(args.width)))
}

/// Only a recording knows when something happened.
fn check_between(narrow: Option<&Narrow>, file: Option<&Path>) -> Result<()> {
    let Some(narrow) = narrow else { return Ok(()) };
    match file {
        Some(path) if Recording::is_one(path)? => Ok(()),
        Some(path) => narrow.without_between(&path.display().to_string()),
        None => narrow.without_between("the ledgers"),
    }
}

fn folded(args: &cli::Stalls, narrow: Option<&Narrow>) -> Result<()> {
    if args.locks {
        return print(&match &args.file {
            Some(path) if Recording::is_one(path)? => {
                let Recorded { recording, .. } = Recorded::without_events(path)?;
                longest::folded_locks(&recording.after.ledgers()?.since(&recording.before.ledgers()?)?)?
            }
            Some(path) => longest::folded_locks(&Snapshot::load(path)?.ledgers()?)?,
            None => longest::folded_locks(&Snapshot::take(&args.source.debugfs)?.ledgers()?)?,
        });
    }
    check_between(narrow, args.file.as_deref())?;
    let text = match &args.file {
        Some(path) if Recording::is_one(path)? => {
            let (text, lost) = longest::folded_recording(path, narrow)?;
            if lost > 0 {
                terminal::say(&format!("{lost} events were lost while recording: stalls may be missing"));
            }
            text
        }
        Some(path) => longest::folded_snapshot(&Snapshot::load(path)?, narrow, Absent::Wrong)?,
        None => {
            let now = Snapshot::take(&args.source.debugfs)?;
            longest::folded_snapshot(&now, narrow, LIVE)?
        }
    };
    print(&text)
}

fn report(args: &cli::Report) -> Result<()> {
    let narrow = Narrow::new(&args.narrow)?;
    check_between(narrow.as_ref(), args.snapshot.as_deref())?;
    let recorded = match &args.snapshot {
        Some(path) if Recording::is_one(path)? => {
            if args.since.is_some() {
                return Err(Error::Options(format!(
                    "--since: {} is a recording and has its own beginning; leave --since out",
                    path.display()
                )));
            }
            if let Some(narrow) = &narrow {
                return part_of_recording(args, path, narrow);
            }
            // Only the HTML page needs the events, but the file has to be complete in any case.
            Some(if args.html.is_some() { Recorded::read(path, |_| true)? } else { Recorded::without_events(path)? })
        }
        _ => None,
    };
    let report = if let Some(Recorded { recording, .. }) = &recorded {
        report::build(&recording.after, Some(&recording.before), "recording")?
    } else {
        let absent = if args.snapshot.is_none() { LIVE } else { Absent::Wrong };
        let (now, source) = match &args.snapshot {
            Some(path) => (Snapshot::load(path)?, "snapshot"),
            None => (Snapshot::take(&args.source.debugfs)?, "live"),
        };
        let before = args.since.as_deref().map(Snapshot::load).transpose()?;
        match &narrow {
            Some(narrow) => report::narrow::of_ledgers(&now, before.as_ref(), source, narrow, absent)?.report,
            None => report::build(&now, before.as_ref(), source)?,
        }
    };
    write_report(args, &report, recorded.as_ref())
}

/// Reports on a part of a recording.
fn part_of_recording(args: &cli::Report, path: &Path, narrow: &Narrow) -> Result<()> {
    let (recording, filter, counted) = Counted::read(path, narrow, Absent::Wrong)?;
    let report = report::narrow::of_recording(&recording, &filter, &counted)?.report;
    // Only the HTML page shows when something happened.
    let recorded = args.html.is_some().then(|| Recorded::read(path, |event| filter.takes(event))).transpose()?;
    write_report(args, &report, recorded.as_ref())
}

fn write_report(args: &cli::Report, report: &Report, recorded: Option<&Recorded>) -> Result<()> {
    if let Some(out) = &args.html {
        return html::write(report, recorded, out);
    }
    print_or(schema::Of::Report, report, args.json, &args.tables, || {
        text::report(report, width(args.width), args.all_stacks)
    })
}

fn width(wanted: Option<u16>) -> usize {
    let terminal = || terminal_size::terminal_size().map(|(width, _)| width.0).filter(|width| *width > 0);
    wanted.or_else(terminal).map_or(text::DEFAULT_WIDTH, usize::from)
}

/// Prints text for people.
fn show(text: &str) -> Result<()> {
    print(&terminal::lines(text))
}

/// Prints text for programs.
fn print(text: &str) -> Result<()> {
    write_out(terminal::for_programs(text, io::stdout().is_terminal()).as_bytes())
}

fn write_out(text: &[u8]) -> Result<()> {
    match io::stdout().write_all(text) {
        // `reclaimwb report | head` is not a failure.
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|err| Error::io("write", Path::new("standard output"), err)),
    }
}
