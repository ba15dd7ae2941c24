// SPDX-License-Identifier: GPL-2.0

//! The words of the module, each in one place: origins of reclaim, kinds of writes, causes of
//! stalls, parameters, and so on. Their order and names are part of the debugfs format.
//!
//! This folder is also a crate of its own on the host (`rust/words/Cargo.toml`). The shim's
//! `words.h` is generated from it, the command is built on it, and the documents are checked
//! against it.

#[macro_use]
mod named;

mod batch;
mod cause;
mod compaction;
mod direction;
mod event;
mod flush;
mod form;
mod function;
mod group;
mod handoff;
mod kind;
mod kswapd;
mod layer;
mod memory;
mod origin;
mod parameter;
mod phase;
mod reserve;
mod shrinker;
mod skip;
mod wait;
mod window;

pub use batch::EndReason;
pub use cause::Cause;
pub use compaction::{
    CompactResult,
    Outcome, //
};
pub use direction::Direction;
pub use event::Event;
pub use flush::Flush;
pub use form::Form;
pub use function::Function;
pub use group::Group;
pub use handoff::{
    Mode,
    Refusal, //
};
pub use kind::Kind;
pub use kswapd::KswapdReason;
pub use layer::Layer;
pub use memory::MemoryType;
pub use origin::Origin;
pub use parameter::{
    Parameter,
    Values, //
};
pub use phase::Phase;
pub use reserve::{
    User,
    Woken, //
};
pub use shrinker::ShrinkerCount;
pub use skip::Skip;
pub use wait::{
    Limit,
    WaitKind, //
};
pub use window::Window;
