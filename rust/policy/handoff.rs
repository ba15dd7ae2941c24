// SPDX-License-Identifier: GPL-2.0

//! Decides whether a prepared swap-out request is the writer's, and when the reclaimer that made it
//! may go on.

use super::link::MIN_PAGES;
use crate::words::{
    Mode,
    Refusal, //
};

/// A device is late if it did nothing of what it was given for this time, in ns, plus the time that
/// it takes for all of that at its rate. Until something is done, nobody waits for it.
pub const LATE_NS: u64 = 1_000_000_000;

/// The longest time after which a device is late, in ns.
pub const LATEST_NS: u64 = 30_000_000_000;

/// kswapd has this many times the room of others while none of them waits, because everybody waits
/// for kswapd.
pub const KSWAPD_ROOM: u32 = 2;

/// A reclaimer whose batch freed as many pages as it handed over has this many times the room of
/// others, and waits for nobody ahead. What it handed over takes the place of pages that were
/// written before. It has what it came for. Most batches have some pages of both kinds.
pub const PAID_ROOM: u32 = 4;

/// The most tasks that have been called and have not gone on yet. They are woken one after the
/// other with interrupts off. Each of them calls others when it goes on.
pub const MOST_CALLED: u32 = 32;

/// Returns the time without an end of a request, in ns, after which a device is late that has
/// `inside` pages and takes `rate` pages per second (0 if not known).
pub fn late_after(inside: u32, rate: u64) -> u64 {
    let all = u64::from(inside).saturating_mul(1_000_000_000);
    let all = all.checked_div(rate).unwrap_or(0);
    all.saturating_add(LATE_NS).min(LATEST_NS)
}

/// What is known of a request when it is made.
#[derive(Clone, Copy, Debug)]
pub struct RequestInfo {
    /// Whether the device writes at once.
    pub sync: bool,
    /// The bytes of stack that are left.
    pub headroom: usize,
}

/// Returns why a request may not be handed off, as far as the asker and the kind of device go;
/// `None` if it may. `floor` is that of [`Mode::LowHeadroom`], in bytes.
pub fn decide(mode: Mode, floor: usize, info: &RequestInfo) -> Option<Refusal> {
    if info.sync {
        Some(Refusal::Sync)
    } else if mode == Mode::Never || mode == Mode::LowHeadroom && info.headroom >= floor {
        Some(Refusal::Headroom)
    } else {
        None
    }
}

/// The kind of task that hands over to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskClass {
    /// Any task. It waits its turn.
    Ordinary,
    /// A task that waited before in the same fault. See [`super::returning`].
    Returning,
    /// kswapd. See [`KSWAPD_ROOM`].
    Kswapd,
    /// A task that the device may need to make progress, or that is dying. It never waits.
    Exempt,
}

/// A batch of folios that reclaim is through with, in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The pages that were handed over.
    pub handed: u32,
    /// The pages that were freed.
    pub freed: u32,
}

impl Batch {
    /// Whether as many pages were freed as were handed over.
    pub const fn paid(&self) -> bool {
        self.freed >= self.handed
    }
}

/// The number of pages that may be ahead of a reclaimer that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    device: u32,
    task: u32,
    kswapd: u32,
    paid: u32,
}

impl Room {
    /// Computes the room from `limit`, which fills the device, and `reserve`, which the reserves
    /// carry, both in pages. While the device is `drained` (see [`super::link`]), kswapd has no
    /// more room than others.
    pub fn new(limit: u32, reserve: u32, drained: bool) -> Self {
        let task = limit.saturating_sub(MIN_PAGES).max(MIN_PAGES.min(limit));
        let times = |n: u32| task.saturating_mul(n).min(reserve);
        Self {
            device: limit.min(reserve),
            task: times(1),
            kswapd: times(if drained { 1 } else { KSWAPD_ROOM }),
            paid: times(PAID_ROOM),
        }
    }

