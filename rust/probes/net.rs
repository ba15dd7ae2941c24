// SPDX-License-Identifier: GPL-2.0

//! Handler for the network: a packet goes to the device.

use super::nbd::sample_inside;
use crate::{
    kernel_ext::percpu::Pinned,
    ledgers::Ledgers,
    shim::At,
    words::Layer, //
};

/// A task with PF_MEMALLOC, or something on top of it, transmits a packet.
pub(crate) fn xmit(ledgers: &Ledgers, pin: &Pinned<'_>, at: &At) {
    sample_inside(ledgers, pin, at, Layer::Net);
}
