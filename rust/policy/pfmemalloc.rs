// SPDX-License-Identifier: GPL-2.0

//! Who takes pages from the reserves.

use super::classify::Caller;
use crate::words::User;

/// For whom a page is that was allocated without regard to the watermarks. `task`: in a task's
/// own context; `by`: the innermost of the callers that say so ([`tells`]); `window`: the task reclaims; `writer`: it is one of ours.
pub fn user(task: bool, by: Option<Caller>, window: bool, writer: bool) -> User {
    match by {
        Some(Caller::NetReceive) => User::NetReceive,
        // What it interrupted is on the stack below it, and none of its business.
        _ if !task => User::Interrupt,
        Some(Caller::Nbd) => User::NbdSend,
        Some(Caller::NbdReceive) => User::NbdReceive,
        _ if writer => User::Writer,
        _ if window => User::Reclaimer,
        _ => User::Other,
    }
}

/// Whether such a caller tells for whom a page is.
pub fn tells(caller: Caller) -> bool {
    matches!(
        caller,
        Caller::Nbd | Caller::NbdReceive | Caller::NetReceive
    )
}
