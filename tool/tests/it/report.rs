// SPDX-License-Identifier: GPL-2.0
//! The report, held against golden files, and its parts held against each other.

use std::{collections::BTreeSet, fs};

use crate::common::{edit, fixture, golden, ledger_dir, report_of, stdout, zeros};
use serde_json::Value;

#[test]
fn report_text() {
    golden("report.txt", &stdout(&["report", &fixture("after.json")]));
}

/// `memory.reclaim` and `MADV_PAGEOUT` ask for reclaim: their tasks did not only want memory.
#[test]
fn all_tasks_but_kswapd_write_on_their_own_stack() {
    let dir = ledger_dir("after.json");
    let (text, json) = report_of(dir.path());
    let writes = &json["writes"];
    let pages = |row: &Value| row["pages"].as_u64().unwrap_or(0) - row["handed_pages"].as_u64().unwrap_or(0);
    let origins = writes["origins"].as_array().expect("origins");
    let own = origins.iter().filter(|row| row["origin"] != "kswapd" && row["origin"] != "lost").map(pages).sum::<u64>();
    assert_eq!(writes["foreground_pages"], own);
    assert!(origins.iter().any(|row| row["origin"] == "madvise" && row["pages"] != 0));
    let status = stdout(&["status", "--debugfs", dir.path().to_str().expect("a plain path")]);
    for (text, says) in [(text, "Tasks other than kswapd wrote 37.1 % of it"), (status, "37.1 % of it by tasks other")]
    {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(says) && !words.contains("only wanted memory"), "{words}");
    }
}

/// What is lost has words for people, whatever it is.
#[test]
fn what_was_lost_is_told_in_words() {
    let documented = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Documentation/ledgers.rst"));
    let documented = documented.expect("ledgers.rst");
    let names: Vec<&str> = documented
        .lines()
        .filter_map(|line| line.strip_prefix("``lost.")?.split_once("``").map(|(name, _)| name))
        .collect();
    assert!(names.len() > 20 && names.contains(&"zswap") && names.contains(&"nbd_abandoned"), "{names:?}");
    let dir = ledger_dir("after.json");
    edit(dir.path(), "status", |text| {
        let mut new: Vec<String> = text.lines().filter(|line| !line.starts_with("lost.")).map(str::to_owned).collect();
        new.extend(names.iter().map(|name| format!("lost.{name} 7")));
        new.join("\n") + "\n"
    });
    let (_, json) = report_of(dir.path());
    let lines = json["summary"].as_array().expect("lines").iter().filter_map(Value::as_str);
    let lost = lines.filter(|line| line.starts_with("Lost: ")).collect::<String>();
    let (lost, _) = lost.split_once(". ").expect("a line");
    let parts: Vec<&str> = lost.trim_start_matches("Lost: ").split("; ").collect();
    for name in &names {
        assert!(!parts.contains(&format!("7 {name}").as_str()), "{name}: {lost}");
    }
}

#[test]
fn report_since() {
    golden("since.txt", &stdout(&["report", &fixture("after.json"), "--since", &fixture("before.json")]));
}

#[test]
fn report_all_stacks() {
    golden("all-stacks.txt", &stdout(&["report", &fixture("after.json"), "--all-stacks", "--width", "120"]));
}

#[test]
fn report_json_structure() {
    // The structure is what scripts rely on; the numbers are checked below and in the text.
    let mut paths = BTreeSet::new();
    for name in ["", "handoff", "stalls"] {
        let (after, before) = match name {
            "" => ("after.json".to_owned(), "before.json".to_owned()),
            name => (format!("{name}.json"), format!("{name}-before.json")),
        };
        let json = stdout(&["report", &fixture(&after), "--since", &fixture(&before), "--json"]);
        structure("", &serde_json::from_str(&json).expect("JSON"), &mut paths);
    }
    let lines: Vec<String> = paths.into_iter().collect();
    golden("report.json.structure", &(lines.join("\n") + "\n"));
}

/// Every path of a document with the type of what is there; numbers as keys become `N`.
fn structure(path: &str, value: &Value, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = if key.parse::<u64>().is_ok() { "N" } else { key };
                structure(&format!("{path}.{key}"), value, paths);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| structure(&format!("{path}[]"), value, paths)),
        Value::Null => drop(paths.insert(format!("{path} null"))),
        Value::Bool(_) => drop(paths.insert(format!("{path} bool"))),
        Value::Number(_) => drop(paths.insert(format!("{path} number"))),
        Value::String(_) => drop(paths.insert(format!("{path} string"))),
    }
}

