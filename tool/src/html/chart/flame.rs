// SPDX-License-Identifier: GPL-2.0
//! A flame graph with its root at the top. It shows the parts of a time, each below the frame that it is a part of.
//!
//! It is drawn here, because inferno, the crate that makes such graphs, is under the CDDL, which cannot be linked with
//! code under version 2 of the GPL. `reclaimwb stalls --folded` writes what inferno reads.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{Palette, Unit, percent};
use crate::{
    format::percent as share_text,
    html::table::{Cell, Sheet},
    longest::Stack,
    names::Cause,
};

/// Pixels of a row.
const ROW: usize = 20;
/// A frame that takes less than this part of the time is not drawn, because it would be narrower than a pixel.
const LEAST: f64 = 0.0025;
/// A frame that takes at least this part of the time has room for some letters.
const NAMED: f64 = 0.03;
/// The figures of the chart have at most this many stacks.
const LISTED: usize = 200;

/// A frame, with the frames below it.
#[derive(Default)]
struct Frame<'a> {
    ns: u64,
    /// The cause, if this is an innermost frame.
    cause: Option<Cause>,
    below: BTreeMap<&'a str, Frame<'a>>,
}

impl<'a> Frame<'a> {
    fn add(&mut self, frames: &'a [String], stack: &Stack) {
        self.ns = self.ns.saturating_add(stack.ns);
        match frames {
            [first, rest @ ..] => self.below.entry(first).or_default().add(rest, stack),
            [] => self.cause = Some(stack.cause),
        }
    }

    fn depth(&self) -> usize {
        1 + self.below.values().map(Frame::depth).max().unwrap_or(0)
    }
}

/// A frame where it is drawn.
struct Drawn<'a> {
    /// The names of all frames above it, and then its own.
    path: Vec<&'a str>,
    cause: Option<Cause>,
    ns: u64,
    /// Where it begins, in nanoseconds.
    from: u64,
}

/// Draws the stacks. Returns the drawing, its figures, and how many frames are too narrow to be drawn; `None` if the
/// stacks took no time.
pub fn flame(label: &str, stacks: &[Stack], causes: &Palette<Cause>) -> Option<(Markup, Sheet, usize)> {
    let mut root = Frame::default();
    for stack in stacks.iter().filter(|stack| stack.ns > 0) {
        root.add(&stack.frames, stack);
    }
    let all = root.ns;
    if all == 0 {
        return None;
    }
    let (mut drawn, mut narrow) = (Vec::new(), 0);
    place(&root, &[], 0, all, &mut drawn, &mut narrow);
    let share = |ns: u64| ns as f64 / all as f64;
    let drawing = html! {
        div.flame {
            svg.chart height=(root.depth() * ROW) role="img" aria-label=(label) {
                @for frame in &drawn {
                    @let name = frame.path.last().copied().unwrap_or("all");
                    g {
                        title { (says(frame, all)) }
                        // The elements are nested, so that a name ends where its frame ends.
                        svg x=(percent(share(frame.from))) y=(frame.path.len() * ROW) width=(percent(share(frame.ns))) height=(ROW - 1) {
                            rect class=(frame.cause.map_or("frame".to_owned(), |cause| causes.class(cause))) width="100%" height="100%" {}
                            @if share(frame.ns) >= NAMED { text x="4" y="14" { (name) } }
                        }
                    }
                }
            }
        }
    };
    Some((drawing, figures(stacks), narrow))
}

/// Puts a frame and all frames below it into `drawn`, the largest first.
fn place<'a>(frame: &Frame<'a>, path: &[&'a str], from: u64, all: u64, drawn: &mut Vec<Drawn<'a>>, narrow: &mut usize) {
    if (frame.ns as f64) < LEAST * all as f64 {
        *narrow += 1;
        return;
    }
    drawn.push(Drawn { path: path.to_vec(), cause: frame.cause, ns: frame.ns, from });
    let mut below: Vec<(&&str, &Frame)> = frame.below.iter().collect();
    below.sort_by_key(|(_, frame)| std::cmp::Reverse(frame.ns));
    let mut at = from;
    for (name, frame) in below {
        place(frame, &[path, &[*name]].concat(), at, all, drawn, narrow);
        at = at.saturating_add(frame.ns);
    }
}

fn says(frame: &Drawn, all: u64) -> String {
    let path = if frame.path.is_empty() { "all".to_owned() } else { frame.path.join("; ") };
    format!("{path}: {} ({})", Unit::Time.text(frame.ns), share_text(frame.ns as f64 / all as f64))
}

fn figures(stacks: &[Stack]) -> Sheet {
    let mut stacks: Vec<&Stack> = stacks.iter().filter(|stack| stack.ns > 0).collect();
    stacks.sort_by(|a, b| b.ns.cmp(&a.ns).then_with(|| a.frames.cmp(&b.frames)));
    let mut sheet = Sheet::new(&["<stack", "time"]);
    let row = |stack: &&Stack| {
        let time = Cell { text: Unit::Time.text(stack.ns), worth: Some(stack.ns as f64) };
        vec![Cell::word(stack.frames.join("; ")), time]
    };
    sheet.rows = stacks.iter().take(LISTED).map(row).collect();
    sheet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(frames: &[&str], cause: Cause, ns: u64) -> Stack {
        Stack { frames: frames.iter().map(|name| (*name).to_owned()).collect(), cause, ns: ns * 1000 }
    }

    #[test]
    fn each_below_what_it_is_a_part_of() {
        let stacks = [
            stack(&["/a", "x", "scan"], Cause::Scan, 100),
            stack(&["/b", "y", "scan"], Cause::Scan, 300),
            stack(&["/b", "y", "lock"], Cause::Lock, 500),
            stack(&["/b", "z", "lock"], Cause::Lock, 100),
            stack(&["/b", "z", "tlb"], Cause::Tlb, 1),
            stack(&["/b", "z", "drain"], Cause::Drain, 0),
        ];
        let mut root = Frame::default();
        stacks.iter().filter(|one| one.ns > 0).for_each(|one| root.add(&one.frames, one));
        let (mut drawn, mut narrow) = (Vec::new(), 0);
        place(&root, &[], 0, root.ns, &mut drawn, &mut narrow);
        let found: Vec<(String, u64, u64)> =
            drawn.iter().map(|one| (one.path.join(";"), one.from / 1000, one.ns / 1000)).collect();
        let expected = [
            ("", 0, 1001),
            ("/b", 0, 901),
            ("/b;y", 0, 800),
            ("/b;y;lock", 0, 500),
            ("/b;y;scan", 500, 300),
            ("/b;z", 800, 101),
            ("/b;z;lock", 800, 100),
            ("/a", 901, 100),
            ("/a;x", 901, 100),
            ("/a;x;scan", 901, 100),
        ];
        assert_eq!(found, expected.map(|(path, from, ns)| (path.to_owned(), from, ns)));
        // One frame takes too little time.
        assert_eq!((narrow, root.depth()), (1, 4));
        assert_eq!(figures(&stacks).rows.len(), 5);
        let causes = Palette::new(&BTreeMap::from([(Cause::Lock, 600), (Cause::Scan, 400)]));
        let (drawing, ..) = flame("x", &stacks, &causes).expect("a drawing");
        let drawing = drawing.into_string();
        assert_eq!((drawing.matches("class=\"s0\"").count(), drawing.matches("class=\"s1\"").count()), (2, 2));
        assert!(drawing.contains("<title>/b; y; lock: 500 us (50.0 %)</title>"), "{drawing}");
        assert!(flame("x", &[], &causes).is_none() && flame("x", &stacks[5..], &causes).is_none());
    }
}
