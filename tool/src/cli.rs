// SPDX-License-Identifier: GPL-2.0
//! The command line.

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand, builder::NonEmptyStringValueParser};
use clap_complete::Shell;

use crate::{record::DEFAULT_TRACEFS, schema, source::DEFAULT_DIR, top::figures::By, tune};

/// Why a machine stalls for memory: where tasks lost their time, who wrote during reclaim, how much stack was left.
///
/// The ledgers are in debugfs, and only root can read them. Anyone can report on a saved `snapshot`, on any machine.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = MAIN_EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Save all ledgers and the facts about this machine as one JSON file
    Snapshot(Snapshot),
    /// Report who wrote, what became of it, and how much stack was left
    Report(Report),
    /// Say in a few lines what is loaded, attached, missing and lost
    Status(Status),
    /// Record the ledgers before and after, and the module's trace events in between
    Record(Record),
    /// Compare two recordings or snapshots: figures side by side, what changed most first
    Diff(Diff),
    /// Write the ledgers for a monitoring system
    Export(Export),
    /// Show the longest stalls, and where the time of each went
    Stalls(Stalls),
    /// Say on one screen what hurts, which tasks, why, and what to try
    Why(Why),
    /// Watch stalls, writes, reserves and stack live, by origin, cgroup or task
    Top(Top),
    /// Show the module's parameters with their meaning and bounds, or set them
    Tune(Tune),
    /// Print the JSON schema of what this command writes
    Schema(Schema),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the man page, or write the pages of all commands into a directory
    Man(Man),
}

// The examples of each command, shown below its options and in its man page. A test reads these lines as command lines.
const MAIN_EXAMPLES: &str = "\
Examples:
  reclaimwb status                      # is the module there, and does it record?
  reclaimwb why                         # what hurts now, and what to try
  reclaimwb report                      # everything since it was loaded
  reclaimwb top                         # what happens now
  reclaimwb tune handoff=low-headroom   # change a setting";
const SNAPSHOT_EXAMPLES: &str = "\
Examples:
  reclaimwb snapshot -o before.json
  reclaimwb snapshot | gzip > now.json.gz";
const REPORT_EXAMPLES: &str = "\
Examples:
  reclaimwb report                                  # live, since the module was loaded
  reclaimwb report --since before.json              # live, since a snapshot
  reclaimwb report after.json --since before.json   # of saved snapshots, no root needed
  reclaimwb report after.json --json | jq .stalls.causes
  reclaimwb report after.json --csv stalls.causes   # a table, for a spreadsheet
  reclaimwb report run.jsonl --html run.html        # of a recording, for a browser
  reclaimwb report --cgroup /system.slice           # one cgroup: what is counted by cgroup
  reclaimwb report run.jsonl --between 60 1m30s     # half a minute: what the events tell";
const STATUS_EXAMPLES: &str = "\
Examples:
  reclaimwb status";
const RECORD_EXAMPLES: &str = "\
Without COMMAND it records until Ctrl-C, SIGTERM or --duration. With one, its exit code is
passed on; 125, 126 and 127 mean that the recorder failed, or that COMMAND could not be run
or was not found. Until a recording is complete, its name ends with .partial.

Examples:
  reclaimwb record -o run.jsonl -- make -j64          # from its start to its end
  reclaimwb record --duration 30s --events all
  reclaimwb record --dir /var/log/reclaimwb --keep 1h # the last hour, always";
const DIFF_EXAMPLES: &str = "\
A snapshot has figures since the module was loaded, unless --since-a or --since-b gives where
they begin. Exits with 0 if no --fail-if holds, with 1 if one does, and with 2 if something
is wrong: a file, a condition, or a figure that is missing and has a condition.

Some figures are known only as bounds, such as the end of a bucket of a histogram. A condition
on one of them holds if it does so for all values that the figure can have. If it does for some
of them only, it is shown with a question mark, and does not fail. Recordings with all stall
events have the times of stalls exactly.

Examples:
  reclaimwb diff stock.jsonl handoff.jsonl
  reclaimwb diff a.jsonl b.jsonl --fail-if 'stall.p99 > 1.2x'   # for CI
  reclaimwb diff a.jsonl b.jsonl --csv figures
  reclaimwb diff --list                                      # the figures that there are
  reclaimwb diff a.jsonl b.jsonl --cgroup nginx.service";
