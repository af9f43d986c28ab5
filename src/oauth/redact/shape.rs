//! What has the shape of a secret although none is known that looks like it: an answer that was not understood may
//! hold a token that this program has never seen.

use std::ops::Range;

use super::escapes;
use super::view::{Glyph, View, narrowed};

/// A run of this many token characters or more is taken for a secret, unless it is words.
const SUSPICIOUS: usize = 20;
/// So many letters of both cases and digits in a row are no word and no number.
const MIXED: usize = 12;
/// The longest word: more letters of one case in a row are taken for a secret.
const LONGEST_WORD: usize = 22;
/// So many words of up to [`CRUMB`] characters in a row are a secret in crumbs, or a dump of its bytes.
const MOST_CRUMBS: usize = 12;
const CRUMB: usize = 3;

/// Where such runs are, in the text as it stands and with its escapes undone.
pub(super) fn suspicious(view: &View) -> Vec<Range<usize>> {
    let mut found = runs(view);
    let mut undone = narrowed(view);
    while let Some(next) = escapes::undone(&undone) {
        undone = narrowed(&next);
    }
    if undone != *view {
        found.extend(runs(&undone));
    }
    found
}

fn runs(view: &View) -> Vec<Range<usize>> {
    let tokens = view.chunk_by(|a, b| is_token_character(a.c) == is_token_character(b.c));
    let mut found: Vec<_> = tokens.filter(|run| is_token_character(run[0].c) && is_suspicious(run)).map(span).collect();
    let words: Vec<_> = view.chunk_by(|a, b| a.c.is_alphanumeric() == b.c.is_alphanumeric()).collect();
    found.extend(crumbs(&words));
    found
}

fn span(run: &[Glyph]) -> Range<usize> {
    run[0].at.start..run[run.len() - 1].at.end
}

/// What RFC 6750 §2.1 allows in a bearer token.
fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/=%".contains(c)
}

fn is_suspicious(run: &[Glyph]) -> bool {
    let mut segments = run.split(|glyph| !glyph.c.is_ascii_alphanumeric());
    (run.len() >= SUSPICIOUS && !is_words(run)) || segments.any(is_mixed)
}

/// Error codes, media types and words in prose: letters of one case and what joins them.
fn is_words(run: &[Glyph]) -> bool {
    let only = |is_letter: fn(&char) -> bool| run.iter().all(|glyph| "_.-/+".contains(glyph.c) || is_letter(&glyph.c));
    let mut words = run.split(|glyph| !glyph.c.is_ascii_alphabetic());
    (only(char::is_ascii_lowercase) || only(char::is_ascii_uppercase)) && words.all(|word| word.len() <= LONGEST_WORD)
}

fn is_mixed(segment: &[Glyph]) -> bool {
    let has = |is_kind: fn(&char) -> bool| segment.iter().any(|glyph| is_kind(&glyph.c));
    segment.len() >= MIXED
        && has(char::is_ascii_digit)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_uppercase)
}

/// Sequences of very short words that are not prose. Every other one of `words` is what stands between two.
fn crumbs(words: &[&[Glyph]]) -> Vec<Range<usize>> {
    let is_word = |word: &[Glyph]| word[0].c.is_alphanumeric();
    let is_crumb = |word: &&[Glyph]| word.len() <= CRUMB || (!is_word(word) && word.len() <= 2 * CRUMB);
    let mut found = Vec::new();
    for row in words.split(|word| !is_crumb(word)) {
        let row: Vec<_> = row.iter().filter(|word| is_word(word)).collect();
        let with_digit = row.iter().filter(|word| word.iter().any(|glyph| glyph.c.is_ascii_digit())).count();
        let single = row.iter().filter(|word| word.len() == 1).count();
        let is_prose = 3 * with_digit < row.len() && 2 * single < row.len();
        if let (true, Some(first), Some(last)) = (row.len() >= MOST_CRUMBS && !is_prose, row.first(), row.last()) {
            found.push(first[0].at.start..last[last.len() - 1].at.end);
        }
    }
    found
}
