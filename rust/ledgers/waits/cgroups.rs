// SPDX-License-Identifier: GPL-2.0

//! Waits by the cgroup of the task, and pages by their own: what is counted of one.

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

// Where the counts are: waits and nanoseconds by kind, what PSI counts, nanoseconds by limit of
// each kind that has one, and pages that came back.
const WAITS: Range<usize> = 0..WaitKind::COUNT;
const NS: Range<usize> = WAITS.end..WAITS.end + WaitKind::COUNT;
const PSI: Range<usize> = NS.end..NS.end + 1;
const LIMITS: Range<usize> = PSI.end..PSI.end + IO_KINDS * Limit::COUNT;
const PAGES: Range<usize> = LIMITS.end..LIMITS.end + 2;

/// How many counts there are.
pub(crate) const COUNTS: usize = PAGES.end;

/// What a page that came back weighs, in nanoseconds: a cgroup that reads its pages again and
/// again is told from others though nobody waits for them.
pub(crate) const PAGE_WEIGHT: u64 = 1000;

/// By cgroup; the heaviest are those that waited longest. The detail is the cgroup whose limit
/// was reached last; 0 for none.
pub(crate) type WaitCgroups = crate::ledgers::cgroups::Cgroups<COUNTS, 1>;

/// Which of the limits' counts.
fn of_limit(kind: WaitKind, limit: Limit) -> Option<usize> {
    let kind = Some(kind as usize).filter(|&kind| kind < IO_KINDS)?;
    Some(kind.wrapping_mul(Limit::COUNT).wrapping_add(limit as usize))
}

fn part<T>(counts: &[T; COUNTS], range: Range<usize>) -> &[T] {
    counts.get(range).unwrap_or(&[])
}

/// The cgroup that a wait, or a page, is of.
pub(super) fn subject(facts: &WaitFacts) -> Subject {
    Subject {
        key: facts.cgroup_key(),
        cgroup: facts.cgroup_key(),
        gone: facts.cgroup_gone(),
    }
}

/// Notes whose limit was reached.
pub(super) fn limited_by(details: &[Cell64], facts: &WaitFacts) {
    if let Some(limited) = details.first().filter(|_| facts.limited != 0) {
        limited.set(facts.limited);
    }
}

/// Adds so many waits, of `ns` in all.
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

/// What was counted.
pub(crate) struct CgroupWaits<'a>(pub(crate) &'a [u64; COUNTS]);

impl CgroupWaits<'_> {
    fn at(&self, range: Range<usize>, at: usize) -> u64 {
        part(self.0, range).get(at).copied().unwrap_or(0)
    }

    /// Waits of one kind, and their nanoseconds.
    pub(crate) fn kind(&self, kind: WaitKind) -> (u64, u64) {
        (self.at(WAITS, kind as usize), self.at(NS, kind as usize))
    }

    /// What PSI counts of all, in nanoseconds.
    pub(crate) fn psi_ns(&self) -> u64 {
        self.at(PSI, 0)
    }

    /// Nanoseconds of a kind that are because of a limit.
    pub(crate) fn limit(&self, kind: WaitKind, limit: Limit) -> u64 {
        of_limit(kind, limit).map_or(0, |at| self.at(LIMITS, at))
    }

    /// Pages that came back, of files or not.
    pub(crate) fn refaults(&self, file: bool) -> u64 {
        self.at(PAGES, usize::from(file))
    }
}

/// The cgroup whose limit was reached last; 0 for none.
pub(crate) fn limited(total: &CgroupCounts<COUNTS, 1>) -> u64 {
    let [limited] = total.details;
    limited
}

/// What [`Waits::close`] could not do.
///
/// [`Waits::close`]: super::Waits::close
#[derive(Default)]
pub(crate) struct WaitLoss {
    /// For want of rows of cgroups.
    pub(crate) cgroup: CgroupLoss,
    /// No room for the task's name.
    pub(crate) task: bool,
}
