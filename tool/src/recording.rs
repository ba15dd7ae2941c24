// SPDX-License-Identifier: GPL-2.0
//! What `reclaimwb record` writes: two snapshots, and the module's trace events in between, as one JSON object on each
//! line.
//!
//! A recording that is not complete is refused. A file without its last line was cut off, and figures from a part of a
//! recording would look like figures from all of it. FORMAT.md describes the lines.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    names::Origin,
    snapshot::Snapshot,
    system::System,
};

/// The format that this tool writes and reads.
pub const FORMAT: u64 = 1;

/// The mark by which the first line is recognised. Every recording begins with it.
const MARK: &str = "recording";
const BEGINNING: &[u8] = b"{\"reclaimwb\"";

const MAKE_ONE: &str = "make one with: reclaimwb record -o FILE";

/// The name of the event that comes from the recorder and not from the module: a parameter was set.
pub const PARAMETER: &str = "parameter";

/// The clock of the events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub struct Clock {
    /// Its name, as in tracefs: `mono`.
    pub name: String,
    /// What it said when the recording began, in nanoseconds.
    pub ns: u64,
}

/// What is known when a recording begins.
#[derive(Clone, Debug, Serialize, JsonSchema, Deserialize)]
pub struct Head {
    /// Version of the tool that made it.
    pub tool: String,
    /// When it began, as RFC 3339.
    pub started: String,
    /// The command that was run while recording, with its arguments; absent if there was none.
    pub command: Option<Vec<String>>,
    /// The clock of the events.
    pub clock: Clock,
    /// The names of the trace events that were asked for. There are no others in the file.
    #[serde(default)]
    pub events: Vec<String>,
    /// The machine.
    pub system: System,
}

/// The value of an event's field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(u64),
    /// Any other text.
    Text(String),
}

/// One of the module's trace events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub struct Event {
    /// When, in nanoseconds of the recording's clock.
    pub ns: u64,
    /// On which CPU.
    pub cpu: u64,
    /// The task.
    pub pid: u64,
    /// Its name; `<...>` if the kernel has forgotten it.
    pub comm: String,
    /// Name of the event: `stall`.
    pub name: String,
    /// Its fields, by name.
    pub fields: BTreeMap<String, Value>,
}

impl Event {
    /// A field that is a number.
    pub fn number(&self, field: &str) -> Option<u64> {
        match self.fields.get(field)? {
            Value::Number(number) => Some(*number),
            Value::Text(_) => None,
        }
    }

    /// A number that the event must have. If it is missing, the error says what to do.
    pub fn needed(&self, field: &str) -> std::result::Result<u64, String> {
        self.number(field).ok_or_else(|| self.lacks(field))
    }

    /// What asked for reclaim. The event must have this field.
    pub fn origin(&self) -> std::result::Result<Origin, String> {
        self.text("origin").and_then(|key| Origin::from_key(&key)).ok_or_else(|| self.lacks("origin"))
    }

    /// The error for an event that lacks a field that it must have.
    pub fn lacks(&self, field: &str) -> String {
        format!(
            "an event {} has no {field} that this tool can read; use the reclaimwb that made the recording",
            self.name
        )
    }

    /// A field as text, even if it is a number.
    pub fn text(&self, field: &str) -> Option<Cow<'_, str>> {
        Some(match self.fields.get(field)? {
            Value::Number(number) => number.to_string().into(),
            Value::Text(text) => text.into(),
        })
    }
}

/// Events that found no room in the trace buffer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Deserialize)]
pub struct Lost {
    /// The CPU.
    pub cpu: u64,
    /// How many events.
    pub events: u64,
}

/// How a recording ended.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, Deserialize)]
pub struct End {
    /// Events in the file.
    pub events: u64,
    /// Events that were lost.
    pub lost: u64,
    /// Lines of the trace that this tool does not recognise as events; they are not in the file.
    #[serde(default)]
    pub unreadable: u64,
    /// How long it took.
    pub seconds: f64,
    /// Whether a signal ended it.
    pub interrupted: bool,
    /// The command's exit code, or 128 plus the number of the signal that ended it; absent if there was no command, or
    /// if it was still running.
    pub exit: Option<i32>,
}

/// The first line. It is visible in the crate only for its schema.
#[derive(Serialize, JsonSchema, Deserialize)]
pub(crate) struct First {
    reclaimwb: String,
    format: u64,
    #[serde(flatten)]
    head: Head,
}

