// SPDX-License-Identifier: GPL-2.0

//! A task's waits for memory: what it waits for, and how much of that PSI counts.
//!
//! A wait lasts from the first thing that a task waits in to the end of the last one; what
//! it began with is what it is for. PSI's sections (psi_memstall_enter() to
//! psi_memstall_leave()) may lie inside, or be all of it.

use super::classify::Caller;
use crate::words::WaitKind;

/// How many kinds, the first ones, are for a device, and because of a limit.
pub const IO_KINDS: usize = WaitKind::Dirty as usize + 1;

/// What a section of PSI's is for that a function of that kind begins, in a thread of
/// the kernel or not.
pub const fn of_section(caller: Caller, kernel: bool) -> WaitKind {
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

/// A wait that goes on.
#[derive(Clone, Copy, Debug)]
pub struct Wait {
    kind: WaitKind,
    began: u64,
    /// What the task is in, sections included.
    depth: u32,
    sections: u32,
    section_began: u64,
    psi_ns: u64,
}

impl Wait {
    /// Begins at the time `now`, in nanoseconds, outside of any section.
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

    /// Begins with a section.
    pub const fn section(kind: WaitKind, now: u64) -> Self {
        Self {
            sections: 1,
            section_began: now,
            ..Self::new(kind, now)
        }
    }

    /// What it is for.
    pub const fn kind(&self) -> WaitKind {
        self.kind
    }

    /// The task waits in one thing more.
    pub fn nest(&mut self) {
        self.depth = self.depth.saturating_add(1);
    }

    /// One less; true when that was the last.
    pub fn unnest(&mut self) -> bool {
        self.depth = self.depth.saturating_sub(1);
        self.depth == 0
    }

    /// A section begins inside.
    pub fn enters(&mut self, now: u64) {
        if self.sections == 0 {
            self.section_began = now;
        }
        self.sections = self.sections.saturating_add(1);
        self.nest();
    }

    /// A section ends; true when nothing is left. One whose beginning was not seen does not
    /// count.
    pub fn leaves(&mut self, now: u64) -> bool {
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

    /// How long it took, and how much of that PSI counts, in nanoseconds.
    pub const fn ended(&self, now: u64) -> (u64, u64) {
        let ns = now.saturating_sub(self.began);
        let psi = if self.psi_ns < ns { self.psi_ns } else { ns };
        (ns, psi)
    }
}
