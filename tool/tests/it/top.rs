// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb top`: what is computed, what is drawn, what each key does; without a terminal.

use std::{fmt::Write as _, path::Path, process::Command, time::Duration};

use crate::common::{complaint, edit, fixture, golden, ledger_dir, run};
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
};
use reclaimwb::{
    ledger::Ledgers,
    snapshot::Snapshot,
    top::{
        draw::{self, Look},
        figures::{By, Figures},
        view::{Todo, View},
        watch::{Sample, Watch},
    },
};

const PLAIN: Look = Look { colour: false, unicode: false };

fn sample(name: &str) -> Sample {
    let snapshot = Snapshot::load(Path::new(&fixture(name))).expect("fixture");
    Sample { at: snapshot.system.uptime, ledgers: snapshot.ledgers().expect("ledgers") }
}

/// Both fixtures of a load, as two samples.
fn watch(load: &str) -> Watch {
    let mut watch = Watch::new(sample(&format!("{load}-before.json")));
    watch.push(sample(&format!("{load}.json"))).expect("the second comes after the first");
    watch
}

/// A sample of these ledgers, with some replaced.
fn sample_with(at: f64, fixture_name: &str, replaced: &[(&str, &str)]) -> Sample {
    let dir = ledger_dir(fixture_name);
    for (name, text) in replaced {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    let text = |name: &str| std::fs::read_to_string(dir.path().join(name)).ok();
    let texts: Vec<(&str, Option<String>)> = reclaimwb::ledger::NAMES.iter().map(|name| (*name, text(name))).collect();
    let ledgers = Ledgers::parse(|name| {
        let found = texts.iter().find(|(n, _)| *n == name).and_then(|(_, text)| text.as_deref());
        found.ok_or_else(|| "not there".to_owned())
    });
    Sample { at, ledgers: ledgers.expect("ledgers") }
}

fn screen(watch: &Watch, view: &mut View, (width, height): (u16, u16), look: Look) -> String {
    let mut figures = Figures::new(watch, view.by).expect("figures");
    figures.table.sort(view.sort());
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|f| draw::frame(f, &figures, view, Duration::from_secs(1), look)).expect("drawn");
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..height {
        let line: String = (0..width).map(|x| buffer[(x, y)].symbol()).collect();
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn press(view: &mut View, watch: &Watch, code: KeyCode) -> Todo {
    view.key(KeyEvent::new(code, KeyModifiers::NONE), &Figures::new(watch, view.by).expect("figures").table)
}

/// The number in this row of the fixture.
fn row(fixture_name: &str, ledger: &str, key: &str) -> f64 {
    let text = std::fs::read_to_string(fixture(fixture_name)).expect("fixture");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let rows = json["ledgers"][ledger]["rows"].as_array().expect("rows").clone();
    let value = rows.iter().find_map(|row| row.as_str()?.strip_prefix(&format!("{key} "))?.parse().ok());
    value.unwrap_or_else(|| panic!("{fixture_name} has no {key}"))
}

/// The cells of the row that begins so.
fn cells(screen: &str, name: &str) -> Vec<String> {
    let line = screen.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in\n{screen}"));
    line[name.len()..].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

#[test]
fn rates_are_the_growth_in_the_time_between() {
    let watch = watch("stalls");
    let figures = Figures::new(&watch, By::Origin).expect("figures");
    let seconds = sample("stalls.json").at - sample("stalls-before.json").at;
    assert!(seconds > 60.0, "the fixtures are {seconds} s apart");
    let growth = |ledger: &str, key: &str| row("stalls.json", ledger, key) - row("stalls-before.json", ledger, key);
    let sum = |ledger: &str, what: &str, origins: &[&str]| -> f64 {
        origins.iter().map(|origin| growth(ledger, &format!("{origin}.{what}"))).sum()
    };
    let stalling = ["direct", "memcg_max", "memcg_high", "memcg_reclaim", "node", "other"];
    let close =
        |figure: f64, expected: f64| assert!((figure - expected).abs() < 1e-6 * expected, "{figure} {expected}");
    let per_s = |figure: &reclaimwb::ledger::Read<reclaimwb::top::figures::Figure>| {
        figure.as_ref().expect("there").per_s.expect("a rate")
    };
    close(per_s(&figures.stalls), sum("stalls", "stalls", &stalling) / seconds);
    close(per_s(&figures.stalled_ns), sum("stalls", "ns", &stalling) / seconds);
    close(per_s(&figures.written), growth("writes", "total.pages") / seconds);
    assert!(per_s(&figures.stalls) > 1.0, "nothing to see in this fixture");

    let shown = screen(&watch, &mut View::new(By::Origin), (80, 24), PLAIN);
    let stalls = sum("stalls", "stalls", &["direct"]) / seconds;
    assert_eq!(cells(&shown, "direct")[0], format!("{stalls:.1}"), "{shown}");
    let share = sum("stalls", "ns", &["direct"]) / seconds / 1e7;
    assert!(shown.contains(&format!("{share:.1} %")), "{share} is not in\n{shown}");
}

#[test]
fn handed_off_and_refused() {
    let watch = watch("handoff");
    let seconds = sample("handoff.json").at - sample("handoff-before.json").at;
    let growth = |key: &str| row("handoff.json", "handoff", key) - row("handoff-before.json", "handoff", key);
    let figures = Figures::new(&watch, By::Origin).expect("figures");
    let handed = figures.handed.as_ref().expect("handoff").per_s.expect("a rate");
    let origins = reclaimwb::names::Origin::ALL;
    let expected: f64 = origins.iter().map(|o| growth(&format!("{}.taken.pages", o.key()))).sum::<f64>() / seconds;
    assert!(expected > 0.0 && (handed - expected).abs() < 1e-6, "{handed} {expected}");
    // Of an older module, which has no ledger of stalls: said once, and no figure made up.
    let shown = screen(&watch, &mut View::new(By::Origin), (80, 24), PLAIN);
    assert!(shown.contains("stalls: the module is older than the stall ledger"), "{shown}");
    assert!(shown.lines().any(|line| line.starts_with("stalls               -              -")), "{shown}");
}

#[test]
fn frames() {
    let watch = watch("stalls");
    for by in By::ALL {
        golden(&format!("top-{}.txt", by.word()), &screen(&watch, &mut View::new(by), (80, 24), PLAIN));
    }
    let wide = screen(&watch, &mut View::new(By::Task), (160, 40), PLAIN);
    golden("top-wide.txt", &wide);
    for by in By::ALL {
        let table = Figures::new(&watch, by).expect("figures").table;
        assert!(table.note.len() <= 80, "{} does not fit", table.note);
    }
    // What does not fit at 80 columns.
    assert!(wide.contains("CGROUP") && wide.contains("/rwb-limited"), "{wide}");
}

/// The rows of cgroups add up to what is above them.
#[test]
fn removed_cgroups_have_a_row() {
    let dir = ledger_dir("stalls.json");
    let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).expect("ledger");
    let (stalls, pages) = (read("stalls_cgroups"), read("cgroups"));
    // One of them has lost its row.
    let of = |text: &str, is_its: bool| -> String {
        let lines = text.lines().filter(|line| line.starts_with("cgroup.23.") == is_its);
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    let rest = |text: &str| of(text, false);
    let given = of(&stalls, true).replace("cgroup.23.path /rwb-limited", "cgroup.23.path -");
    let stalls = rest(&stalls) + &given.replace("cgroup.23.", "removed.0.");
    let pages = rest(&pages) + "removed.memcg_max.pages 5135\n";
    let watch = Watch::new(sample_with(1.0, "stalls.json", &[("stalls_cgroups", &stalls), ("cgroups", &pages)]));
    let figures = Figures::new(&watch, By::Cgroup).expect("figures");
    let column = |title: &str| figures.table.columns.iter().position(|column| column.title == title).expect(title);
    let sum = |title: &str| -> f64 { figures.table.rows.iter().filter_map(|row| row.cells[column(title)].key).sum() };
    let close = |sum: f64, all: u64| assert!((sum - all as f64).abs() < 0.5, "{sum} of {all}");
    close(sum("STALLS"), figures.stalls.as_ref().expect("there").total);
    close(sum("STALLED FOR"), figures.stalled_ns.as_ref().expect("there").total);
    let shown = screen(&watch, &mut View::new(By::Cgroup), (132, 24), PLAIN);
    let row = cells(&shown, "(removed ones)");
    assert!(row.contains(&"77".into()) && row.contains(&"5,135".into()), "{shown}");
    // Without any there is no such row.
    let shown = screen(&Watch::new(sample("stalls.json")), &mut View::new(By::Cgroup), (132, 24), PLAIN);
    assert!(!shown.contains("(removed ones)"), "{shown}");
}

#[test]
fn every_size() {
    let watch = watch("stalls");
    for width in [1, 2, 40, 79, 80, 81, 100, 132, 300] {
        for height in [1, 2, 10, 19, 20, 24, 60] {
            for help in [false, true] {
                let mut view = View::new(By::Task);
                view.help = help;
                let shown = screen(&watch, &mut view, (width, height), PLAIN);
                let fits = width >= 80 && height >= 20;
                assert_eq!(fits, shown.contains(" q quit  o origin"), "{width}x{height}:\n{shown}");
                if !fits && width >= 40 && height > 2 {
                    let flat = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                    let need = format!("needs 80 columns and 20 rows; this terminal has {width} and {height}.");
                    assert!(flat.contains(&need), "{flat}");
                }
            }
        }
    }
}

#[test]
fn ascii_unless_the_locale_is_utf8() {
    let watch = watch("stalls");
    let look = |term, locale| Look::new(term, locale, false);
    for plain in [look("vt100", "en_US.UTF-8"), look("vt220", "C"), look("linux", "C"), look("xterm", "POSIX")] {
        assert!(screen(&watch, &mut View::new(By::Origin), (80, 24), plain).is_ascii());
    }
    for full in [look("linux", "C.UTF-8"), look("xterm-256color", "de_DE.utf8")] {
        let shown = screen(&watch, &mut View::new(By::Origin), (80, 24), full);
        assert!(shown.contains('▼') && shown.contains('─'), "{shown}");
    }
    assert!(!look("vt100", "C").colour && look("linux", "C").colour);
    assert!(!Look::new("xterm", "C", true).colour, "NO_COLOR");
}

#[test]
fn nothing_in_a_name_steers_the_terminal() {
    let text = std::fs::read_to_string(ledger_dir("stalls.json").path().join("stalls_longest")).expect("ledger");
    let hostile = text.replace("comm=memhog", "comm=\u{1b}[2Jé");
    assert_ne!(text, hostile);
    let watch = Watch::new(sample_with(1.0, "stalls.json", &[("stalls_longest", &hostile)]));
    let shown = screen(&watch, &mut View::new(By::Task), (80, 24), PLAIN);
    assert!(shown.contains("?[2J?[150]"), "{shown}");
    let unicode = Look { unicode: true, ..PLAIN };
    assert!(screen(&watch, &mut View::new(By::Task), (80, 24), unicode).contains("?[2Jé[150]"));
}

#[test]
fn the_lowest_zone() {
    let text = crate::common::reserves(1, 312);
    let watch = Watch::new(sample_with(1.0, "stalls.json", &[("reserves", &text)]));
    let shown = screen(&watch, &mut View::new(By::Origin), (80, 24), PLAIN);
    // Not zone DMA, of which nobody took any.
    assert!(shown.contains("reserve  0.DMA32 lowest 312 of 1,799 p"), "{shown}");
    assert!(shown.contains("now 2,000 free, min 1,799"), "{shown}");
    let tasks = screen(&watch, &mut View::new(By::Task), (80, 24), PLAIN);
    // Known by name alone: 16 waits of 100 ms.
    let waiter = tasks.lines().find_map(|line| line.strip_prefix(" memhog ")).expect("a row by name");
    assert_eq!(waiter.split_whitespace().collect::<Vec<_>>(), ["-", "-", "-", "1.600", "s"], "{tasks}");
}

#[test]
fn what_is_off_says_how_to_switch_it_on() {
    let dir = ledger_dir("stalls.json");
    let stalls = std::fs::read_to_string(dir.path().join("stalls")).expect("ledger");
    let off = stalls.replace("state on", "state off");
    let watch = Watch::new(sample_with(1.0, "stalls.json", &[("stalls", &off)]));
    let shown = screen(&watch, &mut View::new(By::Cgroup), (80, 24), PLAIN);
    assert!(shown.contains("stalls: switched off; reclaimwb tune stalls=Y"), "{shown}");
    assert_eq!(cells(&shown, "/rwb-limited")[..2], ["-", "-"], "{shown}");
}

#[test]
fn no_rates_before_the_second_sample() {
    let watch = Watch::new(sample("stalls.json"));
    let shown = screen(&watch, &mut View::new(By::Origin), (80, 24), PLAIN);
    assert!(shown.lines().any(|line| line.starts_with("stalls               -            793")), "{shown}");
}

#[test]
fn two_samples_of_one_moment() {
    let mut watch = Watch::new(sample("stalls-before.json"));
    let at = sample("stalls-before.json").at;
    watch.push(Sample { at, ..sample("stalls.json") }).expect("later");
    assert_eq!(Figures::new(&watch, By::Origin).expect("figures").stalls.expect("there").per_s, None);
}

#[test]
fn a_module_that_was_loaded_anew() {
    let mut watch = watch("stalls");
    watch.reset();
    watch.push(sample("stalls-before.json")).expect("no error");
    let shown = screen(&watch, &mut View::new(By::Origin), (80, 24), PLAIN);
    assert!(shown.contains("loaded anew") && shown.contains("since load"), "{shown}");
    watch.push(sample("stalls.json")).expect("later");
    let shown = screen(&watch, &mut View::new(By::Origin), (80, 24), PLAIN);
    assert!(!shown.contains("loaded anew"), "{shown}");
}

/// If only one count fell, the module stayed: that is said, with what fell.
#[test]
fn a_count_that_went_back() {
    let text = std::fs::read_to_string(ledger_dir("stalls.json").path().join("writes")).expect("ledger");
    let windows = format!("kswapd.windows {}\n", row("stalls.json", "writes", "kswapd.windows"));
    let less = text.replace(&windows, "kswapd.windows 1\n");
    assert_ne!(text, less);
    let mut watch = watch("stalls");
    watch.push(sample_with(watch.now().at + 1.0, "stalls.json", &[("writes", &less)])).expect("no error");
    let shown = screen(&watch, &mut View::new(By::Origin), (132, 24), PLAIN);
    assert!(shown.contains("rates begin anew: kswapd.windows was ") && !shown.contains("loaded anew"), "{shown}");
}

#[test]
fn reset_begins_the_totals_anew() {
    let mut watch = Watch::new(sample("stalls-before.json"));
    watch.push(sample("stalls.json")).expect("later");
    watch.reset();
    watch.push(Sample { at: 87.0, ..sample("stalls.json") }).expect("later");
    let shown = screen(&watch, &mut View::new(By::Task), (80, 24), PLAIN);
    assert!(shown.contains("since 10 s"), "{shown}");
    assert!(shown.lines().any(|line| line.starts_with("stalls               0              0")), "{shown}");
    assert!(shown.contains("nothing yet"), "{shown}");
}

#[test]
fn keys() {
    let watch = watch("stalls");
    let mut view = View::new(By::Origin);
    for (key, by) in [('c', By::Cgroup), ('t', By::Task), ('o', By::Origin)] {
        assert_eq!(press(&mut view, &watch, KeyCode::Char(key)), Todo::Draw);
        assert_eq!(view.by, by);
        let shown = screen(&watch, &mut view, (80, 24), PLAIN);
        assert!(shown.contains(&format!("by {}", by.word())), "{shown}");
    }
    press(&mut view, &watch, KeyCode::Char('p'));
    assert!(screen(&watch, &mut view, (80, 24), PLAIN).contains("PAUSED"));
    press(&mut view, &watch, KeyCode::Char(' '));
    assert!(!screen(&watch, &mut view, (80, 24), PLAIN).contains("PAUSED"));
    press(&mut view, &watch, KeyCode::Char('?'));
    let help = screen(&watch, &mut view, (80, 20), PLAIN);
    for (_, what) in reclaimwb::top::view::KEYS {
        assert!(help.contains(what), "{what} is not in\n{help}");
    }
    assert!(help.contains("over 100 %."), "{help}");
    assert_eq!(press(&mut view, &watch, KeyCode::Esc), Todo::Draw, "out of the help");
    assert_eq!(press(&mut view, &watch, KeyCode::Esc), Todo::Quit);
    assert_eq!(press(&mut view, &watch, KeyCode::Char('q')), Todo::Quit);
    assert_eq!(press(&mut view, &watch, KeyCode::Char('r')), Todo::Reset);
    assert_eq!(press(&mut view, &watch, KeyCode::Char('z')), Todo::Nothing);
    let ctrl = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
    let table = Figures::new(&watch, By::Origin).expect("figures").table;
    assert_eq!(view.key(ctrl('c'), &table), Todo::Quit);
    assert_eq!(view.key(ctrl('l'), &table), Todo::Redraw);
    assert_eq!(view.key(ctrl('t'), &table), Todo::Nothing);
    assert_eq!(view.by, By::Origin);
}

#[test]
fn sorting() {
    let watch = watch("stalls");
    let mut view = View::new(By::Origin);
    let first = |view: &mut View| {
        let shown = screen(&watch, view, (80, 24), PLAIN);
        let at = shown.lines().position(|line| line.starts_with("ORIGIN")).expect("a table");
        shown.lines().nth(at + 1).expect("a row").split("  ").next().expect("a name").to_owned()
    };
    assert_eq!(first(&mut view), "direct", "by stalled time");
    press(&mut view, &watch, KeyCode::Char('s'));
    assert!(screen(&watch, &mut view, (80, 24), PLAIN).contains("sorted by WRITTEN/S"));
    assert_eq!(first(&mut view), "kswapd", "by pages written");
    press(&mut view, &watch, KeyCode::Char('S'));
    assert_eq!(first(&mut view), "direct");
    // All the way round: never by words.
    let columns = Figures::new(&watch, By::Task).expect("figures").table.columns;
    let mut view = View::new(By::Task);
    for _ in 0..2 * columns.len() {
        assert!(!columns[view.sort()].words, "sorted by {}", columns[view.sort()].title);
        press(&mut view, &watch, KeyCode::Char('s'));
    }
}

#[test]
fn scrolling_ends_where_the_rows_do() {
    let watch = watch("stalls");
    let mut view = View::new(By::Origin);
    press(&mut view, &watch, KeyCode::End);
    let shown = screen(&watch, &mut view, (80, 20), PLAIN);
    // 11 origins, 8 rows for them.
    assert_eq!(view.scroll, 3, "{shown}");
    assert!(shown.contains("writer") && !shown.contains("direct   "), "{shown}");
    press(&mut view, &watch, KeyCode::Home);
    assert_eq!(view.scroll, 0);
    press(&mut view, &watch, KeyCode::Down);
    screen(&watch, &mut view, (80, 60), PLAIN);
    assert_eq!(view.scroll, 0, "all fit");
}

#[test]
fn batch() {
    let dir = ledger_dir("stalls-before.json");
    let path = dir.path().to_str().expect("a plain path").to_owned();
    let args = ["top", "--batch", "2", "--interval", "300ms", "--debugfs", &path];
    let child = Command::new(env!("CARGO_BIN_EXE_reclaimwb")).args(args).output();
    let text = String::from_utf8(child.expect("the tool starts").stdout).expect("UTF-8");
    let samples: Vec<&str> = text.split("\n\n").filter(|sample| !sample.is_empty()).collect();
    assert_eq!(samples.len(), 2, "{text}");
    for sample in samples {
        assert!(
            sample.contains("module 0.1.0 recording") && sample.contains("\nstalls: 0 a second, 0 in all\n"),
            "{text}"
        );
        assert!(sample.contains("\nORIGIN") && sample.is_ascii(), "{text}");
    }
    edit(dir.path(), "status", |text| text.replace("format 2\n", "format 9\n"));
    assert!(complaint(&args).contains("format 9"));
}

#[test]
fn says_what_is_in_the_way() {
    let dir = ledger_dir("stalls.json");
    let path = dir.path().to_str().expect("a plain path");
    let line = complaint(&["top", "--debugfs", path]);
    assert!(line.contains("not a terminal") && line.contains("--batch N"), "{line}");
    let line = complaint(&["top", "--batch", "1", "--debugfs", "/nowhere/reclaimwb"]);
    assert!(line.contains("not loaded") && line.contains("insmod"), "{line}");
    for interval in ["0s", "1ms", "2h", "soon"] {
        let output = run(&["top", "--interval", interval]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{interval}");
        assert!(stderr.contains("give"), "{interval}: {stderr}");
    }
}
