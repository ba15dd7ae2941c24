// SPDX-License-Identifier: GPL-2.0
//! `reclaimwb stalls`: the longest stalls of ledgers and of recordings, and recordings as traces for Perfetto. That a
//! trace is what Perfetto's whole schema says is in `tests/host/tool_perfetto.sh`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::common::{complaint, edit, fixture, golden, ledger_dir, recording, run, stdout};
use prost::Message;
use reclaimwb::{
    perfetto::proto::{DebugAnnotation, EventType, TracePacket},
    recording::{Event, Value},
};
use serde_json::Value as Json;

/// An event with fields as the kernel prints them.
fn event(ns: u64, pid: u64, comm: &str, name: &str, fields: &str) -> Event {
    let value = |text: &str| text.parse().map_or_else(|_| Value::Text(text.into()), Value::Number);
    let fields = fields.split_whitespace().filter_map(|field| field.split_once('='));
    let fields = fields.map(|(key, text)| (key.to_owned(), value(text))).collect();
    Event { ns, cpu: pid % 2, pid, comm: comm.into(), name: name.into(), fields }
}

fn stall(ns: u64, pid: u64, comm: &str, usecs: u64, parts: &str) -> Event {
    let rest = "order=0 gfp=0x140cca nid=0 cgroup=1 scanned=100 freed=5 inactive_file=7 inactive_anon=8 dirty=9";
    event(ns, pid, comm, "stall", &format!("origin=direct usecs={usecs} {parts} {rest}"))
}

fn window(ns: u64, pid: u64, comm: &str, usecs: u64, depth: u64) -> Event {
    let fields = format!("origin=direct nr_reclaimed=32 pages_written=12 depth={depth} usecs={usecs}");
    event(ns, pid, comm, "reclaim_window", &fields)
}

fn write(ns: u64, pid: u64, comm: &str, origin: &str, pages: u64, headroom: u64) -> Event {
    let fields =
        format!("origin={origin} kind=io type=anon nr_pages={pages} order=0 nid=0 cgroup=1 headroom={headroom}");
    event(ns, pid, comm, "reclaim_write", &fields)
}

/// Two tasks that stall, kswapd that writes, and one event of each other sort.
fn events() -> Vec<Event> {
    vec![
        write(1_100_000_000, 30, "kswapd0", "kswapd", 1, 12_000),
        write(1_200_000_000, 272, "memhog", "direct", 2, 9_000),
        // Not in the order of time: of another CPU.
        write(1_150_000_000, 30, "kswapd0", "kswapd", 4, 11_500),
        window(1_301_000_000, 272, "memhog", 200_000, 1),
        stall(1_302_000_000, 272, "memhog", 300_000, "scan=50000 nbd_lock=240000 nbd_send=9999"),
        stall(1_900_000_000, 273, "memhog", 20_000, "scan=20000"),
        stall(2_900_000_000, 272, "memhog", 400_000, "scan=1 off_cpu=399999"),
        window(3_000_000_000, 30, "kswapd0", 2_000_000, 1),
        event(
            3_000_000_000,
            272,
            "memhog",
            "headroom_low",
            "origin=direct layer=net headroom=1500 floor=2048 stack=ip_output",
        ),
        event(
            3_100_000_000,
            99,
            "kworker/u8:1",
            "write_around",
            "dev=8:0 ino=12 start=0 nr=16 targets=2 others=14 ranges=1 usecs=500",
        ),
    ]
}

struct Recorded {
    dir: tempfile::TempDir,
    path: PathBuf,
}

impl Recorded {
    fn new(events: &[Event], lost: u64) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("a.jsonl");
        recording(&path, ["stalls-before.json", "stalls.json"], events, lost);
        Self { dir, path }
    }

    fn name(&self) -> &str {
        self.path.to_str().expect("a plain path")
    }

    /// The packets of its trace.
    fn trace(&self) -> Vec<TracePacket> {
        let out = self.dir.path().join("trace.pftrace");
        assert_eq!(stdout(&["stalls", self.name(), "--perfetto", out.to_str().expect("a plain path")]), "");
        packets(&fs::read(out).expect("a trace"))
    }
}

/// A trace is a message with packets in its field 1.
fn packets(mut bytes: &[u8]) -> Vec<TracePacket> {
    let mut packets = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        assert_eq!(*tag, 1 << 3 | 2, "field 1, with a length");
        bytes = rest;
        packets.push(TracePacket::decode_length_delimited(&mut bytes).expect("a packet"));
    }
    packets
}

