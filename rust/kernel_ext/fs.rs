// SPDX-License-Identifier: GPL-2.0

//! Folios, superblocks and inodes, as far as the worker of write-around needs them.
//!
//! Each of them is kept alive by another one (Documentation/design.rst, "Invariants"). A locked
//! folio with a mapping keeps its inode. By the inode the worker tries to take the superblock's
//! `s_umount`. While it holds that, and no longer, it may hold a reference to the inode.
//!
//! Locks: the folio lock and `s_umount` (shared). Both are only tried, and are released by the task
//! that took them. For the order see Documentation/design.rst.
//!
//! C headers: `include/linux/pagemap.h`, `include/linux/fs.h`

use crate::{
    policy::{
        short,
        window::{
            PageSet,
            MAX_PAGES, //
        },
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

// Both sides speak of the same margin: wait.c tells with it which limit makes a task wait.
const _: () = assert!(short::CGROUP_MARGIN == shim::RWB_MEMCG_MARGIN as u64);

/// A reference to a folio. It is put on drop, which frees the folio if the reference was the last
/// one. Any context that may free memory.
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
    /// Takes a reference to a folio. Any context.
    ///
    /// # Safety
    ///
    /// `folio` must point to a folio to which someone holds a reference during the call.
    pub(crate) unsafe fn get(folio: NonNull<bindings::folio>) -> Self {
        // SAFETY: By the safety requirement the folio is referenced.
        unsafe { shim::rwb_folio_get(folio.as_ptr()) };
        // INVARIANT: We just took a reference.
        Self(folio)
    }

    /// Returns the address of the folio. It may be compared with that of other folios as long as
    /// both are referenced.
    pub(crate) fn key(&self) -> usize {
        self.0.as_ptr() as usize
    }

    /// Returns the frame number of the folio's first page.
    pub(crate) fn pfn(&self) -> usize {
        // SAFETY: By the type invariant the folio is live.
        unsafe { shim::rwb_folio_pfn(self.0.as_ptr()) }
    }

    /// Locks the folio; `None` if it is locked already. Any context.
    pub(crate) fn try_lock(&self) -> Option<LockedFolio<'_>> {
        // SAFETY: By the type invariant the folio is live.
        let locked = unsafe { shim::rwb_folio_trylock(self.0.as_ptr()) };
        // INVARIANT: The folio was just locked. (The value is made only in this case, because its
        // drop unlocks.)
        locked.then(|| LockedFolio(self))
    }

    /// Waits until the folio is not under writeback. Sleeps, without a limit.
    pub(crate) fn wait_writeback(&self) {
        // SAFETY: By the type invariant the folio is live.
        unsafe { shim::rwb_folio_wait_writeback(self.0.as_ptr()) };
    }

    /// Whether a cgroup to which the folio is charged is near its limit. Any context.
    pub(crate) fn memcg_short(&self) -> bool {
        let mut levels = (0..).map_while(|level| {
            let (mut used, mut limit) = (0, 0);
            // SAFETY: By the type invariant the folio is live, and both are valid for writes.
            let there =
                unsafe { shim::rwb_memcg_pages(self.0.as_ptr(), level, &mut used, &mut limit) };
            there.then_some((used, limit))
        });
        levels.any(|(used, limit)| short::cgroup_is_near_limit(used, limit))
    }
}

impl Drop for FolioRef {
    fn drop(&mut self) {
        // SAFETY: By the type invariant we own a reference, and we give it up here.
        unsafe { shim::rwb_folio_put(self.0.as_ptr()) };
    }
}

/// A folio that we locked. It is unlocked on drop.
///
/// # Invariants
///
/// We hold the folio lock.
pub(crate) struct LockedFolio<'a>(&'a FolioRef);

