// SPDX-License-Identifier: GPL-2.0

//! reclaimwb: who writes during page reclaim, and how much stack is left.
//!
//! This file: what the module is made of, and the order in which it starts and
//! stops. The words that the ledgers are indexed by, and the parameters, are in words/, the
//! values of these in settings.rs, the handlers in probes/.
//!
//! Flow, one way: tracepoint -> shim/probes_*.c -> entry/ -> probes/ -> ledgers/
//! -> rows/ (debugfs).

// A sum that overflows and an index out of range may panic: what is meant is said instead. What
// the compiler makes of it is looked at by scripts/build/module.sh.
#![deny(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

mod control;
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
#[allow(
    dead_code,
    unreachable_pub,
    reason = "also built as a crate of its own, on the host, for what else is made of it"
)]
mod words;

use kernel::prelude::*;
use ledgers::Ledgers;

module! {
    type: ReclaimWb,
    name: "reclaimwb",
    authors: ["The reclaimwb founders"],
    description: "Reclaim writeback: origins, stack headroom, and a helper",
    license: "GPL",
}

/// The module.
///
/// Fields are dropped in the order in which they stand here, which is the stop
/// order: the helper, when its workers are done; the debugfs files with their
/// readers; the probes, whose drop waits for the last handler. The ledgers, which all
/// hold by reference count, go with the last of them.
#[pin_data]
struct ReclaimWb {
    helper: control::helper::HelperGuard,
    #[pin]
    rows: rows::Files,
    attached: control::probes::Attached,
}

impl kernel::InPlaceModule for ReclaimWb {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let ledgers = Ledgers::new()?;
            Ok(try_pin_init!(Self {
                attached: control::probes::Attached::new(ledgers.clone())?,
                rows <- rows::Files::new(ledgers.clone()),
                helper: control::helper::HelperGuard::new(ledgers.clone())?,
                _: {
                    control::boot::tell(&ledgers.states, &rows::availability(&ledgers));
                    control::boot::start_helper();
                },
            }))
        })
    }
}
