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

/// The halves of the helper, each wanted or not, or on or off.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Halves {
    /// Write-around, for file pages.
    pub(crate) around: bool,
    /// Handoff, for swap-out.
    pub(crate) handoff: bool,
}

/// The callbacks of the halves, as they are registered with the kernel.
pub(crate) struct Callbacks {
    // Dropped in this order. A file worker may be inside a disk that does not answer, and swap
    // requests must not wait for that.
    /// The callbacks of handoff; `None` if it is off.
    pub(crate) swap: Option<swap::SwapHook>,
    /// The callbacks of write-around; `None` if it is off.
    pub(crate) around: Option<Arc<file::FileHook>>,
}

/// The helper while at least one of its halves is on.
pub(crate) struct Helper {
    // Dropped first, so that the kernel calls nothing any more.
    registration: Registration<Callbacks>,
    around: Option<Arc<file::FileState>>,
    handoff: Option<Arc<swap::SwapState>>,
}

impl Helper {
    /// Registers the halves that are wanted, and starts their workers. Sleeps. Fails with `ENOMEM`,
    /// with `EINTR` if the task is killed, or with the errors of [`Registration::new`].
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

    /// Returns the halves that are on.
    pub(crate) fn on(&self) -> Halves {
        Halves {
            around: self.around.is_some(),
            handoff: self.handoff.is_some(),
        }
    }

    /// Returns the state of write-around for debugfs readers.
    pub(crate) fn around(&self) -> Option<Arc<file::FileState>> {
        self.around.clone()
    }

    /// Returns the state of handoff for debugfs readers.
    pub(crate) fn handoff(&self) -> Option<Arc<swap::SwapState>> {
        self.handoff.clone()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // Unregistering waits for the tasks that wait for room at a swap device, so these are sent
        // away first.
        if let Some(hook) = self.registration.data().swap.as_ref() {
            hook.close();
        }
    }
}
