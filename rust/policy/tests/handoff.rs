// SPDX-License-Identifier: GPL-2.0

//! Handoff as a discrete-event model: a link, its queue, the writer, and tasks that
//! reclaim. What decides is the module's own policy code; what is modelled is the kernel
//! around it (LRU list, throttle, priority, OOM) and the device. The property: whatever
//! the link, the tasks and the schedule, all get their memory, nobody is killed, and
//! nobody waits much longer than the link takes for what he needs.

use proptest::prelude::*;
use reclaimwb_policy::{
    handoff::{decide, failing, Answer, Asked, Mode, Refused, LATE_NS, OOM_PRIORITY, STUCK_NS},
    link::{self, Link},
    reserve::Reserve,
};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

const MS: u64 = 1_000_000;
const SEC: u64 = 1000 * MS;
const BATCH: usize = 32;
const RING: u32 = 4096;

// ---- a small generator, so that a schedule follows from a seed

struct Rng(u64);

impl Rng {
    fn next(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n.max(1)
    }
}

// ---- the model

#[derive(Clone, Debug)]
struct Setup {
    /// Pages a second that the link carries, one request after the other.
    rate: u64,
    /// What each request takes besides, side by side with others.
    delay: u64,
    /// Pages of reserve that a page in flight takes, in quarters.
    cost: u64,
    tasks: usize,
    /// Pages that each task takes.
    wants: u32,
    /// Pages of memory, all of them dirty and anonymous at first.
    memory: usize,
    /// One in so many tries finds the folio locked; 0: none.
    locked: u64,
    /// The link stands still from when to when.
    dead: Option<(u64, u64)>,
    seed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Dirty,
    Queued,
    Writeback,
    Clean,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Event {
    /// A task goes on.
    Task(usize),
    /// A task waited long enough; the number tells whether it is that wait.
    Timeout(usize, u64),
    /// The writer looks.
    Writer,
    /// A request is done: its number.
    Done(usize),
}

struct Task {
    left: u32,
    priority: i32,
    scanned: usize,
    futile: u32,
    waits: Option<u64>,
    since: u64,
    longest: u64,
}

struct Model {
    setup: Setup,
    rng: Rng,
    now: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    order: u64,
    folios: Vec<State>,
    lru: VecDeque<usize>,
    free: i64,
    min: i64,
    tasks: Vec<Task>,
    queue: VecDeque<usize>,
    requests: Vec<(Vec<usize>, u64, bool)>,
    link_free: u64,
    inflight: u32,
    link: Link,
    reserve: Reserve,
    done: u64,
    busy: u64,
    busy_since: u64,
    requests_done: u64,
    took: u64,
    quickest: u64,
    limited: bool,
    written_since_wait: u32,
    waiting: u32,
    progress: u64,
    // What is asserted on.
    killed: u32,
    written: u64,
    by_tasks: u64,
    most_inflight: u32,
}

impl Model {
    fn new(setup: Setup) -> Self {
        let tasks = (0..setup.tasks).map(|_| Task {
            left: setup.wants,
            priority: 12,
            scanned: 0,
            futile: 0,
            waits: None,
            since: 0,
            longest: 0,
        });
        let min = 256;
        let mut m = Self {
            rng: Rng(setup.seed | 1),
            now: SEC,
            events: BinaryHeap::new(),
            order: 0,
            folios: vec![State::Dirty; setup.memory],
            lru: (0..setup.memory).collect(),
            free: min,
            min,
            tasks: tasks.collect(),
            queue: VecDeque::new(),
            requests: Vec::new(),
            link_free: 0,
            inflight: 0,
            link: Link::new(),
            reserve: Reserve::new(),
            done: 0,
            busy: 0,
            busy_since: 0,
            requests_done: 0,
            took: 0,
            quickest: u64::MAX,
            limited: false,
            written_since_wait: 0,
            waiting: 0,
            progress: SEC,
            killed: 0,
            written: 0,
            by_tasks: 0,
            most_inflight: 0,
            setup,
        };
        for t in 0..m.tasks.len() {
            let at = m.rng.next(MS);
            m.at(at, Event::Task(t));
        }
        m
    }

    fn at(&mut self, after: u64, e: Event) {
        // Equal times in an order that the seed decides.
        self.order += 1;
        let tie = self.rng.next(1 << 20) << 40 | self.order;
        self.events.push(Reverse((self.now + after, tie, e)));
    }

