// SPDX-License-Identifier: GPL-2.0
//! Reads `key value` rows strictly: a row that is missing, doubled or cut off is an error.

use std::collections::BTreeMap;

use crate::{
    error::{Error, Result},
    names::Origin,
};

/// The rows of one ledger that were not taken yet.
#[derive(Debug)]
pub struct Rows {
    ledger: &'static str,
    left: BTreeMap<String, String>,
    unknown: Vec<String>,
}

impl Rows {
    /// Splits a ledger's text into rows.
    pub fn parse(ledger: &'static str, text: &str) -> Result<Self> {
        if text.is_empty() && ledger == "status" {
            return Err(Error::ledger(ledger, "it is empty"));
        }
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(Error::ledger(ledger, "it is cut off in the last row"));
        }
        let mut rows = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let Some((key, value)) = line.split_once(' ').filter(|(k, v)| !k.is_empty() && !v.is_empty()) else {
                return Err(Error::ledger(ledger, format!("line {number} is not `key value`: {line:?}")));
            };
            if rows.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(Error::ledger(ledger, format!("row {key} is there twice (line {number})")));
            }
        }
        Ok(Self { ledger, left: rows, unknown: Vec::new() })
    }

    /// An error about this ledger.
    pub fn error(&self, what: impl Into<String>) -> Error {
        Error::ledger(self.ledger, what)
    }

    /// Takes a row that may be absent.
    pub fn take_opt(&mut self, key: &str) -> Option<String> {
        self.left.remove(key)
    }

    /// Takes a row that must be there.
    pub fn take(&mut self, key: &str) -> Result<String> {
        self.take_opt(key).ok_or_else(|| self.error(format!("row {key} is missing")))
    }

    /// Takes a number that must be there.
    pub fn number(&mut self, key: &str) -> Result<u64> {
        let value = self.take(key)?;
        self.parse_number(key, &value)
    }

    /// Takes a number that may be absent.
    pub fn number_opt(&mut self, key: &str) -> Result<Option<u64>> {
        self.take_opt(key).map(|value| self.parse_number(key, &value)).transpose()
    }

    /// What follows `prefix` in the keys of the rows that were not taken yet.
    pub fn keys<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.left.range(prefix.to_owned()..).map_while(move |(key, _)| key.strip_prefix(prefix))
    }

    /// Takes all rows whose key begins with `prefix`. Returns the rest of each key, and the value.
    pub fn take_prefix(&mut self, prefix: &str) -> Vec<(String, String)> {
        let keys: Vec<String> = self
            .left
            .range(prefix.to_owned()..)
            .map(|(key, _)| key)
            .take_while(|key| key.starts_with(prefix))
            .cloned()
            .collect();
        keys.into_iter().filter_map(|key| Some((key[prefix.len()..].to_owned(), self.left.remove(&key)?))).collect()
    }

    /// The origins that the module tells apart. A module that is older than handoff does not have the writer.
    pub fn origins(&self) -> Vec<Origin> {
        let writer = self.keys("writer.").next().is_some();
        Origin::ALL.iter().copied().filter(|origin| writer || *origin != Origin::Writer).collect()
    }

    /// Reads an unsigned decimal number.
    pub fn parse_number(&self, key: &str, value: &str) -> Result<u64> {
        // `u64::from_str` accepts a leading plus, but the format does not.
        let digits = Some(value).filter(|value| value.bytes().all(|b| b.is_ascii_digit()));
        digits
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| self.error(format!("row {key} is not a number: {value:?}")))
    }

    /// Notes parts of rows that this tool does not know.
    pub fn note_unknown(&mut self, parts: impl IntoIterator<Item = String>) {
        self.unknown.extend(parts);
    }

    /// The keys and parts of rows that this tool does not know, because the module is newer.
    pub fn unknown(self) -> Vec<String> {
        self.left.into_keys().chain(self.unknown).collect()
    }
}

/// Adds numbers without wrapping, because a crafted file must not lead to a small sum.
pub fn total(numbers: impl IntoIterator<Item = u64>) -> u64 {
    numbers.into_iter().fold(0, u64::saturating_add)
}

/// The growth of a counter. A counter cannot shrink while the module stays loaded.
pub fn grown(name: &str, now: u64, before: u64) -> Result<u64> {
    now.checked_sub(before)
        .ok_or_else(|| Error::Since(format!("{name} was {before} in the earlier snapshot and is {now} now")))
}
