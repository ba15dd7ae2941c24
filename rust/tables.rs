// SPDX-License-Identifier: GPL-2.0

//! Bounded tables, and room to work in: what several ledgers keep, each in its own way.

pub(crate) mod callers;
pub(crate) mod hist;
pub(crate) mod names;
pub(crate) mod scratch;
pub(crate) mod sites;
pub(crate) mod states;
pub(crate) mod tasks;
