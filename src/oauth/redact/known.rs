//! Secrets that are known, recognised in any text that means them: whatever escapes, encodings, case, width and
//! separators it is written with, whole or in pieces.
//!
//! Invariant: no secret is kept, only keyed hashes of its pieces.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::ops::Range;

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};

use crate::domain::Secret;
use crate::oauth::redact::blobs::Blob;
use crate::oauth::redact::escapes::LAYERS;
use crate::oauth::redact::view::{View, each_folded, folded, from_bytes, narrowed};
use crate::oauth::redact::{blobs, escapes};

/// So many characters of a secret are a piece that must not be readable.
pub(super) const PIECE: usize = 8;
/// A secret with fewer letters and digits is recognised with its punctuation only.
const SHORTEST_BARE: usize = 4;
/// How many encodings within one another are undone.
const DEPTH: usize = 2;

/// What is searched for.
#[derive(Debug, Default)]
pub struct KnownSecrets {
    hasher: RandomState,
    /// Pieces of secrets, folded.
    pieces: HashSet<u64>,
    /// The lengths of secrets that are too short for a piece, and their hashes, folded.
    short: Vec<(usize, u64)>,
    /// Pieces of the bytes that secrets in base64 or hex encode.
    raw: HashSet<u64>,
}

/// Where something was found in the original text.
pub(super) struct FoundSecret {
    pub(super) at: Range<usize>,
    /// It is part of an encoded string, whose neighbouring characters may hold a few bits of it.
    pub(super) is_encoded: bool,
}

impl KnownSecrets {
    /// Recognises these secrets.
    #[must_use]
    pub fn of(secrets: &[&Secret]) -> Self {
        let mut known = Self::default();
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            known.add(secret);
        }
        known
    }

    fn add(&mut self, secret: &Secret) {
        for keeps_signs in [true, false] {
            let mut form = Vec::with_capacity(secret.expose().len());
            secret.expose().chars().for_each(|c| each_folded(c, keeps_signs, |c| form.push(c)));
            if form.len() >= PIECE {
                self.pieces.extend(form.windows(PIECE).map(|piece| self.hasher.hash_one(piece)));
            } else if form.len() >= if keeps_signs { 1 } else { SHORTEST_BARE } {
                self.short.push((form.len(), self.hasher.hash_one(&form[..])));
            }
        }
        for bytes in meant_bytes(secret.expose()) {
            self.raw.extend(bytes.windows(PIECE).map(|piece| self.hasher.hash_one(piece)));
        }
    }

    /// Where the text, decoded in every way that it can be, holds any of them.
    pub(super) fn find(&self, view: View) -> Vec<FoundSecret> {
        let mut found = Vec::new();
        if !(self.pieces.is_empty() && self.short.is_empty()) {
            self.search(view, DEPTH, &mut found);
        }
        found
    }

    fn search(&self, mut view: View, depth: usize, found: &mut Vec<FoundSecret>) {
        for _ in 0..=LAYERS {
            view = narrowed(&view);
            self.compare(&view, depth < DEPTH, found);
            if depth > 0 {
                for blob in blobs::decoded(&view) {
                    self.compare_raw(&blob, found);
                    if is_text(&blob) {
                        self.search(from_bytes(&blob), depth - 1, found);
                    }
                }
            }
            let Some(undone) = escapes::undone(&view) else { return };
            view = undone;
        }
    }

    fn compare(&self, view: &View, is_encoded: bool, found: &mut Vec<FoundSecret>) {
        for keeps_signs in [true, false] {
            let (form, places): (Vec<char>, Vec<_>) =
                folded(view, keeps_signs).into_iter().map(|glyph| (glyph.c, glyph.at)).unzip();
            let mut look = |length: usize, is_known: &dyn Fn(u64) -> bool| {
                for (start, piece) in form.windows(length).enumerate() {
                    if is_known(self.hasher.hash_one(piece)) {
                        let at = places[start].start..places[start + length - 1].end;
                        found.push(FoundSecret { at, is_encoded });
                    }
                }
            };
            look(PIECE, &|piece| self.pieces.contains(&piece));
            for (length, hash) in &self.short {
                look(*length, &|piece| piece == *hash);
            }
        }
    }

    fn compare_raw(&self, blob: &Blob, found: &mut Vec<FoundSecret>) {
        if self.raw.is_empty() {
            return;
        }
        let bytes: Vec<u8> = blob.iter().map(|(byte, _)| *byte).collect();
        for (start, piece) in bytes.windows(PIECE).enumerate() {
            if self.raw.contains(&self.hasher.hash_one(piece)) {
                found.push(FoundSecret { at: blob[start].1.start..blob[start + PIECE - 1].1.end, is_encoded: true });
            }
        }
    }
}

/// The bytes that a text encodes, if all of it is base64 or hex digits.
fn meant_bytes(text: &str) -> Vec<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let mut meant: Vec<_> = [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .filter_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
        .collect();
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    meant.extend(digits.map(|digits| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()));
    meant
}

/// Whether decoding gave something that people write, rather than noise: mostly printable text, or UTF-16.
fn is_text(blob: &Blob) -> bool {
    let bytes: Vec<u8> = blob.iter().map(|(byte, _)| *byte).collect();
    let is_written = |c: &char| !c.is_ascii_control() || matches!(c, '\0' | '\t' | '\n' | '\r');
    let written = bytes.utf8_chunks().flat_map(|chunk| chunk.valid().chars()).filter(is_written).map(char::len_utf8);
    4 * written.sum::<usize>() >= 3 * bytes.len()
}
