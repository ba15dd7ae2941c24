// SPDX-License-Identifier: GPL-2.0

//! Cgroups by id: an id is unique in its hierarchy, and only the ids of the
//! default (v2) hierarchy can be looked up.

/// A cgroup's id and whether it is of a v1 hierarchy, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CgroupKey(pub u64);

const V1: u64 = 1 << 63;

impl CgroupKey {
    /// Charged to no cgroup.
    pub const NONE: Self = Self(0);

    /// From an id, 0 for none.
    pub const fn new(id: u64, v1: bool) -> Self {
        if v1 {
            Self(id | V1)
        } else {
            Self(id & !V1)
        }
    }

    /// The id.
    pub const fn id(self) -> u64 {
        self.0 & !V1
    }

    /// True for a v1 hierarchy's.
    pub const fn is_v1(self) -> bool {
        self.0 & V1 != 0
    }
}
