// SPDX-License-Identifier: GPL-2.0

//! The policy code of the kernel module, built for the host, so that `cargo test` can run property
//! tests over it. The source files are those of the module.

#![no_std]
#![deny(unsafe_code)]

use reclaimwb_words as words;

#[path = "../batch.rs"]
pub mod batch;
#[path = "../budget.rs"]
pub mod budget;
#[path = "../bypass.rs"]
pub mod bypass;
#[path = "../cgroup_key.rs"]
pub mod cgroup_key;
#[path = "../classify.rs"]
pub mod classify;
#[path = "../frames.rs"]
pub mod frames;
#[path = "../handoff.rs"]
pub mod handoff;
#[path = "../heaviest.rs"]
pub mod heaviest;
#[path = "../hist.rs"]
pub mod hist;
#[path = "../idle.rs"]
pub mod idle;
#[path = "../kswapd.rs"]
pub mod kswapd;
#[path = "../lanes.rs"]
pub mod lanes;
#[path = "../link.rs"]
pub mod link;
#[path = "../log2.rs"]
pub mod log2;
#[path = "../nbd.rs"]
pub mod nbd;
#[path = "../nest.rs"]
pub mod nest;
#[path = "../order.rs"]
pub mod order;
#[path = "../patience.rs"]
pub mod patience;
#[path = "../pfmemalloc.rs"]
pub mod pfmemalloc;
#[path = "../ratelimit.rs"]
pub mod ratelimit;
#[path = "../reserve.rs"]
pub mod reserve;
#[path = "../returning.rs"]
pub mod returning;
#[path = "../short.rs"]
pub mod short;
#[path = "../shrink.rs"]
pub mod shrink;
#[path = "../slots.rs"]
pub mod slots;
#[path = "../stall.rs"]
pub mod stall;
#[path = "../text.rs"]
pub mod text;
#[path = "../urgent.rs"]
pub mod urgent;
#[path = "../wait.rs"]
pub mod wait;
#[path = "../window.rs"]
pub mod window;
