// SPDX-License-Identifier: GPL-2.0

//! Why a swap write ended where it did. Swap gathers folios into a write for as long as each
//! lies behind the one before it on the same device, and its I/O is charged to the same
//! cgroup, and there is room; or it is told that there is no more (mm/page_io.c,
//! swap_add_folio() and swap_write_submit()).

/// Why a write ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Why {
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

impl Why {
    /// All of them, in their order, with their names in the ledger.
    pub const ALL: &'static [(Why, &'static str)] = &[
        (Why::Gap, "gap"),
        (Why::Cgroup, "cgroup"),
        (Why::Device, "device"),
        (Why::Full, "full"),
        (Why::End, "end"),
        (Why::Sync, "sync"),
        (Why::Unknown, "unknown"),
    ];
}

/// How many there are.
pub const WHYS: usize = 7;
const _ALL: () = assert!(Why::ALL.len() == WHYS);

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
pub struct Place {
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
pub fn ended(folios: u32, room: u32, synchronous: bool, by: By) -> Option<Why> {
    if synchronous {
        return Some(Why::Sync);
    }
    if folios >= room {
        return Some(Why::Full);
    }
    match by {
        By::Adder => None,
        By::Ender => Some(Why::End),
        By::Unknown => Some(Why::Unknown),
    }
}

/// Why the folio that begins `next` could not be added to `last`. In the order in which swap
/// asks: where both a gap and another cgroup are between them, it is the gap.
pub fn parted(last: &Place, next: &Place) -> Why {
    if last.device != next.device {
        Why::Device
    } else if last.end != next.start {
        Why::Gap
    } else if last.cgroup != next.cgroup {
        Why::Cgroup
    } else {
        // Swap files that adjoin on a device; a folio that nobody is charged for.
        Why::Unknown
    }
}
