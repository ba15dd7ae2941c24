// SPDX-License-Identifier: GPL-2.0

//! Waits by the cgroup of the task, and pages by their own cgroup: what is counted for one cgroup.

use crate::{
    kernel_ext::cell::Cell64,
    ledgers::cgroups::{
        CgroupCounts,
        CgroupLoss,
        Subject, //
    },
    policy::wait::IO_KINDS,
    shim::wait::WaitFacts,
    words::{
        Limit,
        WaitKind, //
    },
};
use core::ops::Range;

// These are the places of the counts: waits and nanoseconds by kind, what PSI counts, nanoseconds
// by limit for each kind that has one, and pages that came back.
const WAITS: Range<usize> = 0..WaitKind::COUNT;
const NS: Range<usize> = WAITS.end..WAITS.end + WaitKind::COUNT;
const PSI: Range<usize> = NS.end..NS.end + 1;
const LIMITS: Range<usize> = PSI.end..PSI.end + IO_KINDS * Limit::COUNT;
const PAGES: Range<usize> = LIMITS.end..LIMITS.end + 2;

/// Number of counts.
pub(crate) const COUNTS: usize = PAGES.end;

/// The weight of a page that came back, in nanoseconds. With it, a cgroup that reads its pages
/// again and again is heavier than others, though no task waits for them.
pub(crate) const PAGE_WEIGHT: u64 = 1000;

/// Waits by cgroup. The heaviest cgroups are those that waited longest. The detail is the cgroup
/// whose limit was reached last; 0 if there is none.
pub(crate) type WaitCgroups = crate::ledgers::cgroups::Cgroups<COUNTS, 1>;

/// Returns the place of a kind and limit in `LIMITS`; `None` if the kind has no limit.
fn of_limit(kind: WaitKind, limit: Limit) -> Option<usize> {
    let kind = Some(kind as usize).filter(|&kind| kind < IO_KINDS)?;
    Some(kind.wrapping_mul(Limit::COUNT).wrapping_add(limit as usize))
}

fn part<T>(counts: &[T; COUNTS], range: Range<usize>) -> &[T] {
    counts.get(range).unwrap_or(&[])
}

/// Returns the cgroup that a wait, or a page that came back, belongs to.
pub(super) fn subject(facts: &WaitFacts) -> Subject {
    Subject {
        key: facts.cgroup_key(),
        cgroup: facts.cgroup_key(),
        gone: facts.cgroup_gone(),
    }
}

/// Notes the cgroup whose limit was reached.
pub(super) fn limited_by(details: &[Cell64], facts: &WaitFacts) {
    if let Some(limited) = details.first().filter(|_| facts.limited != 0) {
        limited.set(facts.limited);
    }
}

/// Adds waits of `ns` nanoseconds in all.
pub(super) fn add(
    counts: &[Cell64; COUNTS],
    kind: WaitKind,
    facts: &WaitFacts,
    ns: u64,
    psi_ns: u64,
) {
    let add = |range, at: usize, n: u64| {
        if let Some(cell) = part(counts, range).get(at) {
            cell.add(n);
        }
    };
    add(WAITS, kind as usize, facts.stands_for.into());
    add(NS, kind as usize, ns);
    add(PSI, 0, psi_ns);
    if let Some(at) = of_limit(kind, facts.limit()) {
        add(LIMITS, at, ns);
    }
}

/// Adds pages that came back.
pub(super) fn add_refault(counts: &[Cell64; COUNTS], facts: &WaitFacts) {
    if let Some(cell) = part(counts, PAGES).get(usize::from(facts.file())) {
        cell.add(facts.stands_for.into());
    }
}

/// The counts of a cgroup.
pub(crate) struct CgroupWaits<'a>(pub(crate) &'a [u64; COUNTS]);

impl CgroupWaits<'_> {
    fn at(&self, range: Range<usize>, at: usize) -> u64 {
        part(self.0, range).get(at).copied().unwrap_or(0)
    }

    /// Returns the number of waits of a kind, and their nanoseconds.
    pub(crate) fn kind(&self, kind: WaitKind) -> (u64, u64) {
        (self.at(WAITS, kind as usize), self.at(NS, kind as usize))
    }

    /// Returns the part of all waits that PSI counts, in nanoseconds.
    pub(crate) fn psi_ns(&self) -> u64 {
        self.at(PSI, 0)
    }

    /// Returns the nanoseconds of a kind of waits because of a limit.
    pub(crate) fn limit(&self, kind: WaitKind, limit: Limit) -> u64 {
        of_limit(kind, limit).map_or(0, |at| self.at(LIMITS, at))
    }

    /// Returns the pages of files, or of other memory, that came back.
    pub(crate) fn refaults(&self, file: bool) -> u64 {
        self.at(PAGES, usize::from(file))
    }
}

/// Returns the cgroup whose limit was reached last; 0 if there is none.
pub(crate) fn limited(total: &CgroupCounts<COUNTS, 1>) -> u64 {
    let [limited] = total.details;
    limited
}

/// The parts of a wait that [`Waits::close`] could not record.
///
/// [`Waits::close`]: super::Waits::close
#[derive(Default)]
pub(crate) struct WaitLoss {
    /// The loss because the cgroup had no row.
    pub(crate) cgroup: CgroupLoss,
    /// Whether the name of the task found no room.
    pub(crate) task: bool,
}
