// SPDX-License-Identifier: GPL-2.0

//! The probes that feed the observer, and switching groups of them.
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
        tracepoint::{
            Probes,
            State, //
        },
    },
    ledgers::Observer,
    settings, shim,
    words::{
        Function,
        Group, //
    },
};
use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Arc, //
    },
};

/// The function probes, and whom they feed.
struct Board {
    observer: Option<Arc<Observer>>,
    functions: [Option<FunctionProbe>; Function::COUNT],
    /// Calls that probes missed that are gone.
    missed: Missed,
}

kernel::sync::global_lock! {
    // SAFETY: `Functions::new()` initializes it before it sets `READY`, without which
    // nobody looks at it.
    unsafe(uninit) static BOARD: Mutex<Board> = Board {
        observer: None,
        functions: [const { None }; Function::COUNT],
        missed: Missed {
            calls: 0,
            interrupts: 0,
        },
    };
}

/// `BOARD`: 0 not yet, 1 it is being made, 2 it may be looked at.
static READY: Atomic<i32> = Atomic::new(0);

fn ready() -> bool {
    READY.load(Acquire) == 2
}

impl Board {
    /// Probes those of `functions` whose group is on; the observer knows which could not.
    fn attach(&mut self, wanted: impl Fn(Function) -> bool) {
        let Some(observer) = &self.observer else {
            return;
        };
        for (&function, place) in Function::ALL.iter().zip(&mut self.functions) {
            if !wanted(function) || place.is_some() {
                continue;
            }
            let state = if function.group().is_some_and(|g| !settings::group(g)) {
                State::Off
            } else {
                let data = Arc::as_ptr(observer).cast_mut().cast();
                // SAFETY: The handlers expect an `Observer`. Probes are dropped before
                // `observer` is: in `detach()`, or in that of `Functions`.
                match unsafe { FunctionProbe::new(function, data) } {
                    Ok(probe) => {
                        *place = Some(probe);
                        State::Attached
                    }
                    Err(state) => state,
                }
            };
            observer.set_function(function, state);
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
            if let Some(observer) = &self.observer {
                observer.set_function(function, State::Off);
            }
        }
    }
}

fn observer_live(board: &Board, group: Group, live: bool) {
    if let Some(observer) = &board.observer {
        observer.set_live(group, live);
    }
}

/// The function probes, while the module is loaded.
struct Functions(());

impl Functions {
    /// For the module's init; `EBUSY` the second time.
    fn new(observer: Arc<Observer>) -> Result<Self> {
        if READY.cmpxchg(0, 1, Acquire).is_err() {
            return Err(EBUSY);
        }
        // SAFETY: We are the only one to come here, as we changed `READY` from 0,
        // to which it never returns; nobody looks at `BOARD` before it is 2.
        unsafe { BOARD.init() };
        let mut board = BOARD.lock();
        let fed = observer.clone();
        board.observer = Some(observer);
        board.attach(|_| true);
        for &group in Group::ALL {
            observer_live(&board, group, settings::group(group));
        }
        drop(board);
        READY.store(2, Release);
        // Whose module came while we were not ready yet.
        BOARD.lock().attach(|f| f.module().is_some());
        // From its first drop on it is detached again.
        let functions = Self(());
        // What was switched while we were not ready yet.
        for &group in Group::ALL {
            if fed.live(group) != settings::group(group) {
                switch(group)?;
            }
        }
        Ok(functions)
    }
}

impl Drop for Functions {
    fn drop(&mut self) {
        let mut board = BOARD.lock();
        for &group in Group::ALL {
            observer_live(&board, group, false);
        }
        board.detach(|_| true);
        board.observer = None;
    }
}

/// C looks whether anybody stalls before it calls us.
struct Counted {
    /// Holds the count, which C looks at as long as we are here.
    _observer: Arc<Observer>,
}

impl Counted {
    fn new(observer: Arc<Observer>) -> Self {
        // SAFETY: The count lives as long as the observer, which `drop()` outlives.
        unsafe { shim::rwb_count_stalls_in(observer.stalls.open.used()) };
        Self {
            _observer: observer,
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // SAFETY: No count any more. Nobody looks at the one that was: the probes that do
        // are dropped before us, and their handlers done.
        unsafe { shim::rwb_count_stalls_in(core::ptr::null()) };
    }
}

/// The probes; detached, with their handlers done, on drop.
#[pin_data]
pub(crate) struct Attached {
    // Before the tracepoint probes, which must be there for as long as groups of them can
    // be switched.
    functions: Functions,
    #[pin]
    probes: Probes<Observer>,
    // After all probes.
    counted: Counted,
}

impl Attached {
    /// Attaches what can be attached; the observer knows what could not.
    pub(crate) fn new(observer: Arc<Observer>) -> impl PinInit<Self, Error> {
        let fed = observer.clone();
        // SAFETY: All functions of `rwb_probe_func()` pass their data to the
        // entries in `entry`, which expect an `Observer`.
        let probes = unsafe { Probes::new(observer) };
        try_pin_init!(Self {
            counted: Counted::new(fed.clone()),
            // What ends something is attached before what begins it.
            probes <- probes,
            functions: Functions::new(fed)?,
        })
    }
}

/// Attaches or detaches a group's probes, as its parameter, already set, says. Before the
/// module's init it has no effect.
pub(crate) fn switch(group: Group) -> Result {
    if !ready() {
        return Ok(());
    }
    let mut board = BOARD.lock();
    let Some(observer) = board.observer.clone() else {
        return Ok(());
    };
    if settings::group(group) {
        // SAFETY: As `board.observer` is there, `Functions` was not dropped, and so
        // `Attached::probes`, made for the same observer, was not either: they go in
        // that order. They detach all that is attached.
        unsafe { Probes::attach_group(&observer, group) }?;
        board.attach(|f| f.group() == Some(group));
        observer.set_live(group, true);
    } else {
        observer.set_live(group, false);
        board.detach(|f| f.group() == Some(group));
        Probes::detach_group(&observer, group);
        observer.forget(group);
    }
    Ok(())
}

/// A module whose functions may be probed is here, or is going. Called with the kernel's
/// list of modules with tracepoints locked, which nobody locks who has `BOARD`.
pub(crate) fn module_switched(module: &str, here: bool) {
    if !ready() {
        return;
    }
    let mut board = BOARD.lock();
    let its = |f: Function| f.module() == Some(module);
    if here {
        board.attach(its);
        return;
    }
    board.detach(its);
    if let Some(observer) = &board.observer {
        for &function in Function::ALL.iter().filter(|&&f| its(f)) {
            if observer.function(function) == State::Off
                && function.group().is_none_or(settings::group)
            {
                observer.set_function(function, State::Waiting);
            }
        }
    }
}

/// Calls of probed functions that were not seen.
pub(crate) fn missed() -> Missed {
    if !ready() {
        return Missed::default();
    }
    let board = BOARD.lock();
    let probes = board.functions.iter().flatten();
    probes
        .map(FunctionProbe::missed)
        .fold(board.missed, Missed::and)
}
