//! README and docs/ agree with the program: keys, configuration, commands, exit codes and messages. They are also short,
//! free of repetition, and every link in them resolves.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use manutop::app::{Keymap, Scope};
use manutop::cli::args::Cli;
use manutop::cli::exit::Exit;
use manutop::config;
use manutop::oauth::providers;

const README_LINES: usize = 250;
const LINES_WITHOUT_CONTENTS: usize = 60;
const WORDS_THAT_MAY_REPEAT: usize = 8;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page by its path in the repository.
fn read(page: impl AsRef<Path>) -> String {
    let path = root().join(page);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The README first, then the pages of docs/ by name.
fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("docs")).expect("there is docs/");
    let mut docs: Vec<_> = entries.map(|entry| Path::new("docs").join(entry.expect("readable").file_name())).collect();
    docs.sort();
    [vec![PathBuf::from("README.md")], docs].concat()
}

fn all_pages() -> String {
    pages().iter().map(read).collect()
}

/// The fenced blocks of a language, without the indentation of a list they may be part of.
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
    assert!(open.is_none() && !blocks.is_empty(), "no complete block of {language}");
    blocks
}

/// The lines outside fenced blocks.
fn outside_blocks(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let is_prose = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    };
    text.lines().filter(is_prose).collect()
}

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
fn the_configurations_shown_are_accepted() {
    for block in blocks("toml") {
        let config = config::parse(&block, Path::new("README.md"), providers::ALL);
        let config = config.unwrap_or_else(|error| panic!("{error}\n{block}"));
        assert!(!config.connections.is_empty(), "{block}");
    }
}

