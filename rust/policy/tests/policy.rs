// SPDX-License-Identifier: GPL-2.0

//! Property tests of the policy code, each against a simple model.

use std::collections::HashSet;

use proptest::prelude::*;
use reclaimwb_policy::{
    classify::{caller, function_name, is_iterator, Caller},
    frames::{sizes, Frame},
    hist,
    nest::{Nest, MAX_NEST},
    ratelimit, slots,
};

proptest! {
    /// A `Nest` is a stack of origins that does not know those deeper than MAX_NEST.
    #[test]
    fn nest_is_a_stack(steps in prop::collection::vec(prop::option::of(0u8..10), 0..200)) {
        let mut nest = Nest::default();
        let mut model: Vec<u8> = Vec::new();
        for step in steps {
            match step {
                Some(origin) => {
                    let (next, told) = nest.push(origin);
                    nest = next;
                    prop_assert_eq!(told, model.len() < MAX_NEST as usize);
                    model.push(origin);
                }
                None => {
                    let (next, popped) = nest.pop();
                    nest = next;
                    let deep = model.len() > MAX_NEST as usize;
                    let expected = model.pop();
                    prop_assert_eq!(popped, if deep { None } else { expected });
                }
            }
            prop_assert_eq!(nest.depth() as usize, model.len());
            prop_assert_eq!(nest.is_empty(), model.is_empty());
            let told = model.len() <= MAX_NEST as usize;
            prop_assert_eq!(nest.top(), if told { model.last().copied() } else { None });
            prop_assert_eq!(nest.bottom(), model.first().copied());
        }
    }

    /// A value lies in its bucket.
    #[test]
    fn bucket_holds_its_values(v in any::<u64>()) {
        let b = hist::bucket(v);
        prop_assert!(b < hist::BUCKETS);
        prop_assert!(hist::lower_bound(b) <= v);
        if b + 1 < hist::BUCKETS {
            prop_assert!(v < hist::lower_bound(b + 1));
        }
    }

    /// The places of a key lie in the table, are all different, and are as many as possible.
    #[test]
    fn probe_sequence_stays_inside(key in any::<u64>(), log in 0u32..16) {
        let len = 1usize << log;
        let places: Vec<usize> = slots::probe_sequence(key, len).collect();
        prop_assert_eq!(places.len(), slots::MAX_PROBES.min(len));
        prop_assert!(places.iter().all(|&p| p < len));
        let mut unique = places.clone();
        unique.sort_unstable();
        unique.dedup();
        prop_assert_eq!(unique.len(), places.len());
    }

    /// Neighbouring ids, and addresses of aligned objects, begin at different places.
    #[test]
    fn neighbouring_keys_are_spread(first in any::<u64>(), align in 0u32..13) {
        let keys = (0..64u64).map(|i| first.wrapping_add(i << align));
        let places: HashSet<_> = keys
            .filter_map(|key| slots::probe_sequence(key, 1024).next())
            .collect();
        prop_assert!(places.len() >= 32, "{} places", places.len());
    }

    /// Two events that pass are at least an interval apart. A clock that steps back silences the
    /// events for an interval at most.
    #[test]
    fn rate_is_limited(times in prop::collection::vec(0u64..10_000, 1..100), interval in 1u64..1000) {
        let mut due = 0;
        let mut last: Option<u64> = None;
        for now in times {
            match ratelimit::pass(now, due, interval) {
                Some(next) => {
                    if let Some(last) = last {
                        prop_assert!(now >= last + interval || now < last);
                    }
                    prop_assert_eq!(next, now + interval);
                    due = next;
                    last = Some(now);
                }
                None => prop_assert!(now < due && due - now <= interval),
            }
        }
    }

    /// For a stack of known frames the sizes of the frames are found, whatever the locals hold. The
    /// frames of the probe are left out.
    #[test]
    fn frames_of_a_known_stack(
        locals in prop::collection::vec(0usize..40, 1..30),
        own in 0usize..5,
        filler in 1usize..1000,
    ) {
        // Words have addresses from 0x1000 up. Return addresses are 0xf000_0000 + i.
        let base = 0x1000usize;
        let ret = |i: usize| 0xf000_0000 + i;
        // The call stored the innermost return address just below sp.
        let mut words = vec![ret(0)];
        let mut expected = Vec::new();
        for (i, &n) in locals.iter().enumerate() {
            words.extend(std::iter::repeat_n(filler, n));
            let mut bytes = n * 8;
            // A frame ends with its own return address into its caller. The outermost frame has
            // none.
            if i + 1 < locals.len() {
                words.push(ret(i + 1));
                bytes += 8;
            }
            expected.push(Frame { addr: ret(i), bytes: bytes as u32 });
        }
        let sp = base + 8;
        let top = base + words.len() * 8;
        let mut trace: Vec<usize> = (0..own).map(|i| 0xe000_0000 + i).collect();
        trace.extend((0..locals.len()).map(ret));

        let mut frames = [Frame::default(); 64];
        let n = sizes(&trace, sp, top, |a| words[(a - base) / 8], &mut frames);
        prop_assert_eq!(&frames[..n], &expected[..]);
        let sum: u32 = frames[..n].iter().map(|f| f.bytes).sum();
        prop_assert_eq!(sum as usize, top - sp);
    }

    /// Whatever the stack and the trace hold, nothing is read outside of the stack, and the sizes
    /// add up.
    #[test]
    fn frames_of_any_stack(
        words in prop::collection::vec(0usize..8, 1..200),
        trace in prop::collection::vec(0usize..8, 0..20),
        room in 0usize..12,
        at in 0usize..200,
    ) {
        let base = 0x1000usize;
        let top = base + words.len() * 8;
        let sp = base + 8 + 8 * (at % words.len());
        let mut frames = vec![Frame::default(); room];
        let n = sizes(&trace, sp, top, |a| {
            assert!(a % 8 == 0 && a >= sp - 8 && a < top, "read outside");
            words[(a - base) / 8]
        }, &mut frames);
        prop_assert!(n <= room);
        if n > 0 {
            let sum: usize = frames[..n].iter().map(|f| f.bytes as usize).sum();
            prop_assert_eq!(sum, top - sp);
        }
    }
}

