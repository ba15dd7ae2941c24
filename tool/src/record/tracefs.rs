// SPDX-License-Identifier: GPL-2.0
//! A tracefs instance of our own, so that we do not disturb other users of tracing, and they do not disturb us.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rustix::fs::OFlags;

use crate::error::{Error, Result};

/// Where tracefs is.
pub const DEFAULT_TRACEFS: &str = "/sys/kernel/tracing";
/// The events that are recorded if none are named. `reclaim_write` is left out, because it fires for each folio, which
/// may be 100,000 times a second.
pub const DEFAULT_EVENTS: [&str; 4] = ["stall", "reclaim_window", "headroom_low", "write_around"];

/// The clock of the events, which is `CLOCK_MONOTONIC`.
pub(super) const CLOCK: &str = "mono";

const SYSTEM: &str = "events/reclaimwb";
const PREFIX: &str = "reclaimwb-record-";
/// The options that decide how `trace_pipe` writes a line. An instance inherits what others set, so all of them are set
/// here. With `overwrite`, the oldest events are lost first, because the end of a bad minute matters more than its
/// beginning.
const OPTIONS: [(&str, &str); 13] = [
    ("overwrite", "1"),
    ("context-info", "1"),
    ("irq-info", "1"),
    ("record-tgid", "0"),
    ("latency-format", "0"),
    ("verbose", "0"),
    ("raw", "0"),
    ("hex", "0"),
    ("bin", "0"),
    ("fields", "0"),
    ("stacktrace", "0"),
    ("userstacktrace", "0"),
    ("event-fork", "0"),
];
/// The instance cannot be removed while others read its files, so removing it is tried this often, with a pause in
/// between.
const REMOVE_TRIES: u32 = 20;
const REMOVE_PAUSE: Duration = Duration::from_millis(100);

/// The instance. It is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Instance {
    dir: PathBuf,
    /// Names of the events that are on.
    pub(super) events: Vec<String>,
    removed: bool,
}

impl Instance {
    /// Makes an instance with a buffer of `buffer_kib` KiB for each CPU. The named events are on, or `all`, or the
    /// usual ones if none are named. It does not trace yet.
    pub(super) fn make(tracefs: &Path, wanted: &[String], buffer_kib: u64) -> Result<Self> {
        let instances = tracefs.join("instances");
        fs::read_dir(&instances).map_err(|err| explain(tracefs, &instances, err))?;
        let events = choose(tracefs, wanted)?;
        remove_leftovers(&instances);
        let dir = instances.join(format!("{PREFIX}{}", std::process::id()));
        match fs::create_dir(&dir) {
            // A recorder with the same PID as ours left it behind when it was killed.
            Err(err) if err.kind() == io::ErrorKind::AlreadyExists => (),
            other => other.map_err(|err| explain(tracefs, &dir, err))?,
        }
        let instance = Self { dir, events, removed: false };
        instance.put("tracing_on", "0")?;
        for (option, value) in OPTIONS {
            // Not every kernel has all of these options.
            let path = instance.dir.join("options").join(option);
            if path.exists() {
                put(&path, value)?;
            }
        }
        instance.put("trace_clock", CLOCK)?;
        instance.put("buffer_size_kb", &buffer_kib.to_string())?;
        // Opening it for writing clears it.
        instance.put("trace", "")?;
        for event in &instance.events {
            instance.put(&format!("{SYSTEM}/{event}/enable"), "1")?;
        }
        Ok(instance)
    }

    /// Starts tracing.
    pub(super) fn start(&self) -> Result<()> {
        self.put("tracing_on", "1")
    }

    /// Stops tracing. What is in the buffer can still be read.
    pub(super) fn stop(&self) -> Result<()> {
        self.put("tracing_on", "0")
    }

    /// Opens the pipe from which its events can be read.
    pub(super) fn pipe(&self) -> Result<Pipe> {
        let path = self.dir.join("trace_pipe");
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&path);
        Ok(Pipe { file: file.map_err(|err| Error::io("read", &path, err))?, path, rest: Vec::new() })
    }

    /// Events that were lost since it was made, because there was no room, by CPU.
    pub(super) fn lost(&self) -> Result<BTreeMap<u64, u64>> {
        let per_cpu = self.dir.join("per_cpu");
        let mut lost = BTreeMap::new();
        for entry in fs::read_dir(&per_cpu).map_err(|err| Error::io("read", &per_cpu, err))? {
            let entry = entry.map_err(|err| Error::io("read", &per_cpu, err))?;
            let name = entry.file_name();
            let Some(cpu) = name.to_str().and_then(|name| name.strip_prefix("cpu")?.parse().ok()) else { continue };
            let path = entry.path().join("stats");
            let text = fs::read_to_string(&path).map_err(|err| Error::io("read", &path, err))?;
            lost.insert(cpu, lost_of(&text));
        }
        Ok(lost)
    }

    /// Removes the instance, or says why this is not possible.
    pub(super) fn remove(mut self) -> Result<()> {
        self.take_away()
    }

    fn take_away(&mut self) -> Result<()> {
        self.removed = true;
        for event in &self.events {
            // The module may be gone, and its events with it.
            let _ = self.put(&format!("{SYSTEM}/{event}/enable"), "0");
        }
        for _ in 1..REMOVE_TRIES {
            match fs::remove_dir(&self.dir) {
                Ok(()) => return Ok(()),
                Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(_) => thread::sleep(REMOVE_PAUSE),
            }
        }
        fs::remove_dir(&self.dir).map_err(|err| Error::io("remove the trace instance", &self.dir, err))
    }

    fn put(&self, name: &str, value: &str) -> Result<()> {
        put(&self.dir.join(name), value)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if !self.removed {
            // There was another error already, so an error here is ignored. The next recorder tries again.
            let _ = self.stop();
            let _ = self.take_away();
        }
    }
}

