// SPDX-License-Identifier: GPL-2.0

//! The kinds of windows.

use super::Event;

/// The kinds of window that a begin event opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// balance_pgdat().
    Kswapd,
    /// try_to_free_pages().
    Direct,
    /// mem_cgroup_shrink_node(), v1's soft limit.
    MemcgSoft,
    /// __node_reclaim().
    Node,
    /// try_to_free_mem_cgroup_pages(): which limit, the callers tell.
    Memcg,
}

impl Window {
    /// All of them, by the numbers that the C entries pass.
    pub const ALL: &'static [Self] = &[
        Self::Kswapd,
        Self::Direct,
        Self::MemcgSoft,
        Self::Node,
        Self::Memcg,
    ];

    /// From the number that the C entry passes.
    pub fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }

    /// The event that opens it.
    pub const fn begin_event(self) -> Event {
        match self {
            Self::Kswapd => Event::BalanceBegin,
            Self::Direct => Event::DirectBegin,
            Self::MemcgSoft => Event::SoftBegin,
            Self::Node => Event::NodeBegin,
            Self::Memcg => Event::MemcgBegin,
        }
    }

    /// The event that closes it.
    pub const fn end_event(self) -> Event {
        match self {
            Self::Kswapd => Event::BalanceEnd,
            Self::Direct => Event::DirectEnd,
            Self::MemcgSoft => Event::SoftEnd,
            Self::Node => Event::NodeEnd,
            Self::Memcg => Event::MemcgEnd,
        }
    }
}
