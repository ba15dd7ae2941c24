// SPDX-License-Identifier: GPL-2.0

//! Why swap writes end, compared with a model of swap (mm/page_io.c).

use proptest::prelude::*;
use reclaimwb_policy::batch::{end_reason, split_reason, Extent, Submitter};
use reclaimwb_words::EndReason;

const ROOM: usize = 32;

/// A folio that is swapped out: its place, its size in pages, and the cgroup that is charged.
#[derive(Clone, Copy, Debug)]
struct SwapFolio {
    device: u64,
    slot: u64,
    pages: u64,
    cgroup: u64,
}

/// A write as the probes see it, and why the model ended it.
struct Write {
    folios: usize,
    place: Extent,
    by: Submitter,
    why: EndReason,
}

fn place(batch: &[SwapFolio]) -> Extent {
    let (first, last) = (batch[0], batch[batch.len() - 1]);
    Extent {
        device: first.device,
        start: first.slot * 8,
        end: (last.slot + last.pages) * 8,
        cgroup: first.cgroup,
    }
}

/// A model of swap_add_folio() and swap_write_submit().
fn swap(folios: &[SwapFolio]) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut batch: Vec<SwapFolio> = Vec::new();
    let submit = |batch: &mut Vec<SwapFolio>, by, why, writes: &mut Vec<Write>| {
        writes.push(Write {
            folios: batch.len(),
            place: place(batch),
            by,
            why,
        });
        batch.clear();
    };
    for folio in folios {
        if let Some(last) = batch.last() {
            let why = if last.device != folio.device {
                Some(EndReason::Device)
            } else if last.slot + last.pages != folio.slot {
                Some(EndReason::Gap)
            } else if last.cgroup != folio.cgroup {
                Some(EndReason::Cgroup)
            } else {
                None
            };
            if let Some(why) = why {
                submit(&mut batch, Submitter::Adder, why, &mut writes);
            }
        }
        batch.push(*folio);
        if batch.len() == ROOM {
            submit(&mut batch, Submitter::Adder, EndReason::Full, &mut writes);
        }
    }
    if !batch.is_empty() {
        submit(&mut batch, Submitter::Ender, EndReason::End, &mut writes);
    }
    writes
}

/// Runs of folios. Most of them are adjacent, and some are on another device or of another cgroup.
fn folios() -> impl Strategy<Value = Vec<SwapFolio>> {
    let step = (
        0u64..40,
        0u64..3,
        0u64..8,
        prop_oneof![9 => Just(1u64), 1 => Just(16u64)],
    );
    prop::collection::vec(step, 0..300).prop_map(|steps| {
        let (mut device, mut slot, mut cgroup) = (1, 1, 1);
        let mut all = Vec::new();
        for (what, to, gap, pages) in steps {
            match what {
                0 => device = to,
                1 | 2 => cgroup = to,
                3 | 4 => slot += gap,
                _ => {}
            }
            all.push(SwapFolio {
                device,
                slot,
                pages,
                cgroup,
            });
            slot += pages;
        }
        all
    })
}

proptest! {
    /// The reason that is derived from each write and the next one is the model's.
    #[test]
    fn what_is_told_is_why_it_ended(folios in folios()) {
        let writes = swap(&folios);
        for (i, write) in writes.iter().enumerate() {
            let told = end_reason(write.folios as u32, ROOM as u32, false, write.by)
                // The one that had another folio writes it, too.
                .unwrap_or_else(|| split_reason(&write.place, &writes[i + 1].place));
            prop_assert_eq!(told, write.why);
        }
    }

    /// If the submitter is not known, no reason is guessed.
    #[test]
    fn nothing_is_guessed(folios in 1u32..32) {
        prop_assert_eq!(end_reason(folios, 32, false, Submitter::Unknown), Some(EndReason::Unknown));
        prop_assert_eq!(end_reason(32, 32, false, Submitter::Unknown), Some(EndReason::Full));
    }

    /// With a synchronous device each folio is a write.
    #[test]
    fn a_synchronous_device_takes_one_at_a_time(folios in 1u32..=32) {
        for by in [Submitter::Adder, Submitter::Ender, Submitter::Unknown] {
            prop_assert_eq!(end_reason(folios, 32, true, by), Some(EndReason::Sync));
        }
    }
}

#[test]
fn writes_that_could_have_been_one_are_not_explained() {
    let last = Extent {
        device: 1,
        start: 0,
        end: 8,
        cgroup: 5,
    };
    let next = Extent {
        device: 1,
        start: 8,
        end: 16,
        cgroup: 5,
    };
    assert_eq!(split_reason(&last, &next), EndReason::Unknown);
}
