// SPDX-License-Identifier: GPL-2.0
//! Paragraphs and tables in a given width, in plain ASCII: it must read well on a serial console too.

/// Text under construction.
#[derive(Debug)]
pub struct Page {
    text: String,
    width: usize,
}

impl Page {
    /// An empty page of `width` columns.
    pub fn new(width: usize) -> Self {
        Self { text: String::new(), width }
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A line as it is.
    pub fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A heading with an empty line before it.
    pub fn heading(&mut self, title: &str, aside: &str) {
        self.line("");
        if title.len() + aside.len() + 2 <= self.width || aside.is_empty() {
            self.line(format!("{title}  {aside}").trim_end());
        } else {
            self.line(title);
            self.paragraph("  ", "  ", aside);
        }
        self.line(&"-".repeat(self.width));
    }

    /// Text wrapped to the width, the first line behind `first`, the others behind `rest`.
    pub fn paragraph(&mut self, first: &str, rest: &str, text: &str) {
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

    /// A table.
    pub fn table(&mut self, table: &Table) {
        for line in table.lines(self.width) {
            self.line(&line);
        }
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }
}

fn glue(text: &str) -> String {
    text.replace(" %", "\u{a0}%").replace(" MiB", "\u{a0}MiB")
}

/// A table whose columns are as wide as they have to be.
#[derive(Debug)]
pub struct Table {
    header: Vec<String>,
    left: Vec<bool>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with this header; columns whose name begins with `<` are aligned left.
    pub fn new(header: &[&str]) -> Self {
        Self {
            left: header.iter().map(|name| name.starts_with('<')).collect(),
            header: header.iter().map(|name| name.trim_start_matches('<').to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells stay empty.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Leaves out columns that say `-` in every row; gives their names.
    pub fn drop_empty(&mut self) -> Vec<String> {
        let empty: Vec<bool> = (0..self.header.len())
            .map(|i| !self.rows.is_empty() && self.rows.iter().all(|row| row.get(i).is_some_and(|c| c == "-")))
            .collect();
        let keep = |i: &usize| !empty.get(*i).copied().unwrap_or(false);
        let pick = |cells: &[String]| -> Vec<String> {
            cells.iter().enumerate().filter(|(i, _)| keep(i)).map(|(_, cell)| cell.clone()).collect()
        };
        let dropped = self.header.iter().enumerate().filter(|(i, _)| !keep(i)).map(|(_, name)| name.clone()).collect();
        self.left = self.left.iter().enumerate().filter(|(i, _)| keep(i)).map(|(_, left)| *left).collect();
        self.header = pick(&self.header);
        self.rows = self.rows.iter().map(|row| pick(row)).collect();
        dropped
    }

    /// Adds a column of bars that fills the page.
    pub fn bars(&mut self, lengths: &[u64], most: u64, width: usize) {
        let used: usize = self.widths().iter().map(|column| column + 2).sum();
        let room = width.saturating_sub(used + 2).clamp(1, 48);
        self.header.push(String::new());
        self.left.push(true);
        for (row, length) in self.rows.iter_mut().zip(lengths) {
            row.push(bar(*length, most, room));
        }
    }

    fn widths(&self) -> Vec<usize> {
        let all = || std::iter::once(&self.header).chain(&self.rows);
        (0..self.header.len())
            .map(|i| all().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect()
    }

    fn lines(&self, width: usize) -> Vec<String> {
        let all = || std::iter::once(&self.header).chain(&self.rows);
        let widths = self.widths();
        let used = 2 + widths.iter().sum::<usize>();
        let gaps = widths.len().saturating_sub(1);
        // Two blanks between columns read better; one is enough when the screen is narrow.
        let gap = if used + 2 * gaps <= width { 2 } else { 1 };
        all()
            .map(|row| {
                let mut line = String::from("  ");
                for (i, cell) in row.iter().enumerate() {
                    if i > 0 {
                        line.push_str(&" ".repeat(gap));
                    }
                    let pad = " ".repeat(widths.get(i).copied().unwrap_or(0).saturating_sub(cell.chars().count()));
                    let (before, after) = if self.left.get(i).copied().unwrap_or(false) {
                        ("", pad.as_str())
                    } else {
                        (pad.as_str(), "")
                    };
                    line.push_str(before);
                    line.push_str(cell);
                    line.push_str(after);
                }
                line
            })
            .collect()
    }
}

/// A bar of `n` out of `most`, at most `width` long; what is there shows at least one mark.
fn bar(n: u64, most: u64, width: usize) -> String {
    if n == 0 || most == 0 {
        return String::new();
    }
    let long = u128::from(n) * width as u128 / u128::from(most);
    "#".repeat(usize::try_from(long).unwrap_or(width).clamp(1, width.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        assert_eq!(bar(0, 10, 20), "");
        assert_eq!(bar(1, 1_000_000, 20), "#");
        assert_eq!(bar(10, 10, 20).len(), 20);
        assert_eq!(bar(u64::MAX, u64::MAX, 3), "###");
    }

    #[test]
    fn table_aligns_and_drops() {
        let mut table = Table::new(&["<name", "a", "b"]);
        table.row(vec!["x".into(), "-".into(), "10".into()]);
        table.row(vec!["long".into(), "-".into(), "-".into()]);
        assert_eq!(table.drop_empty(), ["a"]);
        assert_eq!(table.lines(80), ["  name   b", "  x     10", "  long   -"]);
    }
}
