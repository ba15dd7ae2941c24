// SPDX-License-Identifier: GPL-2.0
//! `headroom`: bytes of stack left, by origin and layer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::rows::{Rows, grown};
use crate::{
    error::Result,
    names::{Layer, Origin},
};

const FIRST_BUCKET: u64 = 64;
const LAST_BUCKET: u64 = 32768;

/// The stack that one step down used, from the layer that was sampled before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Used {
    /// Samples for which another layer was sampled before.
    pub count: u64,
    /// Bytes, summed over the samples.
    pub sum: u64,
    /// Most bytes in one sample.
    pub max: u64,
}

/// Samples of one origin at one layer.
#[derive(Clone, Debug, Default)]
pub struct HeadroomCell {
    /// Samples.
    pub count: u64,
    /// Least bytes left; `None` if there are no samples.
    pub min: Option<u64>,
    /// Bytes left, summed over the samples.
    pub sum: u64,
    /// Samples by lower bound of bytes left.
    pub hist: BTreeMap<u64, u64>,
    /// The step from the layer before.
    pub used: Used,
    /// Whether the minimum was first reached in the interval that is reported.
    pub min_is_new: bool,
    /// Whether the largest step was first taken in the interval that is reported.
    pub max_is_new: bool,
}

/// The `headroom` ledger.
#[derive(Clone, Debug)]
pub struct Headroom {
    /// `THREAD_SIZE`.
    pub stack_size: u64,
    /// By origin and layer.
    pub cells: BTreeMap<Origin, BTreeMap<Layer, HeadroomCell>>,
}

impl Headroom {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let stack_size = rows.number("stack.size")?;
        if stack_size == 0 {
            return Err(rows.error("row stack.size is 0"));
        }
        let mut cells: BTreeMap<Origin, BTreeMap<Layer, HeadroomCell>> = BTreeMap::new();
        let layers = layers(rows);
        for origin in rows.origins() {
            for &layer in &layers {
                let cell = parse_cell(rows, &format!("{}.{}", origin.key(), layer.key()))?;
                if cell.min.is_some_and(|min| min > stack_size) || cell.used.max > stack_size {
                    let key = format!("{}.{}", origin.key(), layer.key());
                    return Err(rows.error(format!("{key} speaks of more than the {stack_size} bytes of a stack")));
                }
                cells.entry(origin).or_default().insert(layer, cell);
            }
        }
        Ok(Self { stack_size, cells })
    }

    pub(super) fn since(mut self, before: &Self) -> Result<Self> {
        for (origin, layers) in &mut self.cells {
            for (layer, cell) in layers {
                if let Some(old) = before.cells.get(origin).and_then(|layers| layers.get(layer)) {
                    subtract(&format!("{}.{}", origin.key(), layer.key()), cell, old)?;
                }
            }
        }
        Ok(self)
    }
}

/// The layers that the module samples. A module that is older than handoff does not have that layer.
fn layers(rows: &Rows) -> Vec<Layer> {
    let handoff = Origin::ALL.iter().any(|origin| {
        let prefix = format!("{}.{}.", origin.key(), Layer::Handoff.key());
        rows.keys(&prefix).next().is_some()
    });
    Layer::ALL.iter().copied().filter(|layer| handoff || *layer != Layer::Handoff).collect()
}

fn parse_cell(rows: &mut Rows, key: &str) -> Result<HeadroomCell> {
    let count = rows.number(&format!("{key}.count"))?;
    let min = rows.number_opt(&format!("{key}.min"))?;
    if min.is_none() && count > 0 {
        return Err(rows.error(format!("row {key}.min is missing though there are {count} samples")));
    }
    let mut hist = BTreeMap::new();
    for (rest, value) in rows.take_prefix(&format!("{key}.hist.")) {
        let row = format!("{key}.hist.{rest}");
        let low = rows.parse_number(&row, &rest)?;
        if low != 0 && !(low.is_power_of_two() && (FIRST_BUCKET..=LAST_BUCKET).contains(&low)) {
            return Err(rows.error(format!("row {row} names no bucket of the histogram")));
        }
        hist.insert(low, rows.parse_number(&row, &value)?);
    }
    Ok(HeadroomCell {
        count,
        min,
        sum: rows.number(&format!("{key}.sum"))?,
        hist,
        used: Used {
            count: rows.number(&format!("{key}.used.count"))?,
            sum: rows.number(&format!("{key}.used.sum"))?,
            max: rows.number(&format!("{key}.used.max"))?,
        },
        min_is_new: true,
        max_is_new: true,
    })
}

fn subtract(name: &str, now: &mut HeadroomCell, old: &HeadroomCell) -> Result<()> {
    now.count = grown(&format!("{name}.count"), now.count, old.count)?;
    now.sum = grown(&format!("{name}.sum"), now.sum, old.sum)?;
    for (low, samples) in &mut now.hist {
        let then = old.hist.get(low).copied().unwrap_or(0);
        *samples = grown(&format!("{name}.hist.{low}"), *samples, then)?;
    }
    now.used.count = grown(&format!("{name}.used.count"), now.used.count, old.used.count)?;
    now.used.sum = grown(&format!("{name}.used.sum"), now.used.sum, old.used.sum)?;
    now.min_is_new = old.min.is_none() || now.min < old.min;
    now.max_is_new = old.used.count == 0 || now.used.max > old.used.max;
    Ok(())
}
