// SPDX-License-Identifier: GPL-2.0

//! A discrete-event model of handoff: a device, its writer, and tasks that have requests to be
//! written. The decisions are those of the module's own policy code. The model says when each task
//! runs, and how the device behaves.
//!
//! Whatever the device, the tasks and the schedule are: all requests that were prepared are
//! written; the device is kept full while there is enough to write, and no more is under way than
//! that takes; and tasks go on in the order in which they came.

use proptest::prelude::*;
use reclaimwb_policy::{
    handoff::{
        decide, late_after, Batch, Door, RequestInfo, Room, TaskClass, LATE_NS, MOST_CALLED,
    },
    link::{self, Link, RequestStamp},
    reserve::Reserve,
};
use reclaimwb_words::{Mode, Refusal};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

const MS: u64 = 1_000_000;
const SEC: u64 = 1000 * MS;

/// Length of a task's nap while the device is late.
const NAP_NS: u64 = 100 * MS;

/// A task that was called runs after at most this time.
const CALLED_NS: u64 = 200_000;

// ---- a small generator, so that a seed determines the schedule

struct Rng(u64);

impl Rng {
    fn next(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n.max(1)
    }
}

/// Lets a task come that is done with a batch. Returns true if it has to wait: then it is queued.
fn come(door: &mut Door, batch: Batch, room: Room, who: TaskClass) -> bool {
    let waits = door.has_to_wait(batch, room, who);
    if waits {
        door.join(batch.handed, who);
    }
    waits
}

/// The queues, in the order of [`Door::call`].
const LINES: [TaskClass; 3] = [TaskClass::Kswapd, TaskClass::Returning, TaskClass::Ordinary];

fn line_of(who: TaskClass) -> usize {
    LINES.iter().position(|&w| w == who).expect("it waits")
}

/// A batch of which nothing was freed.
fn unpaid(handed: u32) -> Batch {
    Batch { handed, freed: 0 }
}

// ---- the model

#[derive(Clone, Debug)]
struct Setup {
    /// Pages that the device writes in a second, one request after the other.
    rate: u64,
    /// Additional latency of each request, in parallel with others.
    delay: u64,
    /// Interval at which completions are reported together; 0 if each is reported at once.
    bunch: u64,
    tasks: usize,
    /// Whether the first task is kswapd.
    kswapd: bool,
    /// Number of batches of each task. A batch is one request.
    wants: u32,
    /// The most pages of a batch.
    pages: u64,
    /// The longest time between two batches of a task.
    thinks: u64,
    /// Whether reclaim also frees pages of earlier batches.
    mixed: bool,
    /// When the device stops, and when it goes on.
    dead: Option<(u64, u64)>,
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum SimEvent {
    /// A task has a request.
    Task(usize),
    /// A task has ended a nap, which it takes while the device is late.
    Naps(usize),
    /// A task that was called runs.
    Called(usize),
    /// The tasks that wait check whether the device is late.
    Look,
    /// The writer looks for work.
    Writer,
    /// The request with this number is done.
    Done(usize),
}

struct SimTask {
    left: u32,
    who: TaskClass,
    pages: u32,
    /// Whether it freed as many pages as it handed over.
    paid: bool,
    /// Whether it had to wait.
    waited: bool,
    came: u64,
    longest: u64,
}

struct Request {
    pages: u32,
    sent: Option<RequestStamp>,
    done: bool,
}

struct DeviceModel {
    setup: Setup,
    rng: Rng,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64, SimEvent)>>,
    order: u64,
    tasks: Vec<SimTask>,
    /// The queue of kswapd, that of tasks that came back, and that of the others.
    waiting: [VecDeque<usize>; 3],
    called: usize,
    door: Door,
    link: Link,
    progress: u64,
    in_flight: u32,
    queue: VecDeque<usize>,
    requests: Vec<Request>,
    line_free: u64,
    /// Pages that have been written and not freed.
    clean: u32,
    // The properties are checked on these.
    naps: u32,
    /// For each wait, when the task came and when it went on.
    went_on: Vec<(u64, u64)>,
    first: u64,
    delivered: u64,
    most_in_flight: u32,
}

