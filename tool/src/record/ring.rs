// SPDX-License-Identifier: GPL-2.0
//! A directory that keeps the recordings of the last hour or so, within a size. The oldest ones are removed first.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::fs::{FlockOperation, flock};

use super::output::{PARTIAL, name_at, with_partial};
use crate::error::{Error, Result};

/// The size is divided by this. One recording takes at most one such part, so the others are always kept.
const PARTS: u64 = 8;
/// Bytes of the trace that are read at once. The size of the file is checked only after they are written.
pub(super) const READ_BYTES: usize = 1 << 14;
/// What these bytes, and the last line, may take in the file.
const READ_ROOM: u64 = 4 * READ_BYTES as u64;

/// The directory.
#[derive(Debug)]
pub(super) struct Ring {
    dir: PathBuf,
    /// How long one recording is.
    pub(super) every: Duration,
    keep: Duration,
    max_bytes: u64,
    /// The lock is held as long as this recorder writes there.
    _lock: File,
}

/// A recording in it.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    bytes: u64,
    ended: SystemTime,
}

impl Ring {
    /// Takes the directory for this recorder. Creates it if it does not exist.
    pub(super) fn open(dir: &Path, every: Duration, keep: Duration, max_bytes: u64) -> Result<Self> {
        if every < Duration::from_secs(1) {
            return Err(Error::Options("--every is less than a second; recordings would be mostly snapshots".into()));
        }
        if keep < every {
            return Err(Error::Options("--keep is shorter than --every; nothing would be kept".into()));
        }
        fs::create_dir_all(dir).map_err(|err| Error::io("make the directory", dir, err))?;
        let lock = File::open(dir).map_err(|err| Error::io("read", dir, err))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::InUse(dir.to_owned())),
            _ => Ok(Self { dir: dir.to_owned(), every, keep, max_bytes, _lock: lock }),
        }
    }

    /// The name of a recording that begins now.
    pub(super) fn next(&self, now: SystemTime) -> PathBuf {
        let mut names = (0..).map(|ms| self.dir.join(name_at(now + Duration::from_millis(ms))));
        let free = names.find(|path| !path.exists() && !with_partial(path).exists());
        free.unwrap_or_else(|| self.dir.join(name_at(now)))
    }

    /// The number of bytes after which a recording has to end.
    pub(super) fn part_bytes(&self) -> u64 {
        self.max_bytes / PARTS
    }

    /// Refuses a size that snapshots alone would fill.
    pub(super) fn check(&self, snapshot_bytes: u64) -> Result<()> {
        // A recording contains two snapshots, and there must be room for events, too.
        let least = snapshot_bytes.saturating_mul(4 * PARTS);
        if self.max_bytes >= least {
            return Ok(());
        }
        Err(Error::Options(format!(
            "--max-size {} is too little for recordings with snapshots of {}; give at least {}",
            bytesize::ByteSize(self.max_bytes),
            bytesize::ByteSize(snapshot_bytes),
            bytesize::ByteSize(least)
        )))
    }

    /// Removes the oldest recordings: those that ended too long ago, and as many as are needed to make room for the one
    /// that is being written. Each of its snapshots takes `snapshot_bytes`.
    pub(super) fn prune(&self, now: SystemTime, writing: &Path, snapshot_bytes: u64) -> Result<()> {
        let ours = self.part_bytes().saturating_add(snapshot_bytes).saturating_add(READ_ROOM);
        let room = self.max_bytes.saturating_sub(ours);
        let mut kept = self.kept(writing)?;
        kept.sort_by(|a, b| a.path.cmp(&b.path));
        let mut bytes = crate::ledger::total(kept.iter().map(|one| one.bytes));
        let oldest = now.checked_sub(self.keep).unwrap_or(SystemTime::UNIX_EPOCH);
        for one in kept {
            if bytes <= room && one.ended >= oldest {
                continue;
            }
            fs::remove_file(&one.path).map_err(|err| Error::io("remove", &one.path, err))?;
            bytes = bytes.saturating_sub(one.bytes);
        }
        Ok(())
    }

    /// The recordings in the directory, complete or left behind by a killed recorder, without the one that is being
    /// written.
    fn kept(&self, writing: &Path) -> Result<Vec<Kept>> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(|err| Error::io("read", &self.dir, err))? {
            let entry = entry.map_err(|err| Error::io("read", &self.dir, err))?;
            let path = entry.path();
            if path == writing || !entry.file_name().to_str().is_some_and(is_ours) {
                continue;
            }
            // Somebody may have removed it just now.
            let Ok(about) = entry.metadata() else { continue };
            let ended = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            kept.push(Kept { path, bytes: about.len(), ended });
        }
        Ok(kept)
    }
}

