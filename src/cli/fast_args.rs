//! Reads the command line.
//!
//! Scripts ask for tokens all the time, and to define every command takes longer than to answer; nor
//! need the dashboard wait for it. What looks like one of those commands, or like none, is read by
//! the definition of that one alone. Invariant: what is read so is what all definitions together
//! would have read. Everything else, help and faults among it, is left to them.

use std::ffi::OsString;

use clap::{ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser};

use crate::cli::args::{Cli, CliCommand};
use crate::cli::support::global_args::GlobalArgs;

/// A command line, read.
pub(crate) struct FastArgs {
    pub(crate) cli: Cli,
    /// Whether the command was given `--json`.
    pub(crate) as_json: bool,
}

/// One command as though it were the whole program.
#[derive(Parser)]
struct Alone<A: Args> {
    #[command(flatten)]
    files: GlobalArgs,
    #[command(flatten)]
    args: A,
}

/// What the dashboard has beyond what every command has.
#[derive(Debug, Args)]
struct Nothing {}

impl FastArgs {
    /// Reads it; ends the program where there is nothing but help to give, or a fault to tell.
    pub(crate) fn read(words: Vec<OsString>) -> Self {
        Self::alone(&words).unwrap_or_else(|| {
            let matches = Cli::command().get_matches_from(words);
            let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
            Self { cli, as_json: wants_json(&matches) }
        })
    }

    /// The line of one of the commands that are to be quick.
    fn alone(words: &[OsString]) -> Option<Self> {
        let command = words.get(1).map_or(Some(""), |word| word.to_str())?;
        match command {
            "token" => Self::of(&words[1..], |args| Some(CliCommand::Token(args))),
            "exec" => Self::of(&words[1..], |args| Some(CliCommand::Exec(args))),
            #[cfg(unix)]
            "curl" => Self::of(&words[1..], |args| Some(CliCommand::Curl(args))),
            option if option.is_empty() || option.starts_with("--") => Self::of(words, |Nothing {}| None),
            _ => None,
        }
    }

    fn of<A: Args>(words: &[OsString], command: fn(A) -> Option<CliCommand>) -> Option<Self> {
        let matches = Alone::<A>::command().try_get_matches_from(words).ok()?;
        let Alone { files, args } = Alone::from_arg_matches(&matches).ok()?;
        Some(Self { cli: Cli { files, command: command(args) }, as_json: wants_json(&matches) })
    }
}

/// Whether the command was given `--json`.
fn wants_json(matches: &ArgMatches) -> bool {
    let here = matches.try_get_one("json").ok().flatten().copied().unwrap_or(false);
    here || matches.subcommand().is_some_and(|(_, matches)| wants_json(matches))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn what_is_read_alone_is_what_all_definitions_together_read() {
        let lines = [
            "token factory",
            "token factory --json",
            "token --header factory",
            "token factory --header --json",
            "token factory --min-ttl 5m --no-refresh",
            "token factory --min-ttl=90 --data-dir /d --config c.toml",
            "token factory --min-ttl soon",
            "token factory --min-ttl 5m --min-ttl 6m",
            "token -- factory",
            "token --data-dir= factory",
            "token factory --theme dark --ascii",
            "token factory --theme pink",
            "token",
            "token factory hr-sync",
            "token help",
            "token no/name",
            "token factory --nope",
            "token factory --rejected -",
            "token factory --rejected=- --json",
            "token factory --rejected eyJhbGciOi",
            "token factory --rejected",
            "token factory --head",
            "token -h",
            "token --help",
            "token --version",
            "token factory -V",
            "exec a,b --env A --env B -- sh -c env",
            "exec a --env=A=B -- sh",
            "exec a --min-ttl 5 --config x -- sh --config y --help",
            "exec a sh",
            "exec -- sh",
            "curl factory -- --silent https://api.example/",
            "curl factory --json -- https://api.example/",
            "curl factory",
            "--config c token factory",
            "--ascii exec a -- sh",
            "tokens factory",
            "list --json",
            "help token",
            "",
            "--config c.toml --data-dir=/d --theme dark --ascii",
            "--config",
            "--theme pink",
            "--config list",
            "--config c list",
            "--ascii -- list",
            "--ascii --ascii",
            "--version",
            "--help",
            "-V",
        ];
        for line in lines {
            let words = words(&format!("manutop {line}"));
            let matches = Cli::command().try_get_matches_from(&words).ok();
            let whole = matches.and_then(|matches| Some((Cli::from_arg_matches(&matches).ok()?, wants_json(&matches))));
            let whole = whole.map(|read| format!("{read:?}"));
            let alone = FastArgs::alone(&words).map(|FastArgs { cli, as_json }| format!("{:?}", (cli, as_json)));
            let is_quick = ["token ", "exec ", "curl "].iter().any(|command| line.starts_with(command))
                || ["", "--config c.toml --data-dir=/d --theme dark --ascii"].contains(&line);
            // Whatever is not read alone is read together.
            assert!(alone == whole || (alone.is_none() && !is_quick), "{line}: {alone:?} is not {whole:?}");
        }
    }
}
