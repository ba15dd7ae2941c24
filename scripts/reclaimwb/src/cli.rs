// SPDX-License-Identifier: GPL-2.0
//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::source::DEFAULT_DIR;

/// Who wrote during memory reclaim, and how much stack was left: reads the ledgers of the reclaimwb module.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
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
}

/// Where live ledgers are.
#[derive(Debug, Args)]
pub struct Source {
    /// Directory that holds the module's ledgers
    #[arg(long, value_name = "DIR", default_value = DEFAULT_DIR)]
    pub debugfs: PathBuf,
}

/// `reclaimwb snapshot`.
#[derive(Debug, Args)]
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
pub struct Report {
    /// Saved snapshot to report on; the live ledgers if not given
    #[arg(value_name = "SNAPSHOT")]
    pub snapshot: Option<PathBuf>,
    /// Where the ledgers are.
    #[command(flatten)]
    pub source: Source,
    /// Count only what happened since this earlier snapshot of the same boot
    #[arg(long, value_name = "BEFORE")]
    pub since: Option<PathBuf>,
    /// Print the report as JSON (structure: FORMAT.md)
    #[arg(long)]
    pub json: bool,
    /// Show every worst stack in full
    #[arg(long)]
    pub all_stacks: bool,
    /// Columns to use; the terminal's width (80 if there is none) if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(60..=400))]
    pub width: Option<u16>,
}

/// `reclaimwb status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Where the ledgers are.
    #[command(flatten)]
    pub source: Source,
}
