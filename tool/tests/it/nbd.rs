// SPDX-License-Identifier: GPL-2.0
//! The sections on NBD requests and on swap batches, from ledgers made here: whose the time was, what is advised,
//! and what damaged ledgers get.

use std::fs;

use crate::common::{batches, complaint, fixture, ledger_dir, nbd, stdout};
use serde_json::Value;

fn with(ledgers: &[(&str, String)]) -> tempfile::TempDir {
    let dir = ledger_dir("stalls.json");
    for (name, text) in ledgers {
        fs::write(dir.path().join(name), text).expect("ledger written");
    }
    dir
}

fn report(ledgers: &[(&str, String)]) -> (String, Value) {
    let dir = with(ledgers);
    let args = ["report", "--debugfs", dir.path().to_str().expect("a plain path")];
    let json = serde_json::from_str(&stdout(&[&args[..], &["--json"]].concat())).expect("JSON");
    // Words, however the lines are broken.
    (stdout(&args).split_whitespace().collect::<Vec<_>>().join(" "), json)
}

fn refused(ledger: &str, text: String, what: &str) {
    let dir = with(&[(ledger, text)]);
    let said = complaint(&["report", "--debugfs", dir.path().to_str().expect("a plain path")]);
    assert!(said.contains(ledger) && said.contains(what), "{said}");
}

#[test]
fn the_verdict_is_where_most_of_the_time_went() {
    for (ms, verdict, says) in [
        ([900, 1, 50, 20, 10, 0], "lock", "nbd0: most of the time (91.7 %) was us:"),
        ([10, 1, 900, 20, 10, 0], "network", "was the network towards the server"),
        ([10, 1, 50, 900, 10, 0], "server", "was the server, or the way to it and back"),
        ([10, 1, 50, 20, 900, 0], "reply", "was the network from the server, or us"),
        ([10, 1, 50, 20, 10, 900], "requeued", "was lost connections"),
    ] {
        let (text, json) = report(&[("nbd", nbd(100, ms))]);
        let device = &json["nbd"]["devices"][0];
        assert_eq!(device["verdict"], verdict);
        assert!(text.contains(says), "{text}");
        assert_eq!(text.contains("held the send lock for long"), verdict == "lock", "{text}");
        assert_eq!(device["lock_held_long"], verdict == "lock");
    }
}

/// The lock may be worth advice though most of the time went to sending, for which it is held.
#[test]
fn a_lock_that_is_held_for_long_gets_advice() {
    let (text, json) = report(&[("nbd", nbd(100, [300, 1, 600, 20, 10, 0]))]);
    assert_eq!(json["nbd"]["devices"][0]["verdict"], "network");
    for says in
        ["/sys/block/nbd0/queue/max_sectors_kb", "nbd-client -C", "smaller requests or more connections may help"]
    {
        assert!(text.contains(says), "{text}");
    }
}

/// What the device has already is not advised.
#[test]
fn advice_looks_at_the_queue() {
    let dir = with(&[("nbd", nbd(100, [900, 1, 60, 20, 10, 0]))]);
    let file = dir.path().join("saved.json");
    let file = file.to_str().expect("a plain path");
    stdout(&["snapshot", "--debugfs", dir.path().to_str().expect("a plain path"), "-o", file]);
    let mut json: Value = serde_json::from_str(&fs::read_to_string(file).expect("saved")).expect("JSON");
    for (kb, connections, smaller, more) in
        [(1280, 1, true, true), (1280, 2, true, false), (128, 1, false, true), (64, 4, false, false)]
    {
        json["system"]["queues"]["nbd0"] = serde_json::json!({"max_sectors_kb": kb, "connections": connections});
        fs::write(file, json.to_string()).expect("saved");
        let text = stdout(&["report", file]).split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(text.contains("smaller ones (a lower /sys/block/nbd0"), smaller, "{text}");
        assert_eq!(text.contains("more connections (nbd-client -C) let them pass"), more, "{text}");
        assert_eq!(text.contains("held the send lock for long"), smaller || more, "{text}");
        let help = match (smaller, more) {
            (true, true) => "was us; smaller requests or more connections may help.",
            (true, false) => "was us; smaller requests may help.",
            (false, true) => "was us; more connections may help.",
            (false, false) => "was us.",
        };
        assert!(text.contains(help), "{help} {text}");
    }
}

