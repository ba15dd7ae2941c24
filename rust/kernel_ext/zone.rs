// SPDX-License-Identifier: GPL-2.0

//! The current state of memory zones and nodes.

use crate::{
    kernel_ext::system,
    shim::{
        self,
        reserve::Zone, //
    },
};

/// The most zones that a node has (`MAX_NR_ZONES` is not higher in any configuration).
pub(crate) const ZONES: usize = 8;

/// Returns zone `zid` of node `nid`; `None` if it has no pages. Process context.
pub(crate) fn zone(nid: u32, zid: u32) -> Option<Zone> {
    if !system::node_online(nid) {
        return None;
    }
    let mut zone: Zone = pin_init::zeroed();
    // SAFETY: The node is online, and a node is never freed once it was online. `zone` is valid for
    // writes.
    unsafe { shim::rwb_zone(nid, zid, &mut zone) }.then_some(zone)
}

/// Returns the name of the zone.
pub(crate) fn name(zone: &Zone) -> &str {
    system::text(&zone.name)
}

/// Returns the number of sockets that may use the reserves (`sk_set_memalloc()`); `None` if the
/// kernel does not tell.
pub(crate) fn memalloc_sockets() -> Option<u64> {
    // SAFETY: Has no precondition.
    u64::try_from(unsafe { shim::rwb_memalloc_sockets() }).ok()
}
