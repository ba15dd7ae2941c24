// SPDX-License-Identifier: GPL-2.0
//! Whatever the input, the parser answers with numbers or an error, and never takes a damaged ledger for a whole one.
#![allow(clippy::format_collect, clippy::format_push_string)]

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;
use reclaimwb::{
    ledger::{Hierarchy, Ledgers, NAMES},
    report,
    snapshot::Snapshot,
    text,
};

type Texts = BTreeMap<String, String>;

fn whole() -> Texts {
    let dir = crate::common::ledger_dir("stalls.json");
    // Those that its module did not have are made.
    let made = |name: &str| match name {
        "nbd" => crate::common::nbd(100, [1, 2, 3, 4, 5, 6]),
        "reserves" => crate::common::reserves(1, 391),
        "batches" => crate::common::batches([1, 2, 3, 4, 5, 6, 7]),
        _ => fs::read_to_string(dir.path().join(name)).expect("ledger"),
    };
    NAMES.iter().map(|name| ((*name).to_owned(), made(name))).collect()
}

fn parse(texts: &Texts) -> reclaimwb::error::Result<Ledgers> {
    Ledgers::parse(|name| texts.get(name).map(String::as_str).ok_or_else(|| "missing".to_owned()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in "([a-z_.0-9]{0,12}( [0-9a-z:+/]{0,8}){0,3}\n?){0,40}", ledger in 0..NAMES.len()) {
        let mut texts = whole();
        texts.insert(NAMES[ledger].to_owned(), text);
        let _ = parse(&texts);
    }

    #[test]
    fn a_doubled_row_is_an_error(ledger in 0..NAMES.len(), at in any::<prop::sample::Index>()) {
        let name = NAMES[ledger];
        let mut texts = whole();
        let lines: Vec<&str> = texts[name].lines().collect();
        let doubled = format!("{}{}\n", texts[name], lines[at.index(lines.len())]);
        texts.insert(name.to_owned(), doubled);
        let err = parse(&texts).expect_err("a doubled row").to_string();
        prop_assert!(err.contains("twice"), "{}", err);
    }

    #[test]
    fn a_cut_in_a_row_is_an_error(ledger in 0..NAMES.len(), at in any::<prop::sample::Index>()) {
        let name = NAMES[ledger];
        let mut texts = whole();
        let cut = at.index(texts[name].len() - 1) + 1;
        prop_assume!(!texts[name][..cut].ends_with('\n'));
        texts.insert(name.to_owned(), texts[name][..cut].to_owned());
        prop_assert!(parse(&texts).is_err());
    }

    #[test]
    fn a_missing_number_is_an_error(ledger in 0..8_usize, at in any::<prop::sample::Index>()) {
        let name = ["writes", "helper", "handoff", "stalls", "shrinkers", "tlb", "nbd", "batches"][ledger];
        let mut texts = whole();
        let lines: Vec<String> = texts[name].lines().map(str::to_owned).collect();
        let gone = at.index(lines.len());
        // Which nodes there are is the machine's own matter, and which buckets the module's.
        let line = &lines[gone];
        prop_assume!(!line.starts_with("node.") && !line.contains(".node.") && !line.contains(".hist."));
        // A shrinker without its name is one that is not known.
        prop_assume!(!line.contains(".name "));
        let kept: String = lines.iter().enumerate().filter(|(i, _)| *i != gone).map(|(_, l)| format!("{l}\n")).collect();
        texts.insert(name.to_owned(), kept);
        prop_assert!(parse(&texts).is_err());
    }

}

/// Ids are unique in their hierarchy only.
#[test]
fn a_v1_and_a_v2_cgroup_may_share_an_id() {
    let mut texts = whole();
    let cgroups = texts.get_mut("cgroups").expect("cgroups");
    cgroups.push_str("cgroup.4711.path /a\ncgroup.4711.direct.pages 3\n");
    cgroups.push_str("cgroup_v1.4711.path -\ncgroup_v1.4711.memcg_max.pages 5\n");
    let ledgers = parse(&texts).expect("ledgers");
    let cgroups = ledgers.cgroups.as_ref().expect("cgroups");
    assert_eq!(cgroups.groups[&(Hierarchy::V2, 4711)].total(), 3);
    assert_eq!(cgroups.groups[&(Hierarchy::V1, 4711)].total(), 5);
    assert_eq!(cgroups.groups[&(Hierarchy::V1, 4711)].path, None);
}

proptest! {
    // A whole report each.
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    /// Numbers as large as they get make a report, not an overflow.
    #[test]
    fn any_numbers_are_reported(numbers in prop::collection::vec(any::<u64>(), 50), seed in any::<usize>()) {
        let dir = crate::common::ledger_dir(["after.json", "handoff.json", "stalls.json"][seed % 3]);
        for (name, text) in [("nbd", crate::common::nbd(100, [1; 6])), ("batches", crate::common::batches([1; 7]))] {
            fs::write(dir.path().join(name), text).expect("ledger written");
        }
        let ledgers = [
            "writes", "cgroups", "status", "helper", "handoff", "stalls", "stalls_cgroups", "shrinkers", "compaction", "tlb",
            "metadata", "nbd", "batches",
        ];
        for name in ledgers {
            let path = dir.path().join(name);
            // The older ones do not have them all.
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let mut changed = String::new();
            for (i, line) in text.lines().enumerate() {
                let (key, value) = line.split_once(' ').expect("row");
                let flag = matches!(key.rsplit('.').next(), Some("format" | "enabled" | "stuck" | "late"));
                let fixed = flag || value.parse::<u64>().is_err();
                let number = numbers[(i.wrapping_add(seed)) % numbers.len()].to_string();
                changed += &format!("{key} {}\n", if fixed { value } else { &number });
            }
            fs::write(path, changed).expect("written");
        }
        let snapshot = Snapshot::take(Path::new(dir.path())).expect("a snapshot");
        let report = report::build(&snapshot, None, "live").expect("a report");
        prop_assert!(text::report(&report, 80, true).len() > 1000);
        prop_assert!(serde_json::to_string(&report).is_ok());
    }
}
