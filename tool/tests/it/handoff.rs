// SPDX-License-Identifier: GPL-2.0
//! The section on handoff, from a guest's ledger, and what a damaged one gets.

use std::fs;

use crate::common::{complaint, edit, fixture, golden, ledger_dir, recording, report_of, stdout, zeros};
use serde_json::Value;

/// Without the breaks of lines.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The report with the handoff ledger changed.
fn changed(change: impl Fn(&str) -> String) -> (String, Value) {
    let dir = ledger_dir("handoff.json");
    edit(dir.path(), "handoff", change);
    report_of(dir.path())
}

fn broken(change: impl Fn(&str) -> String) -> String {
    let dir = ledger_dir("handoff.json");
    edit(dir.path(), "handoff", change);
    complaint(&["report", "--debugfs", dir.path().to_str().expect("a plain path")])
}

fn contains(line: &str, what: &[&str]) {
    for what in what {
        assert!(line.contains(what), "{line:?} does not say {what:?}");
    }
}

#[test]
fn report_text() {
    golden("handoff.txt", &stdout(&["report", &fixture("handoff.json")]));
}

#[test]
fn report_since() {
    golden(
        "handoff-since.txt",
        &stdout(&["report", &fixture("handoff.json"), "--since", &fixture("handoff-before.json")]),
    );
}

#[test]
fn fits_its_width() {
    for name in ["handoff.json", "handoff-before.json"] {
        for line in stdout(&["report", &fixture(name)]).lines() {
            assert!(line.chars().count() <= 80 || line.contains("+0x"), "{} columns: {line}", line.chars().count());
            assert!(line.is_ascii() && !line.ends_with(' '), "{line:?}");
        }
    }
}

#[test]
fn numbers_add_up() {
    for name in ["handoff.json", "handoff-before.json"] {
        let json: Value = serde_json::from_str(&stdout(&["report", &fixture(name), "--json"])).expect("JSON");
        let handoff = &json["handoff"];
        let sum =
            |values: &Value| -> u64 { values.as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum() };
        let rows = |list: &str, key: &str| -> u64 {
            handoff[list].as_array().expect("a list").iter().filter_map(|row| row[key].as_u64()).sum()
        };
        assert_eq!(handoff["handed_requests"], rows("origins", "handed_requests"));
        assert_eq!(handoff["handed_pages"], rows("origins", "handed_pages"));
        for key in ["handed_requests", "written_requests", "pending_requests"] {
            assert_eq!(handoff[key], rows("devices", key), "{key}");
        }
        for times in ["queued", "requests", "waits"] {
            assert_eq!(handoff[times]["count"], sum(&handoff[times]["histogram"]), "{times}");
        }
        let origins = handoff["origins"].as_array().expect("a list");
        let waits = |key: &str| -> u64 { origins.iter().filter_map(|row| row["waits"][key].as_u64()).sum() };
        assert_eq!(
            (&handoff["waits"]["count"], &handoff["waits_us"]),
            (&waits("count").into(), &rows("origins", "waits_us").into())
        );
        assert_eq!(handoff["batches"], sum(&handoff["batch_histogram"]));
        assert_eq!(handoff["books"][0]["difference"], 0);
        // The hook samples each request that it takes, and each request that a writer submits is a bio.
        let samples = |layer: &str| -> u64 {
            let rows = json["headroom"]["rows"].as_array().expect("rows");
            rows.iter().filter(|row| row["layer"] == layer).filter_map(|row| row["samples"].as_u64()).sum()
        };
        assert_eq!(handoff["handed_requests"], samples("handoff"));
        assert_eq!(handoff["written_requests"], samples("bio"));
        // All that reclaim wrote was handed over, whoever wrote it.
        for key in ["pages", "writer_pages"] {
            assert_eq!(handoff["handed_pages"], json["writes"][key], "{key}");
        }
        assert_eq!((&json["writes"]["foreground_pages"], &json["writes"]["background_pages"]), (&0.into(), &0.into()));
        let writer = &json["writes"]["origins"][8];
        assert_eq!((&writer["origin"], &writer["pages"]), (&"writer".into(), &0.into()));
        assert!(writer["pages_per_bio"].as_f64().is_some_and(|pages| pages > 15.0), "{writer}");
    }
}

