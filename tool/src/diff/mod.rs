// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb diff`: two recordings or snapshots side by side. What changed most comes first.

mod condition;
mod figures;
mod side;

use schemars::JsonSchema;
use serde::Serialize;

pub use condition::{Against, Condition, Op};
pub use figures::{Bound, Figure, Got, Number, Range, Unit, all as figures};
pub use side::Side;

use crate::error::{Error, Result};

/// Name of the JSON structure.
pub const FORMAT: &str = "reclaimwb-diff";
/// Its version. It is raised if a field changes its meaning or is removed.
pub const VERSION: u32 = 1;

/// Lengths that differ by less than this count as the same.
const SAME_LENGTH: f64 = 0.01;

/// What one side is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct About {
    /// The file.
    pub file: String,
    /// `recording` or `snapshot`.
    pub source: &'static str,
    /// The command that was recorded.
    pub command: Option<Vec<String>>,
    /// When the counting ended, as RFC 3339.
    pub at: String,
    /// How long was counted; absent if it was counted since the module was loaded.
    pub seconds: Option<f64>,
}

/// A difference between the machines or the modules.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Changed {
    /// What differs.
    pub what: String,
    /// The value in A; absent if it has none.
    pub a: Option<String>,
    /// The value in B; absent if it has none.
    pub b: Option<String>,
}

/// A figure of both sides.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// What it is measured in.
    pub unit: Unit,
    /// Whether it grows over time.
    pub adds_up: bool,
    /// The number of A.
    pub a: Option<Number>,
    /// Why A does not have it.
    pub a_missing: Option<String>,
    /// The number of B.
    pub b: Option<Number>,
    /// Why B does not have it.
    pub b_missing: Option<String>,
    /// B divided by A, per second if the lengths differ and the figure adds up; absent if one is missing, or if A is 0
    /// and B is not.
    pub ratio: Option<f64>,
    /// How much the figure changed; 0 if it did not.
    #[serde(skip)]
    pub weight: f64,
}

impl Row {
    /// Whether both sides have the figure, with the same value.
    pub fn is_same(&self) -> bool {
        matches!((&self.a, &self.b), (Some(a), Some(b)) if a == b)
    }
}

/// The outcome of a condition.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Outcome {
    /// The condition, as it was given.
    pub condition: String,
    /// Whether it holds. Then the comparison fails.
    pub holds: bool,
    /// Whether that is known. If a figure is known only as a bound, the condition may hold for some of the values that
    /// it can have, and not for others. Then `holds` is false.
    pub decided: bool,
    /// What it was compared with: a ratio, or the figure of B in its unit; absent if it is a ratio to 0. If there is only
    /// a bound of a figure, this is the bound, or the ratio of bounds.
    pub value: Option<f64>,
    /// The least that this can be; absent if it is a ratio to 0.
    pub least: Option<f64>,
    /// The most that it can be; absent if there is no limit.
    pub most: Option<f64>,
    /// Whether `value` is a ratio.
    pub is_ratio: bool,
    /// What the figure is measured in.
    pub unit: Unit,
}

/// The comparison.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Diff {
    /// [`FORMAT`].
    pub format: &'static str,
    /// [`VERSION`].
    pub version: u32,
    /// Name and version of the tool.
    pub tool: &'static str,
    /// The first side.
    pub a: About,
    /// The second side.
    pub b: About,
    /// Whether what adds up is compared per second.
    pub per_second: bool,
    /// What differs apart from the figures.
    pub changed: Vec<Changed>,
    /// The figures. What changed most comes first, and what one side lacks comes last.
    pub figures: Vec<Row>,
    /// The outcomes of the conditions.
    pub conditions: Vec<Outcome>,
    /// What a reader has to know to understand the comparison.
    pub notes: Vec<String>,
}

impl Diff {
    /// Whether a condition holds.
    pub fn fails(&self) -> bool {
        self.conditions.iter().any(|outcome| outcome.holds)
    }
}

/// Compares two sides.
pub fn compare(mut a: Side, mut b: Side, figures: &[Figure], conditions: &[Condition]) -> Result<Diff> {
    if a.is_absent && b.is_absent {
        return Err(Error::Options(format!("--cgroup: neither {} nor {} has anything of it", a.file, b.file)));
    }
    let mut notes = Vec::new();
    if a.stalls_us.is_none() || b.stalls_us.is_none() {
        // Exact figures cannot be compared with bounds.
        (a.stalls_us, b.stalls_us) = (None, None);
        notes.push(
            "The times that 50, 90 and 99 of 100 stalls took are upper bounds, powers of two: recordings have them \
             exactly, if they hold every stall event."
                .into(),
        );
    }
    let lengths = a.seconds.zip(b.seconds).filter(|(a, b)| *a > 0.0 && *b > 0.0);
    let per_second = lengths.is_some_and(|(a, b)| (a - b).abs() > SAME_LENGTH * a.max(b));
    if lengths.is_none() {
        notes.push(
            "What is counted since the module was loaded has no known length: totals are compared, not rates per \
             second."
                .into(),
        );
    }
    let scale = lengths.filter(|_| per_second).map_or(1.0, |(a, b)| a / b);
    let mut rows: Vec<Row> = figures.iter().map(|figure| row(figure, &a, &b, scale)).collect();
    let outcomes: Result<Vec<Outcome>> = conditions.iter().map(|condition| judge(condition, &rows, scale)).collect();
    rows.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    Ok(Diff {
        format: FORMAT,
        version: VERSION,
        tool: concat!("reclaimwb ", env!("CARGO_PKG_VERSION")),
        changed: changed(&a, &b),
        a: about(a),
        b: about(b),
        per_second,
        figures: rows,
        conditions: outcomes?,
        notes,
    })
}

