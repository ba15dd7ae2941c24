// SPDX-License-Identifier: GPL-2.0

//! The NBD ledger: where the time of each request of an NBD device goes.
//!
//! A request is followed in a bounded table keyed by its address, from the moment the
//! driver gets it until it is completed. There is no lock: the driver gets it once, whoever
//! sends it, receives its reply or gives it back writes a time of his own, and only one
//! completes it. An address that comes again without having been completed is that of a
//! request that was lost sight of: its entry is taken over, and that is counted.
//!
//! What it came to is added to the counts of the CPU that completes it, with interrupts off
//! there, as completion is a task's here and an interrupt's there.
//!
//! Context: any, with preemption off, but where said.

use crate::{
    kernel_ext::{
        cell::{
            peek,
            Cell64, //
        },
        percpu::{
            pinned,
            PerCpu,
            Pinned, //
        },
        trylock::TryLock, //
    },
    policy::{
        nbd::{
            blame,
            split,
            PhaseTimes,
            RequestWaits,
            Stamps, //
        },
        slots, //
    },
    shim::nbd::NbdRequest,
    tables::hist::Hist,
    words::{
        Direction,
        Phase, //
    },
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

/// Requests that are followed at once: a device has 128 for each of its connections.
pub(crate) const REQUESTS: usize = 1024;

/// Devices that a CPU tells apart.
pub(crate) const DEVICES: usize = 8;

/// What a request that is followed has come to.
#[derive(Clone, Copy)]
pub(crate) enum Milestone {
    /// Its header is sent.
    Header,
    /// All of it is sent.
    Sent,
    /// Its reply begins.
    Reply,
}

/// A request that is followed.
#[derive(Zeroable)]
struct FollowedRequest {
    /// N of nbdN, and the direction in the upper half.
    what: Cell64,
    bytes: Cell64,
    queued: Cell64,
    sending: Cell64,
    header: Cell64,
    payload: Cell64,
    replied: Cell64,
    requeued: Cell64,
    /// Nanoseconds by phase of attempts before this one.
    spent: [Cell64; Phase::COUNT],
    /// How often it was given back.
    again: Cell64,
}

impl FollowedRequest {
    fn stamps(&self) -> Stamps {
        Stamps {
            queued: self.queued.get(),
            sending: self.sending.get(),
            header: self.header.get(),
            payload: self.payload.get(),
            replied: self.replied.get(),
            requeued: self.requeued.get(),
        }
    }

    /// An attempt begins.
    fn attempt(&self, now: u64) {
        for cell in [
            &self.sending,
            &self.header,
            &self.payload,
            &self.replied,
            &self.requeued,
        ] {
            cell.set(0);
        }
        self.queued.set(now);
    }

    /// Its time by phase until now, over all attempts, and what it is at.
    fn parts(&self, now: u64) -> (PhaseTimes, Phase) {
        let (mut parts, phase) = split(&self.stamps(), now);
        for (part, spent) in parts.iter_mut().zip(&self.spent) {
            *part = part.wrapping_add(spent.get());
        }
        (parts, phase)
    }

    /// What was spent until now counts as spent.
    fn spend(&self, now: u64) {
        let (parts, _) = split(&self.stamps(), now);
        for (part, spent) in parts.iter().zip(&self.spent) {
            spent.add(*part);
        }
    }

    fn begin(&self, request: &NbdRequest, now: u64) {
        self.what
            .set(u64::from(request.index) | u64::from(request.direction) << 32);
        self.bytes.set(request.bytes.into());
        self.again.set(0);
        for cell in &self.spent {
            cell.set(0);
        }
        self.attempt(now);
    }

    fn device(&self) -> u32 {
        self.what.get() as u32
    }

    fn direction(&self) -> Direction {
        Direction::from_raw((self.what.get() >> 32) as u32)
    }
}

/// The longest request, whole.
#[derive(Clone, Copy, Zeroable)]
pub(crate) struct LongestRequest {
    /// How long it took; 0: there was none.
    pub(crate) ns: u64,
    /// Its size.
    pub(crate) bytes: u64,
    /// Nanoseconds by phase, which sum to `ns`.
    pub(crate) parts: PhaseTimes,
}

/// Counts of a device and direction.
#[derive(Zeroable)]
pub(crate) struct RequestCounts {
    /// Requests that were completed.
    pub(crate) requests: Cell64,
    /// Their size.
    pub(crate) bytes: Cell64,
    /// Of the requests, those that failed.
    pub(crate) errors: Cell64,
    /// How often one was given back to the block layer, to be tried once more.
    pub(crate) requeues: Cell64,
    ns: [Cell64; Phase::COUNT],
    /// Requests by microseconds, log2.
    pub(crate) hist: Hist,
    longest: TryLock<LongestRequest>,
}

impl RequestCounts {
    /// Nanoseconds that requests spent in a phase.
    pub(crate) fn ns(&self, phase: Phase) -> u64 {
        self.ns.get(phase as usize).map_or(0, Cell64::get)
    }

    /// The longest one. Process context.
    pub(crate) fn longest(&self) -> LongestRequest {
        // Its writer has interrupts off, and is soon done.
        loop {
            if let Some(longest) = pinned(|_| self.longest.try_with(|l| *l)) {
                return longest;
            }
        }
    }

    /// Counts one; false when somebody reads the longest, of which this may be one.
    fn done(&self, bytes: u64, again: u64, failed: bool, parts: &PhaseTimes) -> bool {
        self.requests.add(1);
        self.bytes.add(bytes);
        self.errors.add(failed.into());
        self.requeues.add(again);
        for (sum, part) in self.ns.iter().zip(parts) {
            sum.add(*part);
        }
        let ns = parts.iter().fold(0u64, |a, p| a.wrapping_add(*p));
        self.hist.count(ns / 1000);
        let kept = self.longest.try_with(|longest| {
            if ns > longest.ns {
                *longest = LongestRequest {
                    ns,
                    bytes,
                    parts: *parts,
                };
            }
        });
        kept.is_some()
    }
}

/// Counts of a device.
#[derive(Zeroable)]
pub(crate) struct NbdDevice {
    /// N of nbdN, plus 1; 0: free.
    key: Cell64,
    directions: [RequestCounts; Direction::COUNT],
}

impl NbdDevice {
    /// N of nbdN.
    pub(crate) fn index(&self) -> Option<u32> {
        u32::try_from(self.key.get().checked_sub(1)?).ok()
    }

    /// Counts of a direction.
    pub(crate) fn direction(&self, direction: Direction) -> Option<&RequestCounts> {
        self.directions.get(direction as usize)
    }
}

/// Stalls whose task waited for requests.
#[derive(Zeroable)]
pub(crate) struct ForRequests {
    /// How many.
    pub(crate) stalls: Cell64,
    ns: [Cell64; Phase::COUNT],
}

impl ForRequests {
    /// Nanoseconds that tasks waited, by what requests were at meanwhile.
    pub(crate) fn ns(&self, phase: Phase) -> u64 {
        self.ns.get(phase as usize).map_or(0, Cell64::get)
    }

    fn add(&self, blamed: &PhaseTimes) {
        self.stalls.add(1);
        for (sum, part) in self.ns.iter().zip(blamed) {
            sum.add(*part);
        }
    }
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct Ledger {
    devices: [NbdDevice; DEVICES],
    /// Nanoseconds by phase of all requests that were completed.
    spent: [Cell64; Phase::COUNT],
    /// Stalls that waited for requests.
    pub(crate) stalls: ForRequests,
    /// Requests of devices that found no room.
    pub(crate) others: Cell64,
}

impl Ledger {
    /// The devices' counts.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &NbdDevice> {
        self.devices.iter()
    }

    fn device(&self, index: u32) -> Option<&NbdDevice> {
        let key = u64::from(index) + 1;
        self.devices.iter().find(|device| {
            if device.key.get() == 0 {
                device.key.set(key);
            }
            device.key.get() == key
        })
    }
}

/// What goes on now, of a device and direction.
#[derive(Default)]
pub(crate) struct InFlight {
    /// Requests that are not completed.
    pub(crate) requests: u64,
    /// These by what they are at.
    pub(crate) phases: [u64; Phase::COUNT],
    /// Since when the oldest is under way, in nanoseconds.
    pub(crate) oldest_ns: u64,
}

/// What became of a request that the driver got.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is followed.
    Followed,
    /// It is, in the place of one that was never seen completed.
    InPlaceOfLost,
    /// There is no room.
    Full,
}

