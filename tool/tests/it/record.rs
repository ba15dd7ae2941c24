// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb record` against a tracefs in plain files (see fake-kernel.sh) and ledgers of the fixtures.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::common::{complaint, complaint_with, crate_file, ledger_dir, run, stdout};
use reclaimwb::recording::Recording;
use rustix::process::{Pid, Signal, kill_process};

const EVENTS: [&str; 5] = ["reclaim_write", "reclaim_window", "headroom_low", "write_around", "stall"];

struct Fake {
    dir: tempfile::TempDir,
}

impl Fake {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let fake = Self { dir };
        for event in EVENTS {
            let event = fake.path("tracefs/events/reclaimwb").join(event);
            fs::create_dir_all(&event).expect("created");
            fs::write(event.join("enable"), "0\n").expect("written");
        }
        fs::create_dir_all(fake.path("tracefs/instances")).expect("created");
        for (name, fixture) in [("debugfs", "before.json"), ("after", "after.json")] {
            fs::create_dir(fake.path(name)).expect("created");
            let ledgers = ledger_dir(fixture);
            for entry in fs::read_dir(ledgers.path()).expect("ledgers") {
                let entry = entry.expect("ledger");
                fs::copy(entry.path(), fake.path(name).join(entry.file_name())).expect("copied");
            }
        }
        fake
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().expect("a plain path").to_owned()
    }

    /// `reclaimwb record` with these arguments, with a kernel's instance.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(crate_file("fake-kernel.sh"));
        command.arg(self.dir.path()).arg(env!("CARGO_BIN_EXE_reclaimwb")).arg("record");
        command.args(["--tracefs", &self.name("tracefs"), "--debugfs", &self.name("debugfs")]).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the recorder starts")
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the recorder starts")
    }

    /// What the recorder left in its instance.
    fn set(&self, name: &str) -> String {
        fs::read_to_string(self.path("set").join(name)).expect(name).trim().to_owned()
    }

    fn instances(&self) -> usize {
        fs::read_dir(self.path("tracefs/instances")).expect("instances").count()
    }

    /// Files of the recorder's in a directory.
    fn files(&self, dir: &str) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.path(dir)).expect(dir).map(|entry| entry.expect("entry").path()).collect();
        files.sort();
        files
    }
}

