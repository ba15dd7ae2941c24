// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb export`: what Prometheus is given. That promtool takes it is in `tests/host/tool_export.sh`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

use crate::common::{
    batches, complaint, edit, fixture, golden, ledger_dir, nbd, reserves, run, stalls_locks, stdout, waits,
    waits_cgroups,
};
use reclaimwb::export::{Family, Kind};
use serde_json::Value;

const FIXTURES: [&str; 6] =
    ["before.json", "after.json", "handoff-before.json", "handoff.json", "stalls-before.json", "stalls.json"];

/// A series: its name and labels.
type Series = (String, BTreeMap<String, String>);

/// `{name="value",...}` with escapes, and what follows it.
fn labels(text: &str) -> (BTreeMap<String, String>, &str) {
    let mut labels = BTreeMap::new();
    let Some(mut rest) = text.strip_prefix('{') else { return (labels, text) };
    loop {
        let (name, more) = rest.split_once("=\"").expect(text);
        let mut value = String::new();
        let mut chars = more.char_indices();
        let end = loop {
            match chars.next().expect(text) {
                (end, '"') => break end,
                (_, '\\') => match chars.next().expect(text).1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        };
        assert!(labels.insert(name.to_owned(), value).is_none(), "{name} twice: {text}");
        match more[end + 1..].split_at(1) {
            (",", more) => rest = more,
            ("}", more) => return (labels, more),
            _ => panic!("{text}"),
        }
    }
}

/// All series of an export, checked against the table as they are read.
fn parsed(text: &str) -> BTreeMap<Series, f64> {
    let (mut series, mut types, mut now) = (BTreeMap::new(), BTreeMap::new(), String::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (what, name) = (words.next().expect(line), words.next().expect(line));
            let row = Family::named(name).expect(line).row();
            match what {
                "HELP" => assert_eq!(words.next(), Some(row.help)),
                "TYPE" => {
                    assert_eq!(words.next(), Some(row.kind.word()));
                    assert!(types.insert(name.to_owned(), row.kind).is_none(), "{name} comes twice");
                    name.clone_into(&mut now);
                }
                _ => panic!("{line}"),
            }
            continue;
        }
        let end = line.find(['{', ' ']).expect(line);
        let (labels, value) = labels(&line[end..]);
        let name = &line[..end];
        let row = Family::of_sample(name).unwrap_or_else(|| panic!("{name} is not in the table")).row();
        assert_eq!(row.name, now, "{line} is not with its family");
        let mut wanted: BTreeSet<&str> = row.labels.iter().copied().collect();
        if name.ends_with("_bucket") {
            wanted.insert("le");
        }
        assert_eq!(labels.keys().map(String::as_str).collect::<BTreeSet<_>>(), wanted, "{line}");
        let value: f64 = value.strip_prefix(' ').expect(line).parse().expect(line);
        assert!(value >= 0.0 && value.is_finite(), "{line}");
        assert!(series.insert((name.to_owned(), labels), value).is_none(), "{line} is there twice");
    }
    series
}

fn export(args: &[&str]) -> String {
    stdout(&[&["export", "--prometheus"][..], args].concat())
}

fn of_fixture(name: &str) -> BTreeMap<Series, f64> {
    parsed(&export(&["--cgroups", &fixture(name)]))
}

/// Ledgers of a fixture, with those that its module did not have.
fn made() -> tempfile::TempDir {
    let dir = ledger_dir("stalls.json");
    for (name, text) in [
        ("nbd", nbd(100, [1, 2, 3, 4, 5, 6])),
        ("batches", batches([1, 2, 3, 4, 5, 6, 7])),
        ("reserves", reserves(1, 391)),
        ("stalls_locks", stalls_locks(2)),
        ("waits", waits([1, 2, 3, 4, 5, 6, 7, 8])),
        ("waits_cgroups", waits_cgroups([1, 2, 3, 4, 5, 6, 7, 8])),
    ] {
        fs::write(dir.path().join(name), text).expect("ledger written");
    }
    dir
}

fn live(dir: &tempfile::TempDir, more: &[&str]) -> String {
    export(&[&["--debugfs", dir.path().to_str().expect("a plain path")][..], more].concat())
}

/// Values of a family's series, summed.
fn sum(series: &BTreeMap<Series, f64>, name: &str, labels: &[(&str, &str)]) -> f64 {
    let matches = |of: &BTreeMap<String, String>| labels.iter().all(|(k, v)| of.get(*k).is_some_and(|is| is == v));
    let found: Vec<f64> = series.iter().filter(|((n, l), _)| n == name && matches(l)).map(|(_, v)| *v).collect();
    assert!(!found.is_empty(), "no {name} {labels:?}");
    found.iter().sum()
}

