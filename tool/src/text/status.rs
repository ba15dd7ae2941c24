// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb status`: what is loaded, attached and missing, in a few lines.

use super::layout::Page;
use crate::{
    format::{count, mib, percent, percent_of_cpu},
    report::Report,
};

/// The short form.
pub fn render(report: &Report, width: usize) -> String {
    let mut page = Page::new(width.max(super::MIN_WIDTH));
    let module = &report.module;
    let attached = module.probes.iter().filter(|probe| probe.attached()).count();
    let head = format!(
        "reclaimwb {}: {}, {attached} of {} probes attached, helper\u{a0}{}{}",
        module.version,
        if module.enabled { "recording" } else { "switched off (enabled=N)" },
        module.probes.len(),
        module.helper,
        module.handoff.as_ref().map_or(String::new(), |state| format!(", handoff\u{a0}{state}")),
    );
    page.paragraph("", "  ", &head);
    for probe in module.probes.iter().filter(|probe| probe.missing()) {
        page.paragraph("  ", "    ", &format!("{} {}: {}", probe.via, probe.name, probe.state));
    }
    let off: Vec<&str> = module.groups.iter().filter(|(_, on)| !**on).map(|(group, _)| group.as_str()).collect();
    if !off.is_empty() {
        page.paragraph("  ", "    ", &format!("switched off (parameters of these names): {}", off.join(", ")));
    }
    for (part, why) in &module.unavailable {
        page.paragraph("  ", "    ", &format!("unavailable: {part} ({why})"));
    }
    if let Some(writes) = report.writes.get() {
        page.paragraph(
            "  ",
            "    ",
            &format!(
                "written: {} pages ({}), {} of it by tasks other than kswapd; {} windows",
                count(writes.pages),
                mib(writes.bytes),
                percent(if writes.pages == 0 { 0.0 } else { writes.foreground_pages as f64 / writes.pages as f64 }),
                writes.windows.map_or("?".into(), count)
            ),
        );
    }
    if let Some((headroom, row)) = report.headroom.get().and_then(|h| Some((h, h.deepest()?))) {
        page.paragraph(
            "  ",
            "    ",
            &format!(
                "least stack left: {} of {} bytes, {} at {}",
                count(row.min_left),
                count(headroom.stack_size),
                row.origin.label(),
                row.layer.label()
            ),
        );
    }
    let lost: Vec<String> = report
        .not_recorded
        .lost
        .iter()
        .filter(|(_, n)| **n > 0)
        .map(|(table, n)| format!("{table} {}", count(*n)))
        .collect();
    page.line(&format!("  lost: {}", if lost.is_empty() { "nothing".into() } else { lost.join(", ") }));
    let cost = module.cost.share_of_a_cpu().map_or_else(
        || format!("{} million cycles", count(module.cost.cycles_estimate / 1_000_000)),
        |share| format!("{} of one CPU", percent_of_cpu(share)),
    );
    page.line(&format!(
        "  cost: about {cost} ({} events), {} of memory",
        count(module.cost.events),
        mib(module.cost.memory_bytes)
    ));
    let params: Vec<String> = module.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !params.is_empty() {
        page.paragraph("  ", "    ", &format!("parameters: {}", params.join(" ")));
    }
    page.finish()
}
