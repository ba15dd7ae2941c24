// SPDX-License-Identifier: GPL-2.0

//! Bounded tables and scratch space that several ledgers use.

pub(crate) mod callers;
pub(crate) mod farthest;
pub(crate) mod hist;
pub(crate) mod names;
pub(crate) mod needs;
pub(crate) mod scratch;
pub(crate) mod sites;
pub(crate) mod states;
pub(crate) mod tasks;
