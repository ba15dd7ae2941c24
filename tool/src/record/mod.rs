// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb record`: the ledgers before and after, and the module's trace events in between.

mod command;
mod line;
mod output;
mod params;
mod progress;
mod ring;
mod tracefs;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::PathBuf,
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant, SystemTime},
};

use rustix::time::{ClockId, clock_gettime};
use signal_hook::{
    consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use command::Command;
use line::Said;
use output::{Output, Target};
use params::Params;
use progress::Progress;
use ring::Ring;
use tracefs::{Instance, Pipe};

pub use tracefs::{DEFAULT_EVENTS, DEFAULT_TRACEFS};

use crate::{
    cli,
    error::{Error, Result},
    format::count,
    recording::{Clock, End, Event, Head, Lost, Writer},
    residence,
    snapshot::Snapshot,
    terminal,
};

/// How often the trace is read when it is calm.
const PAUSE: Duration = Duration::from_millis(100);
/// Bytes of the trace that are read before the clock and the command are looked at again.
const READ_BYTES: usize = 1 << 20;
/// How often the kernel's counts of lost events, and the module's parameters, are read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What the kernel prints for a task whose name it has forgotten.
const FORGOTTEN: &str = "<...>";

/// Records as `args` says, until the command ends, the time is over or a signal comes. Returns the exit code, which is
/// that of the command if there is one.
pub fn run(args: &cli::Record) -> Result<u8> {
    let target = match &args.dir {
        Some(dir) => Target::Ring(Ring::open(dir, *args.every, *args.keep, args.max_size.0)?),
        None => Target::File(args.output.clone().unwrap_or_else(|| output::name_at(SystemTime::now()).into())),
    };
    if let Target::File(path) = &target {
        output::check(path)?;
    }
    let signals = signals()?;
    // Try first what is most likely to fail. The result is not used.
    Snapshot::take(&args.source.debugfs)?;
    let none = args.events == ["none"];
    residence::stay();
    let trace = if none { None } else { Trace::make(args)? };
    Session::begin(args, target, trace, signals)?.run()
}

/// Receives the signals that matter. From now on they do not end the process.
fn signals() -> Result<Receiver<i32>> {
    let failed = |err| Error::io("listen for", "signals", err);
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGCHLD]).map_err(failed)?;
    // nohup(1) makes the process ignore SIGHUP, so it stays ignored.
    if !is_ignored(&fs::read_to_string("/proc/self/status").unwrap_or_default(), SIGHUP) {
        signals.add_signal(SIGHUP).map_err(failed)?;
    }
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                if sender.send(signal).is_err() {
                    break;
                }
            }
        })
        .map_err(failed)?;
    Ok(receiver)
}

/// Whether `/proc/self/status` says that a signal is ignored.
fn is_ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| (mask >> (signal - 1)) & 1 == 1)
}

/// Where events come from.
struct Trace {
    /// Dropped first: the instance cannot be removed while it is open.
    pipe: Pipe,
    instance: Instance,
    /// Events lost so far, by CPU.
    lost: BTreeMap<u64, u64>,
    looked: Instant,
}

impl Trace {
    /// Makes a trace with buffers as large as the kernel has memory for; `None` if there is no memory even for small
    /// ones. Tells the user if the buffers are smaller than wanted.
    fn make(args: &cli::Record) -> Result<Option<Self>> {
        let kib = args.buffer.0.div_ceil(1024);
        if kib < 8 {
            return Err(Error::Options("--buffer is less than two pages; give 64KiB or more".into()));
        }
        let made = as_large_as_can_be(kib, |kib| {
            let instance = Instance::make(&args.tracefs, &args.events, kib)?;
            let (pipe, lost) = (instance.pipe()?, instance.lost()?);
            Ok(Self { pipe, instance, lost, looked: Instant::now() })
        })?;
        match &made {
            None => terminal::say(
                "there is no memory for trace buffers: the ledgers alone are recorded, as with --events none",
            ),
            Some((_, had)) if *had < kib => terminal::say(&format!(
                "there is no memory for trace buffers of {kib} KiB a CPU: they have {had} KiB, and more may be lost"
            )),
            Some(_) => (),
        }
        Ok(made.map(|(trace, _)| trace))
    }

    /// The events that were lost since the last call.
    fn newly_lost(&mut self) -> Result<Vec<Lost>> {
        self.looked = Instant::now();
        let now = self.instance.lost()?;
        let new = now.iter().map(|(cpu, n)| {
            let events = n.saturating_sub(self.lost.get(cpu).copied().unwrap_or(0));
            Lost { cpu: *cpu, events }
        });
        let new = new.filter(|lost| lost.events > 0).collect();
        self.lost = now;
        Ok(new)
    }
}

