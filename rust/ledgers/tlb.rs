// SPDX-License-Identifier: GPL-2.0

//! The TLB ledger: how often reclaim interrupts other CPUs so that they forget mappings,
//! for clean folios and for dirty ones, by origin.
//!
//! One instance per CPU, written with preemption off.

use crate::{
    kernel_ext::cell::Cell64,
    words::{
        Flush,
        Origin, //
    },
};
use pin_init::Zeroable;

/// Counts of one origin and purpose.
#[derive(Zeroable)]
pub(crate) struct Flushes {
    /// Times that reclaim asked for it.
    pub(crate) asked: Cell64,
    /// Times that other CPUs were interrupted.
    pub(crate) ipis: Cell64,
    /// Nanoseconds from asked to done.
    pub(crate) ns: Cell64,
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct Tlb {
    origins: [[Flushes; Flush::COUNT]; Origin::COUNT],
    /// Pages freed while flushes were counted.
    freed: [Cell64; Origin::COUNT],
}

impl Tlb {
    /// Counts of an origin and purpose.
    pub(crate) fn of(&self, origin: Origin, flush: Flush) -> Option<&Flushes> {
        self.origins.get(origin as usize)?.get(flush as usize)
    }

    /// Pages that an origin freed while flushes were counted.
    pub(crate) fn freed(&self, origin: Origin) -> u64 {
        self.freed.get(origin as usize).map_or(0, Cell64::get)
    }

    /// A window ends.
    pub(crate) fn window(&self, origin: Origin, freed: u64) {
        if let Some(n) = self.freed.get(origin as usize) {
            n.add(freed);
        }
    }
}
