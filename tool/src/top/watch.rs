// SPDX-License-Identifier: GPL-2.0
//! Samples of the ledgers, and the growth between them.

use std::{path::Path, time::Instant};

use crate::{
    error::{Error, Result},
    ledger::Ledgers,
    source,
};

/// The ledgers that are read, because something of them is shown.
const READ: [&str; 10] = [
    "status",
    "writes",
    "headroom",
    "stacks",
    "cgroups",
    "handoff",
    "stalls",
    "stalls_cgroups",
    "stalls_longest",
    "reserves",
];

/// The ledgers of one moment.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Seconds, on a clock that never jumps.
    pub at: f64,
    /// The ledgers.
    pub ledgers: Ledgers,
}

/// Takes samples.
#[derive(Debug)]
pub struct Sampler<'a> {
    dir: &'a Path,
    began: Instant,
}

impl<'a> Sampler<'a> {
    /// Samples the ledgers in `dir`.
    pub fn new(dir: &'a Path) -> Self {
        Self { dir, began: Instant::now() }
    }

    /// Reads the ledgers now.
    pub fn take(&self) -> Result<Sample> {
        let texts = source::read_some(self.dir, &READ)?;
        // Reading takes a while. The counters had these values at its end.
        let at = self.began.elapsed().as_secs_f64();
        let ledgers = source::ledgers(&texts, source::NOT_READ)?;
        Ok(Sample { at, ledgers })
    }
}

/// The samples that are needed: the last two, and the one at which the totals begin.
#[derive(Debug)]
pub struct Watch {
    base: Option<Sample>,
    last: Option<Sample>,
    now: Sample,
    /// Why everything started again with the last sample, if it did.
    restarted: Option<String>,
}

/// The growth between two samples.
#[derive(Debug)]
pub struct Gained {
    /// Seconds between them.
    pub seconds: f64,
    /// The growth of all counters.
    pub ledgers: Ledgers,
}

impl Watch {
    /// Begins with one sample. There are no rates yet.
    pub const fn new(first: Sample) -> Self {
        Self { base: None, last: None, now: first, restarted: None }
    }

    /// Adds a sample. If the module was reloaded since the last one, or a count went back, everything starts again.
    pub fn push(&mut self, sample: Sample) -> Result<()> {
        self.restarted = match sample.ledgers.clone().since(&self.now.ledgers) {
            Ok(_) => None,
            Err(Error::Since(_)) if sample.ledgers.is_reloaded(&self.now.ledgers) => {
                Some("the module was loaded anew: all counts began anew".into())
            }
            Err(Error::Since(what)) => Some(format!("rates begin anew: {what}")),
            Err(err) => return Err(err),
        };
        let before = std::mem::replace(&mut self.now, sample);
        if self.restarted.is_some() {
            (self.base, self.last) = (None, None);
        } else {
            self.last = Some(before);
        }
        Ok(())
    }

    /// Makes the totals count from now on.
    pub fn reset(&mut self) {
        self.base = Some(self.now.clone());
    }

    /// The newest sample.
    pub const fn now(&self) -> &Sample {
        &self.now
    }

    /// Why everything started again with the newest sample, if it did.
    pub fn restarted(&self) -> Option<&str> {
        self.restarted.as_deref()
    }

    /// The growth since the previous sample, if there is one.
    pub fn step(&self) -> Result<Option<Gained>> {
        self.last.as_ref().map(|last| self.since(last)).transpose()
    }

    /// The growth since the reset; `None` if there was no reset. Then the ledgers themselves count since the module was
    /// loaded.
    pub fn total(&self) -> Result<Option<Gained>> {
        self.base.as_ref().map(|base| self.since(base)).transpose()
    }

    fn since(&self, then: &Sample) -> Result<Gained> {
        Ok(Gained { seconds: self.now.at - then.at, ledgers: self.now.ledgers.clone().since(&then.ledgers)? })
    }
}
