// SPDX-License-Identifier: GPL-2.0

//! Folios, superblocks and inodes, as far as the writeback worker needs them.
//!
//! The chain of what keeps what alive (Documentation/design.rst, "Invariants"): a locked folio
//! with a mapping keeps its inode; from it the superblock's `s_umount` is tried;
//! while that is held, an inode reference may be held too, and no longer.
//!
//! Locks, in order: folio lock (tried), `s_umount` (tried, shared). Both are taken
//! and released by one task.
//!
//! C headers: `include/linux/pagemap.h`, `include/linux/fs.h`

use crate::{
    policy::window::{
        Pages,
        MAX_PAGES, //
    },
    shim, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    bindings,
    error::to_result,
    prelude::*, //
};

/// A reference to a folio; put on drop, which frees the folio if it was the
/// last. Any context that may free memory.
///
/// # Invariants
///
/// We own one reference to the folio.
pub(crate) struct FolioRef(NonNull<bindings::folio>);

// SAFETY: A folio reference may be put by any thread.
unsafe impl Send for FolioRef {}

// SAFETY: All methods may run concurrently: they use atomic folio operations.
unsafe impl Sync for FolioRef {}

impl FolioRef {
    /// Takes a reference. Any context.
    ///
    /// # Safety
    ///
    /// `folio` must point to a folio that someone holds a reference to during
    /// the call.
    pub(crate) unsafe fn get(folio: NonNull<bindings::folio>) -> Self {
        // SAFETY: The folio is referenced, by the safety requirement.
        unsafe { shim::rwb_folio_get(folio.as_ptr()) };
        // INVARIANT: We just took a reference.
        Self(folio)
    }

    /// Its address, to be compared with others while they are referenced.
    pub(crate) fn key(&self) -> usize {
        self.0.as_ptr() as usize
    }

    /// Its first page's frame number.
    pub(crate) fn pfn(&self) -> usize {
        // SAFETY: By the type invariant the folio is live.
        unsafe { shim::rwb_folio_pfn(self.0.as_ptr()) }
    }

    /// Locks it unless someone else has. Any context.
    pub(crate) fn try_lock(&self) -> Option<LockedFolio<'_>> {
        // SAFETY: By the type invariant the folio is live.
        let locked = unsafe { shim::rwb_folio_trylock(self.0.as_ptr()) };
        // INVARIANT: Just locked. (Made only then: its drop unlocks.)
        locked.then(|| LockedFolio(self))
    }

    /// Waits until it is not under writeback. Sleeps, without limit.
    pub(crate) fn wait_writeback(&self) {
        // SAFETY: By the type invariant the folio is live.
        unsafe { shim::rwb_folio_wait_writeback(self.0.as_ptr()) };
    }

    /// Is a cgroup that it is charged to near its limit? Any context.
    pub(crate) fn memcg_short(&self) -> bool {
        // SAFETY: By the type invariant the folio is live.
        unsafe { shim::rwb_memcg_short(self.0.as_ptr()) }
    }
}

impl Drop for FolioRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant we own a reference, and give it up.
        unsafe { shim::rwb_folio_put(self.0.as_ptr()) };
    }
}

/// A folio that we locked; unlocked on drop.
///
/// # Invariants
///
/// We hold the folio lock.
pub(crate) struct LockedFolio<'a>(&'a FolioRef);

impl LockedFolio<'_> {
    /// The inode that it belongs to, `None` if it was truncated. The pointer is
    /// valid while the folio is locked: eviction waits for the lock.
    fn inode(&self) -> Option<NonNull<bindings::inode>> {
        // SAFETY: The folio is live and locked.
        NonNull::new(unsafe { shim::rwb_folio_inode(self.0 .0.as_ptr()) })
    }

    /// Address of that inode, to be compared; `None` if the folio was truncated.
    pub(crate) fn inode_key(&self) -> Option<usize> {
        self.inode().map(|inode| inode.as_ptr() as usize)
    }

    /// Must it be written?
    pub(crate) fn dirty(&self) -> bool {
        // SAFETY: The folio is live.
        unsafe { shim::rwb_folio_dirty(self.0 .0.as_ptr()) }
    }

    /// Is it being written?
    pub(crate) fn writeback(&self) -> bool {
        // SAFETY: The folio is live.
        unsafe { shim::rwb_folio_writeback(self.0 .0.as_ptr()) }
    }

    /// Locks its superblock against unmounting; see [`Superblock`]. Does not
    /// sleep.
    pub(crate) fn superblock(&self) -> Result<Superblock, FsUnavailable> {
        let inode = self.inode().ok_or(FsUnavailable::Gone)?;
        // SAFETY: The inode is live while the folio is locked.
        let sb = unsafe { shim::rwb_inode_sb(inode.as_ptr()) };
        let sb = NonNull::new(sb).ok_or(FsUnavailable::Gone)?;
        // SAFETY: The superblock outlives its inodes.
        match unsafe { shim::rwb_sb_trylock(sb.as_ptr()) } {
            // INVARIANT: Just locked.
            shim::RWB_SB_LOCKED => Ok(Superblock(sb)),
            shim::RWB_SB_FROZEN => Err(FsUnavailable::Frozen),
            shim::RWB_SB_READONLY => Err(FsUnavailable::ReadOnly),
            _ => Err(FsUnavailable::Unmounting),
        }
    }
}

