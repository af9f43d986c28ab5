//! Words from servers and users, made safe to draw and to log.

use unicode_width::UnicodeWidthChar;

/// Replaces every control character and every invisible formatting character (terminal escape
/// sequences, bidirectional overrides, zero-width joiners used to hide text) and cuts the text
/// after `max_chars` characters, marking the cut with `…`.
///
/// Whatever a server sends goes through here before it is kept, drawn or logged, so that no
/// answer can move the cursor, retitle the window or write to the clipboard.
#[must_use]
pub fn neutralise(text: &str, max_chars: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(max_chars.saturating_mul(4)));
    for (at, character) in text.chars().enumerate() {
        if at == max_chars {
            safe.push('…');
            break;
        }
        match character {
            '\t' | '\n' | '\r' => safe.push(' '),
            // Terminals disagree on the width of joined emoji. Side by side they mean the same, and nothing is hidden
            // between them.
            ZERO_WIDTH_JOINER if safe.chars().next_back().is_some_and(is_emoji) => {}
            c if c.is_control() || is_deceptive(c) => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Whether `text` contains `needle`, ignoring the case of ASCII letters.
#[must_use]
pub fn contains(text: &str, needle: &str) -> bool {
    text.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}

const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Whether emoji can be joined to this one: a wide character, or what makes one of a narrow one.
fn is_emoji(character: char) -> bool {
    character == '\u{fe0f}' || ('\u{1f000}'..='\u{1faff}').contains(&character)
}

/// Characters that draw nothing or reorder what is drawn around them.
fn is_deceptive(character: char) -> bool {
    matches!(character,
        '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e007f}'
    ) || (character.width() == Some(0) && !is_combining(character))
}

/// Accents and vowel signs that join the letter before them are ordinary text.
fn is_combining(character: char) -> bool {
    matches!(character,
        '\u{0300}'..='\u{036f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}' | '\u{2de0}'..='\u{2dff}'
        | '\u{302a}'..='\u{302f}' | '\u{3099}'..='\u{309a}' | '\u{a66f}'..='\u{abff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{fe20}'..='\u{fe2f}'
    ) || ('\u{0483}'..'\u{2000}').contains(&character)
}

/// The known word that was probably meant by `key`, in lower case.
#[must_use]
pub fn near_miss<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = key.to_ascii_lowercase().replace('-', "_");
    let (distance, best) = known
        .iter()
        .map(|known| (strsim::osa_distance(&plain, known), *known))
        .min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may differ, so that short keys are not matched by anything.
    (distance <= (best.len() / 3).min(3)).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::neutralise;

    #[test]
    fn escape_sequences_lose_their_escape() {
        assert_eq!(neutralise("a\x1b]52;c;AAAA\x07b\u{9b}2J", 99), "a\u{fffd}]52;c;AAAA\u{fffd}b\u{fffd}2J");
    }

    #[test]
    fn line_breaks_become_spaces_and_overrides_become_visible() {
        assert_eq!(neutralise("one\r\ntwo\tthree", 99), "one  two three");
        assert_eq!(neutralise("abc\u{202e}def\u{200b}", 99), "abc\u{fffd}def\u{fffd}");
    }

    #[test]
    fn ordinary_text_of_any_script_passes() {
        for text in ["Grüße", "日本語", "e\u{301}", "か\u{3099}", "עברית", "हिन्दी", "👍🏽", "⚠\u{fe0f}"]
        {
            assert_eq!(neutralise(text, 99), text);
        }
    }

    #[test]
    fn what_is_invisible_or_changes_the_direction_is_shown_as_such() {
        let hidden = "\u{34f}\u{61c}\u{1160}\u{180e}\u{200b}\u{200e}\u{200f}\u{202a}\u{2066}\u{2069}\u{3164}\u{e0041}";
        assert_eq!(neutralise(hidden, 99), "\u{fffd}".repeat(hidden.chars().count()));
        assert_eq!(neutralise("a\u{200d}b", 99), "a\u{fffd}b");
    }

    #[test]
    fn joined_emoji_stand_side_by_side() {
        assert_eq!(neutralise("👨\u{200d}👩\u{200d}👧 🏳\u{fe0f}\u{200d}🌈", 99), "👨👩👧 🏳\u{fe0f}🌈");
    }

    #[test]
    fn long_text_is_cut_and_the_cut_is_shown() {
        assert_eq!(neutralise("abcdef", 3), "abc…");
        assert_eq!(neutralise("abc", 3), "abc");
    }
}
