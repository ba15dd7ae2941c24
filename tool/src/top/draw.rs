// SPDX-License-Identifier: GPL-2.0
//! Draws the figures on a screen of any size.

use std::{env, time::Duration};

use ratatui::{
    Frame,
    layout::{Alignment, Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Cell, Paragraph, Row, Table as Grid, Wrap},
};

use super::{
    figures::{Column, Figure, Figures},
    rows::{NONE, rate, share},
    view::{KEYS, View},
};
use crate::{
    format::{count, span},
    ledger::Read,
    terminal,
};

/// A frame needs at least this many columns.
pub const MIN_COLUMNS: u16 = 80;
/// A frame needs at least this many rows.
pub const MIN_ROWS: u16 = 20;

/// Lines above the table.
const HEAD: u16 = 8;

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Colours. Without them, bold and reverse text have the same meaning.
    pub colour: bool,
    /// Characters other than ASCII.
    pub unicode: bool,
}

impl Look {
    /// What the environment says.
    pub fn of_environment() -> Self {
        let get = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let locale = get("LC_ALL").or_else(|| get("LC_CTYPE")).or_else(|| get("LANG"));
        Self::new(&get("TERM").unwrap_or_default(), &locale.unwrap_or_default(), get("NO_COLOR").is_some())
    }

    /// What a terminal of this type can show in this locale.
    pub fn new(term: &str, locale: &str, no_colour: bool) -> Self {
        // A real terminal of these types has no colours, and no UTF-8, whatever the locale on this machine is.
        let plain = term.starts_with("vt") || term == "dumb" || term.is_empty();
        let locale = locale.to_ascii_lowercase();
        Self {
            colour: !(plain || no_colour || term.ends_with("-m") || term.ends_with("-mono")),
            unicode: !plain && (locale.ends_with("utf-8") || locale.ends_with("utf8")),
        }
    }

    /// Makes untrusted text (names of tasks, paths) safe for this terminal. Nothing in it may control the terminal.
    pub fn clean(self, text: &str) -> String {
        let bad = |c: char| terminal::steers(c) || !self.unicode && !c.is_ascii();
        text.chars().map(|c| if bad(c) { '?' } else { c }).collect()
    }

    fn bad(self) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        if self.colour { bold.fg(Color::Red) } else { bold }
    }

    const fn rule(self) -> &'static str {
        if self.unicode { "─" } else { "-" }
    }

    const fn down(self) -> &'static str {
        if self.unicode { "▼" } else { "v" }
    }
}

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const REVERSED: Style = Style::new().add_modifier(Modifier::REVERSED);

/// Draws a frame. The rows must be sorted already. `view.scroll` is limited so that there are rows to show.
pub fn frame(frame: &mut Frame, figures: &Figures, view: &mut View, interval: Duration, look: Look) {
    let area = frame.area();
    if area.width < MIN_COLUMNS || area.height < MIN_ROWS {
        let text = format!(
            "reclaimwb top needs {MIN_COLUMNS} columns and {MIN_ROWS} rows; this terminal has {} and {}. q quits.",
            area.width, area.height
        );
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    }
    let parts = Layout::vertical([
        Constraint::Length(HEAD),
        Constraint::Length(1),
        Constraint::Min(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ]);
    let [head, rule, middle, note, footer] = parts.areas(area);
    frame.render_widget(Paragraph::new(header(figures, view, interval, look)), head);
    frame.render_widget(Paragraph::new(title_of_table(figures, view, look, rule.width)), rule);
    if view.help {
        frame.render_widget(Paragraph::new(help()), middle);
    } else {
        table(frame, figures, view, look, middle);
    }
    frame.render_widget(Paragraph::new(look.clean(&note_of(figures))), note);
    frame.render_widget(Paragraph::new(keys(view)).style(REVERSED), footer);
}

fn keys(view: &View) -> Line<'static> {
    let mut spans = Vec::new();
    let pause = if view.paused { "resume" } else { "pause" };
    for (key, what) in [
        ("q", "quit"),
        ("o", "origin"),
        ("c", "cgroup"),
        ("t", "task"),
        ("s", "sort"),
        ("p", pause),
        ("r", "reset"),
        ("?", "help"),
    ] {
        spans.push(Span::styled(format!(" {key}"), BOLD));
        spans.push(Span::raw(format!(" {what} ")));
    }
    Line::from(spans)
}

