// SPDX-License-Identifier: GPL-2.0
//! `--cgroup`, `--task` and `--between`: what they leave is what there is of that, and what is not told of it is named and
//! not given.

use std::{collections::BTreeSet, fs, path::PathBuf};

use crate::common::{complaint, complaint_with, fixture, full_dir, golden, ledger_dir, recording, run, stdout};
use reclaimwb::recording::{Event, Value as Field};
use serde_json::Value;

/// Cgroups of the fixture, by their ids.
const ROOT: u64 = 1;
const LIMITED: u64 = 23;
const FILES: u64 = 62;

fn event(ns: u64, name: &str, (pid, comm): (u64, &str), fields: &str) -> Event {
    let value = |text: &str| text.parse().map_or_else(|_| Field::Text(text.into()), Field::Number);
    let fields = fields.split_whitespace().filter_map(|field| field.split_once('='));
    let fields = fields.map(|(key, text)| (key.to_owned(), value(text))).collect();
    Event { ns, cpu: 0, pid, comm: comm.into(), name: name.into(), fields }
}

/// A stall that ends so many milliseconds after the start of the recording.
fn stall(end_ms: u64, ms: u64, task: (u64, &str), cgroup: u64, origin: &str) -> Event {
    let us = ms * 1000;
    let fields = format!(
        "origin={origin} usecs={us} scan={} lock={} order=0 gfp=0x140cca nid=0 cgroup={cgroup} scanned=100 freed=5 \
         inactive_file=7 inactive_anon=8 dirty=9",
        us / 4,
        us - us / 4
    );
    event(1_000_000_000 + end_ms * 1_000_000, "stall", task, &fields)
}

fn write(ms: u64, task: (u64, &str), cgroup: u64, origin: &str, pages: u64) -> Event {
    let fields =
        format!("origin={origin} kind=io type=anon nr_pages={pages} order=0 nid=0 cgroup={cgroup} headroom=9000");
    event(1_000_000_000 + ms * 1_000_000, "reclaim_write", task, &fields)
}

fn window(ms: u64, task: (u64, &str), origin: &str) -> Event {
    let fields = format!("origin={origin} nr_reclaimed=32 pages_written=1 depth=1 usecs=500");
    event(1_000_000_000 + ms * 1_000_000, "reclaim_window", task, &fields)
}

const HOG: (u64, &str) = (150, "memhog");
const OTHER: (u64, &str) = (156, "memhog");
const CAT: (u64, &str) = (200, "cat");

fn events() -> Vec<Event> {
    vec![
        stall(1000, 400, HOG, ROOT, "direct"),
        window(1000, HOG, "direct"),
        write(1500, HOG, ROOT, "direct", 3),
        stall(4000, 3500, CAT, FILES, "memcg_max"),
        write(4000, CAT, FILES, "memcg_max", 8),
        window(4000, CAT, "memcg_max"),
        stall(6000, 200, CAT, FILES, "direct"),
        stall(8000, 100, OTHER, LIMITED, "direct"),
        write(8000, OTHER, LIMITED, "direct", 16),
        stall(12_400, 50, HOG, ROOT, "direct"),
    ]
}

/// A recording of 12.5 s, from 22:00:00 on, with these kinds of events.
fn recorded(kinds: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    let asked = |event: &Event| kinds.split(' ').any(|kind| kind == event.name);
    let events: Vec<Event> = events().into_iter().filter(asked).collect();
    recording(&path, ["stalls-before.json", "stalls.json"], &events, 0);
    let text = fs::read_to_string(&path).expect("text");
    let names: Vec<String> = kinds.split(' ').map(|kind| format!("\"{kind}\"")).collect();
    let changed = text.replace("\"events\":[\"stall\",\"headroom_low\"]", &format!("\"events\":[{}]", names.join(",")));
    assert_ne!(text, changed);
    fs::write(&path, changed).expect("written");
    (dir, path)
}

