// SPDX-License-Identifier: GPL-2.0

//! The state of the helper while the module is loaded, and the functions that switch it on and off.
//!
//! Locks: `SWITCH` and `PLACE`, both mutexes. For the order see Documentation/design.rst. `PLACE`
//! is not held while a helper stops, because that may wait for a device.

use crate::{
    helper::{
        file,
        swap,
        Halves,
        Helper, //
    },
    kernel_ext::late::LateInit,
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

/// What the module knows of the helper.
struct HelperState {
    /// `None` before the module is unloaded: no helper is started any more.
    ledgers: Option<Arc<Ledgers>>,
    helper: Option<Helper>,
}

static PLACE: LateInit<Mutex<HelperState>> = LateInit::new();

/// Serialises the switching of the helper. Initialized before `PLACE`.
static SWITCH: LateInit<Mutex<()>> = LateInit::new();

/// Keeps the state of the helper for as long as the module is loaded. Stops the helper on drop,
/// which may wait for a device.
pub(crate) struct HelperGuard(());

impl HelperGuard {
    /// Initializes the state of the helper, which is off. Called once, by the module's init; fails
    /// with `EBUSY` the second time. Sleeps.
    pub(crate) fn new(ledgers: Arc<Ledgers>) -> Result<Self> {
        SWITCH.init(new_mutex!((), "SWITCH"))?;
        let place = HelperState {
            ledgers: Some(ledgers),
            helper: None,
        };
        PLACE.init(new_mutex!(place, "PLACE"))?;
        Ok(Self(()))
    }
}

impl Drop for HelperGuard {
    fn drop(&mut self) {
        let Some(place) = PLACE.get() else {
            return;
        };
        // Parameters can be set until the module is gone, and a task that sets one may be waiting
        // for a device just now. Without ledgers it cannot start a helper any more.
        let mut place = place.lock();
        place.ledgers = None;
        let helper = place.helper.take();
        drop(place);
        // This is done without the lock, because it may wait for a device.
        drop(helper);
    }
}

/// Returns the halves of the helper that the parameters ask for.
pub(crate) fn wanted() -> Halves {
    Halves {
        around: settings::write_around(),
        handoff: settings::handoff() != Mode::Never,
    }
}

/// Switches the halves of the helper on or off. Nothing happens if `wanted` is on already.
/// Otherwise both halves are stopped first: what they have queued is given up, and their workers
/// end.
///
/// Before the module's init this has no effect. Fails with `EOPNOTSUPP` on a kernel without the
/// patches, with `EBUSY` if the kernel has another helper, and with `ENODEV` while the module is
/// unloaded. Sleeps, and may wait for a device.
pub(crate) fn switch(wanted: Halves) -> Result {
    let (Some(place), Some(switch)) = (PLACE.get(), SWITCH.get()) else {
        return Ok(());
    };
    // Only one task switches at a time. The kernel sets parameters under a lock of its own, but the
    // module's init, which reads them, does not hold it, and parameters can be set before the init
    // is done.
    let _switching = switch.lock();
    if on() == Some(wanted) {
        return Ok(());
    }
    // The helper is dropped without this lock, because that may wait for a device.
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
            // Restores what was on before, if possible.
            place.helper = before.and_then(|on| Helper::new(ledgers, on).ok());
            return Err(e);
        }
    }
    Ok(())
}

/// Returns the state of write-around for debugfs readers; `None` if it is off. Sleeps.
pub(crate) fn write_around() -> Option<Arc<file::FileState>> {
    PLACE.get()?.lock().helper.as_ref()?.around()
}

/// Returns the state of handoff for debugfs readers; `None` if it is off. Sleeps.
pub(crate) fn handoff() -> Option<Arc<swap::SwapState>> {
    PLACE.get()?.lock().helper.as_ref()?.handoff()
}

/// Returns the halves that are on; `None` before the module's init. Sleeps.
pub(crate) fn on() -> Option<Halves> {
    let place = PLACE.get()?.lock();
    Some(
        place
            .helper
            .as_ref()
            .map_or_else(Halves::default, Helper::on),
    )
}
