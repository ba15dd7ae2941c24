// SPDX-License-Identifier: GPL-2.0

//! The NBD ledger: where the time of each request of an NBD device goes.
//!
//! A request is followed in a bounded table keyed by its address, from the moment at which the
//! driver gets it until it is completed. There is no lock. The driver gets a request once. The
//! tasks that send it, receive its reply or give it back each write a time of their own, and only
//! one completes it. If the driver gets an address again that was not completed, its request was
//! lost sight of. Its entry is taken over, and that is counted.
//!
//! What was followed is added to the counts of the CPU that completes the request, with interrupts
//! off, because requests may be completed in task context and in interrupts.
//!
//! Context: any, with preemption off, except where noted.

use crate::{
    kernel_ext::{
        cell::{
            peek,
            Cell64, //
        },
        compat,
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
    tables::{
        farthest::Farthest,
        hist::Hist, //
    },
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

/// The most requests that are followed at the same time. A device has 128 for each of its
/// connections.
pub(crate) const REQUESTS: usize = 1024;

/// The number of places of the table that are looked at together, or not at all.
const GROUP: usize = 32;

/// The most devices that a CPU tells apart.
pub(crate) const DEVICES: usize = 8;

/// A step that a followed request has reached.
#[derive(Clone, Copy)]
pub(crate) enum RequestStep {
    /// Its header has been sent.
    Header,
    /// All of it has been sent.
    Sent,
    /// Its reply begins.
    Reply,
}

/// A request that is followed.
#[derive(Zeroable)]
struct FollowedRequest {
    /// N of nbdN, with the direction in the upper half.
    what: Cell64,
    bytes: Cell64,
    queued: Cell64,
    sending: Cell64,
    header: Cell64,
    payload: Cell64,
    replied: Cell64,
    requeued: Cell64,
    /// Nanoseconds by phase, of the attempts before this one.
    spent: [Cell64; Phase::COUNT],
    /// Number of times that the request was given back.
    requeues: Cell64,
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

    /// Begins an attempt. Other CPUs do not look at the times before `queued` is set.
    fn begin_attempt(&self, now: u64) {
        self.queued.set(0);
        compat::smp_wmb();
        for cell in [
            &self.sending,
            &self.header,
            &self.payload,
            &self.replied,
            &self.requeued,
        ] {
            cell.set(0);
        }
        compat::smp_wmb();
        self.queued.set(now.max(1));
    }

    /// Returns what [`Self::parts`] does, on any CPU; `None` while the request is being entered or
    /// begins another attempt.
    fn try_parts(&self, now: u64) -> Option<(PhaseTimes, Phase)> {
        let queued = self.queued.get();
        compat::smp_rmb();
        let parts = self.parts(now);
        compat::smp_rmb();
        (queued != 0 && self.queued.get() == queued).then_some(parts)
    }

    /// Returns its time by phase until `now`, over all attempts, and its phase at `now`.
    fn parts(&self, now: u64) -> (PhaseTimes, Phase) {
        let (mut parts, phase) = split(&self.stamps(), now);
        for (part, spent) in parts.iter_mut().zip(&self.spent) {
            *part = part.wrapping_add(spent.get());
        }
        (parts, phase)
    }

    /// Adds the time of this attempt until `now` to `spent`.
    fn add_attempt_time(&self, now: u64) {
        let (parts, _) = split(&self.stamps(), now);
        for (part, spent) in parts.iter().zip(&self.spent) {
            spent.add(*part);
        }
    }

    fn begin(&self, request: &NbdRequest, now: u64) {
        self.what
            .set(u64::from(request.index) | u64::from(request.direction) << 32);
        self.bytes.set(request.bytes.into());
        self.requeues.set(0);
        self.queued.set(0);
        compat::smp_wmb();
        for cell in &self.spent {
            cell.set(0);
        }
        self.begin_attempt(now);
    }

    fn device(&self) -> u32 {
        self.what.get() as u32
    }

    fn direction(&self) -> Direction {
        Direction::from_raw((self.what.get() >> 32) as u32)
    }
}

/// The longest request, with all that is known of it.
#[derive(Clone, Copy, Zeroable)]
pub(crate) struct LongestRequest {
    /// How long it took, in nanoseconds; 0 if there was none.
    pub(crate) ns: u64,
    /// Its size.
    pub(crate) bytes: u64,
    /// Nanoseconds by phase, which sum to `ns`.
    pub(crate) parts: PhaseTimes,
}

/// The counts of a device and direction.
#[derive(Zeroable)]
pub(crate) struct RequestCounts {
    /// Requests that were completed.
    pub(crate) requests: Cell64,
    /// The size of these requests, in bytes.
    pub(crate) bytes: Cell64,
    /// Requests of these that failed.
    pub(crate) errors: Cell64,
    /// Number of times that requests were given back to the block layer, to be tried once more.
    pub(crate) requeues: Cell64,
    ns: [Cell64; Phase::COUNT],
    /// Requests by microseconds, log2.
    pub(crate) hist: Hist,
    longest: TryLock<LongestRequest>,
}

impl RequestCounts {
    /// Returns the nanoseconds that requests spent in a phase.
    pub(crate) fn ns(&self, phase: Phase) -> u64 {
        self.ns.get(phase as usize).map_or(0, Cell64::get)
    }

    /// Returns the longest request. Process context.
    pub(crate) fn longest(&self) -> LongestRequest {
        // The writer has interrupts off, and is done soon.
        loop {
            if let Some(longest) = pinned(|_| self.longest.try_with(|l| *l)) {
                return longest;
            }
        }
    }

    /// Counts a request. Returns false if a reader uses the longest one, so it was not compared
    /// with that.
    fn record(&self, bytes: u64, requeues: u64, failed: bool, parts: &PhaseTimes) -> bool {
        self.requests.add(1);
        self.bytes.add(bytes);
        self.errors.add(failed.into());
        self.requeues.add(requeues);
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

/// The counts of a device.
#[derive(Zeroable)]
pub(crate) struct NbdDevice {
    /// N of nbdN, plus 1; 0 if the row is free.
    key: Cell64,
    directions: [RequestCounts; Direction::COUNT],
}

impl NbdDevice {
    /// Returns N of nbdN; `None` if the row is free.
    pub(crate) fn index(&self) -> Option<u32> {
        u32::try_from(self.key.get().checked_sub(1)?).ok()
    }

    /// Returns the counts of a direction.
    pub(crate) fn direction(&self, direction: Direction) -> Option<&RequestCounts> {
        self.directions.get(direction as usize)
    }
}

/// Stalls whose task waited for requests.
#[derive(Zeroable)]
pub(crate) struct RequestStalls {
    /// Number of stalls.
    pub(crate) stalls: Cell64,
    ns: [Cell64; Phase::COUNT],
}

impl RequestStalls {
    /// Returns the nanoseconds that tasks waited, by the phases of requests meanwhile.
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

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct NbdCounts {
    devices: [NbdDevice; DEVICES],
    /// Nanoseconds by phase of all requests that were completed.
    spent: [Cell64; Phase::COUNT],
    /// Stalls that waited for requests.
    pub(crate) stalls: RequestStalls,
    /// Requests of devices that found no row.
    pub(crate) others: Cell64,
}

impl NbdCounts {
    /// Returns the rows of devices, with those that are free.
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

/// The requests of a device and direction that are not completed.
#[derive(Default)]
pub(crate) struct InFlight {
    /// Number of requests.
    pub(crate) requests: u64,
    /// Number of requests by phase.
    pub(crate) phases: [u64; Phase::COUNT],
    /// The age of the oldest request, in nanoseconds.
    pub(crate) oldest_ns: u64,
}

/// The result of [`Nbd::record_queued`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is followed.
    Followed,
    /// It is followed, in the place of a request whose end was not seen.
    InPlaceOfLost,
    /// There is no room to follow it.
    Full,
}

/// A place for a request.
struct Place<'a> {
    /// The address of the request; 0 if the place is free.
    key: &'a Atomic<usize>,
    there: &'a FollowedRequest,
    /// The number of requests in its group of places.
    in_group: &'a Atomic<u32>,
}

/// The NBD ledger.
pub(crate) struct Nbd {
    /// Whether there ever was a request.
    used: Atomic<bool>,
    keys: KVVec<Atomic<usize>>,
    farthest: Farthest,
    followed: KVVec<FollowedRequest>,
    /// The number of requests in each [`GROUP`] of places.
    in_group: [Atomic<u32>; REQUESTS / GROUP],
    /// The counts of completed requests.
    pub(crate) counts: PerCpu<NbdCounts>,
}

impl Nbd {
    /// Allocates the ledger. Sleeps. Fails with `ENOMEM`.
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
            farthest: Farthest::new(),
            followed,
            in_group: [const { Atomic::new(0) }; REQUESTS / GROUP],
            counts: PerCpu::new()?,
        })
    }

    fn places(&self, request: usize) -> impl Iterator<Item = Place<'_>> {
        // Requests are aligned to a cache line, so their low bits are always the same.
        slots::probe_sequence((request >> 6) as u64, REQUESTS).filter_map(|i| {
            Some(Place {
                key: self.keys.get(i)?,
                there: self.followed.get(i)?,
                in_group: self.in_group.get(i / GROUP)?,
            })
        })
    }

    fn find(&self, request: usize) -> Option<Place<'_>> {
        self.places(request)
            .take(self.farthest.places())
            .find(|place| peek(place.key) == request)
    }

    /// Calls `f` with each request that is followed now. Most of the table is empty, and is not
    /// looked at.
    fn for_each(&self, mut f: impl FnMut(&FollowedRequest)) {
        let groups = Iterator::zip(self.keys.chunks(GROUP), self.followed.chunks(GROUP));
        for ((keys, followed), _) in groups.zip(&self.in_group).filter(|(_, n)| peek(*n) != 0) {
            for (key, there) in keys.iter().zip(followed) {
                if key.load(Acquire) != 0 {
                    f(there);
                }
            }
        }
    }

    /// Notes that the driver gets a request.
    pub(crate) fn record_queued(&self, request: &NbdRequest, now: u64) -> Admission {
        if let Some(Place { there, .. }) = self.find(request.key) {
            // This is not a new request, but one that was given back.
            if there.requeued.get() != 0 {
                there.add_attempt_time(now);
                there.begin_attempt(now);
                return Admission::Followed;
            }
            there.begin(request, now);
            return Admission::InPlaceOfLost;
        }
        let free = self
            .places(request.key)
            .enumerate()
            .find(|(_, p)| peek(p.key) == 0 && p.key.cmpxchg(0, request.key, Acquire).is_ok());
        if !peek(&self.used) {
            self.used.store(true, Relaxed);
        }
        // Nobody else uses this key before this function returns, because the driver has the
        // request.
        free.map_or(Admission::Full, |(distance, place)| {
            self.farthest.note(distance);
            place.there.begin(request, now);
            place.in_group.fetch_add(1, Relaxed);
            Admission::Followed
        })
    }

    /// Notes that the driver begins to send a request. Returns false if the request is not
    /// followed.
    pub(crate) fn record_sending(&self, request: usize, now: u64) -> bool {
        let Some(Place { there, .. }) = self.find(request) else {
            return false;
        };
        // The rest of a header that was sent in part is no second begin.
        if there.sending.get() == 0 {
            there.sending.set(now);
        }
        true
    }

    /// Notes that a request has reached a step.
    pub(crate) fn record_step(&self, request: usize, step: RequestStep, now: u64) {
        let Some(Place { there, .. }) = self.find(request) else {
            return;
        };
        match step {
            RequestStep::Header => there.header.set(now),
            RequestStep::Sent => there.payload.set(now),
            RequestStep::Reply => there.replied.set(now),
        }
    }

    /// Notes that a request is given back to the block layer.
    pub(crate) fn record_requeued(&self, request: usize, now: u64) {
        if let Some(Place { there, .. }) = self.find(request) {
            there.add_attempt_time(now);
            there.requeues.add(1);
            there.requeued.set(now);
        }
    }

    /// Counts a request that is completed, if it was followed. Returns false if it was not compared
    /// with the longest one. Interrupts must be off.
    pub(crate) fn record_done(
        &self,
        pin: &Pinned<'_>,
        request: usize,
        failed: bool,
        now: u64,
    ) -> bool {
        let Some(place) = self.find(request) else {
            return true;
        };
        let there = place.there;
        let (parts, _) = there.parts(now);
        let ledger = self.counts.this(pin);
        for (sum, part) in ledger.spent.iter().zip(&parts) {
            sum.add(*part);
        }
        let counts = ledger
            .device(there.device())
            .and_then(|d| d.direction(there.direction()));
        let kept = match counts {
            Some(counts) => counts.record(there.bytes.get(), there.requeues.get(), failed, &parts),
            None => {
                ledger.others.add(1);
                true
            }
        };
        there.queued.set(0);
        place.in_group.fetch_sub(1, Relaxed);
        place.key.store(0, Release);
        kept
    }

    /// Returns the time that all requests together have spent in each phase until `now`, with those
    /// under way. The difference of two results is what requests did in between.
    ///
    /// This reads all requests that are followed. So it is for tasks that will wait for long. A
    /// request that is completed meanwhile may be missing. In a difference, it
    /// then counts too much or not at all.
    pub(crate) fn phase_times(&self, now: u64) -> PhaseTimes {
        let mut spent = [0; Phase::COUNT];
        if !peek(&self.used) {
            return spent;
        }
        for (sum, phase) in spent.iter_mut().zip(0..) {
            let of = |ledger: &NbdCounts| ledger.spent.get(phase).map_or(0, Cell64::get);
            *sum = self.counts.sum(of);
        }
        self.for_each(|there| {
            let Some((parts, _)) = there.try_parts(now) else {
                return;
            };
            for (sum, part) in spent.iter_mut().zip(&parts) {
                *sum = sum.wrapping_add(*part);
            }
        });
        spent
    }

    /// Returns how much of the waits of a stall that ended was for requests, by their phases.
    /// `before` is what [`Self::phase_times`] returned when the task began to reclaim, or to wait
    /// until it may reclaim.
    pub(crate) fn record_stall(
        &self,
        pin: &Pinned<'_>,
        before: &PhaseTimes,
        waits: &RequestWaits,
        now: u64,
    ) -> PhaseTimes {
        let mut during = self.phase_times(now);
        for (ns, before) in during.iter_mut().zip(before) {
            *ns = ns.saturating_sub(*before);
        }
        let blamed = blame(waits, &during);
        if blamed.iter().any(|ns| *ns != 0) {
            self.counts.this(pin).stalls.add(&blamed);
        }
        blamed
    }

    /// Returns what goes on at `now`. A request that begins or ends meanwhile may be seen or not.
    /// Process context.
    pub(crate) fn in_flight(&self, index: u32, direction: Direction, now: u64) -> InFlight {
        let mut all = InFlight::default();
        self.for_each(|there| {
            if there.device() != index || there.direction() != direction {
                return;
            }
            let Some((parts, phase)) = there.try_parts(now) else {
                return;
            };
            all.requests = all.requests.saturating_add(1);
            if let Some(n) = all.phases.get_mut(phase as usize) {
                *n = n.saturating_add(1);
            }
            let age = parts.iter().fold(0u64, |a, p| a.wrapping_add(*p));
            all.oldest_ns = all.oldest_ns.max(age);
        });
        all
    }

    /// Returns the devices of the requests that are followed now, once for each request. Process
    /// context.
    pub(crate) fn busy_devices(&self) -> impl Iterator<Item = u32> + '_ {
        let pairs = self.keys.iter().zip(self.followed.iter());
        pairs
            .filter(|(key, _)| key.load(Acquire) != 0)
            .map(|(_, there)| there.device())
    }

    /// Forgets the requests that are followed.
    pub(crate) fn clear(&self) {
        for key in self.keys.iter() {
            key.store(0, Relaxed);
        }
        for n in &self.in_group {
            n.store(0, Relaxed);
        }
    }

    /// Returns the memory that the ledger takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.keys.as_slice())
            .saturating_add(core::mem::size_of_val(self.followed.as_slice()))
            .saturating_add(self.counts.bytes())
    }
}
