// SPDX-License-Identifier: GPL-2.0
//! Converts a recording to a trace for Perfetto.
//!
//! The trace has Perfetto's own format. Chrome's JSON would have no groups of tracks, no units, no task without a
//! process, and times only in microseconds. The parts of a stall are its arguments, because it is known how long each
//! took, but not when. The times of reclaim windows are known, so they are slices inside of the stall. Times are those
//! of the recording's clock. The trace gives them on its default clock, because there is no other clock in it to match.

mod nest;
mod notes;
pub mod proto;
mod tracks;

use std::{
    io::{self, Write},
    path::Path,
};

use prost::{
    Message,
    encoding::{WireType, encode_key},
};

use crate::{
    atomic,
    error::{Error, Result},
    longest,
    narrow::Narrow,
    recording::Recording,
};
use notes::Notes;
use proto::{TracePacket, TrackDescriptor, TrackEvent};

/// All packets come from one writer.
const SEQUENCE: u32 = 1;
/// `SEQ_INCREMENTAL_STATE_CLEARED`.
const FIRST: u32 = 1;

/// Writes the events of the recording `from` that are asked for as a trace. If this fails, nothing is written.
pub fn write(from: &Path, to: &Path, narrow: Option<&Narrow>) -> Result<()> {
    let bad = |what: String| Error::Recording { path: from.to_owned(), what };
    if !Recording::is_one(from)? {
        return Err(bad(
            "this is not a recording, and only that has events; make one with: reclaimwb record -o FILE".into()
        ));
    }
    let filter = longest::filter(from, narrow)?;
    let mut notes = Notes::default();
    let recording = Recording::visit(from, |event| {
        if filter.as_ref().is_none_or(|only| only.touches(&event)) {
            notes.take(event);
        }
    })?;
    let notes = notes.finish().map_err(bad)?;
    atomic::replace(to, None, |out| tracks::write(&mut Packets { out, first: true }, &recording, &notes))
}

/// Where packets go.
struct Packets<'a> {
    out: &'a mut dyn Write,
    first: bool,
}

impl Packets<'_> {
    fn track(&mut self, track: TrackDescriptor) -> io::Result<()> {
        self.put(TracePacket { track_descriptor: Some(track), ..TracePacket::default() })
    }

    fn event(&mut self, ns: u64, event: TrackEvent) -> io::Result<()> {
        self.put(TracePacket { timestamp: Some(ns), track_event: Some(event), ..TracePacket::default() })
    }

    fn put(&mut self, mut packet: TracePacket) -> io::Result<()> {
        packet.trusted_packet_sequence_id = Some(SEQUENCE);
        packet.sequence_flags = std::mem::take(&mut self.first).then_some(FIRST);
        // A trace is a message with packets in its field 1. They are written one after the other, so that the trace
        // need not be in memory.
        let mut bytes = Vec::new();
        encode_key(1, WireType::LengthDelimited, &mut bytes);
        packet.encode_length_delimited(&mut bytes).map_err(io::Error::other)?;
        self.out.write_all(&bytes)
    }
}
