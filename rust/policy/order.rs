// SPDX-License-Identifier: GPL-2.0

//! The order in which a writer submits the requests that it has.
//!
//! Requests that lie side by side become one if they are submitted one after the other. So the
//! writer goes up from where it was last, and starts again at the lowest place. A disk may have
//! several swap areas, whose slots have the same numbers. The writer is through with one area
//! before it goes on to the next one.

/// The place of a request on its device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    // Places are compared field by field, in this order.
    /// The number of the swap area.
    pub area: u32,
    /// The first slot.
    pub slot: u64,
}

/// Returns the index of the next of `requests`, which are sorted by their places. `last` is the
/// place of the request that was submitted last.
pub fn next_index<T>(requests: &[T], last: Place, place: impl Fn(&T) -> Place) -> usize {
    let at = requests.partition_point(|request| place(request) < last);
    if at < requests.len() {
        at
    } else {
        0
    }
}
