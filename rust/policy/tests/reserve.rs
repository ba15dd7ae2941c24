// SPDX-License-Identifier: GPL-2.0

//! The cost of a page in flight, and how many pages the reserves carry.

use reclaimwb_policy::{link::MIN_PAGES, reserve::Reserve};

/// A reserve of which a page in flight takes two pages.
fn of_two_a_page() -> Reserve {
    let mut reserve = Reserve::new();
    reserve.record_batch(32, 1000, 936);
    assert_eq!(reserve.cost_of(100), 200);
    reserve
}

#[test]
fn the_cost_rises_at_once() {
    let mut reserve = of_two_a_page();
    reserve.record_batch(32, 1000, 904);
    assert_eq!(reserve.cost_of(100), 300);
    assert_eq!(reserve.cost_of(0), 0);
}

#[test]
fn the_cost_falls_slowly() {
    let mut reserve = of_two_a_page();
    let mut before = 200;
    for _ in 0..10 {
        reserve.record_batch(32, 1000, 1000);
        let now = reserve.cost_of(100);
        assert!(
            now < before && now >= before * 7 / 8,
            "{now} after {before}"
        );
        before = now;
    }
    // The cost is halved in about ten batches, and falls to 0 in the end.
    assert!((90..=120).contains(&before), "{before}");
    for _ in 0..200 {
        reserve.record_batch(32, 1000, 1000);
    }
    assert_eq!(reserve.cost_of(1000), 0);
}

#[test]
fn a_large_fall_is_the_doing_of_others() {
    let mut reserve = Reserve::new();
    reserve.record_batch(32, 1_000_000, 0);
    assert_eq!(reserve.cost_of(100), 400);
}

#[test]
fn a_batch_of_nothing_tells_nothing() {
    let mut reserve = of_two_a_page();
    reserve.record_batch(0, 1000, 0);
    assert_eq!(reserve.cost_of(100), 200);
}

#[test]
fn the_limit_leaves_a_quarter_of_the_min_watermark() {
    let reserve = of_two_a_page();
    assert_eq!(reserve.limit(1000, 400, 0), 450);
    // The pages in flight have taken their part already.
    assert_eq!(reserve.limit(1000, 400, 50), 500);
    // One request is always allowed, and any number as long as the cost is not known.
    assert_eq!(reserve.limit(100, 400, 0), MIN_PAGES);
    assert_eq!(Reserve::new().limit(0, 400, 0), u32::MAX);
}
