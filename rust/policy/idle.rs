// SPDX-License-Identifier: GPL-2.0

//! A thread that sleeps until there is work, and the tasks that wake it. They wake it only if it
//! has announced its sleep, and only one of them does so.
//!
//! This needs an order. The thread first sets its task state, from which on a wakeup counts. Then
//! it announces its sleep, and then it looks for work. If it announced its sleep first, a task
//! could spend its wakeup on the thread while that still runs. Another task that then has the work
//! for which the thread waits would see that it was woken already.
//!
//! Both sides exchange the flag, so one of them comes first: either the thread sees the work, or
//! the task that made it sees that the thread sleeps.
//!
//! tests/idle.rs runs this under loom, in all orders.

/// The announcement that the thread sleeps.
pub trait Flag {
    /// Sets the flag and returns its old value. Fully ordered.
    fn swap(&self, asleep: bool) -> bool;
}

/// The sleep of the thread, as set_current_state() and schedule_timeout() do it.
pub trait Sleeper {
    /// From here on a wakeup ends the next sleep.
    fn begin(&self);
    /// Sleeps, unless the thread was woken since `begin`.
    fn sleep(&self);
    /// Ends the sleep.
    fn end(&self);
}

/// Sleeps, unless `ready` returns true. `ready` itself must not sleep.
pub fn sleep(flag: &impl Flag, me: &impl Sleeper, ready: impl FnOnce() -> bool) {
    me.begin();
    flag.swap(true);
    if !ready() {
        me.sleep();
    }
    me.end();
    flag.swap(false);
}

/// Calls `wake` if the thread has announced its sleep. The caller must have made the work visible
/// before.
pub fn rouse(flag: &impl Flag, wake: impl FnOnce()) {
    if flag.swap(false) {
        wake();
    }
}
