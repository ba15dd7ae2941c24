// SPDX-License-Identifier: GPL-2.0

//! Decisions and arithmetic: pure code without kernel calls, globals or `unsafe`. It is also built
//! on the host (rust/policy/Cargo.toml), where property tests run over it.

pub(crate) mod batch;
pub(crate) mod budget;
pub(crate) mod bypass;
pub(crate) mod cgroup_key;
pub(crate) mod classify;
pub(crate) mod frames;
pub(crate) mod handoff;
pub(crate) mod heaviest;
pub(crate) mod hist;
pub(crate) mod idle;
pub(crate) mod kswapd;
pub(crate) mod lanes;
pub(crate) mod link;
pub(crate) mod log2;
pub(crate) mod nbd;
pub(crate) mod nest;
pub(crate) mod order;
pub(crate) mod patience;
pub(crate) mod pfmemalloc;
pub(crate) mod ratelimit;
pub(crate) mod reserve;
pub(crate) mod returning;
pub(crate) mod short;
pub(crate) mod shrink;
pub(crate) mod slots;
pub(crate) mod stall;
pub(crate) mod text;
pub(crate) mod urgent;
pub(crate) mod wait;
pub(crate) mod window;
