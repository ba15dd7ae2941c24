// SPDX-License-Identifier: GPL-2.0

//! The handlers, one file for each traced subsystem, and the table of events.
//!
//! Handlers are plain functions of [`crate::ledgers::Ledgers`], so tests call them without firing a
//! tracepoint. They all run with preemption off, never sleep, and only try to take locks.

pub(crate) mod block;
pub(crate) mod cgroup;
pub(crate) mod function;
pub(crate) mod kswapd;
pub(crate) mod metadata;
pub(crate) mod nbd;
pub(crate) mod net;
pub(crate) mod page;
pub(crate) mod reserve;
pub(crate) mod shrinker;
pub(crate) mod stall;
mod steps;
pub(crate) mod tlb;
pub(crate) mod vmscan;
pub(crate) mod wait;
pub(crate) mod zswap;

use crate::{
    kernel_ext::tracepoint::ProbeSpec,
    words::{
        Event,
        Group, //
    },
};

const fn wanted(name: &'static core::ffi::CStr) -> ProbeSpec {
    ProbeSpec {
        name,
        module: None,
        needs: None,
        group: None,
    }
}

const fn in_module(name: &'static core::ffi::CStr, module: &'static str) -> ProbeSpec {
    ProbeSpec {
        module: Some(module),
        ..wanted(name)
    }
}

const fn grouped(name: &'static core::ffi::CStr, group: Group) -> ProbeSpec {
    ProbeSpec {
        group: Some(group),
        ..wanted(name)
    }
}

const fn paired(name: &'static core::ffi::CStr, end: Event) -> ProbeSpec {
    ProbeSpec {
        needs: Some(end as usize),
        ..wanted(name)
    }
}

/// The tracepoint of packets that go to a device. The test build uses a name that no kernel has, to
/// prove that a missing tracepoint is noticed.
const NET_XMIT: &core::ffi::CStr = if cfg!(rwb_test_events) {
    c"net_dev_start_xmit_gone"
} else {
    c"net_dev_start_xmit"
};

/// The tracepoints to attach to, in the order of [`Event`].
pub(crate) static WANTED: [ProbeSpec; Event::COUNT] = [
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
    grouped(c"mm_vmscan_lru_isolate", Group::Stalls),
    grouped(c"mm_vmscan_lru_shrink_inactive", Group::Stalls),
    wanted(c"mm_vmscan_kswapd_sleep"),
    wanted(c"mm_vmscan_wakeup_kswapd"),
    grouped(c"mm_shrink_slab_end", Group::Shrinkers),
    grouped(c"mm_shrink_slab_start", Group::Shrinkers),
    grouped(c"sched_switch", Group::Stalls),
    grouped(c"contention_end", Group::Stalls),
    ProbeSpec {
        needs: Some(Event::ContentionEnd as usize),
        ..grouped(c"contention_begin", Group::Stalls)
    },
    grouped(c"block_rq_tag_wait", Group::Stalls),
    grouped(c"mm_page_alloc", Group::Takers),
    grouped(c"mm_filemap_delete_from_page_cache", Group::Metadata),
    grouped(c"mm_filemap_add_to_page_cache", Group::Metadata),
    // These are rare, so they are not switched with their group. Their handler asks for the group.
    in_module(c"ext4_read_block_bitmap_load", "ext4"),
    in_module(c"ext4_load_inode_bitmap", "ext4"),
    grouped(c"tlb_flush", Group::Tlb),
    wanted(c"block_bio_complete"),
    wanted(c"block_bio_queue"),
    in_module(c"nbd_payload_sent", "nbd"),
    in_module(c"nbd_send_request", "nbd"),
    wanted(NET_XMIT),
    grouped(c"mm_page_alloc_pfmemalloc", Group::Reserves),
    grouped(c"mm_vmscan_pfmemalloc_wait_end", Group::Reserves),
    ProbeSpec {
        needs: Some(Event::WaitEnd as usize),
        ..grouped(c"mm_vmscan_pfmemalloc_wait_begin", Group::Reserves)
    },
    grouped(c"kfree_skb", Group::Reserves),
    grouped(c"block_rq_complete", Group::Nbd),
    grouped(c"block_rq_requeue", Group::Nbd),
    // These belong to a module, so they are not switched with their group. Their handlers ask for
    // the group.
    in_module(c"nbd_header_received", "nbd"),
    in_module(c"nbd_header_sent", "nbd"),
    wanted(c"cgroup_rmdir"),
    grouped(c"balance_dirty_pages", Group::Waits),
];
