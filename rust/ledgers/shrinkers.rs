// SPDX-License-Identifier: GPL-2.0

//! The shrinker ledger: for which reclaim a shrinker is called, and the time and the objects of the
//! calls; work that is put off, and the calls that do it later; calls of one shrinker at the same
//! time.
//!
//! A call is followed in a table by task. When it returns, it is added to the table of its CPU,
//! with preemption off. CPUs share only the keys of the table by task, a counter for each shrinker,
//! node and cgroup for which there is a call, and the table of cgroups that have rows.

use crate::{
    kernel_ext::{
        percpu::Pinned,
        system, //
    },
    ledgers::cgroups::{
        CgroupLoss,
        Cgroups,
        KnownCgroups,
        Subject,
        Totals, //
    },
    policy::{
        cgroup_key::CgroupKey,
        shrink::{
            self,
            ScanPlan,
            ScanResult, //
        },
    },
    shim::function::{
        Shrink,
        NAME_LEN, //
    },
    tables::tasks::Tasks,
    words::{
        Origin,
        ShrinkerCount, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

mod running;

use running::RunningCalls;

/// Number of rows of each CPU, for shrinker, origin, cgroup and node. With many CPUs there are
/// fewer.
pub(crate) const ROWS: usize = 512;

/// A call that goes on.
#[derive(Clone, Copy)]
struct OpenCall {
    shrink: Shrink,
    origin: Origin,
    began: u64,
    /// When the shrinker began to scan, in nanoseconds, and what it had to do.
    scan: Option<(u64, ScanPlan)>,
    /// The outcome of the scan, and the number of objects that were freed.
    done: (ScanResult, u64),
    /// Whether other tasks were in the same shrinker, for the same node and cgroup.
    overlaps: bool,
    /// Slab pages with which the task's reclaim had been credited before.
    reclaimed: u64,
    /// Number of calls inside this one that go on.
    nested: u32,
}

/// Number of words in a name.
const NAME: usize = NAME_LEN / 8;

/// Number of details of a row: shrinker, origin, cgroup and node, and the words of the shrinker's
/// name.
const DETAILS: usize = 4 + NAME;

/// The heaviest rows are those of calls that took most time. When a shrinker goes, another one may
/// get its address, but hardly the address of its name, too. The key is made of both.
type ShrinkerRows = Cgroups<{ ShrinkerCount::COUNT }, DETAILS>;

/// The sums of all CPUs for each shrinker, origin, cgroup and node.
pub(crate) type ShrinkerTotals = Totals<{ ShrinkerCount::COUNT }, DETAILS>;

/// The counts that a call adds to a row when it returns, by [`ShrinkerCount`].
type CallTotals = [u64; ShrinkerCount::COUNT];

/// The calls that a row counts.
pub(crate) struct ShrinkerCalls {
    /// The origin of the reclaim that called the shrinker.
    pub(crate) origin: Option<Origin>,
    /// The cgroup that was to shrink.
    pub(crate) cgroup: CgroupKey,
    /// The node that was to shrink.
    pub(crate) node: u64,
    /// The name of the shrinker, NUL-terminated.
    pub(crate) name: [u8; NAME_LEN],
}

impl ShrinkerCalls {
    /// Converts the details of a row.
    pub(crate) fn new(details: &[u64; DETAILS]) -> Self {
        let [_, origin, cgroup, node, words @ ..] = details;
        let mut name = [0; NAME_LEN];
        let bytes = words.iter().flat_map(|word| word.to_ne_bytes());
        for (to, from) in name.iter_mut().zip(bytes) {
            *to = from;
        }
        Self {
            origin: u8::try_from(*origin).ok().and_then(Origin::from_u8),
            cgroup: CgroupKey(*cgroup),
            node: *node,
            name,
        }
    }

    /// Returns the details of a row.
    fn details(shrink: &Shrink, origin: Origin) -> [u64; DETAILS] {
        let mut details = [0; DETAILS];
        let [shrinker, of, cgroup, node, words @ ..] = &mut details;
        *shrinker = shrink.shrinker as u64;
        *of = origin as u64;
        *cgroup = shrink.cgroup_key().0;
        *node = shrink.nid.into();
        for (to, from) in words.iter_mut().zip(shrink.name_text().chunks_exact(8)) {
            *to = from.try_into().map_or(0, u64::from_ne_bytes);
        }
        details
    }
}

/// The ledger of shrinkers.
pub(crate) struct Shrinkers {
    calls: Tasks<OpenCall>,
    rows: ShrinkerRows,
    running: RunningCalls,
}

impl Shrinkers {
    /// Allocates the ledger for `tasks` tasks, a power of two, that can be in a shrinker at the
    /// same time. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(tasks: usize, known: Arc<KnownCgroups>) -> Result<Self> {
        let none = OpenCall {
            shrink: pin_init::zeroed(),
            origin: Origin::Other,
            began: 0,
            scan: None,
            done: Default::default(),
            nested: 0,
            overlaps: false,
            reclaimed: 0,
        };
        Ok(Self {
            calls: Tasks::new(tasks, none)?,
            rows: ShrinkerRows::with_rows(ROWS, known)?,
            running: RunningCalls::new()?,
        })
    }

    /// Notes that a task calls a shrinker. Returns false if there is no room to follow the call.
    pub(crate) fn begin(
        &self,
        pin: &Pinned<'_>,
        task: usize,
        shrink: Shrink,
        origin: Origin,
        now: u64,
    ) -> bool {
        // A call that results from an allocation of the shrinker counts as part of the outer call.
        let nested = self.calls.with(pin, task, |call| {
            call.nested = call.nested.saturating_add(1);
        });
        if nested.is_some() {
            return true;
        }
        let call = OpenCall {
            shrink,
            origin,
            began: now,
            scan: None,
            done: Default::default(),
            nested: 0,
            overlaps: self.running.enter(&shrink),
            reclaimed: system::reclaimed(),
        };
        let followed = self.calls.insert(pin, task, call);
        if !followed {
            self.running.leave(&shrink);
        }
        followed
    }

    /// Notes that the shrinker has counted its objects, and begins to scan them.
    pub(crate) fn record_scan_begin(
        &self,
        pin: &Pinned<'_>,
        task: usize,
        work: ScanPlan,
        now: u64,
    ) {
        self.calls.with(pin, task, |call| {
            if call.nested == 0 {
                call.scan = Some((now, work));
            }
        });
    }

    /// Notes that the shrinker has scanned. `left` objects of its plan are left; if it is negative,
    /// more were scanned than planned.
    pub(crate) fn record_scan_end(&self, pin: &Pinned<'_>, task: usize, left: i64, freed: u64) {
        self.calls.with(pin, task, |call| {
            if let Some((_, work)) = call.scan.filter(|_| call.nested == 0) {
                call.done = (work.settle(left), freed);
            }
        });
    }

    /// Counts a call that returns. Returns what could not be kept apart.
    pub(crate) fn end(&self, pin: &Pinned<'_>, task: usize, now: u64) -> CgroupLoss {
        let nested = self.calls.with(pin, task, |call| {
            let nested = call.nested;
            call.nested = nested.saturating_sub(1);
            nested
        });
        if nested != Some(0) {
            return CgroupLoss::default();
        }
        let Some(call) = self.calls.remove(pin, task) else {
            return CgroupLoss::default();
        };
        self.running.leave(&call.shrink);
        let (done, freed) = call.done;
        let counting = call.scan.map_or(now, |(began, _)| began);
        let nofs = !call.shrink.fs();
        let counted: CallTotals = [
            1,
            call.scan.is_none().into(),
            (call.scan.is_some() && done.scanned == 0 && !done.refused).into(),
            done.refused.into(),
            call.overlaps.into(),
            done.scanned,
            freed,
            system::reclaimed().saturating_sub(call.reclaimed),
            counting.saturating_sub(call.began),
            now.saturating_sub(counting),
            done.deferred,
            if nofs && done.refused {
                done.deferred
            } else {
                0
            },
            done.paid,
            nofs.into(),
        ];
        let shrink = &call.shrink;
        let key = shrink::mix(&[
            shrink.shrinker as u64,
            shrink.name,
            shrink.cgroup_key().0,
            call.origin as u64,
            shrink.nid.into(),
        ]);
        let subject = Subject {
            key: CgroupKey::new(key, true),
            cgroup: shrink.cgroup_key(),
            gone: shrink.cgroup_gone(),
        };
        self.rows.count_of(
            pin,
            &subject,
            1,
            now.saturating_sub(call.began),
            || ShrinkerCalls::details(shrink, call.origin),
            |cells, _| {
                for (cell, &n) in cells.iter().zip(&counted) {
                    if n != 0 {
                        cell.add(n);
                    }
                }
            },
        )
    }

    /// Returns the sums of all CPUs. Process context; sleeps. Fails with `ENOMEM`, or with `EAGAIN`
    /// if rows were given away all the time.
    pub(crate) fn totals(&self) -> Result<ShrinkerTotals> {
        self.rows.totals()
    }

    /// Forgets the calls that go on.
    pub(crate) fn clear(&self) {
        self.calls.clear();
        self.running.clear();
    }

    /// Returns the memory that the ledger takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        [self.calls.bytes(), self.rows.bytes(), self.running.bytes()]
            .into_iter()
            .fold(0, usize::saturating_add)
    }
}
