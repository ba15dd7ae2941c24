// SPDX-License-Identifier: GPL-2.0
//! Reads the ledgers of the reclaimwb kernel module and reports what they say.
//!
//! One way, no loops: [`source`] reads the text, [`ledger`] parses it strictly, [`report`] makes it data,
//! [`text`] draws it for people, and [`mod@html`] makes a page of the same.

pub mod advice;
pub mod atomic;
pub mod cli;
pub mod container;
pub mod diff;
pub mod error;
pub mod export;
pub mod format;
pub mod frames;
pub mod html;
pub mod ledger;
pub mod longest;
pub mod manual;
pub mod names;
pub mod narrow;
pub mod perfetto;
pub mod record;
pub mod recording;
pub mod report;
pub mod residence;
pub mod schema;
pub mod snapshot;
pub mod source;
pub mod summary;
pub mod system;
pub mod tables;
pub mod terminal;
pub mod text;
pub mod top;
pub mod tune;
pub mod verdict;
pub mod why;
