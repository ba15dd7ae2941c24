// SPDX-License-Identifier: GPL-2.0

//! The kinds of reclaim windows.

use super::Event;

/// A kind of window that a begin event opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// balance_pgdat().
    Kswapd,
    /// try_to_free_pages().
    Direct,
    /// mem_cgroup_shrink_node(), for the soft limit of v1.
    MemcgSoft,
    /// __node_reclaim().
    Node,
    /// try_to_free_mem_cgroup_pages(). The callers tell which limit it is for.
    Memcg,
}

impl Window {
    /// All kinds, in the order of the numbers that the C entries pass.
    pub const ALL: &'static [Self] = &[
        Self::Kswapd,
        Self::Direct,
        Self::MemcgSoft,
        Self::Node,
        Self::Memcg,
    ];

    /// Converts the number that a C entry passes; `None` if it is unknown.
    pub fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }

    /// Returns the event that opens the window.
    pub const fn begin_event(self) -> Event {
        match self {
            Self::Kswapd => Event::BalanceBegin,
            Self::Direct => Event::DirectBegin,
            Self::MemcgSoft => Event::SoftBegin,
            Self::Node => Event::NodeBegin,
            Self::Memcg => Event::MemcgBegin,
        }
    }

    /// Returns the event that closes the window.
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