impl Drop for LockedFolio<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant we hold the lock.
        unsafe { bindings::folio_unlock(self.0 .0.as_ptr()) };
    }
}

/// Why a filesystem was not to be had.
#[derive(Clone, Copy)]
pub(crate) enum FsUnavailable {
    /// The folio was truncated.
    Gone,
    /// It is being unmounted or remounted.
    Unmounting,
    /// It is frozen.
    Frozen,
    /// It is read-only.
    ReadOnly,
}

/// A superblock that is not unmounted, frozen, or remounted while this exists:
/// its `s_umount` is held, shared. Not to be kept for long. Belongs to the task
/// that made it.
///
/// # Invariants
///
/// `s_umount` is held for reading by this task, and the superblock was alive,
/// writable and not frozen when it was taken.
pub(crate) struct Superblock(NonNull<bindings::super_block>);

impl Superblock {
    /// Takes a reference to the inode of a folio of this superblock; `None` if it
    /// is of another, or the inode is being freed. Does not sleep.
    pub(crate) fn grab<'sb>(&'sb self, folio: &LockedFolio<'_>) -> Option<Inode<'sb>> {
        let inode = folio.inode()?;
        // SAFETY: The inode is live while the folio is locked.
        let sb = unsafe { shim::rwb_inode_sb(inode.as_ptr()) };
        if sb != self.0.as_ptr() {
            return None;
        }
        // SAFETY: As above.
        let inode = unsafe { bindings::igrab(inode.as_ptr()) };
        // INVARIANT: `igrab()` gave us a reference; its superblock is `self`,
        // which outlives the result by its lifetime.
        NonNull::new(inode).map(|inode| Inode(inode, PhantomData))
    }
}

impl Drop for Superblock {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this task holds the lock; inodes that
        // were taken under it borrow `self`, so they are gone.
        unsafe { shim::rwb_sb_unlock(self.0.as_ptr()) };
    }
}

/// A reference to an inode of a superblock that is locked for as long; put on
/// drop, which may evict the inode, and so sleeps and does I/O: never in reclaim.
///
/// # Invariants
///
/// We own one reference; the inode's `s_umount` is held during `'sb`.
pub(crate) struct Inode<'sb>(NonNull<bindings::inode>, PhantomData<&'sb Superblock>);

impl Inode<'_> {
    /// The inode, for FFI.
    pub(crate) fn as_ptr(&self) -> *mut bindings::inode {
        self.0.as_ptr()
    }

    /// Address of its page cache, to be compared.
    pub(crate) fn mapping_key(&self) -> usize {
        // SAFETY: By the type invariant the inode is live.
        unsafe { shim::rwb_inode_mapping(self.0.as_ptr()) }
    }

    /// Sets `pages` to those of the `nr` from `start` that are dirty and not
    /// under writeback; at most [`MAX_PAGES`].
    /// Sleeps.
    pub(crate) fn dirty_pages(&self, start: u64, nr: u32, pages: &mut Pages) {
        pages.clear();
        let words = pages.words_mut();
        let nr = nr.min(MAX_PAGES);
        // SAFETY: By the type invariant the inode is live; `words` has room for
        // `nr` bits.
        unsafe { shim::rwb_dirty_pages(self.0.as_ptr(), start, nr, words.as_mut_ptr().cast()) };
    }

    /// Starts writing `nr` pages from `start`. Sleeps, without limit if the device
    /// does not answer. Not with PF_MEMALLOC: iomap refuses that.
    pub(crate) fn flush(&self, start: u64, nr: u64) -> Result {
        // SAFETY: By the type invariant the inode is live.
        to_result(unsafe { shim::rwb_flush_range(self.0.as_ptr(), start, nr) })
    }

    /// The last folio of those with pages from `start` to before `end` that is being written, or
    /// is about to be. Does not sleep.
    pub(crate) fn last_written(&self, start: u64, end: u64) -> Option<FolioRef> {
        // SAFETY: By the type invariant the inode is live.
        let folio = unsafe { shim::rwb_last_written(self.0.as_ptr(), start, end) };
        // INVARIANT: We were given a reference with it.
        NonNull::new(folio).map(FolioRef)
    }
}

impl Drop for Inode<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant we own a reference, and its superblock
        // is still locked.
        unsafe { bindings::iput(self.0.as_ptr()) };
    }
}

/// Does the folio at that frame still hold page `index` of the file with that mapping? A
/// snapshot, from addresses only. Any context.
pub(crate) fn pfn_in_file(pfn: usize, mapping: usize, index: u64) -> bool {
    // SAFETY: Has no precondition: it checks the frame number, reads what is there so that a
    // fault is no harm, and only compares the rest.
    unsafe { shim::rwb_pfn_in_file(pfn, mapping, index) }
}
