// SPDX-License-Identifier: GPL-2.0

//! How many pages may be under writeback at once on one device.
//!
//! The budget should keep the device busy, but be no more than it writes in a fraction of a second.
//! Pages that wait in its queue delay the reads and writes of others, and come too late for the
//! reclaimer that asked for them. So the budget follows the time that a window takes. It doubles
//! while windows are quick and the budget was used up, and halves when they are slow. (Additive
//! increase would need minutes on a fast disk.)
//!
//! It changes once for all windows that were in flight together, because windows that were begun
//! before a change say nothing about the new budget.

/// If a window took longer than this, in nanoseconds, the budget is halved.
pub const LATE_NS: u64 = 200_000_000;

/// If a window took less than this, in nanoseconds, the budget may double.
pub const QUICK_NS: u64 = 50_000_000;

/// The budget of a device, in pages.
#[derive(Clone, Copy)]
pub struct Budget {
    pages: u32,
    /// When the budget was changed last.
    changed: u64,
}

impl Budget {
    /// Creates a budget of four windows, each of `window` pages.
    pub const fn new(window: u32) -> Self {
        Self {
            pages: window.saturating_mul(4),
            changed: 0,
        }
    }

    /// Returns the number of pages that may be in flight.
    pub const fn pages(&self) -> u32 {
        self.pages
    }

    /// Whether another window may be written while `in_flight` pages are under writeback. With none
    /// in flight it always may.
    pub const fn admits(&self, in_flight: u32) -> bool {
        in_flight == 0 || in_flight < self.pages
    }

    /// Accounts for a window that was begun at `begun` and was written at `now`, in nanoseconds of
    /// one clock. `full` means that the budget kept other windows back meanwhile. The budget stays
    /// between `min` and `max` pages.
    pub fn update(&mut self, begun: u64, now: u64, full: bool, min: u32, max: u32) {
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
