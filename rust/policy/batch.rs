// SPDX-License-Identifier: GPL-2.0

//! Why a swap write ended where it did.
//!
//! Swap gathers folios into a write as long as there is room, each folio lies behind the one before
//! it on the same device, and the I/O of both is charged to the same cgroup. A write also ends when
//! swap is told that there is no more (mm/page_io.c, swap_add_folio() and swap_write_submit()).

use crate::words::EndReason;

/// The caller that submits a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitter {
    /// A caller with a next folio, which does not fit into the write; or the write is full.
    Adder,
    /// A caller that has no more folios.
    Ender,
    /// The caller is not known.
    Unknown,
}

/// The bit of [`Extent::device`] that says that a write was handed over before it had a place on a
/// device (see RWB_SWAP_NO_BDEV in shim/helper.c). Its sectors and its cgroup are other ones then.
pub const PREPARED: u64 = 1 << 31;

/// Where a write lies, for the comparison with the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The device, as an opaque key, with [`PREPARED`] if the place is one of the swap area.
    pub device: u64,
    /// The first sector of the write.
    pub start: u64,
    /// The sector behind its last one.
    pub end: u64,
    /// The cgroup that its I/O is charged to, as an opaque key.
    pub cgroup: u64,
}

/// Returns why a write of `folios` folios, with room for `room`, ended, as far as the write itself
/// shows it. `None` if only the task's next write will show it, which holds the folio that did not
/// fit.
pub fn end_reason(
    folios: u32,
    room: u32,
    synchronous: bool,
    submitter: Submitter,
) -> Option<EndReason> {
    if synchronous {
        return Some(EndReason::Sync);
    }
    if folios >= room {
        return Some(EndReason::Full);
    }
    match submitter {
        Submitter::Adder => None,
        Submitter::Ender => Some(EndReason::End),
        Submitter::Unknown => Some(EndReason::Unknown),
    }
}

/// Returns why the folio that begins `next` could not be added to `last`. The order of the checks
/// is that of swap: if there is both a gap and another cgroup, the reason is the gap.
pub fn split_reason(last: &Extent, next: &Extent) -> EndReason {
    if (last.device ^ next.device) & PREPARED != 0 {
        // One was handed over, and the other one was not.
        EndReason::Unknown
    } else if last.device != next.device {
        EndReason::Device
    } else if last.end != next.start {
        EndReason::Gap
    } else if last.cgroup != next.cgroup {
        EndReason::Cgroup
    } else {
        // This may be two swap files that adjoin on a device, or a folio that is charged to no
        // cgroup.
        EndReason::Unknown
    }
}
