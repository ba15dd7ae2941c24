// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb report --html`: it loads nothing, escapes all, says what the other forms say, and stays small. What a
//! browser makes of it is in `tests/host/tool_html.sh`.

use std::{collections::BTreeMap, fs, path::Path};

use crate::common::{complaint, edit, fixture, ledger_dir, recording, run, stdout};
use proptest::prelude::*;
use reclaimwb::{
    html::{Axis, Events, Recorded, page},
    recording::{Event, Value},
    report,
};

/// Does harm in a page that does not escape it.
const HARM: &str = "</script></title></style><img src=x onerror=alert(1)>";

fn event(ns: u64, name: &str, comm: &str, fields: &str) -> Event {
    let value = |text: &str| text.parse().map_or_else(|_| Value::Text(text.into()), Value::Number);
    let fields = fields.split_whitespace().filter_map(|field| field.split_once('='));
    let fields = fields.map(|(key, text)| (key.to_owned(), value(text))).collect();
    Event { ns, cpu: 0, pid: 272, comm: comm.into(), name: name.into(), fields }
}

fn stall(ns: u64, usecs: u64, parts: &str) -> Event {
    let rest = "order=0 gfp=0x140cca nid=0 cgroup=1 scanned=100 freed=5 inactive_file=7 inactive_anon=8 dirty=9";
    event(ns, "stall", "memhog", &format!("origin=direct usecs={usecs} {parts} {rest}"))
}

fn write(ns: u64, origin: &str, pages: u64) -> Event {
    let fields = format!("origin={origin} kind=io type=anon nr_pages={pages} order=0 nid=0 cgroup=1 headroom=9000");
    event(ns, "reclaim_write", "memhog", &fields)
}

fn window(ns: u64, origin: &str, pages: u64, usecs: u64) -> Event {
    let fields = format!("origin={origin} nr_reclaimed=32 pages_written={pages} depth=1 usecs={usecs}");
    event(ns, "reclaim_window", "memhog", &fields)
}

/// The page of these arguments, as the tool writes it.
fn html(args: &[&str]) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("a.html");
    let out_name = out.to_str().expect("a plain path");
    assert_eq!(stdout(&[&["report"][..], args, &["--html", out_name]].concat()), "");
    assert_eq!(fs::read_dir(dir.path()).expect("a directory").count(), 1, "one file, and nothing beside it");
    fs::read_to_string(out).expect("a page")
}

/// The page of a recording with these events.
fn of_events(events: &[Event], lost: u64) -> String {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    recording(&path, ["stalls-before.json", "stalls.json"], events, lost);
    html(&[path.to_str().expect("a plain path")])
}

/// The tags of a page, each as it is written. Fails if there is one that never ends.
fn tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start..];
        let mut quoted = false;
        let end = rest.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let end = end.expect("a tag ends");
        tags.push(&rest[..=end]);
        // What is in these is no HTML.
        let raw = ["<style>", "<script>"].into_iter().find(|tag| rest.starts_with(tag));
        rest = raw.map_or(&rest[end + 1..], |tag| &rest[rest.find(&tag.replace('<', "</")).expect("an end")..]);
    }
    tags
}

/// What could be loaded from elsewhere.
fn assert_alone(html: &str) {
    for tag in tags(html) {
        let name = tag.trim_start_matches(['<', '/']).split([' ', '>']).next().unwrap_or_default();
        assert!(
            !["img", "iframe", "link", "object", "embed", "base", "form", "image", "use", "video", "audio"]
                .contains(&name),
            "{tag}"
        );
        for attribute in ["src=", "srcset=", "data=", "action=", "style=", "xlink:", "onerror", "onload", "onclick"] {
            // In what people read there may be anything; a value is in quotes, whose own are escaped.
            let outside: String = tag.split('"').step_by(2).collect();
            assert!(!outside.contains(&format!(" {attribute}")), "{tag}");
        }
        if let Some((_, link)) = tag.split_once("href=\"") {
            assert!(link.starts_with('#'), "{tag}");
        }
    }
    assert_eq!((html.matches("<script>").count(), html.matches("<style>").count()), (1, 1));
    assert!(!html.contains("url(") && !html.contains("@import"));
    let policy = html.split_once("Content-Security-Policy\" content=\"").expect("a policy").1;
    let policy = policy.split('"').next().expect("a policy").replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
}

fn all_events() -> Vec<Event> {
    vec![
        stall(2_000_000_000, 300_000, "scan=50000 nbd_lock=250000"),
        window(2_000_000_000, "direct", 40, 300_000),
        write(3_000_000_000, "kswapd", 7),
        stall(13_000_000_000, 2_000_000, "scan=1000000 off_cpu=1000000"),
        write(9_000_000_000, "direct", 5),
    ]
}

