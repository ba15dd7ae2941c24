// SPDX-License-Identifier: GPL-2.0

//! The nesting of reclaim windows in one task, packed into a word.
//!
//! A soft-limit window of a memory cgroup opens inside a window of kswapd or direct reclaim, so the
//! windows of a task form a small stack. One word holds it. The task that owns it reads and writes
//! it as a whole, so its parts cannot disagree.

/// Windows that are told apart. Deeper ones are only counted, and their origin is `None`.
pub const MAX_NEST: u32 = 4;

/// Depth at which the count stops to grow.
const MAX_COUNT: u64 = 0xff;

/// The open windows of a task, outermost first. Byte 0 is their number, byte `i + 1` is the origin
/// of window `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Nest(pub u64);

impl Nest {
    /// Returns the number of open windows, including those too deep to be told apart.
    pub const fn depth(self) -> u32 {
        (self.0 & MAX_COUNT) as u32
    }

    /// Whether no window is open.
    pub const fn is_empty(self) -> bool {
        self.depth() == 0
    }

    /// Returns the bit at which the origin of window `index` begins. `index` is less than
    /// [`MAX_NEST`].
    const fn shift(index: u32) -> u32 {
        index.saturating_add(1).saturating_mul(8)
    }

    /// Opens a window of `origin`. Also returns whether the window can be told apart: false if it
    /// is too deep.
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

    /// Closes the innermost window, and returns its origin: `None` if it was too deep to be told
    /// apart, or if none was open.
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

    /// Returns the origin of the outermost window; `None` if none is open.
    pub const fn bottom(self) -> Option<u8> {
        if self.is_empty() {
            return None;
        }
        Some((self.0 >> Self::shift(0)) as u8)
    }

    /// Returns the origin of the innermost window; `None` if none is open, or if it is too deep to
    /// be told apart.
    pub const fn top(self) -> Option<u8> {
        let depth = self.depth();
        if depth == 0 || depth > MAX_NEST {
            return None;
        }
        Some((self.0 >> Self::shift(depth.saturating_sub(1))) as u8)
    }
}
