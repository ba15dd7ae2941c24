// SPDX-License-Identifier: GPL-2.0

//! The parts of a stall, compared with a model that keeps a label for each nanosecond.

use proptest::prelude::*;
use reclaimwb_policy::stall::{
    main_cause, mostly_clean, request_waits, total_stall_time, CauseTimes, Stall,
};
use reclaimwb_words::Cause;

#[derive(Clone, Copy, Debug)]
enum StallStep {
    Enter(Cause),
    EnterUntold(Cause),
    Leave(Cause),
    Contends(Cause, usize),
    Locked(usize),
    Reclaims,
    Off(bool),
    On,
    WillSleep(Cause),
    HasSlept(Cause),
    Mark,
}

const LOCKS: [Cause; 3] = [Cause::LruLock, Cause::Lock, Cause::NbdLock];

/// The causes that a task can enter, or sleep for. Those of locks, and those that stand for what is
/// left, are not among them.
fn cause() -> impl Strategy<Value = Cause> {
    let told = Cause::Scan as usize..Cause::Runqueue as usize;
    told.prop_map(|i| Cause::ALL[i])
        .prop_filter("no lock", |c| !LOCKS.contains(c))
}

fn step() -> impl Strategy<Value = StallStep> {
    prop_oneof![
        4 => cause().prop_map(StallStep::Enter),
        1 => cause().prop_map(StallStep::EnterUntold),
        3 => cause().prop_map(StallStep::Leave),
        2 => (0usize..3, 1usize..4).prop_map(|(of, lock)| StallStep::Contends(LOCKS[of], lock)),
        2 => (1usize..4).prop_map(StallStep::Locked),
        1 => Just(StallStep::Reclaims),
        2 => any::<bool>().prop_map(StallStep::Off),
        3 => Just(StallStep::On),
        1 => cause().prop_map(StallStep::WillSleep),
        2 => cause().prop_map(StallStep::HasSlept),
        1 => Just(StallStep::Mark),
    ]
}

/// A model with one label for each nanosecond. It keeps the open states in an unbounded list, and
/// finds the cause of a sleep by going back over the labels.
#[derive(Default)]
struct LabelModel {
    labels: Vec<Cause>,
    open: Vec<(Cause, usize)>,
    /// `None` while the task runs.
    off: Option<bool>,
    hint: Option<Cause>,
    /// Begin of the last sleep without a known cause.
    sleep: usize,
}

impl LabelModel {
    fn top(&self) -> Cause {
        self.open
            .last()
            .map_or(Cause::Unexplained, |(cause, _)| *cause)
    }

    fn asleep(&self) -> Cause {
        match (self.hint, self.top()) {
            (_, lock) if LOCKS.contains(&lock) => lock,
            (Some(hint), _) => hint,
            (None, Cause::Unexplained | Cause::Scan) => Cause::OffCpu,
            (None, top) => top,
        }
    }

    fn pass(&mut self, ns: u64) {
        let label = match self.off {
            None => self.top(),
            Some(true) => Cause::Runqueue,
            Some(false) => self.asleep(),
        };
        self.labels.extend((0..ns).map(|_| label));
    }

    fn step(&mut self, step: StallStep) {
        let lock_or_switch = matches!(
            step,
            StallStep::Contends(..) | StallStep::Locked(_) | StallStep::Off(_) | StallStep::On
        );
        if let StallStep::Off(runnable) = step {
            self.off = Some(runnable);
            if !runnable && self.asleep() == Cause::OffCpu {
                self.sleep = self.labels.len();
            }
            return;
        }
        if let StallStep::HasSlept(cause) = step {
            for label in &mut self.labels[self.sleep..] {
                if *label == Cause::OffCpu {
                    *label = cause;
                }
            }
        }
        self.off = None;
        if !lock_or_switch {
            self.hint = None;
        }
        match step {
            StallStep::Enter(cause) => self.open.push((cause, 0)),
            StallStep::EnterUntold(cause) => {
                if self.top() != cause {
                    self.open.push((cause, 0));
                }
            }
            StallStep::Contends(cause, lock) => {
                if self.open.last().is_none_or(|(_, there)| *there != lock) {
                    self.open.push((cause, lock));
                }
            }
            StallStep::Leave(cause) => {
                if let Some(i) = self.open.iter().rposition(|&(c, _)| c == cause) {
                    self.open.truncate(i);
                }
            }
            StallStep::Locked(lock) => {
                if let Some(i) = self.open.iter().rposition(|&(_, there)| there == lock) {
                    self.open.truncate(i);
                }
            }
            StallStep::Reclaims | StallStep::HasSlept(_) => {
                let itself = |c: Cause| matches!(c, Cause::Scan | Cause::Compaction);
                if let Some(i) = self.open.iter().rposition(|&(c, _)| itself(c)) {
                    self.open.truncate(i + 1);
                }
            }
            StallStep::WillSleep(cause) => self.hint = Some(cause),
            StallStep::Mark | StallStep::On | StallStep::Off(_) => {}
        }
    }
}

