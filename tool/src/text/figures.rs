// SPDX-License-Identifier: GPL-2.0
//! Figures that the sections on the helper's two halves show alike.

use super::layout::{Page, Table};
use crate::{
    format::{count, percent, us},
    ledger::{HelperState, LAST_BUCKET},
    report::{FolioBook, RequestBook},
};

/// A half's state; `parameter` is what switches it.
pub fn state(state: HelperState, parameter: &str) -> String {
    match state {
        HelperState::On => "on".into(),
        HelperState::Off => format!("off (parameter {parameter})"),
        HelperState::Unavailable => "unavailable".into(),
    }
}

/// `n` of so many as percent.
pub fn share(n: u64, of: u64) -> String {
    if of == 0 { "-".into() } else { percent(n as f64 / of as f64) }
}

/// A time. A number and its unit stay together.
pub fn time(of: u64) -> String {
    us(of).replace(' ', "\u{a0}")
}

/// A mean time.
pub fn mean_time(mean_us: f64) -> String {
    // Never negative; beyond 2^64 it stays there.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    time(mean_us.round() as u64)
}

/// A mean time and the bounds of half and of nearly all.
pub fn spread(mean_us: f64, p50: Option<u64>, p99: Option<u64>) -> String {
    let mean = mean_time(mean_us);
    // Without a bound it is in the last bucket, which has none.
    let below = |bound: Option<u64>| match bound {
        Some(bound) => format!("below {}", time(bound)),
        None => format!("not below {}", time(LAST_BUCKET)),
    };
    format!("{mean} on average, p50 {}, p99 {}", below(p50), below(p99))
}

/// What became of the folios that one step was given. Only what happened gets a row.
pub fn step(page: &mut Page, title: &str, all: (&str, u64), parts: Vec<(&str, u64)>) {
    let mut table = Table::new(&[title, "folios", "share"]);
    for (what, n) in parts.into_iter().filter(|(_, n)| *n > 0) {
        table.row(vec![what.into(), count(n), share(n, all.1)]);
    }
    table.total(vec![all.0.into(), count(all.1), String::new()]);
    page.table(&table);
}

/// What must come out even, if anything came in.
pub fn books(page: &mut Page, books: &[FolioBook]) {
    balance(page, "<the books (folios)", books.iter().map(|b| (b.what, b.folios, b.accounted, b.difference)));
}

/// The same, of requests.
pub fn request_books(page: &mut Page, books: &[RequestBook]) {
    balance(page, "<the books (requests)", books.iter().map(|b| (b.what, b.requests, b.accounted, b.difference)));
}

fn balance<'a>(page: &mut Page, title: &str, books: impl Iterator<Item = (&'a str, u64, u64, i64)> + Clone) {
    if books.clone().all(|(_, there, accounted, _)| there == 0 && accounted == 0) {
        return;
    }
    let mut table = Table::new(&[title, "there", "accounted", "off by"]);
    for (what, there, accounted, difference) in books {
        let off = if difference == 0 { "-".into() } else { format!("{difference:+}") };
        table.row(vec![what.into(), count(there), count(accounted), off]);
    }
    page.line("");
    page.table(&table);
}
