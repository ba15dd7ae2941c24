// SPDX-License-Identifier: GPL-2.0

//! What a caller's name says about why reclaim runs.
//!
//! One tracepoint pair serves memory.max, memory.high and memory.reclaim, and
//! MADV_PAGEOUT and DAMON have no begin event at all. Their callers differ:
//! mm/memcontrol.c, mm/memcontrol-v1.c and mm/vmscan.c of Linux 7.3. Names are
//! compared whole, without the suffix that a compiler may add to a clone.

/// What a function on the stack tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Caller {
    /// Nothing: look further up.
    Unrelated = 1,
    /// A cgroup ran into its hard limit, or the limit was lowered.
    MemcgMax = 2,
    /// A cgroup is above memory.high, or memory.high was lowered.
    MemcgHigh = 3,
    /// Someone asked for it: memory.reclaim, or v1's memory.force_empty.
    MemcgReclaim = 4,
    /// MADV_PAGEOUT or DAMON: reclaim_pages() has an end event only.
    Pages = 5,
    /// Hibernation shrinks memory without any window.
    Hibernation = 6,
    /// Inside a window that has a begin event, so we missed that.
    Window = 7,
}

impl Caller {
    /// From the value that a cache kept.
    pub const fn from_u8(v: u8) -> Option<Self> {
        Some(match v {
            1 => Self::Unrelated,
            2 => Self::MemcgMax,
            3 => Self::MemcgHigh,
            4 => Self::MemcgReclaim,
            5 => Self::Pages,
            6 => Self::Hibernation,
            7 => Self::Window,
            _ => return None,
        })
    }
}

/// Function name alone of a symbol as the kernel prints it:
/// `reclaim_high.isra.0+0x1a/0x90 [mod]` is `reclaim_high`.
pub fn function_name(symbol: &str) -> &str {
    let end = symbol.find(['+', '.', ' ']).unwrap_or(symbol.len());
    symbol.get(..end).unwrap_or(symbol)
}

/// What the function of this name tells; `symbol` as the kernel prints it.
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
        _ => Caller::Unrelated,
    }
}
