// SPDX-License-Identifier: GPL-2.0

//! Property tests of write-around: which dirty file pages are written, when, and how many at once.
//! Each is compared with a simple model.

use std::{
    cell::RefCell,
    collections::{BTreeSet, VecDeque},
    rc::Rc,
};

use proptest::prelude::*;
use reclaimwb_policy::{
    budget::{Budget, LATE_NS, QUICK_NS},
    lanes::{FifoSlot, Lanes, PushError, SHARE},
    log2,
    patience::{self, PageCache},
    window::{score, start_of, PageSet, Range, Ranges, MAX_PAGES},
};

const LANES: usize = 5;

/// A value that reports its drop.
#[derive(Debug)]
struct Token {
    id: usize,
    dropped: Rc<RefCell<Vec<usize>>>,
}

impl Drop for Token {
    fn drop(&mut self) {
        self.dropped.borrow_mut().push(self.id);
    }
}

fn memory<T>(slots: usize) -> Vec<FifoSlot<T>> {
    (0..slots).map(|_| FifoSlot::new()).collect()
}

#[derive(Clone, Debug)]
enum LaneStep {
    Push(usize, u32),
    Pop(usize),
    /// Releases the n-th entry of those that were taken from the lane (modulo their number).
    Release(usize, usize),
}

/// A lane, and sometimes one that does not exist.
fn lane() -> impl Strategy<Value = usize> {
    prop_oneof![20 => 0..LANES, 1 => Just(LANES), 1 => Just(usize::MAX)]
}

fn step() -> impl Strategy<Value = LaneStep> {
    let pages = prop_oneof![
        12 => 1u32..8,
        4 => 1u32..128,
        1 => Just(0),
        1 => Just(u32::MAX),
    ];
    prop_oneof![
        5 => (lane(), pages).prop_map(|(l, p)| LaneStep::Push(l, p)),
        2 => lane().prop_map(LaneStep::Pop),
        2 => (lane(), any::<usize>()).prop_map(|(l, n)| LaneStep::Release(l, n)),
    ]
}

/// What the lanes should hold: (id, pages), in order.
#[derive(Default)]
struct LanesModel {
    queued: [VecDeque<(usize, u32)>; LANES],
    taken: [Vec<u32>; LANES],
    slots: usize,
    limit: u64,
}

impl LanesModel {
    fn lane_pages(&self, lane: usize) -> u64 {
        let queued = self.queued[lane].iter().map(|&(_, p)| u64::from(p));
        let taken = self.taken[lane].iter().map(|&p| u64::from(p));
        queued.chain(taken).sum()
    }

    fn pages(&self) -> u64 {
        (0..LANES).map(|l| self.lane_pages(l)).sum()
    }

    /// Returns the number of entries that hold pages.
    fn holders(&self) -> usize {
        let queued = self.queued.iter().flatten().map(|&(_, p)| p);
        let taken = self.taken.iter().flatten().copied();
        queued.chain(taken).filter(|&p| p != 0).count()
    }

    fn refuses(&self, lane: usize, pages: u32) -> Option<PushError> {
        let slots = self.slots - self.queued.iter().map(VecDeque::len).sum::<usize>();
        let held = self.pages();
        let (pages, left) = (u64::from(pages), self.limit.saturating_sub(held));
        if lane >= LANES || slots == 0 || (held != 0 && pages > left) {
            return Some(PushError::Full);
        }
        // A lane may hold SHARE times what is free then, of the pages and of the slots.
        let holds = self.lane_pages(lane);
        let waits = self.queued[lane].len();
        let pages_over = holds != 0 && holds + pages > SHARE * (left - pages);
        let slots_over = waits != 0 && waits + 1 > SHARE as usize * (slots - 1);
        (pages_over || slots_over).then_some(PushError::Share)
    }
}

/// Pushes entries of one page into the lane until one is refused.
fn flood<const N: usize>(lanes: &mut Lanes<(), Vec<FifoSlot<()>>, N>, lane: usize) -> u64 {
    let mut n = 0;
    while lanes.push(lane, 1, ()).is_ok() {
        n += 1;
    }
    n
}

