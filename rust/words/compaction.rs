// SPDX-License-Identifier: GPL-2.0

//! What came of compacting memory for an allocation.

named! {
    /// What try_to_compact_pages() says (`enum compact_result`, include/linux/compaction.h).
    CompactResult {
        /// No zone was suitable.
        NotSuitable => "not_suitable" ("not suitable"),
        /// It did not start: there are pages, or reclaim comes first.
        Skipped => "skipped",
        /// It did not start: it failed too often.
        Deferred => "deferred",
        /// Internal to the kernel.
        NoSuitablePage => "no_suitable_page" ("no suitable page"),
        /// Internal to the kernel.
        Continue => "continue",
        /// All was scanned in vain.
        Complete => "complete" ("all scanned in vain"),
        /// Part was scanned in vain.
        Partial => "partial" ("part scanned in vain"),
        /// Given up for a lock, or as someone waits.
        Contended => "contended",
        /// There is a free block now, or the task has it already.
        Success => "success",
    }
}

named! {
    /// What the task that compacted had of it.
    Outcome {
        /// Its allocation was served next.
        Served => "served",
        /// It reclaimed or compacted once more.
        Again => "again",
        /// It got nothing.
        Failed => "failed",
    }
}

impl CompactResult {
    /// From the kernel's number.
    pub fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }

    /// It started at all: what /proc/vmstat counts in compact_stall.
    pub const fn started(self) -> bool {
        !matches!(self, Self::Skipped | Self::Deferred)
    }
}

impl Outcome {
    /// There was a block for it, and it is gone.
    pub fn is_race(self, result: CompactResult) -> bool {
        result == CompactResult::Success && self != Outcome::Served
    }
}
