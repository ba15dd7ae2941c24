// SPDX-License-Identifier: GPL-2.0

//! The properties that the policy code keeps, one module for each part of it: one program, as
//! each would be linked with proptest and loom again.

mod batch;
mod handoff;
mod heaviest;
mod idle;
mod kswapd;
mod link;
mod nbd;
mod pfmemalloc;
mod policy;
mod reserve;
mod returning;
mod shrink;
mod stall;
mod text;
mod urgent;
mod wait;
mod write_around;
