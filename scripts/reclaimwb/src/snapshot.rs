// SPDX-License-Identifier: GPL-2.0
//! All ledgers and system facts of one moment, as one JSON file.
//!
//! The ledgers are kept as the text the module gave, so that a snapshot can be read again by a later tool and
//! goes through the same strict parser as live ledgers.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    ledger::{LATER, Ledgers, NAMES},
    source::{self, Texts},
    system::System,
};

const FORMAT: &str = "reclaimwb-snapshot";
const VERSION: u64 = 1;

/// One ledger in a snapshot.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Saved {
    /// Its rows.
    Rows(Vec<String>),
    /// Why there are none.
    Unavailable(String),
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    format: String,
    version: u64,
    tool: String,
    system: System,
    ledgers: std::collections::BTreeMap<String, Saved>,
}

/// What every version of the file begins with.
#[derive(Deserialize)]
struct Head {
    format: Option<String>,
    version: Option<u64>,
}

/// All that was known at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// The machine.
    pub system: System,
    texts: Texts,
}

impl Snapshot {
    /// Takes a snapshot of the ledgers in `debugfs`.
    pub fn take(debugfs: &Path) -> Result<Self> {
        let snapshot = Self { texts: source::read(debugfs)?, system: System::collect(Path::new("/")) };
        // A ledger that this tool cannot read must not be found out weeks later.
        snapshot.ledgers()?;
        Ok(snapshot)
    }

    /// Loads a saved snapshot.
    pub fn load(path: &Path) -> Result<Self> {
        let bad = |what: String| Error::Snapshot { path: path.to_owned(), what };
        let text = match fs::read_to_string(path) {
            Err(err) if err.kind() == io::ErrorKind::InvalidData => {
                return Err(bad("this is no snapshot (not text); make one with: reclaimwb snapshot -o FILE".into()));
            }
            other => other.map_err(|err| Error::io("read", path, err))?,
        };
        let json_error = |err: serde_json::Error| {
            bad(if err.is_eof() {
                "the file is cut off; take the snapshot again or copy it again".into()
            } else {
                format!("this is no snapshot ({err}); make one with: reclaimwb snapshot -o FILE")
            })
        };
        let head: Head = serde_json::from_str(&text).map_err(json_error)?;
        if head.format.as_deref() != Some(FORMAT) {
            return Err(bad("this is JSON but no snapshot; make one with: reclaimwb snapshot -o FILE".into()));
        }
        if head.version != Some(VERSION) {
            let found = head.version.map_or_else(|| "without a number".to_owned(), |v| v.to_string());
            return Err(bad(format!(
                "snapshot version {found}, this tool reads version {VERSION}; use the reclaimwb that made the file"
            )));
        }
        let file: File = serde_json::from_str(&text).map_err(json_error)?;
        let mut texts = file
            .ledgers
            .into_iter()
            .map(|(name, saved)| match saved {
                Saved::Rows(rows) => (name, Ok(rows.into_iter().map(|row| row + "\n").collect())),
                Saved::Unavailable(why) => (name, Err(why)),
            })
            .collect::<Texts>();
        for (name, why) in LATER {
            texts.entry(name.to_owned()).or_insert_with(|| Err(why.to_owned()));
        }
        if let Some(missing) = NAMES.iter().find(|name| !texts.contains_key(**name)) {
            return Err(bad(format!("ledger {missing} is not in the file; take the snapshot again")));
        }
        Ok(Self { system: file.system, texts })
    }

    /// The snapshot as JSON text.
    pub fn to_json(&self) -> String {
        let ledgers = self.texts.iter().map(|(name, text)| {
            let saved = match text {
                Ok(text) => Saved::Rows(text.lines().map(str::to_owned).collect()),
                Err(why) => Saved::Unavailable(why.clone()),
            };
            (name.clone(), saved)
        });
        let file = File {
            format: FORMAT.into(),
            version: VERSION,
            tool: concat!("reclaimwb ", env!("CARGO_PKG_VERSION")).into(),
            system: self.system.clone(),
            ledgers: ledgers.collect(),
        };
        // Plain strings, numbers and maps with string keys always serialize.
        serde_json::to_string_pretty(&file).map_or_else(|_| String::new(), |json| json + "\n")
    }

    /// Saves the snapshot: either all of it is in `path` afterwards, or nothing of it.
    pub fn save(&self, path: &Path) -> Result<()> {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let write = || -> io::Result<()> {
            let mut file = tempfile::Builder::new().prefix(".reclaimwb").tempfile_in(dir)?;
            file.write_all(self.to_json().as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|err| err.error)?;
            Ok(())
        };
        write().map_err(|err| Error::io("write", path, err))
    }

    /// The ledgers as types.
    pub fn ledgers(&self) -> Result<Ledgers> {
        Ledgers::parse(|name| match self.texts.get(name) {
            Some(Ok(text)) => Ok(text.as_str()),
            Some(Err(why)) => Err(why.clone()),
            None => Err("it is not in the snapshot".into()),
        })
    }
}
