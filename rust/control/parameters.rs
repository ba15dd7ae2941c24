// SPDX-License-Identifier: GPL-2.0

//! The setters of the module's parameters, and what they switch. The bounds are in
//! words/parameter.rs. Parsing and /sys/module are in shim/params.c.
//!
//! Context: process context; setters may sleep. The kernel serialises them.

use crate::{
    control::{
        helper,
        probes, //
    },
    helper::Halves,
    kernel_ext::{
        compat,
        system, //
    },
    settings::{
        self,
        enabled,
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
    words::{
        Group,
        Mode,
        Parameter,
        Values, //
    },
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// Switches the probes of a group. If that fails, the parameter keeps its value. Sleeps.
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

/// Begins or ends recording. If the probes cannot be attached, recording stays off. Sleeps.
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
        // No probe is attached now.
        recorded.store(false, Relaxed);
    })
}

/// Checks that the parameter takes this value. If not, prints which values it takes, and fails with
/// `EINVAL`.
fn check(parameter: Parameter, value: u64) -> Result {
    let name = parameter.name();
    match parameter.values() {
        Values::Switch { .. } => {}
        Values::Mode { .. } => Mode::from_u64(value).map(|_| ()).ok_or(EINVAL)?,
        Values::OfStack { .. } => {
            let size = system::stack_size();
            if value > size as u64 {
                pr_err!("{name}={value}: give 0 (off) to {size} bytes, the size of a stack\n");
                return Err(EINVAL);
            }
        }
        Values::Number {
            min,
            max,
            power_of_two,
            unit,
            ..
        } => {
            if !(min..=max).contains(&value) || power_of_two && !value.is_power_of_two() {
                let what = if power_of_two {
                    "a power of two from "
                } else {
                    ""
                };
                pr_err!("{name}={value}: give {what}{min} to {max} {unit}\n");
                return Err(EINVAL);
            }
        }
    }
    Ok(())
}

/// Converts a value that [`check`] has found to be in range.
fn fit<T: TryFrom<u64>>(value: u64) -> Result<T> {
    T::try_from(value).map_err(|_| EINVAL)
}

/// Switches the helper on behalf of a parameter. Prints why if that fails. Sleeps.
///
/// The caller does this only if the halves differ from what is wanted. On a kernel that cannot have
/// the helper it is off, so setting its parameters to "off" succeeds there.
fn switch_helper(parameter: Parameter, wanted: Halves) -> Result {
    let name = parameter.name();
    helper::switch(wanted).inspect_err(|&e| {
        if compat::is_unsupported(e) {
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

/// Sets the parameter that the C shim numbers `id`. Fails with `EINVAL` if the value is out of
/// range, or with the error of what it switches; the parameter then keeps its value. Sleeps.
pub(crate) fn set(id: u32, value: u64) -> Result {
    let parameter = Parameter::from_raw(id).ok_or(EINVAL)?;
    check(parameter, value)?;
    match parameter {
        Parameter::Enabled => record(&ENABLED, value != 0)?,
        Parameter::HeadroomFloor => HEADROOM_FLOOR.store(fit(value)?, Relaxed),
        Parameter::WindowSlots => WINDOW_SLOTS.store(fit(value)?, Relaxed),
        Parameter::WriteAround => {
            let around = value != 0;
            if helper::on().is_some_and(|on| on.around != around) {
                let wanted = Halves {
                    around,
                    ..helper::wanted()
                };
                switch_helper(parameter, wanted)?;
            }
            WRITE_AROUND.store(around, Relaxed);
        }
        Parameter::Window => WINDOW_KIB.store(fit(value)?, Relaxed),
        Parameter::RequestCost => REQUEST_COST.store(fit(value)?, Relaxed),
        Parameter::Inflight => INFLIGHT_KIB.store(fit(value)?, Relaxed),
        Parameter::RingPages => RING_PAGES.store(fit(value)?, Relaxed),
        Parameter::Handoff => {
            let handoff = value != Mode::Never as u64;
            if helper::on().is_some_and(|on| on.handoff != handoff) {
                let wanted = Halves {
                    handoff,
                    ..helper::wanted()
                };
                switch_helper(parameter, wanted)?;
            }
            HANDOFF.store(value, Relaxed);
        }
        Parameter::HandoffFloor => HANDOFF_FLOOR.store(fit(value)?, Relaxed),
        Parameter::Group(group) => switch(group, value != 0)?,
    }
    Ok(())
}

/// Returns the value of the parameter that the C shim numbers `id`. Sleeps.
pub(crate) fn get(id: u32) -> u64 {
    let Some(parameter) = Parameter::from_raw(id) else {
        return 0;
    };
    match parameter {
        Parameter::Enabled => u64::from(enabled()),
        Parameter::HeadroomFloor => headroom_floor() as u64,
        Parameter::WindowSlots => window_slots() as u64,
        Parameter::WriteAround => u64::from(helper::on().map_or_else(write_around, |on| on.around)),
        Parameter::Window => u64::from(WINDOW_KIB.load(Relaxed)),
        Parameter::RequestCost => u64::from(request_cost()),
        Parameter::Inflight => u64::from(INFLIGHT_KIB.load(Relaxed)),
        Parameter::RingPages => ring_pages() as u64,
        Parameter::Handoff if helper::on().is_some_and(|on| !on.handoff) => Mode::Never as u64,
        Parameter::Handoff => HANDOFF.load(Relaxed),
        Parameter::HandoffFloor => handoff_floor() as u64,
        Parameter::Group(group) => settings::group(group).into(),
    }
}
