// SPDX-License-Identifier: GPL-2.0
//! All ledgers and facts about the system at one moment, as one JSON file.
//!
//! The ledgers are kept as the text that the module printed. So a later version of the tool can read a snapshot, too,
//! and a snapshot goes through the same strict parser as live ledgers.

use std::{fs, path::Path};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    atomic,
    error::{Error, Result},
    ledger::{LATER, Ledgers, NAMES},
    source::{self, Texts},
    system::System,
};

const FORMAT: &str = "reclaimwb-snapshot";
const VERSION: u64 = 1;

/// One ledger in a snapshot.
#[derive(Clone, Debug, Serialize, JsonSchema, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Saved {
    /// Its rows.
    Rows(Vec<String>),
    /// Why there are none.
    Unavailable(String),
}

/// The file.
#[derive(Clone, Debug, Serialize, JsonSchema, Deserialize)]
struct File {
    format: String,
    version: u64,
    tool: String,
    system: System,
    ledgers: std::collections::BTreeMap<String, Saved>,
}

/// What the files of every version contain.
#[derive(Deserialize)]
struct Head {
    format: Option<String>,
    version: Option<u64>,
}

/// All that was known at one moment.
#[derive(Clone, Debug, Serialize, JsonSchema, Deserialize)]
#[serde(into = "File", try_from = "File")]
pub struct Snapshot {
    /// The machine.
    pub system: System,
    texts: Texts,
}

/// What a file of another kind is called in errors.
const NEITHER: &str = "neither a recording nor a snapshot; make one with: reclaimwb record -o FILE";

/// The first bytes of a file that gzip made.
const GZIP: &[u8] = &[0x1f, 0x8b];

impl Snapshot {
    /// Takes a snapshot of the ledgers in `debugfs`.
    pub fn take(debugfs: &Path) -> Result<Self> {
        let snapshot = Self { texts: source::read(debugfs)?, system: System::collect(Path::new("/")) };
        // If this tool cannot read a ledger, the user must learn it now, and not weeks later.
        snapshot.ledgers()?;
        Ok(snapshot)
    }

    /// Loads a saved snapshot.
    pub fn load(path: &Path) -> Result<Self> {
        let bad = |what: String| Error::Snapshot { path: path.to_owned(), what };
        let bytes = fs::read(path).map_err(|err| Error::io("read", path, err))?;
        let text = String::from_utf8(bytes).map_err(|err| {
            bad(if err.as_bytes().starts_with(GZIP) {
                "this is compressed; unpack it first: gunzip".into()
            } else {
                format!("this is not text, so it is {NEITHER}")
            })
        })?;
        let json_error = |err: serde_json::Error| {
            bad(if text.trim().is_empty() {
                format!("the file is empty, so it is {NEITHER}")
            } else if err.is_eof() {
                "the file is cut off; take the snapshot again or copy it again".into()
            } else {
                format!("line {}, column {}: this is {NEITHER}", err.line(), err.column())
            })
        };
        let head: Head = serde_json::from_str(&text).map_err(json_error)?;
        if head.format.as_deref() != Some(FORMAT) {
            return Err(bad(format!("this is JSON but {NEITHER}")));
        }
        if let Some(what) = other_version(head.version) {
            return Err(bad(what));
        }
        let file: File = serde_json::from_str(&text).map_err(json_error)?;
        file.try_into().map_err(bad)
    }

    /// The snapshot as JSON text.
    pub fn to_json(&self) -> String {
        // Plain strings, numbers and maps with string keys always serialize.
        serde_json::to_string_pretty(self).map_or_else(|_| String::new(), |json| json + "\n")
    }

    /// Saves the snapshot. Afterwards `path` contains either all of it or nothing of it.
    pub fn save(&self, path: &Path) -> Result<()> {
        atomic::replace(path, None, |out| out.write_all(self.to_json().as_bytes()))
    }

    /// The ledgers as types.
    pub fn ledgers(&self) -> Result<Ledgers> {
        source::ledgers(&self.texts, "it is not in the snapshot")
    }
}

/// What to say about a version that this tool does not read.
fn other_version(version: Option<u64>) -> Option<String> {
    let found = version.map_or_else(|| "without a number".to_owned(), |v| v.to_string());
    (version != Some(VERSION)).then(|| {
        format!("snapshot version {found}; this tool reads version {VERSION}; use the reclaimwb that made the file")
    })
}

impl From<Snapshot> for File {
    fn from(snapshot: Snapshot) -> Self {
        let ledgers = snapshot.texts.into_iter().map(|(name, text)| {
            let saved = match text {
                Ok(text) => Saved::Rows(text.lines().map(str::to_owned).collect()),
                Err(why) => Saved::Unavailable(why),
            };
            (name, saved)
        });
        Self {
            format: FORMAT.into(),
            version: VERSION,
            tool: concat!("reclaimwb ", env!("CARGO_PKG_VERSION")).into(),
            system: snapshot.system,
            ledgers: ledgers.collect(),
        }
    }
}

impl TryFrom<File> for Snapshot {
    type Error = String;

    fn try_from(file: File) -> std::result::Result<Self, String> {
        if file.format != FORMAT {
            return Err(format!("{:?} is not a snapshot", file.format));
        }
        if let Some(what) = other_version(Some(file.version)) {
            return Err(what);
        }
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
            return Err(format!("ledger {missing} is not in the file; take the snapshot again"));
        }
        Ok(Self { system: file.system, texts })
    }
}
