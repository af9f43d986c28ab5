//! `manutop man`: manual pages, made from the definitions of `--help`, one a command. The first one
//! says too what holds for all: exit status, environment, files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{fs, io};

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};
use eyre::Report;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::stderr::message;
use crate::cli::support::version;

/// What stands at the foot of every page.
const SOURCE: &str = concat!("manutop ", env!("CARGO_PKG_VERSION"));

/// What the environment says beside the options that have a variable.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("CREDENTIALS_DIRECTORY", "Set by systemd: its file manutop holds the passphrase of the encrypted store."),
    ("MANUTOP_PASSPHRASE_FILE", "File with the passphrase of the encrypted store, mode 0600 or stricter."),
    ("MANUTOP_PASSPHRASE", "The passphrase of the encrypted store itself."),
    ("HTTPS_PROXY", "Proxy for everything but loopback addresses."),
    (
        "NOTIFY_SOCKET, WATCHDOG_USEC, JOURNAL_STREAM",
        "Set by systemd: keepalive reports there that it is ready and alive, and marks its lines for the journal.",
    ),
    ("NO_COLOR", "Disables colours in every theme."),
];

/// The files there are, on Linux.
const FILES: &[(&str, &str)] = &[
    ("~/.config/manutop/config.toml", "The configuration: connections and settings. No secrets."),
    (
        "~/.local/share/manutop/",
        "Journals, locks, history and the request log; with store = \"file\" the encrypted tokens.",
    ),
    (
        "~/.local/share/manutop/locks/.agent.sock",
        "The socket through which a running dashboard or keepalive service provides access tokens to commands.",
    ),
    ("/etc/manutop/config.toml", "The configuration of the system service."),
    ("/var/lib/manutop/", "The data directory of the system service."),
    ("/run/manutop/http", "The socket of the system service for health and metrics."),
];

/// Write the manual pages to a directory
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// The directory; created if it does not exist
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: PathBuf,
}

impl ManArgs {
    pub(crate) fn run(self, definitions: Command) -> Result<Exit, Report> {
        let written = write_all(&self.dir, definitions).map_err(|error| {
            let message = format!("{}: the manual pages cannot be written: {error}", self.dir.display());
            CliError::new(Exit::Failed, message)
        })?;
        message!("{written} manual pages are in {}", self.dir.display());
        Ok(Exit::Ok)
    }
}

/// Writes a page for each command; gives how many.
fn write_all(dir: &Path, definitions: Command) -> io::Result<usize> {
    fs::create_dir_all(dir)?;
    // A page of help, with pages for all commands below it, would repeat the others.
    let mut command = definitions.disable_help_subcommand(true);
    command.build();
    let pages = pages(&command);
    for (name, text) in &pages {
        fs::write(dir.join(name), text)?;
    }
    Ok(pages.len())
}

/// The pages of a command and those below it, each with the name of its file.
fn pages(command: &Command) -> Vec<(String, Vec<u8>)> {
    let man = Man::new(command.clone()).date(version::DATE).source(SOURCE).manual("User Commands");
    let mut text = Vec::new();
    render(&man, command, &mut text).expect("memory takes what is written");
    let below = command.get_subcommands().filter(|command| !command.is_hide_set()).flat_map(pages);
    std::iter::once((man.get_filename(), text)).chain(below).collect()
}

fn render(man: &Man, command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    if let Some(words) = command.get_after_help() {
        page.write_all(paragraphs(&words.to_string()).render().as_bytes())?;
    }
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    let is_first = command.get_name() == "manutop";
    let more =
        if is_first { vec![exit_status(), environment(command), files(), see_others()] } else { vec![see_first()] };
    for section in more {
        page.write_all(section.render().as_bytes())?;
    }
    Ok(())
}

fn paragraphs(words: &str) -> Roff {
    let mut roff = Roff::new();
    for line in words.lines() {
        roff.control("PP", []).text([roman(line)]);
    }
    roff
}

fn exit_status() -> Roff {
    let rows = Exit::ALL.map(|exit| (exit as u8, exit.meaning()));
    section("EXIT STATUS", rows.map(|(code, meaning)| (code.to_string(), meaning.to_owned())))
}

fn environment(command: &Command) -> Roff {
    let options = command.get_arguments().filter_map(|option| {
        let variable = option.get_env()?.to_string_lossy().into_owned();
        Some((variable, format!("Same as --{}.", option.get_long()?)))
    });
    section("ENVIRONMENT", options.chain(owned(ENVIRONMENT)))
}

fn files() -> Roff {
    section("FILES", owned(FILES))
}

fn owned(rows: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    rows.iter().map(|(term, words)| ((*term).to_owned(), (*words).to_owned()))
}

fn section(heading: &str, rows: impl IntoIterator<Item = (String, String)>) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]);
    for (term, words) in rows {
        roff.control("TP", []).text([bold(term)]).text([roman(words)]);
    }
    roff
}

fn see_others() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman(
        "README.md and docs/, especially docs/scripting.md on what scripts may rely on; in the Debian package in ",
    )]);
    roff.text([italic("/usr/share/doc/manutop"), roman(".")]);
    roff
}

fn see_first() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]).text([bold("manutop"), roman("(1) has exit status, environment and files.")]);
    roff
}
