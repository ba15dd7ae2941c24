// SPDX-License-Identifier: GPL-2.0

//! What other CPUs' TLBs are flushed for.

named! {
    /// What other CPUs' TLBs are flushed for.
    Flush {
        /// Clean folios that are about to be freed, together.
        Clean => "clean" ("clean folios"),
        /// A dirty folio that is about to be written.
        Dirty => "dirty" ("a dirty folio"),
        /// Anything else inside a reclaim window: mappings taken down one by one, for one.
        Other => "other" ("other mappings"),
    }
}
