// SPDX-License-Identifier: GPL-2.0
//! What the ledgers of the helper's two halves, `helper` and `handoff`, have in common.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::rows::{Rows, grown};
use crate::error::Result;

/// Counts by the lower bound of a bucket: 0, 1, 2, 4, ... [`LAST_BUCKET`].
pub type Log2 = BTreeMap<u64, u64>;

/// Lower bound of the histograms' last bucket, which has no end.
pub const LAST_BUCKET: u64 = 1 << 23;

/// Whether a half of the helper is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HelperState {
    /// It takes what reclaim hands to it.
    On,
    /// It is switched off (parameters `write_around` and `handoff`).
    Off,
    /// This kernel does not support it.
    Unavailable,
}

impl HelperState {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        match rows.take("state")?.as_str() {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "unavailable" => Ok(Self::Unavailable),
            other => Err(rows.error(format!("row state is neither on, off nor unavailable: {other:?}"))),
        }
    }
}

pub(super) fn skip_row(why: &str) -> String {
    format!("skipped.{why}.folios")
}

/// A histogram in which all buckets have rows.
pub(super) fn histogram(rows: &mut Rows, prefix: &str) -> Result<Log2> {
    let hist = filled_histogram(rows, prefix)?;
    if hist.is_empty() {
        return Err(rows.error(format!("row {prefix}<low> is missing")));
    }
    Ok(hist)
}

/// A histogram in which buckets that are 0 have no rows.
pub(super) fn filled_histogram(rows: &mut Rows, prefix: &str) -> Result<Log2> {
    let mut hist = Log2::new();
    for (rest, value) in rows.take_prefix(prefix) {
        let row = format!("{prefix}{rest}");
        let low = rows.parse_number(&row, &rest)?;
        // A bucket has only one spelling: 01 would be a second row for 1.
        if low != 0 && !(low.is_power_of_two() && low <= LAST_BUCKET) || low.to_string() != rest {
            return Err(rows.error(format!("row {row} names no bucket of the histogram")));
        }
        hist.insert(low, rows.parse_number(&row, &value)?);
    }
    Ok(hist)
}

/// The rows `skipped.WHY.folios`, one for each of `all`.
pub(super) fn skips<K: Copy + Ord>(
    rows: &mut Rows,
    all: &[K],
    key: impl Fn(K) -> &'static str,
) -> Result<BTreeMap<K, u64>> {
    all.iter().map(|&why| Ok((why, rows.number(&skip_row(key(why)))?))).collect()
}

/// Calls `parse` for each device that has one of the rows `known`.
pub(super) fn devices<D>(
    rows: &mut Rows,
    known: &[&str],
    parse: impl Fn(&mut Rows, &str) -> Result<D>,
) -> Result<BTreeMap<String, D>> {
    let mut devices = BTreeMap::new();
    for name in device_names(rows, known) {
        let device = parse(rows, &name)?;
        devices.insert(name, device);
    }
    Ok(devices)
}

/// The names of the devices that have one of the rows `known`. A name may contain dots.
fn device_names(rows: &Rows, known: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = rows
        .keys("device.")
        .filter_map(|rest| rest.rsplit_once('.').filter(|(_, what)| known.contains(what)))
        .map(|(name, _)| name.to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// A row whose value is 0 or 1.
pub(super) fn flag(rows: &mut Rows, row: &str) -> Result<bool> {
    match rows.take(row)?.as_str() {
        "0" => Ok(false),
        "1" => Ok(true),
        other => Err(rows.error(format!("row {row} is neither 0 nor 1: {other:?}"))),
    }
}

pub(super) fn subtract<K: Ord>(
    now: &mut BTreeMap<K, u64>,
    before: &BTreeMap<K, u64>,
    row: impl Fn(&K) -> String,
) -> Result<()> {
    for (key, value) in now {
        *value = grown(&row(key), *value, before.get(key).copied().unwrap_or(0))?;
    }
    Ok(())
}
