// SPDX-License-Identifier: GPL-2.0

//! The ledgers as text: /sys/kernel/debug/reclaimwb/, mode 0400, one file a
//! ledger, `key value` rows. Keys and their meaning are part of the format
//! (README.md, "Ledgers"); a change of meaning raises `FORMAT`.
//!
//! Context: process context; the readers sleep.

mod handoff;
mod headroom;
mod helper;
mod status;
mod writes;

pub(crate) use status::ledgers;

use crate::observer::Observer;
use kernel::{
    debugfs::{
        Dir,
        File, //
    },
    prelude::*,
    sync::Arc, //
};

/// Version of the format.
pub(crate) const FORMAT: u32 = 1;

/// The files; removed, after their readers are done, on drop.
#[pin_data]
pub(crate) struct Rows {
    #[pin]
    status: File<Arc<Observer>>,
    #[pin]
    writes: File<Arc<Observer>>,
    #[pin]
    headroom: File<Arc<Observer>>,
    #[pin]
    stacks: File<Arc<Observer>>,
    #[pin]
    cgroups: File<Arc<Observer>>,
    #[pin]
    helper: File<Arc<Observer>>,
    #[pin]
    handoff: File<Arc<Observer>>,
    // After the files that are in it.
    dir: Dir,
}

impl Rows {
    /// Creates the folder and its files. Sleeps.
    pub(crate) fn new(observer: Arc<Observer>) -> impl PinInit<Self, Error> {
        let dir = Dir::new(c"reclaimwb");
        try_pin_init!(Self {
            status <- dir.read_callback_file(c"status", observer.clone(), &status::status),
            writes <- dir.read_callback_file(c"writes", observer.clone(), &writes::writes),
            headroom <- dir.read_callback_file(c"headroom", observer.clone(), &headroom::headroom),
            stacks <- dir.read_callback_file(c"stacks", observer.clone(), &headroom::stacks),
            cgroups <- dir.read_callback_file(c"cgroups", observer.clone(), &writes::cgroups),
            helper <- dir.read_callback_file(c"helper", observer.clone(), &helper::helper),
            handoff <- dir.read_callback_file(c"handoff", observer.clone(), &handoff::handoff),
            dir: dir.clone(),
        })
    }
}
