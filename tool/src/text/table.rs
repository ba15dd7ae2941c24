// SPDX-License-Identifier: GPL-2.0
//! Tables whose columns are as wide as needed.

/// The longest of the bars has at least this many characters.
const SHORTEST_BAR: usize = 6;

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    header: Vec<String>,
    left: Vec<bool>,
    rows: Vec<Vec<String>>,
    /// How many rows at the end sum up the rows before them.
    totals: usize,
    /// The column whose cell is empty if it would repeat the cell above.
    once: Option<usize>,
    bars: Option<Bars>,
}

/// A bar for each row.
#[derive(Clone, Debug)]
struct Bars {
    lengths: Vec<u64>,
    most: u64,
}

impl Table {
    /// A table with this header. Columns whose name begins with `<` are aligned left.
    pub fn new(header: &[&str]) -> Self {
        Self {
            left: header.iter().map(|name| name.starts_with('<')).collect(),
            header: header.iter().map(|name| name.trim_start_matches('<').to_owned()).collect(),
            rows: Vec::new(),
            totals: 0,
            once: None,
            bars: None,
        }
    }

    /// Adds a row; missing cells stay empty.
    pub fn row(&mut self, cells: Vec<String>) {
        // A row is never broken, so it needs no special blanks.
        self.rows.push(cells.into_iter().map(|cell| cell.replace('\u{a0}', " ")).collect());
    }

    /// Adds a row that sums up the rows before it. Only other such rows may follow.
    pub fn total(&mut self, cells: Vec<String>) {
        self.row(cells);
        self.totals += 1;
    }

    /// In text, a cell of this column is empty if it would repeat the cell above.
    pub fn say_once(&mut self, column: usize) {
        self.once = Some(column);
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Names of the columns, and whether they are aligned left.
    pub fn header(&self) -> impl Iterator<Item = (&str, bool)> {
        self.header.iter().map(String::as_str).zip(self.left.iter().copied())
    }

    /// The rows without those that sum up the others, each with the length of its bar, if there are bars.
    pub fn body(&self) -> impl Iterator<Item = (&[String], Option<u64>)> {
        let length = |i: usize| self.bars.as_ref().map(|bars| bars.lengths.get(i).copied().unwrap_or(0));
        self.rows.iter().take(self.rows.len() - self.totals).enumerate().map(move |(i, row)| (&row[..], length(i)))
    }

    /// The rows that sum up the others.
    pub fn totals(&self) -> &[Vec<String>] {
        &self.rows[self.rows.len() - self.totals..]
    }

    /// The value of the longest bar, if there are bars.
    pub fn longest_bar(&self) -> Option<u64> {
        self.bars.as_ref().map(|bars| bars.most)
    }

    /// Removes the columns that have `-` in every row. Returns their names.
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

    /// Adds a bar for each row. In text, bars are drawn only if there is enough room for them.
    pub fn bars(&mut self, lengths: &[u64], most: u64) {
        self.bars = Some(Bars { lengths: lengths.to_vec(), most });
    }

    /// The lines of the table, in `width` columns.
    pub(super) fn lines(&self, width: usize) -> Vec<String> {
        let rows = self.drawn(width);
        let left = |i: usize| self.left.get(i).copied().unwrap_or(true);
        let widths = widths(&rows);
        let used = 2 + widths.iter().sum::<usize>();
        let gaps = widths.len().saturating_sub(1);
        // Two blanks between columns read better; one is enough when the screen is narrow.
        let gap = if used + 2 * gaps <= width { 2 } else { 1 };
        rows.iter()
            .map(|row| {
                let mut line = String::from("  ");
                for (i, cell) in row.iter().enumerate() {
                    if i > 0 {
                        line.push_str(&" ".repeat(gap));
                    }
                    let pad = " ".repeat(widths.get(i).copied().unwrap_or(0).saturating_sub(cell.chars().count()));
                    let (before, after) = if left(i) { ("", pad.as_str()) } else { (pad.as_str(), "") };
                    line.push_str(before);
                    line.push_str(cell);
                    line.push_str(after);
                }
                line
            })
            .collect()
    }

    /// The header and the rows as they are drawn, with their bars.
    fn drawn(&self, width: usize) -> Vec<Vec<String>> {
        let mut rows = vec![self.header.clone()];
        for (i, row) in self.rows.iter().enumerate() {
            let mut row = row.clone();
            if let Some(column) = self.once {
                let above = i.checked_sub(1).and_then(|above| self.rows.get(above)?.get(column));
                if let Some(cell) = row.get_mut(column).filter(|cell| above == Some(&**cell)) {
                    cell.clear();
                }
            }
            rows.push(row);
        }
        let Some(bars) = &self.bars else { return rows };
        let used: usize = widths(&rows).iter().map(|column| column + 2).sum();
        let room = width.saturating_sub(used + 2).min(48);
        if room >= SHORTEST_BAR {
            for (row, length) in rows.iter_mut().skip(1).zip(&bars.lengths) {
                row.push(bar(*length, bars.most, room));
            }
            rows[0].push(String::new());
        }
        rows
    }
}

/// The width of each column, in characters.
fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.first().map_or(0, Vec::len);
    (0..columns)
        .map(|i| rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect()
}

/// A bar for `n` out of `most`, at most `width` long. If `n` is not 0, the bar has at least one character.
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

    #[test]
    fn what_repeats_is_said_once() {
        let mut table = Table::new(&["<name", "a"]);
        for (name, n) in [("x", "1"), ("x", "2"), ("y", "3")] {
            table.row(vec![name.into(), n.into()]);
        }
        table.total(vec!["all".into(), "6".into()]);
        table.say_once(0);
        assert_eq!(table.lines(80), ["  name  a", "  x     1", "        2", "  y     3", "  all   6"]);
        assert_eq!(table.body().map(|(row, _)| row[0].as_str()).collect::<Vec<_>>(), ["x", "x", "y"]);
        assert_eq!(table.totals(), [["all", "6"]]);
    }
}
