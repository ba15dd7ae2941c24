// SPDX-License-Identifier: GPL-2.0

//! What sort of memory is written.

named! {
    /// What sort of memory is written.
    MemoryType {
        /// Anonymous memory.
        Anon => "anon",
        /// Shared memory and tmpfs.
        Shmem => "shmem",
    }
}
