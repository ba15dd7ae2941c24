// SPDX-License-Identifier: GPL-2.0
//! The file of a recording. Until the recording is complete, its name says that it is not.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rustix::fs::{FlockOperation, OFlags, flock};

use super::ring::Ring;
use crate::{
    error::{Error, Result},
    recording::{End, Head, Writer},
    snapshot::Snapshot,
};

/// The suffix of the name of a recording that is being made, or whose recorder was killed.
pub(super) const PARTIAL: &str = ".partial";

/// Where recordings go.
#[derive(Debug)]
pub(super) enum Target {
    /// One file.
    File(PathBuf),
    /// A directory that keeps some of the last recordings.
    Ring(Ring),
}

impl Target {
    /// The name of the file that begins now.
    pub(super) fn next(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Ring(ring) => ring.next(SystemTime::now()),
        }
    }
}

/// `reclaimwb-20261122T221531.123Z.jsonl`.
pub(super) fn name_at(time: SystemTime) -> String {
    let time = humantime::format_rfc3339_millis(time).to_string();
    format!("reclaimwb-{}.jsonl", time.replace(['-', ':'], ""))
}

/// The name of a recording until it is complete.
pub(super) fn with_partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(PARTIAL);
    name.into()
}

/// A recording that is being made.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    partial: PathBuf,
    writer: Writer<BufWriter<File>>,
}

impl Output {
    /// Begins a recording that will have the name `path`.
    pub(super) fn begin(path: PathBuf, head: Head, before: &Snapshot) -> Result<Self> {
        let (partial, file) = open(&path)?;
        let begin = || -> io::Result<_> {
            let mut writer = Writer::begin(BufWriter::new(file), head, before)?;
            writer.flush()?;
            Ok(writer)
        };
        let writer = begin().map_err(|err| Error::io("write", &partial, err))?;
        Ok(Self { path, partial, writer })
    }

    /// Calls `what` with the writer.
    pub(super) fn write(&mut self, what: impl FnOnce(&mut Writer<BufWriter<File>>) -> io::Result<()>) -> Result<()> {
        what(&mut self.writer).map_err(|err| Error::io("write", &self.partial, err))
    }

    /// The writer, for its counts.
    pub(super) fn writer(&self) -> &Writer<BufWriter<File>> {
        &self.writer
    }

    /// The name of the recording until it is complete.
    pub(super) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Ends the recording. From now on it has its final name.
    pub(super) fn end(
        self,
        after: &Snapshot,
        seconds: f64,
        interrupted: bool,
        exit: Option<i32>,
    ) -> Result<(PathBuf, End)> {
        let Self { path, partial, writer } = self;
        let whole = || -> io::Result<End> {
            let (buffer, end) = writer.end(after, seconds, interrupted, exit)?;
            buffer.into_inner()?.sync_all()?;
            fs::rename(&partial, &path)?;
            Ok(end)
        };
        let end = whole().map_err(|err| Error::io("write", &partial, err))?;
        Ok((path, end))
    }

    /// Removes the recording, because there was nothing to record.
    pub(super) fn discard(self) {
        let _ = fs::remove_file(&self.partial);
    }
}

/// Fails early if a recording could not get its final name at the end.
pub(super) fn check(path: &Path) -> Result<()> {
    let odd = fs::metadata(path).is_ok_and(|there| !there.is_file());
    if odd { Err(Error::NoRegularFile(path.to_owned())) } else { Ok(()) }
}

/// Opens the file under the name for incomplete recordings. A file that a killed recorder left under this name is
/// overwritten, as the final file would be. A file that another recorder is writing is not.
fn open(path: &Path) -> Result<(PathBuf, File)> {
    let partial = with_partial(path);
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or(0);
    // Only root may read it, like the ledgers.
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).custom_flags(flags).open(&partial);
    let file = file.map_err(|err| Error::io("write", &partial, err))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::InUse(partial)),
        // On a filesystem without locks, another recorder cannot be noticed.
        _ => match file.set_len(0) {
            Ok(()) => Ok((partial, file)),
            Err(err) => Err(Error::io("write", &partial, err)),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn names_are_in_the_order_of_time() {
        let at = |ms| name_at(UNIX_EPOCH + Duration::from_millis(ms));
        assert_eq!(at(1_795_385_731_123), "reclaimwb-20261122T221531.123Z.jsonl");
        assert!(at(999) < at(1000) && at(59_999) < at(60_000));
    }

    #[test]
    fn two_recorders_do_not_write_one_file() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("a.jsonl");
        let first = open(&path).expect("opened");
        assert_eq!(first.0, dir.path().join("a.jsonl.partial"));
        let said = open(&path).expect_err("in use").to_string();
        assert!(said.contains("a.jsonl.partial") && said.contains("another recorder"), "{said}");
        drop(first);
        fs::write(dir.path().join("a.jsonl.partial"), "of a killed one").expect("written");
        let (partial, _file) = open(&path).expect("opened");
        assert_eq!(fs::read(partial).expect("read"), b"");
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let victim = dir.path().join("victim");
        fs::write(&victim, "precious").expect("written");
        std::os::unix::fs::symlink(&victim, dir.path().join("a.jsonl.partial")).expect("linked");
        assert!(open(&dir.path().join("a.jsonl")).is_err());
        assert_eq!(fs::read(victim).expect("read"), b"precious");
    }

    #[test]
    fn devices_are_not_replaced() {
        let said = check(Path::new("/dev/null")).expect_err("a device").to_string();
        assert!(said.contains("/dev/null") && said.contains("-o FILE"), "{said}");
        assert!(check(Path::new("/nowhere/new.jsonl")).is_ok());
    }
}
