// SPDX-License-Identifier: GPL-2.0

//! The ledgers as text, in /sys/kernel/debug/reclaimwb/ with mode 0400. Each ledger has a file with
//! `key value` rows. The keys and their meaning are part of the format (Documentation/ledgers.rst).
//! A change of meaning raises `FORMAT`.
//!
//! Context: process context; readers sleep.

mod batches;
mod compaction;
mod handoff;
mod headroom;
mod helper;
mod kswapd;
mod locks;
mod metadata;
mod nbd;
mod reserves;
mod shrinkers;
mod stalls;
mod status;
mod tlb;
mod waits;
mod writes;

pub(crate) use status::availability;

use crate::{
    kernel_ext::{
        cgroup,
        tracepoint::ProbeState, //
    },
    ledgers::{
        cgroups::{
            KnownCgroups,
            Path, //
        },
        Ledgers, //
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

/// The version of the module.
const VERSION: &str = "0.1.0";

/// The version of the format.
pub(crate) const FORMAT: u32 = 2;

/// Returns the state of a group's ledger that needs all of these probes.
fn group(group: Group, needs: &[ProbeState]) -> &'static str {
    if !settings::group(group) {
        "off"
    } else if needs.iter().all(|s| s.works()) {
        "on"
    } else {
        "unavailable"
    }
}

/// Buffers for the path of a cgroup.
struct Paths {
    now: KBox<cgroup::PathBuffer>,
    last: Path,
}

impl Paths {
    /// Allocates the buffers. Sleeps.
    fn new() -> Result<Self, fmt::Error> {
        Ok(Self {
            now: KBox::new([0; 1024], GFP_KERNEL).map_err(|_| fmt::Error)?,
            last: Path::NONE,
        })
    }
}

/// Returns the path of a cgroup, or the path that it had when it was removed. `-` if it is not
/// known: cgroups of a v1 hierarchy cannot be looked up. Sleeps.
fn path<'a>(known: &KnownCgroups, key: CgroupKey, removed: bool, paths: &'a mut Paths) -> &'a str {
    let path = match (removed, key.is_v1()) {
        (true, _) => known.path(key, &mut paths.last),
        (false, true) => None,
        (false, false) => cgroup::path(key.id(), &mut paths.now),
    };
    path.unwrap_or("-")
}

/// The debugfs files. They are removed on drop, once their readers are done.
#[pin_data]
pub(crate) struct Files {
    #[pin]
    status: File<Arc<Ledgers>>,
    #[pin]
    writes: File<Arc<Ledgers>>,
    #[pin]
    headroom: File<Arc<Ledgers>>,
    #[pin]
    stacks: File<Arc<Ledgers>>,
    #[pin]
    cgroups: File<Arc<Ledgers>>,
    #[pin]
    helper: File<Arc<Ledgers>>,
    #[pin]
    handoff: File<Arc<Ledgers>>,
    #[pin]
    stalls: File<Arc<Ledgers>>,
    #[pin]
    stalls_cgroups: File<Arc<Ledgers>>,
    #[pin]
    stalls_longest: File<Arc<Ledgers>>,
    #[pin]
    stalls_locks: File<Arc<Ledgers>>,
    #[pin]
    shrinkers: File<Arc<Ledgers>>,
    #[pin]
    compaction: File<Arc<Ledgers>>,
    #[pin]
    tlb: File<Arc<Ledgers>>,
    #[pin]
    metadata: File<Arc<Ledgers>>,
    #[pin]
    reserves: File<Arc<Ledgers>>,
    #[pin]
    nbd: File<Arc<Ledgers>>,
    #[pin]
    waits: File<Arc<Ledgers>>,
    #[pin]
    waits_cgroups: File<Arc<Ledgers>>,
    #[pin]
    batches: File<Arc<Ledgers>>,
    #[pin]
    kswapd: File<Arc<Ledgers>>,
    // Dropped after the files, which are in this folder.
    dir: Dir,
}

impl Files {
    /// Creates the folder and its files. Sleeps. (debugfs reports no errors.)
    pub(crate) fn new(ledgers: Arc<Ledgers>) -> impl PinInit<Self, Error> {
        let dir = Dir::new(c"reclaimwb");
        try_pin_init!(Self {
            status <- dir.read_callback_file(c"status", ledgers.clone(), &status::status),
            writes <- dir.read_callback_file(c"writes", ledgers.clone(), &writes::writes),
            headroom <- dir.read_callback_file(c"headroom", ledgers.clone(), &headroom::headroom),
            stacks <- dir.read_callback_file(c"stacks", ledgers.clone(), &headroom::stacks),
            cgroups <- dir.read_callback_file(c"cgroups", ledgers.clone(), &writes::cgroups),
            helper <- dir.read_callback_file(c"helper", ledgers.clone(), &helper::helper),
            handoff <- dir.read_callback_file(c"handoff", ledgers.clone(), &handoff::handoff),
            stalls <- dir.read_callback_file(c"stalls", ledgers.clone(), &stalls::stalls),
            stalls_cgroups <- dir.read_callback_file(
                c"stalls_cgroups", ledgers.clone(), &stalls::cgroups),
            stalls_longest <- dir.read_callback_file(
                c"stalls_longest", ledgers.clone(), &stalls::longest),
            stalls_locks <- dir.read_callback_file(
                c"stalls_locks", ledgers.clone(), &locks::locks),
            shrinkers <- dir.read_callback_file(
                c"shrinkers", ledgers.clone(), &shrinkers::shrinkers),
            compaction <- dir.read_callback_file(
                c"compaction", ledgers.clone(), &compaction::compaction),
            tlb <- dir.read_callback_file(c"tlb", ledgers.clone(), &tlb::tlb),
            metadata <- dir.read_callback_file(
                c"metadata", ledgers.clone(), &metadata::metadata),
            nbd <- dir.read_callback_file(c"nbd", ledgers.clone(), &nbd::nbd),
            waits <- dir.read_callback_file(c"waits", ledgers.clone(), &waits::waits),
            waits_cgroups <- dir.read_callback_file(
                c"waits_cgroups", ledgers.clone(), &waits::cgroups),
            batches <- dir.read_callback_file(c"batches", ledgers.clone(), &batches::batches),
            kswapd <- dir.read_callback_file(c"kswapd", ledgers.clone(), &kswapd::kswapd),
            reserves <- dir.read_callback_file(
                c"reserves", ledgers.clone(), &reserves::reserves),
            dir: dir.clone(),
        })
    }
}
