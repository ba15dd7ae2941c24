// SPDX-License-Identifier: GPL-2.0
//! The section on handoff, from a guest's ledger, and what a damaged one gets.

use std::fs;

use crate::common::{complaint, edit, fixture, golden, ledger_dir, report_of, stdout, zeros};
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
        assert_eq!(handoff["handed_folios"], rows("origins", "handed_folios"));
        assert_eq!(handoff["handed_pages"], rows("origins", "handed_pages"));
        for key in ["handed_folios", "written_folios", "pending_folios"] {
            assert_eq!(handoff[key], rows("devices", key), "{key}");
        }
        assert_eq!(handoff["queued"]["count"], sum(&handoff["queued"]["histogram"]));
        assert_eq!(handoff["requests"]["count"], sum(&handoff["requests"]["histogram"]));
        assert_eq!(handoff["batches"], sum(&handoff["batch_histogram"]));
        assert_eq!(handoff["books"][0]["difference"], 0);
        // The hook samples each folio that it takes, and each folio that a writer writes is in the ledger of writes.
        let samples = |layer: &str| -> u64 {
            let rows = json["headroom"]["rows"].as_array().expect("rows");
            rows.iter().filter(|row| row["layer"] == layer).filter_map(|row| row["samples"].as_u64()).sum()
        };
        assert_eq!(handoff["handed_folios"], samples("handoff"));
        assert_eq!(handoff["written_folios"], samples("write"));
        assert_eq!(handoff["written_pages"], json["writes"]["writer_pages"]);
        assert_eq!(json["writes"]["foreground_pages"], 0);
    }
}

#[test]
fn since_itself_is_nothing() {
    let name = fixture("handoff-before.json");
    let json: Value = serde_json::from_str(&stdout(&["report", &name, "--since", &name, "--json"])).expect("JSON");
    let handoff = &json["handoff"];
    assert_eq!((&handoff["handed_folios"], &handoff["written_folios"]), (&0.into(), &0.into()));
    assert_eq!((&handoff["pending_folios"], &handoff["pending_folios_before"]), (&9.into(), &9.into()));
    assert_eq!((&handoff["books"][0]["folios"], &handoff["books"][0]["difference"]), (&9.into(), &0.into()));
    assert!(handoff["queued"]["mean_us"].is_null() && handoff["origins"][1]["own_share"].is_null());
    assert!(!json["summary"].to_string().contains("Handoff"));
}

#[test]
fn an_earlier_counter_cannot_be_greater() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("before.json");
    let text = fs::read_to_string(fixture("handoff-before.json")).expect("fixture");
    for row in [
        "direct.taken.pages",
        "direct.later.full.folios",
        "kswapd.refused.busy.folios",
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
    contains(&replaced("kswapd.later.mapped", "kswapd.later.matted"), &["kswapd.later.mapped.folios is missing"]);
    contains(
        &replaced("node.refused.sync.folios 0", "node.refused.sync.folios -"),
        &["node.refused.sync.folios is not"],
    );
    contains(&replaced("writer.throttled.us", "writer.throttled.ms"), &["writer.throttled.us is missing"]);
    contains(
        &replaced("skipped.isolated.folios 2", "skipped.isolated.folios two"),
        &["skipped.isolated.folios is not"],
    );
    contains(&replaced("request.errors 0", "request.errors -1"), &["request.errors is not a number"]);
    contains(&replaced("queued.us.hist.1024 ", "queued.us.hist.1000 "), &["queued.us.hist.1000 names no bucket"]);
    contains(&replaced("batch.pages.hist.32 ", "batch.pages.hist.032 "), &["batch.pages.hist.032 names no bucket"]);
    contains(&replaced("request.us.hist.", "request.us.hits."), &["request.us.hist.<low> is missing"]);
    contains(&replaced("device.43:0.stuck 0", "device.43:0.stuck no"), &["device.43:0.stuck is neither 0 nor 1"]);
    contains(&replaced("device.43:0.room_pages", "device.43:0.doom_pages"), &["device.43:0.room_pages is missing"]);
    contains(&replaced("pending.folios 0\n", "pending.folios 0\npending.folios 0\n"), &["is there twice"]);
    contains(&broken(|_| String::new()), &["handoff", "state is missing"]);
    contains(&broken(|text| text[..text.len() - 1].into()), &["handoff", "cut off"]);
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
    let (_, json) = changed(|text| format!("{text}direct.refused.mood.folios 5\ndevice.43:0.errors 1\n"));
    let unknown = ["handoff:device.43:0.errors", "handoff:direct.refused.mood.folios"];
    assert_eq!(json["not_recorded"]["unknown_rows"], Value::from(unknown.map(Value::from).to_vec()));
}

