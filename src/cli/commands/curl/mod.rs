//! `manutop curl`: curl with a connection's access token, which is in no argument list.
//!
//! Invariants: the header reaches curl through a pipe that it alone inherits and has emptied before it reads any other
//! option; curl sends it only to the URLs that were judged here, and plain http only to this machine and through no
//! proxy.

pub mod header;
pub mod line;
pub mod options;
pub mod target;

use std::ffi::OsString;
use std::os::fd::AsRawFd;
use std::process::Command;

use eyre::Report;

use crate::cli::commands::curl::line::CurlLine;
use crate::cli::commands::exec::become_program;
use crate::cli::commands::token::Freshness;
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::domain::ConnectionName;

/// What names a proxy for plain http.
const PROXIES: [&str; 4] = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];

/// Run curl with a valid access token
///
/// The token is on no command line. Options of curl that could send the token elsewhere or show it are refused, and ~/.curlrc is not read.
#[derive(Debug, clap::Args)]
pub struct CurlArgs {
    /// Connection name
    name: ConnectionName,
    #[command(flatten)]
    freshness: Freshness,
    /// The URL, and options for curl
    #[arg(last = true, required = true, value_name = "URL")]
    words: Vec<OsString>,
}

impl CurlArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let line = line::read(&self.words).map_err(|why| CliError::new(Exit::Usage, why))?;
        let tokens = self.freshness.obtain(files, std::slice::from_ref(&self.name)).await?;
        // Open until curl has taken this program's place.
        let header = header::inherited(&tokens[0].header())?;
        become_program(command(&line, header.as_raw_fd()), &[])
    }
}

/// The command that reads the header from this descriptor.
fn command(line: &CurlLine, header: i32) -> Command {
    let mut command = Command::new("curl");
    // With the keys of its TLS sessions, what it sends could be read.
    command.env_remove("SSLKEYLOGFILE");
    let protocols = if line.is_plain { "=http,https" } else { "=https" };
    // `-q` counts in the first place only.
    command.args(["-q", "--globoff", "--proto", protocols, "--proto-redir", "=https"]);
    if line.is_plain {
        command.args(["--noproxy", "*"]);
        for variable in PROXIES {
            command.env_remove(variable);
        }
    }
    command.args(["--header".to_owned(), format!("@/dev/fd/{header}")]).args(&line.words);
    command
}

#[cfg(test)]
mod tests {
    use super::{PROXIES, command};
    use crate::cli::commands::curl::line;

    fn arguments(words: &[&str]) -> String {
        let line = line::read(&words.iter().map(Into::into).collect::<Vec<_>>()).unwrap();
        let command = command(&line, 9);
        let is_removed = |name: &str| command.get_envs().any(|set| set == (name.as_ref(), None));
        assert!(is_removed("SSLKEYLOGFILE"));
        assert!(PROXIES.iter().all(|name| is_removed(name) == line.is_plain));
        command.get_args().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_token_goes_in_the_clear_to_this_machine_alone_and_through_no_proxy() {
        let secure = "-q --globoff --proto =https --proto-redir =https --header @/dev/fd/9";
        assert_eq!(arguments(&["api.example/x", "-i"]), format!("{secure} --url https://api.example/x -i"));
        assert_eq!(
            arguments(&["-s", "http://localhost:9000/"]),
            "-q --globoff --proto =http,https --proto-redir =https --noproxy * --header @/dev/fd/9 \
             -s --url http://localhost:9000/"
        );
    }
}
