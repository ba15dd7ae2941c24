/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the C shim and the Rust half of reclaimwb.
 *
 * The shim has what Rust cannot reach: wrappers of inline functions, typed probe entries and the
 * trace events. It has no state and no policy. contract.awk generates the Rust side from this file,
 * and refuses what it does not understand. If one side changes and the other does not follow, the
 * module does not build. The words that both sides use are in words.h, which is generated from
 * those of the Rust side.
 */
#ifndef RWB_SHIM_H
#define RWB_SHIM_H

#include <linux/types.h>

#include "words.h"

/* The number of callers in the event headroom_low. */
#define RWB_LOW_CALLERS		16

#define RWB_AT_MEMALLOC		1	/* the task has PF_MEMALLOC set */
#define RWB_AT_WORKER		2	/* the task is a worker of a workqueue */
#define RWB_AT_KSWAPD		4	/* the task is a kswapd; only for isolated folios */

#define RWB_CTX_TASK		0	/* on the task's own stack */
#define RWB_CTX_IRQ		1	/* on another stack: IRQ, NMI, exception */
#define RWB_CTX_SOFTIRQ		2	/* on the task's stack, but not in the task */

/**
 * struct rwb_zone - the state of a zone, in pages
 * @free: free pages
 * @min: min watermark, below which the reserve lies
 * @low: low watermark
 * @name: name, NUL-terminated
 */
struct rwb_zone {
	u64 free;
	u64 min;
	u64 low;
	char name[16];
};

/**
 * struct rwb_page - a page that was allocated
 * @nid: its node
 * @zid: its zone
 * @order: order of the allocation
 * @free: free pages that are left in the zone
 * @min: min watermark of the zone
 */
struct rwb_page {
	u32 nid;
	u32 zid;
	u32 order;
	u64 free;
	u64 min;
};

/**
 * struct rwb_at - where a probe fired
 * @task: the current task, as an opaque key
 * @sp: stack pointer of the function that called the probe: of the call site, or, if several
 *	probes share the event, of the tracepoint's iterator; see rwb_fill_at()
 * @caller: address in that function to which the probe returns
 * @headroom: bytes from @sp down to the end of the task's stack
 * @depth: bytes from @sp up to the top of the task's stack
 * @ctx: RWB_CTX_*; @headroom and @depth mean nothing for RWB_CTX_IRQ
 * @flags: RWB_AT_*
 */
struct rwb_at {
	unsigned long task;
	unsigned long sp;
	unsigned long caller;
	unsigned long headroom;
	unsigned long depth;
	u32 ctx;
	u32 flags;
};

#define RWB_FOLIO_ANON		1
#define RWB_FOLIO_WRITEBACK	2
#define RWB_FOLIO_SWAPCACHE	4
#define RWB_FOLIO_CGROUP_V1	8	/* @cgroup is of a v1 hierarchy */
#define RWB_FOLIO_CGROUP_GONE	64	/* @cgroup has been removed */

/**
 * struct rwb_folio - a folio that reclaim wrote, as the write ledger needs it
 * @key: its address, as an opaque key
 * @cgroup: id of the cgroup that it is charged to; 0 if there is none
 * @nr_pages: its size in pages
 * @order: its order
 * @nid: its node
 * @flags: RWB_FOLIO_*
 * @facts: all of these except @key and @cgroup in one word, for a folio of one page; 0 for others
 */
struct rwb_folio {
	unsigned long key;
	u64 cgroup;
	unsigned long facts;
	u32 nr_pages;
	u32 order;
	u32 nid;
	u32 flags;
};

/* The result for an event that may be like the one before. */
#define RWB_REPEAT_DIFFERS	0	/* the event differs, and has to be looked at */
#define RWB_REPEAT_COUNTED	1	/* the event was counted */
#define RWB_REPEAT_FULL		2	/* it was counted; call rwb_rs_record_counted() */

