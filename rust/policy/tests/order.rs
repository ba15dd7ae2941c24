// SPDX-License-Identifier: GPL-2.0

//! Tests of the order in which requests are submitted.

use proptest::prelude::*;
use reclaimwb_policy::order::{next_index, Place};

/// Returns the places in the order in which a writer submits them that was at `last`.
fn submitted(mut places: Vec<Place>, mut last: Place) -> Vec<Place> {
    places.sort_unstable();
    let mut order = Vec::new();
    while !places.is_empty() {
        last = places.remove(next_index(&places, last, |&place| place));
        order.push(last);
    }
    order
}

fn places() -> impl Strategy<Value = Vec<Place>> {
    proptest::collection::vec(
        (0u32..4, 0u64..1000).prop_map(|(area, slot)| Place { area, slot }),
        1..100,
    )
}

/// The requests of two areas on one disk are not mixed, so that neighbours stay together.
#[test]
fn one_area_follows_the_other() {
    let mixed = (0..64).map(|n| Place {
        area: n % 2,
        slot: u64::from(n / 2) * 32,
    });
    let order = submitted(mixed.collect(), Place::default());
    let apart = |pair: &&[Place]| pair[0].area != pair[1].area || pair[1].slot != pair[0].slot + 32;
    assert_eq!(order.windows(2).filter(apart).count(), 1);
}

proptest! {
    /// The writer goes up, and starts again once at most: nothing is passed by for long.
    #[test]
    fn it_goes_up_and_starts_again_once(places in places(), area in 0u32..4, slot in 0u64..1000) {
        let last = Place { area, slot };
        let order = submitted(places.clone(), last);
        prop_assert_eq!(order.len(), places.len());
        let below = order.iter().position(|&place| place < last).unwrap_or(order.len());
        prop_assert!(order[..below].is_sorted() && order[below..].is_sorted());
        prop_assert!(order[below..].iter().all(|&place| place < last));
    }
}
