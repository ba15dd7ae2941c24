// SPDX-License-Identifier: GPL-2.0

//! Which pages to write for the targets that reclaim met.
//!
//! A window is an aligned range of a file. Windows compete by what they give for
//! what they cost: [`score`]. Inside one, [`Ranges`] picks what to write: the
//! runs of dirty pages that hold targets, with as many of their neighbours as go
//! along for the price of the request ([`Ranges::new`]).
//!
//! The cost of a write is counted in pages: each run of pages is a request of its
//! own for the device, worth `request_cost` pages, and each page is one.
//! Writing the neighbours of the page that reclaim wants: Wu Fengguang and Mel
//! Gorman on linux-mm, 2010.

/// Most pages of a window.
pub const MAX_PAGES: u32 = 1024;

const WORDS: usize = (MAX_PAGES / 64) as usize;

/// A set of pages of a window.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    words: [u64; WORDS],
}

impl Pages {
    /// The empty set.
    pub const fn new() -> Self {
        Self { words: [0; WORDS] }
    }

    /// Empties the set.
    pub fn clear(&mut self) {
        self.words = [0; WORDS];
    }

    /// Adds the pages from `start`, `nr` of them; those past the end are left out.
    pub fn insert(&mut self, start: u32, nr: u32) {
        for i in start..start.saturating_add(nr).min(MAX_PAGES) {
            if let Some(w) = self.words.get_mut((i / 64) as usize) {
                *w |= 1 << (i % 64);
            }
        }
    }

    /// Is the page in the set?
    pub fn contains(&self, i: u32) -> bool {
        self.words
            .get((i / 64) as usize)
            .is_some_and(|w| w >> (i % 64) & 1 != 0)
    }

    /// Number of pages.
    pub fn len(&self) -> u32 {
        self.words
            .iter()
            .fold(0, |n, w| n.saturating_add(w.count_ones()))
    }

    /// True for the empty set.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }

    /// Number of its pages from `start` up to `end`.
    pub fn count(&self, start: u32, end: u32) -> u32 {
        (start..end.min(MAX_PAGES)).fold(0, |n, i| n.saturating_add(u32::from(self.contains(i))))
    }

    /// Number of runs of pages.
    pub fn runs(&self) -> u32 {
        let mut before = 0;
        let mut n = 0;
        for &w in &self.words {
            // A run starts at a bit whose lower neighbour is not set.
            n = (w & !(w << 1 | before)).count_ones().saturating_add(n);
            before = w >> 63;
        }
        n
    }

    /// First page from `i` on that is in the set (`present`), or that is not;
    /// [`MAX_PAGES`] if there is none.
    pub fn find(&self, i: u32, present: bool) -> u32 {
        let mut i = i;
        while i < MAX_PAGES {
            let Some(&w) = self.words.get((i / 64) as usize) else {
                break;
            };
            let w = if present { w } else { !w } >> (i % 64);
            if w != 0 {
                return i.saturating_add(w.trailing_zeros());
            }
            i = (i | 63).saturating_add(1);
        }
        MAX_PAGES
    }

    /// The words, lowest page first, for who fills them.
    pub fn words_mut(&mut self) -> &mut [u64; WORDS] {
        &mut self.words
    }
}

impl Default for Pages {
    fn default() -> Self {
        Self::new()
    }
}

/// First page of the window of `size` pages, a power of two, that holds `index`.
pub const fn start_of(index: u64, size: u32) -> u64 {
    index & !(size as u64).wrapping_sub(1)
}

/// What a window with these targets is worth: pages that reclaim asked for per
/// cost, times 65536. The window itself costs a request, too (the way there).
pub const fn score(targets: u32, runs: u32, request_cost: u32) -> u64 {
    let requests = (runs as u64).saturating_add(1);
    let cost = requests
        .saturating_mul(request_cost as u64)
        .saturating_add(targets as u64);
    match ((targets as u64) << 16).checked_div(cost) {
        Some(score) => score,
        None => 0,
    }
}

