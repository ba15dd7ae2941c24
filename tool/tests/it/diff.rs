// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb diff`: two recordings or snapshots side by side.

use crate::common::{complaint_with, edit, fixture, full_dir, golden, recording_of, run, stall, stdout};
use reclaimwb::recording::Event;

struct Two {
    dir: tempfile::TempDir,
    a: String,
    b: String,
}

const HANDOFF: [&str; 2] = ["handoff-before.json", "handoff.json"];
const STALLS: [&str; 2] = ["stalls-before.json", "stalls.json"];

/// A hundred stalls of 1 to 100 times `us`.
fn events(us: u64) -> Vec<Event> {
    // Not in order of length.
    (1..=100).map(|n| stall(n, (n * 37 % 101) * us)).collect()
}

impl Two {
    fn new(a: [&str; 2], b: [&str; 2], events: [&[Event]; 2], lost: [u64; 2], seconds: [f64; 2]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let name = |name: &str| dir.path().join(name).to_str().expect("a plain path").to_owned();
        let two = Self { a: name("a.jsonl"), b: name("b.jsonl"), dir };
        recording_of(two.a.as_ref(), a, events[0], lost[0], seconds[0]);
        recording_of(two.b.as_ref(), b, events[1], lost[1], seconds[1]);
        two
    }

    /// Of the same machine, with stalls of the first four times as long in the second.
    fn stalls() -> Self {
        Self::new(STALLS, STALLS, [&events(100), &events(400)], [0, 0], [10.0, 10.0])
    }

    fn text(&self, args: &[&str]) -> String {
        // Where it is must not be in a golden file.
        let dir = self.dir.path().to_str().expect("a plain path");
        stdout(&[&["diff", &self.a, &self.b, "--width", "80"], args].concat()).replace(&format!("{dir}/"), "")
    }

    fn json(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_str(&stdout(&[&["diff", &self.a, &self.b, "--json"], args].concat())).expect("JSON")
    }

    fn with(&self, conditions: &[&str]) -> Vec<String> {
        let mut args = vec!["diff".to_owned(), self.a.clone(), self.b.clone()];
        args.extend(conditions.iter().flat_map(|text| ["--fail-if".to_owned(), (*text).to_owned()]));
        args
    }

    fn code(&self, conditions: &[&str]) -> Option<i32> {
        let args = self.with(conditions);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = run(&args);
        assert!(output.stderr.is_empty(), "{conditions:?}: {}", String::from_utf8_lossy(&output.stderr));
        // What was compared is shown, whatever becomes of it.
        assert!(String::from_utf8_lossy(&output.stdout).contains("WHAT CHANGED MOST FIRST"));
        output.status.code()
    }

    fn error(&self, conditions: &[&str]) -> String {
        let args = self.with(conditions);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        complaint_with(&args, 2)
    }
}

fn figure<'a>(json: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    json["figures"].as_array().expect("figures").iter().find(|row| row["name"] == name).expect(name)
}

#[test]
fn two_recordings() {
    let two = Two::new(HANDOFF, STALLS, [&events(100), &events(400)], [0, 3], [59.5, 73.2]);
    golden("diff.txt", &two.text(&[]));
    golden("diff-all.txt", &Two::stalls().text(&["--all"]));
    golden("diff-list.txt", &stdout(&["diff", "--list", "--width", "80"]));
    let failed = Two::stalls();
    let output =
        run(&failed.with(&["stall.p99 > 2x", "stall.p50 > 1s"]).iter().map(String::as_str).collect::<Vec<_>>());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(text.contains("FAIL stall.p99 > 2x: it is 4.00x"), "{text}");
    assert!(text.contains("ok   stall.p50 > 1s: it is 20.00 ms"), "{text}");
}

#[test]
fn exact_times_of_stalls() {
    let json = Two::stalls().json(&[]);
    let number = |name: &str| figure(&json, name)["a"]["value"].as_f64().expect("a number");
    // Of 100, 200, ... 10,000 us.
    for (name, ms) in [("stall.p50", 5.0), ("stall.p90", 9.0), ("stall.p99", 9.9), ("stall.max", 10.0)] {
        assert!((number(name) - ms / 1e3).abs() < 1e-9, "{name}: {}", number(name));
        assert_eq!(figure(&json, name)["a"]["bound"], "exact");
        assert_eq!(figure(&json, name)["ratio"], 4.0);
    }
    // The ledgers are the same, so nothing else has changed.
    let rows = json["figures"].as_array().expect("figures");
    assert!(rows[..4].iter().all(|row| row["name"].as_str().is_some_and(|name| name.starts_with("stall."))));
    assert!(rows[4]["ratio"].is_null() || rows[4]["ratio"] == 1.0, "{}", rows[4]);
    assert_eq!((&json["format"], &json["version"]), (&"reclaimwb-diff".into(), &1.into()));
    assert_eq!(json["notes"], serde_json::json!([]));

    // With events missing on one side both are told from the ledgers.
    let json = Two::new(STALLS, STALLS, [&events(100), &events(400)], [1, 0], [10.0, 10.0]).json(&[]);
    for side in ["a", "b"] {
        assert_eq!(figure(&json, "stall.p99")[side]["bound"], "below");
    }
    assert_eq!(figure(&json, "stall.p99")["ratio"], 1.0);
    assert!(json["notes"][0].as_str().is_some_and(|note| note.contains("upper bounds")));
}

