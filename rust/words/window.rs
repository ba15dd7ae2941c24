// SPDX-License-Identifier: GPL-2.0

//! The kinds of windows.

use super::Event;

/// The kinds of window that a begin event opens. The values are the C shim's
/// `RWB_WINDOW_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
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
    /// The event that opens it.
    pub(crate) const fn begin_event(self) -> Event {
        match self {
            Self::Kswapd => Event::BalanceBegin,
            Self::Direct => Event::DirectBegin,
            Self::MemcgSoft => Event::SoftBegin,
            Self::Node => Event::NodeBegin,
            Self::Memcg => Event::MemcgBegin,
        }
    }

    /// The event that closes it.
    pub(crate) const fn end_event(self) -> Event {
        match self {
            Self::Kswapd => Event::BalanceEnd,
            Self::Direct => Event::DirectEnd,
            Self::MemcgSoft => Event::SoftEnd,
            Self::Node => Event::NodeEnd,
            Self::Memcg => Event::MemcgEnd,
        }
    }
}
