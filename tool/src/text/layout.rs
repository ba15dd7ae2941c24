// SPDX-License-Identifier: GPL-2.0
//! Lays out paragraphs and tables in a given width, in plain ASCII, because the text must read well on a serial
//! console, too. Before that they are blocks, from which other formats than text can be made.

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
        /// What is put before its first line.
        first: String,
        /// What is put before the other lines.
        rest: String,
        /// The text.
        text: String,
        /// Whether it is advice.
        advice: bool,
    },
    /// A table.
    Table(Table),
    /// Begins a part of a section that a reader may want to fold. The part ends with the next part or section.
    Part {
        /// Its title. In text, this is a paragraph.
        title: String,
        /// Whether most readers want to see it.
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

    /// An empty page for other formats than text. It is not laid out in columns, and nothing is left out.
    pub fn whole() -> Self {
        Self { blocks: Vec::new(), width: super::DEFAULT_WIDTH, whole: true }
    }

    /// The width, in columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether the page is for another format than text: nothing is left out, and nothing is drawn with letters.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// How many elements of a list are shown, if a page of text shows `n`.
    pub fn at_most(&self, n: usize) -> usize {
        if self.whole { usize::MAX } else { n }
    }

    /// A line as it is.
    pub fn line(&mut self, line: &str) {
        self.blocks.push(Block::Line(line.to_owned()));
    }

    /// Adds a heading, with an empty line before it.
    pub fn heading(&mut self, title: &str, aside: &str) {
        self.blocks.push(Block::Heading { title: title.to_owned(), aside: aside.to_owned() });
    }

    /// Adds text that is wrapped to the width. The first line begins with `first`, the others with `rest`.
    pub fn paragraph(&mut self, first: &str, rest: &str, text: &str) {
        self.push_paragraph(first, rest, text, false);
    }

    /// The same for advice.
    pub fn advice(&mut self, first: &str, rest: &str, text: &str) {
        self.push_paragraph(first, rest, text, true);
    }

    fn push_paragraph(&mut self, first: &str, rest: &str, text: &str, advice: bool) {
        let [first, rest, text] = [first, rest, text].map(str::to_owned);
        self.blocks.push(Block::Paragraph { first, rest, text, advice });
    }

    /// Begins a part of a section with this title.
    pub fn part(&mut self, title: &str, open: bool) {
        self.blocks.push(Block::Part { title: title.to_owned(), open });
    }

    /// A table.
    pub fn table(&mut self, table: &Table) {
        self.blocks.push(Block::Table(table.clone()));
    }

    /// The blocks of the page, in their order.
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
        // A number and its unit stay on one line.
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
