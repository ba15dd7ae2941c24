// SPDX-License-Identifier: GPL-2.0

//! The kernel's end of the writeback helper: registering one, what its callbacks get, and who is
//! short of memory.
//!
//! C header: `include/linux/reclaim_writeback.h`, of the patched kernel

use crate::{
    kernel_ext::{
        fs::FolioRef,
        swap::Prepared, //
    },
    policy::{
        handoff::{
            Batch,
            RequestInfo,
            Who, //
        },
        link::Sent,
        patience::Cache, //
    },
    shim::{
        nbd::Bio,
        rwb_bdi_name,
        rwb_helper_available,
        rwb_helper_done,
        rwb_helper_register,
        rwb_helper_unregister,
        rwb_node_dirty,
        rwb_node_file,
        rwb_node_short,
        rwb_nr_node_ids,
        rwb_swap_take,
        rwb_swap_waited,
        rwb_task_is_dying,
        At,
        Swap,
        SwapDone,
        SwapWait,
        Target,
        RWB_SWAP_EXEMPT,
        RWB_SWAP_FAULT,
        RWB_SWAP_KSWAPD,
        RWB_SWAP_SYNC,
        RWB_TARGET_BLOCKDEV,
        RWB_TARGET_DEADLOCK,
        RWB_TARGET_MEMCG,
        RWB_TARGET_NODEVICE,
        RWB_TARGET_PROACTIVE,
        RWB_TARGET_SWAPFILE, //
    },
    words::Skip, //
};
use core::ptr::NonNull;
use kernel::{
    error::to_result,
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        Arc, //
    },
};

/// Has this kernel a place for the helper?
pub(crate) fn available() -> bool {
    // SAFETY: Has no precondition.
    unsafe { rwb_helper_available() }
}

/// What C passes on to the entries that the kernel calls of a helper.
///
/// # Safety
///
/// All of these entries, in `entry`, must expect a pointer to this type.
pub(crate) unsafe trait HelperData: Send + Sync + 'static {}

/// The table of callbacks is in use: there is one.
static REGISTERED: Atomic<bool> = Atomic::new(false);

/// A registered helper. Reclaim calls it until the drop, which waits for the last
/// call. Both sleep.
///
/// # Invariants
///
/// The data is registered, and `REGISTERED` set on its behalf.
pub(crate) struct Registration<D: HelperData>(Arc<D>);

impl<D: HelperData> Registration<D> {
    /// Registers. `EOPNOTSUPP` on a kernel without the patch, `EBUSY` when it has
    /// another helper.
    pub(crate) fn new(data: Arc<D>) -> Result<Self> {
        if REGISTERED.cmpxchg(false, true, Acquire).is_err() {
            return Err(EBUSY);
        }
        let passed = Arc::as_ptr(&data).cast_mut().cast();
        // SAFETY: The data is what the entries expect (`HelperData`), and we keep it until after
        // it is unregistered. The table of callbacks is not in use, as `REGISTERED` was not set.
        to_result(unsafe { rwb_helper_register(passed) })
            .inspect_err(|_| REGISTERED.store(false, Release))?;
        // INVARIANT: Just registered.
        Ok(Self(data))
    }

    /// What the callbacks get.
    pub(crate) fn data(&self) -> &D {
        &self.0
    }
}

impl<D: HelperData> Drop for Registration<D> {
    fn drop(&mut self) {
        // SAFETY: Registered in `new`.
        unsafe { rwb_helper_unregister() };
        REGISTERED.store(false, Release);
    }
}

/// What memory is reclaimed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alloc {
    order: u32,
    /// It may come out of this zone, and those below it (`enum zone_type`).
    highest_zone: u32,
}

/// A dirty file folio that reclaim met, during the callback.
pub(crate) struct DirtyFolio<'a>(&'a Target);

impl<'a> DirtyFolio<'a> {
    /// # Safety
    ///
    /// During `'a` the folio of `target` is locked and in the page cache of its
    /// inode.
    pub(crate) unsafe fn new(target: &'a Target) -> Self {
        Self(target)
    }

