// SPDX-License-Identifier: GPL-2.0

//! How much swap-out a device is given at once: what it delivers in twice the time that a request
//! takes.
//!
//! This is the idea of BBR (Cardwell et al., "BBR: congestion-based congestion control", 2016), for
//! requests in place of packets. Two numbers describe the line, and only one of them can be
//! observed at a time. The rate is the highest of late, seen while the line is full. The round trip
//! is the least of late, seen while the line is not full. The line is full if as much is under way
//! as it delivers in a round trip. The limit allows twice that, because completions come in
//! bunches, and while one half is on its way the other is made.
//!
//! - At first the limit doubles in each round trip, because it is twice what was delivered in the
//!   last one, until the rate no longer rises.
//! - Then it changes in turn. One round trip has a quarter more, to see a line that became faster.
//!   One has a quarter less, which ends the queue that the first one made. Six have the limit as it
//!   is.
//! - Every so often the limit falls to a request or two, until no more is under way, and for as
//!   long as a round trip then takes. Otherwise our own queue would be taken for the length of the
//!   line.
//! - A sample that was taken while there was less to write than the limit allows says nothing of
//!   how fast the line is, unless it is faster than what is known.
//!
//! A rate is the pages that were delivered from the last delivery before a request was submitted
//! until the end of that request, divided by that time, or by the time in which these pages were
//! submitted if that is longer. So a device that answers many requests in one go does not look
//! faster than it is. Requests that are submitted while it answers do not make it look faster
//! either.

/// The number of pages of a request in which each folio has one page.
pub const MIN_PAGES: u32 = 32;

/// The number of pages that a device may be given at first, and at least.
pub const LEAST: u32 = 2 * MIN_PAGES;

/// The most pages that a device may be given: 32 MiB.
pub const MOST: u32 = 8192;

/// The most pages that are written under one plug: 2 MiB.
pub const MAX_BATCH: u32 = 512;

/// The least length of a round trip that the limit is based on, in ns. The tasks that make the next
/// requests, and those that submit them, must be woken and run first. With shorter round trips the
/// requests became so small that their number, and not their pages, was what a fast line cost.
pub const FLOOR_NS: u64 = 16_000_000;

/// The most time that the line takes for what is written under one plug, in ns, unless one request
/// takes longer. A swap-in waits behind at least one plug.
pub const BATCH_NS: u64 = 16_000_000;

/// See [`old_after`]. The limit has what the line delivers in two round trips.
const OLD_LIMITS: u64 = 2;

/// The least length of a period, in ns. A period also has at least [`RATE_ROUNDS`] round trips. The
/// highest rate is that of one to two periods.
pub const RATE_NS: u64 = 500_000_000;

/// The fewest round trips in a period. See [`RATE_NS`].
pub const RATE_ROUNDS: u64 = 5;

/// How long the least round trip counts, in ns. Then the link looks for it again.
pub const RTT_NS: u64 = 10_000_000_000;

/// How long the link looks for the least round trip, in ns, or a round trip if that is longer. This
/// time begins when no more than a request is under way. The link waits `DRAIN_TIMES` times as long
/// for that at most.
pub const DRAIN_NS: u64 = 200_000_000;

/// How many times as long the link waits before it looks. See [`DRAIN_NS`].
const DRAIN_TIMES: u64 = 8;

/// The line is full after this many round trips in which the rate did not rise by a quarter.
const FULL_ROUNDS: u32 = 3;

/// The quarters of the limit that are allowed in each round trip.
const CYCLE: [u64; 8] = [5, 3, 4, 4, 4, 4, 4, 4];

const SEC: u64 = 1_000_000_000;

/// What is noted of a request when it is submitted. Times are in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestStamp {
    /// When the request was submitted.
    pub at: u64,
    /// When something was delivered last; `at` if nothing was under way.
    pub delivered_at: u64,
    /// When the request that was delivered last had been submitted; `at` if nothing was under way.
    pub before: u64,
    /// Twice the number of pages that were delivered so far. The lowest bit says that there was
    /// less to write than might have been.
    pub delivered: u64,
}

/// Times before a request was submitted are kept in units of 2 to this power of ns.
const UNIT_BITS: u32 = 10;

impl RequestStamp {
    /// Packs the note into three words, for code that keeps it with the request.
    pub fn pack(&self) -> [u64; 3] {
        let ago = |at: u64| {
            let units = self.at.saturating_sub(at) >> UNIT_BITS;
            u64::from(u32::try_from(units).unwrap_or(u32::MAX))
        };
        let both = ago(self.delivered_at) << 32 | ago(self.before);
        [self.at, both, self.delivered]
    }

