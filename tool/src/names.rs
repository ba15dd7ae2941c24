// SPDX-License-Identifier: GPL-2.0
//! The words of the ledgers: origins, kinds, types and layers, as keys and as labels for people. They are defined once,
//! in [`reclaimwb_words`], which the module uses, too. Here they get what is needed to read and write them, or are
//! re-exported as they are.

use std::borrow::Cow;

use reclaimwb_words as words;
pub use reclaimwb_words::{Event, Function, Outcome, Parameter, ShrinkerCount, User, Woken};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Declares a closed set of words with the key used in ledgers and the label shown to people.
macro_rules! set {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $key:expr, $label:expr;)* }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// All of them, in the order of the ledgers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Their keys.
            const KEYS: &'static [&'static str] = &[$($key,)*];

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

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.key())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let key = String::deserialize(deserializer)?;
                Self::from_key(&key).ok_or_else(|| D::Error::unknown_variant(&key, Self::KEYS))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                // The pattern is for maps with these keys, so that they are not taken for objects with these fields.
                json_schema!({
                    "type": "string",
                    "description": concat!($($doc,)*).trim(),
                    "enum": Self::KEYS,
                    "pattern": format!("^({})$", Self::KEYS.join("|")),
                })
            }
        }
    };
}

/// Takes all words of one of the module's sets, or some consecutive ones. If a word is missing here or in another
/// place, this does not compile.
macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident: $all:ident of $set:ident { $($variant:ident,)* }) => {
        set! {
            $(#[doc = $doc])*
            $name {
                $(#[doc = concat!("See [`reclaimwb_words::", stringify!($set), "::", stringify!($variant), "`].")]
                $variant = words::$set::$variant.name(), words::$set::$variant.label();)*
            }
        }

        const _: () = {
            let first = [$(words::$set::$variant as usize,)*][0];
            $(assert!($name::$variant as usize + first == words::$set::$variant as usize);)*
            words!(@$all $name $set);
        };
    };
    (@all $name:ident $set:ident) => { assert!($name::ALL.len() == words::$set::COUNT) };
    (@some $name:ident $set:ident) => {};
}

words! {
    /// What asked for reclaim.
    Origin: all of Origin {
        Kswapd, Direct, MemcgMax, MemcgHigh, MemcgReclaim, MemcgSoft, Node, Madvise, Writer, Other, Lost,
    }
}

words! {
    /// What a reclaim write turned into.
    Kind: all of Kind {
        Io, Sync, Zswap, Zero, Dropped, Failed, Unknown,
    }
}

words! {
    /// What sort of memory was written.
    Type: all of MemoryType {
        Anon, Shmem,
    }
}

words! {
    /// Sample points on the way down the stack.
    Layer: all of Layer {
        Entry, Write, Handoff, Bio, Nbd, Net,
    }
}

words! {
    /// Why a dirty file folio that reclaim met was not queued for write-around.
    HookSkip: some of Skip {
        Full, Share, Devices, BlockDevice, SwapFile, Deadlock, NoDevice, Stuck, Node, Enough,
    }
}

words! {
    /// Why a queued folio was not written by write-around.
    WorkerSkip: some of Skip {
        Gone, Locked, Clean, Writeback, Unmounting, Frozen, ReadOnly, Freeing, Unneeded, Duplicate, Moved, Dropped,
    }
}

const _: () = assert!(HookSkip::ALL.len() + WorkerSkip::ALL.len() == words::Skip::COUNT);

words! {
    /// When swap-out is handed to the writer.
    Policy: all of Mode {
        Never, LowHeadroom, Always,
    }
}

words! {
    /// Why a request was not handed over: the task that prepared it submitted it itself.
    Refused: all of Refusal {
        Sync, Headroom, Devices, Fast, Late, Full, Going,
    }
}

words! {
    /// What a stalled task's time went to.
    Cause: all of Cause {
        Unexplained, Scan, LruLock, Lock, Shrinker, ThrottleWriteback, ThrottleIsolated, ThrottleNoprogress,
        ThrottleCongested, Pfmemalloc, SwapSubmit, TagWait, RqQos, NbdLock, NbdSend, Tlb, Compaction, Drain,
        HighPenalty, Runqueue, OffCpu,
    }
}

words! {
    /// What the kernel says of an attempt to compact memory (`enum compact_result`).
    CompactResult: all of CompactResult {
        NotSuitable, Skipped, Deferred, NoSuitablePage, Continue, Complete, Partial, Contended, Success,
    }
}

words! {
    /// Why kswapd does not come to rest.
    KswapdWhy: all of KswapdReason {
        Order, Unevictable, Tmpfs, NoSwap, Watermarks, Writeback, InUse, Demand,
    }
}

words! {
    /// What other CPUs' TLBs are flushed for.
    Flush: all of Flush {
        Clean, Dirty, Other,
    }
}

words! {
    /// What a request of a block device does.
    Direction: all of Direction {
        Read, Write, Other,
    }
}

words! {
    /// What a request of an NBD device is waiting for.
    Phase: all of Phase {
        Lock, Header, Payload, Server, Reply, Requeued,
    }
}

set! {
    /// What most of the time of an NBD device's requests was lost to.
    Verdict {
        /// The wait for the send lock, which is on this machine.
        Lock = "lock", "us";
        /// Sending, which depends on the network.
        Network = "network", "the network";
        /// The server, or the round trip.
        Server = "server", "the server";
        /// Receiving.
        Reply = "reply", "receiving";
        /// Connections that were lost.
        Requeued = "requeued", "lost connections";
    }
}

words! {
    /// Why a swap write ended.
    Ended: all of EndReason {
        Gap, Cgroup, Device, Full, End, Sync, Unknown,
    }
}

words! {
    /// What a task waits for because memory is short.
    WaitKind: all of WaitKind {
        Swapin, Refault, Dirty, Stall, High, IoThrottle, Kernel, Unexplained,
    }
}

words! {
    /// The limit that a page was reclaimed for.
    Limit: all of Limit {
        Global, High, Max,
    }
}

impl Phase {
    /// What is to blame for this time.
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
    /// What used the stack between the previous sample point and this one.
    pub fn step(self) -> &'static str {
        match self {
            Self::Entry => "caller",
            // Between the two, swap prepared what was handed over.
            Self::Handoff => "reclaim + swap",
            Self::Write => "reclaim",
            Self::Bio => "swap",
            Self::Nbd => "block + NBD",
            Self::Net => "network",
        }
    }
}
