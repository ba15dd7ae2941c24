// SPDX-License-Identifier: GPL-2.0

//! The parameters of the module: names, values, bounds, defaults and descriptions. The shim's
//! declarations are generated from this table (`RWB_PARAMS` in words.h). settings.rs takes the
//! defaults from it, control/parameters.rs the bounds, and `reclaimwb tune` shows it.

use super::{
    Group,
    Mode, //
};

/// A parameter of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// Whether events are recorded.
    Enabled,
    /// A sample with less stack left than this raises reclaimwb:headroom_low.
    HeadroomFloor,
    /// Number of tasks that can be inside reclaim at once and be told apart.
    WindowSlots,
    /// Whether write-around is wanted.
    WriteAround,
    /// Size of the aligned range of a file that is written around targets at once.
    Window,
    /// Cost of one more request for a device.
    RequestCost,
    /// The most that write-around keeps under writeback on a device.
    Inflight,
    /// The most that may be queued to be written.
    RingPages,
    /// When swap-out is handed to the writers.
    Handoff,
    /// With mode low-headroom, swap-out is handed off if less stack than this is left.
    HandoffFloor,
    /// Whether the probes of a group are attached. The parameter has the name of the group.
    Group(Group),
}

/// The values of a parameter, and its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Y or N.
    Switch {
        /// Whether the default is Y.
        default: bool,
    },
    /// A number.
    Number {
        /// The default.
        default: u64,
        /// The lowest value.
        min: u64,
        /// The highest value.
        max: u64,
        /// Whether only powers of two are accepted.
        power_of_two: bool,
        /// The unit of the number.
        unit: &'static str,
    },
    /// A number of bytes, from 0 to the size of a stack, which depends on the kernel.
    OfStack {
        /// The default.
        default: u64,
        /// Whether 0 means off.
        zero_is_off: bool,
    },
    /// A mode of handoff.
    Mode {
        /// The default.
        default: Mode,
    },
}

impl Parameter {
    /// All parameters, in the order of their numbers in the C shim.
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

    /// Converts the number of the C shim; `None` if it is unknown.
    pub fn from_raw(v: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(v).ok()?).copied()
    }

    /// Returns the name in /sys/module/reclaimwb/parameters.
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

    /// Returns the values that the parameter takes.
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

    /// Returns the default as a number.
    pub const fn default(self) -> u64 {
        match self.values() {
            Values::Switch { default } => default as u64,
            Values::Number { default, .. } | Values::OfStack { default, .. } => default,
            Values::Mode { default } => default as u64,
        }
    }

    /// Whether the parameter can be set while the module is loaded.
    pub const fn at_run_time(self) -> bool {
        !matches!(self, Self::WindowSlots)
    }

    /// Whether the parameter needs the writeback helper. On a kernel without the helper it is off.
    pub const fn needs_helper(self) -> bool {
        matches!(self, Self::WriteAround | Self::Handoff)
    }

    /// Returns the description that modinfo shows before bounds and default.
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

    /// Returns the note that modinfo shows after bounds and default; empty if there is none.
    pub const fn note(self) -> &'static str {
        match self {
            Self::WindowSlots => "Can only be set when the module is loaded.",
            Self::RingPages => "Takes effect when write_around or handoff is next switched on.",
            _ => "",
        }
    }

    /// Returns the description that `reclaimwb tune` shows.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Enabled => "record events; with N all probes are detached",
            Self::HeadroomFloor => {
                "a sample with less stack left than this fires the event headroom_low, with its \
                 callers; 0 is off"
            }
            Self::WindowSlots => "tasks that can be inside reclaim at once and be told apart",
            Self::WriteAround => {
                "write clusters of dirty file pages around those that reclaim meets, if the \
                 kernel has the helper"
            }
            Self::Window => {
                "the aligned part of a file that is searched for dirty pages, around one that \
                 reclaim meets"
            }
            Self::RequestCost => {
                "cost of one more request for the disk, in pages written; as many neighbours are \
                 written along with a page"
            }
            Self::Inflight => {
                "the most that write-around keeps under writeback on a disk; four windows are \
                 always allowed"
            }
            Self::RingPages => {
                "pages of a node (write-around), or requests for a swap device (handoff), that \
                 can wait to be written; used when write_around or handoff is switched on"
            }
            Self::Handoff => {
                "when reclaim hands swap-out to a writer, if the kernel has the helper; \
                 low-headroom: if less stack than handoff_floor is left"
            }
            Self::HandoffFloor => "handoff=low-headroom hands off if less stack than this is left",
            Self::Group(group) => match group {
                Group::Stalls => {
                    "record what stalled tasks spend their time on, and what compaction does"
                }
                Group::Shrinkers => "count the calls of shrinkers, and their part of stalls",
                Group::Tlb => "count and time TLB flushes of other CPUs by reclaim; a hot path",
                Group::Metadata => {
                    "count filesystem metadata that is evicted and read again; a hot path"
                }
                Group::Takers => {
                    "record tasks that take large blocks while others compact; a hot path"
                }
                Group::Reserves => {
                    "record tasks that take pages below the watermarks, tasks that wait for \
                     them, and dropped packets"
                }
                Group::Nbd => "follow each request to an NBD device through its phases",
                Group::Waits => {
                    "account for tasks' waits for memory, as PSI does, by what they wait for"
                }
            },
        }
    }
}
