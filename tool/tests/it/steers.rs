// SPDX-License-Identifier: GPL-2.0
//! Whatever is in a ledger, a file, a name or an argument: nothing of it steers the terminal of who reads.

use std::{fs, path::Path, process::Output};

use crate::common::{crate_file, edit, fixture, ledger_dir, recording_of, run};
use reclaimwb::{
    recording::{Event, Value},
    terminal::steers,
};

const EVIL: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\u{202e}\u{7f}\r";

/// Both outputs, as what a terminal would get.
fn harmless(args: &[&str]) -> Output {
    let output = run(args);
    for (name, bytes) in [("standard output", &output.stdout), ("standard error", &output.stderr)] {
        let text = String::from_utf8(bytes.clone()).expect("UTF-8");
        let bad = text.lines().find(|line| line.contains(steers));
        assert!(bad.is_none(), "{args:?} on {name}: {bad:?}");
    }
    output
}

/// It is shown, and so it was there.
fn shown(args: &[&str]) {
    let output = harmless(args);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    // Where a column is narrow a question mark has to do.
    let there = text.contains("\\x1b[") || text.contains("?[2J");
    assert!(output.status.success() && there, "{args:?}: {text}");
}

/// Ledgers whose names are all evil.
fn ledgers() -> tempfile::TempDir {
    let dir = ledger_dir("stalls.json");
    for ledger in ["stalls_longest", "stacks"] {
        edit(dir.path(), ledger, |text| text.replace("memhog", &format!("mem{EVIL}hog")));
    }
    for ledger in ["stalls_cgroups", "cgroups"] {
        edit(dir.path(), ledger, |text| {
            text.replace("/rwb-", &format!("/rwb{EVIL}-")).replace(".path /\n", &format!(".path /{EVIL}\n"))
        });
    }
    edit(dir.path(), "shrinkers", |text| text.replace("sb-ext4", &format!("sb{EVIL}-ext4")));
    edit(dir.path(), "status", |text| text.replace("version ", &format!("version {EVIL}")));
    dir
}

#[test]
fn what_is_in_ledgers() {
    let dir = ledgers();
    let debugfs = dir.path().to_str().expect("a plain path");
    let of = ["--debugfs", debugfs];
    let asked = format!("/rwb{EVIL}-limited");
    for args in [
        &["report"][..],
        &["report", "--all-stacks"],
        &["report", "--width", "300"],
        &["status"],
        &["stalls"],
        &["stalls", "--folded"],
        &["why", "--for", "0s"],
        &["why", "--for", "10ms"],
        &["why", "--for", "0s", &asked],
        &["top", "--batch", "1", "--interval", "100ms", "--by", "cgroup"],
        &["top", "--batch", "1", "--interval", "100ms", "--by", "task"],
        &["top", "--batch", "1", "--interval", "100ms", "--by", "origin"],
    ] {
        shown(&[args, &of].concat());
    }
    // Of these, what a program reads is not changed but on a terminal, which terminal.rs tests.
    let saved = dir.path().join("evil.json");
    let saved = saved.to_str().expect("a plain path");
    harmless(&["snapshot", "-o", saved, "--debugfs", debugfs]);
    for args in
        [&["report", saved][..], &["stalls", saved], &["why", "--file", saved], &["why", "--file", saved, "150"]]
    {
        shown(args);
    }
    harmless(&["diff", saved, saved, "--all"]);
    for args in [
        &["report", saved, "--cgroup", &asked][..],
        &["stalls", saved, "--cgroup", &asked],
        &["why", "--file", saved, "--cgroup", &asked],
        &["stalls", saved, "--task", "150"],
    ] {
        shown(args);
    }
}

#[test]
fn what_is_in_recordings() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("run.jsonl");
    let fields =
        [("origin", Value::Text("direct".into())), ("gfp", Value::Text(EVIL.into())), ("scan", Value::Number(400))];
    let zeros = ["scanned", "freed", "order", "nid", "cgroup", "inactive_file", "inactive_anon", "dirty"];
    let fields =
        fields.into_iter().chain([("usecs", Value::Number(500))]).chain(zeros.map(|name| (name, Value::Number(0))));
    let fields = fields.map(|(key, value)| (key.to_owned(), value)).collect();
    let event = Event { ns: 2_000_000_000, cpu: 0, pid: 9, comm: format!("a;{EVIL}"), name: "stall".into(), fields };
    recording_of(&file, ["stalls-before.json", "stalls.json"], &[event], 0, 73.2);
    let file = file.to_str().expect("a plain path");
    shown(&["stalls", file]);
    shown(&["stalls", file, "--folded"]);
    let text = String::from_utf8(run(&["stalls", file, "--folded"]).stdout).expect("UTF-8");
    assert!(text.starts_with("(none);a:\\x1b[2J") && text.ends_with(";direct;scanning 400\n"), "{text}");
    // A command in it, a file that is none, a line that is none.
    harmless(&["diff", file, file]);
    for text in [
        format!("{{\"format\": \"{EVIL}\"}}"),
        EVIL.to_owned(),
        format!("{{\"reclaimwb\":\"recording\",\"x{EVIL}\":1}}"),
    ] {
        let bad = dir.path().join("bad.jsonl");
        fs::write(&bad, text).expect("written");
        let bad = bad.to_str().expect("a plain path");
        for args in [
            &["report", bad][..],
            &["stalls", bad],
            &["stalls", bad, "--folded"],
            &["why", "--file", bad],
            &["diff", bad, file],
        ] {
            assert!(!harmless(args).status.success(), "{args:?}");
        }
    }
}

