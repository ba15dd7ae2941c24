// SPDX-License-Identifier: GPL-2.0
//! The section on the reserves, from ledgers made here.

use std::fs;

use crate::common::{complaint, fixture, ledger_dir, report_since, reserves, stdout};
use serde_json::Value;

fn with(text: &str) -> tempfile::TempDir {
    let dir = ledger_dir("stalls.json");
    fs::write(dir.path().join("reserves"), text).expect("ledger written");
    dir
}

fn report(text: &str) -> (String, Value) {
    let dir = with(text);
    let args = ["report", "--debugfs", dir.path().to_str().expect("a plain path")];
    let json = serde_json::from_str(&stdout(&[&args[..], &["--json"]].concat())).expect("JSON");
    // Words, however the lines are broken.
    (stdout(&args).split_whitespace().collect::<Vec<_>>().join(" "), json)
}

fn refused(text: &str, what: &str) {
    let dir = with(text);
    let said = complaint(&["report", "--debugfs", dir.path().to_str().expect("a plain path")]);
    assert!(said.contains("reserves") && said.contains(what), "{said}");
}

#[test]
fn who_took_how_low_it_fell_and_who_waited() {
    let (text, json) = report(&reserves(1, 391));
    for says in [
        "Reserves: 4,510 pages were taken from below the min watermarks; zone 0.DMA32 fell to 21.7 % of its min",
        "tasks waited 16 times for the reserves, for 1.600 s in all",
        "NBD, sending 9,000 9,000 4,500",
        "Others, pages by call site: sk_page_frag_refill 20.",
        "0.DMA32 391 1,799 21.7 % 12.5 s of uptime 2,000",
        "the longest for 1.510 s; woken 15 by kswapd, 1 after a second, for want of __GFP_FS.",
        "Who: memhog 16 (1.600 s).",
        "were for nobody who frees memory: 3 (tcp_filter 3).",
        "Sockets that may use the reserves now: 1.",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let section = &json["reserves"];
    assert_eq!(section["users"].as_object().expect("users").len(), 2);
    assert_eq!(section["sites"]["sk_page_frag_refill"], 20);
    assert_eq!(section["zones"].as_array().expect("zones").len(), 2);
    assert_eq!(section["waits"]["waits"], 16);
    assert_eq!(section["dropped_packets"], 3);
}

#[test]
fn advice_is_for_those_who_need_it() {
    let advice = |lowest| report(&reserves(1, lowest)).1["reserves"]["advice"].to_string();
    assert!(advice(391).contains("Zone 0.DMA32 was nearly out of its reserve"));
    assert!(!advice(1000).contains("nearly out"));
    // Packets were dropped either way.
    assert!(advice(1000).contains("min_free_kbytes"));
}

#[test]
fn nothing_is_said_of_reserves_that_nobody_used() {
    let (text, json) = report(
        &reserves(0, 1000)
            .replace("drops.packets 0\ndrop.0.at tcp_filter+0x2a/0x40\n", "drops.packets 0\n")
            .replace("drop.0.packets 0\n", ""),
    );
    assert!(text.contains("Nobody took any."), "{text}");
    assert!(text.contains("Nobody waited for them to be refilled."), "{text}");
    assert!(!text.contains("Reserves: "), "{text}");
    assert_eq!(json["reserves"]["advice"].as_array().expect("advice").len(), 0);
}

#[test]
fn a_kernel_without_the_events_is_told() {
    let off = reserves(0, 1000).replace("state on", "state unavailable").replace("waits on", "waits unavailable");
    let (text, _) = report(&off);
    assert!(text.contains("this kernel lacks the patches"), "{text}");
    let fixture = fixture("stalls.json");
    let text = stdout(&["report", &fixture]);
    assert!(text.contains("the module is older than the reserve ledger"), "{text}");
}

/// The longest since the module was loaded may be from before the interval: then it is marked, as minima are.
#[test]
fn the_longest_may_be_older_than_the_interval() {
    let (before, after) = (with(&reserves(1, 391)), with(&reserves(3, 391)));
    let (text, json) = report_since(before.path(), after.path());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("for 3.200 s in all, the longest for 1.510 s*; woken"), "{text}");
    assert!(text.contains("0.DMA32 391*"), "{text}");
    assert!(text.contains("Those marked * were reached before the interval began"), "{text}");
    assert_eq!(json["reserves"]["waits"]["longest_is_new"], false);
    let longer = with(&reserves(3, 391).replace("longest.ns 1510000000", "longest.ns 1520000000"));
    let (text, json) = report_since(before.path(), longer.path());
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains("the longest for 1.520 s; woken"), "{text}");
    assert_eq!(json["reserves"]["waits"]["longest_is_new"], true);
}

/// The two counts are read one after the other, while others count.
#[test]
fn pages_below_min_are_at_most_all_pages() {
    let all = |n: u64| {
        let of = reserves(n, 391);
        of.replace(
            &format!("nbd_send.below_min.pages {}", 4500 * n),
            &format!("nbd_send.below_min.pages {}", 9000 * n + 1),
        )
    };
    let taken = |json: &Value| {
        let of = &json["reserves"]["users"]["nbd_send"];
        (of["pages"].as_u64(), of["below_min_pages"].as_u64())
    };
    assert_eq!(taken(&report(&all(1)).1), (Some(9000), Some(9000)));
    let (before, after) = (with(&all(1)), with(&all(3)));
    assert_eq!(taken(&report_since(before.path(), after.path()).1), (Some(18_000), Some(18_000)));
}

#[test]
fn damaged_ledgers_are_refused() {
    let whole = reserves(1, 391);
    refused(&whole.replace("slabs 4\n", ""), "row slabs is missing");
    refused(&whole.replace("waits on", "waits maybe"), "row waits");
    refused(&whole.replace("node.0.ns 1600000000\n", ""), "node.0.ns");
    refused(&whole.replace("zone.0.DMA32.lowest.min.pages 1799\n", ""), "zone.0.DMA32.lowest.min.pages");
}
