// SPDX-License-Identifier: GPL-2.0

//! The Rust side of shim/shim.h: keep the two in step.
//!
//! Internal: safe wrappers stand in `kernel_ext`, and `entry` calls the
//! handlers in `probes`.

pub(crate) mod attached;
mod entry;
pub(crate) mod events;
pub(crate) mod function;
pub(crate) mod nbd;
pub(crate) mod reclaim;
pub(crate) mod reserve;
pub(crate) mod stall;

use crate::policy::cgroup_key::CgroupKey;
use function::Shrink;
use kernel::{
    bindings,
    ffi::{
        c_char,
        c_int,
        c_long,
        c_ulong,
        c_void, //
    },
};
use reserve::Zone;
use stall::{
    Setting,
    Stalled, //
};

/// On which stack a probe ran.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    /// The task's own, in the task itself.
    Task,
    /// Another one: IRQ, NMI, exception.
    Irq,
    /// The task's, but in a softirq on top of it.
    Softirq,
}

/// Where a probe fired. Mirrors `struct rwb_at`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct At {
    /// The current task, as an opaque key.
    pub(crate) task: usize,
    /// Stack pointer of the call site.
    pub(crate) sp: usize,
    /// Bytes from `sp` down to the end of the stack.
    pub(crate) headroom: usize,
    /// Bytes from `sp` up to the top of the stack.
    pub(crate) depth: usize,
    ctx: u32,
    memalloc: u32,
}

impl At {
    /// On which stack the probe ran; `headroom` and `depth` mean nothing on
    /// [`Context::Irq`].
    pub(crate) fn context(&self) -> Context {
        match self.ctx {
            0 => Context::Task,
            1 => Context::Irq,
            _ => Context::Softirq,
        }
    }

    /// The current task has PF_MEMALLOC set: it is a reclaimer, or sends what
    /// a reclaimer waits for.
    pub(crate) fn memalloc(&self) -> bool {
        self.memalloc != 0
    }

    /// A sample for tests that fire no tracepoint.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) fn fake(task: usize, depth: usize, context: Context) -> Self {
        let size = crate::kernel_ext::system::stack_size();
        Self {
            task,
            sp: 0,
            headroom: size.saturating_sub(depth),
            depth,
            ctx: match context {
                Context::Task => 0,
                Context::Irq => 1,
                Context::Softirq => 2,
            },
            memalloc: 1,
        }
    }
}

/// What the write ledger wants to know of a folio. Mirrors `struct rwb_folio`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Folio {
    /// Its address, as an opaque key.
    pub(crate) key: usize,
    cgroup: u64,
    /// Its size in pages.
    pub(crate) nr_pages: u32,
    /// Its order.
    pub(crate) order: u32,
    /// Its node.
    pub(crate) nid: u32,
    flags: u32,
}

impl Folio {
    /// Anonymous memory, as opposed to shmem.
    pub(crate) fn anon(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Under writeback.
    pub(crate) fn writeback(&self) -> bool {
        self.flags & 2 != 0
    }

    /// Key of the cgroup it is charged to; see [`CgroupKey`].
    pub(crate) fn cgroup_key(&self) -> CgroupKey {
        CgroupKey::new(self.cgroup, self.flags & 8 != 0)
    }

    /// Has a swap slot.
    pub(crate) fn swapcache(&self) -> bool {
        self.flags & 4 != 0
    }

    /// A folio for tests that fire no tracepoint: one page.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) const fn fake(key: usize, anon: bool, writeback: bool, swapcache: bool) -> Self {
        Self {
            key,
            cgroup: 1,
            nr_pages: 1,
            order: 0,
            nid: 0,
            flags: anon as u32 | (writeback as u32) << 1 | (swapcache as u32) << 2,
        }
    }
}

/// A dirty file folio that reclaim met. Mirrors `struct rwb_target`.
#[repr(C)]
pub(crate) struct Target {
    folio: usize,
    sb: usize,
    inode: usize,
    bdi: usize,
    index: u64,
    nr_pages: u32,
    nid: u32,
    order: u32,
    highest_zone: u32,
    flags: u32,
}

#[cfg(CONFIG_KUNIT = "y")]
impl Target {
    /// A target for tests that no reclaim met: page `index` of a file that does
    /// not exist, as the folio that `page` is.
    pub(crate) fn fake(page: &kernel::page::Page, index: u64, flags: u32) -> Self {
        Self {
            folio: page.as_ptr() as usize,
            sb: 0x1000,
            inode: 0x2000,
            bdi: 0x3000,
            index,
            nr_pages: 1,
            nid: 0,
            order: 0,
            highest_zone: 0,
            flags,
        }
    }
}

/// A swap-out request that is prepared. Mirrors `struct rwb_swap`.
#[repr(C)]
pub(crate) struct Swap {
    request: usize,
    slot: u64,
    at: At,
    bio: nbd::Bio,
    device: u32,
    pages: u32,
    flags: u32,
}

