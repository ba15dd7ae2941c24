// SPDX-License-Identifier: GPL-2.0

//! The module's parameters: values. Names, bounds and defaults are in words/parameter.rs, what setting
//! one switches in control/parameters.rs, parsing and /sys/module in shim/params.c.
//!
//! Any context may read; the kernel serialises the setters.

use crate::{
    kernel_ext::cell::peek,
    policy::window::MAX_PAGES,
    words::{
        Group,
        Mode,
        Parameter, //
    },
};
use kernel::{
    page::PAGE_SIZE,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// A switch that nobody has set.
const fn switch(parameter: Parameter) -> Atomic<bool> {
    Atomic::new(parameter.default() != 0)
}

/// A number that nobody has set: none has more than 32 bits.
const fn number(parameter: Parameter) -> Atomic<u32> {
    Atomic::new(parameter.default() as u32)
}

/// Bytes or tasks, that nobody has set.
const fn size(parameter: Parameter) -> Atomic<usize> {
    Atomic::new(parameter.default() as usize)
}

const fn group_switch(group: Group) -> Atomic<bool> {
    switch(Parameter::Group(group))
}

pub(crate) static ENABLED: Atomic<bool> = switch(Parameter::Enabled);
pub(crate) static GROUPS: [Atomic<bool>; Group::COUNT] = [
    group_switch(Group::Stalls),
    group_switch(Group::Shrinkers),
    group_switch(Group::Tlb),
    group_switch(Group::Metadata),
    group_switch(Group::Takers),
    group_switch(Group::Reserves),
    group_switch(Group::Nbd),
    group_switch(Group::Waits),
];
pub(crate) static HEADROOM_FLOOR: Atomic<usize> = size(Parameter::HeadroomFloor);
pub(crate) static WINDOW_SLOTS: Atomic<usize> = size(Parameter::WindowSlots);
pub(crate) static WRITE_AROUND: Atomic<bool> = switch(Parameter::WriteAround);
pub(crate) static WINDOW_KIB: Atomic<u32> = number(Parameter::Window);
pub(crate) static REQUEST_COST: Atomic<u32> = number(Parameter::RequestCost);
pub(crate) static INFLIGHT_KIB: Atomic<u32> = number(Parameter::Inflight);
pub(crate) static RING_PAGES: Atomic<u32> = number(Parameter::RingPages);
pub(crate) static HANDOFF: Atomic<u64> = Atomic::new(Parameter::Handoff.default());
pub(crate) static HANDOFF_FLOOR: Atomic<usize> = size(Parameter::HandoffFloor);

/// Pages of a KiB number.
const fn pages(kib: u32) -> u32 {
    const KIB: u32 = PAGE_SIZE as u32 / 1024;
    kib / KIB
}

/// `enabled`: whether events are recorded.
pub(crate) fn enabled() -> bool {
    peek(&ENABLED)
}

/// `stalls` and the others of [`Group`]: whether the probes of that group are attached.
pub(crate) fn group(group: Group) -> bool {
    GROUPS.get(group as usize).is_some_and(peek)
}

/// `headroom_floor`: bytes of stack below which a sample raises
/// reclaimwb:headroom_low; 0 is off.
pub(crate) fn headroom_floor() -> usize {
    peek(&HEADROOM_FLOOR)
}

/// `window_slots`: tasks that can be inside reclaim at once and be told apart.
/// A power of two; used when the module loads.
pub(crate) fn window_slots() -> usize {
    WINDOW_SLOTS.load(Relaxed)
}

/// `write_around`: whether the file half of the helper is wanted; whether it is on,
/// control/helper.rs knows.
pub(crate) fn write_around() -> bool {
    WRITE_AROUND.load(Relaxed)
}

/// `window`: the aligned range of a file around targets that is written at once,
/// in pages. A power of two.
pub(crate) fn window_pages() -> u32 {
    pages(WINDOW_KIB.load(Relaxed)).min(MAX_PAGES)
}

/// `request_cost`: what one more request costs a device, in pages written.
pub(crate) fn request_cost() -> u32 {
    REQUEST_COST.load(Relaxed)
}

/// `inflight`: most pages under writeback on a device through us, where a request counts
/// as [`request_cost`] pages; four windows always may be.
pub(crate) fn inflight_pages() -> u32 {
    pages(INFLIGHT_KIB.load(Relaxed))
}

/// `ring_pages`: most pages of a node that queued targets may hold, and requests that may wait
/// for a swap writer; used when write-around or handoff is switched on.
pub(crate) fn ring_pages() -> usize {
    RING_PAGES.load(Relaxed) as usize
}

/// `handoff`: when swap-out is handed to the writers; whether that is on,
/// control/helper.rs knows.
pub(crate) fn handoff() -> Mode {
    Mode::from_u64(HANDOFF.load(Relaxed)).unwrap_or(Mode::Never)
}

/// `handoff_floor`: bytes of stack below which low-headroom hands off.
pub(crate) fn handoff_floor() -> usize {
    peek(&HANDOFF_FLOOR)
}
