// SPDX-License-Identifier: GPL-2.0

//! The module's parameters: values. Ranges are in control/parameters.rs, parsing and /sys/module in
//! shim/params.c, which also documents them to modinfo.
//!
//! Any context may read; the kernel serialises the setters.

use crate::{
    kernel_ext::cell::peek,
    policy::{
        handoff::Mode,
        window::MAX_PAGES, //
    },
    words::Group, //
};
use kernel::{
    page::PAGE_SIZE,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

pub(crate) static ENABLED: Atomic<bool> = Atomic::new(true);
pub(crate) static GROUPS: [Atomic<bool>; Group::COUNT] = [
    Atomic::new(true),
    Atomic::new(true),
    Atomic::new(false),
    Atomic::new(false),
    Atomic::new(false),
    Atomic::new(true),
    Atomic::new(true),
    Atomic::new(true),
];
pub(crate) static HEADROOM_FLOOR: Atomic<usize> = Atomic::new(2048);
pub(crate) static WINDOW_SLOTS: Atomic<usize> = Atomic::new(1024);
pub(crate) static WRITE_AROUND: Atomic<bool> = Atomic::new(true);
pub(crate) static WINDOW_KIB: Atomic<u32> = Atomic::new(1024);
pub(crate) static REQUEST_COST: Atomic<u32> = Atomic::new(256);
pub(crate) static INFLIGHT_KIB: Atomic<u32> = Atomic::new(16384);
pub(crate) static RING_PAGES: Atomic<u32> = Atomic::new(4096);
pub(crate) static HANDOFF: Atomic<u64> = Atomic::new(Mode::Always as u64);
pub(crate) static HANDOFF_FLOOR: Atomic<usize> = Atomic::new(8192);

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
/// whether it is on, control/helper.rs knows.
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
/// control/helper.rs knows. Default always.
pub(crate) fn handoff() -> Mode {
    Mode::from_u64(HANDOFF.load(Relaxed)).unwrap_or(Mode::Never)
}

/// `handoff_floor`: bytes of stack below which low-headroom hands off. 0 to the size of a
/// stack; default 8192.
pub(crate) fn handoff_floor() -> usize {
    peek(&HANDOFF_FLOOR)
}
