// SPDX-License-Identifier: GPL-2.0

//! Who takes pages from the reserves, and what ends a wait for them.

use super::classify::Caller;

/// For whom a page is that was allocated without regard to the watermarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum User {
    /// A task that reclaims, for reclaim's own needs: PF_MEMALLOC.
    Reclaimer,
    /// A swap writer of ours.
    Writer,
    /// Whoever sends a request over an NBD connection.
    NbdSend,
    /// Who receives NBD's replies.
    NbdReceive,
    /// Packets that arrive: for a socket that frees memory, or for any, that is not known
    /// before they are looked at.
    NetReceive,
    /// Any other interrupt.
    Interrupt,
    /// Anybody else: by call site.
    Other,
}

impl User {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Each with its name.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Reclaimer, "reclaimer"),
        (Self::Writer, "writer"),
        (Self::NbdSend, "nbd_send"),
        (Self::NbdReceive, "nbd_receive"),
        (Self::NetReceive, "net_receive"),
        (Self::Interrupt, "interrupt"),
        (Self::Other, "other"),
    ];

    /// Who it is. `task`: in a task's own context; `by`: the innermost of the callers that
    /// say so ([`tells`]); `window`: the task reclaims; `writer`: it is one of ours.
    pub fn of(task: bool, by: Option<Caller>, window: bool, writer: bool) -> Self {
        match by {
            Some(Caller::NetReceive) => Self::NetReceive,
            // What it interrupted is on the stack below it, and none of its business.
            _ if !task => Self::Interrupt,
            Some(Caller::Nbd) => Self::NbdSend,
            Some(Caller::NbdReceive) => Self::NbdReceive,
            _ if writer => Self::Writer,
            _ if window => Self::Reclaimer,
            _ => Self::Other,
        }
    }
}

/// Whether such a caller tells for whom a page is.
pub fn tells(caller: Caller) -> bool {
    matches!(
        caller,
        Caller::Nbd | Caller::NbdReceive | Caller::NetReceive
    )
}

/// What ended a wait for the reserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// kswapd: there is enough of them again.
    Refilled,
    /// The task may not wait for a filesystem, and has waited for long enough.
    Timeout,
    /// A signal.
    Signal,
}

impl Woken {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Each with its name.
    pub const ALL: [(Self, &'static str); 3] = [
        (Self::Refilled, "refilled"),
        (Self::Timeout, "timeout"),
        (Self::Signal, "signal"),
    ];

    /// From the kernel's `err`; `timed_out` is its -ETIME.
    pub fn of(err: i32, timed_out: i32) -> Self {
        match err {
            0 => Self::Refilled,
            e if e == timed_out => Self::Timeout,
            _ => Self::Signal,
        }
    }
}
