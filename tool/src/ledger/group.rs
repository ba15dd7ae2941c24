// SPDX-License-Identifier: GPL-2.0
//! What the ledgers that can be switched have in common.

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    half::{LAST_BUCKET, Log2},
    rows::Rows,
};
use crate::error::Result;

/// Whether a ledger records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It records.
    On,
    /// It is switched off by the parameter of its group.
    Off,
    /// This kernel does not support it.
    Unavailable,
}

impl State {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        Self::parse_row(rows, "state")
    }

    pub(super) fn parse_row(rows: &mut Rows, key: &str) -> Result<Self> {
        match rows.take(key)?.as_str() {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            "unavailable" => Ok(Self::Unavailable),
            other => Err(rows.error(format!("row {key} is neither on, off nor unavailable: {other:?}"))),
        }
    }
}

/// A histogram in which only the buckets that are not 0 have rows.
pub(super) fn sparse(rows: &mut Rows, prefix: &str) -> Result<Log2> {
    let mut hist = Log2::new();
    for (low, value) in rows.take_prefix(prefix) {
        let row = format!("{prefix}{low}");
        let bucket = rows.parse_number(&row, &low)?;
        if bucket > LAST_BUCKET || bucket != 0 && !bucket.is_power_of_two() || bucket.to_string() != low {
            return Err(rows.error(format!("row {row} names no bucket of the histogram")));
        }
        hist.insert(bucket, rows.parse_number(&row, &value)?);
    }
    Ok(hist)
}
