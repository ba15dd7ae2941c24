// SPDX-License-Identifier: GPL-2.0

//! The values of the module's parameters. Their names, bounds and defaults are in
//! words/parameter.rs. The setters are in control/parameters.rs. Parsing and /sys/module are in
//! shim/params.c.
//!
//! Context: any context may read a value. The kernel serialises the setters.

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

/// A switch with its default value.
const fn switch(parameter: Parameter) -> Atomic<bool> {
    Atomic::new(parameter.default() != 0)
}

/// A number with its default value. Parameters of this kind have at most 32 bits.
const fn number(parameter: Parameter) -> Atomic<u32> {
    Atomic::new(parameter.default() as u32)
}

/// A number of bytes or tasks, with its default value.
const fn size(parameter: Parameter) -> Atomic<usize> {
    Atomic::new(parameter.default() as usize)
}

const fn group_switch(group: Group) -> Atomic<bool> {
    switch(Parameter::Group(group))
}

// The values. control/parameters.rs sets them; the getters below say what they mean.
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

/// Converts KiB to pages.
const fn pages(kib: u32) -> u32 {
    const KIB: u32 = PAGE_SIZE as u32 / 1024;
    kib / KIB
}

/// `enabled`: whether events are recorded.
pub(crate) fn enabled() -> bool {
    peek(&ENABLED)
}

/// `stalls` and the other switches of [`Group`]: whether the probes of a group are to be attached.
pub(crate) fn group(group: Group) -> bool {
    GROUPS.get(group as usize).is_some_and(peek)
}

/// `headroom_floor`: a sample with fewer bytes of stack left than this raises
/// reclaimwb:headroom_low. With 0 none does.
pub(crate) fn headroom_floor() -> usize {
    peek(&HEADROOM_FLOOR)
}

/// `window_slots`: the number of tasks that can be inside reclaim at once and be told apart, a
/// power of two. Used when the module is loaded.
pub(crate) fn window_slots() -> usize {
    WINDOW_SLOTS.load(Relaxed)
}

/// `write_around`: whether write-around is wanted. control/helper.rs knows whether it is on.
pub(crate) fn write_around() -> bool {
    WRITE_AROUND.load(Relaxed)
}

/// `window`: the size of the aligned range of a file that is written around targets at once, in
/// pages. A power of two.
pub(crate) fn window_pages() -> u32 {
    pages(WINDOW_KIB.load(Relaxed)).min(MAX_PAGES)
}

/// `request_cost`: the cost of one more request for a device, in pages that it could write
/// meanwhile.
pub(crate) fn request_cost() -> u32 {
    REQUEST_COST.load(Relaxed)
}

/// `inflight`: the most pages that write-around has under writeback on a device, where a request
/// counts as [`request_cost`] pages. Four windows are always allowed.
pub(crate) fn inflight_pages() -> u32 {
    pages(INFLIGHT_KIB.load(Relaxed))
}

/// `ring_pages`: the most pages of a node that queued targets may hold, and the most requests that
/// may be queued for a swap writer. Used when write-around or handoff is switched on.
pub(crate) fn ring_pages() -> usize {
    RING_PAGES.load(Relaxed) as usize
}

/// `handoff`: when swap-out is handed to the writers. control/helper.rs knows whether handoff is
/// on.
pub(crate) fn handoff() -> Mode {
    Mode::from_u64(HANDOFF.load(Relaxed)).unwrap_or(Mode::Never)
}

/// `handoff_floor`: with mode low-headroom, swap-out is handed off if fewer bytes of stack are left
/// than this.
pub(crate) fn handoff_floor() -> usize {
    peek(&HANDOFF_FLOOR)
}
