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
    let mut safe = String::with_capacity(text.len().min(max_chars * 4));
    for (at, character) in text.chars().enumerate() {
        if at == max_chars {
            safe.push('…');
            break;
        }
        match character {
            '\t' | '\n' | '\r' => safe.push(' '),
            c if c.is_control() || is_deceptive(c) => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Characters that draw nothing or reorder what is drawn around them.
fn is_deceptive(character: char) -> bool {
    matches!(character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
    ) || (character.width() == Some(0) && !is_combining(character))
}

/// Accents that join the letter before them are ordinary text.
fn is_combining(character: char) -> bool {
    matches!(character, '\u{0300}'..='\u{036f}' | '\u{1ab0}'..='\u{1aff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}')
        || ('\u{0483}'..'\u{2000}').contains(&character)
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
        for text in ["Grüße", "日本語", "e\u{301}", "עברית", "हिन्दी"] {
            assert_eq!(neutralise(text, 99), text);
        }
    }

    #[test]
    fn long_text_is_cut_and_the_cut_is_shown() {
        assert_eq!(neutralise("abcdef", 3), "abc…");
        assert_eq!(neutralise("abc", 3), "abc");
    }
}
