// SPDX-License-Identifier: GPL-2.0

//! The results of compacting memory for an allocation.

named! {
    /// The result of try_to_compact_pages() (`enum compact_result`, include/linux/compaction.h).
    CompactResult {
        /// No zone was suitable.
        NotSuitable => "not_suitable" ("not suitable"),
        /// Compaction did not start, because there are free pages, or because reclaim comes first.
        Skipped => "skipped",
        /// Compaction did not start, because it failed too often before.
        Deferred => "deferred",
        /// Internal to the kernel.
        NoSuitablePage => "no_suitable_page" ("no suitable page"),
        /// Internal to the kernel.
        Continue => "continue",
        /// All memory was scanned without success.
        Complete => "complete" ("all scanned in vain"),
        /// A part of memory was scanned without success.
        Partial => "partial" ("part scanned in vain"),
        /// Compaction gave up because of a contended lock, or because another task needs the CPU.
        Contended => "contended",
        /// There is a free block now, or the task has got it already.
        Success => "success",
    }
}

named! {
    /// What became of the allocation for which a task compacted.
    Outcome {
        /// The allocation was served next.
        Served => "served",
        /// The task reclaimed or compacted once more.
        Again => "again",
        /// The allocation failed.
        Failed => "failed",
    }
}

impl CompactResult {
    /// Converts the kernel's number; `None` if it is unknown.
    pub fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }

    /// Whether compaction started at all: these are counted in compact_stall of /proc/vmstat.
    pub const fn started(self) -> bool {
        !matches!(self, Self::Skipped | Self::Deferred)
    }
}

impl Outcome {
    /// Whether there was a block for the task, and another one took it.
    pub fn is_race(self, result: CompactResult) -> bool {
        result == CompactResult::Success && self != Outcome::Served
    }
}
