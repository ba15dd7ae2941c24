// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb why`: the answer on one screen.

use super::layout::Page;
use crate::why::Block;

/// The lines of a small terminal, without the line of the prompt.
const SCREEN: usize = 23;

/// The answer, as much of it as fits on a screen. The lines that come last matter least.
pub fn render(blocks: &[Block], width: usize) -> String {
    let width = width.max(super::MIN_WIDTH);
    let mut texts: Vec<String> = Vec::new();
    for block in blocks {
        let mut page = Page::new(width);
        if !texts.is_empty() {
            page.line("");
        }
        page.paragraph("", "  ", &format!("About {}:", block.head));
        texts.push(page.finish());
        for line in &block.lines {
            let mut page = Page::new(width);
            page.paragraph("* ", "  ", &line.with_section());
            texts.push(page.finish());
        }
    }
    let mut last = Page::new(width);
    last.paragraph("", "  ", "reclaimwb report has the sections that the arrows point to.");
    let last = last.finish();
    let mut out = String::new();
    let mut room = SCREEN.saturating_sub(last.lines().count());
    for text in texts {
        let Some(left) = room.checked_sub(text.lines().count()) else {
            break;
        };
        out += &text;
        room = left;
    }
    out + &last
}
