// SPDX-License-Identifier: GPL-2.0

//! How much swap-out the reserves can carry.
//!
//! A write over a network needs memory in order to free memory. So the writer looks how far the
//! number of free pages falls while it submits a batch. It has no more pages in flight than the
//! free ones can carry, and leaves what the replies need.

use super::link::MIN_PAGES;

/// The cost of a page in flight is counted in 1/256 of a page.
const UNIT: u64 = 256;

/// The cost is four pages for each page in flight at most. If free pages fall further than that,
/// others took them.
const MOST: u64 = 4 * UNIT;

/// The cost of pages in flight, in free pages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reserve {
    cost: u64,
}

impl Reserve {
    /// Creates a reserve whose cost is not known yet.
    pub const fn new() -> Self {
        Self { cost: 0 }
    }

    /// Notes that the number of free pages fell from `before` to `after` while a batch of `pages`
    /// was submitted. The cost rises at once and falls slowly, because others give memory back
    /// meanwhile.
    pub fn record_batch(&mut self, pages: u32, before: u64, after: u64) {
        let fall = before.saturating_sub(after).saturating_mul(UNIT);
        let Some(fall) = fall.checked_div(u64::from(pages)) else {
            return;
        };
        let fall = fall.min(MOST);
        if fall >= self.cost {
            self.cost = fall;
        } else {
            let above = self.cost.saturating_sub(fall);
            self.cost = self.cost.saturating_sub(above.div_ceil(16));
        }
    }

    /// Returns how many free pages `n` pages in flight take.
    pub const fn cost_of(&self, n: u32) -> u64 {
        self.cost.saturating_mul(n as u64) / UNIT
    }

    /// Returns how many pages may be in flight when `free` pages are free. `in_flight` pages are
    /// already in flight, and so already accounted for in `free`. A quarter of `min`, the min
    /// watermark, is left for the replies.
    pub fn limit(&self, free: u64, min: u64, in_flight: u32) -> u32 {
        let left = free.saturating_sub(min / 4).saturating_mul(UNIT);
        let Some(left) = left.checked_div(self.cost) else {
            return u32::MAX;
        };
        let pages = left.saturating_add(u64::from(in_flight));
        u32::try_from(pages).unwrap_or(u32::MAX).max(MIN_PAGES)
    }
}