/* Events that are counted, for rwb_rs_record_counted(). */
#define RWB_REPEATED_WRITES	0
#define RWB_REPEATED_BIOS	1
#define RWB_REPEATED_PACKETS	2

/**
 * struct rwb_shrink - a call of a shrinker
 * @shrinker: address of the shrinker, as an opaque key
 * @name: address of its name, or, if it has no name, of its scan function
 * @cgroup: id of the cgroup that is to shrink; 0 if there is none
 * @nid: node that is to shrink
 * @gfp: gfp mask of the reclaimer
 * @flags: RWB_FOLIO_CGROUP_*, RWB_SHRINK_FS, RWB_SHRINK_NAMED
 */
struct rwb_shrink {
	unsigned long shrinker;
	u64 name;
	u64 cgroup;
	u32 nid;
	u32 gfp;
	u32 flags;
};

#define RWB_SHRINK_FS		16	/* the reclaimer may enter filesystems */
#define RWB_SHRINK_NAMED	32	/* @name is a string, not a function */

/**
 * struct rwb_setting - the node and the cgroup in which a task stalls
 * @cgroup: id of the task's cgroup; 0 if there is none
 * @inactive_file: pages on the inactive file lists of the node
 * @inactive_anon: pages on the inactive anon lists of the node
 * @dirty: pages of files on the node that are dirty or under writeback
 * @nid: node that serves the task's allocations first
 * @flags: RWB_FOLIO_CGROUP_*
 */
struct rwb_setting {
	u64 cgroup;
	u64 inactive_file;
	u64 inactive_anon;
	u64 dirty;
	u32 nid;
	u32 flags;
};

/**
 * struct rwb_stall_end - a stall that ended
 * @ns: length in nanoseconds
 * @began: time at which it began, on the monotonic clock
 * @parts: nanoseconds by cause; their sum is @ns
 * @scanned: pages that the task scanned
 * @freed: pages that the task freed
 * @setting: where the task stalled, as it was when the task began to reclaim or compact
 * @origin: number of the origin
 * @gfp: gfp mask of the allocation; 0 if the stall was for a cgroup
 * @order: order of the allocation
 */
struct rwb_stall_end {
	u64 ns;
	u64 began;
	u64 parts[RWB_NR_CAUSES];
	u64 scanned;
	u64 freed;
	struct rwb_setting setting;
	u32 origin;
	u32 gfp;
	u32 order;
};

#define RWB_WAIT_SWAPIN		1	/* the wait is for a page that was swapped out */
#define RWB_WAIT_FILE		2	/* the page is of a file */
#define RWB_WAIT_AGAIN		4	/* the page came back soon after it was reclaimed */
#define RWB_WAIT_MAX		16	/* a cgroup is near its memory.max */
#define RWB_WAIT_HIGH		32	/* a cgroup is near its memory.high */
#define RWB_WAIT_KERNEL		128	/* the task is a kernel thread */

/**
 * struct rwb_wait_facts - what a task waits for, or a folio that came back
 * @cgroup: id of the cgroup of the task, or of the folio; 0 if there is none
 * @limited: id of the innermost cgroup, from that one up, that is near a limit; 0 if there is
 *	none, or if it is of a v1 hierarchy
 * @device: device that the page is read from, as a dev_t; 0 if not known
 * @swap: 1 + number of the swap area that the page is read from; 0 if it is not read from swap
 * @stands_for: number of pages that came back, or of reads of swap, for which this one stands,
 *	itself included; otherwise 1
 * @flags: RWB_WAIT_*, RWB_FOLIO_CGROUP_*
 */
struct rwb_wait_facts {
	u64 cgroup;
	u64 limited;
	u32 device;
	u32 swap;
	u32 stands_for;
	u32 flags;
};

/**
 * struct rwb_nbd_request - a request that the NBD driver gets
 * @key: its address, as an opaque key
 * @bytes: its size in bytes
 * @index: N of the device nbdN
 * @direction: RWB_NBD_*
 */
