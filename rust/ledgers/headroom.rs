// SPDX-License-Identifier: GPL-2.0

//! The headroom ledger: how much stack was left, by origin and layer.
//!
//! One instance per CPU, written with preemption off by handlers in task
//! context.

use crate::{
    kernel_ext::cell::Cell64,
    policy::hist,
    words::{
        Layer,
        Origin, //
    },
};
use pin_init::Zeroable;

/// Samples of one origin at one layer.
#[derive(Zeroable)]
pub(crate) struct Samples {
    /// How many.
    pub(crate) count: Cell64,
    /// Sum of the bytes left.
    pub(crate) sum: Cell64,
    /// Most bytes of stack in use.
    pub(crate) max_depth: Cell64,
    /// Samples by bytes left; see [`hist`].
    pub(crate) hist: [Cell64; hist::BUCKETS],
    /// How many followed a sample of a layer above in the same window.
    pub(crate) used_count: Cell64,
    /// Sum of the bytes used since that layer.
    pub(crate) used_sum: Cell64,
    /// Most bytes used since that layer.
    pub(crate) used_max: Cell64,
}

/// Per-CPU instance.
#[derive(Zeroable)]
pub(crate) struct Headroom {
    samples: [[Samples; Layer::COUNT]; Origin::COUNT],
}

impl Headroom {
    /// Samples of one origin at one layer.
    pub(crate) fn samples(&self, origin: Origin, layer: Layer) -> Option<&Samples> {
        self.samples.get(origin as usize)?.get(layer as usize)
    }

    /// Records a sample, so many times; sizes in bytes.
    #[inline]
    pub(crate) fn record(
        &self,
        origin: Origin,
        layer: Layer,
        headroom: u64,
        depth: u64,
        used: Option<u64>,
        times: u64,
    ) {
        let Some(s) = self.samples(origin, layer) else {
            return;
        };
        s.count.add(times);
        s.sum.add(headroom.wrapping_mul(times));
        s.max_depth.raise(depth);
        if let Some(bucket) = s.hist.get(hist::bucket(headroom)) {
            bucket.add(times);
        }
        if let Some(used) = used {
            s.used_count.add(times);
            s.used_sum.add(used.wrapping_mul(times));
            s.used_max.raise(used);
        }
    }
}
