// SPDX-License-Identifier: GPL-2.0
//! Facts about the machine that a reader of the ledgers needs.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// A swap device or file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Swap {
    /// Device or file.
    pub name: String,
    /// `partition` or `file`.
    pub kind: String,
    /// Size in KiB.
    pub size_kib: u64,
    /// Used, in KiB.
    pub used_kib: u64,
    /// Priority.
    pub priority: i64,
}

/// The machine at the moment of a snapshot. What could not be read is empty or absent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct System {
    /// Seconds since 1970.
    pub unix_time: f64,
    /// Seconds since boot.
    pub uptime: f64,
    /// Tells boots apart.
    pub boot_id: String,
    /// `uname -r`.
    pub kernel_release: String,
    /// `uname -v`.
    pub kernel_version: String,
    /// `uname -m`.
    pub machine: String,
    /// Kernel command line.
    pub cmdline: String,
    /// CPUs online.
    pub cpus: u64,
    /// Bytes of a page.
    pub page_size: u64,
    /// `/proc/meminfo`, in KiB.
    pub meminfo: BTreeMap<String, u64>,
    /// `/proc/vmstat`.
    pub vmstat: BTreeMap<String, u64>,
    /// Memory pressure: microseconds stalled, as `some` and `full`.
    pub memory_stall_us: BTreeMap<String, u64>,
    /// Swap devices.
    pub swaps: Vec<Swap>,
    /// The module's parameters.
    pub params: BTreeMap<String, String>,
    /// Kernel settings that decide where a write goes.
    pub settings: BTreeMap<String, String>,
}

const SETTINGS: [&str; 5] = [
    "sys/kernel/mm/lru_gen/enabled",
    "sys/kernel/mm/transparent_hugepage/enabled",
    "sys/module/zswap/parameters/enabled",
    "proc/sys/vm/swappiness",
    "proc/sys/vm/page-cluster",
];

impl System {
    /// Reads the facts below `root` (`/`, but for tests).
    pub fn collect(root: &Path) -> Self {
        let text = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_default();
        // Folds the per-CPU parts into vmstat: without it the counters are behind. Only root may; others get
        // what there is.
        let _ = fs::read(root.join("proc/sys/vm/stat_refresh"));
        let uname = rustix::system::uname();
        Self {
            unix_time: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64(),
            uptime: text("proc/uptime").split(' ').next().and_then(|s| s.parse().ok()).unwrap_or(0.0),
            boot_id: text("proc/sys/kernel/random/boot_id").trim().to_owned(),
            kernel_release: uname.release().to_string_lossy().into_owned(),
            kernel_version: uname.version().to_string_lossy().into_owned(),
            machine: uname.machine().to_string_lossy().into_owned(),
            cmdline: text("proc/cmdline").trim().to_owned(),
            cpus: std::thread::available_parallelism().map_or(0, |n| n.get() as u64),
            page_size: rustix::param::page_size() as u64,
            meminfo: numbers(&text("proc/meminfo").replace(':', "")),
            vmstat: numbers(&text("proc/vmstat")),
            memory_stall_us: stalls(&text("proc/pressure/memory")),
            swaps: swaps(&text("proc/swaps")),
            params: files(&root.join("sys/module/reclaimwb/parameters")),
            settings: SETTINGS
                .iter()
                .map(|name| ((*name).to_owned(), text(name).trim().to_owned()))
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        }
    }

    /// Total memory in bytes, if known.
    pub fn memory_bytes(&self) -> Option<u64> {
        self.meminfo.get("MemTotal").map(|kib| kib.saturating_mul(1024))
    }
}

/// `name number [unit]` lines; others are left out.
fn numbers(text: &str) -> BTreeMap<String, u64> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
        })
        .collect()
}

/// `some avg10=.. avg60=.. avg300=.. total=N` lines.
fn stalls(text: &str) -> BTreeMap<String, u64> {
    text.lines()
        .filter_map(|line| {
            let (who, _) = line.split_once(' ')?;
            let (_, total) = line.rsplit_once("total=")?;
            Some((who.to_owned(), total.parse().ok()?))
        })
        .collect()
}

fn swaps(text: &str) -> Vec<Swap> {
    text.lines()
        .skip(1)
        .filter_map(|line| {
            // From the right: the name may hold blanks.
            let mut words = line.split_whitespace().rev();
            let priority = words.next()?.parse().ok()?;
            let used_kib = words.next()?.parse().ok()?;
            let size_kib = words.next()?.parse().ok()?;
            let kind = words.next()?.to_owned();
            let mut name: Vec<&str> = words.collect();
            name.reverse();
            Some(Swap { name: name.join(" "), kind, size_kib, used_kib, priority })
        })
        .collect()
}

fn files(dir: &Path) -> BTreeMap<String, String> {
    fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let value = fs::read_to_string(entry.path()).ok()?;
            Some((entry.file_name().into_string().ok()?, value.trim().to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files() {
        let meminfo = numbers("MemTotal:      366812 kB\nHugePages_Total:     0\n".replace(':', "").as_str());
        assert_eq!(meminfo["MemTotal"], 366_812);
        assert_eq!(meminfo["HugePages_Total"], 0);

        let stall = stalls("some avg10=0.00 avg60=1.10 avg300=0.00 total=123\nfull avg10=0.00 total=45\n");
        assert_eq!((stall["some"], stall["full"]), (123, 45));

        let text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/nbd0 partition 1048572 2048 -2\n\
                    /a b.swap file 10 0 5\n";
        let swap = swaps(text);
        assert_eq!((swap[0].name.as_str(), swap[0].size_kib, swap[0].priority), ("/dev/nbd0", 1_048_572, -2));
        assert_eq!(swap[1].name, "/a b.swap");
    }
}
