// SPDX-License-Identifier: GPL-2.0

//! The probes that feed the ledgers, and the functions that switch groups of them.
//!
//! Context: process context; all functions sleep. Locks: `BOARD`, a mutex. For the order see
//! Documentation/design.rst.

use crate::{
    kernel_ext::{
        function_probe::{
            FunctionProbe,
            MissedCalls, //
        },
        late::LateInit,
        reads,
        tracepoint::{
            Host,
            Probe,
            ProbeSpec,
            ProbeState,
            Probes, //
        },
        workqueue::{
            DoorbellTicker,
            Tick, //
        },
    },
    ledgers::Ledgers,
    probes, settings,
    words::{
        Form,
        Function,
        Group, //
    },
};
use kernel::{
    new_mutex,
    prelude::*,
    sync::{
        atomic::Atomic,
        Arc,
        Mutex, //
    },
};

impl Host for Ledgers {
    const WANTED: &'static [ProbeSpec] = &probes::WANTED;

    fn probes(&self) -> &[Probe] {
        self.states.probes()
    }

    fn stalling(&self) -> [&Atomic<usize>; 2] {
        [
            self.stalls.open.counter(),
            self.stalls.locks.waiter_counter(),
        ]
    }

    fn off(&self, group: Option<Group>) -> Option<ProbeState> {
        off(group)
    }

    fn module_gone(&self) {
        self.callers.forget();
    }

    fn module_switched(&self, module: &str, here: bool) {
        module_switched(module, here);
    }
}

/// Returns why the probes of a group (or those of no group) are not to be attached; `None` if they
/// are.
fn off(group: Option<Group>) -> Option<ProbeState> {
    if group.is_some_and(|g| !settings::group(g)) {
        Some(ProbeState::Off)
    } else if !settings::enabled() {
        Some(ProbeState::Paused)
    } else {
        None
    }
}

/// The probes, and the ledgers that they feed.
struct Board {
    /// `None` before the module is unloaded.
    ledgers: Option<Arc<Ledgers>>,
    functions: [Option<FunctionProbe<Ledgers>>; Function::COUNT],
    /// Calls that were missed by probes that are detached by now.
    missed: MissedCalls,
    // Dropped after the function probes, whose groups can be switched as long as these probes are
    // there.
    probes: Option<Pin<KBox<Probes<Ledgers>>>>,
}

static BOARD: LateInit<Mutex<Board>> = LateInit::new();

/// Why a function is not to be probed, if it is not.
fn unprobed_state(ledgers: &Ledgers, function: Function) -> Option<ProbeState> {
    // Without what tells that zswap is switched on it has to be watched.
    let needed = ledgers.needs.function(function)
        || function == Function::ZswapStore
            && ledgers.states.function(Function::ZswapSwitch) != ProbeState::Attached;
    off(function.group()).or((!needed).then_some(ProbeState::Resting))
}

/// Hears of what need not be probed, and of what has to be.
struct ProbeUpdater(Arc<Ledgers>);

impl Tick for ProbeUpdater {
    fn tick(&self) -> u32 {
        update_probes(&self.0);
        0
    }
}

/// Takes the probes off functions that would tell nothing, or puts them on again. Process context;
/// sleeps.
fn update_probes(ledgers: &Ledgers) {
    let Some(board) = BOARD.get() else {
        return;
    };
    let mut board = board.lock();
    board.attach(|_| true);
    board.detach(|function| unprobed_state(ledgers, function) == Some(ProbeState::Resting));
    // What was written without a probe that is there now.
    ledgers.windows.forget_repeats();
}

/// Asks whether zswap is on, which who switches it tells from now on. In a task that sees sysfs
/// where it belongs; sleeps.
fn query_zswap(ledgers: &Ledgers) {
    ledgers.needs.note_zswap_query();
    if reads::zswap_on() == Some(false) {
        ledgers.needs.note_zswap_off();
    }
    update_probes(ledgers);
}

impl Board {
    /// Attaches the probes of those `wanted` functions whose group is on. The state of each is
    /// noted in the ledgers.
    fn attach(&mut self, wanted: impl Fn(Function) -> bool) {
        let Some(ledgers) = &self.ledgers else {
            return;
        };
        for (&function, place) in Function::ALL.iter().zip(&mut self.functions) {
            if !wanted(function) || place.is_some() {
                continue;
            }
            let state = match unprobed_state(ledgers, function) {
                Some(off) => off,
                None => match FunctionProbe::new(function, ledgers.clone()) {
                    Ok(probe) => {
                        *place = Some(probe);
                        ProbeState::Attached
                    }
                    Err(state) => state,
                },
            };
            ledgers.states.set_function(function, state);
        }
    }

    /// Detaches the probes of the `wanted` functions, and waits for their handlers.
    fn detach(&mut self, wanted: impl Fn(Function) -> bool) {
        for (&function, place) in Function::ALL.iter().zip(&mut self.functions) {
            let probe = if wanted(function) { place.take() } else { None };
            let Some(probe) = probe else {
                continue;
            };
            self.missed = self.missed.and(probe.missed());
            if let Some(ledgers) = &self.ledgers {
                let state = unprobed_state(ledgers, function).unwrap_or(ProbeState::Off);
                ledgers.states.set_function(function, state);
            }
        }
    }

    /// Notes for each group whether its probes are attached.
    fn set_all_live(&self) {
        for &group in Group::ALL {
            self.set_live(group, off(Some(group)).is_none());
        }
    }

    fn set_live(&self, group: Group, live: bool) {
        if let Some(ledgers) = &self.ledgers {
            ledgers.states.set_live(group, live);
        }
    }
}