#[test]
fn phases_sum_to_the_whole() {
    let (text, json) = report(&[("nbd", nbd(100, [1, 2, 3, 4, 5, 6]))]);
    for row in json["nbd"]["devices"][0]["directions"].as_array().expect("directions") {
        let sum: u64 = row["phases_ns"].as_object().expect("phases").values().filter_map(Value::as_u64).sum();
        assert_eq!(row["ns"], sum);
        assert_eq!(row["ns"], 21_000_000);
    }
    assert!(text.contains("nbd0 write: the longest took 10.500 ms (12,800 KiB): given back 3.000 ms"), "{text}");
}

#[test]
fn what_is_under_way_or_failed_is_said() {
    let text = nbd(100, [1, 2, 3, 4, 5, 6])
        .replace("write.inflight 0", "write.inflight 3")
        .replace("write.inflight.oldest.ns 0", "write.inflight.oldest.ns 7000000000")
        .replace("write.errors 0", "write.errors 2");
    let (text, _) = report(&[("nbd", text)]);
    assert!(text.contains("nbd0 write: 2 failed, 3 in flight at the end, the oldest for 7.000 s."), "{text}");
}

/// The last bucket of the histogram has no end: it does not mean that there were none.
#[test]
fn requests_of_a_server_that_hangs_are_longer() {
    let hung = nbd(100, [1; 6]).replace("write.hist.us.1024 100", "write.hist.us.8388608 100");
    let (text, json) = report(&[("nbd", hung.clone())]);
    assert!(text.contains("write 100 12.5 6.000 ms longer longer"), "{text}");
    assert!(json["nbd"]["devices"][0]["directions"][1]["requests"]["p99_below_us"].is_null());
    // As a number, that is more than any other.
    let dir = with(&[("nbd", hung)]);
    let page = dir.path().join("a.html");
    let page = page.to_str().expect("a plain path");
    stdout(&["report", "--debugfs", dir.path().to_str().expect("a plain path"), "--html", page]);
    let html = fs::read_to_string(page).expect("a page");
    assert!(html.contains("data-n=\"Infinity\">longer</td>"), "no longer in the page");
    // Where all are under way, there are none that took a time.
    let none = nbd(0, [1; 6]).replace("write.inflight 0", "write.inflight 3");
    let (text, _) = report(&[("nbd", none)]);
    assert!(text.contains("write - 0.0 0 us - -"), "{text}");
}

#[test]
fn what_is_off_or_missing_says_so() {
    let off = nbd(100, [1; 6]).replacen("state on", "state off", 1);
    assert!(report(&[("nbd", off)]).0.contains("They are not followed now (parameter nbd)."));
    let gone = nbd(100, [1; 6]).replacen("state on", "state unavailable", 1);
    assert!(report(&[("nbd", gone)]).1["nbd"]["unavailable"].is_string());
    let blind = nbd(100, [1; 6]).replacen("lock on", "lock unavailable", 1);
    assert!(report(&[("nbd", blind)]).0.contains("The wait for a connection is not seen"));
    let all = nbd(100, [0; 6]);
    let none: Vec<&str> = all.lines().filter(|row| !row.starts_with("device.")).collect();
    assert!(report(&[("nbd", none.join("\n") + "\n")]).0.contains("There was none."));
    // Snapshots of older modules.
    let old = stdout(&["report", &fixture("stalls.json")]);
    assert!(old.contains("the module is older than the ledger of NBD requests"), "{old}");
    assert!(old.contains("the module is older than the ledger of swap batches"), "{old}");
}