#[test]
fn of_every_source() {
    let dir = ledger_dir("stalls.json");
    let [now, before] = ["stalls.json", "stalls-before.json"].map(fixture);
    let pages = [
        html(&[&now]),
        html(&[&now, "--since", &before]),
        html(&["--debugfs", dir.path().to_str().expect("a plain path")]),
        html(&[&fixture("after.json")]),
        html(&[&fixture("handoff.json"), "--since", &fixture("handoff-before.json")]),
        of_events(&all_events(), 0),
    ];
    for html in &pages {
        assert_alone(html);
        assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\">") && html.ends_with("</html>\n"));
        for section in ["Summary", "System", "Charts", "Who wrote", "NBD requests", "Cost of recording", "All figures"]
        {
            assert!(html.contains(&format!("<h2>{section}")), "{section}");
        }
    }
    for html in &pages[..5] {
        assert!(
            html.contains(
                "These are totals of the whole time: only the events of a recording show how it went over time"
            )
        );
        assert!(!html.contains("over time, by"));
    }
    assert!(pages[5].contains("Stalls over time, by cause") && pages[5].contains("Writes over time, by origin"));
}

/// All that the text says below its head is in the page too, word for word.
#[test]
fn says_what_the_text_says() {
    let [now, before] = ["stalls.json", "stalls-before.json"].map(fixture);
    let text = stdout(&["report", &now, "--since", &before, "--width", "400", "--all-stacks"]);
    let html = html(&[&now, "--since", &before]);
    // As plain words, without marks.
    let mut plain = String::new();
    let mut rest = html.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        plain += before;
        plain.push(' ');
        rest = after.split_once('>').expect("a tag ends").1;
    }
    let plain = plain.replace("&gt;", ">").replace("&lt;", "<").replace("&quot;", "\"").replace("&amp;", "&");
    let plain: Vec<&str> = plain.split_whitespace().collect();
    let plain = plain.join(" ");
    let mut checked = 0;
    for line in text.lines().skip_while(|line| *line != "SUMMARY") {
        let line = line.trim_start_matches(['*', '!', '>', ' ']);
        // Drawings and what is left out of text only; headings are written otherwise.
        if line.starts_with(['-', '[', '.']) || line.contains("=caller") || line.contains("--") || line.ends_with('#') {
            continue;
        }
        for sentence in line.split_inclusive(". ").filter(|sentence| sentence.trim().ends_with('.')) {
            assert!(plain.contains(sentence.trim()), "{sentence}");
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
    for word in ["nr_vmscan_write", "blk_mq_dispatch_rq_list+0x2cc/0x6c0", "/rwb-limited", "jbd2-journal:(254:0)"] {
        assert!(plain.contains(word), "{word}");
    }
    // The text shows twelve of them.
    assert!(plain.contains("sb-bdev") || plain.matches("sb-").count() > 12);
}

/// Every figure of report.json is in a table.
#[test]
fn has_all_figures() {
    fn numbers(value: &serde_json::Value, into: &mut Vec<u64>) {
        match value {
            serde_json::Value::Number(number) => into.extend(number.as_u64()),
            serde_json::Value::Array(values) => values.iter().for_each(|value| numbers(value, into)),
            serde_json::Value::Object(map) => map.values().for_each(|value| numbers(value, into)),
            _ => {}
        }
    }
    let now = fixture("stalls.json");
    let html = html(&[&now]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&["report", &now, "--json"])).expect("JSON");
    let mut all = Vec::new();
    numbers(&report, &mut all);
    assert!(all.len() > 1000, "{}", all.len());
    for number in all {
        let text = reclaimwb::format::count(number);
        // A cell, or a part of a list in one.
        let forms = [format!(">{text}</td>"), format!(" {text}, "), format!(" {text}</td>")];
        assert!(forms.iter().any(|form| html.contains(form)), "{text}");
    }
}