#[test]
fn handoff_is_on_off_or_unavailable() {
    let words = [
        ("on", "State: on; policy always, whenever it is allowed; reclaim asked for none."),
        ("off", "State: off (parameter handoff); policy always, whenever it is allowed; reclaim asked for none."),
        ("unavailable", "Not available: this kernel does not let others write what reclaim swaps out"),
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
    assert!(text.contains("* Handoff (off by now): 45,415 pages"), "{text}");
}

#[test]
fn every_reason_is_told() {
    let (text, json) = changed(|text| {
        text.replace("memcg_max.refused.cgroup.folios 0", "memcg_max.refused.cgroup.folios 7")
            .replace("direct.refused.headroom.folios 0", "direct.refused.headroom.folios 50884")
            .replace("policy always", "policy low-headroom")
            .replace("request.errors 0", "request.errors 3")
    });
    assert!(text.contains("memcg max  left to it: the limit of a cgroup"), "{text}");
    assert!(text.contains("left to it: enough stack is left"), "{text}");
    assert!(
        flat(&text).contains("State: on; policy low-headroom, when less stack is left than handoff_floor."),
        "{text}"
    );
    assert!(text.contains("3 FAILED"), "{text}");
    assert_eq!(json["handoff"]["origins"][1]["refused"]["headroom"], 50884);
}

#[test]
fn what_direct_reclaim_wrote_itself_is_told() {
    let dir = ledger_dir("handoff.json");
    edit(dir.path(), "writes", |text| text.replace("direct.anon.io.pages 0", "direct.anon.io.pages 26176"));
    let (text, json) = report_of(dir.path());
    assert!(flat(&text).contains("reclaim wrote 26,176 pages itself, 50.0 % of its swap-out."), "{text}");
    assert!(flat(&text).contains("direct reclaim wrote 50.0 % of its swap-out itself"), "{text}");
    assert_eq!(json["handoff"]["origins"][1]["own_share"], 0.5);
    edit(dir.path(), "status", |text| text.replace("ledger.writes available", "ledger.writes unavailable"));
    let (text, json) = report_of(dir.path());
    assert!(flat(&text).contains("What direct reclaim wrote itself is not known."), "{text}");
    assert!(json["handoff"]["origins"][1]["own_pages"].is_null());
}

#[test]
fn what_is_not_known_of_a_device_is_not_a_number() {
    let (text, json) = changed(|text| {
        text.replace("reserve_pages 16409", "reserve_pages 4294967295")
            .replace("pages_per_s 1163", "pages_per_s 0")
            .replace("request_ns 1365916", "request_ns 0")
            .replace("device.43:0.stuck 0", "device.43:0.stuck 1")
    });
    let device = &json["handoff"]["devices"][0];
    for key in ["reserve_pages", "pages_per_s", "request_ns"] {
        assert!(device[key].is_null(), "{key}");
    }
    assert_eq!(device["stuck"], true);
    let row = |beside: &str| text.lines().any(|line| line.starts_with("  43:0") && line.contains(beside));
    assert!(row("no limit") && row("STUCK") && row("?                 ?"), "{text}");
}

#[test]
fn the_books_are_off_by_what_is_missing() {
    let (text, json) = changed(|text| text.replace("skipped.gone.folios 3", "skipped.gone.folios 1"));
    assert_eq!(json["handoff"]["books"][0]["difference"], 2);
    assert!(text.lines().any(|line| line.ends_with("45,415     45,413      +2")), "{text}");
}

#[test]
fn a_device_that_is_counted_anew_is_marked() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("after.json");
    let text = fs::read_to_string(fixture("handoff.json")).expect("fixture");
    fs::write(&file, text.replace("device.43:0.written 45410", "device.43:0.written 3")).expect("written");
    let args = ["report", file.to_str().expect("a plain path"), "--since", &fixture("handoff-before.json")];
    let text = stdout(&args);
    assert!(text.contains("  43:0*") && text.contains("counted anew within the interval"), "{text}");
    let json: Value = serde_json::from_str(&stdout(&[&args[..], &["--json"]].concat())).expect("JSON");
    let device = &json["handoff"]["devices"][0];
    assert_eq!((&device["restarted"], &device["written_folios"]), (&true.into(), &3.into()));
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
    // What it does not know of is all of this interval.
    assert!(text.contains("  writer        -       -   45,410"), "{text}");
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
