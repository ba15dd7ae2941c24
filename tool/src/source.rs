// SPDX-License-Identifier: GPL-2.0
//! Reads the ledgers from debugfs. If they cannot be read, the error says why.

use std::{collections::BTreeMap, fs, io, path::Path};

use crate::{
    error::{Error, Result},
    ledger::{LATER, Ledgers, NAMES},
};

/// Where the ledgers are.
pub const DEFAULT_DIR: &str = "/sys/kernel/debug/reclaimwb";

const MODULE_DIR: &str = "/sys/module/reclaimwb";

/// Text of every ledger, or why it could not be read.
pub type Texts = BTreeMap<String, std::result::Result<String, String>>;

/// Reads all ledgers in `dir`. Only `status` must be there.
pub fn read(dir: &Path) -> Result<Texts> {
    read_some(dir, &NAMES)
}

/// Reads the ledgers of these names, which include `status`. Otherwise it is the same.
pub fn read_some(dir: &Path, names: &[&str]) -> Result<Texts> {
    let mut texts = Texts::new();
    for &name in names {
        let path = dir.join(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            // Without `status` nothing can be trusted. With it, a missing ledger is only a fact to report.
            Err(err) if name == "status" => return Err(explain(dir, &path, err)),
            Err(err) => Err(missing(name, &err)),
        };
        texts.insert(name.to_owned(), text);
    }
    Ok(texts)
}

/// The reason given for a ledger that is not read.
pub const NOT_READ: &str = "it is not read here";

/// Parses these texts. `absent` is the reason given for a ledger that is not among them.
pub fn ledgers(texts: &Texts, absent: &str) -> Result<Ledgers> {
    Ledgers::parse(|name| match texts.get(name) {
        Some(Ok(text)) => Ok(text.as_str()),
        Some(Err(why)) => Err(why.clone()),
        None => Err(absent.to_owned()),
    })
}

/// Why a ledger is missing.
fn missing(name: &str, err: &io::Error) -> String {
    let later = LATER.iter().find(|(later, _)| *later == name && err.kind() == io::ErrorKind::NotFound);
    later.map_or_else(|| format!("cannot read {name}: {err}"), |(_, why)| (*why).to_owned())
}

/// The error that tells the user what to do.
fn explain(dir: &Path, path: &Path, err: io::Error) -> Error {
    match err.kind() {
        // Everybody can read /sys/module. A user who cannot read debugfs should not become root, or mount it, in vain.
        _ if dir == Path::new(DEFAULT_DIR) && !Path::new(MODULE_DIR).is_dir() => Error::NotLoaded(MODULE_DIR.into()),
        io::ErrorKind::PermissionDenied if rustix::process::geteuid().is_root() => Error::Denied(path.to_owned()),
        io::ErrorKind::PermissionDenied => Error::NoPrivilege(path.to_owned()),
        io::ErrorKind::NotFound if dir.is_dir() || Path::new(MODULE_DIR).is_dir() => {
            if dir.starts_with("/sys/kernel/debug") && !debugfs_mounted() {
                Error::NotMounted
            } else {
                Error::NoLedgers(path.to_owned())
            }
        }
        io::ErrorKind::NotFound if dir.starts_with("/sys/kernel/debug") && !debugfs_mounted() => Error::NotMounted,
        io::ErrorKind::NotFound => Error::NotLoaded(dir.to_owned()),
        _ => Error::io("read", path, err),
    }
}

fn debugfs_mounted() -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts.lines().any(|line| line.split(' ').nth(1) == Some("/sys/kernel/debug"))
}