fn apply(stall: &mut Stall, step: StallStep, now: u64) {
    match step {
        StallStep::Enter(cause) => stall.enter(cause, now),
        StallStep::EnterUntold(cause) => stall.enter_untold(cause, now),
        StallStep::Leave(cause) => stall.leave(cause, now),
        StallStep::Contends(cause, lock) => stall.begin_lock_wait(cause, lock, now),
        StallStep::Locked(lock) => stall.end_lock_wait(lock, now),
        StallStep::Reclaims => stall.back_in_reclaim(now),
        StallStep::Off(runnable) => stall.off(runnable, now),
        StallStep::On => stall.on(now),
        StallStep::WillSleep(cause) => stall.will_sleep(cause, now),
        StallStep::HasSlept(cause) => stall.has_slept(cause, now),
        StallStep::Mark => stall.mark(now),
    }
}

proptest! {
    /// Each nanosecond is charged as in the model, as long as states are not nested deeper than a
    /// stall can tell apart.
    #[test]
    fn each_nanosecond_is_charged(
        steps in prop::collection::vec((step(), 0u64..20), 0..60),
        start in 0u64..1_000_000,
    ) {
        let (mut stall, mut model, mut now) = (Stall::new(start), LabelModel::default(), start);
        for (step, ns) in steps {
            model.pass(ns);
            now += ns;
            apply(&mut stall, step, now);
            model.step(step);
            prop_assume!(model.open.len() <= 12);
            prop_assert_eq!(stall.at(), model.top());
        }
        model.pass(7);
        let (wall, parts) = stall.end(now + 7);
        prop_assert_eq!(wall, now + 7 - start);
        for (i, cause) in Cause::ALL.iter().enumerate() {
            let expected = model.labels.iter().filter(|&l| l == cause).count() as u64;
            prop_assert_eq!(parts[i], expected, "{}", cause.name());
        }
    }

    /// The parts sum to the length, whatever happens, however deep, and even if the clock steps
    /// back.
    #[test]
    fn the_parts_sum_to_the_length(
        steps in prop::collection::vec((step(), -5i64..20), 0..400),
        start in 1_000u64..1_000_000,
    ) {
        let (mut stall, mut now) = (Stall::new(start), start);
        for (step, ns) in steps {
            now = now.saturating_add_signed(ns);
            apply(&mut stall, step, now);
        }
        let (wall, parts) = stall.end(now);
        prop_assert_eq!(parts.iter().sum::<u64>(), wall);
    }

    /// States that are too deep end with the same number of ends.
    #[test]
    fn depth_comes_back(extra in 0usize..40) {
        let mut stall = Stall::new(0);
        for _ in 0..12 + extra {
            stall.enter(Cause::Shrinker, 0);
        }
        for left in (0..12 + extra).rev() {
            stall.leave(Cause::Shrinker, 0);
            let at = if left == 0 { Cause::Unexplained } else { Cause::Shrinker };
            prop_assert_eq!(stall.at(), at);
        }
    }
}

#[test]
fn shrinkers_that_do_not_tell_their_end_are_one_after_the_other() {
    let mut stall = Stall::new(0);
    stall.enter(Cause::Scan, 0);
    for now in [10, 20, 30] {
        stall.enter_untold(Cause::Shrinker, now);
    }
    // The last one tells, and the next one does not.
    stall.leave(Cause::Shrinker, 50);
    assert_eq!(stall.at(), Cause::Scan);
    stall.enter_untold(Cause::Shrinker, 60);
    stall.back_in_reclaim(65);
    assert_eq!(stall.at(), Cause::Scan);
    let (wall, parts) = stall.end(100);
    assert_eq!(wall, 100);
    assert_eq!(parts[Cause::Shrinker as usize], 45);
    assert_eq!(parts[Cause::Scan as usize], 55);
}

