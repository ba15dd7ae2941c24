// SPDX-License-Identifier: GPL-2.0

//! Handler for cgroups that are removed.

use crate::{
    ledgers::Ledgers,
    policy::cgroup_key::CgroupKey, //
};

/// Notes that a cgroup to which memory may be charged is removed. `path` was its path. Its counts
/// stay until its rows are needed.
pub(crate) fn removed(ledgers: &Ledgers, key: CgroupKey, path: &[u8]) {
    ledgers.known.removed(key, path);
}
