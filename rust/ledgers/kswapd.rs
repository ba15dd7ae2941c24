// SPDX-License-Identifier: GPL-2.0

//! The ledger of kswapd: what it costs, how many pages it looks at for each page that it frees, why
//! it does not come to rest, and which tasks wake it.
//!
//! The figures of a node are written by its kswapd alone, and read in any context. Those of wakeups
//! are one instance per CPU.

use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::{
            PerCpu,
            Pinned, //
        },
        reclaim, //
    },
    ledgers::writes::ORDERS,
    policy::kswapd::{
        self,
        Pass, //
    },
    shim::{
        KswapdAt,
        Shrunk, //
    },
    tables::names::TaskNames,
    words::KswapdReason, //
};
use kernel::prelude::*;
use pin_init::Zeroable;

/// The passes that had one reason.
#[derive(Zeroable)]
pub(crate) struct Passes {
    /// Number of passes.
    pub(crate) windows: Cell64,
    /// The CPU time that they took, in nanoseconds, with the time between each of them and the pass
    /// before.
    pub(crate) cpu_ns: Cell64,
}

/// The state of a node when its kswapd last ended a pass, in pages.
#[derive(Zeroable)]
pub(crate) struct LastNodePages {
    /// Free pages in the zones that are balanced.
    pub(crate) free: Cell64,
    /// Sum of the high watermarks of these zones.
    pub(crate) high: Cell64,
    /// Pages of anonymous memory, with shmem.
    pub(crate) anon: Cell64,
    /// Pages of shared memory, with tmpfs.
    pub(crate) shmem: Cell64,
    /// Pages of the page cache of files.
    pub(crate) file: Cell64,
    /// Pages that cannot be reclaimed.
    pub(crate) unevictable: Cell64,
    /// Free swap of the whole machine.
    pub(crate) swap_free: Cell64,
}

/// The kswapd of a node.
#[derive(Zeroable)]
pub(crate) struct KswapdNode {
    /// The address of its task; 0 if it has not run since the module was loaded.
    task: Cell64,
    /// The CPU time of its whole life when it was last looked at, in nanoseconds; 0 if that is not
    /// known.
    at_ns: Cell64,
    /// The CPU time since it was first looked at, in nanoseconds.
    pub(crate) cpu_ns: Cell64,
    /// Number of passes.
    pub(crate) windows: Cell64,
    /// Passes of these that freed nothing.
    pub(crate) fruitless: Cell64,
    /// Pages that it freed.
    pub(crate) reclaimed: Cell64,
    /// Pages that it scanned.
    pub(crate) scanned: Cell64,
    /// Pages of these that were taken off their list to be freed.
    pub(crate) isolated: Cell64,
    /// Pages of files, among those taken off, that were dirty and not under writeback.
    pub(crate) dirty: Cell64,
    /// Those under writeback.
    pub(crate) writeback: Cell64,
    /// Those that were in use, and were activated.
    pub(crate) activated: Cell64,
    /// Those that were in use, and were kept.
    pub(crate) referenced: Cell64,
    /// Those that could not be unmapped.
    pub(crate) mapped: Cell64,
    /// Times that it went to sleep, because its node was balanced or because it gave up.
    pub(crate) sleeps: Cell64,
    /// Passes by the order that was asked for.
    pub(crate) orders: [Cell64; ORDERS],
    reasons: [Passes; KswapdReason::COUNT],
    /// The state of the node after the last pass.
    pub(crate) last_pages: LastNodePages,
    /// Whether the beginning of this pass was seen: 0 or 1.
    begun: Cell64,
    /// The figures when this pass began. See [`Self::looked_at`].
    began: [Cell64; 4],
}

impl KswapdNode {
    /// Returns the passes that had a reason.
    pub(crate) fn passes(&self, reason: KswapdReason) -> Option<&Passes> {
        self.reasons.get(reason as usize)
    }

    /// Whether it has run since the module was loaded.
    pub(crate) fn has_run(&self) -> bool {
        self.task.get() != 0
    }

    /// Notes the CPU time. Returns how much passed since it was noted last; 0 if that is not known.
    fn update_cpu_time(&self, cpu_ns: u64) -> u64 {
        let went = match self.at_ns.get() {
            0 => 0,
            last => cpu_ns.saturating_sub(last),
        };
        self.at_ns.set(cpu_ns.max(1));
        self.cpu_ns.add(went);
        went
    }

    /// Returns the pages that were scanned, waited for a device, were activated, and were
    /// referenced, in all passes.
    fn looked_at(&self) -> [u64; 4] {
        let waiting = self.dirty.get().wrapping_add(self.writeback.get());
        [
            self.scanned.get(),
            waiting,
            self.activated.get(),
            self.referenced.get(),
        ]
    }

