// SPDX-License-Identifier: GPL-2.0
//! Keeps the tool in memory: when it watches a machine that has no memory left, it must not wait for its own pages.

use rustix::mm::{MlockAllFlags, mlockall};

/// Locks the memory that the process has, and the memory that it gets later, once it is touched (without that, the
/// whole stack of each thread would be allocated). Without the privilege (`CAP_IPC_LOCK`, `ulimit -l`) everything still
/// works, but the process may have to wait, so a failure is not reported. Commands that are started later do not
/// inherit the lock.
pub fn stay() {
    if mlockall(MlockAllFlags::CURRENT).is_ok() {
        // If this fails, only the memory that comes later is not locked.
        let _ = mlockall(MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT);
    }
}
