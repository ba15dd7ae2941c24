// SPDX-License-Identifier: GPL-2.0
//! Numbers, formatted for people.

/// Digits in groups of three.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The same, but `-` for 0, so that a table with many zeros is easy to read.
pub fn cell(n: u64) -> String {
    if n == 0 { "-".into() } else { count(n) }
}

/// A mean, rounded to a whole number.
pub fn mean(n: f64) -> String {
    // Never negative, and far below 2^64: bytes of a stack.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    count(n.round().max(0.0) as u64)
}

/// Bytes, as a number of MiB.
pub fn mib_number(bytes: u64) -> String {
    // Rounded to the nearest tenth. This needs u128, because ten times a u64 may not fit into a u64.
    let tenths = (u128::from(bytes) * 10 + (1 << 19)) >> 20;
    let whole = u64::try_from(tenths / 10).unwrap_or(u64::MAX);
    format!("{}.{}", count(whole), tenths % 10)
}

/// Bytes, as MiB.
pub fn mib(bytes: u64) -> String {
    mib_number(bytes) + " MiB"
}

/// `N bytes`.
pub fn bytes_label(bytes: u64) -> String {
    format!("{} bytes", count(bytes))
}

/// A share of 0 to 1 as percent. A share above 0 is never shown as 0, and a share below 1 never as 100.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        p if p > 0.0 && p < 0.1 => "<0.1 %".into(),
        p if p < 100.0 && p > 99.9 => ">99.9 %".into(),
        p => format!("{p:.1} %"),
    }
}

/// A small share of a CPU, as a percentage with two digits.
pub fn percent_of_cpu(share: f64) -> String {
    match share * 100.0 {
        p if p >= 1.0 => percent(share),
        p if p > 0.0 && p < 0.001 => "<0.001 %".into(),
        p if p < 0.1 => format!("{p:.3} %"),
        p => format!("{p:.2} %"),
    }
}

/// Microseconds, not rounded, because this is also used for bounds.
pub fn us(us: u64) -> String {
    if us < 1000 { format!("{us} us") } else { format!("{}.{:03} ms", count(us / 1000), us % 1000) }
}

/// A sum of microseconds. From one second on, it is in seconds, cut off after the milliseconds.
pub fn span(of: u64) -> String {
    if of < 1_000_000 { us(of) } else { format!("{}.{:03} s", count(of / 1_000_000), of % 1_000_000 / 1000) }
}

/// Size of a folio of this order.
pub fn folio_size(order: u32, page_size: u64) -> String {
    let kib = page_size.checked_shl(order).unwrap_or(u64::MAX) / 1024;
    if kib >= 1024 { format!("{}M", kib / 1024) } else { format!("{kib}K") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_three() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [count(0), count(999), count(1000), count(1_234_567)].each_ref().map(String::as_str)
        );
    }

    #[test]
    fn percent_never_lies_at_the_ends() {
        assert_eq!(percent(0.0), "0.0 %");
        assert_eq!(percent(0.000_001), "<0.1 %");
        assert_eq!(percent(0.999_99), ">99.9 %");
        assert_eq!(percent(1.0), "100.0 %");
    }

    #[test]
    fn a_small_share_of_a_cpu_has_two_digits() {
        assert_eq!(percent_of_cpu(0.0), "0.000 %");
        assert_eq!(percent_of_cpu(0.000_000_1), "<0.001 %");
        assert_eq!(percent_of_cpu(0.000_123), "0.012 %");
        assert_eq!(percent_of_cpu(0.004_56), "0.46 %");
        assert_eq!(percent_of_cpu(0.0123), "1.2 %");
    }

    #[test]
    fn mebibytes() {
        assert_eq!(mib(0), "0.0 MiB");
        assert_eq!(mib(1_175_453_696), "1,121.0 MiB");
        assert_eq!(mib(1 << 16), "0.1 MiB");
        assert_eq!(mib(u64::MAX), "17,592,186,044,416.0 MiB");
    }

    #[test]
    fn times() {
        assert_eq!([us(0), us(999), us(1024), us(16_777_216)], ["0 us", "999 us", "1.024 ms", "16,777.216 ms"]);
    }

    #[test]
    fn spans() {
        assert_eq!([span(0), span(999_999), span(1_000_000)], ["0 us", "999.999 ms", "1.000 s"]);
        assert_eq!(span(43_156_999_999), "43,156.999 s");
    }

    #[test]
    fn folio_sizes() {
        assert_eq!(folio_size(0, 4096), "4K");
        assert_eq!(folio_size(9, 4096), "2M");
    }
}
