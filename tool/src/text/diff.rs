// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb diff`: the comparison as text for people.

use super::layout::{Page, Table};
use crate::{
    diff::{About, Bound, Diff, Figure, Number, Outcome, Row, Unit},
    format::{count, percent},
};

/// The comparison. `all` includes the figures that did not change.
pub fn diff(diff: &Diff, width: usize, all: bool) -> String {
    let mut page = Page::new(width.max(super::MIN_WIDTH));
    head(&mut page, "A", &diff.a);
    head(&mut page, "B", &diff.b);
    changed(&mut page, diff);
    for note in &diff.notes {
        page.paragraph("! ", "  ", note);
    }
    figures(&mut page, diff, all);
    missing(&mut page, diff);
    conditions(&mut page, &diff.conditions);
    page.finish()
}

/// The list of all figures.
pub fn diff_list(figures: &[Figure], width: usize) -> String {
    let mut page = Page::new(width.max(super::MIN_WIDTH));
    let mut table = Table::new(&["<figure", "<unit", "<what it is"]);
    for figure in figures {
        let meaning = figure.meaning.clone();
        table.row(vec![figure.name.clone(), figure.unit.label().into(), meaning]);
    }
    page.table(&table);
    page.finish()
}

fn head(page: &mut Page, name: &str, about: &About) {
    let span = match about.seconds {
        Some(seconds) => format!("{seconds:.1} s until {}", about.at),
        None => format!("from the loading of the module to {}", about.at),
    };
    let command = about.command.as_ref().map_or(String::new(), |words| format!(", of: {}", words.join(" ")));
    page.paragraph(&format!("{name}: "), "   ", &format!("{}: {}, {span}{command}", about.file, about.source));
}

fn changed(page: &mut Page, diff: &Diff) {
    if diff.changed.is_empty() {
        return;
    }
    page.heading("NOT THE SAME", "");
    let text = |value: &Option<String>| match value.as_deref() {
        None | Some("") => "none".to_owned(),
        Some(text) => text.to_owned(),
    };
    for one in &diff.changed {
        page.paragraph("  ", "    ", &format!("{}: {} -> {}", one.what, text(&one.a), text(&one.b)));
    }
}

fn figures(page: &mut Page, diff: &Diff, all: bool) {
    let per_second = if diff.per_second { "what adds up is compared per second" } else { "" };
    page.heading("FIGURES, WHAT CHANGED MOST FIRST", per_second);
    let mut table = Table::new(&["<figure", "A", "B", "B/A"]);
    let both = |row: &&Row| row.a.is_some() && row.b.is_some();
    for row in diff.figures.iter().filter(both).filter(|row| all || !row.is_same()) {
        let rate = |number: Option<Number>, about: &About| {
            let per = about.seconds.filter(|seconds| diff.per_second && row.adds_up && *seconds > 0.0);
            number.map_or(String::new(), |number| cell(number, row.unit, per))
        };
        table.row(vec![row.name.clone(), rate(row.a, &diff.a), rate(row.b, &diff.b), times(row.ratio)]);
    }
    if table.is_empty() {
        page.line("  Nothing changed.");
    } else {
        page.table(&table);
    }
    let same = diff.figures.iter().filter(|row| row.is_same()).count();
    if !all && same > 0 {
        page.paragraph("  ", "  ", &format!("{same} more are the same in both; --all shows them."));
    }
}

/// The reason why one side has no such figure.
type Why = fn(&Row) -> Option<&String>;

fn missing(page: &mut Page, diff: &Diff) {
    let sides: [(&str, Why); 3] = [
        ("A", |row| row.a_missing.as_ref().filter(|_| row.a_missing != row.b_missing)),
        ("B", |row| row.b_missing.as_ref().filter(|_| row.a_missing != row.b_missing)),
        ("EITHER", |row| row.a_missing.as_ref().filter(|_| row.a_missing == row.b_missing)),
    ];
    for (side, why) in sides {
        // One line for each reason, in the order of the figures.
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for row in &diff.figures {
            let Some(why) = why(row).map(String::as_str) else { continue };
            match reasons.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => names.push(&row.name),
                None => reasons.push((why, vec![row.name.as_str()])),
            }
        }
        if reasons.is_empty() {
            continue;
        }
        page.heading(&format!("NOT IN {side}"), "");
        for (why, names) in reasons {
            page.paragraph("  ", "    ", &format!("{}: {why}", names.join(", ")));
        }
    }
}

