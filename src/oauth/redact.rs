//! Takes secrets out of text that comes from a server, before it is kept anywhere.

use std::collections::HashSet;

use crate::domain::Secret;
use crate::domain::text::neutralise;

/// A run of this many token characters or more is taken for a secret.
const SUSPICIOUS: usize = 20;
/// So many bytes of a secret are a piece that must not be readable.
const PIECE: usize = 12;

/// A bounded, neutralised excerpt of a server's text without secrets: those that were sent are
/// replaced wherever they are echoed, and every long run of token characters besides, since an
/// answer that was not understood may hold a token nobody knows yet.
#[must_use]
pub fn excerpt(text: &str, sent: &[&Secret], max_chars: usize) -> String {
    // Neutral first: a line break between two words of a secret becomes the blank it had.
    let mut text = neutralise(text, text.len());
    let mut sent: Vec<&str> = sent.iter().map(|secret| secret.expose()).filter(|secret| !secret.is_empty()).collect();
    // Longest first: a secret that is part of another must not leave the rest of it standing.
    sent.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    for secret in sent {
        text = text.replace(secret, "***");
    }
    neutralise(mask_runs(&text).trim(), max_chars)
}

/// Secrets, cut up so that a piece of one is found as well: servers shorten what they echo.
pub struct Pieces<'a> {
    long: HashSet<&'a [u8]>,
    /// Secrets too short to be cut up.
    short: Vec<&'a str>,
}

impl<'a> Pieces<'a> {
    /// The pieces of these secrets.
    #[must_use]
    pub fn of(secrets: &[&'a Secret]) -> Self {
        let secrets = secrets.iter().map(|secret| secret.expose()).filter(|secret| !secret.is_empty());
        let (long, short): (Vec<_>, Vec<_>) = secrets.partition(|secret| secret.len() >= PIECE);
        Self { long: long.into_iter().flat_map(|secret| secret.as_bytes().windows(PIECE)).collect(), short }
    }

    /// Whether a text holds any of them.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        self.short.iter().any(|secret| text.contains(secret))
            || text.as_bytes().windows(PIECE).any(|window| self.long.contains(window))
    }
}

fn mask_runs(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_token_character) {
        let run = rest[start..].find(|c| !is_token_character(c)).unwrap_or(rest.len() - start);
        masked.push_str(&rest[..start]);
        let word = &rest[start..start + run];
        masked.push_str(if run >= SUSPICIOUS && !is_plain_word(word) { "***" } else { word });
        rest = &rest[start + run..];
    }
    masked.push_str(rest);
    masked
}

/// What RFC 6750 §2.1 allows in a bearer token.
fn is_token_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/=%".contains(c)
}

/// Error codes, media types and words in prose: lower-case letters and what joins them, or capitals.
fn is_plain_word(word: &str) -> bool {
    let only = |letter: fn(&char) -> bool| word.chars().all(|c| "_.-/+".contains(c) || letter(&c));
    only(char::is_ascii_lowercase) || only(char::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::{Pieces, Secret, excerpt};

    #[test]
    fn echoed_and_unknown_tokens_are_masked() {
        let sent = Secret::new("s3cret");
        let text = "token s3cret refused, take eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF instead";
        assert_eq!(excerpt(text, &[&sent], 200), "token *** refused, take *** instead");
    }

    #[test]
    fn error_codes_and_prose_stay_readable() {
        for text in [
            "unsupported_response_type_for_client",
            "The refresh token is invalid or has been revoked.",
            "INVALID_CLIENT_CREDENTIALS",
            "application/x-www-form-urlencoded",
        ] {
            assert_eq!(excerpt(text, &[], 200), text);
        }
    }

    #[test]
    fn a_secret_within_another_or_broken_over_two_lines_is_masked_whole() {
        let (short, long) = (Secret::new("s3c"), Secret::new("s3cret word"));
        assert_eq!(excerpt("take s3cret\nword", &[&short, &long], 200), "take ***");
    }

    #[test]
    fn the_excerpt_is_bounded_and_neutral() {
        assert_eq!(excerpt("\x1b[2Jab cd ef", &[], 5), "\u{fffd}[2Ja…");
    }

    #[test]
    fn a_piece_of_a_secret_is_found_and_a_short_one_whole() {
        let (long, short, none) = (Secret::new("Rt-0123456789abcdef"), Secret::new("pin9"), Secret::default());
        let secrets = [&long, &short, &none];
        let pieces = Pieces::of(&secrets);
        for text in ["Rt-0123456789abcdef", "ends in 456789abcdef", "Rt-012345678...", "the pin9!"] {
            assert!(pieces.are_in(text), "{text}");
        }
        for text in ["", "Rt-01234567", "pin8", "application/json"] {
            assert!(!pieces.are_in(text), "{text}");
        }
    }
}
