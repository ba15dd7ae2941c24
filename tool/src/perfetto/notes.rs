// SPDX-License-Identifier: GPL-2.0
//! What a trace needs of a recording's events: there may be a million, each takes as little as it can.

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
    /// What became of it; `None` if the module says something that this tool does not know.
    pub kind: Option<Kind>,
    /// Whether it is anonymous memory, or shmem.
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

/// A moment of a task.
#[derive(Debug)]
pub enum Moment {
    /// It wrote a folio.
    Write(Write),
    /// Anything else: name and fields of the event.
    Other(Box<(String, BTreeMap<String, Value>)>),
}

/// A time that a task spent.
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
        /// 1 for the outermost.
        depth: u64,
        /// When it began, in nanoseconds.
        start: u64,
        /// When it ended.
        end: u64,
    },
}

impl Slice {
    /// When it begins and ends, in nanoseconds.
    pub fn times(&self) -> (u64, u64) {
        match self {
            Self::Stall(stall) => (stall.began_ns, stall.began_ns.saturating_add(stall.ns)),
            Self::Window { start, end, .. } => (*start, *end),
        }
    }
}

/// A task is a name and a number: a number comes again, and a task may change its name.
pub type Task = (u64, String);

/// All that was recorded.
#[derive(Debug, Default)]
pub struct Notes {
    /// Tasks, by the order in which they came.
    pub tasks: Vec<Task>,
    index: BTreeMap<Task, usize>,
    /// What each spent time on.
    pub slices: BTreeMap<usize, Vec<Slice>>,
    /// When, which task, what.
    pub moments: Vec<(u64, usize, Moment)>,
    /// The first event that cannot be read.
    broken: Option<String>,
}

impl Notes {
    /// Takes an event in.
    pub fn take(&mut self, event: Event) {
        if self.broken.is_none() {
            self.broken = self.note(event).err();
        }
    }

    /// All that was taken, moments in the order of time; or what is wrong with it.
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
