// SPDX-License-Identifier: GPL-2.0

//! The handlers, one file per traced subsystem, and the table of events.
//!
//! Handlers are plain functions over [`crate::observer::Observer`]: tests call
//! them without firing a tracepoint. All run with preemption off, never sleep
//! and take no lock but by trying.

pub(crate) mod block;
pub(crate) mod nbd;
pub(crate) mod net;
pub(crate) mod vmscan;
pub(crate) mod zswap;

use crate::{
    kernel_ext::tracepoint::Wanted,
    origin::named, //
};

named! {
    /// What is handled. The order is that in which probes are attached: what
    /// ends a window before what begins one, so that no window stays open.
    Event {
        /// kswapd's window ends.
        BalanceEnd => "mm_vmscan_balance_pgdat_end",
        /// A direct reclaim window ends.
        DirectEnd => "mm_vmscan_direct_reclaim_end",
        /// A cgroup's window ends.
        MemcgEnd => "mm_vmscan_memcg_reclaim_end",
        /// A soft-limit window ends.
        SoftEnd => "mm_vmscan_memcg_softlimit_reclaim_end",
        /// A node's window ends.
        NodeEnd => "mm_vmscan_node_reclaim_end",
        /// reclaim_pages() is done with a list.
        ReclaimPages => "mm_vmscan_reclaim_pages",
        /// kswapd's window begins.
        BalanceBegin => "mm_vmscan_balance_pgdat_begin",
        /// A direct reclaim window begins.
        DirectBegin => "mm_vmscan_direct_reclaim_begin",
        /// A cgroup's window begins.
        MemcgBegin => "mm_vmscan_memcg_reclaim_begin",
        /// A soft-limit window begins.
        SoftBegin => "mm_vmscan_memcg_softlimit_reclaim_begin",
        /// A node's window begins.
        NodeBegin => "mm_vmscan_node_reclaim_begin",
        /// pageout() wrote a folio.
        WriteFolio => "mm_vmscan_write_folio",
        /// A task waited for writeback.
        Throttled => "mm_vmscan_throttled",
        /// A bio is submitted.
        BioQueue => "block_bio_queue",
        /// NBD sends a request.
        NbdSend => "nbd_send_request",
        /// A packet goes to a network device.
        NetXmit => "net_dev_start_xmit",
        /// zswap_store() took a folio; a function probe.
        ZswapStored => "zswap_store",
    }
}

impl Event {
    /// Events that are tracepoints: all but the function probes at the end.
    pub(crate) const PROBES: usize = Self::COUNT - 1;
}

const fn wanted(name: &'static core::ffi::CStr) -> Wanted {
    Wanted {
        name,
        module: None,
        needs: None,
    }
}

const fn paired(name: &'static core::ffi::CStr, end: Event) -> Wanted {
    Wanted {
        name,
        module: None,
        needs: Some(end as usize),
    }
}

/// A tracepoint that no kernel has, in the test build that proves that a
/// missing one is noticed.
const NET_XMIT: &core::ffi::CStr = if cfg!(rwb_test_events) {
    c"net_dev_start_xmit_gone"
} else {
    c"net_dev_start_xmit"
};

/// The tracepoints to attach to, in the order of [`Event`].
pub(crate) static WANTED: [Wanted; Event::PROBES] = [
    wanted(c"mm_vmscan_balance_pgdat_end"),
    wanted(c"mm_vmscan_direct_reclaim_end"),
    wanted(c"mm_vmscan_memcg_reclaim_end"),
    wanted(c"mm_vmscan_memcg_softlimit_reclaim_end"),
    wanted(c"mm_vmscan_node_reclaim_end"),
    wanted(c"mm_vmscan_reclaim_pages"),
    paired(c"mm_vmscan_balance_pgdat_begin", Event::BalanceEnd),
    paired(c"mm_vmscan_direct_reclaim_begin", Event::DirectEnd),
    paired(c"mm_vmscan_memcg_reclaim_begin", Event::MemcgEnd),
    paired(c"mm_vmscan_memcg_softlimit_reclaim_begin", Event::SoftEnd),
    paired(c"mm_vmscan_node_reclaim_begin", Event::NodeEnd),
    wanted(c"mm_vmscan_write_folio"),
    wanted(c"mm_vmscan_throttled"),
    wanted(c"block_bio_queue"),
    Wanted {
        name: c"nbd_send_request",
        module: Some("nbd"),
        needs: None,
    },
    wanted(NET_XMIT),
];
