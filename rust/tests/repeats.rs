// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of what is only counted, as it is like the one before.

use super::{
    all_pages,
    at,
    ledgers,
    pages,
    task,
    window_begin, //
};
use crate::{
    kernel_ext::percpu::{
        pinned,
        Pinned, //
    },
    ledgers::{
        repeats::{
            EventKey,
            RepeatResult, //
        },
        windows::Slot,
        Ledgers, //
    },
    probes::{
        block,
        nbd,
        net,
        vmscan, //
    },
    shim::{
        nbd::Bio,
        At,
        Folio, //
    },
    words::{
        EndReason,
        Event,
        Kind,
        Layer,
        Origin,
        Window, //
    },
};
use kernel::prelude::*;

const FACTS: usize = 0x40;

fn here(n: usize) -> At {
    At {
        sp: 0x10_0000 + n * 0x1000,
        ..at(task(n), 2000)
    }
}

fn folio(key: usize) -> Folio {
    Folio {
        facts: FACTS,
        ..Folio::fake(key, true, false, true)
    }
}

fn bio(last: usize) -> Bio {
    Bio {
        facts: FACTS,
        ..Bio::fake(0x9000, last, true, 1)
    }
}

fn same(n: usize) -> EventKey {
    EventKey::new(&here(n), FACTS, 1)
}

fn same_bio(n: usize) -> EventKey {
    EventKey {
        cgroup: 0,
        ..same(n)
    }
}

fn begin(ledgers: &Ledgers, pin: &Pinned<'_>, n: usize, window: Window) {
    window_begin(ledgers, pin, &at(task(n), 900), window);
}

fn end(ledgers: &Ledgers, pin: &Pinned<'_>, n: usize, window: Window) {
    vmscan::window_end(ledgers, pin, &at(task(n), 900), window, 1);
}

fn slot<'a>(ledgers: &'a Ledgers, pin: &Pinned<'_>, n: usize) -> Result<&'a Slot> {
    ledgers.windows.find(pin, task(n)).ok_or(ENOENT)
}

fn samples(ledgers: &Ledgers, layer: Layer) -> [u64; 3] {
    let sum = |get: fn(&crate::ledgers::headroom::Samples) -> u64| {
        ledgers
            .headroom
            .sum(|h| h.samples(Origin::Direct, layer).map_or(0, get))
    };
    [
        sum(|s| s.count.get()),
        sum(|s| s.used_count.get()),
        sum(|s| s.used_sum.get()),
    ]
}

fn counted(ledgers: &Ledgers, event: Event) -> u64 {
    ledgers
        .cost
        .sum(|c| c.repeats(event).map_or(0, |e| e.handled.get()))
}

#[kunit_tests(reclaimwb_again)]
mod suite {
    use super::*;

