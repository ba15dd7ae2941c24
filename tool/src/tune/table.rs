// SPDX-License-Identifier: GPL-2.0
//! The module's parameters: the one table that all texts about them are made from. A test holds it against the
//! module's source.

use crate::error::{Error, Result};

/// What values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Y or N.
    Flag,
    /// A number from the first to the second.
    Number {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
        /// Only powers of two.
        power_of_two: bool,
    },
    /// 0 (off) to the bytes of a kernel stack, which differ from kernel to kernel.
    OfStack,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name in `/sys/module/reclaimwb/parameters`.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// Its value when nobody sets it.
    pub default: &'static str,
    /// The unit of a number.
    pub unit: Option<&'static str>,
    /// Whether it can be set while the module is loaded.
    pub at_run_time: bool,
    /// What it is for.
    pub meaning: &'static str,
}

const fn flag(name: &'static str, default: &'static str, meaning: &'static str) -> Param {
    Param { name, kind: Kind::Flag, default, unit: None, at_run_time: true, meaning }
}

const fn number(
    name: &'static str,
    (min, max): (u64, u64),
    default: &'static str,
    unit: &'static str,
    meaning: &'static str,
) -> Param {
    let kind = Kind::Number { min, max, power_of_two: false };
    Param { name, kind, default, unit: Some(unit), at_run_time: true, meaning }
}

const fn power_of_two(param: Param) -> Param {
    match param.kind {
        Kind::Number { min, max, .. } => Param { kind: Kind::Number { min, max, power_of_two: true }, ..param },
        _ => param,
    }
}

/// All of them.
pub const PARAMS: &[Param] = &[
    flag("enabled", "Y", "record; with N all probes are detached"),
    Param {
        name: "headroom_floor",
        kind: Kind::OfStack,
        default: "2048",
        unit: Some("bytes"),
        at_run_time: true,
        meaning: "stack left below which a sample fires the event headroom_low with its callers; 0 is off",
    },
    Param {
        at_run_time: false,
        ..power_of_two(number(
            "window_slots",
            (64, 65536),
            "1024",
            "tasks",
            "tasks that can be inside reclaim at once and still be told apart",
        ))
    },
    flag("write_around", "Y", "write around the dirty file pages that reclaim meets, where the kernel can"),
    power_of_two(number(
        "window",
        (64, 4096),
        "1024",
        "KiB",
        "the aligned range of a file that is looked at around such a page",
    )),
    number(
        "request_cost",
        (0, 1024),
        "256",
        "pages",
        "what one more request costs the disk, in pages written: so many neighbours go along with a page",
    ),
    number(
        "inflight",
        (256, 65536),
        "16384",
        "KiB",
        "most that is under writeback on a disk through write-around; four windows always may be",
    ),
    number(
        "ring_pages",
        (64, 65536),
        "4096",
        "pages",
        "pages of a node (write-around), or requests for a swap device (handoff), that may wait to be written; used when \
         write_around or handoff is switched on",
    ),
    Param {
        name: "handoff",
        kind: Kind::Word(&["never", "low-headroom", "always"]),
        default: "always",
        unit: None,
        at_run_time: true,
        meaning: "when reclaim hands swap-out to a writer, where the kernel can; low-headroom: when less stack than \
                  handoff_floor is left",
    },
    Param {
        name: "handoff_floor",
        kind: Kind::OfStack,
        default: "8192",
        unit: Some("bytes"),
        at_run_time: true,
        meaning: "stack left below which handoff=low-headroom hands off",
    },
    flag("stalls", "Y", "time where stalled tasks lose their time, and what compaction does"),
    flag("shrinkers", "Y", "count the calls of shrinkers, and their part of stalls"),
    flag("tlb", "N", "count and time flushes of other CPUs' TLBs by reclaim: a hot event"),
    flag("metadata", "N", "count metadata of filesystems that is evicted and read again: a hot event"),
    flag("takers", "N", "note who takes large blocks while others compact: a hot event"),
    flag("reserves", "Y", "note who takes pages below the watermarks, who waits for them, which packets are dropped"),
    flag("nbd", "Y", "follow each request of NBD devices through its phases"),
    flag("waits", "Y", "account for tasks' waits for memory, as PSI does, by what they wait for"),
];

/// The parameter of this name.
pub fn find(name: &str) -> Result<&'static Param> {
    PARAMS.iter().find(|param| param.name == name).ok_or_else(|| {
        let distance = |param: &&Param| strsim::damerau_levenshtein(param.name, &name.replace('-', "_").to_lowercase());
        // What is nearer to nothing than to any name has no nearest.
        let nearest = PARAMS.iter().min_by_key(distance).filter(|param| distance(param) <= name.len() / 2);
        let nearest = nearest.map_or(String::new(), |param| format!("; the nearest is {}", param.name));
        Error::Param(format!("the module has no parameter {name:?}{nearest} (reclaimwb tune lists all of them)"))
    })
}
