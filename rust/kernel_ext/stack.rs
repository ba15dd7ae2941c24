// SPDX-License-Identifier: GPL-2.0

//! The stack of the current task.

use crate::{
    policy::frames::{
        self,
        Frame, //
    },
    shim,
};
use kernel::bindings;

/// Stores the return addresses of the current task's stack in `entries`, innermost first, and
/// returns their number. Any context. Uses some hundred bytes of stack itself.
pub(crate) fn trace(entries: &mut [usize]) -> usize {
    let size = u32::try_from(entries.len()).unwrap_or(0);
    // SAFETY: The array is valid for writes of `size` entries.
    let n = unsafe { bindings::stack_trace_save(entries.as_mut_ptr(), size, 0) };
    // The function returns how many entries it stored: at most `size`.
    entries.len().min(n as usize)
}

/// Computes the sizes of the stack frames of the current task from `sp` up, innermost first, from a
/// trace of it. Returns their number. See [`frames::sizes`]. The caller must run on the stack of
/// the task.
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
        // SAFETY: `frames::sizes` only reads aligned words in `[sp - 8, top)`, which lies within
        // the stack of the current task. That is mapped as long as the task runs, and only the task
        // itself writes to it.
        |addr| unsafe { shim::rwb_stack_word(addr) },
        frames,
    )
}

/// Words from `sp`, where a function called something that returns to `caller`, up to where the
/// function itself returns to; `None` if that can't be told. On the task's own stack.
pub(crate) fn frame_words(sp: usize, caller: usize) -> Option<u32> {
    // SAFETY: Unwinds the stack of the current task, which runs.
    let words = unsafe { shim::rwb_frame_words(sp, caller) };
    (words != 0).then_some(words)
}

/// A word of the current task's stack; `None` if `addr` is none of that.
pub(crate) fn word(addr: usize) -> Option<usize> {
    const WORD: usize = core::mem::size_of::<usize>();
    // SAFETY: Has no precondition.
    let top = unsafe { shim::rwb_stack_top() };
    // SAFETY: Has no precondition.
    let size = unsafe { shim::rwb_stack_size() };
    let from_bottom = addr.wrapping_sub(top.wrapping_sub(size));
    let last = size.wrapping_sub(WORD);
    if addr & (WORD - 1) != 0 || from_bottom == 0 || from_bottom > last {
        return None;
    }
    // SAFETY: The word lies within the current task's stack, as was checked.
    Some(unsafe { shim::rwb_stack_word(addr) })
}

/// Returns the size of the innermost frame above `sp`, which belongs to the function into which
/// `caller` returns: in bytes, with its return address. `None` if it cannot be determined. The
/// caller must run on the stack of the task.
pub(crate) fn frame_size(sp: usize, caller: usize, entries: &mut [usize]) -> Option<usize> {
    let n = trace(entries);
    let trace = entries.get(..n)?;
    let next = trace.iter().skip_while(|&&a| a != caller).nth(1)?;
    let mut frames = [Frame::default(); 2];
    frame_sizes(trace, sp, &mut frames);
    let [innermost, above] = frames;
    // A frame that is not found on the stack would count as part of the frame below it.
    let both = innermost.addr == caller && above.addr == *next;
    both.then_some(innermost.bytes as usize)
}

/// Returns the stack trace of the current task without the frames of the probe: from the function
/// whose stack pointer is `sp` outwards, innermost first. If the return address of that function is
/// not in the trace, returns all of it. The caller must run on the stack of the task.
pub(crate) fn trace_from(sp: usize, entries: &mut [usize]) -> &[usize] {
    let n = trace(entries);
    let all = entries.get(..n).unwrap_or(&[]);
    // SAFETY: Has no precondition.
    let top = unsafe { shim::rwb_stack_top() };
    // SAFETY: Has no precondition.
    let size = unsafe { shim::rwb_stack_size() };
    const WORD: usize = core::mem::size_of::<usize>();
    // `is_multiple_of()` is newer than the oldest rustc that the kernel supports.
    if sp & (WORD - 1) != 0 || sp <= top.wrapping_sub(size).wrapping_add(WORD) || sp > top {
        return all;
    }
    // SAFETY: The check above shows that the word lies within the stack of the current task.
    let innermost = unsafe { shim::rwb_stack_word(sp.wrapping_sub(WORD)) };
    let skip = all.iter().position(|&a| a == innermost).unwrap_or(0);
    all.get(skip..).unwrap_or(all)
}