    /// Returns the room of a reclaimer that freed as many pages as it handed over. See
    /// [`PAID_ROOM`].
    pub const fn paid(&self) -> u32 {
        self.paid
    }

    /// Returns the number of pages that the device may be given at once.
    pub const fn device(&self) -> u32 {
        self.device
    }

    /// Returns the room of `class`. A task has a request's worth less than the device is given. It
    /// will hand over another batch when it goes on, and all that is ahead of that batch takes the
    /// time of its fault. On a line of 40 Mbit/s, which is given only two requests at once, the
    /// longest fault of two tasks took half as long again without that.
    pub const fn of(&self, class: TaskClass) -> u32 {
        match class {
            TaskClass::Ordinary | TaskClass::Returning | TaskClass::Exempt => self.task,
            TaskClass::Kswapd => self.kswapd,
        }
    }
}

/// The counts of a line of tasks that wait.
#[derive(Clone, Copy, Debug, Default)]
struct LineCount {
    waiting: u32,
    /// The number of these that were called. They are the first ones, and are about to go on.
    called: u32,
}

impl LineCount {
    const fn new() -> Self {
        Self {
            waiting: 0,
            called: 0,
        }
    }

    const fn uncalled(&self) -> u32 {
        self.waiting.saturating_sub(self.called)
    }
}

/// The door of a device. A reclaimer hands over a batch of pages, and goes on when there is room.
/// There is room when not much more is under way than fills the device, not counting the pages of
/// those that wait.
///
/// Tasks go on in the order in which they came, but tasks that come back go first. kswapd has a
/// line of its own, and takes turns with the tasks. If they shared one line, kswapd would hardly
/// get on behind many tasks, nor would a task behind kswapd, which always has more.
///
/// There may be so many tasks that never wait that there never is room. There is none either while
/// tasks come that freed as many pages as they handed over. So one of those that wait also goes on
/// whenever twice as many pages are done as it brought, or as many as fill the device.
///
/// The door only counts those that wait. They sleep elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Door {
    /// The number of pages that were handed over and are not done.
    backlog: u32,
    /// The number of pages, of these or of those done by now, that were handed over by tasks that
    /// wait.
    owed: u32,
    kswapd: LineCount,
    returning: LineCount,
    tasks: LineCount,
    /// Whether kswapd was served last.
    tasks_turn: bool,
    /// The number of pages that are done since a task was last called.
    done: u32,
    /// The mean number of pages of the last batches, in sixteenths of a page.
    sixteenths: u32,
}

impl Door {
    /// Creates a door at which nobody is.
    pub const fn new() -> Self {
        Self {
            backlog: 0,
            owed: 0,
            kswapd: LineCount::new(),
            returning: LineCount::new(),
            tasks: LineCount::new(),
            tasks_turn: false,
            done: 0,
            sixteenths: 0,
        }
    }

    /// Returns the number of pages that were handed over and are not done.
    pub const fn backlog(&self) -> u32 {
        self.backlog
    }

    /// Returns the number of these pages that are not of tasks that wait.
    pub const fn inside(&self) -> u32 {
        self.backlog.saturating_sub(self.owed)
    }

    /// Returns the number of tasks that wait.
    pub const fn waiting(&self) -> u32 {
        let tasks = self.returning.waiting.saturating_add(self.tasks.waiting);
        self.kswapd.waiting.saturating_add(tasks)
    }

    fn line(&mut self, class: TaskClass) -> &mut LineCount {
        match class {
            TaskClass::Kswapd => &mut self.kswapd,
            TaskClass::Returning => &mut self.returning,
            TaskClass::Ordinary | TaskClass::Exempt => &mut self.tasks,
        }
    }

    /// Accounts for a request of `pages` that is handed over.
    pub fn hand_over(&mut self, pages: u32) {
        self.backlog = self.backlog.saturating_add(pages);
    }

