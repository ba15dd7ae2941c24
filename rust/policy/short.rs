// SPDX-License-Identifier: GPL-2.0

//! Decides what is short of memory: a node, or a cgroup.

/// The margin below the limit of a cgroup at which it counts as near to it, in pages, in addition
/// to a sixty-fourth of the limit.
pub const CGROUP_MARGIN: u64 = 128;

/// The state of a zone, in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZonePages {
    /// Free pages.
    pub free: u64,
    /// The low watermark.
    pub low: u64,
    /// The high watermark.
    pub high: u64,
    /// The pages that are kept from allocations which could be from higher zones.
    pub reserve: u64,
}

/// Whether a zone has enough free pages for allocations of `order`. These are what kswapd stops at
/// (mm/vmscan.c, pgdat_balanced()), what compaction needs in addition (mm/internal.h,
/// compact_gap()), and half the way from the low to the high watermark, because what is written now
/// is freed a little later.
pub fn zone_has_enough(zone: &ZonePages, order: u32) -> bool {
    let gap = match order {
        0 => 0,
        order => 2u64 << order.min(31),
    };
    let later = zone.high.saturating_sub(zone.low) / 2;
    let enough = zone
        .high
        .saturating_add(zone.reserve)
        .saturating_add(later)
        .saturating_add(gap);
    zone.free >= enough
}

/// Whether a cgroup that has `used` pages is near its limit.
pub fn cgroup_is_near_limit(used: u64, limit: u64) -> bool {
    let margin = CGROUP_MARGIN.saturating_add(limit / 64);
    used.saturating_add(margin) >= limit
}
