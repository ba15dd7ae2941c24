// SPDX-License-Identifier: GPL-2.0

//! Stalls by the cgroup of the task: what is counted for one cgroup.

use crate::{
    kernel_ext::cell::Cell64,
    policy::log2,
    shim::stall::StallEnd,
    words::Cause, //
};

/// Number of counts: stalls, nanoseconds, nanoseconds by cause, and the histogram.
pub(crate) const COUNTS: usize = 2 + Cause::COUNT + log2::BUCKETS;

/// Stalls by cgroup. The heaviest cgroups are those that lost most time.
pub(crate) type StallCgroups = crate::ledgers::cgroups::Cgroups<COUNTS>;

/// Splits counts into stalls and nanoseconds, nanoseconds by cause, and the histogram.
fn split<T>(counts: &[T; COUNTS]) -> (&[T], &[T], &[T]) {
    let part = |range: core::ops::Range<usize>| counts.get(range).unwrap_or(&[]);
    (
        part(0..2),
        part(2..2 + Cause::COUNT),
        part(2 + Cause::COUNT..COUNTS),
    )
}

/// Adds a stall.
pub(super) fn add(counts: &[Cell64; COUNTS], stall: &StallEnd) {
    let (sums, parts, hist) = split(counts);
    for (sum, n) in sums.iter().zip([1, stall.ns]) {
        sum.add(n);
    }
    for (part, &ns) in parts.iter().zip(&stall.parts) {
        if ns != 0 {
            part.add(ns);
        }
    }
    if let Some(cell) = hist.get(log2::bucket(stall.ns / 1000)) {
        cell.add(1);
    }
}

/// The counts of a cgroup.
pub(crate) struct CgroupStalls<'a> {
    /// Number of stalls.
    pub(crate) stalls: u64,
    /// Nanoseconds of all stalls.
    pub(crate) ns: u64,
    /// Nanoseconds by cause.
    pub(crate) parts: &'a [u64],
    /// Stalls by microseconds, log2.
    pub(crate) hist: &'a [u64],
}

impl<'a> CgroupStalls<'a> {
    /// Splits the counts of a cgroup.
    pub(crate) fn new(counts: &'a [u64; COUNTS]) -> Self {
        let (sums, parts, hist) = split(counts);
        let sum = |at: usize| sums.get(at).copied().unwrap_or(0);
        Self {
            stalls: sum(0),
            ns: sum(1),
            parts,
            hist,
        }
    }
}