#[test]
fn a_shrinker_that_is_too_deep_needs_no_end() {
    let mut stall = Stall::new(0);
    for _ in 0..12 {
        stall.enter(Cause::Drain, 0);
    }
    stall.enter_untold(Cause::Shrinker, 0);
    for _ in 0..12 {
        stall.leave(Cause::Drain, 0);
    }
    assert_eq!(stall.at(), Cause::Unexplained);
}

#[test]
fn mostly_clean_is_more_than_half() {
    assert!(mostly_clean(100, 0, 0));
    assert!(mostly_clean(100, 40, 20));
    assert!(!mostly_clean(100, 60, 20));
    assert!(!mostly_clean(100, 0, 50));
    assert!(!mostly_clean(0, 0, 0));
    assert!(!mostly_clean(10, 0, u64::MAX));
    assert!(!mostly_clean(u64::MAX, u64::MAX, 0));
}

#[test]
fn a_slow_path_without_events_is_no_stall() {
    let mut stall = Stall::new(5);
    stall.off(true, 6);
    stall.on(7);
    assert!(!stall.eventful());
    stall.enter(Cause::Scan, 8);
    assert!(stall.eventful());
}

#[test]
fn a_lock_within_the_wait_for_a_lock_ends_alone() {
    // __mutex_lock() spins, then sleeps, and meets other tasks at the lock of its wait queue.
    let mut stall = Stall::new(0);
    stall.begin_lock_wait(Cause::NbdLock, 1, 10);
    stall.begin_lock_wait(Cause::NbdLock, 1, 20);
    stall.off(false, 30);
    stall.on(100);
    stall.begin_lock_wait(Cause::Lock, 2, 100);
    stall.end_lock_wait(2, 105);
    stall.off(false, 110);
    stall.on(200);
    stall.end_lock_wait(1, 200);
    let (wall, parts) = stall.end(210);
    assert_eq!(wall, 210);
    assert_eq!(parts[Cause::NbdLock as usize], 185);
    assert_eq!(parts[Cause::Lock as usize], 5);
    assert_eq!(parts[Cause::Unexplained as usize], 20);
}

#[test]
fn a_throttled_sleep_is_known_though_a_drain_follows() {
    let mut stall = Stall::new(0);
    stall.enter(Cause::Scan, 0);
    stall.off(false, 10);
    stall.on(110);
    stall.enter(Cause::Drain, 115);
    stall.off(false, 120);
    stall.on(150);
    stall.leave(Cause::Drain, 160);
    stall.has_slept(Cause::ThrottleWriteback, 165);
    let (_, parts) = stall.end(170);
    assert_eq!(parts[Cause::ThrottleWriteback as usize], 100);
    assert_eq!(parts[Cause::Drain as usize], 45);
    assert_eq!(parts[Cause::OffCpu as usize], 0);
}

#[test]
fn an_earlier_sleep_is_not_the_throttles() {
    let mut stall = Stall::new(0);
    stall.enter(Cause::Scan, 0);
    stall.off(false, 0);
    stall.on(50);
    stall.off(false, 60);
    stall.on(90);
    stall.has_slept(Cause::ThrottleNoprogress, 90);
    let (_, parts) = stall.end(90);
    assert_eq!(parts[Cause::OffCpu as usize], 50);
    assert_eq!(parts[Cause::ThrottleNoprogress as usize], 30);
}

#[test]
fn a_sleep_is_for_what_was_said_before_it_but_not_one_for_a_lock() {
    let mut stall = Stall::new(0);
    stall.enter(Cause::SwapSubmit, 0);
    stall.will_sleep(Cause::TagWait, 0);
    stall.begin_lock_wait(Cause::Lock, 1, 0);
    stall.off(false, 0);
    stall.on(30);
    stall.end_lock_wait(1, 30);
    stall.off(false, 30);
    stall.on(100);
    let (_, parts) = stall.end(100);
    assert_eq!(parts[Cause::Lock as usize], 30);
    assert_eq!(parts[Cause::TagWait as usize], 70);
}

