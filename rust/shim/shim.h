/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C shim and the Rust half of reclaimwb say to each other.
 *
 * The shim holds inline wrappers, typed probe entries and the trace events:
 * what Rust cannot reach. No state, no policy. The Rust side of each
 * declaration stands in rust/shim.rs; keep the two in step. Enumerations are
 * checked against each other by name when the module loads.
 */
#ifndef RWB_SHIM_H
#define RWB_SHIM_H

#include <linux/types.h>

/* What asked for reclaim; the order is the Rust `Origin`'s. */
#define RWB_ORIGINS(X)		\
	X(0, "kswapd")		\
	X(1, "direct")		\
	X(2, "memcg_max")	\
	X(3, "memcg_high")	\
	X(4, "memcg_reclaim")	\
	X(5, "memcg_soft")	\
	X(6, "node")		\
	X(7, "madvise")		\
	X(8, "writer")		\
	X(9, "other")		\
	X(10, "lost")

/* What became of a reclaim write; the order is the Rust `Kind`'s. */
#define RWB_KINDS(X)		\
	X(0, "io")		\
	X(1, "sync")		\
	X(2, "zswap")		\
	X(3, "zero")		\
	X(4, "dropped")		\
	X(5, "unknown")

/* The sample points on the way down; the order is the Rust `Layer`'s. */
#define RWB_LAYERS(X)		\
	X(0, "entry")		\
	X(1, "handoff")		\
	X(2, "write")		\
	X(3, "bio")		\
	X(4, "nbd")		\
	X(5, "net")

/* Windows that the C entries name to Rust; the values are `Origin`'s. */
#define RWB_WINDOW_KSWAPD	0
#define RWB_WINDOW_DIRECT	1
#define RWB_WINDOW_MEMCG_SOFT	5
#define RWB_WINDOW_NODE		6
/* memcg max, high and memory.reclaim share an event: Rust tells them apart. */
#define RWB_WINDOW_MEMCG	0xff

/* Number of callers that headroom_low carries. */
#define RWB_LOW_CALLERS		16

#define RWB_CTX_TASK		0	/* on the task's own stack */
#define RWB_CTX_IRQ		1	/* on another stack: IRQ, NMI, exception */
#define RWB_CTX_SOFTIRQ		2	/* on the task's stack, but not the task */

/**
 * struct rwb_at - where a probe fired
 * @task: the current task, as an opaque key
 * @sp: stack pointer of the call site (of the tracepoint's iterator, some
 *	tens of bytes lower, while another probe shares the event)
 * @headroom: bytes from @sp down to the end of the task's stack
 * @depth: bytes from @sp up to the top of the task's stack
 * @ctx: RWB_CTX_*; @headroom and @depth mean nothing for RWB_CTX_IRQ
 * @memalloc: 1 when the task has PF_MEMALLOC set
 */
struct rwb_at {
	unsigned long task;
	unsigned long sp;
	unsigned long headroom;
	unsigned long depth;
	u32 ctx;
	u32 memalloc;
};

#define RWB_FOLIO_ANON		1
#define RWB_FOLIO_WRITEBACK	2
#define RWB_FOLIO_SWAPCACHE	4
#define RWB_FOLIO_CGROUP_V1	8	/* @cgroup is of a v1 hierarchy */

/**
 * struct rwb_folio - what the write ledger wants to know of a folio
 * @folio: its address, as an opaque key
 * @cgroup: id of the cgroup it is charged to; 0 when charged to none
 * @nr_pages: its size in pages
 * @order: its order
 * @nid: its node
 * @flags: RWB_FOLIO_*
 */
struct rwb_folio {
	unsigned long folio;
	u64 cgroup;
	u32 nr_pages;
	u32 order;
	u32 nid;
	u32 flags;
};

#define RWB_TARGET_BLOCKDEV	1	/* page cache of a block device */
#define RWB_TARGET_SWAPFILE	2
#define RWB_TARGET_DEADLOCK	4	/* its writeback may need memory to be freed */
#define RWB_TARGET_NODEVICE	8	/* nothing to write it to */
#define RWB_TARGET_MEMCG	16	/* the reclaim is for a cgroup's limit */
#define RWB_TARGET_PROACTIVE	32	/* userspace asked for the reclaim */

/**
 * struct rwb_target - a dirty file folio that reclaim met
 * @folio: its address
 * @sb: address of its superblock, only to be compared
 * @inode: address of its inode, only to be compared
 * @bdi: address of its backing device, only to be compared
 * @index: its place in the file, in pages
 * @nr_pages: its size in pages
 * @nid: its node
 * @flags: RWB_TARGET_*
 */
