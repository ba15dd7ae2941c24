// SPDX-License-Identifier: GPL-2.0

//! The events that the module handles.

named! {
    /// An event that the module handles. Probes are attached in this order: the end of a window
    /// before its begin, so that no window stays open.
    Event {
        /// A window of kswapd ends.
        BalanceEnd => "mm_vmscan_balance_pgdat_end",
        /// A direct reclaim window ends.
        DirectEnd => "mm_vmscan_direct_reclaim_end",
        /// A window of a cgroup ends.
        MemcgEnd => "mm_vmscan_memcg_reclaim_end",
        /// A soft-limit window ends.
        SoftEnd => "mm_vmscan_memcg_softlimit_reclaim_end",
        /// A window of node reclaim ends.
        NodeEnd => "mm_vmscan_node_reclaim_end",
        /// reclaim_pages() is done with a list.
        ReclaimPages => "mm_vmscan_reclaim_pages",
        /// A window of kswapd begins.
        BalanceBegin => "mm_vmscan_balance_pgdat_begin",
        /// A direct reclaim window begins.
        DirectBegin => "mm_vmscan_direct_reclaim_begin",
        /// A window of a cgroup begins.
        MemcgBegin => "mm_vmscan_memcg_reclaim_begin",
        /// A soft-limit window begins.
        SoftBegin => "mm_vmscan_memcg_softlimit_reclaim_begin",
        /// A window of node reclaim begins.
        NodeBegin => "mm_vmscan_node_reclaim_begin",
        /// pageout() wrote a folio.
        WriteFolio => "mm_vmscan_write_folio",
        /// Reclaim put a task to sleep.
        Throttled => "mm_vmscan_throttled",
        /// Folios were isolated from an LRU list.
        Isolated => "mm_vmscan_lru_isolate",
        /// Reclaim is done with some folios of a list.
        Shrunk => "mm_vmscan_lru_shrink_inactive",
        /// kswapd goes to sleep.
        KswapdSleep => "mm_vmscan_kswapd_sleep",
        /// A task wakes kswapd.
        KswapdWoken => "mm_vmscan_wakeup_kswapd",
        /// A shrinker has scanned.
        ShrinkEnd => "mm_shrink_slab_end",
        /// A shrinker begins to scan.
        ShrinkStart => "mm_shrink_slab_start",
        /// The CPU goes to another task.
        Switch => "sched_switch",
        /// A task has got the lock for which it waited.
        ContentionEnd => "contention_end",
        /// A task waits for a lock.
        ContentionBegin => "contention_begin",
        /// A task waits for a tag of a block device.
        TagWait => "block_rq_tag_wait",
        /// Pages are allocated.
        PageAlloc => "mm_page_alloc",
        /// A folio leaves the page cache.
        FolioGone => "mm_filemap_delete_from_page_cache",
        /// A folio enters the page cache.
        FolioAdded => "mm_filemap_add_to_page_cache",
        /// ext4 reads the bitmap of a group's blocks.
        BlockBitmap => "ext4_read_block_bitmap_load",
        /// ext4 reads the bitmap of a group's inodes.
        InodeBitmap => "ext4_load_inode_bitmap",
        /// A TLB is flushed, or other CPUs are interrupted in order to flush theirs.
        TlbFlush => "tlb_flush",
        /// A bio has completed.
        BioDone => "block_bio_complete",
        /// A bio is submitted.
        BioQueue => "block_bio_queue",
        /// NBD has sent a request.
        NbdSent => "nbd_payload_sent",
        /// NBD sends a request.
        NbdSend => "nbd_send_request",
        /// A packet goes to a network device.
        NetXmit => "net_dev_start_xmit",
        /// A page is allocated without regard to the watermarks.
        ReserveTaken => "mm_page_alloc_pfmemalloc",
        /// A task has waited for the reserves.
        WaitEnd => "mm_vmscan_pfmemalloc_wait_end",
        /// A task waits for the reserves.
        WaitBegin => "mm_vmscan_pfmemalloc_wait_begin",
        /// A packet is dropped.
        SkbDropped => "kfree_skb",
        /// A request of a block device is completed.
        RqComplete => "block_rq_complete",
        /// A driver gives a request back.
        RqRequeue => "block_rq_requeue",
        /// The reply to a request begins to arrive.
        NbdReply => "nbd_header_received",
        /// NBD has sent the header of a request.
        NbdHeader => "nbd_header_sent",
        /// A cgroup is removed.
        CgroupRemoved => "cgroup_rmdir",
        /// A task pauses because it dirties too many pages.
        DirtyPause => "balance_dirty_pages",
    }
}
