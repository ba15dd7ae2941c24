// SPDX-License-Identifier: GPL-2.0

//! The headroom ledger: the stack that was left, by origin and layer.
//!
//! One instance per CPU. Handlers in task context write it with preemption off.

use crate::{
    kernel_ext::cell::Cell64,
    policy::hist,
    words::{
        Layer,
        Origin, //
    },
};
use pin_init::Zeroable;

/// The samples of one origin at one layer.
#[derive(Zeroable)]
pub(crate) struct Samples {
    /// Number of samples.
    pub(crate) count: Cell64,
    /// Sum of the bytes that were left.
    pub(crate) sum: Cell64,
    /// The most bytes of stack that were in use.
    pub(crate) max_depth: Cell64,
    /// Samples by bytes left; see [`hist`].
    pub(crate) hist: [Cell64; hist::BUCKETS],
    /// Samples that followed a sample of a higher layer in the same window.
    pub(crate) used_count: Cell64,
    /// Sum of the bytes that were used since that layer.
    pub(crate) used_sum: Cell64,
    /// The most bytes that were used since that layer.
    pub(crate) used_max: Cell64,
}

/// The instance of a CPU.
#[derive(Zeroable)]
pub(crate) struct Headroom {
    samples: [[Samples; Layer::COUNT]; Origin::COUNT],
}

impl Headroom {
    /// Returns the samples of one origin at one layer.
    pub(crate) fn samples(&self, origin: Origin, layer: Layer) -> Option<&Samples> {
        self.samples.get(origin as usize)?.get(layer as usize)
    }

    /// Records `times` equal samples. Sizes are in bytes. `used` is the stack that was used since
    /// the layer above; `None` if there was no sample of such a layer.
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
