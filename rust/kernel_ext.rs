// SPDX-License-Identifier: GPL-2.0

//! Staging for what the `kernel` crate of Linux 7.3 lacks: per-CPU data,
//! tracepoint and function probes, stack traces, symbols.
//!
//! This folder, `shim` and, for what C calls, `entry` are the only places with `unsafe`,
//! `bindings::` and FFI. Each type drops what it registered.

pub(crate) mod cell;
pub(crate) mod cgroup;
pub(crate) mod events;
pub(crate) mod fprobe;
pub(crate) mod fs;
pub(crate) mod kthread;
pub(crate) mod late;
pub(crate) mod line;
pub(crate) mod percpu;
pub(crate) mod plug;
pub(crate) mod reclaim;
pub(crate) mod stack;
pub(crate) mod swap;
pub(crate) mod symbol;
pub(crate) mod system;
pub(crate) mod tracepoint;
pub(crate) mod trylock;
pub(crate) mod workqueue;
pub(crate) mod zone;
