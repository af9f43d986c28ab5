//! Single members picked out of JSON that is broken, cut off or surrounded by other text.

use serde_json::Value;

/// The value of the last `"key":` that is a complete scalar and that `take` accepts.
pub(super) fn member<T>(text: &str, spellings: &[&str], take: impl Fn(&Value) -> Option<T>) -> Option<T> {
    spellings.iter().find_map(|key| {
        let quoted = format!("\"{key}\"");
        text.rmatch_indices(&quoted).find_map(|(at, _)| {
            let value = text[at + quoted.len()..].trim_start().strip_prefix(':')?.trim_start();
            let scalar = if value.starts_with('"') { string_literal(value)? } else { number_literal(value)? };
            take(&serde_json::from_str(scalar).ok()?)
        })
    })
}

/// The string literal at the start of a text, including quotes; `None` if it is cut off.
fn string_literal(text: &str) -> Option<&str> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(&text[..=at]),
            _ => {}
        }
    }
    None
}

/// The number at the start of a text; `None` if it may be cut off.
fn number_literal(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    (end > 0).then(|| &text[..end])
}
