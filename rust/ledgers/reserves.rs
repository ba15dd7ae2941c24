// SPDX-License-Identifier: GPL-2.0

//! The reserve ledger: the users of pages that are allocated without regard to the watermarks, how
//! low the zones fell, the tasks that waited until the reserves were filled again, and the packets
//! that were dropped because they lay in such pages.
//!
//! The counts are one instance per CPU, written with preemption off. CPUs share the zones, nodes
//! and call sites. These change only when such a page is allocated, when a wait ends, or when a
//! packet is dropped.

use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::{
            PerCpu,
            Pinned, //
        },
        reclaim,
        zone, //
    },
    shim::reserve::Page,
    tables::{
        hist::Hist,
        names::TaskNames,
        sites::Sites,
        tasks::Tasks, //
    },
    words::{
        User,
        Woken, //
    },
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};
use pin_init::Zeroable;

/// The allocations of one user.
#[derive(Zeroable)]
pub(crate) struct UserAllocations {
    /// Number of allocations.
    pub(crate) allocations: Cell64,
    /// Number of pages.
    pub(crate) pages: Cell64,
    /// Pages of these that left their zone below its min watermark, and so came out of the reserve.
    pub(crate) below: Cell64,
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct ReserveCounts {
    users: [UserAllocations; User::COUNT],
    /// Slabs that were made of such pages. From then on they serve nobody else.
    pub(crate) slabs: Cell64,
    /// Packets that were dropped because they lay in such pages.
    pub(crate) drops: Cell64,
    waits: [ReserveWaits; Woken::COUNT],
    /// Waits by microseconds, log2.
    pub(crate) hist: Hist,
}

/// Waits that ended in one way.
#[derive(Zeroable)]
pub(crate) struct ReserveWaits {
    /// Number of waits.
    pub(crate) waits: Cell64,
    /// Nanoseconds of the waits.
    pub(crate) ns: Cell64,
}

impl ReserveCounts {
    /// Returns the allocations of a user.
    pub(crate) fn user(&self, user: User) -> Option<&UserAllocations> {
        self.users.get(user as usize)
    }

    /// Returns the waits that ended in one way.
    pub(crate) fn waits(&self, woken: Woken) -> Option<&ReserveWaits> {
        self.waits.get(woken as usize)
    }
}

/// The lowest level of a zone.
struct LowestFree {
    /// The fewest free pages; `u64::MAX` if no page was taken without regard to the watermarks.
    free: Atomic<u64>,
    /// The min watermark of the zone at that time.
    min: Atomic<u64>,
    /// When that was, in nanoseconds of `clock_ns()`.
    at: Atomic<u64>,
}

/// A wait that goes on.
#[derive(Clone, Copy)]
pub(crate) struct ReserveWait {
    nid: u32,
    began: u64,
}

/// The waits for the reserves of one node.
struct NodeWaits {
    waits: Atomic<u64>,
    ns: Atomic<u64>,
    longest: Atomic<u64>,
}

/// The ledger of reserves.
pub(crate) struct Reserves {
    /// The counts by user, and of waits.
    pub(crate) counts: PerCpu<ReserveCounts>,
    zones: KVVec<LowestFree>,
    nodes: KVVec<NodeWaits>,
    /// Call sites that take such pages, of users that are not told apart.
    pub(crate) sites: Sites,
    /// Call sites that drop packets.
    pub(crate) drops: Sites,
    /// Tasks that wait.
    pub(crate) waiting: Tasks<ReserveWait>,
    /// Tasks that waited, by name, and for how many nanoseconds.
    pub(crate) waiters: TaskNames,
}

impl Reserves {
    /// Allocates the ledger for `tasks` tasks, a power of two, that can wait at the same time.
    /// Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new(tasks: usize) -> Result<Self> {
        let mut zones = KVVec::new();
        let mut nodes = KVVec::new();
        for _ in 0..reclaim::nodes() {
            let node = NodeWaits {
                waits: Atomic::new(0),
                ns: Atomic::new(0),
                longest: Atomic::new(0),
            };
            nodes.push(node, GFP_KERNEL)?;
            for _ in 0..zone::ZONES {
                let low = LowestFree {
                    free: Atomic::new(u64::MAX),
                    min: Atomic::new(0),
                    at: Atomic::new(0),
                };
                zones.push(low, GFP_KERNEL)?;
            }
        }
        Ok(Self {
            counts: PerCpu::new()?,
            zones,
            nodes,
            sites: Sites::new()?,
            drops: Sites::new()?,
            waiting: Tasks::new(tasks, ReserveWait { nid: 0, began: 0 })?,
            waiters: TaskNames::new()?,
        })
    }