#[test]
fn a_stack_that_is_none_is_not_read() {
    let mut frames = [Frame::default(); 4];
    let none = |sp, top, frames: &mut [Frame]| {
        sizes(&[1], sp, top, |at| panic!("read at {at:#x}"), frames)
    };
    assert_eq!(none(0, 0x1000, &mut frames), 0);
    assert_eq!(none(0x1004, 0x2000, &mut frames), 0);
    assert_eq!(none(0x1008, 0x1000, &mut frames), 0);
}

/// The outermost function may use no stack, but it has a frame.
#[test]
fn a_frame_of_nothing_is_one() {
    let mut frames = [Frame::default(); 4];
    assert_eq!(sizes(&[7], 0x1008, 0x1008, |_| 7, &mut frames), 1);
    assert_eq!(frames[0], Frame { addr: 7, bytes: 0 });
}

#[test]
fn events_are_an_interval_apart() {
    assert_eq!(ratelimit::pass(99, 100, 50), None);
    assert_eq!(ratelimit::pass(100, 100, 50), Some(150));
    // After the clock was set back, an interval has to pass, and no more.
    assert_eq!(ratelimit::pass(50, 100, 50), None);
    assert_eq!(ratelimit::pass(49, 100, 50), Some(99));
}

#[test]
fn hist_bounds() {
    assert_eq!([0, 63, 64, 127, 128].map(hist::bucket), [0, 0, 1, 1, 2]);
    assert_eq!(hist::lower_bound(0), 0);
    assert_eq!(hist::lower_bound(1), 64);
    assert_eq!(hist::lower_bound(hist::BUCKETS - 1), 32_768);
    assert_eq!(hist::lower_bound(hist::BUCKETS), u64::MAX);
    for big in [32_768, 65_536, u64::MAX] {
        assert_eq!(hist::bucket(big), hist::BUCKETS - 1);
    }
    for b in 0..hist::BUCKETS {
        assert_eq!(hist::bucket(hist::lower_bound(b)), b);
    }
}

#[test]
fn iterators_over_probes() {
    for symbol in [
        "__traceiter_mm_vmscan_write_folio+0x4b/0x70",
        "__traceiter_nbd_send_request+0x1/0x70 [nbd]",
    ] {
        assert!(is_iterator(symbol), "{symbol}");
        assert_eq!(caller(symbol), Caller::Locking, "{symbol}");
    }
    assert!(!is_iterator("trace_iter+0x1/0x2"));
    assert!(!is_iterator("shrink_folio_list+0x1/0x2"));
}

