// SPDX-License-Identifier: GPL-2.0
//! `stacks`: the worst call trace of each origin and layer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::rows::Rows;
use crate::{
    error::Result,
    names::{Layer, Origin},
};

/// One call frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Frame {
    /// Bytes of stack it takes.
    pub bytes: u64,
    /// Function, without offset.
    pub function: String,
    /// `+0xoff/0xsize`, or empty.
    pub offset: String,
    /// Module it belongs to, if any.
    pub module: Option<String>,
}

/// The stack with the least left.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Bytes left.
    pub headroom: u64,
    /// Bytes used, from the top of the stack.
    pub depth: u64,
    /// Name of the task.
    pub comm: String,
    /// Its pid.
    pub pid: u64,
    /// The frames, innermost first.
    pub frames: Vec<Frame>,
    /// Whether it was first seen in the interval that is reported.
    pub is_new: bool,
}

/// The `stacks` ledger.
#[derive(Clone, Debug)]
pub struct Stacks {
    /// The stacks that were seen.
    pub worst: BTreeMap<(Origin, Layer), Stack>,
}

impl Stacks {
    pub(super) fn parse(rows: &mut Rows) -> Result<Self> {
        let mut worst = BTreeMap::new();
        for &origin in Origin::ALL {
            for &layer in Layer::ALL {
                let key = format!("{}.{}", origin.key(), layer.key());
                if let Some(headroom) = rows.number_opt(&format!("{key}.headroom"))? {
                    worst.insert((origin, layer), parse_stack(rows, &key, headroom)?);
                }
            }
        }
        Ok(Self { worst })
    }

    pub(super) fn since(mut self, before: &Self) -> Self {
        for (key, stack) in &mut self.worst {
            stack.is_new = before.worst.get(key).is_none_or(|old| stack.headroom < old.headroom);
        }
        self
    }
}

fn parse_stack(rows: &mut Rows, key: &str, headroom: u64) -> Result<Stack> {
    let depth = rows.number(&format!("{key}.depth"))?;
    let task = rows.take(&format!("{key}.task"))?;
    // The comm may contain colons, but the pid cannot.
    let Some((comm, pid)) = task.rsplit_once(':') else {
        return Err(rows.error(format!("row {key}.task is not comm:pid: {task:?}")));
    };
    let pid = rows.parse_number(&format!("{key}.task"), pid)?;
    let count = rows.number(&format!("{key}.frames"))?;
    let mut frames = Vec::new();
    for i in 0..count {
        let row = format!("{key}.frame.{i}");
        let value = rows.take(&row)?;
        let mut words = value.split_whitespace();
        let (Some(bytes), Some(symbol)) = (words.next(), words.next()) else {
            return Err(rows.error(format!("row {row} is not `bytes symbol`: {value:?}")));
        };
        let (function, offset) = symbol.split_at(symbol.find('+').unwrap_or(symbol.len()));
        frames.push(Frame {
            bytes: rows.parse_number(&row, bytes)?,
            function: function.to_owned(),
            offset: offset.to_owned(),
            module: words.next().map(|word| word.trim_matches(['[', ']']).to_owned()),
        });
    }
    Ok(Stack { headroom, depth, comm: comm.to_owned(), pid, frames, is_new: true })
}
