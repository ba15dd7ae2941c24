// SPDX-License-Identifier: GPL-2.0

//! The module's parameters: ranges, and what setting one switches. Parsing and /sys/module are the
//! C shim's (shim/params.c), which also documents them to modinfo.
//!
//! The kernel serialises the setters. Process context; they may sleep.

use crate::{
    control::{
        helper,
        probes, //
    },
    helper::Halves,
    kernel_ext::system,
    policy::{
        handoff::Mode,
        slots, //
    },
    settings::{
        enabled,
        group,
        handoff_floor,
        headroom_floor,
        request_cost,
        ring_pages,
        window_slots,
        write_around,
        ENABLED,
        GROUPS,
        HANDOFF,
        HANDOFF_FLOOR,
        HEADROOM_FLOOR,
        INFLIGHT_KIB,
        REQUEST_COST,
        RING_PAGES,
        WINDOW_KIB,
        WINDOW_SLOTS,
        WRITE_AROUND, //
    },
    shim,
    words::Group, //
};
use core::ops::RangeInclusive;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// Switches a group; as it was before if that fails. Sleeps.
fn switch(group: Group, on: bool) -> Result {
    let Some(there) = GROUPS.get(group as usize) else {
        return Err(EINVAL);
    };
    let before = there.load(Relaxed);
    if before == on {
        return Ok(());
    }
    there.store(on, Relaxed);
    probes::switch(group).inspect_err(|_| there.store(before, Relaxed))
}

/// Begins or ends recording; nothing is recorded if that fails. Sleeps.
fn record(recorded: &Atomic<bool>, on: bool) -> Result {
    if recorded.load(Relaxed) == on {
        return Ok(());
    }
    recorded.store(on, Relaxed);
    probes::pause_or_resume().inspect_err(|e| {
        pr_err!(
            "enabled: the probes could not be attached: error {}\n",
            e.to_errno()
        );
        // Nothing is attached now.
        recorded.store(false, Relaxed);
    })
}

/// Bytes of a stack, or 0.
fn stack_bytes(name: &str, value: u64) -> Result<usize> {
    let size = system::stack_size();
    let bytes = usize::try_from(value).ok().filter(|&b| b <= size);
    bytes.ok_or_else(|| {
        pr_err!("{name}={value}: give 0 (off) to {size} bytes, the size of a stack\n");
        EINVAL
    })
}

/// Stores a number of the range; says what the range is if it is not of it.
fn store(
    name: &str,
    to: &Atomic<u32>,
    value: u64,
    range: RangeInclusive<u32>,
    unit: &str,
) -> Result {
    match u32::try_from(value) {
        Ok(v) if range.contains(&v) => {
            to.store(v, Relaxed);
            Ok(())
        }
        _ => {
            pr_err!(
                "{name}={value}: give {} to {} {unit}\n",
                range.start(),
                range.end()
            );
            Err(EINVAL)
        }
    }
}

/// Switches the helper for a parameter that its halves do not agree with yet; says why if
/// that can't be. What is so already is never switched: a kernel without a place for the
/// helper has it off, and may be told so. Sleeps.
fn switch_helper(name: &str, wanted: Halves) -> Result {
    helper::switch(wanted).inspect_err(|&e| {
        if e == EOPNOTSUPP {
            pr_err!("{name}: no writeback helper in this kernel; leave it off\n");
        } else if e == EBUSY {
            pr_err!("{name}: this kernel has another writeback helper: unload that first\n");
        } else if e == ENODEV {
            pr_err!("{name}: the module is being unloaded\n");
        } else {
            pr_err!(
                "{name}: the writeback helper failed: error {}\n",
                e.to_errno()
            );
        }
    })
}

/// The C shim's number of a group's parameter.
pub(crate) const fn param(group: Group) -> u32 {
    match group {
        Group::Stalls => shim::RWB_PARAM_STALLS,
        Group::Shrinkers => shim::RWB_PARAM_SHRINKERS,
        Group::Tlb => shim::RWB_PARAM_TLB,
        Group::Metadata => shim::RWB_PARAM_METADATA,
        Group::Takers => shim::RWB_PARAM_TAKERS,
        Group::Reserves => shim::RWB_PARAM_RESERVES,
        Group::Nbd => shim::RWB_PARAM_NBD,
        Group::Waits => shim::RWB_PARAM_WAITS,
    }
}

