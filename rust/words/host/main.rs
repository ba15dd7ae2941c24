// SPDX-License-Identifier: GPL-2.0

//! `reclaimwb-words header` prints rust/shim/words.h, which the C shim includes.
//!
//! `reclaimwb-words json` prints all words and parameters, for scripts/check/docs-check.py.

use reclaimwb_words::{
    Cause, CompactResult, Direction, EndReason, Event, Flush, Form, Function, Group, Kind,
    KswapdReason, Layer, Limit, MemoryType, Mode, Origin, Outcome, Parameter, Phase, Refusal,
    ShrinkerCount, Skip, User, Values, WaitKind, Window, Woken,
};
use std::{env, fmt::Debug, process::ExitCode};

/// A set: its name in Rust, and its words with their labels.
type Set = (&'static str, Vec<(&'static str, &'static str)>);

macro_rules! sets {
    ($($name:ident)*) => {
        vec![$((stringify!($name), $name::ALL.iter().map(|w| (w.name(), w.label())).collect()),)*]
    };
}

/// Returns all sets whose words have names.
fn sets() -> Vec<Set> {
    sets! {
        Cause CompactResult Direction EndReason Event Flush Form Function Group Kind KswapdReason
        Layer Limit MemoryType Mode Origin Outcome Phase Refusal ShrinkerCount Skip User WaitKind
        Woken
    }
}

/// Formats a list as an X macro for C.
fn list(about: &str, list: &str, items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("\tX({item})")).collect();
    format!(
        "\n/* {about} */\n#define {list}(X) \\\n{}\n",
        items.join(" \\\n")
    )
}

/// Formats the names of a set with their numbers.
fn names(about: &str, name: &str, names: &[&str]) -> String {
    let items: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(n, name)| format!("{n}, {name:?}"))
        .collect();
    list(about, name, &items)
}

/// Formats a number for each variant. The names are those of C: `PREFIX_SLOW_PATH` for `SlowPath`.
fn numbers<T: Debug>(about: &str, prefix: &str, all: &[T]) -> String {
    let mut text = format!("\n/* {about} */\n");
    for (n, variant) in all.iter().enumerate() {
        let mut name = prefix.to_owned();
        for c in format!("{variant:?}").chars() {
            if c.is_uppercase() {
                name.push('_');
            }
            name.push(c.to_ascii_uppercase());
        }
        text += &format!("#define {name} {n}\n");
    }
    text
}

/// Returns the default of a parameter as the kernel shows it.
fn default(parameter: Parameter) -> String {
    match parameter.values() {
        Values::Switch { default: true } => "Y".into(),
        Values::Switch { default: false } => "N".into(),
        Values::Number { default, .. } | Values::OfStack { default, .. } => default.to_string(),
        Values::Mode { default } => default.name().into(),
    }
}

/// Returns the description of a parameter that modinfo shows.
fn modinfo(parameter: Parameter) -> String {
    let before = match parameter.values() {
        Values::Switch { .. } | Values::Mode { .. } => "Default".into(),
        Values::Number {
            min,
            max,
            power_of_two: true,
            ..
        } => format!("A power of two, {min} to {max}; default"),
        Values::Number { min, max, .. } => format!("Range {min} to {max}; default"),
        Values::OfStack {
            zero_is_off: true, ..
        } => "Range 0 (off) to the size of a stack; default".into(),
        Values::OfStack { .. } => "Range 0 to the size of a stack; default".into(),
    };
    let only = if parameter.needs_helper() {
        " if the kernel has the writeback helper"
    } else {
        ""
    };
    let text = format!(
        "{} {before} {}{only}. {}",
        parameter.description(),
        default(parameter),
        parameter.note()
    );
    text.trim_end().into()
}

/// Formats the declaration of a parameter in the C shim.
fn declaration(number: usize, parameter: Parameter) -> String {
    let ops = match parameter.values() {
        Values::Switch { .. } => "bool",
        Values::Number { .. } | Values::OfStack { .. } => "ull",
        Values::Mode { .. } => "mode",
    };
    let mode = if parameter.at_run_time() {
        "0644"
    } else {
        "0444"
    };
    format!(
        "{number}, {}, {ops}, {mode}, {:?}",
        parameter.name(),
        modinfo(parameter)
    )
}