    fn run(&mut self) {
        let limit = 2_000_000;
        for _ in 0..limit {
            if self.tasks.iter().all(|t| t.left == 0) {
                return;
            }
            let Some(Reverse((at, _, e))) = self.events.pop() else {
                panic!("nothing will ever happen again: {:?}", self.setup);
            };
            self.now = at;
            match e {
                Event::Task(t) => self.task(t),
                Event::Timeout(t, since) => {
                    if self.tasks[t].waits == Some(since) {
                        self.wake(t);
                    }
                }
                Event::Writer => self.writer(),
                Event::Done(r) => self.done(r),
            }
        }
        panic!("no end: {:?}", self.setup);
    }

    /// What is under way comes to its end.
    fn drain(&mut self) {
        while let Some(Reverse((at, _, e))) = self.events.pop() {
            self.now = at;
            match e {
                Event::Writer => self.writer(),
                Event::Done(r) => self.done(r),
                Event::Task(_) | Event::Timeout(..) => {}
            }
        }
    }

    // ---- the kernel around it

    fn silent(&self, ns: u64) -> bool {
        self.inflight > 0 && self.now.saturating_sub(self.progress) > ns
    }

    fn stuck(&self) -> bool {
        self.silent(STUCK_NS)
    }

    fn room(&self) -> bool {
        self.queue.is_empty() || self.queue.len() < link::room(self.link.limit(), RING) as usize
    }

    /// A task wants a page: takes it, or reclaims a batch.
    fn task(&mut self, t: usize) {
        if self.tasks[t].left == 0 {
            return;
        }
        if self.free > self.min {
            self.free -= 1;
            // What it writes there is anonymous and dirty, and may go in its turn.
            self.folios.push(State::Dirty);
            self.lru.push_front(self.folios.len() - 1);
            let took = self.now - self.tasks[t].since;
            let first = self.tasks[t].since == 0;
            let task = &mut self.tasks[t];
            task.left -= 1;
            task.longest = task.longest.max(if first { 0 } else { took });
            task.since = self.now;
            task.priority = 12;
            task.futile = 0;
            let after = 1000 + self.rng.next(2000);
            return self.at(after, Event::Task(t));
        }
        let (freed, later, blocked) = self.scan(t);
        let lru = self.lru.len();
        let task = &mut self.tasks[t];
        task.scanned += BATCH.min(lru);
        if freed > 0 {
            task.priority = 12;
            task.futile = 0;
            task.scanned = 0;
        } else if task.scanned < lru >> task.priority {
            // More of the list is looked at in this round.
        } else if task.priority > 0 {
            task.priority -= 1;
            task.scanned = 0;
        } else {
            // should_reclaim_retry(): 16 rounds without any progress.
            task.priority = 12;
            task.scanned = 0;
            task.futile += 1;
            if task.futile > 16 {
                self.killed += 1;
                task.left = 0;
                return;
            }
        }
        if freed == 0 && later && (self.inflight > 0 || !self.queue.is_empty()) {
            self.tasks[t].waits = Some(self.now);
            if self.waiting == 0 {
                self.written_since_wait = 0;
            }
            self.waiting += 1;
            return self.at(100 * MS, Event::Timeout(t, self.now));
        }
        let after = 20_000 + self.rng.next(20_000) + blocked;
        self.at(after, Event::Task(t));
    }

    fn wake(&mut self, t: usize) {
        self.tasks[t].waits = None;
        self.waiting -= 1;
        let after = 10_000 + self.rng.next(100_000);
        self.at(after, Event::Task(t));
    }