/// All of it.
pub(crate) struct Nbd {
    /// There ever was a request.
    used: Atomic<bool>,
    keys: KVVec<Atomic<usize>>,
    followed: KVVec<FollowedRequest>,
    /// The counts.
    pub(crate) counts: PerCpu<Ledger>,
}

impl Nbd {
    /// Allocates. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        let mut keys = KVVec::with_capacity(REQUESTS, GFP_KERNEL)?;
        let mut followed = KVVec::with_capacity(REQUESTS, GFP_KERNEL)?;
        for _ in 0..REQUESTS {
            keys.push(Atomic::new(0), GFP_KERNEL)?;
            followed.push(pin_init::zeroed(), GFP_KERNEL)?;
        }
        Ok(Self {
            used: Atomic::new(false),
            keys,
            followed,
            counts: PerCpu::new()?,
        })
    }

    fn places(&self, request: usize) -> impl Iterator<Item = (&Atomic<usize>, &FollowedRequest)> {
        // Requests are cache-line aligned: their low bits say nothing.
        slots::probe_sequence((request >> 6) as u64, REQUESTS)
            .filter_map(|i| Some((self.keys.get(i)?, self.followed.get(i)?)))
    }

    fn find(&self, request: usize) -> Option<(&Atomic<usize>, &FollowedRequest)> {
        self.places(request).find(|(key, _)| peek(*key) == request)
    }

    /// The driver gets a request.
    pub(crate) fn queued(&self, request: &NbdRequest, now: u64) -> Admission {
        if let Some((_, there)) = self.find(request.key) {
            // Not a new one, but one that was given back.
            if there.requeued.get() != 0 {
                there.spend(now);
                there.attempt(now);
                return Admission::Followed;
            }
            there.begin(request, now);
            return Admission::InPlaceOfLost;
        }
        let free = self
            .places(request.key)
            .find(|(key, _)| peek(*key) == 0 && key.cmpxchg(0, request.key, Acquire).is_ok());
        if !peek(&self.used) {
            self.used.store(true, Relaxed);
        }
        // Nobody else comes by this key before we have returned: the driver has it.
        free.map_or(Admission::Full, |(_, place)| {
            place.begin(request, now);
            Admission::Followed
        })
    }

    /// The driver begins to send it; false if it is not followed.
    pub(crate) fn sending(&self, request: usize, now: u64) -> bool {
        let Some((_, there)) = self.find(request) else {
            return false;
        };
        // The rest of a header that was sent in part is no second beginning.
        if there.sending.get() == 0 {
            there.sending.set(now);
        }
        true
    }

    /// It has come to something.
    pub(crate) fn is_at(&self, request: usize, event: Milestone, now: u64) {
        let Some((_, there)) = self.find(request) else {
            return;
        };
        match event {
            Milestone::Header => there.header.set(now),
            Milestone::Sent => there.payload.set(now),
            Milestone::Reply => there.replied.set(now),
        }
    }

    /// It is given back to the block layer.
    pub(crate) fn requeued(&self, request: usize, now: u64) {
        if let Some((_, there)) = self.find(request) {
            there.spend(now);
            there.again.add(1);
            there.requeued.set(now);
        }
    }

    /// It is completed: its counts, if it was followed; false when the longest was not kept.
    /// With interrupts off.
    pub(crate) fn done(&self, pin: &Pinned<'_>, request: usize, failed: bool, now: u64) -> bool {
        let Some((key, there)) = self.find(request) else {
            return true;
        };
        let (parts, _) = there.parts(now);
        let ledger = self.counts.this(pin);
        for (sum, part) in ledger.spent.iter().zip(&parts) {
            sum.add(*part);
        }
        let counts = ledger
            .device(there.device())
            .and_then(|d| d.direction(there.direction()));
        let kept = match counts {
            Some(counts) => counts.done(there.bytes.get(), there.again.get(), failed, &parts),
            None => {
                ledger.others.add(1);
                true
            }
        };
        key.store(0, Release);
        kept
    }

    /// What all requests together, those under way among them, have spent at each phase until
    /// now: what they were at in an interval is the difference. It reads the whole table, so
    /// that it is for who is in for a long wait; and nothing where there is no NBD. One that
    /// is completed meanwhile may be missing: in a difference it counts too much then, or not
    /// at all.
    pub(crate) fn spent(&self, now: u64) -> PhaseTimes {
        let mut spent = [0; Phase::COUNT];
        if !peek(&self.used) {
            return spent;
        }
        for (sum, phase) in spent.iter_mut().zip(0..) {
            let of = |ledger: &Ledger| ledger.spent.get(phase).map_or(0, Cell64::get);
            *sum = self.counts.sum(of);
        }
        for (key, there) in self.keys.iter().zip(self.followed.iter()) {
            if peek(key) == 0 {
                continue;
            }
            let (parts, _) = there.parts(now);
            for (sum, part) in spent.iter_mut().zip(&parts) {
                *sum = sum.wrapping_add(*part);
            }
        }
        spent
    }

    /// A stall ended that began when requests had `before`: what of its wait was for them, by
    /// what they were at.
    pub(crate) fn waited(
        &self,
        pin: &Pinned<'_>,
        before: &PhaseTimes,
        waits: &RequestWaits,
        now: u64,
    ) -> PhaseTimes {
        let mut during = self.spent(now);
        for (ns, before) in during.iter_mut().zip(before) {
            *ns = ns.saturating_sub(*before);
        }
        let blamed = blame(waits, &during);
        if blamed.iter().any(|ns| *ns != 0) {
            self.counts.this(pin).stalls.add(&blamed);
        }
        blamed
    }

    /// What goes on now. A request that begins or ends meanwhile may be seen as it was, or
    /// as the one before it. Process context.
    pub(crate) fn in_flight(&self, index: u32, direction: Direction, now: u64) -> InFlight {
        let mut all = InFlight::default();
        for (key, there) in self.keys.iter().zip(self.followed.iter()) {
            if key.load(Acquire) == 0 || there.device() != index || there.direction() != direction {
                continue;
            }
            let (parts, phase) = there.parts(now);
            all.requests = all.requests.saturating_add(1);
            if let Some(n) = all.phases.get_mut(phase as usize) {
                *n = n.saturating_add(1);
            }
            let age = parts.iter().fold(0u64, |a, p| a.wrapping_add(*p));
            all.oldest_ns = all.oldest_ns.max(age);
        }
        all
    }

    /// Devices of which a request is followed now. Process context.
    pub(crate) fn busy(&self) -> impl Iterator<Item = u32> + '_ {
        let pairs = self.keys.iter().zip(self.followed.iter());
        pairs
            .filter(|(key, _)| key.load(Acquire) != 0)
            .map(|(_, there)| there.device())
    }

    /// Forgets what goes on.
    pub(crate) fn clear(&self) {
        for key in self.keys.iter() {
            key.store(0, Relaxed);
        }
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.keys.as_slice())
            .saturating_add(core::mem::size_of_val(self.followed.as_slice()))
            .saturating_add(self.counts.bytes())
    }
}