struct rwb_target {
	unsigned long folio;
	unsigned long sb;
	unsigned long inode;
	unsigned long bdi;
	u64 index;
	u32 nr_pages;
	u32 nid;
	u32 flags;
};

/* Why a folio to be swapped out may not be ours; the values are Rust's `Asking`'s. */
#define RWB_SWAP_MEMCG		1	/* the reclaim is for a cgroup's limit */
#define RWB_SWAP_PROACTIVE	2	/* userspace asked for the reclaim */
#define RWB_SWAP_KSWAPD		4
#define RWB_SWAP_BUSY		8	/* someone else refers to the folio */
#define RWB_SWAP_ZSWAP		16	/* zswap may take it */
#define RWB_SWAP_SYNC		32	/* the device writes at once */
#define RWB_SWAP_BLOCKING	64	/* the device's queue can block */

/**
 * struct rwb_swap - a folio that reclaim would swap out
 * @folio: its address
 * @slot: what sorts it: its swap slot, or its place in a shmem file, after all slots
 * @at: where it was asked
 * @device: number of the swap device; 0 when there is none
 * @nr_pages: its size in pages
 * @nid: its node
 * @priority: of the reclaim: 12 at first, 0 at last
 * @flags: RWB_SWAP_*
 */
struct rwb_swap {
	unsigned long folio;
	u64 slot;
	struct rwb_at at;
	u32 device;
	u32 nr_pages;
	u32 nid;
	s32 priority;
	u32 flags;
};

/* What Rust says to that; the order is enum reclaim_writeback_swap's. */
#define RWB_SWAP_SAY_REFUSED	0
#define RWB_SWAP_SAY_TAKEN	1
#define RWB_SWAP_SAY_LATER	2

/* State of a folio that was queued to be swapped out; the values are Rust's. */
#define RWB_FOLIO_SWAPPABLE	1	/* in the swap cache, or of shmem */
#define RWB_FOLIO_DIRTY		2
#define RWB_FOLIO_WRITTEN	4	/* under writeback */
#define RWB_FOLIO_MAPPED	8
#define RWB_FOLIO_ON_LRU	16

/* Room for a struct swap_io_ctx. */
#define RWB_SWAP_IO_WORDS	4

/* What came of trying to lock a superblock; the order is Rust's. */
#define RWB_SB_LOCKED		0
#define RWB_SB_BUSY		1	/* being unmounted, remounted, or locked for that */
#define RWB_SB_FROZEN		2
#define RWB_SB_READONLY		3

/* Pages below its limit at which a cgroup counts as short, beside a 64th of it. */
#define RWB_MEMCG_MARGIN	128

struct folio;
struct inode;
struct super_block;
struct task_struct;
struct tracepoint;
struct tp_module;

/* inline.c */
void rwb_preempt_disable(void);
void rwb_preempt_enable(void);
unsigned int rwb_cpu(void);
unsigned int rwb_nr_cpu_ids(void);
bool rwb_cpu_possible(unsigned int cpu);
bool rwb_node_online(unsigned int nid);
void *rwb_percpu_alloc(size_t size, size_t align);
void *rwb_percpu_this(void *percpu);
void *rwb_percpu_of(void *percpu, unsigned int cpu);
unsigned long rwb_stack_word(unsigned long addr);
unsigned long rwb_stack_top(void);
unsigned long rwb_stack_size(void);
u64 rwb_clock_ns(void);
u64 rwb_cycles(void);
void rwb_comm(char *buf, size_t size);
int rwb_pid(void);
unsigned long rwb_task(void);
bool rwb_task_is_realtime(void);
int rwb_task_nice(void);
void rwb_tracepoint_sync(void);
int rwb_cgroup_path(u64 id, char *buf, size_t size);
int rwb_module_tracepoints(struct tp_module *tp, void (*fn)(struct tracepoint *, void *),
			   void *priv);

/* fprobe.c */
void *rwb_zswap_probe_register(void *data, int *err);
void rwb_zswap_probe_unregister(void *handle);

/* probes_*.c */
void *rwb_probe_func(const char *event, bool *known);

/* events.c */
void rwb_trace_reclaim_write(u32 origin, u32 kind, const struct rwb_folio *folio,
			     unsigned long headroom);
bool rwb_trace_reclaim_write_enabled(void);
void rwb_trace_reclaim_window(u32 origin, unsigned long nr_reclaimed, u64 pages_written,
			      u32 depth, u64 ns);
