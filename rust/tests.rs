// SPDX-License-Identifier: GPL-2.0

//! KUnit tests. They call handlers without firing tracepoints, with ledgers of their own, and with
//! tasks and folios that do not exist.

mod cgroups;
mod handoff;
mod nbd_phases;
mod repeats;
mod reserves;
mod stalls;

use crate::{
    helper::file::FileHook,
    kernel_ext::{
        cell::Cell64,
        percpu::{
            pinned,
            Pinned, //
        },
        reclaim::DirtyFolio,
        tracepoint::ProbeState, //
    },
    ledgers::{
        cost::Cost,
        stalls::Wanted,
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

/// Sets the parameter `enabled` without attaching or detaching the real probes.
fn record(on: bool) {
    settings::ENABLED.store(on, Relaxed);
}

/// Returns a key that no task has.
const fn task(n: usize) -> usize {
    0x1000 + n * 64
}

fn at(task: usize, depth: usize) -> At {
    At::fake(task, depth, Context::Task)
}

fn pages(ledgers: &Ledgers, origin: Origin, anon: bool, kind: Kind) -> u64 {
    ledgers.writes.sum(|w| {
        w.origin(origin)
            .and_then(|o| {
                let by_kind = if anon { &o.anon } else { &o.shmem };
                by_kind.get(kind as usize)
            })
            .map_or(0, |c| c.pages.get())
    })
}

fn all_pages(ledgers: &Ledgers, origin: Origin) -> u64 {
    let of = |kind| pages(ledgers, origin, true, kind) + pages(ledgers, origin, false, kind);
    Kind::ALL.iter().map(|&k| of(k)).sum()
}

/// Allocates ledgers for which the zswap probe counts as attached.
fn ledgers() -> Result<Arc<Ledgers>> {
    let ledgers = Ledgers::new()?;
    ledgers
        .states
        .set_function(Function::ZswapStore, ProbeState::Attached);
    Ok(ledgers)
}

/// A window begins, and does not tell what is asked for.
fn window_begin(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At, window: Window) {
    vmscan::window_begin(ledgers, pin, at, window, Wanted::default());
}

const IO: Folio = Folio::fake(0x4000, true, true, true);

fn write_io(ledgers: &Ledgers, pin: &Pinned<'_>, task: usize) {
    vmscan::write(ledgers, pin, &at(task, 2000), &IO);
}

#[kunit_tests(reclaimwb)]
mod handlers {
    use super::*;

    #[test]
    fn a_write_is_charged_to_its_window() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(task(1), 900), Window::Kswapd);
            window_begin(&ledgers, pin, &at(task(2), 1000), Window::Direct);
            write_io(&ledgers, pin, task(1));
            write_io(&ledgers, pin, task(1));
            write_io(&ledgers, pin, task(2));
            vmscan::window_end(&ledgers, pin, &at(task(1), 900), Window::Kswapd, 7);
            vmscan::window_end(&ledgers, pin, &at(task(2), 1000), Window::Direct, 8);
        });
        assert_eq!(pages(&ledgers, Origin::Kswapd, true, Kind::Io), 2);
        assert_eq!(pages(&ledgers, Origin::Direct, true, Kind::Io), 1);
        assert_eq!(
            all_pages(&ledgers, Origin::Other) + all_pages(&ledgers, Origin::Lost),
            0
        );
        assert_eq!(ledgers.windows.usage().1, 0);
        Ok(())
    }

    #[test]
    fn windows_nest() -> Result {
        let ledgers = ledgers()?;
        let t = task(3);
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(t, 900), Window::Kswapd);
            window_begin(&ledgers, pin, &at(t, 1200), Window::MemcgSoft);
            write_io(&ledgers, pin, t);
            vmscan::window_end(&ledgers, pin, &at(t, 1200), Window::MemcgSoft, 1);
            write_io(&ledgers, pin, t);
            write_io(&ledgers, pin, t);
            vmscan::window_end(&ledgers, pin, &at(t, 900), Window::Kswapd, 1);
        });
        assert_eq!(all_pages(&ledgers, Origin::MemcgSoft), 1);
        assert_eq!(all_pages(&ledgers, Origin::Kswapd), 2);
        Ok(())
    }

    #[test]
    fn too_deep_is_lost_and_counted() -> Result {
        let ledgers = ledgers()?;
        let t = task(4);
        pinned(|pin| {
            for depth in 1..=6 {
                window_begin(&ledgers, pin, &at(t, 900 + depth), Window::Direct);
            }
            write_io(&ledgers, pin, t);
            vmscan::window_end(&ledgers, pin, &at(t, 906), Window::Direct, 0);
            vmscan::window_end(&ledgers, pin, &at(t, 905), Window::Direct, 0);
            write_io(&ledgers, pin, t);
            for depth in (1..=4).rev() {
                vmscan::window_end(&ledgers, pin, &at(t, 900 + depth), Window::Direct, 0);
            }
        });
        assert_eq!(all_pages(&ledgers, Origin::Lost), 1);
        assert_eq!(all_pages(&ledgers, Origin::Direct), 1);
        assert_eq!(ledgers.cost.sum(|c| c.lost.depth.get()), 2);
        assert_eq!(ledgers.windows.usage().1, 0);
        Ok(())
    }

    #[test]
    fn kinds_are_told_apart() -> Result {
        let ledgers = ledgers()?;
        let t = task(5);
        let clean = |key| Folio::fake(key, true, false, true);
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(t, 900), Window::Direct);
            // The first folio is queued, and is still under writeback.
            write_io(&ledgers, pin, t);
            // The folio is in a bio that was just submitted, and has been written.
            block::bio(&ledgers, pin, &at(t, 2500), &Bio::fake(8, 0x5000, false, 1));
            vmscan::write(&ledgers, pin, &at(t, 2000), &clean(0x5000));
            block::bio(&ledgers, pin, &at(t, 2500), &Bio::fake(8, 0x6000, true, 1));
            vmscan::write(&ledgers, pin, &at(t, 2000), &clean(0x6000));
            // The first folio was offered to zswap, and is in no bio. The second one was not
            // offered.
            zswap::offered(&ledgers, pin, &at(t, 2500), 0x7000);
            vmscan::write(&ledgers, pin, &at(t, 2000), &clean(0x7000));
            vmscan::write(&ledgers, pin, &at(t, 2000), &clean(0x7000));
            // The first folio has no swap slot any more. The second one is a shmem folio of zeros.
            let dropped = Folio::fake(0x8000, true, false, false);
            vmscan::write(&ledgers, pin, &at(t, 2000), &dropped);
            let shmem = Folio::fake(0x9000, false, false, true);
            vmscan::write(&ledgers, pin, &at(t, 2000), &shmem);
            vmscan::window_end(&ledgers, pin, &at(t, 900), Window::Direct, 0);
        });
        let anon = |kind| pages(&ledgers, Origin::Direct, true, kind);
        assert_eq!(anon(Kind::Io), 2);
        assert_eq!(anon(Kind::Sync), 1);
        assert_eq!(anon(Kind::Zswap), 1);
        assert_eq!(anon(Kind::Zero), 1);
        assert_eq!(anon(Kind::Dropped), 1);
        assert_eq!(pages(&ledgers, Origin::Direct, false, Kind::Zero), 1);
        assert_eq!(all_pages(&ledgers, Origin::Direct), 7);
        Ok(())
    }

    #[test]
    fn a_write_that_fails_is_no_write() -> Result {
        let ledgers = ledgers()?;
        let t = task(21);
        let dirty = |key| Folio::fake(key, true, false, true);
        let late = |origin| {
            let counts = &ledgers.swap_io.counts;
            counts.sum(|e| e.failed(origin, true).map_or(0, |c| c.pages.get()))
        };
        pinned(|pin| {
            let (at, irq) = (at(t, 2500), At::fake(task(22), 0, Context::Irq));
            window_begin(&ledgers, pin, &at, Window::Direct);
            // A synchronous device refuses the first write in the task, and takes the next one.
            block::bio(&ledgers, pin, &at, &Bio::fake(0x800, 0x6000, true, 1));
            block::swap_write_end(&ledgers, pin, &at, &SwapEnd::fake(0x800, true, true));
            vmscan::write(&ledgers, pin, &at, &dirty(0x6000));
            block::bio(&ledgers, pin, &at, &Bio::fake(0x800, 0x6000, true, 1));
            vmscan::write(&ledgers, pin, &at, &dirty(0x6000));
            // Two folios are queued. One of them fails later, while another window is open.
            block::bio(&ledgers, pin, &at, &Bio::fake(0xa00, 0x5000, false, 1));
            write_io(&ledgers, pin, t);
            block::bio(&ledgers, pin, &at, &Bio::fake(0xc00, 0x5000, false, 1));
            write_io(&ledgers, pin, t);
            vmscan::window_end(&ledgers, pin, &at, Window::Direct, 0);
            window_begin(&ledgers, pin, &at, Window::Kswapd);
            block::swap_write_end(&ledgers, pin, &irq, &SwapEnd::fake(0xc00, false, false));
            block::swap_write_end(&ledgers, pin, &irq, &SwapEnd::fake(0xa00, true, false));
            // The owner of this write is not known.
            block::swap_write_end(&ledgers, pin, &irq, &SwapEnd::fake(0xa00, true, false));
            vmscan::window_end(&ledgers, pin, &at, Window::Kswapd, 0);
        });
        let anon = |kind| pages(&ledgers, Origin::Direct, true, kind);
        assert_eq!(anon(Kind::Failed), 1);
        assert_eq!(anon(Kind::Sync), 1);
        assert_eq!(anon(Kind::Io), 2);
        assert_eq!((late(Origin::Direct), late(Origin::Kswapd)), (1, 0));
        assert_eq!(all_pages(&ledgers, Origin::Direct), 4);
        let devices = || ledgers.swap_io.devices();
        assert_eq!(devices().count(), 1);
        assert_eq!(devices().map(|d| d.pages()).sum::<u64>(), 3);
        Ok(())
    }

    #[test]
    fn what_zswap_writes_back_is_no_write_of_reclaims() -> Result {
        let ledgers = ledgers()?;
        let t = task(23);
        pinned(|pin| {
            let at = at(t, 2500);
            window_begin(&ledgers, pin, &at, Window::Direct);
            // One page is written back, one is left, and one is written back and fails later.
            assert!(zswap::writeback_begin(&ledgers, pin, &at));
            zswap::writeback_end(&ledgers, pin, &at, 1);
            assert!(zswap::writeback_begin(&ledgers, pin, &at));
            zswap::writeback_end(&ledgers, pin, &at, 2);
            assert!(zswap::writeback_begin(&ledgers, pin, &at));
            block::bio(&ledgers, pin, &at, &Bio::fake(0xe00, 0x5000, false, 1));
            zswap::writeback_end(&ledgers, pin, &at, 1);
            block::swap_write_end(&ledgers, pin, &at, &SwapEnd::fake(0xe00, true, false));
            vmscan::window_end(&ledgers, pin, &at, Window::Direct, 0);
        });
        let counts = &ledgers.swap_io.counts;
        assert_eq!(counts.sum(|e| e.zswap(Origin::Direct)), 2);
        assert_eq!(counts.sum(|e| e.zswap_worker.get()), 0);
        assert_eq!(counts.sum(|e| e.zswap_failed.get()), 1);
        let late = counts.sum(|e| e.failed(Origin::Direct, true).map_or(0, |c| c.pages.get()));
        assert_eq!((late, all_pages(&ledgers, Origin::Direct)), (0, 0));
        assert!(ledgers.swap_io.zswap.is_empty());
        Ok(())
    }

    #[test]
    fn without_the_zswap_probe_zero_is_unknown() -> Result {
        let ledgers = ledgers()?;
        ledgers
            .states
            .set_function(Function::ZswapStore, ProbeState::Failed(2));
        let t = task(6);
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(t, 900), Window::Direct);
            let clean = Folio::fake(0x5000, true, false, true);
            vmscan::write(&ledgers, pin, &at(t, 2000), &clean);
            vmscan::window_end(&ledgers, pin, &at(t, 900), Window::Direct, 0);
        });
        assert_eq!(pages(&ledgers, Origin::Direct, true, Kind::Unknown), 1);
        Ok(())
    }

    #[test]
    fn layers_cost_what_lies_between_them() -> Result {
        let ledgers = ledgers()?;
        let t = task(7);
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(t, 1000), Window::Direct);
            vmscan::write(&ledgers, pin, &at(t, 2500), &IO);
            block::bio(&ledgers, pin, &at(t, 2900), &Bio::fake(8, 0x4000, false, 1));
            nbd::send(&ledgers, pin, &at(t, 4000));
            vmscan::window_end(&ledgers, pin, &at(t, 1000), Window::Direct, 0);
        });
        let used = |layer| {
            ledgers.headroom.sum(|h| {
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
        let ledgers = ledgers()?;
        let t = task(8);
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(t, 1000), Window::Direct);
            let irq = At::fake(t, 0, Context::Irq);
            let softirq = At::fake(t, 3000, Context::Softirq);
            block::bio(&ledgers, pin, &irq, &Bio::fake(8, 0x4000, false, 1));
            nbd::send(&ledgers, pin, &softirq);
            vmscan::window_end(&ledgers, pin, &at(t, 1000), Window::Direct, 0);
            // This task is in no window, like kblockd.
            nbd::send(&ledgers, pin, &at(task(9), 3000));
        });
        let samples = |layer| {
            ledgers.headroom.sum(|h| {
                h.samples(Origin::Direct, layer)
                    .map_or(0, |s| s.count.get())
            })
        };
        let count = |get: fn(&crate::ledgers::cost::Cost, Layer) -> u64, layer| {
            ledgers.cost.sum(|c| get(c, layer))
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
        let ledgers = ledgers()?;
        let was = settings::enabled();
        pinned(|pin| {
            record(false);
            for context in [Context::Irq, Context::Softirq] {
                let above = At::fake(task(10), 3000, context);
                block::bio(&ledgers, pin, &above, &Bio::fake(10, 0x4000, false, 1));
                nbd::send(&ledgers, pin, &above);
            }
            record(was);
        });
        for &layer in Layer::ALL {
            let count = |get: fn(&Cost, Layer) -> Option<&Cell64>| {
                ledgers.cost.sum(|c| get(c, layer).map_or(0, Cell64::get))
            };
            assert_eq!(count(Cost::irq), 0);
            assert_eq!(count(Cost::softirq), 0);
        }
        Ok(())
    }

    #[test]
    fn tasks_inside_reclaim_are_forgotten_when_recording_ends() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            window_begin(&ledgers, pin, &at(task(10), 900), Window::Direct);
            // This is a writer of the helper, which is inside reclaim itself.
            ledgers.begin_own_window(task(11), Origin::Writer);
            window_begin(&ledgers, pin, &at(task(11), 900), Window::Direct);
            ledgers.pause();
            assert!(ledgers.windows.find(pin, task(10)).is_none());
            assert_eq!(ledgers.windows.usage().1, 1);
            ledgers.end_own_window(task(11));
            assert_eq!(ledgers.windows.usage().1, 0);
            // The slot can be used again.
            window_begin(&ledgers, pin, &at(task(11), 900), Window::Direct);
            vmscan::window_end(&ledgers, pin, &at(task(11), 900), Window::Direct, 1);
        });
        assert_eq!(ledgers.windows.usage().1, 0);
        assert_eq!(ledgers.cost.sum(|c| c.lost.preload.get()), 0);
        Ok(())
    }

    #[test]
    fn a_full_table_loses_and_says_so() -> Result {
        let ledgers = ledgers()?;
        let slots = ledgers.windows.usage().0;
        pinned(|pin| {
            for n in 0..2 * slots {
                window_begin(&ledgers, pin, &at(task(n), 900), Window::Direct);
            }
        });
        let lost = ledgers.cost.sum(|c| c.lost.slots.get());
        assert!(lost >= slots as u64);
        assert!(ledgers.windows.any_unslotted());
        pinned(|pin| {
            for n in 0..2 * slots {
                vmscan::window_end(&ledgers, pin, &at(task(n), 900), Window::Direct, 0);
            }
        });
        assert!(!ledgers.windows.any_unslotted());
        assert_eq!(ledgers.windows.usage().1, 0);
        assert_eq!(ledgers.cost.sum(|c| c.lost.preload.get()), 0);
        Ok(())
    }

    #[test]
    fn an_end_without_a_begin_is_counted() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| vmscan::window_end(&ledgers, pin, &at(task(10), 900), Window::Direct, 5));
        assert_eq!(ledgers.cost.sum(|c| c.lost.preload.get()), 1);
        Ok(())
    }
}

