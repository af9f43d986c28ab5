//! Undoes escapes of single characters: percent-encoding (RFC 3986 §2.1), references of HTML, and the
//! backslash sequences of JSON, JavaScript, C and shells.

use std::ops::Range;

use crate::oauth::redact::view::{Glyph, View, from_bytes};

/// How many layers of escapes are undone, one within the other.
pub(super) const LAYERS: usize = 4;

/// The longest named reference of HTML, in characters.
const LONGEST_REFERENCE: usize = 40;

/// The view with one layer of escapes undone; `None` if there is none in it.
pub(super) fn undone(view: &[Glyph]) -> Option<View> {
    let mut result = View::with_capacity(view.len());
    let (mut next, mut is_changed) = (0, false);
    while next < view.len() {
        let rest = &view[next..];
        let decoded = match rest[0].c {
            '%' => percent(rest),
            '&' => reference(rest),
            '\\' => backslash(rest),
            'U' | 'u' => notation(rest),
            _ => None,
        };
        if let Some((used, decoded)) = decoded {
            result.extend(decoded);
            next += used;
            is_changed = true;
        } else {
            result.push(rest[0].clone());
            next += 1;
        }
    }
    is_changed.then_some(result)
}

/// How many characters an escape takes, and what it means.
type Decoded = Option<(usize, View)>;

/// `%41%42`, as one run so that several bytes can make one character; `%u0041` as old JavaScript writes it.
fn percent(rest: &[Glyph]) -> Decoded {
    if rest.get(1).is_some_and(|glyph| glyph.c == 'u') {
        return number(rest, 2, 4, 16);
    }
    let mut bytes = Vec::new();
    while let Some(('%', Some(value))) =
        rest.get(3 * bytes.len()).map(|glyph| (glyph.c, digits(rest, 3 * bytes.len() + 1, 2, 16)))
    {
        let start = 3 * bytes.len();
        bytes.push((u8::try_from(value).ok()?, span(rest, start, start + 3)));
    }
    (!bytes.is_empty()).then(|| (3 * bytes.len(), from_bytes(&bytes)))
}

/// `&amp;`, `&#38;`, `&#x26;`, the last two also without the semicolon.
fn reference(rest: &[Glyph]) -> Decoded {
    if rest.get(1).is_some_and(|glyph| glyph.c == '#') {
        let (start, radix) = match rest.get(2).map(|glyph| glyph.c) {
            Some('x' | 'X') => (3, 16),
            _ => (2, 10),
        };
        let length = rest[start.min(rest.len())..].iter().take(8).take_while(|glyph| glyph.c.is_digit(radix)).count();
        let (used, view) = number(rest, start, length, radix)?;
        let is_closed = rest.get(used).is_some_and(|glyph| glyph.c == ';');
        return Some(including(rest, used + usize::from(is_closed), view));
    }
    let length = 1 + rest.iter().take(LONGEST_REFERENCE).position(|glyph| glyph.c == ';')?;
    let name: String = rest[..length].iter().map(|glyph| glyph.c).collect();
    let meant = html_escape::decode_html_entities(&name);
    (meant != name).then(|| (length, all_at(&meant, &span(rest, 0, length))))
}

/// `\/`, `\n`, `\x41`, `\u0041`, `\u{41}`, `\101`. A backslash before anything else is dropped.
fn backslash(rest: &[Glyph]) -> Decoded {
    let c = rest.get(1)?.c;
    let known = match c {
        'x' => number(rest, 2, 2, 16),
        'U' => number(rest, 2, 8, 16),
        'u' if rest.get(2).is_some_and(|glyph| glyph.c == '{') => {
            let length = rest[3..].iter().take(7).position(|glyph| glyph.c == '}')?;
            number(rest, 3, length, 16).map(|(used, view)| including(rest, used + 1, view))
        }
        'u' => number(rest, 2, 4, 16),
        '0'..='3' => number(rest, 1, 3, 8),
        _ => None,
    };
    let plain = match c {
        'n' | 'r' | 't' | 'b' | 'f' | 'v' | 'a' => ' ',
        c => c,
    };
    known.or_else(|| Some((2, vec![Glyph { c: plain, at: span(rest, 0, 2) }])))
}

/// `U+0041`.
fn notation(rest: &[Glyph]) -> Decoded {
    let length = rest.get(2..)?.iter().take(6).take_while(|glyph| glyph.c.is_ascii_hexdigit()).count();
    if rest[1].c == '+' && length >= 4 { number(rest, 2, length, 16) } else { None }
}

/// The character whose number is given in so many digits from `start` on.
fn number(rest: &[Glyph], start: usize, length: usize, radix: u32) -> Decoded {
    let c = char::from_u32(digits(rest, start, length, radix)?).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((start + length, vec![Glyph { c, at: span(rest, 0, start + length) }]))
}

/// The same with what closes the escape.
fn including(rest: &[Glyph], used: usize, mut view: View) -> (usize, View) {
    for glyph in &mut view {
        glyph.at = span(rest, 0, used);
    }
    (used, view)
}

fn digits(rest: &[Glyph], start: usize, length: usize, radix: u32) -> Option<u32> {
    let digits = rest.get(start..start + length).filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0_u32, |value, glyph| value.checked_mul(radix)?.checked_add(glyph.c.to_digit(radix)?))
}

fn span(rest: &[Glyph], from: usize, to: usize) -> Range<usize> {
    rest[from].at.start..rest[to - 1].at.end
}

fn all_at(text: &str, at: &Range<usize>) -> View {
    text.chars().map(|c| Glyph { c, at: at.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::undone;
    use crate::oauth::redact::view::plain;

    fn decoded(text: &str) -> Option<String> {
        undone(&plain(text)).map(|view| view.iter().map(|glyph| glyph.c).collect())
    }

    #[test]
    fn each_escape_gives_its_character() {
        for (text, meant) in [
            ("a%2Fb%c3%a9", "a/b\u{e9}"),
            ("%u0041%ff", "A\u{ff}"),
            ("&amp;&lt;&#47;&#x2F;&#47x&lowbar;", "&<///x_"),
            (r"\/\x41\u0041\u{1F980}\101\-\n.", "/AA\u{1f980}A- ."),
            ("U+0041.u+00e9", "A.\u{e9}"),
            (r"\ud83e", "\u{fffd}"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(meant), "{text}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["100 %", "%", "%4", "a & b; c", "&", "&#;", "&nothing;", "U+1", "user", ""] {
            assert_eq!(decoded(text), None, "{text}");
        }
        assert_eq!(decoded("ends in \\"), None);
    }

    #[test]
    fn every_character_knows_what_stood_for_it() {
        let text = "x&#65;\u{e9}%42";
        let view = undone(&plain(text)).unwrap();
        let spans: Vec<_> = view.iter().map(|glyph| &text[glyph.at.clone()]).collect();
        assert_eq!(spans, ["x", "&#65;", "\u{e9}", "%42"]);
    }
}