#[test]
fn since_itself_is_nothing() {
    let name = fixture("handoff-before.json");
    let json: Value = serde_json::from_str(&stdout(&["report", &name, "--since", &name, "--json"])).expect("JSON");
    let handoff = &json["handoff"];
    assert_eq!((&handoff["handed_requests"], &handoff["written_requests"]), (&0.into(), &0.into()));
    assert_eq!((&handoff["pending_requests"], &handoff["pending_requests_before"]), (&1.into(), &1.into()));
    assert_eq!((&handoff["books"][0]["requests"], &handoff["books"][0]["difference"]), (&1.into(), &0.into()));
    assert!(handoff["queued"]["mean_us"].is_null() && handoff["origins"][1]["own_share"].is_null());
    assert!(handoff["waits"]["mean_us"].is_null() && handoff["origins"][1]["waits"]["count"] == 0);
    assert!(!json["summary"].to_string().contains("Handoff"));
}

#[test]
fn an_earlier_counter_cannot_be_greater() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("before.json");
    let text = fs::read_to_string(fixture("handoff-before.json")).expect("fixture");
    for row in [
        "direct.taken.pages",
        "direct.waits.us.hist.16384",
        "kswapd.refused.late.requests",
        "batches",
        "request.us.hist.16384",
    ] {
        fs::write(&file, text.replace(&format!("\"{row} "), &format!("\"{row} 99999999"))).expect("written");
        let line = complaint(&["report", &fixture("handoff.json"), "--since", file.to_str().expect("a plain path")]);
        contains(&line, &[&format!("handoff:{row} was 99999999"), "kept loaded"]);
    }
}

#[test]
fn broken_rows() {
    let replaced = |from: &'static str, to: &'static str| broken(move |text| text.replace(from, to));
    contains(&replaced("state on", "state maybe"), &["handoff", "row state is neither", "maybe"]);
    contains(&replaced("policy always", "policy often"), &["row policy is neither", "\"often\""]);
    contains(&replaced("direct.taken.pages ", "direct.taken.bytes "), &["direct.taken.pages is missing"]);
    contains(&replaced("kswapd.waits ", "kswapd.weights "), &["kswapd.waits is missing"]);
    contains(
        &replaced("direct.waits.us.hist.512 ", "direct.waits.us.hist.500 "),
        &["waits.us.hist.500 names no bucket"],
    );
    contains(&replaced("refused.late", "refused.lame"), &["kswapd.refused.late.requests is missing"]);
    contains(
        &replaced("node.refused.sync.requests 0", "node.refused.sync.requests -"),
        &["node.refused.sync.requests is not"],
    );
    contains(&replaced("writer.throttled.us", "writer.throttled.ms"), &["writer.throttled.us is missing"]);
    contains(&replaced("request.errors 0", "request.errors -1"), &["request.errors is not a number"]);
    contains(&replaced("queued.us.hist.1024 ", "queued.us.hist.1000 "), &["queued.us.hist.1000 names no bucket"]);
    contains(&replaced("batch.pages.hist.32 ", "batch.pages.hist.032 "), &["batch.pages.hist.032 names no bucket"]);
    contains(&replaced("request.us.hist.", "request.us.hits."), &["request.us.hist.<low> is missing"]);
    contains(&replaced("device.43:0.late 0", "device.43:0.late no"), &["device.43:0.late is neither 0 nor 1"]);
    contains(&replaced("device.43:0.inside_", "device.43:0.outside_"), &["device.43:0.inside_pages is missing"]);
    contains(&replaced("pending.requests 0\n", "pending.requests 0\npending.requests 0\n"), &["is there twice"]);
    contains(&broken(|_| String::new()), &["handoff", "state is missing"]);
    contains(&broken(|text| text[..text.len() - 1].into()), &["handoff", "cut off"]);
}