#[test]
fn batches_are_told_by_why_they_ended() {
    let (text, json) = report(&[("batches", batches([5, 4, 3, 2, 1, 0, 0]))]);
    let row = &json["batches"]["origins"][0];
    assert_eq!((&row["origin"], &row["batches"], &row["pages"]), (&"kswapd".into(), &15.into(), &120.into()));
    assert_eq!(row["ended"]["gap"], 5);
    assert!(row["ended"]["unknown"].is_null());
    assert!(text.contains("kswapd 15 120 8.0"), "{text}");
    assert!(
        text.contains("kswapd: why they ended: gap 33.3 %, other cgroup 26.7 %, other device 20.0 %, full 13.3 %"),
        "{text}"
    );
    let blind = batches([0, 0, 0, 2, 0, 0, 9]).replacen("reasons on", "reasons off", 1);
    assert!(
        report(&[("batches", blind)])
            .0
            .contains("could not be told why a write ended (that needs the parameter stalls)")
    );
}

#[test]
fn fits_its_width() {
    let dir = with(&[("nbd", nbd(1_000_000, [100_000_000; 6])), ("batches", batches([1_000_000; 7]))]);
    for line in stdout(&["report", "--debugfs", dir.path().to_str().expect("a plain path"), "--width", "80"]).lines() {
        assert!(line.chars().count() <= 80 || line.contains("+0x"), "{line}");
    }
}

#[test]
fn damaged_ledgers_are_refused() {
    let all = nbd(100, [1; 6]);
    refused("nbd", all.replace("device.nbd0.write.requeues 0\n", ""), "device.nbd0.write.requeues is missing");
    refused("nbd", all.replacen("lock on", "lock maybe", 1), "row lock is neither");
    refused("nbd", format!("{all}device.nbd0.write.hist.us.3 1\n"), "names no bucket");
    refused("batches", batches([1; 7]).replace("direct.ended.full 0\n", ""), "direct.ended.full is missing");
}

/// Whether a stall was the network, the server or us.
#[test]
fn stalls_that_waited_are_told_for_what() {
    let (text, json) = report(&[("nbd", nbd(100, [300, 0, 100, 1600, 0, 0]))]);
    let stalls = &json["nbd"]["stalls"];
    assert_eq!((stalls["stalls"].as_u64(), stalls["ns"].as_u64()), (Some(50), Some(1_000_000_000)));
    assert_eq!(stalls["verdict"], "server");
    assert_eq!(stalls["verdict_share"], 0.8);
    for says in [
        "Of the stalls, 50 waited for NBD requests, for 1.000 s in all; most of that (80.0 %) was the server.",
        "50 stalls waited 1.000 s in all while requests were under way, and these were: server and round trip 80.0 %,",
    ] {
        assert!(text.contains(says), "{text}");
    }
    let (text, json) = report(&[("nbd", nbd(1, [0; 6]))]);
    assert_eq!(json["nbd"]["stalls"]["verdict"], Value::Null);
    assert!(!text.contains("stalls waited") && !text.contains("Of the stalls,"), "{text}");
}

/// Of one stall, too.
#[test]
fn a_long_stall_says_what_its_requests_were_at() {
    let dir = ledger_dir("stalls.json");
    crate::common::edit(dir.path(), "stalls_longest", |text| {
        text.replacen(" comm=", " nbd.lock=3000000 nbd.server=9000000 comm=", 1)
    });
    let args = ["report", "--debugfs", dir.path().to_str().expect("a plain path")];
    let text = stdout(&args).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("For NBD requests it waited 12.000 ms: server and round trip 75.0 %,"), "{text}");
    let json: Value = serde_json::from_str(&stdout(&[&args[..], &["--json"]].concat())).expect("JSON");
    assert_eq!(json["stalls"]["longest"][0]["nbd_ns"]["server"], 9_000_000);
    assert_eq!(json["stalls"]["longest"][1]["nbd_ns"], serde_json::json!({}));
}
