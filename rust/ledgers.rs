// SPDX-License-Identifier: GPL-2.0

//! The ledgers, one idea a file. The handlers and the helper write them, and debugfs reads them.

pub(crate) mod batches;
pub(crate) mod cgroups;
pub(crate) mod compaction;
pub(crate) mod cost;
pub(crate) mod handoff;
pub(crate) mod headroom;
pub(crate) mod kswapd;
pub(crate) mod metadata;
pub(crate) mod nbd;
pub(crate) mod repeats;
pub(crate) mod reserves;
pub(crate) mod shrinkers;
pub(crate) mod stacks;
pub(crate) mod stalls;
pub(crate) mod swap_io;
pub(crate) mod swap_reads;
pub(crate) mod takers;
pub(crate) mod tlb;
pub(crate) mod waits;
pub(crate) mod windows;
pub(crate) mod write_around;
pub(crate) mod writes;

use crate::{
    kernel_ext::{
        percpu::{
            pinned,
            Exclusive,
            PerCpu, //
        },
        workqueue::Doorbell, //
    },
    settings,
    tables::{
        callers::Callers,
        needs::ProbeNeeds,
        scratch::Scratch,
        states::States, //
    },
    words::{
        Group,
        Origin, //
    },
};
use batches::Batches;
use cgroups::{
    total_rows,
    Cgroups,
    KnownCgroups, //
};
use compaction::Compaction;
use cost::{
    Cost,
    Timestamp, //
};
use handoff::{
    Handoff,
    WriterRequests, //
};
use headroom::Headroom;
use kernel::{
    prelude::*,
    sync::{
        atomic::Atomic,
        Arc, //
    },
};
use kswapd::Kswapd;
use metadata::Metadata;
use nbd::Nbd;
use reserves::Reserves;
use shrinkers::Shrinkers;
use stacks::DeepestStacks;
use stalls::Stalls;
use swap_io::SwapIo;
use swap_reads::SwapReads;
use takers::Takers;
use tlb::Tlb;
use waits::Waits;
use windows::Windows;
use write_around::{
    Workers,
    WriteAround, //
};
use writes::Writes;

/// All ledgers. Probes, the helper and debugfs share them. After `new` they change only through
/// cells, atomics and locks, which each ledger documents.
#[pin_data]
pub(crate) struct Ledgers {
    /// The tasks inside reclaim, and the slots of these tasks.
    pub(crate) windows: Windows,
    /// The writes of reclaim.
    pub(crate) writes: PerCpu<Writes>,
    /// The stack that was left.
    pub(crate) headroom: PerCpu<Headroom>,
    /// The pages that were written, by the cgroup that they were charged to.
    pub(crate) cgroups: Cgroups<{ Origin::COUNT }>,
    /// The cgroups that have rows here or in the ledgers of stalls, waits and shrinkers.
    pub(crate) known: Arc<KnownCgroups>,
    /// The events that were lost, and the cost of the module.
    pub(crate) cost: PerCpu<Cost>,
    /// The fate of the dirty file folios that reclaim met.
    pub(crate) write_around: PerCpu<WriteAround>,
    /// The fate of the swap-out requests that reclaim prepared.
    pub(crate) handoff: PerCpu<Handoff>,
    /// The requests of the swap writers.
    pub(crate) swap_requests: WriterRequests,
    /// The tasks in which the workers of write-around run.
    pub(crate) workers: Workers,
    /// The deepest stacks.
    pub(crate) stacks: DeepestStacks,
    /// The functions on a stack that tell why reclaim runs.
    pub(crate) callers: Callers,
    /// Scratch space for handlers.
    pub(crate) scratch: PerCpu<Exclusive<Scratch>>,
    /// The time of stalled tasks, by cause.
    pub(crate) stalls: Stalls,
    /// The pages of block devices that were evicted and read again.
    pub(crate) metadata: Metadata,
    /// How often reclaim interrupted other CPUs to flush their TLBs.
    pub(crate) tlb: PerCpu<Tlb>,
    /// The cost and the results of compaction.
    pub(crate) compaction: PerCpu<Compaction>,
    /// The tasks that take large blocks for which another task compacted.
    pub(crate) takers: Takers,
    /// The calls of shrinkers.
    pub(crate) shrinkers: Shrinkers,
    /// The users of the reserves, and the tasks that wait for them.
    pub(crate) reserves: Reserves,
    /// The time of requests of NBD devices, by phase.
    pub(crate) nbd: Nbd,
    /// The waits of tasks for which memory is to blame.
    pub(crate) waits: Waits,
    /// The sizes of swap writes.
    pub(crate) batches: PerCpu<Batches>,
    /// Swap writes that are under way, and those that failed.
    pub(crate) swap_io: SwapIo,
    /// Reads of swap that are looked at closely.
    pub(crate) swap_reads: SwapReads,
    /// The cost of kswapd, and the reasons why it does not rest.
    pub(crate) kswapd: Kswapd,
    /// The states of the probes.
    pub(crate) states: States,
    /// When the ledgers were made. The cost of the module is a share of the time since then.
    pub(crate) created: Timestamp,
    /// The functions that need not be probed.
    pub(crate) needs: ProbeNeeds,
    /// When the next headroom_low event may fire, in nanoseconds of `clock_ns()`.
    pub(crate) low_due: Atomic<u64>,
}

