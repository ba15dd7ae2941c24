// SPDX-License-Identifier: GPL-2.0

//! KUnit tests of the rows of cgroups, of which none exists: that those of removed ones are known.

use super::ledgers;
use crate::{
    kernel_ext::percpu::{
        pinned,
        Pinned, //
    },
    ledgers::{
        cgroups::{
            Path,
            ROWS, //
        },
        Ledgers, //
    },
    policy::cgroup_key::CgroupKey,
};
use kernel::prelude::*;

/// Ids that no cgroup has.
const fn key(n: u64) -> CgroupKey {
    CgroupKey::new(0x7000_0000 + n, false)
}

fn write(ledgers: &Ledgers, pin: &Pinned<'_>, key: CgroupKey) {
    ledgers.cgroups.count(pin, key, false, 1, |by_origin| {
        if let Some(cell) = by_origin.first() {
            cell.add(1);
        }
    });
}

/// Of a cgroup that has a row: what was counted, and whether it is known to be removed.
fn row(ledgers: &Ledgers, key: CgroupKey) -> Result<Option<(u64, bool)>> {
    let totals = ledgers.cgroups.totals()?;
    let found = totals.cgroups().find(|t| t.key == key);
    Ok(found.map(|t| (t.counts.iter().sum(), t.removed)))
}

#[kunit_tests(reclaimwb_cgroups)]
mod suite {
    use super::*;

    #[test]
    fn who_is_removed_is_known_and_where_it_was() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            write(&ledgers, pin, key(1));
            write(&ledgers, pin, key(2));
            ledgers.known.removed(key(1), b"/pods/one");
        });
        assert_eq!(row(&ledgers, key(1))?, Some((1, true)));
        assert_eq!(row(&ledgers, key(2))?, Some((1, false)));
        let mut path = Path::NONE;
        assert_eq!(ledgers.known.path(key(1), &mut path), Some("/pods/one"));
        assert_eq!(ledgers.known.path(key(2), &mut path), None);
        Ok(())
    }

    #[test]
    fn one_that_is_removed_before_its_first_row_is_known_to_be() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| {
            ledgers.known.removed(key(3), b"/pods/three");
            // Its handler looked before that.
            write(&ledgers, pin, key(3));
        });
        assert_eq!(row(&ledgers, key(3))?, Some((1, true)));
        // It gives its row back before a living one loses its own.
        pinned(|pin| {
            for n in 0..ROWS as u64 {
                write(&ledgers, pin, key(100 + n));
            }
        });
        let totals = ledgers.cgroups.totals()?;
        if totals.cgroups().count() <= ROWS {
            assert_eq!(row(&ledgers, key(3))?, None);
            assert_eq!(totals.removed.iter().sum::<u64>(), 1);
        }
        Ok(())
    }

    #[test]
    fn the_last_path_of_an_id_counts_and_old_ones_go() -> Result {
        let ledgers = ledgers()?;
        pinned(|pin| write(&ledgers, pin, key(4)));
        pinned(|_| {
            ledgers.known.removed(key(4), b"/first");
            ledgers.known.removed(key(4), b"/last");
        });
        let mut path = Path::NONE;
        assert_eq!(ledgers.known.path(key(4), &mut path), Some("/last"));
        // More are removed than there is room for; each of them had a row.
        for n in 0..2000 {
            pinned(|pin| {
                write(&ledgers, pin, key(5000 + n));
                ledgers.known.removed(key(5000 + n), b"/later");
            });
        }
        assert_eq!(ledgers.known.path(key(4), &mut path), None);
        assert_eq!(ledgers.known.path(key(6999), &mut path), Some("/later"));
        Ok(())
    }
}
