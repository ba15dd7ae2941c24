// SPDX-License-Identifier: GPL-2.0

//! What the `kernel` crate of Linux 7.3 lacks, in safe types: per-CPU data, tracepoint and function
//! probes, stack traces, symbols, folios, kernel threads.
//!
//! Only this folder, `shim` and `entry` (the functions that C calls) contain `unsafe`, `bindings::`
//! and FFI. A type that registers something unregisters it on drop.

pub(crate) mod cell;
pub(crate) mod cgroup;
pub(crate) mod compat;
pub(crate) mod events;
pub(crate) mod fs;
pub(crate) mod function_probe;
pub(crate) mod kthread;
pub(crate) mod late;
pub(crate) mod percpu;
pub(crate) mod plug;
pub(crate) mod reads;
pub(crate) mod reclaim;
pub(crate) mod stack;
pub(crate) mod swap;
pub(crate) mod symbol;
pub(crate) mod system;
pub(crate) mod tracepoint;
pub(crate) mod trylock;
pub(crate) mod wait_queue;
pub(crate) mod workqueue;
pub(crate) mod zone;
