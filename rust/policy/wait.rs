// SPDX-License-Identifier: GPL-2.0

//! The waits of a task for memory: what it waits for, and how much of that PSI counts.
//!
//! A wait lasts from the begin of the first thing in which a task waits to the end of the last one.
//! What it began with is its kind. A section of PSI (psi_memstall_enter() to psi_memstall_leave())
//! may lie inside a wait, or be all of it.

use super::classify::Caller;
use crate::words::WaitKind;

/// The number of kinds, the first ones, that are waits for a device, or because of a limit.
pub const IO_KINDS: usize = WaitKind::Dirty as usize + 1;

/// Returns the kind of a PSI section, by the caller that begins it and by whether the task is a
/// kernel thread.
pub const fn section_kind(caller: Caller, kernel: bool) -> WaitKind {
    match caller {
        Caller::SwapRead => WaitKind::Swapin,
        Caller::FileRead => WaitKind::Refault,
        _ if kernel => WaitKind::Kernel,
        Caller::MemcgHigh => WaitKind::High,
        Caller::MemcgMax | Caller::Window | Caller::Allocating => WaitKind::Stall,
        Caller::IoThrottle => WaitKind::IoThrottle,
        _ => WaitKind::Unexplained,
    }
}

/// A wait that goes on. Times are in nanoseconds of one clock.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    kind: WaitKind,
    began: u64,
    /// Number of nested things in which the task waits, including sections.
    depth: u32,
    sections: u32,
    section_began: u64,
    psi_ns: u64,
}

impl Wait {
    /// Begins a wait at the time `now`, outside of any section.
    pub const fn new(kind: WaitKind, now: u64) -> Self {
        Self {
            kind,
            began: now,
            depth: 1,
            sections: 0,
            section_began: 0,
            psi_ns: 0,
        }
    }

    /// Begins a wait with a section.
    pub const fn section(kind: WaitKind, now: u64) -> Self {
        Self {
            sections: 1,
            section_began: now,
            ..Self::new(kind, now)
        }
    }

    /// Returns the kind of the wait.
    pub const fn kind(&self) -> WaitKind {
        self.kind
    }

    /// Notes that the task begins to wait in another thing, inside the wait.
    pub fn nest(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }

    /// Notes that one of these things ended. Returns true if it was the last.
    pub fn unnest(&mut self) -> bool {
        self.depth = self.depth.saturating_sub(1);
        self.depth == 0
    }

    /// Notes that a section begins inside the wait.
    pub fn begin_section(&mut self, now: u64) {
        if self.sections == 0 {
            self.section_began = now;
        }
        self.sections = self.sections.saturating_add(1);
        self.nest();
    }

    /// Notes that a section ends. Returns true if it was the last of all things. A section whose
    /// begin was not seen does not count.
    pub fn end_section(&mut self, now: u64) -> bool {
        if self.sections == 0 {
            return false;
        }
        self.sections = self.sections.saturating_sub(1);
        if self.sections == 0 {
            let ns = now.saturating_sub(self.section_began);
            self.psi_ns = self.psi_ns.saturating_add(ns);
        }
        self.unnest()
    }

    /// Returns the length of the wait, and how much of it PSI counts, in nanoseconds.
    pub const fn ended(&self, now: u64) -> (u64, u64) {
        let ns = now.saturating_sub(self.began);
        let psi = if self.psi_ns < ns { self.psi_ns } else { ns };
        (ns, psi)
    }
}
