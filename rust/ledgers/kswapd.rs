// SPDX-License-Identifier: GPL-2.0

//! The ledger of kswapd: what it costs, what it looks at for a page that it frees, why it does
//! not come to rest, and who wakes it.
//!
//! A node's figures are written by its kswapd alone, and read by anyone; those of who wakes it
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

/// Passes that had one reason.
#[derive(Zeroable)]
pub(crate) struct Passes {
    /// How many.
    pub(crate) windows: Cell64,
    /// CPU time that they took, in nanoseconds, with what lies between them and the last.
    pub(crate) cpu_ns: Cell64,
}

/// What is on a node, in pages, when its kswapd last ended a pass.
#[derive(Zeroable)]
pub(crate) struct Left {
    /// Free in the zones that are balanced.
    pub(crate) free: Cell64,
    /// What their high watermarks come to.
    pub(crate) high: Cell64,
    /// Anonymous memory, shmem included.
    pub(crate) anon: Cell64,
    /// Shared memory.
    pub(crate) shmem: Cell64,
    /// Page cache of files.
    pub(crate) file: Cell64,
    /// What cannot go.
    pub(crate) unevictable: Cell64,
    /// Free swap, of the whole machine.
    pub(crate) swap_free: Cell64,
}

/// One node's kswapd.
#[derive(Zeroable)]
pub(crate) struct KswapdNode {
    /// Its task; 0: it has not run since the module was loaded.
    task: Cell64,
    /// CPU time of its life, in nanoseconds, where it was last looked at.
    at_ns: Cell64,
    /// CPU time since it was first looked at, in nanoseconds.
    pub(crate) cpu_ns: Cell64,
    /// Passes.
    pub(crate) windows: Cell64,
    /// Of these, passes that freed nothing.
    pub(crate) fruitless: Cell64,
    /// Pages freed.
    pub(crate) reclaimed: Cell64,
    /// Pages looked at.
    pub(crate) scanned: Cell64,
    /// Of these, pages taken off their list to be freed.
    pub(crate) isolated: Cell64,
    /// What became of folios taken off: dirty ones, in pages or folios as the kernel has it.
    pub(crate) dirty: Cell64,
    /// Under writeback.
    pub(crate) writeback: Cell64,
    /// In use, so that they were activated.
    pub(crate) activated: Cell64,
    /// In use, so that they were kept.
    pub(crate) referenced: Cell64,
    /// Those that could not be unmapped.
    pub(crate) mapped: Cell64,
    /// Times that it went to sleep with its work done.
    pub(crate) sleeps: Cell64,
    /// Passes by the order asked for.
    pub(crate) orders: [Cell64; ORDERS],
    whys: [Passes; KswapdReason::COUNT],
    /// What there is.
    pub(crate) left: Left,
    /// What it had looked at when this pass began: all, and what [`Pass`] tells apart.
    began: [Cell64; 3],
}

impl KswapdNode {
    /// Passes that had that reason.
    pub(crate) fn why(&self, why: KswapdReason) -> Option<&Passes> {
        self.whys.get(why as usize)
    }

    /// Whether it ran since the module was loaded.
    pub(crate) fn has_run(&self) -> bool {
        self.task.get() != 0
    }

    /// Looks at the clock; how much CPU time went by since the last look.
    fn look(&self, cpu_ns: u64) -> u64 {
        let went = match self.at_ns.get() {
            0 => 0,
            last => cpu_ns.saturating_sub(last),
        };
        self.at_ns.set(cpu_ns.max(1));
        self.cpu_ns.add(went);
        went
    }

    fn looked_at(&self) -> [u64; 3] {
        let waiting = self.dirty.get().wrapping_add(self.writeback.get());
        let used = self.activated.get().wrapping_add(self.referenced.get());
        [self.scanned.get(), waiting, used]
    }

