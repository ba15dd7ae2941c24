// SPDX-License-Identifier: GPL-2.0
//! How much stack was left, and how much each step down used.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    ledger::Headroom,
    names::{Layer, Origin},
};

/// Samples of one origin at one layer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HeadroomRow {
    /// The origin.
    pub origin: Origin,
    /// The layer.
    pub layer: Layer,
    /// Samples.
    pub samples: u64,
    /// Least bytes left.
    pub min_left: u64,
    /// Whether this minimum was first reached in the interval that is reported. If not, it was reached before, and
    /// perhaps again: minima cannot be subtracted.
    pub min_is_new: bool,
    /// Mean bytes left.
    pub mean_left: f64,
    /// Mean bytes used from the top of the stack.
    pub mean_used: f64,
    /// Mean bytes used since the layer that was sampled before; absent if there was none.
    pub step_mean: Option<f64>,
    /// Most bytes used since the layer that was sampled before.
    pub step_max: Option<u64>,
    /// The same as `min_is_new`, for `step_max`.
    pub step_max_is_new: bool,
    /// Samples by lower bound of bytes left: 0, 64, 128, 256, ...
    pub histogram: BTreeMap<u64, u64>,
}

/// All origins and layers that have samples.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HeadroomSection {
    /// `THREAD_SIZE`.
    pub stack_size: u64,
    /// By origin, then from the top of the stack down.
    pub rows: Vec<HeadroomRow>,
    /// Layers that could not be sampled, and why.
    pub unavailable_layers: BTreeMap<Layer, String>,
}

impl HeadroomSection {
    /// The row with the least stack left.
    pub fn deepest(&self) -> Option<&HeadroomRow> {
        self.rows.iter().min_by_key(|row| row.min_left)
    }

    /// The origins that have samples. The one that left the least stack comes first.
    pub fn origins_by_depth(&self) -> Vec<Origin> {
        let mut least: BTreeMap<Origin, u64> = BTreeMap::new();
        for row in &self.rows {
            let min = least.entry(row.origin).or_insert(row.min_left);
            *min = row.min_left.min(*min);
        }
        let mut origins: Vec<(u64, Origin)> = least.into_iter().map(|(origin, min)| (min, origin)).collect();
        origins.sort();
        origins.into_iter().map(|(_, origin)| origin).collect()
    }
}

pub(super) fn section(ledger: &Headroom, unavailable: &BTreeMap<Layer, String>) -> HeadroomSection {
    let mut rows = Vec::new();
    for (&origin, layers) in &ledger.cells {
        for (&layer, cell) in layers {
            let Some(min_left) = cell.min.filter(|_| cell.count > 0 && !unavailable.contains_key(&layer)) else {
                continue;
            };
            let mean_left = cell.sum as f64 / cell.count as f64;
            let stepped = cell.used.count > 0;
            rows.push(HeadroomRow {
                origin,
                layer,
                samples: cell.count,
                min_left,
                min_is_new: cell.min_is_new,
                mean_left,
                mean_used: ledger.stack_size as f64 - mean_left,
                step_mean: stepped.then(|| cell.used.sum as f64 / cell.used.count as f64),
                step_max: stepped.then_some(cell.used.max),
                step_max_is_new: cell.max_is_new,
                histogram: cell.hist.iter().filter(|(_, n)| **n > 0).map(|(low, n)| (*low, *n)).collect(),
            });
        }
    }
    HeadroomSection { stack_size: ledger.stack_size, rows, unavailable_layers: unavailable.clone() }
}
