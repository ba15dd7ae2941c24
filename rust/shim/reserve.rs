// SPDX-License-Identifier: GPL-2.0

//! Zones, and pages from the reserves, as the C shim describes them.

pub(crate) use super::{
    Page,
    Zone, //
};

impl Page {
    /// Returns the number of pages of the allocation.
    pub(crate) fn pages(&self) -> u64 {
        1u64.checked_shl(self.order).unwrap_or(0)
    }
}
