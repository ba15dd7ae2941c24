// SPDX-License-Identifier: GPL-2.0

//! Function probes.

use crate::{
    kernel_ext::tracepoint::{
        ProbeData,
        ProbeState, //
    },
    shim,
    words::{
        Form,
        Function, //
    },
};
use core::ptr::NonNull;
use kernel::{
    error::to_result,
    prelude::*,
    sync::Arc, //
};

/// A registered function probe. Creating one sleeps. On drop it is unregistered, which sleeps until
/// its last handler has ended.
///
/// # Invariants
///
/// `handle` was returned by `rwb_function_probe_register()` for `data`, and has not been
/// unregistered.
pub(crate) struct FunctionProbe<D: ProbeData> {
    handle: NonNull<c_void>,
    /// The data of the handlers, kept until the last handler has ended.
    _data: Arc<D>,
}

// SAFETY: The handle may be used from any thread.
unsafe impl<D: ProbeData> Send for FunctionProbe<D> {}

// SAFETY: A shared reference only reads counters.
unsafe impl<D: ProbeData> Sync for FunctionProbe<D> {}

/// The number of calls of a probed function that its probe did not see.
#[derive(Clone, Copy, Default)]
pub(crate) struct MissedCalls {
    /// Calls for which there was no room to follow them.
    pub(crate) calls: u64,
    /// Calls from interrupts that came while a handler of the probe was running. They do not belong
    /// to a stall.
    pub(crate) interrupts: u64,
}

impl MissedCalls {
    /// Returns the sum of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            calls: self.calls.wrapping_add(other.calls),
            interrupts: self.interrupts.wrapping_add(other.interrupts),
        }
    }
}

impl<D: ProbeData> FunctionProbe<D> {
    /// Registers a probe. If that fails, returns the state of the probe: `Waiting` if the module of
    /// the function is not loaded, otherwise `Failed` (with `EOPNOTSUPP` on a kernel without
    /// function probes, with `ENOENT` if there is no such function). Sleeps.
    pub(crate) fn new(function: Function, data: Arc<D>) -> core::result::Result<Self, ProbeState> {
        let mut err = 0;
        let passed = Arc::as_ptr(&data).cast_mut().cast();
        // SAFETY: `err` is valid for writes. `data` is what the entries expect (`ProbeData`), and
        // lives until after the probe is unregistered.
        let handle =
            unsafe { shim::rwb_function_probe_register(function as u32, passed, &mut err) };
        match NonNull::new(handle) {
            // INVARIANT: The probe was just registered.
            Some(handle) => Ok(Self {
                handle,
                _data: data,
            }),
            None => {
                let err = to_result(err).err().unwrap_or(ENOMEM);
                if err == ENOENT && function.module().is_some() {
                    return Err(ProbeState::Waiting);
                }
                Err(ProbeState::Failed(err.to_errno().wrapping_neg()))
            }
        }
    }

    /// Returns the form in which the function is probed.
    pub(crate) fn form(&self) -> Form {
        // SAFETY: By the type invariant the handle is registered.
        let form = unsafe { shim::rwb_function_probe_form(self.handle.as_ptr()) };
        Form::from_raw(form).unwrap_or(Form::Whole)
    }

    /// Returns the number of calls that the probe did not see.
    pub(crate) fn missed(&self) -> MissedCalls {
        let mut interrupts = 0;
        // SAFETY: By the type invariant the handle is registered. `interrupts` is valid for writes.
        let calls =
            unsafe { shim::rwb_function_probe_missed(self.handle.as_ptr(), &raw mut interrupts) };
        MissedCalls {
            calls: calls as u64,
            interrupts: interrupts as u64,
        }
    }
}

impl<D: ProbeData> Drop for FunctionProbe<D> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant the handle is registered.
        unsafe { shim::rwb_function_probe_unregister(self.handle.as_ptr()) };
    }
}
