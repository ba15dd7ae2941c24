// SPDX-License-Identifier: GPL-2.0

//! What is said when the module is loaded.

use crate::{
    control::helper,
    helper::Halves,
    kernel_ext::tracepoint::ProbeState,
    tables::states::States,
    words::{
        Event,
        Function, //
    },
};
use kernel::prelude::*;

/// Says what could not be attached, and which ledgers are not `available`, one line each.
pub(crate) fn tell(states: &States, available: &[(&str, bool)]) {
    for &event in Event::ALL.iter() {
        let name = event.name();
        match states.state(event) {
            ProbeState::Attached | ProbeState::Off | ProbeState::Paused => {}
            ProbeState::Missing => pr_warn!("event {name} is missing in this kernel\n"),
            ProbeState::Changed => pr_warn!(
                "event {name} changed: its prototype is not the one this module was written for\n"
            ),
            ProbeState::Waiting => pr_info!("event {name} waits for its module to be loaded\n"),
            ProbeState::Unpaired => {
                pr_warn!("event {name} not used: its end event is not available\n")
            }
            ProbeState::Failed(errno) => {
                pr_warn!("event {name} could not be attached: error {errno}\n")
            }
        }
    }
    for &function in Function::ALL {
        // Where the compiler inlined it, what calls it is probed.
        if function == Function::WaitBitCommon {
            continue;
        }
        if let ProbeState::Failed(errno) = states.function(function) {
            pr_warn!(
                "no function probe on {} (error {errno}): {}\n",
                function.name(),
                function.tells()
            );
        }
    }
    for (name, available) in available {
        if !available {
            pr_info!("ledger {name} unavailable\n");
        }
    }
}

/// Switches the helper on if that is wanted; without it the observer goes on.
pub(crate) fn start_helper() {
    let wanted = helper::wanted();
    if wanted == Halves::default() {
        pr_info!("observer loaded; write_around and handoff are off\n");
        return;
    }
    match helper::switch(wanted) {
        Ok(()) => pr_info!("observer and writeback helper loaded\n"),
        Err(e) if e == EOPNOTSUPP => {
            pr_info!("observer loaded; no writeback helper in this kernel\n");
        }
        Err(e) if e == EBUSY => pr_warn!(
            "observer loaded; this kernel has another writeback helper: unload that, then set write_around and handoff anew\n"
        ),
        Err(e) => pr_warn!(
            "observer loaded; the writeback helper failed: error {}\n",
            e.to_errno()
        ),
    }
}