fn help() -> Vec<Line<'static>> {
    let mut lines: Vec<Line> = KEYS.iter().map(|(key, what)| Line::from(format!(" {key:<10} {what}"))).collect();
    // A stall is counted when it ends, so all of a long stall comes at once.
    lines.push(Line::from(" STALLED: time of the stalls that ended, per time passed; it may be over 100 %."));
    lines
}

fn title_of_table(figures: &Figures, view: &View, look: Look, width: u16) -> Line<'static> {
    let what = if view.help { "help".to_owned() } else { format!("by {}", figures.table.by.word()) };
    let sorted = figures.table.columns.get(view.sort()).map_or("", |column| column.title);
    let mut text = format!("{0}{0} {what} {0}{0} sorted by {sorted} ", look.rule());
    let rest = usize::from(width).saturating_sub(text.chars().count());
    text += &look.rule().repeat(rest);
    Line::from(text)
}

/// The note below the table. What is missing is more important than what the columns mean.
fn note_of(figures: &Figures) -> String {
    if let Some(why) = &figures.restarted {
        return why.clone();
    }
    let missing = figures.missing();
    if missing.is_empty() { figures.table.note.to_owned() } else { missing.join("; ") }
}

fn header(figures: &Figures, view: &View, interval: Duration, look: Look) -> Vec<Line<'static>> {
    let state = if view.paused {
        Span::styled("PAUSED", REVERSED)
    } else {
        Span::raw(format!("every {}", humantime::format_duration(interval)))
    };
    let since = figures.total_s.map_or_else(|| "since load".to_owned(), |s| format!("since {s:.0} s"));
    let column = |what: &str| format!("{what:<12}");
    let line = |what: &str, now: String, total: String, right: Vec<Span<'static>>| {
        let mut spans = vec![Span::raw(column(what)), Span::raw(format!("{now:>10}{total:>15}   "))];
        spans.extend(right);
        Line::from(spans)
    };
    let figure = |what: &str, of: &Read<Figure>, show: fn(Option<f64>) -> String, all: fn(u64) -> String, right| {
        let (now, total) = match of {
            Ok(figure) => (show(figure.per_s), all(figure.total)),
            Err(_) => (NONE.into(), NONE.into()),
        };
        line(what, now, total, right)
    };
    let (reserve, reserve_now) = reserve(figures, look);
    let (least, at) = least(figures);
    vec![
        Line::from(vec![
            Span::styled("reclaimwb top", BOLD),
            Span::raw("  "),
            state,
            Span::raw(look.clean(&format!("  {}", figures.module))),
        ]),
        line("", "a second".into(), since, Vec::new()),
        figure("stalls", &figures.stalls, rate, count, reserve),
        figure("stalled", &figures.stalled_ns, share, |ns| span(ns / 1000), reserve_now),
        figure("written", &figures.written, rate, |n| count(n) + " p", least),
        figure("freed", &figures.freed, rate, |n| count(n) + " p", at),
        figure("handed off", &figures.handed, rate, |n| count(n) + " p", low(figures, look)),
        figure("refused", &figures.refused, rate, count, lost(figures, look)),
    ]
}

/// Two lines about the zone that came closest to being empty.
fn reserve(figures: &Figures, look: Look) -> (Vec<Span<'static>>, Vec<Span<'static>>) {
    let title = Span::raw("reserve  ");
    match &figures.reserve {
        Ok(Some(reserve)) => {
            let zone = look.clean(&reserve.zone);
            let lowest = match reserve.lowest {
                Some((free, min)) => {
                    let text = format!("{zone} lowest {} of {} p", count(free), count(min));
                    // If half of the reserve is gone, handoff drains the CPUs' lists.
                    if free < min / 2 { Span::styled(text, look.bad()) } else { Span::raw(text) }
                }
                None => Span::raw(format!("{zone} untouched")),
            };
            let now = format!("         now {} free, min {}", count(reserve.free), count(reserve.min));
            (vec![title, lowest], vec![Span::raw(now)])
        }
        _ => (vec![title, Span::raw(NONE)], Vec::new()),
    }
}

