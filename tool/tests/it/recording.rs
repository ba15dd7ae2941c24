// SPDX-License-Identifier: GPL-2.0
//! A recording is read back as it was written, or it is refused with one line that says where it is broken.

use std::{fs, path::PathBuf};

use crate::common::{snapshot, stall};
use proptest::prelude::*;
use reclaimwb::recording::{Event, Recording, Value};

struct Kept {
    dir: tempfile::TempDir,
    text: String,
}

impl Kept {
    fn new(events: &[Event], lost: u64) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("a.jsonl");
        crate::common::recording(&path, ["before.json", "after.json"], events, lost);
        Self { text: fs::read_to_string(path).expect("text"), dir }
    }

    fn write(&self, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join("b.jsonl");
        fs::write(&path, text).expect("written");
        path
    }

    fn load(&self, text: impl AsRef<[u8]>) -> Result<Recording, String> {
        Recording::load(&self.write(text)).map_err(|err| err.to_string())
    }

    /// What is said of a text that must be refused; always with the file's name, and in one line.
    fn refusal(&self, text: impl AsRef<[u8]>) -> String {
        let path = self.write(text);
        let err = Recording::load(&path).expect_err("refused").to_string();
        assert_eq!(err.lines().count(), 1, "{err}");
        err.strip_prefix(&format!("{}: ", path.display())).expect("the file's name").to_owned()
    }
}

#[test]
fn round_trip() {
    let events = [stall(1_000_000_001, 5), stall(2_000_000_000, 999_999)];
    let kept = Kept::new(&events, 7);
    assert_eq!(kept.text.lines().count(), 2 + 2 + 1 + 2);
    let recording = kept.load(&kept.text).expect("a recording");
    assert_eq!(recording.events, events);
    assert_eq!(recording.head.command.as_deref(), Some(&["memhog".to_owned(), "two words".to_owned()][..]));
    assert_eq!((recording.head.clock.name.as_str(), recording.head.clock.ns), ("mono", 1_000_000_000));
    assert_eq!(recording.lost.len(), 1);
    assert_eq!((recording.end.events, recording.end.lost, recording.end.exit), (2, 7, Some(3)));
    assert_eq!(recording.before.to_json(), snapshot("before.json").to_json());
    assert_eq!(recording.after.to_json(), snapshot("after.json").to_json());
    assert_eq!((recording.events[1].number("usecs"), recording.events[1].number("origin")), (Some(999_999), None));
    assert_eq!(recording.events[1].text("usecs").as_deref(), Some("999999"));
    // The last line end may have been taken away by an editor.
    assert!(kept.load(kept.text.trim_end()).is_ok());
    let mut seen = 0;
    let visited = Recording::visit(&kept.write(&kept.text), |_| seen += 1).expect("a recording");
    assert_eq!((seen, visited.events.len()), (2, 0));
}

#[test]
fn is_told_by_its_beginning() {
    let kept = Kept::new(&[], 0);
    assert!(Recording::is_one(&kept.write(&kept.text)).expect("read"));
    assert!(Recording::is_one(&kept.write(&kept.text[..40])).expect("read"));
    assert!(!Recording::is_one(&kept.write(snapshot("after.json").to_json())).expect("read"));
    assert!(!Recording::is_one(&kept.write("")).expect("read"));
}

#[test]
fn cut_off_at_every_line() {
    let kept = Kept::new(&[stall(1, 2), stall(3, 4)], 1);
    let lines: Vec<&str> = kept.text.split_inclusive('\n').collect();
    for n in 1..lines.len() {
        let said = kept.refusal(lines[..n].concat());
        assert!(said.contains(&format!("cut off at line {}", n + 1)) && said.contains("killed"), "{said}");
    }
}