/// Whether a recorder gave a file this name. Other files in the directory are not touched.
fn is_ours(name: &str) -> bool {
    let name = name.strip_suffix(PARTIAL).unwrap_or(name);
    let Some(time) = name.strip_prefix("reclaimwb-").and_then(|rest| rest.strip_suffix("Z.jsonl")) else {
        return false;
    };
    let form = |byte: u8| if byte.is_ascii_digit() { b'0' } else { byte };
    time.bytes().map(form).eq(*b"00000000T000000.000")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_385_731;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Adds a recording that ended `ago` seconds ago.
    fn add(ring: &Ring, ago: u64, bytes: usize) -> PathBuf {
        let path = ring.dir.join(name_at(at(NOW - ago)));
        fs::write(&path, vec![b'x'; bytes]).expect("written");
        File::open(&path).and_then(|file| file.set_modified(at(NOW - ago))).expect("its time");
        path
    }

    fn ring(dir: &Path, max_bytes: u64) -> Ring {
        Ring::open(dir, Duration::from_secs(300), Duration::from_secs(3600), max_bytes).expect("a ring")
    }

    #[test]
    fn what_is_too_old_goes() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let ring = ring(dir.path(), 1 << 30);
        let gone = [add(&ring, 7200, 10), add(&ring, 3601, 10)];
        let stay = [add(&ring, 3600, 10), add(&ring, 5, 10)];
        let others = ["notes.txt", "reclaimwb-mine.jsonl", "reclaimwb-2026.jsonl.partial"].map(|n| ring.dir.join(n));
        for other in &others {
            fs::write(other, "not ours").expect("written");
            File::open(other).and_then(|file| file.set_modified(at(1))).expect("its time");
        }
        ring.prune(at(NOW), Path::new(""), 1000).expect("pruned");
        assert!(gone.iter().all(|path| !path.exists()));
        assert!(stay.iter().chain(&others).all(|path| path.exists()));
    }

    #[test]
    fn what_is_too_much_goes_and_the_bound_holds() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let ring = ring(dir.path(), 800_000);
        let files: Vec<PathBuf> = (0..9).map(|n| add(&ring, 900 - n * 100, 90_000)).collect();
        let writing = add(&ring, 0, 100_000);
        // A recording that a killed recorder left behind counts, too. It is the oldest one.
        let partial = with_partial(&files[0]);
        fs::rename(&files[0], &partial).expect("renamed");
        ring.prune(at(NOW), &writing, 10_000).expect("pruned");
        let left: Vec<bool> = files.iter().map(|path| path.exists()).collect();
        assert_eq!(left, [false, false, false, true, true, true, true, true, true]);
        assert!(!partial.exists() && writing.exists());
        let kept: u64 = 6 * 90_000;
        assert!(kept + ring.part_bytes() + 10_000 + READ_ROOM <= 800_000);
    }

    #[test]
    fn every_recording_has_its_own_name() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let ring = ring(dir.path(), 1 << 30);
        let first = ring.next(at(NOW));
        fs::write(with_partial(&first), "").expect("written");
        let second = ring.next(at(NOW));
        fs::write(&second, "").expect("written");
        let third = ring.next(at(NOW));
        assert!(first < second && second < third);
        assert!([first, second, third].iter().all(|path| is_ours(path.file_name().unwrap().to_str().unwrap())));
    }

    #[test]
    fn nonsense_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let second = Duration::from_secs(1);
        let says = |every, keep, what: &str| {
            let said = Ring::open(dir.path(), every, keep, 1).expect_err("refused").to_string();
            assert!(said.contains(what), "{said}");
        };
        says(second / 2, second, "--every is less than a second");
        says(second * 2, second, "--keep is shorter than --every");
        let _one = ring(dir.path(), 1 << 20);
        says(second, second, "another recorder");
        let other = tempfile::tempdir().expect("a temporary directory");
        let said = ring(other.path(), 1 << 20).check(100_000).expect_err("refused").to_string();
        assert!(said.contains("--max-size 1.0 MiB is too little") && said.contains("at least 3.1 MiB"), "{said}");
        assert!(ring(other.path(), 64 << 20).check(100_000).is_ok());
    }
}
