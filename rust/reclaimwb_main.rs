// SPDX-License-Identifier: GPL-2.0

//! reclaimwb: who writes during page reclaim, and how much stack is left.
//!
//! This file: what the module is made of, and the order in which it starts and
//! stops. Parameters are in settings.rs (and shim/params.c), the words that the
//! ledgers are indexed by in words/, the handlers in probes/.
//!
//! Flow, one way: tracepoint -> shim/probes_*.c -> entry/ -> probes/ -> ledgers/
//! -> rows/ (debugfs).

// A sum that overflows and an index out of range may panic: what is meant is said instead. What
// the compiler makes of it is looked at by scripts/module.sh.
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod entry;
mod helper;
mod kernel_ext;
mod ledgers;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "also built as a crate of its own, on the host, whose tests use more"
)]
mod policy;
mod probes;
mod rows;
mod settings;
mod shim;
mod tables;
#[allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]
#[cfg(CONFIG_KUNIT = "y")]
mod tests;
mod words;

use kernel::prelude::*;
use ledgers::Observer;
use words::{
    Event,
    Function, //
};

module! {
    type: ReclaimWb,
    name: "reclaimwb",
    authors: ["The reclaimwb founders"],
    description: "Reclaim writeback: origins, stack headroom, and a helper",
    license: "GPL",
}

/// Version of the module.
const VERSION: &str = "0.1.0";

/// The module.
///
/// Fields are dropped in the order in which they stand here, which is the stop
/// order: the helper, when its workers are done; the debugfs files with their
/// readers; the probes, whose drop waits for the last handler. The ledgers, which all
/// hold by reference count, go with the last of them.
#[pin_data]
struct ReclaimWb {
    helper: shim::reclaim::Placed,
    #[pin]
    rows: rows::Rows,
    #[pin]
    attached: shim::attached::Attached,
}

/// Says what could not be attached, one line each.
fn tell(obs: &Observer) {
    use kernel_ext::tracepoint::State;

    for &event in Event::ALL.iter() {
        let name = event.name();
        match obs.state(event) {
            State::Attached | State::Off => {}
            State::Missing => pr_warn!("event {name} is missing in this kernel\n"),
            State::Changed => pr_warn!(
                "event {name} changed: its prototype is not the one this module was written for\n"
            ),
            State::Waiting => pr_info!("event {name} waits for its module to be loaded\n"),
            State::Unpaired => pr_warn!("event {name} not used: its end event is not available\n"),
            State::Failed(errno) => pr_warn!("event {name} could not be attached: error {errno}\n"),
        }
    }
    for &function in Function::ALL {
        // Where the compiler inlined it, what calls it is probed.
        if function == Function::WaitBitCommon {
            continue;
        }
        if let State::Failed(errno) = obs.function(function) {
            pr_warn!(
                "no function probe on {} (error {errno}): {}\n",
                function.name(),
                function.tells()
            );
        }
    }
    for (name, available) in rows::ledgers(obs) {
        if !available {
            pr_info!("ledger {name} unavailable\n");
        }
    }
}

/// Switches the helper on if that is wanted; without it the observer goes on.
fn start_helper() {
    let wanted = settings::wanted();
    if wanted == shim::reclaim::Wanted::default() {
        pr_info!("observer loaded; write_around and handoff are off\n");
        return;
    }
    match shim::reclaim::switch(wanted) {
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

impl kernel::InPlaceModule for ReclaimWb {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let observer = Observer::new()?;
            let shown = observer.clone();
            Ok(try_pin_init!(Self {
                attached <- shim::attached::Attached::new(observer),
                rows <- rows::Rows::new(shown.clone()),
                helper: shim::reclaim::Placed::new(shown.clone())?,
                _: {
                    tell(&shown);
                    start_helper();
                },
            }))
        })
    }
}
