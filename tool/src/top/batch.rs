// SPDX-License-Identifier: GPL-2.0
//! Prints samples as plain text, for logs.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
    path::Path,
    thread,
    time::SystemTime,
};

use super::{
    draw::Look,
    figures::{Cell, Column, Figure, Figures},
    rows::{NONE, rate, share},
    view::View,
    watch::{Sampler, Watch},
};
use crate::{
    cli,
    error::{Error, Result},
    format::{count, span},
    ledger::Read,
    narrow::Narrow,
    tables, terminal,
};

/// Prints `number` samples, each after an interval.
pub fn run(args: &cli::Top, number: u64) -> Result<()> {
    let sampler = Sampler::new(&args.source.debugfs);
    let narrow = Narrow::of(&args.of);
    let by = args.by();
    let mut watch = Watch::new(sampler.take()?);
    for n in 0..number {
        thread::sleep(args.interval);
        watch.push(sampler.take()?)?;
        let figures = Figures::new(&watch, by)?.narrowed(narrow.as_ref());
        let (at, is_first) = (SystemTime::now(), n == 0);
        let text = if args.csv { csv(&figures, at, is_first)? } else { sample(&figures, at) };
        let mut out = io::stdout().lock();
        let text = if args.csv { terminal::for_programs(&text, out.is_terminal()) } else { terminal::lines(&text) };
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            // `reclaimwb top --batch 9 | head` is not a failure.
            Err(err) if err.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other.map_err(|err| Error::io("write", Path::new("standard output"), err))?,
        }
    }
    Ok(())
}

/// The rows of one sample. The first sample has a line with the names of the columns before its rows.
pub fn csv(figures: &Figures, at: SystemTime, is_first: bool) -> Result<String> {
    let mut table = figures.table.clone();
    table.sort(View::new(table.by).sort());
    let mut columns = vec!["time"];
    columns.extend(table.columns.iter().map(|column| column.csv()));
    let time = humantime::format_rfc3339_millis(at).to_string();
    let value = |(cell, column): (&Cell, &Column)| match cell.key {
        // For a task, the first character says whether it is new.
        _ if column.words && cell.text == NONE => String::new(),
        _ if column.words => cell.text.trim_start_matches(['*', ' ']).to_owned(),
        // Values that are sorted in reverse order are negative.
        Some(n) => format!("{}", (n.abs() * 1000.0).round() / 1000.0),
        None => String::new(),
    };
    let rows = table.rows.iter().map(|row| {
        std::iter::once(time.clone()).chain(row.cells.iter().zip(&table.columns).map(value)).collect::<Vec<_>>()
    });
    tables::csv_of(is_first.then_some(&columns[..]), &rows.collect::<Vec<_>>())
}

/// One sample: the figures, then the table, then an empty line.
pub fn sample(figures: &Figures, at: SystemTime) -> String {
    let mut text = String::new();
    // A log may be read anywhere.
    let look = Look { colour: false, unicode: false };
    let time = humantime::format_rfc3339_seconds(at);
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{time} module {}; {}",
        look.clean(&figures.module),
        figures.step_s.map_or("no sample before".into(), |s| format!("in {s:.2} s"))
    );
    let mut line = |what: &str, of: &Read<Figure>, show: fn(Option<f64>) -> String, all: fn(u64) -> String, unit| {
        let _ = match of {
            Ok(figure) => writeln!(text, "{what}: {} {unit}, {} in all", show(figure.per_s), all(figure.total)),
            Err(_) => writeln!(text, "{what}: {NONE}"),
        };
    };
    line("stalls", &figures.stalls, rate, count, "a second");
    line("stalled", &figures.stalled_ns, share, |ns| span(ns / 1000), "of the time");
    line("written", &figures.written, rate, count, "pages a second");
    line("freed", &figures.freed, rate, count, "pages a second");
    line("handed off", &figures.handed, rate, count, "pages a second");
    line("refused", &figures.refused, rate, count, "requests a second");
    line("headroom low", &figures.low, rate, count, "samples a second");
    let _ = match &figures.least {
        Ok(Some(least)) => writeln!(
            text,
            "least stack left: {} of {} bytes, {} at {}",
            count(least.left),
            count(least.of),
            least.origin.label(),
            least.layer.label()
        ),
        _ => writeln!(text, "least stack left: {NONE}"),
    };
    let _ = match &figures.reserve {
        Ok(Some(reserve)) => {
            let lowest = reserve.lowest.map_or("untouched".into(), |(free, min)| {
                format!("lowest {} pages free of min {}", count(free), count(min))
            });
            let zone = look.clean(&reserve.zone);
            writeln!(text, "reserve: {zone} {lowest}, now {} of {}", count(reserve.free), count(reserve.min))
        }
        _ => writeln!(text, "reserve: {NONE}"),
    };
    let _ = writeln!(text, "lost: {}", count(figures.lost));
    if let Some(why) = &figures.restarted {
        let _ = writeln!(text, "note: {}", look.clean(why));
    }
    for missing in figures.missing() {
        let _ = writeln!(text, "note: {}", look.clean(&missing));
    }
    text + &grid(figures, look) + "\n"
}

fn grid(figures: &Figures, look: Look) -> String {
    let mut table = figures.table.clone();
    table.sort(View::new(table.by).sort());
    let titles = table.columns.iter().map(|column| column.title.to_owned()).collect();
    let rows = table.rows.iter().map(|row| row.cells.iter().map(|cell| look.clean(&cell.text)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(titles).chain(rows).collect();
    let mut text = String::new();
    for line in &lines {
        let mut out = String::new();
        for (n, (cell, column)) in line.iter().zip(&table.columns).enumerate() {
            let width = lines.iter().filter_map(|line| line.get(n)).map(|cell| cell.chars().count()).max().unwrap_or(0);
            let _ = if column.words { write!(out, "{cell:<width$}  ") } else { write!(out, "{cell:>width$}  ") };
        }
        text += out.trim_end();
        text += "\n";
    }
    text
}
