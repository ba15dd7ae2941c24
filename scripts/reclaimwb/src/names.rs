// SPDX-License-Identifier: GPL-2.0
//! The words of the ledgers: origins, kinds, types and layers, as keys and as people read them.

use serde::{Deserialize, Serialize};

/// Declares a closed set of words with the key used in ledgers and the label shown to people.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $key:literal, $label:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $key)] $variant,)* }

        impl $name {
            /// All of them, in the order of the ledgers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word used in ledger keys and JSON.
            pub fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }

            /// The word shown to people.
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }

            /// The word with this key.
            pub fn from_key(key: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|w| w.key() == key)
            }
        }
    };
}

words! {
    /// What asked for reclaim.
    Origin {
        /// The node's kswapd thread.
        Kswapd = "kswapd", "kswapd";
        /// A task that wanted a page.
        Direct = "direct", "direct";
        /// A cgroup at its `memory.max`.
        MemcgMax = "memcg_max", "memcg max";
        /// A cgroup above its `memory.high`.
        MemcgHigh = "memcg_high", "memcg high";
        /// A write to `memory.reclaim`.
        MemcgReclaim = "memcg_reclaim", "memcg reclaim";
        /// The v1 soft limit.
        MemcgSoft = "memcg_soft", "memcg soft";
        /// Node reclaim, by the allocator or through sysfs.
        Node = "node", "node";
        /// `MADV_PAGEOUT` and DAMON.
        Madvise = "madvise", "madvise";
        /// Reclaim that none of the known windows covers.
        Other = "other", "other";
        /// Writes whose window was not recorded.
        Lost = "lost", "lost";
    }
}

words! {
    /// What a reclaim write turned into.
    Kind {
        /// Queued to a block device.
        Io = "io", "real I/O";
        /// Done when the call returned (zram).
        Sync = "sync", "synchronous";
        /// Compressed into zswap.
        Zswap = "zswap", "zswap";
        /// All bytes zero: only noted.
        Zero = "zero", "zero-filled";
        /// The swap slot was free again: nothing to write.
        Dropped = "dropped", "dropped";
        /// Could not be told.
        Unknown = "unknown", "unknown";
    }
}

words! {
    /// What sort of memory was written.
    Type {
        /// Anonymous memory.
        Anon = "anon", "anon";
        /// Shared memory and tmpfs.
        Shmem = "shmem", "shmem";
    }
}

words! {
    /// Sample points on the way down the stack.
    Layer {
        /// Where reclaim begins.
        Entry = "entry", "reclaim entry";
        /// `mm_vmscan_write_folio`.
        Write = "write", "swap write";
        /// `block_bio_queue` of a swap bio.
        Bio = "bio", "bio";
        /// `nbd_send_request`.
        Nbd = "nbd", "NBD send";
        /// `net_dev_start_xmit`.
        Net = "net", "net transmit";
    }
}

words! {
    /// Why a dirty file folio that reclaim met was not queued for write-around.
    HookSkip {
        /// The node's ring has no room.
        Full = "full", "the node's queue is full";
        /// The device has its share of the ring.
        Share = "share", "the device has its share of the queue";
        /// More devices at once than there are lanes.
        Devices = "devices", "too many devices at once";
        /// Page cache of a block device.
        BlockDevice = "blockdev", "page cache of a block device";
        /// A swap file.
        SwapFile = "swapfile", "in a swap file";
        /// A file whose writeback may wait for memory (FUSE).
        Deadlock = "deadlock", "its writeback may wait for memory";
        /// A file that no device stands behind.
        NoDevice = "nodevice", "no device behind the file";
        /// The device does not answer.
        Stuck = "stuck", "the device does not answer";
        /// A node that came after the helper.
        Node = "node", "the node came after the helper";
        /// The node has enough by now, and no cgroup is short.
        Enough = "enough", "not needed: memory is not short";
    }
}

words! {
    /// Why a queued folio was not written by write-around.
    WorkerSkip {
        /// Truncated meanwhile.
        Gone = "gone", "truncated meanwhile";
        /// Someone has it locked.
        Locked = "locked", "locked by someone";
        /// Someone else wrote it.
        Clean = "clean", "written by someone else";
        /// Someone else is writing it.
        Writeback = "writeback", "being written by someone else";
        /// Its filesystem is being unmounted or remounted.
        Unmounting = "unmounting", "filesystem is being unmounted";
        /// Its filesystem is frozen.
        Frozen = "frozen", "filesystem is frozen";
        /// Its filesystem is read-only.
        ReadOnly = "readonly", "filesystem is read-only";
        /// Its inode is being freed.
        Freeing = "freeing", "inode is being freed";
        /// Neither its node nor its cgroup is short any more.
        Unneeded = "unneeded", "memory is not short any more";
        /// Another target is the same page.
        Duplicate = "duplicate", "queued twice";
        /// Its lane serves another device now.
        Moved = "moved", "the lane has another device";
        /// The helper was switched off.
        Dropped = "dropped", "write-around was switched off";
    }
}

impl Layer {
    /// Who used the stack between the sample point before and this one.
    pub fn step(self) -> &'static str {
        match self {
            Self::Entry => "caller",
            Self::Write => "reclaim",
            Self::Bio => "swap",
            Self::Nbd => "block + NBD",
            Self::Net => "network",
        }
    }
}
