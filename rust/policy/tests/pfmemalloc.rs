// SPDX-License-Identifier: GPL-2.0

//! Users of the reserves, determined by the functions on the stack.

use proptest::prelude::*;
use reclaimwb_policy::{
    classify::{caller, Caller},
    pfmemalloc::{tells_user, user},
};
use reclaimwb_words::{User, Woken};

/// The stack of an allocation by NBD's sender, as 7.3.4 printed it.
const NBD_SEND: [&str; 14] = [
    "rwb_probe_mm_page_alloc_pfmemalloc+0x8a/0x120 [reclaimwb]",
    "get_page_from_freelist+0x12fe/0x1890",
    "__alloc_pages_slowpath.constprop.0+0x2b1/0xc20",
    "__alloc_frozen_pages_noprof+0x2a4/0x300",
    "alloc_pages_mpol+0x8f/0x150",
    "allocate_slab+0x2c4/0x360",
    "___slab_alloc+0x3a1/0x680",
    "kmem_cache_alloc_node_noprof+0x1ba/0x230",
    "__alloc_skb+0x155/0x190",
    "tcp_stream_alloc_skb+0x31/0x150",
    "tcp_sendmsg_locked+0x5e5/0x1160",
    "sock_sendmsg+0xd3/0xe0",
    "nbd_send_cmd+0x2c4/0x5b0 [nbd]",
    "nbd_handle_cmd+0x1a1/0x2f0 [nbd]",
];

fn by(stack: &[&str]) -> Option<Caller> {
    stack.iter().map(|s| caller(s)).find(|&c| tells_user(c))
}

#[test]
fn the_sender_of_nbd_is_told_by_its_stack() {
    assert_eq!(by(&NBD_SEND), Some(Caller::Nbd));
    assert_eq!(user(true, by(&NBD_SEND), true, false), User::NbdSend);
    let site = NBD_SEND.iter().find(|s| {
        !matches!(
            caller(s),
            Caller::Locking | Caller::Allocating | Caller::Slab
        )
    });
    assert_eq!(site, Some(&"tcp_stream_alloc_skb+0x31/0x150"));
    assert!(NBD_SEND.iter().any(|s| caller(s) == Caller::Slab));
}

#[test]
fn what_arrives_is_told_from_what_it_interrupted() {
    let mut stack = vec![
        "tcp_v4_rcv+0x1/0x2",
        "net_rx_action+0x1/0x2",
        "handle_softirqs+0x1/0x2",
    ];
    stack.extend(NBD_SEND);
    assert_eq!(user(false, by(&stack), true, true), User::NetReceive);
    // Another interrupt on top of the sender is not taken for the sender.
    assert_eq!(user(false, by(&NBD_SEND), true, true), User::Interrupt);
}

#[test]
fn a_task_that_does_several_things_takes_for_the_innermost() {
    let task = |by, window, writer| user(true, by, window, writer);
    assert_eq!(task(Some(Caller::NbdReceive), true, true), User::NbdReceive);
    assert_eq!(task(Some(Caller::Nbd), true, true), User::NbdSend);
    assert_eq!(task(None, true, true), User::Writer);
    assert_eq!(task(None, true, false), User::Reclaimer);
    assert_eq!(task(None, false, false), User::Other);
}

#[test]
fn a_wait_ends_in_one_of_three_ways() {
    assert_eq!(Woken::of(0, -62), Woken::Refilled);
    assert_eq!(Woken::of(-62, -62), Woken::Timeout);
    assert_eq!(Woken::of(-512, -62), Woken::Signal);
}

proptest! {
    /// Whatever is on the stack, an interrupt is never taken for a task, nor a task that does not
    /// reclaim for one that does.
    #[test]
    fn contexts_are_kept_apart(code in 0u8..16, task: bool, window: bool, writer: bool) {
        let by = Caller::from_u8(code).filter(|&c| tells_user(c));
        let user = user(task, by, window, writer);
        if !task {
            prop_assert!(matches!(user, User::Interrupt | User::NetReceive));
        }
        if user == User::Reclaimer {
            prop_assert!(window && !writer);
        }
        if task && by.is_none() && !window && !writer {
            prop_assert_eq!(user, User::Other);
        }
    }
}
