// SPDX-License-Identifier: GPL-2.0

//! Swap writes that are under way, what they are for, and which of them failed.
//!
//! A write to a device that is not synchronous ends later, in any context, on any CPU. What it is
//! for is kept by the address of its bio. The task that submits the bio writes the entry before
//! that, and it is taken out where the bio is done. There is no lock. If the end of a write is not
//! seen, its entry is overwritten when the address is used again.
//!
//! Context: any, with preemption off.

use crate::{
    kernel_ext::{
        cell::{
            peek,
            Cell64, //
        },
        percpu::{
            PerCpu,
            Pinned, //
        },
        system, //
    },
    ledgers::writes::FolioCount,
    policy::slots,
    shim::SwapEnd,
    tables::tasks::Tasks,
    words::Origin, //
};
use kernel::{
    prelude::*,
    sync::atomic::{
        Acquire,
        Atomic,
        Relaxed,
        Release, //
    },
};
use pin_init::Zeroable;

/// The most writes that are followed at the same time.
const WRITES: usize = 2048;

/// The most swap devices that are told apart.
const DEVICES: usize = 16;

/// The most tasks that write back for zswap at the same time.
const TASKS: usize = 64;

/// The purpose of a write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct WritePurpose {
    /// The origin of the reclaim that writes.
    pub(crate) origin: Origin,
    /// Whether zswap writes back a page that it holds.
    pub(crate) zswap: bool,
}

impl WritePurpose {
    fn to_raw(self) -> u32 {
        (self.origin as u32) << 1 | u32::from(self.zswap)
    }

    fn from_raw(raw: u32) -> Option<Self> {
        Some(Self {
            origin: Origin::from_u8(u8::try_from(raw >> 1).ok()?)?,
            zswap: raw & 1 != 0,
        })
    }
}

struct PendingWrite {
    /// The address of the bio; 0 if the entry is free.
    bio: Atomic<usize>,
    purpose: Atomic<u32>,
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct SwapCounts {
    /// Queued writes that failed: of anonymous memory, and of shmem.
    failed: [[FolioCount; 2]; Origin::COUNT],
    /// Pages that zswap wrote back, by origin.
    zswap: [Cell64; Origin::COUNT],
    /// Pages that zswap's own worker wrote back.
    pub(crate) zswap_worker: Cell64,
    /// Writes of zswap that failed, because the device failed. Each is of one page.
    pub(crate) zswap_failed: Cell64,
}

impl SwapCounts {
    /// Returns the queued writes that failed: of anonymous memory, or of shmem.
    pub(crate) fn failed(&self, origin: Origin, anon: bool) -> Option<&FolioCount> {
        let [of_anon, of_shmem] = self.failed.get(origin as usize)?;
        Some(if anon { of_anon } else { of_shmem })
    }

    /// Returns the pages that zswap wrote back on the stack of a task that reclaims for `origin`.
    pub(crate) fn zswap(&self, origin: Origin) -> u64 {
        self.zswap.get(origin as usize).map_or(0, Cell64::get)
    }

    fn fail(&self, origin: Origin, anon: bool, folios: u32, pages: u32) {
        if let Some(count) = self.failed(origin, anon) {
            count.folios.add(folios.into());
            count.pages.add(pages.into());
        }
    }
}

/// A swap device on which writes failed.
pub(crate) struct FailedDevice {
    /// The device number, plus 1; 0 if the entry is free.
    key: Atomic<u64>,
    /// The name of the device, as it lies in memory. The CPU that took the entry writes it once.
    name: [Atomic<u64>; system::DISK_NAME_LEN / 8],
    requests: Atomic<u64>,
    pages: Atomic<u64>,
}

impl FailedDevice {
    /// Returns the name of the device, NUL-terminated.
    pub(crate) fn name(&self) -> [u8; system::DISK_NAME_LEN] {
        let mut name = [0; system::DISK_NAME_LEN];
        for (bytes, word) in name.chunks_exact_mut(8).zip(&self.name) {
            for (byte, value) in bytes.iter_mut().zip(word.load(Relaxed).to_ne_bytes()) {
                *byte = value;
            }
        }
        name
    }

