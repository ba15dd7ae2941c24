// SPDX-License-Identifier: GPL-2.0

//! `metadata`: pages of block devices that reclaim evicted and that were read again, and bitmaps
//! that ext4 read.

use crate::{
    ledgers::{
        metadata::{
            Bitmap,
            MetadataDevice, //
        },
        Ledgers, //
    },
    policy::log2,
    words::{
        Event,
        Group,
        Origin, //
    },
};
use kernel::{
    fmt,
    prelude::*,
    sync::Arc, //
};

/// Formats the file `metadata`.
pub(super) fn metadata(ledgers: &Arc<Ledgers>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let needs = [
        ledgers.states.state(Event::FolioGone),
        ledgers.states.state(Event::FolioAdded),
    ];
    writeln!(f, "state {}", super::group(Group::Metadata, &needs))?;
    let counts = &ledgers.metadata.counts;
    for &origin in Origin::ALL {
        let n = counts.sum(|c| c.evicted(origin));
        writeln!(f, "{}.evicted.pages {n}", origin.name())?;
    }
    let mut seen = KVec::<u32>::new();
    for dev in counts
        .all()
        .flat_map(|c| c.devices())
        .filter_map(MetadataDevice::number)
    {
        if !seen.contains(&dev) {
            seen.push(dev, GFP_KERNEL).map_err(|_| fmt::Error)?;
        }
    }
    for dev in seen {
        let sum = |get: &dyn Fn(&MetadataDevice) -> u64| {
            counts.sum(|c| {
                let own = c.devices().filter(|d| d.number() == Some(dev));
                own.map(get).fold(0, u64::wrapping_add)
            })
        };
        // A dev_t has 12 bits for the major and 20 bits for the minor number.
        let (major, minor) = (dev >> 20, dev & 0xf_ffff);
        let evicted = ledgers.metadata.evicted(dev);
        let reread = sum(&|d| d.reread.get());
        writeln!(f, "device.{major}:{minor}.evicted.pages {evicted}")?;
        writeln!(f, "device.{major}:{minor}.reread.pages {reread}")?;
        for (of, name, event) in [
            (Bitmap::Blocks, "blocks", Event::BlockBitmap),
            (Bitmap::Inodes, "inodes", Event::InodeBitmap),
        ] {
            if !ledgers.states.state(event).works() {
                continue;
            }
            let all = sum(&|d| d.bitmaps(of).map_or(0, |r| r.all.get()));
            let again = sum(&|d| d.bitmaps(of).map_or(0, |r| r.again.get()));
            writeln!(f, "device.{major}:{minor}.bitmaps.{name}.reads {all}")?;
            writeln!(f, "device.{major}:{minor}.bitmaps.{name}.reread {again}")?;
        }
        for bucket in 0..log2::BUCKETS {
            let n = sum(&|d| d.hist.get(bucket));
            if n != 0 {
                let from = log2::lower_bound(bucket);
                writeln!(f, "device.{major}:{minor}.reread.hist.ms.{from} {n}")?;
            }
        }
    }
    writeln!(f, "forgotten.folios {}", counts.sum(|c| c.forgotten.get()))?;
    writeln!(f, "others.evicted.pages {}", counts.sum(|c| c.others.get()))
}