fn conditions(page: &mut Page, outcomes: &[Outcome]) {
    if outcomes.is_empty() {
        return;
    }
    page.heading("CONDITIONS", "");
    for outcome in outcomes {
        let (verdict, says) = match (outcome.decided, outcome.holds) {
            (true, true) => ("FAIL", String::new()),
            (true, false) => ("ok  ", String::new()),
            (false, _) => ("?   ", format!(", which does not decide it{}", exactly(&outcome.condition))),
        };
        page.paragraph("  ", "    ", &format!("{verdict} {}: it is {}{says}", outcome.condition, value(outcome)));
    }
}

/// The value that was compared, or all that it can be.
fn value(outcome: &Outcome) -> String {
    let shown = |value: f64| {
        if outcome.is_ratio {
            times(Some(value))
        } else {
            cell(Number { value, bound: Bound::Exact }, outcome.unit, None)
        }
    };
    match (outcome.least, outcome.most) {
        (Some(least), Some(most)) if least.to_bits() == most.to_bits() => shown(least),
        (Some(least), Some(most)) => format!("{} to {}", shown(least), shown(most)),
        (Some(least), None) => format!("{} or more", shown(least)),
        (None, _) => times(None),
    }
}

/// How a figure is got exactly.
fn exactly(condition: &str) -> &'static str {
    if condition.trim_start().starts_with("stall.") {
        "; recordings with all stall events have it exactly"
    } else {
        "; the ledgers have only this bound"
    }
}

/// A ratio. If A is 0, B is new.
fn times(ratio: Option<f64>) -> String {
    match ratio {
        None => "new".into(),
        Some(ratio) if ratio >= 1000.0 => format!("{}x", whole(ratio)),
        // A small ratio must not look like 0.
        Some(ratio) if ratio > 0.0 && ratio < 0.01 => "<0.01x".into(),
        Some(ratio) => format!("{ratio:.2}x"),
    }
}

fn cell(number: Number, unit: Unit, per: Option<f64>) -> String {
    let before = match number.bound {
        Bound::Exact => "",
        Bound::Below => "<",
        Bound::AtLeast => ">=",
    };
    let value = number.value / per.unwrap_or(1.0);
    let text = match unit {
        Unit::Seconds => time(value),
        Unit::Share => percent(value),
        Unit::Bytes => format!("{} B", whole(value)),
        Unit::Each => format!("{value:.1}"),
        // Small rates get two decimals, so that less than one a second does not look like 0.
        Unit::Count | Unit::Pages if per.is_some() && value < 100.0 => format!("{value:.2}"),
        Unit::Count | Unit::Pages => whole(value),
    };
    format!("{before}{text}{}", if per.is_some() { "/s" } else { "" })
}

fn time(seconds: f64) -> String {
    match seconds {
        0.0 => "0 s".into(),
        s if s < 1e-3 => format!("{:.0} us", s * 1e6),
        s if s < 1.0 => format!("{:.2} ms", s * 1e3),
        s => format!("{s:.2} s"),
    }
}

fn whole(value: f64) -> String {
    // It is never negative, and not more than a u64.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    count(value.round().max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios() {
        let shown = [None, Some(0.0), Some(0.001), Some(1.0), Some(1.234), Some(12345.0)].map(times);
        assert_eq!(shown, ["new", "0.00x", "<0.01x", "1.00x", "1.23x", "12,345x"]);
    }

    #[test]
    fn cells() {
        let exact = |value| Number { value, bound: Bound::Exact };
        assert_eq!(cell(exact(0.0051), Unit::Seconds, None), "5.10 ms");
        assert_eq!(cell(Number { value: 0.008_192, bound: Bound::Below }, Unit::Seconds, None), "<8.19 ms");
        assert_eq!(cell(Number { value: 5992.0, bound: Bound::AtLeast }, Unit::Bytes, None), ">=5,992 B");
        assert_eq!(cell(exact(3.0), Unit::Count, Some(2.0)), "1.50/s");
        assert_eq!(cell(exact(30_000.0), Unit::Pages, Some(2.0)), "15,000/s");
        assert_eq!(cell(exact(0.5), Unit::Seconds, Some(10.0)), "50.00 ms/s");
        assert_eq!(cell(exact(0.000_04), Unit::Share, None), "<0.1 %");
        assert_eq!([0.0, 2e-6, 2.0].map(time), ["0 s", "2 us", "2.00 s"]);
    }
}