impl AsRef<Doorbell> for Ledgers {
    fn as_ref(&self) -> &Doorbell {
        &self.needs.doorbell
    }
}

impl Ledgers {
    /// Allocates all ledgers. Sleeps. Fails with `ENOMEM`.
    pub(crate) fn new() -> Result<Arc<Self>> {
        // The rows of writes, stalls and waits, and those of shrinkers.
        let rows = total_rows(cgroups::ROWS)
            .saturating_mul(3)
            .saturating_add(total_rows(shrinkers::ROWS));
        let known = Arc::new(KnownCgroups::new(rows)?, GFP_KERNEL)?;
        Arc::pin_init(
            try_pin_init!(Self {
                windows: Windows::new(settings::window_slots())?,
                writes: PerCpu::new()?,
                headroom: PerCpu::new()?,
                cgroups: Cgroups::new(known.clone())?,
                cost: PerCpu::new()?,
                write_around: PerCpu::new()?,
                handoff: PerCpu::new()?,
                swap_requests: WriterRequests::new(),
                workers: Workers::new(),
                stacks: DeepestStacks::new()?,
                callers: Callers::new()?,
                scratch: PerCpu::new()?,
                stalls: Stalls::new(settings::window_slots(), known.clone())?,
                metadata: Metadata::new()?,
                tlb: PerCpu::new()?,
                compaction: PerCpu::new()?,
                takers: Takers::new()?,
                shrinkers: Shrinkers::new(settings::window_slots(), known.clone())?,
                reserves: Reserves::new(settings::window_slots())?,
                nbd: Nbd::new()?,
                waits: Waits::new(settings::window_slots(), known.clone())?,
                batches: PerCpu::new()?,
                swap_io: SwapIo::new()?,
                swap_reads: SwapReads::new()?,
                kswapd: Kswapd::new()?,
                states: States::new(),
                created: Timestamp::now(),
                needs: ProbeNeeds::new(),
                low_due: Atomic::new(0),
                known,
            }),
            GFP_KERNEL,
        )
    }

    /// Forgets what was under way in a group that was switched off. No handler of its probes runs
    /// any more, nor one that saw the group live.
    pub(crate) fn forget(&self, group: Group) {
        match group {
            Group::Stalls => {
                self.stalls.open.clear();
                self.stalls.locks.clear();
                self.takers.clear();
            }
            Group::Shrinkers => {
                self.windows.forget_shrinkers();
                self.shrinkers.clear();
            }
            Group::Metadata => self.metadata.clear(),
            Group::Reserves => self.reserves.waiting.clear(),
            Group::Nbd => self.nbd.clear(),
            Group::Waits => {
                self.waits.open.clear();
                self.swap_reads.clear();
            }
            Group::Tlb | Group::Takers => {}
        }
    }

    /// Forgets what is known of tasks. No probe is attached any more, so nothing would tell when a
    /// window or a wait ends. What was counted is recorded first.
    pub(crate) fn pause(&self) {
        for &group in Group::ALL {
            self.forget(group);
        }
        pinned(|pin| {
            for slot in self.windows.slots() {
                self.record_counted(pin, slot);
            }
        });
        self.windows.clear();
        self.swap_io.zswap.clear();
        self.kswapd.pause();
    }

    /// Returns the memory that the ledgers take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        [
            core::mem::size_of::<Self>(),
            self.windows.bytes(),
            self.stacks.bytes(),
            self.callers.bytes(),
            self.writes.bytes(),
            self.headroom.bytes(),
            self.cgroups.bytes(),
            self.known.bytes(),
            self.cost.bytes(),
            self.write_around.bytes(),
            self.handoff.bytes(),
            self.stalls.bytes(),
            self.metadata.bytes(),
            self.tlb.bytes(),
            self.compaction.bytes(),
            self.takers.bytes(),
            self.shrinkers.bytes(),
            self.reserves.bytes(),
            self.nbd.bytes(),
            self.waits.bytes(),
            self.batches.bytes(),
            self.swap_io.bytes(),
            self.swap_reads.bytes(),
            self.kswapd.bytes(),
            self.scratch.bytes(),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }
}
