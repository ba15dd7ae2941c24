// SPDX-License-Identifier: GPL-2.0

//! Handlers of the function probes: who is told of which.

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
        function::Entered,
        At, //
    },
    words::{
        Flush,
        Function, //
    },
};

/// For whom the end of a call is of interest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Followed(pub(crate) u32);

impl Followed {
    /// By whom it may be.
    #[cfg(CONFIG_KUNIT)]
    pub(crate) const ALL: Self = Self(Self::STALL | Self::CALL | Self::WAIT);
    /// It is part of a stall.
    const STALL: u32 = 1;
    /// It is counted for itself.
    const CALL: u32 = 2;
    /// It is a wait for memory.
    const WAIT: u32 = 4;

    const fn new(stall: bool, call: bool, wait: bool) -> Self {
        Self(
            (if stall { Self::STALL } else { 0 })
                | (if call { Self::CALL } else { 0 })
                | (if wait { Self::WAIT } else { 0 }),
        )
    }

    const fn by(self, whom: u32) -> bool {
        self.0 & whom != 0
    }
}

/// A function is entered.
pub(crate) fn entry(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    entered: &Entered<'_>,
) -> Followed {
    // The most frequent ones first.
    if entered.function().tells_of_waits() {
        return Followed::new(false, false, wait::entry(ledgers, pin, at, entered));
    }
    let stall = stall::entry(ledgers, pin, at, entered);
    let call = match (entered.function(), entered.shrinker()) {
        (_, Some(call)) => shrinker::begin(ledgers, pin, at, call.what()),
        (Function::TlbFlush, _) => tlb::begin(ledgers, pin, at, Flush::Clean),
        (Function::TlbFlushDirty, _) => tlb::begin(ledgers, pin, at, Flush::Dirty),
        (Function::ZswapStore, _) => {
            let [folio, _] = entered.args();
            zswap::offered(ledgers, pin, at, folio);
            false
        }
        (Function::ZswapWriteback, _) => zswap::looks(ledgers, pin, at),
        (Function::SwapSubmit, _) => {
            if let Some((write, caller)) = entered.swap_write() {
                block::submit(ledgers, pin, at, write, caller);
            }
            false
        }
        (Function::NbdQueue, _) => {
            if let Some(request) = entered.request() {
                nbd::queued(ledgers, pin, &request);
            }
            false
        }
        _ => false,
    };
    Followed::new(stall, call, false)
}

/// It returns `ret`.
pub(crate) fn exit(
    ledgers: &Ledgers,
    pin: &Pinned<'_>,
    at: &At,
    function: Function,
    followed: Followed,
    ret: usize,
) {
    if followed.by(Followed::CALL) {
        match function {
            Function::ShrinkSlab => shrinker::end(ledgers, pin, at),
            Function::TlbFlush | Function::TlbFlushDirty => tlb::end(ledgers, pin, at),
            Function::ZswapWriteback => zswap::looked(ledgers, pin, at, ret),
            _ => {}
        }
    }
    if followed.by(Followed::WAIT) {
        wait::exit(ledgers, pin, at);
    }
    if followed.by(Followed::STALL) {
        stall::exit(ledgers, pin, at, function, ret);
    }
}
