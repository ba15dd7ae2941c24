// SPDX-License-Identifier: GPL-2.0
//! Watches the module's parameters. No trace event says that one was set, but this may explain what a chart shows.

use std::{collections::BTreeMap, path::PathBuf, time::Instant};

use super::LOOK_EVERY;
use crate::{
    recording::{Event, PARAMETER, Value},
    system,
};

/// The values of the parameters when they were read last.
#[derive(Debug)]
pub(super) struct Params {
    dir: PathBuf,
    values: BTreeMap<String, String>,
    looked: Instant,
}

impl Params {
    /// Reads the parameters as they are now.
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { values: system::params(&dir), dir, looked: Instant::now() }
    }

    /// Whether it is time to read them again.
    pub(super) fn is_due(&self) -> bool {
        self.looked.elapsed() >= LOOK_EVERY
    }

    /// An event at the time `ns`, which is now, for each parameter whose value has changed since they were read last.
    pub(super) fn changes(&mut self, ns: u64) -> Vec<Event> {
        self.looked = Instant::now();
        let now = system::params(&self.dir);
        // If the module is gone or is being loaded again, nothing was set.
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
        // The module is gone, and then it is there again.
        fs::remove_file(dir.path().join("handoff")).expect("removed");
        assert!(params.changes(4).is_empty());
        set("handoff", "always");
        assert!(params.changes(5).is_empty());
    }
}
