// SPDX-License-Identifier: GPL-2.0

//! The nesting of reclaim windows in one task, packed into a word.
//!
//! A memory-cgroup soft-limit window opens inside one of kswapd or direct
//! reclaim, so a task's windows form a small stack. One word holds it: the
//! owner task reads and writes it whole, and no other state can disagree.

/// Windows that are told apart; deeper ones are counted, and are `None`.
pub const MAX_NEST: u32 = 4;

/// How deep a count can go before it stops growing.
const MAX_COUNT: u64 = 0xff;

/// Open windows of a task, outermost first: byte 0 is their number, byte
/// `i + 1` the origin of window `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Nest(pub u64);

impl Nest {
    /// Number of open windows, those too deep to be told apart included.
    pub const fn depth(self) -> u32 {
        (self.0 & MAX_COUNT) as u32
    }

    /// True when no window is open.
    pub const fn is_empty(self) -> bool {
        self.depth() == 0
    }

    /// Where the origin of window `index` begins, below [`MAX_NEST`].
    const fn shift(index: u32) -> u32 {
        index.saturating_add(1).saturating_mul(8)
    }

    /// Opens a window of `origin`. False beside it: too deep to be told apart.
    #[must_use]
    pub const fn push(self, origin: u8) -> (Self, bool) {
        let depth = self.depth();
        if depth as u64 == MAX_COUNT {
            return (self, false);
        }
        let counted = self.0.saturating_add(1);
        if depth >= MAX_NEST {
            return (Self(counted), false);
        }
        (
            Self(counted | ((origin as u64) << Self::shift(depth))),
            true,
        )
    }

    /// Closes the innermost window; `None` beside it when it was too deep to
    /// be told apart, or when none was open.
    #[must_use]
    pub const fn pop(self) -> (Self, Option<u8>) {
        let top = self.top();
        let depth = self.depth();
        if depth == 0 {
            return (self, None);
        }
        let counted = self.0.saturating_sub(1);
        if depth > MAX_NEST {
            return (Self(counted), None);
        }
        let origin = 0xff << Self::shift(depth.saturating_sub(1));
        (Self(counted & !origin), top)
    }

    /// Origin of the outermost window; `None` when none is open.
    pub const fn bottom(self) -> Option<u8> {
        if self.is_empty() {
            return None;
        }
        Some((self.0 >> Self::shift(0)) as u8)
    }

    /// Origin of the innermost window; `None` when none is open or it is too
    /// deep to be told apart.
    pub const fn top(self) -> Option<u8> {
        let depth = self.depth();
        if depth == 0 || depth > MAX_NEST {
            return None;
        }
        Some((self.0 >> Self::shift(depth.saturating_sub(1))) as u8)
    }
}
