// SPDX-License-Identifier: GPL-2.0
//! The worst stacks, with their frames sorted into layers.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    frames::{Part, bytes_by_part, classify},
    ledger::{Stack, Stacks, total},
    names::{Layer, Origin},
};

/// Bytes that one part of the stack used.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PartBytes {
    /// The part.
    pub part: Part,
    /// Bytes.
    pub bytes: u64,
}

/// One frame.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StackFrame {
    /// Bytes it takes.
    pub bytes: u64,
    /// Bytes from the top of the stack to its end.
    pub depth: u64,
    /// The part that it belongs to, which is taken from the names of the functions.
    pub part: Part,
    /// Function.
    pub function: String,
    /// `+0xoff/0xsize`.
    pub offset: String,
    /// Module, if any.
    pub module: Option<String>,
}

/// The worst stack of one origin at one layer.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StackRow {
    /// The origin.
    pub origin: Origin,
    /// The layer.
    pub layer: Layer,
    /// Bytes left.
    pub left: u64,
    /// Bytes used.
    pub used: u64,
    /// Name of the task.
    pub comm: String,
    /// Its pid.
    pub pid: u64,
    /// Whether it was first seen in the interval that is reported.
    pub is_new: bool,
    /// Bytes by part.
    pub parts: Vec<PartBytes>,
    /// Bytes that belong to no frame (saved registers at the top, the probe's own frames).
    pub outside_frames: u64,
    /// The frames, innermost first.
    pub frames: Vec<StackFrame>,
}

/// The worst stacks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct StacksSection {
    /// The stacks. The one with the least left comes first.
    pub worst: Vec<StackRow>,
}

impl StacksSection {
    /// The worst stack of each origin, over all of its layers. The one with the least left comes first.
    pub fn per_origin(&self) -> Vec<&StackRow> {
        let mut seen = Vec::new();
        self.worst
            .iter()
            .filter(|stack| {
                let first = !seen.contains(&stack.origin);
                seen.push(stack.origin);
                first
            })
            .collect()
    }
}

pub(super) fn section(ledger: &Stacks) -> StacksSection {
    let mut worst: Vec<StackRow> =
        ledger.worst.iter().map(|(&(origin, layer), stack)| row(origin, layer, stack)).collect();
    worst.sort_by_key(|stack| (stack.left, stack.origin, stack.layer));
    StacksSection { worst }
}

fn row(origin: Origin, layer: Layer, stack: &Stack) -> StackRow {
    let in_frames = total(stack.frames.iter().map(|frame| frame.bytes));
    let mut depth = stack.depth;
    let frames = stack
        .frames
        .iter()
        .zip(classify(&stack.frames))
        .map(|(frame, part)| {
            let at = depth;
            depth = depth.saturating_sub(frame.bytes);
            StackFrame {
                bytes: frame.bytes,
                depth: at,
                part,
                function: frame.function.clone(),
                offset: frame.offset.clone(),
                module: frame.module.clone(),
            }
        })
        .collect();
    StackRow {
        origin,
        layer,
        left: stack.headroom,
        used: stack.depth,
        comm: stack.comm.clone(),
        pid: stack.pid,
        is_new: stack.is_new,
        parts: bytes_by_part(&stack.frames).into_iter().map(|(part, bytes)| PartBytes { part, bytes }).collect(),
        outside_frames: stack.depth.saturating_sub(in_frames),
        frames,
    }
}
