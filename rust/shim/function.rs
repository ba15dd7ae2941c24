// SPDX-License-Identifier: GPL-2.0

//! What a probed function is called with.

pub(crate) use super::Shrink;
use super::{
    nbd::NbdRequest,
    rwb_sees_swap_io,
    rwb_shrink,
    rwb_shrinker_name,
    wait::WaitFacts,
    RWB_FOLIO_CGROUP_GONE,
    RWB_FOLIO_CGROUP_V1,
    RWB_SHRINK_FS, //
};
use crate::{
    policy::cgroup_key::CgroupKey,
    words::Function, //
};
use core::marker::PhantomData;

/// Longest name of a shrinker that is kept, with its terminating NUL.
pub(crate) const NAME_LEN: usize = 48;

impl Shrink {
    /// Key of the cgroup that is to shrink; see [`CgroupKey`].
    pub(crate) fn cgroup_key(&self) -> CgroupKey {
        CgroupKey::new(self.cgroup, self.flags & RWB_FOLIO_CGROUP_V1 != 0)
    }

    /// That cgroup has been removed.
    pub(crate) fn cgroup_gone(&self) -> bool {
        self.flags & RWB_FOLIO_CGROUP_GONE != 0
    }

    /// Its name, NUL-terminated; what is not printable ASCII becomes `?`. During the
    /// call that it is of.
    pub(crate) fn name_text(&self) -> [u8; NAME_LEN] {
        let mut text = [0u8; NAME_LEN];
        // SAFETY: The buffer is valid for writes of the length given. What `name` points
        // to is only read by means that fail softly.
        unsafe { rwb_shrinker_name(self, text.as_mut_ptr().cast(), text.len()) };
        for b in &mut text {
            if *b != 0 && !b.is_ascii_graphic() {
                *b = b'?';
            }
        }
        text
    }

    /// The reclaimer may enter filesystems.
    pub(crate) fn fs(&self) -> bool {
        self.flags & RWB_SHRINK_FS != 0
    }
}

/// Whether a call of swap_write_submit() tells what it submits, in this kernel.
pub(crate) fn sees_swap_io() -> bool {
    // SAFETY: Has no precondition.
    unsafe { rwb_sees_swap_io() }
}

/// A probed function that is entered.
pub(crate) struct Entered<'a> {
    function: Function,
    args: [usize; 2],
    _call: PhantomData<&'a ()>,
}

impl Entered<'_> {
    /// # Safety
    ///
    /// `args` are the first two arguments of the function, which does not return while
    /// the value is used.
    pub(crate) unsafe fn new(function: Function, args: [usize; 2]) -> Self {
        Self {
            function,
            args,
            _call: PhantomData,
        }
    }

    /// Which.
    pub(crate) fn function(&self) -> Function {
        self.function
    }

    /// Its first two arguments.
    pub(crate) fn args(&self) -> [usize; 2] {
        self.args
    }

    /// The shrinker that is called, of do_shrink_slab().
    pub(crate) fn shrinker(&self) -> Option<ShrinkCall<'_>> {
        (self.function == Function::ShrinkSlab).then_some(ShrinkCall(self))
    }

    /// The request that the NBD driver gets, of nbd_queue_rq().
    pub(crate) fn request(&self) -> Option<NbdRequest> {
        if self.function != Function::NbdQueue {
            return None;
        }
        let [request, _] = self.args;
        // SAFETY: By the contract of `Entered::new`, and as the function is
        // nbd_queue_rq(), of which the C shim passes the live request first.
        Some(unsafe { NbdRequest::new(request) })
    }

    /// What the current task waits for in a function that waits for a folio, or reads one of
    /// swap; `None` if it is not until that is read.
    pub(crate) fn waits_for(&self) -> Option<WaitFacts> {
        let [folio, stands_for] = self.args;
        if folio == 0 {
            return None;
        }
        match self.function {
            Function::WaitBit
            | Function::WaitBitKillable
            | Function::WaitBitCommon
            | Function::FolioLock
            | Function::FolioLockKillable
            | Function::LockOrRetry => {
                // SAFETY: By the contract of `Entered::new` this is the folio that the function
                // was called with, of which its caller has a reference.
                Some(unsafe { WaitFacts::of_folio(folio) })
            }
            Function::SwapRead => {
                // SAFETY: By the contract of `Entered::new`, and as the function submits swap's
                // reads, of which the C shim passes a folio first: it is locked, and has its slot.
                Some(unsafe { WaitFacts::of_swapin(folio, stands_for as u32) })
            }
            _ => None,
        }
    }

    /// Whether the device that a page of swap is read from has read when it is told to, of
    /// swap_bdev_submit_read().
    pub(crate) fn reads_at_once(&self) -> bool {
        let [_, stands_for] = self.args;
        self.function == Function::SwapRead && stands_for >> 32 != 0
    }

    /// The folio that came back, of workingset_refault(), and those for which it stands.
    pub(crate) fn refault(&self) -> Option<WaitFacts> {
        if self.function != Function::Refault {
            return None;
        }
        let [folio, pages] = self.args;
        // SAFETY: By the contract of `Entered::new`, and as the function is
        // workingset_refault(), whose first argument is a locked folio.
        let facts = unsafe { WaitFacts::of_refault(folio) };
        Some(WaitFacts {
            stands_for: pages as u32,
            ..facts
        })
    }

    /// What swap_write_submit() submits, and the address that it returns to; `None` when
    /// there is nothing to submit.
    pub(crate) fn swap_write(&self) -> Option<(usize, usize)> {
        let [io, caller] = self.args;
        let there = self.function == Function::SwapSubmit && io != 0 && sees_swap_io();
        there.then_some((io, caller))
    }

    /// An entry for tests that probe nothing: of a function whose arguments nobody looks into.
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) fn fake(function: Function, args: [usize; 2]) -> Option<Self> {
        let looked_into = match function {
            Function::ShrinkSlab | Function::NbdQueue => true,
            Function::PsiEnter | Function::PsiLeave => false,
            function => function.tells_of_waits(),
        };
        (!looked_into).then_some(Self {
            function,
            args,
            _call: PhantomData,
        })
    }
}

/// A call of do_shrink_slab(), in `Entered`.
pub(crate) struct ShrinkCall<'a>(&'a Entered<'a>);

impl ShrinkCall<'_> {
    /// What is called. Any context; never sleeps.
    pub(crate) fn what(&self) -> Shrink {
        let mut shrink: Shrink = pin_init::zeroed();
        let [control, shrinker] = self.0.args;
        // SAFETY: By the contract of `Entered::new`, and as the function is
        // do_shrink_slab(), these are its live arguments; `shrink` is valid for writes.
        unsafe { rwb_shrink(control, shrinker, &mut shrink) };
        shrink
    }
}
