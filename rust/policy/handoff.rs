// SPDX-License-Identifier: GPL-2.0

//! Is a prepared swap-out request the writer's, and when may who made it go on?

use super::link::MIN_PAGES;
use crate::words::{
    Mode,
    Refusal, //
};

/// A device that did nothing of what it was given for so long, in ns, and for as long as it
/// takes for all of that at its rate, is late: until something is done nobody waits for it.
pub const LATE_NS: u64 = 1_000_000_000;

/// No device has longer, in ns.
pub const LATEST_NS: u64 = 30_000_000_000;

/// kswapd, for which everybody waits, has so many times the room of others while none of them
/// waits.
pub const KSWAPD_ROOM: u32 = 2;

/// One whose batch freed as many pages as it handed over has so many times the room of others,
/// and waits for nobody ahead: what it handed over takes the place of pages that were written
/// before. It has what it came for; most batches have some of both kinds.
pub const PAID_ROOM: u32 = 4;

/// When is a device late that has `inside` pages and takes `rate` a second (0: not known)? After
/// so many ns without an end.
pub fn late_after(inside: u32, rate: u64) -> u64 {
    let all = u64::from(inside).saturating_mul(1_000_000_000);
    let all = all.checked_div(rate).unwrap_or(0);
    all.saturating_add(LATE_NS).min(LATEST_NS)
}

/// What is known of a request when it is made.
#[derive(Clone, Copy, Debug)]
pub struct RequestInfo {
    /// The device writes at once.
    pub sync: bool,
    /// Bytes of stack that are left.
    pub headroom: usize,
}

/// May it be handed off, as far as the asker and the kind of device go? `floor` is that of
/// [`Mode::LowHeadroom`], in bytes.
pub fn decide(mode: Mode, floor: usize, info: &RequestInfo) -> Option<Refusal> {
    if info.sync {
        Some(Refusal::Sync)
    } else if mode == Mode::Never || mode == Mode::LowHeadroom && info.headroom >= floor {
        Some(Refusal::Headroom)
    } else {
        None
    }
}

/// Who hands over to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Any task: it waits its turn.
    Task,
    /// A task that waited before in the same fault: see [`super::returning`].
    Again,
    /// kswapd: see [`KSWAPD_ROOM`].
    Kswapd,
    /// A task that the device may need to make progress, or that is dying: it never waits.
    Exempt,
}

/// A batch of folios that reclaim is through with, in pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Those that were handed over.
    pub handed: u32,
    /// Those that were freed.
    pub freed: u32,
}

impl Batch {
    /// Were as many freed as were handed over?
    pub const fn paid(&self) -> bool {
        self.freed >= self.handed
    }
}

/// Pages that may be ahead of those who go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    device: u32,
    task: u32,
    kswapd: u32,
    paid: u32,
}

impl Room {
    /// For what fills the device, `limit`, and what the reserves carry, `reserve`. While the
    /// device is `drained` (see [`super::link`]) kswapd has no more than others.
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

    /// That of one who freed as many pages as it handed over, see [`PAID_ROOM`].
    pub const fn paid(&self) -> u32 {
        self.paid
    }

    /// What may be given to the device at once.
    pub const fn device(&self) -> u32 {
        self.device
    }

    /// That of `who`. A task has a request's worth less than the device is given: it will hand
    /// over another batch when it goes on, and all that is ahead of it takes the time of its
    /// fault. On a line of 40 Mbit/s, of which two requests are all that it is given, the longest
    /// fault of two tasks took half as long again without that.
    pub const fn of(&self, who: Who) -> u32 {
        match who {
            Who::Task | Who::Again | Who::Exempt => self.task,
            Who::Kswapd => self.kswapd,
        }
    }
}

/// A line of tasks that wait.
#[derive(Clone, Copy, Debug, Default)]
struct LineCount {
    waiting: u32,
    /// Of these, as many as were called: the first ones, who are about to go on.
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

/// The door of a device. Whoever reclaims hands over a batch of pages, and goes on when there
/// is room: when not much more is under way than fills the device, but for the pages of those
/// who wait. Tasks go on in the order in which they came, those first that come back. kswapd has a
/// line of its own, and takes turns with the tasks: kswapd would never get far behind many tasks, nor a task behind
/// kswapd, which always has more. Of those who never wait there may be so many that there never
/// is room, nor while those come who freed as many pages as they handed over. So one goes on, too,
/// whenever twice as many pages are done as it brought, or as many as fill the device. Those who
/// wait are counted here; they sleep elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Door {
    /// Pages that were handed over and are not done.
    backlog: u32,
    /// Of these, or done by now: those of who waits.
    owed: u32,
    kswapd: LineCount,
    again: LineCount,
    tasks: LineCount,
    /// kswapd was served last.
    tasks_turn: bool,
    /// Pages that are done since one was called.
    done: u32,
    /// Pages of the last batches, in sixteenths of their mean.
    sixteenths: u32,
}

