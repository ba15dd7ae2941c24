// SPDX-License-Identifier: GPL-2.0

//! Which cgroups have a row, compared with a model that knows all of them.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
};

use proptest::prelude::*;
use reclaimwb_policy::{
    cgroup_key::CgroupKey,
    heaviest::{place, rows_per_cpu, Destination, Heir, RowHistory, RowTable},
};

#[derive(Clone, Copy)]
struct Row {
    key: CgroupKey,
    base: u64,
    missed: u64,
    counted: u64,
    gone: bool,
}

const FREE: Row = Row {
    key: CgroupKey::NONE,
    base: 0,
    missed: 0,
    counted: 0,
    gone: false,
};

/// A row that was given away: the cgroup that had it, whether that had been removed, and the heir.
type Given = Option<(CgroupKey, bool, Option<Heir>)>;

struct ModelTable {
    rows: RefCell<Vec<Row>>,
    history: Cell<RowHistory>,
    last: Cell<usize>,
    removals: Cell<u64>,
    other: Cell<u64>,
    removed: Cell<u64>,
    given: Cell<Given>,
    /// Removed cgroups of v2.
    dead: RefCell<Vec<CgroupKey>>,
    /// Number of rows that were looked at.
    looks: Cell<usize>,
}

impl RowTable for ModelTable {
    fn size(&self) -> usize {
        self.rows.borrow().len()
    }

    fn key(&self, at: usize) -> CgroupKey {
        self.looks.set(self.looks.get() + 1);
        self.rows.borrow()[at].key
    }

    fn rank(&self, at: usize) -> u64 {
        let row = self.rows.borrow()[at];
        row.base + row.counted
    }

    fn is_gone(&self, at: usize) -> bool {
        self.rows.borrow()[at].gone
    }

    fn is_gone_for_good(&self, key: CgroupKey) -> bool {
        !key.is_v1() && self.dead.borrow().contains(&key)
    }

    fn removals(&self) -> u64 {
        self.removals.get()
    }

    fn last(&self) -> usize {
        self.last.get()
    }

    fn set_last(&self, at: usize) {
        self.last.set(at);
    }

    fn history(&self) -> RowHistory {
        self.history.get()
    }

    fn set_history(&self, history: RowHistory) {
        self.history.set(history);
    }

    fn give_row(&self, at: usize, heir: Option<Heir>, key: CgroupKey, base: u64, missed: u64) {
        let row = &mut self.rows.borrow_mut()[at];
        self.given.set(Some((row.key, row.gone, heir)));
        match heir {
            None => assert_eq!(row.key, CgroupKey::NONE),
            Some(Heir::Other) => self.other.set(self.other.get() + row.counted),
            Some(Heir::Removed) => self.removed.set(self.removed.get() + row.counted),
        }
        *row = Row {
            key,
            base,
            missed,
            counted: 0,
            gone: false,
        };
    }
}

impl ModelTable {
    fn new(len: usize) -> Self {
        Self {
            rows: RefCell::new(vec![FREE; len]),
            history: Cell::default(),
            last: Cell::default(),
            removals: Cell::default(),
            other: Cell::default(),
            removed: Cell::default(),
            given: Cell::default(),
            dead: RefCell::default(),
            looks: Cell::default(),
        }
    }

    /// Counts `weight` for `key`. Returns the row that was given away for it.
    fn count(&self, key: CgroupKey, gone: bool, weight: u64) -> Given {
        self.given.set(None);
        match place(self, key, gone) {
            Destination::Row(at) => {
                let row = &mut self.rows.borrow_mut()[at];
                assert_eq!(row.key, key);
                row.counted += weight;
            }
            Destination::Other => self.other.set(self.other.get() + weight),
            Destination::Removed => self.removed.set(self.removed.get() + weight),
        }
        self.given.get()
    }

    fn remove(&self, key: CgroupKey) {
        self.dead.borrow_mut().push(key);
        if let Some(row) = self.rows.borrow_mut().iter_mut().find(|r| r.key == key) {
            row.gone = true;
            self.removals.set(self.removals.get() + 1);
        }
    }

    /// Returns how many rows are looked at to count an event.
    fn looks_for(&self, key: CgroupKey, gone: bool) -> usize {
        self.looks.set(0);
        self.count(key, gone, 1);
        self.looks.get()
    }

