// SPDX-License-Identifier: GPL-2.0

//! reclaimwb: which tasks write during page reclaim, how much stack is left, what reclaim makes
//! tasks wait for, and a helper that writes in their place.
//!
//! This file lists the parts of the module, and starts and stops them in order. Each part ("room")
//! uses only those that stand below it in CONTRIBUTING.md, which has the list.
//! Documentation/design.rst has the calling contexts, the stop order, and the order of all locks.
//!
//! Data flows one way: tracepoint -> shim/probes_*.c -> entry/ -> probes/ -> ledgers/ -> rows/
//! (debugfs).

// A sum that overflows and an index out of range would panic, so the code says what is meant in
// these cases. scripts/build/module.sh verifies that the compiled module calls no panic function.
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

/// The module while it is loaded.
///
/// Fields are dropped in the order in which they are declared, which is the stop order: the helper,
/// once its workers have ended; the debugfs files, once their readers are done; the probes, whose
/// drop waits for the last handler. Each of them holds a reference to the ledgers, which are freed
/// with the last one.
#[pin_data]
struct ReclaimWb {
    helper: control::helper::HelperGuard,
    #[pin]
    rows: rows::Files,
    attached: control::probes::AttachedProbes,
}

impl kernel::InPlaceModule for ReclaimWb {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            let ledgers = Ledgers::new()?;
            Ok(try_pin_init!(Self {
                attached: control::probes::AttachedProbes::new(ledgers.clone())?,
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
