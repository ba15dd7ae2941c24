// SPDX-License-Identifier: GPL-2.0

//! The TLB ledger: how often reclaim interrupts other CPUs to flush their TLBs, for clean folios
//! and for dirty ones, by origin.
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

/// The counts of one origin and purpose.
#[derive(Zeroable)]
pub(crate) struct Flushes {
    /// Flushes for which reclaim asked.
    pub(crate) asked: Cell64,
    /// Times that other CPUs were interrupted.
    pub(crate) ipis: Cell64,
    /// Nanoseconds that these flushes took.
    pub(crate) ns: Cell64,
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct Tlb {
    origins: [[Flushes; Flush::COUNT]; Origin::COUNT],
    /// Pages that were freed while flushes were counted.
    freed: [Cell64; Origin::COUNT],
}

impl Tlb {
    /// Returns the counts of an origin and purpose.
    pub(crate) fn of(&self, origin: Origin, flush: Flush) -> Option<&Flushes> {
        self.origins.get(origin as usize)?.get(flush as usize)
    }

    /// Returns the pages that an origin freed while flushes were counted.
    pub(crate) fn freed(&self, origin: Origin) -> u64 {
        self.freed.get(origin as usize).map_or(0, Cell64::get)
    }

    /// Counts the pages that were freed in a window that ends.
    pub(crate) fn window(&self, origin: Origin, freed: u64) {
        if let Some(n) = self.freed.get(origin as usize) {
            n.add(freed);
        }
    }
}
