// SPDX-License-Identifier: GPL-2.0

//! The shrinker ledger: for which reclaim a shrinker is called, and the time and the objects of the
//! calls; work that is put off, and the calls that do it later; calls of one shrinker at the same
//! time.
//!
//! The return of do_shrink_slab() is not probed, because that costs more than most calls. If a call
//! finds objects, an event tells when it begins to scan, and another one when it is through. If it
//! finds none, it returns, and nothing tells that. It is then taken to last until its task calls
//! the next shrinker, takes folios from a list, or ends the window.
//!
//! A call is noted in the slot of its task, in which it is ended, too, and then added to the table
//! of its CPU, with preemption off. A task outside of a window (drop_caches) has no slot, and
//! nothing would end the last of its calls. So each of its calls is counted at once as one that
//! finds nothing and takes no time, and is corrected when it is through with scanning.
//!
//! CPUs share only a counter for each shrinker, node and cgroup for which there is a call, the
//! table of cgroups that have rows, and the table of calls outside of windows.

use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::Pinned,
        system, //
    },
    ledgers::{
        cgroups::{
            CgroupLoss,
            Cgroups,
            KnownCgroups,
            Subject,
            Totals, //
        },
        windows::Slot, //
    },
    policy::{
        cgroup_key::CgroupKey,
        shrink::{
            self,
            ScanPlan, //
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
use pin_init::Zeroable;

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
    /// When it began, in nanoseconds.
    began: u64,
    /// When the shrinker began to scan, in nanoseconds, and what it had to do.
    scan: Option<(u64, ScanPlan)>,
    /// Whether other tasks were in the same shrinker, for the same node and cgroup.
    overlaps: bool,
    /// Slab pages with which the task's reclaim had been credited before.
    reclaimed: u64,
}

impl OpenCall {
    fn new(shrink: Shrink, origin: Origin, began: u64) -> Self {
        Self {
            shrink,
            origin,
            began,
            scan: None,
            overlaps: false,
            reclaimed: 0,
        }
    }
}

/// The call of a shrinker that goes on, or that ended without telling, in the slot of its task.
#[derive(Zeroable)]
pub(super) struct SlotCall {
    /// When it began, in nanoseconds; 0 if there is none.
    began: Cell64,
    /// When the shrinker began to scan, in nanoseconds; 0 if it did not.
    scan_began: Cell64,
    // What is called, and for what.
    shrinker: Cell64,
    name: Cell64,
    cgroup: Cell64,
    /// The node, with the flags in the lower half.
    place: Cell64,
    origin: Cell64,
    // What it has to do.
    own: Cell64,
    planned: Cell64,
    least: Cell64,
    /// Whether others were inside: 0 or 1.
    overlaps: Cell64,
    reclaimed: Cell64,
}

impl SlotCall {
    /// Whether a call began, and has not ended as far as is known.
    #[inline(always)]
    fn is_open(&self) -> bool {
        self.began.get() != 0
    }

    /// Whether that call did not begin to scan.
    #[inline(always)]
    pub(super) fn may_be_over(&self) -> bool {
        self.is_open() && self.scan_began.get() == 0
    }

    fn begin(&self, call: &OpenCall) {
        let shrink = &call.shrink;
        self.shrinker.set(shrink.shrinker as u64);
        self.name.set(shrink.name);
        self.cgroup.set(shrink.cgroup);
        self.place
            .set(u64::from(shrink.nid) << 32 | u64::from(shrink.flags));
        self.origin.set(call.origin as u64);
        self.overlaps.set(call.overlaps.into());
        self.scan_began.set(0);
        self.began.set(call.began.max(1));
    }

    fn begin_scan(&self, plan: &ScanPlan, now: u64) {
        self.own.set(plan.own);
        self.planned.set(plan.planned);
        self.least.set(plan.least);
        self.reclaimed.set(system::reclaimed());
        self.scan_began.set(now.max(1));
    }

    /// Takes the call out; `None` if there is none.
    fn take(&self) -> Option<OpenCall> {
        let began = self.began.get();
        if began == 0 {
            return None;
        }
        self.began.set(0);
        let place = self.place.get();
        let scan_began = self.scan_began.get();
        let plan = ScanPlan {
            own: self.own.get(),
            planned: self.planned.get(),
            least: self.least.get(),
        };
        let origin = u8::try_from(self.origin.get()).ok();
        Some(OpenCall {
            shrink: Shrink {
                shrinker: self.shrinker.get() as usize,
                name: self.name.get(),
                cgroup: self.cgroup.get(),
                nid: (place >> 32) as u32,
                gfp: 0,
                flags: place as u32,
            },
            origin: origin.and_then(Origin::from_u8).unwrap_or(Origin::Other),
            began,
            scan: (scan_began != 0).then_some((scan_began, plan)),
            overlaps: self.overlaps.get() != 0,
            reclaimed: self.reclaimed.get(),
        })
    }

    /// Forgets the call.
    pub(super) fn clear(&self) {
        self.began.set(0);
    }
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
    /// Calls of tasks outside of windows that scan.
    calls: Tasks<OpenCall>,
    rows: ShrinkerRows,
    running: RunningCalls,
}

impl Shrinkers {
    /// Allocates the ledger for `tasks` tasks, a power of two, that can be in a shrinker outside of
    /// a window at the same time. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(tasks: usize, known: Arc<KnownCgroups>) -> Result<Self> {
        let none = OpenCall::new(pin_init::zeroed(), Origin::Other, 0);
        Ok(Self {
            calls: Tasks::new(tasks, none)?,
            rows: ShrinkerRows::with_rows(ROWS, known)?,
            running: RunningCalls::new()?,
        })
    }

    /// Notes that the current task calls a shrinker. `slot` is that of the task, if it is inside a
    /// window. Returns what could not be kept apart, of the call before.
    pub(crate) fn begin(
        &self,
        pin: &Pinned<'_>,
        slot: Option<&Slot>,
        shrink: Shrink,
        origin: Origin,
        now: u64,
    ) -> CgroupLoss {
        let mut call = OpenCall::new(shrink, origin, now);
        let Some(slot) = slot else {
            return self.count(pin, &call, &Self::totals_of_empty(&call, 0), 0, false);
        };
        let not_kept = self.end_untold(pin, slot, now);
        call.overlaps = self.running.enter(&call.shrink);
        slot.shrink.begin(&call);
        not_kept
    }

    /// Notes that the shrinker has counted its objects, and begins to scan them. `shrink` tells
    /// what is called. Returns false if there is no room to follow the call.
    pub(crate) fn begin_scan(
        &self,
        pin: &Pinned<'_>,
        slot: Option<&Slot>,
        task: usize,
        shrink: impl FnOnce() -> Shrink,
        plan: ScanPlan,
        now: u64,
    ) -> bool {
        if let Some(slot) = slot {
            // Without a call, the task was inside it when the probes were attached.
            if slot.shrink.is_open() {
                slot.shrink.begin_scan(&plan, now);
            }
            return true;
        }
        let mut call = OpenCall::new(shrink(), Origin::Other, now);
        call.scan = Some((now, plan));
        call.reclaimed = system::reclaimed();
        // The end of an earlier call may not have been seen.
        if let Some(earlier) = self.calls.remove(pin, task) {
            self.running.leave(&earlier.shrink);
        }
        call.overlaps = self.running.enter(&call.shrink);
        let followed = self.calls.insert(pin, task, call);
        if !followed {
            self.running.leave(&call.shrink);
        }
        followed
    }

    /// Counts the call of the current task, which is through with scanning. `left` objects of its
    /// plan are left; if it is negative, more were scanned than planned. `freed` were freed.
    /// Returns what could not be kept apart.
    pub(crate) fn end_scan(
        &self,
        pin: &Pinned<'_>,
        slot: Option<&Slot>,
        task: usize,
        left: i64,
        freed: u64,
        now: u64,
    ) -> CgroupLoss {
        let call = match slot {
            Some(slot) => slot.shrink.take(),
            None if self.calls.is_empty() => None,
            None => self.calls.remove(pin, task),
        };
        let Some((call, scan)) = call.and_then(|call| Some((call, call.scan?))) else {
            return CgroupLoss::default();
        };
        self.running.leave(&call.shrink);
        let (scan_began, plan) = scan;
        let done = plan.settle(left);
        let nofs = !call.shrink.fs();
        let in_slot = slot.is_some();
        let counted: CallTotals = [
            in_slot.into(),
            0,
            (done.scanned == 0 && !done.refused).into(),
            done.refused.into(),
            call.overlaps.into(),
            done.scanned,
            freed,
            system::reclaimed().saturating_sub(call.reclaimed),
            scan_began.saturating_sub(call.began),
            now.saturating_sub(scan_began),
            done.deferred,
            if nofs && done.refused {
                done.deferred
            } else {
                0
            },
            done.paid,
            (nofs && in_slot).into(),
        ];
        let ns = now.saturating_sub(call.began);
        self.count(pin, &call, &counted, ns, !in_slot)
    }

    /// Counts the last call of a task that is inside a window, if it found no object, and so ended
    /// without telling. The task does something else since `now`. Returns what could not be kept
    /// apart.
    #[inline]
    pub(crate) fn end_untold(&self, pin: &Pinned<'_>, slot: &Slot, now: u64) -> CgroupLoss {
        if slot.shrink.is_open() {
            self.end_open(pin, slot, now)
        } else {
            CgroupLoss::default()
        }
    }

    #[inline(never)]
    fn end_open(&self, pin: &Pinned<'_>, slot: &Slot, now: u64) -> CgroupLoss {
        let Some(call) = slot.shrink.take() else {
            return CgroupLoss::default();
        };
        self.running.leave(&call.shrink);
        // The end of a scan was not seen, because the probes were switched meanwhile.
        if call.scan.is_some() {
            return CgroupLoss::default();
        }
        let ns = now.saturating_sub(call.began);
        self.count(pin, &call, &Self::totals_of_empty(&call, ns), ns, false)
    }

    /// Returns the counts of a call that found no object in `ns` nanoseconds.
    fn totals_of_empty(call: &OpenCall, ns: u64) -> CallTotals {
        let overlaps = call.overlaps.into();
        let nofs = (!call.shrink.fs()).into();
        [1, 1, 0, 0, overlaps, 0, 0, 0, ns, 0, 0, 0, 0, nofs]
    }

    /// Adds counts to the row of a call that took `ns` nanoseconds. `was_empty` means that it was
    /// counted as one without objects before, which is taken back. Returns what could not be kept
    /// apart.
    fn count(
        &self,
        pin: &Pinned<'_>,
        call: &OpenCall,
        counted: &CallTotals,
        ns: u64,
        was_empty: bool,
    ) -> CgroupLoss {
        let shrink = &call.shrink;
        let key = shrink::mix(&[
            shrink.shrinker as u64,
            shrink.name,
            shrink.cgroup_key().0,
            u64::from(shrink.nid) << 8 | call.origin as u64,
        ]);
        let subject = Subject {
            key: CgroupKey::new(key, true),
            cgroup: shrink.cgroup_key(),
            gone: shrink.cgroup_gone(),
        };
        let [calls, ..] = *counted;
        self.rows.count_of(
            pin,
            &subject,
            calls,
            ns,
            || ShrinkerCalls::details(shrink, call.origin),
            |cells, _| {
                // Most are 0, and are added without asking: that takes less than to ask.
                for (cell, &n) in cells.iter().zip(counted) {
                    cell.add(n);
                }
                let empty = cells.get(ShrinkerCount::Empty as usize);
                if let Some(empty) = empty.filter(|_| was_empty) {
                    // There is none if the probes were attached after the call began.
                    empty.set(empty.get().saturating_sub(1));
                }
            },
        )
    }

    /// Returns the sums of all CPUs. Process context; sleeps. Fails with `ENOMEM`, or with `EAGAIN`
    /// if rows were given away all the time.
    pub(crate) fn totals(&self) -> Result<ShrinkerTotals> {
        self.rows.totals()
    }

    /// Forgets the calls that go on. Those in slots must have been forgotten.
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
