// SPDX-License-Identifier: GPL-2.0

//! The probes that feed the ledgers, and switching groups of them.
//!
//! Locks: the kernel's for parameters, and that of its list of modules with tracepoints,
//! before `BOARD`, before those of tracepoints and function probes. Process context; all
//! sleep.

use crate::{
    kernel_ext::{
        fprobe::{
            FunctionProbe,
            Missed, //
        },
        late::Late,
        tracepoint::{
            Host,
            Probe,
            ProbeSpec,
            ProbeState,
            Probes, //
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

    fn stalling(&self) -> &Atomic<usize> {
        self.stalls.open.used()
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

/// Why the probes of that group, or of none, are not to be attached, if they are not.
fn off(group: Option<Group>) -> Option<ProbeState> {
    if group.is_some_and(|g| !settings::group(g)) {
        Some(ProbeState::Off)
    } else if !settings::enabled() {
        Some(ProbeState::Paused)
    } else {
        None
    }
}

/// The probes, and whom they feed.
struct Board {
    /// `None` when the module is going.
    ledgers: Option<Arc<Ledgers>>,
    functions: [Option<FunctionProbe<Ledgers>>; Function::COUNT],
    /// Calls that probes missed that are gone.
    missed: Missed,
    // After the function probes: they must be there for as long as groups of them can be
    // switched.
    probes: Option<Pin<KBox<Probes<Ledgers>>>>,
}

static BOARD: Late<Mutex<Board>> = Late::new();

impl Board {
    /// Probes those of `functions` whose group is on; the ledgers know which could not.
    fn attach(&mut self, wanted: impl Fn(Function) -> bool) {
        let Some(ledgers) = &self.ledgers else {
            return;
        };
        for (&function, place) in Function::ALL.iter().zip(&mut self.functions) {
            if !wanted(function) || place.is_some() {
                continue;
            }
            let state = match off(function.group()) {
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

    /// Takes the probes off functions, and waits for their handlers.
    fn detach(&mut self, wanted: impl Fn(Function) -> bool) {
        for (&function, place) in Function::ALL.iter().zip(&mut self.functions) {
            let probe = if wanted(function) { place.take() } else { None };
            let Some(probe) = probe else {
                continue;
            };
            self.missed = self.missed.and(probe.missed());
            if let Some(ledgers) = &self.ledgers {
                let state = off(function.group()).unwrap_or(ProbeState::Off);
                ledgers.states.set_function(function, state);
            }
        }
    }

    /// Says of each group whether it is there.
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

/// The probes, while the module is loaded; detached, with their handlers done, on drop.
pub(crate) struct Attached(());

impl Attached {
    /// Attaches what can be attached; the ledgers know what could not. For the module's init;
    /// `EBUSY` the second time.
    pub(crate) fn new(ledgers: Arc<Ledgers>) -> Result<Self> {
        let recorded = settings::enabled();
        let mut board = Board {
            // What ends something is attached before what begins it.
            probes: Some(KBox::pin_init(Probes::new(ledgers.clone()), GFP_KERNEL)?),
            ledgers: Some(ledgers.clone()),
            functions: [const { None }; Function::COUNT],
            missed: Missed::default(),
        };
        board.attach(|_| true);
        board.set_all_live();
        BOARD.make(new_mutex!(board, "BOARD"))?;
        // From its first drop on it is detached again.
        let attached = Self(());
        // Whose module came while we were not ready yet.
        if let Some(board) = BOARD.get() {
            board.lock().attach(|f| f.module().is_some());
        }
        // What was switched while we were not ready yet.
        if settings::enabled() != recorded {
            pause_or_resume()?;
        }
        for &group in Group::ALL {
            if ledgers.states.live(group) != off(Some(group)).is_none() {
                switch(group)?;
            }
        }
        Ok(attached)
    }
}

impl Drop for Attached {
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
        // Not under the lock: modules with tracepoints are gone through.
        drop(probes);
    }
}

/// Attaches or detaches a group's probes, as its parameter, already set, says. Before the
/// module's init it has no effect.
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
        // Those that were not attached are off now, too.
        board.attach(|f| f.group() == Some(group));
        if let Some(probes) = &board.probes {
            probes.detach_group(group);
        }
        ledgers.forget(group);
    }
    Ok(())
}

/// Attaches or detaches all probes, as `enabled`, already set, says. Tasks that are inside reclaim
/// or wait at that moment are known anew from their next window or wait on, as when the module is
/// loaded. Before the module's init it has no effect.
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
    // Not under the lock: modules with tracepoints are gone through.
    drop(probes);
    ledgers.pause();
    // They know of each event whether it could be attached, also where none is.
    let probes = KBox::pin_init(Probes::new(ledgers.clone()), GFP_KERNEL)?;
    let mut board = place.lock();
    if board.ledgers.is_none() {
        // The module is going.
        drop(board);
        drop(probes);
        return Ok(());
    }
    board.probes = Some(probes);
    board.attach(|_| true);
    board.set_all_live();
    Ok(())
}

/// A module whose functions may be probed is here, or is going. Called with the kernel's
/// list of modules with tracepoints locked, which nobody locks who has `BOARD`.
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

/// In what form a function is probed, if it is.
pub(crate) fn form(function: Function) -> Option<Form> {
    let board = BOARD.get()?.lock();
    let probe = board.functions.get(function as usize)?.as_ref()?;
    Some(probe.form())
}

/// Calls of probed functions that were not seen.
pub(crate) fn missed() -> Missed {
    let Some(board) = BOARD.get() else {
        return Missed::default();
    };
    let board = board.lock();
    let probes = board.functions.iter().flatten();
    probes
        .map(FunctionProbe::missed)
        .fold(board.missed, Missed::and)
}