#[test]
fn per_second_where_lengths_differ() {
    let [short, long] = [10.0, 20.0];
    let json = Two::new(STALLS, STALLS, [&[], &[]], [0, 0], [short, long]).json(&[]);
    assert_eq!(json["per_second"], true);
    // The same number in twice the time.
    let count = figure(&json, "stall.count");
    assert_eq!((&count["ratio"], &count["adds_up"]), (&0.5.into(), &true.into()));
    assert_eq!(count["a"], count["b"]);
    assert_eq!(figure(&json, "headroom.min")["ratio"], 1.0);
    assert_eq!(Two::stalls().json(&[])["per_second"], false);
    let two = Two::new(STALLS, STALLS, [&[], &[]], [0, 0], [short, long]);
    assert_eq!(two.code(&["stall.count > 0.51x"]), Some(0));
    assert_eq!(two.code(&["stall.count >= 0.5x"]), Some(1));
}

#[test]
fn exit_codes() {
    let two = Two::stalls();
    assert_eq!(two.code(&[]), Some(0));
    assert_eq!(two.code(&["stall.p99 > 4.1x"]), Some(0));
    assert_eq!(two.code(&["stall.p99 > 3.9x"]), Some(1));
    assert_eq!(two.code(&["stall.p99 >= 4x", "stall.p99 < 1ms"]), Some(1));
    // B's own, not the change.
    assert_eq!(two.code(&["stall.p99 > 39ms"]), Some(1));
    assert_eq!(two.code(&["stall.p99 > 40ms", "stall.max > 40ms"]), Some(0));
    assert_eq!(two.code(&["stall.max <= 0.04"]), Some(1));
    assert_eq!(two.code(&["writes.pages < 1x", "writes.pages > 1x"]), Some(0));
    assert_eq!(two.code(&["writes.pages <= 1x"]), Some(1));

    assert!(two.error(&["stall.p98 > 1x"]).contains("the nearest is stall.p9"));
    assert!(two.error(&["stall.p99 > 1x", "stall.p99"]).contains("NAME OP VALUE"));
    assert!(complaint_with(&["diff", &two.a, "/nowhere"], 2).contains("cannot read /nowhere"));
    assert!(
        complaint_with(&["diff", &two.a, &two.b, "--since-b", &fixture("before.json")], 2)
            .contains("its own beginning")
    );
    // The command line's own errors are of that kind too.
    assert_eq!(run(&["diff", &two.a]).status.code(), Some(2));
    assert_eq!(run(&["diff", &two.a, &two.b, "--no-such-option"]).status.code(), Some(2));
}

/// With events missing there are only the ends of buckets, which no stall may have reached.
#[test]
fn a_bound_fails_only_if_it_proves_it() {
    let two = Two::new(STALLS, STALLS, [&events(100), &events(100)], [1, 1], [10.0, 10.0]);
    let json = two.json(&[]);
    let number = &figure(&json, "stall.p99")["b"];
    assert_eq!(number["bound"], "below");
    // The real value is at least half of that, and less.
    let end = number["value"].as_f64().expect("a number");
    let at = |op: &str, part: f64| format!("stall.p99 {op} {}s", end * part);
    for (condition, code, says) in [
        (at(">", 1.0), 0, "ok  "),
        (at(">=", 1.0), 0, "ok  "),
        (at(">", 0.75), 0, "?   "),
        (at("<", 0.75), 0, "?   "),
        (at(">=", 0.5), 1, "FAIL"),
        (at(">", 0.25), 1, "FAIL"),
        (at("<", 1.0), 1, "FAIL"),
        // The ratio is more than a half, and less than 2.
        ("stall.p99 > 1.2x".into(), 0, "?   "),
        ("stall.p99 > 2x".into(), 0, "ok  "),
        ("stall.p99 < 2x".into(), 1, "FAIL"),
    ] {
        assert_eq!(two.code(&[&condition]), Some(code), "{condition}");
        let output = run(&two.with(&[&condition]).iter().map(String::as_str).collect::<Vec<_>>());
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(text.contains(&format!("{says} {condition}: it is ")), "{condition}: {text}");
    }
    let undecided = at(">", 0.75);
    let text = two.text(&["--fail-if", &undecided]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(", which does not decide it; recordings with all stall events have it exactly"), "{text}");
    let outcome = &two.json(&["--fail-if", &undecided])["conditions"][0];
    assert_eq!((&outcome["holds"], &outcome["decided"]), (&false.into(), &false.into()));
    assert_eq!((outcome["least"].as_f64(), outcome["most"].as_f64()), (Some(end / 2.0), Some(end)));
    let exact = &Two::stalls().json(&["--fail-if", "stall.p99 > 1s"])["conditions"][0];
    assert_eq!((&exact["holds"], &exact["decided"]), (&false.into(), &true.into()));
    assert_eq!(exact["least"], exact["most"]);
}

