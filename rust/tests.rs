// SPDX-License-Identifier: GPL-2.0

//! KUnit tests: the handlers, called without firing a tracepoint, on
//! ledgers of their own with tasks and folios that do not exist.

mod handoff;
mod nbd_phases;
mod reserves;
mod stalls;

use crate::{
    helper::file::Hook,
    kernel_ext::{
        cell::Cell64,
        percpu::{
            pinned,
            Pinned, //
        },
        reclaim::Met,
        tracepoint::State, //
    },
    ledgers::{
        cost::Cost,
        Ledgers, //
    },
    probes::{
        block,
        nbd,
        vmscan,
        zswap, //
    },
    settings,
    shim::{
        nbd::Bio,
        At,
        Context,
        Folio,
        SwapEnd,
        Target, //
    },
    words::{
        Function,
        Kind,
        Layer,
        Origin,
        Skip,
        Window, //
    },
};
use kernel::{
    page::Page,
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc, //
    },
};

/// The parameter `enabled`, without attaching or detaching what there is of the real ones.
fn record(on: bool) {
    settings::ENABLED.store(on, Relaxed);
}

/// A key that no task has, told apart by `n`.
const fn task(n: usize) -> usize {
    0x1000 + n * 64
}

fn at(task: usize, depth: usize) -> At {
    At::fake(task, depth, Context::Task)
}

fn pages(obs: &Ledgers, origin: Origin, anon: bool, kind: Kind) -> u64 {
    obs.writes.sum(|w| {
        w.origin(origin)
            .and_then(|o| {
                let by_kind = if anon { &o.anon } else { &o.shmem };
                by_kind.get(kind as usize)
            })
            .map_or(0, |c| c.pages.get())
    })
}

fn all_pages(obs: &Ledgers, origin: Origin) -> u64 {
    let of = |kind| pages(obs, origin, true, kind) + pages(obs, origin, false, kind);
    Kind::ALL.iter().map(|&k| of(k)).sum()
}

/// Ledgers whose zswap probe counts as attached, as on a full kernel.
fn ledgers() -> Result<Arc<Ledgers>> {
    let obs = Ledgers::new()?;
    obs.states
        .set_function(Function::ZswapStore, State::Attached);
    Ok(obs)
}

const IO: Folio = Folio::fake(0x4000, true, true, true);

fn write_io(obs: &Ledgers, pin: &Pinned<'_>, task: usize) {
    vmscan::write(obs, pin, &at(task, 2000), &IO);
}

#[kunit_tests(reclaimwb)]
mod handlers {
    use super::*;

    #[test]
    fn a_write_is_charged_to_its_window() -> Result {
        let obs = ledgers()?;
        pinned(|pin| {
            vmscan::window_begin(&obs, pin, &at(task(1), 900), Window::Kswapd);
            vmscan::window_begin(&obs, pin, &at(task(2), 1000), Window::Direct);
            write_io(&obs, pin, task(1));
            write_io(&obs, pin, task(1));
            write_io(&obs, pin, task(2));
            vmscan::window_end(&obs, pin, &at(task(1), 900), Window::Kswapd, 7);
            vmscan::window_end(&obs, pin, &at(task(2), 1000), Window::Direct, 8);
        });
        assert_eq!(pages(&obs, Origin::Kswapd, true, Kind::Io), 2);
        assert_eq!(pages(&obs, Origin::Direct, true, Kind::Io), 1);
        assert_eq!(
            all_pages(&obs, Origin::Other) + all_pages(&obs, Origin::Lost),
            0
        );
        assert_eq!(obs.windows.usage().1, 0);
        Ok(())
    }

    #[test]
    fn windows_nest() -> Result {
        let obs = ledgers()?;
        let t = task(3);
        pinned(|pin| {
            vmscan::window_begin(&obs, pin, &at(t, 900), Window::Kswapd);
            vmscan::window_begin(&obs, pin, &at(t, 1200), Window::MemcgSoft);
            write_io(&obs, pin, t);
            vmscan::window_end(&obs, pin, &at(t, 1200), Window::MemcgSoft, 1);
            write_io(&obs, pin, t);
            write_io(&obs, pin, t);
            vmscan::window_end(&obs, pin, &at(t, 900), Window::Kswapd, 1);
        });
        assert_eq!(all_pages(&obs, Origin::MemcgSoft), 1);
        assert_eq!(all_pages(&obs, Origin::Kswapd), 2);
        Ok(())
    }

