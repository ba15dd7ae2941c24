// SPDX-License-Identifier: GPL-2.0

//! What the name of a caller tells about why reclaim runs.
//!
//! One pair of tracepoints serves memory.max, memory.high and memory.reclaim. MADV_PAGEOUT and
//! DAMON have no begin event at all. But their callers differ, in mm/memcontrol.c,
//! mm/memcontrol-v1.c and mm/vmscan.c of Linux 7.3. Whole names are compared, without the suffix
//! that a compiler may add to a clone.

/// What a function on the stack tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Caller {
    /// Nothing. Look further up the stack.
    Unrelated = 1,
    /// A cgroup reached its hard limit, or the limit was lowered.
    MemcgMax = 2,
    /// A cgroup is above memory.high, or memory.high was lowered.
    MemcgHigh = 3,
    /// Userspace asked for reclaim, by memory.reclaim or by memory.force_empty of v1.
    MemcgReclaim = 4,
    /// MADV_PAGEOUT or DAMON, whose `reclaim_pages()` has an end event only.
    Pages = 5,
    /// Hibernation shrinks memory, without a window.
    Hibernation = 6,
    /// A window with a begin event, so that event was missed.
    Window = 7,
    /// A part of waiting for a lock, or a function of this module. The caller is further up.
    Locking = 8,
    /// The spinlock that the function itself takes is that of an LRU list.
    Lru = 9,
    /// The function sends a request over NBD. The mutex that it takes itself is that of the
    /// connection.
    Nbd = 10,
    /// The function waits for replies of an NBD server.
    NbdReceive = 11,
    /// The function processes packets that arrived.
    NetReceive = 12,
    /// A part of a memory allocation. The user is further up.
    Allocating = 13,
    /// A part of an allocation for a slab. The user is further up.
    Slab = 14,
    /// The function adds a folio to a swap write.
    SwapAdd = 15,
    /// The function reads a page from swap.
    SwapRead = 16,
    /// The function reads pages of a file, or waits for them.
    FileRead = 17,
    /// The task is throttled for I/O that was done on its behalf.
    IoThrottle = 18,
}

impl Caller {
    /// Converts a value that a cache kept; `None` if there is no such value.
    pub const fn from_u8(v: u8) -> Option<Self> {
        Some(match v {
            1 => Self::Unrelated,
            2 => Self::MemcgMax,
            3 => Self::MemcgHigh,
            4 => Self::MemcgReclaim,
            5 => Self::Pages,
            6 => Self::Hibernation,
            7 => Self::Window,
            8 => Self::Locking,
            9 => Self::Lru,
            10 => Self::Nbd,
            11 => Self::NbdReceive,
            12 => Self::NetReceive,
            13 => Self::Allocating,
            14 => Self::Slab,
            15 => Self::SwapAdd,
            16 => Self::SwapRead,
            17 => Self::FileRead,
            18 => Self::IoThrottle,
            _ => return None,
        })
    }
}

/// Returns only the function name of a symbol as the kernel prints it: for
/// `reclaim_high.isra.0+0x1a/0x90 [mod]` this is `reclaim_high`.
pub fn function_name(symbol: &str) -> &str {
    let end = symbol.find(['+', '.', ' ']).unwrap_or(symbol.len());
    symbol.get(..end).unwrap_or(symbol)
}

/// Whether the function calls the probes of a tracepoint one by one. A tracepoint with a single
/// probe calls that directly.
pub fn is_iterator(symbol: &str) -> bool {
    function_name(symbol).starts_with("__traceiter_")
}

