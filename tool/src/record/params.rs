// SPDX-License-Identifier: GPL-2.0
//! When the module's parameters are set: no trace event says so, and what a chart shows may be due to it.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use super::LOOK_EVERY;
use crate::{
    recording::{Event, PARAMETER, Value},
    system,
};

/// The parameters as they were when they were looked at last.
#[derive(Debug)]
pub(super) struct Params {
    dir: PathBuf,
    values: BTreeMap<String, String>,
    looked: Instant,
}

impl Params {
    /// As they are now.
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { values: system::params(&dir), dir, looked: Instant::now() }
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&self) -> bool {
        self.looked.elapsed() >= LOOK_EVERY
    }

    /// An event, of now (`ns`), for each that has another value than when they were looked at last.
    pub(super) fn changes(&mut self, ns: u64) -> Vec<Event> {
        self.looked = Instant::now();
        let now = system::params(&self.dir);
        // Where the module is gone, or being loaded anew, nothing was set.
        let changed = now.iter().filter_map(|(name, value)| {
            let was = self.values.get(name).filter(|was| *was != value)?;
            let fields = [("name", name), ("before", was), ("after", value)];
            let fields = fields.map(|(key, text)| (key.to_owned(), Value::Text(text.clone())));
            Some(Event {
                ns,
                cpu: 0,
                pid: u64::from(std::process::id()),
                comm: "reclaimwb".into(),
                name: PARAMETER.into(),
                fields: fields.into_iter().collect(),
            })
        });
        let changed = changed.collect();
        self.values.extend(now);
        changed
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_change_once() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let set = |name: &str, value: &str| fs::write(dir.path().join(name), format!("{value}\n")).expect("written");
        set("handoff", "never");
        set("headroom_floor", "2048");
        let mut params = Params::new(dir.path().to_owned());
        assert!(params.changes(1).is_empty());
        set("handoff", "always");
        let changes = params.changes(2);
        let text = |field: &str| changes[0].text(field).expect("a field").into_owned();
        assert_eq!((changes.len(), changes[0].ns, changes[0].name.as_str()), (1, 2, "parameter"));
        assert_eq!(["name", "before", "after"].map(text), ["handoff", "never", "always"]);
        assert!(params.changes(3).is_empty());
        // The module is gone, and there again.
        fs::remove_file(dir.path().join("handoff")).expect("removed");
        assert!(params.changes(4).is_empty());
        set("handoff", "always");
        assert!(params.changes(5).is_empty());
    }
}
