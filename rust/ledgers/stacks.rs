// SPDX-License-Identifier: GPL-2.0

//! The deepest stack of each origin at each layer, frame by frame.
//!
//! Each stack has a lock of its own, which is only tried. If another CPU or the reader has the
//! lock, a handler gives up, and the loss is counted. Handlers run in task context. Nothing in IRQ
//! or softirq context uses this.

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

/// The most frames that are kept of a stack. What lies above the last one counts as part of it.
pub(crate) const FRAMES: usize = 56;

const STACKS: usize = Origin::COUNT * Layer::COUNT;

/// A stack.
#[derive(Clone, Copy)]
pub(crate) struct Stack {
    /// Bytes that were left.
    pub(crate) headroom: usize,
    /// Bytes that were in use, which is the sum of the frames; 0 if no stack was seen.
    pub(crate) depth: usize,
    /// The process id of the task.
    pub(crate) pid: i32,
    /// The name of the task, NUL-terminated.
    pub(crate) comm: [u8; system::COMM_LEN],
    frames: [Frame; FRAMES],
    nr_frames: usize,
}

impl Stack {
    /// No stack was seen.
    pub(crate) const NONE: Self = Self {
        headroom: 0,
        depth: 0,
        pid: 0,
        comm: [0; system::COMM_LEN],
        frames: [Frame { addr: 0, bytes: 0 }; FRAMES],
        nr_frames: 0,
    };

    /// Returns the frames, innermost first.
    pub(crate) fn frames(&self) -> &[Frame] {
        self.frames.get(..self.nr_frames).unwrap_or(&[])
    }

    /// Returns the name of the task.
    pub(crate) fn comm(&self) -> &str {
        system::text(&self.comm)
    }
}

/// The deepest stack of one origin at one layer.
struct DeepestStack {
    /// The depth of the stack, with which handlers compare.
    depth: Atomic<usize>,
    stack: TryLock<Stack>,
}

/// The deepest stacks of all origins at all layers.
pub(crate) struct DeepestStacks(KVVec<DeepestStack>);

impl DeepestStacks {
    /// Allocates the table. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let mut all = KVVec::with_capacity(STACKS, GFP_KERNEL)?;
        for _ in 0..STACKS {
            let deepest = DeepestStack {
                depth: Atomic::new(0),
                stack: TryLock::new(Stack::NONE),
            };
            all.push(deepest, GFP_KERNEL)?;
        }
        Ok(Self(all))
    }

    fn of(&self, origin: Origin, layer: Layer) -> Option<&DeepestStack> {
        let row = (origin as usize).saturating_mul(Layer::COUNT);
        self.0.get(row.saturating_add(layer as usize))
    }

    /// Whether a stack of this depth is the deepest one so far.
    #[inline]
    pub(crate) fn is_deeper(&self, origin: Origin, layer: Layer, depth: usize) -> bool {
        self.of(origin, layer)
            .is_some_and(|d| depth > peek(&d.depth))
    }

    /// Keeps the current stack if it is still the deepest one. Returns false if it could not be
    /// kept, because the lock was taken. Task context, on the task's own stack, preemption off.
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

    /// Copies the deepest stack of one origin at one layer to `copy`. Returns false if none was
    /// seen. Process context. Waits for a handler that has the lock, which takes some microseconds.
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

    /// Returns the memory that the stacks take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.0.as_slice())
    }
}
