// SPDX-License-Identifier: GPL-2.0
//! One line of `trace_pipe` as an event.
//!
//! ```text
//!           memhog-1234    [001] d..2.  123.456789: stall: origin=direct usecs=5120 scan=12 ...
//! ```

use std::collections::BTreeMap;

use crate::recording::{Event, Value};

/// The width of a task's name in a line. A shorter name has blanks before it, and there are no longer ones.
const NAME_WIDTH: usize = 16;

/// What a line of the trace is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// An event.
    Event(Event),
    /// A remark of the tracer about a buffer, or about lost events, which are counted elsewhere.
    Remark,
    /// Neither.
    Unreadable,
}

/// Reads a line, with or without its end.
pub(super) fn read(line: &[u8]) -> Said {
    let line = line.trim_ascii_end();
    let remark = line.is_empty() || line.starts_with(b"CPU:") || line.starts_with(b"#");
    match event(line) {
        Some(event) => Said::Event(event),
        None if remark => Said::Remark,
        None => Said::Unreadable,
    }
}

fn event(line: &[u8]) -> Option<Event> {
    // A name may contain anything, so it is skipped by its width, and not searched.
    let (name, rest) = line.split_at_checked(NAME_WIDTH)?;
    let rest = std::str::from_utf8(rest.strip_prefix(b"-")?).ok()?;
    let (pid, rest) = rest.split_once(" [").or_else(|| rest.split_once('['))?;
    let (cpu, rest) = rest.split_once("] ")?;
    // The flags of the context may be missing, because they can be switched off.
    let (at, rest) = rest.split_once(": ")?;
    let (seconds, fraction) = at.rsplit(' ').next()?.split_once('.')?;
    let (name_of_event, fields) = rest.split_once(": ").or_else(|| Some((rest.strip_suffix(':')?, "")))?;
    Some(Event {
        ns: nanoseconds(seconds, fraction)?,
        cpu: cpu.parse().ok()?,
        pid: pid.trim_end().parse().ok()?,
        comm: String::from_utf8_lossy(name.trim_ascii_start()).into_owned(),
        name: name_of_event.to_owned(),
        fields: fields_of(fields)?,
    })
}

fn nanoseconds(seconds: &str, micros: &str) -> Option<u64> {
    let micros = Some(micros).filter(|micros| micros.len() == 6)?.parse::<u64>().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(micros * 1000)
}

/// Reads `key=value` words. A word without `=` belongs to the value before it, as in a list of functions.
fn fields_of(text: &str) -> Option<BTreeMap<String, Value>> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match (word.split_once('='), fields.last_mut()) {
            (Some((key, value)), _) => fields.push((key, value.to_owned())),
            (None, Some((_, value))) => {
                value.push(' ');
                value.push_str(word);
            }
            (None, None) => return None,
        }
    }
    Some(fields.into_iter().map(|(key, value)| (key.to_owned(), typed(value))).collect())
}