#[test]
fn text_of_fixtures() {
    golden("export.prom", &export(&["--cgroups", &fixture("stalls.json")]));
    golden("export-handoff.prom", &export(&[&fixture("handoff.json")]));
}

/// Of ledgers made here, what no fixture has.
#[test]
fn text_of_newer_ledgers() {
    let text = live(&made(), &[]);
    let newer = |line: &&str| {
        let name = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
        ["nbd", "zone", "reserve", "stall_lock", "swap_batch", "wait", "refault", "device_wait"]
            .iter()
            .any(|start| name.starts_with(&format!("reclaimwb_{start}")))
    };
    let text: Vec<&str> = text.lines().filter(newer).collect();
    golden("export-newer.prom", &(text.join("\n") + "\n"));
}

#[test]
fn all_of_the_table_is_used() {
    let mut seen: BTreeSet<Family> = BTreeSet::new();
    let mut texts: Vec<BTreeMap<Series, f64>> = FIXTURES.map(of_fixture).into();
    texts.push(parsed(&live(&made(), &["--cgroups"])));
    for series in texts {
        seen.extend(series.keys().filter_map(|(name, _)| Family::of_sample(name)));
    }
    let unseen: Vec<&Family> = Family::ALL.iter().filter(|family| !seen.contains(family)).collect();
    assert!(unseen.is_empty(), "never exported: {unseen:?}");
}

#[test]
fn histograms_add_up() {
    for series in FIXTURES.map(of_fixture) {
        let mut buckets = BTreeMap::<Series, Vec<(f64, f64)>>::new();
        for ((name, labels), n) in &series {
            if let Some(base) = name.strip_suffix("_bucket") {
                let mut labels = labels.clone();
                let le = labels.remove("le").expect("le");
                let le = if le == "+Inf" { f64::INFINITY } else { le.parse().expect("a number") };
                buckets.entry((base.to_owned(), labels)).or_default().push((le, *n));
            }
        }
        assert!(!buckets.is_empty());
        for ((base, labels), mut buckets) in buckets {
            buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(buckets.is_sorted_by(|a, b| a.1 <= b.1), "{base} {labels:?}");
            let count = series[&(format!("{base}_count"), labels.clone())];
            let sum = series[&(format!("{base}_sum"), labels.clone())];
            let (last, all) = *buckets.last().expect("a bucket");
            assert!(last.is_infinite() && all.to_bits() == count.to_bits(), "{base} {labels:?}");
            // The sum lies between what the buckets allow. A sum of whole microseconds may be cut short.
            let mut lower = 0.0;
            let (mut below, mut before) = (0.0, 0.0);
            for (le, n) in &buckets {
                lower += (n - before) * below;
                (below, before) = (*le, *n);
            }
            let slack = if base.ends_with("_seconds") { count * 2e-6 + sum * 1e-9 } else { 0.0 };
            assert!(sum + slack >= lower, "{base} {labels:?}: {sum} for at least {lower}");
        }
    }
}

/// What Prometheus would take for a restart of the machine.
#[test]
fn counters_never_go_down() {
    let pairs = FIXTURES.chunks(2).map(|pair| (of_fixture(pair[0]), of_fixture(pair[1])));
    let made = {
        let (dir, more) = (made(), made());
        for (name, text) in [
            ("nbd", nbd(200, [2, 4, 6, 8, 10, 12])),
            ("batches", batches([2, 4, 6, 8, 10, 12, 14])),
            ("reserves", reserves(2, 300)),
        ] {
            fs::write(more.path().join(name), text).expect("ledger written");
        }
        (parsed(&live(&dir, &["--cgroups"])), parsed(&live(&more, &["--cgroups"])))
    };
    let grown: u64 = pairs.chain([made]).map(|(before, after)| grown(before, &after)).sum();
    assert!(grown > 300, "{grown}");
}

/// How many counters have grown. None may have fallen.
fn grown(before: BTreeMap<Series, f64>, after: &BTreeMap<Series, f64>) -> u64 {
    let mut grown = 0;
    for ((name, labels), was) in before {
        if Family::of_sample(&name).expect("in the table").row().kind == Kind::Gauge {
            continue;
        }
        let is = *after.get(&(name.clone(), labels.clone())).unwrap_or_else(|| panic!("{name} {labels:?} is gone"));
        assert!(is >= was, "{name} {labels:?} was {was} and is {is}");
        grown += u64::from(is > was);
    }
    grown
}