    /// Returns the number of writes that failed.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Returns the pages in them.
    pub(crate) fn pages(&self) -> u64 {
        self.pages.load(Relaxed)
    }
}

/// The ledger of swap writes.
pub(crate) struct SwapIo {
    pending: KVVec<PendingWrite>,
    devices: KVVec<FailedDevice>,
    /// The counts of failed writes, and of writeback by zswap.
    pub(crate) counts: PerCpu<SwapCounts>,
    /// Tasks that write back for zswap.
    pub(crate) zswap: Tasks<WritePurpose>,
}

impl SwapIo {
    /// Allocates the ledger. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new() -> Result<Self> {
        let mut pending = KVVec::with_capacity(WRITES, GFP_KERNEL)?;
        for _ in 0..WRITES {
            let free = PendingWrite {
                bio: Atomic::new(0),
                purpose: Atomic::new(0),
            };
            pending.push(free, GFP_KERNEL)?;
        }
        let mut devices = KVVec::with_capacity(DEVICES, GFP_KERNEL)?;
        for _ in 0..DEVICES {
            let free = FailedDevice {
                key: Atomic::new(0),
                name: [const { Atomic::new(0) }; system::DISK_NAME_LEN / 8],
                requests: Atomic::new(0),
                pages: Atomic::new(0),
            };
            devices.push(free, GFP_KERNEL)?;
        }
        let nobody = WritePurpose {
            origin: Origin::Lost,
            zswap: false,
        };
        Ok(Self {
            pending,
            devices,
            counts: PerCpu::new()?,
            zswap: Tasks::new(TASKS, nobody)?,
        })
    }

    fn places(&self, bio: usize) -> impl Iterator<Item = &PendingWrite> {
        // A bio lies at the start of an object of about a kilobyte, so its low bits do not differ
        // much.
        slots::probe_sequence((bio >> 7) as u64, self.pending.len())
            .filter_map(|i| self.pending.get(i))
    }

    /// Notes that a bio is about to be submitted. Returns false if there is no room.
    pub(crate) fn insert(&self, bio: usize, purpose: WritePurpose) -> bool {
        let old = self.places(bio).find(|w| peek(&w.bio) == bio);
        let place = old.or_else(|| {
            self.places(bio)
                .find(|w| peek(&w.bio) == 0 && w.bio.cmpxchg(0, bio, Acquire).is_ok())
        });
        if let Some(place) = place {
            place.purpose.store(purpose.to_raw(), Relaxed);
        }
        place.is_some()
    }

    /// Takes out a bio that is done. Returns what it was for; `None` if that is not known.
    pub(crate) fn remove(&self, bio: usize) -> Option<WritePurpose> {
        let place = self.places(bio).find(|w| peek(&w.bio) == bio)?;
        let purpose = WritePurpose::from_raw(place.purpose.load(Relaxed));
        place.bio.store(0, Release);
        purpose
    }

    /// Counts a write that failed, for its device.
    pub(crate) fn device_failed(&self, end: &SwapEnd) {
        let key = u64::from(end.device).wrapping_add(1);
        let pages = u64::from(end.anon_pages).wrapping_add(u64::from(end.shmem_pages));
        for device in self.devices.iter() {
            let mut there = device.key.load(Acquire);
            if there == 0 {
                match device.key.cmpxchg(0, key, Acquire) {
                    Ok(_) => {
                        there = key;
                        for (word, bytes) in device.name.iter().zip(end.name.chunks_exact(8)) {
                            let bytes = <[u8; 8]>::try_from(bytes).unwrap_or_default();
                            word.store(u64::from_ne_bytes(bytes), Relaxed);
                        }
                    }
                    Err(other) => there = other,
                }
            }
            if there == key {
                device.requests.fetch_add(1, Relaxed);
                device.pages.fetch_add(pages, Relaxed);
                return;
            }
        }
    }

    /// Counts a queued write for `origin` that failed.
    pub(crate) fn queued_failed(&self, pin: &Pinned<'_>, origin: Origin, end: &SwapEnd) {
        let counts = self.counts.this(pin);
        counts.fail(origin, true, end.anon_folios, end.anon_pages);
        counts.fail(origin, false, end.shmem_folios, end.shmem_pages);
    }

    /// Counts a page that zswap wrote back; `None` means that its own worker did. Failures are
    /// counted where the write ends.
    pub(crate) fn written_back(&self, pin: &Pinned<'_>, origin: Option<Origin>) {
        let counts = self.counts.this(pin);
        match origin {
            None => counts.zswap_worker.add(1),
            Some(origin) => {
                if let Some(n) = counts.zswap.get(origin as usize) {
                    n.add(1);
                }
            }
        }
    }

    /// Returns the devices on which writes failed.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &FailedDevice> {
        self.devices.iter().filter(|d| d.key.load(Relaxed) != 0)
    }

    /// Returns the memory that the ledger takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.pending.as_slice())
            .saturating_add(core::mem::size_of_val(self.devices.as_slice()))
            .saturating_add(self.counts.bytes())
            .saturating_add(self.zswap.bytes())
    }
}
