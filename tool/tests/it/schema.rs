// SPDX-License-Identifier: GPL-2.0
//! The schemas in schema/, held against what the tool writes about all fixtures: a field that is not in them is refused.

use std::{fs, path::Path};

use crate::common::{crate_file, fixture, full_dir, ledger_dir, recording, stdout, whole_stall};
use jsonschema::Validator;
use reclaimwb::schema::{self, Of};
use serde_json::{Value, json};

const FIXTURES: [&str; 6] =
    ["before.json", "after.json", "handoff-before.json", "handoff.json", "stalls-before.json", "stalls.json"];

/// The schema as it is in the tree.
fn saved(of: Of) -> Value {
    let path = crate_file("../schema").join(format!("{}.json", of.word()));
    serde_json::from_str(&fs::read_to_string(&path).expect("a schema")).expect("JSON")
}

fn validator(of: Of) -> Validator {
    jsonschema::draft202012::new(&saved(of)).expect("a schema")
}

fn assert_valid(validator: &Validator, value: &Value, what: &str) {
    let errors = validator.iter_errors(value).map(|err| format!("{}: {err}", err.instance_path()));
    let errors: Vec<String> = errors.take(5).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

fn parsed(args: &[&str]) -> Value {
    serde_json::from_str(&stdout(args)).expect("JSON")
}

/// `reclaimwb schema` prints what is in the tree; `UPDATE_GOLDEN=1` puts it there.
#[test]
fn what_is_in_the_tree_is_printed() {
    for of in Of::ALL {
        let printed = stdout(&["schema", of.word()]);
        let path = crate_file("../schema").join(format!("{}.json", of.word()));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &printed).expect("schema written");
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        assert!(text == printed, "{} is not what is written now; accept with UPDATE_GOLDEN=1", path.display());
        assert_eq!(printed, schema::text(of));
        assert!(jsonschema::meta::is_valid(&saved(of)), "{}", of.word());
    }
}

/// Each object that has fields has no others.
#[test]
fn no_other_fields_are_allowed() {
    fn walk(schema: &Value, objects: &mut usize) {
        match schema {
            Value::Object(map) => {
                if map.get("properties").is_some_and(Value::is_object) && map.contains_key("type") {
                    assert_eq!(map.get("additionalProperties"), Some(&json!(false)), "{map:?}");
                    *objects += 1;
                }
                map.values().for_each(|value| walk(value, objects));
            }
            Value::Array(values) => values.iter().for_each(|value| walk(value, objects)),
            _ => {}
        }
    }
    for (of, least) in Of::ALL.into_iter().zip([50, 2, 5, 2, 4, 9]) {
        let mut objects = 0;
        walk(&saved(of), &mut objects);
        assert!(objects >= least, "{}: {objects}", of.word());
    }
}

/// All that `report` says, of each fixture, and of ledgers in which there is something everywhere.
fn reports() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for name in FIXTURES {
        all.push((name.to_owned(), parsed(&["report", &fixture(name), "--json"])));
    }
    for (before, after) in
        [("before.json", "after.json"), ("handoff-before.json", "handoff.json"), ("stalls-before.json", "stalls.json")]
    {
        all.push((
            format!("{after} since {before}"),
            parsed(&["report", &fixture(after), "--since", &fixture(before), "--json"]),
        ));
    }
    let (before, after) = (full_dir("stalls-before.json", 1), full_dir("stalls.json", 3));
    let saved = before.path().join("before.snapshot");
    let saved = saved.to_str().expect("a plain path");
    stdout(&["snapshot", "--debugfs", before.path().to_str().expect("a plain path"), "-o", saved]);
    let after = after.path().to_str().expect("a plain path");
    all.push(("full".into(), parsed(&["report", "--debugfs", after, "--json"])));
    all.push(("full since".into(), parsed(&["report", "--debugfs", after, "--since", saved, "--json"])));
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    recording(&path, ["stalls-before.json", "stalls.json"], &[whole_stall(3_000_000_000, 700)], 2);
    let path = path.to_str().expect("a plain path");
    all.push(("recording".into(), parsed(&["report", path, "--json"])));
    all.push(("a part".into(), parsed(&["report", path, "--json", "--between", "1", "end"])));
    for narrow in [["--cgroup", "/rwb-files"], ["--task", "memhog"]] {
        all.push((narrow.join(" "), parsed(&[&["report", path, "--json"][..], &narrow].concat())));
        all.push((narrow.join(" "), parsed(&[&["report", "--debugfs", after, "--json"][..], &narrow].concat())));
    }
    all
}

