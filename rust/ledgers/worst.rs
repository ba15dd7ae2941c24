// SPDX-License-Identifier: GPL-2.0

//! The deepest stack of each origin at each layer, frame by frame.
//!
//! Each stack has a lock of its own that is only tried: handlers in task context
//! give up and count the loss when another CPU, or the reader, is at the same
//! stack. No handler in IRQ or softirq context comes here.

use crate::{
    kernel_ext::{
        cell::peek,
        percpu::pinned,
        stack,
        system,
        trylock::TryLock, //
    },
    policy::frames::Frame,
    shim::At,
    tables::scratch::Scratch,
    words::{
        Layer,
        Origin, //
    },
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// Frames kept of a stack; what is above the last one counts as its own.
pub(crate) const FRAMES: usize = 56;

const STACKS: usize = Origin::COUNT * Layer::COUNT;

/// A stack.
#[derive(Clone, Copy)]
pub(crate) struct Stack {
    /// Bytes left.
    pub(crate) headroom: usize,
    /// Bytes in use; what the frames add up to. 0: none seen.
    pub(crate) depth: usize,
    /// Whose it was.
    pub(crate) pid: i32,
    /// Its name, NUL-terminated.
    pub(crate) comm: [u8; system::COMM_LEN],
    frames: [Frame; FRAMES],
    nr_frames: usize,
}

impl Stack {
    /// No stack seen.
    pub(crate) const NONE: Self = Self {
        headroom: 0,
        depth: 0,
        pid: 0,
        comm: [0; system::COMM_LEN],
        frames: [Frame { addr: 0, bytes: 0 }; FRAMES],
        nr_frames: 0,
    };

    /// Its frames, innermost first.
    pub(crate) fn frames(&self) -> &[Frame] {
        self.frames.get(..self.nr_frames).unwrap_or(&[])
    }

    /// The task's name.
    pub(crate) fn comm(&self) -> &str {
        system::text(&self.comm)
    }
}

/// The deepest stack of one origin at one layer.
struct Deepest {
    /// Its depth: what a handler compares with.
    depth: Atomic<usize>,
    stack: TryLock<Stack>,
}

/// All of them.
pub(crate) struct Worst(KVVec<Deepest>);

impl Worst {
    /// Allocates. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        let mut all = KVVec::with_capacity(STACKS, GFP_KERNEL)?;
        for _ in 0..STACKS {
            let deepest = Deepest {
                depth: Atomic::new(0),
                stack: TryLock::new(Stack::NONE),
            };
            all.push(deepest, GFP_KERNEL)?;
        }
        Ok(Self(all))
    }

    fn of(&self, origin: Origin, layer: Layer) -> Option<&Deepest> {
        let row = (origin as usize).saturating_mul(Layer::COUNT);
        self.0.get(row.saturating_add(layer as usize))
    }

    /// True when a stack of this depth is the deepest yet.
    #[inline]
    pub(crate) fn is_worse(&self, origin: Origin, layer: Layer, depth: usize) -> bool {
        self.of(origin, layer)
            .is_some_and(|d| depth > peek(&d.depth))
    }

    /// Keeps the current stack if it is still the deepest; false when someone
    /// else was at it, so that it could not be kept. Task context, on the
    /// task's own stack, preemption off.
    pub(crate) fn keep(
        &self,
        scratch: &mut Scratch,
        origin: Origin,
        layer: Layer,
        at: &At,
    ) -> bool {
        let Some(deepest) = self.of(origin, layer) else {
            return true;
        };
        let kept = deepest.stack.try_with(|stack| {
            if at.depth <= deepest.depth.load(Relaxed) {
                return;
            }
            deepest.depth.store(at.depth, Relaxed);
            stack.depth = at.depth;
            stack.headroom = at.headroom;
            stack.pid = system::pid();
            stack.comm = system::comm();
            let n = stack::trace(&mut scratch.trace);
            let trace = scratch.trace.get(..n).unwrap_or(&[]);
            stack.nr_frames = stack::frame_sizes(trace, at.sp, &mut stack.frames);
        });
        kept.is_some()
    }

    /// Copies the deepest stack of one origin at one layer to `copy`; false if
    /// none was seen. Process context; waits for a handler that is at it,
    /// which takes some microseconds.
    pub(crate) fn read(&self, origin: Origin, layer: Layer, copy: &mut Stack) -> bool {
        let Some(deepest) = self.of(origin, layer) else {
            return false;
        };
        loop {
            let seen = pinned(|_| {
                deepest.stack.try_with(|stack| {
                    copy.clone_from(stack);
                    stack.depth != 0
                })
            });
            if let Some(seen) = seen {
                return seen;
            }
        }
    }

    /// Memory that they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.0.as_slice())
    }
}