    #[test]
    fn too_deep_is_lost_and_counted() -> Result {
        let obs = ledgers()?;
        let t = task(4);
        pinned(|pin| {
            for depth in 1..=6 {
                vmscan::window_begin(&obs, pin, &at(t, 900 + depth), Window::Direct);
            }
            write_io(&obs, pin, t);
            vmscan::window_end(&obs, pin, &at(t, 906), Window::Direct, 0);
            vmscan::window_end(&obs, pin, &at(t, 905), Window::Direct, 0);
            write_io(&obs, pin, t);
            for depth in (1..=4).rev() {
                vmscan::window_end(&obs, pin, &at(t, 900 + depth), Window::Direct, 0);
            }
        });
        assert_eq!(all_pages(&obs, Origin::Lost), 1);
        assert_eq!(all_pages(&obs, Origin::Direct), 1);
        assert_eq!(obs.cost.sum(|c| c.lost.depth.get()), 2);
        assert_eq!(obs.windows.usage().1, 0);
        Ok(())
    }

    #[test]
    fn kinds_are_told_apart() -> Result {
        let obs = ledgers()?;
        let t = task(5);
        let clean = |key| Folio::fake(key, true, false, true);
        pinned(|pin| {
            vmscan::window_begin(&obs, pin, &at(t, 900), Window::Direct);
            // Queued and not done yet.
            write_io(&obs, pin, t);
            // In the bio that was just submitted, and done.
            block::bio(&obs, pin, &at(t, 2500), &Bio::fake(8, 0x5000, false, 1));
            vmscan::write(&obs, pin, &at(t, 2000), &clean(0x5000));
            block::bio(&obs, pin, &at(t, 2500), &Bio::fake(8, 0x6000, true, 1));
            vmscan::write(&obs, pin, &at(t, 2000), &clean(0x6000));
            // Offered to zswap, and not written; then its twin, which was not offered.
            zswap::offered(&obs, pin, &at(t, 2500), 0x7000);
            vmscan::write(&obs, pin, &at(t, 2000), &clean(0x7000));
            vmscan::write(&obs, pin, &at(t, 2000), &clean(0x7000));
            // No swap slot any more; and a shmem folio of zeros.
            let dropped = Folio::fake(0x8000, true, false, false);
            vmscan::write(&obs, pin, &at(t, 2000), &dropped);
            let shmem = Folio::fake(0x9000, false, false, true);
            vmscan::write(&obs, pin, &at(t, 2000), &shmem);
            vmscan::window_end(&obs, pin, &at(t, 900), Window::Direct, 0);
        });
        let anon = |kind| pages(&obs, Origin::Direct, true, kind);
        assert_eq!(anon(Kind::Io), 2);
        assert_eq!(anon(Kind::Sync), 1);
        assert_eq!(anon(Kind::Zswap), 1);
        assert_eq!(anon(Kind::Zero), 1);
        assert_eq!(anon(Kind::Dropped), 1);
        assert_eq!(pages(&obs, Origin::Direct, false, Kind::Zero), 1);
        assert_eq!(all_pages(&obs, Origin::Direct), 7);
        Ok(())
    }

