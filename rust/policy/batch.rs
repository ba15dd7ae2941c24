// SPDX-License-Identifier: GPL-2.0

//! Why a swap write ended where it did. Swap gathers folios into a write for as long as each
//! lies behind the one before it on the same device, and its I/O is charged to the same
//! cgroup, and there is room; or it is told that there is no more (mm/page_io.c,
//! swap_add_folio() and swap_write_submit()).

/// Why a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EndReason {
    /// The next folio's swap slot is not the one behind it.
    Gap,
    /// The next folio's is, but another cgroup pays for it.
    Cgroup,
    /// The next folio went to another device.
    Device,
    /// It held as many folios as a write can.
    Full,
    /// There was no next folio.
    End,
    /// The device writes at once: each folio is a write of its own.
    Sync,
    /// It cannot be told.
    Unknown,
}

impl EndReason {
    /// All of them, in their order, with their names in the ledger.
    pub const ALL: &'static [(EndReason, &'static str)] = &[
        (EndReason::Gap, "gap"),
        (EndReason::Cgroup, "cgroup"),
        (EndReason::Device, "device"),
        (EndReason::Full, "full"),
        (EndReason::End, "end"),
        (EndReason::Sync, "sync"),
        (EndReason::Unknown, "unknown"),
    ];
}

/// How many there are.
pub const END_REASONS: usize = 7;
const _ALL: () = assert!(EndReason::ALL.len() == END_REASONS);

/// Who submits a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Whoever has a next folio for it, which does not fit: or it is full.
    Adder,
    /// Whoever has no more.
    Ender,
    /// It is not known.
    Unknown,
}

/// Where a write lies, to be held against the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The device.
    pub device: u64,
    /// Its first sector.
    pub start: u64,
    /// The sector behind its last.
    pub end: u64,
    /// Whom its I/O is charged to, as an opaque key.
    pub cgroup: u64,
}

/// Why a write of `folios`, with room for `room`, ended, as far as it shows itself; `None`:
/// the task's next write will show it, which holds the folio that did not fit.
pub fn ended(folios: u32, room: u32, synchronous: bool, by: By) -> Option<EndReason> {
    if synchronous {
        return Some(EndReason::Sync);
    }
    if folios >= room {
        return Some(EndReason::Full);
    }
    match by {
        By::Adder => None,
        By::Ender => Some(EndReason::End),
        By::Unknown => Some(EndReason::Unknown),
    }
}

/// Why the folio that begins `next` could not be added to `last`. In the order in which swap
/// asks: where both a gap and another cgroup are between them, it is the gap.
pub fn parted(last: &Extent, next: &Extent) -> EndReason {
    if last.device != next.device {
        EndReason::Device
    } else if last.end != next.start {
        EndReason::Gap
    } else if last.cgroup != next.cgroup {
        EndReason::Cgroup
    } else {
        // Swap files that adjoin on a device; a folio that nobody is charged for.
        EndReason::Unknown
    }
}
