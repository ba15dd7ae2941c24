// SPDX-License-Identifier: GPL-2.0

//! What is known of a device's link, and when that is learned and forgotten, one round trip after
//! the other.

use std::collections::VecDeque;

use proptest::prelude::*;
use reclaimwb_policy::link::{
    batch, Link, RequestStamp, DRAIN_NS, LEAST, MAX_BATCH, MIN_PAGES, MOST, RATE_NS, RTT_NS,
};

const MS: u64 = 1_000_000;
const SEC: u64 = 1000 * MS;

/// Most tests have round trips of 10 ms, with so many pages that the rate is 32,000 a second.
const PAGES: u32 = 320;
const ROUND: u64 = 10 * MS;

/// A link to which one request is given at a time.
struct SerialLink {
    link: Link,
    now: u64,
}

impl SerialLink {
    fn new() -> Self {
        let link = Link::new();
        Self { link, now: SEC }
    }

    /// A request takes `ns`. `limited` means that there was no more to write.
    fn trip(&mut self, pages: u32, ns: u64, limited: bool) {
        let sent = self.link.sent(0, limited, self.now);
        self.now += ns;
        self.link.done(pages, sent, 0, self.now);
    }

    /// Repeats such round trips for a time.
    fn trips(&mut self, pages: u32, ns: u64, during: u64) {
        let until = self.now + during;
        while self.now < until {
            self.trip(pages, ns, false);
        }
    }
}

#[test]
fn nothing_is_known_of_a_new_line() {
    let link = Link::default();
    assert_eq!((link.rate(), link.rtt(), link.delivered()), (0, 0, 0));
    assert!(!link.is_known() && !link.is_draining());
    assert_eq!(link.limit(), LEAST);
}

#[test]
fn what_is_delivered_is_counted() {
    let mut line = SerialLink::new();
    line.trip(5, MS, false);
    line.trip(7, MS, true);
    assert_eq!(line.link.delivered(), 12);
}

/// Time in which nothing was under way does not make the link slower.
#[test]
fn a_pause_makes_no_line_slower() {
    let mut line = SerialLink::new();
    for _ in 0..20 {
        line.trip(PAGES, ROUND, false);
        assert_eq!((line.link.rate(), line.link.rtt()), (32_000, ROUND));
        line.now += 400 * MS;
    }
}

/// The link is full when its rate has not risen by a quarter for three round trips.
#[test]
fn a_line_is_full_when_its_rate_no_longer_rises() {
    let known_after = |rises: fn(u64) -> u64| {
        let mut line = SerialLink::new();
        let mut pages = 1000;
        (0..20).find(|_| {
            line.trip(pages as u32, ROUND, false);
            pages = rises(pages);
            line.link.is_known()
        })
    };
    assert_eq!(known_after(|pages| pages), Some(3));
    // The rate rises by a good fifth in three round trips, and then by a good quarter.
    assert_eq!(known_after(|pages| pages * 107 / 100), Some(3));
    assert_eq!(known_after(|pages| pages * 109 / 100), None);
}

#[test]
fn requests_of_one_round_trip_count_once() {
    let mut link = Link::new();
    for round in 0..3u64 {
        let began = SEC + round * ROUND;
        let sent: Vec<RequestStamp> = (0..10).map(|n| link.sent(n * 32, false, began)).collect();
        for (left, sent) in (0..10).rev().zip(sent) {
            link.done(32, sent, left * 32, began + ROUND);
            assert!(!link.is_known());
        }
    }
}

/// If less was written than the limit allows, the link is not taken to be full or slow. But a
/// higher rate is believed.
#[test]
fn little_to_write_tells_nothing_unless_it_is_faster() {
    let mut line = SerialLink::new();
    for _ in 0..100 {
        line.trip(PAGES, ROUND, true);
        assert!(!line.link.is_known());
    }
    line.trip(PAGES, ROUND, false);
    for _ in 0..1000 {
        line.trip(PAGES / 10, ROUND, true);
    }
    assert_eq!(line.link.rate(), 32_000);
    line.trip(2 * PAGES, ROUND, true);
    assert_eq!(line.link.rate(), 64_000);
}

