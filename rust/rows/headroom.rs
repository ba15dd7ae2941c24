// SPDX-License-Identifier: GPL-2.0

//! `headroom` and `stacks`: how much stack was left, and the deepest stacks.

use crate::{
    kernel_ext::{
        cell::Cell64,
        symbol,
        system, //
    },
    ledgers::{
        headroom::Samples,
        stacks::Stack,
        Ledgers, //
    },
    policy::hist,
    words::{
        Layer,
        Origin, //
    },
};
use kernel::{
    fmt,
    prelude::*,
    sync::Arc, //
};

/// Returns all pairs of an origin and a layer.
fn places() -> impl Iterator<Item = (Origin, Layer)> {
    Origin::ALL
        .iter()
        .flat_map(|&o| Layer::ALL.iter().map(move |&l| (o, l)))
}

/// Formats the file `headroom`.
pub(super) fn headroom(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let stack_size = system::stack_size() as u64;
    writeln!(f, "stack.size {stack_size}")?;

    for (origin, layer) in places() {
        let (o, l) = (origin.name(), layer.name());
        let get = |cell: fn(&Samples) -> &Cell64| {
            ledgers
                .headroom
                .sum(|h| h.samples(origin, layer).map_or(0, |s| cell(s).get()))
        };
        let max = |cell: fn(&Samples) -> &Cell64| {
            ledgers
                .headroom
                .max(|h| h.samples(origin, layer).map_or(0, |s| cell(s).get()))
        };

        let count = get(|s| &s.count);
        writeln!(f, "{o}.{l}.count {count}")?;
        if count != 0 {
            let min = stack_size.saturating_sub(max(|s| &s.max_depth));
            writeln!(f, "{o}.{l}.min {min}")?;
        }
        writeln!(f, "{o}.{l}.sum {}", get(|s| &s.sum))?;
        for bucket in 0..hist::BUCKETS {
            let n = ledgers.headroom.sum(|h| {
                h.samples(origin, layer)
                    .and_then(|s| s.hist.get(bucket))
                    .map_or(0, Cell64::get)
            });
            writeln!(f, "{o}.{l}.hist.{} {n}", hist::lower_bound(bucket))?;
        }
        writeln!(f, "{o}.{l}.used.count {}", get(|s| &s.used_count))?;
        writeln!(f, "{o}.{l}.used.sum {}", get(|s| &s.used_sum))?;
        writeln!(f, "{o}.{l}.used.max {}", max(|s| &s.used_max))?;
    }
    Ok(())
}

/// Formats the file `stacks`.
pub(super) fn stacks(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut buf = KBox::new([0; symbol::SYMBOL_LEN], GFP_KERNEL).map_err(|_| fmt::Error)?;
    // This is a kilobyte, which should not be on a stack.
    let mut stack = KBox::new(Stack::NONE, GFP_KERNEL).map_err(|_| fmt::Error)?;

    for (origin, layer) in places() {
        if !ledgers.stacks.read(origin, layer, &mut stack) {
            continue;
        }
        let (o, l) = (origin.name(), layer.name());
        writeln!(f, "{o}.{l}.headroom {}", stack.headroom)?;
        writeln!(f, "{o}.{l}.depth {}", stack.depth)?;
        writeln!(f, "{o}.{l}.task {}:{}", stack.comm(), stack.pid)?;
        writeln!(f, "{o}.{l}.frames {}", stack.frames().len())?;
        for (i, frame) in stack.frames().iter().enumerate() {
            let name = symbol::name(frame.addr, &mut buf);
            writeln!(f, "{o}.{l}.frame.{i} {} {name}", frame.bytes)?;
        }
    }
    Ok(())
}