/// The group whose parameter the C shim numbers `id`.
fn numbered(id: u32) -> Option<Group> {
    Group::ALL.iter().copied().find(|&g| param(g) == id)
}

/// Sets the parameter that the C shim numbers `id`; `EINVAL` when the value is
/// out of range, which then changes nothing.
pub(crate) fn set(id: u32, value: u64) -> Result {
    match id {
        shim::RWB_PARAM_ENABLED => record(&ENABLED, value != 0)?,
        shim::RWB_PARAM_HEADROOM_FLOOR => {
            HEADROOM_FLOOR.store(stack_bytes("headroom_floor", value)?, Relaxed)
        }
        shim::RWB_PARAM_WINDOW_SLOTS => {
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
        shim::RWB_PARAM_WRITE_AROUND => {
            let around = value != 0;
            if helper::on().is_some_and(|on| on.around != around) {
                switch_helper(
                    "write_around",
                    Halves {
                        around,
                        ..helper::wanted()
                    },
                )?;
            }
            WRITE_AROUND.store(around, Relaxed);
        }
        shim::RWB_PARAM_WINDOW => {
            if !value.is_power_of_two() {
                pr_err!("window={value}: give a power of two from 64 to 4096 KiB\n");
                return Err(EINVAL);
            }
            store("window", &WINDOW_KIB, value, 64..=4096, "KiB")?;
        }
        shim::RWB_PARAM_REQUEST_COST => {
            store("request_cost", &REQUEST_COST, value, 0..=1024, "pages")?
        }
        shim::RWB_PARAM_INFLIGHT => store("inflight", &INFLIGHT_KIB, value, 256..=65536, "KiB")?,
        shim::RWB_PARAM_RING_PAGES => store("ring_pages", &RING_PAGES, value, 64..=65536, "pages")?,
        shim::RWB_PARAM_HANDOFF => {
            let mode = Mode::from_u64(value).ok_or(EINVAL)?;
            let handoff = mode != Mode::Never;
            if helper::on().is_some_and(|on| on.handoff != handoff) {
                let wanted = Halves {
                    handoff,
                    ..helper::wanted()
                };
                switch_helper("handoff", wanted)?;
            }
            HANDOFF.store(value, Relaxed);
        }
        shim::RWB_PARAM_HANDOFF_FLOOR => {
            HANDOFF_FLOOR.store(stack_bytes("handoff_floor", value)?, Relaxed)
        }
        _ => switch(numbered(id).ok_or(EINVAL)?, value != 0)?,
    }
    Ok(())
}

/// Value of the parameter that the C shim numbers `id`.
pub(crate) fn get(id: u32) -> u64 {
    match id {
        shim::RWB_PARAM_ENABLED => u64::from(enabled()),
        shim::RWB_PARAM_HEADROOM_FLOOR => headroom_floor() as u64,
        shim::RWB_PARAM_WINDOW_SLOTS => window_slots() as u64,
        shim::RWB_PARAM_WRITE_AROUND => {
            u64::from(helper::on().map_or_else(write_around, |on| on.around))
        }
        shim::RWB_PARAM_WINDOW => u64::from(WINDOW_KIB.load(Relaxed)),
        shim::RWB_PARAM_REQUEST_COST => u64::from(request_cost()),
        shim::RWB_PARAM_INFLIGHT => u64::from(INFLIGHT_KIB.load(Relaxed)),
        shim::RWB_PARAM_RING_PAGES => ring_pages() as u64,
        shim::RWB_PARAM_HANDOFF if helper::on().is_some_and(|on| !on.handoff) => Mode::Never as u64,
        shim::RWB_PARAM_HANDOFF => HANDOFF.load(Relaxed),
        shim::RWB_PARAM_HANDOFF_FLOOR => handoff_floor() as u64,
        _ => numbered(id).is_some_and(group).into(),
    }
}