    /// Unpacks a note from these words.
    pub fn unpack([at, both, delivered]: [u64; 3]) -> Self {
        let before = |units: u64| at.saturating_sub((units & u64::from(u32::MAX)) << UNIT_BITS);
        Self {
            at,
            delivered_at: before(both >> 32),
            before: before(both),
            delivered,
        }
    }
}

/// What is known of a device.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The number of pages that were ever delivered, and when the last ones were.
    delivered: u64,
    delivered_at: u64,
    /// When the request that was delivered last had been submitted.
    sent_at: u64,
    /// A round trip is over when a request is done that was submitted after this many pages had
    /// been delivered.
    round: u64,
    rounds: u64,
    /// The highest rates of this and of the last period, in pages per second.
    rate: [u64; 2],
    rate_since: u64,
    rate_round: u64,
    /// Whether this period has a sample that says how fast the line is.
    telling: bool,
    /// The least round trips of this and of the last period, in ns.
    rtt: [u64; 2],
    rtt_since: u64,
    /// The rate when it last rose by a quarter, and the number of round trips since.
    full_rate: u64,
    full_rounds: u32,
    /// When the drain of the link began, in ns; 0 if the link is not being drained.
    drain_since: u64,
    /// When the drain ends, in ns; 0 until no more than a request is under way.
    drain_until: u64,
    /// Whether the link was drained in this period.
    drained: bool,
}

impl Link {
    /// Creates a link of which nothing is known.
    pub const fn new() -> Self {
        Self {
            delivered: 0,
            delivered_at: 0,
            sent_at: 0,
            round: 0,
            rounds: 0,
            rate: [0; 2],
            rate_since: 0,
            rate_round: 0,
            telling: false,
            rtt: [u64::MAX; 2],
            rtt_since: 0,
            full_rate: 0,
            full_rounds: 0,
            drain_since: 0,
            drain_until: 0,
            drained: false,
        }
    }

    /// Notes that a request is submitted, with `in_flight` pages under way before it. Returns what
    /// is to be kept with the request. `limited` says that there is less to write than the limit
    /// allows.
    pub fn sent(&mut self, in_flight: u32, limited: bool, now: u64) -> RequestStamp {
        if in_flight == 0 {
            self.delivered_at = now;
            self.sent_at = now;
        }
        RequestStamp {
            at: now,
            delivered_at: self.delivered_at,
            before: self.sent_at,
            delivered: self.delivered << 1 | u64::from(limited),
        }
    }

    /// Notes that a request of `pages` pages is done, and that `in_flight` pages are still under
    /// way.
    pub fn done(&mut self, pages: u32, sent: RequestStamp, in_flight: u32, now: u64) {
        let limited = sent.delivered & 1 != 0;
        let before = sent.delivered >> 1;
        self.delivered = self.delivered.saturating_add(u64::from(pages));
        self.delivered_at = now;
        self.sent_at = self.sent_at.max(sent.at);
        let new_round = before >= self.round;
        if new_round {
            self.round = self.delivered;
            self.rounds = self.rounds.saturating_add(1);
        }
        self.sample_rtt(now.saturating_sub(sent.at), now);
        let took = now.saturating_sub(sent.delivered_at);
        let ns = took.max(sent.at.saturating_sub(sent.before)).max(1);
        let pages = self.delivered.saturating_sub(before);
        let rate = pages.saturating_mul(SEC).checked_div(ns).unwrap_or(0);
        self.sample_rate(rate, limited, now);
        if new_round && !limited {
            self.check_full();
        }
        self.drain(in_flight, now);
    }

    /// Returns the number of pages that were ever delivered.
    pub const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Whether the link is being drained.
    pub const fn is_draining(&self) -> bool {
        self.drain_since != 0
    }

    /// Takes a sample of the round trip: a request took `ns`.
    fn sample_rtt(&mut self, ns: u64, now: u64) {
        if now.saturating_sub(self.rtt_since) > RTT_NS / 2 {
            self.rtt = [u64::MAX, self.rtt[0]];
            self.rtt_since = now;
            self.drained = false;
        }
        self.rtt[0] = self.rtt[0].min(ns);
    }

