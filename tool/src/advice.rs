// SPDX-License-Identifier: GPL-2.0
//! What to try first. This depends on what the time of the stalls went to, what reclaim was for, the devices, the
//! settings and the kernel. A table of cases says which remedies suit a situation. Only those are named that this
//! machine can have and does not use yet. The recipes in Documentation/admin-guide.rst say more, and why.

use crate::{
    container,
    ledger::HelperState,
    names::{Cause, Kind, Origin, Policy},
    report::{Report, StallCgroupRow},
    system::Queue,
};

/// A cause that took less than this part of the stalls' time is not worth a sentence.
const WORTH: f64 = 0.15;
/// If all stalls together took less than this, in nanoseconds, nothing is advised.
pub const PAIN: u64 = 100_000_000;
/// At most this many remedies are named for a cause.
const NAMED: usize = 3;
/// Requests of this size, in KiB, occupy an NBD connection only for a short time. Documentation/admin-guide.rst has the
/// measurement.
const SMALL_KB: u64 = 128;

/// When swap-out is handed to a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handoff {
    /// This kernel or this module does not support it.
    Impossible,
    /// It is switched off.
    Never,
    /// Swap-out is handed over where little stack is left.
    LowHeadroom,
    /// Swap-out is handed over whenever it is allowed.
    Always,
}

/// What pages are swapped out to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swap {
    /// There is no swap.
    Nothing,
    /// Memory alone: zram, brd. Pages are written there at once, so there is nothing to hand off.
    Memory,
    /// A disk of this machine.
    Disk,
    /// NBD, or something that may be on NBD: a file, a mapped device.
    Nbd,
}

/// Whether pages are compressed before they go to a swap device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zswap {
    /// The kernel has none.
    Impossible,
    /// The kernel has it, and it is off.
    Off,
    /// It is on.
    On,
}

/// What reclaim found to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    /// Only dirty pages of files.
    Files,
    /// Only swap.
    Swap,
    /// Both, or it is not known.
    Both,
}

/// What decides which advice is right.
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
#[derive(Clone, Debug)]
struct Situation {
    cause: Cause,
    origin: Origin,
    handoff: Handoff,
    /// Reclaim handed something over.
    handed: bool,
    write_around: HelperState,
    swap: Swap,
    /// Nearly all of it is used.
    swap_full: bool,
    zswap: Zswap,
    written: Written,
    /// The busiest NBD device, and what is known of its queue.
    nbd: (String, Queue),
    /// Whether a task that wants a huge page compacts memory for it.
    tasks_compact: bool,
    /// Whether TLB flushes are counted; `None` if they cannot be counted.
    tlb: Option<bool>,
    shrinkers: bool,
    /// The cgroup in question.
    cgroup: Option<String>,
    /// `vm.min_free_kbytes`.
    min_free_kb: Option<u64>,
}

/// Something to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    HandOff,
    SmallerRequests,
    MoreConnections,
    FasterLine,
    FasterSwap,
    Compress,
    FasterCompression,
    AddSwap,
    MoreSwap,
    WriteAround,
    DirtyLimit,
    CgroupLimit,
    LessInUse,
    FewerTasks,
    MoreCpus,
    LargerReserves,
    NoCompaction,
    SmallerOrders,
    LookAtShrinkers,
    LookAtThrottling,
    CountTlb,
    LookAtTlb,
    LessUnmapped,
    LookAtSleepers,
}

/// What suits a kind of stall.
struct Case {
    /// A name for it, which the tests use.
    #[cfg_attr(not(test), expect(dead_code))]
    name: &'static str,
    causes: &'static [Cause],
    when: fn(&Situation) -> bool,
    /// The best first. The last one is always possible.
    remedies: &'static [Remedy],
}

use Remedy as R;