proptest! {
    /// Each lane is a queue. It holds the sum of what its entries hold. Each value comes out
    /// exactly once, at the latest when the queue is dropped.
    #[test]
    fn lanes_are_queues(
        slots in prop_oneof![0usize..4, 4usize..40],
        limit in prop_oneof![0u64..4, 4u64..300],
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let dropped = Rc::new(RefCell::new(Vec::new()));
        let mut lanes: Lanes<Token, _, LANES> = Lanes::new(memory(slots), limit);
        let mut model = LanesModel { slots, limit, ..Default::default() };
        let mut gone = Vec::new();
        let mut ids = 0;
        for step in steps {
            match step {
                LaneStep::Push(lane, pages) => {
                    let expected = model.refuses(lane, pages);
                    let id = ids;
                    ids += 1;
                    match lanes.push(lane, pages, Token { id, dropped: dropped.clone() }) {
                        Ok(()) => {
                            prop_assert_eq!(expected, None);
                            model.queued[lane].push_back((id, pages));
                        }
                        Err((why, back)) => {
                            prop_assert_eq!(expected, Some(why));
                            prop_assert_eq!(back.id, id);
                            gone.push(id);
                        }
                    }
                }
                LaneStep::Pop(lane) => {
                    let expected = model.queued.get_mut(lane).and_then(VecDeque::pop_front);
                    let got = lanes.pop(lane);
                    prop_assert_eq!(got.as_ref().map(|t| t.id), expected.map(|e| e.0));
                    if let Some((id, pages)) = expected {
                        model.taken[lane].push(pages);
                        gone.push(id);
                    }
                }
                LaneStep::Release(lane, n) => match model.taken.get_mut(lane) {
                    Some(taken) if !taken.is_empty() => {
                        let pages = taken.swap_remove(n % taken.len());
                        lanes.release(lane, pages);
                    }
                    Some(_) => {}
                    // There is no such lane, so it holds nothing.
                    None => lanes.release(lane, n as u32),
                },
            }
            for lane in 0..LANES {
                prop_assert_eq!(lanes.queued(lane) as usize, model.queued[lane].len());
                prop_assert_eq!(lanes.lane_pages(lane), model.lane_pages(lane));
            }
            prop_assert_eq!(lanes.pages(), model.pages());
            prop_assert!(lanes.pages() <= limit || model.holders() == 1);
            prop_assert_eq!((lanes.queued(LANES), lanes.lane_pages(usize::MAX)), (0, 0));
            prop_assert_eq!(&*dropped.borrow(), &gone);
        }
        drop(lanes);
        let mut all = dropped.borrow().clone();
        all.sort_unstable();
        prop_assert_eq!(all, (0..ids).collect::<Vec<_>>());
    }

    /// All slots are there again in the end, however often they were used.
    #[test]
    fn slots_are_reused(
        slots in 1usize..64,
        steps in prop::collection::vec((0usize..8, any::<bool>()), 0..400),
    ) {
        let mut lanes: Lanes<(), _, 8> = Lanes::new(memory(slots), u64::MAX);
        for (lane, push) in steps {
            if push {
                let _ = lanes.push(lane, 1, ());
            } else if lanes.pop(lane).is_some() {
                lanes.release(lane, 1);
            }
        }
        for lane in 0..8 {
            while lanes.pop(lane).is_some() {
                lanes.release(lane, 1);
            }
        }
        prop_assert_eq!(lanes.pages(), 0);
        let n: u64 = (0..8).map(|lane| flood(&mut lanes, lane)).sum();
        prop_assert_eq!(n, slots as u64);
        prop_assert_eq!(lanes.push(0, 1, ()), Err((PushError::Full, ())));
    }

    /// A lane that is not emptied leaves room for the next one, whether pages or slots are short,
    /// and whatever its entries hold.
    #[test]
    fn stuck_lanes_leave_room(
        slots in 4usize..200,
        limit in 4u64..200,
        entries in prop::collection::vec(1u32..200, 0..300),
    ) {
        let mut lanes: Lanes<(), _, 2> = Lanes::new(memory(slots), limit);
        for pages in entries {
            // Only a single entry that is too large can take all of the room.
            if u64::from(pages) * 4 <= limit * 3 {
                let _ = lanes.push(0, pages, ());
            }
        }
        let _ = flood(&mut lanes, 0);
        prop_assert!(lanes.lane_pages(0) * 4 <= limit * 3);
        prop_assert!(lanes.queued(0) as usize * 4 <= slots * 3);
        prop_assert_eq!(lanes.push(0, 1, ()), Err((PushError::Share, ())));
        prop_assert_eq!(lanes.push(1, 1, ()), Ok(()));
    }

    /// If lanes fill one after the other, each of them takes 3/4 of what is left, and gets
    /// something as long as there is anything.
    #[test]
    fn stuck_lanes_take_turns(room in 0u64..2000, pages_short in any::<bool>()) {
        let (slots, limit) = if pages_short { (4000, room) } else { (room as usize, 1 << 20) };
        let mut lanes: Lanes<(), _, 8> = Lanes::new(memory(slots), limit);
        let mut left = room;
        for lane in 0..8 {
            let n = flood(&mut lanes, lane);
            // Even with a limit of 0 a single entry is accepted.
            let odd = u64::from(room == 0 && pages_short && lane == 0);
            prop_assert_eq!(n, (left * 3 / 4).max(left.min(1)).max(odd));
            left -= n.min(left);
        }
        prop_assert_eq!(left, 0);
    }

    /// Lanes that fill side by side get the same share, and leave about as much as the theory says:
    /// 1 of SHARE * lanes + 1.
    #[test]
    fn lanes_share_alike(limit in 20u64..4000) {
        let mut lanes: Lanes<(), _, LANES> = Lanes::new(memory(16384), limit);
        loop {
            let n = (0..LANES).filter(|&lane| lanes.push(lane, 1, ()).is_ok()).count();
            if n == 0 {
                break;
            }
        }
        let held = (0..LANES).map(|lane| lanes.lane_pages(lane));
        let (low, high) = (held.clone().min().unwrap(), held.max().unwrap());
        prop_assert!(high - low <= 1);
        let free = limit - lanes.pages();
        prop_assert!(free > 0);
        prop_assert!(free >= limit / (SHARE * LANES as u64 + 1));
        prop_assert!(free <= limit / (SHARE * LANES as u64 + 1) + LANES as u64);
    }

    /// If entries are released twice, or more than was held, no count wraps, and the total is still
    /// the sum of the lanes.
    #[test]
    fn releases_do_not_wrap(
        steps in prop::collection::vec((lane(), any::<bool>(), 0u32..50), 0..60),
    ) {
        let mut lanes: Lanes<(), _, LANES> = Lanes::new(memory(100), 100);
        for (lane, push, pages) in steps {
            if push {
                let _ = lanes.push(lane, pages, ());
            } else {
                lanes.release(lane, pages);
            }
            prop_assert_eq!(lanes.pages(), (0..LANES).map(|l| lanes.lane_pages(l)).sum::<u64>());
            prop_assert!(lanes.pages() <= 100);
        }
    }
}