const ALL: &str = "stall reclaim_write reclaim_window";

fn json(args: &[&str]) -> Value {
    serde_json::from_str(&stdout(args)).expect("JSON")
}

/// A report of that recording.
fn report(kinds: &str, narrow: &[&str]) -> Value {
    let (_dir, path) = recorded(kinds);
    json(&[&["report", path.to_str().expect("a plain path"), "--json"][..], narrow].concat())
}

fn left_out(report: &Value) -> BTreeSet<&str> {
    report["narrowed"]["left_out"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

/// What is left out says why, and nothing else of it is there.
fn assert_told(report: &Value, there: &[&str]) {
    let out = left_out(report);
    for (name, section) in report.as_object().expect("an object") {
        if out.contains(name.as_str()) {
            let says = section.is_null() || section.as_object().is_some_and(|map| map.len() == 1);
            assert!(says && (section.is_null() || section["unavailable"].is_string()), "{name}: {section}");
        } else if section.is_null() || there.contains(&name.as_str()) {
            assert!(section.is_null() || section.get("unavailable").is_none(), "{name}: {section}");
        } else {
            let always = ["format", "version", "tool", "taken", "machine", "module", "narrowed", "summary", "notes"];
            assert!(always.contains(&name.as_str()) || name == "not_recorded", "{name} is of the whole machine");
        }
    }
}

#[test]
fn a_cgroup_of_the_ledgers() {
    let now = fixture("stalls.json");
    let report = json(&["report", &now, "--json", "--cgroup", "/sys/fs/cgroup/rwb-files/"]);
    let whole = json(&["report", &now, "--json"]);
    assert_told(&report, &["stalls", "shrinkers", "cgroups"]);
    assert_eq!(report["narrowed"]["cgroup"], "/rwb-files");
    let stalls = &report["stalls"];
    assert_eq!((&stalls["stalls"], &stalls["ns"]), (&280.into(), &861_441_078_u64.into()));
    let row = whole["stalls"]["cgroups"].as_array().expect("rows").iter().find(|row| row["id"] == FILES);
    let row = row.expect("the fixture has it");
    assert_eq!(stalls["cgroups"], Value::Array(vec![row.clone()]));
    for cause in stalls["causes"].as_array().expect("causes") {
        assert_eq!(cause["ns"], row["causes_ns"][cause["cause"].as_str().expect("a word")]);
        assert!(cause["stalls"].is_null());
    }
    // By origin it is not told.
    assert_eq!((&stalls["origins"], &stalls["clean"]), (&Value::Array(Vec::new()), &Value::Null));
    assert!(stalls["longest"].as_array().expect("stalls").iter().all(|stall| stall["cgroup"] == FILES));
    let pages = report["cgroups"]["groups"].as_array().expect("groups");
    assert_eq!(pages.len(), 1);
    assert_eq!((&pages[0]["path"], &report["cgroups"]["table_full_pages"]), (&"/rwb-files".into(), &0.into()));
    assert_eq!(report["handoff"]["unavailable"], "it is not counted by cgroup");
    let text = stdout(&["report", &now, "--cgroup", "/rwb-files"]);
    golden("report-cgroup.txt", &text);
    assert!(text.contains("! Only cgroup /rwb-files and those below it.\n"));
    for heading in ["HANDOFF", "NBD REQUESTS", "COST OF RECORDING", "WORST STACKS"] {
        assert!(!text.lines().any(|line| line.starts_with(heading)), "{heading}");
    }
    // The mount point is the root.
    let root = json(&["report", &now, "--json", "--cgroup", "/sys/fs/cgroup"]);
    assert_eq!((&root["narrowed"]["cgroup"], &root["stalls"]["cgroups"][0]["path"]), (&"/".into(), &"/".into()));
    // All of them together, by the name of none: none is taken twice.
    let live = ledger_dir("stalls.json");
    let live = live.path().to_str().expect("a plain path");
    let limited = json(&["report", "--debugfs", live, "--json", "--cgroup", "rwb-limited"]);
    assert_eq!(limited["stalls"]["stalls"], 77);
}

#[test]
fn waits_of_a_cgroup_and_of_a_task() {
    let dir = full_dir("stalls.json", 1);
    let args = ["report", "--debugfs", dir.path().to_str().expect("a plain path"), "--json"];
    let of = json(&[&args[..], &["--cgroup", "/pods"]].concat());
    let waits = &of["waits"];
    let ns: u64 = waits["kinds"].as_array().expect("kinds").iter().filter_map(|row| row["ns"].as_u64()).sum();
    assert_eq!(ns, (700 + 900 + 300 + 100 + 5 + 20 + 30) * 1_000_000);
    assert_eq!(waits["cgroups"][0]["path"], "/pods/app");
    assert!(
        waits["kinds"][0]["longest_ns"].is_null()
            && waits["devices"].as_object().is_some_and(serde_json::Map::is_empty)
    );
    let of = json(&[&args[..], &["--task", "a worker"]].concat());
    assert_told(&of, &["waits", "stacks"]);
    let kinds: Vec<&str> =
        of["waits"]["kinds"].as_array().expect("kinds").iter().filter_map(|row| row["kind"].as_str()).collect();
    assert_eq!(kinds, ["refault", "swapin", "dirty"]);
    assert!(of["waits"]["psi_ns"].is_null());
    assert_eq!(of["stalls"]["unavailable"], "it is not counted by task");
    // By its number it is not counted.
    let of = json(&[&args[..], &["--task", "150"]].concat());
    assert!(of["waits"]["unavailable"].as_str().is_some_and(|why| why.contains("names of tasks only")));
    let stacks = of["stacks"]["worst"].as_array().expect("stacks");
    assert!(!stacks.is_empty() && stacks.iter().all(|stack| stack["pid"] == 150));
    // Both at once.
    let of = json(&[&args[..], &["--task", "a worker", "--cgroup", "/pods"]].concat());
    assert_eq!(of["waits"]["unavailable"], "it is not counted by cgroup and task at once");
}

#[test]
fn a_part_of_a_recording() {
    let sums = |report: &Value| (report["stalls"]["stalls"].clone(), report["stalls"]["ns"].clone());
    let ms = |ms: u64| Value::from(ms * 1_000_000);
    for (narrow, stalls, of_ms) in [
        (&["--task", "memhog"][..], 3, 550),
        (&["--task", "150"], 2, 450),
        (&["--cgroup", "/rwb-files"], 2, 3700),
        (&["--cgroup", "/rwb-files", "--task", "memhog"], 0, 0),
        (&["--between", "0", "4"], 1, 400),
        // What ended in it.
        (&["--between", "4", "6.5s"], 2, 3700),
        (&["--between", "22:00:07", "2026-11-22T22:00:09Z"], 1, 100),
        (&["--between", "-5s", "end"], 2, 150),
        (&["--between", "start", "end"], 5, 4250),
        (&["--between", "3", "13h", "--task", "cat", "--cgroup", "rwb-files"], 2, 3700),
    ] {
        let report = report(ALL, narrow);
        assert_eq!(sums(&report), (stalls.into(), ms(of_ms)), "{narrow:?}");
        assert_told(&report, &["stalls", "writes", "cgroups", "waits", "shrinkers", "stacks"]);
        let origins = report["stalls"]["origins"].as_array().expect("rows");
        let of: u64 = origins.iter().filter_map(|row| row["ns"].as_u64()).sum();
        let causes = report["stalls"]["causes"].as_array().expect("rows");
        let by: u64 = causes.iter().filter_map(|row| row["ns"].as_u64()).sum();
        assert_eq!((of, by), (of_ms * 1_000_000, of_ms * 1_000_000), "{narrow:?}");
    }
    let report = report(ALL, &["--between", "4", "6.5s"]);
    let narrowed = &report["narrowed"];
    assert_eq!((&narrowed["from_seconds"], &narrowed["to_seconds"]), (&4.0.into(), &6.5.into()));
    assert_eq!(report["stalls"]["cgroups"][0]["path"], "/rwb-files");
    assert_eq!(report["stalls"]["longest"][0]["ns"], 3_500_000_000_u64);
    assert_eq!(report["stalls"]["origins"][0]["origin"], "direct");
    assert_eq!(report["stalls"]["origins"][1]["stalls"]["histogram"]["2097152"], 1);
    assert_eq!((&report["writes"]["pages"], &report["writes"]["windows"]), (&8.into(), &1.into()));
    assert_eq!(report["cgroups"]["groups"][0]["origins"]["memcg_max"], 8);
    assert!(report["waits"]["unavailable"].is_string() && report["stacks"]["unavailable"].is_string());
}

/// Events do not tell the hierarchy of a cgroup.
#[test]
fn cgroups_of_a_v1_hierarchy() {
    let (_dir, path) = recorded(ALL);
    let text = fs::read_to_string(&path).expect("text");
    let changed =
        text.replace("\"cgroup.62.path /rwb-files\"", "\"cgroup_v1.62.removed 1\",\"cgroup.62.path /rwb-files\"");
    let changed = changed.replace("\"cgroup.62.", "\"cgroup_v1.62.");
    assert_ne!(text, changed);
    fs::write(&path, changed).expect("written");
    let path = path.to_str().expect("a plain path");
    let report = json(&["report", path, "--json", "--cgroup", "/rwb-files"]);
    assert_eq!((&report["stalls"]["stalls"], &report["writes"]["pages"]), (&2.into(), &8.into()));
    for row in [&report["stalls"]["cgroups"][0], &report["cgroups"]["groups"][0]] {
        let of = (&row["hierarchy"], &row["id"], &row["path"], &row["removed"]);
        assert_eq!(of, (&"v1".into(), &FILES.into(), &"/rwb-files".into(), &true.into()));
    }
    assert!(stdout(&["stalls", path, "--folded"]).contains("/rwb-files;cat;direct;"));
}

#[test]
fn events_that_were_not_recorded() {
    let of = report("stall", &["--between", "0", "5"]);
    assert_eq!(of["stalls"]["stalls"], 2);
    for name in ["writes", "cgroups"] {
        let why = of[name]["unavailable"].as_str().expect("why");
        assert!(why.starts_with("the recording has no event reclaim_write"), "{why}");
    }
    let of = report("reclaim_write", &["--between", "0", "5"]);
    assert!(of["stalls"]["unavailable"].as_str().is_some_and(|why| why.contains("no event stall")));
    assert_eq!((&of["writes"]["pages"], &of["writes"]["windows"]), (&11.into(), &Value::Null));
    assert!(of["summary"][0].as_str().is_some_and(|line| !line.contains("->")), "{}", of["summary"]);
    // Of a cgroup the ledgers tell.
    let of = report("reclaim_window", &["--cgroup", "/rwb-files"]);
    assert!(of["stalls"]["stalls"].as_u64().is_some_and(|n| n > 0) && of["cgroups"]["groups"].is_array());
}

#[test]
fn text_and_page_say_what_they_are_of() {
    let (dir, path) = recorded(ALL);
    let path = path.to_str().expect("a plain path");
    let text = stdout(&["report", path, "--between", "4", "6.5", "--task", "cat"]);
    golden("report-between.txt", &text);
    assert!(text.contains("! Only task cat, from 4.000 s to 6.500 s.\n"), "{text}");
    assert!(text.contains("! Left out, because they are not counted so: WRITE-AROUND, HANDOFF, KSWAPD,"));
    let out = dir.path().join("a.html");
    let out_name = out.to_str().expect("a plain path");
    stdout(&["report", path, "--between", "4", "6.5", "--task", "cat", "--html", out_name]);
    let html = fs::read_to_string(&out).expect("a page");
    assert!(html.contains("Only task cat, from 4.000 s to 6.500 s."));
    assert!(
        html.contains("from the 2 stalls of the recording")
            && !html.contains("<h2>HANDOFF")
            && !html.contains("<h2>Handoff")
    );
    // Each link leads somewhere.
    for link in html.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(html.contains(&format!("id=\"{link}\"")), "{link}");
    }
    let csv = stdout(&["report", path, "--task", "cat", "--csv", "stalls.cgroups"]);
    assert!(csv.lines().count() == 2 && csv.contains(",/rwb-files,"), "{csv}");
}

/// What is left out is called as the report calls it.
#[test]
fn sections_are_named_by_their_headings() {
    let text = stdout(&["report", &fixture("stalls.json"), "--width", "132"]);
    for (name, heading) in reclaimwb::report::narrow::SECTIONS.iter().filter(|(name, _)| *name != "books") {
        let is = |line: &str| line == *heading || line.starts_with(&format!("{heading}  "));
        assert!(text.lines().any(is), "{name}: there is no section {heading}");
    }
}

#[test]
fn the_longest_stalls() {
    let (dir, path) = recorded(ALL);
    let path = path.to_str().expect("a plain path");
    let found = |narrow: &[&str]| -> Vec<u64> {
        let json = json(&[&["stalls", path, "--json"][..], narrow].concat());
        let stalls = json["stalls"].as_array().expect("stalls");
        assert_eq!(json["of"], stalls.len());
        stalls.iter().map(|stall| stall["ns"].as_u64().expect("a number") / 1_000_000).collect()
    };
    assert_eq!(found(&["--task", "cat"]), [3500, 200]);
    assert_eq!(found(&["--cgroup", "/rwb-limited"]), [100]);
    // From 0.5 s to 4 s it stalled: a part of that is in it.
    assert_eq!(found(&["--between", "2", "3"]), [3500]);
    assert_eq!(found(&["--between", "0.7", "0.8"]), [3500, 400]);
    assert_eq!(found(&["--between", "9", "10"]), [0_u64; 0]);
    let text = stdout(&["stalls", path, "--task", "cat", "-n", "1"]);
    assert!(text.starts_with("The longest 1 of 2 stalls of task cat, of the recording."), "{text}");
    let folded = stdout(&["stalls", path, "--folded", "--task", "memhog"]);
    assert_eq!(folded.lines().count(), 4);
    assert!(folded.contains("/rwb-limited;memhog;direct;") && !folded.contains("cat"), "{folded}");
    // Of ledgers: those that are kept.
    let now = fixture("stalls.json");
    let kept = json(&["stalls", &now, "--json", "-n", "1000", "--task", "150"]);
    let stalls = kept["stalls"].as_array().expect("stalls");
    assert!(!stalls.is_empty() && stalls.iter().all(|stall| stall["pid"] == 150));
    assert_eq!(kept["of_all"], true);
    let text = stdout(&["stalls", &now, "--task", "150", "-n", "2"]);
    assert!(text.contains("how many there were is not counted by task"), "{text}");
    let kept = json(&["stalls", &now, "--json", "--cgroup", "/rwb-files"]);
    assert_eq!((&kept["of"], &kept["of_all"]), (&280.into(), &false.into()));
    let folded = stdout(&["stalls", &now, "--folded", "--cgroup", "/rwb-files"]);
    assert!(!folded.is_empty() && folded.lines().all(|line| line.starts_with("/rwb-files;")), "{folded}");
    let line = complaint(&["stalls", &now, "--folded", "--task", "memhog"]);
    assert!(line.contains("the ledgers do not keep it by task"), "{line}");
    // A trace has the tasks that are asked for.
    let out = dir.path().join("a.trace");
    let out_name = out.to_str().expect("a plain path");
    let names = |task: &str| {
        stdout(&["stalls", path, "--perfetto", out_name, "--task", task]);
        let trace = String::from_utf8_lossy(&fs::read(&out).expect("a trace")).into_owned();
        (trace.matches("memhog").count(), trace.contains("cat"))
    };
    // That command was run, whoever is asked for.
    let (command, _) = names("nobody");
    assert_eq!(names("cat"), (command, true));
    assert!(names("memhog").0 > command && !names("150").1);
}

#[test]
fn figures_side_by_side() {
    let (_dir, path) = recorded(ALL);
    let path = path.to_str().expect("a plain path");
    let figures = |args: &[&str]| -> std::collections::BTreeMap<String, Value> {
        let diff = json(&[&["diff", path, path, "--json"][..], args].concat());
        let rows = diff["figures"].as_array().expect("figures").clone();
        rows.into_iter().map(|row| (row["name"].as_str().expect("a name").to_owned(), row)).collect()
    };
    let of = figures(&["--cgroup", "/rwb-files", "--between", "5", "end"]);
    assert_eq!(of["stall.count"]["a"]["value"], 1.0);
    assert_eq!(of["stall.p99"]["a"], serde_json::json!({"value": 0.2, "bound": "exact"}));
    for name in ["psi.some.seconds", "vmstat.pswpout", "handoff.handed.pages", "nbd.requests", "headroom.min"] {
        let row = &of[name];
        assert!(row["a"].is_null() && row["a_missing"].is_string(), "{row}");
    }
    let (a, b) = (fixture("stalls-before.json"), fixture("stalls.json"));
    let diff = json(&["diff", &a, &b, "--json", "--cgroup", "/rwb-files"]);
    let rows = diff["figures"].as_array().expect("figures");
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).expect("a figure");
    assert_eq!(row("stall.count")["b"]["value"], 280.0);
    assert_eq!(row("stall.direct.count")["b_missing"], "it is not counted by both cgroup and origin");
    // It is enough that one side has it.
    assert_eq!(row("stall.count")["a"]["value"], 0.0);
    let line = complaint_with(&["diff", &a, &b, "--cgroup", "/nope"], 2);
    assert!(line.starts_with("--cgroup: neither "), "{line}");
    let line = complaint_with(&["diff", &a, &b, "--between", "1", "2"], 2);
    assert!(line.contains("there are no events"), "{line}");
}

