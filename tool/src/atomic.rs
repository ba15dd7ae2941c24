// SPDX-License-Identifier: GPL-2.0
//! Files that are written completely or not at all.

use std::{
    fs::Permissions,
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use crate::error::{Error, Result};

/// Replaces the file at `path` in one step with what `write` writes: a reader finds either the old file or the new one.
/// The new file has the mode `mode`; without one, only its owner can read it. If this fails, nothing has changed.
pub fn replace(path: &Path, mode: Option<u32>, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let replaced = || -> io::Result<()> {
        // The temporary file is in the same directory, because a rename cannot cross filesystems. Its name has a suffix
        // that no reader of directories looks for.
        let mut file = tempfile::Builder::new().prefix(".reclaimwb").suffix(".tmp").tempfile_in(dir)?;
        let mut buffered = BufWriter::new(&mut file);
        write(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        if let Some(mode) = mode {
            file.as_file().set_permissions(Permissions::from_mode(mode))?;
        }
        // The new file is on disk before it replaces the old one, so that a crash leaves one of the two.
        file.as_file().sync_all()?;
        file.persist(path).map_err(|err| err.error)?;
        Ok(())
    };
    replaced().map_err(|err| Error::io("write", path, err))
}