/// The highest rate is that of the last one to two periods.
#[test]
fn a_line_that_became_slow_is_known_to_be_after_two_periods() {
    for round in [7 * MS, 50 * MS] {
        let mut line = SerialLink::new();
        line.trips(1000, round, 3 * SEC);
        let fast = line.link.rate();
        assert_eq!(fast, 1000 * SEC / round);
        let became = line.now;
        while line.now + round <= became + RATE_NS {
            line.trip(500, round, false);
            assert_eq!(line.link.rate(), fast, "{} ms", (line.now - became) / MS);
        }
        line.trips(500, round, RATE_NS + 3 * round);
        assert_eq!(line.link.rate(), fast / 2);
    }
}

/// If a round trip takes nearly a second, five of them in a period would be too many to wait for,
/// and one is too few.
#[test]
fn a_line_that_became_very_slow_is_known_to_be_after_some_round_trips() {
    let mut line = SerialLink::new();
    line.trips(PAGES, ROUND, 3 * SEC);
    for _ in 0..3 {
        line.trip(PAGES, 900 * MS, false);
        assert_eq!(line.link.rate(), 32_000);
    }
    line.trip(PAGES, 900 * MS, false);
    assert_eq!(line.link.rate(), 355);

    let mut line = SerialLink::new();
    line.trips(PAGES, ROUND, 3 * SEC);
    for _ in 0..2 {
        line.trip(PAGES, 5 * SEC, false);
        assert_eq!(line.link.rate(), 32_000);
    }
    line.trip(PAGES, 5 * SEC, false);
    assert_eq!(line.link.rate(), 64);
}

/// The shortest round trip of the last one to two halves of a period is kept.
#[test]
fn a_round_trip_is_forgotten_after_a_period() {
    let mut line = SerialLink::new();
    line.trips(PAGES, ROUND, RTT_NS / 2 - SEC);
    // The second half begins shortly after 5 s.
    line.trips(PAGES, 3 * ROUND, RTT_NS / 2 - 10 * ROUND);
    assert_eq!(line.link.rtt(), ROUND);
    line.trips(PAGES, 3 * ROUND, 20 * ROUND);
    assert_eq!(line.link.rtt(), 3 * ROUND);
}

/// Returns a link whose shortest round trip was half a period ago, and is about to be forgotten.
fn long_ago() -> SerialLink {
    let mut line = SerialLink::new();
    line.trips(PAGES, ROUND, RTT_NS / 2 - SEC);
    line.trips(PAGES, 3 * ROUND, RTT_NS / 4 - 10 * ROUND);
    assert!(!line.link.is_draining());
    line
}

/// When the shortest round trip is about to be forgotten, it is measured again: for a while no more
/// than a request is under way. Then the limit is as before, for the rest of the period.
#[test]
fn a_line_is_drained_once_in_a_period() {
    let mut line = long_ago();
    while !line.link.is_draining() {
        line.trip(PAGES, 3 * ROUND, false);
        assert!(line.now < 8 * SEC);
    }
    assert_eq!(line.link.limit(), MIN_PAGES);
    let since = line.now;
    while line.link.is_draining() {
        line.trip(MIN_PAGES, ROUND, false);
        assert!(line.now < since + SEC);
    }
    let ns = line.now - since;
    assert!((DRAIN_NS..=DRAIN_NS + 3 * ROUND).contains(&ns), "{ns}");
    assert!(line.link.limit() > MIN_PAGES);
    while line.now < RTT_NS {
        line.trip(PAGES, 3 * ROUND, false);
        assert!(!line.link.is_draining());
    }
}

/// It is measured again in the next period, unless it has been seen meanwhile.
#[test]
fn a_line_is_drained_in_each_period_that_shows_nothing_shorter() {
    let mut line = SerialLink::new();
    let (mut ns, mut before, mut drained) = (ROUND, false, 0);
    while line.now < 40 * SEC {
        line.trip(PAGES, ns, false);
        ns += 1000;
        let is_draining = line.link.is_draining();
        drained += u32::from(is_draining && !before);
        before = is_draining;
    }
    assert!((6..=8).contains(&drained), "{drained} times");

    // A round trip that is as short as ever has been seen.
    let mut line = SerialLink::new();
    while line.now < 40 * SEC {
        line.trip(PAGES, ROUND, false);
        assert!(!line.link.is_draining());
    }
}

