// SPDX-License-Identifier: GPL-2.0

//! Small facts: clocks, the current task's name, nodes, the stack's size; and that
//! task's priority.

use crate::{
    policy::text,
    shim, //
};
use kernel::{
    bindings,
    current, //
};

/// Longest task name, with its terminating NUL (`TASK_COMM_LEN`).
pub(crate) const COMM_LEN: usize = 16;

/// Longest name of a block device, with its terminating NUL (`DISK_NAME_LEN`).
pub(crate) const DISK_NAME_LEN: usize = shim::RWB_DISK_NAME_LEN as usize;

/// Nanoseconds of the monotonic clock, as [`mono_ns`], which one CPU may read and another compare
/// with: tasks move, and requests end elsewhere. Any context, NMI and the kernel's own timekeeping
/// included. While that updates itself, a reading may be some nanoseconds ahead of the next one;
/// differences are to saturate.
#[inline]
pub(crate) fn clock_ns() -> u64 {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_clock_ns() }
}

/// Nanoseconds of the monotonic clock, the same on all CPUs. Any context but NMI.
pub(crate) fn mono_ns() -> u64 {
    // SAFETY: Has no precondition.
    u64::try_from(unsafe { bindings::ktime_get() }).unwrap_or(0)
}

/// This CPU's cycle counter; 0 on machines without one. Any context.
#[inline]
pub(crate) fn cycles() -> u64 {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_cycles() }
}

/// Name of the current task, NUL-terminated; a task may call itself anything,
/// so that what is not printable ASCII becomes `?`.
pub(crate) fn comm() -> [u8; COMM_LEN] {
    let mut buf = [0; COMM_LEN];
    // SAFETY: The buffer is valid for writes of TASK_COMM_LEN bytes.
    unsafe { shim::rwb_comm(buf.as_mut_ptr().cast()) };
    text::make_printable(&mut buf);
    buf
}

/// What stands in a buffer before its NUL; `?` if that is nothing, or no text.
pub(crate) fn text(buf: &[u8]) -> &str {
    let len = buf.iter().position(|&b| b == 0).unwrap_or(buf.len());
    match core::str::from_utf8(buf.get(..len).unwrap_or(&[])) {
        Ok("") | Err(_) => "?",
        Ok(text) => text,
    }
}

/// The current task, as an opaque key.
pub(crate) fn task() -> usize {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_task() }
}

/// Runs `f` at the lowest real-time priority: what it allocates may come out of the
/// upper half of the reserve (`ALLOC_MIN_RESERVE`, mm/page_alloc.c). Who writes what
/// all others wait for must not wait with them for memory. Returns, beside what `f` does,
/// the CPU time that it used at that priority, in nanoseconds. Process context, may sleep.
pub(crate) fn urgently<R>(f: impl FnOnce() -> R) -> (R, u64) {
    // SAFETY: Has no precondition.
    if unsafe { shim::rwb_task_is_realtime() } {
        return (f(), 0);
    }
    let task = current!().as_ptr();
    // SAFETY: Has no precondition.
    let nice = unsafe { shim::rwb_task_nice() };
    // A change of priority takes the task off its queue, which brings its run time up to date.
    // SAFETY: It is the current task, in process context.
    unsafe { bindings::sched_set_fifo_low(task) };
    // SAFETY: Has no precondition.
    let from = unsafe { shim::rwb_task_runtime() };
    let r = f();
    // SAFETY: As above.
    unsafe { bindings::sched_set_normal(task, nice) };
    // SAFETY: Has no precondition.
    let to = unsafe { shim::rwb_task_runtime() };
    (r, to.saturating_sub(from))
}

/// All free pages, and what the min watermarks add up to. Any context.
pub(crate) fn free_pages() -> (u64, u64) {
    let (mut free, mut min) = (0, 0);
    // SAFETY: Both are valid for writes.
    unsafe { shim::rwb_free_pages(&mut free, &mut min) };
    (free, min)
}

/// Process id of the current task in the initial namespace.
pub(crate) fn pid() -> i32 {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_pid() }
}

/// Size of a task's stack, in bytes (`THREAD_SIZE`).
pub(crate) fn stack_size() -> usize {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_stack_size() }
}

/// Pages of slabs that the current task's reclaim has freed so far; 0 outside of reclaim.
/// Only what it grows by within one shrinker's call means something.
pub(crate) fn reclaimed() -> u64 {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_reclaimed() as u64 }
}

/// True when node `nid` exists and is online.
pub(crate) fn node_online(nid: u32) -> bool {
    // SAFETY: Has no precondition; the range is checked.
    unsafe { shim::rwb_node_online(nid) }
}
