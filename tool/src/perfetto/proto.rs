// SPDX-License-Identifier: GPL-2.0
//! The part of Perfetto's schema (`protos/perfetto/trace/`) that our traces need. The names are those of the schema.
//! `tests/host/tool_perfetto.sh` reads a trace back with the whole schema.

use prost::{Enumeration, Message};

/// One message of a trace, which is a `Trace` with many of these in its field 1.
#[derive(Clone, PartialEq, Message)]
pub struct TracePacket {
    /// Nanoseconds.
    #[prost(uint64, optional, tag = "8")]
    pub timestamp: Option<u64>,
    /// The writer of the packet.
    #[prost(uint32, optional, tag = "10")]
    pub trusted_packet_sequence_id: Option<u32>,
    /// Something that happened.
    #[prost(message, optional, tag = "11")]
    pub track_event: Option<TrackEvent>,
    /// 1 in the first packet of a sequence, which depends on no earlier packet.
    #[prost(uint32, optional, tag = "13")]
    pub sequence_flags: Option<u32>,
    /// A track.
    #[prost(message, optional, tag = "60")]
    pub track_descriptor: Option<TrackDescriptor>,
}

/// A row of the timeline, or a group of rows.
#[derive(Clone, PartialEq, Message)]
pub struct TrackDescriptor {
    /// Its id, by which events refer to it.
    #[prost(uint64, optional, tag = "1")]
    pub uuid: Option<u64>,
    /// The name that is shown.
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    /// The group that it is in.
    #[prost(uint64, optional, tag = "5")]
    pub parent_uuid: Option<u64>,
    /// Present if the track shows a number.
    #[prost(message, optional, tag = "8")]
    pub counter: Option<CounterDescriptor>,
    /// The order in which its children are shown.
    #[prost(enumeration = "ChildTracksOrdering", optional, tag = "11")]
    pub child_ordering: Option<i32>,
    /// Its place among its siblings, if they are ordered explicitly.
    #[prost(int32, optional, tag = "12")]
    pub sibling_order_rank: Option<i32>,
    /// A description for people.
    #[prost(string, optional, tag = "14")]
    pub description: Option<String>,
}

/// `TrackDescriptor.ChildTracksOrdering`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub enum ChildTracksOrdering {
    /// In any order.
    Unknown = 0,
    /// By name.
    Lexicographic = 1,
    /// By `sibling_order_rank`.
    Explicit = 3,
}

/// What the number of a counter means.
#[derive(Clone, PartialEq, Message)]
pub struct CounterDescriptor {
    /// Its unit, if the schema has it.
    #[prost(enumeration = "CounterUnit", optional, tag = "3")]
    pub unit: Option<i32>,
    /// Its unit as text, if the schema does not have it.
    #[prost(string, optional, tag = "6")]
    pub unit_name: Option<String>,
}

/// `CounterDescriptor.Unit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub enum CounterUnit {
    /// See `unit_name`.
    Unspecified = 0,
    /// Bytes.
    SizeBytes = 3,
}

/// Something that happened on a track.
#[derive(Clone, PartialEq, Message)]
pub struct TrackEvent {
    /// Its arguments.
    #[prost(message, repeated, tag = "4")]
    pub debug_annotations: Vec<DebugAnnotation>,
    /// Its type.
    #[prost(enumeration = "EventType", optional, tag = "9")]
    pub r#type: Option<i32>,
    /// The track that it is on.
    #[prost(uint64, optional, tag = "11")]
    pub track_uuid: Option<u64>,
    /// Categories, for searches.
    #[prost(string, repeated, tag = "22")]
    pub categories: Vec<String>,
    /// The name that is shown.
    #[prost(string, optional, tag = "23")]
    pub name: Option<String>,
    /// A counter's number.
    #[prost(int64, optional, tag = "30")]
    pub counter_value: Option<i64>,
}

/// `TrackEvent.Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enumeration)]
#[repr(i32)]
pub enum EventType {
    /// Not specified.
    Unspecified = 0,
    /// A slice begins.
    SliceBegin = 1,
    /// The slice that began last on the track ends.
    SliceEnd = 2,
    /// A moment.
    Instant = 3,
    /// A counter has a new value.
    Counter = 4,
}

/// A named value. Only one of the values is set.
#[derive(Clone, PartialEq, Message)]
pub struct DebugAnnotation {
    /// Its name.
    #[prost(string, optional, tag = "10")]
    pub name: Option<String>,
    /// A number.
    #[prost(uint64, optional, tag = "3")]
    pub uint_value: Option<u64>,
    /// A text.
    #[prost(string, optional, tag = "6")]
    pub string_value: Option<String>,
    /// Values of its own.
    #[prost(message, repeated, tag = "11")]
    pub dict_entries: Vec<DebugAnnotation>,
}

impl DebugAnnotation {
    /// A number.
    pub fn number(name: &str, n: u64) -> Self {
        Self { name: Some(name.into()), uint_value: Some(n), ..Self::default() }
    }

    /// A text.
    pub fn text(name: &str, text: impl Into<String>) -> Self {
        Self { name: Some(name.into()), string_value: Some(text.into()), ..Self::default() }
    }

    /// Several values in one.
    pub fn dict(name: &str, entries: Vec<Self>) -> Self {
        Self { name: Some(name.into()), dict_entries: entries, ..Self::default() }
    }
}
