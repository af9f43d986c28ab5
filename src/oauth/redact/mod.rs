//! Takes secrets out of text that comes from a server, before it is kept anywhere.
//!
//! Recognises them by meaning: a server may repeat a secret percent-encoded, as a reference of HTML, in base64 or
//! hex, in capitals, with dashes between its groups, or a part of it only. See [`KnownSecrets`] for those that are known,
//! and `shape` for what looks like one.

mod blobs;
mod escapes;
mod known;
mod shape;
mod view;

use std::ops::Range;

use crate::domain::Secret;
use crate::domain::text::neutralise;
use crate::oauth::redact::known::FoundSecret;
pub use crate::oauth::redact::known::KnownSecrets;

/// The most of a text that is looked at, in bytes. What comes after it is never shown.
const LONGEST: usize = 8 * 1024;
/// Replaces a secret.
const MASK: &str = "***";

/// A bounded, neutralised excerpt of a server's text without secrets: those that are known are replaced in whatever
/// form they are there, and so is everything else of a secret's shape.
#[must_use]
pub fn excerpt(text: &str, secrets: &[&Secret], max_chars: usize) -> String {
    KnownSecrets::of(secrets).excerpt(text, max_chars)
}

impl KnownSecrets {
    /// See [`excerpt`].
    #[must_use]
    pub fn excerpt(&self, text: &str, max_chars: usize) -> String {
        let text = beginning(text);
        let text = masked(text, whole(text, self.find(view::plain(text))));
        let text = masked(&text, shape::suspicious(&view::plain(&text)));
        neutralise(text.trim(), max_chars)
    }

    /// Whether a text holds any of them, or a piece.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        !self.find(view::plain(beginning(text))).is_empty()
    }
}

fn beginning(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// What was found, each encoded string as a whole. The work is linear in the text, however much is found in it.
fn whole(text: &str, mut found: Vec<FoundSecret>) -> Vec<Range<usize>> {
    found.sort_by_key(|found| found.at.start);
    let mut end = 0;
    let mut spans = Vec::with_capacity(found.len());
    for FoundSecret { at, is_encoded } in found {
        if !is_encoded {
            spans.push(at);
        } else if at.end > end {
            let span = widened(text, at);
            end = span.end;
            spans.push(span);
        }
    }
    spans
}

/// With the characters of an encoding on both sides.
fn widened(text: &str, at: Range<usize>) -> Range<usize> {
    let is_encoding = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
    let start = text[..at.start].trim_end_matches(is_encoding).len();
    let end = text.len() - text[at.end..].trim_start_matches(is_encoding).len();
    start..end
}

fn masked(text: &str, mut spans: Vec<Range<usize>>) -> String {
    spans.sort_by_key(|span| (span.start, span.end));
    let (mut masked, mut end) = (String::with_capacity(text.len()), None);
    for span in spans {
        if end.is_none_or(|end| span.start > end) {
            masked.push_str(&text[end.unwrap_or(0)..span.start]);
            masked.push_str(MASK);
        }
        end = end.max(Some(span.end));
    }
    masked.push_str(&text[end.unwrap_or(0)..]);
    masked
}

#[cfg(test)]
mod tests;