/// What the first line has in every version of the format.
#[derive(Deserialize)]
struct AnyFirst {
    reclaimwb: Option<String>,
    format: Option<u64>,
}

/// Any line but the first. It is visible in the crate only for its schema.
#[derive(Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Line<'a> {
    Before(Box<Cow<'a, Snapshot>>),
    Event(Cow<'a, Event>),
    Lost(Cow<'a, Lost>),
    After(Box<Cow<'a, Snapshot>>),
    End(End),
}

/// A whole recording.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What was known when it began.
    pub head: Head,
    /// The ledgers when it began.
    pub before: Snapshot,
    /// The events, in the order of the file. Those of one CPU are in the order in which they happened.
    pub events: Vec<Event>,
    /// Where events were lost.
    pub lost: Vec<Lost>,
    /// The ledgers when it ended.
    pub after: Snapshot,
    /// How it ended.
    pub end: End,
}

impl Recording {
    /// Loads a recording.
    pub fn load(path: &Path) -> Result<Self> {
        let mut events = Vec::new();
        let recording = Self::visit(path, |event| events.push(event))?;
        Ok(Self { events, ..recording })
    }

    /// Loads a recording, but passes the events to `each`, one by one, and keeps none, because they may not fit into
    /// memory. What `each` was given counts only if the result is not an error.
    pub fn visit(path: &Path, each: impl FnMut(Event)) -> Result<Self> {
        let file = File::open(path).map_err(|err| Error::io("read", path, err))?;
        Reader { path, input: BufReader::new(file), number: 0, line: Vec::new() }.all(each)
    }

    /// Whether the file begins like a recording. The recording may be cut off.
    pub fn is_one(path: &Path) -> Result<bool> {
        let mut start = Vec::new();
        let file = File::open(path).map_err(|err| Error::io("read", path, err))?;
        file.take(BEGINNING.len() as u64).read_to_end(&mut start).map_err(|err| Error::io("read", path, err))?;
        Ok(start == BEGINNING)
    }
}

/// Reads a recording line by line.
struct Reader<'a, R> {
    path: &'a Path,
    input: R,
    /// The number of the line that was read last; the first is 1.
    number: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Reader<'_, R> {
    fn all(mut self, mut each: impl FnMut(Event)) -> Result<Recording> {
        let head = self.first()?;
        let before = match self.next()? {
            Line::Before(snapshot) => snapshot.into_owned(),
            other => return Err(self.out_of_place(&other)),
        };
        let (mut events, mut lost) = (0, Vec::new());
        let after = loop {
            match self.next()? {
                Line::Event(event) => {
                    events += 1;
                    each(event.into_owned());
                }
                Line::Lost(some) => lost.push(some.into_owned()),
                Line::After(snapshot) => break snapshot.into_owned(),
                other => return Err(self.out_of_place(&other)),
            }
        };
        let end = match self.next()? {
            Line::End(end) => end,
            other => return Err(self.out_of_place(&other)),
        };
        if self.read()? {
            return Err(self.bad(format!("line {}: there is more after the end; copy the file again", self.number)));
        }
        let lost_events = crate::ledger::total(lost.iter().map(|some| some.events));
        for (what, says, has) in [("events", end.events, events), ("lost events", end.lost, lost_events)] {
            if says != has {
                return Err(self.bad(format!("its end says {says} {what}, but it has {has}; copy the file again")));
            }
        }
        Ok(Recording { head, before, events: Vec::new(), lost, after, end })
    }

    fn first(&mut self) -> Result<Head> {
        // A file of another kind may not consist of lines.
        let start = self.input.fill_buf().map_err(|err| Error::io("read", self.path, err))?;
        match start.first() {
            None => return Err(self.bad(format!("the file is empty; {MAKE_ONE}"))),
            Some(b'{') => self.read()?,
            Some(_) => return Err(self.bad(format!("this is not a recording; {MAKE_ONE}"))),
        };
        let Ok(any) = serde_json::from_slice::<AnyFirst>(&self.line) else {
            let begun = self.line.starts_with(BEGINNING) || BEGINNING.starts_with(&self.line);
            return Err(if begun && self.is_cut() {
                self.cut_off()
            } else {
                self.bad(format!("this is not a recording; {MAKE_ONE}"))
            });
        };
        if any.reclaimwb.as_deref() != Some(MARK) {
            return Err(self.bad(format!("this is JSON but not a recording; {MAKE_ONE}")));
        }
        match any.format {
            Some(FORMAT) => self.parse::<First>().map(|first| first.head),
            Some(format) if format > FORMAT => Err(self.bad(format!(
                "the recording has format {format}, this tool reads format {FORMAT}; use the reclaimwb that made the \
                 file, or a newer one"
            ))),
            _ => Err(self.bad(format!("line 1: no format that this tool knows; {MAKE_ONE}"))),
        }
    }

    /// The next line, which must be there.
    fn next(&mut self) -> Result<Line<'static>> {
        if self.read()? { self.parse() } else { Err(self.cut_off()) }
    }

    /// Reads a line; false if there is none left.
    fn read(&mut self) -> Result<bool> {
        self.line.clear();
        self.number += 1;
        let read = self.input.read_until(b'\n', &mut self.line);
        read.map(|n| n > 0).map_err(|err| Error::io("read", self.path, err))
    }

    fn parse<T: for<'de> Deserialize<'de>>(&self) -> Result<T> {
        serde_json::from_slice(&self.line).map_err(|err| {
            if err.is_eof() && self.is_cut() {
                return self.cut_off();
            }
            // The line number in this error is always 1.
            let what = err.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            self.bad(format!(
                "line {}, column {}: not a line of a recording ({what}); copy the file again, or {MAKE_ONE}",
                self.number,
                err.column()
            ))
        })
    }

    /// Whether the line has no line end. Then it is the last one.
    fn is_cut(&self) -> bool {
        !self.line.ends_with(b"\n")
    }

    fn cut_off(&self) -> Error {
        self.bad(format!(
            "the recording is cut off at line {}: the recorder was killed, or the file is not copied in full; record \
             or copy it again",
            self.number
        ))
    }

    fn out_of_place(&self, line: &Line) -> Error {
        let what = match line {
            Line::Before(_) => "before",
            Line::Event(_) => "event",
            Line::Lost(_) => "lost",
            Line::After(_) => "after",
            Line::End(_) => "end",
        };
        self.bad(format!(
            "line {}: `{what}` is out of place, lines are missing or doubled; copy the file again",
            self.number
        ))
    }

    fn bad(&self, what: String) -> Error {
        Error::Recording { path: self.path.to_owned(), what }
    }
}

