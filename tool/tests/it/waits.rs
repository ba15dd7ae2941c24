// SPDX-License-Identifier: GPL-2.0
//! The section on waits, from ledgers made here.

use std::fs;

use crate::common::{complaint, edit, ledger_dir, report_of, report_since, stdout, waits, waits_cgroups};
use serde_json::Value;

fn with(ms: [u64; 8]) -> tempfile::TempDir {
    let dir = ledger_dir("stalls.json");
    fs::write(dir.path().join("waits"), waits(ms)).expect("ledger written");
    fs::write(dir.path().join("waits_cgroups"), waits_cgroups(ms)).expect("ledger written");
    dir
}

fn report(ms: [u64; 8]) -> (String, Value) {
    let dir = with(ms);
    let args = ["report", "--debugfs", dir.path().to_str().expect("a plain path")];
    let json = serde_json::from_str(&stdout(&[&args[..], &["--json"]].concat())).expect("JSON");
    // Words, however the lines are broken.
    (stdout(&args).split_whitespace().collect::<Vec<_>>().join(" "), json)
}

fn summary(ms: [u64; 8]) -> String {
    report(ms).1["summary"].as_array().expect("sentences").iter().map(|s| s.as_str().expect("text")).collect()
}

#[test]
fn the_section_has_all_of_it() {
    let dir = with([1000, 4000, 0, 2000, 0, 0, 500, 500]);
    edit(dir.path(), "waits", |text| text.replace("device.other.ns 0\n", "device.other.ns 2500000000\n"));
    let (text, json) = report_of(dir.path());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for says in [
        "file pages read again 10 4.000 s 2.000 s 4.000 s memory.max 100.0 %",
        "Tasks waited for 7.500 s in all.",
        "PSI counts 4.000 s of that and of the waits of kernel threads; unexplained: 6.2 %.",
        "Pages of files that came back soon after reclaim: 5,020 (20 at no limit, 5,000 at memory.max).",
        "8:16 swap-in 10 1.000 s",
        "(others) - - 2.500 s",
        "Who waited for file pages read again: a worker 10 (4.000 s).",
        "/pods/app 1.000 s 4.000 s - 2.000 s 1.000 s 4.000 s 5,023",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let section = &json["waits"];
    assert_eq!(section["ns"], 7_500_000_000_u64);
    assert_eq!(section["kinds"][0]["kind"], "refault");
    assert_eq!(section["cgroups"][0]["limited_by"], "/pods");
    assert_eq!(section["devices"]["8:16"]["refault"]["waits"], 10);
    assert_eq!(section["other_devices_ns"], 2_500_000_000_u64);
}

#[test]
fn the_summary_names_the_largest_and_why() {
    let says = summary([1000, 4000, 0, 2000, 0, 0, 0, 0]);
    let refault = "Tasks spent 4.000 s waiting for file pages of device 8:16 that were read again soon after reclaim, \
                   mostly in /pods/app at the memory.max of /pods.";
    assert!(says.contains(refault), "{says}");
    let says = summary([5000, 4000, 0, 2000, 0, 0, 0, 0]);
    assert!(says.contains("waiting for pages that were swapped out to device 8:16"), "{says}");
    let says = summary([0, 0, 3000, 2000, 0, 0, 0, 0]);
    assert!(says.contains("(balance_dirty_pages, not reclaim), mostly in /pods/app"), "{says}");
}

#[test]
fn where_allocations_stall_longer_what_came_back_is_said() {
    let says = summary([0, 10, 0, 9000, 0, 0, 0, 0]);
    assert!(
        says.contains("5,020 pages of files were read again soon after reclaim, 5,020 of them in /pods/app"),
        "{says}"
    );
    // Nobody waited for anything.
    let says = summary([0; 8]);
    assert!(!says.contains("read again soon"), "{says}");
}

/// The longest since the module was loaded may be from before the interval: then it is marked, as minima are.
#[test]
fn the_longest_may_be_older_than_the_interval() {
    let (before, after) = (with([1000, 4000, 0, 0, 0, 0, 0, 0]), with([1500, 4000, 0, 0, 0, 0, 0, 0]));
    // Ten more waits, none of which was longer than one of before.
    edit(after.path(), "waits", |text| {
        text.replace("refault.waits 10", "refault.waits 20").replace("refault.ns 4000000000", "refault.ns 5000000000")
    });
    let (text, json) = report_since(before.path(), after.path());
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("file pages read again 10 1.000 s - 4.000 s* "), "{text}");
    assert!(!text.contains("1.500 s*"), "{text}");
    assert!(text.contains("Those marked * were reached before the interval began"), "{text}");
    let kinds = json["waits"]["kinds"].as_array().expect("kinds");
    let new: Vec<_> = kinds.iter().map(|row| (row["kind"].as_str(), row["longest_is_new"].as_bool())).collect();
    assert!(new.contains(&(Some("refault"), Some(false))), "{new:?}");
}

#[test]
fn a_wait_without_its_time_is_refused() {
    let dir = with([1, 1, 1, 1, 1, 1, 1, 1]);
    let cut = waits_cgroups([1; 8]).replace("cgroup.77.stall.ns", "cgroup.77.stall.us");
    fs::write(dir.path().join("waits_cgroups"), cut).expect("ledger written");
    let said = complaint(&["report", "--debugfs", dir.path().to_str().expect("a plain path")]);
    assert!(said.contains("waits_cgroups") && said.contains("cgroup.77.stall.ns"), "{said}");
}
