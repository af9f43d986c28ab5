//! Server text as a sequence of characters that know their position in the original, so that what is
//! recognised after decoding can be masked before it.

use std::ops::Range;

use unicode_normalization::char::decompose_compatible;
use unicode_width::UnicodeWidthChar as _;

/// One character, and the bytes of the original text that encode it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) c: char,
    pub(super) at: Range<usize>,
}

/// A text, decoded to some degree.
pub(super) type View = Vec<Glyph>;

/// The text as it is.
pub(super) fn plain(text: &str) -> View {
    text.char_indices().map(|(at, c)| Glyph { c, at: at..at + c.len_utf8() }).collect()
}

/// The characters in bytes, each with its place in the original. What is not UTF-8 counts as Latin-1.
pub(super) fn from_bytes(bytes: &[(u8, Range<usize>)]) -> View {
    let raw: Vec<u8> = bytes.iter().map(|(byte, _)| *byte).collect();
    let mut view = View::with_capacity(raw.len());
    let mut next = 0;
    for chunk in raw.utf8_chunks() {
        for c in chunk.valid().chars() {
            let last = next + c.len_utf8() - 1;
            view.push(Glyph { c, at: bytes[next].1.start..bytes[last].1.end });
            next = last + 1;
        }
        for byte in chunk.invalid() {
            view.push(Glyph { c: char::from(*byte), at: bytes[next].1.clone() });
            next += 1;
        }
    }
    view
}

/// The same with ASCII where a character is only another form of it (fullwidth letters, mathematical ones: Unicode's
/// NFKD), as escapes are written in, and without what draws nothing.
pub(super) fn narrowed(view: &[Glyph]) -> View {
    let visible = view.iter().filter(|glyph| glyph.c.is_whitespace() || glyph.c.width().unwrap_or(0) > 0);
    visible.map(|glyph| Glyph { c: narrow(glyph.c), at: glyph.at.clone() }).collect()
}

fn narrow(c: char) -> char {
    let (mut parts, mut first) = (0, c);
    decompose_compatible(c, |part| {
        first = part;
        parts += 1;
    });
    if parts == 1 && first.is_ascii() { first } else { c }
}

/// The same without differences of case, width and form (Unicode's NFKD), and without what draws nothing.
/// Without `keeps_signs`, only the letters and digits of ASCII are left.
pub(super) fn folded(view: &[Glyph], keeps_signs: bool) -> View {
    let mut folded = View::with_capacity(view.len());
    for Glyph { c, at } in view {
        each_folded(*c, keeps_signs, |c| folded.push(Glyph { c, at: at.clone() }));
    }
    folded
}

/// The characters that are left of one by [`folded`].
pub(super) fn each_folded(c: char, keeps_signs: bool, mut emit: impl FnMut(char)) {
    let mut keep = |c: char| {
        if c.is_ascii_alphanumeric() || (keeps_signs && is_visible(c)) {
            emit(c);
        }
    };
    if c.is_ascii() {
        keep(c.to_ascii_lowercase());
    } else {
        decompose_compatible(c, |part| part.to_lowercase().for_each(&mut keep));
    }
}

/// As against white space, control characters and what joins the letter before it.
fn is_visible(c: char) -> bool {
    !c.is_whitespace() && c.width().unwrap_or(0) > 0
}