#[test]
fn lanes_without_memory() {
    let mut lanes: Lanes<u8, _, 2> = Lanes::new(memory(0), 100);
    assert_eq!(lanes.push(0, 1, 7), Err((PushError::Full, 7)));
    assert_eq!(lanes.push(9, 1, 8), Err((PushError::Full, 8)));
    assert_eq!(lanes.pop(0), None);
    lanes.release(0, 5);
    assert_eq!((lanes.pages(), lanes.queued(0)), (0, 0));

    let mut none: Lanes<u8, _, 0> = Lanes::new(memory(4), 100);
    assert_eq!(none.push(0, 1, 7), Err((PushError::Full, 7)));
    assert_eq!(none.pop(0), None);
}

#[test]
fn one_large_entry() {
    let mut lanes: Lanes<u8, _, 2> = Lanes::new(memory(4), 10);
    assert_eq!(lanes.push(0, 500, 1), Ok(()));
    assert_eq!(lanes.push(1, 1, 2), Err((PushError::Full, 2)));
    assert_eq!(lanes.pop(0), Some(1));
    // The entry that was taken still holds its pages.
    assert_eq!(lanes.push(1, 1, 2), Err((PushError::Full, 2)));
    lanes.release(0, 500);
    assert_eq!(lanes.push(1, 1, 2), Ok(()));
    assert_eq!(lanes.push(0, 10, 3), Err((PushError::Full, 3)));
}

#[test]
fn used_memory_is_emptied() {
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let mut room = memory(8);
    for round in 0..3 {
        let mut lanes: Lanes<Token, &mut [FifoSlot<Token>], 2> = Lanes::new(&mut room, 100);
        assert_eq!(dropped.borrow().len(), round * 5);
        assert_eq!(lanes.queued(0) + lanes.queued(1), 0);
        for i in 0..5 {
            let dropped = dropped.clone();
            let id = round * 5 + i;
            lanes.push(i % 2, 1, Token { id, dropped }).unwrap();
        }
    }
    drop(room);
    assert_eq!(dropped.borrow().len(), 15);
}

/// Most values are small or about the size of a window, and some are arbitrary.
fn page() -> impl Strategy<Value = u32> {
    prop_oneof![
        10 => 0..MAX_PAGES,
        2 => (0..17u32).prop_map(|w| w * 64),
        1 => MAX_PAGES - 2..MAX_PAGES + 3,
        1 => Just(u32::MAX),
    ]
}

/// A set, as runs with gaps before them: sparse, dense, or full.
fn set() -> impl Strategy<Value = BTreeSet<u32>> {
    let of = |gap: u32, run: u32| prop::collection::vec((0..gap, 1..run), 0..80);
    prop_oneof![
        of(100, 3),
        of(30, 30),
        of(4, 20),
        of(3, 3),
        of(20, 300),
        of(1, 70)
    ]
    .prop_map(|runs| {
        let mut set = BTreeSet::new();
        let mut at = 0;
        for (gap, run) in runs {
            set.extend((at + gap..at + gap + run).filter(|&i| i < MAX_PAGES));
            at += gap + run;
        }
        set
    })
}

fn pages(set: &BTreeSet<u32>) -> PageSet {
    let mut pages = PageSet::new();
    for &i in set {
        pages.insert(i, 1);
    }
    pages
}

