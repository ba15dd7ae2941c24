// SPDX-License-Identifier: GPL-2.0

//! Where the time of a request goes: the events may come in any order, and all of the time is
//! accounted for.

use proptest::prelude::*;
use reclaimwb_policy::nbd::{blame, split, RequestWaits, Stamps};
use reclaimwb_words::Phase;

fn part(parts: &[u64; Phase::COUNT], phase: Phase) -> u64 {
    parts[phase as usize]
}

/// Half of the time this is 0, which means "not reached".
fn stamp() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1u64..1000, any::<u64>()]
}

prop_compose! {
    fn any_stamps()(
        queued in any::<u64>(),
        sending in stamp(),
        header in stamp(),
        payload in stamp(),
        replied in stamp(),
        requeued in prop_oneof![4 => Just(0), 1 => any::<u64>()],
    ) -> Stamps {
        Stamps { queued, sending, header, payload, replied, requeued }
    }
}

proptest! {
    /// The parts sum to the time of the attempt, whatever the events say.
    #[test]
    fn the_parts_sum_to_the_whole(stamps in any_stamps(), end in any::<u64>()) {
        let (parts, _) = split(&stamps, end);
        let from = if stamps.requeued != 0 { stamps.requeued } else { stamps.queued };
        let sum = parts.iter().fold(0u64, |a, p| a.wrapping_add(*p));
        prop_assert_eq!(sum, end.saturating_sub(from));
    }

    /// If the events come in their order, each part is the time between two of them.
    #[test]
    fn in_order_each_part_is_the_time_between(
        from in 1u64..1_000_000,
        d in prop::array::uniform5(0u64..1_000_000),
    ) {
        let sending = from + d[0];
        let header = sending + d[1];
        let payload = header + d[2];
        let replied = payload + d[3];
        let stamps = Stamps { queued: from, sending, header, payload, replied, requeued: 0 };
        let (parts, at) = split(&stamps, replied + d[4]);
        prop_assert_eq!(&parts[..5], &d[..]);
        prop_assert_eq!(part(&parts, Phase::Requeued), 0);
        prop_assert_eq!(at, Phase::Reply);
    }

    /// A reply that is seen before the sender has reported that all is sent ends the sending. The
    /// server has no time then, and later events change nothing.
    #[test]
    fn an_early_reply_ends_the_sending(
        from in 1u64..1_000_000,
        d in prop::array::uniform5(0u64..1_000_000),
    ) {
        let sending = from + d[0];
        let header = sending + d[1];
        let replied = header + d[2];
        let payload = replied + d[3];
        let mut stamps = Stamps { queued: from, sending, header, payload, replied, requeued: 0 };
        let (parts, at) = split(&stamps, payload + d[4]);
        prop_assert_eq!(part(&parts, Phase::Payload), d[2]);
        prop_assert_eq!(part(&parts, Phase::Server), 0);
        prop_assert_eq!(part(&parts, Phase::Reply), d[3] + d[4]);
        prop_assert_eq!(at, Phase::Reply);
        stamps.payload = 0;
        prop_assert_eq!(split(&stamps, payload + d[4]).0[Phase::Reply as usize], d[3] + d[4]);
    }

    /// A reply from before the send began does not belong to this attempt.
    #[test]
    fn a_stale_reply_is_nobodys(from in 1000u64..2000, sent in 1u64..500, stale in 1u64..1000) {
        let sending = from + 10;
        let mut stamps = Stamps {
            queued: from,
            sending,
            header: sending + 1,
            payload: sending + sent,
            replied: 0,
            requeued: 0,
        };
        let without = split(&stamps, sending + 1000);
        stamps.replied = stale;
        prop_assert_eq!(split(&stamps, sending + 1000), without);
        prop_assert_eq!(without.1, Phase::Server);
    }
}

#[test]
fn one_that_found_no_connection_waited_for_it() {
    let stamps = Stamps {
        queued: 100,
        ..Stamps::default()
    };
    let (parts, at) = split(&stamps, 350);
    assert_eq!(part(&parts, Phase::Lock), 250);
    assert_eq!(at, Phase::Lock);
}

#[test]
fn one_whose_send_failed_was_being_sent() {
    let stamps = Stamps {
        queued: 100,
        sending: 120,
        header: 130,
        ..Stamps::default()
    };
    let (parts, at) = split(&stamps, 350);
    assert_eq!(part(&parts, Phase::Payload), 220);
    assert_eq!(at, Phase::Payload);
}

prop_compose! {
    fn any_waits()(lock in stamp(), send in stamp(), other in stamp()) -> RequestWaits {
        // These are nanoseconds since boot, which are not more than this.
        RequestWaits { lock: lock >> 8, send: send >> 8, other: other >> 8 }
    }
}

proptest! {
    /// The time blamed on requests is what the task knows, and of the rest at most the time for
    /// which requests were under way. Nothing of that is lost.
    #[test]
    fn blame_adds_up(
        waits in any_waits(),
        spent in prop::array::uniform6(prop_oneof![Just(0), 0u64..10_000_000_000, any::<u64>().prop_map(|ns| ns >> 8)]),
    ) {
        let blamed = blame(&waits, &spent);
        let all: u64 = spent.iter().sum();
        prop_assert_eq!(blamed.iter().sum::<u64>(), waits.lock + waits.send + waits.other.min(all));
        prop_assert!(part(&blamed, Phase::Lock) >= waits.lock);
        prop_assert!(part(&blamed, Phase::Payload) >= waits.send);
    }

    /// The rest is split in proportion, with an error of at most a thousandth of the whole.
    #[test]
    fn blame_is_in_proportion(other in 0u64..1_000_000_000_000, spent in prop::array::uniform6(0u64..10_000_000_000)) {
        let blamed = blame(&RequestWaits { other, ..RequestWaits::default() }, &spent);
        let all: u64 = spent.iter().sum();
        let shared = u128::from(other.min(all));
        for (got, ns) in blamed.iter().zip(&spent) {
            let want = shared * u128::from(*ns) / u128::from(all.max(1));
            prop_assert!(u128::from(*got).abs_diff(want) <= shared / 1000 + 6, "{got} for {want}");
        }
    }

    /// Without a request under way, only the time that the task itself knows is blamed on requests.
    #[test]
    fn nobody_is_blamed_for_nothing(waits in any_waits()) {
        let blamed = blame(&waits, &[0; Phase::COUNT]);
        prop_assert_eq!(blamed.iter().sum::<u64>(), waits.lock + waits.send);
    }
}
