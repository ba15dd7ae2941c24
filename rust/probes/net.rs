// SPDX-License-Identifier: GPL-2.0

//! Handler for packets that go to a network device.

use super::nbd::sample_inside;
use crate::{
    kernel_ext::percpu::Pinned,
    ledgers::Ledgers,
    shim::At,
    words::Layer, //
};

/// A task with PF_MEMALLOC, or an interrupt on top of it, transmits a packet.
pub(crate) fn xmit(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) {
    sample_inside(ledgers, pin, at, Layer::Net);
}