struct rwb_nbd_request {
	unsigned long key;
	u32 bytes;
	u32 index;
	u32 direction;
};

#define RWB_BIO_SYNC		1	/* the device writes at once */
#define RWB_BIO_STACKED		2	/* a driver made the bio from another one */
#define RWB_BIO_UNSEEN		4	/* its end is not seen: requests end without the event */

/**
 * struct rwb_bio - a swap write that is submitted
 * @key: its address, as an opaque key; for a bio of swap's own also that of the struct swap_iocb
 * @last_folio: address of the last folio in it
 * @cgroup: cgroup that its I/O is charged to, as an opaque key
 * @start: its first sector
 * @device: its device, as a dev_t; before there is a bio, a number made from its swap area
 * @bytes: its size in bytes
 * @folios: number of folios in it
 * @room: number of folios that it has room for
 * @flags: RWB_BIO_*
 * @swap: 1 + number of the swap area that its last folio goes to; 0 if not known
 * @facts: all that is recorded of it in one word, if it is of one page, made by swap itself, and
 *	for a device that writes at once; otherwise 0
 */
struct rwb_bio {
	unsigned long key;
	unsigned long last_folio;
	unsigned long cgroup;
	u64 start;
	u32 device;
	u32 bytes;
	u32 folios;
	u32 room;
	u32 flags;
	u32 swap;
	unsigned long facts;
};

#define RWB_DISK_NAME_LEN	32	/* DISK_NAME_LEN of the kernel */

/**
 * struct rwb_swap_end - a swap write that is done
 * @bio: address of its bio, as an opaque key
 * @device: its device, as a dev_t
 * @anon_folios: folios of anonymous memory in it, if it failed
 * @anon_pages: pages in these folios
 * @shmem_folios: folios of shmem in it, if it failed
 * @shmem_pages: pages in these folios
 * @failed: whether the write failed
 * @sync: whether its device writes at once, in the task that submits
 * @name: name of the device, if the write failed
 */
struct rwb_swap_end {
	unsigned long bio;
	u32 device;
	u32 anon_folios;
	u32 anon_pages;
	u32 shmem_folios;
	u32 shmem_pages;
	bool failed;
	bool sync;
	char name[RWB_DISK_NAME_LEN];
};

/**
 * struct rwb_kswapd_at - the state of kswapd and its node, when it begins or stops balancing it
 * @cpu_ns: CPU time that kswapd has had in its life
 * @free: free pages in the zones that are balanced
 * @high: sum of the high watermarks of these zones
 * @anon: pages on the lists of anonymous memory, with shmem
 * @shmem: pages of shmem, with tmpfs
 * @file: pages on the lists of files
 * @unevictable: pages that cannot be reclaimed
 * @swap_free: free pages of swap, of all devices
 * @nid: number of the node
 * @order: order that kswapd was asked for
 * @enough: whether a zone has reached its high watermark
 * @block: whether such a zone also has a free block of @order
 */
struct rwb_kswapd_at {
	u64 cpu_ns;
	u64 free;
	u64 high;
	u64 anon;
	u64 shmem;
	u64 file;
	u64 unevictable;
	u64 swap_free;
	u32 nid;
	u32 order;
	bool enough;
	bool block;
};

/**
 * struct rwb_shrunk - what became of the pages that kswapd isolated from a list
 * @nid: node of kswapd
 * @reclaimed: pages that were freed
 * @dirty: pages of files that were dirty and not under writeback
 * @writeback: pages that were under writeback, those of files included
 * @activated: pages that were put on an active list, because they are in use, or dirty, or under
 *	writeback
 * @referenced: pages that are in use, and were kept on their list
 * @mapped: pages that could not be unmapped
 */
struct rwb_shrunk {
	u32 nid;
	u32 reclaimed;
	u32 dirty;
	u32 writeback;
	u32 activated;
	u32 referenced;
	u32 mapped;
};

