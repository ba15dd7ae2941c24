// SPDX-License-Identifier: GPL-2.0

//! How a set of words is written down: once, with all that is said of each.

/// Makes an enumeration of a set of words: a variant, its name in ledgers, trace events and JSON,
/// and in brackets what people are shown, if that is another word.
macro_rules! named {
    (@label $text:literal) => { $text };
    (@label $text:literal $label:literal) => { $label };
    ($(#[$doc:meta])* $name:ident { $(
        $(#[$vdoc:meta])* $variant:ident => $text:literal $(($label:literal))?,
    )* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// Their names, in order.
            pub const NAMES: &'static [&'static str] = &[$($text,)*];

            /// Its name in ledgers, trace events and JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The word of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.name() == name)
            }

            /// What people are shown.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => named!(@label $text $($label)?),)*
                }
            }
        }
    };
}
