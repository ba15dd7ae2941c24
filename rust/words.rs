// SPDX-License-Identifier: GPL-2.0

//! What asked for reclaim, what became of a write, where it was sampled, and so on: the words that
//! the ledgers are indexed by. Order and names are part of the debugfs format, and are held
//! against the C shim's in shim/contract.rs.

/// Gives an enumeration its list, count and names.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// All of them, in order.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// How many there are.
            pub(crate) const COUNT: usize = Self::ALL.len();

            /// Its name in the ledgers and trace events.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

mod direction;
mod event;
mod flush;
mod form;
mod function;
mod group;
mod kind;
mod layer;
mod origin;
mod skip;
mod window;

pub(crate) use direction::Direction;
pub(crate) use event::Event;
pub(crate) use flush::Flush;
pub(crate) use form::Form;
pub(crate) use function::Function;
pub(crate) use group::Group;
pub(crate) use kind::Kind;
pub(crate) use layer::Layer;
pub(crate) use origin::Origin;
pub(crate) use skip::Skip;
pub(crate) use window::Window;