impl DeviceModel {
    fn new(setup: Setup) -> Self {
        let tasks = (0..setup.tasks).map(|n| SimTask {
            left: setup.wants,
            who: if setup.kswapd && n == 0 {
                TaskClass::Kswapd
            } else {
                TaskClass::Ordinary
            },
            pages: 0,
            paid: false,
            waited: false,
            came: 0,
            longest: 0,
        });
        let mut m = Self {
            rng: Rng(setup.seed | 1),
            now: SEC,
            events: BinaryHeap::new(),
            order: 0,
            tasks: tasks.collect(),
            waiting: Default::default(),
            called: 0,
            door: Door::new(),
            link: Link::new(),
            progress: 0,
            in_flight: 0,
            queue: VecDeque::new(),
            requests: Vec::new(),
            line_free: 0,
            clean: 0,
            naps: 0,
            went_on: Vec::new(),
            first: SEC,
            delivered: 0,
            most_in_flight: 0,
            setup,
        };
        for t in 0..m.tasks.len() {
            let at = m.rng.next(MS);
            m.at(at, SimEvent::Task(t));
        }
        m
    }

    fn at(&mut self, after: u64, e: SimEvent) {
        // Events at the same time are ordered by the seed.
        self.order += 1;
        let tie = self.rng.next(1 << 20) << 40 | self.order;
        self.events.push(Reverse((self.now + after, tie, e)));
    }

    fn run(&mut self) {
        for _ in 0..3_000_000 {
            let Some(Reverse((at, _, e))) = self.events.pop() else {
                return;
            };
            self.now = at;
            match e {
                SimEvent::Task(t) => self.task(t),
                SimEvent::Naps(t) => self.goes_on(t),
                SimEvent::Called(t) => self.called(t),
                SimEvent::Look => self.look(),
                SimEvent::Writer => self.writer(),
                SimEvent::Done(r) => self.done(r),
            }
        }
        panic!("no end: {:?}", self.setup);
    }

    fn late(&self) -> bool {
        let since = self.now - self.progress;
        self.door.backlog() != 0 && since > late_after(self.in_flight, self.link.rate())
    }

    fn room(&self) -> Room {
        Room::new(self.link.limit(), u32::MAX, self.link.is_draining())
    }

    fn task(&mut self, t: usize) {
        let pages = 1 + self.rng.next(self.setup.pages) as u32;
        let task = &mut self.tasks[t];
        (task.pages, task.came) = (pages, self.now);
        // Some of the tasks that waited come back.
        task.who = match task.who {
            TaskClass::Ordinary if task.waited && self.rng.next(3) == 0 => TaskClass::Returning,
            TaskClass::Returning if self.rng.next(3) != 0 => TaskClass::Ordinary,
            who => who,
        };
        task.waited = false;
        let who = task.who;
        if self.door.backlog() == 0 {
            self.progress = self.now;
        }
        let room = self.room();
        let freed = match self.setup.mixed {
            true => self.clean.min(self.rng.next(64) as u32),
            false => 0,
        };
        self.clean -= freed;
        let batch = Batch {
            handed: pages,
            freed,
        };
        self.door.hand_over(pages);
        self.is_queued(t);
        if self.late() {
            self.naps += 1;
            let nap = if who == TaskClass::Kswapd { 0 } else { NAP_NS };
            return self.at(nap, SimEvent::Naps(t));
        }
        self.tasks[t].paid = freed >= pages;
        if !come(&mut self.door, batch, room, who) {
            return self.goes_on(t);
        }
        self.tasks[t].waited = true;
        if self.waiting.iter().all(VecDeque::is_empty) {
            self.at(100 * MS, SimEvent::Look);
        }
        self.waiting[line_of(who)].push_back(t);
    }

