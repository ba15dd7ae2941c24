// SPDX-License-Identifier: GPL-2.0
//! A recording as a trace for Perfetto.
//!
//! In Perfetto's own format, not Chrome's JSON: that has no groups of tracks, no units, no task without a process, and
//! times in microseconds. The parts of a stall are its arguments, as it is known how long each took in all and not when;
//! reclaim windows, whose times are known, lie in it as slices. Times are those of the recording's clock, and given on
//! the trace's default one: there is no other in the trace that they would have to be matched with.

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

/// All packets are of one writer.
const SEQUENCE: u32 = 1;
/// `SEQ_INCREMENTAL_STATE_CLEARED`.
const FIRST: u32 = 1;

/// Writes the events of the recording `from`, of what is asked for, as a trace, all of it or nothing.
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
        // A trace is a message with packets in its field 1: one after the other, it need not be in memory as a whole.
        let mut bytes = Vec::new();
        encode_key(1, WireType::LengthDelimited, &mut bytes);
        packet.encode_length_delimited(&mut bytes).map_err(io::Error::other)?;
        self.out.write_all(&bytes)
    }
}
