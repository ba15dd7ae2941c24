// SPDX-License-Identifier: GPL-2.0

//! Where the time of an NBD request goes, from the moment at which the driver gets it until it is
//! completed.
//!
//! Its events may come out of order: the reply may arrive before the sender has reported the last
//! byte, and an event of an earlier attempt may come late. Some events do not come at all, because
//! the send fails or the connection is lost.

use crate::words::Phase;

/// Nanoseconds for each [`Phase`].
pub type PhaseTimes = [u64; Phase::COUNT];

/// When a request reached each step, in nanoseconds of one clock; 0 if it did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// The driver got the request. With this the attempt begins.
    pub queued: u64,
    /// The driver has a connection for the request, and begins to send.
    pub sending: u64,
    /// The header has been sent.
    pub header: u64,
    /// The data have been sent.
    pub payload: u64,
    /// The header of the reply has been received.
    pub replied: u64,
    /// The request was given back to the block layer. Then the other steps do not count.
    pub requeued: u64,
}

/// Splits the time from the begin of an attempt until `end`, and returns the phase of the request
/// at `end`. The parts sum to that time, or to 0 if `end` is before the begin.
pub fn split(stamps: &Stamps, end: u64) -> (PhaseTimes, Phase) {
    let mut parts = [0; Phase::COUNT];
    if stamps.requeued != 0 {
        add(&mut parts, Phase::Requeued, stamps.requeued, end);
        return (parts, Phase::Requeued);
    }
    // A reply from before the send began belongs to an earlier attempt.
    let replied = match stamps.replied {
        t if t != 0 && stamps.sending != 0 && t >= stamps.sending => t,
        _ => 0,
    };
    // A request that was answered has been sent.
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

/// The parts of a task's wait that may have been for requests, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestWaits {
    /// The wait for a connection.
    pub lock: u64,
    /// The time in which the task itself sent a request.
    pub send: u64,
    /// Waits with which requests may have to do: for writeback, a tag, memory.
    pub other: u64,
}

/// Shares in [`blame`] have at most this many bits, so that products fit. What is smaller does not
/// matter.
const SHARE_BITS: u32 = 20;

/// Estimates how much of a task's wait was for requests, by the phases in which these were
/// meanwhile.
///
/// `spent` is the time that all requests together spent in each phase while the task waited. A task
/// that waits for a connection, or sends, is known to be in that phase. The rest counts as a wait
/// for requests for at most as long as a request was under way, and in the proportions of their
/// phases. This is an estimate, because no event says for which request a task waits.
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
    // The largest part gets what rounding leaves.
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
