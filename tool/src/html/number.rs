// SPDX-License-Identifier: GPL-2.0
//! The value of a number that was written for people, to sort by.

/// The value of a cell: microseconds for a time, else the number. `None` if the cell has no number.
pub fn worth(cell: &str) -> Option<f64> {
    let cell = cell.trim().trim_end_matches('*');
    match cell {
        // A dash means none.
        "-" => return Some(0.0),
        // These words mean that there is no bound.
        "longer" | "no limit" => return Some(f64::INFINITY),
        _ => {}
    }
    let cell = ["not below ", "below ", "<", ">"].iter().find_map(|word| cell.strip_prefix(word)).unwrap_or(cell);
    let end = cell.find(|c: char| !(c.is_ascii_digit() || ",.+-".contains(c))).unwrap_or(cell.len());
    let (digits, unit) = cell.split_at(end);
    let number: f64 = digits.replace(',', "").parse().ok()?;
    Some(match unit.trim_start() {
        "ms" => number * 1e3,
        "s" => number * 1e6,
        "K" => number * 1024.0,
        "M" => number * 1024.0 * 1024.0,
        _ => number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{count, span};

    #[test]
    fn of_all_sorts() {
        let worths = [
            ("-", 0.0),
            ("1,234*", 1234.0),
            ("<0.1 %", 0.1),
            ("99.5 %", 99.5),
            ("512 us", 512.0),
            ("not below 8,388.608 ms", 8_388_608.0),
            ("17.602 s", 17_602_000.0),
            ("2M", 2_097_152.0),
            ("+5", 5.0),
            ("-3", -3.0),
            ("0.98 dirty folio", 0.98),
            ("1 of 2", 1.0),
            ("8,192 - 16,383", 8192.0),
            ("longer", f64::INFINITY),
        ];
        for (cell, number) in worths {
            assert_eq!(worth(cell).map(f64::to_bits), Some(number.to_bits()), "{cell}");
        }
        for cell in ["", "?", "direct", "--", ",", "memhog[150]"] {
            assert_eq!(worth(cell), None, "{cell}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_numbers() {
        let numbers = [0, 1, 999, 1000, 65_536, 999_999, 1_000_000, 43_156_999_000];
        assert!(numbers.map(|n| worth(&span(n))).is_sorted());
        assert!(numbers.map(|n| worth(&count(n))).is_sorted());
    }
}
