// SPDX-License-Identifier: GPL-2.0

//! Handler for cgroups: one is removed.

use crate::{
    ledgers::Ledgers,
    policy::cgroup_key::CgroupKey, //
};

/// A cgroup that memory may be charged to is removed, whose path was this. What it had counted
/// stays, until its rows are needed.
pub(crate) fn removed(obs: &Ledgers, key: CgroupKey, path: &[u8]) {
    obs.known.removed(key, path);
}
