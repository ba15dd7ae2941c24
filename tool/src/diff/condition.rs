// SPDX-License-Identifier: GPL-2.0
//! `--fail-if 'NAME OP VALUE'`: a condition on one figure.

use std::fmt;

use super::figures::{Figure, Range, Unit};
use crate::error::{Error, Result};

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Less than.
    Less,
    /// Not more than.
    AtMost,
    /// More than.
    More,
    /// Not less than.
    AtLeast,
}

impl Op {
    /// Whether the comparison holds for all values of the range; `None` if it holds only for some.
    pub fn holds(self, left: Range, right: f64) -> Option<bool> {
        let Range { least, is_more, most, is_less } = left;
        let (all, none) = match self {
            Self::Less => (most < right || is_less && most <= right, least >= right),
            Self::AtMost => (most <= right, least > right || is_more && least >= right),
            Self::More => (least > right || is_more && least >= right, most <= right),
            Self::AtLeast => (least >= right, most < right || is_less && most <= right),
        };
        (all || none).then_some(all)
    }
}

/// What a figure is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Against {
    /// A multiple of what A has, per second if the lengths differ.
    Ratio(f64),
    /// A value, in the figure's unit.
    Absolute(f64),
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// As it was given.
    pub text: String,
    /// Name of the figure.
    pub figure: String,
    /// How it is compared.
    pub op: Op,
    /// What it is compared with.
    pub against: Against,
}

/// Units, and how many of them make one of the figure's own unit. They are divided by, because 40 divided by 1000 is
/// exactly 0.04, and 40 times 0.001 is not.
const TIMES: [(&str, f64); 4] = [("ns", 1e9), ("us", 1e6), ("ms", 1e3), ("s", 1.0)];
const SIZES: [(&str, f64); 4] =
    [("bytes", 1.0), ("KiB", 1.0 / 1024.0), ("MiB", 1.0 / 1_048_576.0), ("GiB", 1.0 / 1_073_741_824.0)];
const SHARES: [(&str, f64); 1] = [("%", 100.0)];
const PAGES: [(&str, f64); 1] = [("pages", 1.0)];

fn units(of: Unit) -> &'static [(&'static str, f64)] {
    match of {
        Unit::Seconds => &TIMES,
        Unit::Bytes => &SIZES,
        Unit::Share => &SHARES,
        Unit::Pages => &PAGES,
        Unit::Count | Unit::Each => &[],
    }
}

impl Condition {
    /// Reads a condition on one of these figures.
    pub fn parse(text: &str, figures: &[Figure]) -> Result<Self> {
        let bad = |what: fmt::Arguments| Error::Options(format!("--fail-if {text:?}: {what}"));
        let form = "it is NAME OP VALUE, with OP one of < <= > >=, such as 'stall.p99 > 1.2x'";
        let Some(at) = text.find(['<', '>', '=']) else {
            return Err(bad(format_args!("there is no comparison; {form}")));
        };
        let (name, rest) = text.split_at(at);
        let name = name.trim();
        let (op, value) = [("<=", Op::AtMost), (">=", Op::AtLeast), ("<", Op::Less), (">", Op::More)]
            .into_iter()
            .find_map(|(sign, op)| Some((op, rest.strip_prefix(sign)?.trim())))
            .ok_or_else(|| bad(format_args!("there is no such comparison; {form}")))?;
        let Some(figure) = figures.iter().find(|figure| figure.name == name) else {
            let nearest = figures.iter().map(|figure| figure.name.as_str());
            let nearest = nearest.min_by_key(|known| strsim::damerau_levenshtein(known, name)).unwrap_or_default();
            return Err(bad(format_args!(
                "there is no figure {name:?}; the nearest is {nearest} (reclaimwb diff --list has all of them)"
            )));
        };
        let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
        let (number, unit) = value.split_at(end);
        let number: f64 =
            number.parse().map_err(|_| bad(format_args!("{value:?} is not a number of 0 or more; {form}")))?;
        let against = match unit.trim() {
            "x" if number > 0.0 => Against::Ratio(number),
            "x" => return Err(bad(format_args!("a ratio of 0 compares nothing; give a number without x"))),
            unit => Against::Absolute(number / divisor(unit, figure).map_err(|what| bad(format_args!("{what}")))?),
        };
        if figure.unit == Unit::Share && matches!(against, Against::Absolute(share) if share > 1.0) {
            return Err(bad(format_args!("{name} is a share: give 0 to 1, or 0 % to 100 %")));
        }
        Ok(Self { text: text.to_owned(), figure: name.to_owned(), op, against })
    }
}

