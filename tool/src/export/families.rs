// SPDX-License-Identifier: GPL-2.0
//! The table of all metric families. The name, help, type, unit and labels of everything that is exported come from
//! here.

/// What Prometheus may do with the values of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The value only grows while the module stays loaded.
    Counter,
    /// The value goes up and down.
    Gauge,
    /// The values are counts by upper bound, with a sum.
    Histogram,
}

impl Kind {
    /// The word of the `# TYPE` line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The unit of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of what the name says, or 0 and 1 for no and yes.
    Count,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Pages, of the size that `reclaimwb_page_size_bytes` says.
    Pages,
    /// Folios, each of one or more pages.
    Folios,
    /// Requests to swap out, each of one or more folios.
    Requests,
    /// Objects of shrinkers.
    Objects,
    /// CPU cycles.
    Cycles,
}

impl Unit {
    /// The end of the name, before `_total`; empty if the name says what is counted.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Count => "",
            Self::Seconds => "_seconds",
            Self::Bytes => "_bytes",
            Self::Pages => "_pages",
            Self::Folios => "_folios",
            Self::Requests => "_requests",
            Self::Objects => "_objects",
            Self::Cycles => "_cycles",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The whole name.
    pub name: &'static str,
    /// What it means, for people.
    pub help: &'static str,
    /// The type.
    pub kind: Kind,
    /// The unit.
    pub unit: Unit,
    /// Names of its labels, in the order in which their values are given.
    pub labels: &'static [&'static str],
}