    fn call(&mut self) {
        let room = self.room();
        for (line, n) in self.door.call(room).into_iter().enumerate() {
            for _ in 0..n {
                let t = self.waiting[line].pop_front().expect("who is called waits");
                self.called += 1;
                let after = self.rng.next(CALLED_NS);
                self.at(after, SimEvent::Called(t));
            }
        }
    }

    fn called(&mut self, t: usize) {
        self.called -= 1;
        let task = &self.tasks[t];
        assert!(self.door.take_turn(task.pages, task.who));
        self.goes_on(t);
        self.call();
    }

    fn look(&mut self) {
        if self.late() {
            for t in std::mem::take(&mut self.waiting).into_iter().flatten() {
                self.door.give_up(self.tasks[t].pages, self.tasks[t].who);
                self.goes_on(t);
            }
            assert_eq!(self.door.waiting() as usize, self.called);
        } else if self.door.waiting() != 0 {
            self.at(100 * MS, SimEvent::Look);
        }
    }

    /// Queues a request for the writer.
    fn is_queued(&mut self, t: usize) {
        self.requests.push(Request {
            pages: self.tasks[t].pages,
            sent: None,
            done: false,
        });
        self.queue.push_back(self.requests.len() - 1);
        let after = 1000 + self.rng.next(50_000);
        self.at(after, SimEvent::Writer);
    }

    fn goes_on(&mut self, t: usize) {
        if self.tasks[t].who == TaskClass::Ordinary && !self.tasks[t].paid {
            self.went_on.push((self.tasks[t].came, self.now));
        }
        let task = &mut self.tasks[t];
        task.longest = task.longest.max(self.now - task.came);
        task.left -= 1;
        if task.left != 0 {
            let after = 1000 + self.rng.next(self.setup.thinks);
            self.at(after, SimEvent::Task(t));
        }
    }

    // ---- the device

    fn send(&mut self, r: usize) {
        let mut start = self.now.max(self.line_free);
        if let Some((from, to)) = self.setup.dead {
            if start >= from && start < to {
                start = to;
            }
        }
        self.line_free = start + u64::from(self.requests[r].pages) * SEC / self.setup.rate;
        let mut end = self.line_free + self.setup.delay;
        if self.setup.bunch != 0 {
            end = end.next_multiple_of(self.setup.bunch);
        }
        self.at(end - self.now, SimEvent::Done(r));
    }

    fn writer(&mut self) {
        let batch = link::batch(self.link.limit(), self.link.rate());
        let mut pages = 0;
        while pages < batch && self.may_submit() {
            let Some(r) = self.queue.pop_front() else {
                break;
            };
            pages += self.requests[r].pages;
            let limited = self.door.backlog() < self.link.limit();
            self.requests[r].sent = Some(self.link.sent(self.in_flight, limited, self.now));
            self.in_flight += self.requests[r].pages;
            self.send(r);
        }
        self.most_in_flight = self.most_in_flight.max(self.in_flight);
        if !self.queue.is_empty() && self.may_submit() {
            self.at(10_000, SimEvent::Writer);
        }
    }

    fn may_submit(&self) -> bool {
        self.in_flight == 0 || self.in_flight < self.link.limit()
    }

    fn done(&mut self, r: usize) {
        let request = &mut self.requests[r];
        assert!(!std::mem::replace(&mut request.done, true));
        self.delivered += u64::from(request.pages);
        let Some(sent) = request.sent else { return };
        self.in_flight -= request.pages;
        self.door.done(request.pages);
        self.clean += request.pages;
        self.progress = self.now;
        self.link
            .done(request.pages, sent, self.in_flight, self.now);
        self.call();
        if self.in_flight <= self.link.limit() / 2 {
            let after = 1000 + self.rng.next(50_000);
            self.at(after, SimEvent::Writer);
        }
    }
}

