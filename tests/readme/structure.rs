//! The pages are short, have contents, and repeat nothing; every link in them resolves.

use std::collections::HashMap;
use std::path::PathBuf;

use super::pages::{outside_blocks, pages, read, root};

const README_LINES: usize = 250;
const LINES_WITHOUT_CONTENTS: usize = 60;
const WORDS_THAT_MAY_REPEAT: usize = 8;

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
