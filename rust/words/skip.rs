// SPDX-License-Identifier: GPL-2.0

//! Why a dirty file folio was not written by us.

named! {
    /// Why a target was not written by us.
    Skip {
        /// At the hook: the node's ring is full.
        Full => "full" ("the node's queue is full"),
        /// At the hook: its device has its share of the ring.
        Share => "share" ("the device has its share of the queue"),
        /// At the hook: more devices at once than there are lanes.
        Devices => "devices" ("too many devices at once"),
        /// At the hook: page cache of a block device.
        BlockDevice => "blockdev" ("page cache of a block device"),
        /// At the hook: a swap file.
        SwapFile => "swapfile" ("in a swap file"),
        /// At the hook: a file whose writeback may wait for memory (FUSE).
        Deadlock => "deadlock" ("its writeback may wait for memory"),
        /// At the hook: a file that no device stands behind.
        NoDevice => "nodevice" ("no device behind the file"),
        /// At the hook: its device does not answer.
        Stuck => "stuck" ("the device does not answer"),
        /// At the hook: a node that came after the helper.
        Node => "node" ("the node came after the helper"),
        /// At the hook: the node has enough by now, and no cgroup is short.
        Enough => "enough" ("not needed: memory is not short"),
        /// In the worker: truncated meanwhile.
        Gone => "gone" ("truncated meanwhile"),
        /// In the worker: someone has it locked.
        Locked => "locked" ("locked by someone"),
        /// In the worker: someone else wrote it.
        Clean => "clean" ("written by someone else"),
        /// In the worker: someone else is writing it.
        Writeback => "writeback" ("being written by someone else"),
        /// In the worker: its filesystem is being unmounted or remounted.
        Unmounting => "unmounting" ("filesystem is being unmounted"),
        /// In the worker: its filesystem is frozen.
        Frozen => "frozen" ("filesystem is frozen"),
        /// In the worker: its filesystem is read-only.
        ReadOnly => "readonly" ("filesystem is read-only"),
        /// In the worker: its inode is being freed.
        Freeing => "freeing" ("inode is being freed"),
        /// In the worker: neither its node nor its cgroup is short any more.
        Unneeded => "unneeded" ("memory is not short any more"),
        /// In the worker: another target is the same page.
        Duplicate => "duplicate" ("queued twice"),
        /// In the worker: its lane serves another device now.
        Moved => "moved" ("the lane has another device"),
        /// In the worker: the helper was switched off.
        Dropped => "dropped" ("write-around was switched off"),
    }
}
