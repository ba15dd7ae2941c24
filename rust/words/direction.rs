// SPDX-License-Identifier: GPL-2.0

//! What a request to an NBD device does.

named! {
    /// What a request does.
    Direction {
        /// The request reads.
        Read => "read",
        /// The request writes.
        Write => "write",
        /// The request does anything else: a flush, a discard.
        Other => "other",
    }
}

impl Direction {
    /// Converts the number of the C shim. An unknown one is `Other`.
    pub fn from_raw(v: u32) -> Self {
        let known = usize::try_from(v).ok().and_then(|i| Self::ALL.get(i));
        known.copied().unwrap_or(Self::Other)
    }
}
