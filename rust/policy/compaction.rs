// SPDX-License-Identifier: GPL-2.0

//! What came of compacting memory for an allocation.

/// What try_to_compact_pages() says (`enum compact_result`, include/linux/compaction.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CompactResult {
    /// No zone was suitable.
    NotSuitable,
    /// It did not start: there are pages, or reclaim comes first.
    Skipped,
    /// It did not start: it failed too often.
    Deferred,
    /// Internal to the kernel.
    NoSuitablePage,
    /// Internal to the kernel.
    Continue,
    /// All was scanned in vain.
    Complete,
    /// Part was scanned in vain.
    Partial,
    /// Given up for a lock, or as someone waits.
    Contended,
    /// There is a free block now, or the task has it already.
    Success,
}

impl CompactResult {
    /// All of them, in the kernel's order, with their names.
    pub const ALL: [(CompactResult, &'static str); 9] = [
        (CompactResult::NotSuitable, "not_suitable"),
        (CompactResult::Skipped, "skipped"),
        (CompactResult::Deferred, "deferred"),
        (CompactResult::NoSuitablePage, "no_suitable_page"),
        (CompactResult::Continue, "continue"),
        (CompactResult::Complete, "complete"),
        (CompactResult::Partial, "partial"),
        (CompactResult::Contended, "contended"),
        (CompactResult::Success, "success"),
    ];

    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// From the kernel's number.
    pub fn from_raw(v: u32) -> Option<Self> {
        let (result, _) = Self::ALL.get(usize::try_from(v).ok()?)?;
        Some(*result)
    }

    /// It started at all: what /proc/vmstat counts in compact_stall.
    pub const fn started(self) -> bool {
        !matches!(self, Self::Skipped | Self::Deferred)
    }
}

/// What the task that compacted had of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Outcome {
    /// Its allocation was served next.
    Served,
    /// It reclaimed or compacted once more.
    Again,
    /// It got nothing.
    Failed,
}

impl Outcome {
    /// All of them, with their names.
    pub const ALL: [(Outcome, &'static str); 3] = [
        (Outcome::Served, "served"),
        (Outcome::Again, "again"),
        (Outcome::Failed, "failed"),
    ];

    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// There was a block for it, and it is gone.
    pub fn is_race(self, result: CompactResult) -> bool {
        result == CompactResult::Success && self != Outcome::Served
    }
}