    #[test]
    fn a_write_that_fails_is_no_write() -> Result {
        let obs = ledgers()?;
        let t = task(21);
        let dirty = |key| Folio::fake(key, true, false, true);
        let late = |origin| {
            let ends = &obs.swap_io.ends;
            ends.sum(|e| e.failed(origin, true).map_or(0, |c| c.pages.get()))
        };
        pinned(|pin| {
            let (at, irq) = (at(t, 2500), At::fake(task(22), 0, Context::Irq));
            vmscan::window_begin(&obs, pin, &at, Window::Direct);
            // A synchronous device refuses it in the task; the next one it takes.
            block::bio(&obs, pin, &at, &Bio::fake(0x800, 0x6000, true, 1));
            block::ended(&obs, pin, &at, &SwapEnd::fake(0x800, true, true));
            vmscan::write(&obs, pin, &at, &dirty(0x6000));
            block::bio(&obs, pin, &at, &Bio::fake(0x800, 0x6000, true, 1));
            vmscan::write(&obs, pin, &at, &dirty(0x6000));
            // Two are queued; one fails later, when others' window is open.
            block::bio(&obs, pin, &at, &Bio::fake(0xa00, 0x5000, false, 1));
            write_io(&obs, pin, t);
            block::bio(&obs, pin, &at, &Bio::fake(0xc00, 0x5000, false, 1));
            write_io(&obs, pin, t);
            vmscan::window_end(&obs, pin, &at, Window::Direct, 0);
            vmscan::window_begin(&obs, pin, &at, Window::Kswapd);
            block::ended(&obs, pin, &irq, &SwapEnd::fake(0xc00, false, false));
            block::ended(&obs, pin, &irq, &SwapEnd::fake(0xa00, true, false));
            // Of this one nobody knows whose it was.
            block::ended(&obs, pin, &irq, &SwapEnd::fake(0xa00, true, false));
            vmscan::window_end(&obs, pin, &at, Window::Kswapd, 0);
        });
        let anon = |kind| pages(&obs, Origin::Direct, true, kind);
        assert_eq!(anon(Kind::Failed), 1);
        assert_eq!(anon(Kind::Sync), 1);
        assert_eq!(anon(Kind::Io), 2);
        assert_eq!((late(Origin::Direct), late(Origin::Kswapd)), (1, 0));
        assert_eq!(all_pages(&obs, Origin::Direct), 4);
        let devices = || obs.swap_io.devices();
        assert_eq!(devices().count(), 1);
        assert_eq!(devices().map(|d| d.pages()).sum::<u64>(), 3);
        Ok(())
    }

    #[test]
    fn what_zswap_writes_back_is_no_write_of_reclaims() -> Result {
        let obs = ledgers()?;
        let t = task(23);
        pinned(|pin| {
            let at = at(t, 2500);
            vmscan::window_begin(&obs, pin, &at, Window::Direct);
            // Written back; looked at and left; written back, which fails later.
            assert!(zswap::looks(&obs, pin, &at));
            zswap::looked(&obs, pin, &at, 1);
            assert!(zswap::looks(&obs, pin, &at));
            zswap::looked(&obs, pin, &at, 2);
            assert!(zswap::looks(&obs, pin, &at));
            block::bio(&obs, pin, &at, &Bio::fake(0xe00, 0x5000, false, 1));
            zswap::looked(&obs, pin, &at, 1);
            block::ended(&obs, pin, &at, &SwapEnd::fake(0xe00, true, false));
            vmscan::window_end(&obs, pin, &at, Window::Direct, 0);
        });
        let ends = &obs.swap_io.ends;
        assert_eq!(ends.sum(|e| e.zswap(Origin::Direct)), 2);
        assert_eq!(ends.sum(|e| e.zswap_worker.get()), 0);
        assert_eq!(ends.sum(|e| e.zswap_failed.get()), 1);
        let late = ends.sum(|e| e.failed(Origin::Direct, true).map_or(0, |c| c.pages.get()));
        assert_eq!((late, all_pages(&obs, Origin::Direct)), (0, 0));
        assert!(obs.swap_io.zswap.is_empty());
        Ok(())
    }

    #[test]
    fn without_the_zswap_probe_zero_is_unknown() -> Result {
        let obs = ledgers()?;
        obs.states
            .set_function(Function::ZswapStore, State::Failed(2));
        let t = task(6);
        pinned(|pin| {
            vmscan::window_begin(&obs, pin, &at(t, 900), Window::Direct);
            let clean = Folio::fake(0x5000, true, false, true);
            vmscan::write(&obs, pin, &at(t, 2000), &clean);
            vmscan::window_end(&obs, pin, &at(t, 900), Window::Direct, 0);
        });
        assert_eq!(pages(&obs, Origin::Direct, true, Kind::Unknown), 1);
        Ok(())
    }