/// The runs of a set, as (first page, page after the last).
fn runs(set: &BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &i in set {
        match runs.last_mut() {
            Some(run) if run.1 == i => run.1 += 1,
            _ => runs.push((i, i + 1)),
        }
    }
    runs
}

fn is_same(pages: &PageSet, set: &BTreeSet<u32>) -> Result<(), TestCaseError> {
    let found: BTreeSet<u32> = (0..MAX_PAGES + 70).filter(|&i| pages.contains(i)).collect();
    prop_assert_eq!(&found, set);
    prop_assert!(!pages.contains(u32::MAX));
    prop_assert_eq!(pages.len() as usize, set.len());
    prop_assert_eq!(pages.is_empty(), set.is_empty());
    prop_assert_eq!(pages.runs() as usize, runs(set).len());
    Ok(())
}

proptest! {
    #[test]
    fn pages_are_a_set(
        inserts in prop::collection::vec((page(), prop_oneof![4 => 0u32..100, 1 => page()]), 0..12),
        asked in prop::collection::vec((page(), page()), 1..20),
    ) {
        let mut set = BTreeSet::new();
        let mut some = PageSet::default();
        for (start, nr) in inserts {
            some.insert(start, nr);
            set.extend(start.min(MAX_PAGES)..start.saturating_add(nr).min(MAX_PAGES));
            is_same(&some, &set)?;
        }
        for (a, b) in asked {
            let n = if a < b { set.range(a..b).count() } else { 0 };
            prop_assert_eq!(some.count(a, b) as usize, n);
            let first = |present| (a..MAX_PAGES).find(|i| set.contains(i) == present);
            prop_assert_eq!(some.find(a, true), first(true).unwrap_or(MAX_PAGES));
            prop_assert_eq!(some.find(a, false), first(false).unwrap_or(MAX_PAGES));
        }
        some.clear();
        is_same(&some, &BTreeSet::new())?;
    }

    /// The words of the set begin with the lowest page.
    #[test]
    fn words_are_pages(words in prop::collection::vec(any::<u64>(), (MAX_PAGES / 64) as usize)) {
        let mut some = PageSet::new();
        some.words_mut().copy_from_slice(&words);
        let is_set = |&i: &u32| words[(i / 64) as usize] >> (i % 64) & 1 != 0;
        is_same(&some, &(0..MAX_PAGES).filter(is_set).collect())?;
    }
}

/// The requests that [`Ranges::new`] describes, computed step by step, as (first page, page after
/// the last, targets).
fn requests(dirty: &BTreeSet<u32>, targets: &BTreeSet<u32>, cost: u64) -> Vec<(u32, u32, u32)> {
    // First the targets of each run of dirty pages, separated where two requests are cheaper.
    let mut groups: Vec<(u32, u32, u32)> = Vec::new();
    let mut bounds = Vec::new();
    for (start, end) in runs(dirty) {
        let mut last: Option<u32> = None;
        for &t in targets.range(start..end) {
            if let (Some(l), Some(group)) = (last, groups.last_mut()) {
                if u64::from(t - l - 1) <= cost {
                    (group.1, group.2) = (t + 1, group.2 + 1);
                    last = Some(t);
                    continue;
                }
            }
            groups.push((t, t + 1, 1));
            bounds.push((start, end));
            last = Some(t);
        }
    }
    // Then their neighbours.
    for i in 0..groups.len() {
        let (mut start, mut end, n) = groups[i];
        let (mut low, mut high) = bounds[i];
        if let Some(next) = groups.get(i + 1) {
            high = high.min(next.0);
        }
        if i > 0 {
            low = low.max(groups[i - 1].1);
        }
        let unasked = |s: u32, e: u32| u64::from(e - s - n);
        let most = cost + 8 * u64::from(n);
        while end < high && unasked(start, end) < most {
            end += 1;
        }
        while start > low && unasked(start, end) < most {
            start -= 1;
        }
        groups[i] = (start, end, n);
    }
    groups
}

fn request_cost() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 0u32..10, 0u32..100, 0u32..2000, Just(u32::MAX)]
}

