// SPDX-License-Identifier: GPL-2.0

//! The metadata ledger: pages of the page cache of block devices that reclaim evicted, and that
//! were read again. Filesystems such as ext4 keep bitmaps and inode tables in that page cache.
//!
//! Bitmaps of ext4, which it reads when it wants to allocate, have counts of their own.
//!
//! Evicted folios are remembered in a table by device and place: one word and a time for each. A
//! folio may take the place of an earlier one, which is counted. The counts are one instance per
//! CPU, written with preemption off.

use crate::{
    kernel_ext::{
        cell::Cell64,
        percpu::{
            PerCpu,
            Pinned, //
        },
    },
    policy::shrink::mix,
    tables::hist::Hist,
    words::Origin, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};
use pin_init::Zeroable;

/// Number of folios that are remembered: 64 MiB of 4 KiB pages.
const REMEMBERED: usize = 16384;

/// Number of bitmaps that are remembered: those of 256 GiB of ext4 with 4 KiB blocks.
const BITMAPS: usize = 4096;

/// The most devices that a CPU tells apart.
pub(crate) const DEVICES: usize = 16;

/// A folio that was evicted.
struct EvictedFolio {
    /// The [`mix`] of its device and place; 0 if the entry is free.
    key: Atomic<u64>,
    /// When it was evicted, in nanoseconds of `clock_ns()`.
    at: Atomic<u64>,
}

/// The kind of a bitmap of ext4.
#[derive(Clone, Copy)]
pub(crate) enum Bitmap {
    /// The bitmap of the blocks of a group.
    Blocks,
    /// The bitmap of the inodes of a group.
    Inodes,
}

/// A bitmap that was read.
struct BitmapRead {
    /// The [`mix`] of its device, group and kind; 0 if the entry is free.
    key: Atomic<u64>,
    /// The pages of its device that reclaim had evicted when it was read.
    evicted: Atomic<u64>,
}

/// Reads of bitmaps of one kind.
#[derive(Zeroable)]
pub(crate) struct BitmapReads {
    /// All reads.
    pub(crate) all: Cell64,
    /// Reads of these of a bitmap that was read before, when reclaim had evicted pages of the
    /// device meanwhile.
    pub(crate) again: Cell64,
}

/// The counts of a device.
#[derive(Zeroable)]
pub(crate) struct MetadataDevice {
    /// The device number, plus 1; 0 if the row is free.
    dev: Cell64,
    /// Pages that were evicted.
    pub(crate) evicted: Cell64,
    /// Pages that were read again.
    pub(crate) reread: Cell64,
    /// Pages that were read again, by milliseconds since they were evicted, log2.
    pub(crate) hist: Hist,
    bitmaps: [BitmapReads; 2],
}

impl MetadataDevice {
    /// Returns the reads of its bitmaps of one kind.
    pub(crate) fn bitmaps(&self, of: Bitmap) -> Option<&BitmapReads> {
        self.bitmaps.get(of as usize)
    }

    /// Returns the device number; `None` if the row is free.
    pub(crate) fn number(&self) -> Option<u32> {
        u32::try_from(self.dev.get().checked_sub(1)?).ok()
    }
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct MetadataCounts {
    evicted: [Cell64; Origin::COUNT],
    devices: [MetadataDevice; DEVICES],
    /// Folios that were forgotten, because others took their places.
    pub(crate) forgotten: Cell64,
    /// Evicted pages of devices that found no row.
    pub(crate) others: Cell64,
}

impl MetadataCounts {
    /// Returns the pages that an origin evicted.
    pub(crate) fn evicted(&self, origin: Origin) -> u64 {
        self.evicted.get(origin as usize).map_or(0, Cell64::get)
    }

    /// Returns the rows of devices, with those that are free.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &MetadataDevice> {
        self.devices.iter()
    }

    fn device(&self, dev: u32) -> Option<&MetadataDevice> {
        let key = u64::from(dev) + 1;
        for device in &self.devices {
            if device.dev.get() == 0 {
                device.dev.set(key);
            }
            if device.dev.get() == key {
                return Some(device);
            }
        }
        None
    }
}

