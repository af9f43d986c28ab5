//! `manutop curl`: curl with a connection's access token, which stands in no command line.
//!
//! Invariants: the header reaches curl through a pipe that it alone inherits; nothing is sent in
//! the clear but to this machine.

use std::ffi::OsString;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::process::Command;

use color_eyre::eyre::Report;
use url::Url;

use super::exec::become_it;
use super::exit::Exit;
use super::files::Files;
use super::token::Freshness;
use crate::config::is_loopback;
use crate::domain::{ConnectionName, Secret};

/// Run curl with a valid access token, which no command line shows
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which connection
    name: ConnectionName,
    #[command(flatten)]
    freshness: Freshness,
    /// The URL, and whatever else curl is to be told
    #[arg(last = true, required = true, value_name = "URL")]
    words: Vec<OsString>,
}

impl Args {
    pub(super) async fn run(self, files: &Files) -> Result<Exit, Report> {
        let tokens = self.freshness.obtain(files, std::slice::from_ref(&self.name)).await?;
        // Open until curl has taken this program's place.
        let reader = pipe(&tokens[0].header())?;
        let protocols = protocols(&self.words);
        let mut command = Command::new("curl");
        command.env_remove("MANUTOP_PASSPHRASE");
        command.args(["--proto", protocols, "--proto-redir", protocols, "--proto-default", "https"]);
        command.args(["--header".to_owned(), format!("@/dev/fd/{}", reader.as_raw_fd())]).args(&self.words);
        become_it(command)
    }
}

/// A pipe with the header in it, whose end a program started from here inherits.
fn pipe(header: &Secret) -> std::io::Result<rustix::fd::OwnedFd> {
    let (reader, writer) = rustix::pipe::pipe()?;
    // A header is far smaller than what a pipe holds, so this waits for nobody.
    std::fs::File::from(writer).write_all(format!("{}\n", header.expose()).as_bytes())?;
    Ok(reader)
}

/// What curl may speak: plain http only where every such URL is this machine's.
fn protocols(words: &[OsString]) -> &'static str {
    let urls = words.iter().filter_map(|word| Url::parse(word.to_str()?).ok());
    let plain: Vec<_> = urls.filter(|url| url.scheme() == "http").collect();
    if !plain.is_empty() && plain.iter().all(is_loopback) { "=http,https" } else { "=https" }
}

#[cfg(test)]
mod tests {
    use super::{OsString, protocols};

    #[test]
    fn a_token_goes_in_the_clear_to_this_machine_alone() {
        for (words, allowed) in [
            (&["-s", "https://api.example/x"][..], "=https"),
            (&["api.example/x"], "=https"),
            (&["http://127.0.0.1:9000/x", "-i"], "=http,https"),
            (&["-s", "http://api.example/x"], "=https"),
            (&["http://localhost/", "http://api.example/x"], "=https"),
        ] {
            assert_eq!(protocols(&words.iter().map(OsString::from).collect::<Vec<_>>()), allowed, "{words:?}");
        }
    }
}