/// The first case that fits is used. The last case of a cause always fits.
const CASES: &[Case] = &[
    Case {
        name: "NBD carries no swap",
        causes: &[Cause::NbdLock, Cause::NbdSend],
        when: |now| now.swap != Swap::Nbd,
        remedies: &[R::SmallerRequests, R::MoreConnections, R::FasterLine],
    },
    Case {
        name: "swap on NBD, the connection is taken",
        causes: &[Cause::NbdLock],
        when: always,
        remedies: &[R::HandOff, R::SmallerRequests, R::MoreConnections, R::CgroupLimit, R::Compress, R::FasterLine],
    },
    Case {
        name: "swap on NBD, the line takes no more",
        causes: &[Cause::NbdSend],
        when: always,
        remedies: &[R::HandOff, R::Compress, R::CgroupLimit, R::FasterLine],
    },
    Case {
        name: "swap in memory takes CPU time",
        causes: &[Cause::SwapSubmit, Cause::TagWait],
        when: |now| now.swap == Swap::Memory,
        remedies: &[R::CgroupLimit, R::FasterCompression],
    },
    Case {
        name: "the swap device takes no more",
        causes: &[Cause::SwapSubmit, Cause::TagWait],
        when: |now| now.swap != Swap::Nothing,
        remedies: &[R::HandOff, R::CgroupLimit, R::Compress, R::FasterSwap],
    },
    Case {
        name: "swap was taken away since",
        causes: &[Cause::SwapSubmit, Cause::TagWait],
        when: always,
        remedies: &[R::CgroupLimit, R::LessInUse],
    },
    Case {
        name: "the block layer throttles what reclaim writes",
        causes: &[Cause::RqQos],
        when: always,
        remedies: &[R::HandOff, R::LookAtThrottling],
    },
    Case {
        name: "tasks wait for the swap writer, and it for the device",
        causes: &[Cause::ThrottleWriteback],
        when: |now| now.handed && now.written != Written::Files && now.swap != Swap::Nothing,
        remedies: &[R::CgroupLimit, R::Compress, R::FasterSwap],
    },
    Case {
        name: "reclaim waits for dirty files",
        causes: &[Cause::ThrottleWriteback],
        when: |now| now.written == Written::Files || now.swap == Swap::Nothing,
        remedies: &[R::WriteAround, R::DirtyLimit],
    },
    Case {
        name: "reclaim waits for swap",
        causes: &[Cause::ThrottleWriteback],
        when: |now| now.written == Written::Swap,
        remedies: &[R::CgroupLimit, R::Compress, R::FasterSwap],
    },
    Case {
        name: "reclaim waits for dirty files or for swap",
        causes: &[Cause::ThrottleWriteback],
        when: always,
        remedies: &[R::WriteAround, R::DirtyLimit, R::FasterSwap],
    },
    Case {
        name: "a cgroup is too large for its limit",
        causes: &[
            Cause::Scan,
            Cause::ThrottleIsolated,
            Cause::ThrottleNoprogress,
            Cause::ThrottleCongested,
            Cause::LruLock,
            Cause::Lock,
        ],
        when: of_cgroup,
        remedies: &[R::CgroupLimit],
    },
    Case {
        name: "nothing to free without swap",
        causes: &[Cause::Scan, Cause::ThrottleNoprogress],
        when: |now| now.swap == Swap::Nothing,
        remedies: &[R::AddSwap, R::LessInUse],
    },
    Case {
        name: "nothing to free as swap is full",
        causes: &[Cause::Scan, Cause::ThrottleNoprogress],
        when: |now| now.swap_full,
        remedies: &[R::MoreSwap, R::LessInUse],
    },
    Case { name: "much is scanned for little", causes: &[Cause::Scan], when: always, remedies: &[R::LessInUse] },
    Case {
        name: "many reclaim at once",
        causes: &[
            Cause::ThrottleIsolated,
            Cause::ThrottleNoprogress,
            Cause::ThrottleCongested,
            Cause::LruLock,
            Cause::Lock,
        ],
        when: always,
        remedies: &[R::FewerTasks],
    },
    Case {
        name: "shrinkers",
        causes: &[Cause::Shrinker],
        when: always,
        remedies: &[R::LookAtShrinkers, R::CgroupLimit, R::LessInUse],
    },
    Case { name: "reserves", causes: &[Cause::Pfmemalloc], when: always, remedies: &[R::LargerReserves] },
    Case {
        name: "compaction",
        causes: &[Cause::Compaction, Cause::Drain],
        when: always,
        remedies: &[R::NoCompaction, R::SmallerOrders],
    },
    Case {
        name: "memory.high",
        causes: &[Cause::HighPenalty],
        when: |now| now.origin == Origin::MemcgHigh,
        remedies: &[R::CgroupLimit],
    },
    Case {
        name: "a penalty among other stalls",
        causes: &[Cause::HighPenalty],
        when: always,
        remedies: &[R::CgroupLimit, R::LessInUse],
    },
    Case { name: "too few CPUs", causes: &[Cause::Runqueue], when: always, remedies: &[R::MoreCpus] },
    Case {
        name: "CPUs interrupt each other",
        causes: &[Cause::Tlb],
        when: always,
        remedies: &[R::CountTlb, R::LookAtTlb, R::LessUnmapped],
    },
    Case {
        name: "asleep, nobody knows for what",
        causes: &[Cause::OffCpu, Cause::Unexplained],
        when: always,
        remedies: &[R::LookAtSleepers],
    },
];

