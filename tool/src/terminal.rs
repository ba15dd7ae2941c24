// SPDX-License-Identifier: GPL-2.0
//! Prints untrusted text on a terminal: names of tasks, cgroups and devices, and rows of a file that anybody may have
//! made. Such text must not control the terminal, or make it show what is not there. Everything that is printed for
//! people goes through here.

use std::{borrow::Cow, fmt::Write as _};

/// Whether a character controls a terminal (C0, DEL, C1) or changes the order of what is shown (Unicode's bidirectional
/// controls).
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, keeps: fn(char) -> bool) -> Cow<'_, str> {
    let bad = |c| steers(c) && !keeps(c);
    if !text.contains(bad) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if !bad(c) {
            out.push(c);
        } else if c.is_ascii() {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        } else {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
    out.into()
}

/// Several lines of text. Characters that control a terminal are written as escapes, such as `\x1b`.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n')
}

/// One line of text. A line end is written as an escape, too.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// Prints one line to standard error, for people.
pub fn say(text: &str) {
    say_after("", text);
}

/// The same, after text of our own that controls the terminal.
pub fn say_after(ours: &str, text: &str) {
    eprintln!("{ours}reclaimwb: {}", line(text));
}

/// Text in a format for programs (JSON, Prometheus, folded stacks). It goes to a file or a pipe unchanged, and to a
/// terminal in the same way as text for people, because JSON does not escape all characters that control a terminal.
pub fn for_programs(text: &str, is_terminal: bool) -> Cow<'_, str> {
    if is_terminal { lines(text) } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_steers_is_escaped() {
        assert_eq!(
            line("a\x1b]0;title\x07b\n\u{9b}2J\u{202e}c\x7f"),
            "a\\x1b]0;title\\x07b\\x0a\\u{9b}2J\\u{202e}c\\x7f"
        );
        assert_eq!(lines("one\ntwo\r\n"), "one\ntwo\\x0d\n");
        assert!(matches!(line("plain – ünïcode"), Cow::Borrowed(_)));
    }

    #[test]
    fn programs_get_it_as_it_is() {
        let text = "{\"task\": \"a\u{9b}b\"}\n\t";
        assert_eq!(for_programs(text, false), text);
        assert_eq!(for_programs(text, true), "{\"task\": \"a\\u{9b}b\"}\n\\x09");
    }

    proptest! {
        #[test]
        fn nothing_steers(text in any::<String>()) {
            prop_assert!(!line(&text).contains(steers));
            prop_assert!(!lines(&text).contains(|c| steers(c) && c != '\n'));
            prop_assert_eq!(lines(&text).lines().count(), text.lines().count());
        }
    }
}
