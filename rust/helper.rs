// SPDX-License-Identifier: GPL-2.0

//! The writeback helper: its two halves, which know nothing of each other.

pub(crate) mod file;
pub(crate) mod swap;

use crate::{
    ledgers::Observer,
    shim::reclaim, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The helper while it is on.
pub(crate) struct Helper {
    #[expect(dead_code, reason = "unregisters when it goes")]
    registration: reclaim::Registration,
    around: Option<Arc<file::Shared>>,
    handoff: Option<Arc<swap::Shared>>,
}

impl Helper {
    /// Registers the halves that are wanted. Sleeps. See
    /// [`reclaim::Registration::new`] for the errors.
    pub(crate) fn new(observer: Arc<Observer>, wanted: reclaim::Wanted) -> Result<Self> {
        let around = match wanted.around {
            true => Some(file::Hook::new(observer.clone())?),
            false => None,
        };
        let swap = match wanted.handoff {
            true => Some(swap::Hook::new(observer)?),
            false => None,
        };
        Ok(Self {
            around: around.as_deref().map(file::Hook::shared),
            handoff: swap.as_ref().map(swap::Hook::shared),
            registration: reclaim::Registration::new(reclaim::Ends { around, swap })?,
        })
    }

    /// The halves that are on.
    pub(crate) fn on(&self) -> reclaim::Wanted {
        reclaim::Wanted {
            around: self.around.is_some(),
            handoff: self.handoff.is_some(),
        }
    }

    /// What readers of write-around look at.
    pub(crate) fn around(&self) -> Option<Arc<file::Shared>> {
        self.around.clone()
    }

    /// What readers of handoff look at.
    pub(crate) fn handoff(&self) -> Option<Arc<swap::Shared>> {
        self.handoff.clone()
    }
}