/// Writes a recording. If [`Writer::end`] is not called, the recording is cut off.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    events: u64,
    lost: u64,
    unreadable: u64,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a recording.
    pub fn begin(out: W, head: Head, before: &Snapshot) -> io::Result<Self> {
        let mut writer = Self { out, events: 0, lost: 0, unreadable: 0, bytes: 0 };
        writer.line(&First { reclaimwb: MARK.into(), format: FORMAT, head })?;
        writer.line(&Line::Before(Box::new(Cow::Borrowed(before))))?;
        Ok(writer)
    }

    /// Adds an event.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        self.events += 1;
        self.line(&Line::Event(Cow::Borrowed(event)))
    }

    /// Notes that events were lost.
    pub fn lost(&mut self, lost: &Lost) -> io::Result<()> {
        self.lost = self.lost.saturating_add(lost.events);
        self.line(&Line::Lost(Cow::Borrowed(lost)))
    }

    /// Counts a line of the trace that this tool does not recognise as an event.
    pub fn unreadable(&mut self) {
        self.unreadable += 1;
    }

    /// Ends the recording. Returns what it was written to, and its last line.
    pub fn end(mut self, after: &Snapshot, seconds: f64, interrupted: bool, exit: Option<i32>) -> io::Result<(W, End)> {
        self.line(&Line::After(Box::new(Cow::Borrowed(after))))?;
        let end = End { events: self.events, lost: self.lost, unreadable: self.unreadable, seconds, interrupted, exit };
        self.line(&Line::End(end.clone()))?;
        self.out.flush()?;
        Ok((self.out, end))
    }

    /// Flushes the output, so that all that was written so far can be read.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Events written.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Events lost.
    pub fn lost_events(&self) -> u64 {
        self.lost
    }

    /// Bytes written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.bytes += text.len() as u64;
        self.out.write_all(&text)
    }
}