    /// shrink_folio_list(): pages freed, whether some are to be met again, and how long
    /// the task was inside the device.
    fn scan(&mut self, t: usize) -> (u32, bool, u64) {
        let priority = self.tasks[t].priority;
        let asked = Asked {
            memcg: false,
            proactive: false,
            kswapd: false,
            zswap: false,
            sync: false,
            blocking: true,
            priority,
            late: self.silent(LATE_NS),
            stuck: self.stuck(),
            failing: false,
            others: false,
            headroom: 8192,
        };
        let (mut freed, mut later) = (0, false);
        let mut own = Vec::new();
        let nr = BATCH.min(self.lru.len());
        for _ in 0..nr {
            let Some(f) = self.lru.pop_back() else { break };
            match self.folios[f] {
                State::Clean => {
                    self.free += 1;
                    freed += 1;
                    continue;
                }
                State::Dirty => match decide(Mode::Always, 0, &asked) {
                    Answer::Hand if self.room() => {
                        self.folios[f] = State::Queued;
                        self.queue.push_back(f);
                        let after = self.rng.next(50_000);
                        self.at(after, Event::Writer);
                    }
                    Answer::Hand | Answer::Keep => later = true,
                    Answer::Refuse(why) => {
                        assert!(matches!(why, Refused::Priority | Refused::Stuck));
                        assert!(why == Refused::Stuck || priority <= OOM_PRIORITY);
                        own.push(f);
                    }
                },
                State::Queued | State::Writeback => later = true,
            }
            self.lru.push_front(f);
        }
        // The last resort: the device takes it when it has taken all before it.
        let mut blocked = 0;
        if !own.is_empty() {
            self.by_tasks += own.len() as u64;
            self.submit(own, false);
            blocked = self.link_free.saturating_sub(self.now);
        }
        (freed, later, blocked)
    }

    // ---- the device

    fn submit(&mut self, folios: Vec<usize>, ours: bool) {
        let nr = folios.len() as u32;
        for &f in &folios {
            self.folios[f] = State::Writeback;
        }
        let mut start = self.now.max(self.link_free);
        if let Some((from, to)) = self.setup.dead {
            if start >= from && start < to {
                start = to;
            }
        }
        self.link_free = start + u64::from(nr) * SEC / self.setup.rate;
        if ours {
            if self.inflight == 0 {
                self.busy_since = self.now;
                self.progress = self.now;
            }
            self.inflight += nr;
            self.most_inflight = self.most_inflight.max(self.inflight);
            let fall = u64::from(nr) * self.setup.cost / 4;
            let before = self.free.max(0) as u64;
            self.free -= fall as i64;
            self.reserve.took(nr, before, self.free.max(0) as u64);
        }
        self.requests.push((folios, self.now, ours));
        let done = self.link_free + self.setup.delay - self.now;
        self.at(done, Event::Done(self.requests.len() - 1));
    }

    fn done(&mut self, r: usize) {
        let (folios, since, ours) = self.requests[r].clone();
        let nr = folios.len() as u32;
        for &f in &folios {
            self.folios[f] = State::Clean;
            // folio_rotate_reclaimable()
            if let Some(i) = self.lru.iter().position(|&x| x == f) {
                self.lru.remove(i);
                self.lru.push_back(f);
            }
        }
        self.written += u64::from(nr);
        if ours {
            self.inflight -= nr;
            self.progress = self.now;
            if self.inflight == 0 {
                self.busy += self.now - self.busy_since;
            }
            self.done += u64::from(nr);
            self.requests_done += 1;
            self.took += self.now - since;
            self.quickest = self.quickest.min(self.now - since);
            self.free += (u64::from(nr) * self.setup.cost / 4) as i64;
        }
        // The helper does so for each of its requests, the kernel when there is enough
        // for all (`__acct_reclaim_writeback()`).
        self.written_since_wait += nr;
        if ours || self.written_since_wait > BATCH as u32 * self.waiting {
            for t in 0..self.tasks.len() {
                if self.tasks[t].waits.is_some() {
                    self.wake(t);
                }
            }
        }
        self.at(10_000, Event::Writer);
    }

