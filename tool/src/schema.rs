// SPDX-License-Identifier: GPL-2.0
//! JSON schemas (2020-12) of what the tool writes. They are made from the types that are written, and allow exactly the
//! fields of these types. The files in schema/ are what `reclaimwb schema` prints, and tests check output against them.

use schemars::{
    JsonSchema, Schema,
    generate::{SchemaGenerator, SchemaSettings},
    transform::{RecursiveTransform, Transform},
};
use serde_json::{Value, json};

use crate::{diff::Diff, longest::Longest, recording, report::Report, snapshot::Snapshot, tune};

/// The outputs that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Of {
    /// `reclaimwb report --json`
    Report,
    /// `reclaimwb stalls --json`
    Stalls,
    /// `reclaimwb diff --json`
    Diff,
    /// `reclaimwb tune --json`
    Tune,
    /// `reclaimwb snapshot`
    Snapshot,
    /// Each line of what `reclaimwb record` writes
    Recording,
}

impl Of {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Report, Self::Stalls, Self::Diff, Self::Tune, Self::Snapshot, Self::Recording];

    /// Its name on the command line, which is also the name of its file.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Stalls => "stalls",
            Self::Diff => "diff",
            Self::Tune => "tune",
            Self::Snapshot => "snapshot",
            Self::Recording => "recording",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Report => "What reclaimwb report --json prints",
            Self::Stalls => "What reclaimwb stalls --json prints",
            Self::Diff => "What reclaimwb diff --json prints",
            Self::Tune => "What reclaimwb tune --json prints",
            Self::Snapshot => "What reclaimwb snapshot writes",
            Self::Recording => "A line of what reclaimwb record writes",
        }
    }
}

/// The schema.
pub fn of(what: Of) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let any = match what {
        Of::Report => vec![root::<Report>(&mut generator)],
        Of::Stalls => vec![root::<Longest>(&mut generator)],
        Of::Diff => vec![root::<Diff>(&mut generator)],
        Of::Tune => vec![root::<tune::File>(&mut generator)],
        Of::Snapshot => vec![root::<Snapshot>(&mut generator)],
        Of::Recording => vec![root::<recording::First>(&mut generator), root::<recording::Line>(&mut generator)],
    };
    let defs = generator.take_definitions(true);
    let mut schema = Schema::default();
    schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".into(), json!(what.title()));
    match <[Value; 1]>::try_from(any) {
        Ok([only]) => schema.insert("$ref".into(), only["$ref"].clone()),
        Err(any) => schema.insert("anyOf".into(), any.into()),
    };
    schema.insert("$defs".into(), Value::Object(defs));
    RecursiveTransform(strictly).transform(&mut schema);
    schema.to_value()
}

fn root<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

/// The schema as text.
pub fn text(what: Of) -> String {
    // Plain strings, numbers and maps with string keys always serialize.
    serde_json::to_string_pretty(&of(what)).map_or_else(|_| String::new(), |json| json + "\n")
}

/// Allows no other fields, and removes what only the generator or rustdoc needs.
fn strictly(schema: &mut Schema) {
    if schema.get("properties").is_some_and(Value::is_object) && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".into(), json!(false));
    }
    if schema.get("enum").is_some() {
        schema.remove("pattern");
    }
    if let Some(text) = schema.get("description").and_then(Value::as_str) {
        let text = text.replace("[`", "`").replace("`]", "`");
        schema.insert("description".into(), json!(text));
    }
}