#[test]
fn fits_its_width() {
    for width in [60, 80, 132] {
        let text = stdout(&["report", &fixture("after.json"), "--all-stacks", "--width", &width.to_string()]);
        for line in text.lines() {
            // Names of functions are never cut; all else fits from 80 columns on.
            let wide = line.chars().count() > width && width >= 80 && !line.contains("+0x");
            assert!(!wide, "{} columns: {line}", line.chars().count());
            assert!(line.is_ascii(), "not ASCII: {line}");
            assert!(!line.ends_with(' '), "blank at the end: {line:?}");
        }
    }
}

#[test]
fn since_itself_is_nothing() {
    let json = stdout(&["report", &fixture("after.json"), "--since", &fixture("after.json"), "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["writes"]["pages"], 0);
    let around = &json["write_around"];
    assert_eq!((&around["met_folios"], &around["windows"], &around["waits"]), (&0.into(), &0.into(), &0.into()));
    assert_eq!((&around["pending_folios"], &around["pending_folios_before"]), (&37.into(), &37.into()));
    assert!(around["clean"]["mean_us"].is_null() && around["freed"]["share"].is_null());
    assert!(!json["summary"].to_string().contains("Write-around"));
    assert_eq!(json["headroom"]["rows"], Value::Array(Vec::new()));
    assert!(json["summary"].to_string().contains("Reclaim wrote nothing"));
    // What cannot be subtracted is said to be old.
    let worst = json["stacks"]["worst"].as_array().expect("stacks");
    assert!(!worst.is_empty() && worst.iter().all(|stack| stack["is_new"] == false));
}

#[test]
fn numbers_add_up() {
    let json = stdout(&["report", &fixture("after.json"), "--json"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    let sum =
        |values: &Value| -> u64 { values.as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum() };
    let mut pages = 0;
    for row in json["writes"]["origins"].as_array().expect("origins") {
        assert_eq!(sum(&row["kinds"]), row["pages"].as_u64().expect("pages"));
        assert_eq!(sum(&row["types"]), row["pages"].as_u64().expect("pages"));
        pages += row["pages"].as_u64().expect("pages");
    }
    let around = &json["write_around"];
    assert_eq!(sum(&around["window_histogram"]), around["windows"].as_u64().expect("windows"));
    assert_eq!(sum(&around["clean"]["histogram"]), around["clean"]["targets"].as_u64().expect("targets"));
    let of_devices = |key: &str| -> u64 {
        around["devices"].as_array().expect("devices").iter().filter_map(|device| device[key].as_u64()).sum()
    };
    for key in ["queued_folios", "written_folios", "windows", "pending_folios"] {
        assert_eq!(around[key], of_devices(key), "{key}");
    }
    assert_eq!(json["writes"]["pages"], pages);
    for stack in json["stacks"]["worst"].as_array().expect("stacks") {
        let parts: u64 = stack["parts"].as_array().expect("parts").iter().filter_map(|p| p["bytes"].as_u64()).sum();
        let outside = stack["outside_frames"].as_u64().expect("number");
        assert_eq!(parts + outside, stack["used"].as_u64().expect("used"));
    }
}

#[test]
fn snapshot_is_whole_and_the_same() {
    for name in ["after.json", "handoff.json"] {
        snapshot_is_the_same_as(name);
    }
}

fn snapshot_is_the_same_as(name: &str) {
    let dir = ledger_dir(name);
    let file = dir.path().join("snap.json");
    let file = file.to_str().expect("a plain path");
    let debugfs = dir.path().to_str().expect("a plain path");
    assert_eq!(stdout(&["snapshot", "--debugfs", debugfs, "-o", file]), "");

    let saved: Value = serde_json::from_str(&fs::read_to_string(file).expect("file")).expect("JSON");
    let from: Value = serde_json::from_str(&fs::read_to_string(fixture(name)).expect("fixture")).expect("JSON");
    for (ledger, rows) in from["ledgers"].as_object().expect("ledgers") {
        assert!(saved["ledgers"][ledger] == *rows, "{ledger}");
    }
    assert!(saved["system"]["vmstat"]["pswpout"].is_u64());

    let section = |args: &[&str]| {
        let json: Value = serde_json::from_str(&stdout(args)).expect("JSON");
        ["writes", "headroom", "stacks", "cgroups", "write_around"].map(|section| json[section].clone())
    };
    let live = section(&["report", "--debugfs", debugfs, "--json"]);
    assert_eq!(live, section(&["report", file, "--json"]));
    assert_eq!(live, section(&["report", &fixture(name), "--json"]));
}

#[test]
fn a_ledger_that_cannot_be_believed_is_not_shown() {
    let dir = ledger_dir("after.json");
    edit(dir.path(), "status", |text| {
        text.replace("ledger.writes available", "ledger.writes unavailable")
            .replace("ledger.headroom.nbd available", "ledger.headroom.nbd unavailable")
            .replace("probe.mm_vmscan_write_folio attached", "probe.mm_vmscan_write_folio changed")
            .replace("probe.nbd_send_request attached", "probe.nbd_send_request waiting(module not loaded)")
    });
    fs::remove_file(dir.path().join("cgroups")).expect("removed");
    let debugfs = dir.path().to_str().expect("a plain path");
    let text = stdout(&["report", "--debugfs", debugfs]);
    assert!(text.contains("Who wrote is not known: mm_vmscan_write_folio is changed."), "{text}");
    assert!(text.contains("Not available: mm_vmscan_write_folio is changed."), "{text}");
    assert!(text.contains("Not available: cannot read cgroups"), "{text}");
    assert!(text.contains("Not sampled: NBD send (nbd_send_request is waiting(module not loaded))."), "{text}");
    let json: Value = serde_json::from_str(&stdout(&["report", "--debugfs", debugfs, "--json"])).expect("JSON");
    assert_eq!(json["writes"]["unavailable"], "mm_vmscan_write_folio is changed");
    let rows = json["headroom"]["rows"].as_array().expect("rows");
    assert!(!rows.is_empty() && rows.iter().all(|row| row["layer"] != "nbd"));

    let status = stdout(&["status", "--debugfs", debugfs]);
    assert!(status.contains("mm_vmscan_write_folio: changed"), "{status}");
}

#[test]
fn rows_of_a_newer_module_are_named() {
    let dir = ledger_dir("after.json");
    edit(dir.path(), "writes", |text| format!("{text}direct.anon.fscache.pages 5\n"));
    let text = stdout(&["report", "--debugfs", dir.path().to_str().expect("a plain path")]);
    assert!(text.contains("1 ledger rows are unknown"), "{text}");
    assert!(text.contains("writes:direct.anon.fscache.pages"), "{text}");
}

#[test]
fn a_module_without_write_around_is_reported() {
    // Live.
    let dir = ledger_dir("after.json");
    fs::remove_file(dir.path().join("helper")).expect("removed");
    let (text, json) = report_of(dir.path());
    assert!(text.contains("Not available: the module is older than write-around"), "{text}");
    assert!(json["write_around"]["unavailable"].is_string());
    assert!(!json["summary"].to_string().contains("Write-around"));

    // Snapshots that were saved before there was such a ledger.
    let saved = |name: &str| {
        let text = fs::read_to_string(fixture(name)).expect("fixture");
        let mut json: Value = serde_json::from_str(&text).expect("JSON");
        json["ledgers"].as_object_mut().expect("ledgers").remove("helper").expect("helper");
        let path = dir.path().join(name);
        fs::write(&path, json.to_string()).expect("written");
        path.to_str().expect("a plain path").to_owned()
    };
    let (before, after) = (saved("before.json"), saved("after.json"));
    for args in [&["report", &after][..], &["report", &after, "--since", &before]] {
        let text = stdout(args);
        assert!(text.contains("Not available: the module is older than write-around"), "{text}");
    }
    let text = stdout(&["report", &fixture("after.json"), "--since", &before]);
    assert!(text.contains("Not available: the earlier snapshot has no helper"), "{text}");
    // A ledger that was there all along must still be in the file.
    let text = fs::read_to_string(&after).expect("file").replace("\"writes\":", "\"wrotes\":");
    fs::write(&after, text).expect("written");
    assert!(crate::common::complaint(&["report", &after]).contains("ledger writes is not in the file"));
}

#[test]
fn write_around_is_on_off_or_unavailable() {
    let words = [
        ("on", "State: on; reclaim met none."),
        ("off", "State: off (parameter write_around); reclaim met none."),
        ("unavailable", "Not available: this kernel does not report the dirty file folios that reclaim"),
    ];
    for (word, says) in words {
        let dir = ledger_dir("after.json");
        if word != "on" {
            edit(dir.path(), "status", |text| text.replace("helper on", &format!("helper {word}")));
        }
        edit(dir.path(), "helper", |text| zeros(&text.replace("state on", &format!("state {word}"))));
        let (text, json) = report_of(dir.path());
        assert!(text.contains(says), "{text}");
        assert_eq!(json["module"]["helper"], word);
        assert_eq!(json["write_around"]["unavailable"].is_string(), word == "unavailable");
        assert!(!json["summary"].to_string().contains("Write-around"));
        let status = stdout(&["status", "--debugfs", dir.path().to_str().expect("a plain path")]);
        assert!(status.contains(&format!("helper {word}")), "{status}");
    }
    // What it did before it was switched off is still told.
    let dir = ledger_dir("after.json");
    edit(dir.path(), "helper", |text| text.replace("state on", "state off"));
    let (text, _) = report_of(dir.path());
    assert!(text.contains("* Write-around (off now): of 61,958 dirty file folios"), "{text}");
}

#[test]
fn books_of_write_around_are_off_by_what_is_missing() {
    let dir = ledger_dir("after.json");
    edit(dir.path(), "helper", |text| {
        text.replace("merged.folios 2310", "merged.folios 2313").replace("pending.folios 37", "pending.folios 30")
    });
    let (text, json) = report_of(dir.path());
    let off: Vec<&Value> = json["write_around"]["books"].as_array().expect("books").iter().collect();
    assert_eq!((&off[0]["difference"], &off[1]["difference"]), (&(-3).into(), &7.into()));
    let ends = |end: &str| text.lines().any(|line| line.ends_with(end));
    assert!(ends("61,958     61,961      -3") && ends("55,838     55,831      +7"), "{text}");
}

#[test]
fn a_device_that_is_counted_anew_is_marked() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("after.json");
    let text = fs::read_to_string(fixture("after.json")).expect("fixture");
    fs::write(&file, text.replace("device.259:0.windows 1050", "device.259:0.windows 3")).expect("written");
    let args = ["report", file.to_str().expect("a plain path"), "--since", &fixture("before.json")];
    let text = stdout(&args);
    assert!(text.contains("  259:0*") && text.contains("counted anew within the interval"), "{text}");
    let json: Value = serde_json::from_str(&stdout(&[&args[..], &["--json"]].concat())).expect("JSON");
    let devices = &json["write_around"]["devices"];
    assert_eq!((&devices[0]["device"], &devices[0]["restarted"]), (&"259:0".into(), &true.into()));
    assert_eq!((&devices[0]["windows"], &devices[0]["queued_folios"]), (&3.into(), &52_000.into()));
    assert_eq!(devices[1]["restarted"], false);
}

#[test]
fn rows_of_a_newer_helper_are_named() {
    let dir = ledger_dir("after.json");
    edit(dir.path(), "helper", |text| format!("{text}skipped.dull.folios 5\ndevice.8:16.errors 1\n"));
    let (_, json) = report_of(dir.path());
    let unknown = ["helper:device.8:16.errors", "helper:skipped.dull.folios"];
    assert_eq!(json["not_recorded"]["unknown_rows"], Value::from(unknown.map(Value::from).to_vec()));
}

#[test]
fn the_last_bucket_has_no_bound() {
    let dir = ledger_dir("after.json");
    edit(dir.path(), "helper", |text| text.replace("clean.us.hist.8388608 0", "clean.us.hist.8388608 5000"));
    let (text, json) = report_of(dir.path());
    assert!(json["write_around"]["clean"]["p99_below_us"].is_null());
    assert!(text.contains("p99 not below"), "{text}");
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let tool = env!("CARGO_BIN_EXE_reclaimwb");
    let script = format!("{tool} report {} | true; test ${{PIPESTATUS[0]}} = 0", fixture("after.json"));
    let status = std::process::Command::new("bash").args(["-c", &script]).status().expect("bash");
    assert!(status.success());
}
