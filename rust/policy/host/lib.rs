// SPDX-License-Identifier: GPL-2.0

//! The module's policy code, built for the host so that `cargo test` can run
//! property tests over it. The files are the very ones the kernel module uses.

#![no_std]
#![deny(unsafe_code)]

#[path = "../cgroup_key.rs"]
pub mod cgroup_key;
#[path = "../classify.rs"]
pub mod classify;
#[path = "../frames.rs"]
pub mod frames;
#[path = "../hist.rs"]
pub mod hist;
#[path = "../nest.rs"]
pub mod nest;
#[path = "../ratelimit.rs"]
pub mod ratelimit;
#[path = "../slots.rs"]
pub mod slots;
