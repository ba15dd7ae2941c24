// SPDX-License-Identifier: GPL-2.0
//! What the tests share: running the tool, fixtures, golden files.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

pub fn crate_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

pub fn fixture(name: &str) -> String {
    crate_file("fixtures").join(name).to_str().expect("a plain path").to_owned()
}

pub fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reclaimwb")).args(args).output().expect("the tool starts")
}

/// Standard output of a run that must succeed without a word of complaint.
pub fn stdout(args: &[&str]) -> String {
    let output = run(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{args:?}: {:?} {stderr}", output.status);
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The complaint of a run that must fail: one line, exit code 1, nothing on standard output.
pub fn complaint(args: &[&str]) -> String {
    complaint_with(args, 1)
}

/// The same with another exit code.
pub fn complaint_with(args: &[&str], code: i32) -> String {
    let output = run(args);
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{args:?} printed a report");
    assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
    stderr.strip_prefix("reclaimwb: ").expect("says who complains").trim_end().to_owned()
}

/// The report of the ledgers in that folder, as text and as JSON.
pub fn report_of(dir: &Path) -> (String, serde_json::Value) {
    let args = ["report", "--debugfs", dir.to_str().expect("a plain path")];
    let json = serde_json::from_str(&stdout(&[&args[..], &["--json"]].concat())).expect("JSON");
    (stdout(&args), json)
}

/// The report of the ledgers in one folder since those in another, as text and as JSON.
pub fn report_since(before: &Path, after: &Path) -> (String, serde_json::Value) {
    let saved = tempfile::tempdir().expect("a temporary directory");
    let saved = saved.path().join("before.json");
    let [before, after, saved] = [before, after, &saved].map(|path| path.to_str().expect("a plain path"));
    stdout(&["snapshot", "--debugfs", before, "-o", saved]);
    let args = ["report", "--debugfs", after, "--since", saved];
    let json = serde_json::from_str(&stdout(&[&args[..], &["--json"]].concat())).expect("JSON");
    (stdout(&args), json)
}

/// A ledger of a helper that did nothing: no device, and each number is 0.
pub fn zeros(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("device.")).fold(String::new(), |mut out, line| {
        // Writing to a String cannot fail.
        let _ = match line.split_once(' ') {
            Some((key, n)) if n.parse::<u64>().is_ok() => writeln!(out, "{key} 0"),
            _ => writeln!(out, "{line}"),
        };
        out
    })
}

/// Compares with a golden file; `UPDATE_GOLDEN=1` accepts what is there now.
pub fn golden(name: &str, actual: &str) {
    let path = crate_file("golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).expect("golden file written");
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if expected != actual {
        let line = expected.lines().zip(actual.lines()).position(|(e, a)| e != a);
        let line = line.unwrap_or_else(|| expected.lines().count().min(actual.lines().count()));
        panic!(
            "{name} differs from line {}:\n  expected {:?}\n  got      {:?}\naccept with: UPDATE_GOLDEN=1 cargo test",
            line + 1,
            expected.lines().nth(line).unwrap_or("(end)"),
            actual.lines().nth(line).unwrap_or("(end)")
        );
    }
}

/// A directory with the ledgers of a fixture snapshot, as debugfs would show them.
pub fn ledger_dir(snapshot: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let text = fs::read_to_string(fixture(snapshot)).expect("fixture");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    for (name, ledger) in json["ledgers"].as_object().expect("ledgers") {
        let rows: Vec<&str> = ledger["rows"].as_array().expect("rows").iter().filter_map(|r| r.as_str()).collect();
        // One without rows is empty, not an empty row.
        let text: Vec<String> = rows.iter().map(|row| format!("{row}\n")).collect();
        fs::write(dir.path().join(name), text.concat()).expect("ledger written");
    }
    dir
}

/// A directory with the ledgers of a fixture, and something in each of those that the fixtures are older than; `n` times
/// as much of that.
pub fn full_dir(snapshot: &str, n: u64) -> tempfile::TempDir {
    let dir = ledger_dir(snapshot);
    let write = |name: &str, text: String| fs::write(dir.path().join(name), text).expect("ledger written");
    write("nbd", nbd(10 * n, [90 * n, 3, 5, 70, 2, 1]));
    write("batches", batches([5 * n, 1, 2, 3, 4, 5, 6]));
    write("reserves", reserves(n, 700 - n));
    write("kswapd", kswapd(900 * n, "tmpfs", 10));
    write("stalls_locks", stalls_locks(n));
    write("waits", waits([700 * n, 900, 300, 100, 5, 0, 20, 30]));
    write("waits_cgroups", waits_cgroups([700 * n, 900, 300, 100, 5, 0, 20, 30]));
    dir
}

/// Changes one ledger of a directory.
pub fn edit(dir: &Path, ledger: &str, change: impl Fn(&str) -> String) {
    let path = dir.join(ledger);
    let text = fs::read_to_string(&path).expect("ledger");
    let changed = change(&text);
    assert_ne!(text, changed, "the edit of {ledger} changes nothing");
    fs::write(path, changed).expect("ledger written");
}

const PHASES: [&str; 6] = ["lock", "header", "payload", "server", "reply", "requeued"];
const WHYS: [&str; 7] = ["gap", "cgroup", "device", "full", "end", "sync", "unknown"];
const ORIGINS: [&str; 11] = [
    "kswapd",
    "direct",
    "memcg_max",
    "memcg_high",
    "memcg_reclaim",
    "memcg_soft",
    "node",
    "madvise",
    "writer",
    "other",
    "lost",
];

/// Milliseconds by phase of so many writes of nbd0, and as much of one read.
pub fn nbd(requests: u64, ms: [u64; 6]) -> String {
    let mut text = "state on\nlock on\n".to_owned();
    for (dir, n, bytes) in [("read", 1, 4096), ("write", requests, requests * 131_072), ("other", 0, 0)] {
        let row = format!("device.nbd0.{dir}");
        let _ = write!(text, "{row}.requests {n}\n{row}.bytes {bytes}\n{row}.errors 0\n{row}.requeues 0\n");
        let whole: u64 = if n > 0 { ms.iter().sum() } else { 0 };
        for (phase, ms) in PHASES.iter().zip(ms) {
            let ns = if n > 0 { ms * 1_000_000 } else { 0 };
            let _ = write!(text, "{row}.phase.{phase}.ns {ns}\n{row}.longest.phase.{phase}.ns {}\n", ns / 2);
            let _ = writeln!(text, "{row}.inflight.phase.{phase} 0");
        }
        if n > 0 {
            let _ = writeln!(text, "{row}.hist.us.1024 {n}");
        }
        let _ = write!(text, "{row}.longest.ns {}\n{row}.longest.bytes {bytes}\n", whole * 500_000);
        let _ = write!(text, "{row}.inflight 0\n{row}.inflight.oldest.ns 0\n");
    }
    // Half of it, stalls waited for.
    let _ = writeln!(text, "stalls.stalls {}", requests / 2);
    for (phase, ms) in PHASES.iter().zip(ms) {
        let _ = writeln!(text, "stalls.phase.{phase}.ns {}", ms * 500_000);
    }
    text + "others.requests 0\n"
}

/// So many writes of kswapd by why they ended, of eight pages each.
pub fn batches(ended: [u64; 7]) -> String {
    let mut text = "state on\nreasons on\n".to_owned();
    for origin in ORIGINS {
        let of = |n: u64| if origin == "kswapd" { n } else { 0 };
        let all = of(ended.iter().sum());
        let _ = write!(text, "{origin}.batches {all}\n{origin}.pages {}\n{origin}.open 0\n", all * 8);
        for (why, n) in WHYS.iter().zip(ended) {
            let _ = writeln!(text, "{origin}.ended.{why} {}", of(n));
        }
        if all > 0 {
            let _ = writeln!(text, "{origin}.pages.hist.8 {all}");
        }
    }
    text
}

/// What a guest with swap over NBD had, and `n` times as much of what is counted; its lowest zone had `lowest` of 1799
/// pages.
pub fn reserves(n: u64, lowest: u64) -> String {
    let mut text = "state on\nwaits on\ndrops on\n".to_owned();
    for user in ["reclaimer", "writer", "nbd_receive", "net_receive", "interrupt"] {
        let _ = write!(text, "{user}.allocations 0\n{user}.pages 0\n{user}.below_min.pages 0\n");
    }
    for (user, pages) in [("nbd_send", 9000 * n), ("other", 20 * n)] {
        let _ =
            write!(text, "{user}.allocations {pages}\n{user}.pages {pages}\n{user}.below_min.pages {}\n", pages / 2);
    }
    // Two addresses of one function.
    for (i, at) in ["sk_page_frag_refill+0x10/0x90", "sk_page_frag_refill+0x30/0x90"].iter().enumerate() {
        let _ = write!(text, "site.{i}.at {at}\nsite.{i}.pages {}\n", 10 * n);
    }
    text += "zone.0.DMA32.free.pages 2000\nzone.0.DMA32.min.pages 1799\nzone.0.DMA32.low.pages 2248\n";
    let _ = writeln!(text, "zone.0.DMA32.lowest.free.pages {lowest}");
    text += "zone.0.DMA32.lowest.min.pages 1799\nzone.0.DMA32.lowest.at.ns 12500000000\n";
    text += "zone.0.DMA.free.pages 3000\nzone.0.DMA.min.pages 26\nzone.0.DMA.low.pages 32\n";
    for (woken, waits) in [("refilled", 15 * n), ("timeout", n), ("signal", 0)] {
        let _ = write!(text, "wait.{woken}.waits {waits}\nwait.{woken}.ns {}\n", waits * 100_000_000);
    }
    let _ = write!(text, "wait.hist.us.65536 {}\nwait.open 0\n", 16 * n);
    let _ =
        write!(text, "node.0.waits {0}\nnode.0.ns {1}\nnode.0.longest.ns 1510000000\n", 16 * n, 16 * n * 100_000_000);
    let _ = write!(text, "waiter.0.task memhog\nwaiter.0.waits {0}\nwaiter.0.ns {1}\n", 16 * n, 16 * n * 100_000_000);
    let _ = write!(text, "drops.packets {0}\ndrop.0.at tcp_filter+0x2a/0x40\ndrop.0.packets {0}\n", 3 * n);
    text + "slabs 4\nsockets.memalloc 1\n"
}

/// What a guest had whose cgroup was at its memory.max: `ms` of each kind, in the order of the rows, in 10 waits each,
/// half of it in PSI.
pub fn waits(ms: [u64; 8]) -> String {
    let kinds = ["swapin", "refault", "dirty", "stall", "high", "io_throttle", "kernel", "unexplained"];
    let mut text = "state on\npsi on\ndirty on\nrefaults on\nopen 0\ndevice.other.ns 0\n".to_owned();
    for (kind, ms) in kinds.iter().zip(ms) {
        let (n, ns) = (if ms == 0 { 0 } else { 10 }, ms * 1_000_000);
        let _ = write!(text, "{kind}.waits {n}\n{kind}.ns {ns}\n{kind}.psi.ns {}\n{kind}.longest.ns {ns}\n", ns / 2);
        if n > 0 {
            let _ = writeln!(text, "{kind}.hist.us.1024 {n}");
        }
    }
    for (kind, ms) in kinds.iter().zip(ms).take(3) {
        let ns = ms * 1_000_000;
        let _ = write!(text, "{kind}.limit.global.ns 0\n{kind}.limit.high.ns 0\n{kind}.limit.max.ns {ns}\n");
        if ms > 0 {
            let _ = write!(text, "device.8:16.{kind}.waits 10\ndevice.8:16.{kind}.ns {ns}\n");
            let _ = write!(text, "{kind}.task.0.name a worker\n{kind}.task.0.waits 10\n{kind}.task.0.ns {ns}\n");
        }
    }
    text += "refaults.anon.global.pages 0\nrefaults.anon.high.pages 0\nrefaults.anon.max.pages 3\n";
    text + "refaults.file.global.pages 20\nrefaults.file.high.pages 0\nrefaults.file.max.pages 5000\n"
}

/// The same by cgroup: all of it is one's, below the one whose limit it is.
pub fn waits_cgroups(ms: [u64; 8]) -> String {
    let mut text = "cgroup.77.path /pods/app\ncgroup.77.limit.path /pods\n".to_owned();
    let kinds = ["swapin", "refault", "dirty", "stall", "high", "io_throttle", "kernel", "unexplained"];
    for (i, (kind, ms)) in kinds.iter().zip(ms).enumerate().filter(|(_, (_, ms))| *ms > 0) {
        let ns = ms * 1_000_000;
        let _ = write!(text, "cgroup.77.{kind}.waits 10\ncgroup.77.{kind}.ns {ns}\n");
        if i < 3 {
            let _ = writeln!(text, "cgroup.77.{kind}.limit.max.ns {ns}");
        }
    }
    let _ = writeln!(text, "cgroup.77.psi.ns {}", ms.iter().sum::<u64>() * 500_000);
    text += "cgroup.77.refaults.anon.pages 3\ncgroup.77.refaults.file.pages 5020\n";
    text + "other.0.path -\nother.0.psi.ns 0\nother.0.refaults.anon.pages 0\nother.0.refaults.file.pages 0\n"
}

/// A snapshot of the fixtures.
pub fn snapshot(name: &str) -> reclaimwb::snapshot::Snapshot {
    reclaimwb::snapshot::Snapshot::load(Path::new(&fixture(name))).expect("a snapshot")
}

/// A stall of a task of direct reclaim, that took so many microseconds.
pub fn stall(ns: u64, usecs: u64) -> reclaimwb::recording::Event {
    use reclaimwb::recording::{Event, Value};
    let fields = [
        ("origin", Value::Text("direct".into())),
        ("usecs", Value::Number(usecs)),
        ("scan", Value::Number(usecs)),
        ("gfp", Value::Text("0x140cca".into())),
    ];
    let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Event { ns, cpu: 1, pid: 42, comm: "memhog".into(), name: "stall".into(), fields }
}

/// The same, with all that the module says of one.
pub fn whole_stall(ns: u64, usecs: u64) -> reclaimwb::recording::Event {
    let mut event = stall(ns, usecs);
    for name in ["order", "nid", "cgroup", "scanned", "freed", "inactive_file", "inactive_anon", "dirty"] {
        event.fields.insert(name.into(), reclaimwb::recording::Value::Number(0));
    }
    event
}

/// Writes a recording of 12.5 s from one fixture to another, with these events, and so many lost of CPU 1.
pub fn recording(path: &Path, fixtures: [&str; 2], events: &[reclaimwb::recording::Event], lost: u64) {
    recording_of(path, fixtures, events, lost, 12.5);
}

/// The same, of so many seconds.
pub fn recording_of(path: &Path, fixtures: [&str; 2], events: &[reclaimwb::recording::Event], lost: u64, seconds: f64) {
    use reclaimwb::recording::{Clock, Head, Lost, Writer};
    let [before, after] = fixtures.map(snapshot);
    let head = Head {
        tool: "0.1.0".into(),
        started: "2026-11-22T22:00:00Z".into(),
        command: Some(vec!["memhog".into(), "two words".into()]),
        clock: Clock { name: "mono".into(), ns: 1_000_000_000 },
        events: vec!["stall".into(), "headroom_low".into()],
        system: before.system.clone(),
    };
    let file = fs::File::create(path).expect("created");
    let mut writer = Writer::begin(std::io::BufWriter::new(file), head, &before).expect("written");
    for event in events {
        writer.event(event).expect("written");
    }
    if lost > 0 {
        writer.lost(&Lost { cpu: 1, events: lost }).expect("written");
    }
    writer.end(&after, seconds, false, Some(3)).expect("written");
}

/// A ledger of a kswapd of node 0 that took so many milliseconds of CPU, for one reason; it scanned 40 pages a
/// millisecond and freed 4. Of 100 MiB nearly all is tmpfs.
pub fn kswapd(ms: u64, why: &str, swap_free: u64) -> String {
    let mut text = "state on\nscans on\nwakes on\n".to_owned();
    for (key, n) in [
        ("cpu.ns", ms * 1_000_000),
        ("windows", ms),
        ("fruitless", ms / 4),
        ("sleeps", 3),
        ("reclaimed.pages", ms * 4),
        ("scanned.pages", ms * 40),
        ("isolated.pages", ms * 30),
        ("dirty", 0),
        ("writeback", 0),
        ("activated", ms * 2),
        ("referenced", ms),
        ("mapped", 0),
        ("left.free.pages", 2_560),
        ("left.high.pages", 3_072),
        ("left.anon.pages", 20_480),
        ("left.shmem.pages", 17_920),
        ("left.file.pages", 2_560),
        ("left.unevictable.pages", 0),
        ("left.swap_free.pages", swap_free),
    ] {
        let _ = writeln!(text, "node.0.{key} {n}");
    }
    for order in 0..=10 {
        let (windows, times) = if order == 0 { (ms, ms / 2) } else { (0, u64::from(order == 3)) };
        let _ = write!(text, "node.0.order.{order}.windows {windows}\nwake.order.{order}.times {times}\n");
    }
    for reason in ["order", "unevictable", "tmpfs", "no_swap", "watermarks", "writeback", "in_use", "demand"] {
        let of = if reason == why { ms } else { 0 };
        let _ = write!(text, "node.0.why.{reason}.windows {of}\nnode.0.why.{reason}.cpu.ns {}\n", of * 1_000_000);
    }
    let _ = write!(text, "wake.interrupts 7\nwaker.0.task cat\nwaker.0.times {}\nwaker.0.large 1\n", ms / 2);
    text + "waker.1.task a b\nwaker.1.times 1\nwaker.1.large 0\n"
}

/// Waits for locks of tasks that stalled, `n` times as many: at two call sites, one of readers.
pub fn stalls_locks(n: u64) -> String {
    let mut text =
        format!("state on\nwaits {}\nns {}\nstalled.waits {n}\nstalled.ns {}\n", 6 * n, 4500 * n * 1_000_000, n * 7);
    let rows = [
        ("shmem_file_write_iter+0x4a/0x90", "throttle_writeback", "task", 5, 4000, "writer", "a hog"),
        ("do_mmap+0x1b/0x60", "scan", "readers", 1, 500, "mapper", "faulter"),
    ];
    for (i, (at, cause, held_by, waits, ms, waiter, holder)) in rows.iter().enumerate() {
        let _ = write!(
            text,
            "lock.{i}.at {at}\nlock.{i}.cause {cause}\nlock.{i}.held_by {held_by}\nlock.{i}.waits {}\nlock.{i}.ns {}\n\
             lock.{i}.longest.ns 400000000\nlock.{i}.longest.waiter {waiter}\nlock.{i}.longest.waiter.pid 7\n\
             lock.{i}.longest.holder {holder}\nlock.{i}.longest.holder.pid 8\n",
            waits * n,
            ms * n * 1_000_000,
        );
    }
    text + "other.waits 0\nother.ns 0\n"
}