    /// Takes a sample of the rate.
    fn sample_rate(&mut self, rate: u64, limited: bool, now: u64) {
        let rounds = self.rounds.saturating_sub(self.rate_round);
        let ns = now.saturating_sub(self.rate_since);
        // A few round trips are enough where they take long because the line became slow.
        let old = rounds >= RATE_ROUNDS && ns > RATE_NS || rounds >= 2 && ns > 4 * RATE_NS;
        if old && self.telling {
            self.rate = [0, self.rate[0]];
            self.telling = false;
            self.rate_round = self.rounds;
            self.rate_since = now;
        }
        if !limited || rate > self.rate() {
            self.rate[0] = self.rate[0].max(rate);
            self.telling = true;
        }
    }

    /// Checks, at the end of a round trip, whether it showed a faster line than the last ones.
    fn check_full(&mut self) {
        if (self.rate() / 5).saturating_mul(4) >= self.full_rate {
            self.full_rate = self.rate();
            self.full_rounds = 0;
        } else {
            self.full_rounds = self.full_rounds.saturating_add(1);
        }
    }

    /// Begins and ends the drain, which shows how short a round trip can be. It begins at most once
    /// in a period, when the least round trip is of the period before, and about to be forgotten.
    fn drain(&mut self, in_flight: u32, now: u64) {
        if self.is_draining() {
            let ns = DRAIN_NS.max(self.rtt());
            let over = match self.drain_until {
                0 => now.saturating_sub(self.drain_since) > ns.saturating_mul(DRAIN_TIMES),
                until => now >= until,
            };
            if over {
                (self.drain_since, self.drain_until) = (0, 0);
            } else if self.drain_until == 0 && in_flight <= MIN_PAGES {
                self.drain_until = now.saturating_add(ns);
            }
            return;
        }
        let due = now.saturating_sub(self.rtt_since) > RTT_NS / 4;
        if due && !self.drained && self.rtt[0] > self.rtt[1] {
            self.drained = true;
            self.drain_since = now.max(1);
        }
    }

    /// Whether the line is full, as far as is known.
    pub const fn is_known(&self) -> bool {
        self.full_rounds >= FULL_ROUNDS
    }

    /// Returns the rate, in pages per second; 0 if not known.
    pub fn rate(&self) -> u64 {
        self.rate[0].max(self.rate[1])
    }

    /// Returns the shortest time that a request took of late, in ns; 0 if not known.
    pub fn rtt(&self) -> u64 {
        match self.rtt[0].min(self.rtt[1]) {
            u64::MAX => 0,
            ns => ns,
        }
    }

    /// Returns the quarters of the limit that this round trip is given.
    fn quarters(&self) -> u64 {
        const LEN: u64 = CYCLE.len() as u64;
        let at = self.rounds % LEN;
        CYCLE.get(at as usize).copied().unwrap_or(4)
    }

    /// Returns the number of pages that the device may be given before any of them is done.
    pub fn limit(&self) -> u32 {
        if self.is_draining() {
            return MIN_PAGES;
        }
        let in_a_round = self.rate().saturating_mul(self.rtt().max(FLOOR_NS)) / SEC;
        let quarters = match self.is_known() {
            true => self.quarters(),
            false => 4,
        };
        let pages = in_a_round.saturating_mul(quarters) / 2;
        u32::try_from(pages).unwrap_or(MOST).clamp(LEAST, MOST)
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the time in ns after which a request that waits is submitted before those in whose way
/// it lies, for a line that is given `limit` pages at once and takes `rate` pages per second (0 if
/// not known). Tasks that take swap slots one after the other keep the writer in one place for as
/// long as they go on. What waits elsewhere is found under writeback by reclaim meanwhile, which
/// then sleeps. With half a second here some faults took that long.
pub fn old_after(limit: u32, rate: u64) -> u64 {
    let all = u64::from(limit).saturating_mul(OLD_LIMITS * SEC);
    all.checked_div(rate).unwrap_or(0).clamp(FLOOR_NS, RATE_NS)
}

/// Returns the number of pages that are best written under one plug, where requests that touch
/// become one, to a line of `rate` pages per second on which `limit` pages may be under way. It is
/// what the line takes in [`BATCH_NS`], and no more than half of the limit.
pub fn batch(limit: u32, rate: u64) -> u32 {
    let in_time = rate.saturating_mul(BATCH_NS) / SEC;
    let pages = u32::try_from(in_time).unwrap_or(u32::MAX).min(limit / 2);
    pages.clamp(MIN_PAGES, MAX_BATCH)
}
