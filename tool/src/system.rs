// SPDX-License-Identifier: GPL-2.0
//! Facts about the machine that a reader of the ledgers needs.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A swap device or file.
#[derive(Clone, Debug, Serialize, JsonSchema, Deserialize)]
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

/// The settings of an NBD device's queue, which the advice depends on. What could not be read is absent.
#[derive(Clone, Debug, Default, Serialize, JsonSchema, Deserialize)]
pub struct Queue {
    /// Its largest request, in KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_sectors_kb: Option<u64>,
    /// Its hardware queues: one for each connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<u64>,
}

/// Whether the kernel measures pressure (PSI).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Psi {
    /// It does.
    On,
    /// `psi=0` is on its command line.
    SwitchedOff,
    /// It was built to measure it only if the command line asks for it.
    DefaultOff,
    /// It was built without it.
    NotBuilt,
    /// It does not, and it is not known for which of these reasons.
    Off,
}

/// The machine at the moment of a snapshot. What could not be read is empty or absent.
#[derive(Clone, Debug, Serialize, JsonSchema, Deserialize)]
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
    /// Kernel settings that decide what reclaim does with a page.
    pub settings: BTreeMap<String, String>,
    /// Connected NBD devices. Not in older snapshots.
    #[serde(default)]
    pub queues: BTreeMap<String, Queue>,
    /// The options of the kernel's configuration that [`CONFIG`] lists, as `y` or `n`, if it can be read. Not in older
    /// snapshots.
    #[serde(default)]
    pub config: BTreeMap<String, String>,
}

const SETTINGS: [&str; 7] = [
    "sys/kernel/mm/lru_gen/enabled",
    "sys/kernel/mm/transparent_hugepage/defrag",
    "sys/kernel/mm/transparent_hugepage/enabled",
    "sys/module/zswap/parameters/enabled",
    "proc/sys/vm/swappiness",
    "proc/sys/vm/page-cluster",
    "proc/sys/vm/min_free_kbytes",
];

/// Options of the kernel's configuration that explain why it lacks something.
pub const CONFIG: [&str; 2] = ["CONFIG_PSI", "CONFIG_PSI_DEFAULT_DISABLED"];

impl System {
    /// Reads the facts below `root`, which is `/` except in tests.
    pub fn collect(root: &Path) -> Self {
        let text = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_default();
        // Reading this file folds the per-CPU parts into vmstat, whose counters would otherwise be out of date. Only
        // root may do this. For other users the counters stay as they are.
        let _ = fs::read(root.join("proc/sys/vm/stat_refresh"));
        let uname = rustix::system::uname();
        let release = uname.release().to_string_lossy().into_owned();
        Self {
            unix_time: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64(),
            uptime: text("proc/uptime").split(' ').next().and_then(|s| s.parse().ok()).unwrap_or(0.0),
            boot_id: text("proc/sys/kernel/random/boot_id").trim().to_owned(),
            queues: queues(&root.join("sys/block")),
            config: config(
                &[format!("boot/config-{release}"), format!("lib/modules/{release}/config")].map(|f| text(&f)),
            ),
            kernel_release: release,
            kernel_version: uname.version().to_string_lossy().into_owned(),
            machine: uname.machine().to_string_lossy().into_owned(),
            cmdline: text("proc/cmdline").trim().to_owned(),
            cpus: cpus(&text("sys/devices/system/cpu/online"), &text("proc/stat")),
            page_size: rustix::param::page_size() as u64,
            meminfo: numbers(&text("proc/meminfo").replace(':', "")),
            vmstat: numbers(&text("proc/vmstat")),
            memory_stall_us: stalls(&text("proc/pressure/memory")),
            swaps: swaps(&text("proc/swaps")),
            params: params(&root.join("sys/module/reclaimwb/parameters")),
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

    /// Whether pressure is measured, and why not.
    pub fn psi(&self) -> Psi {
        // If there are several, the kernel takes the last one. It takes everything but a clear no for a yes.
        let told = self.cmdline.split_whitespace().rev().find_map(|word| word.strip_prefix("psi="));
        // This follows kstrtobool().
        let told = told.map(|value| !value.to_lowercase().starts_with(['0', 'n', 'f']) && !value.starts_with("of"));
        let is = |name: &str, value: &str| self.config.get(name).is_some_and(|found| found == value);
        match told {
            _ if !self.memory_stall_us.is_empty() => Psi::On,
            _ if is("CONFIG_PSI", "n") => Psi::NotBuilt,
            Some(false) => Psi::SwitchedOff,
            // It was asked for, but the kernel does not have it.
            Some(true) => Psi::NotBuilt,
            None if is("CONFIG_PSI_DEFAULT_DISABLED", "y") => Psi::DefaultOff,
            None => Psi::Off,
        }
    }
}

/// The CPUs online, from the list of them, or else from the lines of `/proc/stat`. The CPUs that this task may use are
/// another number: taskset and the quota of a cgroup limit them.
fn cpus(online: &str, stat: &str) -> u64 {
    let of = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
        last.checked_sub(first)?.checked_add(1)
    };
    let listed: Option<Vec<u64>> = online.trim().split(',').map(of).collect();
    let is_cpu =
        |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let sum = |parts: Vec<u64>| parts.into_iter().fold(0, u64::saturating_add);
    listed.map_or_else(|| stat.lines().filter(is_cpu).count() as u64, sum)
}

/// The connected NBD devices below `/sys/block`.
fn queues(block: &Path) -> BTreeMap<String, Queue> {
    let devices = fs::read_dir(block).into_iter().flatten().flatten();
    let names = devices.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| name.starts_with("nbd") && block.join(name).join("pid").exists())
        .map(|name| {
            let device = block.join(&name);
            let max = fs::read_to_string(device.join("queue/max_sectors_kb")).ok();
            let connections = fs::read_dir(device.join("mq")).ok().map(|found| found.count() as u64);
            let max_sectors_kb = max.and_then(|text| text.trim().parse().ok());
            (name, Queue { max_sectors_kb, connections: connections.filter(|n| *n > 0) })
        })
        .collect()
}

