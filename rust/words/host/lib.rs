// SPDX-License-Identifier: GPL-2.0

//! The words of the module, built for the host, where other files are generated from them or
//! checked against them. The source files are those of the kernel module.

#![no_std]
#![deny(unsafe_code)]

#[macro_use]
#[path = "../named.rs"]
mod named;

#[path = "../batch.rs"]
mod batch;
#[path = "../cause.rs"]
mod cause;
#[path = "../compaction.rs"]
mod compaction;
#[path = "../direction.rs"]
mod direction;
#[path = "../event.rs"]
mod event;
#[path = "../flush.rs"]
mod flush;
#[path = "../form.rs"]
mod form;
#[path = "../function.rs"]
mod function;
#[path = "../group.rs"]
mod group;
#[path = "../handoff.rs"]
mod handoff;
#[path = "../kind.rs"]
mod kind;
#[path = "../kswapd.rs"]
mod kswapd;
#[path = "../layer.rs"]
mod layer;
#[path = "../memory.rs"]
mod memory;
#[path = "../origin.rs"]
mod origin;
#[path = "../parameter.rs"]
mod parameter;
#[path = "../phase.rs"]
mod phase;
#[path = "../reserve.rs"]
mod reserve;
#[path = "../shrinker.rs"]
mod shrinker;
#[path = "../skip.rs"]
mod skip;
#[path = "../wait.rs"]
mod wait;
#[path = "../window.rs"]
mod window;

pub use batch::EndReason;
pub use cause::Cause;
pub use compaction::{CompactResult, Outcome};
pub use direction::Direction;
pub use event::Event;
pub use flush::Flush;
pub use form::Form;
pub use function::Function;
pub use group::Group;
pub use handoff::{Mode, Refusal};
pub use kind::Kind;
pub use kswapd::KswapdReason;
pub use layer::Layer;
pub use memory::MemoryType;
pub use origin::Origin;
pub use parameter::{Parameter, Values};
pub use phase::Phase;
pub use reserve::{User, Woken};
pub use shrinker::ShrinkerCount;
pub use skip::Skip;
pub use wait::{Limit, WaitKind};
pub use window::Window;
