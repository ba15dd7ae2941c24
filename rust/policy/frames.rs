// SPDX-License-Identifier: GPL-2.0

//! Sizes of the frames of a stack, determined as the kernel's stack tracer does
//! (kernel/trace/trace_stack.c): the return addresses of a trace are searched in the stack itself,
//! and the distances between them are the sizes.
//!
//! This works on architectures that store the return address at the call, above the frame of the
//! callee, as x86 does. On arm64 the callee stores it. clang does that above the locals, but below
//! the other registers that the callee saves, so these count for the frame of the caller. (gcc does
//! it below the locals, and the locals count for the caller, too.)

/// A frame: the function that contains `addr` uses `bytes` of stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Frame {
    /// A return address into the function.
    pub addr: usize,
    /// The stack that the function uses, in bytes.
    pub bytes: u32,
}

const WORD: usize = core::mem::size_of::<usize>();

/// Fills `frames` with the sizes of the frames between `sp` and `top`, innermost first, and returns
/// their number. If at least one was found, the sizes add up to `top - sp`.
///
/// `trace` is a stack trace, innermost first. It may begin with frames below `sp` (those of the
/// probe), which are left out. `word` reads a word of the stack. It is only called for aligned
/// addresses in `[sp - WORD, top)`. An entry that is not found in the stack (because the trampoline
/// of a tracer stands in for the function) is left out, and its bytes count for the frame below it.
pub fn sizes(
    trace: &[usize],
    sp: usize,
    top: usize,
    word: impl Fn(usize) -> usize,
    frames: &mut [Frame],
) -> usize {
    // The call that led to the probe stored its return address just below `sp`.
    let Some(first) = sp.checked_sub(WORD) else {
        return 0;
    };
    if sp % WORD != 0 || top < sp {
        return 0;
    }
    let innermost = word(first);
    let Some(skip) = trace.iter().position(|&a| a == innermost) else {
        return 0;
    };

    let mut n = 0usize;
    // Where the current frame begins. It ends where the next one begins.
    let mut begin = sp;
    let mut next = first;
    for &addr in trace.iter().skip(skip) {
        let mut at = next;
        while at < top && word(at) != addr {
            at = at.saturating_add(WORD);
        }
        if at >= top {
            continue;
        }
        let edge = at.saturating_add(WORD);
        if let Some(below) = n.checked_sub(1).and_then(|i| frames.get_mut(i)) {
            below.bytes = u32::try_from(edge.saturating_sub(begin)).unwrap_or(u32::MAX);
        }
        let Some(frame) = frames.get_mut(n) else {
            break;
        };
        *frame = Frame { addr, bytes: 0 };
        n = n.saturating_add(1);
        begin = edge;
        next = edge;
    }
    if let Some(last) = n.checked_sub(1).and_then(|i| frames.get_mut(i)) {
        last.bytes = u32::try_from(top.saturating_sub(begin)).unwrap_or(u32::MAX);
    }
    n
}