impl Door {
    /// Nobody is there.
    pub const fn new() -> Self {
        Self {
            backlog: 0,
            owed: 0,
            kswapd: LineCount::new(),
            again: LineCount::new(),
            tasks: LineCount::new(),
            tasks_turn: false,
            done: 0,
            sixteenths: 0,
        }
    }

    /// Pages that were handed over and are not done.
    pub const fn backlog(&self) -> u32 {
        self.backlog
    }

    /// Of these, as many as are of nobody who waits.
    pub const fn inside(&self) -> u32 {
        self.backlog.saturating_sub(self.owed)
    }

    /// Tasks that wait.
    pub const fn waiting(&self) -> u32 {
        let tasks = self.again.waiting.saturating_add(self.tasks.waiting);
        self.kswapd.waiting.saturating_add(tasks)
    }

    fn line(&mut self, who: Who) -> &mut LineCount {
        match who {
            Who::Kswapd => &mut self.kswapd,
            Who::Again => &mut self.again,
            Who::Task | Who::Exempt => &mut self.tasks,
        }
    }

    /// A request of `pages` is handed over.
    pub fn hand_over(&mut self, pages: u32) {
        self.backlog = self.backlog.saturating_add(pages);
    }

    /// One who is through with a batch comes: has it to wait? Then it has to [`Self::join`] a line.
    pub fn has_to_wait(&mut self, batch: Batch, room: Room, who: Who) -> bool {
        if who == Who::Exempt {
            return false;
        }
        let pages = batch.handed;
        let rest = self.sixteenths.saturating_sub(self.sixteenths / 16);
        self.sixteenths = rest.saturating_add(pages);
        let ahead = self.inside().saturating_sub(pages);
        if batch.paid() && ahead < room.paid() {
            return false;
        }
        self.waiting() != 0 || ahead >= room.of(who) && ahead != 0
    }

    /// One who has to wait, and handed over so many pages, is counted in its line.
    pub fn join(&mut self, pages: u32, who: Who) {
        self.owed = self.owed.saturating_add(pages);
        let line = self.line(who);
        line.waiting = line.waiting.saturating_add(1);
    }

    /// One who waits was woken: is it its turn? Then it goes on, with its `pages`.
    pub fn take_turn(&mut self, pages: u32, who: Who) -> bool {
        let line = self.line(who);
        if line.called == 0 {
            return false;
        }
        line.called = line.called.saturating_sub(1);
        self.go_on(pages, who);
        true
    }

    /// One who waits, and was not called, goes on all the same.
    pub fn give_up(&mut self, pages: u32, who: Who) {
        self.go_on(pages, who);
    }

    fn go_on(&mut self, pages: u32, who: Who) {
        let line = self.line(who);
        line.waiting = line.waiting.saturating_sub(1);
        self.owed = self.owed.saturating_sub(pages);
    }

    /// Pages are done.
    pub fn done(&mut self, pages: u32) {
        self.backlog = self.backlog.saturating_sub(pages);
        self.done = self.done.saturating_add(pages);
    }

    /// How many more are to be called, and woken, the first ones first, of kswapd's line, of those
    /// tasks that came back, and of the others? As many as find room if they brought what others brought of late. To be asked
    /// after [`Self::done`], [`Self::take_turn`] and [`Self::give_up`], and when the room has
    /// grown.
    pub fn call(&mut self, room: Room) -> [u32; 3] {
        let mean = (self.sixteenths / 16).max(1);
        let called = self.again.called.saturating_add(self.tasks.called);
        let called = self.kswapd.called.saturating_add(called);
        let mut coming = self.inside().saturating_add(called.saturating_mul(mean));
        let mut more = [0; 3];
        let mut due = self.done >= mean.saturating_mul(2).min(room.task);
        loop {
            let (kswapd, again) = (self.kswapd.uncalled() != 0, self.again.uncalled() != 0);
            let tasks = again || self.tasks.uncalled() != 0;
            let room = match tasks {
                true => room.task,
                false => room.kswapd,
            };
            // One always goes on.
            if !kswapd && !tasks || coming >= room && coming != 0 && !due {
                return more;
            }
            (due, self.done) = (false, 0);
            let tasks_turn = tasks && (self.tasks_turn || !kswapd);
            let [of_kswapd, of_again, of_tasks] = &mut more;
            let (line, n) = match (tasks_turn, again) {
                (true, true) => (&mut self.again, of_again),
                (true, false) => (&mut self.tasks, of_tasks),
                (false, _) => (&mut self.kswapd, of_kswapd),
            };
            line.called = line.called.saturating_add(1);
            *n = n.saturating_add(1);
            coming = coming.saturating_add(mean);
            self.tasks_turn = !tasks_turn;
        }
    }
}