    #[test]
    fn a_write_like_the_one_before_is_counted_and_recorded_later() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            begin(&ledgers, pin, 1, Window::Direct);
            vmscan::write(&ledgers, pin, &here(1), &folio(0x5000));
            let slot = slot(&ledgers, pin, 1)?;
            for key in [0x6000, 0x7000, 0x8000] {
                assert!(slot.count_repeated_write(&same(1), key) == RepeatResult::Counted);
            }
            assert_eq!(pages(&ledgers, Origin::Direct, true, Kind::Zero), 1);
            // Anything else that would be recorded.
            let others = [
                EventKey { sp: 8, ..same(1) },
                EventKey {
                    caller: 8,
                    ..same(1)
                },
                EventKey {
                    facts: 8,
                    ..same(1)
                },
                EventKey {
                    cgroup: 8,
                    ..same(1)
                },
            ];
            for other in others {
                assert!(slot.count_repeated_write(&other, 0x9000) == RepeatResult::Differs);
            }
            slot.set_zswapped(0x9000);
            assert!(slot.count_repeated_write(&same(1), 0x9000) == RepeatResult::Differs);
            end(&ledgers, pin, 1, Window::Direct);
            Ok::<(), Error>(())
        })?;
        assert_eq!(pages(&ledgers, Origin::Direct, true, Kind::Zero), 4);
        assert_eq!(all_pages(&ledgers, Origin::Direct), 4);
        assert_eq!(samples(&ledgers, Layer::Write), [4, 4, 4 * 1100]);
        assert_eq!(counted(&ledgers, Event::WriteFolio), 3);
        Ok(())
    }

    #[test]
    fn not_too_many_are_counted_before_they_are_recorded() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            begin(&ledgers, pin, 1, Window::Direct);
            vmscan::write(&ledgers, pin, &here(1), &folio(0x5000));
            let slot = slot(&ledgers, pin, 1)?;
            let mut counted = 0;
            while slot.count_repeated_write(&same(1), 0x6000) == RepeatResult::Counted {
                counted += 1;
            }
            assert_eq!(counted, 31);
            ledgers.measure_and_record(pin, slot, Event::WriteFolio);
            assert_eq!(pages(&ledgers, Origin::Direct, true, Kind::Zero), 33);
            assert!(slot.count_repeated_write(&same(1), 0x6000) == RepeatResult::Counted);
            end(&ledgers, pin, 1, Window::Direct);
            Ok::<(), Error>(())
        })?;
        assert_eq!(pages(&ledgers, Origin::Direct, true, Kind::Zero), 34);
        assert_eq!(counted(&ledgers, Event::WriteFolio), 33);
        assert_eq!(
            ledgers
                .cost
                .sum(|c| c.repeats(Event::WriteFolio).map_or(0, |e| e.sampled.get())),
            1
        );
        Ok(())
    }

    #[test]
    fn another_window_is_another_origin_and_one_like_the_last_is_not() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            begin(&ledgers, pin, 1, Window::Kswapd);
            vmscan::write(&ledgers, pin, &here(1), &folio(0x5000));
            let slot = slot(&ledgers, pin, 1)?;
            assert!(slot.count_repeated_write(&same(1), 0x6000) == RepeatResult::Counted);
            begin(&ledgers, pin, 1, Window::MemcgSoft);
            // What was counted is recorded for whom it was.
            assert_eq!(all_pages(&ledgers, Origin::Kswapd), 2);
            assert!(slot.count_repeated_write(&same(1), 0x6000) == RepeatResult::Differs);
            end(&ledgers, pin, 1, Window::MemcgSoft);
            assert!(slot.count_repeated_write(&same(1), 0x6000) == RepeatResult::Counted);
            end(&ledgers, pin, 1, Window::Kswapd);
            assert!(slot.count_repeated_write(&same(1), 0x6000) == RepeatResult::Differs);
            begin(&ledgers, pin, 1, Window::Kswapd);
            assert!(slot.count_repeated_write(&same(1), 0x6000) == RepeatResult::Counted);
            end(&ledgers, pin, 1, Window::Kswapd);
            begin(&ledgers, pin, 1, Window::Direct);
            assert!(slot.count_repeated_write(&same(1), 0x6000) == RepeatResult::Differs);
            end(&ledgers, pin, 1, Window::Direct);
            Ok::<(), Error>(())
        })?;
        assert_eq!(all_pages(&ledgers, Origin::Kswapd), 4);
        assert_eq!(all_pages(&ledgers, Origin::MemcgSoft), 0);
        assert_eq!(all_pages(&ledgers, Origin::Direct), 0);
        Ok(())
    }

    #[test]
    fn bios_of_a_device_that_writes_at_once_are_counted() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            begin(&ledgers, pin, 1, Window::Direct);
            let write = |key| {
                block::bio(&ledgers, pin, &here(1), &bio(key));
                vmscan::write(&ledgers, pin, &here(1), &folio(key));
            };
            write(0x5000);
            let slot = slot(&ledgers, pin, 1)?;
            // Of the first one the stack is measured from where the window was entered.
            assert!(slot.count_repeated_bio(&same_bio(1), 0x6000) == RepeatResult::Differs);
            write(0x6000);
            for key in [0x7000, 0x8000] {
                assert!(slot.count_repeated_bio(&same_bio(1), key) == RepeatResult::Counted);
                assert!(slot.count_repeated_write(&same(1), key) == RepeatResult::Counted);
            }
            // One that the device refused is looked at.
            assert!(slot.count_repeated_bio(&same_bio(1), 0x9000) == RepeatResult::Counted);
            slot.mark_refused();
            assert!(slot.count_repeated_write(&same(1), 0x9000) == RepeatResult::Differs);
            vmscan::write(&ledgers, pin, &here(1), &folio(0x9000));
            end(&ledgers, pin, 1, Window::Direct);
            Ok::<(), Error>(())
        })?;
        assert_eq!(pages(&ledgers, Origin::Direct, true, Kind::Sync), 4);
        assert_eq!(pages(&ledgers, Origin::Direct, true, Kind::Failed), 1);
        assert_eq!(samples(&ledgers, Layer::Bio)[0], 5);
        let ended = ledgers.batches.sum(|b| {
            b.origin(Origin::Direct)
                .map_or(0, |o| o.ended(EndReason::Sync))
        });
        assert_eq!(ended, 5);
        Ok(())
    }

    #[test]
    fn packets_of_a_request_are_counted() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            let packet = |place: usize| At {
                sp: here(1).sp - place,
                caller: place,
                ..at(task(1), 3000)
            };
            let key = |place| EventKey::new(&packet(place), 0, 0);
            begin(&ledgers, pin, 1, Window::Direct);
            // Outside of a request, nothing tells from where the stack is measured.
            net::xmit(&ledgers, pin, &packet(8)).ok_or(ENOENT)?;
            let slot = slot(&ledgers, pin, 1)?;
            assert!(slot.count_repeated_packet(&key(8)) == RepeatResult::Differs);
            nbd::send(&ledgers, pin, &here(1));
            for place in [8, 16] {
                net::xmit(&ledgers, pin, &packet(place)).ok_or(ENOENT)?;
            }
            for place in [8, 16, 8] {
                assert!(slot.count_repeated_packet(&key(place)) == RepeatResult::Counted);
            }
            assert!(slot.count_repeated_packet(&key(24)) == RepeatResult::Differs);
            // A third sort takes the place of the first one.
            net::xmit(&ledgers, pin, &packet(24)).ok_or(ENOENT)?;
            assert!(slot.count_repeated_packet(&key(8)) == RepeatResult::Differs);
            assert!(slot.count_repeated_packet(&key(16)) == RepeatResult::Counted);
            end(&ledgers, pin, 1, Window::Direct);
            Ok::<(), Error>(())
        })?;
        assert_eq!(counted(&ledgers, Event::NetXmit), 4);
        assert_eq!(samples(&ledgers, Layer::Net)[0], 8);
        Ok(())
    }

    #[test]
    fn what_was_counted_is_recorded_when_recording_ends() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            begin(&ledgers, pin, 1, Window::Direct);
            vmscan::write(&ledgers, pin, &here(1), &folio(0x5000));
            let slot = slot(&ledgers, pin, 1)?;
            assert!(slot.count_repeated_write(&same(1), 0x6000) == RepeatResult::Counted);
            ledgers.pause();
            assert!(slot.count_repeated_write(&same(1), 0x6000) == RepeatResult::Differs);
            Ok::<(), Error>(())
        })?;
        assert_eq!(all_pages(&ledgers, Origin::Direct), 2);
        Ok(())
    }

    #[test]
    fn functions_rest_where_swap_does_at_once_what_it_is_told() -> Result {
        use crate::words::Function;

        let ledgers = ledgers()?;
        let needs = &ledgers.needs;
        for _ in 0..127 {
            needs.note_access(true, 1);
        }
        assert!(needs.function(Function::SwapSubmit));
        // One more would say so to the probes that this kernel really has.
        needs.note_access(false, 1);
        for _ in 0..127 {
            needs.note_access(true, 1);
        }
        assert!(needs.function(Function::SwapSubmit) && needs.function(Function::SwapRead));
        assert!(needs.function(Function::ZswapStore) && !needs.zswap_is_off());
        needs.note_zswap_off();
        assert!(!needs.function(Function::ZswapStore));
        needs.note_zswap_switching(true);
        needs.note_zswap_off();
        assert!(needs.function(Function::ZswapStore));
        needs.note_zswap_switched(true);
        assert!(needs.function(Function::ZswapStore));
        needs.note_zswap_switching(false);
        assert!(needs.function(Function::ZswapStore));
        needs.note_zswap_switched(true);
        assert!(!needs.function(Function::ZswapStore));
        Ok(())
    }
}
