//! What the pages quote from the source is there: messages and names of tests.

use std::path::Path;

use super::pages::{files, outside_blocks, read};

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
