// SPDX-License-Identifier: GPL-2.0
//! The report as text for people.

mod figures;
mod handoff;
mod headroom;
mod layout;
mod rest;
mod stacks;
mod status;
mod write_around;
mod writes;

use layout::Page;

pub use status::render as status;

use crate::{
    format::mib,
    report::{Report, Section},
};

/// Width when there is no terminal to ask.
pub const DEFAULT_WIDTH: usize = 80;
/// Below this no table fits.
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
    writes::render(&mut page, report);
    write_around::render(&mut page, report);
    handoff::render(&mut page, report);
    headroom::render(&mut page, report);
    stacks::render(&mut page, report, all_stacks);
    rest::cgroups(&mut page, report);
    rest::not_recorded(&mut page, report);
    rest::cost(&mut page, report);
    page.finish()
}

fn head(page: &mut Page, report: &Report) {
    let machine = &report.machine;
    let memory = machine.memory_bytes.map_or(String::new(), |bytes| format!(", {} of memory", mib(bytes)));
    page.paragraph(
        "",
        "  ",
        &format!("reclaim report: Linux {} {}, {} CPUs{memory}", machine.kernel, machine.machine, machine.cpus),
    );
    let taken = &report.taken;
    let span = match (&taken.since, taken.seconds) {
        (Some(since), Some(seconds)) => format!("{since} to {} ({seconds:.1} s)", taken.at),
        _ => format!("from the loading of the module to {}", taken.at),
    };
    page.paragraph("  ", "  ", &format!("{span}; module {}, {}", report.module.version, report.tool));
    for swap in &machine.swaps {
        page.line(&format!(
            "  swap {}: {}, {} used, priority {}",
            swap.name,
            mib(swap.size_kib.saturating_mul(1024)),
            mib(swap.used_kib.saturating_mul(1024)),
            swap.priority
        ));
    }
    let settings: Vec<String> = machine
        .settings
        .iter()
        .map(|(name, value)| {
            let name = match name.as_str() {
                "sys/kernel/mm/lru_gen/enabled" => "lru_gen",
                "sys/kernel/mm/transparent_hugepage/enabled" => "thp",
                "sys/module/zswap/parameters/enabled" => "zswap",
                other => other.rsplit('/').next().unwrap_or(other),
            };
            // The chosen one of `always [madvise] never`.
            let value = value.split_once('[').and_then(|(_, rest)| rest.split(']').next()).unwrap_or(value);
            format!("{name}={value}")
        })
        .collect();
    if !settings.is_empty() {
        page.paragraph("  ", "  ", &settings.join(" "));
    }
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
