// SPDX-License-Identifier: GPL-2.0
//! The tracks of a trace, and what is on them.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use super::{
    Packets,
    nest::{self, Span, Step},
    notes::{Moment, Notes, Slice, Task},
    proto::{
        ChildTracksOrdering, CounterDescriptor, CounterUnit, DebugAnnotation, EventType, TrackDescriptor, TrackEvent,
    },
};
use crate::{
    ledger::{Stall, total},
    names::{Origin, Type},
    recording::{Recording, Value},
};

const RECORDING: u64 = 1;
const TASKS: u64 = 2;
const WRITES: u64 = 3;
const HEADROOM: u64 = 4;
/// The ids of the counters of origins begin here. The position in the list of origins is added.
const WRITES_OF: u64 = 1 << 8;
const HEADROOM_OF: u64 = 1 << 9;
/// The ids of the tracks of tasks begin here. There is room for several tracks for each task, because slices may
/// overlap.
const TASK: u64 = 1 << 32;
const LANES: u64 = 1 << 16;

/// Something to be written at its time.
enum Emit {
    Begin { track: u64, task: usize, slice: usize },
    End { track: u64 },
    Moment(usize),
    Wrote { origin: Origin, pages: u64 },
    Ready(Box<TrackEvent>),
}

/// Writes the whole trace.
pub fn write(packets: &mut Packets, recording: &Recording, notes: &Notes) -> io::Result<()> {
    let mut emits = whole(recording);
    let mut lanes = BTreeMap::new();
    for (&task, slices) in &notes.slices {
        let mut spans: Vec<Span> = slices.iter().map(span).collect();
        let tracks = nest::tracks(&mut spans);
        lanes.insert(task, tracks.len());
        for (lane, steps) in tracks.into_iter().enumerate() {
            let track = uuid(task, lane);
            let emit = |(ns, step)| match step {
                Step::Begin(slice) => (ns, Emit::Begin { track, task, slice }),
                Step::End => (ns, Emit::End { track }),
            };
            emits.extend(steps.into_iter().map(emit));
        }
    }
    emits.extend(notes.moments.iter().enumerate().map(|(i, (ns, ..))| (*ns, Emit::Moment(i))));
    // An event for each folio makes many events, so `record` leaves them out by default. Then the windows say how much
    // was written.
    let writes = notes.moments.iter().any(|(.., moment)| matches!(moment, Moment::Write(_)));
    if !writes {
        let windows = notes.slices.values().flatten().filter_map(|slice| match *slice {
            Slice::Window { origin, written, end, .. } if written > 0 => {
                Some((end, Emit::Wrote { origin, pages: written }))
            }
            _ => None,
        });
        emits.extend(windows);
    }
    // The sort is stable, so that what happens on one track at the same time stays in its order.
    emits.sort_by_key(|(ns, _)| *ns);

    groups(packets, writes)?;
    tasks(packets, notes, &lanes)?;
    counters(packets, notes, writes)?;
    let mut written = BTreeMap::new();
    for (ns, emit) in emits {
        match emit {
            Emit::Begin { track, task, slice } => {
                if let Some(slice) = notes.slices.get(&task).and_then(|slices| slices.get(slice)) {
                    packets.event(ns, begin(track, slice))?;
                }
            }
            Emit::Wrote { origin, pages } => wrote(packets, ns, (origin, pages), &mut written)?,
            Emit::Ready(event) => packets.event(ns, *event)?,
            Emit::End { track } => packets.event(ns, event(EventType::SliceEnd, track))?,
            Emit::Moment(i) => {
                if let Some((_, task, moment)) = notes.moments.get(i) {
                    packets.event(ns, instant(uuid(*task, 0), moment))?;
                    if let Moment::Write(write) = moment {
                        wrote(packets, ns, (write.origin, write.pages), &mut written)?;
                        let track = of_origin(HEADROOM_OF, write.origin);
                        packets.event(ns, counter(track, write.headroom))?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn span(slice: &Slice) -> Span {
    let (start, end) = slice.times();
    let level = match slice {
        Slice::Stall(_) => 0,
        Slice::Window { depth, .. } => (*depth).max(1),
    };
    Span { start, end, level }
}

fn uuid(task: usize, lane: usize) -> u64 {
    TASK + task as u64 * LANES + (lane as u64).min(LANES - 1)
}

fn of_origin(first: u64, origin: Origin) -> u64 {
    first + Origin::ALL.iter().position(|other| *other == origin).map_or(0, |at| at as u64)
}

fn group(uuid: u64, name: &str, ordering: ChildTracksOrdering, description: &str) -> TrackDescriptor {
    TrackDescriptor {
        uuid: Some(uuid),
        name: Some(name.into()),
        child_ordering: Some(ordering.into()),
        description: Some(description.into()),
        ..TrackDescriptor::default()
    }
}

fn groups(packets: &mut Packets, writes: bool) -> io::Result<()> {
    use ChildTracksOrdering::{Explicit, Lexicographic, Unknown};
    packets.track(group(RECORDING, "Recording", Unknown, "From when to when was recorded, and what was lost."))?;
    let tasks = "Stalls, reclaim windows and folios written, by task; who stalled most comes first. What a stall's \
                 time went to is among its arguments: how long each part took in all is known, and not when.";
    packets.track(group(TASKS, "Tasks", Explicit, tasks))?;
    let pages = if writes {
        "Pages that reclaim wrote, since the beginning."
    } else {
        "Pages that reclaim wrote, since the beginning, as windows ended: the event reclaim_write was not recorded."
    };
    packets.track(group(WRITES, "Pages written", Lexicographic, pages))?;
    if writes {
        let headroom = "Bytes of stack left where reclaim wrote a folio.";
        packets.track(group(HEADROOM, "Stack left", Lexicographic, headroom))?;
    }
    Ok(())
}

/// Writes a track for each task, and more tracks for slices that overlap.
fn tasks(packets: &mut Packets, notes: &Notes, lanes: &BTreeMap<usize, usize>) -> io::Result<()> {
    let stalled = |task: usize| {
        let stalls = notes.slices.get(&task).into_iter().flatten().map(|slice| match slice {
            Slice::Stall(stall) => stall.ns,
            Slice::Window { .. } => 0,
        });
        total(stalls)
    };
    let mut order: Vec<usize> = (0..notes.tasks.len()).collect();
    order.sort_by_key(|&task| std::cmp::Reverse(stalled(task)));
    for (rank, task) in (0..).zip(order) {
        let Some((pid, comm)): Option<&Task> = notes.tasks.get(task) else { continue };
        for lane in 0..lanes.get(&task).copied().unwrap_or(0).max(1) {
            let more = if lane == 0 { String::new() } else { format!(" (overlaps, {lane})") };
            packets.track(TrackDescriptor {
                uuid: Some(uuid(task, lane)),
                name: Some(format!("{comm} [{pid}]{more}")),
                parent_uuid: Some(TASKS),
                sibling_order_rank: Some(rank),
                ..TrackDescriptor::default()
            })?;
        }
    }
    Ok(())
}

/// Writes counters for each origin that wrote: of pages, and if each write is known, of the stack left.
fn counters(packets: &mut Packets, notes: &Notes, writes: bool) -> io::Result<()> {
    let one_by_one = notes.moments.iter().filter_map(|(.., moment)| match moment {
        Moment::Write(write) => Some(write.origin),
        Moment::Other(_) => None,
    });
    let by_window = notes.slices.values().flatten().filter_map(|slice| match slice {
        Slice::Window { origin, written, .. } if *written > 0 => Some(*origin),
        _ => None,
    });
    let origins: BTreeSet<Origin> = if writes { one_by_one.collect() } else { by_window.collect() };
    let unit = |unit: CounterUnit| CounterDescriptor { unit: Some(unit.into()), ..CounterDescriptor::default() };
    let pages = CounterDescriptor { unit_name: Some("pages".into()), ..unit(CounterUnit::Unspecified) };
    let mut kinds = vec![(WRITES_OF, WRITES, pages)];
    if writes {
        kinds.push((HEADROOM_OF, HEADROOM, unit(CounterUnit::SizeBytes)));
    }
    for origin in origins {
        for (first, parent, unit) in &kinds {
            packets.track(TrackDescriptor {
                uuid: Some(of_origin(*first, origin)),
                name: Some(origin.label().into()),
                parent_uuid: Some(*parent),
                counter: Some(unit.clone()),
                ..TrackDescriptor::default()
            })?;
        }
    }
    Ok(())
}

fn event(of_type: EventType, track: u64) -> TrackEvent {
    TrackEvent { r#type: Some(of_type.into()), track_uuid: Some(track), ..TrackEvent::default() }
}

fn named(
    of_type: EventType,
    track: u64,
    category: &str,
    name: String,
    debug_annotations: Vec<DebugAnnotation>,
) -> TrackEvent {
    TrackEvent { name: Some(name), categories: vec![category.into()], debug_annotations, ..event(of_type, track) }
}

/// The recording itself, as a slice.
fn whole(recording: &Recording) -> Vec<(u64, Emit)> {
    let head = &recording.head;
    let start = head.clock.ns;
    // This is never negative, and far below 2^64 nanoseconds.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let took = (recording.end.seconds.max(0.0) * 1e9) as u64;
    let name = head.command.as_ref().map_or_else(|| "recording".to_owned(), |words| words.join(" "));
    let mut args = vec![
        DebugAnnotation::text("started", &head.started),
        DebugAnnotation::text("kernel", &head.system.kernel_release),
        DebugAnnotation::text("clock", &head.clock.name),
        DebugAnnotation::number("events", recording.end.events),
        DebugAnnotation::number("lost_events", recording.end.lost),
        DebugAnnotation::number("unreadable_lines", recording.end.unreadable),
    ];
    if !recording.lost.is_empty() {
        let mut cpus = BTreeMap::<u64, u64>::new();
        for lost in &recording.lost {
            let events = cpus.entry(lost.cpu).or_default();
            *events = events.saturating_add(lost.events);
        }
        let cpus = cpus.into_iter().map(|(cpu, events)| DebugAnnotation::number(&format!("cpu{cpu}"), events));
        args.push(DebugAnnotation::dict("lost", cpus.collect()));
    }
    let begin = named(EventType::SliceBegin, RECORDING, "recording", name, args);
    let end = event(EventType::SliceEnd, RECORDING);
    vec![(start, Emit::Ready(Box::new(begin))), (start.saturating_add(took), Emit::Ready(Box::new(end)))]
}

fn begin(track: u64, slice: &Slice) -> TrackEvent {
    match slice {
        Slice::Stall(stall) => {
            let most = stall.parts_ns.iter().max_by_key(|(_, ns)| **ns);
            let name = most.map_or_else(|| "stall".to_owned(), |(cause, _)| format!("stall: {}", cause.label()));
            named(EventType::SliceBegin, track, "stall", name, of_stall(stall))
        }
        Slice::Window { origin, reclaimed, written, depth, .. } => {
            let args = vec![
                DebugAnnotation::text("origin", origin.key()),
                DebugAnnotation::number("freed_pages", *reclaimed),
                DebugAnnotation::number("written_pages", *written),
                DebugAnnotation::number("depth", *depth),
            ];
            named(EventType::SliceBegin, track, "window", format!("reclaim: {}", origin.label()), args)
        }
    }
}

fn of_stall(stall: &Stall) -> Vec<DebugAnnotation> {
    let parts = stall.parts_ns.iter().map(|(cause, ns)| DebugAnnotation::number(cause.key(), *ns)).collect();
    vec![
        DebugAnnotation::text("origin", stall.origin.key()),
        DebugAnnotation::number("ns", stall.ns),
        DebugAnnotation::dict("parts_ns", parts),
        DebugAnnotation::number("order", stall.order),
        DebugAnnotation::text("gfp", &stall.gfp),
        DebugAnnotation::number("node", stall.node),
        DebugAnnotation::number("cgroup", stall.cgroup),
        DebugAnnotation::number("scanned_pages", stall.scanned_pages),
        DebugAnnotation::number("freed_pages", stall.freed_pages),
        DebugAnnotation::number("inactive_file_pages", stall.inactive_file_pages),
        DebugAnnotation::number("inactive_anon_pages", stall.inactive_anon_pages),
        DebugAnnotation::number("dirty_pages", stall.dirty_pages),
    ]
}

fn instant(track: u64, moment: &Moment) -> TrackEvent {
    match moment {
        Moment::Write(write) => {
            let kind = write.kind.map_or("?", |kind| kind.key());
            let of_type = if write.anon { Type::Anon } else { Type::Shmem };
            let of_type = of_type.key();
            let args = vec![
                DebugAnnotation::text("origin", write.origin.key()),
                DebugAnnotation::text("kind", kind),
                DebugAnnotation::text("type", of_type),
                DebugAnnotation::number("pages", write.pages),
                DebugAnnotation::number("order", write.order),
                DebugAnnotation::number("node", write.node),
                DebugAnnotation::number("cgroup", write.cgroup),
                DebugAnnotation::number("headroom_bytes", write.headroom),
            ];
            named(EventType::Instant, track, "write", format!("write {of_type} {kind}"), args)
        }
        Moment::Other(event) => {
            let (name, fields) = event.as_ref();
            let args = fields.iter().map(|(field, value)| match value {
                Value::Number(n) => DebugAnnotation::number(field, *n),
                Value::Text(text) => DebugAnnotation::text(field, text),
            });
            named(EventType::Instant, track, name, name.replace('_', " "), args.collect())
        }
    }
}

fn counter(track: u64, n: u64) -> TrackEvent {
    let value = Some(i64::try_from(n).unwrap_or(i64::MAX));
    TrackEvent { counter_value: value, ..event(EventType::Counter, track) }
}

/// Adds pages to the counter of an origin.
fn wrote(
    packets: &mut Packets,
    ns: u64,
    (origin, pages): (Origin, u64),
    written: &mut BTreeMap<Origin, u64>,
) -> io::Result<()> {
    let all = written.entry(origin).or_default();
    *all = all.saturating_add(pages);
    packets.event(ns, counter(of_origin(WRITES_OF, origin), *all))
}
