// SPDX-License-Identifier: GPL-2.0

//! Facts about the system and the current task: clocks, CPU cycles, names, nodes, free pages, the
//! size of a stack. Also [`urgently`], which raises the priority of the current task for a while.

use crate::{
    policy::text,
    shim, //
};
use kernel::{
    bindings,
    current, //
};

/// Size of a task name with its NUL, at most (`TASK_COMM_LEN`).
pub(crate) const COMM_LEN: usize = 16;

/// Size of the name of a block device with its NUL, at most (`DISK_NAME_LEN`).
pub(crate) const DISK_NAME_LEN: usize = shim::RWB_DISK_NAME_LEN as usize;

/// Returns the monotonic clock in nanoseconds, like [`mono_ns`]. Readings of different CPUs can be
/// compared, because tasks move and requests complete elsewhere. Any context, including NMI and the
/// kernel's own timekeeping. While the latter updates itself, a reading may be some nanoseconds
/// later than the next one, so differences must saturate.
#[inline]
pub(crate) fn clock_ns() -> u64 {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_clock_ns() }
}

/// Returns the monotonic clock in nanoseconds, which is the same on all CPUs. Any context but NMI.
pub(crate) fn mono_ns() -> u64 {
    // SAFETY: Has no precondition.
    u64::try_from(unsafe { bindings::ktime_get() }).unwrap_or(0)
}

/// Returns the number of CPUs that there can be: one more than the highest number of a CPU. Any
/// context.
pub(crate) fn nr_cpus() -> usize {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_nr_cpu_ids() as usize }
}

/// Returns the cycle counter of this CPU; 0 on machines without one. Any context.
#[inline]
pub(crate) fn cycles() -> u64 {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_cycles() }
}

/// Returns the name of the current task, with a NUL at its end. A task may have any name, so bytes
/// that are not printable ASCII become `?`. Any context.
pub(crate) fn comm() -> [u8; COMM_LEN] {
    let mut buf = [0; COMM_LEN];
    // SAFETY: The buffer is valid for writes of TASK_COMM_LEN bytes.
    unsafe { shim::rwb_comm(buf.as_mut_ptr().cast()) };
    text::make_printable(&mut buf);
    buf
}

/// Returns the text in a buffer before its NUL; `?` if that is empty, or not UTF-8.
pub(crate) fn text(buf: &[u8]) -> &str {
    let len = buf.iter().position(|&b| b == 0).unwrap_or(buf.len());
    match core::str::from_utf8(buf.get(..len).unwrap_or(&[])) {
        Ok("") | Err(_) => "?",
        Ok(text) => text,
    }
}

/// Returns the current task as an opaque key. Any context.
pub(crate) fn task() -> usize {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_task() }
}

/// Runs `f` at the lowest real-time priority, and returns its result with the CPU time that it used
/// at that priority, in nanoseconds.
///
/// Allocations of `f` may then use the upper half of the reserve (`ALLOC_MIN_RESERVE`,
/// mm/page_alloc.c). A task that writes pages for which all others wait must not wait with them for
/// memory. Process context; may sleep.
pub(crate) fn urgently<R>(f: impl FnOnce() -> R) -> (R, u64) {
    // SAFETY: Has no precondition.
    if unsafe { shim::rwb_task_is_realtime() } {
        return (f(), 0);
    }
    let task = current!().as_ptr();
    // SAFETY: Has no precondition.
    let nice = unsafe { shim::rwb_task_nice() };
    // A change of priority takes the task off its queue, which brings its run time up to date.
    // SAFETY: This is the current task, in process context.
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

/// Returns the free pages of all zones, and the sum of their min watermarks. Any context.
pub(crate) fn free_pages() -> (u64, u64) {
    let (mut free, mut min) = (0, 0);
    // SAFETY: Both pointers are valid for writes.
    unsafe { shim::rwb_free_pages(&mut free, &mut min) };
    (free, min)
}

/// Returns the process id of the current task in the initial namespace.
pub(crate) fn pid() -> i32 {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_pid() }
}

/// Returns the size of a task's stack, in bytes (`THREAD_SIZE`).
pub(crate) fn stack_size() -> usize {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_stack_size() }
}

/// Returns the number of slab pages that the reclaim of the current task has freed so far; 0
/// outside of reclaim. Only the difference within one call of a shrinker has a meaning.
pub(crate) fn reclaimed() -> u64 {
    // SAFETY: Has no precondition.
    unsafe { shim::rwb_reclaimed() as u64 }
}

/// Whether node `nid` exists and is online.
pub(crate) fn node_online(nid: u32) -> bool {
    // SAFETY: Has no precondition: the function checks the range.
    unsafe { shim::rwb_node_online(nid) }
}
