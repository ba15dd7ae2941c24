// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of stalls, with functions that nobody called, in tasks that do not exist.

use super::{
    at,
    record,
    task,
    window_begin, //
};
use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::{
            pinned,
            Pinned, //
        },
    },
    ledgers::{
        compaction::OrderCompaction,
        stalls::{
            LockHolder,
            LockRow,
            OriginStalls,
            Wanted,
            ORIGINS, //
        },
        Ledgers, //
    },
    policy::log2,
    probes::{
        function::{
            self,
            ExitHandlers, //
        },
        stall,
        vmscan, //
    },
    settings,
    shim::{
        function::FunctionCall,
        At,
        Context, //
    },
    words::{
        Cause,
        CompactResult,
        Function,
        Group,
        Origin,
        Outcome,
        Window, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// `COMPACT_SUCCESS`.
const SUCCESS: usize = 8;

/// The address of any page.
const PAGE: usize = 0x1000;

/// Allocates ledgers that follow stalls.
fn ledgers() -> Result<Arc<Ledgers>> {
    let ledgers = super::ledgers()?;
    ledgers.states.set_live(Group::Stalls, true);
    Ok(ledgers)
}

fn enter(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, f: Function, args: [usize; 2]) -> bool {
    let handlers = FunctionCall::fake(f, args).map(|call| function::entry(ledgers, pin, at, &call));
    handlers.is_some_and(|handlers| handlers.0 != 0)
}

fn leave(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, f: Function, ret: usize) {
    function::exit(ledgers, pin, at, f, ExitHandlers::ALL, ret);
}

fn sum(ledgers: &Ledgers, origin: Origin, get: fn(&OriginStalls) -> &Cell64) -> u64 {
    ledgers
        .stalls
        .origin(origin)
        .map_or(0, |ledger| ledger.sum(|l| get(l).get()))
}

fn stalls(ledgers: &Ledgers, origin: Origin) -> u64 {
    sum(ledgers, origin, |l| &l.stalls)
}

fn part(ledgers: &Ledgers, origin: Origin, cause: Cause) -> u64 {
    ledgers.stalls.origin(origin).map_or(0, |ledger| {
        ledger.sum(|l| l.part(cause).map_or(0, |p| p.ns.get()))
    })
}

/// Checks that the parts of all stalls sum to their lengths, that each stall is in the histogram,
/// and that none is still open.
fn check_books(ledgers: &Ledgers) {
    for origin in ORIGINS {
        let parts: u64 = Cause::ALL.iter().map(|&c| part(ledgers, origin, c)).sum();
        assert_eq!(parts, sum(ledgers, origin, |l| &l.ns));
        let hist = (0..log2::BUCKETS).map(|b| {
            ledgers
                .stalls
                .origin(origin)
                .map_or(0, |ledger| ledger.sum(|l| l.hist.get(b)))
        });
        assert_eq!(hist.sum::<u64>(), stalls(ledgers, origin));
    }
    assert!(ledgers.stalls.open.is_empty());
}

fn compaction(ledgers: &Ledgers, order: usize, get: fn(&OrderCompaction) -> u64) -> u64 {
    ledgers.compaction.sum(|c| c.order(order).map_or(0, get))
}

#[kunit_tests(reclaimwb_stalls)]
mod suite {
    use super::*;

    #[test]
    fn a_slow_path_that_finds_a_page_is_no_stall() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            let at = at(task(1), 900);
            assert!(enter(&ledgers, pin, &at, Function::SlowPath, [0xcc0, 0]));
            leave(&ledgers, pin, &at, Function::SlowPath, PAGE);
        });
        assert_eq!(stalls(&ledgers, Origin::Direct), 0);
        check_books(&ledgers);
        Ok(())
    }

    /// As in a kernel whose compiler inlined the slow path.
    #[test]
    fn a_window_tells_what_is_asked_for_unless_the_slow_path_did() -> Result {
        let ledgers = ledgers()?;
        let window = Wanted {
            gfp: 0xdc0,
            order: 2,
        };
        pinned(|pin| {
            let alone = at(task(2), 900);
            vmscan::window_begin(&ledgers, pin, &alone, Window::Direct, window);
            vmscan::window_end(&ledgers, pin, &alone, Window::Direct, 1);
            let inside = at(task(3), 900);
            assert!(enter(
                &ledgers,
                pin,
                &inside,
                Function::SlowPath,
                [0xcc0, 3]
            ));
            vmscan::window_begin(&ledgers, pin, &inside, Window::Direct, window);
            vmscan::window_end(&ledgers, pin, &inside, Window::Direct, 1);
            leave(&ledgers, pin, &inside, Function::SlowPath, PAGE);
        });
        let longest = ledgers.stalls.longest()?;
        let mut wanted = [(0, 0); 2];
        for (kept, wanted) in longest.iter().zip(&mut wanted) {
            *wanted = (kept.stall.order, kept.stall.gfp);
        }
        wanted.sort_unstable();
        assert_eq!(wanted, [(2, 0xdc0), (3, 0xcc0)]);
        Ok(())
    }

    #[test]
    fn a_slow_path_with_its_retries_is_one_stall() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            let at = at(task(2), 900);
            assert!(enter(&ledgers, pin, &at, Function::SlowPath, [0xcc0, 3]));
            for _ in 0..3 {
                assert!(enter(&ledgers, pin, &at, Function::TryToFree, [0, 0]));
                window_begin(&ledgers, pin, &at, Window::Direct);
                stall::isolated(&ledgers, pin, &at, 32, 32);
                // This is an allocation inside reclaim.
                assert!(enter(&ledgers, pin, &at, Function::SlowPath, [0, 0]));
                leave(&ledgers, pin, &at, Function::SlowPath, PAGE);
                vmscan::window_end(&ledgers, pin, &at, Window::Direct, 5);
                leave(&ledgers, pin, &at, Function::TryToFree, 5);
                assert!(enter(&ledgers, pin, &at, Function::DrainPages, [0, 0]));
                leave(&ledgers, pin, &at, Function::DrainPages, 0);
            }
            leave(&ledgers, pin, &at, Function::SlowPath, PAGE);
        });
        assert_eq!(stalls(&ledgers, Origin::Direct), 1);
        assert_eq!(sum(&ledgers, Origin::Direct, |l| &l.scanned), 96);
        assert_eq!(sum(&ledgers, Origin::Direct, |l| &l.freed), 15);
        assert!(part(&ledgers, Origin::Direct, Cause::Scan) > 0);
        assert!(part(&ledgers, Origin::Direct, Cause::Drain) > 0);
        let longest = ledgers.stalls.longest()?;
        assert_eq!(longest.len(), 1);
        let kept = longest.first().ok_or(EINVAL)?;
        assert_eq!((kept.stall.order, kept.stall.gfp), (3, 0xcc0));
        check_books(&ledgers);
        Ok(())
    }

    #[test]
    fn a_cgroups_window_is_a_stall_and_kswapds_is_none() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            let at = at(task(3), 900);
            window_begin(&ledgers, pin, &at, Window::Kswapd);
            window_begin(&ledgers, pin, &at, Window::MemcgSoft);
            vmscan::window_end(&ledgers, pin, &at, Window::MemcgSoft, 1);
            vmscan::window_end(&ledgers, pin, &at, Window::Kswapd, 1);
        });
        assert!(ORIGINS.iter().all(|&o| stalls(&ledgers, o) == 0));
        pinned(|pin| {
            let at = at(task(3), 900);
            window_begin(&ledgers, pin, &at, Window::Memcg);
            vmscan::window_end(&ledgers, pin, &at, Window::Memcg, 1);
        });
        // No function on this stack tells which limit it is.
        assert_eq!(stalls(&ledgers, Origin::Other), 1);
        check_books(&ledgers);
        Ok(())
    }

    #[test]
    fn above_memory_high_is_one_stall() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            let at = at(task(4), 900);
            assert!(enter(&ledgers, pin, &at, Function::OverHigh, [0, 0]));
            window_begin(&ledgers, pin, &at, Window::Memcg);
            vmscan::window_end(&ledgers, pin, &at, Window::Memcg, 0);
            stall::switch(&ledgers, pin, task(4), task(5), false);
            stall::switch(&ledgers, pin, task(5), task(4), true);
            leave(&ledgers, pin, &at, Function::OverHigh, 0);
        });
        assert_eq!(stalls(&ledgers, Origin::MemcgHigh), 1);
        assert!(part(&ledgers, Origin::MemcgHigh, Cause::HighPenalty) > 0);
        assert_eq!(part(&ledgers, Origin::MemcgHigh, Cause::OffCpu), 0);
        check_books(&ledgers);
        Ok(())
    }

    #[test]
    fn a_sleep_is_what_the_event_after_it_says() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            let at = at(task(6), 900);
            window_begin(&ledgers, pin, &at, Window::Direct);
            stall::switch(&ledgers, pin, task(6), task(7), false);
            stall::switch(&ledgers, pin, task(7), task(6), true);
            // VMSCAN_THROTTLE_ISOLATED
            vmscan::throttled(&ledgers, pin, &at, 0, 1);
            stall::tag_wait(&ledgers, pin, &at);
            stall::switch(&ledgers, pin, task(6), task(7), false);
            stall::switch(&ledgers, pin, task(7), task(6), true);
            vmscan::window_end(&ledgers, pin, &at, Window::Direct, 0);
        });
        assert!(part(&ledgers, Origin::Direct, Cause::ThrottleIsolated) > 0);
        assert!(part(&ledgers, Origin::Direct, Cause::TagWait) > 0);
        assert_eq!(part(&ledgers, Origin::Direct, Cause::OffCpu), 0);
        check_books(&ledgers);
        Ok(())
    }

    #[test]
    fn throttling_below_a_submission_is_told_apart() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            let at = at(task(7), 900);
            assert!(!enter(&ledgers, pin, &at, Function::RqQos, [0, 0]));
            window_begin(&ledgers, pin, &at, Window::Direct);
            assert!(enter(&ledgers, pin, &at, Function::SwapSubmit, [0, 0]));
            assert!(enter(&ledgers, pin, &at, Function::RqQos, [0, 0]));
            stall::switch(&ledgers, pin, task(7), task(8), false);
            stall::switch(&ledgers, pin, task(8), task(7), true);
            leave(&ledgers, pin, &at, Function::RqQos, 0);
            leave(&ledgers, pin, &at, Function::SwapSubmit, 0);
            vmscan::window_end(&ledgers, pin, &at, Window::Direct, 0);
        });
        assert!(part(&ledgers, Origin::Direct, Cause::RqQos) > 0);
        assert_eq!(part(&ledgers, Origin::Direct, Cause::OffCpu), 0);
        check_books(&ledgers);
        Ok(())
    }

    #[test]
    fn what_interrupts_a_stall_changes_nothing() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            let at = at(task(8), 900);
            let irq = At::fake(task(8), 900, Context::Irq);
            window_begin(&ledgers, pin, &at, Window::Direct);
            assert!(!enter(&ledgers, pin, &irq, Function::SlowPath, [0, 0]));
            assert!(!enter(&ledgers, pin, &irq, Function::DrainPages, [0, 0]));
            stall::contention(&ledgers, pin, &irq, 1, LockHolder(0), true);
            stall::contention(&ledgers, pin, &irq, 1, LockHolder(0), false);
            vmscan::window_end(&ledgers, pin, &at, Window::Direct, 0);
        });
        assert_eq!(stalls(&ledgers, Origin::Direct), 1);
        assert_eq!(part(&ledgers, Origin::Direct, Cause::Drain), 0);
        assert_eq!(part(&ledgers, Origin::Direct, Cause::Lock), 0);
        check_books(&ledgers);
        Ok(())
    }

    #[test]
    fn a_block_that_someone_else_takes_is_a_race() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            let at = at(task(9), 900);
            let attempt = || {
                assert!(enter(&ledgers, pin, &at, Function::Compact, [0, 9]));
                leave(&ledgers, pin, &at, Function::Compact, SUCCESS);
            };
            // The block is lost to another task, then the allocation is served.
            assert!(enter(&ledgers, pin, &at, Function::SlowPath, [0, 9]));
            attempt();
            attempt();
            leave(&ledgers, pin, &at, Function::SlowPath, PAGE);
            // The block is lost, and the allocation fails.
            assert!(enter(&ledgers, pin, &at, Function::SlowPath, [0, 9]));
            attempt();
            leave(&ledgers, pin, &at, Function::SlowPath, 0);
        });
        assert_eq!(compaction(&ledgers, 9, |o| o.races.get()), 2);
        assert_eq!(compaction(&ledgers, 9, |o| o.outcome(Outcome::Served)), 1);
        assert_eq!(compaction(&ledgers, 9, |o| o.outcome(Outcome::Again)), 1);
        assert_eq!(compaction(&ledgers, 9, |o| o.outcome(Outcome::Failed)), 1);
        assert!(part(&ledgers, Origin::Direct, Cause::Compaction) > 0);
        check_books(&ledgers);
        Ok(())
    }

    #[test]
    fn switched_off_no_attempt_is_counted_but_one_that_was_is_settled() -> Result {
        let ledgers = ledgers()?;
        let was = settings::enabled();
        pinned(|pin| {
            let at = at(task(10), 900);
            let begin = || assert!(enter(&ledgers, pin, &at, Function::Compact, [0, 9]));
            let end = || leave(&ledgers, pin, &at, Function::Compact, SUCCESS);
            assert!(enter(&ledgers, pin, &at, Function::SlowPath, [0, 9]));
            record(true);
            begin();
            end();
            // This attempt settles the one before. It does not count itself.
            record(false);
            begin();
            end();
            // Now there is nothing to settle. An attempt that ends while recording is on counts.
            begin();
            record(true);
            end();
            record(false);
            leave(&ledgers, pin, &at, Function::SlowPath, PAGE);
            // None of this counts.
            assert!(enter(&ledgers, pin, &at, Function::SlowPath, [0, 9]));
            begin();
            end();
            leave(&ledgers, pin, &at, Function::SlowPath, 0);
            record(was);
        });
        let tried = |o: &OrderCompaction| {
            o.result(CompactResult::Success)
                .map_or(0, |t| t.attempts.get())
        };
        assert_eq!(compaction(&ledgers, 9, tried), 2);
        assert_eq!(compaction(&ledgers, 9, |o| o.outcome(Outcome::Again)), 1);
        assert_eq!(compaction(&ledgers, 9, |o| o.outcome(Outcome::Served)), 1);
        assert_eq!(compaction(&ledgers, 9, |o| o.outcome(Outcome::Failed)), 0);
        assert_eq!(compaction(&ledgers, 9, |o| o.races.get()), 1);
        // Tasks that wait for a block are counted up and down equally often.
        assert!(!ledgers.takers.is_wanted(9));
        assert_eq!(stalls(&ledgers, Origin::Direct), 0);
        check_books(&ledgers);
        Ok(())
    }

    /// Rows of locks that waited: the cause, whether it is of readers, and how many waits.
    fn waited(ledgers: &Ledgers) -> Result<KVVec<LockRow>> {
        let mut rows = ledgers.stalls.locks.rows()?;
        rows.retain(|row| row.waits != 0);
        Ok(rows)
    }

    const LOCK: usize = 0x5000;

    #[test]
    fn a_lock_of_a_task_that_stalled_is_waited_for_behind_it() -> Result {
        let ledgers = ledgers()?;
        let was = settings::enabled();
        record(true);
        pinned(|pin| {
            let (holder, waiter) = (at(task(11), 900), at(task(12), 900));
            let lock = |begin| {
                let of = LockHolder(task(11));
                stall::contention(&ledgers, pin, &waiter, LOCK, of, begin);
            };
            // It waits before the holder stalls, and has the lock after that.
            lock(true);
            assert!(enter(&ledgers, pin, &holder, Function::SlowPath, [0, 0]));
            window_begin(&ledgers, pin, &holder, Window::Direct);
            vmscan::window_end(&ledgers, pin, &holder, Window::Direct, 1);
            leave(&ledgers, pin, &holder, Function::SlowPath, PAGE);
            lock(false);
            // The next one is not about a stall.
            lock(true);
            lock(false);
        });
        record(was);
        let rows = waited(&ledgers)?;
        let row = rows.first().ok_or(EINVAL)?;
        assert_eq!((rows.len(), row.waits, row.is_reader), (1, 1, false));
        assert!(row.cause.is_some() && row.ns > 0 && row.longest.ns == row.ns);
        assert!(row.ns <= sum(&ledgers, Origin::Direct, |l| &l.ns));
        assert_eq!(ledgers.stalls.locks.waits_of_stalled().waits, 0);
        assert!(ledgers.stalls.locks.has_no_waiters());
        check_books(&ledgers);
        Ok(())
    }

    #[test]
    fn what_waits_for_a_stall_that_goes_on_is_told_when_that_ends() -> Result {
        let ledgers = ledgers()?;
        let was = settings::enabled();
        record(true);
        pinned(|pin| {
            let (holder, waiter) = (at(task(13), 900), at(task(14), 900));
            window_begin(&ledgers, pin, &holder, Window::Direct);
            window_begin(&ledgers, pin, &waiter, Window::Direct);
            for _ in 0..3 {
                // Readers hold it.
                let of = LockHolder(task(13) | 1);
                stall::contention(&ledgers, pin, &waiter, LOCK, of, true);
                stall::contention(&ledgers, pin, &waiter, LOCK, LockHolder(0), false);
            }
            // Of a lock that says nothing there is nothing to tell.
            stall::contention(&ledgers, pin, &waiter, LOCK, LockHolder(0), true);
            stall::contention(&ledgers, pin, &waiter, LOCK, LockHolder(0), false);
        });
        assert_eq!(waited(&ledgers)?.len(), 0);
        assert_eq!(ledgers.stalls.locks.waits_of_stalled().waits, 3);
        pinned(|pin| {
            for n in [13, 14] {
                vmscan::window_end(&ledgers, pin, &at(task(n), 900), Window::Direct, 1);
            }
        });
        record(was);
        let rows = waited(&ledgers)?;
        let row = rows.first().ok_or(EINVAL)?;
        assert_eq!((rows.len(), row.waits, row.is_reader), (1, 3, true));
        assert_eq!(row.ns, ledgers.stalls.locks.waits_of_stalled().ns);
        check_books(&ledgers);
        Ok(())
    }

    #[test]
    fn a_lock_that_changes_hands_is_waited_for_behind_both() -> Result {
        let ledgers = ledgers()?;
        let was = settings::enabled();
        record(true);
        pinned(|pin| {
            let waiter = at(task(15), 900);
            for n in [16, 17] {
                window_begin(&ledgers, pin, &at(task(n), 900), Window::Direct);
                let of = LockHolder(task(n));
                stall::contention(&ledgers, pin, &waiter, LOCK, of, true);
            }
            stall::contention(&ledgers, pin, &waiter, LOCK, LockHolder(0), false);
            for n in [16, 17] {
                vmscan::window_end(&ledgers, pin, &at(task(n), 900), Window::Direct, 1);
            }
        });
        record(was);
        let waits: u64 = waited(&ledgers)?.iter().map(|row| row.waits).sum();
        assert_eq!(waits, 2);
        Ok(())
    }

    #[test]
    fn more_stalls_than_there_is_room_for_are_counted() -> Result {
        let ledgers = ledgers()?;
        let mut begun = 0;
        pinned(|pin| {
            for n in 0..2000 {
                let at = at(task(100 + n), 900);
                begun += usize::from(enter(&ledgers, pin, &at, Function::SlowPath, [0, 0]));
            }
        });
        assert!(begun < 2000);
        assert_eq!(
            ledgers.cost.sum(|c| c.lost.stalls.get()),
            2000 - begun as u64
        );
        ledgers.stalls.open.clear();
        assert!(ledgers.stalls.open.is_empty());
        Ok(())
    }
}