    #[test]
    fn layers_cost_what_lies_between_them() -> Result {
        let obs = ledgers()?;
        let t = task(7);
        pinned(|pin| {
            vmscan::window_begin(&obs, pin, &at(t, 1000), Window::Direct);
            vmscan::write(&obs, pin, &at(t, 2500), &IO);
            block::bio(&obs, pin, &at(t, 2900), &Bio::fake(8, 0x4000, false, 1));
            nbd::send(&obs, pin, &at(t, 4000));
            vmscan::window_end(&obs, pin, &at(t, 1000), Window::Direct, 0);
        });
        let used = |layer| {
            obs.headroom.sum(|h| {
                h.samples(Origin::Direct, layer)
                    .map_or(0, |s| s.used_sum.get())
            })
        };
        assert_eq!(used(Layer::Entry), 1000);
        assert_eq!(used(Layer::Write), 1500);
        assert_eq!(used(Layer::Bio), 400);
        assert_eq!(used(Layer::Nbd), 1100);
        Ok(())
    }

    #[test]
    fn interrupts_are_charged_to_nobody() -> Result {
        let obs = ledgers()?;
        let t = task(8);
        pinned(|pin| {
            vmscan::window_begin(&obs, pin, &at(t, 1000), Window::Direct);
            let irq = At::fake(t, 0, Context::Irq);
            let softirq = At::fake(t, 3000, Context::Softirq);
            block::bio(&obs, pin, &irq, &Bio::fake(8, 0x4000, false, 1));
            nbd::send(&obs, pin, &softirq);
            vmscan::window_end(&obs, pin, &at(t, 1000), Window::Direct, 0);
            // And a task in no window, kblockd for one.
            nbd::send(&obs, pin, &at(task(9), 3000));
        });
        let samples = |layer| {
            obs.headroom.sum(|h| {
                h.samples(Origin::Direct, layer)
                    .map_or(0, |s| s.count.get())
            })
        };
        let count = |get: fn(&crate::ledgers::cost::Cost, Layer) -> u64, layer| {
            obs.cost.sum(|c| get(c, layer))
        };
        assert_eq!(samples(Layer::Bio), 0);
        assert_eq!(samples(Layer::Nbd), 0);
        assert_eq!(count(|c, l| c.irq(l).map_or(0, |n| n.get()), Layer::Bio), 1);
        assert_eq!(
            count(|c, l| c.softirq(l).map_or(0, |n| n.get()), Layer::Nbd),
            1
        );
        assert_eq!(
            count(|c, l| c.outside(l).map_or(0, |n| n.get()), Layer::Nbd),
            1
        );
        Ok(())
    }

    #[test]
    fn switched_off_interrupts_are_not_counted() -> Result {
        let obs = ledgers()?;
        let was = settings::enabled();
        pinned(|pin| {
            record(false);
            for context in [Context::Irq, Context::Softirq] {
                let above = At::fake(task(10), 3000, context);
                block::bio(&obs, pin, &above, &Bio::fake(10, 0x4000, false, 1));
                nbd::send(&obs, pin, &above);
            }
            record(was);
        });
        for &layer in Layer::ALL {
            let count = |get: fn(&Cost, Layer) -> Option<&Cell64>| {
                obs.cost.sum(|c| get(c, layer).map_or(0, Cell64::get))
            };
            assert_eq!(count(Cost::irq), 0);
            assert_eq!(count(Cost::softirq), 0);
        }
        Ok(())
    }

    #[test]
    fn who_is_inside_when_recording_ends_is_forgotten() -> Result {
        let obs = ledgers()?;
        pinned(|pin| {
            vmscan::window_begin(&obs, pin, &at(task(10), 900), Window::Direct);
            // One of ours, which is inside reclaim itself.
            obs.begin_own(task(11), Origin::Writer);
            vmscan::window_begin(&obs, pin, &at(task(11), 900), Window::Direct);
            obs.pause();
            assert!(obs.windows.find(pin, task(10)).is_none());
            assert_eq!(obs.windows.usage().1, 1);
            obs.end_own(task(11));
            assert_eq!(obs.windows.usage().1, 0);
            // Its slot is as new.
            vmscan::window_begin(&obs, pin, &at(task(11), 900), Window::Direct);
            vmscan::window_end(&obs, pin, &at(task(11), 900), Window::Direct, 1);
        });
        assert_eq!(obs.windows.usage().1, 0);
        assert_eq!(obs.cost.sum(|c| c.lost.preload.get()), 0);
        Ok(())
    }

