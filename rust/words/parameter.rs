// SPDX-License-Identifier: GPL-2.0

//! The module's parameters: names, values, bounds, defaults and descriptions. The shim declares
//! them as this table says (`RWB_PARAMS` in words.h), settings.rs begins with its defaults,
//! control/parameters.rs keeps to its bounds, and `reclaimwb tune` shows it.

use super::{
    Group,
    Mode, //
};

/// A parameter of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Whether events are recorded.
    Enabled,
    /// The stack left below which a sample raises reclaimwb:headroom_low.
    HeadroomFloor,
    /// The tasks that can be inside reclaim at once and be told apart.
    WindowSlots,
    /// Whether the file half of the helper is wanted.
    WriteAround,
    /// The aligned range of a file around targets that is written at once.
    Window,
    /// What one more request costs a device.
    RequestCost,
    /// The most that write-around keeps under writeback on a device.
    Inflight,
    /// The most that may wait to be written.
    RingPages,
    /// When swap-out is handed to the writers.
    Handoff,
    /// The stack left below which low-headroom hands off.
    HandoffFloor,
    /// Whether the probes of a group are attached. The parameter has the name of the group.
    Group(Group),
}

/// What values a parameter takes, and which it has when nobody sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Y or N.
    Switch {
        /// Y?
        default: bool,
    },
    /// A number.
    Number {
        /// When nobody sets it.
        default: u64,
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
        /// Only powers of two will do.
        power_of_two: bool,
        /// What it is a number of.
        unit: &'static str,
    },
    /// Bytes, from 0 to the size of a stack, which differs from kernel to kernel.
    OfStack {
        /// When nobody sets it.
        default: u64,
        /// 0 is said to be off.
        zero_is_off: bool,
    },
    /// When swap-out is handed off.
    Mode {
        /// When nobody sets it.
        default: Mode,
    },
}