fn always(_: &Situation) -> bool {
    true
}

/// Whether reclaim is for a limit of a cgroup, and not for the whole machine.
fn of_cgroup(now: &Situation) -> bool {
    matches!(now.origin, Origin::MemcgMax | Origin::MemcgHigh | Origin::MemcgReclaim)
}

impl Remedy {
    /// Whether this machine can have it and does not have it yet.
    fn can_be_had(self, now: &Situation) -> bool {
        let queue = &now.nbd.1;
        match self {
            Self::HandOff => {
                matches!(now.handoff, Handoff::Never | Handoff::LowHeadroom)
                    && matches!(now.swap, Swap::Disk | Swap::Nbd)
            }
            Self::SmallerRequests => can_have_smaller_requests(queue),
            Self::MoreConnections => can_have_more_connections(queue),
            Self::Compress => now.zswap == Zswap::Off && matches!(now.swap, Swap::Disk | Swap::Nbd),
            Self::FasterSwap | Self::MoreSwap => now.swap != Swap::Nothing,
            Self::FasterCompression => now.swap == Swap::Memory,
            Self::AddSwap => now.swap == Swap::Nothing,
            Self::WriteAround => now.write_around == HelperState::Off,
            Self::CgroupLimit => of_cgroup(now),
            Self::NoCompaction => now.tasks_compact,
            Self::LookAtShrinkers => now.shrinkers,
            Self::CountTlb => now.tlb == Some(false),
            Self::LookAtTlb => now.tlb == Some(true),
            Self::FasterLine
            | Self::DirtyLimit
            | Self::LessInUse
            | Self::FewerTasks
            | Self::MoreCpus
            | Self::LargerReserves
            | Self::SmallerOrders
            | Self::LessUnmapped
            | Self::LookAtSleepers
            | Self::LookAtThrottling => true,
        }
    }

    /// What to do, as the text after "To try:".
    fn text(self, now: &Situation) -> String {
        let device = &now.nbd.0;
        match self {
            Self::HandOff if now.handoff == Handoff::LowHeadroom => {
                "to hand off all swap-out, not only where the stack is short (reclaimwb tune handoff=always)".into()
            }
            Self::HandOff => "a writer for swap-out (reclaimwb tune handoff=always)".into(),
            Self::SmallerRequests => {
                format!("smaller requests ({SMALL_KB} in /sys/block/{device}/queue/max_sectors_kb)")
            }
            Self::MoreConnections => "a second connection (nbd-client -C 2)".into(),
            Self::FasterLine => "a faster line or server, or less traffic over it".into(),
            Self::FasterSwap => "a faster swap device, or a second one of the same priority".into(),
            Self::Compress => "zswap before the device (Y in /sys/module/zswap/parameters/enabled)".into(),
            Self::FasterCompression => {
                "a faster comp_algorithm of zram (lzo-rle, lz4), or less to swap, as compression takes the time".into()
            }
            Self::AddSwap => "swap: without it only pages of files can be freed".into(),
            Self::MoreSwap => "more swap: all that there is is full".into(),
            Self::WriteAround => "reclaimwb tune write_around=Y".into(),
            Self::LookAtThrottling => {
                "the limits that throttle it: wbt_lat_usec in the device's queue/ (0 is off), io.latency and io.cost of \
                 cgroups"
                    .into()
            }
            Self::DirtyLimit => "less dirty memory (sysctl vm.dirty_bytes)".into(),
            Self::CgroupLimit => limit(now.origin, now.cgroup.as_deref()),
            Self::LessInUse => "more memory, or a limit (memory.max) for whatever fills it".into(),
            Self::FewerTasks => "fewer tasks that need memory at once, or cgroups with limits of their own".into(),
            Self::MoreCpus => {
                "fewer tasks or more CPUs: a task that waits for a CPU would wait without reclaim, too".into()
            }
            Self::LargerReserves => {
                let is = now.min_free_kb.map_or(String::new(), |kb| format!(", which is {kb}"));
                format!("larger reserves (sysctl vm.min_free_kbytes{is})")
            }
            Self::NoCompaction => {
                "madvise or defer in /sys/kernel/mm/transparent_hugepage/defrag, so that tasks do not compact".into()
            }
            Self::SmallerOrders => "smaller allocations: COMPACTION has their orders".into(),
            Self::LookAtShrinkers => "SHRINKERS, to see which of them give nothing back".into(),
            Self::CountTlb => "reclaimwb tune tlb=Y, to see for which mappings CPUs are interrupted".into(),
            Self::LookAtTlb => "TLB FLUSHES, to see for which mappings CPUs are interrupted".into(),
            Self::LessUnmapped => "less to swap: each page that is unmapped interrupts the CPUs that may use it".into(),
            Self::LookAtSleepers => {
                "reclaimwb record --events stall along with perf sched, to see where tasks sleep".into()
            }
        }
    }
}

