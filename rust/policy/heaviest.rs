// SPDX-License-Identifier: GPL-2.0

//! Which of many cgroups have a row in a small table: the heaviest, whoever came first.
//!
//! This is space-saving (Metwally, Agrawal and El Abbadi, 2005) with two differences. A row's
//! counts stay exact: they go to a common heir with the row, and the next holder begins at
//! zero. And a row whose cgroup is gone is given back before a living one loses its own.
//!
//! The lightest row makes room. None that was lost ranked above `floor`, at which a row begins:
//! its rank, with what is counted in it, is no less than what its cgroup ever counted. So, of a
//! table of n rows that counted W in all:
//!
//! - one without a row has counted at most [`Past::may_have`], which is at most W / n, so that
//!   each one above that has a row. (For `floor` to pass a weight all n rows have to pass it,
//!   and each begins at `floor` at the most: that takes n counts for each step.)
//! - a living cgroup has counted what its row says, and at most as much more as it may have had
//!   when it got that row.
//!
//! Ids grow, so that of a cgroup that is younger than all that ever lost a row nothing is
//! missing. Those of a v1 hierarchy begin anew when it is mounted again: of them that is
//! not assumed.

use super::cgroup_key::CgroupKey;

/// Where something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// In this row.
    Row(usize),
    /// With what has no row.
    Other,
    /// With what was of cgroups that are gone.
    Removed,
}

/// Where the counts of a row go that is given to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heir {
    /// To those of other living ones.
    Other,
    /// To those of cgroups that are gone.
    Removed,
}

/// What a table knows of those that lost their rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The most that a living one had, as far as its row knew, when it lost it.
    pub floor: u64,
    /// The highest id, but for v1, of a living one that lost its row.
    pub newest: u64,
    /// How many cgroups had gone when none with a row was found to be.
    pub swept: u64,
}

impl Past {
    /// The most that a living cgroup without a row can have counted.
    pub fn may_have(&self, key: CgroupKey) -> u64 {
        if key.is_v1() || key.id() <= self.newest {
            self.floor
        } else {
            0
        }
    }

    /// A living one of this rank loses its row.
    fn lost(self, key: CgroupKey, rank: u64) -> Self {
        Self {
            floor: self.floor.max(rank),
            newest: if key.is_v1() {
                self.newest
            } else {
                self.newest.max(key.id())
            },
            ..self
        }
    }
}

/// A table of rows, a power of two of them. Used by one at a time.
pub trait Rows {
    /// How many rows there are.
    fn size(&self) -> usize;

    /// Whose a row is; `NONE`: nobody's.
    fn key(&self, at: usize) -> CgroupKey;

    /// What it began at, and what was counted in it.
    fn rank(&self, at: usize) -> u64;

    /// The cgroup whose it is has been removed.
    fn is_gone(&self, at: usize) -> bool;

    /// A cgroup is known to have been removed for good: its id does not come back.
    fn never_back(&self, key: CgroupKey) -> bool;

    /// Cgroups that had a row anywhere and were removed, so far.
    fn removals(&self) -> u64;

    /// The row that was used last.
    fn last(&self) -> usize;

    /// Notes which one that is.
    fn set_last(&self, at: usize);

    /// See [`Past`].
    fn past(&self) -> Past;

    /// Notes it.
    fn set_past(&self, past: Past);

    /// Gives a row to `key`, to begin at rank `base`; `missed` is the most that it counted
    /// before. What the row holds goes to the heir, if it is anybody's.
    fn give(&self, at: usize, heir: Option<Heir>, key: CgroupKey, base: u64, missed: u64);
}

/// The places of a table of `len` rows, a power of two, from that of `key` on.
fn places(key: CgroupKey, len: usize) -> impl Iterator<Item = usize> {
    // Fibonacci hashing, as in `slots`.
    let hash = (key.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    let mask = len.wrapping_sub(1);
    (0..len).map(move |i| hash.wrapping_add(i) & mask)
}

/// Where what `key` did now is counted; it gets a row if it has none. `gone`: it has been
/// removed.
#[inline]
pub fn place(rows: &impl Rows, key: CgroupKey, gone: bool) -> Destination {
    if key == CgroupKey::NONE {
        return Destination::Other;
    }
    // Who wrote last mostly writes next.
    let last = rows.last();
    if last < rows.size() && rows.key(last) == key && (gone || !key.is_v1()) {
        return Destination::Row(last);
    }
    search(rows, key, gone)
}

fn search(rows: &impl Rows, key: CgroupKey, gone: bool) -> Destination {
    let mut free = None;
    for at in places(key, rows.size()) {
        let there = rows.key(at);
        if there == key {
            // An id that is used anew: the counts are those of the one before.
            if key.is_v1() && !gone && rows.is_gone(at) {
                begin(rows, at, Some(Heir::Removed), key);
            }
            rows.set_last(at);
            return Destination::Row(at);
        }
        if there == CgroupKey::NONE && free.is_none() {
            free = Some(at);
        }
    }
    if gone || rows.never_back(key) {
        return Destination::Removed;
    }
    let Some((at, heir)) = free.map(|at| (at, None)).or_else(|| room(rows)) else {
        return Destination::Other;
    };
    begin(rows, at, heir, key);
    rows.set_last(at);
    Destination::Row(at)
}

fn begin(rows: &impl Rows, at: usize, heir: Option<Heir>, key: CgroupKey) {
    let past = rows.past();
    // A young one missed nothing, but begins as high as the others: else it would be the next
    // to lose its row.
    rows.give(at, heir, key, past.floor, past.may_have(key));
}

/// Of a full table the row to give to someone else: the lightest of those that are gone, else
/// the lightest of all.
fn room(rows: &impl Rows) -> Option<(usize, Option<Heir>)> {
    let past = rows.past();
    let removals = rows.removals();
    if removals != past.swept {
        let gone = (0..rows.size()).filter(|&at| rows.is_gone(at));
        if let Some(at) = gone.min_by_key(|&at| rows.rank(at)) {
            return Some((at, Some(Heir::Removed)));
        }
        rows.set_past(Past {
            swept: removals,
            ..past
        });
    }
    let at = (0..rows.size()).min_by_key(|&at| rows.rank(at))?;
    rows.set_past(rows.past().lost(rows.key(at), rows.rank(at)));
    Some((at, Some(Heir::Other)))
}
