// SPDX-License-Identifier: GPL-2.0
//! Paragraphs and tables in a given width, in plain ASCII: it must read well on a serial console too. Until then they
//! are blocks, of which other forms than text can be made.

pub use super::table::Table;

/// A piece of a page, before it is laid out.
#[derive(Debug)]
pub enum Block {
    /// Begins a section.
    Heading {
        /// Its title.
        title: String,
        /// What it is about.
        aside: String,
    },
    /// A line as it is.
    Line(String),
    /// Text to be wrapped.
    Paragraph {
        /// What is before its first line.
        first: String,
        /// What is before the others.
        rest: String,
        /// The text.
        text: String,
        /// Whether it says what may help.
        advice: bool,
    },
    /// A table.
    Table(Table),
    /// Begins a part of a section that a reader may want folded; it ends with the next part or section.
    Part {
        /// Its title, a paragraph in text.
        title: String,
        /// Whether it is what most readers want.
        open: bool,
    },
}

/// Text under construction.
#[derive(Debug)]
pub struct Page {
    blocks: Vec<Block>,
    width: usize,
    whole: bool,
}

impl Page {
    /// An empty page of `width` columns.
    pub fn new(width: usize) -> Self {
        Self { blocks: Vec::new(), width, whole: false }
    }

    /// An empty page that is not laid out in columns and leaves nothing out: for other forms than text.
    pub fn whole() -> Self {
        Self { blocks: Vec::new(), width: super::DEFAULT_WIDTH, whole: true }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether nothing is left out, and drawings of letters are out of place.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// How many of a list are shown, if these are enough for a page of text.
    pub fn at_most(&self, n: usize) -> usize {
        if self.whole { usize::MAX } else { n }
    }

    /// A line as it is.
    pub fn line(&mut self, line: &str) {
        self.blocks.push(Block::Line(line.to_owned()));
    }

    /// A heading with an empty line before it.
    pub fn heading(&mut self, title: &str, aside: &str) {
        self.blocks.push(Block::Heading { title: title.to_owned(), aside: aside.to_owned() });
    }

    /// Text wrapped to the width, the first line behind `first`, the others behind `rest`.
    pub fn paragraph(&mut self, first: &str, rest: &str, text: &str) {
        self.push_paragraph(first, rest, text, false);
    }

    /// The same, of what may help.
    pub fn advice(&mut self, first: &str, rest: &str, text: &str) {
        self.push_paragraph(first, rest, text, true);
    }

    fn push_paragraph(&mut self, first: &str, rest: &str, text: &str, advice: bool) {
        let [first, rest, text] = [first, rest, text].map(str::to_owned);
        self.blocks.push(Block::Paragraph { first, rest, text, advice });
    }

    /// A part of a section with this title.
    pub fn part(&mut self, title: &str, open: bool) {
        self.blocks.push(Block::Part { title: title.to_owned(), open });
    }

    /// A table.
    pub fn table(&mut self, table: &Table) {
        self.blocks.push(Block::Table(table.clone()));
    }

    /// What is on it, in this order.
    pub fn into_blocks(self) -> Vec<Block> {
        self.blocks
    }

    /// The text.
    pub fn finish(self) -> String {
        let mut text = Lines { text: String::new(), width: self.width };
        for block in &self.blocks {
            match block {
                Block::Heading { title, aside } => text.heading(title, aside),
                Block::Line(line) => text.line(line),
                Block::Paragraph { first, rest, text: of, .. } => text.paragraph(first, rest, of),
                Block::Part { title, .. } => text.paragraph("  ", "  ", title),
                Block::Table(table) => table.lines(self.width).iter().for_each(|line| text.line(line)),
            }
        }
        text.text
    }
}

/// Blocks laid out as lines.
struct Lines {
    text: String,
    width: usize,
}

impl Lines {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn heading(&mut self, title: &str, aside: &str) {
        self.line("");
        if title.len() + aside.len() + 2 <= self.width || aside.is_empty() {
            self.line(format!("{title}  {aside}").trim_end());
        } else {
            self.line(title);
            self.paragraph("  ", "  ", aside);
        }
        self.line(&"-".repeat(self.width));
    }

    fn paragraph(&mut self, first: &str, rest: &str, text: &str) {
        let options = textwrap::Options::new(self.width)
            .initial_indent(first)
            .subsequent_indent(rest)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        // A number and its unit stay together.
        let text = glue(text);
        for line in textwrap::wrap(&text, options) {
            let line = line.replace('\u{a0}', " ");
            self.line(&line);
        }
    }
}

fn glue(text: &str) -> String {
    text.replace(" %", "\u{a0}%").replace(" MiB", "\u{a0}MiB")
}
