//! Reads the command line.
//!
//! Scripts ask for tokens all the time, and to define every command takes longer than to be given a
//! token: the plain ways to ask for one are read here. Invariant: what is read so is what clap would
//! have read. Everything else, help and faults among it, is left to it.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use super::args::{Cli, Command};
use super::files::Files;
use super::span::span;
use super::token;
use crate::domain::ConnectionName;

/// A command line, read.
pub(super) struct Line {
    pub(super) cli: Cli,
    /// Whether the command was given `--json`.
    pub(super) as_json: bool,
}

impl Line {
    /// Reads it; ends the program where there is nothing but help to give, or a fault to tell.
    pub(super) fn read(words: Vec<OsString>) -> Self {
        Self::of_token(&words).unwrap_or_else(|| {
            let matches = Cli::command().get_matches_from(words);
            let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
            Self { cli, as_json: wants_json(&matches) }
        })
    }

    /// `manutop token`, where nothing about it is uncertain.
    fn of_token(words: &[OsString]) -> Option<Self> {
        let mut words = words.iter().skip(1).map(|word| word.to_str());
        if words.next()?? != "token" {
            return None;
        }
        let (mut name, mut min_ttl, mut config, mut data_dir) = (None, None, None, None);
        let (mut header, mut json, mut no_refresh) = (None, None, None);
        while let Some(word) = words.next() {
            let (option, mut value) =
                word?.split_once('=').map_or((word?, None), |(option, value)| (option, Some(value)));
            let has_value = value.is_some();
            let mut value =
                || value.take().or_else(|| words.next()?).filter(|value| !value.is_empty() && !value.starts_with('-'));
            match option {
                "--min-ttl" => once(&mut min_ttl, span(value()?).ok()?)?,
                "--config" => once(&mut config, PathBuf::from(value()?))?,
                "--data-dir" => once(&mut data_dir, PathBuf::from(value()?))?,
                _ if has_value => return None,
                "--header" => once(&mut header, true)?,
                "--json" => once(&mut json, true)?,
                "--no-refresh" => once(&mut no_refresh, true)?,
                word if word.starts_with('-') => return None,
                word => once(&mut name, ConnectionName::new(word).ok()?)?,
            }
        }
        // What an empty one means is clap's to say.
        let [config_set, data_dir_set, theme] =
            ["MANUTOP_CONFIG", "MANUTOP_DATA_DIR", "MANUTOP_THEME"].map(env::var_os);
        if [&config_set, &data_dir_set].into_iter().flatten().any(|value| value.is_empty()) {
            return None;
        }
        let theme = match theme {
            Some(theme) => Some(theme.to_str()?.parse().ok()?),
            None => None,
        };
        let config = config.or(config_set.map(PathBuf::from));
        let data_dir = data_dir.or(data_dir_set.map(PathBuf::from));
        let files = Files { config, data_dir, ascii: false, theme };
        let (header, as_json) = (header.unwrap_or(false), json.unwrap_or(false));
        let min_ttl = min_ttl.or_else(|| span(token::MIN_TTL).ok())?;
        let freshness = token::Freshness { min_ttl, no_refresh: no_refresh.unwrap_or(false) };
        let args = token::Args { name: name?, freshness, header, json: as_json };
        let is_certain = !(header && as_json);
        is_certain.then_some(Self { cli: Cli { files, command: Some(Command::Token(args)) }, as_json })
    }
}

/// Takes what may be said once.
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
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
    fn what_is_read_here_is_what_clap_reads() {
        let lines = [
            "token factory",
            "token factory --json",
            "token --header factory",
            "token factory --header --json",
            "token factory --min-ttl 5m --no-refresh",
            "token factory --min-ttl=90 --data-dir /d --config c.toml",
            "token factory --min-ttl soon",
            "token factory --min-ttl= --json",
            "token factory --min-ttl -5m",
            "token factory --min-ttl --json",
            "token factory --json=true",
            "token factory=1",
            "token --min-ttl=1h=2 factory",
            "token --config=a=b --data-dir /d/e=f factory",
            "token factory --json --json",
            "token factory --config",
            "token -x",
            "token -",
            "token --",
            "token FACTORY --json --no-refresh --min-ttl 0",
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
        ];
        let mut quick = 0;
        for line in lines {
            let words = words(&format!("manutop {line}"));
            let matches = Cli::command().try_get_matches_from(&words).ok();
            let whole = matches.and_then(|matches| Some((Cli::from_arg_matches(&matches).ok()?, wants_json(&matches))));
            let whole = whole.map(|read| format!("{read:?}"));
            let Some(Line { cli, as_json }) = Line::of_token(&words) else { continue };
            quick += 1;
            assert_eq!(Some(format!("{:?}", (cli, as_json))), whole, "{line}");
        }
        assert_eq!(quick, 8, "the plain ways are all read here");
    }
}
