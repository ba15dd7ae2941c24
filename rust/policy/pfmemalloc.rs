// SPDX-License-Identifier: GPL-2.0

//! Which users take pages from the reserves.

use super::classify::Caller;
use crate::words::User;

/// Returns the user of a page that was allocated without regard to the watermarks.
///
/// - `task`: the allocation was made in the context of a task.
/// - `by`: the innermost caller that tells the user ([`tells_user`]), if there is one.
/// - `window`: the task reclaims.
/// - `writer`: the task is a writer of the helper.
pub fn user(task: bool, by: Option<Caller>, window: bool, writer: bool) -> User {
    match by {
        Some(Caller::NetReceive) => User::NetReceive,
        // The task that was interrupted is further up the stack, and has nothing to do with the
        // page.
        _ if !task => User::Interrupt,
        Some(Caller::Nbd) => User::NbdSend,
        Some(Caller::NbdReceive) => User::NbdReceive,
        _ if writer => User::Writer,
        _ if window => User::Reclaimer,
        _ => User::Other,
    }
}

/// Whether this caller tells the user of a page.
pub fn tells_user(caller: Caller) -> bool {
    matches!(
        caller,
        Caller::Nbd | Caller::NbdReceive | Caller::NetReceive
    )
}
