// SPDX-License-Identifier: GPL-2.0

//! When swap-out is handed off, and why a request was not.

named! {
    /// When swap-out is handed off.
    Mode {
        /// Never.
        Never => "never" ("not at all"),
        /// When less stack is left than `handoff_floor`.
        LowHeadroom => "low-headroom" ("when less stack is left than handoff_floor"),
        /// Whenever it is allowed.
        Always => "always" ("whenever it is allowed"),
    }
}

named! {
    /// Why a request was not handed off, so that the task that made it submits it.
    Refusal {
        /// The device is synchronous: zram, brd.
        Sync => "sync" ("the device writes at once"),
        /// Enough stack is left.
        Headroom => "headroom" ("enough stack is left"),
        /// There are more swap devices than writers.
        Devices => "devices" ("no writer for its device"),
        /// The device takes requests faster than its writer submits them, and enough stack is left.
        Fast => "fast" ("the device is faster than its writer"),
        /// The queue of the writer is full, because the device is late.
        Late => "late" ("the device is late"),
        /// The queue of the writer is full.
        Full => "full" ("the writer's queue is full"),
        /// Handoff is being switched off.
        Going => "going" ("handoff was being switched off"),
    }
}

impl Mode {
    /// Converts the number of a mode; `None` if it is unknown.
    pub fn from_u64(v: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }
}
