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
        "waits" => crate::common::waits([1, 2, 3, 4, 5, 6, 7, 8]),
        "waits_cgroups" => crate::common::waits_cgroups([1, 2, 3, 4, 5, 6, 7, 8]),
        "stalls_locks" => crate::common::stalls_locks(3),
        "batches" => crate::common::batches([1, 2, 3, 4, 5, 6, 7]),
        "kswapd" => crate::common::kswapd(1_000, "tmpfs", 0),
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
}

#[test]
fn a_missing_number_is_an_error() {
    // Which nodes there are is the machine's own matter, and which buckets the module's. A shrinker without its name is one that is
    // not known.
    let optional =
        |line: &str| line.starts_with("node.") || [".node.", ".hist.", ".name "].iter().any(|word| line.contains(word));
    let whole = whole();
    let mut accepted = Vec::new();
    for name in ["writes", "helper", "handoff", "stalls", "shrinkers", "tlb", "nbd", "batches"] {
        let needed: Vec<&str> = whole[name].lines().filter(|line| !optional(line)).collect();
        assert!(!needed.is_empty(), "{name} has no row");
        for gone in needed {
            let mut texts = whole.clone();
            let kept: String =
                whole[name].lines().filter(|line| *line != gone).map(|line| format!("{line}\n")).collect();
            texts.insert(name.to_owned(), kept);
            if parse(&texts).is_ok() {
                accepted.push(format!("{name}: {gone}"));
            }
        }
    }
    assert_eq!(accepted, Vec::<String>::new(), "ledgers were taken for whole ones without these rows");
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
        let made = [
            ("nbd", crate::common::nbd(100, [1; 6])),
            ("batches", crate::common::batches([1; 7])),
            ("kswapd", crate::common::kswapd(1, "demand", 1)),
        ];
        for (name, text) in made {
            fs::write(dir.path().join(name), text).expect("ledger written");
        }
        let ledgers = [
            "writes", "cgroups", "status", "helper", "handoff", "stalls", "stalls_cgroups", "shrinkers", "compaction", "tlb",
            "metadata", "nbd", "batches", "kswapd",
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

/// With these `cgroups`.
fn with_cgroups(cgroups: &str) -> Ledgers {
    let mut texts = whole();
    texts.insert("cgroups".to_owned(), cgroups.to_owned());
    parse(&texts).expect("ledgers")
}

/// With these rows for the stalls of cgroups: key, stalls, ns.
fn with_stalls(rows: &[(&str, u64, u64)]) -> Ledgers {
    let mut texts = whole();
    let text = rows.iter().map(|(row, stalls, ns)| {
        format!(
            "{row}.path -\n{row}.stalls {stalls}\n{row}.ns {ns}\n{row}.part.scan.ns {ns}\n{row}.hist.us.64 {stalls}\n"
        )
    });
    texts.insert("stalls_cgroups".to_owned(), text.collect());
    parse(&texts).expect("ledgers")
}

/// Its row is another's by now: what it had counted before the interval is not part of it.
#[test]
fn a_row_that_another_got() {
    let before = with_cgroups("cgroup.5.path /a\ncgroup.5.direct.pages 100\nother.direct.pages 10\n");
    let now =
        with_cgroups("cgroup.9.path /b\ncgroup.9.direct.pages 30\nother.direct.pages 12\nremoved.direct.pages 105\n");
    let cgroups = now.since(&before).expect("an interval").cgroups.expect("cgroups");
    assert_eq!(cgroups.groups[&(Hierarchy::V2, 9)].total(), 30);
    assert_eq!(cgroups.removed.values().sum::<u64>(), 5);
    assert_eq!(cgroups.other.values().sum::<u64>(), 2);
    assert_eq!(cgroups.lost_rows, 1);
}

/// It got another one: its count fell, and is not taken for a ledger of another module.
#[test]
fn a_cgroup_that_got_a_row_again() {
    let before = with_cgroups("cgroup.5.path /a\ncgroup.5.direct.pages 100\nother.direct.pages 10\n");
    let now = with_cgroups(
        "cgroup.5.path -\ncgroup.5.removed 1\ncgroup.5.missed.pages 130\ncgroup.5.direct.pages 20\n\
         other.direct.pages 120\n",
    );
    let cgroups = now.since(&before).expect("an interval").cgroups.expect("cgroups");
    let group = &cgroups.groups[&(Hierarchy::V2, 5)];
    assert_eq!((group.total(), cgroups.other.values().sum::<u64>()), (0, 30));
    // It counted 30 at the most, and all that may be its own is elsewhere.
    assert_eq!(group.missed, 30);
    assert_eq!((group.path.as_deref(), group.removed, cgroups.lost_rows), (Some("/a"), true, 1));
}

/// What may be missing of the time before is not missing in an interval in which nothing was counted elsewhere.
#[test]
fn nothing_is_missing_where_nothing_was_counted() {
    let before =
        with_cgroups("cgroup.5.path /a\ncgroup.5.missed.pages 50\ncgroup.5.direct.pages 7\nother.direct.pages 60\n");
    let now =
        with_cgroups("cgroup.5.path /a\ncgroup.5.missed.pages 50\ncgroup.5.direct.pages 9\nother.direct.pages 60\n");
    let cgroups = now.since(&before).expect("an interval").cgroups.expect("cgroups");
    let group = &cgroups.groups[&(Hierarchy::V2, 5)];
    assert_eq!((group.total(), group.missed, cgroups.lost_rows), (2, 0, 0));
}

/// What nobody got is not silently dropped.
#[test]
fn counts_of_a_cgroup_that_are_nowhere_are_an_error() {
    let before = with_cgroups("cgroup.5.path /a\ncgroup.5.direct.pages 100\n");
    let now = with_cgroups("other.direct.pages 99\n");
    let err = now.since(&before).expect_err("a page is missing").to_string();
    assert!(err.contains("nowhere"), "{err}");
}

#[test]
fn stalls_of_rows_that_others_got() {
    let before = with_stalls(&[("cgroup.5", 3, 3000), ("cgroup.6", 1, 500), ("other.0", 2, 100), ("removed.0", 0, 0)]);
    let now = with_stalls(&[("cgroup.5", 1, 200), ("cgroup.7", 4, 900), ("other.0", 5, 3200), ("removed.0", 1, 500)]);
    let stalls = now.since(&before).expect("an interval").stall_cgroups.expect("stalls");
    let ns = |id| stalls.groups[&(Hierarchy::V2, id)].ns;
    // 4800 now, 3600 before.
    assert_eq!((ns(5), ns(7), stalls.other.ns, stalls.removed.ns), (0, 900, 300, 0));
    assert_eq!(stalls.other.causes.values().sum::<u64>(), 300);
    assert_eq!(stalls.groups.values().map(|g| g.stalls).sum::<u64>() + stalls.other.stalls + stalls.removed.stalls, 5);
    assert_eq!(stalls.lost_rows, 2);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever loses rows, and gets them again: the growth of all together is what was counted, and nobody's is more
    /// than its own.
    #[test]
    fn an_interval_adds_up(steps in prop::collection::vec((0..6_u64, 0..5_u8, 1..50_u64), 0..60), at in any::<prop::sample::Index>()) {
        let show = |rows: &BTreeMap<u64, u64>, other: u64, removed: u64| {
            let mut text: String = rows.iter().map(|(id, n)| format!("cgroup.{id}.path /{id}\ncgroup.{id}.direct.pages {n}\n")).collect();
            text += &format!("other.direct.pages {other}\nremoved.direct.pages {removed}\n");
            with_cgroups(&text)
        };
        let (mut rows, mut other, mut removed) = (BTreeMap::new(), 0, 0);
        let cut = if steps.is_empty() { 0 } else { at.index(steps.len()) };
        let mut before = show(&rows, other, removed);
        let mut truth = BTreeMap::<u64, u64>::new();
        for (i, (id, what, n)) in steps.iter().enumerate() {
            if i == cut {
                before = show(&rows, other, removed);
                truth.clear();
            }
            match what {
                0 => other += rows.remove(id).unwrap_or(0),
                1 => removed += rows.remove(id).unwrap_or(0),
                _ => {
                    *rows.entry(*id).or_default() += n;
                    *truth.entry(*id).or_default() += n;
                }
            }
        }
        let cgroups = show(&rows, other, removed).since(&before).expect("an interval").cgroups.expect("cgroups");
        let sum: u64 = cgroups.groups.values().map(reclaimwb::ledger::Cgroup::total).sum();
        let heirs: u64 = cgroups.other.values().chain(cgroups.removed.values()).sum();
        prop_assert_eq!(sum + heirs, truth.values().sum::<u64>());
        for ((_, id), group) in &cgroups.groups {
            prop_assert!(group.total() <= truth.get(id).copied().unwrap_or(0));
        }
    }
}
