// SPDX-License-Identifier: GPL-2.0
//! The words of the ledgers: origins, kinds, types and layers, as keys and as people read them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Declares a closed set of words with the key used in ledgers and the label shown to people.
macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $key:literal, $label:literal;)* }) => {
        $(#[doc = $doc])*
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

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                // The pattern is for maps with these keys, which are no objects of these fields.
                let keys: Vec<&str> = Self::ALL.iter().map(|word| word.key()).collect();
                json_schema!({
                    "type": "string",
                    "description": concat!($($doc,)*).trim(),
                    "enum": keys,
                    "pattern": format!("^({})$", keys.join("|")),
                })
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
        /// A writer thread of the module, for those who handed off.
        Writer = "writer", "writer";
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
        /// Refused by the device, or failed: it stays in memory.
        Failed = "failed", "failed";
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
        /// Where a prepared request was handed to a writer instead of submitted.
        Handoff = "handoff", "handoff";
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

words! {
    /// When swap-out is handed to the writer.
    Policy {
        /// Not at all.
        Never = "never", "not at all";
        /// When less stack is left than the parameter `handoff_floor`.
        LowHeadroom = "low-headroom", "when less stack is left than handoff_floor";
        /// Whenever it is allowed.
        Always = "always", "whenever it is allowed";
    }
}

words! {
    /// Why a request was not handed over: who prepared it submitted it.
    Refused {
        /// The device writes at once: zram, brd.
        Sync = "sync", "the device writes at once";
        /// Enough stack is left, or the policy is `never`.
        Headroom = "headroom", "enough stack is left";
        /// More swap devices than writers.
        Devices = "devices", "no writer for its device";
        /// The writer's queue has no place, as the device is late.
        Late = "late", "the device is late";
        /// The writer's queue has no place.
        Full = "full", "the writer's queue is full";
        /// Handoff is being switched off.
        Going = "going", "handoff was being switched off";
    }
}

words! {
    /// What a stalled task's time went to.
    Cause {
        /// In the allocation slow path, and none of the others.
        Unexplained = "unexplained", "unexplained";
        /// Reclaim, running.
        Scan = "scan", "scanning";
        /// Waiting for the lock of an LRU list.
        LruLock = "lru_lock", "lock of an LRU list";
        /// Waiting for any other lock.
        Lock = "lock", "other locks";
        /// In a shrinker.
        Shrinker = "shrinker", "shrinkers";
        /// Asleep until writeback ends, or for the swap writer.
        ThrottleWriteback = "throttle_writeback", "waiting for writeback";
        /// Asleep: too many folios are isolated.
        ThrottleIsolated = "throttle_isolated", "too many isolated";
        /// Asleep: nothing could be freed.
        ThrottleNoprogress = "throttle_noprogress", "no progress";
        /// Asleep: the node is congested.
        ThrottleCongested = "throttle_congested", "congestion";
        /// Waiting until the memory reserves allow to reclaim.
        Pfmemalloc = "pfmemalloc", "waiting for reserves";
        /// Submitting swap-out.
        SwapSubmit = "swap_submit", "submitting swap-out";
        /// Waiting for a tag of a block device.
        TagWait = "tag_wait", "waiting for a block tag";
        /// Waiting until the block layer lets it submit: write-back throttling, iolatency, iocost.
        RqQos = "rq_qos", "throttled by the block layer";
        /// Waiting for the lock of an NBD connection.
        NbdLock = "nbd_lock", "lock of the NBD connection";
        /// Sending to an NBD server.
        NbdSend = "nbd_send", "sending to the NBD server";
        /// Flushing other CPUs' TLBs.
        Tlb = "tlb", "TLB flushes";
        /// Compacting memory.
        Compaction = "compaction", "compaction";
        /// Draining lists of other CPUs.
        Drain = "drain", "draining CPUs' lists";
        /// Above `memory.high`: the penalty.
        HighPenalty = "high_penalty", "penalty of memory.high";
        /// Ready to run, without a CPU.
        Runqueue = "runqueue", "waiting for a CPU";
        /// Asleep for something else.
        OffCpu = "off_cpu", "asleep for something else";
    }
}

words! {
    /// What the kernel says of an attempt to compact memory (`enum compact_result`).
    CompactResult {
        /// No zone was suitable.
        NotSuitable = "not_suitable", "not suitable";
        /// It did not start: there are pages, or reclaim comes first.
        Skipped = "skipped", "skipped";
        /// It did not start: it failed too often.
        Deferred = "deferred", "deferred";
        /// Internal to the kernel.
        NoSuitablePage = "no_suitable_page", "no suitable page";
        /// Internal to the kernel.
        Continue = "continue", "continue";
        /// All was scanned in vain.
        Complete = "complete", "all scanned in vain";
        /// Part was scanned in vain.
        Partial = "partial", "part scanned in vain";
        /// Given up for a lock, or as someone waits.
        Contended = "contended", "contended";
        /// There is a free block now, or the task has it already.
        Success = "success", "success";
    }
}

words! {
    /// Why kswapd does not come to rest.
    KswapdWhy {
        /// Memory enough, but no block as large as someone wants.
        Order = "order", "no free block of the order that is wanted, though memory is enough";
        /// Most of the node is locked.
        Unevictable = "unevictable", "most of the node's memory is locked or else unevictable";
        /// Most is tmpfs, and no swap is free.
        Tmpfs = "tmpfs", "most of the node's memory is tmpfs or other shared memory, and no swap is free for it";
        /// Most is anonymous, and no swap is free.
        NoSwap = "no_swap", "most of the node's memory is anonymous, and no swap is free for it";
        /// The watermarks ask for more than there is.
        Watermarks = "watermarks", "the high watermarks ask for more than half of what can be reclaimed";
        /// What it looks at is to be written first.
        Writeback = "writeback", "most of what it looks at is dirty or being written";
        /// What it looks at is in use.
        InUse = "in_use", "most of what it looks at is in use";
        /// Others take as much as it frees.
        Demand = "demand", "tasks take as much as it frees";
    }
}

words! {
    /// What other CPUs' TLBs are flushed for.
    Flush {
        /// Clean folios that are about to be freed, together.
        Clean = "clean", "clean folios";
        /// A dirty folio that is about to be written.
        Dirty = "dirty", "a dirty folio";
        /// Anything else inside a reclaim window.
        Other = "other", "other mappings";
    }
}

words! {
    /// What a request of a block device does.
    Direction {
        /// It reads.
        Read = "read", "read";
        /// It writes.
        Write = "write", "write";
        /// Anything else: a flush, a discard.
        Other = "other", "other";
    }
}

words! {
    /// What a request of an NBD device is at.
    Phase {
        /// It waits for its turn on a connection.
        Lock = "lock", "waiting for the send lock";
        /// Its header is sent.
        Header = "header", "sending the header";
        /// Its data are sent.
        Payload = "payload", "sending data";
        /// The server has it, or the network.
        Server = "server", "server and round trip";
        /// Its reply comes in, until it is completed.
        Reply = "reply", "receiving the reply";
        /// It was given back, to be tried once more.
        Requeued = "requeued", "given back";
    }
}

words! {
    /// What most of the time of an NBD device's requests was lost to.
    Verdict {
        /// To the wait for the send lock: us.
        Lock = "lock", "us";
        /// To sending: the network.
        Network = "network", "the network";
        /// To the server, or the round trip.
        Server = "server", "the server";
        /// To receiving.
        Reply = "reply", "receiving";
        /// To connections that were lost.
        Requeued = "requeued", "lost connections";
    }
}

words! {
    /// Why a swap write ended.
    Ended {
        /// The next folio's slot is not the one behind it.
        Gap = "gap", "gap";
        /// Another cgroup pays for the next one.
        Cgroup = "cgroup", "other cgroup";
        /// The next one went to another device.
        Device = "device", "other device";
        /// It held as many folios as a write can.
        Full = "full", "full";
        /// There was no next one.
        End = "end", "end of list";
        /// The device writes at once.
        Sync = "sync", "synchronous device";
        /// It cannot be told.
        Unknown = "unknown", "unknown";
    }
}

words! {
    /// What a task waits for that memory is to blame for.
    WaitKind {
        /// A page that was swapped out is read.
        Swapin = "swapin", "swap-in";
        /// A page of a file that was reclaimed a short time ago is read again.
        Refault = "refault", "file pages read again";
        /// It dirties pages faster than they are written.
        Dirty = "dirty", "its dirty pages";
        /// An allocation reclaims or compacts.
        Stall = "stall", "allocation stalls";
        /// Its cgroup is above memory.high.
        High = "high", "memory.high";
        /// The block layer makes its cgroup pay for I/O of its reclaim.
        IoThrottle = "io_throttle", "I/O throttling";
        /// A thread of the kernel, such as kswapd.
        Kernel = "kernel", "(threads of the kernel)";
        /// PSI counts it, and it is none of these.
        Unexplained = "unexplained", "unexplained";
    }
}

words! {
    /// Whose limit a page was reclaimed for.
    Limit {
        /// No cgroup is at its limit.
        Global = "global", "no limit";
        /// A cgroup is at its memory.high.
        High = "high", "memory.high";
        /// A cgroup is at its memory.max.
        Max = "max", "memory.max";
    }
}

impl Phase {
    /// Whose time this is.
    pub fn blames(self) -> Verdict {
        match self {
            Self::Lock => Verdict::Lock,
            Self::Header | Self::Payload => Verdict::Network,
            Self::Server => Verdict::Server,
            Self::Reply => Verdict::Reply,
            Self::Requeued => Verdict::Requeued,
        }
    }
}

impl Layer {
    /// Who used the stack between the sample point before and this one.
    pub fn step(self) -> &'static str {
        match self {
            Self::Entry => "caller",
            // What handed it over was prepared in between, by swap.
            Self::Handoff => "reclaim + swap",
            Self::Write => "reclaim",
            Self::Bio => "swap",
            Self::Nbd => "block + NBD",
            Self::Net => "network",
        }
    }
}
