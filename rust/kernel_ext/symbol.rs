// SPDX-License-Identifier: GPL-2.0

//! Names of kernel addresses.

use kernel::bindings;

/// Room for any symbol with offset, size and module (`KSYM_SYMBOL_LEN`, with
/// reserve for build ids).
pub(crate) const SYMBOL_LEN: usize = 1024;

/// Buffer for one symbol.
pub(crate) type SymbolBuffer = [u8; SYMBOL_LEN];

const _LEN: () = assert!(SYMBOL_LEN > bindings::KSYM_NAME_LEN as usize + 128);

/// Name of the function that `addr` lies in, as `name+0xoff/0xsize [module]`;
/// a bare hexadecimal number when it lies in none. Any context but NMI; takes
/// no lock.
pub(crate) fn name(addr: usize, buf: &mut SymbolBuffer) -> &str {
    // SAFETY: The buffer is longer than the `KSYM_SYMBOL_LEN` that the
    // function may write, as asserted above.
    let len = unsafe { bindings::sprint_symbol(buf.as_mut_ptr().cast(), addr) };
    usize::try_from(len)
        .ok()
        .and_then(|n| buf.get(..n))
        .and_then(|b| core::str::from_utf8(b).ok())
        .unwrap_or("?")
}
