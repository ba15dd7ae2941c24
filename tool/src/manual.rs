// SPDX-License-Identifier: GPL-2.0
//! Man pages and completions, from the same definitions as `--help`.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use crate::{
    cli::Cli,
    error::{Error, Result},
};

/// When the text of the pages last changed. This is not the day of the build, because a build must give the same result
/// each time.
const DATE: &str = "2026-11-30";

/// The command, with everything that clap adds.
pub fn command() -> Command {
    // A page about `help` would only say that there is help.
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

/// The completions of this shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "reclaimwb", &mut text);
    text
}

/// All pages, by file name.
pub fn pages() -> io::Result<Vec<(String, Vec<u8>)>> {
    let command = command();
    let mut pages = vec![page(&command, &command)?];
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        pages.push(page(&command, sub)?);
    }
    Ok(pages)
}

/// Writes all pages into a directory, which is created if it does not exist.
pub fn write(dir: &Path) -> Result<()> {
    let error = |path: &Path| {
        let path = path.to_owned();
        move |err| Error::io("write", path, err)
    };
    fs::create_dir_all(dir).map_err(error(dir))?;
    for (name, text) in pages().map_err(error(dir))? {
        let path = dir.join(name);
        fs::write(&path, text).map_err(error(&path))?;
    }
    Ok(())
}

/// The page of the command itself.
pub fn main_page() -> Result<Vec<u8>> {
    let command = command();
    page(&command, &command).map(|(_, text)| text).map_err(|err| Error::io("write", "the man page", err))
}

fn page(all: &Command, command: &Command) -> io::Result<(String, Vec<u8>)> {
    let is_main = command.get_name() == all.get_name();
    // clap names the page of a subcommand as git does: reclaimwb-top.
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let examples = command.get_after_help().map(ToString::to_string);
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .date(DATE)
        .manual("reclaimwb")
        .source(concat!("reclaimwb ", env!("CARGO_PKG_VERSION")));
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if is_main {
        man.render_subcommands_section(&mut text)?;
    }
    if let Some(examples) = examples {
        self::examples(&examples, &mut text)?;
    }
    see_also(all, &name, &mut text)?;
    Ok((format!("{name}.1"), text))
}

/// Writes the text above `Examples:` as notes, and the lines below it unchanged.
fn examples(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let (notes, examples) = text.split_once("Examples:\n").unwrap_or(("", text));
    let mut roff = Roff::new();
    if !notes.is_empty() {
        roff.control("SH", ["NOTES"]);
        roff.text([roman(notes.trim().replace('\n', " "))]);
    }
    roff.control("SH", ["EXAMPLES"]);
    roff.control("nf", []);
    for line in examples.lines() {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
    roff.to_writer(out)
}

fn see_also(all: &Command, name: &str, out: &mut dyn Write) -> io::Result<()> {
    let subs =
        all.get_subcommands().filter(|sub| !sub.is_hide_set()).map(|sub| format!("reclaimwb-{}", sub.get_name()));
    let others: Vec<String> =
        std::iter::once(all.get_name().to_owned()).chain(subs).filter(|other| other != name).collect();
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    for (n, other) in others.iter().enumerate() {
        let comma = if n + 1 < others.len() { "," } else { "" };
        roff.control("BR", [other.as_str(), &format!("(1){comma}")]);
    }
    roff.to_writer(out)
}