#[test]
fn nothing_is_taken_for_html() {
    let dir = ledger_dir("stalls.json");
    let name = dir.path().to_str().expect("a plain path").to_owned();
    edit(dir.path(), "stalls_longest", |text| text.replace("comm=memhog", &format!("comm={HARM}")));
    edit(dir.path(), "stalls_cgroups", |text| {
        text.replace("/rwb-limited", &format!("/{}", HARM.replace(' ', "\\x20")))
    });
    let html = html(&["--debugfs", &name]);
    assert_alone(&html);
    assert!(!html.contains("<img") && html.contains("&lt;img src=x onerror=alert(1)&gt;"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
    /// Whatever a machine calls its things.
    #[test]
    fn any_name_is_text(name in r#"[<>&"'/a-z =!\-]{0,40}"#, also in any::<String>()) {
        let mut snapshot = crate::common::snapshot("after.json");
        snapshot.system.kernel_release = name.clone();
        snapshot.system.cmdline = also.clone();
        let mut plain = snapshot.clone();
        (plain.system.kernel_release, plain.system.cmdline) = ("x".into(), "x".into());
        let tags_of = |snapshot| {
            let html = page(&report::build(snapshot, None, "snapshot").expect("a report"), None).expect("a page");
            assert_alone(&html);
            tags(&html).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        // An empty one has no row.
        if !also.is_empty() {
            prop_assert_eq!(tags_of(&snapshot), tags_of(&plain));
        }
    }

    /// What the columns add up to is what the events add up to.
    #[test]
    fn columns_add_up(
        stalls in prop::collection::vec((0..14_000_000_u64, 0..3_000_000_u64, 0..1_000_000_u64), 0..40),
        writes in prop::collection::vec((0..14_000_000_u64, 1..500_u64), 0..40),
    ) {
        let mut events = Events::default();
        let (mut scan, mut lock, mut pages) = (0, 0, 0);
        for (at, scanned, locked) in stalls {
            let parts = format!("scan={scanned} nbd_lock={locked}");
            events.add(&stall(1_000_000_000 + at * 1000, scanned + locked, &parts));
            (scan, lock) = (scan + scanned * 1000, lock + locked * 1000);
        }
        for (at, n) in writes {
            events.add(&write(1_000_000_000 + at * 1000, "direct", n));
            pages += n;
        }
        prop_assert_eq!(&events.broken, &None);
        let axis = Axis::new(1_000_000_000, 12_500_000_000, 80, events.stalls.width().max(events.writes.width()));
        let bins = events.stalls.bins(&axis).bins;
        prop_assert!(bins.len() <= 81);
        let mut sums = BTreeMap::<&str, u64>::new();
        for (cause, ns) in bins.iter().flatten() {
            *sums.entry(cause.key()).or_default() += ns;
        }
        let of = |sums: &BTreeMap<&str, u64>, key| sums.get(key).copied().unwrap_or(0);
        prop_assert_eq!((of(&sums, "scan"), of(&sums, "nbd_lock")), (scan, lock));
        let written: u64 = events.writes.bins(&axis).bins.iter().flat_map(BTreeMap::values).sum();
        prop_assert_eq!(written, pages);
    }
}

/// The figures of a chart: the numbers of its table's last column.
fn column_sum(html: &str, id: &str) -> f64 {
    let chart = html.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}")).1;
    let table = chart.split_once("<tbody>").expect("a table").1.split_once("</tbody>").expect("its end").0;
    let rows = table.split("</tr>").filter(|row| row.contains("<td"));
    rows.map(|row| row.rsplit_once("data-n=\"").expect("a number").1.split('"').next().expect("a number"))
        .map(|number| number.parse::<f64>().expect("a number"))
        .sum()
}

#[test]
fn charts_have_the_events_figures() {
    let html = of_events(&all_events(), 0);
    assert!((column_sum(&html, "chart-stalls") - 2.3e9).abs() < 0.5);
    assert!((column_sum(&html, "chart-writes") - 12.0).abs() < 0.5);
    assert!(html.contains("from the 2 stalls of the recording"));
    // Windows say how much they wrote where folios were not recorded one by one.
    let html = of_events(&all_events()[..2], 0);
    assert!((column_sum(&html, "chart-writes") - 40.0).abs() < 0.5);
    assert!(html.contains("the event reclaim_write was not recorded"));
    for html in [of_events(&[], 0), of_events(&all_events(), 0)] {
        assert_eq!(html.matches("<svg class=\"chart\"").count(), html.matches("role=\"img\"").count());
        let labels = html.split("<svg class=\"chart\"").skip(1);
        assert!(labels.map(|svg| svg.split('>').next().expect("a tag")).all(|tag| tag.contains("aria-label=\"")));
    }
}

/// Columns of all charts begin at the same places, and what was set is marked in each at the same one.
#[test]
fn one_axis_with_what_was_set() {
    fn set(ns: u64, name: &str, before: &str, after: &str) -> Event {
        Event { pid: 9, ..event(ns, "parameter", "reclaimwb", &format!("name={name} before={before} after={after}")) }
    }
    fn attributes<'a>(chart: &'a str, tag: &str, name: &str) -> Vec<&'a str> {
        let (start, attribute) = (format!("<{tag} "), format!("{name}=\""));
        let of = |tag: &'a str| tag.split('>').next()?.split_once(&attribute)?.1.split('"').next();
        chart.split(start.as_str()).skip(1).filter_map(of).collect()
    }
    let mut events = all_events();
    // Far behind its end: the bins of stalls become longer than those of writes.
    events.push(stall(20_000_000_000, 9_000_000, "scan=9000000"));
    let plain = of_events(&events, 0);
    events.extend([
        set(8_500_000_000, "handoff", "always", "never"),
        set(4_750_000_000, "handoff", "never", "always"),
        set(4_751_000_000, "handoff_floor", "0", "4096"),
    ]);
    let html = of_events(&events, 0);
    let chart = |id: &str| {
        let chart = html.split_once(&format!("id=\"{id}\"")).unwrap_or_else(|| panic!("no {id}")).1;
        chart.split_once("</svg></div>").expect("its end").0.to_owned()
    };
    let (stalls, writes) = (chart("chart-stalls"), chart("chart-writes"));
    let ticks = attributes(&stalls, "line class=\"tick\"", "x1");
    assert!(ticks.len() > 2, "{ticks:?}");
    assert_eq!(ticks, attributes(&writes, "line class=\"tick\"", "x1"));
    let places = attributes(&stalls, "line class=\"limit\"", "x1");
    assert_eq!(places, attributes(&writes, "line class=\"limit\"", "x1"));
    // Of 12.5 s from 1 s on, in 63 columns of 200 ms.
    assert_eq!(places, ["29.762%", "59.524%"]);
    let says = [
        "1: at 3.750 s, handoff from never to always, handoff_floor from 0 to 4096",
        "2: at 7.500 s, handoff from always to never",
    ];
    for one in says {
        // In the list, and at the mark of each chart.
        assert_eq!(html.matches(one).count(), 3, "{one}");
    }
    assert!(!plain.contains("<g class=\"change\">") && !plain.contains("Parameters that were set"));
}