    /// Counts a batch that a reclaimer is through with, and returns whether the reclaimer has to
    /// wait. If so, it must [`Self::join`] a line.
    pub fn has_to_wait(&mut self, batch: Batch, room: Room, class: TaskClass) -> bool {
        if class == TaskClass::Exempt {
            return false;
        }
        let pages = batch.handed;
        let rest = self.sixteenths.saturating_sub(self.sixteenths / 16);
        self.sixteenths = rest.saturating_add(pages);
        let ahead = self.inside().saturating_sub(pages);
        if batch.paid() && ahead < room.paid() {
            return false;
        }
        self.waiting() != 0 || ahead >= room.of(class) && ahead != 0
    }

    /// Counts a reclaimer that has to wait, and that handed over `pages` pages, in its line.
    pub fn join(&mut self, pages: u32, class: TaskClass) {
        self.owed = self.owed.saturating_add(pages);
        let line = self.line(class);
        line.waiting = line.waiting.saturating_add(1);
    }

    /// Returns whether it is the turn of a reclaimer that waits and was woken. If so, it no longer
    /// waits, and goes on with its `pages`.
    pub fn take_turn(&mut self, pages: u32, class: TaskClass) -> bool {
        let line = self.line(class);
        if line.called == 0 {
            return false;
        }
        line.called = line.called.saturating_sub(1);
        self.go_on(pages, class);
        true
    }

    /// Lets a reclaimer that waits, and was not called, go on all the same.
    pub fn give_up(&mut self, pages: u32, class: TaskClass) {
        self.go_on(pages, class);
    }

    fn go_on(&mut self, pages: u32, class: TaskClass) {
        let line = self.line(class);
        line.waiting = line.waiting.saturating_sub(1);
        self.owed = self.owed.saturating_sub(pages);
    }

    /// Accounts for `pages` that are done.
    pub fn done(&mut self, pages: u32) {
        self.backlog = self.backlog.saturating_sub(pages);
        self.done = self.done.saturating_add(pages);
    }

    /// Returns how many more tasks are to be called and woken, the first ones first, from kswapd's
    /// line, from that of the tasks that came back, and from that of the others. They are as many
    /// as find room if they brought what others brought of late, but see [`MOST_CALLED`]. To be
    /// called after [`Self::done`], [`Self::take_turn`] and [`Self::give_up`], and when the room has
    /// grown.
    pub fn call(&mut self, room: Room) -> [u32; 3] {
        let mean = (self.sixteenths / 16).max(1);
        let called = self.returning.called.saturating_add(self.tasks.called);
        let mut called = self.kswapd.called.saturating_add(called);
        let mut coming = self.inside().saturating_add(called.saturating_mul(mean));
        let mut more = [0; 3];
        let mut due = self.done >= mean.saturating_mul(2).min(room.task);
        loop {
            let (kswapd, returning) = (self.kswapd.uncalled() != 0, self.returning.uncalled() != 0);
            let tasks = returning || self.tasks.uncalled() != 0;
            let room = match tasks {
                true => room.task,
                false => room.kswapd,
            };
            // One task always goes on.
            let full = coming >= room && coming != 0 && !due;
            if !kswapd && !tasks || full || called >= MOST_CALLED {
                return more;
            }
            (due, self.done) = (false, 0);
            let tasks_turn = tasks && (self.tasks_turn || !kswapd);
            let [of_kswapd, of_returning, of_tasks] = &mut more;
            let (line, n) = match (tasks_turn, returning) {
                (true, true) => (&mut self.returning, of_returning),
                (true, false) => (&mut self.tasks, of_tasks),
                (false, _) => (&mut self.kswapd, of_kswapd),
            };
            line.called = line.called.saturating_add(1);
            called = called.saturating_add(1);
            *n = n.saturating_add(1);
            coming = coming.saturating_add(mean);
            self.tasks_turn = !tasks_turn;
        }
    }
}