#[test]
fn every_command_and_option_is_shown() {
    let text = all_pages();
    let mut waiting = vec![("manutop".to_owned(), Cli::command())];
    while let Some((line, command)) = waiting.pop() {
        let is_group = command.has_subcommands();
        assert!(is_group || text.contains(&format!("{line} ")), "{line} is on no page");
        for option in command.get_arguments().filter_map(clap::Arg::get_long) {
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

#[test]
fn the_two_commands_to_begin_with_are_near_the_top() {
    let text = read("README.md");
    let top: Vec<_> = text.lines().take(40).collect();
    for command in ["cargo run --release -- demo", "scripts/test"] {
        assert!(top.contains(&command), "{command}");
    }
}

#[test]
fn the_readme_is_short_and_links_every_page() {
    let text = read("README.md");
    let lines = text.lines().count();
    assert!(lines <= README_LINES, "the README has {lines} lines; move reference to docs/");
    for page in &pages()[1..] {
        assert!(text.contains(&format!("]({})", page.display())), "{} is not linked", page.display());
    }
}

#[test]
fn a_page_longer_than_a_screen_begins_with_its_contents() {
    for page in &pages()[1..] {
        let text = read(page);
        let lines = outside_blocks(&text);
        let first = lines.iter().position(|line| line.starts_with("## ")).unwrap_or(lines.len());
        let listed: Vec<_> = lines[..first].iter().filter(|line| line.starts_with("- [")).collect();
        let sections: Vec<_> = lines[first..].iter().filter_map(|line| line.strip_prefix("## ")).collect();
        if text.lines().count() <= LINES_WITHOUT_CONTENTS && listed.is_empty() {
            continue;
        }
        let expected: Vec<_> = sections.iter().map(|title| format!("- [{title}](#{})", slug(title))).collect();
        assert!(
            listed.iter().copied().eq(&expected),
            "{}: the contents should be\n{}",
            page.display(),
            expected.join("\n")
        );
    }
}

#[test]
fn every_link_resolves() {
    let more = ["CHANGELOG.md", "CONTRIBUTING.md"].map(PathBuf::from);
    let mut checked = 0;
    for page in pages().into_iter().chain(more) {
        let text = read(&page);
        for link in links(&text).into_iter().filter(|link| !link.starts_with("http")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = page.parent().expect("a page is in a folder").join(path);
            let target = if path.is_empty() { page.clone() } else { target };
            assert!(root().join(&target).exists(), "{}: {link}", page.display());
            assert!(
                anchor.is_empty() || anchors(&read(&target)).contains(&anchor.to_owned()),
                "{}: {link}",
                page.display()
            );
            checked += 1;
        }
    }
    assert!(checked >= 100, "only {checked} links were found");
}

/// Targets of links and pictures, outside fenced blocks.
fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    for line in outside_blocks(text) {
        for (begin, end) in [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"')] {
            links.extend(line.split(begin).skip(1).filter_map(|rest| rest.split(end).next()));
        }
    }
    links
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = outside_blocks(text).into_iter().filter(|line| line.starts_with('#'));
    headings.map(|line| slug(line.trim_start_matches('#').trim())).collect()
}

fn slug(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[test]
fn no_sentence_is_written_twice() {
    let mut seen: HashMap<String, PathBuf> = HashMap::new();
    let mut twice = vec![];
    for page in pages() {
        for sentence in sentences(&read(&page)) {
            if let Some(other) = seen.insert(sentence.clone(), page.clone()) {
                twice.push(format!("{} and {}: {sentence}", other.display(), page.display()));
            }
        }
    }
    assert!(twice.is_empty(), "{twice:#?}");
    assert!(seen.len() > 300, "only {} sentences were found", seen.len());
}

/// The sentences of a page that are too long to be alike by chance, without markup, blocks and tables.
fn sentences(text: &str) -> Vec<String> {
    let mut prose = String::new();
    for line in outside_blocks(text) {
        let line = line.trim();
        let is_apart = line.is_empty() || line.starts_with(['|', '#', '<']);
        let is_item = line.starts_with("- ") || line.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok());
        if is_apart || is_item {
            prose.push('\n');
        }
        if !is_apart {
            prose.push_str(line);
            prose.push(' ');
        }
    }
    let plain = |sentence: &str| {
        let words = sentence.split(|c: char| c.is_whitespace() || "*`[](),;".contains(c));
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").to_lowercase()
    };
    let ends_marked = prose.replace(". ", ".\n").replace(": ", ":\n").replace("? ", "?\n");
    ends_marked.lines().map(plain).filter(|sentence| sentence.split(' ').count() > WORDS_THAT_MAY_REPEAT).collect()
}

/// Words in a heading that stand for a part of the message.
const PLACEHOLDERS: &[&str] = &[
    "…", "COLUMN", "FILE", "ITEM", "KEYRING", "LINE", "M", "MODE", "N", "NAME", "NEW", "OLD", "OTHER", "OWNER", "PORT",
    "TIME", "URI", "USER",
];

#[test]
fn the_messages_in_troubleshooting_are_printed_by_the_program() {
    let source = source();
    let page = read("docs/troubleshooting.md");
    let headings = outside_blocks(&page).into_iter().filter_map(|line| line.strip_prefix("### `"));
    let messages: Vec<_> = headings.map(|heading| heading.trim_matches('`')).collect();
    let is_printed = |message: &&&str| parts(message).iter().all(|part| source.contains(part));
    let unknown: Vec<_> = messages.iter().filter(|message| !is_printed(message)).collect();
    assert!(unknown.is_empty(), "the program does not print {unknown:#?}");
    assert!(messages.len() >= 30, "{messages:#?}");
}

/// What a message says between its placeholders.
fn parts(message: &str) -> Vec<&str> {
    let mut parts = vec![];
    let mut rest = message;
    while let Some((begin, end)) = PLACEHOLDERS.iter().filter_map(|word| whole_word(rest, word)).min() {
        parts.push(rest[..begin].trim());
        rest = &rest[end..];
    }
    parts.push(rest.trim());
    parts
}

/// Where a word begins and ends in a text, if it is there as a whole word.
fn whole_word(text: &str, word: &str) -> Option<(usize, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '…');
    let is_whole = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    };
    text.match_indices(word).map(|(at, _)| at).find(|at| is_whole(*at)).map(|at| (at, at + word.len()))
}

/// All of src/, with strings that go on in the next line joined.
fn source() -> String {
    let text: String =
        files("src").iter().filter(|path| path.extension().is_some_and(|it| it == "rs")).map(read).collect();
    let mut parts = text.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.trim_start())
}

/// The files below a folder, by their path in the repository.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(folder)];
    let mut files = vec![];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("it is a folder") {
            let entry = entry.expect("readable");
            let path = folder.join(entry.file_name());
            if entry.file_type().expect("known").is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

#[test]
fn the_tests_that_the_threat_model_names_exist() {
    let files: Vec<_> = [files("src"), files("tests")].concat();
    let code: String = files.iter().filter(|path| path.extension().is_some_and(|it| it == "rs")).map(read).collect();
    let is_file = |name: &str| {
        let of = |part: &std::ffi::OsStr| Path::new(part).file_stem().is_some_and(|stem| stem == name);
        files.iter().any(|path| path.iter().any(of))
    };
    let page = read("docs/security.md");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter_map(|line| line.trim_end_matches(" |").rsplit(" | ").next());
    let named: Vec<_> =
        rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|name| name.contains("::")).collect();
    for name in &named {
        for part in name.split("::") {
            assert!(is_file(part) || code.contains(&format!("fn {part}(")), "there is no {part} of {name}");
        }
    }
    assert!(named.len() >= 15, "{named:?}");
}
