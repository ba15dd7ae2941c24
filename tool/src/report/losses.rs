// SPDX-License-Identifier: GPL-2.0
//! What is not in the numbers: what was lost, counted separately, or is unknown to this tool.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    ledger::{Status, total},
    names::Layer,
};

/// What was not recorded, or was charged to no origin.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NotRecorded {
    /// What did not fit, by table: windows without a slot, windows that were nested too deep, cgroups, stacks, and
    /// windows that were open when the module was loaded (`preload`).
    pub lost: BTreeMap<String, u64>,
    /// Pages written in windows that were not recorded.
    pub lost_pages: Option<u64>,
    /// Samples on an IRQ stack, by layer; charged to nobody.
    pub on_irq_stack: BTreeMap<Layer, u64>,
    /// Samples in softirq on top of a reclaimer, by layer; charged to nobody.
    pub in_softirq: BTreeMap<Layer, u64>,
    /// Samples of tasks in no window, by layer; charged to nobody.
    pub outside_windows: BTreeMap<Layer, u64>,
    /// Calls of probed functions by interrupts, which came while a handler ran, if the module counts them. They belong
    /// to no stall.
    pub calls_of_irqs: Option<u64>,
    /// Windows that were open when the snapshot was taken. The pages that they free are not counted yet.
    pub windows_open: u64,
    /// Stalls that had not ended when the snapshot was taken. They are not counted yet.
    pub stalls_open: Option<u64>,
    /// Room for tasks in a window.
    pub slots: u64,
    /// Samples below the parameter `headroom_floor`; they are in the numbers.
    pub below_floor: Option<u64>,
    /// Samples of these whose trace event was suppressed by the rate limit.
    pub below_floor_suppressed: Option<u64>,
    /// Ledger rows that this tool does not know.
    pub unknown_rows: Vec<String>,
}

impl NotRecorded {
    /// Whether any write or window is missing from the numbers by origin.
    pub fn lost_something(&self) -> bool {
        self.lost_pages.unwrap_or(0) > 0 || total(self.lost.values().copied()) > 0
    }
}

pub(super) fn section(status: &Status, lost_pages: Option<u64>, unknown_rows: &[String]) -> NotRecorded {
    NotRecorded {
        lost: status.lost.clone(),
        lost_pages,
        on_irq_stack: status.irq.clone(),
        in_softirq: status.softirq.clone(),
        outside_windows: status.outside.clone(),
        calls_of_irqs: status.calls_of_irqs,
        windows_open: status.windows_open,
        stalls_open: status.stalls_open,
        slots: status.slots,
        below_floor: status.low,
        below_floor_suppressed: status.low_suppressed,
        unknown_rows: unknown_rows.to_vec(),
    }
}