    fn zone(&self, nid: u32, zid: u32) -> Option<&LowestFree> {
        let zid = usize::try_from(zid).ok().filter(|&z| z < zone::ZONES)?;
        let nid = (nid as usize).saturating_mul(zone::ZONES);
        self.zones.get(nid.saturating_add(zid))
    }

    /// Counts a block of pages that was taken at `now`. `slab` tells whether it became a slab. Any
    /// context.
    pub(crate) fn record_allocation(
        &self,
        pin: &Pinned<'_>,
        user: User,
        page: &Page,
        slab: bool,
        now: u64,
    ) {
        let counts = self.counts.this(pin);
        let pages = page.pages();
        if let Some(taken) = counts.user(user) {
            taken.allocations.add(1);
            taken.pages.add(pages);
            if page.free < page.min {
                taken.below.add(pages);
            }
        }
        counts.slabs.add(slab.into());
        let Some(low) = self.zone(page.nid, page.zid) else {
            return;
        };
        let mut lowest = low.free.load(Relaxed);
        while page.free < lowest {
            match low.free.cmpxchg(lowest, page.free, Relaxed) {
                Ok(_) => {
                    low.min.store(page.min, Relaxed);
                    low.at.store(now, Relaxed);
                    break;
                }
                Err(lower) => lowest = lower,
            }
        }
    }

    /// Returns the fewest pages that were free in a zone when one was taken without regard to the
    /// watermarks, the min watermark of the zone at that time, and when that was. `None` if there
    /// was no such page.
    pub(crate) fn lowest(&self, nid: u32, zid: u32) -> Option<(u64, u64, u64)> {
        let low = self.zone(nid, zid)?;
        let free = low.free.load(Relaxed);
        (free != u64::MAX).then(|| (free, low.min.load(Relaxed), low.at.load(Relaxed)))
    }

    /// Notes that the current task waits for the reserves of a node. Returns false if there is no
    /// room.
    pub(crate) fn record_wait_begin(
        &self,
        pin: &Pinned<'_>,
        task: usize,
        nid: u32,
        now: u64,
    ) -> bool {
        // If an entry is there, it was left behind because the end of a wait was not seen.
        self.waiting.remove(pin, task);
        self.waiting
            .insert(pin, task, ReserveWait { nid, began: now })
    }

    /// Notes that the current task waits no longer. Returns false if its name found no room.
    pub(crate) fn record_wait_end(
        &self,
        pin: &Pinned<'_>,
        task: usize,
        woken: Woken,
        now: u64,
    ) -> bool {
        // The task has waited since before the probe was attached, or found no room.
        let Some(waiting) = self.waiting.remove(pin, task) else {
            return true;
        };
        let ns = now.saturating_sub(waiting.began);
        let counts = self.counts.this(pin);
        if let Some(waits) = counts.waits(woken) {
            waits.waits.add(1);
            waits.ns.add(ns);
        }
        counts.hist.count(ns / 1000);
        if let Some(node) = self.nodes.get(waiting.nid as usize) {
            node.waits.fetch_add(1, Relaxed);
            node.ns.fetch_add(ns, Relaxed);
            let mut longest = node.longest.load(Relaxed);
            while ns > longest {
                match node.longest.cmpxchg(longest, ns, Relaxed) {
                    Ok(_) => break,
                    Err(longer) => longest = longer,
                }
            }
        }
        self.waiters.note_current(pin, 1, ns)
    }

    /// Returns the waits for each node that had any: the node, the number of waits, their
    /// nanoseconds, and the nanoseconds of the longest one.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (usize, u64, u64, u64)> + '_ {
        let nodes = self.nodes.iter().enumerate().map(|(nid, node)| {
            let of = |n: &Atomic<u64>| n.load(Relaxed);
            (nid, of(&node.waits), of(&node.ns), of(&node.longest))
        });
        nodes.filter(|&(_, waits, ..)| waits != 0)
    }

    /// Returns the memory that the ledger takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        [
            self.counts.bytes(),
            core::mem::size_of_val(self.zones.as_slice()),
            core::mem::size_of_val(self.nodes.as_slice()),
            self.sites.bytes(),
            self.drops.bytes(),
            self.waiting.bytes(),
            self.waiters.bytes(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}