fn json(args: &[&str]) -> Json {
    serde_json::from_str(&stdout(&[&["stalls", "--json"][..], args].concat())).expect("JSON")
}

#[test]
fn text_of_ledgers() {
    golden("longest.txt", &stdout(&["stalls", &fixture("stalls.json"), "-n", "4", "--width", "80"]));
}

#[test]
fn text_of_a_recording() {
    let recorded = Recorded::new(&events(), 7);
    golden("longest-recording.txt", &stdout(&["stalls", recorded.name(), "--width", "80"]));
}

#[test]
fn fits_its_width() {
    for width in ["60", "80", "132"] {
        for line in stdout(&["stalls", &fixture("stalls.json"), "--width", width]).lines() {
            assert!(line.len() <= width.parse().expect("a number") && line.is_ascii(), "{line:?}");
        }
    }
}

#[test]
fn longest_first_and_no_more_than_asked() {
    let all = json(&[&fixture("stalls.json"), "-n", "1000"]);
    let stalls = all["stalls"].as_array().expect("stalls");
    assert_eq!((stalls.len(), &all["source"], &all["of"]), (32, &"snapshot".into(), &793.into()));
    let ns: Vec<u64> = stalls.iter().map(|stall| stall["ns"].as_u64().expect("a number")).collect();
    assert!(ns.is_sorted_by(|a, b| a >= b));
    for stall in stalls {
        let parts = stall["parts_ns"].as_object().expect("parts").values().filter_map(Json::as_u64);
        assert_eq!(parts.sum::<u64>(), stall["ns"].as_u64().expect("a number"));
        assert!(stall["cgroup_path"].as_str().is_some_and(|path| path.starts_with('/')), "{stall}");
    }
    let two = json(&[&fixture("stalls.json"), "-n", "2"]);
    assert_eq!(two["stalls"].as_array().expect("stalls"), &stalls[..2]);
    assert_eq!(run(&["stalls", "-n", "0"]).status.code(), Some(2));
}

#[test]
fn live_ledgers() {
    let dir = ledger_dir("stalls.json");
    let debugfs = ["--debugfs", dir.path().to_str().expect("a plain path")];
    assert_eq!(json(&debugfs)["source"], "live");
    // What requests were at while it waited is shown if the module says it.
    edit(dir.path(), "stalls_longest", |text| {
        text.replacen(" comm=", " nbd.lock=1500000000 nbd.server=500000000 comm=", 1)
    });
    let text = stdout(&[&["stalls", "--width", "132"][..], &debugfs].concat());
    assert!(text.contains("for NBD requests it waited 2.000 s: waiting for the send lock 75.0 %, server"), "{text}");
    edit(dir.path(), "stalls_longest", |_| String::new());
    edit(dir.path(), "stalls", |text| text.replacen("state on", "state off", 1));
    let text = stdout(&[&["stalls"][..], &debugfs].concat());
    assert!(text.contains("not timed") && !text.contains(" 1. "), "{text}");
}

#[test]
fn a_recording_gives_all_its_stalls() {
    let recorded = Recorded::new(&events(), 0);
    let all = json(&[recorded.name()]);
    assert_eq!((&all["of"], &all["source"], &all["lost_events"]), (&3.into(), &"recording".into(), &0.into()));
    let first = &all["stalls"][0];
    assert_eq!((&first["ns"], &first["began_ns"]), (&400_000_000.into(), &2_500_000_000_u64.into()));
    assert_eq!((&first["task"], &first["pid"], &first["gfp"]), (&"memhog".into(), &272.into(), &"0x140cca".into()));
    assert_eq!(first["parts_ns"], serde_json::json!({"scan": 1000, "off_cpu": 399_999_000}));
    assert_eq!(first["cgroup_path"], "/");
    // More than are kept at a time.
    let many: Vec<Event> =
        (1..3000).map(|i| stall(i * 1_000_000_000, i % 7, "t", (i * 7919) % 3001, "scan=0")).collect();
    let recorded = Recorded::new(&many, 0);
    let longest = json(&[recorded.name(), "-n", "3"]);
    assert_eq!(longest["of"], 2999);
    let ns = |i: usize| longest["stalls"][i]["ns"].as_u64();
    assert_eq!([ns(0), ns(1), ns(2)], [Some(3_000_000), Some(2_999_000), Some(2_998_000)]);
}