/// Returns what the function with this name tells. `symbol` is the name as the kernel prints it.
pub fn caller(symbol: &str) -> Caller {
    match function_name(symbol) {
        // mm/memcontrol.c; reclaim_high() may be inlined into its callers.
        "try_charge_memcg" | "memory_max_write" => Caller::MemcgMax,
        // mm/memcontrol-v1.c: the v1 limit files.
        "mem_cgroup_resize_max" | "mem_cgroup_write" => Caller::MemcgMax,
        "reclaim_high"
        | "high_work_func"
        | "__mem_cgroup_handle_over_high"
        | "mem_cgroup_handle_over_high"
        | "memory_high_write" => Caller::MemcgHigh,
        "user_proactive_reclaim" | "memory_reclaim" => Caller::MemcgReclaim,
        "mem_cgroup_force_empty" | "mem_cgroup_force_empty_write" => Caller::MemcgReclaim,
        "reclaim_pages" => Caller::Pages,
        "shrink_all_memory" => Caller::Hibernation,
        "balance_pgdat"
        | "kswapd"
        | "try_to_free_pages"
        | "try_to_free_mem_cgroup_pages"
        | "__node_reclaim"
        | "node_reclaim" => Caller::Window,
        // These take lru_lock, by lruvec_lock_irq() or folio_lruvec_lock*(): mm/vmscan.c,
        // mm/memcontrol.c, mm/folio.c, mm/compaction.c.
        "shrink_inactive_list"
        | "shrink_active_list"
        | "move_folios_to_lru"
        | "evict_folios"
        | "isolate_folios"
        | "inc_max_seq"
        | "try_to_inc_max_seq"
        | "try_to_shrink_lruvec"
        | "shrink_lruvec"
        | "lru_gen_shrink_node"
        | "lru_note_cost_unlock_irq"
        | "lru_note_cost"
        | "lru_note_cost_refault"
        | "folio_lruvec_lock"
        | "folio_lruvec_lock_irq"
        | "folio_lruvec_lock_irqsave"
        | "folio_batch_move_lru"
        | "lru_add"
        | "check_move_unevictable_folios" => Caller::Lru,
        // drivers/block/nbd.c: nsock->tx_lock.
        "nbd_handle_cmd" | "nbd_queue_rq" => Caller::Nbd,
        "recv_work" | "nbd_read_reply" => Caller::NbdReceive,
        // net/core/dev.c.
        "net_rx_action" | "__napi_poll" | "process_backlog" => Caller::NetReceive,
        // mm/slub.c. The first function may be inlined into its callers.
        "allocate_slab" | "new_slab" => Caller::Slab,
        // mm/page_io.c: swap_add_folio(), or a function into which it is inlined.
        "swap_add_folio" | "__swap_writepage" | "swap_writeout" => Caller::SwapAdd,
        "swap_read_folio" => Caller::SwapRead,
        // mm/filemap.c, mm/readahead.c, and functions into which those are inlined;
        // fs/btrfs/compression.c, fs/erofs/zdata.c.
        "filemap_read_folio"
        | "filemap_update_page"
        | "filemap_get_pages"
        | "filemap_fault"
        | "folio_put_wait_locked"
        | "do_read_cache_folio"
        | "read_pages"
        | "page_cache_ra_unbounded"
        | "page_cache_ra_order"
        | "page_cache_sync_ra"
        | "page_cache_async_ra"
        | "do_page_cache_ra"
        | "readahead_expand"
        | "add_ra_bio_pages"
        | "btrfs_submit_compressed_read"
        | "z_erofs_submit_queue"
        | "z_erofs_runqueue" => Caller::FileRead,
        // block/blk-cgroup.c.
        "blkcg_maybe_throttle_current" | "blkcg_maybe_throttle_blkg" => Caller::IoThrottle,
        name if is_locking(name) || is_ours(symbol) => Caller::Locking,
        name if is_allocating(name) => Caller::Allocating,
        _ => Caller::Unrelated,
    }
}

/// Whether this is a function of this module, in Rust or C. Other modules may have functions with
/// the same names.
fn is_ours(symbol: &str) -> bool {
    let module = symbol.find(['[']).and_then(|at| symbol.get(at..));
    module.is_some_and(|m| m.starts_with("[reclaimwb"))
}

/// Whether this is a part of a lock's slow path, or of the way from its event to us. The names are
/// those of kernel/locking/ and of include/linux/spinlock_api_smp.h. While a BPF program runs at the
/// return of such a function, a trampoline calls the function (kernel/bpf/trampoline.c).
fn is_locking(name: &str) -> bool {
    const NAMES: [&str; 11] = [
        "down",
        "down_interruptible",
        "down_killable",
        "down_timeout",
        "down_trylock",
        "__down",
        "__down_common",
        "___down_common",
        "__down_interruptible",
        "__down_killable",
        "__down_timeout",
    ];
    const PREFIXES: [&str; 18] = [
        "bpf_trampoline_",
        "__traceiter_",
        "trace_contention_",
        "_raw_",
        "__raw_",
        "do_raw_",
        "queued_spin_",
        "queued_read_",
        "queued_write_",
        "native_queued_",
        "__pv_queued_",
        "mutex_lock",
        "__mutex_lock",
        "rwsem_down_",
        "down_read",
        "down_write",
        "__down_read",
        "__down_write",
    ];
    NAMES.contains(&name) || PREFIXES.iter().any(|p| name.starts_with(p))
}

/// Whether this is a part of the allocators, or wraps them: mm/page_alloc.c, mm/mempolicy.c,
/// mm/slub.c, mm/page_frag_cache.c, net/core/skbuff.c.
fn is_allocating(name: &str) -> bool {
    const PREFIXES: [&str; 33] = [
        "alloc_page",
        "alloc_frozen_pages",
        "alloc_contig_",
        "alloc_from_",
        "alloc_single_from_",
        "alloc_empty_sheaf",
        "alloc_slab_",
        "alloc_skb",
        "__alloc_page",
        "__alloc_frozen_pages",
        "__alloc_contig_",
        "__alloc_empty_sheaf",
        "__alloc_skb",
        "get_page_from_freelist",
        "prep_new_page",
        "get_free_pages",
        "__get_free_pages",
        "get_zeroed_page",
        "folio_alloc",
        "__folio_alloc",
        "vma_alloc",
        "kmem_cache_",
        "__kmem_cache_",
        "kmalloc_",
        "__kmalloc",
        "___kmalloc",
        "___slab_alloc",
        "__slab_alloc",
        "refill_sheaf",
        "__pcs_",
        "kvmalloc",
        "__kvmalloc",
        "page_frag_",
    ];
    PREFIXES.iter().any(|p| name.starts_with(p)) || matches!(name, "__page_frag_alloc_align")
}
