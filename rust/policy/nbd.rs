// SPDX-License-Identifier: GPL-2.0

//! Where the time of a request of an NBD device goes: from the moment it is handed to the
//! driver until it is completed.
//!
//! Its events may come out of order: the reply may be there before the sender has said that
//! the last byte is gone, and one that belongs to an earlier attempt may come late. Some do
//! not come at all: the send fails, or the connection is lost.

use crate::words::Phase;

/// Nanoseconds by [`Phase`].
pub type PhaseTimes = [u64; Phase::COUNT];

/// When a request reached what, in nanoseconds of one clock; 0: it did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// It was handed to the driver, with which its attempt begins.
    pub queued: u64,
    /// The driver has a connection for it, and begins to send.
    pub sending: u64,
    /// Its header is gone.
    pub header: u64,
    /// Its data are gone.
    pub payload: u64,
    /// The header of its reply is there.
    pub replied: u64,
    /// It was given back instead; then nothing else counts.
    pub requeued: u64,
}

/// Splits the time from the begin of an attempt until `end`; also says what the request is
/// at then. The parts sum to that time, or to 0 if it ends before it begins.
pub fn split(stamps: &Stamps, end: u64) -> (PhaseTimes, Phase) {
    let mut parts = [0; Phase::COUNT];
    if stamps.requeued != 0 {
        add(&mut parts, Phase::Requeued, stamps.requeued, end);
        return (parts, Phase::Requeued);
    }
    // One from before the send began is an earlier attempt's.
    let replied = match stamps.replied {
        t if t != 0 && stamps.sending != 0 && t >= stamps.sending => t,
        _ => 0,
    };
    // What is answered was sent.
    let latest = if replied != 0 { replied.min(end) } else { end };
    let steps = [
        (stamps.sending, Phase::Header),
        (stamps.header, Phase::Payload),
        (stamps.payload, Phase::Server),
        (replied, Phase::Reply),
    ];
    let (mut phase, mut since) = (Phase::Lock, stamps.queued);
    for (at, next) in steps {
        if at == 0 {
            continue;
        }
        let at = at.min(latest).max(since);
        add(&mut parts, phase, since, at.min(end));
        (phase, since) = (next, at);
    }
    add(&mut parts, phase, since, end);
    (parts, phase)
}

fn add(parts: &mut PhaseTimes, phase: Phase, from: u64, to: u64) {
    if let Some(part) = parts.get_mut(phase as usize) {
        *part = part.wrapping_add(to.saturating_sub(from));
    }
}

/// What of a task's wait was for requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestWaits {
    /// For its turn on a connection.
    pub lock: u64,
    /// It sent a request itself.
    pub send: u64,
    /// For something that requests may have to do with: writeback, a tag, memory.
    pub other: u64,
}

/// Ranges of [`blame`]'s shares: what is below does not matter, and products fit.
const SHARE_BITS: u32 = 20;

/// Of what a task waited, how much was for requests, by what these were at meanwhile.
///
/// `spent` is what all requests together spent at each phase while it waited. Whoever waits
/// for a connection, or sends, knows what he is at. The rest counts as theirs for as long as
/// there was one under way, at most, and in the proportions of what they were at: an
/// estimate, as nobody says which request a task waits for.
pub fn blame(waits: &RequestWaits, spent: &PhaseTimes) -> PhaseTimes {
    let all = spent.iter().fold(0u64, |a, ns| a.saturating_add(*ns));
    let mut left = waits.other.min(all);
    let bits = u64::BITS.saturating_sub(all.leading_zeros());
    let shift = bits.saturating_sub(SHARE_BITS);
    let mut blamed = spent.map(|ns| ns >> shift);
    let shares = blamed.iter().fold(0u64, |a, share| a.wrapping_add(*share));
    let other = left;
    for part in &mut blamed {
        let own = other.saturating_mul(*part).checked_div(shares);
        *part = own.unwrap_or(0).min(left);
        left = left.wrapping_sub(*part);
    }
    // What rounding leaves is the largest one's.
    if let Some(most) = blamed.iter_mut().max() {
        *most = most.wrapping_add(left);
    }
    for (phase, ns) in [(Phase::Lock, waits.lock), (Phase::Payload, waits.send)] {
        if let Some(part) = blamed.get_mut(phase as usize) {
            *part = part.saturating_add(ns);
        }
    }
    blamed
}
