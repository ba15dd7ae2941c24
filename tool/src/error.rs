// SPDX-License-Identifier: GPL-2.0
//! All ways in which the tool can fail. Each message is one line and says what to do.

use std::{io, path::PathBuf};

/// What went wrong and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no debugfs to read from.
    #[error("debugfs is not mounted; as root: mount -t debugfs none /sys/kernel/debug")]
    NotMounted,
    /// debugfs is mounted, but the module's directory is not there.
    #[error("no {0}: the module is not loaded; as root: modprobe reclaimwb, or insmod reclaimwb.ko where it was built")]
    NotLoaded(PathBuf),
    /// The module is loaded but has no ledgers.
    #[error("the module is loaded but {0} is not there; its start messages say why: dmesg | grep reclaimwb")]
    NoLedgers(PathBuf),
    /// The ledgers are readable by root only.
    #[error(
        "no permission to read {0}: the ledgers are for root only (CAP_DAC_READ_SEARCH); run it with sudo or as root, \
         or report on a saved snapshot"
    )]
    NoPrivilege(PathBuf),
    /// Even root may not read the ledgers.
    #[error(
        "no permission to read {0}, though this is root: in a container run it on the host; on a locked-down kernel \
         (/sys/kernel/security/lockdown) debugfs is closed until it boots with lockdown=none"
    )]
    Denied(PathBuf),
    /// A file could not be read or written.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// A ledger has a format that this tool does not know.
    #[error(
        "the ledgers have format {0}, this tool reads format {1}; use the reclaimwb that was built with the module"
    )]
    Format(String, &'static str),
    /// A ledger of an older module, in which the rows have another meaning.
    #[error(
        "ledger {ledger} counts {counts}, not {wanted}: the module is older (version {version}); use the reclaimwb \
         that was built with that module"
    )]
    OlderLedger {
        /// Name of the ledger.
        ledger: &'static str,
        /// The module's version.
        version: String,
        /// What it counts.
        counts: &'static str,
        /// What this tool reads.
        wanted: &'static str,
    },
    /// A ledger row does not follow the format.
    #[error("ledger {ledger}: {what}; nothing is reported from a ledger that is not whole, take a new snapshot")]
    Ledger {
        /// Name of the ledger.
        ledger: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// A file that is not a snapshot.
    #[error("{path}: {what}")]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        what: String,
    },
    /// Two snapshots that cannot be subtracted.
    #[error("--since: {0}; give a snapshot taken earlier in the same boot, with the module kept loaded")]
    Since(String),
    /// There are no stalls to show.
    #[error("no stalls to show: {0}")]
    NoStalls(String),
    /// Nothing is known of the task or cgroup that is asked about.
    #[error("{0}")]
    Why(String),
    /// A file that is not a recording, or a recording that is not complete.
    #[error("{path}: {what}")]
    Recording {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, on which line, and what to do.
        what: String,
    },
    /// There is no tracefs at all.
    #[error("no {0}: this kernel cannot trace (CONFIG_TRACING), or --tracefs is wrong; without events: --events none")]
    NoTracefs(PathBuf),
    /// The mount point of tracefs is there, but nothing is mounted on it.
    #[error("tracefs is not mounted; as root: mount -t tracefs tracefs /sys/kernel/tracing")]
    TracefsNotMounted,
    /// This tracefs has no instances.
    #[error(
        "{0} has no instances: it is not a tracefs, or the kernel lacks CONFIG_TRACING; without events: --events none"
    )]
    NoInstances(PathBuf),
    /// tracefs is for root only.
    #[error(
        "no permission for {0}: tracing is for root only; run this as root (if it is, the kernel is locked down, or \
         this is a container: record outside, or without events: --events none)"
    )]
    NoTracePrivilege(PathBuf),
    /// The module's events are not there.
    #[error(
        "no {0}: the module is not loaded, or its kernel was built without events; as root: modprobe reclaimwb, or \
         insmod reclaimwb.ko where it was built"
    )]
    NoEvents(PathBuf),
    /// An event that the module does not have.
    #[error("--events: the module has no event {event:?}; it has {known}; or all, or none")]
    NoSuchEvent {
        /// The name that was given.
        event: String,
        /// The names of the events that the module has.
        known: String,
    },
    /// Options that make no sense, alone or together.
    #[error("{0}")]
    Options(String),
    /// The file to write exists and is not a regular file.
    #[error("{0} is not a regular file; give another one: -o FILE")]
    NoRegularFile(PathBuf),
    /// Another recorder is writing there.
    #[error("another recorder is writing {0}; end it, or write elsewhere")]
    InUse(PathBuf),
    /// The command to record could not be started.
    #[error("cannot run {name}: {source}")]
    Command {
        /// Its name.
        name: String,
        /// What the system answered.
        source: io::Error,
    },
    /// The recorder could not go on.
    #[error("{source}; the recording ends there, and what there is of it is {partial}")]
    Unfinished {
        /// What happened.
        source: Box<Error>,
        /// The file.
        partial: PathBuf,
    },
    /// An error that was reported already.
    #[error("failed, see above")]
    Reported,
    /// A parameter that cannot be shown or set as asked.
    #[error("{0}")]
    Param(String),
    /// `reclaimwb top` cannot draw here.
    #[error("{0}; --batch N prints plain text instead")]
    NoScreen(&'static str),
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An I/O error with the file it happened on.
    pub fn io(what: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { what, path: path.into(), source }
    }

    /// Whether the kernel had no memory for it (ENOMEM).
    pub fn is_for_memory(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::OutOfMemory)
    }

    /// A ledger that breaks its format.
    pub fn ledger(ledger: &'static str, what: impl Into<String>) -> Self {
        Self::Ledger { ledger, what: what.into() }
    }
}