/// Pages between the page `last` and a later one, `next`.
const fn between(last: u32, next: u32) -> u32 {
    next.saturating_sub(last).saturating_sub(1)
}

/// A range of pages of a window to be written by one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Its first page.
    pub start: u32,
    /// The page behind its last one.
    pub end: u32,
    /// Dirty pages in it.
    pub pages: u32,
    /// Of these, how many are targets.
    pub targets: u32,
    /// Runs of dirty pages in it, so requests if nothing merges them.
    pub runs: u32,
}

/// The ranges of a window to write, in order.
pub struct Ranges<'a> {
    dirty: &'a Pages,
    wanted: &'a Pages,
    request_cost: u32,
    at: u32,
    /// End of what was written last: the next range starts no lower.
    done: u32,
}

impl<'a> Ranges<'a> {
    /// Picks from the `dirty` pages for those that are `wanted` (and dirty).
    ///
    /// - Of a dirty run, the part from its first to its last target is written;
    ///   but where more than `request_cost` pages between two targets were not asked for,
    ///   two requests are cheaper.
    /// - It grows, first upwards, then downwards, by dirty neighbours that nobody
    ///   asked for: as many as the request costs, and 8 for each target, since
    ///   where many are wanted the rest will be. Those between its targets count.
    /// - No run without targets is written: it would be another request.
    pub fn new(dirty: &'a Pages, wanted: &'a Pages, request_cost: u32) -> Self {
        Self {
            dirty,
            wanted,
            request_cost,
            at: 0,
            done: 0,
        }
    }

    /// The next dirty, wanted page from `i` on.
    fn target(&self, i: u32) -> u32 {
        let mut i = i;
        loop {
            i = self.wanted.find(i, true);
            if i >= MAX_PAGES || self.dirty.contains(i) {
                return i;
            }
            i = i.saturating_add(1);
        }
    }

    /// The next request: one run of dirty pages.
    fn request(&mut self) -> Option<Range> {
        let first = self.target(self.at);
        if first >= MAX_PAGES {
            return None;
        }
        let run_end = self.dirty.find(first, false);
        let (mut last, mut targets) = (first, 1u32);
        let mut next = self.target(first.saturating_add(1));
        while next < run_end && between(last, next) <= self.request_cost {
            last = next;
            targets = targets.saturating_add(1);
            next = self.target(next.saturating_add(1));
        }
        let mut end = last.saturating_add(1);
        let unasked = end.saturating_sub(first).saturating_sub(targets);
        let mut spare = self
            .request_cost
            .saturating_add(targets.saturating_mul(8))
            .saturating_sub(unasked);
        // Up to the run's end, but not into the next target's request.
        while spare > 0 && end < run_end && end < next {
            end = end.saturating_add(1);
            spare = spare.saturating_sub(1);
        }
        let mut start = first;
        while spare > 0 && start > self.done {
            let below = start.saturating_sub(1);
            if !self.dirty.contains(below) {
                break;
            }
            start = below;
            spare = spare.saturating_sub(1);
        }
        self.at = end;
        self.done = end;
        Some(Range {
            start,
            end,
            pages: end.saturating_sub(start),
            targets,
            runs: 1,
        })
    }
}

impl Iterator for Ranges<'_> {
    type Item = Range;

    /// Requests that only clean pages part go into one range.
    fn next(&mut self) -> Option<Range> {
        let mut range = self.request()?;
        loop {
            let (at, done) = (self.at, self.done);
            let Some(more) = self.request() else {
                return Some(range);
            };
            if self.dirty.find(range.end, true) < more.start {
                // What lies between would be written along.
                (self.at, self.done) = (at, done);
                return Some(range);
            }
            if more.start > range.end {
                range.runs = range.runs.saturating_add(1);
            }
            range.end = more.end;
            range.pages = range.pages.saturating_add(more.pages);
            range.targets = range.targets.saturating_add(more.targets);
        }
    }
}
