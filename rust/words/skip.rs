// SPDX-License-Identifier: GPL-2.0

//! The reasons why write-around did not write a dirty file folio.

named! {
    /// Why write-around did not write a target.
    Skip {
        /// Callback: the ring of the node is full.
        Full => "full" ("the node's queue is full"),
        /// Callback: the device has its share of the ring.
        Share => "share" ("the device has its share of the queue"),
        /// Callback: there are more devices at once than lanes.
        Devices => "devices" ("too many devices at once"),
        /// Callback: the folio is page cache of a block device.
        BlockDevice => "blockdev" ("page cache of a block device"),
        /// Callback: the folio is in a swap file.
        SwapFile => "swapfile" ("in a swap file"),
        /// Callback: the writeback of the file may wait for memory (FUSE).
        Deadlock => "deadlock" ("its writeback may wait for memory"),
        /// Callback: the file has no backing device.
        NoDevice => "nodevice" ("no device behind the file"),
        /// Callback: the device does not answer.
        Stuck => "stuck" ("the device does not answer"),
        /// Callback: the node came online after the helper was switched on.
        Node => "node" ("the node came after the helper"),
        /// Callback: the node has enough memory by now, and no cgroup is short.
        Enough => "enough" ("not needed: memory is not short"),
        /// Worker: the folio was truncated.
        Gone => "gone" ("truncated meanwhile"),
        /// Worker: the folio is locked.
        Locked => "locked" ("locked by someone"),
        /// Worker: the folio has been written already.
        Clean => "clean" ("written by someone else"),
        /// Worker: the folio is under writeback already.
        Writeback => "writeback" ("being written by someone else"),
        /// Worker: the filesystem is being unmounted or remounted.
        Unmounting => "unmounting" ("filesystem is being unmounted"),
        /// Worker: the filesystem is frozen.
        Frozen => "frozen" ("filesystem is frozen"),
        /// Worker: the filesystem is read-only.
        ReadOnly => "readonly" ("filesystem is read-only"),
        /// Worker: the inode is being freed.
        Freeing => "freeing" ("inode is being freed"),
        /// Worker: neither the node nor the cgroup is short of memory any more.
        Unneeded => "unneeded" ("memory is not short any more"),
        /// Worker: another target is the same page.
        Duplicate => "duplicate" ("queued twice"),
        /// Worker: the lane serves another device by now.
        Moved => "moved" ("the lane has another device"),
        /// Worker: the helper was switched off.
        Dropped => "dropped" ("write-around was switched off"),
    }
}
