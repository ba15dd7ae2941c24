// SPDX-License-Identifier: GPL-2.0

//! A count by call site: a few return addresses, found by open addressing; none is ever
//! taken out. Any context, no lock.

use crate::policy::slots;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// Sites that are told apart.
const SITES: usize = 64;

struct Site {
    /// The return address; 0: free.
    addr: Atomic<usize>,
    n: Atomic<u64>,
}

/// The table.
pub(crate) struct Sites(KVVec<Site>);

impl Sites {
    /// Allocates. Sleeps.
    pub(crate) fn new() -> Result<Self> {
        let mut sites = KVVec::with_capacity(SITES, GFP_KERNEL)?;
        for _ in 0..SITES {
            let free = Site {
                addr: Atomic::new(0),
                n: Atomic::new(0),
            };
            sites.push(free, GFP_KERNEL)?;
        }
        Ok(Self(sites))
    }

    /// `n` more of `addr`; false if that has no place.
    pub(crate) fn add(&self, addr: usize, n: u64) -> bool {
        let places = slots::probe_sequence(addr as u64, SITES).filter_map(|i| self.0.get(i));
        for site in places {
            let there = match site.addr.load(Relaxed) {
                0 => site.addr.cmpxchg(0, addr, Relaxed).unwrap_or_else(|is| is),
                is => is,
            };
            if there == 0 || there == addr {
                site.n.fetch_add(n, Relaxed);
                return true;
            }
        }
        false
    }

    /// Each site that counts something, with its count.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let sites = self
            .0
            .iter()
            .map(|s| (s.addr.load(Relaxed), s.n.load(Relaxed)));
        sites.filter(|&(addr, n)| addr != 0 && n != 0)
    }

    /// Memory that it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.0.as_slice())
    }
}
