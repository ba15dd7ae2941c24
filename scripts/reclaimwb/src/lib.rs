// SPDX-License-Identifier: GPL-2.0
//! Reads the ledgers of the reclaimwb kernel module and reports what they say.
//!
//! One way, no loops: [`source`] reads the text, [`ledger`] parses it strictly, [`report`] makes it data,
//! [`text`] draws it for people.

pub mod cli;
pub mod error;
pub mod format;
pub mod frames;
pub mod ledger;
pub mod names;
pub mod report;
pub mod snapshot;
pub mod source;
pub mod summary;
pub mod system;
pub mod text;
