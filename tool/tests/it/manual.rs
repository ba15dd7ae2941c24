// SPDX-License-Identifier: GPL-2.0
//! Man pages, completions and `--help` have each command and option, and the examples in them are command lines.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::common::{complaint, stdout};
use clap::{CommandFactory, Parser};
use reclaimwb::{cli::Cli, manual};

/// Names of all commands but `help`.
fn commands() -> Vec<String> {
    let command = Cli::command();
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(|sub| sub.get_name().to_owned()).collect()
}

/// Options of a command as they are typed.
fn options(name: &str) -> Vec<String> {
    let all = manual::command();
    let command = all.find_subcommand(name).expect("a command");
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    shown.filter_map(|arg| Some(format!("--{}", arg.get_long()?))).collect()
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

fn pages() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let man1 = dir.path().join("man/man1");
    assert_eq!(stdout(&["man", man1.to_str().expect("a plain path")]), "");
    dir
}

#[test]
fn clap_finds_nothing_wrong() {
    Cli::command().debug_assert();
}

#[test]
fn a_page_for_each_command_with_each_option() {
    let dir = pages();
    let man1 = dir.path().join("man/man1");
    let read = |name: &str| fs::read_to_string(man1.join(name)).unwrap_or_else(|err| panic!("{name}: {err}"));
    let main = read("reclaimwb.1");
    assert_eq!(stdout(&["man"]), main);
    let mut expected = BTreeSet::from(["reclaimwb.1".to_owned()]);
    for name in commands() {
        let file = format!("reclaimwb-{name}.1");
        let page = read(&file);
        // In roff a hyphen is escaped.
        assert!(main.contains(&format!("reclaimwb\\-{name}(1)")), "{name} is not in reclaimwb.1");
        for option in options(&name) {
            assert!(page.contains(&option.replace('-', "\\-")), "{option} is not in {file}");
        }
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "\"SEE ALSO\""] {
            assert!(page.contains(&format!(".SH {section}\n")), "{section} is not in {file}");
        }
        expected.insert(file);
    }
    let found = fs::read_dir(&man1).expect("pages").map(|entry| entry.expect("an entry").file_name());
    assert_eq!(found.map(|name| name.into_string().expect("UTF-8")).collect::<BTreeSet<_>>(), expected);
}

#[test]
fn hidden_options_stay_hidden() {
    for text in
        [stdout(&["tune", "--help"]), String::from_utf8(manual::pages().expect("pages")[0].1.clone()).expect("UTF-8")]
    {
        assert!(!text.contains("--parameters"), "{text}");
    }
}

/// Tests that need a program say so where it is not there; scripts/build/deps.sh gets it for `make test`.
fn without(program: &str) -> bool {
    if !installed(program) {
        eprintln!("{program} is not installed: not checked");
    }
    !installed(program)
}

#[test]
fn mandoc_finds_no_error() {
    if without("mandoc") {
        return;
    }
    let dir = pages();
    for entry in fs::read_dir(dir.path().join("man/man1")).expect("pages") {
        let path = entry.expect("an entry").path();
        let lint = Command::new("mandoc").args(["-T", "lint", "-W", "error"]).arg(&path).output().expect("mandoc");
        let said = String::from_utf8_lossy(&lint.stdout).into_owned() + &String::from_utf8_lossy(&lint.stderr);
        assert!(lint.status.success() && said.is_empty(), "{}: {said}", path.display());
    }
}

#[test]
fn man_shows_them() {
    if without("mandoc") {
        return;
    }
    let dir = pages();
    let path = dir.path().join("man/man1/reclaimwb-top.1");
    let output = Command::new("mandoc").args(["-T", "ascii"]).arg(path).output().expect("mandoc");
    // Bold is a letter, a backspace and the letter again.
    let raw = String::from_utf8(output.stdout).expect("UTF-8");
    let mut text = String::new();
    for c in raw.chars() {
        if c == '\u{8}' {
            text.pop();
        } else {
            text.push(c);
        }
    }
    assert!(text.starts_with("RECLAIMWB-TOP(1)"), "{text}");
    assert!(text.contains("-i, --interval <TIME> [default: 1s]"), "{text}");
    // Lines of their own, not filled to a paragraph.
    assert!(text.lines().any(|line| line.trim() == "reclaimwb top --by cgroup --interval 5s"), "{text}");
}

/// The lines below `Examples:` of a command's help.
fn examples(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Examples:").skip(1);
    lines.map(str::trim).take_while(|line| !line.is_empty()).collect()
}

#[test]
fn examples_are_command_lines() {
    let mut all = vec![(String::new(), stdout(&["--help"]))];
    all.extend(commands().into_iter().map(|name| (name.clone(), stdout(&[&name, "--help"]))));
    for (name, help) in all {
        let examples = examples(&help);
        assert!(!examples.is_empty(), "reclaimwb {name} --help has no examples");
        for example in examples {
            // Up to what is the shell's.
            let ours: Vec<&str> =
                example.split_whitespace().take_while(|w| !["|", ">", ">>", "#", ";"].contains(w)).collect();
            assert!(example.starts_with(&format!("reclaimwb {name}")), "{example}");
            if let Err(err) = Cli::try_parse_from(&ours) {
                panic!("{example}: {err}");
            }
        }
    }
}

#[test]
fn completions_have_each_command_and_option() {
    for shell in ["bash", "zsh", "fish"] {
        let text = stdout(&["completions", shell]);
        for name in commands() {
            assert!(text.contains(&name), "{name} is not in the completions of {shell}");
            for option in options(&name) {
                // fish lists long options by name.
                let typed = if shell == "fish" { format!("-l {}", option.trim_start_matches('-')) } else { option };
                assert!(text.contains(&typed), "{typed} of {name} is not in the completions of {shell}");
            }
        }
    }
    let output = crate::common::run(&["completions", "sh"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn bash_completes() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("reclaimwb.bash");
    fs::write(&file, stdout(&["completions", "bash"])).expect("written");
    let complete = |words: &[&str]| {
        let script = format!(
            ". {}; COMP_WORDS=({}); COMP_CWORD={}; _reclaimwb reclaimwb '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            file.display(),
            words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
            words.len() - 1,
            words[words.len() - 1],
            words[words.len() - 2],
        );
        let output = Command::new("bash").args(["--norc", "-c", &script]).output().expect("bash");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && stderr.is_empty(), "{stderr}");
        String::from_utf8(output.stdout).expect("UTF-8").lines().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert!(complete(&["reclaimwb", "to"]).contains("top"));
    assert_eq!(complete(&["reclaimwb", "top", "--int"]), BTreeSet::from(["--interval".to_owned()]));
    let by = ["origin", "cgroup", "task"].map(str::to_owned);
    assert_eq!(complete(&["reclaimwb", "top", "--by", ""]), BTreeSet::from(by));
}

#[test]
fn a_directory_that_cannot_be() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("file");
    fs::write(&file, "").expect("written");
    let line = complaint(&["man", file.join("man1").to_str().expect("a plain path")]);
    assert!(line.starts_with("cannot write ") && line.contains("Not a directory"), "{line}");
    assert!(Path::new(&file).is_file());
}