#[test]
fn a_wait_for_a_lock_is_not_the_throttles() {
    let mut stall = Stall::new(0);
    stall.enter(Cause::Scan, 0);
    stall.off(false, 0);
    stall.on(50);
    stall.off(false, 60);
    stall.on(70);
    stall.begin_lock_wait(Cause::LruLock, 1, 70);
    stall.off(false, 70);
    stall.on(100);
    stall.end_lock_wait(1, 100);
    stall.has_slept(Cause::ThrottleNoprogress, 100);
    let (_, parts) = stall.end(100);
    assert_eq!(parts[Cause::OffCpu as usize], 50);
    assert_eq!(parts[Cause::ThrottleNoprogress as usize], 10);
    assert_eq!(parts[Cause::LruLock as usize], 30);
}

#[test]
fn a_stall_knows_when_it_began() {
    let mut stall = Stall::new(5);
    stall.enter(Cause::Scan, 8);
    assert_eq!(stall.began(), 5);
}

/// The connection and the send are told apart. Requests may be the reason for waits for writeback,
/// a tag or memory, and for sleeps without a known cause.
#[test]
fn what_may_be_for_requests_is_told_by_its_cause() {
    let mut parts: CauseTimes = [0; Cause::COUNT];
    for (i, part) in parts.iter_mut().enumerate() {
        *part = 1 << i;
    }
    let bits = |causes: &[Cause]| causes.iter().map(|&c| 1 << c as u64).sum::<u64>();
    let of = request_waits(&parts);
    assert_eq!(of.lock, bits(&[Cause::NbdLock]));
    assert_eq!(of.send, bits(&[Cause::NbdSend]));
    let own_business = [
        Cause::Unexplained,
        Cause::Scan,
        Cause::LruLock,
        Cause::Lock,
        Cause::Shrinker,
        Cause::Tlb,
        Cause::Compaction,
        Cause::Drain,
        Cause::HighPenalty,
        Cause::Runqueue,
    ];
    let all: u64 = parts.iter().sum();
    assert_eq!(of.other, all - of.lock - of.send - bits(&own_business));
}

#[test]
fn a_send_that_failed_is_over_when_reclaim_sleeps() {
    let mut stall = Stall::new(0);
    stall.enter(Cause::Scan, 0);
    stall.enter(Cause::NbdSend, 10);
    stall.back_in_reclaim(20);
    assert_eq!(stall.at(), Cause::Scan);
}

#[test]
fn one_that_is_timed_stands_for_those_that_are_not() {
    let submit = Cause::SwapSubmit as usize;
    let timed = |times| {
        let mut stall = Stall::new(0);
        stall.enter(Cause::Scan, 0);
        stall.enter_sample(Cause::SwapSubmit, 100);
        // Meanwhile it waited for its CPU, which no other one stands for.
        stall.off(true, 104);
        stall.on(107);
        stall.leave_sample(Cause::SwapSubmit, times, 110);
        stall.end(120)
    };
    // No more than the scan was charged until then.
    for (times, ns) in [(1, 7), (8, 56), (100, 107)] {
        let (all, parts) = timed(times);
        assert_eq!((all, parts.iter().sum()), (120, 120));
        assert_eq!(parts[submit], ns);
        assert_eq!(parts[Cause::Runqueue as usize], 3);
    }
}

#[test]
fn a_sample_that_was_left_otherwise_stands_for_nothing() {
    let mut stall = Stall::new(0);
    stall.enter(Cause::Scan, 0);
    stall.enter_sample(Cause::SwapSubmit, 10);
    stall.back_in_reclaim(20);
    stall.leave_sample(Cause::SwapSubmit, 8, 30);
    let (ns, parts) = stall.end(30);
    assert_eq!((ns, parts[Cause::SwapSubmit as usize]), (30, 10));
}

/// The cause of a stall is the largest of its parts; of equal ones the first.
#[test]
fn a_stall_was_mostly_for_its_largest_part() {
    let mut parts: CauseTimes = [0; Cause::COUNT];
    assert_eq!(main_cause(&parts), Cause::Unexplained);
    parts[Cause::Scan as usize] = 3;
    parts[Cause::OffCpu as usize] = 3;
    assert_eq!(main_cause(&parts), Cause::Scan);
    parts[Cause::Tlb as usize] = 4;
    assert_eq!(main_cause(&parts), Cause::Tlb);
}

/// A stall that goes on counts up to now.
#[test]
fn how_long_a_task_has_stalled_in_all() {
    assert_eq!(total_stall_time(7, (10, 0), 15), 12);
    assert_eq!(total_stall_time(7, (10, 0), 9), 7);
    assert_eq!(total_stall_time(7, (10, 14), 15), 7);
}