/// If round trips are long, draining takes one of them.
#[test]
fn a_long_line_is_drained_for_a_round_trip() {
    let mut line = SerialLink::new();
    line.trips(PAGES, 400 * MS, RTT_NS / 2 - SEC);
    while !line.link.is_draining() {
        line.trip(PAGES, 500 * MS, false);
        assert!(line.now < 9 * SEC);
    }
    // These are small requests, and none of them is shorter than the shortest one.
    let mut under_way = VecDeque::new();
    let took = (0..).map(|n| n * 100 * MS).find(|ns| {
        let (now, pages) = (line.now + ns, 8 * under_way.len() as u32);
        under_way.push_back(line.link.sent(pages, false, now));
        if under_way.len() > 4 {
            let sent = under_way.pop_front().unwrap();
            line.link.done(8, sent, pages, now);
        }
        !line.link.is_draining()
    });
    // The drain lasts until the first request has ended and no more than a request is under way,
    // and then as long again.
    assert_eq!(took, Some(800 * MS));
}

/// A link that does not drain, because its requests do not end, is given up after a while.
#[test]
fn a_line_that_does_not_drain_is_given_up() {
    let mut line = long_ago();
    let mut drained = 0;
    let mut since = 0;
    while line.now < 10 * SEC {
        let sent = line.link.sent(PAGES, false, line.now);
        line.now += 3 * ROUND;
        line.link.done(PAGES, sent, MIN_PAGES + 1, line.now);
        match (line.link.is_draining(), since) {
            (true, 0) => since = line.now,
            (false, 1..) => {
                drained = line.now - since;
                break;
            }
            _ => {}
        }
    }
    assert!(
        drained > 8 * DRAIN_NS && drained <= 8 * DRAIN_NS + 6 * ROUND,
        "{} ms",
        drained / MS
    );
}

/// The limit is twice what fills the link. Once it is known how much that is, one of eight round
/// trips has a quarter more, and the next one a quarter less.
#[test]
fn of_eight_round_trips_two_look_for_a_change() {
    let mut line = SerialLink::new();
    while !line.link.is_known() {
        line.trip(PAGES, 2 * ROUND, false);
        assert!(line.link.is_known() || line.link.limit() == 2 * PAGES);
    }
    let limits: Vec<u32> = (0..24)
        .map(|_| {
            line.trip(PAGES, 2 * ROUND, false);
            line.link.limit()
        })
        .collect();
    let first = limits
        .iter()
        .position(|&n| n == PAGES * 5 / 2)
        .expect("a quarter more");
    for eight in limits[first..].chunks_exact(8) {
        assert_eq!(eight[..2], [PAGES * 5 / 2, PAGES * 3 / 2]);
        assert!(eight[2..].iter().all(|&n| n == 2 * PAGES));
    }
    assert!(first < 8);
}

/// Tasks that make and submit requests have to be woken and run. So a shorter round trip counts as
/// this long.
#[test]
fn a_short_line_is_given_enough_for_a_while() {
    let mut line = SerialLink::new();
    line.trip(16, MS, false);
    // The rate is 16,000 a second, and the limit is for twice 16 ms.
    assert_eq!(line.link.limit(), 512);
    line.trip(3200, MS, false);
    assert_eq!(line.link.limit(), MOST);
}

/// A batch is what the link delivers in 16 ms, or half of the limit, whichever is less.
#[test]
fn a_batch_follows_the_line() {
    assert_eq!(batch(MOST, 10_000), 160);
    assert_eq!(batch(200, 10_000), 100);
    assert_eq!(batch(200, 0), MIN_PAGES);
    assert_eq!(batch(0, 10_000), MIN_PAGES);
    assert_eq!(batch(MOST, u64::MAX), MAX_BATCH);
}

proptest! {
    /// Pages that took longer to submit than to be answered were no faster than they were
    /// submitted.
    #[test]
    fn answers_are_no_faster_than_requests(n in 2u64..30, answers in 1..5 * MS) {
        let mut link = Link::new();
        // The first request shows nothing but its own time.
        let first = link.sent(0, false, SEC);
        let sent: Vec<RequestStamp> = (1..n)
            .map(|i| link.sent(32 * i as u32, false, SEC + i * ROUND))
            .collect();
        let mut now = SEC + n * ROUND;
        link.done(32, first, 32 * (n - 1) as u32, now);
        for (i, sent) in sent.into_iter().enumerate() {
            now += answers / n;
            link.done(32, sent, 32 * (n - 2 - i as u64) as u32, now);
        }
        let all = 32 * n * SEC / (now - SEC);
        prop_assert!(link.rate() <= all * 11 / 10 + 32 * SEC / (n * ROUND) + 1,
            "{} where all are {all}", link.rate());
    }
}
