// SPDX-License-Identifier: GPL-2.0
//! The module's parameters, from the module's own table ([`reclaimwb_words::Parameter`]).

use std::sync::LazyLock;

use reclaimwb_words::{Mode, Parameter, Values};

use crate::error::{Error, Result};

/// The kinds of values of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Y or N.
    Flag,
    /// A number from the first to the second.
    Number {
        /// The least.
        min: u64,
        /// The greatest.
        max: u64,
        /// Only powers of two.
        power_of_two: bool,
    },
    /// 0 (off) to the size of a kernel stack in bytes, which depends on the kernel.
    OfStack,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name in `/sys/module/reclaimwb/parameters`.
    pub name: &'static str,
    /// The kind of its values.
    pub kind: Kind,
    /// Its value if nobody sets it.
    pub default: String,
    /// The unit of a number.
    pub unit: Option<&'static str>,
    /// Whether it can be set while the module is loaded.
    pub at_run_time: bool,
    /// What it is for.
    pub meaning: &'static str,
}

impl From<Parameter> for Param {
    fn from(parameter: Parameter) -> Self {
        let (kind, default, unit) = match parameter.values() {
            Values::Switch { default } => (Kind::Flag, if default { "Y" } else { "N" }.into(), None),
            Values::Number { default, min, max, power_of_two, unit } => {
                (Kind::Number { min, max, power_of_two }, default.to_string(), Some(unit))
            }
            Values::OfStack { default, .. } => (Kind::OfStack, default.to_string(), Some("bytes")),
            Values::Mode { default } => (Kind::Word(Mode::NAMES), default.name().into(), None),
        };
        let (name, at_run_time, meaning) = (parameter.name(), parameter.at_run_time(), parameter.meaning());
        Self { name, kind, default, unit, at_run_time, meaning }
    }
}

/// All of them.
pub static PARAMS: LazyLock<Vec<Param>> =
    LazyLock::new(|| Parameter::ALL.iter().map(|&parameter| parameter.into()).collect());

/// The parameter of this name.
pub fn find(name: &str) -> Result<&'static Param> {
    PARAMS.iter().find(|param| param.name == name).ok_or_else(|| {
        let distance = |param: &&Param| strsim::damerau_levenshtein(param.name, &name.replace('-', "_").to_lowercase());
        // If the distance to each name is too large, none is suggested.
        let nearest = PARAMS.iter().min_by_key(distance).filter(|param| distance(param) <= name.len() / 2);
        let nearest = nearest.map_or(String::new(), |param| format!("; the nearest is {}", param.name));
        Error::Param(format!("the module has no parameter {name:?}{nearest} (reclaimwb tune lists all of them)"))
    })
}
