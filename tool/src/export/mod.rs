// SPDX-License-Identifier: GPL-2.0
//! The ledgers for Prometheus, in the text format that the textfile collector of the node exporter reads.
//!
//! Counters count since the module was loaded. Prometheus takes a reload for a counter reset. A ledger that could not
//! be read, or whose probes are off, has no samples, because a zero would mean that nothing happened.

mod families;
mod helper;
mod nbd;
mod reserves;
mod sample;
mod side;
mod stalls;
mod status;
mod waits;
mod writes;

use std::path::Path;

pub use families::{Family, Kind, Row, Unit};
use sample::{Bounds, Samples, Value};

use crate::{atomic, error::Result, ledger::Hierarchy, narrow, snapshot::Snapshot};

/// The snapshot in Prometheus' text format. With `cgroups`, it includes what is counted by cgroup. With `only`, it has
/// nothing but that, for one cgroup and those below it.
pub fn prometheus(snapshot: &Snapshot, cgroups: bool, only: Option<&str>) -> Result<String> {
    let ledgers = snapshot.ledgers()?;
    let mut samples = Samples::default();
    let cgroups = cgroups || only.is_some();
    status::add(&mut samples, &ledgers, &snapshot.system);
    writes::add(&mut samples, &ledgers, cgroups);
    helper::add(&mut samples, &ledgers);
    stalls::add(&mut samples, &ledgers, cgroups);
    side::add(&mut samples, &ledgers);
    waits::add(&mut samples, &ledgers, cgroups);
    reserves::add(&mut samples, &ledgers);
    nbd::add(&mut samples, &ledgers);
    let Some(asked) = only.map(narrow::path) else { return Ok(samples.text()) };
    samples.retain(|labels| labels.iter().any(|(label, path)| *label == "path" && narrow::is_asked(path, asked)));
    // It must fit on one line.
    let shown: String = asked.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let head = format!(
        "# Only cgroup {shown} and those below it: what is not counted by cgroup, or is known of none, is left out.\n"
    );
    Ok(head + &samples.text())
}

/// Replaces the file at `path` with the text, in one step. Everybody can read the file, because the collector runs
/// without privileges.
pub fn save(text: &str, path: &Path) -> Result<()> {
    atomic::replace(path, Some(0o644), |out| out.write_all(text.as_bytes()))
}

/// The label used instead of a path for all cgroups that were removed and have no row any more.
const REMOVED: &str = "(removed)";

/// The labels of a cgroup. A path alone is not enough: a cgroup that is gone has none, and v1 hierarchies have paths of
/// their own.
fn cgroup<'a>(hierarchy: Hierarchy, id: &'a str, path: Option<&'a str>) -> [&'a str; 3] {
    let hierarchy = match hierarchy {
        Hierarchy::V2 => "v2",
        Hierarchy::V1 => "v1",
    };
    [hierarchy, id, path.unwrap_or("")]
}