    fn pass(&self) -> Pass {
        let [scanned, waiting, used] = self.looked_at();
        let [scanned_before, waiting_before, used_before] = &self.began;
        Pass {
            scanned: scanned.wrapping_sub(scanned_before.get()),
            waiting: waiting.wrapping_sub(waiting_before.get()),
            used: used.wrapping_sub(used_before.get()),
        }
    }
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct Wakes {
    orders: [Cell64; ORDERS],
    /// By interrupts, whoever they interrupted.
    pub(crate) interrupts: Cell64,
}

impl Wakes {
    /// Times that it was woken for an order.
    pub(crate) fn order(&self, order: usize) -> u64 {
        self.orders.get(order).map_or(0, Cell64::get)
    }
}

/// All of it.
pub(crate) struct Kswapd {
    nodes: KVVec<KswapdNode>,
    /// How often it was woken.
    pub(crate) wakes: PerCpu<Wakes>,
    /// By whom, and how often of these for more than a page.
    pub(crate) wakers: TaskNames,
}

fn order_index(order: u32) -> usize {
    (order as usize).min(ORDERS.saturating_sub(1))
}

impl Kswapd {
    /// Allocates. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        let mut nodes = KVVec::new();
        for _ in 0..reclaim::nodes() {
            nodes.push(pin_init::zeroed(), GFP_KERNEL)?;
        }
        Ok(Self {
            nodes,
            wakes: PerCpu::new()?,
            wakers: TaskNames::new()?,
        })
    }

    fn node(&self, nid: u32) -> Option<&KswapdNode> {
        self.nodes.get(nid as usize)
    }

    /// kswapd begins a pass.
    pub(crate) fn begins(&self, task: usize, at: &KswapdAt) {
        let Some(node) = self.node(at.nid) else {
            return;
        };
        node.task.set(task as u64);
        node.look(at.cpu_ns);
        for (began, now) in node.began.iter().zip(node.looked_at()) {
            began.set(now);
        }
    }

    /// It begins one that is not recorded: the CPU time until the next one is not either.
    pub(crate) fn skips(&self, nid: u32) {
        if let Some(node) = self.node(nid) {
            node.at_ns.set(0);
        }
    }

    /// CPU time is not followed any more, until the next pass.
    pub(crate) fn pause(&self) {
        for node in self.nodes.iter() {
            node.at_ns.set(0);
        }
    }

    /// It ends, having freed so many pages.
    pub(crate) fn ends(&self, task: usize, at: &KswapdAt, reclaimed: u64) {
        let Some(node) = self.node(at.nid) else {
            return;
        };
        node.task.set(task as u64);
        let cpu_ns = node.look(at.cpu_ns);
        node.windows.add(1);
        node.fruitless.add(u64::from(reclaimed == 0));
        node.reclaimed.add(reclaimed);
        if let Some(n) = node.orders.get(order_index(at.order)) {
            n.add(1);
        }
        let has = at.node();
        let why = kswapd::why(&has, &node.pass());
        if let Some(passes) = node.why(why) {
            passes.windows.add(1);
            passes.cpu_ns.add(cpu_ns);
        }
        let left = &node.left;
        for (figure, now) in [
            (&left.free, has.free),
            (&left.high, has.high),
            (&left.anon, has.anon),
            (&left.shmem, has.shmem),
            (&left.file, has.file),
            (&left.unevictable, has.unevictable),
            (&left.swap_free, has.swap_free),
        ] {
            figure.set(now);
        }
    }

    /// It goes to sleep.
    pub(crate) fn sleeps(&self, nid: u32, cpu_ns: u64) {
        if let Some(node) = self.node(nid) {
            node.look(cpu_ns);
            node.sleeps.add(1);
        }
    }

    /// The current task isolated folios: is it a kswapd?
    #[inline]
    pub(crate) fn isolated(&self, task: usize, scanned: u64, taken: u64) {
        if let Some(node) = self.nodes.iter().find(|n| n.task.get() == task as u64) {
            node.scanned.add(scanned);
            node.isolated.add(taken);
        }
    }

    /// kswapd of a node is through with folios.
    pub(crate) fn shrunk(&self, shrunk: &Shrunk) {
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

    /// Someone wakes it, for a block of that order; false if it could not be noted who.
    pub(crate) fn woken(&self, pin: &Pinned<'_>, order: u32, interrupt: bool) -> bool {
        let wakes = self.wakes.this(pin);
        if let Some(n) = wakes.orders.get(order_index(order)) {
            n.add(1);
        }
        if interrupt {
            wakes.interrupts.add(1);
            return true;
        }
        self.wakers.note(pin, 1, u64::from(order > 0))
    }

    /// Nodes whose kswapd ran, with their number.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (usize, &KswapdNode)> {
        self.nodes.iter().enumerate().filter(|(_, n)| n.has_run())
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.nodes.as_slice())
            .saturating_add(self.wakes.bytes())
            .saturating_add(self.wakers.bytes())
    }
}
