// SPDX-License-Identifier: GPL-2.0

//! The form in which a function is probed.

named! {
    /// The suffix of the function that gcc made of it.
    Form {
        /// The function itself.
        Whole => "",
        /// A copy for which some arguments are constant.
        Constprop => ".constprop.0",
        /// A copy for which some arguments are unused, or passed in another way.
        Isra => ".isra.0",
        /// A copy with both changes.
        ConstpropIsra => ".constprop.0.isra.0",
        /// The part that is not inlined.
        Part => ".part.0",
        /// The part that is not inlined, with constant arguments.
        PartConstprop => ".part.0.constprop.0",
        /// The part that is not inlined, with changed arguments.
        PartIsra => ".part.0.isra.0",
    }
}

impl Form {
    /// Converts the number of the C shim; `None` if it is unknown.
    pub fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }
}
