//! `manutop completions`: the scripts that a shell sources, and the answers to their requests.
//!
//! The scripts contain no definitions. At every completion they start the program with
//! `VARIABLE` and the words of the line, and it answers from the definitions of `--help` and the
//! names in the configuration file. Invariants: an answer reads that file and nothing else, and
//! writes nothing to standard error, which would disturb the line being typed.

use std::any::TypeId;
use std::env;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use clap::builder::ValueHint;
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::Shells;
use eyre::Report;

use crate::cli::support::exit::Exit;
use crate::cli::support::global_args::GlobalArgs;
use crate::config;
use crate::config::Paths;
use crate::domain::text::neutralise;
use crate::domain::{Connection, ConnectionName, ThemeName};
use crate::oauth::providers;

/// Set by the scripts, to the name of their shell.
const VARIABLE: &str = "MANUTOP_COMPLETE";

/// Ends the script for zsh: as a file in `fpath` it is read at the first completion and has to answer
/// that one too.
const FROM_FPATH: &str = "[[ $funcstack[1] == _manutop ]] && _clap_dynamic_completer_manutop \"$@\"\n";

/// The longest title shown beside a name, in columns.
const MAX_TITLE: usize = 80;

/// Print the completions for a shell, with connection names
///
/// docs/installation.md describes where to put them.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_parser = ["bash", "fish", "powershell", "zsh"])]
    shell: String,
}

impl CompletionsArgs {
    pub(crate) fn run(self) -> Result<Exit, Report> {
        let shells = Shells::builtins();
        let shell = shells.completer(&self.shell).expect("clap takes only shells there are");
        let mut script = Vec::new();
        shell.write_registration(VARIABLE, "manutop", "manutop", "manutop", &mut script)?;
        if shell.name() == "zsh" {
            script.extend(FROM_FPATH.bytes());
        }
        std::io::stdout().write_all(&script)?;
        Ok(Exit::Ok)
    }
}

/// The definitions of all commands.
type Definitions = fn() -> clap::Command;

/// Answers a completion script, if this is its request; then there is nothing else to do.
pub(crate) fn answer(definitions: Definitions) -> Option<ExitCode> {
    let here = env::current_dir().ok();
    let asked = CompleteEnv::with_factory(|| {
        let mut all = definitions();
        // Whatever is built only when it runs.
        all.build();
        with_candidates(all, definitions)
    });
    let asked = asked.var(VARIABLE);
    match asked.try_complete(env::args_os(), here.as_deref()) {
        Ok(false) => None,
        Ok(true) => Some(Exit::Ok.into()),
        Err(_) => Some(Exit::Usage.into()),
    }
}

/// Completes the existing names in every argument that is a name. An argument for a new name has `value_hint = ValueHint::Other`.
fn with_candidates(command: clap::Command, definitions: Definitions) -> clap::Command {
    let with = |arg: clap::Arg| {
        let kind = arg.get_value_parser().type_id();
        if arg.get_value_hint() == ValueHint::Other {
            arg
        } else if kind == TypeId::of::<ConnectionName>() {
            arg.add(ArgValueCandidates::new(move || connections(definitions)))
        } else if kind == TypeId::of::<ThemeName>() {
            arg.add(ArgValueCandidates::new(themes))
        } else {
            arg
        }
    };
    command.mut_args(with).mut_subcommands(|command| with_candidates(command, definitions))
}

/// The connections of the configuration file that the line names; none if it cannot be read: the
/// command itself reports why.
fn connections(definitions: Definitions) -> Vec<CompletionCandidate> {
    let line = env::args_os().skip_while(|word| word != "--").skip(1).collect();
    let Ok(Paths { config_file, .. }) = Paths::resolve(configuration_of(definitions, line), None) else {
        return Vec::new();
    };
    // Completion must not wait for a pipe.
    let config = if config_file.is_file() { config::load(&config_file, providers::ALL) } else { Ok(None) };
    let connections = config.ok().flatten().map(|config| config.connections).unwrap_or_default();
    let candidate = |connection: Connection| {
        let title =
            connection.title.map_or(connection.provider.label.to_owned(), |title| neutralise(&title, MAX_TITLE));
        CompletionCandidate::new(connection.name.as_str()).help(Some(title.into()))
    };
    connections.into_iter().map(candidate).collect()
}

