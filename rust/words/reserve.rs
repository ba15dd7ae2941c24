// SPDX-License-Identifier: GPL-2.0

//! The users of the reserves, and what ends a wait for them.

named! {
    /// The user of a page that was allocated without regard to the watermarks.
    User {
        /// A task that reclaims, for reclaim itself (PF_MEMALLOC).
        Reclaimer => "reclaimer" ("tasks that reclaim"),
        /// A swap writer of the helper.
        Writer => "writer" ("swap writer"),
        /// A task that sends a request over an NBD connection.
        NbdSend => "nbd_send" ("NBD, sending"),
        /// A task that receives replies of an NBD server.
        NbdReceive => "nbd_receive" ("NBD, receiving"),
        /// A packet that arrives. Whether it is for a socket that frees memory is not known before
        /// it has been processed.
        NetReceive => "net_receive" ("network, receiving"),
        /// Any other interrupt.
        Interrupt => "interrupt" ("other interrupts"),
        /// Any other user, shown by call site.
        Other => "other" ("others"),
    }
}

named! {
    /// What ended a wait for the reserves.
    Woken {
        /// kswapd, because the reserves are large enough again.
        Refilled => "refilled" ("by kswapd"),
        /// The end of the time limit, for a task that must not wait for a filesystem.
        Timeout => "timeout" ("after a second, for want of __GFP_FS"),
        /// A signal.
        Signal => "signal" ("by a signal"),
    }
}

impl Woken {
    /// Converts `err` of the kernel. `timed_out` is the value of -ETIME.
    pub fn of(err: i32, timed_out: i32) -> Self {
        match err {
            0 => Self::Refilled,
            e if e == timed_out => Self::Timeout,
            _ => Self::Signal,
        }
    }
}