/// The smallest trace buffer that is tried, in KiB.
const LEAST_KIB: u64 = 64;

/// Calls `make` with a number of KiB, and again with half as many as long as the kernel has no memory for them. Returns
/// what was made, and for how many KiB; `None` if there is no memory even for the smallest buffer.
fn as_large_as_can_be<T>(mut kib: u64, mut make: impl FnMut(u64) -> Result<T>) -> Result<Option<(T, u64)>> {
    loop {
        match make(kib) {
            Ok(it) => return Ok(Some((it, kib))),
            Err(err) if !err.is_for_memory() => return Err(err),
            Err(_) if kib > LEAST_KIB => kib = (kib / 2).max(LEAST_KIB),
            Err(_) => return Ok(None),
        }
    }
}

/// A recorder at work.
struct Session<'a> {
    args: &'a cli::Record,
    target: Target,
    trace: Option<Trace>,
    signals: Receiver<i32>,
    progress: Progress,
    params: Params,
    began: Instant,
    output: Output,
    /// When the file was begun.
    output_began: Instant,
    /// The snapshot at the start of the file. At its end, this is used to check that the counts only grew.
    before: Snapshot,
    /// Events in all files that were ended.
    events: u64,
    lost: u64,
    unreadable: u64,
    /// The size of the last snapshot, in bytes of the file.
    snapshot_bytes: u64,
    interrupted: bool,
}

impl<'a> Session<'a> {
    fn begin(args: &'a cli::Record, target: Target, trace: Option<Trace>, signals: Receiver<i32>) -> Result<Self> {
        let params = Params::new(args.parameters.clone());
        // No event is earlier than this.
        let clock = clock_ns();
        if let Some(trace) = &trace {
            trace.instance.start()?;
        }
        // The trace begins before the first snapshot and ends after the last one, so that no event between them is
        // missing.
        let (output, before) = open_output(args, &target, trace.as_ref(), clock)?;
        let session = Self {
            args,
            trace,
            signals,
            progress: Progress::new(args.verbose, !args.command.is_empty()),
            params,
            began: Instant::now(),
            output_began: Instant::now(),
            snapshot_bytes: output.writer().bytes(),
            output,
            before,
            events: 0,
            lost: 0,
            unreadable: 0,
            interrupted: false,
            target,
        };
        if let Target::Ring(ring) = &session.target {
            if let Err(err) = ring.check(session.snapshot_bytes).and_then(|()| session.prune(ring)) {
                session.output.discard();
                return Err(err);
            }
        }
        Ok(session)
    }

    fn run(mut self) -> Result<u8> {
        let mut command = match Command::start(&self.args.command) {
            Ok(command) => command,
            Err(err) => {
                self.output.discard();
                return Err(err);
            }
        };
        let recorded = self.record(&mut command);
        let partial = self.output.partial().to_owned();
        match recorded.and_then(|()| self.end(&mut command)) {
            Ok(exit) => Ok(exit.and_then(|exit| u8::try_from(exit).ok()).unwrap_or(0)),
            Err(err) => {
                let err = Error::Unfinished { source: Box::new(err), partial };
                if let Some(command) = &mut command {
                    // The command is not to blame, and the caller waits for it.
                    terminal::say(&err.to_string());
                    command.wait()?;
                    return Err(Error::Reported);
                }
                Err(err)
            }
        }
    }

    /// Records until it is over.
    fn record(&mut self, command: &mut Option<Command>) -> Result<()> {
        loop {
            let more = self.pump()?;
            if self.params.is_due() {
                self.note_params()?;
            }
            let written = self.output.writer();
            let (events, lost) = (self.events + written.events(), self.lost + written.lost_events());
            self.progress.tick(events, lost, written.bytes());
            if let Some(command) = command {
                if command.exit()?.is_some() {
                    return Ok(());
                }
            } else if self.interrupted || self.args.duration.is_some_and(|duration| self.began.elapsed() >= *duration) {
                return Ok(());
            }
            if self.is_full() {
                self.next_file()?;
            }
            self.heed(command, if more { Duration::ZERO } else { self.pause() })?;
        }
    }

    /// How long there is nothing to do.
    fn pause(&self) -> Duration {
        let left = self.args.duration.map(|duration| duration.saturating_sub(self.began.elapsed()));
        left.map_or(PAUSE, |left| left.min(PAUSE))
    }

