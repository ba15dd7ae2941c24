// SPDX-License-Identifier: GPL-2.0

//! The ledgers as text: /sys/kernel/debug/reclaimwb/, mode 0400, one file a
//! ledger, `key value` rows. Keys and their meaning are part of the format
//! (README.md, "Ledgers"); a change of meaning raises `FORMAT`.
//!
//! Context: process context; the readers sleep.

mod batches;
mod compaction;
mod handoff;
mod headroom;
mod helper;
mod kswapd;
mod metadata;
mod nbd;
mod reserves;
mod shrinkers;
mod stalls;
mod status;
mod tlb;
mod waits;
mod writes;

pub(crate) use status::ledgers;

use crate::{
    kernel_ext::{
        cgroup,
        tracepoint::State, //
    },
    ledgers::{
        cgroups::{
            Known,
            Path, //
        },
        Observer, //
    },
    policy::cgroup_key::CgroupKey,
    settings,
    words::Group, //
};
use kernel::{
    debugfs::{
        Dir,
        File, //
    },
    fmt,
    prelude::*,
    sync::Arc, //
};

/// Version of the format.
pub(crate) const FORMAT: u32 = 2;

/// State of a group's ledger, which needs all of these.
fn group(group: Group, needs: &[State]) -> &'static str {
    if !settings::group(group) {
        "off"
    } else if needs.iter().all(|&s| s == State::Attached) {
        "on"
    } else {
        "unavailable"
    }
}

/// Room for the path of a cgroup.
struct Paths {
    now: KBox<cgroup::Buffer>,
    last: Path,
}

impl Paths {
    /// Allocates. Sleeps.
    fn new() -> Result<Self, fmt::Error> {
        Ok(Self {
            now: KBox::new([0; 1024], GFP_KERNEL).map_err(|_| fmt::Error)?,
            last: Path::NONE,
        })
    }
}

/// The path of a cgroup, or that which it had when it was removed; `-` if that is not known, as
/// that of one of a v1 hierarchy, which cannot be looked up. Sleeps.
fn path<'a>(known: &Known, key: CgroupKey, removed: bool, paths: &'a mut Paths) -> &'a str {
    let path = match (removed, key.is_v1()) {
        (true, _) => known.path(key, &mut paths.last),
        (false, true) => None,
        (false, false) => cgroup::path(key.id(), &mut paths.now),
    };
    path.unwrap_or("-")
}

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
    #[pin]
    stalls: File<Arc<Observer>>,
    #[pin]
    stalls_cgroups: File<Arc<Observer>>,
    #[pin]
    stalls_longest: File<Arc<Observer>>,
    #[pin]
    shrinkers: File<Arc<Observer>>,
    #[pin]
    compaction: File<Arc<Observer>>,
    #[pin]
    tlb: File<Arc<Observer>>,
    #[pin]
    metadata: File<Arc<Observer>>,
    #[pin]
    reserves: File<Arc<Observer>>,
    #[pin]
    nbd: File<Arc<Observer>>,
    #[pin]
    waits: File<Arc<Observer>>,
    #[pin]
    waits_cgroups: File<Arc<Observer>>,
    #[pin]
    batches: File<Arc<Observer>>,
    #[pin]
    kswapd: File<Arc<Observer>>,
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
            stalls <- dir.read_callback_file(c"stalls", observer.clone(), &stalls::stalls),
            stalls_cgroups <- dir.read_callback_file(
                c"stalls_cgroups", observer.clone(), &stalls::cgroups),
            stalls_longest <- dir.read_callback_file(
                c"stalls_longest", observer.clone(), &stalls::longest),
            shrinkers <- dir.read_callback_file(
                c"shrinkers", observer.clone(), &shrinkers::shrinkers),
            compaction <- dir.read_callback_file(
                c"compaction", observer.clone(), &compaction::compaction),
            tlb <- dir.read_callback_file(c"tlb", observer.clone(), &tlb::tlb),
            metadata <- dir.read_callback_file(
                c"metadata", observer.clone(), &metadata::metadata),
            nbd <- dir.read_callback_file(c"nbd", observer.clone(), &nbd::nbd),
            waits <- dir.read_callback_file(c"waits", observer.clone(), &waits::waits),
            waits_cgroups <- dir.read_callback_file(
                c"waits_cgroups", observer.clone(), &waits::cgroups),
            batches <- dir.read_callback_file(c"batches", observer.clone(), &batches::batches),
            kswapd <- dir.read_callback_file(c"kswapd", observer.clone(), &kswapd::kswapd),
            reserves <- dir.read_callback_file(
                c"reserves", observer.clone(), &reserves::reserves),
            dir: dir.clone(),
        })
    }
}
