// SPDX-License-Identifier: GPL-2.0

//! The states of the probes and of their groups.

use crate::{
    kernel_ext::{
        cell::peek,
        tracepoint::{
            Probe,
            ProbeState, //
        },
    },
    words::{
        Event,
        Function,
        Group, //
    },
};
use kernel::sync::atomic::{
    Atomic,
    Relaxed, //
};

/// The states of all probes. Any context may read them.
pub(crate) struct States {
    probes: [Probe; Event::COUNT],
    /// The states of the function probes, as numbers of [`ProbeState`].
    functions: [Atomic<i32>; Function::COUNT],
    /// Whether each group is live: see [`States::is_live`].
    live: [Atomic<bool>; Group::COUNT],
}

impl States {
    /// Creates the states of probes that are not attached.
    pub(crate) const fn new() -> Self {
        Self {
            probes: [const { Probe::new() }; Event::COUNT],
            functions: [const { Atomic::new(ProbeState::Missing.to_raw()) }; Function::COUNT],
            live: [const { Atomic::new(false) }; Group::COUNT],
        }
    }

    /// Returns the probes of events, in the order of [`Event`].
    pub(crate) fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// Returns the state of the probe of an event.
    pub(crate) fn state(&self, event: Event) -> ProbeState {
        self.probes
            .get(event as usize)
            .map_or(ProbeState::Missing, Probe::state)
    }

    /// Whether the probe of an event is attached.
    pub(crate) fn is_attached(&self, event: Event) -> bool {
        self.state(event) == ProbeState::Attached
    }

    /// Sets the state of the probe of a function.
    pub(crate) fn set_function(&self, function: Function, state: ProbeState) {
        if let Some(there) = self.functions.get(function as usize) {
            there.store(state.to_raw(), Relaxed);
        }
    }

    /// Returns the state of the probe of a function.
    pub(crate) fn function(&self, function: Function) -> ProbeState {
        self.functions
            .get(function as usize)
            .map_or(ProbeState::Missing, |s| ProbeState::from_raw(peek(s)))
    }

    /// Whether all probes of a group are attached, as far as that is possible. As long as only some
    /// of them are, their events would give wrong counts.
    pub(crate) fn is_live(&self, group: Group) -> bool {
        self.live.get(group as usize).is_some_and(peek)
    }

    /// Sets whether a group is live: see [`is_live`](Self::is_live).
    pub(crate) fn set_live(&self, group: Group, live: bool) {
        if let Some(there) = self.live.get(group as usize) {
            there.store(live, Relaxed);
        }
    }
}