/// Dirty pages, and pages that are wanted, dirty or not.
fn windows() -> impl Strategy<Value = (BTreeSet<u32>, BTreeSet<u32>)> {
    let few = prop::collection::btree_set(0..MAX_PAGES, 0..20);
    (set(), prop_oneof![few, set()])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn ranges_of_a_window((dirty, wanted) in windows(), cost in request_cost()) {
        let (dirty_pages, wanted_pages) = (pages(&dirty), pages(&wanted));
        let mut iter = Ranges::new(&dirty_pages, &wanted_pages, cost);
        let ranges: Vec<Range> = iter.by_ref().take(MAX_PAGES as usize + 1).collect();
        // The iterator ends, and stays at its end.
        prop_assert!(ranges.len() <= MAX_PAGES as usize);
        prop_assert_eq!((iter.next(), iter.next()), (None, None));

        // Ranges are in order, do not touch, and lie inside the window.
        prop_assert!(ranges.iter().all(|r| r.start < r.end && r.end <= MAX_PAGES));
        prop_assert!(ranges.windows(2).all(|r| r[0].end < r[1].start));
        // There is a dirty page between two ranges; otherwise they would be one.
        prop_assert!(ranges.windows(2).all(|r| dirty.range(r[0].end..r[1].start).count() > 0));

        let targets: BTreeSet<u32> = dirty.intersection(&wanted).copied().collect();
        let mut met = 0;
        for r in &ranges {
            let inside: BTreeSet<u32> = dirty.range(r.start..r.end).copied().collect();
            prop_assert!(dirty.contains(&r.start) && dirty.contains(&(r.end - 1)));
            prop_assert_eq!(r.pages as usize, inside.len());
            prop_assert_eq!(r.runs as usize, runs(&inside).len());
            prop_assert_eq!(r.targets as usize, targets.range(r.start..r.end).count());
            met += r.targets;
            for (start, end) in runs(&inside) {
                let n = targets.range(start..end).count() as u64;
                prop_assert!(n > 0, "nobody asked for {start}..{end}");
                // Not many more pages are written than were asked for, and still fewer at the ends.
                let per_request = u64::from(cost) + 8;
                prop_assert!(u64::from(end - start) - n <= n * per_request);
                let first = targets.range(start..end).next().unwrap();
                let last = targets.range(start..end).next_back().unwrap();
                prop_assert!(u64::from(end - 1 - last) <= u64::from(cost) + 8 * n);
                prop_assert!(u64::from(first - start) <= u64::from(cost) + 8 * n);
            }
        }
        // So each target lies in exactly one range.
        prop_assert_eq!(met as usize, targets.len());
    }

    /// The ranges are the requests, but requests that are separated by clean pages only are one
    /// range.
    #[test]
    fn ranges_are_requests((dirty, wanted) in windows(), cost in request_cost()) {
        let targets: BTreeSet<u32> = dirty.intersection(&wanted).copied().collect();
        let mut expected: Vec<Range> = Vec::new();
        for (start, end, n) in requests(&dirty, &targets, u64::from(cost)) {
            match expected.last_mut() {
                Some(r) if dirty.range(r.end..start).count() == 0 => {
                    r.runs += u32::from(start > r.end);
                    r.end = end;
                    r.pages += end - start;
                    r.targets += n;
                }
                _ => expected.push(Range { start, end, pages: end - start, targets: n, runs: 1 }),
            }
        }
        let ranges: Vec<Range> = Ranges::new(&pages(&dirty), &pages(&wanted), cost)
            .take(MAX_PAGES as usize + 1)
            .collect();
        prop_assert_eq!(ranges, expected);
    }

    /// If a request is cheap, only 8 other pages are written for each target. If it costs more than
    /// a window, the whole of each run with a target is written.
    #[test]
    fn ranges_at_the_extremes((dirty, wanted) in windows()) {
        let (dirty_pages, wanted_pages) = (pages(&dirty), pages(&wanted));
        let targets: BTreeSet<u32> = dirty.intersection(&wanted).copied().collect();
        let written = |cost| {
            Ranges::new(&dirty_pages, &wanted_pages, cost).fold((0, 0), |(p, t), r| {
                (p + r.pages as usize, t + r.targets as usize)
            })
        };
        let (cheap, met) = written(0);
        prop_assert_eq!(met, targets.len());
        prop_assert!(cheap <= 9 * met);
        let asked_runs = runs(&dirty)
            .into_iter()
            .filter(|r| targets.range(r.0..r.1).count() > 0);
        let whole: u32 = asked_runs.map(|r| r.1 - r.0).sum();
        prop_assert_eq!(written(u32::MAX), (whole as usize, targets.len()));
        prop_assert_eq!(written(MAX_PAGES), written(u32::MAX));
    }

    /// The score of a window rises with its targets and falls with its requests.
    #[test]
    fn score_follows_targets_and_runs(
        targets in prop_oneof![0u32..1100, any::<u32>()],
        runs in prop_oneof![0u32..600, any::<u32>()],
        more in prop_oneof![0u32..100, any::<u32>()],
        cost in request_cost(),
    ) {
        let now = score(targets, runs, cost);
        prop_assert!(score(targets.saturating_add(more), runs, cost) >= now);
        prop_assert!(score(targets, runs.saturating_add(more), cost) <= now);
        prop_assert!(score(targets, runs, cost.saturating_add(more)) <= now);
        prop_assert!(now <= 1 << 16);
    }

    #[test]
    fn windows_are_aligned(index in any::<u64>(), log in 0u32..32) {
        let size = 1u32 << log;
        let start = start_of(index, size);
        prop_assert_eq!(start % u64::from(size), 0);
        prop_assert!(start <= index && index - start < u64::from(size));
    }
}