/**
 * struct rwb_zone_pages - the state of a zone, in pages
 * @free: free pages
 * @low: low watermark
 * @high: high watermark
 * @reserve: pages that are kept from allocations which could be from higher zones
 * @managed: whether the zone has any pages
 */
struct rwb_zone_pages {
	u64 free;
	u64 low;
	u64 high;
	u64 reserve;
	bool managed;
};

#define RWB_TARGET_BLOCKDEV	1	/* the folio is in the page cache of a block device */
#define RWB_TARGET_SWAPFILE	2	/* the file is a swap file */
#define RWB_TARGET_DEADLOCK	4	/* its writeback may wait for memory to be freed */
#define RWB_TARGET_NODEVICE	8	/* there is no device to which it could be written */
#define RWB_TARGET_MEMCG	16	/* the reclaim is for the limit of a cgroup */
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
 * @order: order of the allocation that reclaim is for
 * @highest_zone: highest zone that may serve the allocation
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
	u32 order;
	u32 highest_zone;
	u32 flags;
};

/* Flags of a prepared swap-out request, or of a task that waits. */
#define RWB_SWAP_SYNC		1	/* the device writes at once */
#define RWB_SWAP_KSWAPD		2	/* the task is kswapd */
#define RWB_SWAP_EXEMPT		4	/* the task must not wait */
#define RWB_SWAP_FAULT		8	/* the task reclaims because it needs memory now */

/**
 * struct rwb_swap - a swap-out request that is prepared
 * @request: its address
 * @slot: the first of its swap slots
 * @at: where it was made
 * @bio: the request as a bio, with the slots of its swap area as sectors
 * @device: whole disk that it is for, as a dev_t; without one, see rwb_swap_device()
 * @area: number of its swap area
 * @pages: its size in pages
 * @flags: RWB_SWAP_*
 */
struct rwb_swap {
	unsigned long request;
	u64 slot;
	struct rwb_at at;
	struct rwb_bio bio;
	u32 device;
	u32 area;
	u32 pages;
	u32 flags;
};

/**
 * struct rwb_swap_wait - a batch of folios that is through, some of which we took
 * @at: where reclaim calls us
 * @cookie: cookie of the last request
 * @pages: pages of the batch that we took
 * @freed: pages of the batch that were freed
 * @order: order of the allocation that reclaim is for
 * @faults: number of page faults that the task has had
 * @flags: RWB_SWAP_*
 */
struct rwb_swap_wait {
	struct rwb_at at;
	unsigned long cookie;
	u32 pages;
	u32 freed;
	u32 order;
	u32 faults;
	u32 flags;
};

/**
 * struct rwb_swap_done - one of our requests that is done
 * @cookie: cookie that we gave to the request
 * @stamp: stamp with which it was submitted
 * @pages: its size in pages
 * @failed: whether it failed
 */
struct rwb_swap_done {
	unsigned long cookie;
	u64 stamp[3];
	u32 pages;
	bool failed;
};

/* The result of an attempt to lock a superblock. */
#define RWB_SB_LOCKED		0
#define RWB_SB_BUSY		1	/* it is being unmounted or remounted, or locked for that */
#define RWB_SB_FROZEN		2
#define RWB_SB_READONLY		3

/* A cgroup is near its limit if no more than this many pages and a 64th of the limit are left. */
#define RWB_MEMCG_MARGIN	128

struct folio;
struct inode;
struct super_block;
struct wait_queue_entry;
struct wait_queue_head;
struct task_struct;
struct tracepoint;
struct tp_module;

