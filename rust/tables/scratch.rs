// SPDX-License-Identifier: GPL-2.0

//! Room to work in that must not come from the stack: probes run where little
//! of that is left.

use crate::kernel_ext::symbol;
use pin_init::Zeroable;

/// Entries of the longest stack trace that is taken.
pub(crate) const TRACE: usize = 64;

/// One CPU's work space; what it holds is only good for one handler's run.
#[derive(Zeroable)]
pub(crate) struct Scratch {
    /// Room for a stack trace.
    pub(crate) trace: [usize; TRACE],
    /// Room for a symbol.
    pub(crate) symbol: symbol::SymbolBuffer,
}
