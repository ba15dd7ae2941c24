// SPDX-License-Identifier: GPL-2.0
//! What kswapd took, and swap writes that failed, from ledgers made here.

use std::{fmt::Write, fs};

use crate::common::{complaint, edit, kswapd, ledger_dir, report_of};
use serde_json::Value;

fn report(text: &str) -> (String, Value) {
    let dir = ledger_dir("stalls.json");
    fs::write(dir.path().join("kswapd"), text).expect("ledger written");
    words(&report_of(dir.path()))
}

/// However the lines are broken.
fn words((text, json): &(String, Value)) -> (String, Value) {
    (text.split_whitespace().collect::<Vec<_>>().join(" "), json.clone())
}

#[test]
fn a_busy_kswapd_is_in_the_summary() {
    let (text, json) = report(&kswapd(9_000, "tmpfs", 0));
    for says in [
        "kswapd of node 0 was busy for 9.000 s, and scanned 10.0 pages for each page freed. It does not rest: most of \
         the node's memory is tmpfs or other shared memory, and no swap is free for it.",
        "0 9.000 s ? 9,000 2,250 360,000 36,000 10.0",
        "(100.0 %).",
        "it had 10.0 MiB free (its high watermarks ask for 12.0 MiB); 10.0 MiB of files, 10.0 MiB anonymous, \
         70.0 MiB tmpfs and other shared memory, 0.0 MiB unevictable; no swap is free.",
        "18,000 activated, as they are in use, 9,000 kept, as they are in use.",
        "It was woken 4,501 times, 1 for order 3; most often by cat 4,500, a b 1, interrupts 7.",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let row = &json["kswapd"]["nodes"][0];
    assert_eq!((&row["node"], &row["cpu_ns"]), (&0.into(), &9_000_000_000_u64.into()));
    assert_eq!(row["reasons"][0]["why"], "tmpfs");
    assert_eq!(row["reasons"].as_array().expect("reasons").len(), 1);
    assert_eq!(json["kswapd"]["wakers"][0]["task"], "cat");
}

#[test]
fn one_that_rests_is_not() {
    let (text, _) = report(&kswapd(100, "demand", 10));
    assert!(!text.contains("was busy"), "{text}");
    assert!(text.contains("tasks take as much as it frees (100.0 %)"), "{text}");
    let mut idle = "state on\nscans off\nwakes on\nwake.interrupts 0\n".to_owned();
    for order in 0..=10 {
        let _ = writeln!(idle, "wake.order.{order}.times 0");
    }
    let (text, json) = report(&idle);
    assert!(
        text.contains("what it scanned for what it freed, why it did not rest") && text.contains("It did nothing.")
    );
    assert_eq!(json["kswapd"]["nodes"].as_array().expect("nodes").len(), 0);
}

#[test]
fn a_row_less_is_refused() {
    let dir = ledger_dir("stalls.json");
    let text = kswapd(1, "order", 0).replace("node.0.why.order.cpu.ns 1000000\n", "");
    fs::write(dir.path().join("kswapd"), text).expect("ledger written");
    let said = complaint(&["report", "--debugfs", dir.path().to_str().expect("a plain path")]);
    assert!(said.contains("kswapd") && said.contains("node.0.why.order.cpu.ns is missing"), "{said}");
}

/// The rows of a module that tells failed writes, with so many pages of kswapd's that a device refused.
fn failed(writes: &str, device: &str, pages: u64) -> String {
    let mut out = writes.to_owned();
    let origins: Vec<&str> = writes.lines().filter_map(|line| line.split_once(".windows ")).map(|(o, _)| o).collect();
    for origin in &origins {
        for of_type in ["anon", "shmem"] {
            let n = if (*origin, of_type) == ("kswapd", "anon") { pages } else { 0 };
            let _ = write!(out, "{origin}.{of_type}.failed.folios {n}\n{origin}.{of_type}.failed.pages {n}\n");
        }
        let _ = writeln!(out, "zswap_writeback.{origin}.pages {}", if *origin == "direct" { 40 } else { 0 });
    }
    out += "zswap_writeback on\nzswap_writeback.worker.pages 2000\nzswap_writeback.failed.pages 3\n";
    out + &format!("device.{device}.failed.requests {pages}\ndevice.{device}.failed.pages {pages}\n")
}

fn refusing(device: &str) -> (String, Value) {
    let dir = ledger_dir("stalls.json");
    edit(dir.path(), "writes", |text| failed(text, device, 5_000));
    words(&report_of(dir.path()))
}

#[test]
fn what_was_refused_is_no_write() {
    let (text, json) = refusing("zram0");
    for says in [
        "WARNING: the swap device zram0 refused 5,000 pages: zram is full (its mem_limit is reached",
        "5,000 pages (",
        "refused by the device, or failed (they stay in memory)",
        "Reclaim tried to write ",
        "zram0 did not do 5,000 writes, of 5,000 pages: they stay in memory.",
        "zswap wrote back to the device, on whose stack, in pages: 2,000 by its worker, 40 by direct; the device failed \
         to write 3 of it.",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    let writes = &json["writes"];
    assert_eq!((&writes["failed_pages"], &writes["kinds"]["failed"]), (&5_000.into(), &5_000.into()));
    assert_eq!(writes["failed_devices"][0]["device"], "zram0");
    assert_eq!(writes["zswap_writeback"]["worker_pages"], 2_000);
}

#[test]
fn another_device_reports_errors() {
    let (text, _) = refusing("nbd0");
    assert!(text.contains("the swap device nbd0 reports errors: 5,000 pages were not written"), "{text}");
    assert!(!text.contains("zram"), "{text}");
}
