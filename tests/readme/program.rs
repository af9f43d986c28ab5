//! The pages agree with the program: keys, configuration, statuses, commands and exit codes.

use std::fs;
use std::path::Path;

use clap::{CommandFactory, Parser};
use manutop::cli::args::Cli;
use manutop::cli::support::exit::Exit;
use manutop::config;
use manutop::dashboard::command_palette::commands;
use manutop::dashboard::keymap::{Keymap, Scope};
use manutop::domain::Status;
use manutop::oauth::providers;

use super::pages::{all_pages, blocks, read, root};

/// Compares the text between the comments `<!-- NAME: … -->` and `<!-- end of NAME -->` with what the program says. With
/// `INSTA_UPDATE=always` it is written instead, as snapshots are.
fn assert_generated(page: &str, name: &str, made: &str) {
    let text = read(page);
    let begin = text.find(&format!("<!-- {name}: ")).unwrap_or_else(|| panic!("{page} has no {name}"));
    let begin = begin + text[begin..].find("-->\n").expect("the comment ends") + "-->\n".len();
    let end = text.find(&format!("<!-- end of {name} -->")).unwrap_or_else(|| panic!("{page}: {name} has no end"));
    let made = format!("\n{made}\n");
    if text[begin..end] != made && std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        fs::write(root().join(page), format!("{}{made}{}", &text[..begin], &text[end..])).expect("the page is written");
        return;
    }
    assert!(
        text[begin..end] == made,
        "{page}: {name} differ; run this test with INSTA_UPDATE=always, or paste:\n{made}"
    );
}

#[test]
fn keys_names_and_exit_codes_are_those_of_the_program() {
    assert_generated("docs/keys.md", "names", &names());
    assert_generated("docs/keys.md", "keys", &Keymap::default().markdown());
    assert_generated("docs/keys.md", "commands", &commands::markdown(&Keymap::default()));
    assert_generated("docs/scripting.md", "exit codes", &exit_codes());
}

/// What `[keys.SCOPE]` tables can name.
fn names() -> String {
    let keymap = Keymap::default();
    let row = |scope: Scope| {
        let mut actions: Vec<_> = keymap.of(scope).map(|binding| format!("`{}`", binding.action.id())).collect();
        actions.sort();
        actions.dedup();
        format!("| `{}` | {} |\n", scope.id(), actions.join(", "))
    };
    format!("| scope | actions |\n| --- | --- |\n{}", Scope::ALL.map(row).concat())
}

fn exit_codes() -> String {
    let row = |exit: Exit| format!("| {} | `{}` | {} |\n", exit as u8, exit.id(), exit.meaning());
    format!("| exit code | `kind` in JSON | meaning |\n| --- | --- | --- |\n{}", Exit::ALL.map(row).concat())
}

#[test]
fn the_daily_keys_of_the_readme_exist() {
    let text = read("README.md");
    let (_, section) = text.split_once("\n## Daily keys\n").expect("the README has daily keys");
    let rows: Vec<_> = section.lines().take_while(|line| !line.starts_with("## ")).collect();
    let all = Keymap::default().markdown();
    let mut checked = 0;
    for key in rows.iter().filter(|line| line.starts_with("| `")).flat_map(|row| row.split('`').skip(1).step_by(2)) {
        assert!(all.contains(&format!("`{key}`")), "{key}");
        checked += 1;
    }
    assert!(checked >= 10, "only {checked} keys were found");
}

#[test]
fn every_configuration_key_has_a_row() {
    let text = read("docs/configuration.md");
    for key in config::known_keys() {
        assert!(text.contains(&format!("\n| `{key}` | ")), "{key} is not in docs/configuration.md");
    }
}

#[test]
fn every_provider_is_described_with_its_addresses() {
    let text = read("docs/configuration.md");
    for provider in providers::ALL {
        for word in [provider.id, provider.title, provider.token_url, provider.test_url] {
            assert!(text.contains(word), "{word} is not in docs/configuration.md");
        }
    }
}

#[test]
fn every_status_is_explained() {
    let (at, until) = (None, chrono::DateTime::UNIX_EPOCH);
    let all = [
        Status::Loading,
        Status::Live,
        Status::Expiring,
        Status::Expired,
        Status::Refreshing,
        Status::LoggingIn,
        Status::WaitingForLock { pid: None },
        Status::NeverLoggedIn,
        Status::NoClientSecret,
        Status::Retrying { at },
        Status::AnswerLost { at },
        Status::RateLimited { until },
        Status::NeedsLogin,
        Status::Misconfigured,
        Status::Uncertain,
        Status::NotSaved,
        Status::RolledBack,
        Status::StoreUnavailable,
    ];
    let (dashboard, scripting) = (read("docs/dashboard.md"), read("docs/scripting.md"));
    let explained: Vec<_> = dashboard.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
    let explained: Vec<_> = explained.iter().flat_map(|cell| cell.split(", ")).collect();
    for status in all {
        assert!(explained.contains(&status.word()), "{:?} is not in docs/dashboard.md", status.word());
        assert!(scripting.contains(&format!("`{}`", status.id())), "{:?} is not in docs/scripting.md", status.id());
    }
}

#[test]
fn the_configurations_shown_are_accepted() {
    for block in blocks("toml") {
        let config = config::parse(&block, Path::new("README.md"), providers::ALL);
        let config = config.unwrap_or_else(|error| panic!("{error}\n{block}"));
        assert_ne!(config, config::Config::default(), "it sets nothing: {block}");
    }
}

#[test]
fn every_command_and_option_is_shown() {
    let text = all_pages();
    let mut all = Cli::command().disable_help_subcommand(true);
    all.build();
    let mut waiting = vec![("manutop".to_owned(), all)];
    while let Some((line, command)) = waiting.pop() {
        let is_group = command.has_subcommands();
        assert!(is_group || text.contains(&format!("{line} ")), "{line} is on no page");
        for option in command.get_arguments().filter_map(clap::Arg::get_long).filter(|option| *option != "help") {
            assert!(text.contains(&format!("--{option}")), "{line} --{option} is on no page");
        }
        waiting.extend(command.get_subcommands().map(|sub| (format!("{line} {}", sub.get_name()), sub.clone())));
    }
}

#[test]
fn the_commands_shown_are_accepted() {
    let mut checked = 0;
    for block in blocks("sh") {
        let block = block.replace("cargo run --release -- ", "manutop ");
        for (at, _) in block.match_indices("manutop ") {
            let line = block[at..].split(['#', ')', '<', '>', '|', '\n']).next().unwrap_or_default();
            Cli::try_parse_from(line.split_whitespace()).unwrap_or_else(|error| panic!("{line}: {error}"));
            checked += 1;
        }
    }
    assert!(checked >= 12, "only {checked} commands were found");
}

#[test]
fn the_json_shown_is_complete_and_of_the_present_version() {
    for block in blocks("json") {
        let object: serde_json::Value = serde_json::from_str(&block).unwrap_or_else(|error| panic!("{error}\n{block}"));
        assert_eq!(object["version"], 1, "{block}");
    }
}
