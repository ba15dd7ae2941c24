// SPDX-License-Identifier: GPL-2.0
//! What the user chose, and what each key changes.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::figures::{By, Table};

/// The keys, as the help shows them.
pub const KEYS: [(&str, &str); 8] = [
    ("o c t", "rows by origin, cgroup, task"),
    ("s S", "sort by the next, the previous column"),
    ("p, space", "pause and resume: nothing is read while paused"),
    ("r", "reset: totals, and LEAST and KEPT of tasks, count from now"),
    ("up, down", "move the rows, if not all fit (also page up and down, home, end)"),
    ("Ctrl-L", "redraw everything, after noise on a serial line"),
    ("? h", "this help, and back"),
    ("q, Esc", "quit (also Ctrl-C)"),
];

/// What is to be done after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// Nothing.
    Nothing,
    /// Draw.
    Draw,
    /// Draw every cell again, even if it did not change.
    Redraw,
    /// Reset the totals.
    Reset,
    /// End.
    Quit,
}

/// What is shown, and how.
#[derive(Clone, Debug)]
pub struct View {
    /// What the rows are.
    pub by: By,
    /// The column that each table is sorted by.
    sort: [usize; By::ALL.len()],
    /// Whether it is paused: nothing is read.
    pub paused: bool,
    /// Whether the help is shown.
    pub help: bool,
    /// The number of rows above the first one that is shown.
    pub scroll: usize,
}

impl View {
    /// Shows rows of this kind, sorted by what hurts.
    pub const fn new(by: By) -> Self {
        // This is the stalled time, and for tasks the longest stall.
        Self { by, sort: [2, 2, 1], paused: false, help: false, scroll: 0 }
    }

    /// The column to sort by.
    pub const fn sort(&self) -> usize {
        self.sort[self.by as usize]
    }

    /// Handles a key; `table` is the one that is shown.
    pub fn key(&mut self, key: KeyEvent, table: &Table) -> Todo {
        if key.kind == KeyEventKind::Release {
            return Todo::Nothing;
        }
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if ctrl => return Todo::Quit,
            KeyCode::Char('l') if ctrl => return Todo::Redraw,
            KeyCode::Char(_) if ctrl => return Todo::Nothing,
            // In the help, Esc only leaves the help.
            KeyCode::Esc if self.help => self.help = false,
            KeyCode::Char('q') | KeyCode::Esc => return Todo::Quit,
            KeyCode::Char('?' | 'h') => self.help = !self.help,
            KeyCode::Char('o') => self.switch(By::Origin),
            KeyCode::Char('c') => self.switch(By::Cgroup),
            KeyCode::Char('t') => self.switch(By::Task),
            KeyCode::Char('s') => self.sort_by_next(table, 1),
            KeyCode::Char('S') => self.sort_by_next(table, table.columns.len() - 1),
            KeyCode::Char('p' | ' ') => self.paused = !self.paused,
            KeyCode::Char('r') => return Todo::Reset,
            KeyCode::Up => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::Down => self.scroll = self.scroll.saturating_add(1),
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(10),
            KeyCode::PageDown => self.scroll = self.scroll.saturating_add(10),
            KeyCode::Home => self.scroll = 0,
            KeyCode::End => self.scroll = table.rows.len(),
            _ => return Todo::Nothing,
        }
        Todo::Draw
    }

    fn switch(&mut self, by: By) {
        (self.by, self.scroll, self.help) = (by, 0, false);
    }

    /// Sorts by the next column of numbers.
    fn sort_by_next(&mut self, table: &Table, step: usize) {
        let columns = table.columns.len();
        let mut column = self.sort();
        for _ in 0..columns {
            column = (column + step) % columns;
            if table.columns.get(column).is_some_and(|column| !column.words) {
                self.sort[self.by as usize] = column;
                return;
            }
        }
    }
}
