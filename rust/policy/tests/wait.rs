// SPDX-License-Identifier: GPL-2.0

//! Waits: their kinds, and how much of them PSI counts.

use proptest::prelude::*;
use reclaimwb_policy::{
    classify::{caller, Caller},
    wait::{section_kind, Wait, IO_KINDS},
};
use reclaimwb_words::WaitKind;

#[test]
fn a_section_is_for_what_its_caller_does() {
    let of = |symbol: &str| section_kind(caller(symbol), false);
    assert_eq!(of("swap_read_folio+0x1/0x2"), WaitKind::Swapin);
    assert_eq!(of("read_pages+0x1/0x2"), WaitKind::Refault);
    assert_eq!(of("filemap_read_folio+0x1/0x2"), WaitKind::Refault);
    assert_eq!(of("try_charge_memcg+0x1/0x2"), WaitKind::Stall);
    assert_eq!(
        of("__alloc_pages_slowpath.constprop.0+0x1/0x2"),
        WaitKind::Stall
    );
    assert_eq!(of("__alloc_pages_direct_compact+0x1/0x2"), WaitKind::Stall);
    assert_eq!(of("__node_reclaim+0x1/0x2"), WaitKind::Stall);
    assert_eq!(of("reclaim_high.isra.0+0x1/0x2"), WaitKind::High);
    assert_eq!(of("__mem_cgroup_handle_over_high+0x1/0x2"), WaitKind::High);
    assert_eq!(
        of("blkcg_maybe_throttle_current+0x1/0x2"),
        WaitKind::IoThrottle
    );
    assert_eq!(of("whoever+0x1/0x2 [driver]"), WaitKind::Unexplained);
}

#[test]
fn a_thread_of_the_kernel_stalls_for_nobody() {
    assert_eq!(section_kind(Caller::Window, true), WaitKind::Kernel);
    assert_eq!(section_kind(Caller::Unrelated, true), WaitKind::Kernel);
    assert_eq!(section_kind(Caller::MemcgHigh, true), WaitKind::Kernel);
    // A kernel thread waits for what it reads like any other task.
    assert_eq!(section_kind(Caller::FileRead, true), WaitKind::Refault);
}

#[test]
fn the_first_kinds_are_those_of_devices() {
    let kinds = [WaitKind::Swapin, WaitKind::Refault, WaitKind::Dirty];
    assert_eq!(WaitKind::ALL[..IO_KINDS], kinds);
}

#[test]
fn a_section_inside_is_part_of_the_wait() {
    let mut wait = Wait::new(WaitKind::Swapin, 100);
    wait.begin_section(110);
    wait.begin_section(120);
    assert!(!wait.end_section(130));
    assert!(!wait.end_section(150));
    assert!(wait.unnest());
    assert_eq!(wait.ended(160), (60, 40));
    assert_eq!(wait.kind(), WaitKind::Swapin);
}

#[test]
fn a_wait_inside_a_section_is_part_of_that() {
    let mut wait = Wait::section(WaitKind::Stall, 100);
    wait.nest();
    assert!(!wait.unnest());
    assert!(wait.end_section(150));
    assert_eq!(wait.ended(150), (50, 50));
}

#[test]
fn a_wait_that_outlasts_the_section_that_it_began_with_is_more_than_that() {
    let mut wait = Wait::section(WaitKind::Stall, 100);
    wait.nest();
    assert!(!wait.end_section(130));
    assert!(wait.unnest());
    assert_eq!(wait.ended(150), (50, 30));
}

#[test]
fn the_end_of_a_section_that_was_not_seen_ends_nothing() {
    let mut wait = Wait::new(WaitKind::Refault, 100);
    assert!(!wait.end_section(120));
    assert!(wait.unnest());
    assert_eq!(wait.ended(130), (30, 0));
}

proptest! {
    /// However things nest, a wait ends once, and PSI counts at most all of it.
    #[test]
    fn whatever_nests_ends(steps in proptest::collection::vec(any::<(bool, u8)>(), 0..60)) {
        let mut now = 1000u64;
        let mut wait = Wait::new(WaitKind::Swapin, now);
        let mut open = vec![false];
        for (section, dt) in steps {
            now += u64::from(dt);
            if section {
                wait.begin_section(now);
            } else {
                wait.nest();
            }
            open.push(section);
            if dt % 3 == 0 {
                now += 1;
                let last = if open.pop() == Some(true) { wait.end_section(now) } else { wait.unnest() };
                prop_assert!(!last);
            }
        }
        while let Some(section) = open.pop() {
            now += 1;
            let last = if section { wait.end_section(now) } else { wait.unnest() };
            prop_assert_eq!(last, open.is_empty());
        }
        let (ns, psi) = wait.ended(now);
        prop_assert_eq!(ns, now - 1000);
        prop_assert!(psi <= ns);
    }
}
