// SPDX-License-Identifier: GPL-2.0
//! The ledgers for Prometheus, in the text format that its node exporter's textfile collector reads.
//!
//! Counters count since the module was loaded; a reload is a counter reset, which Prometheus knows. A ledger that could
//! not be read, or whose probes are off, has no samples: a zero would say that nothing happened.

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

/// The snapshot in Prometheus' text format; `cgroups`: also what is counted by cgroup; `only`: that alone, of one and
/// those below it.
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
    // It stands on a line.
    let shown: String = asked.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let head = format!(
        "# Only cgroup {shown} and those below it: what is not counted by cgroup, or is known of none, is left out.\n"
    );
    Ok(head + &samples.text())
}

/// Puts the text in the place of `path`, all at once. The file is readable for all, as the collector runs without
/// privilege.
pub fn save(text: &str, path: &Path) -> Result<()> {
    atomic::replace(path, Some(0o644), |out| out.write_all(text.as_bytes()))
}

/// Instead of a path: of all that were removed, and have no row any more.
const REMOVED: &str = "(removed)";

/// The labels of a cgroup. A path alone would not do: a cgroup that is gone has none, and v1 hierarchies have their own.
fn cgroup<'a>(hierarchy: Hierarchy, id: &'a str, path: Option<&'a str>) -> [&'a str; 3] {
    let hierarchy = match hierarchy {
        Hierarchy::V2 => "v2",
        Hierarchy::V1 => "v1",
    };
    [hierarchy, id, path.unwrap_or("")]
}