/// One in which folios were handed over, one by one: its rows mean something else.
#[test]
fn a_ledger_of_folios_is_of_an_older_module() {
    let says = ["ledger handoff counts folios", "the module is older (version 0.1.0)", "built with that module"];
    let older = |text: &str| text.replace(".requests ", ".folios ");
    contains(&broken(older), &says);
    // Saved ones, too: whatever is asked of them, and on whichever side.
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("older.json");
    let text = fs::read_to_string(fixture("handoff-before.json")).expect("fixture");
    fs::write(&file, text.replace(".taken.requests ", ".taken.folios ")).expect("written");
    let file = file.to_str().expect("a plain path");
    for args in [
        &["report", file][..],
        &["report", file, "--json"],
        &["report", &fixture("handoff.json"), "--since", file],
        &["export", "--prometheus", file],
    ] {
        contains(&complaint(args), &says);
    }
    let recorded = dir.path().join("older.jsonl");
    recording(&recorded, ["handoff-before.json", "handoff.json"], &[], 0);
    let text = fs::read_to_string(&recorded).expect("a recording");
    fs::write(&recorded, text.replace(".taken.requests ", ".taken.folios ")).expect("written");
    contains(&complaint(&["report", recorded.to_str().expect("a plain path")]), &says);
}

#[test]
fn half_a_writer_is_no_older_module() {
    for (ledger, row) in
        [("writes", "writer.windows "), ("headroom", "writer.bio.sum "), ("headroom", "lost.handoff.sum ")]
    {
        let dir = ledger_dir("handoff.json");
        edit(dir.path(), ledger, |text| {
            text.lines().filter(|line| !line.starts_with(row)).map(|line| line.to_owned() + "\n").collect()
        });
        let line = complaint(&["report", "--debugfs", dir.path().to_str().expect("a plain path")]);
        contains(&line, &[ledger, row, "is missing"]);
    }
}

#[test]
fn rows_of_a_newer_module_are_named() {
    let (_, json) = changed(|text| format!("{text}direct.refused.mood.requests 5\ndevice.43:0.errors 1\n"));
    let unknown = ["handoff:device.43:0.errors", "handoff:direct.refused.mood.requests"];
    assert_eq!(json["not_recorded"]["unknown_rows"], Value::from(unknown.map(Value::from).to_vec()));
}

#[test]
fn handoff_is_on_off_or_unavailable() {
    let words = [
        ("on", "State: on; policy always, whenever it is allowed; reclaim asked for none."),
        ("off", "State: off (parameter handoff); policy always, whenever it is allowed; reclaim asked for none."),
        ("unavailable", "Not available: this kernel does not let others submit what reclaim swaps out"),
    ];
    for (word, says) in words {
        let dir = ledger_dir("handoff.json");
        edit(dir.path(), "handoff", |text| zeros(&text.replace("state on", &format!("state {word}"))));
        if word != "on" {
            edit(dir.path(), "status", |text| text.replace("handoff on", &format!("handoff {word}")));
        }
        let (text, json) = report_of(dir.path());
        assert!(flat(&text).contains(says), "{text}");
        assert_eq!(json["module"]["handoff"], word);
        assert_eq!(json["handoff"]["unavailable"].is_string(), word == "unavailable");
        assert!(!json["summary"].to_string().contains("Handoff"));
        let status = stdout(&["status", "--debugfs", dir.path().to_str().expect("a plain path")]);
        assert!(status.contains(&format!("handoff {word}")), "{status}");
    }
    // What was handed over before it was switched off is still told.
    let (text, _) = changed(|text| text.replace("state on", "state off").replace("policy always", "policy never"));
    assert!(text.contains("State: off (parameter handoff); policy never, not at all."), "{text}");
    assert!(text.contains("* Handoff (off now): 45,410 pages"), "{text}");
}

