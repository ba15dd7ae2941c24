// SPDX-License-Identifier: GPL-2.0
//! Adds up events of a recording, as the ledgers would have counted them if there had been only these.

use std::{collections::BTreeMap, path::Path};

use super::{Absent, Filter, Narrow};
use crate::{
    error::{Error, Result},
    ledger::{Cgroup, CgroupStalls, LAST_BUCKET, Log2, OriginStalls, OriginWrites, Stall},
    longest,
    names::{Kind, Origin, Type},
    recording::{Event, Recording},
};

/// The result of adding an event: what is wrong with it, if it cannot be read.
type Added = std::result::Result<(), String>;

/// At most this many stalls are kept with all that is known of them.
const KEPT: usize = 64;

/// The events, added up.
#[derive(Debug, Default)]
pub struct Counted {
    /// Stalls by origin.
    pub stalls: BTreeMap<Origin, OriginStalls>,
    /// Stalls by the id of the task's cgroup. The paths are not known here.
    pub stalled: BTreeMap<u64, CgroupStalls>,
    /// The longest stalls. When all are added, the longest comes first.
    pub longest: Vec<Stall>,
    /// The microseconds of each stall.
    pub stalls_us: Vec<u64>,
    /// Windows and writes, by origin.
    pub writes: BTreeMap<Origin, OriginWrites>,
    /// Pages written, by the id of the cgroup that they belonged to.
    pub written: BTreeMap<u64, Cgroup>,
    /// What is wrong with the first event that cannot be read.
    broken: Option<String>,
}

impl Counted {
    /// Reads a recording and adds up those of its events that are asked for.
    pub fn read(path: &Path, narrow: &Narrow, absent: Absent) -> Result<(Recording, Filter, Self)> {
        // It is known which events these are only after all of the recording was read once.
        let filter = Filter::of_recording(narrow, &Recording::visit(path, drop)?, absent)?;
        let mut counted = Self::default();
        let recording = Recording::visit(path, |event| counted.add(&event, &filter))?;
        if let Some(what) = counted.broken.take() {
            return Err(Error::Recording { path: path.to_owned(), what });
        }
        counted.finish();
        Ok((recording, filter, counted))
    }

    /// Adds an event if it is asked for.
    fn add(&mut self, event: &Event, filter: &Filter) {
        if !filter.takes(event) {
            return;
        }
        let added = match event.name.as_str() {
            "stall" => self.stall(event),
            "reclaim_write" => self.write(event),
            "reclaim_window" => self.window(event),
            _ => Ok(()),
        };
        if let (Err(what), None) = (added, &self.broken) {
            self.broken = Some(what);
        }
    }

    /// Ends the counting, after all events were added.
    fn finish(&mut self) {
        keep_longest(&mut self.longest);
        self.stalls_us.sort_unstable();
    }

    fn stall(&mut self, event: &Event) -> Added {
        let stall = longest::stall(event)?;
        let us = stall.ns / 1000;
        let all = self.stalls.entry(stall.origin).or_default();
        more(&mut all.stalls, 1);
        more(&mut all.ns, stall.ns);
        more(&mut all.scanned, stall.scanned_pages);
        more(&mut all.freed, stall.freed_pages);
        all.longest_ns = all.longest_ns.max(stall.ns);
        count(&mut all.hist, us);
        let group = self.stalled.entry(event.needed("cgroup")?).or_default();
        more(&mut group.stalls, 1);
        more(&mut group.ns, stall.ns);
        count(&mut group.hist, us);
        for (cause, ns) in &stall.parts_ns {
            let time = all.causes.entry(*cause).or_default();
            more(&mut time.ns, *ns);
            count(&mut time.hist, ns / 1000);
            more(group.causes.entry(*cause).or_default(), *ns);
        }
        self.stalls_us.push(us);
        self.longest.push(stall);
        if self.longest.len() > 4 * KEPT {
            keep_longest(&mut self.longest);
        }
        Ok(())
    }

    fn write(&mut self, event: &Event) -> Added {
        let (origin, pages) = (event.origin()?, event.needed("nr_pages")?);
        let sort = if event.text("type").as_deref() == Some(Type::Anon.key()) { Type::Anon } else { Type::Shmem };
        let kind = event.text("kind").and_then(|key| Kind::from_key(&key)).unwrap_or(Kind::Unknown);
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let all = self.writes.entry(origin).or_default();
        let cell = all.cells.entry(sort).or_default().entry(kind).or_default();
        more(&mut cell.folios, 1);
        more(&mut cell.pages, pages);
        more(all.orders.entry(small(event.needed("order")?)).or_default(), 1);
        more(all.nodes.entry(small(event.needed("nid")?)).or_default(), pages);
        let group = self.written.entry(event.needed("cgroup")?).or_default();
        more(group.pages.entry(origin).or_default(), pages);
        Ok(())
    }

    fn window(&mut self, event: &Event) -> Added {
        let all = self.writes.entry(event.origin()?).or_default();
        more(&mut all.windows, 1);
        more(&mut all.reclaimed, event.needed("nr_reclaimed")?);
        Ok(())
    }
}

/// Whether a recording has all events of this name, except for lost ones.
pub fn has(recording: &Recording, name: &str) -> bool {
    recording.head.events.iter().any(|event| event == name)
}

fn more(sum: &mut u64, n: u64) {
    *sum = sum.saturating_add(n);
}

/// Counts one in a histogram of microseconds.
fn count(hist: &mut Log2, us: u64) {
    let low = us.checked_ilog2().map_or(0, |bit| 1 << bit);
    more(hist.entry(low.min(LAST_BUCKET)).or_default(), 1);
}

fn keep_longest(stalls: &mut Vec<Stall>) {
    stalls.sort_by_key(|stall| (std::cmp::Reverse(stall.ns), stall.began_ns));
    stalls.truncate(KEPT);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_the_ledgers() {
        let mut hist = Log2::new();
        for us in [0, 1, 2, 3, 4, 1023, 1024, u64::MAX] {
            count(&mut hist, us);
        }
        assert_eq!(hist, Log2::from([(0, 1), (1, 1), (2, 2), (4, 1), (512, 1), (1024, 1), (LAST_BUCKET, 1)]));
    }
}