/// The number in this row of a ledger.
fn row(text: &str, key: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {key}"))
}

/// Gives the row of a shrinker's calls to another, and what it had counted to the sum of these.
fn given_away(text: &str, heir: &str) -> String {
    let mut new = String::new();
    for line in text.lines().filter(|line| !line.starts_with("shrinker.0.")) {
        let (key, value) = line.split_once(' ').expect("a row");
        if let Some(what) = key.strip_prefix("other.") {
            let old: u64 = value.parse().expect("a number");
            let given = row(text, &format!("shrinker.0.{what}"));
            let (other, removed) = if heir == "other" { (old + given, 0) } else { (old, given) };
            let _ = write!(new, "other.{what} {other}\nremoved.{what} {removed}\n");
        } else {
            let _ = writeln!(new, "{line}");
        }
    }
    new
}

/// What goes from one row of a ledger to another must not look like a restart either.
#[test]
fn counters_do_not_fall_if_their_rows_do() {
    let dir = made();
    let before = parsed(&live(&dir, &["--cgroups"]));
    // What was queued, and failed later.
    edit(dir.path(), "writes", |text| {
        let (folios, pages) = (row(text, "direct.anon.io.folios"), row(text, "direct.anon.io.pages"));
        text.replace(&format!("direct.anon.io.folios {folios}\n"), &format!("direct.anon.io.folios {}\n", folios - 1))
            .replace(&format!("direct.anon.io.pages {pages}\n"), &format!("direct.anon.io.pages {}\n", pages - 2))
            + "direct.anon.failed.folios 1\ndirect.anon.failed.pages 2\n"
    });
    let after = parsed(&live(&dir, &["--cgroups"]));
    assert_eq!(grown(before, &after), 2);
    let of = [("origin", "direct"), ("type", "anon")];
    assert_eq!(sum(&after, "reclaimwb_failed_pages_total", &of).to_bits(), 2.0_f64.to_bits());
    for heir in ["other", "removed"] {
        let dir = made();
        let text = fs::read_to_string(dir.path().join("shrinkers")).expect("ledger");
        assert!(row(&text, "shrinker.0.calls") > 0 && !text.contains("removed.calls"));
        let before = parsed(&live(&dir, &[]));
        edit(dir.path(), "shrinkers", |text| given_away(text, heir));
        assert_eq!(grown(before, &parsed(&live(&dir, &[]))), 0, "{heir}");
    }
}

/// Waits of cgroups that have no row, or none any more, are not lost.
#[test]
fn waits_of_all_cgroups_add_up() {
    let dir = made();
    edit(dir.path(), "waits_cgroups", |text| {
        text.replace("other.0.psi.ns 0\n", "other.0.psi.ns 0\nother.0.stall.waits 1\nother.0.stall.ns 2000000\n")
            + "removed.0.path -\nremoved.0.psi.ns 0\nremoved.0.stall.waits 1\nremoved.0.stall.ns 5000000\n\
               removed.0.refaults.anon.pages 0\nremoved.0.refaults.file.pages 7\n"
    });
    let series = parsed(&live(&dir, &["--cgroups"]));
    let close = |is: f64, wanted: f64| assert!((is - wanted).abs() < 1e-9, "{is} for {wanted}");
    close(sum(&series, "reclaimwb_cgroup_wait_seconds_total", &[("kind", "stall")]), 0.004 + 0.002 + 0.005);
    let removed = [("id", "0"), ("path", "(removed)")];
    close(sum(&series, "reclaimwb_cgroup_wait_seconds_total", &removed), 0.005);
    close(sum(&series, "reclaimwb_cgroup_refaulted_pages_total", &[("type", "file")]), 5020.0 + 7.0);
}

#[test]
fn waits_for_locks_are_counted() {
    let series = parsed(&live(&made(), &[]));
    assert_eq!(sum(&series, "reclaimwb_stall_lock_waits_total", &[]).to_bits(), 12.0_f64.to_bits());
    assert_eq!(sum(&series, "reclaimwb_stall_lock_wait_seconds_total", &[]).to_bits(), 9.0_f64.to_bits());
}

