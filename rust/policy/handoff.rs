// SPDX-License-Identifier: GPL-2.0

//! May a folio that reclaim would swap out be handed to the writer?
//!
//! Each case of DESIGN.md's invariant 5 has a reason here; what it says of rings and
//! stuck devices is decided where these are known.

/// At this priority of reclaim (12 at first, 0 at last) the OOM killer is near, which
/// comes after 16 rounds down to it in which nothing was freed (`MAX_RECLAIM_RETRIES`).
/// Unless the device gets something done meanwhile, or another one does, reclaim then
/// writes itself, as it would without us. Not before: what it writes goes ahead of
/// everybody's swap-in, in requests as large as the device takes.
pub const OOM_PRIORITY: i32 = 0;

/// A device that did nothing of what it was given for so long is late, in ns.
pub const LATE_NS: u64 = 1_000_000_000;

/// A device that did nothing of what it was given for so long is stuck until it does, in
/// ns: the writer gets no more for it, and reclaim writes itself unless another device
/// goes on: the requests that are kept for swap-out (`sio_pool` of mm/page_io.c) are 32
/// for all devices together, and what is written to a dead one keeps them.
pub const STUCK_NS: u64 = 5_000_000_000;

/// A device of which so many requests in a row failed is failing.
pub const FAILS: u32 = 4;

/// For so long after the last of these it gets no more from us, in ns, and then one to see.
/// Otherwise what fails would be queued again and again, and the OOM killer, which alone can
/// end that, would come the later for it.
pub const FAILING_NS: u64 = 1_000_000_000;

/// Is a device failing, of which `in_a_row` requests failed, the last one `ns` ago?
pub const fn failing(in_a_row: u32, ns: u64) -> bool {
    in_a_row >= FAILS && ns < FAILING_NS
}

/// When is swap-out handed off?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Never.
    Never,
    /// When less stack is left than a floor.
    LowHeadroom,
    /// Whenever it is allowed.
    Always,
}

impl Mode {
    /// All of them, with their names.
    pub const ALL: [(Mode, &'static str); 3] = [
        (Mode::Never, "never"),
        (Mode::LowHeadroom, "low-headroom"),
        (Mode::Always, "always"),
    ];

    /// From its number.
    pub fn from_u64(v: u64) -> Option<Self> {
        Self::ALL
            .iter()
            .map(|(mode, _)| *mode)
            .find(|m| *m as u64 == v)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let named = Self::ALL.iter().find(|(mode, _)| *mode == self);
        named.map_or("", |(_, name)| name)
    }
}

/// Why a folio was not handed off; reclaim does with it what it always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Refused {
    /// The reclaim is for the limit of a cgroup.
    Cgroup,
    /// Userspace asked for it: MADV_PAGEOUT, memory.reclaim, DAMON.
    Proactive,
    /// zswap may take the folio: that is no I/O.
    Zswap,
    /// The device writes at once: zram, brd.
    Sync,
    /// kswapd, to a device whose queue never blocks.
    Queue,
    /// The OOM killer is near.
    Priority,
    /// Enough stack is left.
    Headroom,
    /// Someone else refers to the folio; it would not be written anyway.
    Busy,
    /// More swap devices than writers, or none.
    Devices,
    /// The device does not answer, and no other does.
    Stuck,
    /// What is written to the device fails: see [`failing`].
    Failing,
}

impl Refused {
    /// All of them, with their names, in order.
    pub const ALL: [(Refused, &'static str); 11] = [
        (Refused::Cgroup, "cgroup"),
        (Refused::Proactive, "proactive"),
        (Refused::Zswap, "zswap"),
        (Refused::Sync, "sync"),
        (Refused::Queue, "queue"),
        (Refused::Priority, "priority"),
        (Refused::Headroom, "headroom"),
        (Refused::Busy, "busy"),
        (Refused::Devices, "devices"),
        (Refused::Stuck, "stuck"),
        (Refused::Failing, "failing"),
    ];
}

/// What is known of the reclaim that asks.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// For the limit of a cgroup.
    pub memcg: bool,
    /// Userspace asked for it.
    pub proactive: bool,
    /// kswapd.
    pub kswapd: bool,
    /// zswap is on.
    pub zswap: bool,
    /// The device writes at once.
    pub sync: bool,
    /// The device's queue can block, as NBD's does.
    pub blocking: bool,
    /// Priority of the reclaim: 12 at first, 0 at last.
    pub priority: i32,
    /// The device is late: see [`LATE_NS`].
    pub late: bool,
    /// The device is stuck: see [`STUCK_NS`].
    pub stuck: bool,
    /// The device is failing: see [`failing`].
    pub failing: bool,
    /// Another device gets something done.
    pub others: bool,
    /// Bytes of stack that are left.
    pub headroom: usize,
}

/// What becomes of a folio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It may be handed over, if there is room.
    Hand,
    /// The device is stuck, and another goes on, or it is stuck or failing, and kswapd asks:
    /// reclaim leaves the folio for later.
    Keep,
    /// Reclaim writes it itself.
    Refuse(Refused),
}

/// May it be handed off, as far as the asker and the device go? `floor` is that of
/// [`Mode::LowHeadroom`], in bytes.
pub fn decide(mode: Mode, floor: usize, asked: &Asked) -> Answer {
    if asked.memcg {
        Answer::Refuse(Refused::Cgroup)
    } else if asked.proactive {
        Answer::Refuse(Refused::Proactive)
    } else if asked.zswap {
        Answer::Refuse(Refused::Zswap)
    } else if asked.sync {
        Answer::Refuse(Refused::Sync)
    } else if asked.kswapd && !asked.blocking {
        Answer::Refuse(Refused::Queue)
    } else if mode == Mode::Never || mode == Mode::LowHeadroom && asked.headroom >= floor {
        Answer::Refuse(Refused::Headroom)
    } else if asked.stuck && (asked.kswapd || asked.others) {
        Answer::Keep
    } else if asked.stuck {
        Answer::Refuse(Refused::Stuck)
    } else if asked.failing && asked.kswapd {
        Answer::Keep
    } else if asked.failing {
        Answer::Refuse(Refused::Failing)
    } else if !asked.kswapd && asked.late && !asked.others && asked.priority <= OOM_PRIORITY {
        Answer::Refuse(Refused::Priority)
    } else {
        Answer::Hand
    }
}
