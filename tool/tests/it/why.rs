// SPDX-License-Identifier: GPL-2.0
//! The verdict: the first lines of the summary, and `reclaimwb why`.

use std::{collections::BTreeSet, fs, path::Path};

use crate::common::{complaint, fixture, ledger_dir, recording_of, run, stall, stdout, zeros};
use serde_json::Value;

/// The fixture with something changed, as a file.
fn changed(dir: &Path, name: &str, change: impl Fn(&mut Value)) -> String {
    let text = fs::read_to_string(fixture(name)).expect("fixture");
    let mut json: Value = serde_json::from_str(&text).expect("JSON");
    change(&mut json);
    let path = dir.join(name);
    fs::write(&path, json.to_string()).expect("written");
    path.to_str().expect("a plain path").to_owned()
}

fn rows(json: &mut Value, ledger: &str, change: impl Fn(&str) -> String) {
    let of = &mut json["ledgers"][ledger]["rows"];
    let text: Vec<&str> = of.as_array().expect("rows").iter().map(|row| row.as_str().expect("a row")).collect();
    *of = change(&(text.join("\n") + "\n")).lines().map(Value::from).collect::<Vec<_>>().into();
}

/// A machine on which nobody stalled.
fn heal(json: &mut Value) {
    rows(json, "stalls", zeros);
    rows(json, "stalls_cgroups", |_| String::new());
    rows(json, "stalls_longest", |_| String::new());
}

fn summary(args: &[&str]) -> Vec<String> {
    let json: Value = serde_json::from_str(&stdout(&[&["report"], args, &["--json"]].concat())).expect("JSON");
    let lines = json["summary"].as_array().expect("lines").iter();
    lines.map(|line| line.as_str().expect("text").replace('\u{a0}', " ")).collect()
}

/// The headings of a report.
fn headings(args: &[&str]) -> BTreeSet<String> {
    let text = stdout(&[&["report"], args].concat());
    let lines: Vec<&str> = text.lines().collect();
    let rules = lines.windows(2).filter(|two| two[1].starts_with("-----"));
    rules.map(|two| two[0].split("  ").next().expect("a title").to_owned()).collect()
}

#[test]
fn each_line_leads_to_a_section_and_there_are_ten_at_most() {
    let (before, after) = (fixture("stalls-before.json"), fixture("stalls.json"));
    let runs: [&[&str]; 5] = [
        &[&after],
        &[&after, "--since", &before],
        &[&fixture("handoff.json"), "--since", &fixture("handoff-before.json")],
        &[&fixture("after.json")],
        &[&before],
    ];
    for args in runs {
        let (lines, headings) = (summary(args), headings(args));
        assert!((1..=10).contains(&lines.len()), "{lines:#?}");
        for line in &lines {
            let (text, section) = line.rsplit_once(" -> ").expect("an arrow");
            assert!(text.ends_with('.'), "{line}");
            assert!(headings.contains(section), "{line}: not among {headings:?}");
        }
    }
}