/// Whether the requests of this NBD device are not small yet, as far as is known.
pub fn can_have_smaller_requests(queue: &Queue) -> bool {
    queue.max_sectors_kb.is_none_or(|kb| kb > SMALL_KB)
}

/// Whether this NBD device has only one connection, as far as is known.
pub fn can_have_more_connections(queue: &Queue) -> bool {
    queue.connections.is_none_or(|n| n < 2)
}

fn limit(origin: Origin, cgroup: Option<&str>) -> String {
    let of = cgroup.map_or_else(|| "the cgroup that STALLS names".to_owned(), container::short);
    match origin {
        Origin::MemcgReclaim => format!("smaller writes to memory.reclaim of {of}, or fewer"),
        Origin::MemcgHigh => format!("a higher memory.high for {of}, or less in it"),
        _ => format!("a higher memory.max for {of}, or less in it"),
    }
}

/// What to try against the largest causes of stalls, and the largest of them; `None` if no task stalled for long.
pub fn sentence(report: &Report) -> Option<(String, Cause)> {
    let stalls = report.stalls.get()?;
    if stalls.ns < PAIN {
        return None;
    }
    let mut worth: Vec<Cause> =
        stalls.causes.iter().filter(|row| row.share >= WORTH).map(|row| row.cause).take(2).collect();
    // There are many small causes. The largest is still the first suspect.
    if worth.is_empty() {
        worth.push(stalls.causes.first()?.cause);
    }
    let first = *worth.first()?;
    let mut named: Vec<Remedy> = Vec::new();
    let mut tips: Vec<String> = Vec::new();
    for cause in worth {
        let now = situation(report, cause, None, None);
        // For the second cause only the best remedy is named, and only if it was not named before.
        let most = if tips.is_empty() { NAMED } else { 1 };
        let fresh: Vec<Remedy> = remedies(&now).take(most).filter(|remedy| !named.contains(remedy)).collect();
        if !fresh.is_empty() {
            tips.push(joined(&now, &fresh));
        }
        named.extend(fresh);
    }
    Some((format!("To try: {}.", tips.join("; and ")), first))
}

/// What to try against one cause in one cgroup, whose tasks reclaim for this origin.
pub fn for_cgroup(report: &Report, cause: Cause, origin: Origin, path: Option<&str>) -> String {
    let now = situation(report, cause, Some(origin), path);
    let named: Vec<Remedy> = remedies(&now).take(NAMED).collect();
    joined(&now, &named)
}

fn joined(now: &Situation, remedies: &[Remedy]) -> String {
    let texts: Vec<String> = remedies.iter().map(|remedy| remedy.text(now)).collect();
    texts.join("; or ")
}

/// The remedies that suit and are possible, the best first.
fn remedies(now: &Situation) -> impl Iterator<Item = Remedy> {
    let fits = CASES.iter().find(|case| case.causes.contains(&now.cause) && (case.when)(now));
    let remedies = fits.map_or(&[][..], |case| case.remedies);
    remedies.iter().copied().filter(|remedy| remedy.can_be_had(now))
}

