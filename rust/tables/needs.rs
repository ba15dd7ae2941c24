// SPDX-License-Identifier: GPL-2.0

//! What need not be probed, as things are: functions of which each call would cost, and none
//! would tell anything.
//!
//! Of swap on devices that do at once what they are told, the events of bios tell as much as the
//! functions that submit them. Where that is all the swap there is, these rest; one access to
//! another device ends that for good, and is itself not followed. While zswap is off nothing is offered to it that it would
//! take; what switches it is probed.
//!
//! Context: any, with preemption off; who rests is changed in a worker.

use crate::{
    kernel_ext::{
        cell::peek,
        reads,
        workqueue::Bell, //
    },
    words::Function, //
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// So many accesses to devices that do at once what they are told show that there are no others.
const ENOUGH: u32 = 128;

/// What is known of zswap.
const ZSWAP_MAY_BE_ON: u32 = 0;
const ZSWAP_IS_OFF: u32 = 1;
/// It is being switched on, or off.
const ZSWAP_GOES_ON: u32 = 2;
const ZSWAP_GOES_OFF: u32 = 3;

/// See above.
pub(crate) struct Needs {
    /// A device was seen that takes its time.
    slow_device: Atomic<bool>,
    /// Accesses to others before that.
    at_once: Atomic<u32>,
    zswap: Atomic<u32>,
    /// Rung when any of it changes.
    pub(crate) bell: Bell,
}

impl Needs {
    /// Nothing is known.
    pub(crate) const fn new() -> Self {
        Self {
            slow_device: Atomic::new(false),
            at_once: Atomic::new(0),
            zswap: Atomic::new(ZSWAP_MAY_BE_ON),
            bell: Bell::new(),
        }
    }

    /// Swap is written to a device, or read from it, so many times, which does `at_once` what it is
    /// told, or not.
    #[inline]
    pub(crate) fn device(&self, at_once: bool, times: u64) {
        if peek(&self.slow_device) {
            return;
        }
        let before = peek(&self.at_once);
        if !at_once {
            self.slow_device.store(true, Relaxed);
            if before >= ENOUGH {
                reads::follow(false);
                self.bell.ring(0);
            }
        } else if before < ENOUGH {
            let more = u32::try_from(times).unwrap_or(ENOUGH);
            let before = self.at_once.fetch_add(more, Relaxed);
            if before < ENOUGH && before.saturating_add(more) >= ENOUGH {
                reads::follow(true);
                // What was entered before has been left by then.
                self.bell.ring(1000);
            }
        }
    }

    /// zswap is about to be switched on or off: one at a time does that.
    pub(crate) fn zswap_switches(&self, on: bool) {
        let to = if on { ZSWAP_GOES_ON } else { ZSWAP_GOES_OFF };
        self.zswap.store(to, Relaxed);
        self.bell.ring(0);
    }

    /// It is done, or could not be.
    pub(crate) fn zswap_switched(&self, done: bool) {
        let goes_off = peek(&self.zswap) == ZSWAP_GOES_OFF;
        let is = if goes_off && done {
            ZSWAP_IS_OFF
        } else {
            ZSWAP_MAY_BE_ON
        };
        self.zswap.store(is, Relaxed);
        self.bell.ring(0);
    }

    /// It is to be asked whether zswap is on. Until that is known it counts as on.
    pub(crate) fn asks_zswap(&self) {
        self.zswap.store(ZSWAP_MAY_BE_ON, Relaxed);
    }

    /// It is off, unless it has been switched since it was asked for.
    pub(crate) fn zswap_was_off(&self) {
        // In vain if so.
        let _ = self.zswap.cmpxchg(ZSWAP_MAY_BE_ON, ZSWAP_IS_OFF, Relaxed);
    }

    /// zswap takes nothing.
    pub(crate) fn zswap_is_off(&self) -> bool {
        peek(&self.zswap) == ZSWAP_IS_OFF
    }

    /// Would a call of the function tell anything?
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
