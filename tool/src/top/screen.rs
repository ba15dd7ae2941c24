// SPDX-License-Identifier: GPL-2.0
//! Takes over the terminal, draws on it, and restores it in all cases.

use std::{
    env,
    io::{self, IsTerminal, Stdout, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ratatui::{
    Terminal, TerminalOptions, Viewport,
    backend::CrosstermBackend,
    crossterm::{
        cursor::{Hide, MoveTo, Show},
        event::{self, Event},
        execute,
        style::{Attribute, SetAttribute},
        terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
    },
    layout::Rect,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use super::{
    draw::{self, Look},
    figures::Figures,
    view::{Todo, View},
    watch::{Sampler, Watch},
};
use crate::{
    cli,
    error::{Error, Result},
    narrow::Narrow,
    residence,
};

/// A signal waits at most this long.
const PATIENCE: Duration = Duration::from_millis(100);

fn io_error(err: io::Error) -> Error {
    Error::io("draw on", Path::new("the terminal"), err)
}

/// The columns and rows of the terminal. If it does not know them, like a serial line, they come from the environment,
/// or are 80 and 24.
fn size() -> Rect {
    let known = terminal_size::terminal_size().map(|(width, height)| (width.0, height.0));
    let said = |name: &str| env::var(name).ok().and_then(|value| value.parse::<u16>().ok()).filter(|n| *n > 0);
    let (width, height) = known
        .filter(|(width, height)| *width > 0 && *height > 0)
        .unwrap_or_else(|| (said("COLUMNS").unwrap_or(80), said("LINES").unwrap_or(24)));
    Rect::new(0, 0, width, height)
}

/// The terminal while it is ours. Dropping this restores it.
struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    size: Rect,
}

/// Restores the terminal. Errors are ignored, because nothing can be done about them.
fn give_back() {
    let mut out = io::stdout();
    // A terminal without an alternate screen keeps the frame, so the prompt must be below it.
    let _ = execute!(out, SetAttribute(Attribute::Reset), MoveTo(0, size().height.saturating_sub(1)), Show);
    let _ = out.write_all(b"\r\n");
    let _ = execute!(out, LeaveAlternateScreen);
    let _ = disable_raw_mode();
}

impl Screen {
    fn take() -> io::Result<Self> {
        // A release build aborts on a panic, and drops nothing.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            give_back();
            hook(info);
        }));
        enable_raw_mode()?;
        let size = size();
        // Viewport::Fullscreen cannot be used: it asks the terminal for its size, and fails if this is not known.
        let options = TerminalOptions { viewport: Viewport::Fixed(size) };
        let mut screen = Self { terminal: Terminal::with_options(CrosstermBackend::new(io::stdout()), options)?, size };
        execute!(screen.terminal.backend_mut(), EnterAlternateScreen, Hide)?;
        screen.terminal.clear()?;
        Ok(screen)
    }

    /// Adapts to the size of the terminal. Returns true if it has changed.
    fn follow(&mut self) -> io::Result<bool> {
        let size = size();
        if size == self.size {
            return Ok(false);
        }
        self.size = size;
        self.terminal.resize(size)?;
        Ok(true)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Runs until the user quits or a signal comes.
pub fn run(args: &cli::Top) -> Result<()> {
    if !io::stdout().is_terminal() {
        return Err(Error::NoScreen("standard output is not a terminal"));
    }
    if matches!(env::var("TERM").as_deref(), Ok("dumb")) {
        return Err(Error::NoScreen("a terminal of type dumb cannot be drawn on"));
    }
    residence::stay();
    let sampler = Sampler::new(&args.source.debugfs);
    // If something is missing, the error must be printed before the screen is taken over.
    let watch = Watch::new(sampler.take()?);
    let signal = Arc::new(AtomicUsize::new(0));
    for number in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        let value = usize::try_from(number).unwrap_or_default();
        signal_hook::flag::register_usize(number, Arc::clone(&signal), value).map_err(io_error)?;
    }
    let mut screen = Screen::take().map_err(io_error)?;
    let ended = watch_it(args, &sampler, watch, &mut screen, &signal);
    drop(screen);
    let number = i32::try_from(signal.load(Ordering::Relaxed)).unwrap_or_default();
    if number != 0 {
        // The sender of the signal sees that it ended the process.
        signal_hook::low_level::emulate_default_handler(number).map_err(io_error)?;
    }
    ended
}

fn watch_it(
    args: &cli::Top,
    sampler: &Sampler,
    mut watch: Watch,
    screen: &mut Screen,
    signal: &AtomicUsize,
) -> Result<()> {
    let look = Look::of_environment();
    let narrow = Narrow::of(&args.of);
    let mut view = View::new(args.by());
    let mut due = Instant::now() + args.interval;
    let mut todo = Todo::Draw;
    let mut figures = Figures::new(&watch, view.by)?.narrowed(narrow.as_ref());
    while signal.load(Ordering::Relaxed) == 0 {
        // A key is handled before a sample that is due, because it would be forgotten otherwise.
        match todo {
            Todo::Quit => return Ok(()),
            Todo::Reset => watch.reset(),
            Todo::Redraw => screen.terminal.clear().map_err(io_error)?,
            Todo::Nothing | Todo::Draw => {}
        }
        if !view.paused && Instant::now() >= due {
            watch.push(sampler.take()?)?;
            // The next interval does not start when this sample was due, because a machine that thrashes must not be
            // sampled again at once.
            due = Instant::now() + args.interval;
            todo = Todo::Draw;
        }
        if screen.follow().map_err(io_error)? || todo != Todo::Nothing {
            figures = Figures::new(&watch, view.by)?.narrowed(narrow.as_ref());
            figures.table.sort(view.sort());
            let frame = |f: &mut ratatui::Frame| draw::frame(f, &figures, &mut view, args.interval, look);
            screen.terminal.draw(frame).map_err(io_error)?;
        }
        todo = Todo::Nothing;
        let wait = due.saturating_duration_since(Instant::now());
        let wait = if view.paused { PATIENCE } else { wait.min(PATIENCE) };
        if event::poll(wait).map_err(io_error)? {
            if let Event::Key(key) = event::read().map_err(io_error)? {
                todo = view.key(key, &figures.table);
            }
        }
    }
    Ok(())
}