fn least(figures: &Figures) -> (Vec<Span<'static>>, Vec<Span<'static>>) {
    match &figures.least {
        Ok(Some(least)) => (
            vec![Span::raw(format!("stack    least {} of {} left", count(least.left), count(least.of)))],
            vec![Span::raw(format!("         {} at {}", least.origin.label(), least.layer.label()))],
        ),
        _ => (vec![Span::raw(format!("stack    {NONE}"))], Vec::new()),
    }
}

fn low(figures: &Figures, look: Look) -> Vec<Span<'static>> {
    match &figures.low {
        Ok(low) => {
            let text = format!("low      {} a second, {} in all", rate(low.per_s), count(low.total));
            vec![if low.total > 0 { Span::styled(text, look.bad()) } else { Span::raw(text) }]
        }
        Err(_) => vec![Span::raw(format!("low      {NONE}"))],
    }
}

fn lost(figures: &Figures, look: Look) -> Vec<Span<'static>> {
    vec![match figures.lost {
        0 => Span::raw("lost     nothing"),
        n => Span::styled(format!("lost     {} (reclaimwb status)", count(n)), look.bad()),
    }]
}

/// How many columns fit, and how much of the width is left.
fn fitting(columns: &[Column], width: u16) -> (usize, u16) {
    let mut used = 0;
    let mut shown = 0;
    for column in columns {
        let sum = used + column.width + u16::from(shown > 0);
        if sum > width {
            break;
        }
        (used, shown) = (sum, shown + 1);
    }
    (shown, width - used)
}

/// The end of a name that is too long. For a path or a PID, the end says more than the beginning.
fn tail(name: &str, width: usize) -> String {
    let chars = name.chars().count();
    if chars <= width {
        return name.to_owned();
    }
    format!("<{}", name.chars().skip(chars - width.saturating_sub(1)).collect::<String>())
}

fn table(frame: &mut Frame, figures: &Figures, view: &mut View, look: Look, area: Rect) {
    let table = &figures.table;
    let (shown, spare) = fitting(&table.columns, area.width);
    let columns = table.columns.get(..shown).unwrap_or_default();
    let room = usize::from(area.height.saturating_sub(1));
    view.scroll = view.scroll.min(table.rows.len().saturating_sub(room));

    let align = |column: &Column| if column.words { Alignment::Left } else { Alignment::Right };
    let titles = columns.iter().enumerate().map(|(n, column)| {
        let mark = if n == view.sort() { look.down() } else { "" };
        // If a title fills its column, the mark replaces its last letter.
        let keep = usize::from(column.width).saturating_sub(mark.chars().count());
        let title: String = column.title.chars().take(keep).collect();
        Cell::from(Line::from(title + mark).alignment(align(column)))
    });
    // The column of names gets only as much of the remaining width as it needs, because numbers that are far from their
    // names are hard to read.
    let longest = table.rows.iter().filter_map(|row| row.cells.first()).map(|name| name.text.chars().count()).max();
    let name_width = columns.first().map_or(0, |column| {
        let needed = u16::try_from(longest.unwrap_or(0)).unwrap_or(u16::MAX);
        needed.clamp(column.width, column.width.saturating_add(spare))
    });
    let rows = table.rows.iter().skip(view.scroll).take(room).map(|row| {
        let cells = columns.iter().zip(&row.cells).enumerate().map(|(n, (column, cell))| {
            let text = look.clean(&cell.text);
            let text = if n == 0 { tail(&text, name_width.into()) } else { text };
            Cell::from(Line::from(text).alignment(align(column)))
        });
        Row::new(cells)
    });
    let widths = columns.iter().enumerate();
    let widths = widths.map(|(n, column)| Constraint::Length(if n == 0 { name_width } else { column.width }));
    let grid = Grid::new(rows, widths).column_spacing(1).header(Row::new(titles).style(BOLD));
    frame.render_widget(grid, area);
    if table.rows.is_empty() {
        let below = Rect { y: area.y + 1, height: area.height - 1, ..area };
        frame.render_widget(Paragraph::new("nothing yet"), below);
    }
}
