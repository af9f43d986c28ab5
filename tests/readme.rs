//! The README and the pages in docs/ say what is true: its keys, configuration, commands and exit codes are the program's.

use std::fs;
use std::path::Path;

use clap::{CommandFactory, Parser};
use manutop::cli::args::Cli;
use manutop::cli::support::exit::Exit;
use manutop::config;
use manutop::dashboard::keymap::Keymap;
use manutop::oauth::providers;

const KEYS_BEGIN: &str = "<!-- keys: made from src/dashboard/keymap/table.rs; tests/readme.rs compares -->\n";
const KEYS_END: &str = "<!-- end of keys -->";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("there is a README.md")
}

/// The fenced blocks of a language, without the indentation of a list they may stand in.
fn blocks(language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for line in all_pages().lines() {
        let text = line.trim_start();
        match &mut open {
            Some(_) if text == "```" => blocks.extend(open.take().map(|(_, block)| block)),
            Some((indent, block)) => {
                block.push_str(line.get(*indent..).unwrap_or_default());
                block.push('\n');
            }
            None if text == format!("```{language}") => open = Some((line.len() - text.len(), String::new())),
            None => {}
        }
    }
    assert!(open.is_none() && !blocks.is_empty(), "no whole block of {language}");
    blocks
}

/// With `INSTA_UPDATE=always` the table is written anew, as the screens' snapshots are.
#[test]
fn the_keys_are_the_keymap_s() {
    let text = readme();
    let (before, rest) = text.split_once(KEYS_BEGIN).expect("the keys begin");
    let (shown, after) = rest.split_once(KEYS_END).expect("the keys end");
    let made = format!("\n{}\n", Keymap::default().markdown());
    if shown != made && std::env::var("INSTA_UPDATE").as_deref() == Ok("always") {
        let whole = format!("{before}{KEYS_BEGIN}{made}{KEYS_END}{after}");
        fs::write(root().join("README.md"), whole).expect("the README can be written");
        return;
    }
    assert!(shown == made, "the keys have changed; run this test with INSTA_UPDATE=always, or paste:\n{made}");
}

#[test]
fn every_configuration_key_has_a_row() {
    let text = readme();
    for key in config::known_keys() {
        assert!(text.contains(&format!("\n| `{key}` | ")), "{key} is not in the README");
    }
}

#[test]
fn the_configurations_shown_are_taken() {
    for block in blocks("toml") {
        let config = config::parse(&block, Path::new("README.md"), providers::ALL);
        let config = config.unwrap_or_else(|error| panic!("{error}\n{block}"));
        assert!(!config.connections.is_empty(), "{block}");
    }
}

/// The README and the pages it links to.
fn all_pages() -> String {
    let pages = fs::read_dir(root().join("docs")).expect("there is docs/").map(|page| page.expect("it can be read"));
    let pages = pages.map(|page| fs::read_to_string(page.path()).expect("it is text"));
    pages.fold(readme(), |all, page| all + &page)
}

#[test]
fn every_command_and_option_is_shown() {
    let text = all_pages();
    let mut waiting = vec![("manutop".to_owned(), Cli::command())];
    while let Some((line, command)) = waiting.pop() {
        let is_group = command.has_subcommands();
        assert!(is_group || text.contains(&format!("{line} ")), "{line} is not in the README");
        for option in command.get_arguments().filter_map(clap::Arg::get_long) {
            assert!(text.contains(&format!("--{option}")), "{line} --{option} is not in the README");
        }
        waiting.extend(command.get_subcommands().map(|sub| (format!("{line} {}", sub.get_name()), sub.clone())));
    }
}

#[test]
fn the_commands_shown_exist() {
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
fn the_json_shown_is_whole_and_of_the_present_version() {
    for block in blocks("json") {
        let object: serde_json::Value = serde_json::from_str(&block).unwrap_or_else(|error| panic!("{error}\n{block}"));
        assert_eq!(object["version"], 1, "{block}");
    }
}

#[test]
fn the_two_commands_to_begin_with_are_near_the_top() {
    let text = readme();
    let top: Vec<_> = text.lines().take(40).collect();
    for command in ["cargo run --release -- demo", "scripts/test"] {
        assert!(top.contains(&command), "{command}");
    }
}

#[test]
fn every_exit_code_has_a_row() {
    let text = all_pages();
    for exit in Exit::ALL {
        let row = format!("\n| {} | `{}` | {} |", exit as u8, exit.id(), exit.meaning());
        assert!(text.contains(&row), "{exit:?} has no row");
    }
}

#[test]
fn pictures_and_pages_that_are_linked_are_there() {
    let text = readme();
    let is_page = |word: &str| Path::new(word).extension().is_some_and(|extension| extension == "md");
    let quoted = text.split(['"', '(', ')']);
    let linked: Vec<_> = quoted.filter(|word| word.starts_with("assets/") || is_page(word)).collect();
    assert!(linked.len() >= 6, "{linked:?}");
    for path in linked {
        assert!(root().join(path).exists(), "{path}");
    }
}
