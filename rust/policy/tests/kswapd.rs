// SPDX-License-Identifier: GPL-2.0

//! Why kswapd does not come to rest.

use proptest::prelude::*;
use reclaimwb_policy::kswapd::{reason, NodePages, Pass};
use reclaimwb_words::KswapdReason;

/// A node where nothing is wrong.
const WELL: NodePages = NodePages {
    free: 1_000,
    high: 500,
    anon: 10_000,
    shmem: 100,
    file: 20_000,
    unevictable: 0,
    swap_free: 1,
    enough: true,
    block: true,
};

fn of(node: NodePages) -> KswapdReason {
    reason(&node, &Pass::default())
}

#[test]
fn each_reason_is_told() {
    assert_eq!(of(WELL), KswapdReason::Demand);
    assert_eq!(
        of(NodePages {
            block: false,
            ..WELL
        }),
        KswapdReason::Order
    );
    // This does not hold if there is too little free memory in all: then a free block is not the
    // problem.
    let short = NodePages {
        enough: false,
        block: false,
        ..WELL
    };
    assert_eq!(of(short), KswapdReason::Demand);
    assert_eq!(
        of(NodePages {
            unevictable: 30_001,
            ..WELL
        }),
        KswapdReason::Unevictable
    );
    assert_eq!(
        of(NodePages {
            unevictable: 30_000,
            ..WELL
        }),
        KswapdReason::Demand
    );
    let no_swap = NodePages {
        swap_free: 0,
        file: 9_999,
        ..WELL
    };
    assert_eq!(of(no_swap), KswapdReason::NoSwap);
    assert_eq!(
        of(NodePages {
            file: 10_000,
            ..no_swap
        }),
        KswapdReason::Demand
    );
    assert_eq!(
        of(NodePages {
            shmem: 5_001,
            ..no_swap
        }),
        KswapdReason::Tmpfs
    );
    assert_eq!(
        of(NodePages {
            shmem: 5_000,
            ..no_swap
        }),
        KswapdReason::NoSwap
    );
    assert_eq!(
        of(NodePages {
            unevictable: 10_001,
            ..no_swap
        }),
        KswapdReason::Unevictable
    );
    // Both are equally large: swap would help.
    assert_eq!(
        of(NodePages {
            unevictable: 10_000,
            ..no_swap
        }),
        KswapdReason::NoSwap
    );
    assert_eq!(
        of(NodePages {
            high: 15_501,
            ..WELL
        }),
        KswapdReason::Watermarks
    );
    assert_eq!(
        of(NodePages {
            high: 15_500,
            ..WELL
        }),
        KswapdReason::Demand
    );
    let pass = |scanned, waiting, used| {
        reason(
            &WELL,
            &Pass {
                scanned,
                waiting,
                used,
            },
        )
    };
    assert_eq!(pass(100, 51, 0), KswapdReason::Writeback);
    assert_eq!(pass(100, 50, 51), KswapdReason::InUse);
    assert_eq!(pass(100, 50, 50), KswapdReason::Demand);
}

proptest! {
    /// No figures of a kernel make the sums overflow, and free swap is never required for a reason.
    #[test]
    fn any_figures_will_do(
        figures in prop::array::uniform6(any::<u64>()), swap_free in 0_u64..2, enough: bool, block: bool,
        pass in prop::array::uniform3(any::<u64>()),
    ) {
        let [free, high, anon, shmem, file, unevictable] = figures;
        let node = NodePages {
            free, high, anon, shmem, file, unevictable, swap_free, enough, block,
        };
        let [scanned, waiting, used] = pass;
        let why = reason(&node, &Pass { scanned, waiting, used });
        prop_assert!(swap_free == 0 || !matches!(why, KswapdReason::Tmpfs | KswapdReason::NoSwap));
    }
}