impl LockedFolio<'_> {
    /// Returns the inode of the folio; `None` if the folio was truncated. The pointer is valid
    /// while the folio is locked, because eviction waits for the lock.
    fn inode(&self) -> Option<NonNull<bindings::inode>> {
        // SAFETY: The folio is live and locked.
        NonNull::new(unsafe { shim::rwb_folio_inode(self.0 .0.as_ptr()) })
    }

    /// Returns the address of that inode, which is only compared; `None` if the folio was
    /// truncated.
    pub(crate) fn inode_key(&self) -> Option<usize> {
        self.inode().map(|inode| inode.as_ptr() as usize)
    }

    /// Whether the folio is dirty.
    pub(crate) fn dirty(&self) -> bool {
        // SAFETY: The folio is live.
        unsafe { shim::rwb_folio_dirty(self.0 .0.as_ptr()) }
    }

    /// Whether the folio is under writeback.
    pub(crate) fn writeback(&self) -> bool {
        // SAFETY: The folio is live.
        unsafe { shim::rwb_folio_writeback(self.0 .0.as_ptr()) }
    }

    /// Locks the folio's superblock against unmounting: see [`Superblock`]. Does not sleep.
    pub(crate) fn superblock(&self) -> Result<Superblock, FsUnavailable> {
        let inode = self.inode().ok_or(FsUnavailable::Gone)?;
        // SAFETY: The inode is live while the folio is locked.
        let sb = unsafe { shim::rwb_inode_sb(inode.as_ptr()) };
        let sb = NonNull::new(sb).ok_or(FsUnavailable::Gone)?;
        // SAFETY: The superblock outlives its inodes.
        match unsafe { shim::rwb_sb_trylock(sb.as_ptr()) } {
            // INVARIANT: `s_umount` was just taken.
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

/// Why a superblock could not be locked.
#[derive(Clone, Copy)]
pub(crate) enum FsUnavailable {
    /// The folio was truncated.
    Gone,
    /// The filesystem is being unmounted or remounted.
    Unmounting,
    /// The filesystem is frozen.
    Frozen,
    /// The filesystem is read-only.
    ReadOnly,
}

/// A superblock that is not unmounted, frozen or remounted while this value exists, because its
/// `s_umount` is held, shared. It should not be kept for long. It belongs to the task that made it.
///
/// # Invariants
///
/// This task holds `s_umount` for reading. When it was taken, the superblock was alive, writable
/// and not frozen.
pub(crate) struct Superblock(NonNull<bindings::super_block>);

impl Superblock {
    /// Takes a reference to the inode of a folio. `None` if the folio belongs to another
    /// superblock, or if the inode is being freed. Does not sleep.
    pub(crate) fn grab<'sb>(&'sb self, folio: &LockedFolio<'_>) -> Option<Inode<'sb>> {
        let inode = folio.inode()?;
        // SAFETY: The inode is live while the folio is locked.
        let sb = unsafe { shim::rwb_inode_sb(inode.as_ptr()) };
        if sb != self.0.as_ptr() {
            return None;
        }
        // SAFETY: As above.
        let inode = unsafe { bindings::igrab(inode.as_ptr()) };
        // INVARIANT: `igrab()` gave us a reference. The inode's superblock is `self`, which
        // outlives the result by its lifetime.
        NonNull::new(inode).map(|inode| Inode(inode, PhantomData))
    }
}

impl Drop for Superblock {
    fn drop(&mut self) {
        // SAFETY: By the type invariant this task holds the lock. Inodes that were taken under it
        // borrow `self`, so they are gone.
        unsafe { shim::rwb_sb_unlock(self.0.as_ptr()) };
    }
}

/// A reference to an inode whose superblock is locked meanwhile. It is put on drop, which may evict
/// the inode, and so sleeps and does I/O. It must never be dropped in reclaim.
///
/// # Invariants
///
/// We own one reference. The inode's `s_umount` is held during `'sb`.
pub(crate) struct Inode<'sb>(NonNull<bindings::inode>, PhantomData<&'sb Superblock>);

impl Inode<'_> {
    /// Returns the inode, for FFI.
    pub(crate) fn as_ptr(&self) -> *mut bindings::inode {
        self.0.as_ptr()
    }

    /// Returns the address of the inode's page cache, which is only compared.
    pub(crate) fn mapping_key(&self) -> usize {
        // SAFETY: By the type invariant the inode is live.
        unsafe { shim::rwb_inode_mapping(self.0.as_ptr()) }
    }

    /// Sets `pages` to those of the `nr` pages (at most [`MAX_PAGES`]) from `start` on that are
    /// dirty and not under writeback. Sleeps.
    pub(crate) fn dirty_pages(&self, start: u64, nr: u32, pages: &mut PageSet) {
        pages.clear();
        let words = pages.words_mut();
        let nr = nr.min(MAX_PAGES);
        // SAFETY: By the type invariant the inode is live. `words` has room for `nr` bits.
        unsafe { shim::rwb_dirty_pages(self.0.as_ptr(), start, nr, words.as_mut_ptr().cast()) };
    }

    /// Starts to write `nr` pages from `start` on. Sleeps, without a limit if the device does not
    /// answer. The caller must not have PF_MEMALLOC, because iomap refuses to write with it. Fails
    /// with the error of the filesystem.
    pub(crate) fn flush(&self, start: u64, nr: u64) -> Result {
        // SAFETY: By the type invariant the inode is live.
        to_result(unsafe { shim::rwb_flush_range(self.0.as_ptr(), start, nr) })
    }

    /// Returns the last folio with pages in `start..end` that is under writeback or about to be;
    /// `None` if there is none. Does not sleep.
    pub(crate) fn last_written(&self, start: u64, end: u64) -> Option<FolioRef> {
        // SAFETY: By the type invariant the inode is live.
        let folio = unsafe { shim::rwb_last_written(self.0.as_ptr(), start, end) };
        // INVARIANT: The function returned a reference.
        NonNull::new(folio).map(FolioRef)
    }
}

impl Drop for Inode<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariant we own a reference, and the superblock is still locked.
        unsafe { bindings::iput(self.0.as_ptr()) };
    }
}

/// Whether the folio at this frame still holds page `index` of the file with this mapping. This is
/// a snapshot, taken from addresses only. Any context.
pub(crate) fn pfn_in_file(pfn: usize, mapping: usize, index: u64) -> bool {
    // SAFETY: Has no precondition. The function checks the frame number, reads what is there in a
    // way that tolerates a fault, and only compares the addresses.
    unsafe { shim::rwb_pfn_in_file(pfn, mapping, index) }
}
