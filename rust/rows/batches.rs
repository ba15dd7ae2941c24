// SPDX-License-Identifier: GPL-2.0

//! `batches`: how many pages swap writes at once, and why writes did not get larger.

use crate::{
    ledgers::{
        batches::OriginBatches,
        Ledgers, //
    },
    policy::log2,
    probes::block,
    settings,
    words::{
        EndReason,
        Event,
        Group,
        Origin, //
    },
};
use kernel::{
    fmt,
    sync::Arc, //
};

/// Formats the file `batches`.
pub(super) fn batches(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let state = match ledgers.states.state(Event::BioQueue) {
        state if state.works() => "on",
        _ => "unavailable",
    };
    writeln!(f, "state {state}")?;
    let told = match (
        settings::group(Group::Stalls),
        block::knows_end_reason(ledgers),
    ) {
        (false, _) => "off",
        (true, true) => "on",
        (true, false) => "unavailable",
    };
    writeln!(f, "reasons {told}")?;
    for &origin in Origin::ALL {
        let name = origin.name();
        let sum = |get: &dyn Fn(&OriginBatches) -> u64| {
            ledgers.batches.sum(|b| b.origin(origin).map_or(0, get))
        };
        let all = sum(&|o| o.batches.get());
        writeln!(f, "{name}.batches {all}")?;
        writeln!(f, "{name}.pages {}", sum(&|o| o.pages.get()))?;
        let mut known = 0u64;
        for &why in EndReason::ALL {
            let what = why.name();
            let n = sum(&|o| o.ended(why));
            known = known.wrapping_add(n);
            writeln!(f, "{name}.ended.{what} {n}")?;
        }
        // The next write of their tasks will tell why these ended.
        writeln!(f, "{name}.open {}", all.saturating_sub(known))?;
        for bucket in 0..log2::BUCKETS {
            let n = sum(&|o| o.hist.get(bucket));
            if n != 0 {
                let from = log2::lower_bound(bucket);
                writeln!(f, "{name}.pages.hist.{from} {n}")?;
            }
        }
    }
    Ok(())
}
