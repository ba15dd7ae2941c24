/* SPDX-License-Identifier: GPL-2.0 */
/* Generated from rust/words/ by scripts/check/words.sh --write: do not edit. */
#ifndef RWB_WORDS_H
#define RWB_WORDS_H

/* Origin: what asked for reclaim. */
#define RWB_ORIGINS(X) \
	X(0, "kswapd") \
	X(1, "direct") \
	X(2, "memcg_max") \
	X(3, "memcg_high") \
	X(4, "memcg_reclaim") \
	X(5, "memcg_soft") \
	X(6, "node") \
	X(7, "madvise") \
	X(8, "writer") \
	X(9, "other") \
	X(10, "lost")

/* Kind: what became of a write of reclaim. */
#define RWB_KINDS(X) \
	X(0, "io") \
	X(1, "sync") \
	X(2, "zswap") \
	X(3, "zero") \
	X(4, "dropped") \
	X(5, "failed") \
	X(6, "unknown")

/* Layer: the points at which a stack is sampled. */
#define RWB_LAYERS(X) \
	X(0, "entry") \
	X(1, "write") \
	X(2, "handoff") \
	X(3, "bio") \
	X(4, "nbd") \
	X(5, "net")

/* Function: the functions that are probed. */
#define RWB_FUNCTIONS(X) \
	X(0, "zswap_store") \
	X(1, "__alloc_pages_slowpath") \
	X(2, "try_to_free_pages") \
	X(3, "try_to_compact_pages") \
	X(4, "__drain_all_pages") \
	X(5, "lru_add_drain_all") \
	X(6, "do_shrink_slab") \
	X(7, "swap_write_submit") \
	X(8, "try_to_unmap_flush") \
	X(9, "try_to_unmap_flush_dirty") \
	X(10, "__mem_cgroup_handle_over_high") \
	X(11, "nbd_queue_rq") \
	X(12, "shrink_memcg_cb") \
	X(13, "psi_memstall_leave") \
	X(14, "psi_memstall_enter") \
	X(15, "folio_wait_bit") \
	X(16, "folio_wait_bit_killable") \
	X(17, "__folio_lock") \
	X(18, "__folio_lock_killable") \
	X(19, "__folio_lock_or_retry") \
	X(20, "swap_bdev_submit_read") \
	X(21, "workingset_refault") \
	X(22, "folio_wait_bit_common") \
	X(23, "__rq_qos_throttle") \
	X(24, "zswap_enabled_param_set")

/* The numbers of the functions. */
#define RWB_FUNCTION_ZSWAP_STORE 0
#define RWB_FUNCTION_SLOW_PATH 1
#define RWB_FUNCTION_TRY_TO_FREE 2
#define RWB_FUNCTION_COMPACT 3
#define RWB_FUNCTION_DRAIN_PAGES 4
#define RWB_FUNCTION_DRAIN_LRU 5
#define RWB_FUNCTION_SHRINK_SLAB 6
#define RWB_FUNCTION_SWAP_SUBMIT 7
#define RWB_FUNCTION_TLB_FLUSH 8
#define RWB_FUNCTION_TLB_FLUSH_DIRTY 9
#define RWB_FUNCTION_OVER_HIGH 10
#define RWB_FUNCTION_NBD_QUEUE 11
#define RWB_FUNCTION_ZSWAP_WRITEBACK 12
#define RWB_FUNCTION_PSI_LEAVE 13
#define RWB_FUNCTION_PSI_ENTER 14
#define RWB_FUNCTION_WAIT_BIT 15
#define RWB_FUNCTION_WAIT_BIT_KILLABLE 16
#define RWB_FUNCTION_FOLIO_LOCK 17
#define RWB_FUNCTION_FOLIO_LOCK_KILLABLE 18
#define RWB_FUNCTION_LOCK_OR_RETRY 19
#define RWB_FUNCTION_SWAP_READ 20
#define RWB_FUNCTION_REFAULT 21
#define RWB_FUNCTION_WAIT_BIT_COMMON 22
#define RWB_FUNCTION_RQ_QOS 23
#define RWB_FUNCTION_ZSWAP_SWITCH 24

/* Form: the suffix that gcc gives to the name of a function. */
#define RWB_FORMS(X) \
	X(0, "") \
	X(1, ".constprop.0") \
	X(2, ".isra.0") \
	X(3, ".constprop.0.isra.0") \
	X(4, ".part.0") \
	X(5, ".part.0.constprop.0") \
	X(6, ".part.0.isra.0")

