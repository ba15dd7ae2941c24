// SPDX-License-Identifier: GPL-2.0
//! The command and its library, from outside; one program, as each is linked anew.
#![allow(missing_docs)]

mod common;

mod colours;
mod diff;
mod errors;
mod export;
mod handoff;
mod html;
mod kswapd;
mod locks;
mod longest;
mod manual;
mod monitoring;
mod narrow;
mod nbd;
mod parser;
mod privilege;
mod record;
mod recording;
mod report;
mod reserves;
mod rows_given;
mod schema;
mod stalls;
mod steers;
mod tables;
mod top;
mod tune;
mod waits;
mod why;
