// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb top`: how the ledgers grow from sample to sample.
//!
//! [`watch`] reads and subtracts samples, and [`figures`] makes from them what is shown. [`draw`] draws this on a
//! screen, and [`batch`] prints it. Only [`screen`] knows about the terminal.

pub mod batch;
pub mod draw;
pub mod figures;
pub mod rows;
pub mod screen;
pub mod view;
pub mod watch;

use crate::{cli, error::Result};

/// Runs until it is told to end.
pub fn run(args: &cli::Top) -> Result<()> {
    match args.batch {
        Some(samples) => batch::run(args, samples),
        None => screen::run(args),
    }
}