const EXPORT_EXAMPLES: &str = "\
Examples:
  reclaimwb export --prometheus -o /var/lib/prometheus/node-exporter/reclaimwb.prom
  reclaimwb export now.json --prometheus --cgroups
  reclaimwb export --prometheus --cgroup /system.slice";
const STALLS_EXAMPLES: &str = "\
Examples:
  reclaimwb stalls                                # those that the module has kept
  reclaimwb stalls run.jsonl -n 3 --json          # the longest of all those in a recording
  reclaimwb stalls run.jsonl --perfetto run.trace # for ui.perfetto.dev
  reclaimwb stalls run.jsonl --folded > run.folded # for flamegraph.pl, inferno, speedscope
  reclaimwb stalls --folded --locks               # waits for locks of tasks that stalled
  reclaimwb stalls run.jsonl --task memhog --between 22:00:05 end";
const WHY_EXAMPLES: &str = "\
It watches for two seconds. If nothing hurt meanwhile, it also answers for all of the time since
the module was loaded. For a task, it shows what is known from the longest stalls and the worst
stacks, and its cgroup. Each line names the section of reclaimwb report that says more.

Examples:
  reclaimwb why
  reclaimwb why 1234                     # a task, by its PID
  reclaimwb why /system.slice            # a cgroup and all below it
  reclaimwb why 4f1d02c3a9b8             # a container, by its id
  reclaimwb why --file run.jsonl         # what hurt while it was recorded
  reclaimwb why --file run.jsonl --between -10s end";
const TOP_EXAMPLES: &str = "\
Examples:
  reclaimwb top                                     # q quits, ? shows all keys
  reclaimwb top --by cgroup --interval 5s
  reclaimwb top --by task --batch 60 >> stalls.log  # a minute as plain text
  reclaimwb top --by cgroup --batch 60 --csv > stalls.csv
  reclaimwb top --cgroup /system.slice              # its rows alone";
const TUNE_EXAMPLES: &str = "\
Examples:
  reclaimwb tune                          # all of them
  reclaimwb tune handoff handoff_floor    # some
  reclaimwb tune tlb=Y headroom_floor=4096
  reclaimwb tune --json | jq '.parameters[] | select(.value != .default)'";
const SCHEMA_EXAMPLES: &str = "\
The schemas (2020-12) allow only the fields that this version writes; a later version may write
more. They say what the fields mean, and so does FORMAT.md.

Examples:
  reclaimwb schema report > report.schema.json
  reclaimwb schema recording              # of each line of a recording";
const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  reclaimwb completions bash > /etc/bash_completion.d/reclaimwb
  reclaimwb completions zsh > ~/.zfunc/_reclaimwb
  reclaimwb completions fish > ~/.config/fish/completions/reclaimwb.fish";
const MAN_EXAMPLES: &str = "\
Examples:
  reclaimwb man | man -l -
  reclaimwb man /usr/local/share/man/man1";

/// Where live ledgers are.
#[derive(Debug, Args)]
pub struct Source {
    /// Directory that holds the module's ledgers
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    pub debugfs: PathBuf,
}

/// Limits the figures to a cgroup or a task.
#[derive(Debug, Args)]
pub struct Of {
    /// Only this cgroup and all below it: a path below /sys/fs/cgroup, the name of a service, or the id of a
    /// container. What is not counted by cgroup is left out
    #[arg(long, value_name = "PATH", value_parser = NonEmptyStringValueParser::new())]
    pub cgroup: Option<String>,
    /// Only this task, or all tasks of this name. What is not counted by task is left out
    #[arg(long, value_name = "COMM|PID", value_parser = NonEmptyStringValueParser::new())]
    pub task: Option<String>,
}

/// Limits the figures to a cgroup, a task or a part of the time.
#[derive(Debug, Args)]
pub struct Narrow {
    /// The cgroup or the task.
    #[command(flatten)]
    pub of: Of,
    /// Only the part of a recording from A to B, by its events: seconds from its start (12.5, 1m30s), from its end
    /// (-10s), start, end, or a time in UTC (22:00:05, 2026-11-22T22:00:05Z). What events do not tell is left out
    #[arg(long, num_args = 2, value_names = ["A", "B"], allow_hyphen_values = true)]
    pub between: Option<Vec<String>>,
}

