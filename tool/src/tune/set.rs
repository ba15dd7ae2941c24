// SPDX-License-Identifier: GPL-2.0
//! Sets parameters. All values are checked before the first one is written.

use std::{fs, io, path::Path};

use super::{Now, Wanted, table::Param, value};
use crate::error::{Error, Result};

/// A value to write.
#[derive(Debug)]
pub struct Change {
    param: &'static Param,
    value: String,
}

/// The values to write. Fails if any of them cannot be written.
pub fn check(wanted: &[Wanted], now: &Now) -> Result<Vec<Change>> {
    let mut changes: Vec<Change> = Vec::new();
    for wanted in wanted {
        let param = wanted.param;
        if !now.values.contains_key(param.name) {
            return Err(Error::Param(format!(
                "the loaded module has no parameter {}: it is older than this tool; build and load it anew",
                param.name
            )));
        }
        let Some(text) = wanted.value else {
            continue;
        };
        let value = value::parse(param, text, now.stack_size).map_err(Error::Param)?;
        if !param.at_run_time {
            return Err(Error::Param(format!(
                "{0} cannot be set while the module is loaded; put \"options reclaimwb {0}={value}\" into \
                 /etc/modprobe.d/reclaimwb.conf, then: modprobe -r reclaimwb; modprobe reclaimwb",
                param.name
            )));
        }
        if changes.iter().any(|change| change.param.name == param.name) {
            return Err(Error::Param(format!("{} is given twice; give it once", param.name)));
        }
        changes.push(Change { param, value });
    }
    Ok(changes)
}

/// Writes the values in their order.
pub fn write(dir: &Path, changes: &[Change]) -> Result<()> {
    for (n, Change { param, value }) in changes.iter().enumerate() {
        // File::create is not used, because a file that does not exist must not be created.
        let path = dir.join(param.name);
        let file = fs::OpenOptions::new().write(true).truncate(true).open(&path);
        let Err(err) = file.and_then(|mut file| io::Write::write_all(&mut file, value.as_bytes())) else {
            continue;
        };
        let done: Vec<String> = changes.iter().take(n).map(|c| format!("{}={}", c.param.name, c.value)).collect();
        let before = if done.is_empty() { "nothing was set".to_owned() } else { format!("set: {}", done.join(" ")) };
        return Err(refused(param, value, &err, &before));
    }
    Ok(())
}

fn refused(param: &Param, value: &str, err: &io::Error, before: &str) -> Error {
    let what = match err.kind() {
        io::ErrorKind::PermissionDenied if rustix::process::geteuid().is_root() => {
            "no permission, though this is root: in a container run it on the host".into()
        }
        io::ErrorKind::PermissionDenied => {
            "no permission: parameters are root's to set; run it with sudo or as root".into()
        }
        // The module checks what this tool cannot know: the size of a stack, and what the helper needs.
        _ => format!("the module refused it ({err}); dmesg | grep reclaimwb says why"),
    };
    Error::Param(format!("{}={value}: {what} ({before})", param.name))
}
