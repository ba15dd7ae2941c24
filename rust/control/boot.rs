// SPDX-License-Identifier: GPL-2.0

//! The messages that the module prints when it is loaded.

use crate::{
    control::helper,
    helper::Halves,
    kernel_ext::{
        compat,
        tracepoint::ProbeState, //
    },
    tables::states::States,
    words::{
        Event,
        Function, //
    },
};
use kernel::prelude::*;

/// Prints one line for each probe that could not be attached, and for each ledger that is not
/// available. `available` has the names of the ledgers, and whether they are.
pub(crate) fn tell(states: &States, available: &[(&str, bool)]) {
    for &event in Event::ALL.iter() {
        let name = event.name();
        match states.state(event) {
            ProbeState::Attached | ProbeState::Off | ProbeState::Paused | ProbeState::Resting => {}
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
        // If the compiler inlined it, its callers are probed instead.
        if function == Function::WaitBitCommon {
            continue;
        }
        if let ProbeState::Failed(errno) = states.function(function) {
            pr_warn!(
                "no function probe on {} (error {errno}): {}\n",
                function.name(),
                function.without()
            );
        }
    }
    for (name, available) in available {
        if !available {
            pr_info!("ledger {name} unavailable\n");
        }
    }
}

/// Switches the helper on if the parameters ask for it. If that fails, a message says why, and the
/// module goes on without the helper. Sleeps.
pub(crate) fn start_helper() {
    let wanted = helper::wanted();
    if wanted == Halves::default() {
        pr_info!("observer loaded; write_around and handoff are off\n");
        return;
    }
    match helper::switch(wanted) {
        Ok(()) => pr_info!("observer and writeback helper loaded\n"),
        Err(e) if compat::is_unsupported(e) => {
            pr_info!("observer loaded; no writeback helper in this kernel\n");
        }
        Err(e) if e == EBUSY => pr_warn!(
            "observer loaded; this kernel has another writeback helper: unload that, then set write_around and handoff again\n"
        ),
        Err(e) => pr_warn!(
            "observer loaded; the writeback helper failed: error {}\n",
            e.to_errno()
        ),
    }
}
