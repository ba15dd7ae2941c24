// SPDX-License-Identifier: GPL-2.0

//! A task's waits for memory: what it waits for, and how much of that PSI counts.
//!
//! A wait lasts from the first thing that a task waits in to the end of the last one; what
//! it began with is what it is for. PSI's sections (psi_memstall_enter() to
//! psi_memstall_leave()) may lie inside, or be all of it.

use super::classify::Caller;

/// What a task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum WaitKind {
    /// A page that was swapped out is read.
    Swapin,
    /// A page of a file that was reclaimed a short time ago is read again.
    Refault,
    /// The task dirties pages faster than its device writes them.
    Dirty,
    /// An allocation reclaims or compacts; where its time goes is the stall ledger's.
    Stall,
    /// The cgroup is above memory.high: its reclaim, and the penalty.
    High,
    /// The block layer makes the cgroup pay for I/O that its reclaim caused.
    IoThrottle,
    /// A thread of the kernel, such as kswapd or kcompactd: nobody waits for it here.
    Kernel,
    /// PSI counts it, and it is none of these.
    Unexplained,
}

/// How many kinds there are.
pub const KINDS: usize = WaitKind::ALL.len();

/// How many of them, the first ones, are for a device, and because of a limit.
pub const IO_KINDS: usize = WaitKind::Dirty as usize + 1;

impl WaitKind {
    /// All of them, with their names in the ledger.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Swapin, "swapin"),
        (Self::Refault, "refault"),
        (Self::Dirty, "dirty"),
        (Self::Stall, "stall"),
        (Self::High, "high"),
        (Self::IoThrottle, "io_throttle"),
        (Self::Kernel, "kernel"),
        (Self::Unexplained, "unexplained"),
    ];

    /// What a section of PSI's is for that a function of that kind begins, in a thread of
    /// the kernel or not.
    pub const fn of_section(caller: Caller, kernel: bool) -> Self {
        match caller {
            Caller::SwapRead => Self::Swapin,
            Caller::FileRead => Self::Refault,
            _ if kernel => Self::Kernel,
            Caller::MemcgHigh => Self::High,
            Caller::MemcgMax | Caller::Window | Caller::Allocating => Self::Stall,
            Caller::IoThrottle => Self::IoThrottle,
            _ => Self::Unexplained,
        }
    }
}

/// Whose limit a page was reclaimed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Limit {
    /// No cgroup is at its limit: all of memory was short.
    Global,
    /// memory.high of a cgroup.
    High,
    /// memory.max of a cgroup.
    Max,
}

/// How many limits there are.
pub const LIMITS: usize = Limit::ALL.len();

impl Limit {
    /// All of them, with their names in the ledger.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Global, "global"),
        (Self::High, "high"),
        (Self::Max, "max"),
    ];
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
