// SPDX-License-Identifier: GPL-2.0
//! The report as text for people.

mod compaction;
mod diff;
mod figures;
mod handoff;
mod headroom;
mod kswapd;
mod layout;
mod longest;
mod nbd;
mod reserves;
mod rest;
mod shrinkers;
mod side;
mod stacks;
mod stalls;
mod status;
mod table;
mod waits;
mod why;
mod write_around;
mod writes;

use std::collections::BTreeMap;

use layout::Page;

pub use diff::{diff, diff_list};
pub use layout::Block;
pub use longest::render as longest;
pub use status::render as status;
pub use table::Table;
pub use why::render as why;

use crate::{
    format::mib,
    report::{Report, Section, narrow::SECTIONS},
    system::Swap,
};

/// Width when there is no terminal to ask.
pub const DEFAULT_WIDTH: usize = 80;
/// No table fits into fewer columns.
pub const MIN_WIDTH: usize = 60;

/// The report as text.
pub fn report(report: &Report, width: usize, all_stacks: bool) -> String {
    let mut page = Page::new(width.max(MIN_WIDTH));
    head(&mut page, report);
    page.heading("SUMMARY", "");
    for sentence in &report.summary {
        page.paragraph("* ", "  ", sentence);
    }
    for note in &report.notes {
        page.paragraph("! ", "  ", note);
    }
    sections(&mut page, report, all_stacks);
    page.finish()
}

/// All of the report below its summary, with nothing left out, for other formats than text.
pub fn blocks(report: &Report) -> Vec<Block> {
    let mut page = Page::whole();
    sections(&mut page, report, true);
    page.into_blocks()
}

fn sections(page: &mut Page, report: &Report, all_stacks: bool) {
    type Render = fn(&mut Page, &Report);
    let all: [(&str, Render); 18] = [
        ("writes", writes::render),
        ("write_around", write_around::render),
        ("handoff", handoff::render),
        ("stalls", stalls::render),
        ("kswapd", kswapd::render),
        ("waits", waits::render),
        ("shrinkers", shrinkers::render),
        ("compaction", compaction::render),
        ("tlb", side::tlb),
        ("metadata", side::metadata),
        ("reserves", reserves::render),
        ("nbd", nbd::render),
        ("batches", nbd::batches),
        ("headroom", headroom::render),
        ("stacks", if all_stacks { stacks::all } else { stacks::shortened }),
        ("cgroups", rest::cgroups),
        ("not_recorded", rest::not_recorded),
        ("cost", rest::cost),
    ];
    for (name, render) in all {
        // These sections describe the whole machine, and say nothing about a part.
        let is_out = report
            .narrowed
            .as_ref()
            .is_some_and(|narrowed| narrowed.left_out.contains(&name) || matches!(name, "not_recorded" | "cost"));
        if !is_out {
            render(page, report);
        }
    }
}

/// What a report is limited to, if it is limited, and which sections it lacks because of that.
pub fn narrowed(report: &Report) -> Vec<String> {
    let Some(narrowed) = &report.narrowed else { return Vec::new() };
    let headings = SECTIONS.iter().filter(|(name, _)| narrowed.left_out.contains(name)).map(|(_, heading)| *heading);
    let mut out: Vec<&str> = headings.collect();
    out.extend(["NOT IN THE NUMBERS", "COST OF RECORDING"]);
    vec![
        format!("Only {}.", narrowed.words()),
        format!("Left out, because they are not counted so: {} (reclaimwb report --json says why).", out.join(", ")),
    ]
}

fn head(page: &mut Page, report: &Report) {
    let machine = &report.machine;
    let memory = machine.memory_bytes.map_or(String::new(), |bytes| format!(", {} of memory", mib(bytes)));
    page.paragraph(
        "",
        "  ",
        &format!("reclaim report: Linux {} {}, {} CPUs{memory}", machine.kernel, machine.machine, machine.cpus),
    );
    page.paragraph("  ", "  ", &format!("{}; module {}, {}", interval(report), report.module.version, report.tool));
    for swap in &machine.swaps {
        page.line(&format!("  swap {}", self::swap(swap)));
    }
    let settings = settings(&machine.settings);
    if !settings.is_empty() {
        page.paragraph("  ", "  ", &settings);
    }
    for line in narrowed(report) {
        page.paragraph("! ", "  ", &line);
    }
}

/// The interval, as text.
pub fn interval(report: &Report) -> String {
    let taken = &report.taken;
    match (&taken.since, taken.seconds) {
        (Some(since), Some(seconds)) => format!("{since} to {} ({seconds:.1} s)", taken.at),
        _ => format!("from the loading of the module to {}", taken.at),
    }
}

/// A swap device.
pub fn swap(swap: &Swap) -> String {
    format!(
        "{}: {}, {} used, priority {}",
        swap.name,
        mib(swap.size_kib.saturating_mul(1024)),
        mib(swap.used_kib.saturating_mul(1024)),
        swap.priority
    )
}

/// The kernel's settings, by short names.
pub fn settings(settings: &BTreeMap<String, String>) -> String {
    let settings: Vec<String> = settings
        .iter()
        .map(|(name, value)| {
            let name = match name.as_str() {
                "sys/kernel/mm/lru_gen/enabled" => "lru_gen",
                "sys/kernel/mm/transparent_hugepage/enabled" => "thp",
                "sys/kernel/mm/transparent_hugepage/defrag" => "thp_defrag",
                "sys/module/zswap/parameters/enabled" => "zswap",
                other => other.rsplit('/').next().unwrap_or(other),
            };
            // Take the chosen word of `always [madvise] never`.
            let value = value.split_once('[').and_then(|(_, rest)| rest.split(']').next()).unwrap_or(value);
            format!("{name}={value}")
        })
        .collect();
    settings.join(" ")
}

/// The section's numbers, or `None` after saying why there are none.
fn available<'a, T>(page: &mut Page, section: &'a Section<T>) -> Option<&'a T> {
    match section {
        Section::Available(section) => Some(section),
        Section::Unavailable { unavailable } => {
            page.paragraph("  ", "  ", &format!("Not available: {unavailable}."));
            None
        }
    }
}
