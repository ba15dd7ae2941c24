// SPDX-License-Identifier: GPL-2.0
//! The samples of metric families, and how they are written.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Write},
};

use super::families::{Family, Kind};
use crate::ledger::Log2;

/// The value of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A number, written as it is.
    Number(u64),
    /// Nanoseconds, written as seconds without rounding.
    Nanos(u64),
    /// Seconds with a fraction.
    Float(f64),
}

impl Value {
    /// Microseconds, written as seconds.
    pub fn micros(us: u64) -> Self {
        Self::Nanos(us.saturating_mul(1000))
    }

    /// 1 for yes, 0 for no.
    pub fn flag(yes: bool) -> Self {
        Self::Number(u64::from(yes))
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Number(n) => write!(f, "{n}"),
            Self::Float(n) => write!(f, "{n}"),
            Self::Nanos(ns) => {
                let (whole, part) = (ns / 1_000_000_000, ns % 1_000_000_000);
                if part == 0 {
                    return write!(f, "{whole}");
                }
                f.write_str(format!("{whole}.{part:09}").trim_end_matches('0'))
            }
        }
    }
}

/// The data of a family for one set of labels.
#[derive(Clone, Debug)]
enum Data {
    One(Value),
    Histogram { buckets: Vec<(String, u64)>, count: u64, sum: Value },
}

/// The bounds of a histogram: limits, each with its text for the label `le`. Values less than the limit are counted.
#[derive(Clone, Debug)]
pub struct Bounds(Vec<(u64, String)>);

impl Bounds {
    /// Bounds of times in microseconds: powers of two from 1 us to 8.4 s.
    pub fn seconds() -> Self {
        Self((0..=23).map(|bit| 1 << bit).map(|us| (us, Value::micros(us).to_string())).collect())
    }

    /// Bounds of whole numbers: powers of two up to `most`. `le` means "at most", and a number that is less than 64 is
    /// at most 63.
    pub fn whole(least: u64, most: u64) -> Self {
        let limits = std::iter::successors(Some(least), |limit| limit.checked_mul(2));
        Self(limits.take_while(|limit| *limit <= most).map(|limit| (limit, (limit - 1).to_string())).collect())
    }
}

/// All samples of one export.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<Family, Vec<(Vec<String>, Data)>>);

impl Samples {
    /// Adds a value. `labels` are the values of the family's labels, in their order.
    pub fn add(&mut self, family: Family, labels: &[&str], value: Value) {
        debug_assert_ne!(family.row().kind, Kind::Histogram, "{family:?}");
        self.push(family, labels, Data::One(value));
    }

    /// Adds a counter or a gauge with a whole number.
    pub fn number(&mut self, family: Family, labels: &[&str], n: u64) {
        self.add(family, labels, Value::Number(n));
    }

    /// Adds a histogram from counts by lower bound, and the sum of what was counted.
    pub fn histogram(&mut self, family: Family, labels: &[&str], bounds: &Bounds, hist: &Log2, sum: Value) {
        debug_assert_eq!(family.row().kind, Kind::Histogram, "{family:?}");
        let below = |limit: u64| crate::ledger::total(hist.range(..limit).map(|(_, n)| *n));
        let buckets = bounds.0.iter().map(|(limit, le)| (le.clone(), below(*limit))).collect();
        // The ledger's own count is not used, because it may have been read a moment earlier than the buckets.
        let count = crate::ledger::total(hist.values().copied());
        self.push(family, labels, Data::Histogram { buckets, count, sum });
    }

    fn push(&mut self, family: Family, labels: &[&str], data: Data) {
        debug_assert_eq!(family.row().labels.len(), labels.len(), "{family:?}");
        self.0.entry(family).or_default().push((labels.iter().map(|&label| label.to_owned()).collect(), data));
    }