    fn pass(&self) -> Pass {
        // If the module was paused when the pass began, it is not known what the pass did.
        if self.begun.get() == 0 {
            return Pass::default();
        }
        let [now_scanned, now_waiting, now_activated, now_referenced] = self.looked_at();
        let [scanned, waiting, activated, referenced] = &self.began;
        let waiting = now_waiting.wrapping_sub(waiting.get());
        // Most of those that wait for a device are activated, too.
        let activated = now_activated
            .wrapping_sub(activated.get())
            .saturating_sub(waiting);
        Pass {
            scanned: now_scanned.wrapping_sub(scanned.get()),
            waiting,
            used: activated.wrapping_add(now_referenced.wrapping_sub(referenced.get())),
        }
    }
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct WakeupCounts {
    orders: [Cell64; ORDERS],
    /// Wakeups by interrupts, whatever task they interrupted.
    pub(crate) interrupts: Cell64,
}

impl WakeupCounts {
    /// Returns the number of wakeups for an order.
    pub(crate) fn order(&self, order: usize) -> u64 {
        self.orders.get(order).map_or(0, Cell64::get)
    }
}

/// The ledger of kswapd.
pub(crate) struct Kswapd {
    nodes: KVVec<KswapdNode>,
    /// The wakeups.
    pub(crate) wakeups: PerCpu<WakeupCounts>,
    /// The tasks that woke it, and how many of their wakeups were for more than a page.
    pub(crate) wakers: TaskNames,
}

fn order_index(order: u32) -> usize {
    (order as usize).min(ORDERS.saturating_sub(1))
}

impl Kswapd {
    /// Allocates the ledger. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let mut nodes = KVVec::new();
        for _ in 0..reclaim::nodes() {
            nodes.push(pin_init::zeroed(), GFP_KERNEL)?;
        }
        Ok(Self {
            nodes,
            wakeups: PerCpu::new()?,
            wakers: TaskNames::new()?,
        })
    }

    fn node(&self, nid: u32) -> Option<&KswapdNode> {
        self.nodes.get(nid as usize)
    }

    /// Notes that kswapd begins a pass.
    pub(crate) fn record_begin(&self, task: usize, at: &KswapdAt) {
        let Some(node) = self.node(at.nid) else {
            return;
        };
        node.task.set(task as u64);
        node.update_cpu_time(at.cpu_ns);
        for (began, now) in node.began.iter().zip(node.looked_at()) {
            began.set(now);
        }
        node.begun.set(1);
    }

    /// Notes that kswapd begins a pass that is not recorded. The CPU time until the next pass that
    /// is recorded does not count.
    pub(crate) fn skip_pass(&self, nid: u32) {
        if let Some(node) = self.node(nid) {
            node.at_ns.set(0);
        }
    }

    /// Stops following the CPU time, until the next pass.
    pub(crate) fn pause(&self) {
        for node in self.nodes.iter() {
            node.at_ns.set(0);
            node.begun.set(0);
        }
    }

    /// Counts a pass that ends, in which `reclaimed` pages were freed.
    pub(crate) fn record_end(&self, task: usize, at: &KswapdAt, reclaimed: u64) {
        let Some(node) = self.node(at.nid) else {
            return;
        };
        node.task.set(task as u64);
        let cpu_ns = node.update_cpu_time(at.cpu_ns);
        node.windows.add(1);
        node.fruitless.add(u64::from(reclaimed == 0));
        node.reclaimed.add(reclaimed);
        if let Some(n) = node.orders.get(order_index(at.order)) {
            n.add(1);
        }
        let pages = at.node();
        let reason = kswapd::reason(&pages, &node.pass());
        node.begun.set(0);
        if let Some(passes) = node.passes(reason) {
            passes.windows.add(1);
            passes.cpu_ns.add(cpu_ns);
        }
        let left = &node.last_pages;
        for (figure, now) in [
            (&left.free, pages.free),
            (&left.high, pages.high),
            (&left.anon, pages.anon),
            (&left.shmem, pages.shmem),
            (&left.file, pages.file),
            (&left.unevictable, pages.unevictable),
            (&left.swap_free, pages.swap_free),
        ] {
            figure.set(now);
        }
    }

    /// Notes that kswapd goes to sleep.
    pub(crate) fn record_sleep(&self, nid: u32, cpu_ns: u64) {
        if let Some(node) = self.node(nid) {
            node.update_cpu_time(cpu_ns);
            node.sleeps.add(1);
        }
    }

    /// Counts pages that the current task isolated, if it is a kswapd.
    #[inline]
    pub(crate) fn record_isolated(&self, task: usize, scanned: u64, taken: u64) {
        if let Some(node) = self.nodes.iter().find(|n| n.task.get() == task as u64) {
            node.scanned.add(scanned);
            node.isolated.add(taken);
        }
    }

    /// Counts the folios with which the kswapd of a node is done.
    pub(crate) fn record_shrunk(&self, shrunk: &Shrunk) {
        let Some(node) = self.node(shrunk.nid) else {
            return;
        };
        for (figure, n) in [
            (&node.dirty, shrunk.dirty),
            (&node.writeback, shrunk.writeback),
            (&node.activated, shrunk.activated),
            (&node.referenced, shrunk.referenced),
            (&node.mapped, shrunk.mapped),
        ] {
            figure.add(n.into());
        }
    }

    /// Counts a wakeup for a block of `order`. Returns false if the name of the waker found no
    /// room.
    pub(crate) fn record_wakeup(&self, pin: &Pinned<'_>, order: u32, interrupt: bool) -> bool {
        let wakeups = self.wakeups.this(pin);
        if let Some(n) = wakeups.orders.get(order_index(order)) {
            n.add(1);
        }
        if interrupt {
            wakeups.interrupts.add(1);
            return true;
        }
        self.wakers.note_current(pin, 1, u64::from(order > 0))
    }

    /// Returns the nodes whose kswapd has run, with their numbers.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (usize, &KswapdNode)> {
        self.nodes.iter().enumerate().filter(|(_, n)| n.has_run())
    }

    /// Returns the memory that the ledger takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.nodes.as_slice())
            .saturating_add(self.wakeups.bytes())
            .saturating_add(self.wakers.bytes())
    }
}