/// The parts of this ledger are on or off each by itself.
#[test]
fn waits_that_are_not_seen_have_no_samples() {
    let all = parsed(&live(&made(), &["--cgroups"]));
    let of = |name: &str| name.contains("_wait_") && !name.contains("reserve") && !name.contains("lock");
    for (state, kinds) in [
        ("state", &["swapin", "refault"][..]),
        ("dirty", &["dirty"]),
        ("psi", &["stall", "high", "io_throttle", "kernel", "unexplained"]),
        ("refaults", &[]),
    ] {
        for word in ["off", "unavailable"] {
            let dir = made();
            edit(dir.path(), "waits", |text| text.replacen(&format!("{state} on\n"), &format!("{state} {word}\n"), 1));
            let some = parsed(&live(&dir, &["--cgroups"]));
            let gone: BTreeSet<&Series> = all.keys().filter(|series| !some.contains_key(*series)).collect();
            let wanted = |(name, labels): &&Series| {
                labels.get("kind").is_some_and(|kind| of(name) && kinds.contains(&kind.as_str()))
                    || state == "psi" && name == "reclaimwb_wait_psi_seconds_total"
                    || state == "refaults" && name.contains("refaulted_pages")
            };
            assert_eq!(gone, all.keys().filter(wanted).collect::<BTreeSet<_>>(), "{state} {word}");
            assert!(!gone.is_empty(), "{state}");
        }
    }
}

/// The figures are those of the report.
#[test]
fn says_what_the_report_says() {
    let series = of_fixture("stalls.json");
    let report: Value = serde_json::from_str(&stdout(&["report", "--json", &fixture("stalls.json")])).expect("JSON");
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("no number: {value}"));
    let same = |is: f64, wanted: f64| assert!((is - wanted).abs() <= wanted.abs() * 1e-9, "{is} for {wanted}");
    same(sum(&series, "reclaimwb_stall_seconds_sum", &[]), number(&report["stalls"]["ns"]) / 1e9);
    same(sum(&series, "reclaimwb_stall_seconds_count", &[]), number(&report["stalls"]["stalls"]));
    same(sum(&series, "reclaimwb_stall_cause_seconds_total", &[]), number(&report["stalls"]["ns"]) / 1e9);
    same(sum(&series, "reclaimwb_cgroup_stall_cause_seconds_total", &[]), number(&report["stalls"]["ns"]) / 1e9);
    for cause in report["stalls"]["causes"].as_array().expect("causes") {
        let label = [("cause", cause["cause"].as_str().expect("a cause"))];
        same(sum(&series, "reclaimwb_stall_cause_seconds_total", &label), number(&cause["ns"]) / 1e9);
        same(sum(&series, "reclaimwb_stall_part_seconds_sum", &label), number(&cause["ns"]) / 1e9);
        same(sum(&series, "reclaimwb_stall_part_seconds_count", &label), number(&cause["stalls"]["count"]));
    }
    same(sum(&series, "reclaimwb_written_pages_total", &[]), number(&report["writes"]["pages"]));
    for row in report["writes"]["origins"].as_array().expect("origins") {
        let label = [("origin", row["origin"].as_str().expect("an origin"))];
        same(sum(&series, "reclaimwb_written_pages_total", &label), number(&row["pages"]));
        same(sum(&series, "reclaimwb_written_by_node_pages_total", &label), number(&row["pages"]));
        same(sum(&series, "reclaimwb_written_by_order_folios_total", &label), number(&row["folios"]));
    }
    for row in report["headroom"]["rows"].as_array().expect("rows").iter().filter(|row| row["samples"] != 0) {
        let label = [("origin", row["origin"].as_str().expect("one")), ("layer", row["layer"].as_str().expect("one"))];
        same(sum(&series, "reclaimwb_headroom_min_bytes", &label), number(&row["min_left"]));
        same(sum(&series, "reclaimwb_headroom_bytes_count", &label), number(&row["samples"]));
    }
    let total = &report["shrinkers"]["total"];
    same(sum(&series, "reclaimwb_shrinker_calls_total", &[]), number(&total["calls"]));
    let ns = number(&total["count_ns"]) + number(&total["scan_ns"]);
    same(sum(&series, "reclaimwb_shrinker_seconds_total", &[]), ns / 1e9);
    for row in report["compaction"]["orders"].as_array().expect("orders") {
        let order = row["order"].to_string();
        same(sum(&series, "reclaimwb_compaction_seconds_sum", &[("order", &order)]), number(&row["ns"]) / 1e9);
    }
}

