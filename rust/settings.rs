// SPDX-License-Identifier: GPL-2.0

//! The module's parameters: values and ranges. Parsing and /sys/module are the
//! C shim's (shim/params.c), which also documents them to modinfo.
//!
//! Any context may read; the kernel serialises the setters.

use crate::{
    kernel_ext::{
        cell::peek,
        system, //
    },
    policy::{
        handoff::Mode,
        slots,
        window::MAX_PAGES, //
    },
    shim::{
        self, attached,
        reclaim::{
            self,
            Wanted, //
        },
    },
    words::Group, //
};
use core::ops::RangeInclusive;
use kernel::{
    page::PAGE_SIZE,
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

static ENABLED: Atomic<bool> = Atomic::new(true);
static GROUPS: [Atomic<bool>; Group::COUNT] = [
    Atomic::new(true),
    Atomic::new(true),
    Atomic::new(false),
    Atomic::new(false),
    Atomic::new(false),
    Atomic::new(true),
    Atomic::new(true),
    Atomic::new(true),
];
static HEADROOM_FLOOR: Atomic<usize> = Atomic::new(2048);
static WINDOW_SLOTS: Atomic<usize> = Atomic::new(1024);
static WRITE_AROUND: Atomic<bool> = Atomic::new(true);
static WINDOW_KIB: Atomic<u32> = Atomic::new(1024);
static REQUEST_COST: Atomic<u32> = Atomic::new(256);
static INFLIGHT_KIB: Atomic<u32> = Atomic::new(16384);
static RING_PAGES: Atomic<u32> = Atomic::new(4096);
static HANDOFF: Atomic<u64> = Atomic::new(Mode::Always as u64);
static HANDOFF_FLOOR: Atomic<usize> = Atomic::new(8192);

/// Pages of a KiB number.
const fn pages(kib: u32) -> u32 {
    const KIB: u32 = PAGE_SIZE as u32 / 1024;
    kib / KIB
}

/// `enabled`: whether events are recorded. Default true.
pub(crate) fn enabled() -> bool {
    peek(&ENABLED)
}

/// `stalls`, `shrinkers`, `tlb`, `metadata`, `takers`, `reserves`, `nbd`, `waits`: whether the
/// probes of that group are attached. Default true for those that cost little: the first two
/// and the last three.
pub(crate) fn group(group: Group) -> bool {
    GROUPS.get(group as usize).is_some_and(peek)
}

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
    attached::switch(group).inspect_err(|_| there.store(before, Relaxed))
}

/// `headroom_floor`: bytes of stack below which a sample raises
/// reclaimwb:headroom_low; 0 is off. Default 2048.
pub(crate) fn headroom_floor() -> usize {
    peek(&HEADROOM_FLOOR)
}

/// `window_slots`: tasks that can be inside reclaim at once and be told apart.
/// A power of two, 64 to 65536, default 1024; used when the module loads.
pub(crate) fn window_slots() -> usize {
    WINDOW_SLOTS.load(Relaxed)
}

/// `write_around`: whether the file half of the helper is wanted. Default true;
/// whether it is on, [`reclaim::shared`] knows.
pub(crate) fn write_around() -> bool {
    WRITE_AROUND.load(Relaxed)
}

/// `window`: the aligned range of a file around targets that is written at once,
/// in pages. A power of two; 64 KiB to 4096 KiB, default 1024 KiB.
pub(crate) fn window_pages() -> u32 {
    pages(WINDOW_KIB.load(Relaxed)).min(MAX_PAGES)
}

/// `request_cost`: what one more request costs a device, in pages written. 0 to
/// 1024, default 256.
pub(crate) fn request_cost() -> u32 {
    REQUEST_COST.load(Relaxed)
}

/// `inflight`: most pages under writeback on a device through us, where a request counts
/// as [`request_cost`] pages. 256 KiB to 65536 KiB, default 16384 KiB; four windows always
/// may be.
pub(crate) fn inflight_pages() -> u32 {
    pages(INFLIGHT_KIB.load(Relaxed))
}

/// `ring_pages`: most pages of a node that queued targets may hold, and requests that may wait
/// for a swap writer. 64 to 65536, default 4096; used when write-around or handoff is
/// switched on.
pub(crate) fn ring_pages() -> usize {
    RING_PAGES.load(Relaxed) as usize
}

/// `handoff`: when swap-out is handed to the writers; whether that is on,
/// [`reclaim::handoff`] knows. Default always.
pub(crate) fn handoff() -> Mode {
    Mode::from_u64(HANDOFF.load(Relaxed)).unwrap_or(Mode::Never)
}

/// `handoff_floor`: bytes of stack below which low-headroom hands off. 0 to the size of a
/// stack; default 8192.
pub(crate) fn handoff_floor() -> usize {
    peek(&HANDOFF_FLOOR)
}

/// The halves of the helper that are wanted.
pub(crate) fn wanted() -> Wanted {
    Wanted {
        around: write_around(),
        handoff: handoff() != Mode::Never,
    }
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
fn switch_helper(name: &str, wanted: Wanted) -> Result {
    reclaim::switch(wanted).inspect_err(|&e| {
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

impl Group {
    /// The C shim's number of its parameter.
    pub(crate) const fn param(self) -> u32 {
        match self {
            Self::Stalls => shim::RWB_PARAM_STALLS,
            Self::Shrinkers => shim::RWB_PARAM_SHRINKERS,
            Self::Tlb => shim::RWB_PARAM_TLB,
            Self::Metadata => shim::RWB_PARAM_METADATA,
            Self::Takers => shim::RWB_PARAM_TAKERS,
            Self::Reserves => shim::RWB_PARAM_RESERVES,
            Self::Nbd => shim::RWB_PARAM_NBD,
            Self::Waits => shim::RWB_PARAM_WAITS,
        }
    }
}

/// The group whose parameter the C shim numbers `id`.
fn numbered(id: u32) -> Option<Group> {
    Group::ALL.iter().copied().find(|g| g.param() == id)
}

/// Sets the parameter that the C shim numbers `id`; `EINVAL` when the value is
/// out of range, which then changes nothing.
pub(crate) fn set(id: u32, value: u64) -> Result {
    match id {
        shim::RWB_PARAM_ENABLED => ENABLED.store(value != 0, Relaxed),
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
            if reclaim::on().is_some_and(|on| on.around != around) {
                switch_helper("write_around", Wanted { around, ..wanted() })?;
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
            if reclaim::on().is_some_and(|on| on.handoff != handoff) {
                let wanted = Wanted {
                    handoff,
                    ..wanted()
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
            u64::from(reclaim::on().map_or_else(write_around, |on| on.around))
        }
        shim::RWB_PARAM_WINDOW => u64::from(WINDOW_KIB.load(Relaxed)),
        shim::RWB_PARAM_REQUEST_COST => u64::from(request_cost()),
        shim::RWB_PARAM_INFLIGHT => u64::from(INFLIGHT_KIB.load(Relaxed)),
        shim::RWB_PARAM_RING_PAGES => ring_pages() as u64,
        shim::RWB_PARAM_HANDOFF if reclaim::on().is_some_and(|on| !on.handoff) => {
            Mode::Never as u64
        }
        shim::RWB_PARAM_HANDOFF => HANDOFF.load(Relaxed),
        shim::RWB_PARAM_HANDOFF_FLOOR => handoff_floor() as u64,
        _ => numbered(id).is_some_and(group).into(),
    }
}
