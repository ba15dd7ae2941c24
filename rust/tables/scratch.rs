// SPDX-License-Identifier: GPL-2.0

//! Scratch space for handlers. It is not on the stack, because probes run where little of that is
//! left.

use crate::kernel_ext::symbol;
use pin_init::Zeroable;

/// Number of entries of the longest stack trace that is taken.
pub(crate) const TRACE: usize = 64;

/// The scratch space of one CPU. Its contents are valid only while one handler runs.
#[derive(Zeroable)]
pub(crate) struct Scratch {
    /// A buffer for a stack trace.
    pub(crate) trace: [usize; TRACE],
    /// A buffer for a symbol.
    pub(crate) symbol: symbol::SymbolBuffer,
}