#[test]
fn ranges_of_empty_and_full_windows() {
    let none = PageSet::new();
    let mut full = PageSet::new();
    full.insert(0, MAX_PAGES);
    for cost in [0, 1, 64, u32::MAX] {
        assert_eq!(Ranges::new(&none, &full, cost).next(), None);
        assert_eq!(Ranges::new(&full, &none, cost).next(), None);
        let all = |targets| Range {
            start: 0,
            end: MAX_PAGES,
            pages: MAX_PAGES,
            targets,
            runs: 1,
        };
        assert!(Ranges::new(&full, &full, cost).eq([all(MAX_PAGES)]));
        for target in [0, 1, 500, MAX_PAGES - 1] {
            let mut one = PageSet::new();
            one.insert(target, 1);
            for cost in [MAX_PAGES, u32::MAX] {
                assert!(Ranges::new(&full, &one, cost).eq([all(1)]));
            }
            // Only the target and 8 more pages are written.
            let range = Ranges::new(&full, &one, 0).next().unwrap();
            assert_eq!((range.pages, range.targets), (9, 1));
        }
        let mut odd = PageSet::new();
        (0..MAX_PAGES).step_by(2).for_each(|i| odd.insert(i, 1));
        let range = Ranges::new(&odd, &odd, cost).next().unwrap();
        assert_eq!((range.pages, range.runs), (MAX_PAGES / 2, MAX_PAGES / 2));
    }
}

#[test]
fn score_of_known_windows() {
    // The window itself costs one request more.
    assert_eq!(score(64, 1, 32), 1 << 15);
    assert_eq!(score(64, 2, 64), 1 << 14);
    // 100 targets in one run have a higher score than 100 in ten runs, or than 10 in one.
    assert!(score(100, 1, 64) > score(100, 10, 64));
    assert!(score(100, 1, 64) > score(10, 1, 64));
}

#[test]
fn score_at_the_extremes() {
    for t in [0, 1, u32::MAX] {
        for r in [0, 1, u32::MAX] {
            for c in [0, 1, u32::MAX] {
                let s = score(t, r, c);
                assert!(s <= 1 << 16);
                assert!(t != 0 || s == 0);
                assert!(t == 0 || c != 0 || s == 1 << 16);
            }
        }
    }
    assert_eq!(start_of(u64::MAX, 1), u64::MAX);
    assert_eq!(start_of(u64::MAX, 256), u64::MAX - 255);
}

const MS: u64 = 1_000_000;

#[test]
fn budget_at_its_bounds() {
    let pages = |ns, full| {
        let mut budget = Budget::new(256);
        budget.update(5, 5 + ns, full, 0, 1 << 20);
        budget.pages()
    };
    assert_eq!(pages(LATE_NS, true), 1024);
    assert_eq!(pages(LATE_NS + 1, false), 512);
    assert_eq!(pages(QUICK_NS, true), 1024);
    assert_eq!(pages(QUICK_NS - 1, true), 2048);
    assert_eq!(pages(QUICK_NS - 1, false), 1024);

    // Even with the smallest budget one window is admitted, and the budget can grow again.
    let mut budget = Budget::new(256);
    budget.update(0, 0, true, 0, 0);
    assert_eq!(budget.pages(), 0);
    assert!(budget.admits(0) && !budget.admits(1));
    budget.update(1, 2, true, 0, 1000);
    budget.update(3, 4, true, 0, 1000);
    assert_eq!(budget.pages(), 2);
    assert_eq!(Budget::new(u32::MAX).pages(), u32::MAX);
}

/// A device that writes one window after the other, with `ns` for each page, for a worker that
/// always has more windows.
struct Device {
    ns: u64,
    now: u64,
    in_flight: u32,
    /// (begun, pages), oldest first.
    queue: VecDeque<(u64, u32)>,
}

impl Device {
    /// Fills the budget, waits for a window, and returns how long that took. The sizes of the
    /// windows are `sizes`, in turn.
    fn window(
        &mut self,
        budget: &mut Budget,
        sizes: &mut impl Iterator<Item = u32>,
        min: u32,
        max: u32,
    ) -> u64 {
        while budget.admits(self.in_flight) {
            let pages = sizes.next().unwrap();
            self.queue.push_back((self.now, pages));
            self.in_flight += pages;
        }
        let (begun, pages) = self.queue.pop_front().unwrap();
        self.in_flight -= pages;
        self.now += u64::from(pages) * self.ns;
        budget.update(begun, self.now, true, min, max);
        self.now - begun
    }
}

