// SPDX-License-Identifier: GPL-2.0

//! Keys of cgroups. An id is unique in its hierarchy, and only ids of the default (v2) hierarchy
//! can be looked up.

/// The id of a cgroup, and whether that is of a v1 hierarchy, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CgroupKey(pub u64);

const V1: u64 = 1 << 63;

impl CgroupKey {
    /// No cgroup.
    pub const NONE: Self = Self(0);

    /// Creates a key from an id; 0 means no cgroup.
    pub const fn new(id: u64, v1: bool) -> Self {
        if v1 {
            Self(id | V1)
        } else {
            Self(id & !V1)
        }
    }

    /// Returns the id.
    pub const fn id(self) -> u64 {
        self.0 & !V1
    }

    /// Whether the cgroup is in a v1 hierarchy.
    pub const fn is_v1(self) -> bool {
        self.0 & V1 != 0
    }
}