#[test]
fn every_reason_is_told() {
    let (text, json) = changed(|text| {
        text.replace("memcg_max.refused.late.requests 0", "memcg_max.refused.late.requests 7")
            .replace("direct.refused.headroom.requests 0", "direct.refused.headroom.requests 1103")
            .replace("policy always", "policy low-headroom")
            .replace("request.errors 0", "request.errors 3")
    });
    assert!(text.contains("memcg max  left to it: the device is late"), "{text}");
    assert!(text.contains("left to it: enough stack is left     1,103   50.0 %"), "{text}");
    assert!(
        flat(&text).contains("State: on; policy low-headroom, when less stack is left than handoff_floor."),
        "{text}"
    );
    assert!(text.contains("3 FAILED"), "{text}");
    assert_eq!(json["handoff"]["origins"][1]["refused"]["headroom"], 1103);
}

#[test]
fn who_waited_for_room_is_told() {
    let of_waits = |text: &str| {
        let begin = text.find("origin  waits for room").expect("the table");
        let rows = text[begin..].lines().skip(1).take_while(|line| !line.is_empty());
        rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let (text, json) = changed(|text| text.replace("request.errors 0", "request.errors 1"));
    let waits = &json["handoff"]["origins"][1]["waits"];
    assert_eq!(
        (&waits["count"], &waits["p50_below_us"], &waits["p99_below_us"]),
        (&861.into(), &65_536.into(), &262_144.into())
    );
    assert_eq!(of_waits(&text)[1..], ["direct 861 45.117 s 52.401 ms 65.536 ms 262.144 ms"], "{text}");
    // What is in the last bucket has no bound.
    let (text, json) = changed(|text| text.replace("direct.waits.us.hist.262144 2", "direct.waits.us.hist.8388608 20"));
    assert!(json["handoff"]["origins"][1]["waits"]["p99_below_us"].is_null());
    assert!(of_waits(&text)[1].ends_with(" longer"), "{text}");
    let (text, _) = changed(|text| {
        let none = |line: &str| match line.split_once(".waits") {
            Some((origin, rest)) if !rest.contains(".hist.") => {
                format!("{origin}.waits{} 0\n", rest.split(' ').next().unwrap_or_default())
            }
            Some(_) => String::new(),
            None => format!("{line}\n"),
        };
        text.lines().map(none).collect()
    });
    assert!(text.contains("Nobody waited for room at a device.") && flat(&text).contains("; nobody waited for room."));
}

#[test]
fn what_direct_reclaim_wrote_itself_is_told() {
    let dir = ledger_dir("handoff.json");
    // As much again, and what needs no device.
    edit(dir.path(), "writes", |text| {
        text.replace("direct.anon.io.pages 26173", "direct.anon.io.pages 52346")
            .replace("direct.anon.zero.pages 0", "direct.anon.zero.pages 100")
    });
    let (text, json) = report_of(dir.path());
    assert!(flat(&text).contains("reclaim submitted 26,173 pages itself, 50.0 % of its swap-out."), "{text}");
    assert!(flat(&text).contains("direct reclaim submitted 50.0 % of its swap-out itself"), "{text}");
    assert_eq!(json["handoff"]["origins"][1]["own_share"], 0.5);
    assert_eq!(json["writes"]["foreground_pages"], 26_273);
    edit(dir.path(), "status", |text| text.replace("ledger.writes available", "ledger.writes unavailable"));
    let (text, json) = report_of(dir.path());
    assert!(flat(&text).contains("What direct reclaim submitted itself is not known."), "{text}");
    assert!(json["handoff"]["origins"][1]["own_pages"].is_null());
}

#[test]
fn what_is_not_known_of_a_device_is_not_a_number() {
    let (text, json) = changed(|text| {
        text.replace("reserve_pages 16409", "reserve_pages 4294967295")
            .replace("pages_per_s 1163", "pages_per_s 0")
            .replace("request_ns 1365916", "request_ns 0")
            .replace("device.43:0.late 0", "device.43:0.late 1")
            .replace("device.43:0.waiting 0", "device.43:0.waiting 3")
    });
    let device = &json["handoff"]["devices"][0];
    for key in ["reserve_pages", "pages_per_s", "request_ns"] {
        assert!(device[key].is_null(), "{key}");
    }
    assert_eq!((&device["late"], &device["waiting"]), (&true.into(), &3.into()));
    assert!(flat(&text).contains("WARNING: late, completes nothing that it was given: 43:0."), "{text}");
    let row = |beside: &str| text.lines().any(|line| line.starts_with("  43:0") && line.contains(beside));
    assert!(row("no limit") && row("LATE") && row("?                 ?"), "{text}");
}

#[test]
fn the_books_are_off_by_what_is_missing() {
    let (text, json) = changed(|text| text.replace("written.requests 1886", "written.requests 1884"));
    assert_eq!(json["handoff"]["books"][0]["difference"], 2);
    assert!(text.lines().any(|line| line.ends_with("1,886      1,884      +2")), "{text}");
}

#[test]
fn a_device_that_is_counted_anew_is_marked() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("after.json");
    let text = fs::read_to_string(fixture("handoff.json")).expect("fixture");
    fs::write(&file, text.replace("device.43:0.written 1886", "device.43:0.written 3")).expect("written");
    let args = ["report", file.to_str().expect("a plain path"), "--since", &fixture("handoff-before.json")];
    let text = stdout(&args);
    assert!(text.contains("  43:0*") && text.contains("counted anew within the interval"), "{text}");
    let json: Value = serde_json::from_str(&stdout(&[&args[..], &["--json"]].concat())).expect("JSON");
    let device = &json["handoff"]["devices"][0];
    assert_eq!((&device["restarted"], &device["written_requests"]), (&true.into(), &3.into()));
}

