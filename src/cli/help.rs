//! `--help`: the commands in groups, and the global options once.
//!
//! Invariant: every command is in exactly one group, which a test holds. Only the help is made here; manual pages and
//! completions use the plain definitions, with the global options of every command.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// The groups, in the order of `--help`.
const GROUPS: [(&str, &[&str]); 5] = [
    ("Daily use", &["login", "logout", "refresh", "test", "list", "status", "log"]),
    ("Scripts", &["token", "exec", "curl"]),
    ("Connections", &["add", "import", "rename", "remove", "secret", "config"]),
    ("Servers", &["keepalive"]),
    ("Setup and repair", &["demo", "doctor", "rescue", "store", "completions", "man", "help"]),
];

/// The line that stands for the global options in the help of a command.
const GLOBAL: &str = "Global options: see manutop --help";

/// The definitions as `--help` shows them.
pub(super) fn command(mut plain: Command) -> Command {
    // Global options reach the subcommands here; then they can be hidden there alone.
    plain.build();
    let groups = groups(&plain);
    let heading = plain.get_styles().get_header();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}{heading}Global options:{heading:#}\n{{options}}\
         {{after-help}}"
    );
    plain.mut_subcommands(without_global_options).help_template(template)
}

/// The commands with a line each, group by group.
fn groups(command: &Command) -> String {
    let (heading, literal) = (command.get_styles().get_header(), command.get_styles().get_literal());
    let width = command.get_subcommands().map(|command| command.get_name().len()).max().unwrap_or_default();
    let mut text = String::new();
    for (title, names) in GROUPS {
        let _ = writeln!(text, "{heading}{title}:{heading:#}");
        for found in names.iter().filter_map(|name| command.find_subcommand(name)) {
            let (name, about) = (found.get_name(), found.get_about().map(ToString::to_string).unwrap_or_default());
            let _ = writeln!(text, "  {literal}{name:width$}{literal:#}  {about}");
        }
        text.push('\n');
    }
    text
}

fn without_global_options(command: Command) -> Command {
    let words = command.get_after_help().map(|words| format!("{words}\n\n")).unwrap_or_default();
    let hide = |arg: Arg| if arg.is_global_set() { arg.hide(true) } else { arg };
    command.mut_args(hide).mut_subcommands(without_global_options).after_help(format!("{words}{GLOBAL}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::{GLOBAL, GROUPS, command};
    use crate::cli::args::Cli;

    fn help(line: &str) -> String {
        let error = command(Cli::command()).try_get_matches_from(line.split(' ')).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayHelp, "{line}");
        error.to_string()
    }

    #[test]
    fn every_command_is_in_exactly_one_group() {
        let mut grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        grouped.sort_unstable();
        let mut plain = Cli::command();
        plain.build();
        let mut commands: Vec<_> = plain.get_subcommands().map(clap::Command::get_name).collect();
        // There is no curl but on Unix.
        if !cfg!(unix) {
            commands.push("curl");
        }
        commands.sort_unstable();
        assert_eq!(grouped, commands);
    }

    #[test]
    fn help_shows_each_command_on_a_line_of_eighty_columns() {
        let help = help("manutop --help");
        for name in GROUPS.iter().flat_map(|(_, names)| *names).filter(|name| cfg!(unix) || **name != "curl") {
            let lines: Vec<_> = help.lines().filter(|line| line.starts_with(&format!("  {name} "))).collect();
            assert_eq!(lines.len(), 1, "{name}: {help}");
            assert!(lines[0].len() <= 80 && lines[0].len() > 20, "{}", lines[0]);
        }
    }

    #[test]
    fn the_global_options_are_shown_once() {
        let first = help("manutop --help");
        assert!(first.contains("\nGlobal options:\n") && first.contains("--data-dir <DIR>"), "{first}");
        for line in ["manutop token --help", "manutop token -h", "manutop help token", "manutop config edit --help"] {
            let help = help(line);
            assert!(!help.contains("--data-dir") && help.trim_end().ends_with(GLOBAL), "{line}: {help}");
        }
        let read = command(Cli::command()).try_get_matches_from(["manutop", "list", "--config", "a"]);
        assert!(read.is_ok(), "a hidden option is an option");
    }
}
