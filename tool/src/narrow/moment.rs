// SPDX-License-Identifier: GPL-2.0
//! Moments of a recording, in the forms that people write.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Range;
use crate::{
    error::{Error, Result},
    recording::Recording,
};

/// Seconds in a day.
const DAY: f64 = 86_400.0;

/// A moment, as it was given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// Seconds after the start.
    AfterStart(f64),
    /// Seconds before the end.
    BeforeEnd(f64),
    /// Seconds since 1970.
    At(f64),
    /// Seconds since midnight, UTC.
    TimeOfDay(f64),
}

impl Moment {
    /// Reads `12.5`, `1m30s`, `-10s`, `start`, `end`, `2026-11-22T22:00:05Z` or `22:00:05`.
    pub fn parse(text: &str) -> Result<Self> {
        let seconds = |text: &str| -> Option<f64> {
            let plain = text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
            plain.or_else(|| humantime::parse_duration(text).ok().map(|time| time.as_secs_f64()))
        };
        let found = match text {
            "start" => Some(Self::AfterStart(0.0)),
            "end" => Some(Self::BeforeEnd(0.0)),
            _ if text.contains(':') => time_of_day(text).map(Self::TimeOfDay).or_else(|| {
                let at = humantime::parse_rfc3339_weak(text).ok()?;
                Some(Self::At(at.duration_since(UNIX_EPOCH).ok()?.as_secs_f64()))
            }),
            _ => match text.strip_prefix('-') {
                Some(rest) => seconds(rest).map(Self::BeforeEnd),
                None => seconds(text.strip_prefix('+').unwrap_or(text)).map(Self::AfterStart),
            },
        };
        found.ok_or_else(|| {
            Error::Options(format!(
                "--between: {text} is not a moment; give seconds from the recording's start (12.5, 1m30s) or, with a \
                 minus sign, from its end; start or end; or a time of day in UTC (22:00:05, 2026-11-22T22:00:05Z)"
            ))
        })
    }

    /// The moment in seconds after the start of a recording that began `began` seconds after 1970 and is `long` seconds
    /// long.
    fn after_start(self, began: f64, long: f64) -> f64 {
        match self {
            Self::AfterStart(s) => s,
            Self::BeforeEnd(s) => long - s,
            Self::At(s) => s - began,
            Self::TimeOfDay(s) => {
                let after = s - began.rem_euclid(DAY);
                // If the recording goes past midnight, the time may be on the next day.
                if after < 0.0 && after + DAY <= long { after + DAY } else { after }
            }
        }
    }
}

/// Reads `HH:MM` or `HH:MM:SS`, with a fraction or a `Z`.
fn time_of_day(text: &str) -> Option<f64> {
    let mut parts = text.strip_suffix('Z').unwrap_or(text).split(':');
    let whole = |part: &str, most: u32| part.parse::<u32>().ok().filter(|n| *n < most && part.len() <= 2);
    let (hours, minutes) = (whole(parts.next()?, 24)?, whole(parts.next()?, 60)?);
    let seconds = match parts.next() {
        Some(part) if part.starts_with(|c: char| c.is_ascii_digit()) => {
            part.parse::<f64>().ok().filter(|s| (0.0..61.0).contains(s))?
        }
        Some(_) => return None,
        None => 0.0,
    };
    parts.next().is_none().then(|| f64::from(hours * 3600 + minutes * 60) + seconds)
}

/// The part of a recording from one moment to another.
pub fn range(from: &Moment, to: &Moment, recording: &Recording) -> Result<Range> {
    let (began, long) = (began(recording), recording.end.seconds);
    let first = from.after_start(began, long).max(0.0);
    let last = to.after_start(began, long);
    let says = |what: &str| {
        let clock = |s: f64| {
            let at = UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(s).unwrap_or_default());
            humantime::format_rfc3339_seconds(at.unwrap_or(SystemTime::UNIX_EPOCH)).to_string()
        };
        Err(Error::Options(format!(
            "--between: {what}; the recording is {long:.1} s long, from {} to {}",
            clock(began),
            clock(began + long)
        )))
    };
    if first >= long || last <= 0.0 {
        return says("that is not in the recording");
    }
    if last <= first {
        return says("the first moment is not before the second");
    }
    // This is never negative, and far below 2^64 nanoseconds, because no recording is 500 years long.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let ns = |s: f64| recording.head.clock.ns.saturating_add((s * 1e9).round() as u64);
    // Events at the very end belong to the part, and so do those that were read after it.
    let to_ns = if last >= long { u64::MAX } else { ns(last) };
    let from_ns = if first > 0.0 { ns(first) } else { 0 };
    Ok(Range { from_ns, to_ns, from_s: first, to_s: last.min(long) })
}

/// When a recording began, in seconds since 1970.
fn began(recording: &Recording) -> f64 {
    let started = humantime::parse_rfc3339_weak(&recording.head.started).ok();
    let started = started.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs_f64());
    let before = recording.before.system.unix_time;
    // `started` has only whole seconds. The snapshot was taken right after it.
    match started {
        Some(started) if !(started..started + 1.0).contains(&before) => started,
        _ => before,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_give_them() {
        for (text, moment) in [
            ("12.5", Moment::AfterStart(12.5)),
            ("0", Moment::AfterStart(0.0)),
            ("+3", Moment::AfterStart(3.0)),
            ("1m30s", Moment::AfterStart(90.0)),
            ("500ms", Moment::AfterStart(0.5)),
            ("-10s", Moment::BeforeEnd(10.0)),
            ("-1.5", Moment::BeforeEnd(1.5)),
            ("start", Moment::AfterStart(0.0)),
            ("end", Moment::BeforeEnd(0.0)),
            ("22:00", Moment::TimeOfDay(79_200.0)),
            ("22:00:05.25", Moment::TimeOfDay(79_205.25)),
            ("2:03:04Z", Moment::TimeOfDay(7384.0)),
            ("1970-01-02T00:00:01Z", Moment::At(86_401.0)),
            ("1970-01-02 00:00:01", Moment::At(86_401.0)),
        ] {
            assert_eq!(Moment::parse(text).expect(text), moment, "{text}");
        }
        for text in ["", "x", "--3", "-", "nan", "inf", "1e999", "25:00", "22:60", "22:00:61", "1:2:3:4", "10 apples"] {
            assert!(Moment::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn after_the_start() {
        // The recording begins at 23:59:50, and takes a minute.
        let began = DAY * 3.0 - 10.0;
        for (moment, after) in [
            (Moment::AfterStart(3.0), 3.0),
            (Moment::BeforeEnd(5.0), 55.0),
            (Moment::At(DAY * 3.0), 10.0),
            (Moment::TimeOfDay(DAY - 4.0), 6.0),
            (Moment::TimeOfDay(20.0), 30.0),
            (Moment::TimeOfDay(DAY - 15.0), -5.0),
        ] {
            let found = moment.after_start(began, 60.0);
            assert!((found - after).abs() < 1e-6, "{moment:?}: {found}");
        }
    }
}