/// Keeps the probes attached while the module is loaded. On drop they are detached, and the last
/// handler has ended.
pub(crate) struct AttachedProbes {
    // Dropped after that: no handler rings any more.
    updater: Option<DoorbellTicker<ProbeUpdater, Arc<Ledgers>>>,
}

impl AttachedProbes {
    /// Attaches all probes that can be attached. The ledgers have the state of each. Called once,
    /// by the module's init; fails with `EBUSY` the second time.
    pub(crate) fn new(ledgers: Arc<Ledgers>) -> Result<Self> {
        let recorded = settings::enabled();
        let mut board = Board {
            // The probes of events that end something are attached before those that begin it.
            probes: Some(KBox::pin_init(Probes::new(ledgers.clone()), GFP_KERNEL)?),
            ledgers: Some(ledgers.clone()),
            functions: [const { None }; Function::COUNT],
            missed: MissedCalls::default(),
        };
        board.attach(|_| true);
        board.set_all_live();
        BOARD.init(new_mutex!(board, "BOARD"))?;
        // From here on all is detached again if something fails.
        let mut attached = Self { updater: None };
        // Modules may have been loaded before `BOARD` was there.
        if let Some(board) = BOARD.get() {
            board.lock().attach(|f| f.module().is_some());
        }
        // Parameters may have been set before `BOARD` was there.
        if settings::enabled() != recorded {
            pause_or_resume()?;
        }
        for &group in Group::ALL {
            if ledgers.states.is_live(group) != off(Some(group)).is_none() {
                switch(group)?;
            }
        }
        let updater = DoorbellTicker::new(
            Arc::new(ProbeUpdater(ledgers.clone()), GFP_KERNEL)?,
            ledgers.clone(),
        )?;
        attached.updater = Some(updater);
        query_zswap(&ledgers);
        Ok(attached)
    }
}

impl Drop for AttachedProbes {
    fn drop(&mut self) {
        let Some(board) = BOARD.get() else {
            return;
        };
        let mut board = board.lock();
        for &group in Group::ALL {
            board.set_live(group, false);
        }
        board.detach(|_| true);
        board.ledgers = None;
        let probes = board.probes.take();
        drop(board);
        // This is done without the lock, because it walks the list of modules with tracepoints.
        drop(probes);
    }
}

/// Attaches or detaches the probes of a group, according to its parameter, which is already set.
/// Before the module's init this has no effect.
pub(crate) fn switch(group: Group) -> Result {
    let Some(board) = BOARD.get() else {
        return Ok(());
    };
    let mut board = board.lock();
    let Some(ledgers) = board.ledgers.clone() else {
        return Ok(());
    };
    if settings::group(group) {
        if let Some(probes) = &board.probes {
            probes.attach_group(group)?;
        }
        board.attach(|f| f.group() == Some(group));
        ledgers.states.set_live(group, off(Some(group)).is_none());
    } else {
        ledgers.states.set_live(group, false);
        board.detach(|f| f.group() == Some(group));
        // The state of those that could not be attached is "off" now, too.
        board.attach(|f| f.group() == Some(group));
        if let Some(probes) = &board.probes {
            probes.detach_group(group);
        }
        ledgers.forget(group);
    }
    Ok(())
}

/// Attaches or detaches all probes, according to `enabled`, which is already set. A task that is
/// inside reclaim, or waits, is seen again from its next window or wait on, as when the module is
/// loaded. Before the module's init this has no effect.
pub(crate) fn pause_or_resume() -> Result {
    let Some(place) = BOARD.get() else {
        return Ok(());
    };
    let mut board = place.lock();
    let Some(ledgers) = board.ledgers.clone() else {
        return Ok(());
    };
    for &group in Group::ALL {
        board.set_live(group, false);
    }
    board.detach(|_| true);
    let probes = board.probes.take();
    drop(board);
    // This is done without the lock, because it walks the list of modules with tracepoints.
    drop(probes);
    ledgers.pause();
    // Even while paused these know of each event whether it could be attached.
    let probes = KBox::pin_init(Probes::new(ledgers.clone()), GFP_KERNEL)?;
    let mut board = place.lock();
    if board.ledgers.is_none() {
        // The module is being unloaded.
        drop(board);
        drop(probes);
        return Ok(());
    }
    board.probes = Some(probes);
    board.attach(|_| true);
    board.set_all_live();
    drop(board);
    if settings::enabled() {
        query_zswap(&ledgers);
    }
    Ok(())
}

/// Called when a module whose functions may be probed was loaded, or is about to be unloaded. The
/// kernel holds the lock of its list of modules with tracepoints, which nobody takes while holding
/// `BOARD`.
fn module_switched(module: &str, here: bool) {
    let Some(board) = BOARD.get() else {
        return;
    };
    let mut board = board.lock();
    let its = |f: Function| f.module() == Some(module);
    if here {
        board.attach(its);
        return;
    }
    board.detach(its);
    if let Some(ledgers) = &board.ledgers {
        for &function in Function::ALL.iter().filter(|&&f| its(f)) {
            let state = ledgers.states.function(function);
            if state == ProbeState::Paused
                || state == ProbeState::Off && function.group().is_none_or(settings::group)
            {
                ledgers.states.set_function(function, ProbeState::Waiting);
            }
        }
    }
}

/// Returns the form in which a function is probed; `None` if it is not.
pub(crate) fn form(function: Function) -> Option<Form> {
    let board = BOARD.get()?.lock();
    let probe = board.functions.get(function as usize)?.as_ref()?;
    Some(probe.form())
}

/// Returns the number of calls that the probes of functions missed.
pub(crate) fn missed() -> MissedCalls {
    let Some(board) = BOARD.get() else {
        return MissedCalls::default();
    };
    let board = board.lock();
    let probes = board.functions.iter().flatten();
    probes
        .map(FunctionProbe::missed)
        .fold(board.missed, MissedCalls::and)
}