    /// See [`Target::fake`].
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) fn fake(target: &'a Target) -> Self {
        Self(target)
    }

    /// Why it can't be ours, if so.
    pub(crate) fn unfit(&self) -> Option<Skip> {
        [
            (RWB_TARGET_BLOCKDEV, Skip::BlockDevice),
            (RWB_TARGET_SWAPFILE, Skip::SwapFile),
            (RWB_TARGET_DEADLOCK, Skip::Deadlock),
            (RWB_TARGET_NODEVICE, Skip::NoDevice),
        ]
        .into_iter()
        .find(|(flag, _)| self.0.flags & flag != 0)
        .map(|(_, why)| why)
    }

    /// It is needed for the limit of a cgroup.
    pub(crate) fn memcg(&self) -> bool {
        self.0.flags & RWB_TARGET_MEMCG != 0
    }

    /// It is needed as userspace asks for memory to be reclaimed.
    pub(crate) fn proactive(&self) -> bool {
        self.0.flags & RWB_TARGET_PROACTIVE != 0
    }

    /// A reference to the folio.
    pub(crate) fn reference(&self) -> FolioRef {
        // SAFETY: The folio is locked by who calls us, who holds a reference.
        unsafe { FolioRef::get(NonNull::new_unchecked(self.0.folio as *mut _)) }
    }

    /// Address of its superblock, to be compared.
    pub(crate) fn sb_key(&self) -> usize {
        self.0.sb
    }

    /// Address of its inode, to be compared.
    pub(crate) fn inode_key(&self) -> usize {
        self.0.inode
    }

    /// Its place in the file, in pages.
    pub(crate) fn index(&self) -> u64 {
        self.0.index
    }

    /// Its size in pages.
    pub(crate) fn nr_pages(&self) -> u32 {
        self.0.nr_pages
    }

    /// Its node.
    pub(crate) fn nid(&self) -> u32 {
        self.0.nid
    }

    /// What reclaim met it for.
    pub(crate) fn alloc(&self) -> Alloc {
        Alloc {
            order: self.0.order,
            highest_zone: self.0.highest_zone,
        }
    }

    /// The device behind it.
    pub(crate) fn device(&self) -> BackingDevice<'a> {
        BackingDevice(self.0)
    }
}

/// The backing device of a folio that reclaim met, during the callback.
pub(crate) struct BackingDevice<'a>(&'a Target);

impl BackingDevice<'_> {
    /// Its address, to be compared.
    pub(crate) fn key(&self) -> usize {
        self.0.bdi
    }

    /// Its name, such as 259:0, NUL-padded.
    pub(crate) fn name(&self) -> [u8; 16] {
        let mut name = [0u8; 16];
        #[cfg(CONFIG_KUNIT = "y")]
        if self.0.bdi == 0x3000 {
            return name; // `Target::fake()`'s, which does not exist
        }
        // SAFETY: The folio is locked, so that its inode, superblock and device
        // are live; `name` has the room.
        unsafe { rwb_bdi_name(self.0.bdi, name.as_mut_ptr().cast(), name.len()) };
        name
    }
}

/// A swap-out request that is prepared, during the callback.
pub(crate) struct SwapRequest<'a>(&'a Swap);

impl<'a> SwapRequest<'a> {
    /// # Safety
    ///
    /// During `'a` the request of `swap` is live, and nobody's but the caller's; it stays live
    /// until it is submitted if it is taken.
    pub(crate) unsafe fn new(swap: &'a Swap) -> Self {
        Self(swap)
    }

    /// See [`Swap::fake`].
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) fn fake(swap: &'a Swap) -> Self {
        Self(swap)
    }

    fn flag(&self, flag: u32) -> bool {
        self.0.flags & flag != 0
    }

    /// What the policy wants to know.
    pub(crate) fn info(&self) -> RequestInfo {
        RequestInfo {
            sync: self.flag(RWB_SWAP_SYNC),
            headroom: self.0.at.headroom,
        }
    }

    /// Number of the device.
    pub(crate) fn device(&self) -> u32 {
        self.0.device
    }

    /// What it is sorted by.
    pub(crate) fn slot(&self) -> u64 {
        self.0.slot
    }

    /// Its size in pages.
    pub(crate) fn pages(&self) -> u32 {
        self.0.pages
    }

    /// Takes it: to be called once at most, and who asks is to be told the cookie, which is not 0.
    pub(crate) fn take(&self, cookie: usize) -> Prepared {
        if self.0.request != 0 {
            // SAFETY: By the safety requirement of `new` it is live and ours to change.
            unsafe { rwb_swap_take(self.0.request, cookie) };
        }
        // SAFETY: It stays live until it is submitted, and is ours alone.
        unsafe { Prepared::new(self.0.request) }
    }

    /// What swap gathered.
    pub(crate) fn bio(&self) -> &Bio {
        &self.0.bio
    }

    /// Where it was made.
    pub(crate) fn at(&self) -> &At {
        &self.0.at
    }
}

