// SPDX-License-Identifier: GPL-2.0

//! Why a swap write ended.

named! {
    /// Why a write ended.
    EndReason {
        /// The next folio's swap slot is not the one behind it.
        Gap => "gap",
        /// The next folio's is, but another cgroup pays for it.
        Cgroup => "cgroup" ("other cgroup"),
        /// The next folio went to another device.
        Device => "device" ("other device"),
        /// It held as many folios as a write can.
        Full => "full",
        /// There was no next folio.
        End => "end" ("end of list"),
        /// The device writes at once: each folio is a write of its own.
        Sync => "sync" ("synchronous device"),
        /// It cannot be told.
        Unknown => "unknown",
    }
}
