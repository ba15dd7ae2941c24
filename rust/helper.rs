// SPDX-License-Identifier: GPL-2.0

//! The writeback helper. Its two halves, write-around and handoff, do not know each other.

pub(crate) mod file;
pub(crate) mod swap;

use crate::{
    kernel_ext::reclaim::Registration,
    ledgers::Ledgers, //
};
use kernel::{
    prelude::*,
    sync::Arc, //
};

/// The halves of the helper.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Halves {
    /// Write-around.
    pub(crate) around: bool,
    /// Handoff.
    pub(crate) handoff: bool,
}

/// What the kernel calls, by halves.
pub(crate) struct Callbacks {
    /// Write-around.
    pub(crate) around: Option<Arc<file::FileHook>>,
    /// Handoff.
    pub(crate) swap: Option<swap::SwapHook>,
}

/// The helper while it is on.
pub(crate) struct Helper {
    // Unregisters when it goes, before what readers look at.
    registration: Registration<Callbacks>,
    around: Option<Arc<file::FileState>>,
    handoff: Option<Arc<swap::SwapState>>,
}

impl Helper {
    /// Registers the halves that are wanted. Sleeps. See
    /// [`Registration::new`] for the errors.
    pub(crate) fn new(ledgers: Arc<Ledgers>, wanted: Halves) -> Result<Self> {
        let around = match wanted.around {
            true => Some(file::FileHook::new(ledgers.clone())?),
            false => None,
        };
        let swap = match wanted.handoff {
            true => Some(swap::SwapHook::new(ledgers)?),
            false => None,
        };
        Ok(Self {
            around: around.as_deref().map(file::FileHook::shared),
            handoff: swap.as_ref().map(swap::SwapHook::shared),
            registration: Registration::new(Arc::new(Callbacks { around, swap }, GFP_KERNEL)?)?,
        })
    }

    /// The halves that are on.
    pub(crate) fn on(&self) -> Halves {
        Halves {
            around: self.around.is_some(),
            handoff: self.handoff.is_some(),
        }
    }

    /// What readers of write-around look at.
    pub(crate) fn around(&self) -> Option<Arc<file::FileState>> {
        self.around.clone()
    }

    /// What readers of handoff look at.
    pub(crate) fn handoff(&self) -> Option<Arc<swap::SwapState>> {
        self.handoff.clone()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // The kernel waits for those who wait for us.
        if let Some(hook) = self.registration.data().swap.as_ref() {
            hook.close();
        }
    }
}
