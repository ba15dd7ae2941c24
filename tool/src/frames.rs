// SPDX-License-Identifier: GPL-2.0
//! Tells from the names of the functions which layer a call frame belongs to.

use schemars::JsonSchema;
use serde::Serialize;

use crate::ledger::Frame;

/// Part of the way down that a frame belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What the task was doing, down to the allocator.
    Caller,
    /// Reclaim itself.
    Reclaim,
    /// Swap and shmem writeout.
    Swap,
    /// Bio and request layer.
    Block,
    /// The network block device.
    Nbd,
    /// Sockets, TCP, IP, the network driver.
    Net,
}

impl Part {
    /// All of them, from the top of the stack down.
    pub const ALL: [Self; 6] = [Self::Caller, Self::Reclaim, Self::Swap, Self::Block, Self::Nbd, Self::Net];

    /// The word shown to people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Reclaim => "reclaim",
            Self::Swap => "swap",
            Self::Block => "block",
            Self::Nbd => "nbd",
            Self::Net => "net",
        }
    }

    /// One letter for drawings.
    pub fn letter(self) -> char {
        match self {
            Self::Caller => 'c',
            Self::Reclaim => 'R',
            Self::Swap => 's',
            Self::Block => 'B',
            Self::Nbd => 'n',
            Self::Net => 'T',
        }
    }

    /// Prefixes of the names of the functions that enter this part. Only the functions through which a stack enters the
    /// part matter: whatever they call belongs to the part until the next part is entered.
    fn entered_by(self) -> &'static [&'static str] {
        match self {
            Self::Caller => &[],
            Self::Reclaim => &[
                "balance_pgdat",
                "kswapd",
                "try_to_free_pages",
                "try_to_free_mem_cgroup_pages",
                "do_try_to_free_pages",
                "node_reclaim",
                "__node_reclaim",
                "user_proactive_reclaim",
                "mem_cgroup_soft_limit_reclaim",
                "mem_cgroup_shrink_node",
                "reclaim_pages",
                "reclaim_folio_list",
                "shrink_",
                "evict_folios",
                "shrink_all_memory",
            ],
            Self::Swap => &["swap_", "__swap_", "shmem_writeout", "zswap_", "sio_", "folio_alloc_swap", "writeout"],
            Self::Block => {
                &["submit_bio", "__submit_bio", "blk_", "__blk_", "bio_", "dd_", "dm_", "elv_", "rq_qos", "__rq_qos"]
            }
            Self::Nbd => &["nbd_", "__sock_xmit", "sock_xmit"],
            Self::Net => &[
                "sock_sendmsg",
                "__sock_sendmsg",
                "inet_sendmsg",
                "inet6_sendmsg",
                "unix_stream_sendmsg",
                "tcp_",
                "__tcp_",
                "ip_",
                "__ip_",
                "ip6_",
                "dev_",
                "__dev_",
                "sch_",
                "skb_",
            ],
        }
    }
}

/// The function with which a writer submits swap-out. There is no reclaim above it on the stack.
const WRITER: &str = "swap_write_prepared";

/// The part each frame belongs to; `frames` and the result are innermost first.
pub fn classify(frames: &[Frame]) -> Vec<Part> {
    let mut part = Part::Caller;
    let mut parts: Vec<Part> = frames
        .iter()
        .rev()
        .map(|frame| {
            // A stack only goes forward through the parts. It cannot skip reclaim, because the caller may itself be in
            // the block layer or the network when it asks for memory.
            let from_above = |next| next == Part::Reclaim || frame.function.starts_with(WRITER);
            part = Part::ALL
                .into_iter()
                .filter(|next| *next > part && (part != Part::Caller || from_above(*next)))
                .find(|next| next.entered_by().iter().any(|start| frame.function.starts_with(start)))
                .unwrap_or(part);
            part
        })
        .collect();
    parts.reverse();
    parts
}

/// Bytes used in each part, from the top of the stack down; parts without a frame are left out.
pub fn bytes_by_part(frames: &[Frame]) -> Vec<(Part, u64)> {
    let parts = classify(frames);
    Part::ALL
        .into_iter()
        .filter(|part| parts.contains(part))
        .map(|part| {
            let bytes = frames.iter().zip(&parts).filter(|(_, p)| **p == part).map(|(frame, _)| frame.bytes);
            (part, crate::ledger::total(bytes))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(functions: &[&str]) -> Vec<Frame> {
        functions
            .iter()
            .map(|f| Frame { bytes: 100, function: (*f).into(), offset: String::new(), module: None })
            .collect()
    }

    #[test]
    fn direct_reclaim_over_nbd() {
        let stack = frames(&[
            "dev_hard_start_xmit",
            "ip_output",
            "tcp_sendmsg",
            "sock_sendmsg",
            "__sock_xmit",
            "nbd_queue_rq",
            "blk_mq_dispatch_rq_list",
            "submit_bio_noacct",
            "swap_bdev_submit_write",
            "shrink_folio_list",
            "do_try_to_free_pages",
            "try_to_free_pages",
            "__alloc_pages_slowpath.constprop.0",
            "do_anonymous_page",
        ]);
        let by_part: Vec<_> = bytes_by_part(&stack).into_iter().map(|(p, b)| (p.label(), b)).collect();
        let expected = [("caller", 200), ("reclaim", 300), ("swap", 100), ("block", 200), ("nbd", 200), ("net", 400)];
        assert_eq!(by_part, expected);
    }

    #[test]
    fn caller_in_the_network_is_still_the_caller() {
        let stack = frames(&["shrink_lruvec", "try_to_free_pages", "alloc_skb", "tcp_sendmsg", "sock_sendmsg"]);
        let expected = [Part::Reclaim, Part::Reclaim, Part::Caller, Part::Caller, Part::Caller];
        assert_eq!(classify(&stack), expected);
    }

    #[test]
    fn a_writer_submits() {
        let stack =
            frames(&["submit_bio", "swap_bdev_submit_write", "swap_write_prepared", "rwb_swap_submit", "kthread"]);
        let expected = [Part::Block, Part::Swap, Part::Swap, Part::Caller, Part::Caller];
        assert_eq!(classify(&stack), expected);
    }

    #[test]
    fn nothing_known() {
        assert_eq!(classify(&frames(&["foo", "bar"])), [Part::Caller, Part::Caller]);
        assert!(classify(&[]).is_empty());
    }
}
