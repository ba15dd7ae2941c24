// SPDX-License-Identifier: GPL-2.0

//! When swap-out is handed off, and why a request was not.

named! {
    /// When is swap-out handed off?
    Mode {
        /// Never.
        Never => "never" ("not at all"),
        /// When less stack is left than a floor.
        LowHeadroom => "low-headroom" ("when less stack is left than handoff_floor"),
        /// Whenever it is allowed.
        Always => "always" ("whenever it is allowed"),
    }
}

named! {
    /// Why a request was not handed off: who made it submits it.
    Refusal {
        /// The device writes at once: zram, brd.
        Sync => "sync" ("the device writes at once"),
        /// Enough stack is left.
        Headroom => "headroom" ("enough stack is left"),
        /// More swap devices than writers.
        Devices => "devices" ("no writer for its device"),
        /// The writer's queue has no place, as the device is late.
        Late => "late" ("the device is late"),
        /// The writer's queue has no place.
        Full => "full" ("the writer's queue is full"),
        /// The helper is going.
        Going => "going" ("handoff was being switched off"),
    }
}

impl Mode {
    /// From its number.
    pub fn from_u64(v: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }
}