    /// Waits for a signal, and acts on it.
    fn heed(&mut self, command: &mut Option<Command>, pause: Duration) -> Result<()> {
        let signal = match self.signals.recv_timeout(pause) {
            // The caller checks anyway whether the command has ended.
            Ok(SIGCHLD) | Err(RecvTimeoutError::Timeout) => return Ok(()),
            Ok(signal) => signal,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::io("listen for", "signals", std::io::ErrorKind::BrokenPipe.into()));
            }
        };
        match command {
            Some(command) if self.interrupted => command.kill(),
            Some(command) => {
                command.pass_on(signal);
                self.progress.note(&format!("waiting for {} to end; once more kills it", command.name()));
            }
            None => (),
        }
        self.interrupted = true;
        Ok(())
    }

    /// Writes down what the trace contains now, or a part of it. Returns whether there may be more.
    fn pump(&mut self) -> Result<bool> {
        let Some(trace) = &mut self.trace else { return Ok(false) };
        let output = &mut self.output;
        let most = if matches!(self.target, Target::Ring(_)) { ring::READ_BYTES } else { READ_BYTES };
        let more = trace.pipe.lines(most, |text| {
            output.write(|writer| match line::read(text) {
                Said::Event(mut event) => {
                    name_task(&mut event);
                    writer.event(&event)
                }
                Said::Remark => Ok(()),
                Said::Unreadable => {
                    writer.unreadable();
                    Ok(())
                }
            })
        })?;
        if trace.looked.elapsed() >= LOOK_EVERY {
            self.note_lost()?;
            // A reader of the file, now or after a crash, finds all events up to this moment.
            self.output.write(Writer::flush)?;
        }
        Ok(more)
    }

    fn note_lost(&mut self) -> Result<()> {
        let Some(trace) = &mut self.trace else { return Ok(()) };
        for lost in trace.newly_lost()? {
            self.output.write(|writer| writer.lost(&lost))?;
        }
        Ok(())
    }

    fn note_params(&mut self) -> Result<()> {
        for event in self.params.changes(clock_ns()) {
            self.output.write(|writer| writer.event(&event).and_then(|()| writer.flush()))?;
        }
        Ok(())
    }

    /// Whether it is time for the next file.
    fn is_full(&self) -> bool {
        match &self.target {
            Target::File(_) => false,
            Target::Ring(ring) => {
                let bytes = self.output.writer().bytes().saturating_add(self.snapshot_bytes);
                self.output_began.elapsed() >= ring.every || bytes >= ring.part_bytes()
            }
        }
    }

    /// Ends this file and begins the next one. The snapshot at the end of one is also at the start of the other.
    fn next_file(&mut self) -> Result<()> {
        self.note_lost()?;
        self.note_params()?;
        let (next, snapshot) = open_output(self.args, &self.target, self.trace.as_ref(), clock_ns())?;
        let seconds = self.output_began.elapsed().as_secs_f64();
        self.output_began = Instant::now();
        self.snapshot_bytes = next.writer().bytes();
        let old = std::mem::replace(&mut self.output, next);
        let (_, end) = old.end(&snapshot, seconds, false, None)?;
        self.count(&end);
        self.check_grown(&snapshot);
        self.before = snapshot;
        match &self.target {
            Target::Ring(ring) => self.prune(ring),
            Target::File(_) => Ok(()),
        }
    }

    fn prune(&self, ring: &Ring) -> Result<()> {
        ring.prune(SystemTime::now(), self.output.partial(), self.snapshot_bytes)
    }

    fn count(&mut self, end: &End) {
        self.events += end.events;
        self.lost += end.lost;
        self.unreadable += end.unreadable;
    }

    /// Writes down the rest and ends the file. Returns the command's exit code.
    fn end(mut self, command: &mut Option<Command>) -> Result<Option<i32>> {
        self.note_params()?;
        let mut seconds = self.output_began.elapsed().as_secs_f64();
        let mut after = Snapshot::take(&self.args.source.debugfs)?;
        if let Some(trace) = &self.trace {
            trace.instance.stop()?;
        }
        while self.pump()? {
            if self.is_full() {
                self.next_file()?;
                seconds = self.output_began.elapsed().as_secs_f64();
                after = Snapshot::take(&self.args.source.debugfs)?;
            }
        }
        self.note_lost()?;
        let exit = match command {
            Some(command) => command.exit()?,
            None => None,
        };
        self.check_grown(&after);
        let trace = self.trace.take();
        let (path, end) = self.output.end(&after, seconds, self.interrupted, exit)?;
        self.events += end.events;
        self.lost += end.lost;
        self.unreadable += end.unreadable;
        if let Some(trace) = trace {
            drop(trace.pipe);
            // The recording is complete even if this fails.
            if let Err(err) = trace.instance.remove() {
                self.progress.say(&err.to_string());
            }
        }
        if self.lost > 0 {
            self.progress.say(&format!("{} events were lost; give a larger --buffer or fewer --events", self.lost));
        }
        if self.unreadable > 0 {
            self.progress.say(&format!(
                "{} lines of the trace were not understood and are left out; use the reclaimwb that was built with the \
                 module",
                self.unreadable
            ));
        }
        let read = format!("reclaimwb report {}", path.display());
        self.progress.note(&format!(
            "{:.1} s, {} events: {read}",
            self.began.elapsed().as_secs_f64(),
            count(self.events)
        ));
        Ok(exit)
    }

    /// Figures are the difference of the snapshots at the end and at the start. Warns if they cannot be computed.
    fn check_grown(&self, after: &Snapshot) {
        let ledgers = self.before.ledgers().and_then(|before| Ok((before, after.ledgers()?)));
        let grown = ledgers.map(|(before, after)| (after.is_reloaded(&before), after.since(&before)));
        let (why, err) = match grown {
            Ok((_, Ok(_))) => return,
            Ok((true, Err(err))) => ("the module was loaded anew meanwhile", err),
            Ok((false, Err(err))) => ("a count of the module went back", err),
            Err(err) => ("the ledgers cannot be read", err),
        };
        // What to do about snapshots does not help here.
        let what = match err {
            Error::Since(what) => what,
            other => other.to_string(),
        };
        self.progress.say(&format!("{why}, so the recording has no figures: {what}"));
    }
}

