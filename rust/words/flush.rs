// SPDX-License-Identifier: GPL-2.0

//! Why the TLBs of other CPUs are flushed.

named! {
    /// Why the TLBs of other CPUs are flushed.
    Flush {
        /// For a batch of clean folios that are about to be freed.
        Clean => "clean" ("clean folios"),
        /// For a dirty folio that is about to be written.
        Dirty => "dirty" ("a dirty folio"),
        /// For anything else inside a reclaim window, such as mappings that are removed one by one.
        Other => "other" ("other mappings"),
    }
}
