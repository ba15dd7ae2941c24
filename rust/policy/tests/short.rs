// SPDX-License-Identifier: GPL-2.0

//! Tests of what is short of memory.

use proptest::prelude::*;
use reclaimwb_policy::short::{cgroup_is_near_limit, zone_has_enough, ZonePages, CGROUP_MARGIN};

const ZONE: ZonePages = ZonePages {
    free: 0,
    low: 100,
    high: 120,
    reserve: 30,
};

fn has_enough(free: u64, order: u32) -> bool {
    zone_has_enough(&ZonePages { free, ..ZONE }, order)
}

#[test]
fn a_zone_needs_its_watermark_its_reserve_and_some_more() {
    assert!(!has_enough(120 + 30 + 10 - 1, 0));
    assert!(has_enough(120 + 30 + 10, 0));
}

#[test]
fn a_block_needs_room_for_compaction() {
    for (order, gap) in [(1, 4), (3, 16), (9, 1024)] {
        assert!(!has_enough(120 + 30 + 10 + gap - 1, order));
        assert!(has_enough(120 + 30 + 10 + gap, order));
    }
}

#[test]
fn a_cgroup_is_near_its_limit_within_the_margin() {
    let limit = 6400;
    let near = limit - 100 - CGROUP_MARGIN;
    assert!(!cgroup_is_near_limit(near - 1, limit));
    assert!(cgroup_is_near_limit(near, limit));
    assert!(cgroup_is_near_limit(0, 0));
    // The kernel's value for no limit.
    assert!(!cgroup_is_near_limit(1 << 40, u64::MAX >> 12));
}

proptest! {
    #[test]
    fn more_free_pages_are_never_less_enough(
        free in any::<u64>(), low in any::<u64>(), high in any::<u64>(), reserve in any::<u64>(),
        order in 0u32..64,
    ) {
        let zone = ZonePages { free, low, high, reserve };
        let more = ZonePages { free: free.saturating_add(1), ..zone };
        prop_assert!(!zone_has_enough(&zone, order) || zone_has_enough(&more, order));
        prop_assert!(!zone_has_enough(&zone, order + 1) || zone_has_enough(&zone, order));
        prop_assert!(!cgroup_is_near_limit(low, high) || cgroup_is_near_limit(low.saturating_add(1), high));
    }
}
