// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the ledger of reserves, with pages that nobody took, and tasks that do not exist.

use super::{
    at,
    ledgers,
    task,
    window_begin, //
};
use crate::{
    kernel_ext::percpu::pinned,
    ledgers::{
        reserves::UserAllocations,
        Ledgers, //
    },
    probes::reserve,
    shim::{
        reserve::Page,
        At,
        Context, //
    },
    words::{
        Group,
        Origin,
        User,
        Window,
        Woken, //
    },
};
use kernel::prelude::*;

const fn page(order: u32, free: u64) -> Page {
    Page {
        nid: 0,
        zid: 1,
        order,
        free,
        min: 100,
    }
}

fn taken(ledgers: &Ledgers, user: User, get: fn(&UserAllocations) -> u64) -> u64 {
    ledgers.reserves.counts.sum(|c| c.user(user).map_or(0, get))
}

fn pages(ledgers: &Ledgers, user: User) -> u64 {
    taken(ledgers, user, |t| t.pages.get())
}

fn waits(ledgers: &Ledgers, woken: Woken) -> u64 {
    ledgers
        .reserves
        .counts
        .sum(|c| c.waits(woken).map_or(0, |w| w.waits.get()))
}

#[kunit_tests(reclaimwb_reserves)]
mod suite {
    use super::*;

    #[test]
    fn a_page_is_charged_to_its_user() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(task(1), 900), Window::Direct);
            ledgers.begin_own_window(task(2), Origin::Writer);
            reserve::taken(&ledgers, pin, &at(task(1), 2000), &page(0, 120));
            reserve::taken(&ledgers, pin, &at(task(2), 2000), &page(2, 99));
            reserve::taken(&ledgers, pin, &at(task(3), 2000), &page(1, 50));
            // This is a softirq on top of a task that reclaims.
            let softirq = At::fake(task(1), 2000, Context::Softirq);
            reserve::taken(&ledgers, pin, &softirq, &page(0, 40));
        });
        assert_eq!(pages(&ledgers, User::Reclaimer), 1);
        assert_eq!(pages(&ledgers, User::Writer), 4);
        assert_eq!(pages(&ledgers, User::Other), 2);
        assert_eq!(pages(&ledgers, User::Interrupt), 1);
        // A page that leaves more than the watermark free is not taken from the reserve.
        assert_eq!(taken(&ledgers, User::Reclaimer, |t| t.below.get()), 0);
        assert_eq!(taken(&ledgers, User::Writer, |t| t.below.get()), 4);
        // The call site is the code that runs this test.
        assert_eq!(ledgers.reserves.sites.all().map(|(_, n)| n).sum::<u64>(), 2);
        Ok(())
    }

    #[test]
    fn the_lowest_of_a_zone_is_kept() -> Result {
        let ledgers = ledgers()?;
        assert!(ledgers.reserves.lowest(0, 1).is_none());
        pinned(|pin| {
            for free in [70, 30, 60] {
                reserve::taken(&ledgers, pin, &at(task(1), 2000), &page(0, free));
            }
            // There is no such node or zone.
            let nowhere = Page {
                nid: u32::MAX,
                zid: u32::MAX,
                ..page(0, 1)
            };
            reserve::taken(&ledgers, pin, &at(task(1), 2000), &nowhere);
        });
        let lowest = ledgers.reserves.lowest(0, 1);
        assert!(lowest.is_some_and(|(free, min, at)| free == 30 && min == 100 && at != 0));
        assert!(ledgers.reserves.lowest(0, 0).is_none());
        Ok(())
    }

    #[test]
    fn a_wait_ends_in_one_of_its_ways() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            for (n, woken) in [
                Woken::Refilled,
                Woken::Timeout,
                Woken::Signal,
                Woken::Refilled,
            ]
            .into_iter()
            .enumerate()
            {
                reserve::wait_begin(&ledgers, pin, &at(task(n), 900), 0);
                assert_eq!(ledgers.reserves.waiting.len(), 1);
                reserve::wait_end(&ledgers, pin, &at(task(n), 900), woken);
                assert_eq!(ledgers.reserves.waiting.len(), 0);
            }
            // This wait began before the probes were attached.
            reserve::wait_end(&ledgers, pin, &at(task(9), 900), Woken::Refilled);
        });
        assert_eq!(waits(&ledgers, Woken::Refilled), 2);
        assert_eq!(waits(&ledgers, Woken::Timeout), 1);
        assert_eq!(waits(&ledgers, Woken::Signal), 1);
        let nodes = ledgers
            .reserves
            .nodes()
            .map(|(nid, waits, ..)| (nid, waits));
        assert!(nodes.eq([(0, 4)]));
        let waiters = ledgers.reserves.waiters.totals()?;
        assert_eq!(waiters.iter().map(|w| w.times).sum::<u64>(), 4);
        Ok(())
    }

    #[test]
    fn what_a_wait_came_to_is_forgotten_with_the_group() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| reserve::wait_begin(&ledgers, pin, &at(task(1), 900), 0));
        ledgers.forget(Group::Reserves);
        assert_eq!(ledgers.reserves.waiting.len(), 0);
        pinned(|pin| reserve::wait_end(&ledgers, pin, &at(task(1), 900), Woken::Refilled));
        assert_eq!(waits(&ledgers, Woken::Refilled), 0);
        Ok(())
    }

    #[test]
    fn a_packet_that_is_dropped_is_charged_to_its_site() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            for site in [0x10, 0x20, 0x10] {
                reserve::dropped(&ledgers, pin, &at(task(1), 900), site);
            }
        });
        assert_eq!(ledgers.reserves.counts.sum(|c| c.drops.get()), 3);
        assert_eq!(ledgers.reserves.drops.all().count(), 2);
        assert!(ledgers.reserves.drops.all().any(|s| s == (0x10, 2)));
        Ok(())
    }
}
