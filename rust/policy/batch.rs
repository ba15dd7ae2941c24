// SPDX-License-Identifier: GPL-2.0

//! Why a swap write ended where it did. Swap gathers folios into a write for as long as each
//! lies behind the one before it on the same device, and its I/O is charged to the same
//! cgroup, and there is room; or it is told that there is no more (mm/page_io.c,
//! swap_add_folio() and swap_write_submit()).

use crate::words::EndReason;

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