fn divisor(unit: &str, figure: &Figure) -> std::result::Result<f64, String> {
    if unit.is_empty() {
        return Ok(1.0);
    }
    let units = units(figure.unit);
    if let Some((_, divisor)) = units.iter().find(|(name, _)| *name == unit) {
        return Ok(*divisor);
    }
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    let with = if names.is_empty() { String::new() } else { format!(", one with {}", names.join(", ")) };
    Err(format!("{unit:?} is not a unit of {}; give a plain number{with}, or a ratio such as 1.2x", figure.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{Bound, Number, figures};

    fn parse(text: &str) -> std::result::Result<Condition, String> {
        Condition::parse(text, &figures()).map_err(|err| err.to_string())
    }

    #[test]
    fn conditions() {
        let is = |text: &str, figure: &str, op, against| {
            let condition = parse(text).expect(text);
            assert_eq!((condition.figure.as_str(), condition.op), (figure, op), "{text}");
            match (condition.against, against) {
                (Against::Ratio(got), Against::Ratio(wanted)) | (Against::Absolute(got), Against::Absolute(wanted)) => {
                    assert!((got - wanted).abs() < 1e-12, "{text}: {got}");
                }
                other => panic!("{text}: {other:?}"),
            }
        };
        is("stall.p99 > 1.2x", "stall.p99", Op::More, Against::Ratio(1.2));
        is(" stall.p99>=10ms ", "stall.p99", Op::AtLeast, Against::Absolute(0.01));
        is("stall.p99 < 250 us", "stall.p99", Op::Less, Against::Absolute(0.000_25));
        is("stall.p99 <= 3", "stall.p99", Op::AtMost, Against::Absolute(3.0));
        is("stall.count > 0", "stall.count", Op::More, Against::Absolute(0.0));
        is("headroom.min < 2KiB", "headroom.min", Op::Less, Against::Absolute(2048.0));
        is("headroom.min < 2000 bytes", "headroom.min", Op::Less, Against::Absolute(2000.0));
        is("handoff.refused.share > 1%", "handoff.refused.share", Op::More, Against::Absolute(0.01));
        is("writes.direct.pages > 12 pages", "writes.direct.pages", Op::More, Against::Absolute(12.0));
        is("batches.pages < .5x", "batches.pages", Op::Less, Against::Ratio(0.5));
    }

    #[test]
    fn nonsense() {
        let says = |text: &str, what: &str| {
            let said = parse(text).expect_err(text);
            assert!(said.starts_with("--fail-if ") && said.contains(text) && said.contains(what), "{said}");
        };
        says("", "there is no comparison");
        says("stall.p99", "NAME OP VALUE");
        says("stall.p99 = 3", "no such comparison");
        says("stall.p99 == 3", "no such comparison");
        says("stall.p98 > 3", "the nearest is stall.p9");
        says("> 3", "there is no figure \"\"");
        says("stall.p99 >", "is not a number");
        says("stall.p99 > much", "is not a number");
        says("stall.p99 > -3", "is not a number");
        says("stall.p99 > 1.2.3", "is not a number");
        says("stall.p99 > 3 MiB", "one with ns, us, ms, s, or a ratio");
        says("stall.count > 3ms", "give a plain number, or a ratio");
        says("stall.p99 > 0x", "a ratio of 0");
        says("handoff.refused.share > 7", "0 % to 100 %");
        says("stall.p99 > 1.2x > 3", "is not a unit");
    }

    #[test]
    fn operators() {
        let each = |left, right| [Op::Less, Op::AtMost, Op::More, Op::AtLeast].map(|op| op.holds(left, right));
        let of = |left, right| each(Range::exact(left), right).map(|holds| holds.expect("exact"));
        assert_eq!(of(1.0, 2.0), [true, true, false, false]);
        assert_eq!(of(2.0, 2.0), [false, true, false, true]);
        assert_eq!(of(f64::INFINITY, 2.0), [false, false, true, true]);
        // Of a value from 4 to less than 8.
        let bucket = Number { value: 8.0, bound: Bound::Below }.range();
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(each(bucket, 3.0), [no, no, yes, yes]);
        assert_eq!(each(bucket, 4.0), [no, None, None, yes]);
        assert_eq!(each(bucket, 6.0), [None; 4]);
        assert_eq!(each(bucket, 8.0), [yes, yes, no, no]);
        // Of 4 or more.
        let open = Number { value: 4.0, bound: Bound::AtLeast }.range();
        assert_eq!(each(open, 3.0), [no, no, yes, yes]);
        assert_eq!(each(open, 4.0), [no, None, None, yes]);
        assert_eq!(each(open, 1e9), [None; 4]);
        // The first bucket begins at 0.
        assert_eq!(Number { value: 1e-6, bound: Bound::Below }.range().least.to_bits(), 0.0_f64.to_bits());
    }

    #[test]
    fn ratios_of_bounds() {
        let bucket = |value| Number { value, bound: Bound::Below }.range();
        let holds = |b, a, op: Op, right| op.holds(Range::ratio(b, a), right);
        // Each is less than twice what it may be: the ratio is more than 0.5, and less than 2.
        assert_eq!(holds(bucket(8.0), bucket(8.0), Op::More, 1.2), None);
        assert_eq!(holds(bucket(8.0), bucket(8.0), Op::More, 2.0), Some(false));
        assert_eq!(holds(bucket(8.0), bucket(8.0), Op::AtMost, 0.5), Some(false));
        // More than 1, and less than 4.
        assert_eq!(holds(bucket(16.0), bucket(8.0), Op::More, 1.0), Some(true));
        assert_eq!(holds(bucket(16.0), bucket(8.0), Op::More, 1.2), None);
        assert_eq!(holds(bucket(32.0), bucket(8.0), Op::More, 1.2), Some(true));
        assert_eq!(holds(bucket(4.0), bucket(8.0), Op::More, 1.2), Some(false));
        let exact = Range::exact;
        assert_eq!(holds(bucket(8.0), exact(0.0), Op::More, 100.0), Some(true));
        assert_eq!(holds(exact(0.0), bucket(8.0), Op::Less, 0.1), Some(true));
        assert_eq!(Range::ratio(exact(0.0), exact(0.0)).value().map(f64::to_bits), Some(1.0_f64.to_bits()));
        assert_eq!(Range::ratio(exact(3.0), exact(2.0)).value().map(f64::to_bits), Some(1.5_f64.to_bits()));
        assert_eq!(bucket(8.0).value(), None);
    }

    #[test]
    fn names_are_told_apart() {
        let mut names: Vec<String> = figures().into_iter().map(|figure| figure.name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(all > 80);
        // Every figure can be used in a condition.
        assert!(names.iter().all(|name| parse(&format!("{name} > 1.5x")).is_ok()));
    }
}
