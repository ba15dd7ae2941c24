// SPDX-License-Identifier: GPL-2.0

//! The ledger of waits: the waits of tasks for which memory is to blame, and how much of them PSI
//! counts; the pages that came back.
//!
//! A wait that goes on is kept in a table by task, and only its task touches the entry. A wait that
//! ended is added to the instance of its CPU, with preemption off. Readers merge the instances.
//! What an allocation does while it stalls is in a ledger of its own: [`crate::ledgers::stalls`].
//!
//! Context: the task that waits. The exception is [`Waits::add_for_task`] for a read of swap, which
//! may end in any context.

mod cgroups;

pub(crate) use cgroups::{
    limited,
    CgroupWaits,
    WaitCgroups,
    WaitLoss,
    COUNTS, //
};

use crate::{
    kernel_ext::{
        cell::{
            peek,
            Cell64, //
        },
        percpu::{
            PerCpu,
            Pinned, //
        },
        system, //
    },
    ledgers::cgroups::{
        CgroupLoss,
        KnownCgroups, //
    },
    policy::wait::{
        Wait,
        IO_KINDS, //
    },
    shim::wait::WaitFacts,
    tables::{
        hist::Hist,
        names::{
            NameCounts,
            TaskNames, //
        },
        tasks::Tasks, //
    },
    words::{
        Limit,
        WaitKind, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};
use pin_init::Zeroable;

/// The most devices that a CPU tells apart.
const DEVICES: usize = 16;

/// The most swap areas. MAX_SWAPFILES is less.
const AREAS: usize = 32;

/// A wait that goes on.
#[derive(Clone, Copy)]
pub(crate) struct OpenWait {
    /// When it began, and for what the task waits.
    pub(crate) wait: Wait,
    facts: WaitFacts,
}

impl OpenWait {
    /// Begins a wait.
    pub(crate) fn new(wait: Wait, facts: WaitFacts) -> Self {
        Self { wait, facts }
    }
}

/// The sum of several waits.
#[derive(Zeroable)]
struct WaitSum {
    waits: Cell64,
    ns: Cell64,
}

impl WaitSum {
    fn add(&self, waits: u64, ns: u64) {
        self.waits.add(waits);
        self.ns.add(ns);
    }
}

/// The instance of a CPU, for one kind.
#[derive(Zeroable)]
pub(crate) struct KindWaits {
    /// Number of waits.
    pub(crate) waits: Cell64,
    /// Nanoseconds of all waits.
    pub(crate) ns: Cell64,
    /// The part of these that PSI counts, in nanoseconds.
    pub(crate) psi_ns: Cell64,
    /// Nanoseconds of the longest wait.
    pub(crate) longest_ns: Cell64,
    limits: [Cell64; Limit::COUNT],
    /// Waits by microseconds, log2.
    pub(crate) hist: Hist,
}

impl KindWaits {
    /// Returns the nanoseconds of waits because of a limit.
    pub(crate) fn limit(&self, limit: Limit) -> u64 {
        self.limits.get(limit as usize).map_or(0, Cell64::get)
    }
}

/// The waits for a device.
#[derive(Zeroable)]
struct DeviceWaits {
    /// The device number, plus 1; 0 if the row is free.
    key: Cell64,
    kinds: [WaitSum; IO_KINDS],
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct WaitCounts {
    kinds: [KindWaits; WaitKind::COUNT],
    refaults: Refaults,
    devices: [DeviceWaits; DEVICES],
    /// Nanoseconds of waits for devices that found no row.
    other_devices: Cell64,
}

impl WaitCounts {
    /// Returns the counts of a kind.
    pub(crate) fn kind(&self, kind: WaitKind) -> Option<&KindWaits> {
        self.kinds.get(kind as usize)
    }

    /// Returns the pages of files, or of other memory, that came back after a limit was reached.
    pub(crate) fn refaults(&self, file: bool, limit: Limit) -> u64 {
        self.refaults.of(file, limit).map_or(0, Cell64::get)
    }

    fn device(&self, device: u32) -> Option<&DeviceWaits> {
        let key = u64::from(device).wrapping_add(1);
        for row in &self.devices {
            if row.key.get() == 0 {
                row.key.set(key);
            }
            if row.key.get() == key {
                return Some(row);
            }
        }
        None
    }
}

/// The pages that came back.
#[derive(Zeroable)]
struct Refaults {
    anon: [Cell64; Limit::COUNT],
    file: [Cell64; Limit::COUNT],
}

impl Refaults {
    fn of(&self, file: bool, limit: Limit) -> Option<&Cell64> {
        let limits = if file { &self.file } else { &self.anon };
        limits.get(limit as usize)
    }

    fn add(&self, facts: &WaitFacts) {
        if let Some(n) = self.of(facts.file(), facts.limit()) {
            n.add(facts.stands_for.into());
        }
    }
}

/// The ledger of waits.
pub(crate) struct Waits {
    /// Waits that go on.
    pub(crate) open: Tasks<OpenWait>,
    /// Waits by kind and by device.
    pub(crate) counts: PerCpu<WaitCounts>,
    /// Waits and pages that came back, by cgroup.
    pub(crate) cgroups: WaitCgroups,
    tasks: [TaskNames; IO_KINDS],
    /// The device of each swap area to which something has been written; 0 if not known.
    areas: [Atomic<u32>; AREAS],
}

impl Waits {
    /// Allocates the ledger for `tasks` tasks, a power of two, that can wait at the same time.
    /// Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(tasks: usize, known: Arc<KnownCgroups>) -> Result<Self> {
        let none = OpenWait::new(Wait::new(WaitKind::Unexplained, 0), pin_init::zeroed());
        Ok(Self {
            open: Tasks::new(tasks, none)?,
            counts: PerCpu::new()?,
            cgroups: WaitCgroups::new(known)?,
            tasks: [TaskNames::new()?, TaskNames::new()?, TaskNames::new()?],
            areas: [const { Atomic::new(0) }; AREAS],
        })
    }

    /// Notes that a swap area is on a device, because something is written to it.
    pub(crate) fn set_area_device(&self, area: usize, device: u32) {
        if let Some(there) = self.areas.get(area) {
            if peek(there) != device {
                there.store(device, Relaxed);
            }
        }
    }

    /// Counts a wait of the current task, which ended at `now`.
    pub(crate) fn close(&self, pin: &Pinned<'_>, open: &OpenWait, now: u64) -> WaitLoss {
        let (ns, psi_ns) = open.wait.ended(now);
        self.add(pin, open.wait.kind(), &open.facts, ns, psi_ns)
    }

    /// Counts a wait of the current task, which took `ns` nanoseconds. If the wait stands for
    /// others, it is counted as often, because they took as long. `psi_ns`, the part that PSI
    /// counts, is added only once, because it is measured for all of them.
    pub(crate) fn add(
        &self,
        pin: &Pinned<'_>,
        kind: WaitKind,
        facts: &WaitFacts,
        ns: u64,
        psi_ns: u64,
    ) -> WaitLoss {
        self.add_for_task(pin, system::comm(), kind, facts, ns, psi_ns)
    }

    /// Like [`Self::add`], for a task with this name, which may be another task.
    pub(crate) fn add_for_task(
        &self,
        pin: &Pinned<'_>,
        comm: [u8; system::COMM_LEN],
        kind: WaitKind,
        facts: &WaitFacts,
        ns: u64,
        psi_ns: u64,
    ) -> WaitLoss {
        let counts = self.counts.this(pin);
        let waits = u64::from(facts.stands_for);
        let (one, ns) = (ns, ns.saturating_mul(waits));
        if let Some(by) = counts.kind(kind) {
            by.waits.add(waits);
            by.ns.add(ns);
            by.psi_ns.add(psi_ns);
            by.longest_ns.raise(one);
            by.hist.add(one / 1000, waits);
            if (kind as usize) < IO_KINDS {
                if let Some(n) = by.limits.get(facts.limit() as usize) {
                    n.add(ns);
                }
            }
        }
        self.device(counts, kind, facts, ns);
        let task = self
            .tasks
            .get(kind as usize)
            .is_none_or(|names| names.note_task(pin, comm, waits, ns));
        let subject = cgroups::subject(facts);
        WaitLoss {
            cgroup: self.cgroups.count_of(
                pin,
                &subject,
                waits,
                ns,
                || [facts.limited],
                |counts, details| {
                    cgroups::add(counts, kind, facts, ns, psi_ns);
                    cgroups::limited_by(details, facts);
                },
            ),
            task: !task,
        }
    }

    fn device(&self, counts: &WaitCounts, kind: WaitKind, facts: &WaitFacts, ns: u64) {
        if kind as usize >= IO_KINDS {
            return;
        }
        let area = facts.swap_area().and_then(|a| self.areas.get(a));
        let device = area.map_or(facts.device, peek);
        let row = counts.device(device);
        match row.and_then(|d| d.kinds.get(kind as usize)) {
            Some(sum) => sum.add(facts.stands_for.into(), ns),
            None => counts.other_devices.add(ns),
        }
    }

    /// Counts a folio that came back.
    pub(crate) fn refault(&self, pin: &Pinned<'_>, facts: &WaitFacts) -> CgroupLoss {
        self.counts.this(pin).refaults.add(facts);
        let pages = u64::from(facts.stands_for);
        let subject = cgroups::subject(facts);
        self.cgroups.count_of(
            pin,
            &subject,
            pages,
            pages.saturating_mul(cgroups::PAGE_WEIGHT),
            || [facts.limited],
            |counts, details| {
                cgroups::add_refault(counts, facts);
                cgroups::limited_by(details, facts);
            },
        )
    }

    /// Returns the devices for which tasks waited. May sleep. Fails with `ENOMEM`.
    pub(crate) fn devices(&self) -> Result<KVec<u32>> {
        let mut seen = KVec::new();
        let all = self.counts.all().flat_map(|c| c.devices.iter());
        for key in all.map(|d| d.key.get()) {
            let device = key.checked_sub(1).and_then(|d| u32::try_from(d).ok());
            if let Some(device) = device {
                if !seen.contains(&device) {
                    seen.push(device, GFP_KERNEL)?;
                }
            }
        }
        Ok(seen)
    }

    /// Returns the number of waits for a device, and their nanoseconds.
    pub(crate) fn device_waits(&self, device: u32, kind: WaitKind) -> (u64, u64) {
        let key = u64::from(device).wrapping_add(1);
        let sum = |get: fn(&WaitSum) -> &Cell64| {
            self.counts.sum(|c| {
                let own = c.devices.iter().filter(|d| d.key.get() == key);
                own.filter_map(|d| d.kinds.get(kind as usize))
                    .fold(0, |a, s| a.wrapping_add(get(s).get()))
            })
        };
        (sum(|s| &s.waits), sum(|s| &s.ns))
    }

    /// Returns the nanoseconds of waits for devices that found no row.
    pub(crate) fn other_devices(&self) -> u64 {
        self.counts.sum(|c| c.other_devices.get())
    }

    /// Returns the tasks that waited, by name. Process context; sleeps. Fails with `ENOMEM`.
    pub(crate) fn tasks(&self, kind: WaitKind) -> Result<KVVec<NameCounts>> {
        self.tasks
            .get(kind as usize)
            .map_or_else(|| Ok(KVVec::new()), TaskNames::totals)
    }

    /// Returns the memory that the ledger takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        let rest = [self.open.bytes(), self.counts.bytes(), self.cgroups.bytes()];
        let names = self.tasks.iter().map(TaskNames::bytes);
        names.fold(
            rest.into_iter().fold(0, usize::saturating_add),
            usize::saturating_add,
        )
    }
}