/// Output as tables for other programs.
#[derive(Debug, Args)]
pub struct Csv {
    /// Print one table as CSV, with a header line; `list` prints the names of all tables and of their columns
    #[arg(long, value_name = "TABLE", conflicts_with = "json")]
    pub csv: Option<String>,
    /// Write all tables as CSV into this directory, each as TABLE.csv
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "csv"])]
    pub csv_dir: Option<PathBuf>,
}

/// `reclaimwb snapshot`.
#[derive(Debug, Args)]
#[command(after_help = SNAPSHOT_EXAMPLES)]
pub struct Snapshot {
    /// Where the ledgers are.
    #[command(flatten)]
    pub source: Source,
    /// File to write; standard output if not given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `reclaimwb report`.
#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub struct Report {
    /// Saved snapshot or recording to report on; the live ledgers if not given
    #[arg(value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// Where the ledgers are.
    #[command(flatten)]
    pub source: Source,
    /// Count only what happened since this earlier snapshot of the same boot
    #[arg(long, value_name = "BEFORE")]
    pub since: Option<PathBuf>,
    /// What it is limited to.
    #[command(flatten)]
    pub narrow: Narrow,
    /// Print the report as JSON (structure: FORMAT.md)
    #[arg(long)]
    pub json: bool,
    /// Write it as one HTML file with charts, which loads nothing from elsewhere
    #[arg(long, value_name = "OUT", conflicts_with_all = ["json", "csv", "csv_dir", "all_stacks", "width"])]
    pub html: Option<PathBuf>,
    /// Output as tables.
    #[command(flatten)]
    pub tables: Csv,
    /// Show every worst stack in full
    #[arg(long)]
    pub all_stacks: bool,
    /// Columns to use; the terminal's width (80 if there is none) if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(60..=400))]
    pub width: Option<u16>,
}

/// `reclaimwb status`.
#[derive(Debug, Args)]
#[command(after_help = STATUS_EXAMPLES)]
pub struct Status {
    /// Where the ledgers are.
    #[command(flatten)]
    pub source: Source,
}

