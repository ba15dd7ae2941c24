// SPDX-License-Identifier: GPL-2.0

//! The accounts of a call of a shrinker (mm/shrinker.c, do_shrink_slab()).

/// What a call is to do, in objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanPlan {
    /// Its own share, which follows from the number of objects and the priority.
    pub own: u64,
    /// The objects that it is to scan: its own share, and a part of what other calls deferred.
    pub planned: u64,
    /// The call goes on as long as at least this many objects are left: a batch, or all objects if
    /// these are fewer.
    pub least: u64,
}

/// The outcome of a call, in objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanResult {
    /// Objects that were scanned.
    pub scanned: u64,
    /// Objects of its own share that it deferred, for other calls to do.
    pub deferred: u64,
    /// Objects that other calls had deferred, and that it scanned.
    pub paid: u64,
    /// Whether the shrinker refused to go on (SHRINK_STOP), because it must not enter a filesystem,
    /// or could not take a lock.
    pub refused: bool,
}

impl ScanPlan {
    /// Returns the outcome of a call when `left` objects of its plan are left. `left` is negative
    /// if it scanned more than planned.
    pub const fn settle(self, left: i64) -> ScanResult {
        let scanned = (self.planned as i64).saturating_sub(left);
        let scanned = if scanned < 0 { 0 } else { scanned as u64 };
        ScanResult {
            scanned,
            deferred: self.own.saturating_sub(scanned),
            paid: scanned.saturating_sub(self.own),
            refused: left > 0 && left as u64 >= self.least,
        }
    }
}

/// Mixes several words into one, for tables with a key of several parts. The result is not 0.
pub fn mix(words: &[u64]) -> u64 {
    // This is the finaliser of splitmix64 (Steele, Lea, Flood, 2014), applied word by word.
    let mixed = words.iter().fold(0u64, |hash, &word| {
        let mut x = hash.rotate_left(5) ^ word;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    });
    mixed.max(1)
}

/// The number of tasks that are inside something, in one word: the upper 48 bits are those of its
/// key, and the lower 16 bits are the count. The word is 0 if no task is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningCount(pub u64);

/// The bits of the count.
const COUNT: u64 = 0xffff;

impl RunningCount {
    const fn of(key: u64) -> u64 {
        key & !COUNT
    }

    /// Whether any task is inside `key`.
    pub const fn is(self, key: u64) -> bool {
        self.0 & COUNT != 0 && Self::of(self.0) == Self::of(key)
    }

    /// Counts a task that enters `key`. Also returns whether others are inside already. `None` if
    /// the word belongs to another key, or if the count is full.
    pub const fn enter(self, key: u64) -> Option<(Self, bool)> {
        let n = self.0 & COUNT;
        if n == 0 {
            return Some((Self(Self::of(key) | 1), false));
        }
        if Self::of(self.0) != Self::of(key) || n == COUNT {
            return None;
        }
        Some((Self(self.0.wrapping_add(1)), true))
    }

    /// Counts a task that leaves `key`. `None` if the word belongs to another key.
    pub const fn leave(self, key: u64) -> Option<Self> {
        if !self.is(key) {
            return None;
        }
        if self.0 & COUNT == 1 {
            return Some(Self(0));
        }
        Some(Self(self.0.wrapping_sub(1)))
    }
}
