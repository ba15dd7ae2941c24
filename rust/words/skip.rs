// SPDX-License-Identifier: GPL-2.0

//! Why a dirty file folio was not written by us.

/// Why a target was not written by us.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Skip {
    /// At the hook: the node's ring is full.
    Full,
    /// At the hook: its device has its share of the ring.
    Share,
    /// At the hook: more devices at once than there are lanes.
    Devices,
    /// At the hook: page cache of a block device.
    BlockDevice,
    /// At the hook: a swap file.
    SwapFile,
    /// At the hook: a file whose writeback may wait for memory (FUSE).
    Deadlock,
    /// At the hook: a file that no device stands behind.
    NoDevice,
    /// At the hook: its device does not answer.
    Stuck,
    /// At the hook: a node that came after the helper.
    Node,
    /// At the hook: the node has enough by now, and no cgroup is short.
    Enough,
    /// In the worker: truncated meanwhile.
    Gone,
    /// In the worker: someone has it locked.
    Locked,
    /// In the worker: someone else wrote it.
    Clean,
    /// In the worker: someone else is writing it.
    Writeback,
    /// In the worker: its filesystem is being unmounted or remounted.
    Unmounting,
    /// In the worker: its filesystem is frozen.
    Frozen,
    /// In the worker: its filesystem is read-only.
    ReadOnly,
    /// In the worker: its inode is being freed.
    Freeing,
    /// In the worker: neither its node nor its cgroup is short any more.
    Unneeded,
    /// In the worker: another target is the same page.
    Duplicate,
    /// In the worker: its lane serves another device now.
    Moved,
    /// In the worker: the helper was switched off.
    Dropped,
}

impl Skip {
    /// All reasons, in order.
    pub(crate) const ALL: &'static [(Skip, &'static str)] = &[
        (Skip::Full, "full"),
        (Skip::Share, "share"),
        (Skip::Devices, "devices"),
        (Skip::BlockDevice, "blockdev"),
        (Skip::SwapFile, "swapfile"),
        (Skip::Deadlock, "deadlock"),
        (Skip::NoDevice, "nodevice"),
        (Skip::Stuck, "stuck"),
        (Skip::Node, "node"),
        (Skip::Enough, "enough"),
        (Skip::Gone, "gone"),
        (Skip::Locked, "locked"),
        (Skip::Clean, "clean"),
        (Skip::Writeback, "writeback"),
        (Skip::Unmounting, "unmounting"),
        (Skip::Frozen, "frozen"),
        (Skip::ReadOnly, "readonly"),
        (Skip::Freeing, "freeing"),
        (Skip::Unneeded, "unneeded"),
        (Skip::Duplicate, "duplicate"),
        (Skip::Moved, "moved"),
        (Skip::Dropped, "dropped"),
    ];

    /// How many there are.
    pub(crate) const COUNT: usize = Skip::ALL.len();
}
