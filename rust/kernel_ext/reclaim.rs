// SPDX-License-Identifier: GPL-2.0

//! The kernel's side of the writeback helper: the registration, the arguments of the callbacks, and
//! whether a node is short of memory.
//!
//! C header: `include/linux/reclaim_writeback.h`, of the patched kernel

use crate::{
    kernel_ext::{
        fs::FolioRef,
        swap::PreparedRequest, //
    },
    policy::{
        handoff::{
            Batch,
            RequestInfo,
            TaskClass, //
        },
        link::RequestStamp,
        order::Place,
        patience::PageCache,
        short, //
    },
    shim::{
        nbd::Bio,
        rwb_bdi_name,
        rwb_helper_available,
        rwb_helper_done,
        rwb_helper_register,
        rwb_helper_unregister,
        rwb_kswapd_is_awaited,
        rwb_node_dirty,
        rwb_node_file,
        rwb_nr_node_ids,
        rwb_swap_take,
        rwb_swap_waited,
        rwb_task_is_dying,
        rwb_zone_pages,
        At,
        Swap,
        SwapDone,
        SwapWait,
        Target,
        ZonePages,
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

/// Whether this kernel has the patches that the helper needs.
pub(crate) fn available() -> bool {
    // SAFETY: Has no precondition.
    unsafe { rwb_helper_available() }
}

/// The data that C passes to the entries of a helper.
///
/// # Safety
///
/// All entries of a helper, in `entry`, must expect a pointer to this type.
pub(crate) unsafe trait HelperData: Send + Sync + 'static {}

/// Whether the table of callbacks, of which there is one, is in use.
static REGISTERED: Atomic<bool> = Atomic::new(false);

/// A registered helper. Reclaim calls it until the drop, which waits for the last call. Creating
/// and dropping one sleep.
///
/// # Invariants
///
/// The data is registered, and `REGISTERED` is set on its behalf.
pub(crate) struct Registration<D: HelperData>(Arc<D>);

impl<D: HelperData> Registration<D> {
    /// Registers a helper. Fails with `EOPNOTSUPP` on a kernel without the patches, and with
    /// `EBUSY` if there is a helper already. Sleeps.
    pub(crate) fn new(data: Arc<D>) -> Result<Self> {
        if REGISTERED.cmpxchg(false, true, Acquire).is_err() {
            return Err(EBUSY);
        }
        let passed = Arc::as_ptr(&data).cast_mut().cast();
        // SAFETY: The data is what the entries expect (`HelperData`), and we keep it until after it
        // is unregistered. The table of callbacks is not in use, because `REGISTERED` was not set.
        to_result(unsafe { rwb_helper_register(passed) })
            .inspect_err(|_| REGISTERED.store(false, Release))?;
        // INVARIANT: The data was just registered.
        Ok(Self(data))
    }

    /// Returns the data of the callbacks.
    pub(crate) fn data(&self) -> &D {
        &self.0
    }
}

impl<D: HelperData> Drop for Registration<D> {
    fn drop(&mut self) {
        // SAFETY: The helper was registered in `new`.
        unsafe { rwb_helper_unregister() };
        REGISTERED.store(false, Release);
    }
}

/// The allocation for which memory is reclaimed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Alloc {
    order: u32,
    /// The highest zone that can serve the allocation (`enum zone_type`).
    highest_zone: u32,
}

/// A dirty file folio that reclaim met, for the duration of the callback.
pub(crate) struct DirtyFolio<'a>(&'a Target);

impl<'a> DirtyFolio<'a> {
    /// Wraps the argument of the callback.
    ///
    /// # Safety
    ///
    /// During `'a` the folio of `target` must be locked and in the page cache of its inode.
    pub(crate) unsafe fn new(target: &'a Target) -> Self {
        Self(target)
    }