fn themes() -> Vec<CompletionCandidate> {
    ThemeName::ALL.map(|theme| CompletionCandidate::new(theme.word())).into()
}

/// The configuration file that a line, as far as it is typed, or the environment names.
fn configuration_of(definitions: Definitions, line: Vec<OsString>) -> Option<PathBuf> {
    let matches = definitions().ignore_errors(true).try_get_matches_from(as_the_shell_will(line)).ok()?;
    GlobalArgs::from_arg_matches(&matches).ok()?.config
}

/// The words as the shell will pass them, as far as that is known without it: quotes and a tilde are
/// resolved, and an option that bash split at its `=` is joined.
fn as_the_shell_will(line: Vec<OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    let mut joins = false;
    for word in line {
        let is_option = words.last().is_some_and(|last| last.as_encoded_bytes().starts_with(b"--"));
        if joins || (word == "=" && is_option) {
            joins = !joins;
            words.last_mut().expect("there is one to join it to").push(unquoted(word));
        } else {
            words.push(unquoted(word));
        }
    }
    words
}

fn unquoted(word: OsString) -> OsString {
    let Some(text) = word.to_str() else { return word };
    let home = || env::var("HOME").ok();
    match text.strip_prefix("~/").zip(home()) {
        Some((rest, home)) => format!("{home}/{}", plain(rest)).into(),
        None => plain(text).into(),
    }
}

/// A word without its quotes; unchanged while they are still open, and on Windows, where `PowerShell` has
/// removed them and a backslash is part of a path.
fn plain(text: &str) -> String {
    let parts = if cfg!(windows) { None } else { shlex::split(text) };
    parts.map_or_else(|| text.to_owned(), |parts| parts.concat())
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command, CommandFactory as _, value_parser};

    use super::*;
    use crate::cli::args::Cli;

    fn words(line: &[&str]) -> Vec<OsString> {
        as_the_shell_will(line.iter().map(OsString::from).collect())
    }

    #[test]
    fn whatever_is_a_connections_name_gets_the_names_there_are_and_a_new_name_none() {
        let name = |id: &'static str| Arg::new(id).value_parser(value_parser!(ConnectionName));
        let rename = Command::new("rename").arg(name("old")).arg(name("new").value_hint(ValueHint::Other));
        let command =
            with_candidates(Command::new("manutop").subcommand(Command::new("deep").subcommand(rename)), Cli::command);
        let rename = command.get_subcommands().next().unwrap().get_subcommands().next().unwrap();
        let has = |arg: &Arg| (arg.get_id().to_string(), arg.get::<ArgValueCandidates>().is_some());
        let found: Vec<_> = rename.get_arguments().map(has).collect();
        assert_eq!(found, [("old".into(), true), ("new".into(), false)]);
    }

    #[test]
    fn the_configuration_file_is_found_wherever_the_line_names_it() {
        for line in [
            &["manutop", "--config", "my.toml", "token", "f"][..],
            &["manutop", "token", "f", "--config=my.toml"],
            &["manutop", "--config", "=", "my.toml", "token"],
            &["manutop", "--config", "\"my.toml\"", "refresh", "--fo"],
        ] {
            let line = line.iter().map(OsString::from).collect();
            assert_eq!(configuration_of(Cli::command, line), Some("my.toml".into()));
        }
    }

    #[cfg(unix)]
    #[test]
    fn quotes_are_resolved_unless_they_are_still_open() {
        assert_eq!(words(&["'a b'", r"a\ b", "'a b"]), ["a b", "a b", "'a b"]);
        assert_eq!(words(&["a", "=", "b"]), ["a", "=", "b"], "only an option was taken apart");
    }
}