#[test]
fn foreign_files() {
    let kept = Kept::new(&[], 0);
    let says = |text: &[u8], what: &str| {
        let said = kept.refusal(text);
        assert!(said.contains(what) && said.contains("reclaimwb record -o FILE"), "{said:?} does not say {what:?}");
    };
    says(b"", "empty");
    says(b"hello\n", "not a recording");
    says(b"\x7fELF\xff\xfe", "not a recording");
    says(b"{\"a\": 1}\n", "JSON but not a recording");
    says(b"{not json}\n", "not a recording");
    says(snapshot("after.json").to_json().as_bytes(), "not a recording");
    says(b"{\"reclaimwb\":\"recording\"}\n", "no format");
    let newer = kept.text.replacen("\"format\":1", "\"format\":2", 1);
    let said = kept.refusal(newer);
    assert!(said.contains("format 2") && said.contains("reads format 1") && said.contains("newer"), "{said}");
}

#[test]
fn broken_lines_are_named() {
    let kept = Kept::new(&[stall(1, 2), stall(3, 4)], 0);
    let lines: Vec<&str> = kept.text.split_inclusive('\n').collect();
    let with = |at: usize, line: &str| {
        let mut lines = lines.clone();
        lines[at] = line;
        kept.refusal(lines.concat())
    };
    for junk in ["junk\n", "\n", "{\"event\":{\"ns\":1}}\n", "{\"strange\":{}}\n", "{\"event\":{\"ns\":-1}}\n"] {
        let said = with(3, junk);
        assert!(said.starts_with("line 4, column ") && said.contains("reclaimwb record"), "{said}");
    }
    assert!(with(1, lines[5]).starts_with("line 2: `end` is out of place"));
    assert!(with(2, lines[1]).starts_with("line 3: `before` is out of place"));
    assert!(with(4, lines[5]).starts_with("line 5: `end` is out of place"));
    assert!(with(5, lines[4]).starts_with("line 6: `after` is out of place"));
    // A line less, or one more, is told by the counts.
    assert!(with(2, "").contains("its end says 2 events, but it has 1"));
    assert!(with(2, &lines[2].repeat(2)).contains("its end says 2 events, but it has 3"));
    let said = kept.refusal(kept.text.clone() + lines[2]);
    assert!(said.starts_with("line 7: there is more after the end"), "{said}");
    // A snapshot in it that is none.
    let said = with(1, "{\"before\":{\"format\":\"reclaimwb-snapshot\",\"version\":1}}\n");
    assert!(said.starts_with("line 2, column "), "{said}");
    let said = with(4, &lines[4].replacen("\"version\":1", "\"version\":9", 1));
    assert!(said.contains("line 5") && said.contains("snapshot version 9"), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Anything that the kernel could print comes back.
    #[test]
    fn events_round_trip(ns in any::<u64>(), cpu in any::<u64>(), pid in any::<u64>(), comm in ".{0,16}",
                         key in "[a-z_]{1,20}", number in any::<u64>(), text in ".{0,40}") {
        let fields = [(key, Value::Number(number)), ("text".to_owned(), Value::Text(text))];
        let event = Event { ns, cpu, pid, comm, name: "stall".into(), fields: fields.into_iter().collect() };
        let kept = Kept::new(std::slice::from_ref(&event), 0);
        prop_assert_eq!(kept.load(&kept.text).expect("a recording").events, vec![event]);
    }

    /// Cut anywhere, it is never taken for a whole one, and the line is right.
    #[test]
    fn cut_off_anywhere(at in any::<prop::sample::Index>()) {
        let kept = Kept::new(&[stall(1, 2), stall(3, 4)], 1);
        // Without its last line end it is whole.
        let cut = &kept.text.as_bytes()[..=at.index(kept.text.len() - 2)];
        let line = cut.split(|byte| *byte == b'\n').count();
        let said = kept.refusal(cut);
        prop_assert!(said.contains(&format!("cut off at line {line}:")), "{}", said);
    }

    /// A byte that was changed on the way is an error, or another value, but no panic.
    #[test]
    fn a_changed_byte_is_no_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let kept = Kept::new(&[stall(1, 2)], 1);
        let mut bytes = kept.text.clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = kept.load(bytes);
    }
}