/// Begins a file now.
fn open_output(
    args: &cli::Record,
    target: &Target,
    trace: Option<&Trace>,
    clock_ns: u64,
) -> Result<(Output, Snapshot)> {
    let started = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let before = Snapshot::take(&args.source.debugfs)?;
    let word = |word: &OsString| word.to_string_lossy().into_owned();
    let head = Head {
        tool: env!("CARGO_PKG_VERSION").into(),
        started,
        command: (!args.command.is_empty()).then(|| args.command.iter().map(word).collect()),
        clock: Clock { name: tracefs::CLOCK.into(), ns: clock_ns },
        events: trace.map(|trace| trace.instance.events.clone()).unwrap_or_default(),
        system: before.system.clone(),
    };
    let output = Output::begin(target.next(), head, &before)?;
    Ok((output, before))
}

/// The time now, on the clock of the events.
fn clock_ns() -> u64 {
    let now = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

/// The kernel keeps the names of only a few tasks. Most of the time, the task still exists, and /proc has its name.
fn name_task(event: &mut Event) {
    if event.comm != FORGOTTEN {
        return;
    }
    if let Ok(name) = fs::read(PathBuf::from(format!("/proc/{}/comm", event.pid))) {
        event.comm = String::from_utf8_lossy(name.trim_ascii_end()).into_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals() {
        let status = |mask: &str| format!("Name:\treclaimwb\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\n");
        assert!(is_ignored(&status("0000000000000001"), SIGHUP));
        assert!(!is_ignored(&status("0000000000000002"), SIGHUP));
        assert!(is_ignored(&status("0000000000000002"), SIGINT));
        assert!(!is_ignored("", SIGHUP));
    }

    #[test]
    fn buffers_are_as_large_as_there_is_memory_for() {
        let full = || Error::io("write", "buffer_size_kb", std::io::Error::from_raw_os_error(12));
        let with = |free: u64| as_large_as_can_be(4096, |kib| if kib <= free { Ok(()) } else { Err(full()) });
        for (free, had) in [(4096, 4096), (4095, 2048), (100, 64), (64, 64)] {
            assert_eq!(with(free).expect("made").map(|((), kib)| kib), Some(had), "{free} KiB");
        }
        assert!(with(63).expect("no error").is_none());
        // A buffer that is already small is not made larger, and other errors are not taken for lack of memory.
        assert!(as_large_as_can_be(16, |_| Err::<(), _>(full())).expect("no error").is_none());
        let refused = as_large_as_can_be(4096, |_| Err::<(), _>(Error::TracefsNotMounted));
        assert!(matches!(refused, Err(Error::TracefsNotMounted)));
    }

    #[test]
    fn a_forgotten_name_is_looked_up() {
        let mut event = Event {
            ns: 1,
            cpu: 0,
            pid: u64::from(std::process::id()),
            comm: FORGOTTEN.into(),
            name: "stall".into(),
            fields: BTreeMap::new(),
        };
        name_task(&mut event);
        assert!(event.comm != FORGOTTEN && !event.comm.is_empty(), "{}", event.comm);
        // There is no such process.
        (event.pid, event.comm) = (u64::from(u32::MAX), FORGOTTEN.into());
        name_task(&mut event);
        assert_eq!(event.comm, FORGOTTEN);
    }
}
