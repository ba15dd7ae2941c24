// SPDX-License-Identifier: GPL-2.0
//! The values that parameters may have.

use super::table::{Kind, Param};

/// The values that a parameter takes, for people.
pub fn bounds(param: &Param, stack_size: Option<u64>) -> String {
    match param.kind {
        Kind::Flag => "Y or N".into(),
        Kind::Number { min, max, power_of_two } => {
            let power = if power_of_two { "a power of two, " } else { "" };
            format!("{power}{min} to {max}")
        }
        Kind::OfStack => stack_size.map_or_else(|| "0 to the size of a stack".into(), |size| format!("0 to {size}")),
        Kind::Word(words) => words.join(", "),
    }
}

/// The same, with the unit.
pub fn takes(param: &Param, stack_size: Option<u64>) -> String {
    let bounds = bounds(param, stack_size);
    match param.unit {
        Some(unit) if param.kind == Kind::OfStack && stack_size.is_none() => format!("{bounds}, in {unit}"),
        Some(unit) => format!("{bounds} {unit}"),
        None => bounds,
    }
}

/// The value in the form for the kernel, or what is wrong with it.
pub fn parse(param: &Param, value: &str, stack_size: Option<u64>) -> Result<String, String> {
    let refuse = |why: &str| Err(format!("{}={value}: {why}; give {}", param.name, takes(param, stack_size)));
    match param.kind {
        Kind::Flag => match value.to_ascii_lowercase().as_str() {
            "y" | "yes" | "1" | "on" | "true" => Ok("Y".into()),
            "n" | "no" | "0" | "off" | "false" => Ok("N".into()),
            _ => refuse("neither yes nor no"),
        },
        Kind::Number { min, max, power_of_two } => match number(value) {
            None => refuse("not a whole number"),
            Some(n) if !(min..=max).contains(&n) => refuse("out of bounds"),
            Some(n) if power_of_two && !n.is_power_of_two() => refuse("not a power of two"),
            Some(n) => Ok(n.to_string()),
        },
        Kind::OfStack => match number(value) {
            None => refuse("not a whole number"),
            Some(n) if stack_size.is_some_and(|size| n > size) => refuse("more than a stack has"),
            Some(n) => Ok(n.to_string()),
        },
        Kind::Word(words) => match words.iter().find(|word| **word == value.replace('_', "-")) {
            Some(word) => Ok((*word).to_owned()),
            None => refuse("no such word"),
        },
    }
}

/// Reads a plain decimal number. The kernel would take 010 for eight.
fn number(value: &str) -> Option<u64> {
    if value.is_empty() || value.len() > 1 && value.starts_with('0') || !value.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    value.parse().ok()
}