/// With everything that there can be to say, the verdict stays, and what says least goes.
#[test]
fn the_verdict_stays_where_there_is_too_much() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let full = |json: &mut Value| {
        let ledgers = |text: String| serde_json::json!({ "rows": text.lines().collect::<Vec<_>>() });
        json["ledgers"]["nbd"] = ledgers(crate::common::nbd(100, [900, 1, 50, 20, 10, 0]));
        json["ledgers"]["reserves"] = ledgers(crate::common::reserves(7, 300));
        json["system"]["memory_stall_us"] = serde_json::json!({});
        rows(json, "status", |text| {
            text.replace("low.samples 0", "low.samples 3").replace("lost.slots 0", "lost.slots 2")
        });
    };
    let lines = summary(&[&changed(dir.path(), "stalls.json", full)]);
    assert_eq!(lines.len(), 10, "{lines:#?}");
    let begins = ["Tasks that wanted memory stalled", "Who: ", "Why: ", "To try: "];
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{line}");
    }
    for word in ["WARNING: 3 samples", "Reserves: ", "PSI is ", "Lost: 2 "] {
        assert!(lines.iter().any(|line| line.contains(word)), "{word}: {lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.starts_with("What became of them")), "{lines:#?}");
    assert!(lines[2].contains("waited for NBD requests") && lines[2].ends_with("-> NBD REQUESTS"), "{}", lines[2]);
}

#[test]
fn a_healthy_machine_gets_one_line() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let now = changed(dir.path(), "stalls.json", heal);
    let healthy = "Nothing hurts: no task stalled for memory; reclaim wrote 85,937 pages (335.7 MiB); nothing was lost. \
                   -> STALLS";
    assert_eq!(summary(&[&now]), [healthy]);
    // What was lost is said all the same; and what nearly ended in a stack that was too small is no health.
    let lossy = |json: &mut Value| {
        heal(json);
        rows(json, "status", |text| text.replace("lost.slots 0", "lost.slots 2"));
    };
    let lines = summary(&[&changed(dir.path(), "stalls.json", lossy)]);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[0].starts_with("Nothing hurts: ") && !lines[0].contains("nothing was lost"), "{lines:#?}");
    let low = |json: &mut Value| {
        heal(json);
        rows(json, "status", |text| text.replace("low.samples 0", "low.samples 2"));
    };
    let lines = summary(&[&changed(dir.path(), "stalls.json", low)]);
    assert!(lines[0].starts_with("In reclaim no task stalled for memory: that is not what hurts."), "{lines:#?}");
    assert!(lines[1].starts_with("WARNING: 2 samples") && !lines.iter().any(|line| line.contains("Nothing hurts")));
    // Whoever waits for memory elsewhere, as PSI says, is not well.
    let before = |json: &mut Value| {
        heal(json);
        json["system"]["memory_stall_us"] = serde_json::json!({"some": 0, "full": 0});
    };
    let before = changed(dir.path(), "stalls-before.json", before);
    let after = |some: u64| {
        move |json: &mut Value| {
            heal(json);
            json["system"]["memory_stall_us"] = serde_json::json!({"some": some, "full": 0});
        }
    };
    let lines = summary(&[&changed(dir.path(), "stalls.json", after(9_000_000)), "--since", &before]);
    assert!(
        lines[0].starts_with("In reclaim ") && lines[1].starts_with("Memory pressure (PSI) in these"),
        "{lines:#?}"
    );
    let lines = summary(&[&changed(dir.path(), "stalls.json", after(90_000)), "--since", &before]);
    assert!(lines[0].contains("some task waited for memory 0.1 % of the time (PSI)"), "{lines:#?}");
}

/// Where stalls are not timed nobody can say that nothing hurts.
#[test]
fn who_does_not_look_does_not_know() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let off = |json: &mut Value| {
        heal(json);
        rows(json, "stalls", |text| text.replace("state on", "state off"));
    };
    let lines = summary(&[&changed(dir.path(), "stalls.json", off)]);
    assert!(
        lines[0].starts_with("What hurts is not known: stalls are not timed (reclaimwb tune stalls=Y)."),
        "{lines:#?}"
    );
    assert!(summary(&[&fixture("after.json")])[0].contains("the module is older than the stall ledger"));
}

#[test]
fn a_kernel_without_psi_is_told_of() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let config = |psi: &str, off: &str| serde_json::json!({ "CONFIG_PSI": psi, "CONFIG_PSI_DEFAULT_DISABLED": off });
    let none = serde_json::json!({});
    let cases = [
        ("quiet psi=0", &none, "PSI is off (psi=0 on the kernel's command line); boot with psi=1."),
        (
            "quiet",
            &config("y", "y"),
            "PSI is off by default in this kernel (CONFIG_PSI_DEFAULT_DISABLED); boot with psi=1.",
        ),
        (
            "quiet",
            &config("n", "n"),
            "PSI is not available, because this kernel was built without it; it takes one with CONFIG_PSI=y.",
        ),
        (
            "quiet",
            &none,
            "PSI is off, by default or because the kernel was built without it; boot with psi=1, or with a kernel that has CONFIG_PSI=y.",
        ),
    ];
    for (cmdline, config, says) in cases {
        for ill in [false, true] {
            let without = |json: &mut Value| {
                json["system"]["memory_stall_us"] = serde_json::json!({});
                json["system"]["cmdline"] = cmdline.into();
                json["system"]["config"] = config.clone();
                if !ill {
                    heal(json);
                }
            };
            let now = changed(dir.path(), "stalls.json", without);
            let lines = summary(&[&now]);
            assert!(lines.iter().any(|line| line.contains(says)), "{says}: {lines:#?}");
            assert!(ill || lines.len() == 2 && lines[0].starts_with("Nothing hurts"), "{lines:#?}");
            let why = stdout(&["why", "--file", &now]).split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(why.contains(says), "{why}");
        }
    }
    // Where there are figures nothing is said of that.
    for line in summary(&[&fixture("stalls.json")]) {
        assert!(!line.contains("PSI is"), "{line}");
    }
}