    /// Keeps only the samples for whose labels `keep` returns true.
    pub fn retain(&mut self, keep: impl Fn(&[(&str, &str)]) -> bool) {
        for (family, samples) in &mut self.0 {
            let names = family.row().labels;
            samples.retain(|(values, _)| {
                let labels: Vec<(&str, &str)> = names.iter().copied().zip(values.iter().map(String::as_str)).collect();
                keep(&labels)
            });
        }
        self.0.retain(|_, samples| !samples.is_empty());
    }

    /// Prometheus' text format. Families without a sample are left out.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (family, samples) in &self.0 {
            let row = family.row();
            let _ = writeln!(text, "# HELP {} {}", row.name, escaped(row.help, false));
            let _ = writeln!(text, "# TYPE {} {}", row.name, row.kind.word());
            for (values, data) in samples {
                let labels: Vec<(&str, &str)> =
                    row.labels.iter().copied().zip(values.iter().map(String::as_str)).collect();
                match data {
                    Data::One(value) => line(&mut text, row.name, "", &labels, value),
                    Data::Histogram { buckets, count, sum } => {
                        for (le, n) in buckets.iter().map(|(le, n)| (le.as_str(), n)).chain([("+Inf", count)]) {
                            let labels = [&labels[..], &[("le", le)]].concat();
                            line(&mut text, row.name, "_bucket", &labels, n);
                        }
                        line(&mut text, row.name, "_sum", &labels, sum);
                        line(&mut text, row.name, "_count", &labels, count);
                    }
                }
            }
        }
        text
    }
}

fn line(text: &mut String, name: &str, ending: &str, labels: &[(&str, &str)], value: impl Display) {
    let labels: Vec<String> =
        labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value, true))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "{name}{ending}{labels} {value}");
}

fn escaped(text: &str, quotes: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quotes { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_exact() {
        let written = |ns| Value::Nanos(ns).to_string();
        assert_eq!([written(0), written(1), written(1_500_000_000)], ["0", "0.000000001", "1.5"]);
        assert_eq!(written(u64::MAX), "18446744073.709551615");
        assert_eq!(Value::micros(1024).to_string(), "0.001024");
    }

    #[test]
    fn buckets_are_cumulative_and_end_with_all() {
        let mut samples = Samples::default();
        let hist = Log2::from([(0, 1), (1, 2), (1 << 22, 4), (1 << 23, 8)]);
        samples.histogram(Family::HandoffQueued, &[], &Bounds::seconds(), &hist, Value::Nanos(7));
        let text = samples.text();
        let of = |le: &str| {
            let start = format!("reclaimwb_handoff_queued_seconds_bucket{{le=\"{le}\"}} ");
            text.lines().find_map(|line| line.strip_prefix(&start)).map(str::to_owned)
        };
        assert_eq!(of("0.000001").as_deref(), Some("1"));
        assert_eq!(of("0.000002").as_deref(), Some("3"));
        assert_eq!(of("4.194304").as_deref(), Some("3"));
        assert_eq!(of("8.388608").as_deref(), Some("7"));
        assert_eq!(of("+Inf").as_deref(), Some("15"));
        assert!(text.ends_with("_sum 0.000000007\nreclaimwb_handoff_queued_seconds_count 15\n"), "{text}");
    }

    #[test]
    fn whole_numbers_are_at_most_one_less() {
        let words: Vec<String> = Bounds::whole(1, 8).0.into_iter().map(|(_, le)| le).collect();
        assert_eq!(words, ["0", "1", "3", "7"]);
    }

    #[test]
    fn labels_are_escaped() {
        let mut samples = Samples::default();
        samples.number(Family::WindowSlots, &[], 1);
        samples.number(Family::Windows, &["a\"b\\c\nd"], 2);
        let text = samples.text();
        assert!(text.contains("reclaimwb_windows_total{origin=\"a\\\"b\\\\c\\nd\"} 2\n"), "{text}");
        // Families are in the order of the table, and not in the order in which they were added.
        assert!(text.starts_with("# HELP reclaimwb_window_slots "), "{text}");
    }
}
