// SPDX-License-Identifier: GPL-2.0

//! Chooses which of many cgroups have a row in a small table: those that count most, in whatever
//! order they came.
//!
//! This is space-saving (Metwally, Agrawal and El Abbadi, 2005) with two differences. The counts of
//! a row stay exact: when a cgroup loses its row, they are added to a common row ([`Heir`]), and
//! the next holder begins with zero. And a row whose cgroup has been removed is given away before
//! that of a living one.
//!
//! A row has a rank, by which the lightest one is chosen to make room. It begins at `floor`, the
//! highest rank at which any living cgroup lost its row. So a rank is never less than what its
//! cgroup has counted in all. For a table of n rows that counted W in all this means:
//!
//! - A cgroup without a row has counted at most [`RowHistory::may_have`], which is at most W / n.
//!   So every cgroup that has counted more has a row. (`floor` exceeds a weight only if all n rows
//!   exceed it, and each row begins at `floor` at most. So each step takes n counts.)
//! - A living cgroup has counted what its row says, and at most as much more as it may have had
//!   when it got that row.
//!
//! Ids grow. So nothing is missing from a cgroup that is younger than all those that ever lost a
//! row. This is not assumed for ids of a v1 hierarchy, because they begin anew when it is mounted
//! again. Nor is it assumed for a word that stands for something of a cgroup (for example, a
//! shrinker that was called for it). Such a word has the bit of a v1 hierarchy.

use super::cgroup_key::CgroupKey;

/// Machines with at most so many CPUs have tables of full size.
const FULL_SIZE: usize = 16;

/// Returns the number of rows of each CPU's table on a machine that can have so many CPUs. This is
/// `most`, a power of two, if the CPUs are few. With more of them it is a half or a quarter, so
/// that all tables together grow more slowly. (The bounds above hold for each CPU by itself. So a
/// cgroup without a row on any CPU has counted at most W / n on all of them, whatever their
/// number.)
pub const fn rows_per_cpu(most: usize, cpus: usize) -> usize {
    if cpus <= FULL_SIZE {
        most
    } else if cpus.div_ceil(2) <= FULL_SIZE {
        most >> 1
    } else {
        most >> 2
    }
}

/// Where something is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// In this row.
    Row(usize),
    /// Together with all other living cgroups that have no row.
    Other,
    /// Together with the cgroups that have been removed.
    Removed,
}

/// Where the counts of a row go when it is given to another cgroup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heir {
    /// To those of the other living cgroups.
    Other,
    /// To those of the removed cgroups.
    Removed,
}

/// What a table knows of the cgroups that lost their rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowHistory {
    /// The highest rank at which a living cgroup lost its row.
    pub floor: u64,
    /// The highest id of a living cgroup that lost its row, except v1.
    pub newest: u64,
    /// The number of removals at which no row belonged to a removed cgroup.
    pub swept: u64,
}

impl RowHistory {
    /// Returns the most that a living cgroup without a row can have counted.
    pub fn may_have(&self, key: CgroupKey) -> u64 {
        if key.is_v1() || key.id() <= self.newest {
            self.floor
        } else {
            0
        }
    }

    /// Notes that a living cgroup with this rank loses its row.
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

/// A table of rows, whose number is a power of two. One caller at a time uses it.
pub trait RowTable {
    /// Returns the number of rows.
    fn size(&self) -> usize;

    /// Returns the cgroup of a row; `NONE` if the row is free.
    fn key(&self, at: usize) -> CgroupKey;

    /// Returns the rank of a row: where it began, and what has been counted in it.
    fn rank(&self, at: usize) -> u64;

    /// Whether the cgroup of the row has been removed.
    fn is_gone(&self, at: usize) -> bool;

    /// Whether a cgroup is known to have been removed, and its id will not be used again.
    fn is_gone_for_good(&self, key: CgroupKey) -> bool;

    /// Returns how many cgroups that had a row in any table have been removed so far.
    fn removals(&self) -> u64;

    /// Returns the row that was used last.
    fn last(&self) -> usize;

    /// Notes the row that was used last.
    fn set_last(&self, at: usize);

    /// Returns what is known of the past.
    fn history(&self) -> RowHistory;

    /// Notes what is known of the past.
    fn set_history(&self, history: RowHistory);

    /// Gives a row to `key`, which begins at rank `base`. `missed` is the most that `key` may have
    /// counted before. The counts of the row go to `heir`, if it belonged to a cgroup.
    fn give_row(&self, at: usize, heir: Option<Heir>, key: CgroupKey, base: u64, missed: u64);
}

/// Returns the places of a table of `len` rows, a power of two, in the order in which `key` is
/// searched.
fn places(key: CgroupKey, len: usize) -> impl Iterator<Item = usize> {
    // This is Fibonacci hashing, as in `slots`.
    let hash = (key.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
    let mask = len.wrapping_sub(1);
    (0..len).map(move |i| hash.wrapping_add(i) & mask)
}

/// Returns where an event of `key` is counted. The cgroup gets a row if it has none. `gone` means
/// that it has been removed.
#[inline]
pub fn place(rows: &impl RowTable, key: CgroupKey, gone: bool) -> Destination {
    if key == CgroupKey::NONE {
        return Destination::Other;
    }
    // The cgroup that wrote last is mostly the next one, too.
    let last = rows.last();
    if last < rows.size() && rows.key(last) == key && (gone || !key.is_v1()) {
        return Destination::Row(last);
    }
    search(rows, key, gone)
}

fn search(rows: &impl RowTable, key: CgroupKey, gone: bool) -> Destination {
    let mut free = None;
    for at in places(key, rows.size()) {
        let there = rows.key(at);
        if there == key {
            // If an id of v1 is used again, the counts are those of the cgroup that had it before.
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
    if gone || rows.is_gone_for_good(key) {
        return Destination::Removed;
    }
    let Some((at, heir)) = free.map(|at| (at, None)).or_else(|| room(rows)) else {
        return Destination::Other;
    };
    begin(rows, at, heir, key);
    rows.set_last(at);
    Destination::Row(at)
}

fn begin(rows: &impl RowTable, at: usize, heir: Option<Heir>, key: CgroupKey) {
    let history = rows.history();
    // A young cgroup has missed nothing, but begins as high as the others. Otherwise it would be
    // the next to lose its row.
    rows.give_row(at, heir, key, history.floor, history.may_have(key));
}

/// Chooses the row of a full table that is given away: the lightest one of those whose cgroups have
/// been removed, or else the lightest one of all.
fn room(rows: &impl RowTable) -> Option<(usize, Option<Heir>)> {
    let history = rows.history();
    let removals = rows.removals();
    if removals != history.swept {
        let gone = (0..rows.size()).filter(|&at| rows.is_gone(at));
        if let Some(at) = gone.min_by_key(|&at| rows.rank(at)) {
            return Some((at, Some(Heir::Removed)));
        }
        rows.set_history(RowHistory {
            swept: removals,
            ..history
        });
    }
    let at = (0..rows.size()).min_by_key(|&at| rows.rank(at))?;
    rows.set_history(rows.history().lost(rows.key(at), rows.rank(at)));
    Some((at, Some(Heir::Other)))
}
