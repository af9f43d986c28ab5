//! How hard a passphrase is to guess: judged before one is chosen, never after.
//!
//! A rule, not a dictionary: what is repeated, runs on (`abcd`, `4321`, `qwerty`) or is among the first words that
//! anyone tries counts as one character, and enough characters must be left.

use secrecy::zeroize::Zeroizing;

use crate::domain::Secret;

/// The fewest characters.
const SHORTEST: usize = 12;
/// The fewest that are left when what is easily guessed counts as one.
const FEWEST: usize = 8;
/// The fewest different characters.
const FEWEST_DIFFERENT: usize = 5;

/// What is tried first, and rows of keyboards.
const COMMON: [&str; 16] = [
    "password",
    "passwort",
    "passphrase",
    "manutop",
    "manu",
    "secret",
    "welcome",
    "letmein",
    "iloveyou",
    "admin",
    "login",
    "qwertyuiop",
    "qwertzuiop",
    "qwert",
    "asdfghjkl",
    "yxcvbnm",
];

/// Why a passphrase is too easily guessed, in words that hold none of it; `None` where it is not.
#[must_use]
pub fn weakness(passphrase: &Secret) -> Option<String> {
    let text = Secret::new(passphrase.expose().trim().to_lowercase());
    let length = text.expose().chars().count();
    if length < SHORTEST {
        return Some(format!("it has {length} characters and needs {SHORTEST}"));
    }
    let mut different: Zeroizing<Vec<char>> = Zeroizing::new(text.expose().chars().collect());
    different.sort_unstable();
    different.dedup();
    let is_weak = different.len() < FEWEST_DIFFERENT || unguessed(&text) < FEWEST;
    is_weak.then(|| "it repeats itself, or is mostly what is tried first".to_owned())
}

/// How many characters are left when common words, runs and repetitions count as one each.
fn unguessed(text: &Secret) -> usize {
    let mut rest = text.expose();
    let mut characters = Zeroizing::new(Vec::with_capacity(rest.len()));
    let mut found = 0;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = COMMON.iter().find_map(|word| rest.strip_prefix(word)) {
            found += 1;
            rest = after;
            continue;
        }
        characters.push(next);
        rest = &rest[next.len_utf8()..];
    }
    let period = period(&characters);
    let runs_on = |pair: &&[char]| u32::from(pair[0]).abs_diff(u32::from(pair[1])) > 1;
    found + usize::from(period > 0) + characters[..period].windows(2).filter(runs_on).count()
}

/// The length of the shortest beginning that, repeated, makes the whole.
fn period(characters: &[char]) -> usize {
    let repeats = |length: &usize| characters.iter().zip(&characters[*length..]).all(|(one, other)| one == other);
    (1..characters.len()).find(repeats).unwrap_or(characters.len())
}

#[cfg(test)]
mod tests {
    use super::weakness;
    use crate::domain::Secret;

    #[test]
    fn what_is_short_repeated_or_tried_first_is_too_weak_and_not_repeated() {
        for text in [
            "",
            "hunter2",
            "Tr0ub4dor&3",
            "aaaaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "abcdefghijklmnop",
            "0987654321234567",
            "passwordpassword",
            "Password123456",
            "qwertzuiopasdfghjkl",
            "manutop manutop",
        ] {
            let why = weakness(&Secret::new(text)).unwrap_or_else(|| panic!("{text} is accepted"));
            assert!(text.is_empty() || !why.contains(text), "{why}");
        }
    }

    #[test]
    fn several_words_or_many_odd_characters_are_strong_enough() {
        for text in [
            "correct horse battery staple",
            "correct horse",
            "x7!pQ2#vLm9z",
            "Süßölgefäß im Glashaus",
            "日本語の長い合言葉を選びました",
        ] {
            assert_eq!(weakness(&Secret::new(text)), None, "{text}");
        }
    }
}
