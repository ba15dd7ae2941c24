// SPDX-License-Identifier: GPL-2.0
//! Prints parameters.

use schemars::JsonSchema;
use serde::Serialize;
use textwrap::WordSplitter::NoHyphenation;

use super::{Now, table::Param, value};

/// The output as JSON: format `reclaimwb-tune`, version 1.
#[derive(Serialize, JsonSchema)]
pub struct File {
    format: &'static str,
    version: u64,
    parameters: Vec<Shown>,
}

#[derive(Serialize, JsonSchema)]
struct Shown {
    name: &'static str,
    /// Absent if the loaded module does not have this parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    default: String,
    bounds: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'static str>,
    at_run_time: bool,
    meaning: &'static str,
}

/// The parameters, for programs.
pub fn file(params: &[&Param], now: &Now) -> File {
    let parameters = params.iter().map(|param| Shown {
        name: param.name,
        value: now.values.get(param.name).cloned(),
        default: param.default.clone(),
        bounds: value::bounds(param, now.stack_size),
        unit: param.unit,
        at_run_time: param.at_run_time,
        meaning: param.meaning,
    });
    File { format: "reclaimwb-tune", version: 1, parameters: parameters.collect() }
}

/// The parameters, for people: for each one a line with its value and bounds, and then its meaning.
pub fn text(params: &[&Param], before: &Now, now: &Now, width: usize) -> String {
    let mut text = String::new();
    for param in params {
        let value = now.values.get(param.name).map_or("(not in the loaded module)", String::as_str);
        let was = before.values.get(param.name).filter(|was| was.as_str() != value);
        let mut facts = vec![value::takes(param, now.stack_size)];
        facts.push(if value == param.default { "the default".into() } else { format!("default {}", param.default) });
        if !param.at_run_time {
            facts.push("only when loading".into());
        }
        let was = was.map_or(String::new(), |was| format!(" (was {was})"));
        let indent = textwrap::Options::new(width).subsequent_indent("    ").word_splitter(NoHyphenation);
        text += &textwrap::fill(&format!("{}={value}{was}   {}", param.name, facts.join("; ")), &indent);
        text += "\n";
        text += &textwrap::fill(param.meaning, indent.initial_indent("    "));
        text += "\n";
    }
    text
}