fn setups() -> impl Strategy<Value = Setup> {
    (
        (
            prop_oneof![Just(200u64), Just(1280), Just(30_000), 100u64..300_000],
            prop_oneof![Just(0), Just(MS), Just(10 * MS), 0..50 * MS],
            prop_oneof![Just(0), Just(MS), 0..20 * MS],
        ),
        (1usize..17, any::<bool>(), 1u32..300, 1u64..64),
        (prop_oneof![Just(1000u64), 0..20 * MS], any::<bool>()),
        prop_oneof![
            3 => Just(None),
            1 => (SEC..2 * SEC, 100 * MS..20 * SEC).prop_map(|(a, n)| Some((a, a + n))),
        ],
        any::<u64>(),
    )
        .prop_map(
            |((rate, delay, bunch), (tasks, kswapd, wants, pages), (thinks, mixed), dead, seed)| {
                Setup {
                    rate,
                    delay,
                    bunch,
                    tasks,
                    kswapd,
                    wants,
                    pages,
                    thinks,
                    mixed,
                    dead,
                    seed,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn all_that_is_prepared_is_written(setup in setups()) {
        let mut m = DeviceModel::new(setup.clone());
        m.run();
        prop_assert!(m.tasks.iter().all(|t| t.left == 0));
        prop_assert_eq!(m.requests.len(), setup.tasks * setup.wants as usize);
        prop_assert!(m.requests.iter().all(|r| r.done));
        prop_assert_eq!((m.door.backlog(), m.door.waiting(), m.in_flight), (0, 0, 0));
        // The limit when the last of them was submitted, and that request itself.
        prop_assert!(m.most_in_flight < link::MOST + 64);
        // The device is late only if it stopped, or if it is so slow that a bunch of requests takes
        // that long.
        let slow = u64::from(link::MOST) * SEC / setup.rate > LATE_NS / 2;
        prop_assert!(m.naps == 0 || setup.dead.is_some() || slow);
    }

    #[test]
    fn tasks_go_on_in_the_order_in_which_they_came(mut setup in setups()) {
        setup.dead = None;
        setup.wants = setup.wants.min(60);
        let mut m = DeviceModel::new(setup);
        m.run();
        prop_assume!(m.naps == 0);
        // The tasks that are called run soon, but in any order.
        for (n, (came, at)) in m.went_on.iter().enumerate() {
            let before = m.went_on[..n].iter().find(|(later, _)| later > came);
            prop_assert!(before.is_none_or(|(_, first)| at - first <= CALLED_NS));
        }
    }

    /// While the device is dead, no task waits for longer than it takes to notice that.
    #[test]
    fn nobody_waits_for_a_dead_line(mut setup in setups(), dies in 0..2 * SEC) {
        setup.dead = Some((SEC + dies, 1000 * SEC));
        setup.rate = setup.rate.max(5_000);
        let mut m = DeviceModel::new(setup.clone());
        m.run();
        let longest = m.tasks.iter().map(|t| t.longest).max().unwrap_or(0);
        prop_assert!(longest < LATE_NS + SEC, "{} ms", longest / MS);
    }

    /// The device is kept full if there is enough to write, whatever its rate and delay.
    #[test]
    fn the_line_is_full(
        rate in prop_oneof![Just(1280u64), 500..200_000u64], delay in 0..50 * MS,
        bunch in prop_oneof![Just(0u64), 0..10 * MS], pages in 16u64..64, mixed in any::<bool>(), seed in any::<u64>(),
    ) {
        let most = (rate * (delay + bunch) / SEC) as usize;
        prop_assume!(most < link::MOST as usize / 3);
        let tasks = 16 + 8 * most / pages as usize;
        let wants = (8 * rate / pages / tasks as u64).clamp(20, 4000) as u32;
        let setup = Setup {
            rate, delay, bunch, tasks, kswapd: true, wants, pages, thinks: 1000, mixed, dead: None, seed,
        };
        let mut m = DeviceModel::new(setup);
        m.run();
        let took = m.now - m.first;
        // The model needs the first seconds to learn the device.
        let best = m.delivered * SEC / rate;
        prop_assert!(took * 8 < best * 10 + 20 * (delay + bunch + 10 * MS),
            "{} ms instead of {}", took / MS, best / MS);
    }

    /// Most of the time, no more is under way than two and a half times what fills the device.
    #[test]
    fn no_more_is_under_way_than_fills_it(
        rate in 250..100_000u64, delay in 0..200 * MS, kswapd in any::<bool>(), seed in any::<u64>(),
    ) {
        let setup = Setup {
            rate, delay, bunch: 0, tasks: 64, kswapd,
            wants: (30 * rate / 64 / 16).clamp(50, 4000) as u32,
            pages: 32, thinks: 1000, mixed: false, dead: None, seed,
        };
        let mut m = DeviceModel::new(setup);
        m.run();
        let round = (delay + 64 * SEC / rate).max(link::FLOOR_NS);
        let most = (rate * round / SEC * 3).max(4 * u64::from(link::LEAST));
        prop_assert!(u64::from(m.link.limit()) <= most, "{} pages, {most}", m.link.limit());
    }

    /// A change of the device's speed is noticed soon.
    #[test]
    fn what_changes_is_noticed(before in 1000..50_000u64, after in 1000..50_000u64) {
        let (mut link, mut now, mut free) = (Link::new(), SEC, SEC);
        let mut under_way = VecDeque::new();
        let mut in_flight = 0u32;
        for (rate, until) in [(before, 6 * SEC), (after, 18 * SEC)] {
            while now < until {
                while in_flight < link.limit() {
                    let sent = link.sent(in_flight, false, now);
                    free = free.max(now) + 32 * SEC / rate;
                    under_way.push_back((free + 5 * MS, sent));
                    in_flight += 32;
                }
                let (at, sent) = under_way.pop_front().unwrap();
                now = now.max(at);
                in_flight -= 32;
                link.done(32, sent, in_flight, now);
            }
            prop_assert!(link.rate() * 10 >= rate * 9 && link.rate() * 10 <= rate * 12,
                "{} of {rate}", link.rate());
        }
    }

    /// If many completions are reported together, the device is not taken for a faster one, even if
    /// a new request is submitted after each of them.
    #[test]
    fn a_bunch_is_no_faster_line(
        rate in 1000..50_000u64, bunch in 1..100u64, between in any::<bool>(),
    ) {
        let (mut link, mut now, mut free) = (Link::new(), SEC, SEC);
        let (mut under_way, mut in_flight) = (VecDeque::new(), 0);
        let submit = |link: &mut Link, under_way: &mut VecDeque<_>, in_flight: &mut u32, now| {
            while *in_flight < link.limit() {
                under_way.push_back(link.sent(*in_flight, false, now));
                *in_flight += 32;
            }
        };
        for _ in 0..200 {
            submit(&mut link, &mut under_way, &mut in_flight, now);
            let ends = under_way.len();
            free = free.max(now) + 32 * ends as u64 * SEC / rate;
            now = now.max(free.next_multiple_of(bunch * MS));
            for _ in 0..ends {
                let sent = under_way.pop_front().unwrap();
                in_flight -= 32;
                link.done(32, sent, in_flight, now);
                if between {
                    submit(&mut link, &mut under_way, &mut in_flight, now);
                }
            }
            prop_assert!(link.rate() <= rate + rate / 8, "{} of {rate}", link.rate());
        }
    }

    /// The notes of a request come back, with an error of at most a microsecond.
    #[test]
    fn what_is_noted_comes_back(
        at in any::<u64>(), ago in 0..4000 * SEC, earlier in 0..4000 * SEC, delivered in any::<u64>(),
    ) {
        let [a, b] = [ago, earlier].map(|ns| at.saturating_sub(ns));
        let back = RequestStamp::unpack(RequestStamp { at, delivered_at: a, before: b, delivered }.pack());
        prop_assert_eq!((back.at, back.delivered), (at, delivered));
        prop_assert!(back.delivered_at - a < 1024 && back.before - b < 1024);
    }

    /// A device is late only if it had enough time for all that was submitted.
    #[test]
    fn a_large_request_is_not_late(inside in 0u32..1 << 16, rate in 1u64..100_000) {
        let takes = u64::from(inside) * SEC / rate;
        prop_assert!(late_after(inside, rate) > takes.min(LATE_NS * 29));
        prop_assert_eq!(late_after(inside, 0), LATE_NS);
    }

    #[test]
    fn a_lone_task_never_waits(
        ends in proptest::collection::vec((1u32..5000, 0u64..SEC, any::<bool>()), 0..50),
        falls in proptest::collection::vec((1u32..64, 0u64..10_000, 0u64..10_000), 0..50),
        free in 0u64..10_000, min in 0u64..10_000, pages in any::<u32>(),
    ) {
        let (mut link, mut reserve, mut now) = (Link::new(), Reserve::new(), 0);
        for (pages, ns, limited) in ends {
            let sent = link.sent(0, limited, now);
            now += ns;
            link.done(pages, sent, 0, now);
            prop_assert!((link::MIN_PAGES..=link::MOST).contains(&link.limit()));
        }
        for (pages, before, after) in falls {
            reserve.record_batch(pages, before, after);
        }
        let room = Room::new(link.limit(), reserve.limit(free, min, 0), link.is_draining());
        for who in [TaskClass::Ordinary, TaskClass::Kswapd, TaskClass::Exempt] {
            prop_assert!(room.of(who) >= link::MIN_PAGES);
            let mut door = Door::new();
            door.hand_over(pages);
            prop_assert!(!come(&mut door, unpaid(pages), room, who));
        }
    }

    #[test]
    fn what_the_reserves_carry_is_not_exceeded(fall in 1u64..200, free in 1000u64..100_000) {
        let mut reserve = Reserve::new();
        reserve.record_batch(32, free, free - fall);
        let limit = reserve.limit(free, 400, 0);
        // The limit leaves a quarter of the min watermark, apart from rounding, unless it is one
        // request.
        prop_assert!(limit == link::MIN_PAGES || reserve.cost_of(limit) <= free - 100 + 4);
    }

    #[test]
    fn each_refusal_has_its_case(sync in any::<bool>(), headroom in 0usize..16_384) {
        let said = |mode| decide(mode, 4096, &RequestInfo { sync, headroom });
        let other = |enough| if sync { Some(Refusal::Sync) } else { enough };
        prop_assert_eq!(said(Mode::Always), other(None));
        let enough = (headroom >= 4096).then_some(Refusal::Headroom);
        prop_assert_eq!(said(Mode::LowHeadroom), other(enough));
        prop_assert_eq!(said(Mode::Never), other(Some(Refusal::Headroom)));
    }

    /// Tasks that never wait keep a device full all the time. Others go on nevertheless.
    #[test]
    fn nobody_starves_behind_those_who_never_wait(
        pages in 1u32..64, limit in 32u32..512, kswapd in any::<bool>(), more in 2u32..8,
    ) {
        let room = Room::new(limit, u32::MAX, false);
        let who = if kswapd { TaskClass::Kswapd } else { TaskClass::Ordinary };
        let mut door = Door::new();
        door.hand_over(more * limit);
        door.hand_over(pages);
        prop_assert!(come(&mut door, unpaid(pages), room, who));
        let mut done = 0;
        while door.call(room) == [0; 3] {
            door.hand_over(32);
            door.done(32);
            done += 32;
            prop_assert!(done < limit + 32);
        }
        prop_assert!(door.take_turn(pages, who));
    }

    /// The number of tasks that are called is that for which there is room, if they have as many
    /// pages as others had lately.
    #[test]
    fn no_more_are_called_than_find_room(pages in 1u32..64, fit in 1u32..32) {
        let room = Room::new(pages * fit + link::MIN_PAGES, u32::MAX, false);
        prop_assume!(room.of(TaskClass::Ordinary) == pages * fit);
        let mut door = Door::new();
        door.hand_over(pages * fit);
        for _ in 0..200 {
            door.hand_over(pages);
            prop_assert!(come(&mut door, unpaid(pages), room, TaskClass::Ordinary));
        }
        prop_assert_eq!(door.call(room), [0; 3]);
        door.done(pages * fit);
        prop_assert_eq!(door.call(room), [0, 0, fit]);
        // These tasks have been called already.
        prop_assert_eq!(door.call(room), [0; 3]);
    }

    /// Tasks that freed as many pages as they handed over keep the device full all the time. The
    /// tasks that wait get half of the device.
    #[test]
    fn nobody_starves_behind_those_who_paid(
        tasks in 1u32..65, pages in 1u32..64, limit in 64u32..512,
    ) {
        let room = Room::new(limit, u32::MAX, false);
        let mut door = Door::new();
        door.hand_over(2 * limit);
        for _ in 0..tasks {
            door.hand_over(pages);
            prop_assert!(come(&mut door, unpaid(pages), room, TaskClass::Ordinary));
        }
        let (mut done, mut through) = (0, 0);
        while through < tasks {
            // As many of them as there is room for.
            if door.inside() < room.paid() {
                door.hand_over(pages);
                let paid = Batch {
                    handed: pages,
                    freed: pages,
                };
                prop_assert!(!come(&mut door, paid, room, TaskClass::Ordinary));
            }
            door.done(pages);
            done += pages;
            for _ in 0..door.call(room)[2] {
                prop_assert!(door.take_turn(pages, TaskClass::Ordinary));
                through += 1;
            }
            prop_assert!(done <= (tasks + 1) * 3 * pages, "{through} of {tasks}");
        }
    }

    /// Whatever happens at the door: a task that waits is passed only by tasks that must not wait,
    /// and, as long as not much is inside, by those that freed as many pages as they handed over.
    /// The two queues take turns. While a task waits, there is no room, or a task has been called.
    #[test]
    fn the_door_keeps_its_order(
        steps in proptest::collection::vec(
            (0u8..11, 1u32..64, 0u32..96, 1u32..256, any::<bool>()), 1..400),
    ) {
        let (mut door, mut called) = (Door::new(), [0u32; 3]);
        let mut waiting: [VecDeque<u32>; 3] = Default::default();
        let (mut ahead, mut backlog) = (0i64, 0u32);
        for (step, pages, freed, limit, is_draining) in steps {
            let room = Room::new(limit, 1000, is_draining);
            let before = door;
            match step {
                0..=2 => {
                    let line = usize::from(step);
                    let who = LINES[line];
                    door.hand_over(pages);
                    backlog += pages;
                    let fits = before.inside() < room.of(who) || before.inside() == 0;
                    let free = waiting.iter().all(VecDeque::is_empty);
                    let handed = pages;
                    let waits = come(&mut door, Batch { handed, freed }, room, who);
                    let paid = freed >= pages && before.inside() < room.paid();
                    prop_assert_eq!(waits, !(free && fits || paid));
                    if waits {
                        waiting[line].push_back(pages);
                    }
                }
                3 => {
                    door.hand_over(pages);
                    prop_assert!(!come(&mut door, unpaid(pages), room, TaskClass::Exempt));
                    backlog += pages;
                }
                4..=6 => {
                    let line = usize::from(step - 4);
                    let first = waiting[line].front().copied().unwrap_or(0);
                    let turn = door.take_turn(first, LINES[line]);
                    prop_assert_eq!(turn, called[line] != 0);
                    if turn {
                        called[line] -= 1;
                        waiting[line].pop_front();
                    }
                }
                7 => {
                    let done = pages.min(backlog);
                    backlog -= done;
                    door.done(done);
                }
                8..=10 => {
                    let line = usize::from(step - 8);
                    if waiting[line].len() as u32 > called[line] {
                        let last = waiting[line].pop_back().unwrap();
                        door.give_up(last, LINES[line]);
                    }
                }
                _ => {}
            }
            // After each step a task calls others.
            let more = door.call(room);
            for (sum, n) in called.iter_mut().zip(more) {
                *sum += n;
            }
            let waits = [0, 1, 2].map(|line| waiting[line].len() as u32);
            let owed: u32 = waiting.iter().flatten().sum();
            prop_assert_eq!(door.waiting(), waits.iter().sum::<u32>());
            prop_assert_eq!(door.backlog(), backlog);
            prop_assert_eq!(door.inside(), backlog.saturating_sub(owed));
            prop_assert!(called.iter().zip(waits).all(|(&called, waits)| called <= waits));
            let [k, a, t] = [0, 1, 2].map(|line| waits[line] - called[line]);
            // Tasks that came back go first.
            prop_assert!(more[2] == 0 || a == 0);
            let t = a + t;
            let coming = called.iter().sum::<u32>() != 0;
            let kswapds = room.of(if t == 0 { TaskClass::Kswapd } else { TaskClass::Ordinary });
            prop_assert!(k == 0 || coming || door.inside() >= kswapds);
            prop_assert!(t == 0 || coming || door.inside() >= room.of(TaskClass::Ordinary));
            ahead = match k != 0 && t != 0 {
                true => ahead + i64::from(more[0]) - i64::from(more[1] + more[2]),
                false => 0,
            };
            prop_assert!(ahead.abs() <= 1, "{ahead}");
        }
    }
}

/// However much room there is all of a sudden, only a few tasks are woken at once. Each of them calls
/// others when it goes on, until all have gone on.
#[test]
fn a_task_that_goes_on_calls_others() {
    let slow = Room::new(link::MIN_PAGES, u32::MAX, false);
    let fast = Room::new(link::MOST, u32::MAX, false);
    let mut door = Door::new();
    door.hand_over(link::MIN_PAGES);
    for _ in 0..1000 {
        door.hand_over(1);
        assert!(come(&mut door, unpaid(1), slow, TaskClass::Ordinary));
    }
    let [_, _, mut called] = door.call(fast);
    let mut through = 0;
    while called != 0 {
        assert!(called <= MOST_CALLED);
        assert!(door.take_turn(1, TaskClass::Ordinary));
        through += 1;
        called = called - 1 + door.call(fast)[2];
    }
    assert_eq!((through, door.waiting()), (1000, 0));
}

/// There is room for a task while less than this is ahead of it: a request less than what fills the
/// device, twice that for kswapd, and four times that for a task that freed as much as it handed
/// over. This is different while the device is drained.
#[test]
fn a_task_that_finds_room_goes_on() {
    let waits = |ahead, freed, who, drained| {
        let mut door = Door::new();
        door.hand_over(ahead);
        door.hand_over(32);
        let batch = Batch { handed: 32, freed };
        come(&mut door, batch, Room::new(100, 1000, drained), who)
    };
    for drained in [false, true] {
        let kswapds = if drained { 68 } else { 136 };
        let cases = [
            (TaskClass::Ordinary, 0, 68),
            (TaskClass::Ordinary, 31, 68),
            (TaskClass::Ordinary, 32, 272),
            (TaskClass::Returning, 0, 68),
            (TaskClass::Kswapd, 0, kswapds),
            (TaskClass::Kswapd, 32, 272),
        ];
        for (who, freed, room) in cases {
            assert!(!waits(room - 1, freed, who, drained), "{who:?} {freed}");
            assert!(waits(room, freed, who, drained), "{who:?} {freed}");
        }
        assert!(!waits(5000, 0, TaskClass::Exempt, drained));
    }
}

proptest! {
    /// A swap-in waits behind the requests that are written under one plug. So these take no longer
    /// than allowed, unless a single request does. Also, half of the limit is submitted while the
    /// other half is being written.
    #[test]
    fn a_batch_is_no_longer_than_it_may_be(limit in 0u32..100_000, rate in 0u64..10_000_000_000) {
        let pages = link::batch(limit, rate);
        prop_assert!((link::MIN_PAGES..=link::MAX_BATCH).contains(&pages));
        if pages > link::MIN_PAGES {
            prop_assert!(pages <= limit / 2);
            prop_assert!(u64::from(pages) * SEC <= rate * link::BATCH_NS);
        }
        // The batch is as large as that allows.
        prop_assert!(
            pages == link::MAX_BATCH
                || pages >= limit / 2
                || u64::from(pages + 1) * SEC > rate * link::BATCH_NS
        );
    }
}
