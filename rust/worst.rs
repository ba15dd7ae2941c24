// SPDX-License-Identifier: GPL-2.0

//! The deepest stack of each origin at each layer, frame by frame.
//!
//! Lock: one spinlock, a leaf: nothing is taken inside. Handlers in task
//! context only try it; the reader takes it with preemption off and copies one
//! stack out. No handler in IRQ or softirq context comes here.

use crate::{
    kernel_ext::{
        stack,
        system, //
    },
    origin::{
        Layer,
        Origin, //
    },
    policy::frames::Frame,
    scratch::Scratch,
    shim::At,
};
use kernel::{
    new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        SpinLock, //
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
        let len = self.comm.iter().position(|&b| b == 0).unwrap_or(0);
        self.comm
            .get(..len)
            .and_then(|b| core::str::from_utf8(b).ok())
            .unwrap_or("?")
    }
}

/// All of them.
#[pin_data]
pub(crate) struct Worst {
    /// Depths of the stacks kept: what a handler compares with.
    depths: KVVec<Atomic<usize>>,
    #[pin]
    stacks: SpinLock<KVVec<Stack>>,
}

impl Worst {
    /// Allocates. Sleeps.
    pub(crate) fn new() -> Result<impl PinInit<Self>> {
        let mut depths = KVVec::with_capacity(STACKS, GFP_KERNEL)?;
        let mut stacks = KVVec::with_capacity(STACKS, GFP_KERNEL)?;
        for _ in 0..STACKS {
            depths.push(Atomic::new(0), GFP_KERNEL)?;
            stacks.push(Stack::NONE, GFP_KERNEL)?;
        }
        Ok(pin_init!(Self {
            depths,
            stacks <- new_spinlock!(stacks, "reclaimwb_worst"),
        }))
    }

    fn index(origin: Origin, layer: Layer) -> usize {
        origin as usize * Layer::COUNT + layer as usize
    }

    /// True when a stack of this depth is the deepest yet.
    #[inline]
    pub(crate) fn is_worse(&self, origin: Origin, layer: Layer, depth: usize) -> bool {
        self.depths
            .get(Self::index(origin, layer))
            .is_some_and(|d| depth > d.load(Relaxed))
    }

    /// Keeps the current stack if it is still the deepest; false when another
    /// CPU held the lock, so that it could not be kept. Task context, on the
    /// task's own stack.
    pub(crate) fn keep(
        &self,
        scratch: &mut Scratch,
        origin: Origin,
        layer: Layer,
        at: &At,
    ) -> bool {
        let index = Self::index(origin, layer);
        let Some(mut stacks) = self.stacks.try_lock() else {
            return false;
        };
        let (Some(stack), Some(depth)) = (stacks.get_mut(index), self.depths.get(index)) else {
            return true;
        };
        if at.depth <= depth.load(Relaxed) {
            return true;
        }
        depth.store(at.depth, Relaxed);
        stack.depth = at.depth;
        stack.headroom = at.headroom;
        stack.pid = system::pid();
        stack.comm = system::comm();
        let n = stack::trace(&mut scratch.trace);
        let trace = scratch.trace.get(..n).unwrap_or(&[]);
        stack.nr_frames = stack::frame_sizes(trace, at.sp, &mut stack.frames);
        true
    }

    /// Copies the deepest stack of one origin at one layer to `copy`; false if
    /// none was seen. Process context.
    pub(crate) fn read(&self, origin: Origin, layer: Layer, copy: &mut Stack) -> bool {
        match self.stacks.lock().get(Self::index(origin, layer)) {
            Some(stack) if stack.depth != 0 => {
                copy.clone_from(stack);
                true
            }
            _ => false,
        }
    }

    /// Memory that they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        STACKS * (core::mem::size_of::<Stack>() + core::mem::size_of::<Atomic<usize>>())
    }
}
