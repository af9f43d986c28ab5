//! Secrets planted in generated input, and the search for what of them can be read afterwards.
//!
//! Bytes that no UTF-8 has stand for a secret in one of the ways in which servers write them, so that an input can
//! hold a secret without knowing it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

/// So many letters and digits of a secret in a row are readable.
const PIECE: usize = 8;

/// The first byte that stands for something else.
const FIRST: u8 = 0xf5;

/// The input with every placeholder replaced: `0xf5` by the first secret as it is, `0xf6` by the second, and the
/// bytes after them by the first in other forms.
pub fn planted(data: &[u8], secrets: [&str; 2]) -> Vec<u8> {
    let mut input = Vec::with_capacity(data.len());
    for byte in data {
        match byte.checked_sub(FIRST) {
            Some(1) => input.extend(secrets[1].bytes()),
            Some(form) => input.extend(written(secrets[0], form).bytes()),
            None => input.push(*byte),
        }
    }
    input
}

fn written(secret: &str, form: u8) -> String {
    let each = |write: &dyn Fn(u8) -> String| secret.bytes().map(write).collect::<String>();
    match form {
        0 => secret.to_owned(),
        2 => secret.to_uppercase(),
        3 => each(&|byte| format!("%{byte:02x}")),
        4 => each(&|byte| format!("&#{byte};")),
        5 => each(&|byte| format!("\\u{byte:04x}")),
        6 => BASE64_STANDARD.encode(secret),
        7 => BASE64_URL_SAFE_NO_PAD.encode(format!("x{secret}")),
        8 => each(&|byte| format!("{byte:02X}")),
        9 => secret.as_bytes().chunks(5).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-"),
        _ => secret[secret.len() / 2..].to_owned(),
    }
}

/// A piece of one of the secrets that can be read in a text: as it is, or as base64 or hex digits.
pub fn readable(text: &str, secrets: &[&str]) -> Option<String> {
    // A mask ends a piece, too.
    let text = text.replace("***", "\u{df}");
    let plain = squeezed(&text);
    let exact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    secrets.iter().find_map(|secret| {
        let secret = squeezed(secret);
        let piece = (0..=secret.len() - PIECE).map(|at| &secret[at..at + PIECE]).find(|piece| plain.contains(piece));
        piece.map(str::to_owned).or_else(|| encodings(&secret).into_iter().find(|encoded| exact.contains(encoded)))
    })
}

/// The middle of a secret in base64, from each place it can begin at, and in hex.
fn encodings(secret: &str) -> Vec<String> {
    let mut encodings: Vec<_> = (0..3)
        .map(|before| {
            let encoded = BASE64_STANDARD.encode(format!("{}{secret}", &"   "[..before]));
            encoded[4..encoded.len() - 4].to_owned()
        })
        .collect();
    encodings.push(secret.bytes().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    }));
    encodings
}

/// Letters and digits alone. One that is not ASCII ends a piece.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}
