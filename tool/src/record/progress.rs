// SPDX-License-Identifier: GPL-2.0
//! What the recorder says on standard error while it runs.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use crate::{
    format::{count, mib},
    terminal,
};

/// How it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// One line that changes.
    Live,
    /// A line every few seconds.
    Lines,
    /// Only what must be said.
    Quiet,
}

/// Says how far the recording is.
#[derive(Debug)]
pub(super) struct Progress {
    mode: Mode,
    began: Instant,
    last: Instant,
}

impl Progress {
    /// A command has the terminal for itself.
    pub(super) fn new(verbose: bool, command: bool) -> Self {
        let mode = if verbose {
            Mode::Lines
        } else if io::stderr().is_terminal() && !command {
            Mode::Live
        } else {
            Mode::Quiet
        };
        Self { mode, began: Instant::now(), last: Instant::now() }
    }

    /// Says it, if it is time.
    pub(super) fn tick(&mut self, events: u64, lost: u64, bytes: u64) {
        let pause = Duration::from_millis(if self.mode == Mode::Live { 500 } else { 5000 });
        if self.mode == Mode::Quiet || self.last.elapsed() < pause {
            return;
        }
        self.last = Instant::now();
        let seconds = self.began.elapsed().as_secs_f64();
        let text = format!("{seconds:.1} s, {} events, {} lost, {}", count(events), count(lost), mib(bytes));
        match self.mode {
            Mode::Live => {
                // The line may be longer than the next one.
                let _ = write!(io::stderr(), "\r\x1b[Krecording: {text} (Ctrl-C ends it)");
            }
            _ => terminal::say(&format!("recording: {text}")),
        }
    }

    /// Something that only matters to one who watches.
    pub(super) fn note(&self, text: &str) {
        if self.mode != Mode::Quiet {
            self.say(text);
        }
    }

    /// Something that must be known.
    pub(super) fn say(&self, text: &str) {
        let clear = if self.mode == Mode::Live { "\r\x1b[K" } else { "" };
        terminal::say_after(clear, text);
    }
}
