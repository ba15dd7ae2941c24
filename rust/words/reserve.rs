// SPDX-License-Identifier: GPL-2.0

//! Who takes pages from the reserves, and what ends a wait for them.

named! {
    /// For whom a page is that was allocated without regard to the watermarks.
    User {
        /// A task that reclaims, for reclaim's own needs: PF_MEMALLOC.
        Reclaimer => "reclaimer" ("tasks that reclaim"),
        /// A swap writer of ours.
        Writer => "writer" ("swap writer"),
        /// Whoever sends a request over an NBD connection.
        NbdSend => "nbd_send" ("NBD, sending"),
        /// Who receives NBD's replies.
        NbdReceive => "nbd_receive" ("NBD, receiving"),
        /// Packets that arrive: for a socket that frees memory, or for any, that is not known
        /// before they are looked at.
        NetReceive => "net_receive" ("network, receiving"),
        /// Any other interrupt.
        Interrupt => "interrupt" ("other interrupts"),
        /// Anybody else: by call site.
        Other => "other" ("others"),
    }
}

named! {
    /// What ended a wait for the reserves.
    Woken {
        /// kswapd: there is enough of them again.
        Refilled => "refilled" ("by kswapd"),
        /// The task may not wait for a filesystem, and has waited for long enough.
        Timeout => "timeout" ("after a second, for want of __GFP_FS"),
        /// A signal.
        Signal => "signal" ("by a signal"),
    }
}

impl Woken {
    /// From the kernel's `err`; `timed_out` is its -ETIME.
    pub fn of(err: i32, timed_out: i32) -> Self {
        match err {
            0 => Self::Refilled,
            e if e == timed_out => Self::Timeout,
            _ => Self::Signal,
        }
    }
}
