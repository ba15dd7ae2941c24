// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb top`: what the ledgers gain, from sample to sample.
//!
//! [`watch`] reads and subtracts, [`figures`] makes of it what is shown, [`draw`] draws that on a screen and
//! [`batch`] prints it; only [`screen`] knows of the terminal.

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
