// SPDX-License-Identifier: GPL-2.0
//! What kswapd cost, how many pages it scanned for each page that it freed, why it did not rest, and which tasks woke
//! it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Section, figures::mean, writes::share};
use crate::{
    ledger::{GroupState, Kswapd, NodeKswapd, NodeLeft, Passes, Waker, total},
    names::KswapdWhy,
};

/// If kswapd used less of a CPU than this, 0 to 1, it is not worth a line of the summary.
const BUSY_SHARE: f64 = 0.05;
/// The same holds for less CPU time than this, in nanoseconds.
const BUSY_NS: u64 = 200_000_000;

/// One node's kswapd.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KswapdRow {
    /// The node.
    pub node: u64,
    /// CPU time, in nanoseconds.
    pub cpu_ns: u64,
    /// The CPU time as a share of the interval, 0 to 1; only with `--since`.
    pub cpu_share: Option<f64>,
    /// Passes.
    pub windows: u64,
    /// How many of these passes freed nothing.
    pub fruitless_windows: u64,
    /// How often it went to sleep.
    pub sleeps: u64,
    /// Pages freed, including those of slabs.
    pub freed_pages: u64,
    /// Pages scanned; absent if this is not recorded.
    pub scanned_pages: Option<u64>,
    /// Pages scanned for each page freed; absent if it freed none.
    pub scanned_per_freed: Option<f64>,
    /// What became of the folios that it took off their lists and did not free, and how many there were.
    pub kept: BTreeMap<&'static str, u64>,
    /// Passes by the order that was asked for; only orders that occurred.
    pub orders: BTreeMap<u32, u64>,
    /// Passes by the reason why it does not rest. The reason with the most CPU time comes first.
    pub reasons: Vec<ReasonRow>,
    /// What the node had when a pass last ended, in pages.
    pub left: NodeLeft,
}

/// Passes with one reason.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReasonRow {
    /// The reason.
    pub why: KswapdWhy,
    /// The passes.
    #[serde(flatten)]
    pub passes: Passes,
    /// Their share, 0 to 1: of the CPU time, or of the passes if the CPU time is not known.
    pub share: f64,
}

/// Tasks of one name that woke it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WakerRow {
    /// Name of the task.
    pub task: String,
    /// How often they woke it.
    #[serde(flatten)]
    pub wakes: Waker,
}

/// The kswapd of all nodes.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KswapdSection {
    /// Whether passes are counted, at the end.
    pub state: GroupState,
    /// Whether the pages that they scan are counted, at the end.
    pub scans_state: GroupState,
    /// By node; only nodes whose kswapd did anything.
    pub nodes: Vec<KswapdRow>,
    /// How often it was woken.
    pub wakes: u64,
    /// The same by order; only orders that occurred.
    pub wake_orders: BTreeMap<u32, u64>,
    /// How often an interrupt woke it, of all times.
    pub wake_interrupts: u64,
    /// By task name, the most frequent first.
    pub wakers: Vec<WakerRow>,
}

impl KswapdRow {
    /// Whether it used so much of a CPU that it should be in the summary.
    pub fn busy(&self) -> bool {
        self.cpu_ns >= BUSY_NS && self.cpu_share.is_none_or(|share| share >= BUSY_SHARE)
    }
}

/// Makes the section. `seconds` is the length of the interval, if it is known.
pub(super) fn section(ledger: &Kswapd, seconds: Option<f64>) -> Section<KswapdSection> {
    if ledger.state == GroupState::Unavailable {
        return Section::unavailable("kswapd cannot be probed on this kernel");
    }
    let rows = ledger.nodes.iter().filter(|(_, node)| node.windows > 0 || node.cpu_ns > 0);
    let mut wakers: Vec<WakerRow> = ledger
        .wakers
        .iter()
        .filter(|(_, wakes)| wakes.times > 0)
        .map(|(task, wakes)| WakerRow { task: task.clone(), wakes: *wakes })
        .collect();
    wakers.sort_by(|a, b| b.wakes.times.cmp(&a.wakes.times).then_with(|| a.task.cmp(&b.task)));
    Section::Available(KswapdSection {
        state: ledger.state,
        scans_state: ledger.scans,
        nodes: rows.map(|(node, of)| row(*node, of, ledger.scans, seconds)).collect(),
        wakes: total(ledger.wake_orders.values().copied()),
        wake_orders: some(&ledger.wake_orders),
        wake_interrupts: ledger.wake_interrupts,
        wakers,
    })
}

fn some(orders: &BTreeMap<u32, u64>) -> BTreeMap<u32, u64> {
    orders.iter().filter(|(_, n)| **n > 0).map(|(order, n)| (*order, *n)).collect()
}

fn row(node: u64, of: &NodeKswapd, scans: GroupState, seconds: Option<f64>) -> KswapdRow {
    let scanned = Some(of.scanned).filter(|n| *n > 0 || scans == GroupState::On);
    let kept = [
        ("dirty", of.dirty),
        ("under writeback", of.writeback),
        ("activated, as they are in use", of.activated),
        ("kept, as they are in use", of.referenced),
        ("not to be unmapped", of.mapped),
    ];
    let (cpu, windows) = (
        total(of.reasons.values().map(|passes| passes.cpu_ns)),
        total(of.reasons.values().map(|passes| passes.windows)),
    );
    let mut reasons: Vec<ReasonRow> = of
        .reasons
        .iter()
        .filter(|(_, passes)| passes.windows > 0)
        .map(|(why, passes)| ReasonRow {
            why: *why,
            passes: *passes,
            share: if cpu > 0 { share(passes.cpu_ns, cpu) } else { share(passes.windows, windows) },
        })
        .collect();
    reasons.sort_by(|a, b| b.share.total_cmp(&a.share));
    KswapdRow {
        node,
        cpu_ns: of.cpu_ns,
        cpu_share: seconds.filter(|s| *s > 0.0).map(|s| of.cpu_ns as f64 / 1e9 / s),
        windows: of.windows,
        fruitless_windows: of.fruitless,
        sleeps: of.sleeps,
        freed_pages: of.reclaimed,
        scanned_pages: scanned,
        scanned_per_freed: scanned.and_then(|scanned| mean(scanned, of.reclaimed)),
        kept: kept.into_iter().filter(|(_, n)| *n > 0).collect(),
        orders: some(&of.orders),
        reasons,
        left: of.left,
    }
}
