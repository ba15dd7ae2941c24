// SPDX-License-Identifier: GPL-2.0
//! Tests each case of the table, and then each cause in each situation: there is always an answer, and it names nothing
//! that is already in use or that this machine cannot have.

use super::*;
use crate::{report, snapshot::Snapshot};
use std::path::Path;

/// A patched kernel with swap on NBD, and nothing switched on.
fn plain(cause: Cause) -> Situation {
    Situation {
        cause,
        origin: Origin::Direct,
        handoff: Handoff::Never,
        handed: false,
        write_around: HelperState::Off,
        swap: Swap::Nbd,
        swap_full: false,
        zswap: Zswap::Off,
        written: Written::Both,
        nbd: ("nbd0".into(), Queue { max_sectors_kb: Some(1280), connections: Some(1) }),
        tasks_compact: true,
        tlb: Some(false),
        shrinkers: true,
        cgroup: Some("/box".into()),
        min_free_kb: Some(4096),
    }
}

fn with(cause: Cause, change: impl Fn(&mut Situation)) -> Situation {
    let mut now = plain(cause);
    change(&mut now);
    now
}

fn advice(now: &Situation) -> String {
    let named: Vec<Remedy> = remedies(now).take(NAMED).collect();
    joined(now, &named)
}

/// The case of the table, a situation that it is for, and what is advised, word for word.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn each_case_says() {
    let small = |now: &mut Situation| now.nbd.1 = Queue { max_sectors_kb: Some(128), connections: Some(2) };
    let limit = "a higher memory.max for /box, or less in it";
    let expected: &[(&str, Situation, &str)] = &[
        (
            "NBD carries no swap",
            with(Cause::NbdLock, |now| now.swap = Swap::Disk),
            "smaller requests (128 in /sys/block/nbd0/queue/max_sectors_kb); or a second connection (nbd-client -C 2); \
             or a faster line or server, or less traffic over it",
        ),
        (
            "swap on NBD, the connection is taken",
            plain(Cause::NbdLock),
            "a writer for swap-out (reclaimwb tune handoff=always); or smaller requests (128 in \
             /sys/block/nbd0/queue/max_sectors_kb); or a second connection (nbd-client -C 2)",
        ),
        // The writer takes requests of cgroups' limits, too.
        (
            "swap on NBD, the connection is taken",
            with(Cause::NbdLock, |now| {
                small(now);
                now.origin = Origin::MemcgMax;
            }),
            "a writer for swap-out (reclaimwb tune handoff=always); or a higher memory.max for /box, or less in it; or \
             zswap before the device (Y in /sys/module/zswap/parameters/enabled)",
        ),
        (
            "swap on NBD, the connection is taken",
            with(Cause::NbdLock, |now| {
                small(now);
                (now.handoff, now.zswap) = (Handoff::Always, Zswap::On);
            }),
            "a faster line or server, or less traffic over it",
        ),
        (
            "swap on NBD, the line takes no more",
            with(Cause::NbdSend, |now| now.handoff = Handoff::LowHeadroom),
            "to hand off all swap-out, not only where the stack is short (reclaimwb tune handoff=always); or zswap \
             before the device (Y in /sys/module/zswap/parameters/enabled); or a faster line or server, or less traffic \
             over it",
        ),
        (
            "swap in memory takes CPU time",
            with(Cause::SwapSubmit, |now| now.swap = Swap::Memory),
            "a faster comp_algorithm of zram (lzo-rle, lz4), or less to swap, as compression takes the time",
        ),
        (
            "the swap device takes no more",
            with(Cause::TagWait, |now| (now.handoff, now.swap) = (Handoff::Impossible, Swap::Disk)),
            "zswap before the device (Y in /sys/module/zswap/parameters/enabled); or a faster swap device, or a second \
             one of the same priority",
        ),
        (
            "the block layer throttles what reclaim writes",
            with(Cause::RqQos, |now| (now.handoff, now.swap) = (Handoff::Impossible, Swap::Disk)),
            "the limits that throttle it: wbt_lat_usec in the device's queue/ (0 is off), io.latency and io.cost of cgroups",
        ),
        (
            "swap was taken away since",
            with(Cause::SwapSubmit, |now| now.swap = Swap::Nothing),
            "more memory, or a limit (memory.max) for whatever fills it",
        ),
        (
            "tasks wait for the swap writer, and it for the device",
            with(Cause::ThrottleWriteback, |now| {
                (now.handoff, now.handed, now.zswap) = (Handoff::Always, true, Zswap::On);
            }),
            "a faster swap device, or a second one of the same priority",
        ),
        (
            "reclaim waits for dirty files",
            with(Cause::ThrottleWriteback, |now| now.written = Written::Files),
            "reclaimwb tune write_around=Y; or less dirty memory (sysctl vm.dirty_bytes)",
        ),
        (
            "reclaim waits for dirty files",
            with(Cause::ThrottleWriteback, |now| (now.swap, now.write_around) = (Swap::Nothing, HelperState::On)),
            "less dirty memory (sysctl vm.dirty_bytes)",
        ),
        (
            "reclaim waits for swap",
            with(Cause::ThrottleWriteback, |now| {
                (now.written, now.zswap, now.origin) = (Written::Swap, Zswap::Impossible, Origin::MemcgMax);
            }),
            "a higher memory.max for /box, or less in it; or a faster swap device, or a second one of the same priority",
        ),
        (
            "reclaim waits for dirty files or for swap",
            with(Cause::ThrottleWriteback, |now| now.write_around = HelperState::Unavailable),
            "less dirty memory (sysctl vm.dirty_bytes); or a faster swap device, or a second one of the same priority",
        ),
        ("a cgroup is too large for its limit", with(Cause::Scan, |now| now.origin = Origin::MemcgMax), limit),
        (
            "a cgroup is too large for its limit",
            with(Cause::LruLock, |now| (now.origin, now.cgroup) = (Origin::MemcgReclaim, None)),
            "smaller writes to memory.reclaim of the cgroup that STALLS names, or fewer",
        ),
        (
            "nothing to free without swap",
            with(Cause::Scan, |now| now.swap = Swap::Nothing),
            "swap: without it only pages of files can be freed; or more memory, or a limit (memory.max) for whatever fills it",
        ),
        (
            "nothing to free as swap is full",
            with(Cause::ThrottleNoprogress, |now| now.swap_full = true),
            "more swap: all that there is is full; or more memory, or a limit (memory.max) for whatever fills it",
        ),
        (
            "much is scanned for little",
            plain(Cause::Scan),
            "more memory, or a limit (memory.max) for whatever fills it",
        ),
        (
            "many reclaim at once",
            plain(Cause::ThrottleIsolated),
            "fewer tasks that need memory at once, or cgroups with limits of their own",
        ),
        (
            "shrinkers",
            plain(Cause::Shrinker),
            "SHRINKERS, to see which of them give nothing back; or more memory, or a limit (memory.max) for whatever fills it",
        ),
        ("reserves", plain(Cause::Pfmemalloc), "larger reserves (sysctl vm.min_free_kbytes, which is 4096)"),
        (
            "compaction",
            with(Cause::Drain, |now| now.tasks_compact = false),
            "smaller allocations: COMPACTION has their orders",
        ),
        (
            "memory.high",
            with(Cause::HighPenalty, |now| now.origin = Origin::MemcgHigh),
            "a higher memory.high for /box, or less in it",
        ),
        (
            "a penalty among other stalls",
            plain(Cause::HighPenalty),
            "more memory, or a limit (memory.max) for whatever fills it",
        ),
        (
            "too few CPUs",
            plain(Cause::Runqueue),
            "fewer tasks or more CPUs: a task that waits for a CPU would wait without reclaim, too",
        ),
        (
            "CPUs interrupt each other",
            plain(Cause::Tlb),
            "reclaimwb tune tlb=Y, to see for which mappings CPUs are interrupted; or less to swap: each page that is \
             unmapped interrupts the CPUs that may use it",
        ),
        (
            "asleep, nobody knows for what",
            plain(Cause::OffCpu),
            "reclaimwb record --events stall along with perf sched, to see where tasks sleep",
        ),
    ];
    for (name, now, says) in expected {
        let fits = CASES.iter().find(|case| case.causes.contains(&now.cause) && (case.when)(now));
        assert_eq!(fits.map(|case| case.name), Some(*name), "{now:?}");
        assert_eq!(advice(now), *says, "{name}: {now:?}");
    }
    for case in CASES {
        assert!(expected.iter().any(|(name, ..)| *name == case.name), "{}: not tried", case.name);
    }
}

