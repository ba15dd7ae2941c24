// SPDX-License-Identifier: GPL-2.0
//! Axes: the positions and the texts of their marks.

/// Round numbers from 0 to at least `most`, `about` of them.
pub fn marks(most: u64, about: u64) -> Vec<u64> {
    let least = most.div_ceil(about.max(1)).max(1);
    let step = round_up(least);
    let count = most.div_ceil(step).max(1);
    (0..=count).map(|i| step.saturating_mul(i)).collect()
}

/// The next round number: 1, 2, 5, 10, 20, ...
pub fn round_up(least: u64) -> u64 {
    let mut round = (0..20).flat_map(|power| [1, 2, 5].map(|digit| 10_u64.saturating_pow(power).saturating_mul(digit)));
    round.find(|round| *round >= least).unwrap_or(u64::MAX)
}

/// Nanoseconds, in the unit that makes the text short.
pub fn time(ns: u64) -> String {
    let (unit, name) = match ns {
        0 => return "0 s".into(),
        1_000_000_000.. => (1_000_000_000, "s"),
        1_000_000.. => (1_000_000, "ms"),
        _ => (1000, "us"),
    };
    tenths(ns, unit) + " " + name
}

/// A number with few digits.
pub fn number(n: u64) -> String {
    match n {
        1_000_000_000.. => tenths(n, 1_000_000_000) + "G",
        1_000_000.. => tenths(n, 1_000_000) + "M",
        10_000.. => tenths(n, 1000) + "k",
        _ => crate::format::count(n),
    }
}

fn tenths(n: u64, unit: u64) -> String {
    let text = format!("{:.1}", n as f64 / unit as f64);
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_reach_the_top() {
        assert_eq!(marks(0, 4), [0, 1]);
        assert_eq!(marks(3, 4), [0, 1, 2, 3]);
        assert_eq!(marks(37_761, 4), [0, 10_000, 20_000, 30_000, 40_000]);
        for most in [1, 7, 12_345, 999_999_999, u64::MAX / 3] {
            let marks = marks(most, 4);
            assert!(marks.len() <= 6 && marks.last() >= Some(&most), "{most}: {marks:?}");
        }
    }

    #[test]
    fn round_numbers() {
        assert_eq!([0, 1, 3, 6, 10, 11, u64::MAX].map(round_up), [1, 1, 5, 10, 10, 20, u64::MAX]);
    }

    #[test]
    fn few_digits() {
        assert_eq!([0, 999, 9999, 37_761, 2_000_000].map(number), ["0", "999", "9,999", "37.8k", "2M"]);
        assert_eq!([0, 1500, 200_000_000, 2_500_000_000].map(time), ["0 s", "1.5 us", "200 ms", "2.5 s"]);
    }
}
