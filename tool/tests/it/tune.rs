// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb tune`: nothing wrong is ever written.

use std::{fs, path::PathBuf};

use crate::common::{complaint, ledger_dir, stdout};
use reclaimwb::tune::{
    table::{PARAMS, Param, find},
    value,
};

#[test]
fn values() {
    let parse = |name: &str, text: &str| value::parse(find(name).expect("there"), text, Some(16384));
    for (name, text, value) in [
        ("enabled", "yes", "Y"),
        ("enabled", "0", "N"),
        ("window", "64", "64"),
        ("window", "4096", "4096"),
        ("request_cost", "0", "0"),
        ("request_cost", "1024", "1024"),
        ("headroom_floor", "16384", "16384"),
        ("headroom_floor", "0", "0"),
        ("handoff", "low-headroom", "low-headroom"),
        ("handoff", "low_headroom", "low-headroom"),
    ] {
        assert_eq!(parse(name, text).as_deref(), Ok(value), "{name}={text}");
    }
    for (name, text) in [
        ("enabled", "7"),
        ("enabled", ""),
        ("window", "63"),
        ("window", "32"),
        ("window", "8192"),
        ("window", "100"),
        ("window", "0100"),
        ("window", "+64"),
        ("window", "0x40"),
        ("window", "64KiB"),
        ("request_cost", "1025"),
        ("request_cost", "-1"),
        ("inflight", "255"),
        ("ring_pages", "99999999999999999999"),
        ("headroom_floor", "16385"),
        ("handoff", "often"),
        ("handoff", ""),
    ] {
        let why = parse(name, text).expect_err(&format!("{name}={text}"));
        assert!(why.starts_with(&format!("{name}={text}: ")) && why.contains("; give "), "{why}");
    }
    // Without the ledgers only the module knows.
    assert!(value::parse(find("headroom_floor").expect("there"), "99999", None).is_ok());
}

/// Parameters as the kernel shows them, each with its default, and the options that lead there.
struct Loaded {
    dir: tempfile::TempDir,
    ledgers: tempfile::TempDir,
}

impl Loaded {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for Param { name, default, .. } in &*PARAMS {
            fs::write(dir.path().join(name), format!("{default}\n")).expect("written");
        }
        Self { dir, ledgers: ledger_dir("stalls.json") }
    }

    fn args<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let path = |dir: &'a tempfile::TempDir| dir.path().to_str().expect("a plain path");
        let mut args = vec!["tune", "--parameters", path(&self.dir), "--debugfs", path(&self.ledgers)];
        args.extend(more);
        args
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn value(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).expect("a parameter").trim().to_owned()
    }

    /// Refused with one line, and nothing is changed.
    fn refuses(&self, args: &[&str], says: &[&str]) {
        let all = || PARAMS.iter().map(|param| self.value(param.name)).collect::<Vec<_>>();
        let before = all();
        let line = complaint(&self.args(args));
        for what in says {
            assert!(line.contains(what), "{line:?} does not say {what:?}");
        }
        assert_eq!(before, all(), "{args:?}");
    }
}

#[test]
fn shows_all_of_them() {
    let loaded = Loaded::new();
    fs::write(loaded.file("handoff"), "never\n").expect("written");
    let text = stdout(&loaded.args(&[]));
    for param in &*PARAMS {
        assert!(text.contains(&format!("{}=", param.name)), "{} is missing", param.name);
    }
    assert!(text.contains("handoff=never   never, low-headroom, always; default always\n"), "{text}");
    assert!(text.contains("window=1024   a power of two, 64 to 4096 KiB; the default\n"), "{text}");
    assert!(text.contains("headroom_floor=2048   0 to 16384 bytes; the default\n"), "{text}");
    assert!(
        text.contains("window_slots=1024   a power of two, 64 to 65536 tasks; the default; only when\n    loading\n")
    );
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
}

