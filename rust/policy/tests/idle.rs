// SPDX-License-Identifier: GPL-2.0

//! policy::idle under loom. In every order of steps, and with accesses as weak as the memory model
//! allows, no thread sleeps on while there is work for it. Loom reports a thread that is never
//! woken as a deadlock.

use loom::{
    sync::{
        atomic::{AtomicBool, AtomicU32, Ordering},
        Arc, Condvar, Mutex,
    },
    thread,
};
use reclaimwb_policy::idle::{rouse, sleep, Flag, Sleeper};

struct Asleep(AtomicBool);

impl Flag for Asleep {
    fn swap(&self, asleep: bool) -> bool {
        self.0.swap(asleep, Ordering::AcqRel)
    }
}

/// A model of a task: its state, and wake_up_process().
struct LoomTask {
    runs: Mutex<bool>,
    woken: Condvar,
}

impl LoomTask {
    fn wake(&self) {
        *self.runs.lock().unwrap() = true;
        self.woken.notify_one();
    }
}

impl Sleeper for LoomTask {
    fn begin(&self) {
        *self.runs.lock().unwrap() = false;
    }

    fn sleep(&self) {
        let mut runs = self.runs.lock().unwrap();
        while !*runs {
            runs = self.woken.wait(runs).unwrap();
        }
    }

    fn end(&self) {
        *self.runs.lock().unwrap() = true;
    }
}

struct LaneModel {
    asleep: Asleep,
    task: LoomTask,
    queued: AtomicU32,
    inflight: AtomicU32,
}

impl LaneModel {
    fn new(inflight: u32) -> Arc<Self> {
        Arc::new(Self {
            asleep: Asleep(AtomicBool::new(false)),
            task: LoomTask {
                runs: Mutex::new(true),
                woken: Condvar::new(),
            },
            queued: AtomicU32::new(0),
            inflight: AtomicU32::new(inflight),
        })
    }

    fn hand_over(&self) {
        self.queued.fetch_add(1, Ordering::Relaxed);
        rouse(&self.asleep, || self.task.wake());
    }

    fn done(&self) {
        self.inflight.fetch_sub(1, Ordering::Relaxed);
        rouse(&self.asleep, || self.task.wake());
    }
}

fn check(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

/// The writer waits for a request alone. A request that is queued meanwhile wakes it, too.
#[test]
fn the_end_of_a_request_wakes_the_writer() {
    check(|| {
        let lane = LaneModel::new(1);
        let (a, b) = (lane.clone(), lane.clone());
        let handing = thread::spawn(move || a.hand_over());
        let ending = thread::spawn(move || b.done());
        while lane.inflight.load(Ordering::Relaxed) != 0 {
            sleep(&lane.asleep, &lane.task, || {
                lane.inflight.load(Ordering::Relaxed) == 0
            });
        }
        handing.join().unwrap();
        ending.join().unwrap();
    });
}

/// The writer waits for folios, which two tasks queue.
#[test]
fn each_folio_is_seen() {
    check(|| {
        let lane = LaneModel::new(0);
        let tasks: Vec<_> = (0..2)
            .map(|_| {
                let lane = lane.clone();
                thread::spawn(move || lane.hand_over())
            })
            .collect();
        while lane.queued.load(Ordering::Relaxed) != 2 {
            sleep(&lane.asleep, &lane.task, || {
                lane.queued.load(Ordering::Relaxed) == 2
            });
        }
        for task in tasks {
            task.join().unwrap();
        }
    });
}
