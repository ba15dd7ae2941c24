// SPDX-License-Identifier: GPL-2.0
//! Every way the tool can fail, each as one line that says what to do.

use std::{io, path::PathBuf};

/// What went wrong and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no debugfs to read from.
    #[error("debugfs is not mounted; as root: mount -t debugfs none /sys/kernel/debug")]
    NotMounted,
    /// debugfs is there, the module's directory is not.
    #[error("no {0}: the module is not loaded; as root: insmod reclaimwb.ko")]
    NotLoaded(PathBuf),
    /// The module is loaded but has no ledgers.
    #[error("the module is loaded but {0} is not there; its start messages say why: dmesg | grep reclaimwb")]
    NoLedgers(PathBuf),
    /// The ledgers are readable by root only.
    #[error(
        "no permission to read {0}: the ledgers are for root only; run this as root, or report on a saved snapshot"
    )]
    NoPrivilege(PathBuf),
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
    /// A ledger speaks a format this tool does not know.
    #[error(
        "the ledgers are of format {0}, this tool reads format 1; use the reclaimwb that was built with the module"
    )]
    Format(String),
    /// A ledger row is not what the format says.
    #[error("ledger {ledger}: {what}; nothing is reported from a ledger that is not whole, take a new snapshot")]
    Ledger {
        /// Name of the ledger.
        ledger: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// A snapshot file is not one.
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
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An I/O error with the file it happened on.
    pub fn io(what: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { what, path: path.into(), source }
    }

    /// A ledger that breaks its format.
    pub fn ledger(ledger: &'static str, what: impl Into<String>) -> Self {
        Self::Ledger { ledger, what: what.into() }
    }
}