#[test]
fn shows_json() {
    let loaded = Loaded::new();
    fs::remove_file(loaded.file("nbd")).expect("removed");
    let json: serde_json::Value = serde_json::from_str(&stdout(&loaded.args(&["--json"]))).expect("JSON");
    assert_eq!((&json["format"], &json["version"]), (&"reclaimwb-tune".into(), &1.into()));
    let all = json["parameters"].as_array().expect("a list");
    assert_eq!(all.len(), PARAMS.len());
    let of = |name: &str| all.iter().find(|param| param["name"] == name).expect("there");
    assert_eq!(of("inflight")["unit"], "KiB");
    assert_eq!(of("inflight")["value"], "16384");
    assert_eq!(of("window_slots")["at_run_time"], false);
    // An older module, which has no such parameter.
    assert_eq!(of("nbd").get("value"), None);
}

#[test]
fn sets_what_is_right() {
    let loaded = Loaded::new();
    let text = stdout(&loaded.args(&["tlb=on", "window=512", "handoff"]));
    assert_eq!((loaded.value("tlb"), loaded.value("window")), ("Y".into(), "512".into()));
    assert!(text.contains("tlb=Y (was N)") && text.contains("window=512 (was 1024)"), "{text}");
    assert!(text.contains("handoff=always   ") && !text.contains("enabled="), "{text}");
}

#[test]
fn refuses_nonsense() {
    let loaded = Loaded::new();
    loaded.refuses(&["widow=512"], &["no parameter \"widow\"", "nearest is window "]);
    loaded.refuses(&["frob=1"], &["no parameter \"frob\" (reclaimwb tune lists"]);
    loaded.refuses(&["handof-flor=1"], &["nearest is handoff_floor"]);
    loaded.refuses(&["window=100"], &["window=100", "power of two", "64 to 4096 KiB"]);
    loaded.refuses(&["headroom_floor=20000"], &["more than a stack has", "0 to 16384 bytes"]);
    loaded.refuses(&["window_slots=2048"], &["modprobe.d", "options reclaimwb window_slots=2048", "modprobe -r"]);
    loaded.refuses(&["window_slots=63"], &["out of bounds"]);
    // All of it or nothing.
    loaded.refuses(&["tlb=Y", "window=512", "stalls=maybe"], &["stalls=maybe", "Y or N"]);
    loaded.refuses(&["tlb=Y", "tlb=N"], &["tlb is given twice"]);
    fs::remove_file(loaded.file("nbd")).expect("removed");
    let line = complaint(&loaded.args(&["nbd=N"]));
    assert!(line.contains("no parameter nbd") && line.contains("older"), "{line}");
    assert!(!loaded.file("nbd").exists());
}

#[test]
fn what_the_module_refuses() {
    let loaded = Loaded::new();
    // Writing there fails as it does for a value that only the module can judge.
    fs::remove_file(loaded.file("handoff")).expect("removed");
    std::os::unix::fs::symlink("/dev/full", loaded.file("handoff")).expect("linked");
    fs::write(loaded.file("tlb"), "N\n").expect("written");
    // Reading /dev/full never ends; so it is checked on what `set` says alone.
    let now = reclaimwb::tune::Now {
        values: PARAMS.iter().map(|param| (param.name, param.default.clone())).collect(),
        stack_size: None,
    };
    let wanted = [("tlb", "Y"), ("handoff", "never")]
        .map(|(name, value)| reclaimwb::tune::Wanted { param: find(name).expect("there"), value: Some(value) });
    let changes = reclaimwb::tune::set::check(&wanted, &now).expect("right so far");
    let err = reclaimwb::tune::set::write(loaded.dir.path(), &changes).expect_err("refused").to_string();
    assert!(err.starts_with("handoff=never: the module refused it (No space left"), "{err}");
    assert!(err.contains("dmesg") && err.ends_with("(set: tlb=Y)"), "{err}");
}

#[test]
fn no_module() {
    let line = complaint(&["tune", "--parameters", "/nowhere/parameters"]);
    assert!(line.contains("/nowhere/parameters") && line.contains("not loaded") && line.contains("insmod"), "{line}");
}
