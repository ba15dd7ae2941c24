// SPDX-License-Identifier: GPL-2.0

//! `tlb`: how often reclaim interrupts other CPUs in order to flush their TLBs.

use crate::{
    kernel_ext::cell::Cell64,
    ledgers::{
        tlb::Flushes,
        Ledgers, //
    },
    words::{
        Event,
        Flush,
        Function,
        Group,
        Origin, //
    },
};
use kernel::{
    fmt,
    sync::Arc, //
};

/// Formats the file `tlb`.
pub(super) fn tlb(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let needs = [
        ledgers.states.state(Event::TlbFlush),
        ledgers.states.function(Function::TlbFlush),
        ledgers.states.function(Function::TlbFlushDirty),
    ];
    writeln!(f, "state {}", super::group(Group::Tlb, &needs))?;
    for &origin in Origin::ALL {
        let name = origin.name();
        writeln!(
            f,
            "{name}.freed.pages {}",
            ledgers.tlb.sum(|t| t.freed(origin))
        )?;
        for &flush in Flush::ALL {
            let sum = |get: fn(&Flushes) -> &Cell64| {
                ledgers
                    .tlb
                    .sum(|t| t.of(origin, flush).map_or(0, |n| get(n).get()))
            };
            let what = flush.name();
            writeln!(f, "{name}.{what}.asked {}", sum(|n| &n.asked))?;
            writeln!(f, "{name}.{what}.ipis {}", sum(|n| &n.ipis))?;
            writeln!(f, "{name}.{what}.ns {}", sum(|n| &n.ns))?;
        }
    }
    Ok(())
}