    #[test]
    fn a_full_table_loses_and_says_so() -> Result {
        let obs = ledgers()?;
        let slots = obs.windows.usage().0;
        pinned(|pin| {
            for n in 0..2 * slots {
                vmscan::window_begin(&obs, pin, &at(task(n), 900), Window::Direct);
            }
        });
        let lost = obs.cost.sum(|c| c.lost.slots.get());
        assert!(lost >= slots as u64);
        assert!(obs.windows.any_unslotted());
        pinned(|pin| {
            for n in 0..2 * slots {
                vmscan::window_end(&obs, pin, &at(task(n), 900), Window::Direct, 0);
            }
        });
        assert!(!obs.windows.any_unslotted());
        assert_eq!(obs.windows.usage().1, 0);
        assert_eq!(obs.cost.sum(|c| c.lost.preload.get()), 0);
        Ok(())
    }

    #[test]
    fn an_end_without_a_begin_is_counted() -> Result {
        let obs = ledgers()?;
        pinned(|pin| vmscan::window_end(&obs, pin, &at(task(10), 900), Window::Direct, 5));
        assert_eq!(obs.cost.sum(|c| c.lost.preload.get()), 1);
        Ok(())
    }
}

#[kunit_tests(reclaimwb_helper)]
mod hook {
    use super::*;

    /// `RWB_TARGET_PROACTIVE`: needed, whether or not the node is short.
    const ASKED: u32 = 32;

    fn skipped(obs: &Ledgers, why: Skip) -> u64 {
        obs.write_around.sum(|l| l.skipped(why))
    }

    #[test]
    fn what_does_not_fit_is_left_to_the_kernel() -> Result {
        let obs = ledgers()?;
        let hook = Hook::new(obs.clone())?;
        let page = Page::alloc_page(GFP_KERNEL)?;
        let unfit = [
            (1, Skip::BlockDevice),
            (2, Skip::SwapFile),
            (4, Skip::Deadlock),
            (8, Skip::NoDevice),
        ];
        for (flag, why) in unfit {
            let target = Target::fake(&page, 0, flag | ASKED);
            assert!(!hook.dirty_file(&Met::fake(&target)));
            assert_eq!(skipped(&obs, why), 1);
        }
        assert_eq!(obs.write_around.sum(|l| l.queued[0].get()), 0);
        assert!(!hook.busy(0));
        Ok(())
    }

    #[test]
    fn a_page_of_no_file_is_taken_and_given_up() -> Result {
        let obs = ledgers()?;
        let hook = Hook::new(obs.clone())?;
        let pages = [(); 8].map(|()| Page::alloc_page(GFP_KERNEL));
        for (i, page) in pages.iter().enumerate() {
            let page = page.as_ref().map_err(|_| ENOMEM)?;
            let target = Target::fake(page, i as u64, ASKED);
            // Once more while it may still be queued.
            assert!(hook.dirty_file(&Met::fake(&target)));
            assert!(hook.dirty_file(&Met::fake(&target)));
        }
        // Waits for the worker, which finds no inode behind the pages.
        drop(hook);
        let sum =
            |get: fn(&crate::ledgers::write_around::WriteAround) -> u64| obs.write_around.sum(get);
        let (met, merged) = (sum(|l| l.met[0].get()), sum(|l| l.merged.get()));
        let queued = sum(|l| l.queued[0].get());
        assert_eq!(met, 16);
        assert_eq!(merged + queued, met);
        assert_eq!(
            queued,
            skipped(&obs, Skip::Gone)
                + skipped(&obs, Skip::Duplicate)
                + skipped(&obs, Skip::Dropped)
        );
        assert_eq!(sum(|l| l.windows.get()), 0);
        Ok(())
    }
}
