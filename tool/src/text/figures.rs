// SPDX-License-Identifier: GPL-2.0
//! Figures that the sections about both halves of the helper show in the same way.

use super::layout::{Page, Table};
use crate::{
    format::{count, percent, us},
    ledger::{HelperState, LAST_BUCKET},
    report::{FolioBook, RequestBook, Times},
};

/// The state of a half of the helper; `parameter` is the one that switches it.
pub fn state(state: HelperState, parameter: &str) -> String {
    match state {
        HelperState::On => "on".into(),
        HelperState::Off => format!("off (parameter {parameter})"),
        HelperState::Unavailable => "unavailable".into(),
    }
}

/// `n` of `of`, as a percentage.
pub fn share(n: u64, of: u64) -> String {
    if of == 0 { "-".into() } else { percent(n as f64 / of as f64) }
}

/// Marks a minimum or a maximum that was reached before the interval began.
pub fn mark(is_new: bool) -> &'static str {
    if is_new { "" } else { "*" }
}

/// A time. The number and its unit stay on one line.
pub fn time(of: u64) -> String {
    us(of).replace(' ', "\u{a0}")
}

/// An upper bound of some of these times, in a table: `-` if there are none, and `longer` if the last bucket, which has no
/// end, contains it.
pub fn bound(times: &Times, us: Option<u64>) -> String {
    match us {
        Some(us) => time(us),
        None if times.count == 0 => "-".into(),
        None => "longer".into(),
    }
}

/// A mean time.
pub fn mean_time(mean_us: f64) -> String {
    // It is never negative. If it is more than a u64 can hold, the cast saturates.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    time(mean_us.round() as u64)
}

/// A mean time, and the upper bounds of 50 and 99 of 100.
pub fn spread(mean_us: f64, p50: Option<u64>, p99: Option<u64>) -> String {
    let mean = mean_time(mean_us);
    // Without a bound, it is in the last bucket, which has no end.
    let below = |bound: Option<u64>| match bound {
        Some(bound) => format!("below {}", time(bound)),
        None => format!("not below {}", time(LAST_BUCKET)),
    };
    format!("{mean} on average, p50 {}, p99 {}", below(p50), below(p99))
}

/// A table of what became of the folios of one step. Only what happened gets a row.
pub fn step(page: &mut Page, title: &str, all: (&str, u64), parts: Vec<(&str, u64)>) {
    let mut table = Table::new(&[title, "folios", "share"]);
    for (what, n) in parts.into_iter().filter(|(_, n)| *n > 0) {
        table.row(vec![what.into(), count(n), share(n, all.1)]);
    }
    table.total(vec![all.0.into(), count(all.1), String::new()]);
    page.table(&table);
}

/// The sums that must come out even, if anything was counted.
pub fn books(page: &mut Page, books: &[FolioBook]) {
    balance(page, "<the books (folios)", books.iter().map(|b| (b.what, b.folios, b.accounted, b.difference)));
}

/// The same for requests.
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
