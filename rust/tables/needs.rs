// SPDX-License-Identifier: GPL-2.0

//! The functions that need not be probed, as things are: each of their calls would cost, and none
//! would tell anything.
//!
//! Where all swap is on devices that do at once what they are told, the events of bios tell as much
//! as the functions that submit them. There these functions rest. One access to another device ends
//! that for good, and is itself not followed. While zswap is off, nothing that it would take is
//! offered to it. The function that switches zswap is probed.
//!
//! Context: any, with preemption off. A worker changes which functions rest.

use crate::{
    kernel_ext::{
        cell::peek,
        reads,
        workqueue::Doorbell, //
    },
    words::Function, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// After this many accesses to devices that do at once what they are told, no others are assumed to
/// be there.
const ENOUGH: u32 = 128;

/// The values of what is known of zswap.
const ZSWAP_MAY_BE_ON: u32 = 0;
const ZSWAP_IS_OFF: u32 = 1;
/// These two say that zswap is being switched on, or off.
const ZSWAP_GOES_ON: u32 = 2;
const ZSWAP_GOES_OFF: u32 = 3;

/// What is known of the devices that swap is on, and of zswap.
pub(crate) struct ProbeNeeds {
    /// Whether a device was seen that takes its time.
    slow_device: Atomic<bool>,
    /// The number of accesses to other devices before that.
    at_once: Atomic<u32>,
    zswap: Atomic<u32>,
    /// The bell that is rung when any of this changes.
    pub(crate) doorbell: Doorbell,
}

impl ProbeNeeds {
    /// Creates the state in which nothing is known.
    pub(crate) const fn new() -> Self {
        Self {
            slow_device: Atomic::new(false),
            at_once: Atomic::new(0),
            zswap: Atomic::new(ZSWAP_MAY_BE_ON),
            doorbell: Doorbell::new(),
        }
    }

    /// Accounts for `times` writes of swap to a device, or reads from it. `at_once` says whether
    /// the device does at once what it is told.
    #[inline]
    pub(crate) fn note_access(&self, at_once: bool, times: u64) {
        if peek(&self.slow_device) {
            return;
        }
        let before = peek(&self.at_once);
        if !at_once {
            self.slow_device.store(true, Relaxed);
            if before >= ENOUGH {
                reads::follow(false);
                self.doorbell.ring(0);
            }
        } else if before < ENOUGH {
            let more = u32::try_from(times).unwrap_or(ENOUGH);
            let before = self.at_once.fetch_add(more, Relaxed);
            if before < ENOUGH && before.saturating_add(more) >= ENOUGH {
                reads::follow(true);
                // The functions that were entered before have been left by then.
                self.doorbell.ring(1000);
            }
        }
    }

    /// Notes that zswap is about to be switched on or off. Only one task at a time does that.
    pub(crate) fn note_zswap_switching(&self, on: bool) {
        let to = if on { ZSWAP_GOES_ON } else { ZSWAP_GOES_OFF };
        self.zswap.store(to, Relaxed);
        self.doorbell.ring(0);
    }

    /// Notes that zswap was switched, or, if not `done`, that it could not be.
    pub(crate) fn note_zswap_switched(&self, done: bool) {
        let goes_off = peek(&self.zswap) == ZSWAP_GOES_OFF;
        let is = if goes_off && done {
            ZSWAP_IS_OFF
        } else {
            ZSWAP_MAY_BE_ON
        };
        self.zswap.store(is, Relaxed);
        self.doorbell.ring(0);
    }

    /// Notes that somebody is about to ask whether zswap is on. Until that is known, zswap counts
    /// as on.
    pub(crate) fn note_zswap_query(&self) {
        self.zswap.store(ZSWAP_MAY_BE_ON, Relaxed);
    }

    /// Notes the answer that zswap is off, unless zswap has been switched since the question was
    /// asked.
    pub(crate) fn note_zswap_off(&self) {
        // The exchange fails if zswap was switched, which is as it should be.
        let _ = self.zswap.cmpxchg(ZSWAP_MAY_BE_ON, ZSWAP_IS_OFF, Relaxed);
    }

    /// Whether zswap is off, so that it takes nothing.
    pub(crate) fn zswap_is_off(&self) -> bool {
        peek(&self.zswap) == ZSWAP_IS_OFF
    }

    /// Whether a call of the function would tell anything.
    pub(crate) fn function(&self, function: Function) -> bool {
        match function {
            Function::SwapSubmit | Function::SwapRead => {
                peek(&self.slow_device) || peek(&self.at_once) < ENOUGH
            }
            Function::ZswapStore => !self.zswap_is_off(),
            _ => true,
        }
    }
}
