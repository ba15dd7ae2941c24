// SPDX-License-Identifier: GPL-2.0
//! What the recorder prints to standard error while it runs.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use crate::{
    format::{count, mib},
    terminal,
};

/// How progress is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// One line that changes.
    Live,
    /// A new line every few seconds.
    Lines,
    /// Nothing but what the user must know.
    Quiet,
}

/// Prints the progress of the recording.
#[derive(Debug)]
pub(super) struct Progress {
    mode: Mode,
    began: Instant,
    last: Instant,
}

impl Progress {
    /// Makes it. If a command runs, the terminal is left to the command.
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

    /// Prints the progress, if it is time.
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
                // The previous line may be longer than this one, so it is cleared.
                let _ = write!(io::stderr(), "\r\x1b[Krecording: {text} (Ctrl-C ends it)");
            }
            _ => terminal::say(&format!("recording: {text}")),
        }
    }

    /// Prints a message that matters only to somebody who is watching.
    pub(super) fn note(&self, text: &str) {
        if self.mode != Mode::Quiet {
            self.say(text);
        }
    }

    /// Prints a message that the user must know.
    pub(super) fn say(&self, text: &str) {
        let clear = if self.mode == Mode::Live { "\r\x1b[K" } else { "" };
        terminal::say_after(clear, text);
    }
}