/// Words, however the lines are broken; one screen.
fn why(args: &[&str]) -> String {
    let text = stdout(&[&["why"], args].concat());
    assert!(text.lines().count() <= 24, "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80 && line.is_ascii(), "{line:?}");
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn why_of_the_machine() {
    let text = why(&["--file", &fixture("stalls.json")]);
    for says in [
        "About the machine, from the loading of the module to 2026-11-22T11:03:29Z:",
        "* Tasks that wanted memory stalled 793 times, for 31.171 s in all, up to 3.129 s at a time. -> STALLS",
        "* Who: tasks of cgroup / (94.9 %) and /rwb-files (2.8 %), in direct reclaim (94.9 %) and memcg max reclaim",
        "memhog[150] has the longest that is kept.",
        "* Why: lock of the NBD connection (56.5 %) and sending to the NBD server (21.0 %).",
        "* To try: a writer for swap-out (reclaimwb tune handoff=always); or smaller requests",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    assert!(!text.contains("Reclaim wrote") && !text.contains("Nothing was lost"), "{text}");
}

#[test]
fn why_of_a_task() {
    let file = fixture("stalls.json");
    let text = why(&["--file", &file, "150"]);
    for says in [
        "About task memhog[150], from",
        "Of the 32 longest stalls that are kept, 8 are its own: 8.370 s in all, up to 3.129 s at a time, in direct reclaim.",
        "Why: lock of the NBD connection (79.8 %), sending to the NBD server (10.7 %)",
        "To try: a writer for swap-out",
        "Its cgroup is /: its tasks stalled 436 times, 29.597 s in all.",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    // Nothing of others.
    assert!(!text.contains("rwb-") && !text.contains("793"), "{text}");
    let said = complaint(&["why", "--file", &file, "4711"]);
    assert!(said.starts_with("no task 4711: ") && said.contains("reclaimwb stalls"), "{said}");
    // Of a live one there is its cgroup, at least.
    let dir = ledger_dir("stalls.json");
    let pid = std::process::id().to_string();
    if fs::read_to_string("/proc/self/cgroup").is_ok_and(|text| text.lines().any(|line| line.starts_with("0::"))) {
        let text = why(&["--for", "0s", "--debugfs", dir.path().to_str().expect("a plain path"), &pid]);
        assert!(
            text.contains("None of the 32 longest stalls that are kept is its own.")
                && text.contains("Its cgroup is /"),
            "{text}"
        );
    }
}

#[test]
fn why_of_a_cgroup() {
    let file = fixture("stalls.json");
    let text = why(&["--file", &file, "/rwb-limited"]);
    for says in [
        "About cgroup /rwb-limited, from",
        "Its tasks stalled 77 times for memory, for 713.082 ms in all, up to 300.589 ms at a time: 2.3 % of all",
        "Who: memhog[157] (300.589 ms).",
        "Why: sending to the NBD server (66.7 %), scanning (25.5 %)",
        "a higher memory.max for /rwb-limited, or less in it",
        "Reclaim wrote 5,135 of its pages (20.1 MiB): memcg max 100.0 %. -> WHOSE PAGES",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    assert!(!text.contains("rwb-files") && !text.contains("memhog[150]"), "{text}");
    assert_eq!(why(&["--file", &file, "rwb-limited"]), text);
    assert_eq!(why(&["--file", &file, "/sys/fs/cgroup/rwb-limited/"]), text);
    let said = complaint(&["why", "--file", &file, "/nope"]);
    assert!(said.starts_with("no cgroup /nope: ") && said.contains("/, /rwb-files, /rwb-limited"), "{said}");
}

/// A container is found by its id, and called by its name; its path is kept.
#[test]
fn why_of_a_container() {
    let id = "4f1d02c3a9b8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c5b4a39281706f5e";
    let path = format!("/system.slice/docker-{id}.scope");
    let dir = tempfile::tempdir().expect("a temporary directory");
    let rename = |json: &mut Value| {
        for ledger in ["stalls_cgroups", "cgroups"] {
            rows(json, ledger, |text| text.replace("/rwb-limited", &path));
        }
    };
    let file = changed(dir.path(), "stalls.json", rename);
    for asked in ["4f1d02c3a9b8", id, &path] {
        let text = why(&["--file", &file, asked]);
        assert!(text.contains("About cgroup docker 4f1d02c3a9b8 (/system.slice/docker-4f1d02c3a9b8"), "{text}");
        assert!(text.contains("a higher memory.max for docker 4f1d02c3a9b8, or less in it"), "{text}");
    }
    // A narrow table has room for the name alone.
    let of = |width: &str| stdout(&["report", &file, "--width", width]);
    let rows_of = |report: &str| -> Vec<String> {
        let rows = report.lines().filter(|line| line.starts_with("  docker 4f1d02c3a9b8 "));
        rows.map(str::to_owned).collect()
    };
    let (narrow, wide) = (of("80"), of("132"));
    assert_eq!((rows_of(&narrow).len(), rows_of(&wide).len()), (2, 2), "{narrow}{wide}");
    for row in rows_of(&wide) {
        assert!(row.starts_with("  docker 4f1d02c3a9b8 (..") && row.contains("6f5e.scope)"), "{row}");
    }
    let json: Value = serde_json::from_str(&stdout(&["report", &file, "--json"])).expect("JSON");
    for rows in [&json["stalls"]["cgroups"], &json["cgroups"]["groups"]] {
        let row = rows.as_array().expect("rows").iter().find(|row| row["path"] == path.as_str()).expect("its row");
        assert_eq!(row["name"], "docker 4f1d02c3a9b8");
    }
    let stalls = stdout(&["stalls", &file, "-n", "32", "--width", "200"]);
    assert!(stalls.contains(&format!("cgroup docker 4f1d02c3a9b8 ({path})")), "{stalls}");
}

/// On a live machine it is the last seconds that count; where these were quiet, what was before.
#[test]
fn why_of_just_now() {
    let dir = ledger_dir("stalls.json");
    let debugfs = dir.path().to_str().expect("a plain path");
    let text = why(&["--for", "50ms", "--debugfs", debugfs]);
    let (now, all) = text.split_once("About the machine, from the loading of the module to").expect("both");
    assert!(now.starts_with("About the machine, in the last 0.") && !now.contains("Tasks that wanted memory"), "{now}");
    assert!(all.contains("Tasks that wanted memory stalled 793 times"), "{all}");
    let text = why(&["--for", "0s", "--debugfs", debugfs]);
    assert!(text.starts_with("About the machine, from the loading") && !text.contains("in the last"), "{text}");
}

#[test]
fn why_of_a_recording() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("run.jsonl");
    recording_of(&file, ["stalls-before.json", "stalls.json"], &[stall(2_000_000_000, 400_000)], 0, 73.2);
    let file = file.to_str().expect("a plain path");
    let text = why(&["--file", file]);
    assert!(text.contains("to 2026-11-22T11:03:29Z (73.2 s):") && text.contains("Memory pressure (PSI)"), "{text}");
    assert!(why(&["--file", file, "/rwb-files"]).contains("Its tasks stalled 280 times"), "{text}");
    let output = run(&["why", "--file", file, "--for", "1s"]);
    assert_eq!(output.status.code(), Some(2));
}

/// In the page the lines are links.
#[test]
fn lines_of_the_page_are_links() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let out = dir.path().join("report.html");
    stdout(&["report", &fixture("stalls.json"), "--html", out.to_str().expect("a plain path")]);
    let html = fs::read_to_string(out).expect("written");
    for (id, title) in [("stalls", "Stalls"), ("who-wrote", "Who wrote"), ("not-in-the-numbers", "Not in the numbers")]
    {
        assert!(html.contains(&format!(r##"<a href="#{id}">{title}</a></li>"##)), "{id}");
        assert!(html.contains(&format!(r#"<section id="{id}">"#)), "{id}");
    }
    assert!(!html.contains("-&gt;"), "an arrow");
}