/// The event does not say what NBD requests were at; the ledger does, of those that it keeps.
#[test]
fn requests_come_from_the_ledger() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("a.jsonl");
    let mut longest = stall(9_807_214_929, 150, "memhog", 3_129_005, "scan=52473");
    for (field, n) in [("scanned", 1637), ("freed", 52)] {
        longest.fields.insert(field.into(), Value::Number(n));
    }
    recording(&path, ["stalls-before.json", "stalls.json"], &[longest], 0);
    let text = fs::read_to_string(&path).expect("text");
    let with = text.replacen("runqueue=73762516 comm=", "runqueue=73762516 nbd.server=2000000000 comm=", 1);
    assert_ne!(text, with);
    fs::write(&path, with).expect("written");
    let all = json(&[path.to_str().expect("a plain path")]);
    assert_eq!(all["stalls"][0]["nbd_ns"], serde_json::json!({"server": 2_000_000_000_u64}));
}

#[test]
fn what_cannot_be_read_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let out = dir.path().join("out").to_str().expect("a plain path").to_owned();
    let said = complaint(&["stalls", &fixture("stalls.json"), "--perfetto", &out]);
    assert!(said.contains("not a recording") && said.contains("reclaimwb record -o FILE"), "{said}");
    let said = complaint(&["stalls", &fixture("before.json")]);
    assert!(said.contains("older than the stall ledger"), "{said}");
    for (name, field) in
        [("stall", "usecs"), ("stall", "origin"), ("reclaim_window", "depth"), ("reclaim_write", "kind")]
    {
        let mut events = events();
        let event = events.iter_mut().find(|event| event.name == name).expect(name);
        event.fields.remove(field);
        let recorded = Recorded::new(&events, 0);
        let made = run(&["stalls", recorded.name(), "--perfetto", &out]);
        // Without its kind a write is still one.
        assert_eq!(made.status.success(), field == "kind", "{name} {field}");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success() || said.contains(&format!("event {name} has no {field}")), "{said}");
    }
    let _ = fs::remove_file(&out);
    let recorded = Recorded::new(&events(), 0);
    let text = fs::read_to_string(&recorded.path).expect("text");
    fs::write(&recorded.path, text.replacen("\"stall\",", "", 1)).expect("written");
    assert!(complaint(&["stalls", recorded.name()]).contains("recorded without the event stall; record with --events"));
    fs::write(&recorded.path, &text[..text.len() / 2]).expect("written");
    for args in [&["stalls", recorded.name()][..], &["stalls", recorded.name(), "--perfetto", out.as_str()]] {
        assert!(complaint(args).contains("cut off"));
    }
    assert!(!Path::new(&out).exists(), "half a trace");
    // A live trace there is not.
    assert_eq!(run(&["stalls", "--perfetto", &out]).status.code(), Some(2));
}

/// Begin, end, name, depth and arguments.
type Slice = (u64, u64, String, usize, BTreeMap<String, String>);

/// What a track shows.
#[derive(Debug, Default)]
struct Track {
    name: String,
    parent: u64,
    rank: Option<i32>,
    counter: bool,
    slices: Vec<Slice>,
    instants: Vec<(u64, String)>,
    values: Vec<(u64, i64)>,
}

fn arguments(prefix: &str, all: &[DebugAnnotation], into: &mut BTreeMap<String, String>) {
    for one in all {
        let name = format!("{prefix}{}", one.name.as_deref().expect("a name"));
        if let Some(n) = one.uint_value {
            into.insert(name.clone(), n.to_string());
        }
        if let Some(text) = &one.string_value {
            into.insert(name.clone(), text.clone());
        }
        arguments(&format!("{name}."), &one.dict_entries, into);
    }
}

