// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of handoff. They call the callbacks without any reclaim, with requests that nobody
//! prepared. The writers are real, but submitting such a request does nothing.

use super::ledgers;
use crate::{
    helper::swap::SwapHook,
    kernel_ext::{
        reclaim::{
            CompletedRequest,
            SwapBatch,
            SwapRequest, //
        },
        system,
        wait_queue::sleep_killable, //
    },
    ledgers::Ledgers,
    policy::{
        bypass::SAMPLE,
        link::RequestStamp,
        log2, //
    },
    settings,
    shim::{
        Swap,
        SwapWait, //
    },
    words::{
        Mode,
        Origin,
        Refusal, //
    },
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// How often a test looks for something that is about to happen, at most, with 1 ms in between.
const LOOKS: u32 = 10_000;

fn taken(ledgers: &Ledgers) -> u64 {
    ledgers.handoff.sum(|l| {
        l.origin(Origin::Other)
            .and_then(|o| o.taken.first())
            .map_or(0, |n| n.get())
    })
}

fn refused(ledgers: &Ledgers, why: Refusal) -> u64 {
    ledgers
        .handoff
        .sum(|l| l.origin(Origin::Other).map_or(0, |o| o.refused(why)))
}

fn waits(ledgers: &Ledgers) -> u64 {
    ledgers.handoff.sum(|l| {
        l.origin(Origin::Other)
            .and_then(|o| o.waits.first())
            .map_or(0, |n| n.get())
    })
}

fn written(ledgers: &Ledgers) -> u64 {
    ledgers
        .handoff
        .sum(|l| l.written.first().map_or(0, |n| n.get()))
}

/// Waits until the writer of the only device has submitted that many requests. Sleeps.
fn until_submitted(hook: &SwapHook, requests: u64) {
    for _ in 0..LOOKS {
        let mut submitted = 0;
        hook.shared()
            .devices(|_, lane| submitted = lane.stats().written);
        if submitted == requests {
            break;
        }
        sleep_killable(1);
    }
}

/// Returns the end of a request that is done as soon as the device has it.
fn done_at_once(cookie: usize, pages: u32) -> CompletedRequest {
    let at = system::mono_ns();
    CompletedRequest {
        cookie,
        sent: RequestStamp {
            at,
            delivered_at: at,
            before: at,
            delivered: 0,
        },
        pages,
        failed: false,
    }
}

/// Runs `ask` with a [`SwapHook`] of its own. The hook and its writers are dropped before this
/// returns, also if the test fails. Sleeps.
fn with_hook<R>(ask: impl FnOnce(&SwapHook) -> Result<R>) -> Result<(Arc<Ledgers>, R)> {
    // The tests need the default policy.
    if settings::handoff() != Mode::Always {
        pr_err!("the KUnit suite of handoff needs handoff=always\n");
        return Err(EINVAL);
    }
    let ledgers = ledgers()?;
    let hook = SwapHook::new(ledgers.clone())?;
    let said = ask(&hook);
    hook.close();
    drop(hook);
    Ok((ledgers, said?))
}

#[kunit_tests(reclaimwb_handoff)]
mod hook {
    use super::*;

    #[test]
    fn what_writes_at_once_is_refused() -> Result {
        let (ledgers, said) =
            with_hook(|hook| Ok(hook.write(&SwapRequest::fake(&Swap::fake(0, 1, 1)))))?;
        assert_eq!(said, 0);
        assert_eq!(refused(&ledgers, Refusal::Sync), 1);
        assert_eq!(taken(&ledgers), 0);
        Ok(())
    }

    #[test]
    fn what_is_taken_is_submitted() -> Result {
        // The requests are of a task, of kswapd, and of a task that must not wait.
        let (ledgers, said) = with_hook(|hook| {
            Ok([0, 2, 4].map(|flags| hook.write(&SwapRequest::fake(&Swap::fake(0, 1, flags)))))
        })?;
        assert!(said.iter().all(|&cookie| cookie != 0));
        assert_eq!(taken(&ledgers), 3);
        assert_eq!(written(&ledgers), 3);
        Ok(())
    }

    #[test]
    fn a_request_is_refused_once_the_hook_is_closed() -> Result {
        let (ledgers, said) = with_hook(|hook| {
            hook.close();
            Ok(hook.write(&SwapRequest::fake(&Swap::fake(0, 1, 0))))
        })?;
        assert_eq!(said, 0);
        assert_eq!(refused(&ledgers, Refusal::Going), 1);
        Ok(())
    }

    #[test]
    fn nobody_waits_for_a_dead_device() -> Result {
        // No request is ever done. The first one takes all the room. The second task waits until
        // the device is late, and the third one sleeps for some seconds.
        let (ledgers, said) = with_hook(|hook| {
            let first = hook.write(&SwapRequest::fake(&Swap::fake(0, 1 << 20, 0)));
            let second = hook.write(&SwapRequest::fake(&Swap::fake(1, 1, 0)));
            hook.wait(&SwapBatch::new(&SwapWait::fake(second, 1, 0)));
            let third = hook.write(&SwapRequest::fake(&Swap::fake(2, 1, 0)));
            hook.wait(&SwapBatch::new(&SwapWait::fake(third, 1, 0)));
            // A task that must not wait does not nap, either.
            let last = hook.write(&SwapRequest::fake(&Swap::fake(3, 1, 4)));
            hook.wait(&SwapBatch::new(&SwapWait::fake(last, 1, 4)));
            Ok([first, second, third, last].map(|cookie| cookie != 0))
        })?;
        assert_eq!(said, [true; 4]);
        assert_eq!(waits(&ledgers), 2);
        Ok(())
    }

    #[test]
    fn some_do_not_wait() -> Result {
        // The first task finds room, the second one must not wait, and kswapd has twice the room.
        let (ledgers, ()) = with_hook(|hook| {
            let first = hook.write(&SwapRequest::fake(&Swap::fake(0, 33, 0)));
            hook.wait(&SwapBatch::new(&SwapWait::fake(first, 33, 0)));
            for flags in [4, 2] {
                let next = hook.write(&SwapRequest::fake(&Swap::fake(1, 1, flags)));
                hook.wait(&SwapBatch::new(&SwapWait::fake(next, 1, flags)));
            }
            Ok(())
        })?;
        assert_eq!((taken(&ledgers), waits(&ledgers)), (3, 0));
        Ok(())
    }

    #[test]
    fn a_task_that_freed_as_many_goes_on() -> Result {
        // The room is 32 pages. The first task takes all of it. The others have freed as many pages
        // as they handed over, except for the last one.
        let (ledgers, ()) = with_hook(|hook| {
            let first = hook.write(&SwapRequest::fake(&Swap::fake(0, 65, 0)));
            hook.wait(&SwapBatch::new(&SwapWait::fake(first, 65, 0)));
            for (handed, freed) in [(32, 32), (1, 8), (32, 31)] {
                let next = hook.write(&SwapRequest::fake(&Swap::fake(1, handed, 0)));
                hook.wait(&SwapBatch::new(&SwapWait::freed(next, handed, freed, 0)));
            }
            Ok(())
        })?;
        assert_eq!((taken(&ledgers), waits(&ledgers)), (4, 1));
        Ok(())
    }

    #[test]
    fn requests_go_past_a_writer_that_is_slower_than_its_device() -> Result {
        // The device is done with each request as soon as it has it.
        let (ledgers, (past, deep)) = with_hook(|hook| {
            let mut cookie = 0;
            for slot in 0..SAMPLE {
                cookie = hook.write(&SwapRequest::fake(&Swap::fake(slot.into(), 1, 0)));
            }
            until_submitted(hook, SAMPLE.into());
            for _ in 0..SAMPLE {
                hook.done(&done_at_once(cookie, 1));
            }
            let past = hook.write(&SwapRequest::fake(&Swap::fake(100, 1, 0)));
            let mut deep = Swap::fake(101, 1, 0);
            deep.at.headroom = settings::handoff_floor().saturating_sub(1);
            Ok((past, hook.write(&SwapRequest::fake(&deep))))
        })?;
        assert_eq!(past, 0);
        assert!(deep != 0);
        assert_eq!(refused(&ledgers, Refusal::Fast), 1);
        assert_eq!(taken(&ledgers), u64::from(SAMPLE) + 1);
        Ok(())
    }

    #[test]
    fn nobody_waits_in_a_lane_that_another_device_has_by_now() -> Result {
        let (ledgers, taken) = with_hook(|hook| {
            let first = hook.write(&SwapRequest::fake(&Swap::fake(0, 64, 0)));
            until_submitted(hook, 1);
            hook.done(&done_at_once(first, 64));
            // More devices than there are lanes. One of them gets the first lane, and fills it.
            let others = (1..16).map(|n| {
                let mut swap = Swap::fake(0, 1 << 20, 0);
                swap.device = swap.device.wrapping_add(n);
                hook.write(&SwapRequest::fake(&swap))
            });
            let taken = others.filter(|&cookie| cookie != 0).count();
            hook.wait(&SwapBatch::new(&SwapWait::fake(first, 64, 0)));
            Ok(taken)
        })?;
        assert!(taken != 0);
        assert!(refused(&ledgers, Refusal::Devices) != 0);
        assert_eq!(waits(&ledgers), 0);
        Ok(())
    }

    #[test]
    fn requests_of_a_helper_before_are_not_ours() -> Result {
        let (ledgers, ()) = with_hook(|hook| {
            for cookie in 0..16 {
                hook.done(&CompletedRequest {
                    cookie,
                    sent: RequestStamp::default(),
                    pages: 32,
                    failed: false,
                });
            }
            Ok(())
        })?;
        let counted: u64 = (0..log2::BUCKETS)
            .map(|b| ledgers.swap_requests.us_hist(b))
            .sum();
        assert_eq!(counted, 0);
        Ok(())
    }
}