#[test]
fn reports_fit() {
    let validator = validator(Of::Report);
    let all = reports();
    for (what, report) in &all {
        assert_valid(&validator, report, what);
    }
    // Together they have every section.
    for name in all[0].1.as_object().expect("an object").keys() {
        let there = all.iter().any(|(_, report)| !report[name].is_null() && !report[name]["unavailable"].is_string());
        assert!(there, "no fixture has {name}");
    }
}

#[test]
fn a_field_more_or_less_is_refused() {
    let validator = validator(Of::Report);
    let (_, report) = reports().into_iter().find(|(what, _)| what == "full").expect("a report");
    assert_valid(&validator, &report, "as it is");
    let places = [
        "",
        "/taken",
        "/machine",
        "/module/probes/0",
        "/writes",
        "/writes/origins/0",
        "/stalls",
        "/stalls/origins/0/causes/0/stalls",
        "/stalls/longest/0",
        "/stalls/cgroups/0",
        "/waits/kinds/0",
        "/waits/cgroups/0",
        "/shrinkers/shrinkers/0",
        "/kswapd/nodes/0/left",
        "/nbd/devices/0/directions/0",
        "/reserves/waits",
        "/headroom/rows/0",
        "/stacks/worst/0/frames/0",
        "/not_recorded",
    ];
    for place in places {
        let mut more = report.clone();
        let object = more.pointer_mut(place).and_then(Value::as_object_mut).unwrap_or_else(|| panic!("no {place}"));
        object.insert("a_new_field".into(), json!(1));
        assert!(!validator.is_valid(&more), "one more in {place:?}");
    }
    for place in ["/format", "/writes/pages", "/stalls/causes/0/share", "/stacks/worst/0/left"] {
        let mut less = report.clone();
        let (parent, name) = place.rsplit_once('/').expect("a path");
        less.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").remove(name).expect("a field");
        assert!(!validator.is_valid(&less), "without {place}");
    }
    // A word that is none, and a number that is text.
    for (place, wrong) in
        [("/stalls/causes/0/cause", "luck"), ("/writes/pages", "7"), ("/stalls/cgroups/0/hierarchy", "v3")]
    {
        let mut other = report.clone();
        *other.pointer_mut(place).expect("a field") = json!(wrong);
        assert!(!validator.is_valid(&other), "{place} {wrong}");
    }
}

#[test]
fn stalls_diffs_and_parameters_fit() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    recording(&path, ["stalls-before.json", "stalls.json"], &[whole_stall(3_000_000_000, 700)], 2);
    let run = path.to_str().expect("a plain path");
    let full = full_dir("stalls.json", 1);
    let full = full.path().to_str().expect("a plain path");
    let of = validator(Of::Stalls);
    for args in [&["stalls", run][..], &["stalls", &fixture("stalls.json")], &["stalls", "--debugfs", full]] {
        assert_valid(&of, &parsed(&[args, &["--json"]].concat()), &format!("{args:?}"));
    }
    let of = validator(Of::Diff);
    for (a, b) in [("stalls-before.json", "stalls.json"), ("before.json", "handoff.json")] {
        let diff = parsed(&["diff", &fixture(a), &fixture(b), "--json", "--fail-if", "writes.pages > 1000000000000"]);
        assert_valid(&of, &diff, a);
    }
    assert_valid(&of, &parsed(&["diff", run, run, "--json"]), "recordings");
    fs::write(dir.path().join("handoff"), "never\n").expect("written");
    let params = dir.path().to_str().expect("a plain path");
    let tune = parsed(&["tune", "--json", "--parameters", params, "--debugfs", full]);
    assert_valid(&validator(Of::Tune), &tune, "tune");
}

#[test]
fn files_fit() {
    let of = validator(Of::Snapshot);
    for name in ["stalls.json", "after.json"] {
        let dir = ledger_dir(name);
        let written = parsed(&["snapshot", "--debugfs", dir.path().to_str().expect("a plain path")]);
        assert_valid(&of, &written, name);
    }
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    recording(&path, ["stalls-before.json", "stalls.json"], &[whole_stall(3_000_000_000, 700)], 2);
    lines_fit(&path);
}

fn lines_fit(path: &Path) {
    let of = validator(Of::Recording);
    let text = fs::read_to_string(path).expect("text");
    assert_eq!(text.lines().count(), 6);
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).expect("JSON");
        assert_valid(&of, &value, line.get(..40).unwrap_or(line));
        let mut more = value;
        more.as_object_mut().expect("an object").insert("a_new_field".into(), json!(1));
        assert!(!of.is_valid(&more), "{}", line.get(..40).unwrap_or(line));
    }
}