/// The lines of an instance. Reading a line removes it from the trace.
#[derive(Debug)]
pub(super) struct Pipe {
    file: File,
    path: PathBuf,
    /// The start of a line whose end was not read yet.
    rest: Vec<u8>,
}

impl Pipe {
    /// Passes the lines that are there to `each`, until it has read about `most` bytes. Returns whether there may be
    /// more.
    pub(super) fn lines(&mut self, most: usize, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let mut buffer = vec![0; most.min(1 << 16)];
        let mut all = 0;
        while all < most {
            let read = match self.file.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(read) => read,
                Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                Err(err) => return Err(Error::io("read", &self.path, err)),
            };
            all += read;
            let mut text = buffer.get(..read).unwrap_or_default();
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let (line, after) = text.split_at(end + 1);
                text = after;
                if self.rest.is_empty() {
                    each(line)?;
                } else {
                    self.rest.extend_from_slice(line);
                    each(&std::mem::take(&mut self.rest))?;
                }
            }
            self.rest.extend_from_slice(text);
        }
        Ok(true)
    }
}

fn put(path: &Path, value: &str) -> Result<()> {
    let file = OpenOptions::new().write(true).truncate(true).open(path);
    file.and_then(|mut file| file.write_all(value.as_bytes())).map_err(|err| match err.kind() {
        io::ErrorKind::PermissionDenied => Error::NoTracePrivilege(path.to_owned()),
        _ => Error::io("write", path, err),
    })
}

/// The events to switch on.
fn choose(tracefs: &Path, wanted: &[String]) -> Result<Vec<String>> {
    let dir = tracefs.join(SYSTEM);
    let entries = fs::read_dir(&dir).map_err(|err| match err.kind() {
        io::ErrorKind::NotFound => Error::NoEvents(dir.clone()),
        _ => explain(tracefs, &dir, err),
    })?;
    let names = entries.flatten().filter(|entry| entry.path().join("enable").exists());
    let mut there: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    there.sort();
    if wanted.is_empty() {
        // An older module does not have all of them.
        there.retain(|event| DEFAULT_EVENTS.contains(&event.as_str()));
        return Ok(there);
    }
    if wanted == ["all"] {
        return Ok(there);
    }
    match wanted.iter().find(|event| !there.contains(event)) {
        Some(event) => Err(Error::NoSuchEvent { event: event.clone(), known: there.join(", ") }),
        None => Ok(there.into_iter().filter(|event| wanted.contains(event)).collect()),
    }
}

/// Removes the instances of recorders that were killed, because they hold memory. An instance that a live recorder in
/// another container uses cannot be removed, because its files are open.
fn remove_leftovers(instances: &Path) {
    for entry in fs::read_dir(instances).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

fn lost_of(stats: &str) -> u64 {
    let lost = stats.lines().filter_map(|line| {
        let (what, n) = line.split_once(": ")?;
        ["overrun", "commit overrun", "dropped events"].contains(&what).then(|| n.trim().parse::<u64>().ok())?
    });
    crate::ledger::total(lost)
}

/// Turns an error into one that tells the user what is missing.
fn explain(tracefs: &Path, path: &Path, err: io::Error) -> Error {
    let mounted = || {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        mounts.lines().any(|line| line.split(' ').nth(2) == Some("tracefs"))
    };
    match err.kind() {
        io::ErrorKind::PermissionDenied => Error::NoTracePrivilege(path.to_owned()),
        io::ErrorKind::NotFound if !tracefs.exists() => Error::NoTracefs(tracefs.to_owned()),
        io::ErrorKind::NotFound if tracefs == Path::new(DEFAULT_TRACEFS) && !mounted() => Error::TracefsNotMounted,
        io::ErrorKind::NotFound => Error::NoInstances(tracefs.to_owned()),
        _ => Error::io("use", path, err),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost() {
        let stats = "entries: 7\noverrun: 3\ncommit overrun: 1\nbytes: 400\noldest event ts:  1.5\nnow ts:  2.5\n\
                     dropped events: 2\nread events: 9\n";
        assert_eq!(lost_of(stats), 6);
        assert_eq!(lost_of(""), 0);
    }

    #[test]
    fn lines_that_come_in_pieces() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("trace_pipe");
        let mut input = File::create(&path).expect("created");
        let mut pipe = Pipe { file: File::open(&path).expect("opened"), path, rest: Vec::new() };
        let mut got = Vec::new();
        for piece in ["one\ntw", "o\n", "", "thr", "ee", "\nfour\n"] {
            input.write_all(piece.as_bytes()).expect("written");
            let more = pipe.lines(1 << 20, |line| {
                got.push(String::from_utf8(line.to_vec()).expect("UTF-8"));
                Ok(())
            });
            assert!(!more.expect("read"));
        }
        assert_eq!(got, ["one\n", "two\n", "three\n", "four\n"]);
    }

    #[test]
    fn errors_say_what_is_missing() {
        let says = |tracefs: &str, kind: io::ErrorKind, what: &str| {
            let path = Path::new(tracefs).join("instances");
            let said = explain(Path::new(tracefs), &path, kind.into()).to_string();
            assert!(said.contains(what), "{said:?} does not say {what:?}");
        };
        says(DEFAULT_TRACEFS, io::ErrorKind::PermissionDenied, "run this as root");
        says("/nowhere", io::ErrorKind::NotFound, "--events none");
        says("/proc", io::ErrorKind::NotFound, "CONFIG_TRACING");
        says("/proc", io::ErrorKind::OutOfMemory, "/proc/instances");
    }
}
