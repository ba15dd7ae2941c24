// SPDX-License-Identifier: GPL-2.0

//! The types of memory that are written to swap.

named! {
    /// The type of a memory page.
    MemoryType {
        /// Anonymous memory.
        Anon => "anon",
        /// Shared memory and tmpfs.
        Shmem => "shmem",
    }
}
