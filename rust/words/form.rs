// SPDX-License-Identifier: GPL-2.0

//! In what form a function is probed.

named! {
    /// By its own name, or by that of what gcc made of it.
    Form {
        /// As it is.
        Whole => "",
        /// Some arguments are always the same.
        Constprop => ".constprop.0",
        /// Some are not used, or passed in another way.
        Isra => ".isra.0",
        /// Both.
        ConstpropIsra => ".constprop.0.isra.0",
        /// What is not inlined of it.
        Part => ".part.0",
        /// The same, as above.
        PartConstprop => ".part.0.constprop.0",
        /// The same, as above.
        PartIsra => ".part.0.isra.0",
    }
}

impl Form {
    /// From the C shim's number.
    pub fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }
}
