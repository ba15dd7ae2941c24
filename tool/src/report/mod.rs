// SPDX-License-Identifier: GPL-2.0
//! The report as data. `--json` prints it as it is (see FORMAT.md). The text for people is made only from it, so both
//! say the same.

mod books;
mod build;
mod compaction;
mod figures;
mod handoff;
mod headroom;
mod kswapd;
mod losses;
pub mod narrow;
mod nbd;
mod reserves;
mod shrinkers;
mod side;
mod stacks;
mod stalls;
mod waits;
mod write_around;
mod writes;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

pub use books::Book;
pub use build::build;
pub use compaction::{CompactionRow, CompactionSection, ResultRow};
pub use figures::{FolioBook, RequestBook, Times, percentile};
pub use handoff::{HandoffRow, HandoffSection, SwapDeviceRow};
pub use headroom::{HeadroomRow, HeadroomSection};
pub use kswapd::{KswapdRow, KswapdSection, ReasonRow, WakerRow};
pub use losses::NotRecorded;
pub use nbd::{BatchRow, BatchesSection, NbdDeviceRow, NbdRow, NbdSection, WaitedForRow};
pub use reserves::{ReservesSection, WaitsRow, ZoneRow};
pub use shrinkers::{ShrinkerRow, ShrinkersSection};
pub use side::{MetadataRow, MetadataSection, TlbRow, TlbSection};
pub use stacks::{PartBytes, StackFrame, StackRow, StacksSection};
pub use stalls::{CauseRow, CleanStalls, StallCgroupRow, StallLocks, StallRow, StallsSection};
pub use waits::{WaitCgroupRow, WaitKindRow, WaitsSection, sentence as waits_sentence};
pub use write_around::{CleanTimes, DeviceRow, Freed, WriteAroundSection};
pub use writes::{CgroupRow, CgroupsSection, FailedDevice, OriginRow, WritesSection};

use crate::{
    ledger::{Cost, Probe},
    narrow::Narrowed,
    system::{Psi, Queue, Swap},
};

/// Name of the JSON structure.
pub const FORMAT: &str = "reclaimwb-report";
/// Its version. It is raised if a field changes its meaning or is removed.
pub const VERSION: u32 = 2;

/// A part of the report, or the reason why it is missing.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Section<T> {
    /// The numbers.
    Available(T),
    /// There are no numbers.
    Unavailable {
        /// The reason.
        unavailable: String,
    },
}

impl<T> Section<T> {
    /// The numbers, if there are any.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Available(section) => Some(section),
            Self::Unavailable { .. } => None,
        }
    }

    fn unavailable(why: impl Into<String>) -> Self {
        Self::Unavailable { unavailable: why.into() }
    }
}

/// Where and when the numbers are from.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Taken {
    /// `live`, `snapshot` or `recording`.
    pub source: &'static str,
    /// When, in UTC.
    pub at: String,
    /// When the counting began: at the earlier snapshot of `--since`; absent if it began when the module was loaded.
    pub since: Option<String>,
    /// Length of the interval, with `--since`.
    pub seconds: Option<f64>,
}

/// The machine.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Machine {
    /// `uname -r`.
    pub kernel: String,
    /// `uname -m`.
    pub machine: String,
    /// Kernel command line.
    pub cmdline: String,
    /// CPUs online.
    pub cpus: u64,
    /// Total memory in bytes.
    pub memory_bytes: Option<u64>,
    /// Bytes of a page.
    pub page_size: u64,
    /// Swap devices.
    pub swaps: Vec<Swap>,
    /// Kernel settings that decide what reclaim does with a page.
    pub settings: BTreeMap<String, String>,
    /// Whether the kernel measures pressure.
    pub psi: Psi,
    /// Connected NBD devices.
    pub queues: BTreeMap<String, Queue>,
}

/// The module.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Module {
    /// Its version.
    pub version: String,
    /// Whether it records.
    pub enabled: bool,
    /// Its parameters.
    pub params: BTreeMap<String, String>,
    /// State of the half that writes dirty file folios.
    pub helper: String,
    /// State of the half that swaps out; absent if the module is older.
    pub handoff: Option<String>,
    /// Its probes.
    pub probes: Vec<Probe>,
    /// Groups of probes that are switched together, and whether they are on.
    pub groups: BTreeMap<String, bool>,
    /// Parts of the ledgers that cannot be trusted, and why.
    pub unavailable: BTreeMap<String, String>,
    /// Events handled, by tracepoint.
    pub events: BTreeMap<String, u64>,
    /// What it cost.
    pub cost: Cost,
}

/// The whole report.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// [`FORMAT`].
    pub format: &'static str,
    /// [`VERSION`].
    pub version: u32,
    /// Name and version of the tool.
    pub tool: &'static str,
    /// Where and when.
    pub taken: Taken,
    /// The machine.
    pub machine: Machine,
    /// The module.
    pub module: Module,
    /// What the report is limited to, if it is limited. `machine`, `module` and `not_recorded` are never limited.
    pub narrowed: Option<Narrowed>,
    /// A summary, in sentences.
    pub summary: Vec<String>,
    /// What reclaim wrote, by origin.
    pub writes: Section<WritesSection>,
    /// The recorded numbers, compared with the kernel's own; only with `--since`.
    pub books: Option<Vec<Book>>,
    /// What became of the dirty file folios that reclaim met.
    pub write_around: Section<WriteAroundSection>,
    /// What became of the folios that reclaim would have swapped out itself.
    pub handoff: Section<HandoffSection>,
    /// Where the time of tasks that wanted memory went.
    pub stalls: Section<StallsSection>,
    /// What tasks waited for because memory was short.
    pub waits: Section<WaitsSection>,
    /// Which shrinkers were called, and what came of it.
    pub shrinkers: Section<ShrinkersSection>,
    /// What large allocations cost, and whether they succeeded.
    pub compaction: Section<CompactionSection>,
    /// How often reclaim interrupted other CPUs.
    pub tlb: Section<TlbSection>,
    /// Pages of block devices that reclaim evicted, and that were read again.
    pub metadata: Section<MetadataSection>,
    /// Where the time of requests of NBD devices went.
    pub nbd: Section<NbdSection>,
    /// How many pages swap wrote at once.
    pub batches: Section<BatchesSection>,
    /// What kswapd cost, and why it did not rest.
    pub kswapd: Section<KswapdSection>,
    /// What took pages from the reserves, and which tasks waited for them.
    pub reserves: Section<ReservesSection>,
    /// Stack left.
    pub headroom: Section<HeadroomSection>,
    /// Worst stacks.
    pub stacks: Section<StacksSection>,
    /// The cgroups whose pages were written.
    pub cgroups: Section<CgroupsSection>,
    /// What is not in the numbers.
    pub not_recorded: NotRecorded,
    /// What a reader has to know to understand the numbers.
    pub notes: Vec<String>,
}
