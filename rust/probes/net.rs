// SPDX-License-Identifier: GPL-2.0

//! Handler for packets that go to a network device.

use super::nbd::sample_inside;
use crate::{
    kernel_ext::percpu::Pinned,
    ledgers::{
        repeats::EventKey,
        windows::Slot,
        Ledgers, //
    },
    settings,
    shim::At,
    words::Layer, //
};

/// A task with PF_MEMALLOC, or an interrupt on top of it, transmits a packet. Returns the slot of
/// the current task, if it has one.
pub(crate) fn xmit<'a>(ledgers: &'a Ledgers, pin: &Pinned<'_>, at: &At) -> Option<&'a Slot> {
    let (slot, what) = sample_inside(ledgers, pin, at, Layer::Net)?;
    ledgers.record_counted(pin, slot);
    if what.headroom >= settings::headroom_floor() as u64 {
        slot.set_repeatable_packet(&EventKey::new(at, 0, 0), &what);
    }
    Some(slot)
}