/* inline.c */
void rwb_preempt_disable(void);
void rwb_preempt_enable(void);
unsigned int rwb_cpu(void);
unsigned int rwb_nr_cpu_ids(void);
bool rwb_zone(unsigned int nid, unsigned int zid, struct rwb_zone *zone);
long rwb_memalloc_sockets(void);
bool rwb_cpu_possible(unsigned int cpu);
bool rwb_node_online(unsigned int nid);
void *rwb_percpu_alloc(size_t size, size_t align);
unsigned long rwb_percpu_offset(void);
void *rwb_percpu_of(void *percpu, unsigned int cpu);
unsigned long rwb_stack_word(unsigned long addr);
u32 rwb_frame_words(unsigned long sp, unsigned long caller);
unsigned long rwb_stack_top(void);
unsigned long rwb_stack_size(void);
u64 rwb_clock_ns(void);
u64 rwb_cycles(void);
void rwb_comm(char *buf);
int rwb_pid(void);
unsigned long rwb_task(void);
bool rwb_task_is_realtime(void);
int rwb_task_nice(void);
u64 rwb_task_runtime(void);
void rwb_tracepoint_sync(void);
int rwb_cgroup_path(u64 id, char *buf, size_t size);
int rwb_module_tracepoints(struct tp_module *tp, void (*fn)(struct tracepoint *, void *),
			   void *priv);

/* setting.c */
void rwb_setting(struct rwb_setting *setting);
int rwb_zswap_on(void);

/* wait.c */
void rwb_wait(struct rwb_wait_facts *wait);
void rwb_wait_folio(unsigned long folio, struct rwb_wait_facts *wait);
void rwb_wait_swapin(unsigned long folio, u32 stands_for, struct rwb_wait_facts *wait);
u32 rwb_refaults_taken(bool file);
u32 rwb_swapins_taken(void);
void rwb_swapins_returned(u32 n);
void rwb_refault(unsigned long folio, struct rwb_wait_facts *wait);

/* shrinker.c */
void rwb_shrink(unsigned long sc, unsigned long shrinker, struct rwb_shrink *shrink);
unsigned long rwb_reclaimed(void);
void rwb_shrinker_name(const struct rwb_shrink *shrink, char *buf, size_t size);

/* function_probe.c */
bool rwb_sees_swap_io(void);
void *rwb_function_probe_register(u32 id, void *data, int *err);
u32 rwb_function_probe_form(void *handle);
unsigned long rwb_function_probe_missed(void *handle, unsigned long *interrupts);
void rwb_function_probe_unregister(void *handle);

/* probes_*.c */
void rwb_set_stall_counters(const unsigned long *stalls, const unsigned long *waits);
bool rwb_locks_tell_holders(void);
void *rwb_probe_func(const char *event, bool *known);
void rwb_nbd_request(unsigned long request, struct rwb_nbd_request *nbd);
void rwb_set_slot(unsigned long slot);
void rwb_follow_reads(bool follow);
void rwb_read_opened(void);
void rwb_read_closed(void);

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
void rwb_trace_stall(const struct rwb_stall_end *stall);
bool rwb_trace_stall_enabled(void);

