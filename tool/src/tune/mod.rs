// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb tune`: shows and sets the module's parameters.
//!
//! [`table`] says what they are, [`value`] what they may be, [`set`] writes them, [`show`] prints them.

pub mod set;
pub mod show;
pub mod table;
pub mod value;

use std::{collections::BTreeMap, fs, io, path::Path};

use crate::{
    cli,
    error::{Error, Result},
    source,
};
pub use show::File;
use table::{PARAMS, Param};

/// Where the parameters are.
pub const DEFAULT_DIR: &str = "/sys/module/reclaimwb/parameters";

/// What the loaded module says.
#[derive(Debug)]
pub struct Now {
    /// Values, as the kernel writes them; a module of another age lacks some.
    pub values: BTreeMap<&'static str, String>,
    /// Bytes of a stack, if the ledgers can be read.
    pub stack_size: Option<u64>,
}

impl Now {
    /// Reads the parameters in `dir`.
    pub fn read(dir: &Path, debugfs: &Path) -> Result<Self> {
        if !dir.is_dir() {
            return Err(Error::NotLoaded(dir.to_owned()));
        }
        let mut values = BTreeMap::new();
        for param in &*PARAMS {
            let path = dir.join(param.name);
            match fs::read_to_string(&path) {
                Ok(text) => drop(values.insert(param.name, text.trim_end().to_owned())),
                Err(err) if err.kind() == io::ErrorKind::NotFound => {}
                Err(err) => return Err(Error::io("read", path, err)),
            }
        }
        Ok(Self { values, stack_size: stack_size(debugfs) })
    }
}

/// Bytes of a stack: the ledgers know, which root may read.
fn stack_size(debugfs: &Path) -> Option<u64> {
    let texts = source::read_some(debugfs, &["status", "headroom"]).ok()?;
    Some(source::ledgers(&texts, source::NOT_READ).ok()?.headroom.ok()?.stack_size)
}

/// Sets what is to be set, then gives it, or all if nothing is named; also as text in so many columns.
pub fn run(args: &cli::Tune, width: usize) -> Result<(File, String)> {
    let wanted = args.params.iter().map(|word| Wanted::parse(word)).collect::<Result<Vec<_>>>()?;
    let before = Now::read(&args.parameters, &args.source.debugfs)?;
    let changes = set::check(&wanted, &before)?;
    set::write(&args.parameters, &changes)?;
    let now = Now::read(&args.parameters, &args.source.debugfs)?;
    let mut shown: Vec<&Param> = wanted.iter().map(|wanted| wanted.param).collect();
    if shown.is_empty() {
        shown = PARAMS.iter().collect();
    }
    Ok((show::file(&shown, &now), show::text(&shown, &before, &now, width)))
}

/// What one word of the command line asks for.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Of which parameter.
    pub param: &'static Param,
    /// The value it shall have, if any.
    pub value: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn parse(word: &'a str) -> Result<Self> {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        Ok(Self { param: table::find(name)?, value })
    }
}
