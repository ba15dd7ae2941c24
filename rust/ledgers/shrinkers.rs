// SPDX-License-Identifier: GPL-2.0

//! The shrinker ledger: who calls which shrinker, for how much time and how many objects;
//! work that is put off, and who does it later; calls of one shrinker at the same time.
//!
//! A call is followed in a table by task, and added to the table of its CPU, with preemption
//! off, when it returns. Shared by CPUs are only the keys of the table by task, and a counter
//! for each shrinker, node and cgroup that are being called.

use crate::{
    kernel_ext::{
        percpu::Pinned,
        system, //
    },
    ledgers::cgroups::{
        CgroupLoss,
        Cgroups,
        Known,
        Subject,
        Totals, //
    },
    policy::{
        cgroup_key::CgroupKey,
        shrink::{
            self,
            ScanPlan,
            Settled, //
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

use running::Calls;

/// Rows of a CPU, one for each shrinker, origin, cgroup and node; fewer where there are many CPUs.
pub(crate) const ROWS: usize = 512;

/// A call that goes on.
#[derive(Clone, Copy)]
struct Call {
    shrink: Shrink,
    origin: Origin,
    began: u64,
    /// When it began to scan, and what it had to do.
    scan: Option<(u64, ScanPlan)>,
    /// What it scanned and freed.
    done: (Settled, u64),
    /// Others were in the same shrinker, for the same node and cgroup.
    overlaps: bool,
    /// Pages of slabs that its reclaim had freed before.
    reclaimed: u64,
    /// Calls within it that go on.
    nested: u32,
}

/// Words of a name.
const NAME: usize = NAME_LEN / 8;

/// What a row tells of its calls: shrinker, origin, cgroup and node, and the shrinker's name.
const DETAILS: usize = 4 + NAME;

/// The heaviest are those that took most time. A shrinker that goes may leave its address to
/// another one, but hardly its name's address, too: the key has both.
type ShrinkerRows = Cgroups<{ ShrinkerCount::COUNT }, DETAILS>;

/// What calls of one shrinker, origin, cgroup and node came to.
pub(crate) type ShrinkerTotals = Totals<{ ShrinkerCount::COUNT }, DETAILS>;

/// A call that returned, as it is added to a row: by [`ShrinkerCount`].
type CallTotals = [u64; ShrinkerCount::COUNT];

/// Which calls a row counts.
pub(crate) struct ShrinkerCalls {
    /// For whose sake the shrinker was called.
    pub(crate) origin: Option<Origin>,
    /// The cgroup that was to shrink.
    pub(crate) cgroup: CgroupKey,
    /// Its node.
    pub(crate) node: u64,
    /// The shrinker's name, NUL-terminated.
    pub(crate) name: [u8; NAME_LEN],
}

impl ShrinkerCalls {
    /// From what a row tells.
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

    /// What a row is to tell.
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

/// All of it.
pub(crate) struct Shrinkers {
    calls: Tasks<Call>,
    rows: ShrinkerRows,
    running: Calls,
}

impl Shrinkers {
    /// Allocates, for `tasks` that can be in a shrinker at once, a power of two. Sleeps.
    pub(crate) fn new(tasks: usize, known: Arc<Known>) -> Result<Self> {
        let none = Call {
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
            running: Calls::new()?,
        })
    }

    /// A task begins to call a shrinker; false if there is no room to follow that.
    pub(crate) fn begin(
        &self,
        pin: &Pinned<'_>,
        task: usize,
        shrink: Shrink,
        origin: Origin,
        now: u64,
    ) -> bool {
        // One that a shrinker's own allocation led to counts as part of that.
        let nested = self.calls.with(pin, task, |call| {
            call.nested = call.nested.saturating_add(1);
        });
        if nested.is_some() {
            return true;
        }
        let call = Call {
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

    /// It has counted, and begins to scan.
    pub(crate) fn scans(&self, pin: &Pinned<'_>, task: usize, work: ScanPlan, now: u64) {
        self.calls.with(pin, task, |call| {
            if call.nested == 0 {
                call.scan = Some((now, work));
            }
        });
    }

    /// It has scanned; `left` of what it had planned is left, or it scanned more.
    pub(crate) fn scanned(&self, pin: &Pinned<'_>, task: usize, left: i64, freed: u64) {
        self.calls.with(pin, task, |call| {
            if let Some((_, work)) = call.scan.filter(|_| call.nested == 0) {
                call.done = (work.settle(left), freed);
            }
        });
    }

    /// It returns.
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

    /// What all CPUs counted. Process context; sleeps.
    pub(crate) fn totals(&self) -> Result<ShrinkerTotals> {
        self.rows.totals()
    }

    /// Forgets the calls that are under way.
    pub(crate) fn clear(&self) {
        self.calls.clear();
        self.running.clear();
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        [self.calls.bytes(), self.rows.bytes(), self.running.bytes()]
            .into_iter()
            .fold(0, usize::saturating_add)
    }
}
