// SPDX-License-Identifier: GPL-2.0
//! The command that is run while recording.

use std::{
    ffi::OsString,
    io::{self, IsTerminal},
    os::unix::process::ExitStatusExt,
    process::{self, Child},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::{Error, Result};

/// A command that is running or has ended.
#[derive(Debug)]
pub(super) struct Command {
    child: Child,
    name: String,
    ended: Option<i32>,
}

impl Command {
    /// Starts it.
    pub(super) fn start(words: &[OsString]) -> Result<Option<Self>> {
        let Some((program, args)) = words.split_first() else { return Ok(None) };
        let name = program.to_string_lossy().into_owned();
        match process::Command::new(program).args(args).spawn() {
            Ok(child) => Ok(Some(Self { child, name, ended: None })),
            Err(source) => Err(Error::Command { name, source }),
        }
    }

    /// Its exit code once it has ended. If a signal ended it, this is 128 plus the number of the signal.
    pub(super) fn exit(&mut self) -> Result<Option<i32>> {
        if self.ended.is_none() {
            let status = self.child.try_wait().map_err(|err| Error::io("wait for", &self.name, err))?;
            self.ended = status.map(|status| status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
        }
        Ok(self.ended)
    }

    /// Waits until it has ended.
    pub(super) fn wait(&mut self) -> Result<()> {
        self.child.wait().map(|_| ()).map_err(|err| Error::io("wait for", &self.name, err))
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Passes on a signal that asks to end, unless the terminal has sent it to both processes.
    pub(super) fn pass_on(&self, signal: i32) {
        if signal == signal_hook::consts::SIGINT && io::stdin().is_terminal() {
            return;
        }
        self.send(Signal::from_named_raw(signal).unwrap_or(Signal::TERM));
    }

    /// Kills it.
    pub(super) fn kill(&self) {
        self.send(Signal::KILL);
    }

    fn send(&self, signal: Signal) {
        // The child was not waited for yet, so the PID is still its own.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).filter(|_| self.ended.is_none());
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
    }
}
