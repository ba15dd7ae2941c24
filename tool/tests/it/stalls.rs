// SPDX-License-Identifier: GPL-2.0
//! The sections on stalls and what they are made of, from a guest's ledgers with all groups of probes on, and what
//! damaged ledgers get.
#![allow(clippy::format_collect)]

use crate::common::{complaint, edit, fixture, golden, ledger_dir, report_of, stdout};
use serde_json::Value;

/// The report with one ledger changed.
fn changed(ledger: &str, change: impl Fn(&str) -> String) -> (String, Value) {
    let dir = ledger_dir("stalls.json");
    edit(dir.path(), ledger, change);
    report_of(dir.path())
}

fn broken(ledger: &str, change: impl Fn(&str) -> String) -> String {
    let dir = ledger_dir("stalls.json");
    edit(dir.path(), ledger, change);
    complaint(&["report", "--debugfs", dir.path().to_str().expect("a plain path")])
}

fn json_of(args: &[&str]) -> Value {
    serde_json::from_str(&stdout(&[args, &["--json"]].concat())).expect("JSON")
}

/// Both fixtures, and what lies between them.
fn reports() -> Vec<Value> {
    let (before, after) = (fixture("stalls-before.json"), fixture("stalls.json"));
    vec![json_of(&["report", &before]), json_of(&["report", &after]), json_of(&["report", &after, "--since", &before])]
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn sum(value: &Value) -> u64 {
    value.as_object().into_iter().flatten().filter_map(|(_, n)| n.as_u64()).sum()
}

#[test]
fn report_text() {
    golden("stalls.txt", &stdout(&["report", &fixture("stalls.json")]));
}

#[test]
fn report_since() {
    let (before, after) = (fixture("stalls-before.json"), fixture("stalls.json"));
    golden("stalls-since.txt", &stdout(&["report", &after, "--since", &before]));
}

#[test]
fn fits_its_width() {
    for width in ["80", "132"] {
        for line in stdout(&["report", &fixture("stalls.json"), "--width", width]).lines() {
            let columns = line.chars().count();
            assert!(columns <= width.parse().expect("a number") || line.contains("+0x"), "{columns} columns: {line}");
            assert!(line.is_ascii() && !line.ends_with(' '), "{line:?}");
        }
    }
}

#[test]
fn stalls_add_up() {
    for report in reports() {
        let stalls = &report["stalls"];
        let ns = number(&stalls["ns"]);
        let of = |rows: &Value, key: &str| -> u64 { list(rows).iter().map(|row| number(&row[key])).sum() };
        assert_eq!(of(&stalls["origins"], "ns"), ns);
        assert_eq!(of(&stalls["causes"], "ns"), ns);
        assert_eq!(of(&stalls["cgroups"], "ns"), ns);
        for row in list(&stalls["origins"]) {
            assert_eq!(of(&row["causes"], "ns"), number(&row["ns"]));
            assert_eq!(sum(&row["stalls"]["histogram"]), number(&row["stalls"]["count"]));
        }
        for row in list(&stalls["cgroups"]) {
            assert_eq!(sum(&row["causes_ns"]), number(&row["ns"]));
            assert_eq!(sum(&row["stalls"]["histogram"]), number(&row["stalls"]["count"]));
        }
        for stall in list(&stalls["longest"]) {
            assert_eq!(sum(&stall["parts_ns"]), number(&stall["ns"]));
        }
        assert_eq!(sum(&stalls["clean"]["causes_ns"]), number(&stalls["clean"]["ns"]));
    }
}

/// The fixture is of use: there is something of all.
#[test]
fn nothing_is_empty() {
    let report = reports().remove(2);
    assert!(number(&report["stalls"]["stalls"]) > 0 && !list(&report["stalls"]["longest"]).is_empty());
    assert!(list(&report["stalls"]["cgroups"]).len() > 1);
    assert!(list(&report["shrinkers"]["shrinkers"]).len() > 3);
    assert!(number(&report["shrinkers"]["total"]["deferred_nofs"]) > 0);
    assert!(!list(&report["compaction"]["orders"]).is_empty());
    assert!(!list(&report["tlb"]["origins"]).is_empty());
    assert!(!list(&report["metadata"]["devices"]).is_empty());
}

/// Tasks in no cgroup are among (others), with those of cgroups without a row: it is not known which they are.
#[test]
fn stalls_without_a_row_are_of_others() {
    let dir = ledger_dir("stalls.json");
    edit(dir.path(), "stalls_cgroups", |text| {
        text.replace("other.0.stalls 0\nother.0.ns 0\n", "other.0.stalls 1\nother.0.ns 900000000000\n")
            + "other.0.part.scan.ns 900000000000\nother.0.hist.us.8388608 1\n"
    });
    edit(dir.path(), "stalls_longest", |text| text.replacen(" cgroup=1 ", " cgroup=0 ", 1));
    let (text, report) = report_of(dir.path());
    assert!(report["summary"].to_string().contains("Who: tasks of cgroup (others) ("), "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // One stall says itself that its task is in none.
    assert!(words.contains("node 0, cgroup none; scanned 1,637 pages"), "{text}");
    let folded = stdout(&["stalls", "--folded", "--debugfs", dir.path().to_str().expect("a plain path")]);
    assert!(folded.contains("(others);scanning 900000000\n") && !folded.contains("(none)"), "{folded}");
}

/// A stall that is kept tells the id of its cgroup, but not the hierarchy. The rows of cgroups do.
#[test]
fn cgroups_of_a_v1_hierarchy() {
    let dir = ledger_dir("stalls.json");
    let path = dir.path().to_str().expect("a plain path");
    let json = |args: &[&str]| json_of(&[args, &["--debugfs", path]].concat());
    let paths = || -> Vec<Value> {
        let stalls = json(&["stalls", "-n", "32"]);
        let its = list(&stalls["stalls"]).iter().filter(|stall| stall["cgroup"] == 23);
        its.map(|stall| stall["cgroup_path"].clone()).collect()
    };
    let why = || stdout(&["why", "--for", "0s", "/rwb-limited", "--debugfs", path]);
    let has = |text: &str| text.contains("Who: memhog[157] (300.589 ms).");
    assert_eq!((paths(), has(&why())), (vec!["/rwb-limited".into()], true));
    // The path of one of v1 is known when it is removed.
    for ledger in ["cgroups", "stalls_cgroups"] {
        edit(dir.path(), ledger, |text| text.replace("cgroup.23.", "cgroup_v1.23.") + "cgroup_v1.23.removed 1\n");
    }
    assert_eq!((paths(), has(&why())), (vec!["/rwb-limited".into()], true));
    let its = json(&["stalls", "--cgroup", "/rwb-limited"]);
    assert_eq!(list(&its["stalls"]).len(), 1);
    let its = json(&["report", "--cgroup", "/rwb-limited"]);
    assert_eq!(list(&its["stalls"]["longest"]).len(), 1);
    // With another of v2 by that id, it is not known whose stall it is.
    edit(dir.path(), "stalls_cgroups", |text| {
        text.to_owned()
            + "cgroup.23.path /another\ncgroup.23.stalls 1\ncgroup.23.ns 1000\ncgroup.23.part.scan.ns 1000\n\
               cgroup.23.hist.us.1 1\n"
    });
    assert_eq!((paths(), has(&why())), (vec![Value::Null], false));
    for asked in ["/rwb-limited", "/another"] {
        let its = json(&["report", "--cgroup", asked]);
        assert_eq!(list(&its["stalls"]["longest"]).len(), 0, "{asked}");
        assert_eq!(list(&its["stalls"]["cgroups"]).len(), 1, "{asked}");
    }
}

/// What a row does not tell of its cgroup is told beside it; and which are gone.
#[test]
fn removed_cgroups_and_what_is_missing() {
    let (text, report) = changed("stalls_cgroups", |text| {
        text.to_owned()
            + "cgroup.77.path /gone\ncgroup.77.removed 1\ncgroup.77.missed.ns 5000000\ncgroup.77.stalls 1\n\
               cgroup.77.ns 900000000000\ncgroup.77.part.scan.ns 900000000000\ncgroup.77.hist.us.8388608 1\n\
               removed.0.path -\nremoved.0.stalls 1\nremoved.0.ns 800000000000\n\
               removed.0.part.scan.ns 800000000000\nremoved.0.hist.us.8388608 1\n"
    });
    let row = |name: &str| text.lines().find(|line| line.trim_start().starts_with(name)).expect("a row");
    assert!(row("tasks of cgroup").contains("or more by"), "{text}");
    assert!(row("/gone (removed)").contains("5.000 ms"), "{text}");
    assert!(row("(removed ones)").contains("scanning"), "{text}");
    // The summary calls them the same.
    let summary = report["summary"].to_string();
    assert!(summary.contains("Who: tasks of cgroup /gone (removed) ("), "{summary}");
    assert!(summary.contains(" and (removed ones) ("), "{summary}");
    let first = &list(&report["stalls"]["cgroups"])[0];
    assert_eq!((number(&first["missed_ns"]), first["removed"].as_bool()), (5_000_000, Some(true)));

    let (text, report) = changed("cgroups", |text| {
        text.to_owned()
            + "cgroup.77.path /gone\ncgroup.77.removed 1\ncgroup.77.missed.pages 5\n\
               cgroup.77.direct.pages 90000000\nremoved.direct.pages 1234\n"
    });
    let row = text.lines().find(|line| line.trim_start().starts_with("/gone (removed)")).expect("a row");
    assert!(row.contains("90,000,000") && row.split_whitespace().any(|word| word == "5"), "{text}");
    assert!(text.contains("1,234 pages of cgroups that are gone"), "{text}");
    assert_eq!(number(&report["cgroups"]["removed_pages"]), 1234);
}

#[test]
fn shrinkers_add_up() {
    for report in reports() {
        let shrinkers = &report["shrinkers"];
        for key in ["calls", "empty", "idle", "refused", "scanned", "freed", "count_ns", "scan_ns", "deferred", "paid"]
        {
            let mut all = number(&shrinkers["other"][key]);
            for row in list(&shrinkers["shrinkers"]) {
                all += number(&row[key]);
                for by in ["origins", "cgroups", "nodes"] {
                    let parts = row[by].as_object().expect("an object").values().map(|part| number(&part[key]));
                    assert_eq!(parts.sum::<u64>(), number(&row[key]), "{} {by} {key}", row["name"]);
                }
            }
            assert_eq!(all, number(&shrinkers["total"][key]), "{key}");
        }
        for row in list(&shrinkers["shrinkers"]) {
            let n = |key: &str| number(&row[key]);
            assert!(n("empty") + n("idle") <= n("calls"), "{row}");
            assert!(n("deferred_nofs") <= n("deferred"), "{row}");
        }
    }
}

#[test]
fn compaction_adds_up() {
    for report in reports() {
        for row in list(&report["compaction"]["orders"]) {
            let results = row["results"].as_object().expect("an object");
            let attempts = number(&row["attempts"]["count"]);
            assert_eq!(results.values().map(|result| number(&result["attempts"])).sum::<u64>(), attempts);
            assert_eq!(results.values().map(|result| number(&result["ns"])).sum::<u64>(), number(&row["ns"]));
            assert!(number(&row["races"]) <= number(&row["again"]) + number(&row["failed"]));
        }
    }
}

#[test]
fn since_itself_is_nothing() {
    let file = fixture("stalls.json");
    let report = json_of(&["report", &file, "--since", &file]);
    assert_eq!((&report["stalls"]["stalls"], &report["stalls"]["ns"]), (&0.into(), &0.into()));
    assert!(list(&report["stalls"]["longest"]).is_empty() && list(&report["stalls"]["cgroups"]).is_empty());
    assert_eq!(report["shrinkers"]["total"]["calls"], 0);
    for (section, rows) in
        [("shrinkers", "shrinkers"), ("compaction", "orders"), ("tlb", "origins"), ("metadata", "devices")]
    {
        assert!(list(&report[section][rows]).is_empty(), "{section}");
    }
    let text = stdout(&["report", &file, "--since", &file]);
    for says in
        ["No task stalled.", "No shrinker was called.", "No task compacted memory.", "No other CPU was interrupted."]
    {
        assert!(text.contains(says), "{says}");
    }
}

/// What is switched off says so, and not that nothing happened.
#[test]
fn a_group_that_is_off_says_so() {
    let off = |text: &str| text.replacen("state on\n", "state off\n", 1);
    for (ledger, says) in [
        ("stalls", "Stalls are not timed now (parameter stalls)."),
        ("shrinkers", "Calls are not counted now (parameter shrinkers)."),
        ("compaction", "Attempts are not counted now (parameter stalls)."),
        ("tlb", "They are not counted now (parameter tlb)."),
        ("metadata", "It is not counted now (parameter metadata)."),
    ] {
        let (text, _) = changed(ledger, off);
        assert!(text.contains(says), "{ledger}: {text}");
    }
    let fresh = |_: &str| "state off\nother.calls 0\n".to_owned();
    assert!(broken("shrinkers", fresh).contains("row other.empty is missing"));
}

#[test]
fn a_group_that_cannot_be_had_is_not_available() {
    let gone = |text: &str| text.replacen("state on\n", "state unavailable\n", 1);
    for ledger in ["shrinkers", "compaction", "tlb", "metadata"] {
        let (text, json) = changed(ledger, gone);
        assert!(text.contains("Not available: "), "{ledger}");
        assert!(json[ledger]["unavailable"].is_string(), "{ledger}");
    }
}

#[test]
fn what_is_not_told_apart_is_named() {
    let (text, json) = changed("stalls", |text| {
        text.replacen("part.tlb available", "part.tlb off", 1)
            .replacen("part.nbd_send available", "part.nbd_send waiting", 1)
            .replacen("part.drain available", "part.drain unavailable", 1)
            // The fixture's module is older than this cause.
            .replacen("part.tag_wait available", "part.tag_wait available\npart.rq_qos available", 1)
    });
    assert!(text.contains("Not told apart, switched off: TLB flushes."), "{text}");
    assert!(text.contains("Not told apart, whose module is not loaded: sending to the NBD server."), "{text}");
    assert!(text.contains("Not told apart, not to be had on this kernel: draining CPUs' lists."), "{text}");
    assert_eq!(json["stalls"]["not_told_apart"]["nbd_send"], "waiting");
}

#[test]
fn what_a_newer_module_adds_is_named() {
    let (_, json) = changed("stalls_longest", |text| text.replace(" order=", " color=3 order="));
    let unknown = json["not_recorded"]["unknown_rows"].to_string();
    assert!(unknown.contains("stalls_longest:stall.*.color"), "{unknown}");
}

#[test]
fn damaged_ledgers_are_refused() {
    let without =
        |text: &str, what: &str| text.lines().filter(|l| !l.starts_with(what)).map(|l| format!("{l}\n")).collect();
    let says = |ledger: &str, change: &dyn Fn(&str) -> String, what: &str| {
        let complaint = broken(ledger, change);
        assert!(complaint.contains(ledger) && complaint.contains(what), "{complaint}");
    };
    says("stalls", &|text| without(text, "direct.ns "), "row direct.ns is missing");
    says("stalls", &|text| text.replacen("part.scan available", "part.scan maybe", 1), "part.scan is neither");
    says("stalls", &|text| text.replacen("envelope slow_path", "envelope none", 1), "row envelope is neither");
    says("stalls", &|text| format!("{text}direct.hist.us.3 1\n"), "names no bucket");
    says("stalls", &|text| format!("{text}direct.hist.us.9223372036854775808 1\n"), "names no bucket");
    says("stalls_longest", &|text| text.replacen(" ns=", " ms=", 1), "has no ns");
    says("shrinkers", &|text| without(text, "shrinker.0.origin "), "row shrinker.0.origin is missing");
    says("shrinkers", &|text| text.replacen(".origin direct", ".origin nobody", 1), "no origin");
    says("tlb", &|text| without(text, "direct.dirty.ipis "), "row direct.dirty.ipis is missing");
    says("metadata", &|text| without(text, "forgotten.folios "), "row forgotten.folios is missing");
    says("compaction", &|text| without(text, "takers "), "row takers is missing");
}