/// Calls `f` with all possible situations, for each cause and origin.
fn each_situation(mut f: impl FnMut(&Situation)) {
    const STATES: [HelperState; 3] = [HelperState::On, HelperState::Off, HelperState::Unavailable];
    for &cause in Cause::ALL {
        for &origin in Origin::ALL {
            for handoff in [Handoff::Impossible, Handoff::Never, Handoff::LowHeadroom, Handoff::Always] {
                for swap in [Swap::Nothing, Swap::Memory, Swap::Disk, Swap::Nbd] {
                    for zswap in [Zswap::Impossible, Zswap::Off, Zswap::On] {
                        for (written, around) in [Written::Files, Written::Swap, Written::Both].iter().zip(STATES) {
                            for on in [false, true] {
                                f(&Situation {
                                    origin,
                                    handoff,
                                    handed: on,
                                    write_around: around,
                                    swap,
                                    swap_full: on,
                                    zswap,
                                    written: *written,
                                    nbd: (
                                        "nbd3".into(),
                                        Queue {
                                            max_sectors_kb: Some(if on { 64 } else { 4096 }),
                                            connections: Some(if on { 4 } else { 1 }),
                                        },
                                    ),
                                    tasks_compact: !on,
                                    tlb: if origin == Origin::Node { None } else { Some(on) },
                                    shrinkers: on,
                                    ..plain(cause)
                                });
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn each_situation_has_an_answer_that_can_be_followed() {
    let mut tried = 0;
    each_situation(|now| {
        tried += 1;
        let says = advice(now);
        assert!(says.len() > 25 && says.is_ascii(), "{says:?}: {now:?}");
        let never = |word: &str, unless: bool| assert!(unless || !says.contains(word), "{says:?}: {now:?}");
        let device = matches!(now.swap, Swap::Disk | Swap::Nbd);
        never("handoff=", device && matches!(now.handoff, Handoff::Never | Handoff::LowHeadroom));
        never("write_around", now.write_around == HelperState::Off);
        never("zswap", device && now.zswap == Zswap::Off);
        never("zram", now.swap == Swap::Memory);
        never("swap device", now.swap != Swap::Nothing);
        never("more swap", now.swap != Swap::Nothing);
        never("swap: without", now.swap == Swap::Nothing);
        never("max_sectors_kb", now.nbd.1.max_sectors_kb.is_some_and(|kb| kb > 128));
        never("nbd-client", now.nbd.1.connections == Some(1));
        never("defrag", now.tasks_compact);
        never("tlb=Y", now.tlb == Some(false));
        never("TLB FLUSHES", now.tlb == Some(true));
        never("SHRINKERS", now.shrinkers);
        never("memory.high", now.origin == Origin::MemcgHigh);
        never("memory.reclaim", now.origin == Origin::MemcgReclaim);
        // What is for a cgroup's sake is not the machine's want.
        never(
            "more memory",
            !of_cgroup(now)
                || now.cause == Cause::Shrinker
                || now.cause == Cause::HighPenalty
                || now.swap == Swap::Nothing,
        );
    });
    assert!(tried > 30_000, "{tried}");
}

/// If there are two swap devices, the slow one counts.
#[test]
fn kinds_of_swap() {
    let of = |names: &[&str]| swap(names.iter().copied());
    assert_eq!(of(&[]), Swap::Nothing);
    assert_eq!(of(&["/dev/zram0"]), Swap::Memory);
    assert_eq!(of(&["/dev/zram0", "/dev/vda2"]), Swap::Disk);
    assert_eq!(of(&["/dev/nvme0n1p3"]), Swap::Disk);
    assert_eq!(of(&["/dev/nbd0", "/dev/sda1"]), Swap::Nbd);
    // A file or a mapped device may lie on NBD.
    assert_eq!((of(&["/swap.img"]), of(&["/dev/dm-0"])), (Swap::Nbd, Swap::Nbd));
}

fn of(fixture: &str, change: impl Fn(&mut Report)) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    let snapshot = Snapshot::load(&path).expect("a fixture");
    let mut report = report::build(&snapshot, None, "snapshot").expect("a report");
    change(&mut report);
    sentence(&report).map(|(text, _)| text)
}

fn mostly(cause: Cause, share: f64, ns: u64) -> impl Fn(&mut Report) {
    move |report| {
        if let report::Section::Available(stalls) = &mut report.stalls {
            stalls.ns = ns;
            stalls.causes.truncate(1);
            for row in &mut stalls.causes {
                (row.cause, row.share) = (cause, share);
            }
        }
    }
}

#[test]
fn of_a_report() {
    for &cause in Cause::ALL {
        let tip = of("stalls.json", mostly(cause, 0.5, 1_000_000_000)).expect("advice");
        assert!(tip.starts_with("To try: ") && tip.ends_with('.') && tip.len() > 30, "{tip}");
    }
    // What the report says is what the table is asked about.
    let lock = |change: fn(&mut Report)| {
        of("stalls.json", move |report| {
            mostly(Cause::NbdLock, 0.5, 1_000_000_000)(report);
            change(report);
        })
        .expect("advice")
    };
    assert!(lock(|_| ()).contains("tune handoff=always"));
    let on = lock(|report| {
        if let report::Section::Available(section) = &mut report.handoff {
            (section.state, section.policy) = (HelperState::On, Policy::Always);
        }
    });
    assert!(!on.contains("handoff") && on.contains("max_sectors_kb"), "{on}");
    let short = lock(|report| {
        if let report::Section::Available(section) = &mut report.handoff {
            (section.state, section.policy) = (HelperState::On, Policy::LowHeadroom);
        }
    });
    assert!(short.contains("not only where the stack is short"), "{short}");
    let without = lock(|report| report.handoff = report::Section::Unavailable { unavailable: "no patch".into() });
    assert!(!without.contains("handoff"), "{without}");
    let zram = lock(|report| report.machine.swaps.iter_mut().for_each(|swap| swap.name = "/dev/zram0".into()));
    assert!(!zram.contains("handoff"), "{zram}");
    let tuned = lock(|report| {
        let queue = Queue { max_sectors_kb: Some(128), connections: Some(2) };
        report.machine.queues.insert("nbd0".into(), queue);
    });
    assert!(!tuned.contains("max_sectors_kb") && !tuned.contains("nbd-client"), "{tuned}");
}

#[test]
fn no_pain_no_advice() {
    assert_eq!(of("stalls.json", mostly(Cause::Scan, 0.9, PAIN - 1)), None);
    assert!(of("stalls.json", mostly(Cause::Scan, WORTH / 2.0, PAIN)).is_some());
}
