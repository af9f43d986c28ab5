//! The pages, and what the tests read from them.

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page by its path in the repository.
pub fn read(page: impl AsRef<Path>) -> String {
    let path = root().join(page);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The README first, then the pages of docs/ by name.
pub fn pages() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("docs")).expect("there is docs/");
    let mut docs: Vec<_> = entries.map(|entry| Path::new("docs").join(entry.expect("readable").file_name())).collect();
    docs.sort();
    [vec![PathBuf::from("README.md")], docs].concat()
}

pub fn all_pages() -> String {
    pages().iter().map(read).collect()
}

/// The fenced blocks of a language, without the indentation of a list they may be part of.
pub fn blocks(language: &str) -> Vec<String> {
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
pub fn outside_blocks(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let is_prose = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    };
    text.lines().filter(is_prose).collect()
}

/// The files below a folder, by their path in the repository.
pub fn files(folder: &str) -> Vec<PathBuf> {
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
