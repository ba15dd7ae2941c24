// SPDX-License-Identifier: GPL-2.0

//! Memory zones and nodes, as they are now.

use crate::{
    kernel_ext::system,
    shim::{
        self,
        reserve::Zone, //
    },
};

/// Zones of a node at most (`MAX_NR_ZONES`, which no configuration takes above that).
pub(crate) const ZONES: usize = 8;

/// Zone `zid` of node `nid`; `None` if it has no pages. Process context.
pub(crate) fn zone(nid: u32, zid: u32) -> Option<Zone> {
    if !system::node_online(nid) {
        return None;
    }
    let mut zone: Zone = pin_init::zeroed();
    // SAFETY: The node is online, and is not freed once it was; `zone` is valid for writes.
    unsafe { shim::rwb_zone(nid, zid, &mut zone) }.then_some(zone)
}

/// The name of zone `zid`, for whatever node.
pub(crate) fn name(zone: &Zone) -> &str {
    system::text(&zone.name)
}

/// Sockets that may use the reserves (`sk_set_memalloc()`); `None` where the kernel does
/// not say.
pub(crate) fn memalloc_sockets() -> Option<u64> {
    // SAFETY: Has no precondition.
    u64::try_from(unsafe { shim::rwb_memalloc_sockets() }).ok()
}
