// SPDX-License-Identifier: GPL-2.0

//! Which pages to write for the targets that reclaim met.
//!
//! A window is an aligned range of a file. Windows compete by their benefit relative to their cost:
//! see [`score`]. Inside a window, [`Ranges`] picks the pages to write: the runs of dirty pages
//! that hold targets, with as many of their neighbours as can be written for the price of a request
//! ([`Ranges::new`]).
//!
//! The cost of a write is counted in pages. Each run of pages is a request of its own for the
//! device, which costs `request_cost` pages, and each page costs one. The idea to write the
//! neighbours of the page that reclaim wants is from Wu Fengguang and Mel Gorman (linux-mm, 2010).

/// The most pages of a window.
pub const MAX_PAGES: u32 = 1024;

const WORDS: usize = (MAX_PAGES / 64) as usize;

/// A set of pages of a window.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PageSet {
    words: [u64; WORDS],
}

impl PageSet {
    /// Creates an empty set.
    pub const fn new() -> Self {
        Self { words: [0; WORDS] }
    }

    /// Empties the set.
    pub fn clear(&mut self) {
        self.words = [0; WORDS];
    }

    /// Adds `nr` pages from `start` on. Pages past the end are left out.
    pub fn insert(&mut self, start: u32, nr: u32) {
        for i in start..start.saturating_add(nr).min(MAX_PAGES) {
            if let Some(w) = self.words.get_mut((i / 64) as usize) {
                *w |= 1 << (i % 64);
            }
        }
    }

    /// Whether the page is in the set.
    pub fn contains(&self, i: u32) -> bool {
        self.words
            .get((i / 64) as usize)
            .is_some_and(|w| w >> (i % 64) & 1 != 0)
    }

    /// Returns the number of pages in the set.
    pub fn len(&self) -> u32 {
        self.words
            .iter()
            .fold(0, |n, w| n.saturating_add(w.count_ones()))
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }

    /// Returns the number of pages of the set that are in `start..end`.
    pub fn count(&self, start: u32, end: u32) -> u32 {
        (start..end.min(MAX_PAGES)).fold(0, |n, i| n.saturating_add(u32::from(self.contains(i))))
    }

    /// Returns the number of runs of pages in the set.
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

    /// Returns the first page from `i` on that is in the set (or that is not, without `present`);
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

    /// Returns the words of the set, lowest page first, to be filled.
    pub fn words_mut(&mut self) -> &mut [u64; WORDS] {
        &mut self.words
    }
}

impl Default for PageSet {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the first page of the window that contains `index`. `size` is the number of pages of a
/// window, a power of two.
pub const fn start_of(index: u64, size: u32) -> u64 {
    index & !(size as u64).wrapping_sub(1)
}

/// Returns the benefit of a window relative to its cost: the number of pages that reclaim asked
/// for, times 65536, divided by the cost. The window itself costs a request, too, for the seek.
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

/// Returns the number of pages between page `last` and the later page `next`.
const fn between(last: u32, next: u32) -> u32 {
    next.saturating_sub(last).saturating_sub(1)
}

/// A range of pages of a window that is written by one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first page.
    pub start: u32,
    /// The page after the last one.
    pub end: u32,
    /// Number of dirty pages in the range.
    pub pages: u32,
    /// Number of targets in the range.
    pub targets: u32,
    /// Number of runs of dirty pages in the range, which is the number of requests if nothing
    /// merges them.
    pub runs: u32,
}

/// The ranges of a window that are written, in their order.
pub struct Ranges<'a> {
    dirty: &'a PageSet,
    wanted: &'a PageSet,
    request_cost: u32,
    at: u32,
    /// End of what was written last. The next range does not start below it.
    done: u32,
}

impl<'a> Ranges<'a> {
    /// Picks which of the `dirty` pages are written for those that are `wanted` (and dirty).
    ///
    /// - Of a run of dirty pages, the part from its first to its last target is written. But if
    ///   more than `request_cost` pages between two targets were not asked for, two requests are
    ///   cheaper.
    /// - This part grows, first upwards, then downwards, by dirty neighbours that nobody asked
    ///   for: by as many as the request costs, and eight more for each target, because where many
    ///   pages are wanted the rest will be wanted soon. The pages between its targets count towards
    ///   this number.
    /// - A run without targets is not written, because it would be another request.
    pub fn new(dirty: &'a PageSet, wanted: &'a PageSet, request_cost: u32) -> Self {
        Self {
            dirty,
            wanted,
            request_cost,
            at: 0,
            done: 0,
        }
    }

    /// Returns the next page from `i` on that is dirty and wanted.
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

    /// Returns the next request: one run of dirty pages.
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
        // This goes up to the end of the run, but not into the request of the next target.
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

    /// Puts requests that are separated by clean pages only into one range.
    fn next(&mut self) -> Option<Range> {
        let mut range = self.request()?;
        loop {
            let (at, done) = (self.at, self.done);
            let Some(more) = self.request() else {
                return Some(range);
            };
            if self.dirty.find(range.end, true) < more.start {
                // The dirty pages in between would be written along with them.
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
