// SPDX-License-Identifier: GPL-2.0

//! Tests of the policy code, with a module for each part of it. They are one program, because
//! proptest and loom would be linked into each of several again.

mod batch;
mod bypass;
mod handoff;
mod heaviest;
mod idle;
mod kswapd;
mod link;
mod nbd;
mod order;
mod pfmemalloc;
mod policy;
mod reserve;
mod returning;
mod short;
mod shrink;
mod stall;
mod text;
mod urgent;
mod wait;
mod write_around;
