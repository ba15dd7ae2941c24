// SPDX-License-Identifier: GPL-2.0

//! Names of kernel addresses.

use kernel::bindings;

/// Size of a buffer for any symbol with offset, size and module (`KSYM_SYMBOL_LEN`), with some room
/// for build ids.
pub(crate) const SYMBOL_LEN: usize = 1024;

/// A buffer for one symbol.
pub(crate) type SymbolBuffer = [u8; SYMBOL_LEN];

const _LEN: () = assert!(SYMBOL_LEN > bindings::KSYM_NAME_LEN as usize + 128);

/// Returns the name of the function at `addr` as `name+0xoff/0xsize [module]`, or the address in
/// hexadecimal if there is no function. Any context but NMI; takes no lock.
pub(crate) fn name(addr: usize, buf: &mut SymbolBuffer) -> &str {
    // SAFETY: The buffer is longer than the `KSYM_SYMBOL_LEN` bytes that the function may write, as
    // asserted above.
    let len = unsafe { bindings::sprint_symbol(buf.as_mut_ptr().cast(), addr) };
    usize::try_from(len)
        .ok()
        .and_then(|n| buf.get(..n))
        .and_then(|b| core::str::from_utf8(b).ok())
        .unwrap_or("?")
}
