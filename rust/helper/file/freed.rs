// SPDX-License-Identifier: GPL-2.0

//! Checks, a second after a target was cleaned, whether its page has been freed: only then was the
//! write of use.
//!
//! The page is identified by its address and its place in the file. A reference would keep the page
//! from being freed. So a page that was migrated counts as freed, too.
//!
//! Context: process context. Locks: the queue's spinlock (see Documentation/design.rst).

use crate::{
    kernel_ext::{
        fs,
        percpu::pinned,
        system,
        workqueue::Tick, //
    },
    ledgers::Ledgers, //
};
use kernel::{
    alloc::KVVec,
    new_spinlock,
    prelude::*,
    sync::{
        Arc,
        SpinLock, //
    },
};

/// Time that reclaim has to free a page, in nanoseconds.
const WITHIN_NS: u64 = 1_000_000_000;

/// Interval of the checks, in milliseconds.
pub(crate) const TICK_MS: u32 = 250;

/// Number of pages that can be watched at once.
const WATCHED: usize = 2048;

/// A page that was cleaned, and is checked when its time has come.
#[derive(Clone, Copy)]
pub(crate) struct WatchedPage {
    /// Frame number of the page.
    pub(crate) pfn: usize,
    /// Address of the `address_space` of its file, which is only compared.
    pub(crate) mapping: usize,
    /// Offset of the page in the file, in pages.
    pub(crate) index: u64,
    /// When the page was clean, in nanoseconds of `clock_ns()`.
    pub(crate) at: u64,
}

impl WatchedPage {
    const NONE: WatchedPage = WatchedPage {
        pfn: 0,
        mapping: 0,
        index: 0,
        at: 0,
    };
}

/// Returns the index of place `i`, which is less than `2 * n`, in a ring of `n` places.
const fn wrap(i: usize, n: usize) -> usize {
    if i < n {
        i
    } else {
        i.saturating_sub(n)
    }
}

/// A FIFO in a ring of fixed size.
struct WatchQueue {
    pages: KVVec<WatchedPage>,
    first: usize,
    len: usize,
}

impl WatchQueue {
    /// Appends a page. Returns false if there is no room.
    fn push(&mut self, page: WatchedPage) -> bool {
        let n = self.pages.len();
        if self.len >= n {
            return false;
        }
        let i = wrap(self.first.wrapping_add(self.len), n);
        match self.pages.get_mut(i) {
            Some(place) => *place = page,
            None => return false,
        }
        self.len = self.len.wrapping_add(1);
        true
    }

    /// Removes the oldest page and returns it, if it is due.
    fn pop(&mut self, due: impl Fn(&WatchedPage) -> bool) -> Option<WatchedPage> {
        if self.len == 0 {
            return None;
        }
        let page = *self.pages.get(self.first)?;
        if !due(&page) {
            return None;
        }
        self.first = wrap(self.first.wrapping_add(1), self.pages.len());
        self.len = self.len.wrapping_sub(1);
        Some(page)
    }
}

/// The pages that are watched.
#[pin_data]
pub(crate) struct Freed {
    #[pin]
    queue: SpinLock<WatchQueue>,
    ledgers: Arc<Ledgers>,
}

impl Freed {
    /// Allocates the queue, which is empty at first. Sleeps.
    pub(crate) fn new(ledgers: Arc<Ledgers>) -> Result<Arc<Self>> {
        let pages = KVVec::from_elem(WatchedPage::NONE, WATCHED, GFP_KERNEL)?;
        Arc::pin_init(
            pin_init!(Self {
                queue <- new_spinlock!(WatchQueue { pages, first: 0, len: 0 }, "reclaimwb_freed"),
                ledgers,
            }),
            GFP_KERNEL,
        )
    }

    /// Starts to watch a page. Counts a loss if there is no room. Does not sleep.
    pub(crate) fn watch(&self, page: WatchedPage) {
        if !self.queue.lock().push(page) {
            pinned(|pin| self.ledgers.write_around.this(pin).freed_unwatched.add(1));
        }
    }

    /// Returns the memory that the queue uses, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of::<[WatchedPage; WATCHED]>()
    }
}

impl Tick for Freed {
    fn tick(&self) -> u32 {
        let now = system::clock_ns();
        let due = |page: &WatchedPage| now.saturating_sub(page.at) >= WITHIN_NS;
        loop {
            let page = self.queue.lock().pop(due);
            let Some(page) = page else {
                break;
            };
            let freed = !fs::pfn_in_file(page.pfn, page.mapping, page.index);
            pinned(|pin| {
                let ledger = self.ledgers.write_around.this(pin);
                ledger.freed_watched.add(1);
                ledger.freed_within.add(u64::from(freed));
            });
        }
        if self.queue.lock().len == 0 {
            0
        } else {
            TICK_MS
        }
    }
}