#[test]
fn names_are_stripped() {
    assert_eq!(function_name("reclaim_high+0x1a/0x90"), "reclaim_high");
    assert_eq!(
        function_name("reclaim_high.isra.0+0x1/0x2 [m]"),
        "reclaim_high"
    );
    assert_eq!(function_name("0xffffffff81000000"), "0xffffffff81000000");
    assert_eq!(function_name(""), "");
}

#[test]
fn callers_are_told_apart() {
    assert_eq!(caller("try_charge_memcg+0x1/0x2"), Caller::MemcgMax);
    assert_eq!(
        caller("reclaim_high.constprop.0+0x1/0x2"),
        Caller::MemcgHigh
    );
    assert_eq!(
        caller("user_proactive_reclaim+0x1/0x2"),
        Caller::MemcgReclaim
    );
    assert_eq!(caller("reclaim_pages+0x1/0x2"), Caller::Pages);
    assert_eq!(caller("try_to_free_pages+0x1/0x2"), Caller::Window);
    // Names that are only similar tell nothing.
    assert_eq!(caller("try_charge_memcg_not+0x1/0x2"), Caller::Unrelated);
    assert_eq!(caller("shrink_folio_list+0x1/0x2"), Caller::Unrelated);
    // Functions of drivers, in C or Rust, may be named like a part of a lock or allocator.
    for other in [
        "down_the_drain",
        "alloc_rx_ring",
        "__alloc_descriptors",
        "refill_rx_ring",
        "queued_work",
        "rwb_something",
        "_RNvNtCs1234_5rnull4disk6submit",
    ] {
        let symbol = format!("{other}+0x1/0x2 [driver]");
        assert_eq!(caller(&symbol), Caller::Unrelated, "{symbol}");
    }
    for ours in [
        "rwb_probe_contention_begin",
        "_RNvNtCs1234_9reclaimwb6probes4lock",
    ] {
        let symbol = format!("{ours}+0x1/0x2 [reclaimwb]");
        assert_eq!(caller(&symbol), Caller::Locking, "{symbol}");
    }
    for lock in [
        "down",
        "down_read_killable",
        "rwsem_down_read_slowpath",
        "__mutex_lock.constprop.0",
        "bpf_trampoline_6442519839+0x5b/0x104",
    ] {
        assert_eq!(caller(lock), Caller::Locking, "{lock}");
    }
}

/// Each caller is told by a name, and is kept by the cache.
#[test]
fn each_caller_is_told_and_kept() {
    let told = [
        ("whoever", Caller::Unrelated),
        ("memory_max_write", Caller::MemcgMax),
        ("mem_cgroup_resize_max", Caller::MemcgMax),
        ("memory_high_write", Caller::MemcgHigh),
        ("memory_reclaim", Caller::MemcgReclaim),
        ("mem_cgroup_force_empty", Caller::MemcgReclaim),
        ("reclaim_pages", Caller::Pages),
        ("shrink_all_memory", Caller::Hibernation),
        ("balance_pgdat", Caller::Window),
        ("mutex_lock", Caller::Locking),
        ("folio_batch_move_lru", Caller::Lru),
        ("nbd_queue_rq", Caller::Nbd),
        ("recv_work", Caller::NbdReceive),
        ("net_rx_action", Caller::NetReceive),
        ("get_page_from_freelist", Caller::Allocating),
        ("allocate_slab", Caller::Slab),
        ("swap_writeout", Caller::SwapAdd),
        ("swap_read_folio", Caller::SwapRead),
        ("read_pages", Caller::FileRead),
        ("blkcg_maybe_throttle_current", Caller::IoThrottle),
    ];
    for (name, who) in told {
        assert_eq!(caller(&format!("{name}+0x1/0x2")), who, "{name}");
        assert_eq!(Caller::from_u8(who as u8), Some(who), "{name}");
    }
    let kept = (0..=u8::MAX).filter_map(|v| Caller::from_u8(v).map(|who| (v, who)));
    let mut n = 0;
    for (v, who) in kept {
        assert_eq!(who as u8, v);
        assert!(told.iter().any(|t| t.1 == who), "no name tells {who:?}");
        n += 1;
    }
    assert_eq!(n, 18);
}