/* helper.c */
bool rwb_helper_available(void);
int rwb_helper_register(void *data);
void rwb_helper_unregister(void);
void rwb_helper_done(int nid);
void rwb_folio_get(struct folio *folio);
void rwb_folio_put(struct folio *folio);
bool rwb_folio_trylock(struct folio *folio);
struct inode *rwb_folio_inode(struct folio *folio);
bool rwb_folio_dirty(struct folio *folio);
bool rwb_folio_writeback(struct folio *folio);
void rwb_folio_wait_writeback(struct folio *folio);
bool rwb_pfn_in_file(unsigned long pfn, unsigned long mapping, u64 index);
unsigned long rwb_folio_pfn(struct folio *folio);
u32 rwb_sb_trylock(struct super_block *sb);
void rwb_sb_unlock(struct super_block *sb);
struct super_block *rwb_inode_sb(struct inode *inode);
unsigned long rwb_inode_mapping(struct inode *inode);
void rwb_dirty_pages(struct inode *inode, u64 start, u32 nr, unsigned long *bits);
int rwb_flush_range(struct inode *inode, u64 start, u64 nr);
struct folio *rwb_last_written(struct inode *inode, u64 start, u64 end);
void rwb_bdi_name(unsigned long bdi, char *buf, size_t size);
unsigned int rwb_nr_node_ids(void);
bool rwb_zone_pages(int nid, u32 zone, u32 highest, struct rwb_zone_pages *pages);
unsigned long rwb_node_file(int nid);
unsigned long rwb_node_dirty(int nid);
bool rwb_memcg_pages(struct folio *folio, u32 level, u64 *used, u64 *limit);
void rwb_swap_take(unsigned long request, unsigned long cookie);
void rwb_swap_waited(unsigned int pages);
void rwb_swap_submit(unsigned long request, const u64 *stamp);
void rwb_free_pages(u64 *free, u64 *min);
unsigned int rwb_memalloc_begin(void);
void rwb_memalloc_end(unsigned int flags);
void rwb_wait_queue_join(struct wait_queue_head *head, struct wait_queue_entry *entry);
void rwb_wait_queue_sleep(struct wait_queue_head *head, struct wait_queue_entry *entry);
void rwb_sleep_killable(u32 ms);
void rwb_wait_queue_wake(struct wait_queue_head *head, unsigned int n);
bool rwb_task_is_dying(void);
bool rwb_kswapd_is_awaited(void);
void rwb_sleep_begin(void);
void rwb_sleep(u32 ms);
void rwb_sleep_end(void);
void *rwb_ticker_new(u32 (*tick)(void *data), void *data);
void rwb_ticker_start(void *ticker, u32 ms);
void rwb_ticker_free(void *ticker);

/*
 * Functions of Rust that C calls (rust/entry.rs, rust/entry/). Those that handle events are called
 * with preemption disabled, and do not sleep. The context of each is documented there.
 */
void rwb_rs_window_begin(void *ledgers, const struct rwb_at *at, u32 origin, u32 gfp,
			 u32 order);
void rwb_rs_window_end(void *ledgers, const struct rwb_at *at, u32 origin,
		       unsigned long nr_reclaimed);
void rwb_rs_pages_end(void *ledgers, const struct rwb_at *at, unsigned long nr_reclaimed);
void rwb_rs_write(void *ledgers, const struct rwb_at *at, const struct rwb_folio *folio);
u32 rwb_rs_repeated_write(unsigned long slot, unsigned long sp, unsigned long caller,
			  unsigned long facts, u64 cgroup, unsigned long folio);
u32 rwb_rs_repeated_packet(unsigned long slot, unsigned long sp, unsigned long caller);
void rwb_rs_record_counted(void *ledgers, unsigned long slot, u32 what);
void rwb_rs_throttled(void *ledgers, const struct rwb_at *at, u32 us, u32 reason);
void rwb_rs_isolated(void *ledgers, const struct rwb_at *at, unsigned long scanned,
		     unsigned long taken);
void rwb_rs_kswapd_begin(void *ledgers, const struct rwb_at *at,
			 const struct rwb_kswapd_at *kswapd);
void rwb_rs_kswapd_end(void *ledgers, const struct rwb_at *at, const struct rwb_kswapd_at *kswapd,
		       unsigned long nr_reclaimed);
void rwb_rs_kswapd_sleep(void *ledgers, const struct rwb_at *at, u32 nid, u64 cpu_ns);
void rwb_rs_kswapd_woken(void *ledgers, const struct rwb_at *at, u32 nid, u32 order);
void rwb_rs_shrunk(void *ledgers, const struct rwb_at *at, const struct rwb_shrunk *shrunk);
void rwb_rs_bio_end(void *ledgers, const struct rwb_at *at, const struct rwb_swap_end *end);
void rwb_rs_switch(void *ledgers, const struct rwb_at *at, unsigned long prev,
		   unsigned long next, bool runnable);