/// Of older recordings it is known that, and not when.
#[test]
fn what_was_set_at_an_unknown_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    recording(&path, ["stalls-before.json", "stalls.json"], &all_events(), 0);
    let text = fs::read_to_string(&path).expect("text");
    let at = text.find("{\"after\"").expect("a line");
    let (before, after) = text.split_at(at);
    let changed = after.replace("\"handoff\":\"never\"", "\"handoff\":\"always\"");
    assert_ne!(after, changed, "the fixture has that parameter");
    fs::write(&path, before.to_owned() + &changed).expect("written");
    let html = html(&[path.to_str().expect("a plain path")]);
    assert!(html.contains("Set during the recording, at a time that is not known: handoff from never to always."));
}

/// What is folded for other programs is what is drawn.
#[test]
fn the_flame_graph_is_of_the_folded_stacks() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    let mut events = all_events();
    events.push(stall(14_000_000_000, 100_000, "tlb=60000 lock=40000"));
    recording(&path, ["stalls-before.json", "stalls.json"], &events, 0);
    let recording = path.to_str().expect("a plain path");
    let snapshot = fixture("stalls.json");
    for (file, depth) in [(recording, 4), (snapshot.as_str(), 2)] {
        let html = html(&[file]);
        let chart = html.split_once("id=\"chart-flame\"").expect("a flame graph").1;
        let chart = chart.split_once("</figure>").expect("its end").0;
        let folded = stdout(&["stalls", file, "--folded"]);
        let (drawing, table) = chart.split_once("<tbody>").expect("figures");
        let mut lines = 0;
        for line in folded.lines() {
            let (stack, us) = line.rsplit_once(' ').expect("a count");
            assert_eq!(stack.split(';').count(), depth, "{line}");
            let stack = stack.replace(';', "; ");
            let time = reclaimwb::format::span(us.parse().expect("a number"));
            assert!(table.contains(&format!("<td>{stack}</td>")) && table.contains(&format!(">{time}</td>")), "{line}");
            lines += 1;
        }
        assert!(lines >= 5 && table.matches("<tr>").count() >= lines, "{lines}");
        assert!(drawing.contains("aria-label=\"Time that tasks stalled, as a flame graph: by cgroup, "));
        let whole = drawing.split("<title>all: ").nth(1).expect("a root").split(' ').next().expect("a number");
        let sum = column_sum(&html, "chart-flame") / 1e9;
        assert!((whole.replace(',', "").parse::<f64>().expect("a number") - sum).abs() < 0.002, "{whole} {sum}");
    }
    // Nobody stalled: there is nothing to draw.
    let path = dir.path().join("b.jsonl");
    crate::common::recording(&path, ["after.json", "after.json"], &[], 0);
    assert!(!html(&[path.to_str().expect("a plain path")]).contains("chart-flame"));
}

