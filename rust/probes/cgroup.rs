// SPDX-License-Identifier: GPL-2.0

//! Handler for cgroups: one is removed.

use crate::{
    ledgers::Ledgers,
    policy::cgroup_key::CgroupKey, //
};

/// A cgroup that memory may be charged to is removed, whose path was this. What it had counted
/// stays, until its rows are needed.
pub(crate) fn removed(ledgers: &Ledgers, key: CgroupKey, path: &[u8]) {
    ledgers.known.removed(key, path);
}
