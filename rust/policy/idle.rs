// SPDX-License-Identifier: GPL-2.0

//! A thread that sleeps until there is something to do, and those who wake it: only when
//! it says that it sleeps, and one of them for all.
//!
//! That takes an order. The thread says that it sleeps when a wakeup already counts (its
//! task state is set), and looks for work after that. Said before, a wakeup by one could
//! be spent on a thread that still runs, and who then has what it waits for would find
//! that someone has woken it. Both sides exchange the flag, so that one of two comes
//! first: either the thread sees the work, or who made it sees that it sleeps.
//!
//! tests/idle.rs runs this under loom, in all orders.

/// What says that the thread sleeps.
pub trait Flag {
    /// Sets it, gives back what it was; fully ordered.
    fn swap(&self, asleep: bool) -> bool;
}

/// How the thread sleeps, as set_current_state() and schedule_timeout() do.
pub trait Sleeper {
    /// From here on who wakes it ends its next sleep.
    fn begin(&self);
    /// Sleeps unless it was woken.
    fn sleep(&self);
    /// It is awake.
    fn end(&self);
}

/// Sleeps unless `ready` holds, which must not sleep.
pub fn sleep(flag: &impl Flag, me: &impl Sleeper, ready: impl FnOnce() -> bool) {
    me.begin();
    flag.swap(true);
    if !ready() {
        me.sleep();
    }
    me.end();
    flag.swap(false);
}

/// Calls `wake` if the thread sleeps. What it is to find ready was made so before.
pub fn rouse(flag: &impl Flag, wake: impl FnOnce()) {
    if flag.swap(false) {
        wake();
    }
}