fn situation(report: &Report, cause: Cause, origin: Option<Origin>, cgroup: Option<&str>) -> Situation {
    let origin = origin.unwrap_or_else(|| origin_of(report, cause));
    let machine = &report.machine;
    let setting = |name: &str| machine.settings.get(name).map(String::as_str);
    let handoff = report.handoff.get();
    let around = report.write_around.get();
    let swapped = report.writes.get().map(|writes| writes.kinds.get(&Kind::Io).copied().unwrap_or(0));
    let size = crate::ledger::total(machine.swaps.iter().map(|swap| swap.size_kib));
    let used = crate::ledger::total(machine.swaps.iter().map(|swap| swap.used_kib));
    Situation {
        cause,
        origin,
        handoff: match handoff.map(|section| (section.state, section.policy)) {
            None | Some((HelperState::Unavailable, _)) => Handoff::Impossible,
            Some((HelperState::Off, _) | (HelperState::On, Policy::Never)) => Handoff::Never,
            Some((HelperState::On, Policy::LowHeadroom)) => Handoff::LowHeadroom,
            Some((HelperState::On, Policy::Always)) => Handoff::Always,
        },
        handed: handoff.is_some_and(|section| section.handed_requests > 0),
        write_around: around.map_or(HelperState::Unavailable, |section| section.state),
        swap: swap(machine.swaps.iter().map(|swap| swap.name.as_str())),
        // Nearly full counts as full: some of it is always free for a moment before it is used again.
        swap_full: size > 0 && used.saturating_mul(20) >= size.saturating_mul(19),
        zswap: match setting("sys/module/zswap/parameters/enabled") {
            None => Zswap::Impossible,
            Some("Y") => Zswap::On,
            Some(_) => Zswap::Off,
        },
        written: match (around.map(|section| section.met_folios), swapped) {
            (Some(0), Some(1..)) => Written::Swap,
            (Some(1..), Some(0)) => Written::Files,
            _ => Written::Both,
        },
        nbd: nbd(report),
        // If it is not known, as in older snapshots, assume that they do.
        tasks_compact: setting("sys/kernel/mm/transparent_hugepage/defrag")
            .is_none_or(|value| value.contains("[always]"))
            && setting("sys/kernel/mm/transparent_hugepage/enabled").is_some_and(|value| !value.contains("[never]")),
        tlb: report.tlb.get().and(report.module.groups.get("tlb").copied()),
        shrinkers: report.shrinkers.get().is_some_and(|section| !section.shrinkers.is_empty()),
        cgroup: cgroup.map(str::to_owned).or_else(|| largest(report, cause)),
        min_free_kb: setting("proc/sys/vm/min_free_kbytes").and_then(|value| value.parse().ok()),
    }
}

/// The origin whose stalls lost most time to this cause.
fn origin_of(report: &Report, cause: Cause) -> Origin {
    let rows = report.stalls.get().map_or(&[][..], |stalls| &stalls.origins);
    let ns = |causes: &[crate::report::CauseRow]| causes.iter().find(|row| row.cause == cause).map_or(0, |row| row.ns);
    let most = rows.iter().max_by_key(|row| ns(&row.causes));
    most.map_or(Origin::Direct, |row| row.origin)
}

/// The cgroup whose tasks lost most time to this cause. The root does not count, because it has no limit.
fn largest(report: &Report, cause: Cause) -> Option<String> {
    let rows = &report.stalls.get()?.cgroups;
    let lost = |row: &&StallCgroupRow| row.causes_ns.get(&cause).copied().unwrap_or(0);
    let named = rows.iter().filter(|row| row.path.as_deref().is_some_and(|path| path != "/"));
    named.max_by_key(lost).filter(|row| lost(row) > 0)?.path.clone()
}

/// What kind of swap these devices are. If there are several kinds, the slowest counts.
fn swap<'a>(names: impl Iterator<Item = &'a str>) -> Swap {
    let kind = |name: &str| {
        let device = name.strip_prefix("/dev/");
        let is = |prefixes: &[&str]| device.is_some_and(|device| prefixes.iter().any(|p| device.starts_with(p)));
        if is(&["zram", "ram"]) {
            Swap::Memory
        } else if is(&["sd", "hd", "vd", "xvd", "nvme", "mmcblk", "pmem"]) {
            Swap::Disk
        } else {
            Swap::Nbd
        }
    };
    let rank =
        |swap: &Swap| [Swap::Nothing, Swap::Memory, Swap::Disk, Swap::Nbd].iter().position(|other| other == swap);
    names.map(kind).max_by_key(rank).unwrap_or(Swap::Nothing)
}

/// The busiest NBD device, or the one that swap is on.
fn nbd(report: &Report) -> (String, Queue) {
    let devices = report.nbd.get().map_or(&[][..], |nbd| &nbd.devices);
    let requests =
        |row: &&crate::report::NbdDeviceRow| crate::ledger::total(row.directions.iter().map(|row| row.requests.count));
    let busiest = devices.iter().max_by_key(requests).map(|row| row.device.clone());
    let swap = report.machine.swaps.iter().find_map(|swap| swap.name.strip_prefix("/dev/"));
    let swap = swap.filter(|name| name.starts_with("nbd")).map(str::to_owned);
    let name = busiest.or(swap).unwrap_or_else(|| "nbd0".into());
    let queue = report.machine.queues.get(&name).cloned().unwrap_or_default();
    (name, queue)
}

#[cfg(test)]
mod tests;