fn typed(text: String) -> Value {
    // Only text that is printed in the same way again is a number: 007 and +7 stay text.
    match text.parse::<u64>() {
        Ok(number) if number.to_string() == text => Value::Number(number),
        _ => Value::Text(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Nothing that the kernel prints, and no name of a task, causes a panic.
        #[test]
        fn any_line_is_read(line in prop::collection::vec(any::<u8>(), 0..200), text in "[ -~]{0,200}") {
            let _ = read(&line);
            let _ = read(text.as_bytes());
        }

        /// What the kernel prints for a task with any name is read as its event.
        #[test]
        fn any_event_is_read(name in "[!-~]([ -~]{0,13}[!-~])?", pid in 0..4_194_305_u64, cpu in 0..4096_u64,
                             at in 0..1_000_000_000_000_u64, usecs in any::<u64>()) {
            let line = format!("{name:>16}-{pid:<7} [{cpu:03}] d..2. {:5}.{:06}: stall: usecs={usecs} gfp=0x1",
                               at / 1_000_000, at % 1_000_000);
            let event = told(&line);
            prop_assert_eq!((event.ns, event.cpu, event.pid), (at * 1000, cpu, pid));
            prop_assert_eq!(event.comm.as_str(), name.as_str());
            prop_assert_eq!(event.number("usecs"), Some(usecs));
        }
    }

    fn told(line: &str) -> Event {
        match read(line.as_bytes()) {
            Said::Event(event) => event,
            other => panic!("{line:?} is {other:?}"),
        }
    }

    #[test]
    fn a_stall() {
        let event = told(
            "          memhog-1234    [001] d..2.   123.456789: stall: origin=direct usecs=5120 unexplained=0 \
             gfp=0x140cca nid=0\n",
        );
        assert_eq!((event.ns, event.cpu, event.pid), (123_456_789_000, 1, 1234));
        assert_eq!((event.comm.as_str(), event.name.as_str()), ("memhog", "stall"));
        assert_eq!((event.number("usecs"), event.number("unexplained")), (Some(5120), Some(0)));
        assert_eq!(event.fields["gfp"], Value::Text("0x140cca".into()));
        assert_eq!(event.fields["origin"], Value::Text("direct".into()));
    }

    #[test]
    fn a_list_of_functions_is_one_value() {
        let event = told(
            "           <...>-7       [000] .....     0.000001: headroom_low: origin=kswapd layer=nbd headroom=900 \
             floor=1024 stack=nbd_send+0x1/0x20 [nbd] < blk_mq+0x2/0x30 < 0x0",
        );
        assert_eq!(event.comm, "<...>");
        assert_eq!(event.fields["stack"], Value::Text("nbd_send+0x1/0x20 [nbd] < blk_mq+0x2/0x30 < 0x0".into()));
        assert_eq!(event.number("floor"), Some(1024));
    }

    #[test]
    fn any_name_of_a_task() {
        for name in ["a-1 [000] x: y", "kworker/u4:2-ev", "x", "(sd-pam)", "a: b=c", "0123456789abcde"] {
            let event = told(&format!("{name:>16}-99999   [127] d.h1. 99999.000000: reclaim_write: nr_pages=1"));
            assert_eq!((event.comm.as_str(), event.pid, event.cpu), (name, 99999, 127));
        }
        // This name is not UTF-8. It has five bytes, after eleven blanks.
        let line = b"           \xff\xfe\xfdab-1       [000] .....     1.000000: write_around: dev=8:16 ino=12";
        let Said::Event(event) = read(line) else { panic!("unreadable") };
        assert_eq!(event.comm, "\u{fffd}\u{fffd}\u{fffd}ab");
        assert_eq!(event.fields["dev"], Value::Text("8:16".into()));
    }

    #[test]
    fn without_the_flags_of_the_context() {
        let event = told("          memhog-1234    [001]   123.456789: reclaim_window: origin=direct depth=1");
        assert_eq!((event.ns, event.number("depth")), (123_456_789_000, Some(1)));
        // A process id of seven digits leaves one blank.
        assert_eq!(told("          memhog-4194304 [001] ..... 1.000000: stall: usecs=1").pid, 4_194_304);
    }

    #[test]
    fn remarks_and_what_is_unreadable() {
        for line in ["CPU:1 [LOST 123 EVENTS]", "##### CPU 2 buffer started ####", "", "# tracer: nop"] {
            assert_eq!(read(line.as_bytes()), Said::Remark, "{line:?}");
        }
        for line in [
            " => shrink_folio_list",
            "          memhog-1234",
            "          memhog-1234    [001] d..2.   123.456789: stall",
            "          memhog-x       [001] d..2.   123.456789: stall: usecs=1",
            "          memhog-1       [001] d..2.   123.45: stall: usecs=1",
            "          memhog-1       [001] d..2.   123.456789: stall: usecs",
            "          memhog-1       [001] d..2.   99999999999999.000000: stall: usecs=1",
        ] {
            assert_eq!(read(line.as_bytes()), Said::Unreadable, "{line:?}");
        }
    }

    #[test]
    fn numbers_are_told_from_other_text() {
        let fields = fields_of("a=18446744073709551615 b=18446744073709551616 c=007 d= e=-1 f=+1").expect("fields");
        assert_eq!(fields["a"], Value::Number(u64::MAX));
        for (key, text) in [("b", "18446744073709551616"), ("c", "007"), ("d", ""), ("e", "-1"), ("f", "+1")] {
            assert_eq!(fields[key], Value::Text(text.into()));
        }
    }
}
