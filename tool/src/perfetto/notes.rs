// SPDX-License-Identifier: GPL-2.0
//! What a trace needs from the events of a recording. There may be a million events, so each takes as little memory as
//! possible.

use std::collections::BTreeMap;

use crate::{
    ledger::Stall,
    longest,
    names::{Kind, Origin, Type},
    recording::{Event, Value},
};

/// A folio that reclaim wrote.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    /// What asked for it.
    pub origin: Origin,
    /// What became of it; `None` if this tool does not know what the module says.
    pub kind: Option<Kind>,
    /// Whether it is anonymous memory. If not, it is shmem.
    pub anon: bool,
    /// Its pages.
    pub pages: u64,
    /// Its order.
    pub order: u64,
    /// Its node.
    pub node: u64,
    /// Its cgroup.
    pub cgroup: u64,
    /// Bytes of stack left.
    pub headroom: u64,
}

/// Something that a task did at one moment.
#[derive(Debug)]
pub enum Moment {
    /// It wrote a folio.
    Write(Write),
    /// Anything else: the name and the fields of the event.
    Other(Box<(String, BTreeMap<String, Value>)>),
}

/// A time that a task spent in something.
#[derive(Debug)]
pub enum Slice {
    /// In a stall.
    Stall(Box<Stall>),
    /// In a reclaim window.
    Window {
        /// What asked for reclaim.
        origin: Origin,
        /// Pages that it freed.
        reclaimed: u64,
        /// Pages that it wrote.
        written: u64,
        /// Its depth, which is 1 for the outermost window.
        depth: u64,
        /// When it began, in nanoseconds.
        start: u64,
        /// When it ended.
        end: u64,
    },
}

impl Slice {
    /// When it began and ended, in nanoseconds.
    pub fn times(&self) -> (u64, u64) {
        match self {
            Self::Stall(stall) => (stall.began_ns, stall.began_ns.saturating_add(stall.ns)),
            Self::Window { start, end, .. } => (*start, *end),
        }
    }
}

/// A task is identified by its PID and its name, because a PID may be used again and a task may change its name.
pub type Task = (u64, String);

/// All that was recorded.
#[derive(Debug, Default)]
pub struct Notes {
    /// The tasks, in the order in which they came.
    pub tasks: Vec<Task>,
    index: BTreeMap<Task, usize>,
    /// What each task spent time on.
    pub slices: BTreeMap<usize, Vec<Slice>>,
    /// Moments: the time, the task and what it did.
    pub moments: Vec<(u64, usize, Moment)>,
    /// What is wrong with the first event that cannot be read.
    broken: Option<String>,
}

impl Notes {
    /// Adds an event.
    pub fn take(&mut self, event: Event) {
        if self.broken.is_none() {
            self.broken = self.note(event).err();
        }
    }

    /// Returns all events, with the moments in the order of time, or what is wrong with one of them.
    pub fn finish(mut self) -> Result<Self, String> {
        if let Some(what) = self.broken {
            return Err(what);
        }
        self.moments.sort_by_key(|(ns, ..)| *ns);
        Ok(self)
    }

    fn note(&mut self, event: Event) -> Result<(), String> {
        let task = self.task(&event);
        match event.name.as_str() {
            "stall" => self.slice(task, Slice::Stall(Box::new(longest::stall(&event)?))),
            "reclaim_window" => {
                let took = event.needed("usecs")?.saturating_mul(1000);
                let window = Slice::Window {
                    origin: event.origin()?,
                    reclaimed: event.needed("nr_reclaimed")?,
                    written: event.needed("pages_written")?,
                    depth: event.needed("depth")?,
                    start: event.ns.saturating_sub(took),
                    end: event.ns,
                };
                self.slice(task, window);
            }
            "reclaim_write" => {
                let write = Write {
                    origin: event.origin()?,
                    kind: event.text("kind").and_then(|key| Kind::from_key(&key)),
                    anon: event.text("type").as_deref() == Some(Type::Anon.key()),
                    pages: event.needed("nr_pages")?,
                    order: event.needed("order")?,
                    node: event.needed("nid")?,
                    cgroup: event.needed("cgroup")?,
                    headroom: event.needed("headroom")?,
                };
                self.moments.push((event.ns, task, Moment::Write(write)));
            }
            _ => self.moments.push((event.ns, task, Moment::Other(Box::new((event.name, event.fields))))),
        }
        Ok(())
    }

    fn slice(&mut self, task: usize, slice: Slice) {
        self.slices.entry(task).or_default().push(slice);
    }

    fn task(&mut self, event: &Event) -> usize {
        let task = (event.pid, event.comm.clone());
        if let Some(index) = self.index.get(&task) {
            return *index;
        }
        let index = self.tasks.len();
        self.tasks.push(task.clone());
        self.index.insert(task, index);
        index
    }
}