fn who(flags: u32) -> Who {
    if flags & RWB_SWAP_KSWAPD != 0 {
        Who::Kswapd
    } else if flags & RWB_SWAP_EXEMPT != 0 {
        Who::Exempt
    } else {
        Who::Task
    }
}

/// Is the current task to die?
pub(crate) fn dying() -> bool {
    // SAFETY: Looks at the task that is running.
    unsafe { rwb_task_is_dying() }
}

/// A batch of folios is through, some of which we took; during the callback.
pub(crate) struct SwapBatch<'a>(&'a SwapWait);

impl<'a> SwapBatch<'a> {
    /// Of what the kernel says.
    pub(crate) fn new(wait: &'a SwapWait) -> Self {
        Self(wait)
    }

    /// Cookie of the last request that we took.
    pub(crate) fn cookie(&self) -> usize {
        self.0.cookie
    }

    /// Pages of the batch that we took, and that were freed.
    pub(crate) fn counts(&self) -> Batch {
        Batch {
            handed: self.0.pages,
            freed: self.0.freed,
        }
    }

    /// Whose they were.
    pub(crate) fn who(&self) -> Who {
        who(self.0.flags)
    }

    /// Faults that the task has had; `None`: it does not reclaim for a page that it wants now.
    pub(crate) fn faults(&self) -> Option<u32> {
        (self.0.flags & RWB_SWAP_FAULT != 0).then_some(self.0.faults)
    }

    /// Order of the allocation that it reclaims for.
    pub(crate) fn order(&self) -> u32 {
        self.0.order
    }

    /// Where.
    pub(crate) fn at(&self) -> &At {
        &self.0.at
    }

    /// The current task saw so many pages written while it waited: that is progress of its
    /// reclaim.
    pub(crate) fn saw_written(&self, pages: u32) {
        // SAFETY: Changes a number of the task that is running, which is who waited.
        unsafe { rwb_swap_waited(pages) };
    }
}

/// One of our requests is done.
pub(crate) struct Done {
    /// What it was taken with.
    pub(crate) cookie: usize,
    /// What was noted of it when it was submitted.
    pub(crate) sent: Sent,
    /// Its size in pages.
    pub(crate) pages: u32,
    /// It was not written.
    pub(crate) failed: bool,
}

impl Done {
    pub(crate) fn new(done: &SwapDone) -> Self {
        Self {
            cookie: done.cookie,
            sent: Sent::unpack(done.stamp),
            pages: done.pages,
            failed: done.failed,
        }
    }
}

/// Ends the wait of those who reclaim on a node. Any context.
pub(crate) fn done(nid: u32) {
    // SAFETY: `nid` is a node that reclaim named to us, so it exists.
    unsafe { rwb_helper_done(nid as c_int) };
}

/// Is the node short of memory for that allocation? Any context.
pub(crate) fn node_short(nid: u32, alloc: Alloc) -> bool {
    // SAFETY: As above.
    unsafe { rwb_node_short(nid as c_int, alloc.order, alloc.highest_zone) }
}

/// What there is of page cache on a node. Any context.
pub(crate) fn node_cache(nid: u32) -> Cache {
    // SAFETY: As above.
    let (pages, dirty) = unsafe { (rwb_node_file(nid as c_int), rwb_node_dirty(nid as c_int)) };
    Cache {
        pages: pages as u64,
        dirty: dirty as u64,
    }
}

/// Number of node ids.
pub(crate) fn nodes() -> usize {
    // SAFETY: Has no precondition.
    unsafe { rwb_nr_node_ids() as usize }
}
