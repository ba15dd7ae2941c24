// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb tune`: shows and sets the module's parameters.
//!
//! [`table`] lists the parameters, [`value`] checks their values, [`set`] writes them, and [`show`] prints them.

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

/// The state of the loaded module.
#[derive(Debug)]
pub struct Now {
    /// The values, as the kernel prints them. An older or newer module may lack some.
    pub values: BTreeMap<&'static str, String>,
    /// The size of a stack, in bytes, if the ledgers can be read.
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

/// The size of a stack, in bytes. It is in the ledgers, which only root can read.
fn stack_size(debugfs: &Path) -> Option<u64> {
    let texts = source::read_some(debugfs, &["status", "headroom"]).ok()?;
    Some(source::ledgers(&texts, source::NOT_READ).ok()?.headroom.ok()?.stack_size)
}

/// Sets the parameters that are to be set. Returns those that were named, or all if none was named, also as text in
/// `width` columns.
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

/// What one argument of the command line asks for.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The parameter.
    pub param: &'static Param,
    /// The value to set, if there is one.
    pub value: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn parse(word: &'a str) -> Result<Self> {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        Ok(Self { param: table::find(name)?, value })
    }
}