    /// The writer's loop, until it would sleep.
    fn writer(&mut self) {
        loop {
            if self.inflight > 0 {
                self.busy += self.now - self.busy_since;
                self.busy_since = self.now;
            }
            let done = link::Done {
                pages: std::mem::take(&mut self.done),
                busy: std::mem::take(&mut self.busy),
                requests: std::mem::take(&mut self.requests_done),
                ns: std::mem::take(&mut self.took),
                quickest: std::mem::replace(&mut self.quickest, u64::MAX),
            };
            let limited = std::mem::take(&mut self.limited);
            self.link.took(&done, limited, self.now);
            let free = self.free.max(0) as u64;
            let carried = self.reserve.limit(free, self.min as u64, self.inflight);
            let limit = self.link.limit().min(carried);
            let batch = link::batch(limit);
            let nr = (self.queue.len() as u32).min(batch);
            if nr == 0 || self.inflight > 0 && nr < batch && self.inflight < limit {
                return;
            }
            if !link::admits(limit, self.inflight, nr) {
                self.limited = true;
                return;
            }
            let mut batch = Vec::new();
            for _ in 0..nr {
                let Some(f) = self.queue.pop_front() else {
                    break;
                };
                if self.setup.locked != 0 && self.rng.next(self.setup.locked) == 0 {
                    self.queue.push_back(f);
                } else {
                    batch.push(f);
                }
            }
            if batch.is_empty() {
                return self.at(200_000, Event::Writer);
            }
            let nr = batch.len() as u32;
            assert!(self.inflight == 0 || self.inflight + nr <= limit);
            self.submit(batch, true);
        }
    }
}

fn setups() -> impl Strategy<Value = Setup> {
    (
        prop_oneof![Just(200u64), Just(1280), Just(30_000), 100u64..300_000],
        prop_oneof![Just(0), Just(MS), Just(10 * MS), 0..50 * MS],
        0u64..12,
        1usize..17,
        64usize..4096,
        prop_oneof![Just(0u64), Just(2), Just(8)],
        prop_oneof![
            3 => Just(None),
            1 => (SEC..2 * SEC, 100 * MS..20 * SEC).prop_map(|(a, n)| Some((a, a + n))),
        ],
        any::<u64>(),
    )
        .prop_map(
            |(rate, delay, cost, tasks, memory, locked, dead, seed)| Setup {
                rate,
                delay,
                cost,
                tasks,
                wants: 200,
                memory,
                locked,
                dead,
                seed,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_schedule_loses_progress(setup in setups()) {
        let mut m = Model::new(setup.clone());
        m.run();
        prop_assert_eq!(m.killed, 0);
        let took = m.now - SEC;
        let written = m.written;
        // Nothing is forgotten: what was queued or under way is written in the end.
        m.drain();
        prop_assert_eq!(m.queue.len(), 0);
        prop_assert!(!m.folios.iter().any(|f| matches!(f, State::Queued | State::Writeback)));
        // The link was the limit: what all wanted, at its speed, a full round of waiting,
        // and the time that it stood still.
        let stood = setup.dead.map_or(0, |(a, b)| b - a);
        let all = (setup.wants as u64 * setup.tasks as u64 + written) * SEC / setup.rate;
        let rounds = written / BATCH as u64 + 1;
        let most = 2 * all + rounds * (setup.delay + MS) + stood + 2 * SEC;
        prop_assert!(took <= most, "{} ms, expected {} at most", took / MS, most / MS);
    }

    #[test]
    fn reclaim_does_not_write_while_the_link_lives(mut setup in setups()) {
        setup.dead = None;
        let mut m = Model::new(setup);
        m.run();
        prop_assert_eq!(m.by_tasks, 0);
    }

    #[test]
    fn in_flight_is_bounded_by_speed(rate in 1000u64..20_000, seed in any::<u64>()) {
        let setup = Setup {
            rate, delay: 0, cost: 4, tasks: 4, wants: 2000, memory: 4096, locked: 0, dead: None,
            seed,
        };
        let mut m = Model::new(setup);
        m.run();
        // What it takes in a third of what a request takes more than a request itself.
        let ahead = rate * 40 / 1000 + 2 * BATCH as u64;
        prop_assert!(u64::from(m.link.limit()) <= ahead, "{} pages at {rate}/s", m.link.limit());
    }

    #[test]
    fn a_long_line_is_filled(
        rate in 1500u64..50_000, delay in 5u64..40, seed in any::<u64>(),
    ) {
        let setup = Setup {
            rate, delay: delay * MS, cost: 0, tasks: 8, wants: 6000, memory: 4096,
            locked: 0, dead: None, seed,
        };
        let mut m = Model::new(setup.clone());
        m.run();
        let took = m.now - SEC;
        let rate = m.written * SEC / took;
        // A thin one sooner than a fat one.
        let share = if setup.rate < 10_000 { 2 } else { 4 };
        prop_assert!(rate * share > setup.rate, "{rate} pages/s of {}", setup.rate);
    }

    /// The quickest request is half as long as the others, as where a machine is busy: from
    /// one at a time on, it must be found that more are faster.
    #[test]
    fn an_uneven_line_is_filled(quickest in 2u64..12, cap in 3000u64..20_000) {
        let (mut link, mean) = (Link::new(), 2 * quickest * MS);
        let mut speed = 0;
        for n in 0..600 {
            // Two batches, or one where no more may go.
            let limit = link.limit();
            let batch = link::batch(limit);
            let second = n >= 100 && link::admits(limit, batch, batch);
            let pages = u64::from(if second { 2 * batch } else { batch });
            speed = cap.min(pages * SEC / mean);
            let pages = speed / 20;
            let requests = pages / u64::from(link::MIN_PAGES) + 1;
            let done = link::Done {
                pages, busy: SEC / 20, requests, ns: requests * mean, quickest: quickest * MS,
            };
            link.took(&done, speed < cap, n * SEC / 20);
        }
        prop_assert!(speed * 3 > cap * 2, "{speed} pages/s of {cap}");
    }

    #[test]
    fn what_stood_still_is_fast_again(dead in 1u64..600, rate in 1000u64..50_000) {
        let mut link = Link::new();
        let took = |link: &mut Link, pages, ns| {
            let done = link::Done { pages, busy: ns, requests: 1, ns, quickest: ns };
            link.took(&done, true, 0);
        };
        // A page a request, each of them later than the last.
        for n in 1..20 {
            took(&mut link, 1, dead * n * 1_000_000_000);
        }
        prop_assert!(link.rate() < 1000);
        // Then 15 s of what it can.
        for _ in 0..300 {
            took(&mut link, rate / 20, 50_000_000);
        }
        prop_assert!(link.rate() >= rate / 20 * 20, "{} of {}", link.rate(), rate);
    }

    #[test]
    fn a_request_always_may_go(
        samples in proptest::collection::vec((0u64..5000, 0u64..SEC, 1u64..SEC, any::<bool>()), 0..50),
        falls in proptest::collection::vec((1u32..64, 0u64..10_000, 0u64..10_000), 0..50),
        free in 0u64..10_000, min in 0u64..10_000,
    ) {
        let (mut link, mut reserve, mut now) = (Link::new(), Reserve::new(), 0);
        for (pages, busy, rtt, limited) in samples {
            now += busy;
            let done = link::Done { pages, busy, requests: 1, ns: rtt, quickest: rtt };
            link.took(&done, limited, now);
            prop_assert!((link::MIN_PAGES..=link::MAX_PAGES).contains(&link.limit()));
        }
        for (pages, before, after) in falls {
            reserve.took(pages, before, after);
        }
        let limit = link.limit().min(reserve.limit(free, min, 0));
        prop_assert!(limit >= link::MIN_PAGES);
        prop_assert!(link::admits(limit, 0, 512));
        prop_assert!(link::room(limit, RING) >= 2 * link::MIN_PAGES);
    }

    #[test]
    fn what_the_reserves_carry_is_not_exceeded(fall in 1u64..200, free in 1000u64..100_000) {
        let mut reserve = Reserve::new();
        reserve.took(32, free, free - fall);
        let limit = reserve.limit(free, 400, 0);
        // Down to a quarter of the min watermark, but for rounding; or it is one request.
        prop_assert!(limit == link::MIN_PAGES || reserve.cost_of(limit) <= free - 100 + 4);
    }

    #[test]
    fn each_refusal_has_its_case(
        flags in any::<[bool; 10]>(), priority in 0i32..=12, headroom in 0usize..16_384,
    ) {
        let [memcg, proactive, kswapd, zswap, sync, blocking, late, stuck, failing, others] = flags;
        let asked = Asked {
            memcg, proactive, kswapd, zswap, sync, blocking, priority, late, stuck, failing, others,
            headroom,
        };
        let free = !memcg && !proactive && !zswap && !sync;
        let dead = !others && (stuck || late && priority <= OOM_PRIORITY);
        let last = !kswapd && (dead || failing && !stuck);
        let may = free && (!kswapd || blocking) && !last;
        let refused = |mode, floor| matches!(decide(mode, floor, &asked), Answer::Refuse(_));
        prop_assert_eq!(refused(Mode::Always, 0), !may);
        prop_assert_eq!(refused(Mode::LowHeadroom, 4096), !may || headroom >= 4096);
        prop_assert!(refused(Mode::Never, 16_384));
        // A stuck or failing device gets no more, and kswapd is never sent into one that blocks.
        let answer = decide(Mode::Always, 0, &asked);
        prop_assert_eq!(answer == Answer::Hand, may && !stuck && !failing);
        prop_assert!(!(free && kswapd && blocking && refused(Mode::Always, 0)));
    }

    /// One request that fails, or some, are no reason; and no device is failing for ever.
    #[test]
    fn failing_takes_some_and_ends(in_a_row in any::<u32>(), ns in any::<u64>()) {
        prop_assert_eq!(failing(in_a_row, ns), in_a_row >= 4 && ns < SEC);
    }
}