void rwb_rs_contention(void *ledgers, const struct rwb_at *at, unsigned long lock,
		       unsigned long holder, bool begin);
void rwb_rs_shrink_start(void *ledgers, const struct rwb_at *at, unsigned long control,
			 unsigned long shrinker, u64 own, u64 planned, u64 least);
void rwb_rs_shrink_end(void *ledgers, const struct rwb_at *at, s64 left, u64 freed);
void rwb_rs_folio_gone(void *ledgers, const struct rwb_at *at, u32 dev, u64 index,
			 u64 pages);
void rwb_rs_folio_added(void *ledgers, const struct rwb_at *at, u32 dev, u64 index,
			  u64 pages);
void rwb_rs_bitmap(void *ledgers, const struct rwb_at *at, u32 dev, u64 group, bool inodes);
void rwb_rs_page_alloc(void *ledgers, const struct rwb_at *at, u32 order);
void rwb_rs_remote_flush(void *ledgers, const struct rwb_at *at);
void rwb_rs_reserve_taken(void *ledgers, const struct rwb_at *at, const struct rwb_page *page);
void rwb_rs_reserve_wait(void *ledgers, const struct rwb_at *at, u32 nid);
void rwb_rs_reserve_woken(void *ledgers, const struct rwb_at *at, s32 err);
void rwb_rs_skb_dropped(void *ledgers, const struct rwb_at *at, unsigned long site);
void rwb_rs_cgroup_removed(void *ledgers, const struct rwb_at *at, u64 id, bool v1,
			   const char *path);
void rwb_rs_dirty_pause(void *ledgers, const struct rwb_at *at, u32 device, u64 ns, bool limited);
void rwb_rs_tag_wait(void *ledgers, const struct rwb_at *at);
void rwb_rs_bio(void *ledgers, const struct rwb_at *at, const struct rwb_bio *bio);
u32 rwb_rs_repeated_bio(unsigned long slot, unsigned long sp, unsigned long caller,
			unsigned long facts, unsigned long folio);
void rwb_rs_swap_read(void *ledgers, const struct rwb_at *at, unsigned long bio,
		      unsigned long folio, u32 stands_for, bool sync);
void rwb_rs_swap_read_done(void *ledgers, const struct rwb_at *at, unsigned long bio);
void rwb_rs_worker_bio(void *ledgers, const struct rwb_at *at, u32 pages);
void rwb_rs_nbd(void *ledgers, const struct rwb_at *at, unsigned long request, bool swap);
void rwb_rs_nbd_header(void *ledgers, const struct rwb_at *at, unsigned long request);
void rwb_rs_nbd_sent(void *ledgers, const struct rwb_at *at, unsigned long request);
void rwb_rs_nbd_reply(void *ledgers, const struct rwb_at *at, unsigned long request);
void rwb_rs_nbd_requeued(void *ledgers, const struct rwb_at *at, unsigned long request);
void rwb_rs_nbd_done(void *ledgers, const struct rwb_at *at, unsigned long request,
		     bool failed);
void rwb_rs_net(void *ledgers, const struct rwb_at *at);
u32 rwb_rs_function_entry(void *ledgers, const struct rwb_at *at, u32 id, unsigned long a,
			  unsigned long b);
void rwb_rs_function_exit(void *ledgers, const struct rwb_at *at, u32 id, u32 handlers,
			  unsigned long ret);
bool rwb_rs_dirty_file(void *helper, const struct rwb_target *target);
bool rwb_rs_busy(void *helper, int nid);
unsigned long rwb_rs_swap_write(void *helper, const struct rwb_swap *swap);
void rwb_rs_swap_wait(void *helper, const struct rwb_swap_wait *wait);
void rwb_rs_swap_done(void *helper, const struct rwb_swap_done *done);
int rwb_rs_param_set(u32 id, u64 value);
u64 rwb_rs_param_get(u32 id);

#endif /* RWB_SHIM_H */
