// SPDX-License-Identifier: GPL-2.0
//! The events of a recording that are drawn. They are added up while they are read, and none is kept.

use std::borrow::Cow;

use super::timeline::Timeline;
use crate::{
    longest::{self, Folds},
    names::{Cause, Origin},
    recording::{Event, PARAMETER},
};

/// A parameter that was set during the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When this was seen, in nanoseconds of the recording's clock.
    pub ns: u64,
    /// The parameter.
    pub name: String,
    /// Its value before.
    pub before: String,
    /// Its value from then on.
    pub after: String,
}

/// The events, added up over time.
#[derive(Debug, Default)]
pub struct Events {
    /// Nanoseconds that tasks stalled, by cause, spread from the start of each stall to its end.
    pub stalls: Timeline<Cause>,
    /// The same by cgroup, task and origin.
    pub folds: Folds,
    /// Stalls.
    pub stall_events: u64,
    /// Pages written, by origin, one event for each folio.
    pub writes: Timeline<Origin>,
    /// Folios.
    pub write_events: u64,
    /// Pages written, by the origin of their window, spread from the start of the window to its end.
    pub windows: Timeline<Origin>,
    /// Windows.
    pub window_events: u64,
    /// Samples of low headroom.
    pub low_events: u64,
    /// Parameters that were set, in the order of the file.
    pub changes: Vec<Change>,
    /// What is wrong with the first event that cannot be read.
    pub broken: Option<String>,
}

impl Events {
    /// Adds an event.
    pub fn add(&mut self, event: &Event) {
        let added = match event.name.as_str() {
            "stall" => self.stall(event),
            "reclaim_write" => self.write(event),
            "reclaim_window" => self.window(event),
            "headroom_low" => {
                self.low_events += 1;
                Ok(())
            }
            PARAMETER => self.change(event),
            _ => Ok(()),
        };
        if let (Err(what), None) = (added, &self.broken) {
            self.broken = Some(what);
        }
    }

    fn stall(&mut self, event: &Event) -> Result<(), String> {
        let stall = longest::stall(event)?;
        self.stall_events += 1;
        self.folds.add(&stall);
        for (cause, ns) in stall.parts_ns {
            self.stalls.add(stall.began_ns, event.ns, cause, ns);
        }
        Ok(())
    }

    fn change(&mut self, event: &Event) -> Result<(), String> {
        let text = |field| event.text(field).map(Cow::into_owned).ok_or_else(|| event.lacks(field));
        self.changes.push(Change { ns: event.ns, name: text("name")?, before: text("before")?, after: text("after")? });
        Ok(())
    }

    fn write(&mut self, event: &Event) -> Result<(), String> {
        self.write_events += 1;
        self.writes.add(event.ns, event.ns, event.origin()?, event.needed("nr_pages")?);
        Ok(())
    }

    fn window(&mut self, event: &Event) -> Result<(), String> {
        self.window_events += 1;
        let began = event.ns.saturating_sub(event.needed("usecs")?.saturating_mul(1000));
        self.windows.add(began, event.ns, event.origin()?, event.needed("pages_written")?);
        Ok(())
    }
}