/// Of an origin that never waited there is nothing to tell.
#[test]
fn waits_for_room_are_by_origin() {
    let series = of_fixture("handoff.json");
    let direct = [("origin", "direct")];
    let close = |is: f64, wanted: f64| assert!((is - wanted).abs() < 1e-6, "{is} for {wanted}");
    close(sum(&series, "reclaimwb_handoff_wait_seconds_count", &direct), 861.0);
    close(sum(&series, "reclaimwb_handoff_wait_seconds_sum", &direct), 45.117_39);
    close(sum(&series, "reclaimwb_handoff_handed_requests_total", &direct), 1103.0);
    let of: BTreeSet<&str> = series
        .keys()
        .filter(|(name, _)| name == "reclaimwb_handoff_wait_seconds_count")
        .map(|(_, labels)| labels["origin"].as_str())
        .collect();
    assert_eq!(of, BTreeSet::from(["direct", "kswapd"]));
}

#[test]
fn cgroups_only_if_asked() {
    let by_cgroup = |text: &str| text.lines().filter(|line| line.starts_with("reclaimwb_cgroup_")).count();
    assert_eq!(by_cgroup(&export(&[&fixture("stalls.json")])), 0);
    assert!(by_cgroup(&export(&["--cgroups", &fixture("stalls.json")])) > 10);
}

/// A zero would say that there was no stall.
#[test]
fn what_is_off_has_no_samples() {
    for (ledger, start) in [
        ("stalls", "reclaimwb_stall_"),
        ("shrinkers", "reclaimwb_shrinker_"),
        ("compaction", "reclaimwb_compaction_"),
        ("tlb", "reclaimwb_tlb_"),
        ("metadata", "reclaimwb_metadata_"),
        ("nbd", "reclaimwb_nbd_"),
        ("batches", "reclaimwb_swap_batch"),
        ("stalls_locks", "reclaimwb_stall_lock_"),
    ] {
        let dir = made();
        let count = |text: &str| text.lines().filter(|line| line.starts_with(start)).count();
        assert!(count(&live(&dir, &[])) > 0, "{start}");
        edit(dir.path(), ledger, |text| text.replacen("state on\n", "state off\n", 1));
        assert_eq!(count(&live(&dir, &[])), 0, "{start}");
    }
}

#[test]
fn a_ledger_that_is_not_there_is_told() {
    let text = export(&[&fixture("before.json")]);
    assert!(text.contains("reclaimwb_ledger_available{ledger=\"writes\"} 1\n"));
    assert!(text.contains("reclaimwb_ledger_available{ledger=\"stalls\"} 0\n"));
    assert!(!text.contains("reclaimwb_stall_seconds"));
}

#[test]
fn a_file_is_replaced_for_all_to_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("reclaimwb.prom");
    fs::write(&file, "old").expect("written");
    let old = fs::File::open(&file).expect("open");
    // Whatever the caller lets others do.
    let script = "umask 077; exec \"$0\" export --prometheus -o \"$1\" \"$2\"";
    let snapshot = fixture("handoff.json");
    let args = [env!("CARGO_BIN_EXE_reclaimwb"), file.to_str().expect("a plain path"), snapshot.as_str()];
    let done = Command::new("sh").args(["-c", script]).args(args).output().expect("sh");
    assert!(done.status.success() && done.stdout.is_empty() && done.stderr.is_empty(), "{done:?}");
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o644);
    assert_eq!(fs::read_to_string(&file).expect("text"), export(&[&snapshot]));
    assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1, "something is left over");
    // It is another file: who had the old one open still reads that.
    assert_eq!(std::io::read_to_string(old).expect("read"), "old");
}

#[test]
fn the_old_file_stays_if_there_is_nothing_new() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("reclaimwb.prom");
    let name = file.to_str().expect("a plain path");
    fs::write(&file, "old").expect("written");
    let said = complaint(&["export", "--prometheus", "-o", name, "--debugfs", "/nowhere"]);
    assert!(said.contains("not loaded"), "{said}");
    assert_eq!(fs::read_to_string(&file).expect("text"), "old");
    let said = complaint(&["export", "--prometheus", "-o", "/nowhere/a.prom", &fixture("after.json")]);
    assert!(said.contains("cannot write /nowhere/a.prom"), "{said}");
    assert!(!Path::new("/nowhere").exists());
}

/// There may be other systems one day.
#[test]
fn the_format_must_be_named() {
    let output = run(&["export", &fixture("after.json")]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--prometheus"));
}