proptest! {
    #[test]
    fn budget_stays_between(
        window in prop_oneof![1u32..5000, any::<u32>()],
        took in prop::collection::vec((any::<bool>(), 0u64..400 * MS, 0u64..400 * MS), 1..50),
        (min, max) in prop_oneof![(1u32..500, 0u32..100_000), (any::<u32>(), any::<u32>())]
            .prop_map(|(min, more)| (min, min.saturating_add(more))),
    ) {
        let mut budget = Budget::new(window);
        prop_assert_eq!(budget.pages(), window.saturating_mul(4));
        let mut now = 0;
        for (full, idle, ns) in took {
            now += idle;
            let before = budget.pages();
            budget.update(now, now + ns, full, min, max);
            now += ns;
            prop_assert!((min..=max).contains(&budget.pages()));
            // The window was begun with the current budget, so it counts.
            let expected = if ns > LATE_NS {
                before / 2
            } else if ns < QUICK_NS && full {
                before.saturating_mul(2)
            } else {
                before
            };
            prop_assert_eq!(budget.pages(), expected.clamp(min, max));
            prop_assert!(budget.admits(0));
            prop_assert!(budget.pages() == 0 || budget.admits(budget.pages() - 1));
            prop_assert!(budget.pages() == 0 || !budget.admits(budget.pages()));
        }
    }

    /// Whatever the clock says, the budget stays between its bounds, and a device without windows
    /// in flight is always given one.
    #[test]
    fn budget_with_any_clock(
        took in prop::collection::vec((any::<u64>(), any::<u64>(), any::<bool>()), 1..50),
        min in any::<u32>(),
        max in any::<u32>(),
    ) {
        let mut budget = Budget::new(256);
        for (begun, now, full) in took {
            budget.update(begun, now, full, min, max);
            prop_assert!(budget.pages() >= min);
            prop_assert!(budget.pages() <= max || max < min);
            prop_assert!(budget.admits(0));
        }
    }

    /// Windows that were in flight together change the budget once.
    #[test]
    fn a_queue_counts_once(n in 1usize..100, late in any::<bool>(), start in any::<u32>()) {
        let mut budget = Budget::new(1024);
        let ns = if late { LATE_NS + 1 } else { QUICK_NS - 1 };
        let begun = u64::from(start);
        for i in 0..n as u64 {
            budget.update(begun, begun + ns + i, true, 1, u32::MAX);
        }
        prop_assert_eq!(budget.pages(), if late { 2048 } else { 8192 });
    }

    /// On a device of any speed the budget settles: a window then takes neither too long nor too
    /// short a time, unless the budget is at a bound. It settles again if the device becomes slower
    /// or faster. If windows differ in size, and a single one takes too long, the budget may go on
    /// changing between neighbouring values, but not far up.
    #[test]
    fn budget_converges(
        window in 1u32..1024,
        sizes in prop_oneof![Just(vec![4]), prop::collection::vec(1u32..=4, 1..10)],
        speeds in prop::collection::vec(
            prop_oneof![1u64..100, 100u64..100_000, 100_000u64..10_000_000],
            1..4,
        ),
        (min, max) in (1u32..100, 1u32..64),
    ) {
        let (min, max) = (min.min(max) * window, max * window);
        let sizes = sizes.into_iter().map(|s| (s * window / 4).max(1));
        let (smallest, largest) = (sizes.clone().min().unwrap(), sizes.clone().max().unwrap());
        let mut sizes = sizes.cycle();
        let mut budget = Budget::new(window);
        let mut device = Device { ns: 0, now: 0, in_flight: 0, queue: VecDeque::new() };
        for ns in speeds {
            device.ns = ns;
            // After a change one queue may have to be written, and another one filled.
            for _ in 0..20 {
                for _ in 0..device.queue.len() + 2 {
                    device.window(&mut budget, &mut sizes, min, max);
                }
            }
            let longest = u64::from(largest) * ns;
            let rests = smallest == largest || longest <= 30 * MS;
            let rest = budget.pages();
            for _ in 0..2 * device.queue.len() + 10 {
                let took = device.window(&mut budget, &mut sizes, min, max);
                let now = budget.pages();
                prop_assert!(now == min || u64::from(now) * ns <= 4 * (QUICK_NS + longest));
                if rests {
                    prop_assert_eq!(now, rest);
                    prop_assert!(took >= QUICK_NS || rest == max, "quick: {took} with {rest}");
                    prop_assert!(took <= LATE_NS || rest == min, "late: {took} with {rest}");
                }
            }
        }
    }

    /// A value lies in its bucket.
    #[test]
    fn log2_bucket_holds_its_values(v in any::<u64>(), shift in 0u32..64) {
        for v in [v >> shift, 1 << shift, (1 << shift) - 1] {
            let b = log2::bucket(v);
            prop_assert!(b < log2::BUCKETS);
            prop_assert!(log2::lower_bound(b) <= v);
            if b + 1 < log2::BUCKETS {
                prop_assert!(v < log2::lower_bound(b + 1));
            }
        }
    }
}

