// SPDX-License-Identifier: GPL-2.0

//! The kernel's end of the writeback helper: the one place where it is
//! registered, what its callbacks get, and who is short of memory.
//!
//! Locks: `SWITCH`, then `PLACE`, then the kernel's own around registration. `PLACE` is not held
//! while a helper goes, which may wait for a device.
//!
//! C header: `include/linux/reclaim_writeback.h`, of the patched kernel

use super::{
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
    RWB_SWAP_KSWAPD,
    RWB_SWAP_SYNC,
    RWB_TARGET_BLOCKDEV,
    RWB_TARGET_DEADLOCK,
    RWB_TARGET_MEMCG,
    RWB_TARGET_NODEVICE,
    RWB_TARGET_PROACTIVE,
    RWB_TARGET_SWAPFILE, //
};
use crate::{
    helper::{
        file::{
            Hook,
            Shared, //
        },
        swap,
        Helper, //
    },
    kernel_ext::{
        fs::FolioRef,
        swap::Prepared, //
    },
    ledgers::Observer,
    policy::{
        handoff::{
            Asked,
            Batch,
            Who, //
        },
        link::Sent,
        patience::Cache, //
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

/// What the module has of the helper.
struct Place {
    /// `None` when the module is going.
    observer: Option<Arc<Observer>>,
    helper: Option<Helper>,
}

kernel::sync::global_lock! {
    // SAFETY: `Placed::new()` initializes it before it sets `READY`, without which
    // nobody looks at it.
    unsafe(uninit) static PLACE: Mutex<Place> = Place { observer: None, helper: None };
}

kernel::sync::global_lock! {
    // SAFETY: As `PLACE`.
    unsafe(uninit) static SWITCH: Mutex<()> = ();
}

/// `PLACE` is taken: 0 not yet, 1 it is being made, 2 it may be looked at.
static READY: Atomic<i32> = Atomic::new(0);

/// The helper, while the module is loaded: whether it is on or off.
pub(crate) struct Placed(());

impl Placed {
    /// Makes place for the helper, which is off. For the module's init; `EBUSY`
    /// the second time. Sleeps.
    pub(crate) fn new(observer: Arc<Observer>) -> Result<Self> {
        if READY.cmpxchg(0, 1, Acquire).is_err() {
            return Err(EBUSY);
        }
        // SAFETY: We are the only one to come here, as we changed `READY` from 0,
        // to which it never returns; nobody looks at `PLACE` before it is 2.
        unsafe { PLACE.init() };
        // SAFETY: As above.
        unsafe { SWITCH.init() };
        PLACE.lock().observer = Some(observer);
        READY.store(2, Release);
        Ok(Self(()))
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        // Parameters can be set until the module is gone, and who sets one may be waiting for a
        // device just now: without an observer nobody gets a helper any more.
        let mut place = PLACE.lock();
        place.observer = None;
        let helper = place.helper.take();
        drop(place);
        // Not under the lock: it may wait for a device.
        drop(helper);
    }
}

fn ready() -> bool {
    READY.load(Acquire) == 2
}

/// The halves of the helper.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Write-around.
    pub(crate) around: bool,
    /// Handoff.
    pub(crate) handoff: bool,
}

/// Switches the halves of the helper on or off; nothing happens if they are that already,
/// else what both have queued is given up. Returns when the workers are done.
/// `EOPNOTSUPP` on a kernel without the patches, `EBUSY` when it has another helper.
/// `ENODEV` when the module is going; before its init it has no effect. Sleeps.
pub(crate) fn switch(wanted: Wanted) -> Result {
    if !ready() {
        return Ok(());
    }
    // One at a time: parameters are set under a lock of the kernel's, but the module's init, which
    // sees what they are, is not, and they can be set before it is done.
    let _switching = SWITCH.lock();
    if on() == Some(wanted) {
        return Ok(());
    }
    // Not under this lock: it may wait for a device.
    let helper = PLACE.lock().helper.take();
    let before = helper.as_ref().map(Helper::on);
    drop(helper);
    if wanted == Wanted::default() {
        return Ok(());
    }
    let mut place = PLACE.lock();
    let observer = place.observer.clone().ok_or(ENODEV)?;
    match Helper::new(observer.clone(), wanted) {
        Ok(helper) => place.helper = Some(helper),
        Err(e) => {
            // As it was, if that can be had again.
            place.helper = before.and_then(|on| Helper::new(observer, on).ok());
            return Err(e);
        }
    }
    Ok(())
}

/// What readers look at; `None` when write-around is off. Sleeps.
pub(crate) fn shared() -> Option<Arc<Shared>> {
    if !ready() {
        return None;
    }
    PLACE.lock().helper.as_ref()?.around()
}

/// What readers look at; `None` when handoff is off. Sleeps.
pub(crate) fn handoff() -> Option<Arc<swap::Shared>> {
    if !ready() {
        return None;
    }
    PLACE.lock().helper.as_ref()?.handoff()
}

/// Which halves are on? `None` before the module's init. Sleeps.
pub(crate) fn on() -> Option<Wanted> {
    ready().then(|| {
        let place = PLACE.lock();
        place
            .helper
            .as_ref()
            .map_or_else(Wanted::default, Helper::on)
    })
}

/// Has this kernel a place for the helper?
pub(crate) fn available() -> bool {
    // SAFETY: Has no precondition.
    unsafe { rwb_helper_available() }
}

/// What the kernel calls, by halves.
pub(crate) struct Ends {
    /// Write-around.
    pub(crate) around: Option<Arc<Hook>>,
    /// Handoff.
    pub(crate) swap: Option<swap::Hook>,
}

/// A registered helper. Reclaim calls it until the drop, which waits for the last
/// call. Both sleep.
pub(crate) struct Registration(Arc<Ends>);

impl Registration {
    /// Registers. `EOPNOTSUPP` on a kernel without the patch, `EBUSY` when it has
    /// another helper.
    pub(crate) fn new(ends: Ends) -> Result<Self> {
        let ends = Arc::new(ends, GFP_KERNEL)?;
        let data = Arc::as_ptr(&ends).cast_mut().cast();
        // SAFETY: The entries expect `Ends`, which we keep until after they are
        // unregistered. There is one at a time, under `PLACE`, so that the table
        // of callbacks is not in use.
        to_result(unsafe { rwb_helper_register(data) })?;
        Ok(Self(ends))
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // The kernel waits for those who wait for us.
        if let Some(hook) = self.0.swap.as_ref() {
            hook.close();
        }
        // SAFETY: Registered in `new`.
        unsafe { rwb_helper_unregister() };
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
pub(crate) struct Met<'a>(&'a Target);

impl<'a> Met<'a> {
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
    pub(crate) fn folio(&self) -> FolioRef {
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
    pub(crate) fn device(&self) -> Device<'a> {
        Device(self.0)
    }
}

/// The backing device of a folio that reclaim met, during the callback.
pub(crate) struct Device<'a>(&'a Target);

impl Device<'_> {
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
pub(crate) struct Asking<'a>(&'a Swap);

impl<'a> Asking<'a> {
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
    pub(crate) fn asked(&self) -> Asked {
        Asked {
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
pub(crate) struct Waiting<'a>(&'a SwapWait);

impl<'a> Waiting<'a> {
    /// Of what the kernel says.
    pub(crate) fn new(wait: &'a SwapWait) -> Self {
        Self(wait)
    }

    /// Cookie of the last request that we took.
    pub(crate) fn cookie(&self) -> usize {
        self.0.cookie
    }

    /// Pages of the batch that we took, and that were freed.
    pub(crate) fn batch(&self) -> Batch {
        Batch {
            handed: self.0.pages,
            freed: self.0.freed,
        }
    }

    /// Whose they were.
    pub(crate) fn who(&self) -> Who {
        who(self.0.flags)
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
