// SPDX-License-Identifier: GPL-2.0
//! The sections of the text report.

use maud::{Markup, html};

use super::table;
use crate::text::Block;

/// Words of headings that are never written in lower case.
const NAMES: [&str; 2] = ["NBD", "TLB"];

/// A section of the report.
#[derive(Debug)]
pub struct Section {
    title: String,
    aside: String,
    blocks: Vec<Block>,
}

/// The title of a part, whether it is open, and its blocks. Blocks that are in no part have no title.
type Part<'a> = (Option<(&'a str, bool)>, Vec<&'a Block>);

impl Section {
    /// Its title, such as `Who wrote`.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Its name in links.
    pub fn id(&self) -> String {
        id_of(&self.title)
    }

    /// Draws it.
    pub fn render(&self) -> Markup {
        let parts = self.parts();
        html! {
            section id=(self.id()) {
                h2 { (self.title) @if !self.aside.is_empty() { " " span.aside { (self.aside) } } }
                @for (part, blocks) in parts {
                    @if let Some((title, open)) = part {
                        details open[open] {
                            summary { (title) }
                            @for block in blocks { (self.block(block)) }
                        }
                    } @else {
                        @for block in blocks { (self.block(block)) }
                    }
                }
            }
        }
    }

    /// First the blocks that are in no part, then the parts, each with its title and whether it is open.
    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = vec![(None, Vec::new())];
        for block in &self.blocks {
            if let Block::Part { title, open } = block {
                parts.push((Some((title.as_str(), *open)), Vec::new()));
            } else if let Some((_, blocks)) = parts.last_mut() {
                blocks.push(block);
            }
        }
        parts
    }

    fn block(&self, block: &Block) -> Markup {
        match block {
            Block::Heading { .. } | Block::Part { .. } => html! {},
            Block::Line(line) if line.trim().is_empty() => html! {},
            Block::Line(line) => html! { p { (line.trim()) } },
            Block::Paragraph { text, advice: true, .. } => html! { p.advice { (text) } },
            Block::Paragraph { text, .. } => html! { p { (text) } },
            Block::Table(table) => table::of_text(table).render(&self.title),
        }
    }
}

/// The name in links of a section with this title.
pub fn id_of(title: &str) -> String {
    title.to_lowercase().replace(' ', "-")
}

/// Splits blocks into sections.
pub fn sections(blocks: Vec<Block>) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for block in blocks {
        match block {
            Block::Heading { title, aside } => {
                let aside = aside.trim_start_matches('(').trim_end_matches(')').to_owned();
                sections.push(Section { title: sentence(&title), aside, blocks: Vec::new() });
            }
            other => {
                if let Some(section) = sections.last_mut() {
                    section.blocks.push(other);
                }
            }
        }
    }
    sections
}

/// Turns `NBD REQUESTS` into `NBD requests`.
pub fn sentence(title: &str) -> String {
    let words: Vec<String> = title
        .split(' ')
        .enumerate()
        .map(|(i, word)| match word {
            name if NAMES.contains(&name) => name.to_owned(),
            word if i == 0 => word.chars().take(1).chain(word.chars().skip(1).flat_map(char::to_lowercase)).collect(),
            word => word.to_lowercase(),
        })
        .collect();
    words.join(" ")
}
