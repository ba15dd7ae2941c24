#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a recording, and reads the trace that the tool makes of it with Perfetto's own schema.

trace.py make FIXTURES OUT       writes a recording with events of every sort
trace.py facts TRACE             prints what is in the trace, one fact on a line
trace.py query TRACE SHELL SQL   asks a trace_processor_shell, and prints one row on a line

The last two need the Python package perfetto (PyPI), which has the whole schema.
"""
import json
import os
import sys


def make(fixtures, out):
    def snapshot(name):
        with open(os.path.join(fixtures, name), encoding="utf-8") as file:
            return json.load(file)

    def event(ns, pid, comm, name, **fields):
        return {"event": {"ns": ns, "cpu": pid % 2, "pid": pid, "comm": comm, "name": name, "fields": fields}}

    at_start = {"order": 0, "gfp": "0x140cca", "nid": 0, "cgroup": 1, "scanned": 100, "freed": 5,
                "inactive_file": 7, "inactive_anon": 8, "dirty": 9}
    write = {"kind": "io", "type": "anon", "order": 0, "nid": 0, "cgroup": 1}
    events = [
        event(1_100_000_000, 30, "kswapd0", "reclaim_write", origin="kswapd", nr_pages=3, headroom=12000, **write),
        event(1_301_000_000, 272, "memhog", "reclaim_window", origin="direct", nr_reclaimed=32, pages_written=12,
              depth=1, usecs=200_000),
        event(1_302_000_000, 272, "memhog", "stall", origin="direct", usecs=300_000, scan=50_000, nbd_lock=250_000,
              **at_start),
        event(1_400_000_000, 272, "memhog", "reclaim_write", origin="direct", nr_pages=1, headroom=9000, **write),
        event(1_500_000_000, 272, "memhog", "headroom_low", origin="direct", layer="net", headroom=1500, floor=2048,
              stack="ip_output"),
        event(1_600_000_000, 99, "kworker/u8:1", "write_around", dev="8:0", ino=12, start=0, nr=16, targets=2,
              others=14, ranges=1, usecs=500),
    ]
    before, after = snapshot("stalls-before.json"), snapshot("stalls.json")
    lines = [
        {"reclaimwb": "recording", "format": 1, "tool": "0.1.0", "started": "2026-11-22T22:00:00Z",
         "command": ["memhog"], "clock": {"name": "mono", "ns": 1_000_000_000}, "system": before["system"]},
        {"before": before}, *events, {"lost": {"cpu": 1, "events": 7}}, {"after": after},
        {"end": {"events": len(events), "lost": 7, "seconds": 2.0, "interrupted": False, "exit": 0}},
    ]
    with open(out, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def known(message):
    """Fails if the message has a field that the schema does not have."""
    from google.protobuf.unknown_fields import UnknownFieldSet
    extra = [field.field_number for field in UnknownFieldSet(message)]
    if extra:
        sys.exit(f"{message.DESCRIPTOR.full_name}: the schema has no fields {extra}")
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if hasattr(value, "append") or hasattr(value, "add") else [value]:
                known(one)


def arguments(annotations, prefix=""):
    for one in annotations:
        name = prefix + one.name
        if one.dict_entries:
            yield from arguments(one.dict_entries, name + ".")
        elif one.WhichOneof("value"):
            yield name, getattr(one, one.WhichOneof("value"))


def facts(path):
    from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as schema
    trace = schema.Trace()
    with open(path, "rb") as file:
        trace.ParseFromString(file.read())
    known(trace)
    kinds = schema.TrackEvent
    tracks, opened = {}, {}
    for packet in trace.packet:
        if packet.trusted_packet_sequence_id == 0:
            sys.exit("a packet of no sequence")
        if packet.HasField("track_descriptor"):
            track = packet.track_descriptor
            if track.parent_uuid and track.parent_uuid not in tracks:
                sys.exit(f"track {track.name} comes before its group")
            tracks[track.uuid] = track
            unit = schema.CounterDescriptor.Unit.Name(track.counter.unit) if track.HasField("counter") else ""
            group = tracks[track.parent_uuid].name if track.parent_uuid else ""
            print("track", repr(group), repr(track.name), unit or "-")
        elif packet.HasField("track_event"):
            event = packet.track_event
            name, ns = tracks[event.track_uuid].name, packet.timestamp
            if event.type == kinds.TYPE_SLICE_BEGIN:
                opened.setdefault(event.track_uuid, []).append((ns, event))
            elif event.type == kinds.TYPE_SLICE_END:
                since, begin = opened[event.track_uuid].pop()
                depth = len(opened[event.track_uuid])
                print("slice", repr(name), repr(begin.name), since, ns - since, f"depth={depth}",
                      *(f"{key}={value}" for key, value in arguments(begin.debug_annotations)))
            elif event.type == kinds.TYPE_INSTANT:
                print("instant", repr(name), repr(event.name), ns,
                      *(f"{key}={value}" for key, value in arguments(event.debug_annotations)))
            elif event.type == kinds.TYPE_COUNTER:
                print("counter", repr(name), ns, event.counter_value)
            else:
                sys.exit(f"an event of type {event.type}")
        else:
            sys.exit("a packet that is neither a track nor an event")
    if any(opened.values()):
        sys.exit("a slice never ends")


def query(path, shell, sql):
    from perfetto.trace_processor import TraceProcessor, TraceProcessorConfig
    with TraceProcessor(trace=path, config=TraceProcessorConfig(bin_path=shell)) as processor:
        for row in processor.query(sql):
            print(*row.__dict__.values())


if __name__ == "__main__":
    {"make": make, "facts": facts, "query": query}[sys.argv[1]](*sys.argv[2:])