/// `reclaimwb record`.
#[derive(Debug, Args)]
#[command(after_help = RECORD_EXAMPLES)]
pub struct Record {
    /// Where the ledgers are.
    #[command(flatten)]
    pub source: Source,
    /// Where tracefs is mounted
    #[arg(long, value_name = "DIR", default_value = DEFAULT_TRACEFS, hide = true)]
    pub tracefs: PathBuf,
    /// Directory that holds the module's parameters; it is recorded when one of them is set
    #[arg(long, value_name = "DIR", default_value = tune::DEFAULT_DIR, hide = true)]
    pub parameters: PathBuf,
    /// File to write; reclaimwb-TIME.jsonl here if not given
    #[arg(short, long, value_name = "FILE", conflicts_with = "dir")]
    pub output: Option<PathBuf>,
    /// Trace events to record, or `all` or `none`; if not given, all but `reclaim_write`, which fires for each folio
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub events: Vec<String>,
    /// Size of the trace buffer of each CPU: events that do not fit before it is read are lost, and counted
    #[arg(long, value_name = "SIZE", default_value = "4MiB")]
    pub buffer: bytesize::ByteSize,
    /// Stop after this time, such as 30s or 5m
    #[arg(short, long, value_name = "TIME", conflicts_with = "command")]
    pub duration: Option<humantime::Duration>,
    /// Keep the last recordings in this directory, one after the other, instead of writing one file
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// With --dir: how long one recording is; it ends earlier if it grows to an eighth of --max-size
    #[arg(long, value_name = "TIME", default_value = "5m", requires = "dir")]
    pub every: humantime::Duration,
    /// With --dir: how long recordings are kept
    #[arg(long, value_name = "TIME", default_value = "1h", requires = "dir")]
    pub keep: humantime::Duration,
    /// With --dir: how large all recordings together may become; the oldest are removed
    #[arg(long, value_name = "SIZE", default_value = "64MiB", requires = "dir")]
    pub max_size: bytesize::ByteSize,
    /// Report progress every few seconds
    #[arg(short, long)]
    pub verbose: bool,
    /// Command to run and record, with its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// `reclaimwb diff`.
#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub struct Diff {
    /// Recording or snapshot to compare with
    #[arg(value_name = "A", required_unless_present = "list")]
    pub a: Option<PathBuf>,
    /// Recording or snapshot that is compared with A
    #[arg(value_name = "B", required_unless_present = "list")]
    pub b: Option<PathBuf>,
    /// Earlier snapshot of the same boot that A counts from
    #[arg(long, value_name = "FILE")]
    pub since_a: Option<PathBuf>,
    /// Earlier snapshot of the same boot that B counts from
    #[arg(long, value_name = "FILE")]
    pub since_b: Option<PathBuf>,
    /// What it is limited to.
    #[command(flatten)]
    pub narrow: Narrow,
    /// Fail if this holds: NAME OP VALUE with OP one of < <= > >=. A VALUE such as 1.2x is a ratio B/A; a number, with
    /// or without a unit (10ms, 5%, 2KiB), is compared with what B has. May be given more than once
    #[arg(long, value_name = "CONDITION")]
    pub fail_if: Vec<String>,
    /// List the figures that there are, with what they mean
    #[arg(long)]
    pub list: bool,
    /// Show the figures that are the same in both too
    #[arg(long)]
    pub all: bool,
    /// Print the comparison as JSON (structure: FORMAT.md)
    #[arg(long)]
    pub json: bool,
    /// Output as tables.
    #[command(flatten)]
    pub tables: Csv,
    /// Columns to use; the terminal's width (80 if there is none) if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(60..=400))]
    pub width: Option<u16>,
}

/// `reclaimwb export`.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub struct Export {
    /// Saved snapshot to export; the live ledgers if not given
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: Option<PathBuf>,
    /// Where the ledgers are.
    #[command(flatten)]
    pub source: Source,
    /// Write text for Prometheus, as the node exporter's textfile collector reads it
    #[arg(long, required = true)]
    pub prometheus: bool,
    /// File to replace in one step (NAME.prom in the collector's directory); standard output if not given
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also write what is counted by cgroup: as many series as there are cgroups, times origins and causes
    #[arg(long)]
    pub cgroups: bool,
    /// Write only what is counted by cgroup, for this one and all below it; a comment says so
    #[arg(long, value_name = "PATH", value_parser = NonEmptyStringValueParser::new())]
    pub cgroup: Option<String>,
}

/// `reclaimwb stalls`.
#[derive(Debug, Args)]
#[command(after_help = STALLS_EXAMPLES)]
pub struct Stalls {
    /// Recording or saved snapshot to take them from; the live ledgers if not given
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Where the ledgers are.
    #[command(flatten)]
    pub source: Source,
    /// How many to show, longest first
    #[arg(short = 'n', long = "number", value_name = "N", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub number: u32,
    /// What it is limited to.
    #[command(flatten)]
    pub narrow: Narrow,
    /// Print them as JSON (structure: FORMAT.md)
    #[arg(long)]
    pub json: bool,
    /// Write all events of a recording as a trace for Perfetto (ui.perfetto.dev) instead
    #[arg(long, value_name = "OUT", requires = "file", conflicts_with_all = ["json", "csv", "csv_dir"])]
    pub perfetto: Option<PathBuf>,
    /// Output as tables.
    #[command(flatten)]
    pub tables: Csv,
    /// Write all of them, not only the longest, as folded stacks for a flame graph: cgroup, task, origin and cause,
    /// and microseconds; from the ledgers, which do not count by task, only cgroup and cause
    #[arg(long, conflicts_with_all = ["json", "csv", "csv_dir", "perfetto", "width", "number"])]
    pub folded: bool,
    /// With --folded: write the waits for locks of tasks that stalled instead: the function that took the lock, the
    /// kind of holder, and what the holder's stall was spent on
    #[arg(long, requires = "folded", conflicts_with_all = ["cgroup", "task", "between"])]
    pub locks: bool,
    /// Columns to use; the terminal's width (80 if there is none) if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(60..=400))]
    pub width: Option<u16>,
}