#[test]
fn without_events_it_says_so() {
    let html = of_events(&[], 0);
    // It was asked for, and the ledgers have some.
    assert!(html.contains("totals of the whole time: the recording has no such event (stall)."));
    assert!(html.contains("the event reclaim_window was not recorded (--events)."));
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    recording(&path, ["after.json", "after.json"], &[], 0);
    let html = self::html(&[path.to_str().expect("a plain path")]);
    assert!(html.contains("No task stalled while it was recorded.") && html.contains("Reclaim wrote nothing."));
}

#[test]
fn what_was_lost_is_said() {
    let html = of_events(&all_events(), 1234);
    assert!(html.contains("1,234 events were lost while recording (CPU 1: 1,234)"));
    // Of each chart of events.
    assert_eq!(html.matches("1,234 events were lost: some of it is missing here.").count(), 3);
    assert!(!of_events(&all_events(), 0).contains("events were lost"));
}

/// However many events there are.
#[test]
fn stays_small() {
    let few = of_events(&all_events(), 0).len();
    let many: Vec<Event> = (0..20_000_u64)
        .map(|i| match i % 2 {
            0 => stall(1_000_000_000 + i * 625_000, 90_000, "scan=50000 nbd_lock=30000 tlb=9000 shrinker=1000"),
            _ => write(1_000_000_000 + i * 625_000, "direct", 3),
        })
        .collect();
    let html = of_events(&many, 0);
    assert!(html.len() < few + 150_000 && html.len() < 1_000_000, "{few} {}", html.len());
    assert!((column_sum(&html, "chart-writes") - 30_000.0).abs() < 0.5);
    assert!((column_sum(&html, "chart-stalls") - 0.9e12).abs() < 1e3);
}

#[test]
fn the_same_each_time() {
    assert!(of_events(&all_events(), 7) == of_events(&all_events(), 7));
}

#[test]
fn there_as_a_whole_or_not_at_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = |name: &str| dir.path().join(name);
    let out = file("out.html");
    fs::write(&out, "before").expect("written");
    let out_name = out.to_str().expect("a plain path");
    // A recording that is cut off.
    let cut = file("cut.jsonl");
    recording(&cut, ["stalls-before.json", "stalls.json"], &all_events(), 0);
    let text = fs::read_to_string(&cut).expect("text");
    fs::write(&cut, &text[..text.len() / 2]).expect("written");
    let line = complaint(&["report", cut.to_str().expect("a plain path"), "--html", out_name]);
    assert!(line.contains("cut off"), "{line}");
    // An event that is not what its name says.
    let broken = file("broken.jsonl");
    recording(&broken, ["stalls-before.json", "stalls.json"], &[event(5, "reclaim_write", "x", "origin=direct")], 0);
    let line = complaint(&["report", broken.to_str().expect("a plain path"), "--html", out_name]);
    assert!(
        line.ends_with(
            "an event reclaim_write has no nr_pages that this tool can read; use the reclaimwb that made the recording"
        ),
        "{line}"
    );
    assert_eq!(fs::read_to_string(&out).expect("the file"), "before");
    let line = complaint(&["report", &fixture("after.json"), "--html", "/nonexistent/out.html"]);
    assert!(line.starts_with("cannot write /nonexistent/out.html: No such file"), "{line}");
    let now = fixture("after.json");
    for other in [&["--json"][..], &["--all-stacks"], &["--width", "80"]] {
        let args = [&["report", &now, "--html", out_name][..], other].concat();
        assert_eq!(run(&args).status.code(), Some(2), "{other:?}");
    }
    assert_eq!(stdout(&["report", &now, "--html", out_name]), "");
    assert!(fs::read_to_string(&out).expect("the file").starts_with("<!DOCTYPE html>"));
}

#[test]
fn a_recording_is_read_once_for_all() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    recording(&path, ["stalls-before.json", "stalls.json"], &all_events(), 0);
    let recorded = Recorded::read(&path, |_| true).expect("a recording");
    let events = &recorded.events;
    assert_eq!((events.stall_events, events.write_events, events.window_events), (2, 2, 1));
    assert!(recorded.recording.events.is_empty());
    assert!(Path::new(&path).is_file());
}
