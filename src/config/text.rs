//! Small helpers on the file's text: positions, and what may be repeated of it.

pub(super) use crate::domain::text::near_miss;
use crate::domain::text::neutralise;

/// Line and column of a byte offset, both counted from 1, the column in characters.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The line an offset stands on, without its end.
pub(super) fn line_at(text: &str, offset: usize) -> &str {
    let offset = if text.is_char_boundary(offset) { offset } else { text.len() };
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
    text[start..end].trim_end_matches('\r')
}

/// `new` with the line ends of `old`: the lines before and after the change end as they did, those
/// changed as most of the file's do. (The TOML printer ends every line with `\n`.)
pub(super) fn with_line_ends_of(old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let is_same = |(old, new): &(&&str, &&str)| bare(old) == bare(new);
    let before = old.iter().zip(&new).take_while(is_same).count();
    let after = old[before..].iter().rev().zip(new[before..].iter().rev()).take_while(is_same).count();
    let is_crlf = |line: &&str| line.ends_with("\r\n");
    let mostly_crlf = old.iter().filter(|line| is_crlf(line)).count() * 2 > old.len();
    let mut text = String::new();
    for (at, line) in new.iter().enumerate() {
        let to_end = new.len() - at;
        let kept = if at < before { old.get(at) } else { (to_end <= after).then(|| &old[old.len() - to_end]) };
        let crlf = kept.filter(|line| line.ends_with('\n')).map_or(mostly_crlf, &is_crlf);
        text.push_str(bare(line));
        text.push_str(match line.ends_with('\n') {
            true if crlf => "\r\n",
            true => "\n",
            false => "",
        });
    }
    text
}

/// A line without its end.
fn bare(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// A word of the file that is no secret (a name, a key), bounded and made safe to print.
pub(super) fn quoted(word: &str) -> String {
    format!("\"{}\"", neutralise(word, 64))
}

/// Whether a key's name says that its value is a secret.
pub(super) fn names_a_secret(key: &str) -> bool {
    let plain: String = key.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    ["secret", "password", "passphrase", "passwd", "token", "apikey", "privatekey", "credential"]
        .iter()
        .any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use super::{line_at, names_a_secret, near_miss, position};

    #[test]
    fn positions_count_from_one_in_characters() {
        let text = "a = 1\nß = \"é\" # x\n";
        assert_eq!(position(text, 0), (1, 1));
        assert_eq!(position(text, 6), (2, 1));
        assert_eq!(position(text, text.find('#').unwrap()), (2, 9));
        assert_eq!(position(text, text.len()), (3, 1));
    }

    #[test]
    fn a_line_is_found_from_any_place_in_it() {
        let text = "one\r\ntwo\nthree";
        assert_eq!((line_at(text, 1), line_at(text, 5), line_at(text, 14)), ("one", "two", "three"));
    }

    #[test]
    fn near_misses_are_recognised_and_far_ones_are_not() {
        let known = ["name", "client_id", "token_url", "client_secret_command"];
        for (key, meant) in [("nmae", "name"), ("client-id", "client_id"), ("Token_URL", "token_url")] {
            assert_eq!(near_miss(key, &known), Some(meant), "{key}");
        }
        for key in ["colour", "client_secret", "access_token", "x"] {
            assert_eq!(near_miss(key, &known), None, "{key}");
        }
    }

    #[test]
    fn keys_that_name_secrets_are_recognised() {
        for key in ["client_secret", "ClientSecret", "password", "refresh-token", "api_key"] {
            assert!(names_a_secret(key), "{key}");
        }
        assert!(!names_a_secret("colour"));
    }
}
