// SPDX-License-Identifier: GPL-2.0
//! Without root: which privilege is missing, and what to do.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::{Command, Output},
};

use crate::common::{fixture, ledger_dir};
use reclaimwb::tune::table::PARAMS;

const NOBODY: u32 = 65534;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
}

/// Runs the tool as nobody when this is root, as who it is otherwise.
fn unprivileged(place: &Path, args: &[&str]) -> Output {
    // What cargo builds lies where nobody may not look. Not fs::copy: what another test starts meanwhile would hold
    // the copy open for writing, and a file that is being written cannot be run.
    let tool = place.join("reclaimwb");
    let copied = Command::new("install").args(["-m", "755", env!("CARGO_BIN_EXE_reclaimwb")]).arg(&tool).status();
    assert!(copied.expect("install starts").success());
    let mut command = Command::new(&tool);
    command.args(args);
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.output().expect("the tool starts")
}

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a temporary directory");
    mode(place.path(), 0o755);
    place
}

fn complaint(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(output.stdout.is_empty());
    stderr
}

#[test]
fn ledgers_are_for_root() {
    let place = place();
    let ledgers = ledger_dir("stalls.json");
    // As debugfs is mounted.
    mode(ledgers.path(), 0o000);
    let dir = ledgers.path().to_str().expect("a plain path");
    for args in [&["status"][..], &["top", "--batch", "1"], &["snapshot"], &["report"]] {
        let args = [args, &["--debugfs", dir]].concat();
        let line = complaint(&unprivileged(place.path(), &args));
        for what in ["no permission to read", "root only", "CAP_DAC_READ_SEARCH", "sudo", "saved snapshot"] {
            assert!(line.contains(what), "{args:?}: {line} does not say {what:?}");
        }
    }
    mode(ledgers.path(), 0o700);
}

#[test]
fn a_saved_snapshot_needs_no_root() {
    let place = place();
    let saved = place.path().join("snapshot.json");
    fs::copy(fixture("stalls.json"), &saved).expect("copied");
    mode(&saved, 0o644);
    let output = unprivileged(place.path(), &["report", saved.to_str().expect("a plain path")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn parameters_are_shown_to_all_and_set_by_root() {
    let place = place();
    let params = place.path().join("parameters");
    fs::create_dir(&params).expect("made");
    mode(&params, 0o755);
    for param in &*PARAMS {
        let file = params.join(param.name);
        fs::write(&file, format!("{}\n", param.default)).expect("written");
        mode(&file, if rustix::process::geteuid().is_root() { 0o644 } else { 0o444 });
    }
    let dir = params.to_str().expect("a plain path");
    let nowhere = ["--debugfs", "/nowhere/reclaimwb"];
    let output = unprivileged(place.path(), &[&["tune", "--parameters", dir][..], &nowhere].concat());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success());
    assert!(text.contains("headroom_floor=2048   0 to the size of a stack, in bytes;"), "{text}");
    let args = [&["tune", "--parameters", dir, "tlb=Y", "stalls=N"][..], &nowhere].concat();
    let line = complaint(&unprivileged(place.path(), &args));
    for what in ["tlb=Y: no permission", "root", "sudo", "nothing was set"] {
        assert!(line.contains(what), "{line} does not say {what:?}");
    }
    assert_eq!(fs::read_to_string(params.join("tlb")).expect("there"), "N\n");
}
