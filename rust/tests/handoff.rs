// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of handoff: the hook, asked without any reclaim, for pages that are on no
//! LRU list and in no swap cache. The writers are real: they find nothing to write.

use super::observer;
use crate::{
    handoff::{
        Later,
        Skip, //
    },
    helper::swap::{
        Hook,
        Says, //
    },
    kernel_ext::percpu::pinned,
    observer::Observer,
    origin::Origin,
    params,
    policy::{
        handoff::{
            Mode,
            Refused, //
        },
        log2, //
    },
    shim::{
        reclaim::Asking,
        Swap, //
    },
};
use kernel::{
    page::Page,
    prelude::*,
    sync::Arc, //
};

/// `RWB_SWAP_BLOCKING`: NBD's kind.
const BLOCKING: u32 = 64;

fn skipped(obs: &Observer) -> u64 {
    let all = Skip::ALL.iter();
    all.map(|&(why, _)| obs.handoff.sum(|l| l.skipped(why)))
        .sum()
}

fn taken(obs: &Observer) -> u64 {
    obs.handoff.sum(|l| {
        l.origin(Origin::Other)
            .and_then(|o| o.taken.first())
            .map_or(0, |n| n.get())
    })
}

/// Asks a hook of its own; it is gone, and its writers with it, when this returns: a case
/// that fails would leave them behind. Sleeps.
fn with_hook<R>(ask: impl FnOnce(&Hook) -> Result<R>) -> Result<(Arc<Observer>, R)> {
    // What follows asks with the policy that is the default.
    if params::handoff() != Mode::Always {
        pr_err!("the KUnit suite of handoff needs handoff=always\n");
        return Err(EINVAL);
    }
    let obs = observer()?;
    let hook = Hook::new(obs.clone())?;
    let said = ask(&hook);
    drop(hook);
    Ok((obs, said?))
}

#[kunit_tests(reclaimwb_handoff)]
mod hook {
    use super::*;

    #[test]
    fn each_case_of_invariant_5_is_refused() -> Result {
        let refused = [
            (1, Refused::Cgroup),
            (2, Refused::Proactive),
            (4, Refused::Queue),
            (8, Refused::Busy),
            (16, Refused::Zswap),
            (32, Refused::Sync),
        ];
        for (flags, why) in refused {
            let page = Page::alloc_page(GFP_KERNEL)?;
            let swap = Swap::fake(&page, 0, flags, 12);
            let (obs, (said, full, busy)) = with_hook(|hook| {
                let asking = Asking::fake(&swap);
                Ok((hook.defer(&asking), hook.full(&asking), hook.busy(0)))
            })?;
            assert!(said == Says::Refused(why));
            assert!(!full);
            assert!(!busy);
            let n = obs
                .handoff
                .sum(|l| l.origin(Origin::Other).map_or(0, |o| o.refused(why)));
            assert_eq!(n, 1);
            assert_eq!(taken(&obs), 0);
        }
        Ok(())
    }

    #[test]
    fn kswapd_hands_off_to_what_can_block() -> Result {
        let page = Page::alloc_page(GFP_KERNEL)?;
        // Priority says nothing of kswapd, nor, while the device is well, of others.
        let (obs, said) = with_hook(|hook| {
            Ok([4 | BLOCKING, BLOCKING].map(|flags| {
                let swap = Swap::fake(&page, 0, flags, 0);
                hook.defer(&Asking::fake(&swap))
            }))
        })?;
        assert!(said.iter().all(|s| *s == Says::Taken));
        assert_eq!(taken(&obs), 2);
        assert_eq!(skipped(&obs), 2);
        Ok(())
    }

    #[test]
    fn a_page_of_nobody_is_taken_and_given_up() -> Result {
        let (obs, all) = with_hook(|hook| {
            let mut all = true;
            for i in 0..8 {
                let page = Page::alloc_page(GFP_KERNEL)?;
                let swap = Swap::fake(&page, i, BLOCKING, 12);
                all &= hook.defer(&Asking::fake(&swap)) == Says::Taken;
                // The hook's reference keeps the page from being given away meanwhile.
                drop(page);
            }
            Ok(all)
        })?;
        assert!(all);
        assert_eq!(taken(&obs), 8);
        assert_eq!(skipped(&obs), 8);
        assert_eq!(obs.handoff.sum(|l| l.batches.get()), 0);
        Ok(())
    }

    #[test]
    fn what_is_queued_is_met_again() -> Result {
        let page = Page::alloc_page(GFP_KERNEL)?;
        let asked = Swap::fake(&page, 0, BLOCKING, 12);
        let again = Swap::fake(&page, 0, BLOCKING | 8, 12);
        let (obs, queued) = with_hook(|hook| {
            // The writer gives it up after some tries: be quicker, sooner or later. It does not
            // get this CPU meanwhile.
            Ok((0..100).any(|_| {
                pinned(|_| {
                    let _ = hook.defer(&Asking::fake(&asked));
                    hook.defer(&Asking::fake(&again)) == Says::Later(Later::Queued)
                })
            }))
        })?;
        assert!(queued);
        assert_eq!(taken(&obs), skipped(&obs));
        Ok(())
    }

    #[test]
    fn no_more_waits_than_there_is_room() -> Result {
        let page = Page::alloc_page(GFP_KERNEL)?;
        let large = Swap::fake_large(&page, 0, BLOCKING, 100);
        // Larger than all that may wait: alone it may.
        let huge = Swap::fake_large(&page, 1, BLOCKING, 1 << 20);
        let (obs, full) = with_hook(|hook| {
            Ok((0..100).any(|_| {
                pinned(|_| {
                    let _ = hook.defer(&Asking::fake(&large));
                    hook.defer(&Asking::fake(&huge)) == Says::Later(Later::Full)
                })
            }))
        })?;
        assert!(full);
        assert_eq!(taken(&obs), skipped(&obs));

        let (_, (said, busy, full)) = with_hook(|hook| {
            pinned(|_| {
                let said = hook.defer(&Asking::fake(&huge));
                Ok((said, hook.busy(0), hook.full(&Asking::fake(&large))))
            })
        })?;
        assert!(said == Says::Taken);
        assert!(busy);
        assert!(full);
        Ok(())
    }

    #[test]
    fn requests_of_a_helper_before_are_not_ours() -> Result {
        let (obs, busy) = with_hook(|hook| {
            for cookie in 0..16 {
                hook.done(cookie, 32, 1000, false);
            }
            Ok(hook.busy(0))
        })?;
        assert!(!busy);
        let counted: u64 = (0..log2::BUCKETS)
            .map(|b| obs.swap_requests.us_hist(b))
            .sum();
        assert_eq!(counted, 0);
        Ok(())
    }
}
