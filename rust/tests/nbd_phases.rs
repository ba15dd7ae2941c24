// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of NBD requests and of swap writes, with requests that no driver gets, and writes
//! that nobody submits.

use super::{
    at,
    task,
    window_begin, //
};
use crate::{
    kernel_ext::{
        percpu::{
            pinned,
            Pinned, //
        },
        tracepoint::ProbeState, //
    },
    ledgers::{
        nbd::{
            RequestCounts,
            RequestStep,
            REQUESTS, //
        },
        Ledgers, //
    },
    policy::nbd::RequestWaits,
    probes::{
        block,
        nbd,
        vmscan, //
    },
    shim::{
        function,
        nbd::{
            Bio,
            NbdRequest, //
        },
    },
    words::{
        Direction,
        EndReason,
        Function,
        Group,
        Origin,
        Phase,
        Window, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// Allocates ledgers that follow requests, as if all probes were attached.
fn ledgers() -> Result<Arc<Ledgers>> {
    let ledgers = super::ledgers()?;
    ledgers.states.set_live(Group::Nbd, true);
    ledgers.states.set_live(Group::Stalls, true);
    ledgers
        .states
        .set_function(Function::NbdQueue, ProbeState::Attached);
    ledgers
        .states
        .set_function(Function::SwapSubmit, ProbeState::Attached);
    Ok(ledgers)
}

/// Returns a key that no request has.
const fn key(n: usize) -> usize {
    0x10_0000 + n * 256
}

/// Returns a request of 8 KiB to nbd2.
fn request(n: usize, direction: Direction) -> NbdRequest {
    NbdRequest::fake(key(n), 2, direction as u32, 8192)
}

fn sum(ledgers: &Ledgers, direction: Direction, get: impl Fn(&RequestCounts) -> u64) -> u64 {
    ledgers.nbd.counts.sum(|l| {
        let own = l.devices().filter(|d| d.index() == Some(2));
        own.filter_map(|d| d.direction(direction)).map(&get).sum()
    })
}

fn requests(ledgers: &Ledgers, direction: Direction) -> u64 {
    sum(ledgers, direction, |c| c.requests.get())
}

fn in_flight(ledgers: &Ledgers) -> u64 {
    let all = Direction::ALL.iter();
    all.map(|&d| ledgers.nbd.in_flight(2, d, u64::MAX).requests)
        .sum()
}

/// Sends a request through all phases, at these times.
fn go(ledgers: &Ledgers, pin: &Pinned<'_>, n: usize, direction: Direction, at: [u64; 6]) {
    let [queued, sending, header, sent, reply, done] = at;
    ledgers.nbd.record_queued(&request(n, direction), queued);
    ledgers.nbd.record_sending(key(n), sending);
    ledgers.nbd.record_step(key(n), RequestStep::Header, header);
    ledgers.nbd.record_step(key(n), RequestStep::Sent, sent);
    ledgers.nbd.record_step(key(n), RequestStep::Reply, reply);
    ledgers.nbd.record_done(pin, key(n), false, done);
}

#[kunit_tests(reclaimwb_nbd)]
mod requests {
    use super::*;

    #[test]
    fn each_phase_is_timed() -> Result {
        let ledgers = ledgers()?;
        let us = |n: u64| n * 1000;
        pinned(|pin| {
            let times = [us(10), us(11), us(13), us(17), us(25), us(41)];
            go(&ledgers, pin, 1, Direction::Write, times);
        });
        let want = [1000, 2000, 4000, 8000, 16000, 0];
        for (&phase, ns) in Phase::ALL.iter().zip(want) {
            assert_eq!(sum(&ledgers, Direction::Write, |c| c.ns(phase)), ns);
        }
        assert_eq!(requests(&ledgers, Direction::Write), 1);
        assert_eq!(requests(&ledgers, Direction::Read), 0);
        assert_eq!(sum(&ledgers, Direction::Write, |c| c.bytes.get()), 8192);
        // The request took 31 us.
        assert_eq!(sum(&ledgers, Direction::Write, |c| c.hist.get(5)), 1);
        assert_eq!(sum(&ledgers, Direction::Write, |c| c.longest().ns), 31000);
        assert_eq!(sum(&ledgers, Direction::Write, |c| c.longest().bytes), 8192);
        assert_eq!(in_flight(&ledgers), 0);
        Ok(())
    }

    #[test]
    fn a_stall_waits_for_what_is_under_way_meanwhile() -> Result {
        let ledgers = ledgers()?;
        let stalls = |ledgers: &Ledgers| ledgers.nbd.counts.sum(|l| l.stalls.stalls.get());
        let ns = |ledgers: &Ledgers, phase| ledgers.nbd.counts.sum(|l| l.stalls.ns(phase));
        let waits = RequestWaits {
            lock: 5,
            send: 0,
            other: 1000,
        };
        pinned(|pin| {
            // No request is known.
            let before = ledgers.nbd.phase_times(0);
            assert_eq!(before, [0; Phase::COUNT]);
            ledgers
                .nbd
                .record_stall(pin, &before, &RequestWaits::default(), 10);
            // A request that was completed before does not count.
            go(&ledgers, pin, 1, Direction::Write, [1, 2, 3, 4, 900, 1000]);
            // The request waits for 100 until the stall begins and for 300 during the stall, and is
            // at the server for 100.
            ledgers
                .nbd
                .record_queued(&request(2, Direction::Write), 1000);
            let before = ledgers.nbd.phase_times(1100);
            ledgers.nbd.record_sending(key(2), 1400);
            ledgers.nbd.record_step(key(2), RequestStep::Header, 1400);
            ledgers.nbd.record_step(key(2), RequestStep::Sent, 1400);
            let blamed = ledgers.nbd.record_stall(pin, &before, &waits, 1500);
            assert_eq!(blamed, [305, 0, 0, 100, 0, 0]);
            // The request is completed during the next stall.
            let before = ledgers.nbd.phase_times(1500);
            ledgers.nbd.record_step(key(2), RequestStep::Reply, 1510);
            ledgers.nbd.record_done(pin, key(2), false, 1530);
            let blamed = ledgers.nbd.record_stall(pin, &before, &waits, 9999);
            assert_eq!(blamed, [5, 0, 0, 10, 20, 0]);
        });
        assert_eq!(stalls(&ledgers), 2);
        assert_eq!(ns(&ledgers, Phase::Lock), 310);
        assert_eq!(ns(&ledgers, Phase::Server), 110);
        assert_eq!(ns(&ledgers, Phase::Reply), 20);
        Ok(())
    }

    #[test]
    fn the_longest_is_kept_with_its_split() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            go(&ledgers, pin, 1, Direction::Read, [10, 20, 30, 40, 50, 60]);
            go(
                &ledgers,
                pin,
                2,
                Direction::Read,
                [10, 20, 30, 40, 950, 960],
            );
            go(&ledgers, pin, 3, Direction::Read, [10, 20, 30, 40, 50, 70]);
        });
        let longest = |get: &dyn Fn(&RequestCounts) -> u64| sum(&ledgers, Direction::Read, get);
        assert_eq!(longest(&|c| c.longest().ns), 950);
        assert_eq!(longest(&|c| c.longest().parts.iter().sum()), 950);
        assert_eq!(longest(&|c| c.longest().parts[Phase::Server as usize]), 910);
        assert_eq!(requests(&ledgers, Direction::Read), 3);
        Ok(())
    }

    #[test]
    fn a_reply_may_come_before_the_sender_is_done() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            ledgers
                .nbd
                .record_queued(&request(1, Direction::Write), 100);
            ledgers.nbd.record_sending(key(1), 110);
            ledgers.nbd.record_step(key(1), RequestStep::Header, 120);
            ledgers.nbd.record_step(key(1), RequestStep::Reply, 150);
            ledgers.nbd.record_step(key(1), RequestStep::Sent, 180);
            ledgers.nbd.record_done(pin, key(1), false, 200);
        });
        let ns = |phase| sum(&ledgers, Direction::Write, |c| c.ns(phase));
        assert_eq!(ns(Phase::Payload), 30);
        assert_eq!(ns(Phase::Server), 0);
        assert_eq!(ns(Phase::Reply), 50);
        Ok(())
    }

    #[test]
    fn one_that_is_given_back_is_one_request() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            ledgers
                .nbd
                .record_queued(&request(1, Direction::Write), 100);
            ledgers.nbd.record_sending(key(1), 110);
            ledgers.nbd.record_step(key(1), RequestStep::Header, 115);
            ledgers.nbd.record_requeued(key(1), 200);
            go(
                &ledgers,
                pin,
                1,
                Direction::Write,
                [1000, 1001, 1002, 1003, 1004, 1005],
            );
        });
        assert_eq!(requests(&ledgers, Direction::Write), 1);
        assert_eq!(sum(&ledgers, Direction::Write, |c| c.requeues.get()), 1);
        let ns = |phase| sum(&ledgers, Direction::Write, |c| c.ns(phase));
        assert_eq!(ns(Phase::Lock), 10 + 1);
        assert_eq!(ns(Phase::Header), 5 + 1);
        assert_eq!(ns(Phase::Payload), 85 + 1);
        assert_eq!(ns(Phase::Requeued), 800);
        assert_eq!(sum(&ledgers, Direction::Write, |c| c.longest().ns), 905);
        assert_eq!(ledgers.cost.sum(|c| c.lost.nbd_abandoned.get()), 0);
        Ok(())
    }

    #[test]
    fn one_that_never_ends_is_in_flight_until_its_address_comes_again() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            nbd::queued(&ledgers, pin, &request(1, Direction::Read));
        });
        // No event is attached, so the request is not followed: its end would not be seen.
        assert_eq!(in_flight(&ledgers), 0);
        ledgers.nbd.record_queued(&request(1, Direction::Read), 100);
        ledgers.nbd.record_sending(key(1), 110);
        let now = ledgers.nbd.in_flight(2, Direction::Read, 1100);
        assert_eq!(now.requests, 1);
        assert_eq!(now.oldest_ns, 1000);
        assert_eq!(now.phases[Phase::Header as usize], 1);
        assert!(ledgers.nbd.busy_devices().any(|index| index == 2));
        // The address belongs to another request now, and the time of the first one is not counted.
        let begun = ledgers
            .nbd
            .record_queued(&request(1, Direction::Write), 5000);
        assert!(begun == crate::ledgers::nbd::Admission::InPlaceOfLost);
        assert_eq!(in_flight(&ledgers), 1);
        pinned(|pin| ledgers.nbd.record_done(pin, key(1), true, 5010));
        assert_eq!(requests(&ledgers, Direction::Read), 0);
        assert_eq!(requests(&ledgers, Direction::Write), 1);
        assert_eq!(sum(&ledgers, Direction::Write, |c| c.errors.get()), 1);
        assert_eq!(sum(&ledgers, Direction::Write, |c| c.ns(Phase::Lock)), 10);
        assert_eq!(in_flight(&ledgers), 0);
        Ok(())
    }

    #[test]
    fn what_was_under_way_before_is_nobodys() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            // The function probe is attached, but did not see the request.
            nbd::sending(&ledgers, pin, key(1), || request(1, Direction::Write));
            nbd::record_step(&ledgers, key(1), RequestStep::Reply);
            nbd::requeued(&ledgers, key(1));
            nbd::done(&ledgers, pin, key(1), false);
        });
        assert_eq!(requests(&ledgers, Direction::Write), 0);
        assert_eq!(in_flight(&ledgers), 0);
        Ok(())
    }

    #[test]
    fn a_full_table_counts_and_recovers() -> Result {
        let ledgers = ledgers()?;
        let mut followed = 0;
        for n in 0..2 * REQUESTS {
            if ledgers.nbd.record_queued(&request(n, Direction::Write), 1)
                == crate::ledgers::nbd::Admission::Followed
            {
                followed += 1;
            }
        }
        assert!(followed > REQUESTS / 2 && followed <= REQUESTS);
        assert_eq!(in_flight(&ledgers), followed as u64);
        pinned(|pin| {
            for n in 0..2 * REQUESTS {
                ledgers.nbd.record_done(pin, key(n), false, 2);
            }
        });
        assert_eq!(requests(&ledgers, Direction::Write), followed as u64);
        assert_eq!(in_flight(&ledgers), 0);
        ledgers.nbd.record_queued(&request(1, Direction::Write), 1);
        ledgers.forget(Group::Nbd);
        assert_eq!(in_flight(&ledgers), 0);
        Ok(())
    }

    #[test]
    fn more_devices_than_there_is_room_for_are_counted() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            for index in 0..12 {
                let request = NbdRequest::fake(key(1), index, Direction::Read as u32, 512);
                ledgers.nbd.record_queued(&request, 1);
                ledgers.nbd.record_done(pin, key(1), false, 2);
            }
        });
        let of_devices = ledgers.nbd.counts.sum(|l| {
            let reads = l.devices().filter_map(|d| d.direction(Direction::Read));
            reads.map(|c| c.requests.get()).sum()
        });
        let others = ledgers.nbd.counts.sum(|l| l.others.get());
        assert_eq!(of_devices, crate::ledgers::nbd::DEVICES as u64);
        assert_eq!(of_devices + others, 12);
        Ok(())
    }
}

