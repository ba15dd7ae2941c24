// SPDX-License-Identifier: GPL-2.0

//! Who waited before in the same fault.

use reclaimwb_policy::returning::{Returning, ReturningTask, TURNS};

fn rows(n: usize) -> Returning<Vec<ReturningTask>> {
    Returning::new(vec![ReturningTask::default(); n])
}

#[test]
fn a_task_comes_back_in_the_same_fault_only() {
    let mut tasks = rows(128);
    assert!(!tasks.note_waiter(0x1000, 7));
    assert!(tasks.note_waiter(0x1000, 7));
    assert!(!tasks.note_waiter(0x1000, 8), "another fault");
    assert!(!tasks.note_waiter(0x1000, 7), "which is over");
    assert!(!tasks.note_waiter(0x2000, 7), "another task");
}

/// Where faults can't be told apart a task is a newcomer now and then.
#[test]
fn a_task_goes_before_others_only_so_often() {
    let mut tasks = rows(128);
    for _ in 0..3 {
        assert!(!tasks.note_waiter(0x1000, 7));
        for _ in 0..TURNS {
            assert!(tasks.note_waiter(0x1000, 7));
        }
    }
}

/// Tasks lie side by side in slabs: most of them have a row of their own.
#[test]
fn tasks_seldom_share_a_row() {
    let mut tasks = rows(128);
    let all: Vec<usize> = (0..32)
        .map(|n| 0xffff_8880_0123_4000 + n * 0x1280)
        .collect();
    for &task in &all {
        assert!(!tasks.note_waiter(task, 1));
    }
    let known = all
        .iter()
        .filter(|&&task| tasks.note_waiter(task, 1))
        .count();
    assert!(known >= 20, "{known} of 32");
}

#[test]
fn without_rows_all_are_newcomers() {
    let mut tasks = rows(0);
    assert!(!tasks.note_waiter(1, 1));
    assert!(!tasks.note_waiter(1, 1));
}