    fn row(&self, key: CgroupKey) -> Option<Row> {
        self.rows
            .borrow()
            .iter()
            .copied()
            .find(|r| r.key == key && key != CgroupKey::NONE)
    }

    fn room_without_loss(&self) -> bool {
        self.rows
            .borrow()
            .iter()
            .any(|r| r.gone || r.key == CgroupKey::NONE)
    }
}

#[derive(Clone, Debug)]
enum CgroupStep {
    /// A cgroup is created.
    Make,
    /// A living cgroup counts.
    Count(prop::sample::Index, u64),
    /// A removed cgroup counts.
    Late(prop::sample::Index, u64),
    /// A living cgroup is removed.
    Remove(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<CgroupStep>> {
    let step = prop_oneof![
        3 => Just(CgroupStep::Make),
        24 => (any::<prop::sample::Index>(), 1u64..100).prop_map(|(i, w)| CgroupStep::Count(i, w)),
        // Only a few cgroups are heavy.
        6 => (any::<prop::sample::Index>(), 1u64..5000).prop_map(|(i, w)| CgroupStep::Count(i, w)),
        1 => (any::<prop::sample::Index>(), 1u64..100).prop_map(|(i, w)| CgroupStep::Late(i, w)),
        2 => any::<prop::sample::Index>().prop_map(CgroupStep::Remove),
    ];
    prop::collection::vec(step, 0..600)
}

proptest! {
    #[test]
    fn the_heaviest_have_rows(log in 0u32..5, v1 in any::<bool>(), steps in steps()) {
        let len = 1usize << log;
        let table = ModelTable::new(len);
        let mut living: Vec<CgroupKey> = Vec::new();
        let mut dead: Vec<CgroupKey> = Vec::new();
        let mut truth: HashMap<u64, u64> = HashMap::new();
        let (mut made, mut all, mut of_dead) = (0u64, 0u64, 0u64);
        for step in steps {
            match step {
                CgroupStep::Make => {
                    made += 1;
                    living.push(CgroupKey::new(made, v1 && made % 2 == 0));
                }
                CgroupStep::Count(i, weight) if !living.is_empty() => {
                    let key = *i.get(&living);
                    let loses_none = table.room_without_loss();
                    let had = table.row(key);
                    let given = table.count(key, false, weight);
                    *truth.entry(key.0).or_default() += weight;
                    all += weight;
                    if let Some(had) = had {
                        prop_assert_eq!(table.row(key).map(|r| r.counted), Some(had.counted + weight));
                        prop_assert!(given.is_none(), "a row was lost for one that has its own");
                    }
                    // Rows of removed cgroups, and free rows, are used first.
                    let lost = matches!(given, Some((_, _, Some(Heir::Other))));
                    prop_assert!(!(loses_none && lost), "a living one lost its row");
                    if let Some((whose, gone, heir)) = given {
                        prop_assert_eq!(heir == Some(Heir::Removed), gone);
                        prop_assert_eq!(heir.is_none(), whose == CgroupKey::NONE);
                    }
                }
                CgroupStep::Late(i, weight) if !dead.is_empty() => {
                    let given = table.count(*i.get(&dead), true, weight);
                    prop_assert!(given.is_none(), "a dead one got a row");
                    all += weight;
                    of_dead += weight;
                }
                CgroupStep::Remove(i) if !living.is_empty() => {
                    let key = living.swap_remove(i.index(living.len()));
                    of_dead += truth.remove(&key.0).unwrap_or(0);
                    table.remove(key);
                    dead.push(key);
                }
                _ => continue,
            }

            let rows = table.rows.borrow().clone();
            let in_rows: u64 = rows.iter().map(|r| r.counted).sum();
            prop_assert_eq!(in_rows + table.other.get() + table.removed.get(), all);
            prop_assert!(table.removed.get() <= of_dead);
            let history = table.history.get();
            prop_assert!(history.floor <= all / len as u64, "floor {} of {all} in {len} rows", history.floor);
            for key in &living {
                let truth = truth.get(&key.0).copied().unwrap_or(0);
                match table.row(*key) {
                    Some(row) => {
                        prop_assert!(row.counted <= truth);
                        prop_assert!(truth <= row.counted + row.missed);
                        prop_assert!(truth <= row.counted + row.base);
                        prop_assert!(truth - row.counted <= table.other.get());
                    }
                    None => {
                        prop_assert!(truth <= history.may_have(*key));
                        prop_assert!(truth <= all / len as u64, "a heavy one has no row");
                    }
                }
            }
        }
    }
}

fn key(id: u64) -> CgroupKey {
    CgroupKey::new(id, false)
}

/// Containers come and go for good. Those that live have a row, and nothing is missing from it.
#[test]
fn todays_container_is_named() {
    let table = ModelTable::new(8);
    table.count(key(1), false, 1_000_000);
    for id in 2..2000 {
        table.count(key(id), false, 50);
        let row = table.row(key(id)).expect("a row of its own");
        assert_eq!((row.counted, row.missed), (50, 0));
        table.remove(key(id));
    }
    assert_eq!(table.row(key(1)).map(|r| r.counted), Some(1_000_000));
    assert_eq!(table.other.get(), 0);
    assert_eq!(
        table.history.get(),
        RowHistory {
            swept: table.history.get().swept,
            ..RowHistory::default()
        }
    );
}

/// Many light cgroups do not take the row of a heavy one that comes late.
#[test]
fn a_late_heavy_one_is_kept() {
    let table = ModelTable::new(8);
    for round in 0..100 {
        for id in 1..=150 {
            table.count(key(id), false, 1);
        }
        if round >= 10 {
            table.count(key(500), false, 100);
        }
    }
    let row = table.row(key(500)).expect("its row");
    assert_eq!((row.counted, row.missed), (9000, 0));
}

/// An id of a v1 hierarchy that is mounted again belongs to another cgroup.
#[test]
fn a_v1_id_that_is_used_anew_begins_at_zero() {
    let table = ModelTable::new(8);
    let key = CgroupKey::new(7, true);
    table.count(key, false, 30);
    table.remove(key);
    table.count(key, true, 5);
    assert_eq!(table.row(key).map(|r| r.counted), Some(35));
    table.count(key, false, 2);
    assert_eq!(
        table.row(key).map(|r| (r.counted, r.gone)),
        Some((2, false))
    );
    assert_eq!((table.removed.get(), table.other.get()), (35, 0));
}

/// As long as no cgroup was removed since the last search, rows of removed cgroups are not searched
/// again.
#[test]
fn the_dead_are_looked_for_once() {
    let table = ModelTable::new(1);
    table.count(key(1), false, 1);
    table.remove(key(1));
    table.count(key(2), false, 1);
    table.count(key(3), false, 1);
    assert_eq!(table.history.get().swept, 1);
    assert_eq!((table.removed.get(), table.other.get()), (1, 1));
}

/// The cgroup that counted last is found at once. In a table that is half empty every cgroup is
/// found soon.
#[test]
fn a_row_is_found_soon() {
    let table = ModelTable::new(128);
    let ids = 1000..1064;
    for id in ids.clone() {
        table.count(key(id), false, 1);
        assert_eq!(table.looks_for(key(id), false), 1);
        assert_eq!(table.looks_for(key(id), true), 1);
    }
    let looks: usize = ids.clone().map(|id| table.looks_for(key(id), false)).sum();
    assert!(looks <= 8 * ids.count(), "{looks}");
}

/// The last row of a v1 cgroup, which may be another one by now, is used at once only if that has
/// been removed.
#[test]
fn the_last_row_is_looked_at_twice_for_an_id_that_may_be_anothers() {
    let table = ModelTable::new(8);
    let key = CgroupKey::new(7, true);
    table.count(key, false, 1);
    assert!(table.looks_for(key, false) > 1);
    assert_eq!(table.looks_for(key, true), 1);
}

/// The row that was used last may have been one of a larger table.
#[test]
fn a_last_row_that_does_not_exist_is_nobodys() {
    let table = ModelTable::new(8);
    for last in [8, 9, usize::MAX] {
        table.set_last(last);
        table.count(key(1), false, 1);
    }
    assert_eq!(table.row(key(1)).map(|r| r.counted), Some(3));
}

/// With many CPUs each has fewer rows, so that all together grow more slowly.
#[test]
fn rows_by_how_many_cpus_there_are() {
    let of = |cpus| rows_per_cpu(256, cpus);
    assert_eq!([1, 2, 16].map(of), [256; 3]);
    assert_eq!([17, 31, 32].map(of), [128; 3]);
    assert_eq!([33, 128, 8192].map(of), [64; 3]);
    assert_eq!(rows_per_cpu(512, 240), 128);
    for cpus in 1..300 {
        assert!(of(cpus).is_power_of_two());
    }
}