macro_rules! families {
    ($($variant:ident = $kind:ident $unit:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        /// A metric family. The doc of each one is its help text.
        #[expect(clippy::doc_markdown)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Family { $(#[doc = $help] $variant,)* }

        impl Family {
            /// All of them, in the order in which they are written.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its row of the table.
            pub fn row(self) -> Row {
                match self {
                    $(Self::$variant => Row {
                        name: concat!("reclaimwb_", $name),
                        help: $help,
                        kind: Kind::$kind,
                        unit: Unit::$unit,
                        labels: &[$($label),*],
                    },)*
                }
            }
        }
    };
}

families! {
    // status
    Info = Gauge Count "info" ["version", "tool"]
        "Versions of the module and of the tool that wrote this; always 1";
    SnapshotTime = Gauge Seconds "snapshot_timestamp_seconds" []
        "When the ledgers were read, in seconds since 1970";
    PageSize = Gauge Bytes "page_size_bytes" []
        "Size of a page";
    Enabled = Gauge Count "enabled" []
        "1 while the module records (parameter enabled)";
    GroupEnabled = Gauge Count "group_enabled" ["group"]
        "1 while this group of probes is on (the parameter of its name)";
    HelperEnabled = Gauge Count "helper_enabled" ["half"]
        "1 while this half of the helper is on; absent where the kernel or the module does not have it";
    ProbeAttached = Gauge Count "probe_attached" ["probe", "via"]
        "1 if the probe records, 0 if it is missing although it should; absent while it is switched off";
    LedgerAvailable = Gauge Count "ledger_available" ["ledger"]
        "1 if the ledger could be read; the families of one that could not are absent";
    PartAvailable = Gauge Count "part_available" ["part"]
        "1 if this part of the ledgers can be believed, 0 if its probes are missing";
    Events = Counter Count "events_total" ["event"]
        "Events handled, by tracepoint";
    Lost = Counter Count "lost_total" ["table"]
        "What could not be recorded, by the table that was full";
    Uncharged = Counter Count "uncharged_samples_total" ["layer", "context"]
        "Stack samples charged to nobody: in an interrupt or softirq, or of a task that is not in reclaim";
    WindowsOpen = Gauge Count "windows_open" []
        "Tasks that are in reclaim now";
    WindowSlots = Gauge Count "window_slots" []
        "Tasks that can be in reclaim at once and still be told apart";
    StallsOpen = Gauge Count "stalls_open" []
        "Stalls that are going on now";
    CostEvents = Counter Count "cost_events_total" []
        "Events that the module handled";
    CostCycles = Gauge Cycles "cost_estimated_cycles" []
        "CPU cycles that the module took since it was loaded, estimated from a sample; may fall a little";
    CostMemory = Gauge Bytes "cost_memory_bytes" []
        "Memory that the module holds";

    // writes, batches, cgroups
    Windows = Counter Count "windows_total" ["origin"]
        "Reclaim windows, by what asked for reclaim";
    FreedPages = Counter Pages "freed_pages_total" ["origin"]
        "Pages freed in reclaim windows";
    WrittenFolios = Counter Folios "written_folios_total" ["origin", "type", "kind"]
        "Folios that reclaim wrote, by origin, sort of memory and what became of the write; io includes those that the device refused or failed to write";
    WrittenPages = Counter Pages "written_pages_total" ["origin", "type", "kind"]
        "Pages that reclaim wrote, by origin, sort of memory and what became of the write; io includes those that the device refused or failed to write";
    FailedFolios = Counter Folios "failed_folios_total" ["origin", "type"]
        "Of the folios of kind io, those that the device refused or failed to write";
    FailedPages = Counter Pages "failed_pages_total" ["origin", "type"]
        "Of the pages of kind io, those that the device refused or failed to write";
    OrderFolios = Counter Folios "written_by_order_folios_total" ["origin", "order"]
        "Folios that reclaim wrote, by their order";
    NodePages = Counter Pages "written_by_node_pages_total" ["origin", "node"]
        "Pages that reclaim wrote, by node";
    BatchPages = Histogram Pages "swap_batch_pages" ["origin"]
        "Pages in one write of swap-out; origins that wrote none are absent";
    BatchesEnded = Counter Count "swap_batches_ended_total" ["origin", "reason"]
        "Writes of swap-out, by why they did not go on";
    CgroupPages = Counter Pages "cgroup_written_pages_total" ["hierarchy", "id", "path", "origin"]
        "Pages that reclaim wrote, by the cgroup that they belonged to; id 0: none, or without a row, with what it had before it lost one";

    // headroom
    StackSize = Gauge Bytes "stack_size_bytes" []
        "Size of a task's kernel stack";
    HeadroomMin = Gauge Bytes "headroom_min_bytes" ["origin", "layer"]
        "Least bytes of stack left at a sample point since the module was loaded; absent without a sample";
    Headroom = Histogram Bytes "headroom_bytes" ["origin", "layer"]
        "Bytes of stack left at a sample point; absent without a sample";
    HeadroomLow = Counter Count "headroom_low_samples_total" []
        "Samples with less stack left than the parameter headroom_floor";

    // helper: write-around
    AroundMetFolios = Counter Folios "write_around_met_folios_total" []
        "Dirty file folios that reclaim met";
    AroundMetPages = Counter Pages "write_around_met_pages_total" []
        "Pages of the dirty file folios that reclaim met";
    AroundMerged = Counter Folios "write_around_merged_folios_total" []
        "Of those met, folios that were queued already";
    AroundQueued = Counter Folios "write_around_queued_folios_total" []
        "Of those met, folios that were queued";
    AroundNotQueued = Counter Folios "write_around_not_queued_folios_total" ["reason"]
        "Of those met, folios that were not queued";
    AroundWritten = Counter Folios "write_around_written_folios_total" []
        "Queued folios whose window was written";
    AroundNotWritten = Counter Folios "write_around_not_written_folios_total" ["reason"]
        "Queued folios that were not written";
    AroundPending = Gauge Folios "write_around_pending_folios" []
        "Folios that are queued now";
    AroundRanges = Counter Count "write_around_ranges_total" []
        "Calls that wrote a range of a file";
    AroundErrors = Counter Count "write_around_errors_total" []
        "Of these calls, those that failed";
    AroundPages = Counter Pages "write_around_written_pages_total" ["what"]
        "Pages written: those that reclaim had met (target) and those around them (other)";
    AroundWindows = Counter Count "write_around_windows_total" []
        "Windows of files written";
    AroundBios = Counter Count "write_around_bios_total" []
        "Bios that the workers submitted";
    AroundBioPages = Counter Pages "write_around_bio_pages_total" []
        "Pages in the bios that the workers submitted";
    AroundClean = Histogram Seconds "write_around_clean_seconds" []
        "Time from a folio being met by reclaim to its being clean";
    AroundWatched = Counter Folios "write_around_watched_folios_total" []
        "Cleaned folios that were looked at again a second later";
    AroundFreed = Counter Folios "write_around_freed_folios_total" []
        "Of these, folios whose page was free by then";
    AroundWaits = Counter Count "write_around_waits_total" []
        "Times that reclaim was told that waiting is worth it";
    AroundDeviceInflight = Gauge Pages "write_around_device_inflight_pages" ["device"]
        "Pages under writeback through a worker now";
    AroundDeviceBudget = Gauge Pages "write_around_device_budget_pages" ["device"]
        "Pages that may be under writeback through a worker";
    AroundDevicePending = Gauge Folios "write_around_device_pending_folios" ["device"]
        "Folios that wait for a worker now";
    AroundDeviceStuck = Gauge Count "write_around_device_stuck" ["device"]
        "1 while the disk does not answer";
    AroundPageTime = Gauge Seconds "write_around_page_write_seconds" ["node"]
        "What a page of a node took to be written of late; absent where it is not known";

    // handoff
    HandoffPolicy = Gauge Count "handoff_policy" ["policy"]
        "1 for the policy that is set (parameter handoff), 0 for the others";
    HandedRequests = Counter Requests "handoff_handed_requests_total" ["origin"]
        "Requests to swap out that reclaim handed to a swap writer";
    HandedPages = Counter Pages "handoff_handed_pages_total" ["origin"]
        "Pages that reclaim handed to a swap writer";
    HandoffRefused = Counter Requests "handoff_refused_requests_total" ["origin", "reason"]
        "Requests that were not handed over, by reason: reclaim submitted them itself";
    HandoffWaits = Histogram Seconds "handoff_wait_seconds" ["origin"]
        "How long reclaim waited for room after it had handed over; origins that never waited are absent";
    Throttled = Counter Count "throttled_total" ["origin"]
        "Times that reclaim waited for writeback, whosever it was";
    ThrottledTime = Counter Seconds "throttled_seconds_total" ["origin"]
        "Time that reclaim waited for writeback, whosever it was";
    HandoffWrittenRequests = Counter Requests "handoff_written_requests_total" []
        "Requests that the swap writers submitted";
    HandoffWrittenPages = Counter Pages "handoff_written_pages_total" []
        "Pages that the swap writers submitted";
    HandoffPending = Gauge Requests "handoff_pending_requests" []
        "Requests handed over that are not submitted yet";
    HandoffQueued = Histogram Seconds "handoff_queued_seconds" []
        "Time from a request being handed over to its being submitted";
    HandoffBatches = Counter Count "handoff_batches_total" []
        "Batches that the swap writers submitted";
    HandoffWakeups = Counter Count "handoff_wakeups_total" []
        "Times that a swap writer woke";
    HandoffRequests = Histogram Seconds "handoff_request_seconds" []
        "Time from a swap writer's request being submitted to its being done";
    HandoffRequestPages = Counter Pages "handoff_request_pages_total" []
        "Pages in the swap writers' requests";
    HandoffRequestErrors = Counter Count "handoff_request_errors_total" []
        "The swap writers' requests that failed";
    HandoffDevicePending = Gauge Requests "handoff_device_pending_requests" ["device"]
        "Requests that wait for the device's swap writer now";
    HandoffDeviceInside = Gauge Pages "handoff_device_inside_pages" ["device"]
        "Pages that were handed over for the device and are not done now";
    HandoffDeviceInflight = Gauge Pages "handoff_device_inflight_pages" ["device"]
        "Of these, pages that the swap writer has submitted";
    HandoffDeviceLimit = Gauge Pages "handoff_device_limit_pages" ["device"]
        "Pages that may be submitted to the device at once";
    HandoffDeviceReserve = Gauge Pages "handoff_device_reserve_pages" ["device"]
        "Pages that may be submitted as far as the memory reserves go; absent where they set no limit";
    HandoffDeviceRate = Gauge Count "handoff_device_pages_per_second" ["device"]
        "Pages that the device takes in a second, of late; absent where it is not known";
    HandoffDeviceRequest = Gauge Seconds "handoff_device_quickest_request_seconds" ["device"]
        "The least that a request took of late; absent where it is not known";
    HandoffDeviceWaiting = Gauge Count "handoff_device_waiting_tasks" ["device"]
        "Tasks that wait for room at the device now";
    HandoffDeviceLate = Gauge Count "handoff_device_late" ["device"]
        "1 while the swap device does nothing of what it was given: nobody then waits for room";

    // stalls
    Stalls = Histogram Seconds "stall_seconds" ["origin"]
        "How long tasks that wanted memory stalled";
    StallCauses = Counter Seconds "stall_cause_seconds_total" ["origin", "cause"]
        "What the time of stalls went to; the causes of an origin sum to reclaimwb_stall_seconds_sum";
    StallParts = Histogram Seconds "stall_part_seconds" ["cause"]
        "How long stalls were at one cause, of all origins; causes that took no time are absent";
    StallPartAvailable = Gauge Count "stall_cause_available" ["cause"]
        "1 if the cause is told apart, 0 if its time counts as that of the cause around it";
    StallLongest = Gauge Seconds "stall_longest_seconds" ["origin"]
        "The longest stall since the module was loaded";
    StallScanned = Counter Pages "stall_scanned_pages_total" ["origin"]
        "Pages scanned in stalls";
    StallFreed = Counter Pages "stall_freed_pages_total" ["origin"]
        "Pages freed in stalls";
    StallsClean = Counter Count "stalls_clean_total" []
        "Stalls that began although most of what could be freed was clean";
    StallsCleanTime = Counter Seconds "stalls_clean_seconds_total" []
        "Time of the stalls that began although most of what could be freed was clean";
    StallLockWaits = Counter Count "stall_lock_waits_total" []
        "Waits for locks held by tasks that stalled";
    StallLockTime = Counter Seconds "stall_lock_wait_seconds_total" []
        "Time of these waits in which the holders stalled";
    CgroupStalls = Counter Count "cgroup_stalls_total" ["hierarchy", "id", "path"]
        "Stalls, by the task's cgroup; id 0: none, or without a row, with what it had before it lost one";
    CgroupStallCauses = Counter Seconds "cgroup_stall_cause_seconds_total" ["hierarchy", "id", "path", "cause"]
        "What the time of stalls went to, by the task's cgroup; id 0: none, or without a row, with what it had before it lost one";

    // shrinkers, compaction, tlb, metadata
    ShrinkerCalls = Counter Count "shrinker_calls_total" []
        "Calls of shrinkers";
    ShrinkerUseless = Counter Count "shrinker_useless_calls_total" ["reason"]
        "Of these, calls without an object (empty), with too few to scan (idle), and refused by the shrinker";
    ShrinkerScanned = Counter Objects "shrinker_scanned_objects_total" []
        "Objects that shrinkers scanned";
    ShrinkerFreed = Counter Objects "shrinker_freed_objects_total" []
        "Objects that shrinkers freed";
    ShrinkerFreedPages = Counter Pages "shrinker_freed_pages_total" []
        "Pages of slabs that became free while shrinkers ran";
    ShrinkerTime = Counter Seconds "shrinker_seconds_total" ["what"]
        "Time that shrinkers took to count objects and to scan them";
    CompactionAttempts = Counter Count "compaction_attempts_total" ["order", "result"]
        "Attempts of tasks to compact memory, by what the kernel said of them";
    CompactionOutcomes = Counter Count "compaction_outcomes_total" ["order", "outcome"]
        "The same attempts, by what became of the allocation: served, again (reclaimed or compacted once more), failed";
    CompactionRaces = Counter Count "compaction_races_total" ["order"]
        "Successful attempts whose block someone else had";
    Compaction = Histogram Seconds "compaction_seconds" ["order"]
        "How long attempts to compact memory took";
    TlbFlushes = Counter Count "tlb_flushes_total" ["origin", "purpose"]
        "Times that reclaim asked for a flush of other CPUs' TLBs";
    TlbInterrupts = Counter Count "tlb_interrupts_total" ["origin", "purpose"]
        "Times that other CPUs were interrupted for one";
    TlbTime = Counter Seconds "tlb_seconds_total" ["origin", "purpose"]
        "Time from flushes being asked for to their being done";
    MetadataEvicted = Counter Pages "metadata_evicted_pages_total" ["origin"]
        "Pages of block devices' own page cache that reclaim evicted";
    MetadataDeviceEvicted = Counter Pages "metadata_device_evicted_pages_total" ["device"]
        "The same by device";
    MetadataDeviceReread = Counter Pages "metadata_device_reread_pages_total" ["device"]
        "Of these, pages that were read again";
    MetadataBitmaps = Counter Count "metadata_bitmap_reads_total" ["device", "bitmap"]
        "Bitmaps that ext4 read";
    MetadataBitmapsReread = Counter Count "metadata_bitmap_rereads_total" ["device", "bitmap"]
        "Of these, bitmaps read before, where reclaim evicted pages of the device meanwhile";

    // waits
    Waits = Histogram Seconds "wait_seconds" ["kind"]
        "Waits of tasks that memory is to blame for, by what they waited for";
    WaitsPsi = Counter Seconds "wait_psi_seconds_total" ["kind"]
        "Of their time, what the kernel's memory pressure (PSI) counts";
    Refaults = Counter Pages "refaulted_pages_total" ["type", "limit"]
        "Pages that came back soon after they were reclaimed, by whose limit is reached";
    DeviceWaits = Counter Seconds "device_wait_seconds_total" ["device", "kind"]
        "Time that tasks waited for a device because of memory; device 0:0: not known";
    CgroupWaits = Counter Seconds "cgroup_wait_seconds_total" ["hierarchy", "id", "path", "kind"]
        "Time that tasks waited because of memory, by the task's cgroup; id 0: none, or without a row, with what it had before it lost one";
    CgroupRefaults = Counter Pages "cgroup_refaulted_pages_total" ["hierarchy", "id", "path", "type"]
        "Pages of the cgroup that came back soon after they were reclaimed; id 0: none, or without a row, with what it had before it lost one";

    // reserves
    ReserveAllocations = Counter Count "reserve_allocations_total" ["user"]
        "Allocations without regard to the watermarks, by user";
    ReservePages = Counter Pages "reserve_pages_total" ["user"]
        "Pages allocated without regard to the watermarks";
    ReserveBelowMin = Counter Pages "reserve_below_min_pages_total" ["user"]
        "Of these, pages that left their zone below its min watermark";
    ZoneFree = Gauge Pages "zone_free_pages" ["node", "zone"]
        "Pages free now";
    ZoneMin = Gauge Pages "zone_min_pages" ["node", "zone"]
        "The zone's min watermark, below which the reserves lie";
    ZoneLow = Gauge Pages "zone_low_pages" ["node", "zone"]
        "The zone's low watermark";
    ZoneLowest = Gauge Pages "zone_lowest_free_pages" ["node", "zone"]
        "Least pages free when someone took from the reserves, since the module was loaded; absent if nobody did";
    ZoneLowestMin = Gauge Pages "zone_lowest_min_pages" ["node", "zone"]
        "The min watermark at that time";
    ReserveWait = Histogram Seconds "reserve_wait_seconds" []
        "How long tasks waited for the reserves before they might reclaim";
    ReserveWaits = Counter Count "reserve_waits_total" ["ended"]
        "Waits for the reserves, by what ended them";
    ReserveNodeWaits = Counter Count "reserve_node_waits_total" ["node"]
        "Waits for the reserves of a node";
    ReserveNodeWaitTime = Counter Seconds "reserve_node_wait_seconds_total" ["node"]
        "Time of waits for the reserves of a node";
    ReserveNodeWaitLongest = Gauge Seconds "reserve_node_wait_longest_seconds" ["node"]
        "The longest wait for the reserves of a node since the module was loaded";
    ReserveWaitsOpen = Gauge Count "reserve_waits_open" []
        "Waits for the reserves that are going on now";
    ReserveDrops = Counter Count "reserve_dropped_packets_total" []
        "Packets dropped because they had been received into reserve memory and were for an ordinary socket";
    ReserveSockets = Gauge Count "reserve_sockets" []
        "Sockets that may use the reserves now";

    // nbd
    NbdRequests = Histogram Seconds "nbd_request_seconds" ["device", "direction"]
        "How long requests of NBD devices took";
    NbdBytes = Counter Bytes "nbd_request_bytes_total" ["device", "direction"]
        "Bytes of completed requests of NBD devices";
    NbdErrors = Counter Count "nbd_request_errors_total" ["device", "direction"]
        "Requests of NBD devices that failed";
    NbdRequeues = Counter Count "nbd_request_requeues_total" ["device", "direction"]
        "Times that a request of an NBD device was given back, to be tried again";
    NbdPhases = Counter Seconds "nbd_request_phase_seconds_total" ["device", "direction", "phase"]
        "Where the time of requests of NBD devices went; the phases sum to reclaimwb_nbd_request_seconds_sum";
    NbdLongest = Gauge Seconds "nbd_request_longest_seconds" ["device", "direction"]
        "The longest request since the module was loaded";
    NbdInflight = Gauge Count "nbd_inflight_requests" ["device", "direction", "phase"]
        "Requests of NBD devices that are under way now, by what they are at";
    NbdOldest = Gauge Seconds "nbd_inflight_oldest_seconds" ["device", "direction"]
        "How long the oldest of these has been under way";
    NbdStalls = Counter Count "nbd_stalls_total" []
        "Stalls that waited for requests of NBD devices";
    NbdStallPhases = Counter Seconds "nbd_stall_phase_seconds_total" ["phase"]
        "How long stalls waited for requests of NBD devices, by what these were at meanwhile (an estimate)";
}

impl Family {
    /// The family with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|family| family.row().name == name)
    }

    /// The family of a sample with this name. The names of samples of a histogram have additional endings.
    pub fn of_sample(name: &str) -> Option<Self> {
        Self::named(name).or_else(|| {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|ending| name.strip_suffix(ending))?;
            Self::named(base).filter(|family| family.row().kind == Kind::Histogram)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn is_name(name: &str) -> bool {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }

    #[test]
    fn names_follow_the_conventions() {
        let mut seen = BTreeSet::new();
        for family in Family::ALL {
            let row = family.row();
            assert!(is_name(row.name) && seen.insert(row.name), "{row:?}");
            let base = row.name.strip_suffix("_total");
            assert_eq!(base.is_some(), row.kind == Kind::Counter, "a counter, and nothing else, is a total: {row:?}");
            assert!(base.unwrap_or(row.name).ends_with(row.unit.suffix()), "the name ends with its unit: {row:?}");
            if row.unit == Unit::Count {
                let units = [Unit::Seconds, Unit::Bytes, Unit::Pages, Unit::Folios, Unit::Objects, Unit::Cycles];
                let other = units.iter().find(|unit| base.unwrap_or(row.name).ends_with(unit.suffix()));
                assert!(other.is_none(), "{row:?}");
            }
            let labels: BTreeSet<&str> = row.labels.iter().copied().collect();
            assert_eq!(labels.len(), row.labels.len(), "{row:?}");
            assert!(labels.iter().all(|label| is_name(label) && !["le", "job", "instance"].contains(label)), "{row:?}");
            assert!(row.help.len() > 10 && !row.help.contains('\n') && !row.help.ends_with('.'), "{row:?}");
        }
    }

    #[test]
    fn samples_of_histograms_are_found() {
        assert_eq!(Family::of_sample("reclaimwb_stall_seconds_bucket"), Some(Family::Stalls));
        assert_eq!(Family::of_sample("reclaimwb_stall_seconds"), Some(Family::Stalls));
        assert_eq!(Family::of_sample("reclaimwb_windows_total_sum"), None);
        assert_eq!(Family::of_sample("reclaimwb_nothing"), None);
    }
}