/// What was not counted is missing, and not 0, and the parameter that is named is the one that switches it.
#[test]
fn figures_of_what_is_off() {
    let dir = full_dir("stalls.json", 1);
    let saved = dir.path().join("saved");
    let saved = saved.to_str().expect("a plain path");
    let diff = || -> serde_json::Value {
        stdout(&["snapshot", "--debugfs", dir.path().to_str().expect("a plain path"), "-o", saved]);
        serde_json::from_str(&stdout(&["diff", saved, saved, "--json"])).expect("JSON")
    };
    let waits = ["waits.swapin.seconds", "waits.refault.seconds", "waits.dirty.seconds", "waits.refaults.pages"];
    let json = diff();
    assert!(waits.iter().all(|name| figure(&json, name)["a"]["value"].as_f64().is_some_and(|n| n > 0.0)));
    for (state, missing) in [("state", &waits[..2]), ("dirty", &waits[2..3]), ("refaults", &waits[3..])] {
        let (on, off) = (format!("{state} on\n"), format!("{state} unavailable\n"));
        edit(dir.path(), "waits", |text| text.replacen(&on, &off, 1));
        let json = diff();
        let gone: Vec<&str> = waits.into_iter().filter(|name| figure(&json, name)["a"].is_null()).collect();
        assert_eq!(gone, missing, "{state}");
        edit(dir.path(), "waits", |text| text.replacen(&off, &on, 1));
    }
    edit(dir.path(), "compaction", |text| text.replacen("state on\n", "state off\n", 1));
    for name in ["compaction.attempts", "compaction.seconds"] {
        assert_eq!(figure(&diff(), name)["a_missing"], "switched off (parameter stalls)");
    }
}

#[test]
fn figures_that_are_missing() {
    // The older module has no stall ledger.
    let two = Two::new(["before.json", "after.json"], STALLS, [&[], &[]], [0, 0], [10.0, 10.0]);
    let json = two.json(&[]);
    let row = figure(&json, "stall.p99");
    assert!(row["a"].is_null() && row["b"].is_object() && row["ratio"].is_null());
    assert!(row["a_missing"].as_str().is_some_and(|why| why.contains("older than the stall ledger")));
    let text = two.text(&[]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("NOT IN A") && words.contains("older than the stall ledger"), "{text}");
    assert!(two.error(&["stall.p99 > 1.2x"]).contains("A has no stall.p99: the module is older than the stall ledger"));
    // B has it.
    assert_eq!(two.code(&["stall.count > 1000000000"]), Some(0));
    let back = Two::new(STALLS, ["before.json", "after.json"], [&[], &[]], [0, 0], [10.0, 10.0]);
    assert!(back.error(&["stall.p99 > 1s"]).contains("B has no stall.p99"));
}

#[test]
fn snapshots() {
    let (before, after) = (fixture("stalls-before.json"), fixture("stalls.json"));
    // Since the module was loaded: no length, no growth of the kernel's counters.
    let json: serde_json::Value = serde_json::from_str(&stdout(&["diff", &after, &after, "--json"])).expect("JSON");
    assert!(json["a"]["seconds"].is_null() && json["a"]["source"] == "snapshot");
    assert_eq!((&json["per_second"], &figure(&json, "stall.count")["ratio"]), (&false.into(), &1.0.into()));
    assert!(figure(&json, "vmstat.pswpout")["a_missing"].as_str().is_some_and(|why| why.contains("since boot")));
    assert!(figure(&json, "events.lost")["a_missing"].is_string());
    // With its beginning it is as good as a recording without events.
    let args = ["diff", &after, &after, "--since-a", &before, "--since-b", &before, "--json"];
    let json: serde_json::Value = serde_json::from_str(&stdout(&args)).expect("JSON");
    assert!(json["a"]["seconds"].as_f64().is_some_and(|seconds| seconds > 70.0));
    assert!(figure(&json, "vmstat.pswpout")["a"]["value"].as_f64().is_some_and(|pages| pages > 0.0));
    let line = complaint_with(&["diff", &before, &before, "--since-a", &after], 2);
    assert!(line.contains("stalls-before.json") && line.contains("the later one"), "{line}");
}

#[test]
fn what_else_is_not_the_same_is_said() {
    let two = Two::new(HANDOFF, STALLS, [&[], &[]], [0, 0], [10.0, 10.0]);
    let json = two.json(&[]);
    let changed: Vec<&str> =
        json["changed"].as_array().expect("changed").iter().filter_map(|one| one["what"].as_str()).collect();
    assert!(changed.iter().any(|what| what.starts_with("parameter ")), "{changed:?}");
    assert_eq!(Two::stalls().json(&[])["changed"], serde_json::json!([]));
}
