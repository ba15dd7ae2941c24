// SPDX-License-Identifier: GPL-2.0

//! Why a swap write ended.

named! {
    /// Why a swap write ended.
    EndReason {
        /// The swap slot of the next folio is not adjacent.
        Gap => "gap",
        /// The next folio is adjacent, but another cgroup is charged for it.
        Cgroup => "cgroup" ("other cgroup"),
        /// The next folio was written to another device.
        Device => "device" ("other device"),
        /// The write had as many folios as one can have.
        Full => "full",
        /// There was no next folio.
        End => "end" ("end of list"),
        /// The device is synchronous, so each folio is a write of its own.
        Sync => "sync" ("synchronous device"),
        /// The reason is not known.
        Unknown => "unknown",
    }
}
