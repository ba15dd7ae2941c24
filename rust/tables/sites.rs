// SPDX-License-Identifier: GPL-2.0

//! A count for each call site: a few return addresses in an open-addressed table. None is ever
//! removed. Context: any; takes no lock.

use crate::policy::slots;
use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

/// Number of call sites that can be told apart.
const SITES: usize = 64;

struct Site {
    /// The return address; 0 if the entry is free.
    addr: Atomic<usize>,
    n: Atomic<u64>,
}

/// The table of call sites.
pub(crate) struct Sites(KVVec<Site>);

impl Sites {
    /// Allocates the table. Sleeps. Fails with `ENOMEM`.
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

    /// Adds `n` to the count of `addr`. Returns false if there is no room.
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

    /// Returns each call site that has a count, with the count.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        let sites = self
            .0
            .iter()
            .map(|s| (s.addr.load(Relaxed), s.n.load(Relaxed)));
        sites.filter(|&(addr, n)| addr != 0 && n != 0)
    }

    /// Returns the memory that the table uses, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        core::mem::size_of_val(self.0.as_slice())
    }
}
