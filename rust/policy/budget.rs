// SPDX-License-Identifier: GPL-2.0

//! How much may be under writeback at once on one device.
//!
//! Enough to keep it busy, and not more than it takes in a fraction of a second:
//! what waits in its queue delays the reads and writes of others, and is too late
//! for the reclaimer that asked. So the budget follows the time that a window
//! takes: it doubles while the windows are quick and the budget was used up, and
//! halves when they are slow (additive increase would need minutes on a fast disk).
//! It does so once for what was in flight together: the windows that were begun
//! before a change tell nothing of the budget after it.

/// A window that took longer than this was late: the budget halves.
pub const LATE_NS: u64 = 200_000_000;

/// A window that took less than this was quick: the budget may double.
pub const QUICK_NS: u64 = 50_000_000;

/// A device's budget, in pages.
#[derive(Clone, Copy)]
pub struct Budget {
    pages: u32,
    /// When it changed last.
    changed: u64,
}

impl Budget {
    /// A budget to begin with: four windows.
    pub const fn new(window: u32) -> Self {
        Self {
            pages: window.saturating_mul(4),
            changed: 0,
        }
    }

    /// Pages that may be in flight.
    pub const fn pages(&self) -> u32 {
        self.pages
    }

    /// May another window be written while `in_flight` pages are under
    /// writeback? One always may.
    pub const fn admits(&self, in_flight: u32) -> bool {
        in_flight == 0 || in_flight < self.pages
    }

    /// A window that was begun at `begun` was written at `now`, in ns of one
    /// clock. `full`: the budget had kept back others. The budget stays between
    /// `min` and `max` pages.
    pub fn took(&mut self, begun: u64, now: u64, full: bool, min: u32, max: u32) {
        let before = self.pages;
        if begun >= self.changed {
            let ns = now.saturating_sub(begun);
            if ns > LATE_NS {
                self.pages /= 2;
            } else if ns < QUICK_NS && full {
                self.pages = self.pages.saturating_mul(2).max(1);
            }
        }
        self.pages = self.pages.min(max).max(min);
        if self.pages != before {
            self.changed = now;
        }
    }
}
