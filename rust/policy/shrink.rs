// SPDX-License-Identifier: GPL-2.0

//! The books of a shrinker's call (mm/shrinker.c, do_shrink_slab()).

/// What a call has to do, in objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanPlan {
    /// Its own share, by how many there are and how urgent it is.
    pub own: u64,
    /// What it will scan: its own share and part of what others left.
    pub planned: u64,
    /// It scans as long as so many are left: a batch, or all that there are if that is less.
    pub least: u64,
}

/// What a call came to, in objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Scanned.
    pub scanned: u64,
    /// Of its own share, left to others.
    pub deferred: u64,
    /// Of what others had left, done.
    pub paid: u64,
    /// The shrinker would not go on (SHRINK_STOP), as it may not enter a filesystem, or
    /// could not take a lock.
    pub refused: bool,
}

impl ScanPlan {
    /// When `left` of what it had planned is left; fewer than none if it scanned more.
    pub const fn settle(self, left: i64) -> Settled {
        let scanned = (self.planned as i64).saturating_sub(left);
        let scanned = if scanned < 0 { 0 } else { scanned as u64 };
        Settled {
            scanned,
            deferred: self.own.saturating_sub(scanned),
            paid: scanned.saturating_sub(self.own),
            refused: left > 0 && left as u64 >= self.least,
        }
    }
}

/// One word of several: for tables by more than one key. Not 0.
pub fn mix(words: &[u64]) -> u64 {
    // The finaliser of splitmix64 (Steele, Lea, Flood, 2014), word by word.
    let mixed = words.iter().fold(0u64, |hash, &word| {
        let mut x = hash.rotate_left(5) ^ word;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    });
    mixed.max(1)
}

/// How many are in something, in one word: whose it is, by the upper 48 bits of its key,
/// and a count below. 0 when nobody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running(pub u64);

/// Room for the count.
const COUNT: u64 = 0xffff;

impl Running {
    const fn of(key: u64) -> u64 {
        key & !COUNT
    }

    /// It counts for `key`.
    pub const fn is(self, key: u64) -> bool {
        self.0 & COUNT != 0 && Self::of(self.0) == Self::of(key)
    }

    /// One more for `key`, and whether others are in it; `None` if the word is another
    /// key's, or full.
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

    /// One less for `key`; `None` if the word is another key's.
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
