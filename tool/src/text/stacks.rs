// SPDX-License-Identifier: GPL-2.0
//! Draws the worst stacks: the deepest in full, and the others in one line each.

use super::{
    available,
    layout::{Page, Table},
};
use crate::{
    format::{count, percent},
    frames::Part,
    report::{PartBytes, Report, StackRow},
};

/// The worst stack of each origin.
pub fn shortened(page: &mut Page, report: &Report) {
    render(page, report, false);
}

/// The worst stack of each origin and layer.
pub fn all(page: &mut Page, report: &Report) {
    render(page, report, true);
}

fn render(page: &mut Page, report: &Report, all: bool) {
    page.heading("WORST STACKS", "(the one with the least left, by origin)");
    let Some(stacks) = available(page, &report.stacks) else { return };
    let size = report.headroom.get().map(|headroom| headroom.stack_size);
    let chosen: Vec<&StackRow> = if all { stacks.worst.iter().collect() } else { stacks.per_origin() };
    let Some((deepest, others)) = chosen.split_first() else {
        page.line("  None was kept.");
        return;
    };
    if page.is_whole() {
        brief(page, &chosen);
    } else {
        compare(page, &stacks.per_origin());
    }
    full(page, deepest, size, true);
    if all {
        for stack in others {
            page.line("");
            full(page, stack, size, false);
        }
    } else if !others.is_empty() {
        page.line("");
        brief(page, others);
        page.line("  (--all-stacks shows every origin and layer in full)");
    }
}

fn title(stack: &StackRow) -> String {
    let star = if stack.is_new { "" } else { "*" };
    format!(
        "{} at {}, task {}:{}: {} bytes used, {} left{star}",
        stack.origin.label(),
        stack.layer.label(),
        stack.comm,
        stack.pid,
        count(stack.used),
        count(stack.left)
    )
}

fn full(page: &mut Page, stack: &StackRow, size: Option<u64>, open: bool) {
    page.part(&title(stack), open);
    if let Some(size) = size.filter(|_| !page.is_whole()) {
        drawing(page, stack, size);
    }
    let mut table = Table::new(&["depth", "size", "<layer", "<function (innermost first)"]);
    table.say_once(2);
    for frame in &stack.frames {
        let module = frame.module.as_ref().map_or(String::new(), |module| format!(" [{module}]"));
        table.row(vec![
            count(frame.depth),
            count(frame.bytes),
            frame.part.label().into(),
            format!("{}{}{module}", frame.function, frame.offset),
        ]);
    }
    if !stack.frames.is_empty() && stack.outside_frames > 0 {
        table.row(vec![
            count(stack.outside_frames),
            count(stack.outside_frames),
            String::new(),
            "(saved registers and all else that no frame covers)".into(),
        ]);
    }
    if stack.frames.is_empty() {
        page.line("  The trace was not kept.");
    } else {
        page.table(&table);
    }
}

/// Draws the worst stacks of all origins as bars below each other, to compare what each part uses.
fn compare(page: &mut Page, stacks: &[&StackRow]) {
    let deepest = stacks.iter().map(|stack| stack.used).max().unwrap_or(0);
    let names = stacks.iter().map(|stack| stack.origin.label().len()).max().unwrap_or(0);
    let room = page.width().saturating_sub(names + 12).max(1) as u64;
    // Use a round number of bytes for each letter, so that a reader can count.
    let Some(scale) = (4..=16).map(|shift| 1_u64 << shift).find(|scale| deepest / scale <= room) else { return };
    let legend: Vec<String> = Part::ALL.into_iter().map(|part| format!("{}={}", part.letter(), part.label())).collect();
    page.line(&format!("  One letter is {scale} bytes: {}", legend.join(" ")));
    for stack in stacks {
        let mut bar = String::new();
        let mut depth = stack.outside_frames;
        for part in &stack.parts {
            depth = depth.saturating_add(part.bytes).min(stack.used);
            // The ends are rounded, and not the lengths, so that the last part ends where the stack ends.
            let end = usize::try_from((depth + scale / 2) / scale).unwrap_or(usize::MAX);
            bar.extend(std::iter::repeat_n(part.part.letter(), end.saturating_sub(bar.len())));
        }
        page.line(&format!("  {:<names$}  {bar} {}", stack.origin.label(), count(stack.used)));
    }
    page.line("");
}

/// Draws the stack as a bar: a letter for each part that used it, and dots for what is left.
fn drawing(page: &mut Page, stack: &StackRow, size: u64) {
    let width = page.width().saturating_sub(6).min(96);
    let columns = |bytes: u64| usize::try_from(u128::from(bytes) * width as u128 / u128::from(size)).unwrap_or(0);
    let mut bar = String::new();
    let mut depth = stack.outside_frames;
    for part in &stack.parts {
        depth = depth.saturating_add(part.bytes);
        // The ends are rounded, and not the lengths, so that the last part ends where the stack ends.
        let end = columns(depth.min(size));
        bar.extend(std::iter::repeat_n(part.part.letter(), end.saturating_sub(bar.len())));
    }
    page.line(&format!("  [{bar:.<width$}]"));
    let legend: Vec<String> = stack
        .parts
        .iter()
        .map(|part| format!("{}={} {}", part.part.letter(), part.part.label(), count(part.bytes)))
        .chain([format!(".=left {} ({})", count(stack.left), percent(stack.left as f64 / size as f64))])
        .collect();
    // Keep each entry on one line.
    let legend: Vec<String> = legend.iter().map(|entry| entry.replace(' ', "\u{a0}")).collect();
    page.paragraph("   ", "   ", &legend.join("  "));
}

fn brief(page: &mut Page, stacks: &[&StackRow]) {
    let mut table = Table::new(&["<origin", "<at", "used", "left", "<task", "<by part"]);
    let by_part = |part: &PartBytes| {
        if page.is_whole() {
            format!("{} {}", part.part.label(), count(part.bytes))
        } else {
            format!("{}{}", part.part.letter(), part.bytes)
        }
    };
    for stack in stacks {
        let star = if stack.is_new { "" } else { "*" };
        let parts: Vec<String> = stack.parts.iter().map(by_part).collect();
        table.row(vec![
            stack.origin.label().into(),
            stack.layer.label().into(),
            count(stack.used),
            count(stack.left) + star,
            format!("{}:{}", stack.comm, stack.pid),
            parts.join(if page.is_whole() { ", " } else { " " }),
        ]);
    }
    page.table(&table);
}
