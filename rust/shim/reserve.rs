// SPDX-License-Identifier: GPL-2.0

//! What C tells of zones and of pages from the reserves.

pub(crate) use super::{
    Page,
    Zone, //
};

impl Page {
    /// Pages that it is.
    pub(crate) fn pages(&self) -> u64 {
        1u64.checked_shl(self.order).unwrap_or(0)
    }
}