#[cfg(CONFIG_KUNIT = "y")]
impl Swap {
    /// A request for tests that nobody prepared, of a device that does not exist: nothing
    /// happens when it is submitted.
    pub(crate) fn fake(slot: u64, pages: u32, flags: u32) -> Self {
        Self {
            request: 0,
            slot,
            at: At::fake(0x1000, 8192, Context::Task),
            bio: nbd::Bio::fake(0x9000, 0x5000, false, pages.min(32)).at(slot, 0),
            device: 0x0ff0_0001,
            pages,
            flags,
        }
    }
}

/// A batch of folios is through, some of which we took. Mirrors `struct rwb_swap_wait`.
#[repr(C)]
pub(crate) struct SwapWait {
    at: At,
    cookie: usize,
    pages: u32,
    freed: u32,
    order: u32,
    flags: u32,
}

#[cfg(CONFIG_KUNIT = "y")]
impl SwapWait {
    /// For tests: of who handed over a request with that cookie, and freed nothing.
    pub(crate) fn fake(cookie: usize, pages: u32, flags: u32) -> Self {
        Self::freed(cookie, pages, 0, flags)
    }

    /// For tests: of who freed so many pages, too.
    pub(crate) fn freed(cookie: usize, pages: u32, freed: u32, flags: u32) -> Self {
        Self {
            at: At::fake(0x1000, 8192, Context::Task),
            cookie,
            pages,
            freed,
            order: 0,
            flags,
        }
    }
}

/// One of our requests is done. Mirrors `struct rwb_swap_done`.
#[repr(C)]
pub(crate) struct SwapDone {
    cookie: usize,
    stamp: [u64; 3],
    pages: u32,
    failed: bool,
}

/// Callback of `rwb_ticker_new()`.
type TickFn = unsafe extern "C" fn(*mut c_void) -> u32;

/// Callback of `rwb_module_tracepoints()`.
type TracepointFn = unsafe extern "C" fn(*mut bindings::tracepoint, *mut c_void);