fn about(side: Side) -> About {
    About {
        file: side.file,
        source: side.report.taken.source,
        command: side.command,
        at: side.at,
        seconds: side.seconds,
    }
}

fn row(figure: &Figure, a: &Side, b: &Side, scale: f64) -> Row {
    let (a, b) = (figure.of(a), figure.of(b));
    let scale = if figure.adds_up { scale } else { 1.0 };
    let both = a.as_ref().ok().zip(b.as_ref().ok()).map(|(a, b)| (a.value, b.value * scale));
    let (a, a_missing) = split(a);
    let (b, b_missing) = split(b);
    Row {
        name: figure.name.clone(),
        unit: figure.unit,
        adds_up: figure.adds_up,
        a,
        a_missing,
        b,
        b_missing,
        ratio: both.and_then(|(a, b)| ratio(a, b)).filter(|ratio| ratio.is_finite()),
        // Small amounts are noise, even if one is many times the other.
        weight: both.map_or(-1.0, |(a, b)| {
            let grain = figure.unit.grain();
            ((b + grain) / (a + grain)).ln().abs()
        }),
    }
}

fn split(got: Got) -> (Option<Number>, Option<String>) {
    match got {
        Ok(number) => (Some(number), None),
        Err(why) => (None, Some(why)),
    }
}

/// The ratio; `None` if A is 0 and B is not.
fn ratio(a: f64, b: f64) -> Option<f64> {
    match (a == 0.0, b == 0.0) {
        (true, true) => Some(1.0),
        (true, false) => None,
        _ => Some(b / a),
    }
}

fn judge(condition: &Condition, rows: &[Row], scale: f64) -> Result<Outcome> {
    let missing = |side: &str, why: Option<&String>| {
        Error::Options(format!(
            "--fail-if {:?}: {side} has no {}: {}",
            condition.text,
            condition.figure,
            why.map_or("not known", String::as_str)
        ))
    };
    let row = rows.iter().find(|row| row.name == condition.figure);
    let row = row.ok_or_else(|| missing("the comparison", None))?;
    let b = row.b.ok_or_else(|| missing("B", row.b_missing.as_ref()))?;
    let (value, range, right, is_ratio) = match condition.against {
        Against::Absolute(right) => (Some(b.value), b.range(), right, false),
        Against::Ratio(right) => {
            let a = row.a.ok_or_else(|| missing("A", row.a_missing.as_ref()))?;
            let exact = a.bound == Bound::Exact && b.bound == Bound::Exact;
            // If A is 0 and B is not, the ratio counts as infinite.
            let range = if exact {
                Range::exact(row.ratio.unwrap_or(f64::INFINITY))
            } else {
                let scale = if row.adds_up { scale } else { 1.0 };
                let b = b.range();
                Range::ratio(Range { least: b.least * scale, most: b.most * scale, ..b }, a.range())
            };
            (row.ratio, range, right, true)
        }
    };
    let holds = condition.op.holds(range, right);
    Ok(Outcome {
        condition: condition.text.clone(),
        // What may hold or not does not fail: a bucket's end is not a value that was reached.
        holds: holds == Some(true),
        decided: holds.is_some(),
        value,
        least: Some(range.least).filter(|least| least.is_finite()),
        most: Some(range.most).filter(|most| most.is_finite()),
        is_ratio,
        unit: row.unit,
    })
}

fn changed(a: &Side, b: &Side) -> Vec<Changed> {
    let mut list = Vec::new();
    let mut note = |what: String, a: Option<String>, b: Option<String>| {
        if a != b {
            list.push(Changed { what, a, b });
        }
    };
    let command = |side: &Side| side.command.as_ref().map(|words| words.join(" "));
    note("command".into(), command(a), command(b));
    let (m, n) = (&a.report.machine, &b.report.machine);
    note("kernel".into(), Some(m.kernel.clone()), Some(n.kernel.clone()));
    note("CPUs".into(), Some(m.cpus.to_string()), Some(n.cpus.to_string()));
    let memory = |bytes: Option<u64>| bytes.map(crate::format::mib);
    note("memory".into(), memory(m.memory_bytes), memory(n.memory_bytes));
    note("module".into(), Some(a.report.module.version.clone()), Some(b.report.module.version.clone()));
    for (kind, a, b) in
        [("parameter", &a.report.module.params, &b.report.module.params), ("setting", &m.settings, &n.settings)]
    {
        let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
        for name in names {
            note(format!("{kind} {name}"), a.get(name).cloned(), b.get(name).cloned());
        }
    }
    let swaps = |swaps: &[crate::system::Swap]| {
        let names = swaps
            .iter()
            .map(|swap| format!("{} ({})", swap.name, crate::format::mib(swap.size_kib.saturating_mul(1024))));
        names.collect::<Vec<_>>().join(", ")
    };
    note("swap".into(), Some(swaps(&m.swaps)), Some(swaps(&n.swaps)));
    list
}