/// The tracks by name, as a reader of the trace puts them together.
fn tracks(packets: &[TracePacket]) -> BTreeMap<String, Track> {
    let mut tracks = BTreeMap::<u64, Track>::new();
    let mut open = BTreeMap::<u64, Vec<usize>>::new();
    for (i, packet) in packets.iter().enumerate() {
        assert_eq!((packet.trusted_packet_sequence_id, packet.sequence_flags), (Some(1), (i == 0).then_some(1)));
        if let Some(new) = &packet.track_descriptor {
            let track = Track {
                name: new.name.clone().expect("a name"),
                parent: new.parent_uuid.unwrap_or(0),
                rank: new.sibling_order_rank,
                counter: new.counter.is_some(),
                ..Track::default()
            };
            assert!(track.parent == 0 || tracks.contains_key(&track.parent), "{}: its group comes later", track.name);
            assert!(tracks.insert(new.uuid.expect("a uuid"), track).is_none(), "a track comes twice");
            continue;
        }
        let event = packet.track_event.as_ref().expect("an event");
        let (uuid, ns) = (event.track_uuid.expect("a track"), packet.timestamp.expect("a time"));
        let track = tracks.get_mut(&uuid).expect("a track that was described before");
        let open = open.entry(uuid).or_default();
        let name = || event.name.clone().expect("a name");
        match event.r#type() {
            EventType::SliceBegin => {
                let mut args = BTreeMap::new();
                arguments("", &event.debug_annotations, &mut args);
                open.push(track.slices.len());
                track.slices.push((ns, u64::MAX, name(), open.len(), args));
            }
            EventType::SliceEnd => track.slices[open.pop().expect("an open slice")].1 = ns,
            EventType::Instant => track.instants.push((ns, name())),
            EventType::Counter => {
                assert!(track.counter, "{}", track.name);
                track.values.push((ns, event.counter_value.expect("a value")));
            }
            EventType::Unspecified => panic!("an event of no type"),
        }
    }
    assert!(open.values().all(Vec::is_empty), "a slice never ends");
    let count = tracks.len();
    let groups: BTreeMap<u64, String> = tracks.iter().map(|(uuid, track)| (*uuid, track.name.clone() + "/")).collect();
    let named = |track: Track| (groups.get(&track.parent).cloned().unwrap_or_default() + &track.name, track);
    let by_name: BTreeMap<String, Track> = tracks.into_values().map(named).collect();
    assert_eq!(by_name.len(), count, "two tracks of one name");
    by_name
}

#[test]
fn a_trace_has_it_all_in_its_place() {
    let packets = Recorded::new(&events(), 7).trace();
    let times: Vec<u64> = packets.iter().filter_map(|packet| packet.timestamp).collect();
    assert!(times.is_sorted(), "events are in the order of time");
    let tracks = tracks(&packets);

    let whole = &tracks["Recording"].slices[0];
    assert_eq!((whole.0, whole.1, whole.2.as_str()), (1_000_000_000, 13_500_000_000, "memhog two words"));
    assert_eq!((whole.4["lost_events"].as_str(), whole.4["lost.cpu1"].as_str()), ("7", "7"));

    // The window lies in the stall; nobody knows when its parts were.
    let memhog = &tracks["Tasks/memhog [272]"];
    let shape: Vec<_> =
        memhog.slices.iter().map(|(from, to, name, depth, _)| (*from, *to, name.as_str(), *depth)).collect();
    let expected = [
        (1_002_000_000, 1_302_000_000, "stall: lock of the NBD connection", 1),
        (1_101_000_000, 1_301_000_000, "reclaim: direct", 2),
        (2_500_000_000, 2_900_000_000, "stall: asleep for something else", 1),
    ];
    assert_eq!(shape, expected);
    let args = &memhog.slices[0].4;
    assert_eq!((args["parts_ns.nbd_lock"].as_str(), args["parts_ns.scan"].as_str()), ("240000000", "50000000"));
    assert_eq!((args["order"].as_str(), args["gfp"].as_str(), args["freed_pages"].as_str()), ("0", "0x140cca", "5"));
    let marks: Vec<_> = memhog.instants.iter().map(|(ns, name)| (*ns, name.as_str())).collect();
    assert_eq!(marks, [(1_200_000_000, "write anon io"), (3_000_000_000, "headroom low")]);
    assert_eq!(tracks["Tasks/kworker/u8:1 [99]"].instants, [(3_100_000_000, "write around".to_owned())]);
    assert_eq!(tracks["Tasks/kswapd0 [30]"].slices[0].2, "reclaim: direct");
    // Who stalled most comes first.
    assert_eq!((memhog.rank, tracks["Tasks/memhog [273]"].rank), (Some(0), Some(1)));

    // In the order of time, whatever the file's.
    let values = |name: &str| tracks[name].values.iter().map(|(_, n)| *n).collect::<Vec<i64>>();
    assert_eq!((values("Pages written/kswapd"), values("Pages written/direct")), (vec![1, 5], vec![2]));
    assert_eq!((values("Stack left/kswapd"), values("Stack left/direct")), (vec![12_000, 11_500], vec![9_000]));
    assert!(!tracks.contains_key("Pages written/madvise"), "an origin that wrote nothing");
}

