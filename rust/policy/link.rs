// SPDX-License-Identifier: GPL-2.0

//! How much swap-out a device gets at once, from how fast it takes it.
//!
//! In flight is what the device takes in [`AHEAD_NS`] (or in one and a half times the
//! least that a request ever takes, on a long line), so that it is never idle and a
//! swap-in never waits behind more. The speed is that of the time in which something
//! was in flight; it only counts as slower while the limit kept others back, or requests
//! took longer than they should, as a device that is asked for little is not slow. On a
//! long line more in flight is more speed, so that the limit grows until the line is
//! full: BBR's idea (Cardwell et al., 2016), with a delay that is bounded instead of a
//! queue. Servers and links with a token bucket take a burst at any speed: what comes
//! after it counts.

/// What is in flight is done after so long.
pub const AHEAD_NS: u64 = 25_000_000;

/// Pages of one request, the smallest there is where enough is asked for.
pub const MIN_PAGES: u32 = 32;

/// So many pages at most: 16 MiB.
pub const MAX_PAGES: u32 = 4096;

/// Pages that are written together at most: 2 MiB.
pub const MAX_BATCH: u32 = 512;

/// Pages a second, as long as nothing is known: 128 pages may be in flight.
const FIRST_RATE: u64 = 128 * SEC / AHEAD_NS;

/// The speed rises by one part in so many a sample: twice as fast takes half a second or
/// more, and a bucket that holds two seconds' worth is empty before it is believed.
const GROWTH: u64 = 16;

/// Pages a second, by which it may rise each time: what seemed to stand still comes back.
const LEAST_GROWTH: u64 = 16;

/// The least time of a request is forgotten after so long.
const RTT_NS: u64 = 10_000_000_000;

/// A sample is of so much time with something in flight, or of so many pages, at least.
const SAMPLE_NS: u64 = 50_000_000;

/// See [`SAMPLE_NS`].
const SAMPLE_PAGES: u64 = 2048;

const SEC: u64 = 1_000_000_000;

/// What is known of a device.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Pages a second.
    rate: u64,
    /// Least time of a request in this and in the last period, in ns.
    rtt: [u64; 2],
    since: u64,
    // The sample that is being taken.
    pages: u64,
    busy: u64,
    requests: u64,
    ns: u64,
    limited: bool,
}

/// What was done since one looked last.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// Pages.
    pub pages: u64,
    /// Nanoseconds in which something was in flight.
    pub busy: u64,
    /// Requests.
    pub requests: u64,
    /// Nanoseconds that they took together.
    pub ns: u64,
    /// Nanoseconds of the quickest; `u64::MAX`: there was none.
    pub quickest: u64,
}

impl Link {
    /// Nothing is known.
    pub const fn new() -> Self {
        Self {
            rate: FIRST_RATE,
            rtt: [u64::MAX; 2],
            since: 0,
            pages: 0,
            busy: 0,
            requests: 0,
            ns: 0,
            limited: false,
        }
    }

    /// Notes what was done by `now`. `limited`: the limit kept others back.
    pub fn took(&mut self, done: &Done, limited: bool, now: u64) {
        if now.saturating_sub(self.since) > RTT_NS {
            self.rtt = [u64::MAX, self.rtt[0]];
            self.since = now;
        }
        self.rtt[0] = self.rtt[0].min(done.quickest);
        self.pages = self.pages.saturating_add(done.pages);
        self.busy = self.busy.saturating_add(done.busy);
        self.requests = self.requests.saturating_add(done.requests);
        self.ns = self.ns.saturating_add(done.ns);
        self.limited |= limited;
        if self.busy < SAMPLE_NS && self.pages < SAMPLE_PAGES || self.pages == 0 {
            return;
        }
        let rate = self.pages.saturating_mul(SEC) / self.busy.max(1);
        let mean = self.ns / self.requests.max(1);
        let late = mean > 2 * self.ahead();
        if rate >= self.rate {
            // What comes after a burst counts: not all of it at once.
            self.rate += (rate - self.rate).min((self.rate / GROWTH).max(LEAST_GROWTH));
        } else if late {
            self.rate -= (self.rate - rate) / 2;
        } else if self.limited {
            // Not all at once: one late request is no slower device.
            self.rate -= (self.rate - rate) / 4;
        }
        (self.pages, self.busy, self.limited) = (0, 0, false);
        (self.requests, self.ns) = (0, 0);
    }

    /// What is in flight should be done after so many ns.
    fn ahead(&self) -> u64 {
        AHEAD_NS.max(self.rtt().saturating_mul(3) / 2)
    }

    /// Pages a second.
    pub const fn rate(&self) -> u64 {
        self.rate
    }

    /// The least that a request took of late, in ns; 0: not known.
    pub fn rtt(&self) -> u64 {
        match self.rtt[0].min(self.rtt[1]) {
            u64::MAX => 0,
            ns => ns,
        }
    }

    /// Pages that may be in flight: two requests at least. Where one is all that may be,
    /// it is not seen that two are faster, and the limit stays where it is.
    pub fn limit(&self) -> u32 {
        let pages = self.rate.saturating_mul(self.ahead()) / SEC;
        u32::try_from(pages)
            .unwrap_or(MAX_PAGES)
            .clamp(2 * MIN_PAGES, MAX_PAGES)
    }
}

impl Default for Link {
    fn default() -> Self {
        Self::new()
    }
}

/// May a batch of `pages` go, with `in_flight` under way? One always may.
pub const fn admits(limit: u32, in_flight: u32, pages: u32) -> bool {
    in_flight == 0 || in_flight.saturating_add(pages) <= limit
}

/// Pages that are best written together when `limit` may be in flight: half of it, so that
/// one request is on its way while the next is made; larger ones cost a fast device less,
/// a slow one gets no larger ones than it must.
pub fn batch(limit: u32) -> u32 {
    (limit / 2).clamp(MIN_PAGES, MAX_BATCH)
}

/// Pages that may wait for the writer when so many may be in flight: as many again,
/// and two batches at least, so that the device is never idle and what is written is
/// still what reclaim wants.
pub fn room(limit: u32, ring: u32) -> u32 {
    limit.max(2 * MIN_PAGES).min(ring)
}
