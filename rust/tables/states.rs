// SPDX-License-Identifier: GPL-2.0

//! Which probes are attached, and which groups of them are live.

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

/// States of all probes. Any context reads them.
pub(crate) struct States {
    probes: [Probe; Event::COUNT],
    /// States of the function probes; see [`ProbeState`].
    functions: [Atomic<i32>; Function::COUNT],
    /// See [`States::live`].
    live: [Atomic<bool>; Group::COUNT],
}

impl States {
    /// None is attached.
    pub(crate) const fn new() -> Self {
        Self {
            probes: [const { Probe::new() }; Event::COUNT],
            functions: [const { Atomic::new(ProbeState::Missing.to_raw()) }; Function::COUNT],
            live: [const { Atomic::new(false) }; Group::COUNT],
        }
    }

    /// The probes of events, in the order of [`Event`].
    pub(crate) fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// Whether the probe of an event is attached.
    pub(crate) fn state(&self, event: Event) -> ProbeState {
        self.probes
            .get(event as usize)
            .map_or(ProbeState::Missing, Probe::state)
    }

    /// Whether the probe of an event is attached.
    pub(crate) fn attached(&self, event: Event) -> bool {
        self.state(event) == ProbeState::Attached
    }

    /// Notes whether a function is probed.
    pub(crate) fn set_function(&self, function: Function, state: ProbeState) {
        if let Some(there) = self.functions.get(function as usize) {
            there.store(state.to_raw(), Relaxed);
        }
    }

    /// Whether a function is probed.
    pub(crate) fn function(&self, function: Function) -> ProbeState {
        self.functions
            .get(function as usize)
            .map_or(ProbeState::Missing, |s| ProbeState::from_raw(peek(s)))
    }

    /// Whether a group's probes are all attached, as far as they can be. A part of what
    /// they tell would be wrong.
    pub(crate) fn live(&self, group: Group) -> bool {
        self.live.get(group as usize).is_some_and(peek)
    }

    /// See [`live`](Self::live).
    pub(crate) fn set_live(&self, group: Group, live: bool) {
        if let Some(there) = self.live.get(group as usize) {
            there.store(live, Relaxed);
        }
    }
}