/// A row of each ledger that is none, in the complaint.
#[test]
fn what_is_wrong_with_a_ledger() {
    for ledger in reclaimwb::ledger::NAMES {
        let dir = ledger_dir("stalls.json");
        let path = dir.path().join(ledger);
        // Some are not in the fixture.
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, format!("{text}row{EVIL} 1\nrow{EVIL} 2\n")).expect("written");
        let debugfs = dir.path().to_str().expect("a plain path");
        for verb in [&["report"][..], &["snapshot"], &["stalls"], &["why", "--for", "0s"], &["export", "--prometheus"]]
        {
            let output = harmless(&[verb, &["--debugfs", debugfs]].concat());
            let said = String::from_utf8(output.stderr).expect("UTF-8");
            assert!(!output.status.success() && said.contains(ledger), "{verb:?} {ledger}: {said}");
        }
    }
}

#[test]
fn what_is_in_arguments() {
    // What nobody can make.
    let file = format!("/dev/null/nope{EVIL}");
    for args in [
        &["report", file.as_str()][..],
        &["report", "--since", &file, &fixture("stalls.json")],
        &["report", "--debugfs", &file],
        &["report", "--width", &file],
        &["stalls", &file],
        &["stalls", &file, "--perfetto", &file],
        &["why", "--file", &file],
        &["why", "--file", &fixture("stalls.json"), &file],
        &["diff", &file, &file],
        &["diff", &file, &file, "--fail-if", &file],
        &["report", &fixture("stalls.json"), "--cgroup", &file],
        &["report", &fixture("stalls.json"), "--csv", &file],
        &["report", &fixture("stalls.json"), "--csv-dir", &file],
        &["report", "--between", &file, "end"],
        &["stalls", &fixture("stalls.json"), "--folded", "--task", &file],
        &["why", "--file", &fixture("stalls.json"), "--task", &file],
        &["schema", &file],
        &["export", "--prometheus", &file],
        &["snapshot", "--debugfs", &file],
        &["status", "--debugfs", &file],
        &["top", "--batch", "1", "--debugfs", &file],
        &["top", "--by", &file],
        &["tune", &file],
        &["tune", "--parameters", &file],
        &["record", "-o", &file, "--debugfs", &file, "--", &file],
        &["record", "--events", &file],
        &["man", &format!("{file}/a")],
        &["completions", &file],
        &[&file],
        &[&format!("--{file}")],
    ] {
        let output = harmless(args);
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(!output.status.success() && !said.is_empty(), "{args:?}: {said}");
    }
}

fn walk(dir: &Path, f: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { walk(&path, f) } else { f(&path) }
    }
}

/// Who prints is to be found in few places, which go through terminal.rs, or print what is ours alone.
#[test]
fn few_places_print() {
    let allowed = [
        ("main.rs", "stdout()"),
        ("main.rs", "stderr()"),
        ("terminal.rs", "eprintln!"),
        ("top/batch.rs", "stdout()"),
        ("top/screen.rs", "stdout()"),
        ("record/progress.rs", "stderr()"),
    ];
    let words = ["println!", "print!", "eprintln!", "eprint!", "dbg!", "stdout()", "stderr()"];
    let mut found = Vec::new();
    let src = crate_file("..").join("src");
    walk(&src, &mut |path| {
        if path.extension().is_none_or(|ext| ext != "rs") {
            return;
        }
        let name = path.strip_prefix(&src).expect("below src").to_str().expect("a plain path").to_owned();
        let text = fs::read_to_string(path).expect("source");
        for word in words {
            let is_call = |(at, _): &(usize, &str)| {
                // eprintln! has println! in it.
                !text.get(..*at).is_some_and(|before| before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
            };
            if text.match_indices(word).any(|hit| is_call(&hit)) {
                found.push((name.clone(), word));
            }
        }
    });
    found.sort();
    let mut allowed: Vec<(String, &str)> = allowed.iter().map(|(name, word)| ((*name).to_owned(), *word)).collect();
    allowed.sort();
    assert_eq!(found, allowed);
}
