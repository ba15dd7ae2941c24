// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb`: the command for the reclaimwb kernel module.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use clap::Parser;
use reclaimwb::{
    cli::{self, Cli, Command},
    error::{Error, Result},
    report,
    snapshot::Snapshot,
    text,
};

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("reclaimwb: {err}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Snapshot(args) => {
            let snapshot = Snapshot::take(&args.source.debugfs)?;
            match args.output {
                Some(path) => snapshot.save(&path),
                None => print(&snapshot.to_json()),
            }
        }
        Command::Report(args) => print(&report_text(&args)?),
        Command::Status(args) => {
            let snapshot = Snapshot::take(&args.source.debugfs)?;
            let report = report::build(&snapshot, None, "live")?;
            print(&text::status(&report, width(None)))
        }
    }
}

fn report_text(args: &cli::Report) -> Result<String> {
    let (now, source) = match &args.snapshot {
        Some(path) => (Snapshot::load(path)?, "snapshot"),
        None => (Snapshot::take(&args.source.debugfs)?, "live"),
    };
    let before = args.since.as_deref().map(Snapshot::load).transpose()?;
    let report = report::build(&now, before.as_ref(), source)?;
    if args.json {
        let json = serde_json::to_string_pretty(&report);
        return json.map(|json| json + "\n").map_err(|err| Error::io("write", Path::new("the report"), err.into()));
    }
    Ok(text::report(&report, width(args.width), args.all_stacks))
}

fn width(wanted: Option<u16>) -> usize {
    let terminal = || terminal_size::terminal_size().map(|(width, _)| width.0).filter(|width| *width > 0);
    wanted.or_else(terminal).map_or(text::DEFAULT_WIDTH, usize::from)
}

fn print(text: &str) -> Result<()> {
    match io::stdout().write_all(text.as_bytes()) {
        // `reclaimwb report | head` is no failure.
        Err(err) if err.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|err| Error::io("write", Path::new("standard output"), err)),
    }
}