/// A pid comes again, a task changes its name, and clocks are a little off.
#[test]
fn tasks_are_told_apart_and_slices_nest() {
    let events = [
        stall(2_000_000_000, 5, "old", 500_000, "scan=1"),
        stall(3_000_000_000, 5, "new", 500_000, "scan=1"),
        // It seems to begin and to end a microsecond outside.
        stall(5_000_000_000, 6, "a", 1_000_000, "scan=1"),
        window(5_000_001_000, 6, "a", 1_000_002, 1),
        window(4_700_000_000, 6, "a", 100_000, 2),
        // This one it cannot be.
        window(5_500_000_000, 6, "a", 800_000, 1),
    ];
    let tracks = tracks(&Recorded::new(&events, 0).trace());
    assert_eq!((tracks["Tasks/old [5]"].slices.len(), tracks["Tasks/new [5]"].slices.len()), (1, 1));
    let of =
        |name: &str| tracks[name].slices.iter().map(|(from, to, _, depth, _)| (*from, *to, *depth)).collect::<Vec<_>>();
    let nested =
        [(4_000_000_000, 5_000_000_000, 1), (4_000_000_000, 5_000_000_000, 2), (4_600_000_000, 4_700_000_000, 3)];
    assert_eq!(of("Tasks/a [6]"), nested);
    assert_eq!(of("Tasks/a [6] (overlaps, 1)"), [(4_700_000_000, 5_500_000_000, 1)]);
}

/// There is an event for each folio only if it was asked for; windows say how much they wrote.
#[test]
fn pages_are_counted_by_window_if_need_be() {
    let events = [window(2_000_000_000, 30, "kswapd0", 5000, 1), window(1_500_000_000, 272, "memhog", 5000, 1)];
    let tracks = tracks(&Recorded::new(&events, 0).trace());
    assert_eq!(tracks["Pages written/direct"].values, [(1_500_000_000, 12), (2_000_000_000, 24)]);
    assert!(!tracks.contains_key("Stack left"));
}

#[test]
fn an_empty_recording_is_a_trace_too() {
    let tracks = tracks(&Recorded::new(&[], 0).trace());
    assert_eq!(tracks.keys().collect::<Vec<_>>(), ["Pages written", "Recording", "Tasks"]);
}

/// Folded, the time of all stalls is there, and each line is a stack and a number.
#[test]
fn folded_stacks_add_up() {
    let sum = |text: &str| -> u64 {
        let numbers = text.lines().map(|line| {
            let (frames, n) = line.rsplit_once(' ').expect("a number");
            assert!(frames.contains(';') && !frames.contains(";;"), "{line}");
            n.parse::<u64>().expect("microseconds")
        });
        numbers.sum()
    };
    let all = stdout(&["stalls", &fixture("stalls.json"), "--folded"]);
    assert!(all.contains("\n/rwb-limited;sending to the NBD server "), "{all}");
    // 31.171 s, less what is below a microsecond, in each line.
    assert!((31_171_000 - 100..=31_172_000).contains(&sum(&all)), "{}", sum(&all));

    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("run.jsonl");
    let event = |ms: u64, comm: &str, cause: &str| {
        let mut event = crate::common::stall(3_000_000_000, ms * 1000);
        event.comm = comm.into();
        let scan = event.fields.remove("scan").expect("scan");
        event.fields.insert(cause.into(), scan);
        for name in ["scanned", "freed", "order", "nid", "cgroup", "inactive_file", "inactive_anon", "dirty"] {
            event.fields.insert(name.into(), reclaimwb::recording::Value::Number(u64::from(name == "cgroup")));
        }
        event
    };
    let events =
        [event(5, "a b", "nbd_lock"), event(2, "a b", "nbd_lock"), event(1, "a b", "scan"), event(4, "c", "scan")];
    crate::common::recording(&file, ["stalls-before.json", "stalls.json"], &events, 3);
    let output = crate::common::run(&["stalls", file.to_str().expect("a plain path"), "--folded"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let expected =
        "/;a b;direct;lock of the NBD connection 7000\n/;a b;direct;scanning 1000\n/;c;direct;scanning 4000\n";
    assert_eq!(text, expected);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(said, "reclaimwb: 3 events were lost while recording: stalls may be missing\n");
}