    /// Wraps a target of [`Target::fake`].
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) fn fake(target: &'a Target) -> Self {
        Self(target)
    }

    /// Returns why write-around cannot write the folio; `None` if it can.
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

    /// Whether the folio is needed because of the limit of a cgroup.
    pub(crate) fn memcg(&self) -> bool {
        self.0.flags & RWB_TARGET_MEMCG != 0
    }

    /// Whether the folio is needed because userspace asked for reclaim.
    pub(crate) fn proactive(&self) -> bool {
        self.0.flags & RWB_TARGET_PROACTIVE != 0
    }

    /// Takes a reference to the folio. Any context.
    pub(crate) fn reference(&self) -> FolioRef {
        // SAFETY: The caller of the callback has locked the folio, and holds a reference.
        unsafe { FolioRef::get(NonNull::new_unchecked(self.0.folio as *mut _)) }
    }

    /// Returns the address of the folio's superblock, which is only compared.
    pub(crate) fn sb_key(&self) -> usize {
        self.0.sb
    }

    /// Returns the address of the folio's inode, which is only compared.
    pub(crate) fn inode_key(&self) -> usize {
        self.0.inode
    }

    /// Returns the offset of the folio in the file, in pages.
    pub(crate) fn index(&self) -> u64 {
        self.0.index
    }

    /// Returns the size of the folio in pages.
    pub(crate) fn nr_pages(&self) -> u32 {
        self.0.nr_pages
    }

    /// Returns the node of the folio.
    pub(crate) fn nid(&self) -> u32 {
        self.0.nid
    }

    /// Returns the allocation for which reclaim met the folio.
    pub(crate) fn alloc(&self) -> Alloc {
        Alloc {
            order: self.0.order,
            highest_zone: self.0.highest_zone,
        }
    }

    /// Returns the device that backs the folio.
    pub(crate) fn device(&self) -> BackingDevice<'a> {
        BackingDevice(self.0)
    }
}

/// The backing device of a folio that reclaim met, for the duration of the callback.
pub(crate) struct BackingDevice<'a>(&'a Target);

impl BackingDevice<'_> {
    /// Returns the address of the device, which is only compared.
    pub(crate) fn key(&self) -> usize {
        self.0.bdi
    }

    /// Returns the name of the device, such as 259:0, padded with NULs.
    pub(crate) fn name(&self) -> [u8; 16] {
        let mut name = [0u8; 16];
        #[cfg(CONFIG_KUNIT = "y")]
        if self.0.bdi == 0x3000 {
            return name; // the device of `Target::fake()`, which does not exist
        }
        // SAFETY: The folio is locked, so its inode, superblock and device are live. `name` has
        // room for the given length.
        unsafe { rwb_bdi_name(self.0.bdi, name.as_mut_ptr().cast(), name.len()) };
        name
    }
}

/// A prepared swap-out request, for the duration of the callback.
pub(crate) struct SwapRequest<'a>(&'a Swap);

impl<'a> SwapRequest<'a> {
    /// Wraps the argument of the callback.
    ///
    /// # Safety
    ///
    /// During `'a` the request of `swap` must be live, and must belong to the caller alone. If it
    /// is taken, it must stay live until it is submitted.
    pub(crate) unsafe fn new(swap: &'a Swap) -> Self {
        Self(swap)
    }

    /// Wraps a request of [`Swap::fake`].
    #[cfg(CONFIG_KUNIT = "y")]
    pub(crate) fn fake(swap: &'a Swap) -> Self {
        Self(swap)
    }

    fn flag(&self, flag: u32) -> bool {
        self.0.flags & flag != 0
    }

    /// Returns what the policy needs to know of the request.
    pub(crate) fn info(&self) -> RequestInfo {
        RequestInfo {
            sync: self.flag(RWB_SWAP_SYNC),
            headroom: self.0.at.headroom,
        }
    }

    /// Returns the device number.
    pub(crate) fn device(&self) -> u32 {
        self.0.device
    }

    /// Returns the place of the request on its device, by which requests are sorted.
    pub(crate) fn place(&self) -> Place {
        Place {
            area: self.0.area,
            slot: self.0.slot,
        }
    }

    /// Returns the size of the request in pages.
    pub(crate) fn pages(&self) -> u32 {
        self.0.pages
    }

    /// Takes the request. The caller does so once at most, and then has to return `cookie`, which
    /// is not 0, from the callback.
    pub(crate) fn take(&self, cookie: usize) -> PreparedRequest {
        if self.0.request != 0 {
            // SAFETY: By the safety requirement of `new` the request is live, and ours to change.
            unsafe { rwb_swap_take(self.0.request, cookie) };
        }
        // SAFETY: The request stays live until it is submitted, and is ours alone.
        unsafe { PreparedRequest::new(self.0.request) }
    }

    /// Returns the bio that swap gathered.
    pub(crate) fn bio(&self) -> &Bio {
        &self.0.bio
    }

    /// Returns the place at which the request was made.
    pub(crate) fn at(&self) -> &At {
        &self.0.at
    }
}

fn class(flags: u32) -> TaskClass {
    if flags & RWB_SWAP_KSWAPD != 0 {
        TaskClass::Kswapd
    } else if flags & RWB_SWAP_EXEMPT != 0 {
        TaskClass::Exempt
    } else {
        TaskClass::Ordinary
    }
}

