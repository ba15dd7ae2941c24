// SPDX-License-Identifier: GPL-2.0

//! How much swap-out the reserves can carry.
//!
//! What writes to a network takes memory to free memory: the writer looks how far the
//! free pages fall while it submits a batch, and lets no more in flight than they can
//! carry down to what the replies need.

use super::link::MIN_PAGES;

/// Cost is counted in 256ths of a page for a page in flight.
const UNIT: u64 = 256;

/// No page in flight costs more than four: larger falls are the doing of others.
const MOST: u64 = 4 * UNIT;

/// What a page in flight costs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reserve {
    cost: u64,
}

impl Reserve {
    /// Nothing is known.
    pub const fn new() -> Self {
        Self { cost: 0 }
    }

    /// A batch of `pages` was submitted, and the free pages fell from `before` to
    /// `after` meanwhile. Rises at once, falls slowly: others give memory back, too.
    pub fn took(&mut self, pages: u32, before: u64, after: u64) {
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

    /// Pages that `n` in flight take.
    pub const fn cost_of(&self, n: u32) -> u64 {
        self.cost.saturating_mul(n as u64) / UNIT
    }

    /// Pages that may be in flight when `free` are free, `in_flight` of them carried
    /// already; a quarter of what `min` (the min watermark) is stays for the replies.
    pub fn limit(&self, free: u64, min: u64, in_flight: u32) -> u32 {
        let left = free.saturating_sub(min / 4).saturating_mul(UNIT);
        let Some(left) = left.checked_div(self.cost) else {
            return u32::MAX;
        };
        let pages = left.saturating_add(u64::from(in_flight));
        u32::try_from(pages).unwrap_or(u32::MAX).max(MIN_PAGES)
    }
}