fn ended(ledgers: &Ledgers, why: EndReason) -> u64 {
    let kswapd =
        |b: &crate::ledgers::batches::Batches| b.origin(Origin::Kswapd).map_or(0, |o| o.ended(why));
    ledgers.batches.sum(kswapd)
}

fn batches(ledgers: &Ledgers) -> [u64; 2] {
    let sum = |get: fn(&crate::ledgers::batches::OriginBatches) -> u64| {
        ledgers
            .batches
            .sum(|b| b.origin(Origin::Kswapd).map_or(0, get))
    };
    [sum(|o| o.batches.get()), sum(|o| o.pages.get())]
}

#[kunit_tests(reclaimwb_batches)]
mod batches_of_swap {
    use super::*;

    /// Records a write of kswapd, without a call of swap_write_submit().
    fn adds(ledgers: &Ledgers, pin: &Pinned<'_>, pages: u32, page: u64, cgroup: usize) {
        let bio = Bio::fake(0x100, 0x5000, false, pages).at(page, cgroup);
        block::bio(ledgers, pin, &at(task(1), 2000), &bio);
    }

    #[test]
    fn the_next_write_tells_why_one_ended() -> Result {
        if !function::sees_swap_io() {
            return Ok(());
        }
        let ledgers = ledgers()?;
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(task(1), 900), Window::Kswapd);
            adds(&ledgers, pin, 4, 0, 0);
            // This write is adjacent to the one before, but another cgroup is charged.
            adds(&ledgers, pin, 4, 4, 7);
            // This write is not adjacent.
            adds(&ledgers, pin, 4, 100, 7);
            adds(&ledgers, pin, 32, 200, 7);
            vmscan::window_end(&ledgers, pin, &at(task(1), 900), Window::Kswapd, 0);
        });
        assert_eq!(batches(&ledgers), [4, 44]);
        assert_eq!(ended(&ledgers, EndReason::Cgroup), 1);
        assert_eq!(ended(&ledgers, EndReason::Gap), 2);
        assert_eq!(ended(&ledgers, EndReason::Full), 1);
        Ok(())
    }

    #[test]
    fn the_end_of_a_list_is_known_by_its_submitter() -> Result {
        if !function::sees_swap_io() {
            return Ok(());
        }
        let ledgers = ledgers()?;
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(task(1), 900), Window::Kswapd);
            if let Some(slot) = ledgers.windows.find(pin, task(1)) {
                slot.set_submitter(0x100, crate::policy::batch::Submitter::Ender);
            }
            adds(&ledgers, pin, 4, 0, 0);
            // A note for one write does not count for another.
            if let Some(slot) = ledgers.windows.find(pin, task(1)) {
                slot.set_submitter(0x200, crate::policy::batch::Submitter::Ender);
            }
            adds(&ledgers, pin, 4, 100, 0);
            vmscan::window_end(&ledgers, pin, &at(task(1), 900), Window::Kswapd, 0);
            // A write in another window tells nothing about those before.
            window_begin(&ledgers, pin, &at(task(1), 900), Window::Kswapd);
            adds(&ledgers, pin, 32, 300, 0);
            vmscan::window_end(&ledgers, pin, &at(task(1), 900), Window::Kswapd, 0);
        });
        assert_eq!(batches(&ledgers), [3, 40]);
        assert_eq!(ended(&ledgers, EndReason::End), 1);
        assert_eq!(ended(&ledgers, EndReason::Full), 1);
        assert_eq!(
            ended(&ledgers, EndReason::Gap) + ended(&ledgers, EndReason::Unknown),
            0
        );
        Ok(())
    }

    #[test]
    fn without_the_probe_nothing_is_guessed() -> Result {
        let ledgers = ledgers()?;
        ledgers
            .states
            .set_function(Function::SwapSubmit, ProbeState::Off);
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(task(1), 900), Window::Kswapd);
            adds(&ledgers, pin, 4, 0, 0);
            adds(&ledgers, pin, 4, 100, 0);
            adds(&ledgers, pin, 32, 200, 0);
            let bio = Bio::fake(0x100, 0x5000, true, 1);
            block::bio(&ledgers, pin, &at(task(1), 2000), &bio);
            vmscan::window_end(&ledgers, pin, &at(task(1), 900), Window::Kswapd, 0);
        });
        assert_eq!(ended(&ledgers, EndReason::Unknown), 2);
        assert_eq!(ended(&ledgers, EndReason::Full), 1);
        assert_eq!(ended(&ledgers, EndReason::Sync), 1);
        Ok(())
    }
}
