// SPDX-License-Identifier: GPL-2.0

//! The calls of probed functions, and what their arguments tell.

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

/// The length of the longest name of a shrinker that is kept, with its terminating NUL.
pub(crate) const NAME_LEN: usize = 48;

impl Shrink {
    /// Returns what a call of do_shrink_slab() is to shrink. Any context; never sleeps.
    ///
    /// # Safety
    ///
    /// `control` and `shrinker` are its first two arguments, and the call goes on.
    pub(crate) unsafe fn of(control: usize, shrinker: usize) -> Self {
        let mut shrink: Self = pin_init::zeroed();
        // SAFETY: By the safety requirement; `shrink` is valid for writes.
        unsafe { rwb_shrink(control, shrinker, &mut shrink) };
        shrink
    }

    /// Returns the key of the cgroup that is to shrink; see [`CgroupKey`].
    pub(crate) fn cgroup_key(&self) -> CgroupKey {
        CgroupKey::new(self.cgroup, self.flags & RWB_FOLIO_CGROUP_V1 != 0)
    }

    /// Whether that cgroup has been removed.
    pub(crate) fn cgroup_gone(&self) -> bool {
        self.flags & RWB_FOLIO_CGROUP_GONE != 0
    }

    /// Returns the name of the shrinker, NUL-terminated. Bytes that are not printable ASCII become
    /// `?`. Used during the call of the shrinker, or soon after.
    pub(crate) fn name_text(&self) -> [u8; NAME_LEN] {
        let mut text = [0u8; NAME_LEN];
        // SAFETY: The buffer is valid for writes of the given length. `name` may point to a string
        // that has been freed, so the function reads it only with copy_from_kernel_nofault(). If it
        // is the address of a function, it is only looked up.
        unsafe { rwb_shrinker_name(self, text.as_mut_ptr().cast(), text.len()) };
        for b in &mut text {
            if *b != 0 && !b.is_ascii_graphic() {
                *b = b'?';
            }
        }
        text
    }

    /// Whether the reclaimer may enter filesystems.
    pub(crate) fn fs(&self) -> bool {
        self.flags & RWB_SHRINK_FS != 0
    }
}

/// Whether, in this kernel, a call of swap_write_submit() tells what it submits.
pub(crate) fn sees_swap_io() -> bool {
    // SAFETY: Has no precondition.
    unsafe { rwb_sees_swap_io() }
}

/// A call of a probed function.
pub(crate) struct FunctionCall<'a> {
    function: Function,
    args: [usize; 2],
    _call: PhantomData<&'a ()>,
}

impl FunctionCall<'_> {
    /// Wraps a call.
    ///
    /// # Safety
    ///
    /// `args` are what the C shim passes for a call of the function (`rwb_prepare_args()` in
    /// function_probe.c). The function does not return while the value is used.
    pub(crate) unsafe fn new(function: Function, args: [usize; 2]) -> Self {
        Self {
            function,
            args,
            _call: PhantomData,
        }
    }

    /// Returns the function that is called.
    pub(crate) fn function(&self) -> Function {
        self.function
    }

    /// Returns the arguments, as the C shim passes them.
    pub(crate) fn args(&self) -> [usize; 2] {
        self.args
    }

    /// Returns the call of a shrinker; `None` if the function is not do_shrink_slab().
    pub(crate) fn shrinker(&self) -> Option<ShrinkCall<'_>> {
        (self.function == Function::ShrinkSlab).then_some(ShrinkCall(self))
    }

    /// Returns the request that the NBD driver gets; `None` if the function is not nbd_queue_rq().
    pub(crate) fn request(&self) -> Option<NbdRequest> {
        if self.function != Function::NbdQueue {
            return None;
        }
        let [request, _] = self.args;
        // SAFETY: By the contract of `FunctionCall::new`. The function is nbd_queue_rq(), for which
        // the C shim passes the live request first.
        Some(unsafe { NbdRequest::new(request) })
    }

    /// Returns what the current task waits for in a function that waits for a folio, or that reads
    /// swap. `None` if the function does neither, or waits for something else.
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
                // SAFETY: By the contract of `FunctionCall::new` this is the folio with which the
                // function was called. The caller of the function has a reference to it.
                Some(unsafe { WaitFacts::of_folio(folio) })
            }
            Function::SwapRead => {
                // SAFETY: By the contract of `FunctionCall::new`. The function submits reads of
                // swap, for which the C shim passes a folio first. It is locked, and has a swap
                // slot.
                Some(unsafe { WaitFacts::of_swapin(folio, stands_for as u32) })
            }
            _ => None,
        }
    }

    /// Whether the device from which swap_bdev_submit_read() reads has read when it is told to.
    pub(crate) fn reads_at_once(&self) -> bool {
        let [_, stands_for] = self.args;
        self.function == Function::SwapRead && stands_for >> 32 != 0
    }

    /// Returns the facts of the folio that came back, with the number of pages for which it stands;
    /// `None` if the function is not workingset_refault().
    pub(crate) fn refault(&self) -> Option<WaitFacts> {
        if self.function != Function::Refault {
            return None;
        }
        let [folio, pages] = self.args;
        // SAFETY: By the contract of `FunctionCall::new`. The function is workingset_refault(),
        // whose first argument is a locked folio.
        let facts = unsafe { WaitFacts::of_refault(folio) };
        Some(WaitFacts {
            stands_for: pages as u32,
            ..facts
        })
    }

    /// Returns the swap write that swap_write_submit() submits, and the address to which it
    /// returns. `None` if there is nothing to submit, or if this kernel does not show it.
    pub(crate) fn swap_write(&self) -> Option<(usize, usize)> {
        let [io, caller] = self.args;
        let there = self.function == Function::SwapSubmit && io != 0 && sees_swap_io();
        there.then_some((io, caller))
    }

    /// Creates a call for tests that probe nothing. `None` if the arguments of the function are
    /// pointers that handlers follow.
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

/// A call of do_shrink_slab().
pub(crate) struct ShrinkCall<'a>(&'a FunctionCall<'a>);

impl ShrinkCall<'_> {
    /// Returns what is called. Any context; never sleeps.
    pub(crate) fn what(&self) -> Shrink {
        let [control, shrinker] = self.0.args;
        // SAFETY: By the contract of `FunctionCall::new`. The function is do_shrink_slab(), so
        // these are its live arguments.
        unsafe { Shrink::of(control, shrinker) }
    }
}