#[test]
fn log2_bounds() {
    assert_eq!([0, 1, 2, 3, 4].map(log2::bucket), [0, 1, 2, 2, 3]);
    assert_eq!(log2::lower_bound(log2::BUCKETS - 1), 1 << 23);
    assert_eq!(log2::bucket((1 << 23) - 1), log2::BUCKETS - 2);
    assert_eq!(log2::bucket(u64::MAX), log2::BUCKETS - 1);
    assert_eq!(log2::lower_bound(log2::BUCKETS), u64::MAX);
    for b in 0..log2::BUCKETS {
        assert_eq!(log2::bucket(log2::lower_bound(b)), b);
    }
}

proptest! {
    /// The slower the disk is, the longer reclaim scans. It never scans all of the list, and hardly
    /// anything for a cgroup.
    #[test]
    fn patience_grows_with_the_wait(
        a in any::<u64>(), b in any::<u64>(), pages in 0u64..1 << 40, dirty in 0u64..1 << 40,
    ) {
        let (slow, fast) = (a.max(b), a.min(b));
        let cache = Some(PageCache { pages, dirty });
        prop_assert!(patience::batches(fast, cache) <= patience::batches(slow, cache));
        prop_assert!(patience::batches(slow, cache) <= patience::MOST);
        prop_assert!(patience::batches(slow, cache) * 32 <= pages / 4);
        prop_assert!(patience::batches(slow, None) <= patience::MOST_FOR_CGROUP);
    }

    /// More dirty pages never make the cache less dirty.
    #[test]
    fn mostly_dirty_by_share(pages in 1u64..1 << 40, a in 0u64..1 << 40, b in 0u64..1 << 40) {
        let of = |dirty| PageCache { pages, dirty }.mostly_dirty();
        prop_assert!(!of(a.min(b)) || of(a.max(b)));
        prop_assert!(!of(0) && of(pages));
    }

    /// The running mean stays between its old value and the new sample, and converges.
    #[test]
    fn mean_follows(before in 0u64..1 << 40, pages in 1u32..1024, ns in 0u64..1 << 40) {
        let now = ns / u64::from(pages);
        let next = patience::mean(before, pages, ns);
        let (low, high) = if before == 0 { (now, now) } else { (before.min(now), before.max(now)) };
        // Each quarter is rounded down.
        prop_assert!(next + 1 >= low && next <= high + 1);
        let mut mean = before;
        for _ in 0..200 {
            mean = patience::mean(mean, pages, ns);
        }
        prop_assert!(mean.abs_diff(now) <= 4, "{} towards {}", mean, now);
        prop_assert_eq!(patience::mean(before, 0, ns), before);
    }
}

/// A disk that writes a window at once is waited for at once, unless there are clean pages to find.
/// A disk that takes 4 ms for each page is not.
#[test]
fn patience_knows_disks() {
    let dirty = Some(PageCache {
        pages: 1 << 20,
        dirty: 1 << 20,
    });
    let half = Some(PageCache {
        pages: 1 << 20,
        dirty: 1 << 19,
    });
    assert_eq!(patience::batches(0, dirty), 0);
    assert_eq!(patience::batches(4_000_000 / 256, dirty), 0);
    assert_eq!(patience::batches(4_000_000, dirty), patience::MOST);
    assert!(patience::batches(0, half) > 0);
}

/// Reclaim scans for as long as the wait would take. It does not scan if the wait is very short. It
/// scans further if there are clean pages to find, but never more than a quarter of a short list.
#[test]
fn patience_lasts_as_long_as_the_wait() {
    let dirty = |pages| {
        Some(PageCache {
            pages,
            dirty: pages,
        })
    };
    // The wait is 8 ms for a batch, and scanning takes 30 us for each.
    assert_eq!(patience::batches(249_999, dirty(1 << 20)), 0);
    assert_eq!(patience::batches(250_000, dirty(1 << 20)), 266);
    assert_eq!(patience::batches(250_000, dirty(4096)), 32);
    assert_eq!(patience::batches(250_000, dirty(127)), 0);
    let half = Some(PageCache {
        pages: 1 << 20,
        dirty: 1 << 19,
    });
    assert_eq!(patience::batches(0, half), 32);
    assert_eq!(patience::batches(250_000, half), 266);
}

#[test]
fn mostly_dirty_is_less_than_an_eighth_clean() {
    let of = |dirty| PageCache { pages: 800, dirty }.mostly_dirty();
    assert!(!of(700) && of(701));
}

#[test]
fn mean_is_of_about_four_windows() {
    assert_eq!(patience::mean(0, 10, 1000), 100);
    assert_eq!(patience::mean(100, 10, 200), 80);
    assert_eq!(patience::mean(100, 10, 2000), 125);
}