#[test]
fn a_module_without_handoff_is_reported() {
    let text = stdout(&["report", &fixture("after.json"), "--since", &fixture("before.json")]);
    assert!(text.contains("Not available: the module is older than handoff"), "{text}");
    let dir = ledger_dir("after.json");
    let (text, json) = report_of(dir.path());
    assert!(text.contains("Not available: the module is older than handoff"), "{text}");
    assert!(json["handoff"]["unavailable"].is_string() && json["module"]["handoff"].is_null());
    assert!(json["writes"]["origins"].as_array().expect("origins").iter().all(|row| row["origin"] != "writer"));
    let status = stdout(&["status", "--debugfs", dir.path().to_str().expect("a plain path")]);
    assert!(!status.contains("handoff"), "{status}");
}

#[test]
fn an_earlier_snapshot_without_handoff_is_said_to_be() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("before.json");
    let text = fs::read_to_string(fixture("handoff-before.json")).expect("fixture");
    let mut json: Value = serde_json::from_str(&text).expect("JSON");
    json["ledgers"].as_object_mut().expect("ledgers").remove("handoff").expect("handoff");
    for ledger in ["writes", "headroom"] {
        let rows = json["ledgers"][ledger]["rows"].as_array_mut().expect("rows");
        let new = |row: &Value| row.as_str().is_some_and(|row| row.starts_with("writer.") || row.contains(".handoff."));
        rows.retain(|row| !new(row));
    }
    fs::write(&file, json.to_string()).expect("written");
    let before = file.to_str().expect("a plain path");
    let text = stdout(&["report", &fixture("handoff.json"), "--since", before]);
    assert!(text.contains("Not available: the earlier snapshot has no handoff"), "{text}");
    // Of an origin that it does not know all is of this interval.
    let json = stdout(&["report", &fixture("handoff.json"), "--since", before, "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["writes"]["origins"][8]["bios"], 1886);
}

/// The hook samples without a probe, so that its layer may be the only one.
#[test]
fn handoff_may_be_the_only_layer() {
    let dir = ledger_dir("handoff.json");
    edit(dir.path(), "status", |text| {
        let layers = ["entry", "write", "bio", "nbd", "net"];
        layers.iter().fold(text.to_owned(), |text, layer| {
            text.replace(&format!("ledger.headroom.{layer} available"), &format!("ledger.headroom.{layer} unavailable"))
        })
    });
    let (_, json) = report_of(dir.path());
    let rows = json["headroom"]["rows"].as_array().expect("rows");
    assert!(rows.len() == 2 && rows.iter().all(|row| row["layer"] == "handoff"), "{rows:?}");
}
