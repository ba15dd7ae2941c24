// SPDX-License-Identifier: GPL-2.0
//! Compares the recorded numbers with the kernel's own counters, over the same interval.

use schemars::JsonSchema;
use serde::Serialize;

use super::WritesSection;
use crate::{
    ledger::{GroupState, total},
    names::Kind,
    system::System,
};

/// One comparison.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Book {
    /// What is compared.
    pub what: &'static str,
    /// Pages recorded.
    pub recorded: u64,
    /// The kernel's counter. zswap's own writeback (`zswpwb`) is subtracted from `pswpout`.
    pub counter: &'static str,
    /// Its growth over the interval.
    pub kernel: u64,
    /// Recorded minus kernel. This is not zero if pages were under way, or if one of the two is wrong.
    pub difference: i64,
}

/// Makes the comparisons for which the kernel has counters.
pub(super) fn section(writes: &WritesSection, now: &System, before: &System, split_known: bool) -> Vec<Book> {
    let kind = |kind: Kind| writes.kinds.get(&kind).copied().unwrap_or(0);
    let mut books = vec![("pages written by reclaim", writes.pages, "nr_vmscan_write", None)];
    if split_known {
        // pswpout also counts what zswap writes back, which is not from reclaim, and what the device then refused.
        let device = total([Kind::Io, Kind::Sync, Kind::Failed].map(kind));
        books.push(("of them to a device", device, "pswpout", Some("zswpwb")));
        books.push(("of them to zswap", kind(Kind::Zswap), "zswpout", None));
        books.push(("of them zero-filled", kind(Kind::Zero), "swpout_zero", None));
    }
    if let Some(zswap) = writes.zswap_writeback.as_ref().filter(|zswap| zswap.state == GroupState::On) {
        let pages = total(zswap.pages.values().copied()).saturating_add(zswap.worker_pages);
        books.push(("written back by zswap", pages, "zswpwb", None));
    }
    let growth = |counter: &str| now.vmstat.get(counter)?.checked_sub(*before.vmstat.get(counter)?);
    books
        .into_iter()
        .filter_map(|(what, recorded, counter, less)| {
            let kernel = growth(counter)?.saturating_sub(less.and_then(growth).unwrap_or(0));
            let difference = i64::try_from(i128::from(recorded) - i128::from(kernel)).ok()?;
            Some(Book { what, recorded, counter, kernel, difference })
        })
        .collect()
}
