// SPDX-License-Identifier: GPL-2.0

//! The module's parameters: values and ranges. Parsing and /sys/module are the
//! C shim's (shim/params.c), which also documents them to modinfo.
//!
//! Any context may read; the kernel serialises the setters.

use crate::{
    kernel_ext::system,
    policy::slots, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

static ENABLED: Atomic<bool> = Atomic::new(true);
static HEADROOM_FLOOR: Atomic<usize> = Atomic::new(2048);
static WINDOW_SLOTS: Atomic<usize> = Atomic::new(1024);

/// `enabled`: whether events are recorded. Default true.
pub(crate) fn enabled() -> bool {
    ENABLED.load(Relaxed)
}

/// `headroom_floor`: bytes of stack below which a sample raises
/// reclaimwb:headroom_low; 0 is off. Default 2048.
pub(crate) fn headroom_floor() -> usize {
    HEADROOM_FLOOR.load(Relaxed)
}

/// `window_slots`: tasks that can be inside reclaim at once and be told apart.
/// A power of two, 64 to 65536, default 1024; used when the module loads.
pub(crate) fn window_slots() -> usize {
    WINDOW_SLOTS.load(Relaxed)
}

/// Sets the parameter that the C shim numbers `id`; `EINVAL` when the value is
/// out of range, which then changes nothing.
pub(crate) fn set(id: u32, value: u64) -> Result {
    match id {
        0 => ENABLED.store(value != 0, Relaxed),
        1 => {
            let bytes = usize::try_from(value).map_err(|_| EINVAL)?;
            let size = system::stack_size();
            if bytes > size {
                pr_err!(
                    "headroom_floor={value}: give 0 (off) to {size} bytes, the size of a stack\n"
                );
                return Err(EINVAL);
            }
            HEADROOM_FLOOR.store(bytes, Relaxed);
        }
        2 => {
            if !slots::valid_slots(value) {
                pr_err!(
                    "window_slots={value}: give a power of two from {} to {}\n",
                    slots::MIN_SLOTS,
                    slots::MAX_SLOTS
                );
                return Err(EINVAL);
            }
            WINDOW_SLOTS.store(usize::try_from(value).map_err(|_| EINVAL)?, Relaxed);
        }
        _ => return Err(EINVAL),
    }
    Ok(())
}

/// Value of the parameter that the C shim numbers `id`.
pub(crate) fn get(id: u32) -> u64 {
    match id {
        0 => u64::from(enabled()),
        1 => headroom_floor() as u64,
        2 => window_slots() as u64,
        _ => 0,
    }
}