fn stall_line(cpu: u64, us: u64, usecs: u64) -> String {
    format!(
        "          memhog-42      [{cpu:03}] d..2. {:5}.{:06}: stall: origin=direct usecs={usecs} unexplained=0 \
         scan={usecs} order=0 gfp=0x140cca nid=0 cgroup=1 scanned=2 freed=1\n",
        us / 1_000_000,
        us % 1_000_000
    )
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Waits for something, but not for ever.
fn until(what: &str, is: impl Fn() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        thread::sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a number")).expect("a process id");
    kill_process(pid, signal).expect("sent");
}

/// Whether the recording that is being made is begun.
fn is_begun(path: &Path) -> bool {
    let partial = path.with_extension("jsonl.partial");
    fs::read_to_string(partial).is_ok_and(|text| text.lines().count() >= 2 && text.ends_with('\n'))
}

#[test]
fn a_command_is_recorded() {
    let fake = Fake::new();
    let events = stall_line(0, 5_000_000, 100)
        + "CPU:1 [LOST 5 EVENTS]\n"
        + &stall_line(1, 5_000_100, 4200)
        + "  no event at all\n"
        + "           <...>-4194303 [001] .....     5.000200: headroom_low: origin=direct layer=net headroom=900 \
           floor=1024 stack=a+0x1/0x2 [nbd] < b+0x3/0x4\n";
    fs::write(fake.path("events"), events).expect("written");
    let script = "i=$(echo $1/tracefs/instances/*); cat $1/events >> $i/trace_pipe; cp $1/after/* $1/debugfs/; \
                  printf 'overrun: 14\\ncommit overrun: 1\\ndropped events: 1\\n' > $i/per_cpu/cpu1/stats; exit 7";
    let (file, dir) = (fake.name("a.jsonl"), fake.name(""));
    let output = fake.run(&["-o", &file, "--buffer", "1MiB", "--", "sh", "-c", script, "sh", &dir]);
    assert_eq!(output.status.code(), Some(7), "{}", said(&output));
    // What was missed is said; nothing else is, and nothing on standard output.
    assert_eq!(said(&output).lines().count(), 2, "{}", said(&output));
    assert!(said(&output).contains("5 events were lost; give a larger --buffer"), "{}", said(&output));
    assert!(said(&output).contains("1 lines of the trace were not understood"), "{}", said(&output));
    assert!(output.stdout.is_empty());

    let recording = Recording::load(Path::new(&file)).expect("a recording");
    let command = recording.head.command.expect("a command");
    assert_eq!((command.len(), command[1].as_str(), command[4].as_str()), (5, "-c", dir.as_str()));
    assert_eq!(recording.head.events, ["headroom_low", "reclaim_window", "stall", "write_around"]);
    assert!(recording.head.clock.name == "mono" && recording.head.clock.ns > 0);
    let (names, ns): (Vec<_>, Vec<_>) = recording.events.iter().map(|event| (event.name.as_str(), event.ns)).unzip();
    assert_eq!(names, ["stall", "stall", "headroom_low"]);
    assert_eq!(ns, [5_000_000_000, 5_000_100_000, 5_000_200_000]);
    assert_eq!((recording.events[1].cpu, recording.events[1].number("usecs")), (1, Some(4200)));
    assert_eq!(recording.events[2].text("stack").as_deref(), Some("a+0x1/0x2 [nbd] < b+0x3/0x4"));
    let end = &recording.end;
    assert_eq!((end.events, end.lost, end.unreadable, end.interrupted, end.exit), (3, 5, 1, false, Some(7)));
    let lost: Vec<_> = recording.lost.iter().map(|lost| (lost.cpu, lost.events)).collect();
    assert_eq!(lost, [(1, 5)]);
    let grown = recording.after.ledgers().expect("ledgers").since(&recording.before.ledgers().expect("ledgers"));
    assert!(grown.expect("grown").writes.expect("writes").total_pages > 0);

    // It set its own instance as it should, and took it away.
    assert_eq!([fake.set("trace_clock"), fake.set("buffer_size_kb"), fake.set("trace")], ["mono", "1024", ""]);
    assert_eq!([fake.set("options/overwrite"), fake.set("options/fields"), fake.set("tracing_on")], ["1", "0", "0"]);
    for event in EVENTS {
        let state = if event == "reclaim_write" { "new" } else { "0" };
        assert_eq!(fake.set(&format!("events/reclaimwb/{event}/enable")), state, "{event}");
    }
    assert_eq!(fake.instances(), 0);
    assert!(!fake.path("a.jsonl.partial").exists());
    // For root alone.
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).expect("file").permissions());
    assert_eq!(mode & 0o777, 0o600);

    // The report is that of the interval.
    let report = stdout(&["report", &file, "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    assert_eq!(report["taken"]["source"], "recording");
    assert!(report["taken"]["since"].is_string() && report["books"].is_array());
    let (before, after) = (crate::common::fixture("before.json"), crate::common::fixture("after.json"));
    let since: serde_json::Value =
        serde_json::from_str(&stdout(&["report", &after, "--since", &before, "--json"])).expect("JSON");
    assert_eq!(report["writes"], since["writes"]);
    assert!(complaint(&["report", &file, "--since", &before]).contains("leave --since out"));
}

#[test]
fn events_are_chosen() {
    let fake = Fake::new();
    let file = fake.name("a.jsonl");
    let output = fake.run(&["-o", &file, "--events", "stall,reclaim_write", "--", "true"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    assert_eq!(Recording::load(Path::new(&file)).expect("a recording").head.events, ["reclaim_write", "stall"]);
    assert_eq!(fake.set("events/reclaimwb/headroom_low/enable"), "new");

    let fake = Fake::new();
    let file = fake.name("a.jsonl");
    assert!(fake.run(&["-o", &file, "--events", "all", "--", "true"]).status.success());
    assert_eq!(Recording::load(Path::new(&file)).expect("a recording").head.events.len(), EVENTS.len());
}

#[test]
fn signals_end_it_well() {
    let status = fs::read_to_string("/proc/self/status").expect("status");
    let nohup = status
        .lines()
        .any(|line| line.starts_with("SigIgn:") && line.ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']));
    for (by, name) in [(Signal::INT, "INT"), (Signal::TERM, "TERM"), (Signal::HUP, "HUP")] {
        if nohup && name == "HUP" {
            // The tests are run with it ignored, and so would the recorder be.
            continue;
        }
        let fake = Fake::new();
        let (file, name) = (fake.path("a.jsonl"), format!("after SIG{name}"));
        let child = fake.start(&["-o", &fake.name("a.jsonl")]);
        until(&name, || is_begun(&file));
        // What is in the trace at the end is not left there.
        let pipe = fake.path(&format!("tracefs/instances/reclaimwb-record-{}/trace_pipe", child.id()));
        fs::write(&pipe, stall_line(0, 1, 1) + &stall_line(0, 2, 2)).expect("written");
        signal(&child, by);
        let output = child.wait_with_output().expect("ends");
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {}", said(&output));
        let recording = Recording::load(&file).expect("a recording");
        assert_eq!((recording.events.len(), recording.end.interrupted, recording.end.exit), (2, true, None), "{name}");
        assert!(recording.head.command.is_none() && fake.instances() == 0);
    }
}

#[test]
fn signals_reach_the_command() {
    let fake = Fake::new();
    let file = fake.path("a.jsonl");
    let child =
        fake.start(&["-o", &fake.name("a.jsonl"), "--", "sh", "-c", "touch \"$0\"; exec sleep 600", &fake.name("up")]);
    until("the command", || fake.path("up").exists());
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(128 + 15), "{}", said(&output));
    let end = Recording::load(&file).expect("a recording").end;
    assert_eq!((end.interrupted, end.exit), (true, Some(128 + 15)));

    // One that does not listen: the second signal kills it, and the recording is whole.
    let fake = Fake::new();
    let script = "trap '' TERM; touch \"$0\"; while :; do sleep 0.05; done";
    let child = fake.start(&["-o", &fake.name("a.jsonl"), "-v", "--", "sh", "-c", script, &fake.name("up")]);
    until("the command", || fake.path("up").exists());
    signal(&child, Signal::TERM);
    thread::sleep(Duration::from_millis(500));
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(128 + 9), "{}", said(&output));
    assert!(said(&output).contains("waiting for sh to end; once more kills it"), "{}", said(&output));
    assert_eq!(Recording::load(&fake.path("a.jsonl")).expect("a recording").end.exit, Some(128 + 9));
}

#[test]
fn a_killed_recorder_leaves_a_partial_file() {
    let fake = Fake::new();
    let file = fake.path("a.jsonl");
    let mut child = fake.start(&["-o", &fake.name("a.jsonl")]);
    until("it", || is_begun(&file));
    child.kill().expect("killed");
    child.wait().expect("ends");
    assert!(!file.exists());
    let line = complaint(&["report", &fake.name("a.jsonl.partial")]);
    assert!(line.contains("cut off at line 3") && line.contains("killed"), "{line}");
    // The next one writes over it.
    let other = Fake::new();
    fs::rename(fake.path("a.jsonl.partial"), other.path("a.jsonl.partial")).expect("renamed");
    assert!(other.run(&["-o", &other.name("a.jsonl"), "--", "true"]).status.success());
    assert!(other.path("a.jsonl").exists() && !other.path("a.jsonl.partial").exists());
    // Let the fake kernel of the first end.
    let instance = fake.path(&format!("tracefs/instances/reclaimwb-record-{}", child.id()));
    let _ = fs::write(instance.join("events/reclaimwb/stall/enable"), "0");
    until("the fake kernel", || !instance.exists());
}

#[test]
fn it_ends_in_time() {
    let fake = Fake::new();
    let began = Instant::now();
    let output = fake.run(&["-o", &fake.name("a.jsonl"), "--duration", "300ms", "-v"]);
    assert!(output.status.success() && began.elapsed() >= Duration::from_millis(300), "{}", said(&output));
    let end = Recording::load(&fake.path("a.jsonl")).expect("a recording").end;
    assert!(!end.interrupted && end.seconds >= 0.3 && end.seconds < 60.0, "{end:?}");
    assert!(said(&output).contains("0 events: reclaimwb report "), "{}", said(&output));
}

#[test]
fn without_events_no_tracefs_is_needed() {
    let fake = Fake::new();
    let (file, debugfs) = (fake.name("a.jsonl"), fake.name("debugfs"));
    let args = ["record", "--debugfs", &debugfs, "--tracefs", "/nowhere", "-o", &file];
    let line = complaint(&args);
    assert!(line.contains("no /nowhere: this kernel cannot trace") && line.contains("--events none"), "{line}");
    assert!(fake.files("").iter().all(|path| !path.to_string_lossy().contains("jsonl")));
    let output = run(&[&args[..], &["--events", "none", "--", "sh", "-c", "exit 3"]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let recording = Recording::load(Path::new(&file)).expect("a recording");
    assert!(recording.head.events.is_empty() && recording.events.is_empty());
}

#[test]
fn what_is_missing_is_named() {
    let fake = Fake::new();
    let (file, debugfs, tracefs) = (fake.name("a.jsonl"), fake.name("debugfs"), fake.name("tracefs"));
    let args = ["record", "--debugfs", &debugfs, "--tracefs", &tracefs, "-o", &file];
    let with = |more: &[&str]| complaint(&[&args[..], more].concat());
    assert!(with(&["--events", "stall,stalls"]).contains("no event \"stalls\"; it has headroom_low, reclaim_window,"));
    assert!(with(&["--buffer", "1KiB"]).contains("--buffer is less than two pages"));
    assert!(complaint(&["record", "--debugfs", "/nowhere/reclaimwb"]).contains("the module is not loaded"));
    let to_device = complaint(&[&args[..5], &["-o", "/dev/null"]].concat());
    assert!(to_device.contains("/dev/null is not a regular file"), "{to_device}");

    // With a command the codes are those of env(1).
    let code = |code, more: &[&str]| complaint_with(&[&args[..], more].concat(), code);
    assert!(code(125, &["--events", "nonsense", "--", "true"]).contains("no event"));
    let none = [&args[..], &["--events", "none"]].concat();
    let code = |code, more: &[&str]| complaint_with(&[&none[..], more].concat(), code);
    assert!(code(127, &["--", "/nowhere/command"]).contains("cannot run /nowhere/command: No such file"));
    assert!(code(126, &["--", "/"]).contains("cannot run /: Permission denied"));
    assert!(fake.files("").iter().all(|path| !path.to_string_lossy().contains("jsonl")), "something is left");

    fs::remove_dir_all(fake.path("tracefs/events/reclaimwb")).expect("removed");
    let line = with(&[]);
    assert!(line.contains("events/reclaimwb: the module is not loaded") && line.contains("modprobe"), "{line}");
    fs::remove_dir_all(fake.path("tracefs/instances")).expect("removed");
    assert!(with(&[]).contains("has no instances"));
}

#[test]
fn a_module_that_goes_away() {
    let fake = Fake::new();
    let dir = fake.name("");
    let script = "rm $1/debugfs/status; sleep 0.2; echo still here; exit 0";
    let output = fake.run(&["-o", &fake.name("a.jsonl"), "--", "sh", "-c", script, "sh", &dir]);
    // The command ends as it would.
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(125), &b"still here\n"[..]));
    let line = said(&output);
    assert!(
        line.contains("status") && line.contains("what there is of it is") && line.contains("a.jsonl.partial"),
        "{line}"
    );
    assert!(fake.path("a.jsonl.partial").exists() && !fake.path("a.jsonl").exists());

    // Loaded anew: the file is whole, but says nothing.
    let fake = Fake::new();
    for path in fake.files("after") {
        fs::copy(&path, fake.path("debugfs").join(path.file_name().expect("a name"))).expect("copied");
    }
    let older = Fake::new();
    let script = "cp $2/debugfs/* $1/debugfs/";
    let dirs = [fake.name(""), older.name("")];
    let output = fake.run(&["-o", &fake.name("a.jsonl"), "--", "sh", "-c", script, "sh", &dirs[0], &dirs[1]]);
    let line = said(&output);
    assert!(output.status.success() && line.contains("the module was loaded anew"), "{line}");
    assert!(line.contains("the recording has no figures") && !line.contains("--since"), "{line}");
}

/// A count that fell while the module stayed is not a module that was loaded anew.
#[test]
fn a_count_that_went_back() {
    let fake = Fake::new();
    for path in fake.files("after") {
        fs::copy(&path, fake.path("debugfs").join(path.file_name().expect("a name"))).expect("copied");
    }
    let script = "printf '%s\\n' \"$(sed 's/^\\(kswapd.windows\\) .*/\\1 0/' $1/debugfs/writes)\" > $1/debugfs/writes";
    let output = fake.run(&["-o", &fake.name("a.jsonl"), "--", "sh", "-c", script, "sh", &fake.name("")]);
    let line = said(&output);
    assert!(output.status.success() && !line.contains("loaded anew"), "{line}");
    assert!(line.contains("a count of the module went back") && line.contains("kswapd.windows was "), "{line}");
}

/// Those of all files, and not only of the last one.
#[test]
fn lines_that_are_not_understood_are_told_in_the_end() {
    let fake = Fake::new();
    let child = fake.start(&["--dir", &fake.name("ring"), "--every", "1s", "--keep", "1h"]);
    let pipe = fake.path(&format!("tracefs/instances/reclaimwb-record-{}/trace_pipe", child.id()));
    until("the recorder", || fake.path("ring").exists() && !fake.files("ring").is_empty());
    let mut file = fs::OpenOptions::new().append(true).open(&pipe).expect("the pipe");
    std::io::Write::write_all(&mut file, b"  no event at all\n").expect("written");
    let has_it = |path: &PathBuf| Recording::load(path).is_ok_and(|recording| recording.end.unreadable == 1);
    let ended = || fake.files("ring").into_iter().filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    until("the first file's end", || ended().any(|path| has_it(&path)));
    signal(&child, Signal::INT);
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success(), "{}", said(&output));
    assert!(ended().count() > 1 && ended().filter(has_it).count() == 1);
    assert!(said(&output).contains("1 lines of the trace were not understood"), "{}", said(&output));
}

/// No trace event says when a parameter is set: the recorder looks.
#[test]
fn a_parameter_that_is_set() {
    let fake = Fake::new();
    fs::create_dir(fake.path("parameters")).expect("created");
    let set = |value: &str| fs::write(fake.path("parameters/handoff"), format!("{value}\n")).expect("written");
    set("never");
    let args = ["-o", &fake.name("a.jsonl"), "--parameters", &fake.name("parameters"), "--events", "none"];
    // At once before the end, which is sooner than it looks by itself.
    let script = "echo always > $1/parameters/handoff";
    let output = fake.run(&[&args[..], &["--", "sh", "-c", script, "sh", &fake.name("")]].concat());
    assert!(output.status.success(), "{}", said(&output));
    let recording = Recording::load(&fake.path("a.jsonl")).expect("a recording");
    let [event] = &recording.events[..] else { panic!("{:?}", recording.events) };
    let text = |field: &str| event.text(field).expect("a field").into_owned();
    assert_eq!((event.name.as_str(), recording.end.events), ("parameter", 1));
    assert_eq!(["name", "before", "after"].map(text), ["handoff", "never", "always"]);
    assert!(event.ns >= recording.head.clock.ns);

    // And meanwhile: it is in the file long before that ends.
    let child = fake.start(&args);
    until("the recorder", || fake.path("a.jsonl.partial").exists());
    set("never");
    let partial = || fs::read_to_string(fake.path("a.jsonl.partial")).unwrap_or_default();
    until("the event", || partial().contains("\"name\":\"parameter\""));
    signal(&child, Signal::INT);
    assert!(child.wait_with_output().expect("ends").status.success());
}

#[test]
fn the_last_recordings_are_kept() {
    let fake = Fake::new();
    let ring = fake.name("ring");
    let output = fake.run(&["--dir", &ring, "--every", "1s", "--keep", "1h", "--duration", "2500ms"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{}", said(&output));
    let files = fake.files("ring");
    // Fewer on a machine that is very busy.
    assert!((2..=3).contains(&files.len()), "{files:?}");
    let recordings: Vec<Recording> = files.iter().map(|path| Recording::load(path).expect("a recording")).collect();
    for two in recordings.windows(2) {
        // Nothing is missing between them.
        assert_eq!(two[0].after.to_json(), two[1].before.to_json());
        assert!(two[0].head.clock.ns < two[1].head.clock.ns);
    }
    assert_eq!(fake.instances(), 0);

    // What is too old goes at once when the next recorder begins, and SIGTERM ends it.
    let other = Fake::new();
    fs::rename(fake.path("ring"), other.path("ring")).expect("renamed");
    thread::sleep(Duration::from_millis(1100));
    let child = other.start(&["--dir", &other.name("ring"), "--every", "1s", "--keep", "1s"]);
    until("the recorder", || {
        files.iter().all(|path| !other.path("ring").join(path.file_name().expect("name")).exists())
    });
    // Two do not write to one directory.
    let (debugfs, ring) = (other.name("debugfs"), other.name("ring"));
    assert!(complaint(&["record", "--debugfs", &debugfs, "--dir", &ring]).contains("another recorder is writing"));
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success(), "{}", said(&output));
    let files = other.files("ring");
    assert!(Recording::load(files.last().expect("a recording")).expect("whole").end.interrupted);
}

#[test]
fn the_size_bound_holds() {
    let fake = Fake::new();
    let (ring, bound) = (fake.name("ring"), 8 << 20);
    let child = fake.start(&["--dir", &ring, "--max-size", "8MiB"]);
    let pipe = fake.path(&format!("tracefs/instances/reclaimwb-record-{}/trace_pipe", child.id()));
    until("the recorder", || fake.path("ring").exists() && !fake.files("ring").is_empty());
    let size =
        || fake.files("ring").iter().filter_map(|path| path.metadata().ok()).map(|about| about.len()).sum::<u64>();
    // Three times as much as may stay.
    let mut at = 0;
    for _ in 0..24 {
        let mut text = String::new();
        for _ in 0..3000 {
            at += 1;
            text += &stall_line(at % 2, at, at);
        }
        let mut file = fs::OpenOptions::new().append(true).open(&pipe).expect("the pipe");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
        assert!(size() <= bound, "{} bytes", size());
        thread::sleep(Duration::from_millis(50));
    }
    signal(&child, Signal::INT);
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success(), "{}", said(&output));
    assert!(size() <= bound && size() > bound / 2, "{} bytes", size());
    // The last are there, without a gap.
    let recordings = fake.files("ring").into_iter().map(|path| Recording::load(&path).expect("a recording"));
    let seen: Vec<u64> = recordings.flat_map(|recording| recording.events).filter_map(|e| e.number("usecs")).collect();
    assert_eq!(seen.last(), Some(&at));
    assert!(seen.windows(2).all(|two| two[1] == two[0] + 1), "a gap");
    assert!(seen.len() > 5000);

    let small = complaint(&[
        "record",
        "--debugfs",
        &fake.name("debugfs"),
        "--events",
        "none",
        "--dir",
        &ring,
        "--max-size",
        "1MiB",
    ]);
    assert!(small.contains("--max-size 1.0 MiB is too little"), "{small}");
}
