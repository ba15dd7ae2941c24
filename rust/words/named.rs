// SPDX-License-Identifier: GPL-2.0

//! The macro by which a set of words is defined once, with everything about each word.

/// Defines an enumeration of words. Each has a variant, a name in ledgers, trace events and JSON,
/// and in brackets the label that people are shown, if that is another text.
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
            /// All words of the set, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Number of words in the set.
            pub const COUNT: usize = Self::ALL.len();

            /// Names of the words, in order.
            pub const NAMES: &'static [&'static str] = &[$($text,)*];

            /// Returns the name of the word in ledgers, trace events and JSON.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// Returns the word with this name; `None` if there is none.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.name() == name)
            }

            /// Returns the text that people are shown for the word.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => named!(@label $text $($label)?),)*
                }
            }
        }
    };
}