bool rwb_trace_reclaim_window_enabled(void);
void rwb_trace_headroom_low(u32 origin, u32 layer, unsigned long headroom, unsigned long floor,
			    const unsigned long *callers, u32 nr);
bool rwb_trace_headroom_low_enabled(void);
void rwb_trace_write_around(struct inode *inode, u64 start, u32 nr, u32 targets, u32 others,
			    u32 ranges, u64 us);
bool rwb_trace_write_around_enabled(void);
const char *rwb_name(u32 table, u32 index);

/* helper.c */
bool rwb_helper_available(void);
int rwb_helper_register(void *data);
void rwb_helper_unregister(void);
void rwb_helper_done(int nid);
void rwb_swap_wake(int nr);
void rwb_folio_get(struct folio *folio);
void rwb_folio_put(struct folio *folio);
bool rwb_folio_trylock(struct folio *folio);
struct inode *rwb_folio_inode(struct folio *folio);
bool rwb_folio_dirty(struct folio *folio);
bool rwb_folio_writeback(struct folio *folio);
bool rwb_pfn_in_file(unsigned long pfn, unsigned long mapping, u64 index);
unsigned long rwb_folio_pfn(struct folio *folio);
u32 rwb_sb_trylock(struct super_block *sb);
void rwb_sb_unlock(struct super_block *sb);
bool rwb_sb_contended(struct super_block *sb);
struct super_block *rwb_inode_sb(struct inode *inode);
unsigned long rwb_inode_mapping(struct inode *inode);
void rwb_dirty_pages(struct inode *inode, u64 start, u32 nr, unsigned long *bits);
int rwb_flush_range(struct inode *inode, u64 start, u64 nr);
void rwb_wait_range(struct inode *inode, u64 start, u64 nr);
void rwb_bdi_name(unsigned long bdi, char *buf, size_t size);
unsigned int rwb_nr_node_ids(void);
bool rwb_node_short(int nid);
unsigned long rwb_node_file(int nid);
unsigned long rwb_node_dirty(int nid);
bool rwb_memcg_short(struct folio *folio);
u32 rwb_folio_swap_state(struct folio *folio);
void rwb_swap_io_init(unsigned long *io, unsigned long cookie);
bool rwb_swap_out(unsigned long *io, struct folio *folio);
void rwb_swap_submit(unsigned long *io);
u32 rwb_swap_pages(unsigned long *io);
void rwb_free_pages(u64 *free, u64 *min);
void rwb_plugged(void (*fn)(void *data), void *data);
unsigned int rwb_memalloc_begin(void);
void rwb_memalloc_end(unsigned int flags);
void rwb_sleep_begin(void);
void rwb_sleep(u32 ms);
void rwb_sleep_end(void);
void *rwb_ticker_new(void *data);
void rwb_ticker_start(void *ticker, u32 ms);
void rwb_ticker_free(void *ticker);

/* Rust, called from C (rust/shim/entry.rs). The handlers of events
 * are called with preemption disabled and must not sleep; see the context of each
 * there.
 */
void rwb_rs_window_begin(void *observer, const struct rwb_at *at, u32 origin);
void rwb_rs_window_end(void *observer, const struct rwb_at *at, u32 origin,
		       unsigned long nr_reclaimed);
void rwb_rs_pages_end(void *observer, const struct rwb_at *at, unsigned long nr_reclaimed);
void rwb_rs_write(void *observer, const struct rwb_at *at, const struct rwb_folio *folio);
void rwb_rs_throttled(void *observer, const struct rwb_at *at, u32 us);
void rwb_rs_bio(void *observer, const struct rwb_at *at, unsigned long last_folio,
		bool synchronous);
void rwb_rs_worker_bio(void *observer, const struct rwb_at *at, u32 pages);
void rwb_rs_nbd(void *observer, const struct rwb_at *at);
void rwb_rs_net(void *observer, const struct rwb_at *at);
void rwb_rs_zswap_stored(void *observer, const struct rwb_at *at, unsigned long folio);
bool rwb_rs_dirty_file(void *helper, const struct rwb_target *target);
bool rwb_rs_busy(void *helper, int nid);
u32 rwb_rs_defer_swap(void *helper, const struct rwb_swap *swap);
bool rwb_rs_swap_full(void *helper, const struct rwb_swap *swap);
bool rwb_rs_swap_busy(void *helper, int nid);
void rwb_rs_swap_done(void *helper, unsigned long cookie, u32 pages, u64 ns, bool failed);
u32 rwb_rs_tick(void *data);
int rwb_rs_param_set(u32 id, u64 value);
u64 rwb_rs_param_get(u32 id);

#endif /* RWB_SHIM_H */
