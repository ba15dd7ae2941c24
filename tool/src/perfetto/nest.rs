// SPDX-License-Identifier: GPL-2.0
//! Nests the slices of one task as a track needs them: if two slices overlap, one must contain the other.

/// Times of events are rounded to microseconds, and their lengths are cut off to microseconds. So an inner slice may
/// seem to be outside of the outer one by this much.
const SLACK: u64 = 2000;

/// A slice, with its times in nanoseconds and its level. An outer slice has a lower level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it begins.
    pub start: u64,
    /// When it ends, which is not before its start.
    pub end: u64,
    /// 0 for a stall, else the depth of the window.
    pub level: u64,
}

/// A step of a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The span of this index begins.
    Begin(usize),
    /// The span that began last ends.
    End,
}

/// Makes the spans fit into each other, and returns the steps of as many tracks as are needed. One track is enough,
/// unless spans overlap by more than the clocks explain. The steps of a track are in the order of time.
pub fn tracks(spans: &mut [Span]) -> Vec<Vec<(u64, Step)>> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|&i| (spans[i].level, spans[i].start, spans[i].end));
    let mut placed: Vec<usize> = Vec::new();
    for &i in &order {
        fit(spans, i, &placed);
        let at = placed.partition_point(|&other| spans[other].start <= spans[i].start);
        placed.insert(at, i);
    }
    order.sort_by_key(|&i| (spans[i].start, spans[i].level, std::cmp::Reverse(spans[i].end)));
    let mut tracks: Vec<Track> = Vec::new();
    for i in order {
        let place = tracks.iter().position(|track| track.takes(&spans[i])).unwrap_or_else(|| {
            tracks.push(Track::default());
            tracks.len() - 1
        });
        tracks[place].begin(i, spans[i]);
    }
    tracks.into_iter().map(Track::finish).collect()
}

/// Cuts off the part of a span that is outside of its outer span, or overlaps the previous one, if it is not more than
/// the slack.
fn fit(spans: &mut [Span], i: usize, placed: &[usize]) {
    let mut span = spans[i];
    let begin = span.start;
    // Spans that begin later cannot contain it. Of the others, the innermost one begins last.
    let until = placed.partition_point(|&other| spans[other].start <= begin.saturating_add(SLACK));
    let near = placed[..until].iter().rev().map(|&other| spans[other]).take(64);
    for outer in near {
        if outer.level < span.level && span.end <= outer.end.saturating_add(SLACK) {
            span.start = span.start.max(outer.start);
            span.end = span.end.min(outer.end);
            break;
        }
        if outer.level == span.level && outer.start <= begin && outer.end > begin {
            let late = outer.end - begin;
            span.start = span.start.max(begin + if late <= SLACK { late } else { 0 });
        }
    }
    span.end = span.end.max(span.start);
    spans[i] = span;
}

#[derive(Default)]
struct Track {
    steps: Vec<(u64, Step)>,
    /// The ends of the spans that are open, the innermost last.
    open: Vec<u64>,
}

impl Track {
    fn takes(&self, span: &Span) -> bool {
        let around = self.open.iter().rev().find(|end| **end > span.start);
        around.is_none_or(|end| span.end <= *end)
    }

    fn begin(&mut self, i: usize, span: Span) {
        while let Some(&end) = self.open.last().filter(|end| **end <= span.start) {
            self.steps.push((end, Step::End));
            self.open.pop();
        }
        self.steps.push((span.start, Step::Begin(i)));
        self.open.push(span.end);
    }

    fn finish(mut self) -> Vec<(u64, Step)> {
        while let Some(end) = self.open.pop() {
            self.steps.push((end, Step::End));
        }
        self.steps
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn span(start: u64, end: u64, level: u64) -> Span {
        Span { start, end, level }
    }

    #[test]
    fn windows_lie_in_their_stall() {
        // The window seems to begin a little before the stall and to end a little after it.
        let mut spans = [span(999_000, 3_001_000, 1), span(1_000_000, 3_000_000, 0), span(5_000_000, 6_000_000, 1)];
        let steps = tracks(&mut spans);
        assert_eq!(steps.len(), 1);
        let expected = [
            (1_000_000, Step::Begin(1)),
            (1_000_000, Step::Begin(0)),
            (3_000_000, Step::End),
            (3_000_000, Step::End),
            (5_000_000, Step::Begin(2)),
            (6_000_000, Step::End),
        ];
        assert_eq!(steps[0], expected);
    }

    #[test]
    fn neighbours_do_not_overlap() {
        let mut spans = [span(0, 10_000, 0), span(9_000, 20_000, 0)];
        assert_eq!(tracks(&mut spans).len(), 1);
        assert_eq!(spans[1], span(10_000, 20_000, 0));
    }

    #[test]
    fn what_crosses_gets_a_track_of_its_own() {
        let mut spans = [span(0, 100_000, 0), span(50_000, 200_000, 1)];
        assert_eq!(tracks(&mut spans).len(), 2);
        assert_eq!(spans[1], span(50_000, 200_000, 1));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        /// For all inputs, each span begins and ends once, in order, inside of what is open, and is moved by at most
        /// the slack.
        #[test]
        fn tracks_are_well_formed(raw in prop::collection::vec((0_u64..60_000, 0_u64..30_000, 0_u64..4), 0..24)) {
            let before: Vec<Span> = raw.iter().map(|&(start, long, level)| span(start, start + long, level)).collect();
            let mut spans = before.clone();
            let mut begun = vec![0; spans.len()];
            for track in tracks(&mut spans) {
                let (mut open, mut now) = (Vec::new(), 0);
                for (at, step) in track {
                    prop_assert!(at >= now, "time goes on");
                    now = at;
                    match step {
                        Step::Begin(i) => {
                            begun[i] += 1;
                            prop_assert_eq!(at, spans[i].start);
                            prop_assert!(open.last().is_none_or(|&outer: &usize| spans[i].end <= spans[outer].end));
                            open.push(i);
                        }
                        Step::End => {
                            let i = open.pop().expect("something is open");
                            prop_assert_eq!(at, spans[i].end);
                        }
                    }
                }
                prop_assert!(open.is_empty());
            }
            prop_assert!(begun.iter().all(|n| *n == 1));
            for (was, is) in before.iter().zip(&spans) {
                prop_assert!(is.start >= was.start && is.start - was.start <= SLACK);
                prop_assert!(is.end.abs_diff(was.end) <= SLACK);
            }
        }
    }
}
