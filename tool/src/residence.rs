// SPDX-License-Identifier: GPL-2.0
//! Staying in memory: who watches a machine that has none left must not wait for its own pages.

use rustix::mm::{MlockAllFlags, mlockall};

/// Locks what the process has, and what it takes from now on, as it is touched: the stack of a thread would otherwise
/// be there as a whole. Without the privilege (`CAP_IPC_LOCK`, `ulimit -l`) everything works as before, only that it
/// may wait; so nobody is told. Commands that are started later do not inherit it.
pub fn stay() {
    if mlockall(MlockAllFlags::CURRENT).is_ok() {
        // Without it what comes is as it was.
        let _ = mlockall(MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT);
    }
}