#[kunit_tests(reclaimwb_helper)]
mod hook {
    use super::*;

    /// `RWB_TARGET_PROACTIVE`: the folio is needed whether the node is short or not.
    const ASKED: u32 = 32;

    fn skipped(ledgers: &Ledgers, why: Skip) -> u64 {
        ledgers.write_around.sum(|l| l.skipped(why))
    }

    #[test]
    fn what_does_not_fit_is_left_to_the_kernel() -> Result {
        let ledgers = ledgers()?;
        let hook = FileHook::new(ledgers.clone())?;
        let page = Page::alloc_page(GFP_KERNEL)?;
        let unfit = [
            (1, Skip::BlockDevice),
            (2, Skip::SwapFile),
            (4, Skip::Deadlock),
            (8, Skip::NoDevice),
        ];
        for (flag, why) in unfit {
            let target = Target::fake(&page, 0, flag | ASKED);
            assert!(!hook.dirty_file(&DirtyFolio::fake(&target)));
            assert_eq!(skipped(&ledgers, why), 1);
        }
        assert_eq!(ledgers.write_around.sum(|l| l.queued[0].get()), 0);
        assert!(!hook.busy(0));
        Ok(())
    }

    #[test]
    fn a_page_of_no_file_is_taken_and_given_up() -> Result {
        let ledgers = ledgers()?;
        let hook = FileHook::new(ledgers.clone())?;
        let pages = [(); 8].map(|()| Page::alloc_page(GFP_KERNEL));
        for (i, page) in pages.iter().enumerate() {
            let page = page.as_ref().map_err(|_| ENOMEM)?;
            let target = Target::fake(page, i as u64, ASKED);
            // The same target is offered again while it may still be queued.
            assert!(hook.dirty_file(&DirtyFolio::fake(&target)));
            assert!(hook.dirty_file(&DirtyFolio::fake(&target)));
        }
        // The drop waits for the worker, which finds no inode of the pages.
        drop(hook);
        let sum = |get: fn(&crate::ledgers::write_around::WriteAround) -> u64| {
            ledgers.write_around.sum(get)
        };
        let (met, merged) = (sum(|l| l.met[0].get()), sum(|l| l.merged.get()));
        let queued = sum(|l| l.queued[0].get());
        assert_eq!(met, 16);
        assert_eq!(merged + queued, met);
        assert_eq!(
            queued,
            skipped(&ledgers, Skip::Gone)
                + skipped(&ledgers, Skip::Duplicate)
                + skipped(&ledgers, Skip::Dropped)
        );
        assert_eq!(sum(|l| l.windows.get()), 0);
        Ok(())
    }
}