/// `reclaimwb why`.
#[derive(Debug, Args)]
#[command(after_help = WHY_EXAMPLES)]
pub struct Why {
    /// Only what concerns this task, or this cgroup and those below it: a PID, a path below /sys/fs/cgroup, the name of
    /// a service, or the id of a container
    #[arg(value_name = "PID|CGROUP", conflicts_with_all = ["cgroup", "task"],
          value_parser = NonEmptyStringValueParser::new())]
    pub of: Option<String>,
    /// What it is limited to.
    #[command(flatten)]
    pub narrow: Narrow,
    /// Where the ledgers are.
    #[command(flatten)]
    pub source: Source,
    /// Watch for this time, such as 10s; 0s: answer for all of the time since the module was loaded
    #[arg(short, long = "for", value_name = "TIME", default_value = "2s")]
    pub time: humantime::Duration,
    /// Use a saved snapshot or a recording instead of the live ledgers
    #[arg(short = 'F', long, value_name = "FILE", conflicts_with = "time")]
    pub file: Option<PathBuf>,
    /// Columns to use; the terminal's width (80 if there is none) if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(60..=400))]
    pub width: Option<u16>,
}

/// `reclaimwb top`.
#[derive(Debug, Args)]
#[command(after_help = TOP_EXAMPLES)]
pub struct Top {
    /// Where the ledgers are.
    #[command(flatten)]
    pub source: Source,
    /// Time between samples: 100ms to 1h
    #[arg(short, long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub interval: Duration,
    /// What the rows are; the keys o, c and t change this. If not given, origins, or what --cgroup or --task asks for
    #[arg(short, long, value_enum)]
    pub by: Option<By>,
    /// Limits the rows to a cgroup or a task.
    #[command(flatten)]
    pub of: Of,
    /// Print N samples as plain text and exit, for logs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub batch: Option<u64>,
    /// With --batch: print the rows as CSV, with a header line; each row begins with the time of its sample
    #[arg(long, requires = "batch")]
    pub csv: bool,
}

impl Top {
    /// What the rows are. Without `--by`, this depends on what `--cgroup` or `--task` asks for.
    pub fn by(&self) -> By {
        let asked = match (&self.of.task, &self.of.cgroup) {
            (Some(_), _) => By::Task,
            (None, Some(_)) => By::Cgroup,
            (None, None) => By::Origin,
        };
        self.by.unwrap_or(asked)
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|err| format!("{err}; give it as 500ms, 2s or 1min"))?;
    // Reading the ledgers takes milliseconds. If they were read more often than this, the tool would measure mostly
    // itself.
    if (Duration::from_millis(100)..=Duration::from_secs(3600)).contains(&time) {
        Ok(time)
    } else {
        Err("give 100ms to 1h".into())
    }
}

/// `reclaimwb tune`.
#[derive(Debug, Args)]
#[command(after_help = TUNE_EXAMPLES)]
pub struct Tune {
    /// Parameters to show, or to set to a value; all are shown if none is given
    #[arg(value_name = "NAME[=VALUE]")]
    pub params: Vec<String>,
    /// Print them as JSON (structure: FORMAT.md)
    #[arg(long)]
    pub json: bool,
    /// Output as tables.
    #[command(flatten)]
    pub tables: Csv,
    /// Directory that holds the module's parameters
    #[arg(long, value_name = "DIR", default_value = tune::DEFAULT_DIR, hide = true)]
    pub parameters: PathBuf,
    /// Where the ledgers are. They know the size of a stack.
    #[command(flatten)]
    pub source: Source,
}

/// `reclaimwb schema`.
#[derive(Debug, Args)]
#[command(after_help = SCHEMA_EXAMPLES)]
pub struct Schema {
    /// The output to print the schema of
    #[arg(value_enum)]
    pub of: schema::Of,
}

/// `reclaimwb completions`.
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `reclaimwb man`.
#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLES)]
pub struct Man {
    /// Directory for reclaimwb.1 and a page for each command; if not given, reclaimwb.1 goes to standard output
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
