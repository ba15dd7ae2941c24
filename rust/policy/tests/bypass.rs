// SPDX-License-Identifier: GPL-2.0

//! Tests of when requests go past the writer, also with a model of tasks on several CPUs.

use proptest::prelude::*;
use reclaimwb_policy::bypass::{Bypass, FAST_NS, PAST_NS, ROOMY, SAMPLE};

/// Passes `n` requests through the writer, all of which the device had room for.
fn requests(bypass: &mut Bypass, n: u32, queued: u64, took: u64, now: u64) {
    for _ in 0..n {
        bypass.record_submission(true, queued);
        bypass.done(took, now);
    }
}

#[test]
fn nothing_passes_before_a_sample_is_complete() {
    let mut bypass = Bypass::new();
    assert!(!bypass.is_open(0));
    requests(&mut bypass, SAMPLE - 1, 100_000, 10_000, 5);
    assert!(!bypass.is_open(5));
    requests(&mut bypass, 1, 100_000, 10_000, 5);
    assert!(bypass.is_open(5) && bypass.is_open(5 + PAST_NS - 1));
    assert!(!bypass.is_open(5 + PAST_NS));
}

#[test]
fn each_sample_decides_anew() {
    let mut bypass = Bypass::new();
    requests(&mut bypass, SAMPLE, 100_000, 10_000, 0);
    // What was under way when requests began to pass is done in the meantime.
    requests(&mut bypass, SAMPLE, 10_000, 100_000, 1);
    assert!(bypass.is_open(PAST_NS - 1) && !bypass.is_open(PAST_NS));
    // The device has become slow.
    requests(&mut bypass, SAMPLE, 100_000, 200_000, PAST_NS);
    assert!(!bypass.is_open(PAST_NS));
    // Nothing of the samples before is left.
    requests(&mut bypass, SAMPLE, 100_000, 99_999, 2 * PAST_NS);
    assert!(bypass.is_open(2 * PAST_NS));
}

/// What a CPU does, and when it is through with it, in ns.
struct Cpu {
    free_at: u64,
}

/// Tasks on `cpus` CPUs that make a request every `make` ns each, for a second, and a writer that
/// needs `submit` ns for each. The device takes `took` ns and has room for `room` requests.
/// Returns the part of the requests that went past the writer, in per cent.
fn passed(cpus: usize, make: u64, submit: u64, took: u64, room: usize) -> u64 {
    let mut bypass = Bypass::new();
    let mut makers: Vec<Cpu> = (0..cpus as u64)
        .map(|n| Cpu {
            free_at: n * make / cpus as u64,
        })
        .collect();
    let mut writer = 0;
    let mut under_way: Vec<(u64, u64)> = Vec::new();
    let (mut all, mut past) = (0, 0);
    loop {
        let Some(cpu) = makers.iter_mut().min_by_key(|cpu| cpu.free_at) else {
            return 0;
        };
        let now = cpu.free_at;
        if now > 4 * PAST_NS {
            return 100 * past / all;
        }
        under_way.sort_unstable();
        while under_way.first().is_some_and(|&(end, _)| end <= now) {
            let (end, took) = under_way.remove(0);
            bypass.done(took, end);
        }
        all += 1;
        cpu.free_at += make;
        if bypass.is_open(now) {
            past += 1;
            cpu.free_at += submit;
            continue;
        }
        let roomy = under_way.len() < room;
        // Without room the writer waits until something is done.
        let room_at = if roomy {
            now
        } else {
            under_way[under_way.len() - room].0
        };
        let at = (writer + submit).max(now).max(room_at);
        writer = at;
        bypass.record_submission(roomy, at - now);
        under_way.push((at + took, took));
        // A task waits while more than the room is ahead, as at the door of a lane.
        if !roomy {
            cpu.free_at = cpu.free_at.max(room_at);
        }
    }
}

#[test]
fn tasks_of_many_cpus_pass_a_writer_that_cannot_keep_up() {
    // A request takes the device 20 us, and the writer 15 us; each of 8 CPUs makes one in 50 us.
    assert!(passed(8, 50_000, 15_000, 20_000, 64) > 80);
}

#[test]
fn a_writer_that_keeps_up_gets_everything() {
    // One CPU makes a request in 50 us.
    assert_eq!(passed(1, 50_000, 15_000, 20_000, 64), 0);
}

#[test]
fn nobody_passes_the_writer_of_a_slow_device() {
    // It has room for two requests, which take 10 ms; or for many, which take 2 ms.
    assert_eq!(passed(8, 50_000, 15_000, 10_000_000, 2), 0);
    assert_eq!(passed(8, 50_000, 15_000, 2_000_000, 1000), 0);
}

proptest! {
    #[test]
    fn a_device_that_is_slower_than_its_writer_is_not_passed(queued in 0u64..1 << 40, more in 0u64..1 << 40) {
        let mut bypass = Bypass::new();
        requests(&mut bypass, 10 * SAMPLE, queued, queued + more, 0);
        prop_assert!(!bypass.is_open(0));
    }

    #[test]
    fn nor_is_one_that_is_slow(queued in 0u64..1 << 40, took in FAST_NS..1 << 40) {
        let mut bypass = Bypass::new();
        requests(&mut bypass, 10 * SAMPLE, queued, took, 0);
        prop_assert!(!bypass.is_open(0));
    }

    #[test]
    fn nor_is_one_that_had_no_room(roomy in 0u32..SAMPLE, took in 1u64..FAST_NS) {
        let mut bypass = Bypass::new();
        for n in 0..SAMPLE {
            bypass.record_submission(n < roomy, FAST_NS);
            bypass.done(took, 0);
        }
        prop_assert_eq!(bypass.is_open(0), roomy * 16 >= SAMPLE * ROOMY);
    }

    #[test]
    fn no_time_overflows(ns in any::<u64>(), took in any::<u64>(), now in any::<u64>()) {
        let mut bypass = Bypass::new();
        requests(&mut bypass, 3 * SAMPLE, ns, took, now);
        prop_assert!(!bypass.is_open(u64::MAX));
    }
}