/// Whether the current task has been killed.
pub(crate) fn dying() -> bool {
    // SAFETY: Only looks at the current task.
    unsafe { rwb_task_is_dying() }
}

/// Whether tasks wait for a kswapd to free memory.
pub(crate) fn kswapd_is_awaited() -> bool {
    // SAFETY: Only looks at the wait queues of nodes, which stay.
    unsafe { rwb_kswapd_is_awaited() }
}

/// A batch of folios that reclaim is done with, some of which we took, for the duration of the
/// callback.
pub(crate) struct SwapBatch<'a>(&'a SwapWait);

impl<'a> SwapBatch<'a> {
    /// Wraps the argument of the callback.
    pub(crate) fn new(wait: &'a SwapWait) -> Self {
        Self(wait)
    }

    /// Returns the cookie of the last request that we took.
    pub(crate) fn cookie(&self) -> usize {
        self.0.cookie
    }

    /// Returns how many pages of the batch we took, and how many were freed.
    pub(crate) fn counts(&self) -> Batch {
        Batch {
            handed: self.0.pages,
            freed: self.0.freed,
        }
    }

    /// Returns the kind of task that reclaims.
    pub(crate) fn class(&self) -> TaskClass {
        class(self.0.flags)
    }

    /// Returns the number of page faults that the task has had; `None` if it does not reclaim for a
    /// page that it wants now.
    pub(crate) fn faults(&self) -> Option<u32> {
        (self.0.flags & RWB_SWAP_FAULT != 0).then_some(self.0.faults)
    }

    /// Returns the order of the allocation for which the task reclaims.
    pub(crate) fn order(&self) -> u32 {
        self.0.order
    }

    /// Returns the place from which reclaim called.
    pub(crate) fn at(&self) -> &At {
        &self.0.at
    }

    /// Tells reclaim that the current task saw `pages` pages written while it waited, which counts
    /// as progress.
    pub(crate) fn report_written(&self, pages: u32) {
        // SAFETY: Changes a number of the current task, which is the one that waited.
        unsafe { rwb_swap_waited(pages) };
    }
}

/// A request of ours that has completed.
pub(crate) struct CompletedRequest {
    /// The cookie with which the request was taken.
    pub(crate) cookie: usize,
    /// What was noted when the request was submitted.
    pub(crate) sent: RequestStamp,
    /// Size of the request in pages.
    pub(crate) pages: u32,
    /// Whether the request could not be written.
    pub(crate) failed: bool,
}

impl CompletedRequest {
    /// Converts the argument of the callback.
    pub(crate) fn new(done: &SwapDone) -> Self {
        Self {
            cookie: done.cookie,
            sent: RequestStamp::unpack(done.stamp),
            pages: done.pages,
            failed: done.failed,
        }
    }
}

/// Wakes the tasks that reclaim on a node and wait for writeback. Any context.
pub(crate) fn done(nid: u32) {
    // SAFETY: `nid` is a node that reclaim named to us, so it exists.
    unsafe { rwb_helper_done(nid as c_int) };
}

/// Whether a node is short of memory for an allocation: none of the zones that the allocation may
/// be from has enough. Any context.
pub(crate) fn node_short(nid: u32, alloc: Alloc) -> bool {
    let mut zones = (0..=alloc.highest_zone).map_while(|zone| {
        let mut pages = pin_init::zeroed();
        // SAFETY: As above, and `pages` is valid for writes.
        let there = unsafe { rwb_zone_pages(nid as c_int, zone, alloc.highest_zone, &mut pages) };
        there.then_some(pages)
    });
    !zones.any(|zone: ZonePages| {
        let pages = short::ZonePages {
            free: zone.free,
            low: zone.low,
            high: zone.high,
            reserve: zone.reserve,
        };
        zone.managed && short::zone_has_enough(&pages, alloc.order)
    })
}

/// Returns the size of a node's page cache. Any context.
pub(crate) fn node_cache(nid: u32) -> PageCache {
    // SAFETY: As above.
    let (pages, dirty) = unsafe { (rwb_node_file(nid as c_int), rwb_node_dirty(nid as c_int)) };
    PageCache {
        pages: pages as u64,
        dirty: dirty as u64,
    }
}

/// Returns the number of node ids: all are less than this.
pub(crate) fn nodes() -> usize {
    // SAFETY: Has no precondition.
    unsafe { rwb_nr_node_ids() as usize }
}
