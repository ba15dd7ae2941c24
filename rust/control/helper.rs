// SPDX-License-Identifier: GPL-2.0

//! The one place where the helper is, while it is on, and switching it.
//!
//! Locks: `SWITCH`, then `PLACE`, then the kernel's own around registration. `PLACE` is not held
//! while a helper goes, which may wait for a device.

use crate::{
    helper::{
        file,
        swap,
        Halves,
        Helper, //
    },
    kernel_ext::late::Late,
    ledgers::Ledgers,
    settings,
    words::Mode, //
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex, //
    },
};

/// What the module has of the helper.
struct HelperState {
    /// `None` when the module is going.
    ledgers: Option<Arc<Ledgers>>,
    helper: Option<Helper>,
}

static PLACE: Late<Mutex<HelperState>> = Late::new();

/// Made before `PLACE`.
static SWITCH: Late<Mutex<()>> = Late::new();

/// The helper, while the module is loaded: whether it is on or off.
pub(crate) struct HelperGuard(());

impl HelperGuard {
    /// Makes place for the helper, which is off. For the module's init; `EBUSY`
    /// the second time. Sleeps.
    pub(crate) fn new(ledgers: Arc<Ledgers>) -> Result<Self> {
        SWITCH.make(new_mutex!((), "SWITCH"))?;
        let place = HelperState {
            ledgers: Some(ledgers),
            helper: None,
        };
        PLACE.make(new_mutex!(place, "PLACE"))?;
        Ok(Self(()))
    }
}

impl Drop for HelperGuard {
    fn drop(&mut self) {
        let Some(place) = PLACE.get() else {
            return;
        };
        // Parameters can be set until the module is gone, and who sets one may be waiting for a
        // device just now: without ledgers nobody gets a helper any more.
        let mut place = place.lock();
        place.ledgers = None;
        let helper = place.helper.take();
        drop(place);
        // Not under the lock: it may wait for a device.
        drop(helper);
    }
}

/// The halves of the helper that are wanted.
pub(crate) fn wanted() -> Halves {
    Halves {
        around: settings::write_around(),
        handoff: settings::handoff() != Mode::Never,
    }
}

/// Switches the halves of the helper on or off; nothing happens if they are that already,
/// else what both have queued is given up. Returns when the workers are done.
/// `EOPNOTSUPP` on a kernel without the patches, `EBUSY` when it has another helper.
/// `ENODEV` when the module is going; before its init it has no effect. Sleeps.
pub(crate) fn switch(wanted: Halves) -> Result {
    let (Some(place), Some(switch)) = (PLACE.get(), SWITCH.get()) else {
        return Ok(());
    };
    // One at a time: parameters are set under a lock of the kernel's, but the module's init, which
    // sees what they are, is not, and they can be set before it is done.
    let _switching = switch.lock();
    if on() == Some(wanted) {
        return Ok(());
    }
    // Not under this lock: it may wait for a device.
    let helper = place.lock().helper.take();
    let before = helper.as_ref().map(Helper::on);
    drop(helper);
    if wanted == Halves::default() {
        return Ok(());
    }
    let mut place = place.lock();
    let ledgers = place.ledgers.clone().ok_or(ENODEV)?;
    match Helper::new(ledgers.clone(), wanted) {
        Ok(helper) => place.helper = Some(helper),
        Err(e) => {
            // As it was, if that can be had again.
            place.helper = before.and_then(|on| Helper::new(ledgers, on).ok());
            return Err(e);
        }
    }
    Ok(())
}

/// What readers look at; `None` when write-around is off. Sleeps.
pub(crate) fn shared() -> Option<Arc<file::FileState>> {
    PLACE.get()?.lock().helper.as_ref()?.around()
}

/// What readers look at; `None` when handoff is off. Sleeps.
pub(crate) fn handoff() -> Option<Arc<swap::SwapState>> {
    PLACE.get()?.lock().helper.as_ref()?.handoff()
}

/// Which halves are on? `None` before the module's init. Sleeps.
pub(crate) fn on() -> Option<Halves> {
    let place = PLACE.get()?.lock();
    Some(
        place
            .helper
            .as_ref()
            .map_or_else(Halves::default, Helper::on),
    )
}
