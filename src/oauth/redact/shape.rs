//! What has the shape of a secret although none is known that looks like it: an answer that was not understood may
//! hold a token that this program has never seen.

use std::ops::Range;

use crate::oauth::redact::escapes;
use crate::oauth::redact::escapes::LAYERS;
use crate::oauth::redact::view::{Glyph, View, narrowed};

/// A run of this many token characters or more is taken for a secret, unless it is words.
const SUSPICIOUS: usize = 20;
/// So many letters of both cases and digits in a row are neither a word nor a number.
const MIXED: usize = 12;
/// The longest word: more letters of one case in a row are taken for a secret.
const LONGEST_WORD: usize = 22;
/// So many words of up to [`CRUMB`] characters, or numbers, in a row are a secret in crumbs, or a dump of its bytes.
const MOST_CRUMBS: usize = 12;
const CRUMB: usize = 3;
/// The longest number: a byte in binary digits.
const LONGEST_NUMBER: usize = 8;
/// What names a request to the people who run a server, before the identifier.
const IDENTIFIERS: [&str; 5] = ["traceid", "correlationid", "requestid", "errorid", "transactionid"];

/// Where such runs are, in the text as it is and with its escapes undone.
pub(super) fn suspicious(view: &View) -> Vec<Range<usize>> {
    let mut found = runs(view);
    let mut undone = narrowed(view);
    for _ in 0..LAYERS {
        let Some(next) = escapes::undone(&undone) else { break };
        undone = narrowed(&next);
    }
    if undone != *view {
        found.extend(runs(&undone));
    }
    found
}

fn runs(view: &View) -> Vec<Range<usize>> {
    let (mut found, mut start) = (Vec::new(), 0);
    for run in view.chunk_by(|a, b| is_token_character(a.c) == is_token_character(b.c)) {
        let before = &view[..start];
        start += run.len();
        if !is_token_character(run[0].c) || is_identifier(before, run) {
            continue;
        }
        // Host and path of a URL are words of their own.
        let is_url = run.len() > 2
            && run[..2].iter().all(|glyph| glyph.c == '/')
            && before.last().is_some_and(|glyph| glyph.c == ':');
        let parts: Vec<_> = if is_url { run.split(|glyph| glyph.c == '/').collect() } else { vec![run] };
        found.extend(parts.into_iter().filter(|part| !part.is_empty() && is_suspicious(part)).map(span));
    }
    let words: Vec<_> = view.chunk_by(|a, b| a.c.is_alphanumeric() == b.c.is_alphanumeric()).collect();
    found.extend(crumbs(&words));
    found
}

fn span(run: &[Glyph]) -> Range<usize> {
    run[0].at.start..run[run.len() - 1].at.end
}

/// Whether it is a number of hexadecimal digits that identifies a request, as the words before it say.
fn is_identifier(before: &[Glyph], run: &[Glyph]) -> bool {
    let words: String = before[before.len().saturating_sub(24)..]
        .iter()
        .filter(|glyph| glyph.c.is_ascii_alphanumeric())
        .map(|glyph| glyph.c.to_ascii_lowercase())
        .collect();
    run.iter().all(|glyph| glyph.c.is_ascii_hexdigit() || glyph.c == '-')
        && run.len() <= 36
        && IDENTIFIERS.iter().any(|name| words.ends_with(name))
}

/// What RFC 6750 §2.1 allows in a bearer token.
fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/=%".contains(c)
}

fn is_suspicious(run: &[Glyph]) -> bool {
    let mut segments = run.split(|glyph| !glyph.c.is_ascii_alphanumeric());
    (run.len() >= SUSPICIOUS && !is_words(run)) || segments.any(is_mixed)
}

/// Error codes, media types, names and words in prose: letters of one case, most words without a number behind them, and
/// what joins them.
fn is_words(run: &[Glyph]) -> bool {
    let has = |is_kind: fn(&char) -> bool| run.iter().any(|glyph| is_kind(&glyph.c));
    let words: Vec<_> = run.split(|glyph| "_.-/+".contains(glyph.c)).filter(|word| !word.is_empty()).collect();
    let letters = |word: &[Glyph]| word.iter().take_while(|glyph| glyph.c.is_ascii_alphabetic()).count();
    let is_word = |word: &&[Glyph]| {
        let (letters, digits) = (letters(word), word.len() - letters(word));
        letters <= LONGEST_WORD && digits <= 4 && word[letters..].iter().all(|glyph| glyph.c.is_ascii_digit())
    };
    let plain = words.iter().filter(|word| letters(word) == word.len()).count();
    !(has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase))
        && words.iter().all(is_word)
        && 2 * plain >= words.len()
}

fn is_mixed(segment: &[Glyph]) -> bool {
    let has = |is_kind: fn(&char) -> bool| segment.iter().any(|glyph| is_kind(&glyph.c));
    segment.len() >= MIXED
        && has(char::is_ascii_digit)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_uppercase)
}

/// Sequences of very short words that are not prose. Every other one of `words` is the separator of two.
fn crumbs(words: &[&[Glyph]]) -> Vec<Range<usize>> {
    let is_word = |word: &[Glyph]| word[0].c.is_alphanumeric();
    let is_number = |word: &[Glyph]| word.len() <= LONGEST_NUMBER && word.iter().all(|glyph| glyph.c.is_ascii_digit());
    let is_crumb =
        |word: &&[Glyph]| word.len() <= CRUMB || is_number(word) || (!is_word(word) && word.len() <= 2 * CRUMB);
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
