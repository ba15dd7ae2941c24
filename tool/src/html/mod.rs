// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb report --html`: the report as one file that loads nothing, for a browser and for print.
//!
//! It says the same as the text report, because it is made of the same blocks ([`crate::text::blocks`]), and the same
//! as `--json`. Only the charts over time are made from the events. Everything is there without the script, which only
//! sorts tables.

mod chart;
mod charts;
mod events;
mod facts;
mod figures;
mod number;
mod section;
mod table;
mod timeline;

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

pub use events::{Change, Events};
use section::{Section, sections};
pub use timeline::{Axis, Bins, Timeline};

use crate::{
    atomic,
    error::{Error, Result},
    format::count,
    recording::{Event, Recording},
    report::Report,
    text,
};

/// Everybody may read the file, like text that is printed.
const MODE: u32 = 0o644;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// A recording, with its events added up.
#[derive(Debug)]
pub struct Recorded {
    /// The recording, without its events.
    pub recording: Recording,
    /// Its events, added up.
    pub events: Events,
}

impl Recorded {
    /// Reads a recording, but not its events.
    pub fn without_events(path: &Path) -> Result<Self> {
        Ok(Self { recording: Recording::visit(path, drop)?, events: Events::default() })
    }

    /// Reads a recording, and adds up those events for which `takes` is true.
    pub fn read(path: &Path, takes: impl Fn(&Event) -> bool) -> Result<Self> {
        let mut events = Events::default();
        let recording = Recording::visit(path, |event| {
            if takes(&event) {
                events.add(&event);
            }
        })?;
        match events.broken.take() {
            Some(what) => Err(Error::Recording { path: path.to_owned(), what }),
            None => Ok(Self { recording, events }),
        }
    }
}

/// Writes the report as HTML. If this fails, the file is as it was before.
pub fn write(report: &Report, recorded: Option<&Recorded>, path: &Path) -> Result<()> {
    let page = page(report, recorded)?;
    atomic::replace(path, Some(MODE), |out| out.write_all(page.as_bytes()))
}

/// The report as HTML.
pub fn page(report: &Report, recorded: Option<&Recorded>) -> Result<String> {
    let json = serde_json::to_value(report).map_err(|err| Error::io("write", Path::new("HTML"), err.into()))?;
    let sections = sections(text::blocks(report));
    let title = format!("Reclaim report, {}", report.taken.at);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content=(report.tool);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (head(report))
                    (summary(report, recorded))
                    (contents(&sections))
                    (facts::render(report, recorded.map(|recorded| &recorded.recording)))
                    (charts::render(report, recorded))
                    @for section in &sections { (section.render()) }
                    section id="figures" {
                        h2 { "All figures" " " span.aside { "as reclaimwb report --json has them: bytes, pages, ns and us as the names say" } }
                        p.unprinted { "They are not printed: see the page on a screen, or reclaimwb report --json." }
                        (figures::render(&json))
                    }
                    footer { p { "Made by " (report.tool) ". This file loads nothing from elsewhere." } }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    Ok(page.into_string() + "\n")
}

/// The page loads nothing from anywhere. Only our own style and script have an effect; they are identified by their
/// hashes.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

fn head(report: &Report) -> Markup {
    html! {
        header {
            h1 { "Reclaim report" }
            p { "Linux " (report.machine.kernel) " " (report.machine.machine) ", " (text::interval(report)) }
        }
    }
}

/// Draws what hurt, why, and what to try.
fn summary(report: &Report, recorded: Option<&Recorded>) -> Markup {
    html! {
        section id="summary" {
            h2 { "Summary" }
            @for line in text::narrowed(report) { p.warning { (line) } }
            @for loss in recorded.map(losses).unwrap_or_default() { p.warning { (loss) } }
            ul { @for line in &report.summary { li { (summary_line(line)) } } }
            @for note in &report.notes { p.warning { (note) } }
        }
    }
}

/// A line of the summary, with a link to its section.
fn summary_line(line: &str) -> Markup {
    let (text, section) = crate::summary::split(line);
    html! {
        (text)
        @if let Some(section) = section {
            " " a href=(format!("#{}", section::id_of(&section))) { (section::sentence(&section)) }
        }
    }
}

/// What is missing from the recording.
fn losses(recorded: &Recorded) -> Vec<String> {
    let (end, mut says) = (&recorded.recording.end, Vec::new());
    if end.lost > 0 {
        let mut cpus = std::collections::BTreeMap::<u64, u64>::new();
        for lost in &recorded.recording.lost {
            let events = cpus.entry(lost.cpu).or_default();
            *events = events.saturating_add(lost.events);
        }
        let cpus: Vec<String> = cpus.iter().map(|(cpu, events)| format!("CPU {cpu}: {}", count(*events))).collect();
        says.push(format!(
            "{} events were lost while recording ({}): the charts over time lack them, the other figures do not. A \
             larger --buffer loses fewer.",
            count(end.lost),
            cpus.join(", ")
        ));
    }
    if end.unreadable > 0 {
        says.push(format!(
            "{} lines of the trace could not be read, and are not in the recording.",
            count(end.unreadable)
        ));
    }
    says
}

fn contents(sections: &[Section]) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                li { a href="#system" { "System" } }
                li { a href="#charts" { "Charts" } }
                @for section in sections { li { a href=(format!("#{}", section.id())) { (section.title()) } } }
                li { a href="#figures" { "All figures" } }
            }
        }
    }
}