/* Cause: what the time of a stall is spent on. */
#define RWB_CAUSES(X) \
	X(0, "unexplained") \
	X(1, "scan") \
	X(2, "lru_lock") \
	X(3, "lock") \
	X(4, "shrinker") \
	X(5, "throttle_writeback") \
	X(6, "throttle_isolated") \
	X(7, "throttle_noprogress") \
	X(8, "throttle_congested") \
	X(9, "pfmemalloc") \
	X(10, "swap_submit") \
	X(11, "tag_wait") \
	X(12, "rq_qos") \
	X(13, "nbd_lock") \
	X(14, "nbd_send") \
	X(15, "tlb") \
	X(16, "compaction") \
	X(17, "drain") \
	X(18, "high_penalty") \
	X(19, "runqueue") \
	X(20, "off_cpu")

#define RWB_NR_CAUSES 21

/* Mode: when swap-out is handed off. */
#define RWB_MODES(X) \
	X(0, "never") \
	X(1, "low-headroom") \
	X(2, "always")

/* Window: the windows that C entries pass to Rust. */
#define RWB_WINDOW_KSWAPD 0
#define RWB_WINDOW_DIRECT 1
#define RWB_WINDOW_MEMCG_SOFT 2
#define RWB_WINDOW_NODE 3
#define RWB_WINDOW_MEMCG 4

/* Direction: what a request to an NBD device does. */
#define RWB_NBD_READ 0
#define RWB_NBD_WRITE 1
#define RWB_NBD_OTHER 2

/* Parameter: number, name, type, mode and description. */
#define RWB_PARAMS(X) \
	X(0, enabled, bool, 0644, "Record events (Y), or detach all probes (N). Default Y.") \
	X(1, headroom_floor, ull, 0644, "Stack headroom in bytes below which the event reclaimwb:headroom_low fires, rate-limited. Range 0 (off) to the size of a stack; default 2048.") \
	X(2, window_slots, ull, 0444, "Number of tasks that can be told apart while they are inside reclaim at the same time. A power of two, 64 to 65536; default 1024. Can only be set when the module is loaded.") \
	X(3, write_around, bool, 0644, "Write clusters of dirty file pages around those that reclaim meets (Y), or leave reclaim as it is (N). Default Y if the kernel has the writeback helper.") \
	X(4, window, ull, 0644, "Size in KiB of the aligned part of a file that is searched for dirty pages around one that reclaim meets. A power of two, 64 to 4096; default 1024.") \
	X(5, request_cost, ull, 0644, "Cost of one more request to the device, in pages written: the higher it is, the more neighbours are written together. Range 0 to 1024; default 256.") \
	X(6, inflight, ull, 0644, "Most KiB that write-around keeps under writeback on one device. Range 256 to 65536; default 16384.") \
	X(7, ring_pages, ull, 0644, "Number of pages of a node, or of requests for a swap device, that can wait to be written. Range 64 to 65536; default 4096. Takes effect when write_around or handoff is next switched on.") \
	X(8, handoff, mode, 0644, "When reclaim hands swap-out to a writer instead of writing on its own stack: never, low-headroom (when less than handoff_floor is left) or always. Default always if the kernel has the writeback helper.") \
	X(9, handoff_floor, ull, 0644, "Stack headroom in bytes below which low-headroom hands swap-out over. Range 0 to the size of a stack; default 8192.") \
	X(10, stalls, bool, 0644, "Record what stalled tasks spend their time on (Y), or not (N). Default Y.") \
	X(11, shrinkers, bool, 0644, "Count calls of shrinkers by origin and cgroup (Y), or not (N). Default Y.") \
	X(12, tlb, bool, 0644, "Count and time the TLB flushes that reclaim sends to other CPUs (Y), or not (N). On a hot path. Default N.") \
	X(13, metadata, bool, 0644, "Count filesystem metadata that reclaim evicts and that is read again (Y), or not (N). On a hot path. Default N.") \
	X(14, takers, bool, 0644, "Record which tasks take large blocks while another task compacts memory (Y), or not (N). On a hot path. Default N.") \
	X(15, reserves, bool, 0644, "Record which tasks take pages from the reserves, and which wait for them (Y), or not (N). Default Y.") \
	X(16, nbd, bool, 0644, "Follow each request to an NBD device through its phases (Y), or not (N). Default Y.") \
	X(17, waits, bool, 0644, "Account for the time that tasks wait for memory, as PSI does, by what they wait for (Y), or not (N). Default Y.")

#endif /* RWB_WORDS_H */