#[test]
fn samples_of_a_cgroup() {
    let now = fixture("stalls.json");
    let text = stdout(&["export", &now, "--prometheus", "--cgroup", "/rwb-files"]);
    let mut lines = text.lines();
    assert!(lines.next().is_some_and(|line| line.starts_with("# Only cgroup /rwb-files and those below it: ")));
    let samples: Vec<&str> = lines.filter(|line| !line.starts_with('#')).collect();
    assert!(samples.len() > 5 && samples.iter().all(|line| line.contains("path=\"/rwb-files\"")), "{text}");
    let all = stdout(&["export", &now, "--prometheus", "--cgroups"]);
    assert!(samples.iter().all(|sample| all.lines().any(|line| line == *sample)));
    assert_eq!(samples.len(), all.lines().filter(|line| line.contains("path=\"/rwb-files\"")).count());
}

#[test]
fn why_of_a_part() {
    let (_dir, path) = recorded(ALL);
    let path = path.to_str().expect("a plain path");
    let text = stdout(&["why", "--file", path, "--between", "3", "7"]);
    assert!(text.starts_with("Of from 3.000 s to 7.000 s") || text.contains("from 3.000 s to 7.000 s"), "{text}");
    assert!(text.contains("stalled 2 times, for 3.700 s in all") && text.contains("/rwb-files"), "{text}");
    assert!(text.contains("Left out, because they are not counted so"), "{text}");
    let now = fixture("stalls.json");
    assert_eq!(
        stdout(&["why", "--file", &now, "--cgroup", "/rwb-files"]),
        stdout(&["why", "--file", &now, "/rwb-files"])
    );
    assert_eq!(stdout(&["why", "--file", &now, "--task", "150"]), stdout(&["why", "--file", &now, "150"]));
    let text = stdout(&["why", "--file", &now, "--task", "memhog"]);
    assert!(text.starts_with("About tasks memhog, ") && text.contains("longest stalls that are kept"), "{text}");
    assert!(complaint(&["why", "--file", &now, "--task", "nobody"]).starts_with("no task nobody: "));
    assert_eq!(run(&["why", "150", "--task", "150"]).status.code(), Some(2));
}

