// SPDX-License-Identifier: GPL-2.0

//! Handlers of the function probes. They pass each call to the handlers that count it.

use super::{
    block,
    nbd,
    shrinker,
    stall,
    tlb,
    wait,
    zswap, //
};
use crate::{
    kernel_ext::percpu::Pinned,
    ledgers::Ledgers,
    shim::{
        function::FunctionCall,
        At, //
    },
    words::{
        Flush,
        Function, //
    },
};

/// The handlers that have to see the end of a call, as a set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ExitHandlers(pub(crate) u32);

impl ExitHandlers {
    /// All handlers.
    #[cfg(CONFIG_KUNIT)]
    pub(crate) const ALL: Self = Self(Self::STALL | Self::CALL | Self::WAIT);
    /// The call is part of a stall.
    const STALL: u32 = 1;
    /// The call is counted for itself.
    const CALL: u32 = 2;
    /// The call is a wait for memory.
    const WAIT: u32 = 4;

    /// No handler.
    const NONE: Self = Self(0);

    const fn new(stall: bool, call: bool, wait: bool) -> Self {
        Self(
            (if stall { Self::STALL } else { 0 })
                | (if call { Self::CALL } else { 0 })
                | (if wait { Self::WAIT } else { 0 }),
        )
    }

    const fn contains(self, handler: u32) -> bool {
        self.0 & handler != 0
    }
}

/// Handles the call of a probed function. Returns which handlers have to see its end.
pub(crate) fn entry(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    call: &FunctionCall<'_>,
) -> ExitHandlers {
    match call.function() {
        // These are no part of a stall.
        Function::ZswapStore => {
            let [folio, _] = call.args();
            zswap::offered(ledgers, pin, at, folio);
            ExitHandlers::NONE
        }
        Function::ZswapSwitch => {
            let [on, _] = call.args();
            ledgers.needs.note_zswap_switching(on != 0);
            ledgers.windows.forget_repeats();
            ExitHandlers::new(false, true, false)
        }
        // Its events tell when it is through.
        Function::ShrinkSlab => {
            if let Some(call) = call.shrinker() {
                shrinker::begin(ledgers, pin, at, &call);
            }
            ExitHandlers::NONE
        }
        function if function.tells_of_waits() => {
            ExitHandlers::new(false, false, wait::entry(ledgers, pin, at, call))
        }
        function => {
            let stall = stall::entry(ledgers, pin, at, call);
            ExitHandlers::new(stall, counted_call(ledgers, pin, at, call, function), false)
        }
    }
}

/// Handles a call of a function that is counted for itself. Returns true if it has to see the end
/// of the call.
fn counted_call(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    call: &FunctionCall<'_>,
    function: Function,
) -> bool {
    match function {
        Function::TlbFlush => tlb::begin(ledgers, pin, at, Flush::Clean),
        Function::TlbFlushDirty => tlb::begin(ledgers, pin, at, Flush::Dirty),
        Function::ZswapWriteback => zswap::writeback_begin(ledgers, pin, at),
        Function::SwapSubmit => {
            if let Some((write, caller)) = call.swap_write() {
                block::note_submitter(ledgers, pin, at, write, caller);
            }
            false
        }
        Function::NbdQueue => {
            if let Some(request) = call.request() {
                nbd::queued(ledgers, pin, &request);
            }
            false
        }
        _ => false,
    }
}

/// Handles the end of a call, which returns `ret`. `handlers` is what [`entry`] returned.
pub(crate) fn exit(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    function: Function,
    handlers: ExitHandlers,
    ret: usize,
) {
    if handlers.contains(ExitHandlers::CALL) {
        match function {
            Function::TlbFlush | Function::TlbFlushDirty => tlb::end(ledgers, pin, at),
            Function::ZswapWriteback => zswap::writeback_end(ledgers, pin, at, ret),
            // The function returns an int, which is in the lower half.
            Function::ZswapSwitch => ledgers.needs.note_zswap_switched(ret & 0xffff_ffff == 0),
            _ => {}
        }
    }
    if handlers.contains(ExitHandlers::WAIT) {
        wait::exit(ledgers, pin, at);
    }
    if handlers.contains(ExitHandlers::STALL) {
        stall::exit(ledgers, pin, at, function, ret);
    }
}