/// The options in [`CONFIG`], from the first configuration that is there.
fn config(texts: &[String]) -> BTreeMap<String, String> {
    let Some(text) = texts.iter().find(|text| !text.is_empty()) else {
        return BTreeMap::new();
    };
    CONFIG
        .iter()
        .map(|name| {
            let set = text.lines().any(|line| line.strip_prefix(name).is_some_and(|rest| rest == "=y"));
            ((*name).to_owned(), if set { "y" } else { "n" }.to_owned())
        })
        .collect()
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
            // Read the line from the right, because the name may contain blanks.
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

/// The parameters in such a directory, each with its value.
pub fn params(dir: &Path) -> BTreeMap<String, String> {
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

    fn system(cmdline: &str, config: &[(&str, &str)], stalls: &str) -> System {
        let empty = tempfile::tempdir().expect("a temporary directory");
        System {
            cmdline: cmdline.into(),
            config: config.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            memory_stall_us: super::stalls(stalls),
            ..System::collect(empty.path())
        }
    }

    #[test]
    fn why_pressure_is_not_measured() {
        let default = [("CONFIG_PSI", "y"), ("CONFIG_PSI_DEFAULT_DISABLED", "y")];
        let built = [("CONFIG_PSI", "y"), ("CONFIG_PSI_DEFAULT_DISABLED", "n")];
        let not = [("CONFIG_PSI", "n"), ("CONFIG_PSI_DEFAULT_DISABLED", "n")];
        assert_eq!(system("psi=1", &default, "some avg10=0.00 total=0\n").psi(), Psi::On);
        assert_eq!(system("quiet psi=0", &built, "").psi(), Psi::SwitchedOff);
        assert_eq!(system("psi=0", &[], "").psi(), Psi::SwitchedOff);
        assert_eq!(system("quiet", &default, "").psi(), Psi::DefaultOff);
        assert_eq!(system("psi=1", &not, "").psi(), Psi::NotBuilt);
        assert_eq!(system("psi=1 psi=0", &[], "").psi(), Psi::SwitchedOff);
        assert_eq!(system("psi=off", &[], "").psi(), Psi::SwitchedOff);
        assert_eq!(system("psi=0 psi=1", &[], "").psi(), Psi::NotBuilt);
        assert_eq!(system("mpsi=0", &[], "").psi(), Psi::Off);
    }

    #[test]
    fn nbd_devices_and_configuration() {
        let root = tempfile::tempdir().expect("a temporary directory");
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            fs::write(path, text).expect("written");
        };
        write("sys/block/nbd0/pid", "12\n");
        write("sys/block/nbd0/queue/max_sectors_kb", "1280\n");
        write("sys/block/nbd0/mq/0/cpu_list", "0\n");
        write("sys/block/nbd0/mq/1/cpu_list", "1\n");
        // One device is not connected, and one is of another kind.
        write("sys/block/nbd1/queue/max_sectors_kb", "128\n");
        write("sys/block/vda/queue/max_sectors_kb", "128\n");
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        write(&format!("boot/config-{release}"), "CONFIG_PSI=y\n# CONFIG_PSI_DEFAULT_DISABLED is not set\n");
        let system = System::collect(root.path());
        let found: Vec<_> = system.queues.iter().map(|(n, q)| (n.as_str(), q.max_sectors_kb, q.connections)).collect();
        assert_eq!(found, [("nbd0", Some(1280), Some(2))]);
        assert_eq!(system.config["CONFIG_PSI"], "y");
        assert_eq!(system.config["CONFIG_PSI_DEFAULT_DISABLED"], "n");
    }

    #[test]
    fn cpus_that_are_online() {
        let stat = "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5 cpu2\n";
        for (online, number) in
            [("0-3\n", 4), ("0\n", 1), ("0-2,5,8-9\n", 6), ("", 2), ("\n", 2), ("0-x\n", 2), ("3-1\n", 2)]
        {
            assert_eq!(cpus(online, stat), number, "{online:?}");
        }
        assert_eq!(cpus("", ""), 0);
        // They are not those that this test may use.
        let root = tempfile::tempdir().expect("a temporary directory");
        fs::create_dir_all(root.path().join("sys/devices/system/cpu")).expect("made");
        fs::write(root.path().join("sys/devices/system/cpu/online"), "0-4095\n").expect("written");
        assert_eq!(System::collect(root.path()).cpus, 4096);
    }

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
