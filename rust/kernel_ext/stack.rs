// SPDX-License-Identifier: GPL-2.0

//! The current task's stack.

use crate::{
    policy::frames::{
        self,
        Frame, //
    },
    shim,
};
use kernel::bindings;

/// Stack trace of the current task, innermost first; returns the number of
/// entries. Any context. Uses some hundred bytes of stack itself.
pub(crate) fn trace(entries: &mut [usize]) -> usize {
    let size = u32::try_from(entries.len()).unwrap_or(0);
    // SAFETY: The array is valid for writes of `size` entries.
    let n = unsafe { bindings::stack_trace_save(entries.as_mut_ptr(), size, 0) };
    // The function returns how many it stored, at most `size`.
    entries.len().min(n as usize)
}

/// Sizes of the frames of the current task's stack from `sp` up, innermost
/// first, given its trace; returns their number. See [`frames::sizes`]. The
/// caller runs on the task's own stack.
pub(crate) fn frame_sizes(trace: &[usize], sp: usize, frames: &mut [Frame]) -> usize {
    // SAFETY: Has no precondition.
    let top = unsafe { shim::rwb_stack_top() };
    // SAFETY: Has no precondition.
    let size = unsafe { shim::rwb_stack_size() };
    let bottom = top.wrapping_sub(size);
    if sp <= bottom || sp >= top {
        return 0;
    }
    frames::sizes(
        trace,
        sp,
        top,
        // SAFETY: `frames::sizes` only asks for aligned words in
        // `[sp - 8, top)`, which lies within the current task's stack: that is
        // mapped for as long as the task runs, and only the task itself writes.
        |addr| unsafe { shim::rwb_stack_word(addr) },
        frames,
    )
}

/// Size of the innermost frame above `sp`, that of the function which `caller` returns into: in
/// bytes, its own return address included. `None` if that can't be told. The caller runs on the
/// task's own stack.
pub(crate) fn frame_size(sp: usize, caller: usize, entries: &mut [usize]) -> Option<usize> {
    let n = trace(entries);
    let trace = entries.get(..n)?;
    let next = trace.iter().skip_while(|&&a| a != caller).nth(1)?;
    let mut frames = [Frame::default(); 2];
    frame_sizes(trace, sp, &mut frames);
    let [innermost, above] = frames;
    // What is not found in the stack would count for the frame below it.
    let both = innermost.addr == caller && above.addr == *next;
    both.then_some(innermost.bytes as usize)
}

/// Stack trace of the current task from the function whose stack pointer is
/// `sp` outwards, innermost first: without the probe's own frames. The caller
/// runs on the task's own stack. The whole trace when that function's return
/// address is not in it.
pub(crate) fn trace_from(sp: usize, entries: &mut [usize]) -> &[usize] {
    let n = trace(entries);
    let all = entries.get(..n).unwrap_or(&[]);
    // SAFETY: Has no precondition.
    let top = unsafe { shim::rwb_stack_top() };
    // SAFETY: Has no precondition.
    let size = unsafe { shim::rwb_stack_size() };
    const WORD: usize = core::mem::size_of::<usize>();
    // `is_multiple_of()` is newer than the oldest rustc that the kernel takes.
    if sp & (WORD - 1) != 0 || sp <= top.wrapping_sub(size).wrapping_add(WORD) || sp > top {
        return all;
    }
    // SAFETY: The word lies within the current task's stack, as was checked.
    let innermost = unsafe { shim::rwb_stack_word(sp.wrapping_sub(WORD)) };
    let skip = all.iter().position(|&a| a == innermost).unwrap_or(0);
    all.get(skip..).unwrap_or(all)
}