// The types in these declarations are plain C types, `At`, `Folio`, `Target`, `Swap`, and
// pointers to the kernel's own, which only C looks into.
#[expect(improper_ctypes, reason = "bindgen's types for empty C structs")]
extern "C" {
    pub(crate) fn rwb_preempt_disable();
    pub(crate) fn rwb_preempt_enable();
    pub(crate) fn rwb_cpu() -> u32;
    pub(crate) fn rwb_nr_cpu_ids() -> u32;
    pub(crate) fn rwb_zone(nid: u32, zid: u32, zone: *mut Zone) -> bool;
    pub(crate) fn rwb_memalloc_sockets() -> c_long;
    pub(crate) fn rwb_cpu_possible(cpu: u32) -> bool;
    pub(crate) fn rwb_node_online(nid: u32) -> bool;
    pub(crate) fn rwb_percpu_alloc(size: usize, align: usize) -> *mut c_void;
    pub(crate) fn rwb_percpu_offset() -> usize;
    pub(crate) fn rwb_percpu_of(percpu: *mut c_void, cpu: u32) -> *mut c_void;
    pub(crate) fn rwb_stack_word(addr: usize) -> usize;
    pub(crate) fn rwb_stack_top() -> usize;
    pub(crate) fn rwb_stack_size() -> usize;
    pub(crate) fn rwb_clock_ns() -> u64;
    pub(crate) fn rwb_cycles() -> u64;
    pub(crate) fn rwb_comm(buf: *mut c_char, size: usize);
    pub(crate) fn rwb_pid() -> c_int;
    pub(crate) fn rwb_tracepoint_sync();
    pub(crate) fn rwb_cgroup_path(id: u64, buf: *mut c_char, size: usize) -> c_int;
    pub(crate) fn rwb_module_tracepoints(
        module: *mut c_void,
        f: Option<TracepointFn>,
        data: *mut c_void,
    ) -> c_int;
    pub(crate) fn rwb_function_probe_register(
        id: u32,
        data: *mut c_void,
        err: *mut c_int,
    ) -> *mut c_void;
    pub(crate) fn rwb_function_probe_missed(
        handle: *mut c_void,
        interrupts: *mut c_ulong,
    ) -> c_ulong;
    pub(crate) fn rwb_function_probe_unregister(handle: *mut c_void);
    fn rwb_setting(setting: *mut Setting);
    fn rwb_shrink(control: usize, shrinker: usize, shrink: *mut Shrink);
    pub(crate) fn rwb_reclaimed() -> c_ulong;
    fn rwb_nbd_request(request: usize, nbd: *mut nbd::Request);
    pub(crate) fn rwb_sees_swap_io() -> bool;
    fn rwb_shrinker_name(shrink: *const Shrink, buf: *mut c_char, size: usize);
    fn rwb_trace_stall(stall: *const Stalled);
    fn rwb_trace_stall_enabled() -> bool;
    pub(crate) fn rwb_probe_func(event: *const c_char, known: *mut bool) -> *mut c_void;
    fn rwb_trace_reclaim_write(origin: u32, kind: u32, folio: *const Folio, headroom: c_ulong);
    fn rwb_trace_reclaim_write_enabled() -> bool;
    fn rwb_trace_reclaim_window(
        origin: u32,
        nr_reclaimed: c_ulong,
        pages_written: u64,
        depth: u32,
        ns: u64,
    );
    fn rwb_trace_reclaim_window_enabled() -> bool;
    fn rwb_trace_headroom_low(
        origin: u32,
        layer: u32,
        headroom: c_ulong,
        floor: c_ulong,
        callers: *const usize,
        nr: u32,
    );
    fn rwb_trace_headroom_low_enabled() -> bool;
    fn rwb_trace_write_around(
        inode: *mut bindings::inode,
        start: u64,
        nr: u32,
        targets: u32,
        others: u32,
        ranges: u32,
        us: u64,
    );
    fn rwb_trace_write_around_enabled() -> bool;
    fn rwb_name(table: u32, index: u32) -> *const c_char;
    pub(crate) fn rwb_task() -> usize;
    pub(crate) fn rwb_task_is_realtime() -> bool;
    pub(crate) fn rwb_task_nice() -> c_int;
    fn rwb_helper_available() -> bool;
    fn rwb_helper_register(data: *mut c_void) -> c_int;
    fn rwb_helper_unregister();
    fn rwb_helper_done(nid: c_int);
    pub(crate) fn rwb_folio_get(folio: *mut bindings::folio);
    pub(crate) fn rwb_folio_put(folio: *mut bindings::folio);
    pub(crate) fn rwb_folio_trylock(folio: *mut bindings::folio) -> bool;
    pub(crate) fn rwb_folio_inode(folio: *mut bindings::folio) -> *mut bindings::inode;
    pub(crate) fn rwb_folio_dirty(folio: *mut bindings::folio) -> bool;
    pub(crate) fn rwb_folio_writeback(folio: *mut bindings::folio) -> bool;
    pub(crate) fn rwb_folio_wait_writeback(folio: *mut bindings::folio);
    pub(crate) fn rwb_folio_pfn(folio: *mut bindings::folio) -> usize;
    pub(crate) fn rwb_pfn_in_file(pfn: usize, mapping: usize, index: u64) -> bool;
    pub(crate) fn rwb_sb_trylock(sb: *mut bindings::super_block) -> u32;
    pub(crate) fn rwb_sb_unlock(sb: *mut bindings::super_block);
    pub(crate) fn rwb_inode_sb(inode: *mut bindings::inode) -> *mut bindings::super_block;
    pub(crate) fn rwb_inode_mapping(inode: *mut bindings::inode) -> usize;
    pub(crate) fn rwb_dirty_pages(
        inode: *mut bindings::inode,
        start: u64,
        nr: u32,
        bits: *mut c_ulong,
    );
    pub(crate) fn rwb_flush_range(inode: *mut bindings::inode, start: u64, nr: u64) -> c_int;
    pub(crate) fn rwb_last_written(
        inode: *mut bindings::inode,
        start: u64,
        end: u64,
    ) -> *mut bindings::folio;
    fn rwb_bdi_name(bdi: usize, buf: *mut c_char, size: usize);
    fn rwb_nr_node_ids() -> u32;
    fn rwb_node_short(nid: c_int, order: u32, highest_zone: u32) -> bool;
    fn rwb_node_file(nid: c_int) -> c_ulong;
    fn rwb_node_dirty(nid: c_int) -> c_ulong;
    pub(crate) fn rwb_memcg_short(folio: *mut bindings::folio) -> bool;
    fn rwb_swap_take(request: usize, cookie: usize);
    fn rwb_swap_waited(pages: u32);
    pub(crate) fn rwb_swap_submit(request: usize, stamp: *const u64);
    pub(crate) fn rwb_free_pages(free: *mut u64, min: *mut u64);
    pub(crate) fn rwb_plugged(f: Option<unsafe extern "C" fn(*mut c_void)>, data: *mut c_void);
    pub(crate) fn rwb_memalloc_begin() -> u32;
    pub(crate) fn rwb_memalloc_end(flags: u32);
    pub(crate) fn rwb_line_join(
        line: *mut bindings::wait_queue_head,
        entry: *mut bindings::wait_queue_entry,
    );
    pub(crate) fn rwb_line_sleep(
        line: *mut bindings::wait_queue_head,
        entry: *mut bindings::wait_queue_entry,
    );
    pub(crate) fn rwb_nap(ms: u32);
    pub(crate) fn rwb_line_wake(line: *mut bindings::wait_queue_head, n: u32);
    fn rwb_task_is_dying() -> bool;
    pub(crate) fn rwb_sleep_begin();
    pub(crate) fn rwb_sleep(ms: u32);
    pub(crate) fn rwb_sleep_end();
    pub(crate) fn rwb_count_stalls_in(stalls: *const usize);
    pub(crate) fn rwb_ticker_new(tick: Option<TickFn>, data: *mut c_void) -> *mut c_void;
    pub(crate) fn rwb_ticker_start(ticker: *mut c_void, ms: u32);
    pub(crate) fn rwb_ticker_free(ticker: *mut c_void);
}
