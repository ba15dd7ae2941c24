// SPDX-License-Identifier: GPL-2.0

//! What a request of an NBD device does.

named! {
    /// What a request does.
    Direction {
        /// It reads.
        Read => "read",
        /// It writes.
        Write => "write",
        /// Anything else: a flush, a discard.
        Other => "other",
    }
}

impl Direction {
    /// From the C shim's number.
    pub fn from_raw(v: u32) -> Self {
        let known = usize::try_from(v).ok().and_then(|i| Self::ALL.get(i));
        known.copied().unwrap_or(Self::Other)
    }
}