#[test]
fn rows_of_top() {
    let dir = ledger_dir("stalls.json");
    let args = ["top", "--batch", "1", "--interval", "100ms", "--debugfs", dir.path().to_str().expect("plain")];
    let rows = |more: &[&str], head: &str| -> (String, Vec<String>) {
        let text = stdout(&[&args[..], more].concat());
        let rows = text.lines().skip_while(|line| !line.starts_with(head)).skip(1);
        let rows = rows.take_while(|line| !line.is_empty()).map(str::to_owned).collect();
        (text, rows)
    };
    let (text, found) = rows(&["--cgroup", "/rwb-files"], "CGROUP");
    assert!(found.len() == 1 && found[0].starts_with("/rwb-files "), "{text}");
    assert!(text.contains(
        "note: only cgroup /rwb-files: this applies to the rows; what is above them is of the whole machine"
    ));
    let (text, found) = rows(&["--task", "150"], "TASK");
    assert!(!found.is_empty() && found.iter().all(|row| row.contains("memhog[150]")), "{text}");
    let (text, found) = rows(&["--task", "memhog", "--by", "origin"], "ORIGIN");
    assert!(found.is_empty() && text.contains("there are no rows by origin of it"), "{text}");
}

#[test]
fn what_cannot_be() {
    let (_dir, path) = recorded(ALL);
    let path = path.to_str().expect("a plain path");
    let now = fixture("stalls.json");
    for (args, says) in [
        (&["report", &now, "--between", "1", "2"][..], ", so it is not known when anything was"),
        (&["stalls", &now, "--between", "1", "2"], "there are no events"),
        (&["why", "--file", &now, "--between", "1", "2"], "there are no events"),
        (&["report", path, "--between", "5", "5"], "the first moment is not before the second"),
        (&["report", path, "--between", "13", "14"], "that is not in the recording; the recording is 12.5 s long"),
        (&["report", path, "--between", "21:00", "21:30"], "that is not in the recording"),
        (&["report", path, "--between", "noon", "end"], "noon is not a moment; give seconds"),
        (&["report", path, "--cgroup", "/nope"], "no cgroup /nope: there is no such directory"),
        (&["stalls", &now, "--cgroup", "/nope"], "those whose tasks stalled most are /, /rwb-files, /rwb-limited"),
    ] {
        let line = complaint(args);
        assert!(line.contains(says), "{args:?}: {line}");
    }
    assert_eq!(run(&["report", path, "--between", "5"]).status.code(), Some(2));
    // A variable of a script that is not set must not mean all of them.
    for args in [
        &["report", &now, "--cgroup", ""][..],
        &["stalls", &now, "--task", ""],
        &["why", "--file", &now, ""],
        &["export", &now, "--prometheus", "--cgroup", ""],
        &["top", "--batch", "1", "--cgroup", ""],
    ] {
        let output = run(args);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true), "{args:?}");
        assert!(stderr.contains("a value is required"), "{args:?}: {stderr}");
    }
    // A short word of a name is not the beginning of a container's id.
    assert!(complaint(&["report", path, "--cgroup", "3f0d12ab"]).contains("no cgroup 3f0d12ab"));
}