/// Formats rust/shim/words.h.
fn header() -> String {
    let parameters = Parameter::ALL
        .iter()
        .enumerate()
        .map(|(n, &p)| declaration(n, p));
    [
        "/* SPDX-License-Identifier: GPL-2.0 */\n",
        "/* Generated from rust/words/ by scripts/check/words.sh --write: do not edit. */\n",
        "#ifndef RWB_WORDS_H\n#define RWB_WORDS_H\n",
        &names(
            "Origin: what asked for reclaim.",
            "RWB_ORIGINS",
            Origin::NAMES,
        ),
        &names(
            "Kind: what became of a write of reclaim.",
            "RWB_KINDS",
            Kind::NAMES,
        ),
        &names(
            "Layer: the points at which a stack is sampled.",
            "RWB_LAYERS",
            Layer::NAMES,
        ),
        &names(
            "Function: the functions that are probed.",
            "RWB_FUNCTIONS",
            Function::NAMES,
        ),
        &numbers(
            "The numbers of the functions.",
            "RWB_FUNCTION",
            Function::ALL,
        ),
        &names(
            "Form: the suffix that gcc gives to the name of a function.",
            "RWB_FORMS",
            Form::NAMES,
        ),
        &names(
            "Cause: what the time of a stall is spent on.",
            "RWB_CAUSES",
            Cause::NAMES,
        ),
        &format!("\n#define RWB_NR_CAUSES {}\n", Cause::COUNT),
        &names(
            "Mode: when swap-out is handed off.",
            "RWB_MODES",
            Mode::NAMES,
        ),
        &numbers(
            "Window: the windows that C entries pass to Rust.",
            "RWB_WINDOW",
            Window::ALL,
        ),
        &numbers(
            "Direction: what a request to an NBD device does.",
            "RWB_NBD",
            Direction::ALL,
        ),
        &list(
            "Parameter: number, name, type, mode and description.",
            "RWB_PARAMS",
            &parameters.collect::<Vec<_>>(),
        ),
        "\n#endif /* RWB_WORDS_H */\n",
    ]
    .concat()
}

/// Formats all words with their labels, and the parameters.
fn json() -> String {
    // All strings are ASCII without control characters, which Rust quotes as JSON does.
    let words = sets().into_iter().map(|(set, words)| {
        let words: Vec<String> = words
            .iter()
            .map(|(name, label)| format!("[{name:?}, {label:?}]"))
            .collect();
        format!("{set:?}: [{}]", words.join(", "))
    });
    let parameters = Parameter::ALL.iter().map(|&parameter| {
        let range = match parameter.values() {
            Values::Number { min, max, .. } => format!("[{min}, {max}]"),
            _ => "null".into(),
        };
        format!(
            "{:?}: {{\"default\": {:?}, \"range\": {range}, \"writable\": {}}}",
            parameter.name(),
            default(parameter),
            parameter.at_run_time()
        )
    });
    let (words, parameters): (Vec<_>, Vec<_>) = (words.collect(), parameters.collect());
    format!(
        "{{\"words\": {{\n{}\n}}, \"parameters\": {{\n{}\n}}}}\n",
        words.join(",\n"),
        parameters.join(",\n")
    )
}

fn main() -> ExitCode {
    match env::args().nth(1).as_deref() {
        Some("header") => print!("{}", header()),
        Some("json") => print!("{}", json()),
        _ => {
            eprintln!("usage: reclaimwb-words header|json");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Names and labels need no escape in JSON and C, and no name is there twice.
    #[test]
    fn names_are_plain() {
        for (set, words) in sets() {
            let names: BTreeSet<&str> = words.iter().map(|(name, _)| *name).collect();
            assert_eq!(names.len(), words.len(), "{set}: one is there twice");
            for (name, label) in words {
                let plain =
                    |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c);
                assert!(name.chars().all(plain), "{set}: {name}");
                assert!(
                    label.chars().all(|c| (' '..='~').contains(&c)),
                    "{set}: {label}"
                );
            }
        }
    }

    #[test]
    fn each_parameter_once() {
        let names: BTreeSet<&str> = Parameter::ALL.iter().map(|p| p.name()).collect();
        assert_eq!(names.len(), Parameter::ALL.len());
        let groups: Vec<Group> = Parameter::ALL
            .iter()
            .filter_map(|p| match p {
                Parameter::Group(group) => Some(*group),
                _ => None,
            })
            .collect();
        assert_eq!(groups, Group::ALL);
    }

    #[test]
    fn defaults_are_within_bounds() {
        for &parameter in Parameter::ALL {
            if let Values::Number {
                default,
                min,
                max,
                power_of_two,
                ..
            } = parameter.values()
            {
                assert!((min..=max).contains(&default), "{}", parameter.name());
                let all = [default, min, max];
                assert!(
                    !power_of_two || all.iter().all(|n| n.is_power_of_two()),
                    "{}",
                    parameter.name()
                );
            }
        }
    }

    #[test]
    fn what_modinfo_says() {
        let says = |name: &str| {
            modinfo(
                *Parameter::ALL
                    .iter()
                    .find(|p| p.name() == name)
                    .expect("a parameter"),
            )
        };
        assert!(says("tlb").ends_with("or not (N). On a hot path. Default N."));
        assert!(says("window_slots").ends_with(
            " A power of two, 64 to 65536; default 1024. Can only be set when the module is loaded."
        ));
        assert!(says("headroom_floor")
            .ends_with(" Range 0 (off) to the size of a stack; default 2048."));
        assert!(
            says("handoff").ends_with(" Default always if the kernel has the writeback helper.")
        );
    }
}