/// The metadata ledger.
pub(crate) struct Metadata {
    remembered: KVVec<EvictedFolio>,
    bitmaps: KVVec<BitmapRead>,
    /// The counts.
    pub(crate) counts: PerCpu<MetadataCounts>,
}

impl Metadata {
    /// Allocates the ledger. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let mut remembered = KVVec::with_capacity(REMEMBERED, GFP_KERNEL)?;
        for _ in 0..REMEMBERED {
            let free = EvictedFolio {
                key: Atomic::new(0),
                at: Atomic::new(0),
            };
            remembered.push(free, GFP_KERNEL)?;
        }
        let mut bitmaps = KVVec::with_capacity(BITMAPS, GFP_KERNEL)?;
        for _ in 0..BITMAPS {
            let free = BitmapRead {
                key: Atomic::new(0),
                evicted: Atomic::new(0),
            };
            bitmaps.push(free, GFP_KERNEL)?;
        }
        Ok(Self {
            remembered,
            bitmaps,
            counts: PerCpu::new()?,
        })
    }

    fn place(&self, key: u64) -> Option<&EvictedFolio> {
        self.remembered.get(key as usize & (REMEMBERED - 1))
    }

    /// Notes that reclaim evicts a folio of `pages` pages.
    pub(crate) fn evict(
        &self,
        pin: &Pinned<'_>,
        dev: u32,
        index: u64,
        pages: u64,
        origin: Origin,
        now: u64,
    ) {
        let counts = self.counts.this(pin);
        if let Some(n) = counts.evicted.get(origin as usize) {
            n.add(pages);
        }
        match counts.device(dev) {
            Some(device) => device.evicted.add(pages),
            None => counts.others.add(pages),
        }
        let key = mix(&[dev.into(), index]);
        if let Some(place) = self.place(key) {
            place.at.store(now, Relaxed);
            let before = place.key.xchg(key, Relaxed);
            counts.forgotten.add((before != 0 && before != key).into());
        }
    }

    /// Counts a folio that is read, if it is one that was evicted.
    pub(crate) fn read(&self, pin: &Pinned<'_>, dev: u32, index: u64, pages: u64, now: u64) {
        let key = mix(&[dev.into(), index]);
        let Some(place) = self.place(key) else {
            return;
        };
        if place.key.load(Relaxed) != key || place.key.cmpxchg(key, 0, Relaxed).is_err() {
            return;
        }
        if let Some(device) = self.counts.this(pin).device(dev) {
            device.reread.add(pages);
            let ms = now.saturating_sub(place.at.load(Relaxed)) / 1_000_000;
            device.hist.add(ms, pages);
        }
    }

    /// Returns the pages of a device that reclaim has evicted.
    pub(crate) fn evicted(&self, dev: u32) -> u64 {
        self.counts.sum(|c| {
            let own = c.devices().filter(|d| d.number() == Some(dev));
            own.map(|d| d.evicted.get()).fold(0, u64::wrapping_add)
        })
    }

    /// Counts a read of a bitmap.
    pub(crate) fn bitmap(&self, pin: &Pinned<'_>, dev: u32, group: u64, of: Bitmap) {
        let key = mix(&[dev.into(), group, of as u64]);
        let evicted = self.evicted(dev);
        let again = self
            .bitmaps
            .get(key as usize & (BITMAPS - 1))
            .is_some_and(|place| {
                let since = place.evicted.xchg(evicted, Relaxed);
                place.key.xchg(key, Relaxed) == key && since < evicted
            });
        let device = self.counts.this(pin).device(dev);
        if let Some(reads) = device.and_then(|d| d.bitmaps(of)) {
            reads.all.add(1);
            reads.again.add(again.into());
        }
    }

    /// Forgets what was evicted and read.
    pub(crate) fn clear(&self) {
        for place in self.bitmaps.iter() {
            place.key.store(0, Relaxed);
        }
        for place in self.remembered.iter() {
            place.key.store(0, Relaxed);
        }
    }

    /// Returns the memory that the ledger takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.remembered.as_slice())
            .saturating_add(core::mem::size_of_val(self.bitmaps.as_slice()))
            .saturating_add(self.counts.bytes())
    }
}