impl Parameter {
    /// All of them, by the numbers that the C shim has for them.
    pub const ALL: &'static [Self] = &[
        Self::Enabled,
        Self::HeadroomFloor,
        Self::WindowSlots,
        Self::WriteAround,
        Self::Window,
        Self::RequestCost,
        Self::Inflight,
        Self::RingPages,
        Self::Handoff,
        Self::HandoffFloor,
        Self::Group(Group::Stalls),
        Self::Group(Group::Shrinkers),
        Self::Group(Group::Tlb),
        Self::Group(Group::Metadata),
        Self::Group(Group::Takers),
        Self::Group(Group::Reserves),
        Self::Group(Group::Nbd),
        Self::Group(Group::Waits),
    ];

    /// From the C shim's number.
    pub fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }

    /// Its name in /sys/module/reclaimwb/parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::HeadroomFloor => "headroom_floor",
            Self::WindowSlots => "window_slots",
            Self::WriteAround => "write_around",
            Self::Window => "window",
            Self::RequestCost => "request_cost",
            Self::Inflight => "inflight",
            Self::RingPages => "ring_pages",
            Self::Handoff => "handoff",
            Self::HandoffFloor => "handoff_floor",
            Self::Group(group) => group.name(),
        }
    }

    /// What values it takes.
    pub const fn values(self) -> Values {
        match self {
            Self::Enabled => Values::Switch { default: true },
            Self::HeadroomFloor => Values::OfStack {
                default: 2048,
                zero_is_off: true,
            },
            Self::WindowSlots => Values::Number {
                default: 1024,
                min: 64,
                max: 65536,
                power_of_two: true,
                unit: "tasks",
            },
            Self::WriteAround => Values::Switch { default: true },
            Self::Window => Values::Number {
                default: 1024,
                min: 64,
                max: 4096,
                power_of_two: true,
                unit: "KiB",
            },
            Self::RequestCost => Values::Number {
                default: 256,
                min: 0,
                max: 1024,
                power_of_two: false,
                unit: "pages",
            },
            Self::Inflight => Values::Number {
                default: 16384,
                min: 256,
                max: 65536,
                power_of_two: false,
                unit: "KiB",
            },
            Self::RingPages => Values::Number {
                default: 4096,
                min: 64,
                max: 65536,
                power_of_two: false,
                unit: "pages",
            },
            Self::Handoff => Values::Mode {
                default: Mode::Always,
            },
            Self::HandoffFloor => Values::OfStack {
                default: 8192,
                zero_is_off: false,
            },
            Self::Group(group) => Values::Switch {
                default: group.on_by_default(),
            },
        }
    }

    /// Its value when nobody sets it, as a number.
    pub const fn default(self) -> u64 {
        match self.values() {
            Values::Switch { default } => default as u64,
            Values::Number { default, .. } | Values::OfStack { default, .. } => default,
            Values::Mode { default } => default as u64,
        }
    }

    /// It can be set while the module is loaded.
    pub const fn at_run_time(self) -> bool {
        !matches!(self, Self::WindowSlots)
    }

    /// It needs the writeback helper: where the kernel has none, it is off.
    pub const fn needs_helper(self) -> bool {
        matches!(self, Self::WriteAround | Self::Handoff)
    }

    /// What it is for, as modinfo tells it before bounds and default.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Enabled => "Record events (Y), or detach all probes (N).",
            Self::HeadroomFloor => {
                "Stack headroom in bytes below which the event reclaimwb:headroom_low fires, \
                 rate-limited."
            }
            Self::WindowSlots => {
                "Number of tasks that can be told apart while they are inside reclaim at the \
                 same time."
            }
            Self::WriteAround => {
                "Write clusters of dirty file pages around those that reclaim meets (Y), or \
                 leave reclaim as it is (N)."
            }
            Self::Window => {
                "Size in KiB of the aligned part of a file that is searched for dirty pages \
                 around one that reclaim meets."
            }
            Self::RequestCost => {
                "Cost of one more request to the device, in pages written: the higher it is, \
                 the more neighbours are written together."
            }
            Self::Inflight => "Most KiB that write-around keeps under writeback on one device.",
            Self::RingPages => {
                "Number of pages of a node, or of requests for a swap device, that can wait to \
                 be written."
            }
            Self::Handoff => {
                "When reclaim hands swap-out to a writer instead of writing on its own stack: \
                 never, low-headroom (when less than handoff_floor is left) or always."
            }
            Self::HandoffFloor => {
                "Stack headroom in bytes below which low-headroom hands swap-out over."
            }
            Self::Group(group) => match group {
                Group::Stalls => "Record what stalled tasks spend their time on (Y), or not (N).",
                Group::Shrinkers => {
                    "Count calls of shrinkers by origin and cgroup (Y), or not (N)."
                }
                Group::Tlb => {
                    "Count and time the TLB flushes that reclaim sends to other CPUs (Y), or not \
                     (N). On a hot path."
                }
                Group::Metadata => {
                    "Count filesystem metadata that reclaim evicts and that is read again (Y), \
                     or not (N). On a hot path."
                }
                Group::Takers => {
                    "Record which tasks take large blocks while another task compacts memory \
                     (Y), or not (N). On a hot path."
                }
                Group::Reserves => {
                    "Record which tasks take pages from the reserves, and which wait for them \
                     (Y), or not (N)."
                }
                Group::Nbd => {
                    "Follow each request to an NBD device through its phases (Y), or not (N)."
                }
                Group::Waits => {
                    "Account for the time that tasks wait for memory, as PSI does, by what they \
                     wait for (Y), or not (N)."
                }
            },
        }
    }

    /// What modinfo tells behind that, if anything.
    pub const fn note(self) -> &'static str {
        match self {
            Self::WindowSlots => "Can only be set when the module is loaded.",
            Self::RingPages => "Takes effect when write_around or handoff is next switched on.",
            _ => "",
        }
    }

    /// What it is for, as `reclaimwb tune` tells it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Enabled => "record; with N all probes are detached",
            Self::HeadroomFloor => {
                "stack left below which a sample fires the event headroom_low with its callers; \
                 0 is off"
            }
            Self::WindowSlots => "tasks that can be inside reclaim at once and still be told apart",
            Self::WriteAround => {
                "write around the dirty file pages that reclaim meets, where the kernel can"
            }
            Self::Window => "the aligned range of a file that is looked at around such a page",
            Self::RequestCost => {
                "what one more request costs the disk, in pages written: so many neighbours go \
                 along with a page"
            }
            Self::Inflight => {
                "most that is under writeback on a disk through write-around; four windows \
                 always may be"
            }
            Self::RingPages => {
                "pages of a node (write-around), or requests for a swap device (handoff), that \
                 may wait to be written; used when write_around or handoff is switched on"
            }
            Self::Handoff => {
                "when reclaim hands swap-out to a writer, where the kernel can; low-headroom: \
                 when less stack than handoff_floor is left"
            }
            Self::HandoffFloor => "stack left below which handoff=low-headroom hands off",
            Self::Group(group) => match group {
                Group::Stalls => {
                    "time where stalled tasks lose their time, and what compaction does"
                }
                Group::Shrinkers => "count the calls of shrinkers, and their part of stalls",
                Group::Tlb => "count and time flushes of other CPUs' TLBs by reclaim: a hot event",
                Group::Metadata => {
                    "count metadata of filesystems that is evicted and read again: a hot event"
                }
                Group::Takers => "note who takes large blocks while others compact: a hot event",
                Group::Reserves => {
                    "note who takes pages below the watermarks, who waits for them, which \
                     packets are dropped"
                }
                Group::Nbd => "follow each request of NBD devices through its phases",
                Group::Waits => {
                    "account for tasks' waits for memory, as PSI does, by what they wait for"
                }
            },
        }
    }
}
