// SPDX-License-Identifier: GPL-2.0
//! Files that are there as a whole or not at all.

use std::{
    fs::Permissions,
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use crate::error::{Error, Result};

/// Puts what `write` writes in the place of `path`, all at once: who reads meanwhile finds the old file or the new one.
/// The file gets the mode `mode`, or else is for its owner only. If it fails, nothing has changed.
pub fn replace(path: &Path, mode: Option<u32>, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let replaced = || -> io::Result<()> {
        // Beside it, as a rename does not leave a filesystem; with an ending that no reader of directories looks for.
        let mut file = tempfile::Builder::new().prefix(".reclaimwb").suffix(".tmp").tempfile_in(dir)?;
        let mut buffered = BufWriter::new(&mut file);
        write(&mut buffered)?;
        buffered.flush()?;
        drop(buffered);
        if let Some(mode) = mode {
            file.as_file().set_permissions(Permissions::from_mode(mode))?;
        }
        // On disk before it is in the place of the old one: a crash leaves one of the two.
        file.as_file().sync_all()?;
        file.persist(path).map_err(|err| err.error)?;
        Ok(())
    };
    replaced().map_err(|err| Error::io("write", path, err))
}
