//! A key with its modifiers: matched, named, and read from its name.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_width::UnicodeWidthChar;

use crate::domain::text::near_miss;

/// A key with its modifiers, as the table writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
}

/// The names of keys that are no character, in lower case; the first of a key is its label's.
const NAMES: [(&str, KeyCode); 26] = [
    ("esc", KeyCode::Esc),
    ("escape", KeyCode::Esc),
    ("enter", KeyCode::Enter),
    ("return", KeyCode::Enter),
    ("space", KeyCode::Char(' ')),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("del", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("ins", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("↑", KeyCode::Up),
    ("down", KeyCode::Down),
    ("↓", KeyCode::Down),
    ("left", KeyCode::Left),
    ("←", KeyCode::Left),
    ("right", KeyCode::Right),
    ("→", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pageup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("pagedown", KeyCode::PageDown),
];

impl Key {
    pub(crate) const fn plain(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    pub(crate) const fn char(character: char) -> Self {
        Self::plain(KeyCode::Char(character))
    }

    pub(crate) const fn ctrl(character: char) -> Self {
        Self { code: KeyCode::Char(character), ctrl: true, alt: false }
    }

    /// Shift is already in the character (`R`) or in the code (`BackTab`), so it is not compared;
    /// a key with Super belongs to another program.
    pub(crate) fn matches(self, event: &KeyEvent) -> bool {
        let other = KeyModifiers::SUPER | KeyModifiers::META | KeyModifiers::HYPER;
        self.code == event.code
            && self.ctrl == event.modifiers.contains(KeyModifiers::CONTROL)
            && self.alt == event.modifiers.contains(KeyModifiers::ALT)
            && !event.modifiers.intersects(other)
    }

    /// Whether pressing it types a character.
    pub(crate) fn types(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && !self.ctrl && !self.alt
    }

    /// Its name on a key cap: `R`, `Ctrl-C`, `Alt-r`, `PgUp`, `↓`.
    #[must_use]
    pub fn label(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".into(),
            KeyCode::Char(character) if self.ctrl => character.to_ascii_uppercase().to_string(),
            KeyCode::Char(character) => character.to_string(),
            KeyCode::F(number) => format!("F{number}"),
            KeyCode::Up => "↑".into(),
            KeyCode::Down => "↓".into(),
            KeyCode::Left => "←".into(),
            KeyCode::Right => "→".into(),
            KeyCode::PageUp => "PgUp".into(),
            KeyCode::PageDown => "PgDn".into(),
            KeyCode::BackTab => "Shift-Tab".into(),
            code => format!("{code:?}"),
        };
        let (ctrl, alt) = (if self.ctrl { "Ctrl-" } else { "" }, if self.alt { "Alt-" } else { "" });
        format!("{ctrl}{alt}{name}")
    }

    /// The key of a name: what [`Key::label`] gives, in upper or lower case where that is not the
    /// character itself, and other names in use (`Escape`, `PageUp`, `Shift-r`, `Ctrl+R`).
    ///
    /// # Errors
    /// Why there is no such key, or why a terminal could never report it. Nothing of a name that
    /// is like no key is repeated.
    pub fn parse(name: &str) -> Result<Self, String> {
        let mut rest = name;
        let (mut ctrl, mut alt, mut shift) = (false, false, false);
        while let Some((modifier, after)) = rest.split_once(['-', '+']).filter(|(_, after)| !after.is_empty()) {
            match modifier.to_ascii_lowercase().as_str() {
                "ctrl" | "control" => ctrl = true,
                "alt" => alt = true,
                "shift" => shift = true,
                _ => break,
            }
            rest = after;
        }
        let code = code(rest)?;
        let code = if shift { shifted(code)? } else { code };
        match (code, ctrl, alt) {
            (KeyCode::Char(character), true, false) => ctrl_char(character),
            (KeyCode::Char(_), true, true) => {
                Err("Ctrl and Alt together type characters on many keyboards (AltGr); use one of them".into())
            }
            (KeyCode::Char('[' | ']' | 'O' | 'P'), false, true) => {
                Err("begins the terminal's own sequences; use another".into())
            }
            (KeyCode::Tab | KeyCode::BackTab | KeyCode::Enter | KeyCode::Backspace | KeyCode::Esc, true, _)
            | (KeyCode::Esc, _, true) => Err("terminals do not distinguish it from the key alone; use another".into()),
            (code, ctrl, alt) => Ok(Self { code, ctrl, alt }),
        }
    }
}

/// The code of a name without modifiers.
fn code(name: &str) -> Result<KeyCode, String> {
    let plain = name.to_lowercase();
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == plain) {
        return Ok(*code);
    }
    let mut characters = name.chars();
    if let (Some(only), None) = (characters.next(), characters.next())
        && only.width().is_some_and(|width| width > 0)
    {
        return Ok(KeyCode::Char(only));
    }
    let number = plain.strip_prefix('f').and_then(|number| number.parse().ok());
    if let Some(number @ 1..=12) = number {
        return Ok(KeyCode::F(number));
    }
    let known: Vec<&str> = NAMES.iter().map(|(known, _)| *known).filter(|known| known.is_ascii()).collect();
    Err(match near_miss(name, &known) {
        Some(meant) => format!("is no key; did you mean {meant}?"),
        None => "is no key; write a character, or a name such as Enter, Space, PgUp, F5, Ctrl-R, Alt-r".into(),
    })
}

/// What Shift makes of a key.
fn shifted(code: KeyCode) -> Result<KeyCode, String> {
    match code {
        KeyCode::Tab | KeyCode::BackTab => Ok(KeyCode::BackTab),
        KeyCode::Char(letter) if letter.is_ascii_alphabetic() => Ok(KeyCode::Char(letter.to_ascii_uppercase())),
        KeyCode::Char(_) => Err("write the character that Shift makes of it".into()),
        _ => Err("terminals do not report Shift with it; use another".into()),
    }
}

/// A character with Ctrl, which terminals send as a control code: there are few.
fn ctrl_char(character: char) -> Result<Key, String> {
    match character.to_ascii_lowercase() {
        'i' => Err("is Tab to a terminal; write Tab".into()),
        'm' => Err("is Enter to a terminal; write Enter".into()),
        letter @ ('a'..='z' | ' ') => Ok(Key::ctrl(letter)),
        _ => Err("terminals send Ctrl with letters and Space only".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_as_the_key_it_names() {
        let codes = NAMES.iter().map(|(_, code)| *code).chain((1..=12).map(KeyCode::F));
        let plain = codes.chain("rR-+?é日".chars().map(KeyCode::Char)).map(Key::plain);
        let alt = plain.clone().filter(|key| key.code != KeyCode::Esc).map(|key| Key { alt: true, ..key });
        for key in plain.chain(alt).chain([Key::ctrl('r'), Key::ctrl(' ')]) {
            assert_eq!(Key::parse(&key.label()), Ok(key), "{}", key.label());
        }
    }

    #[test]
    fn names_are_read_in_any_case_and_by_their_aliases() {
        for (name, key) in [
            ("ESCAPE", Key::plain(KeyCode::Esc)),
            ("pageup", Key::plain(KeyCode::PageUp)),
            ("BackTab", Key::plain(KeyCode::BackTab)),
            ("shift-tab", Key::plain(KeyCode::BackTab)),
            ("shift-r", Key::char('R')),
            ("ctrl+R", Key::ctrl('r')),
            ("CONTROL-x", Key::ctrl('x')),
            (" ", Key::char(' ')),
            ("Alt-Shift-r", Key { alt: true, ..Key::char('R') }),
            ("alt--", Key { alt: true, ..Key::char('-') }),
            ("ctrl-f5", Key { ctrl: true, ..Key::plain(KeyCode::F(5)) }),
        ] {
            assert_eq!(Key::parse(name), Ok(key), "{name}");
        }
    }

    #[test]
    fn what_no_terminal_can_report_is_refused_with_the_reason() {
        for (name, why) in [
            ("", "is no key; write"),
            ("Entr", "did you mean enter?"),
            ("F13", "is no key; write"),
            ("Hyper-x", "is no key; write"),
            ("\u{301}", "is no key; write"),
            ("Ctrl-I", "write Tab"),
            ("Ctrl-M", "write Enter"),
            ("Ctrl-1", "letters and Space only"),
            ("Ctrl-Enter", "from the key alone"),
            ("Alt-Esc", "from the key alone"),
            ("Ctrl-Alt-x", "AltGr"),
            ("Alt-[", "own sequences"),
            ("Shift-1", "the character that Shift makes"),
            ("Shift-F5", "do not report Shift"),
        ] {
            let error = Key::parse(name).expect_err(name);
            assert!(error.contains(why), "{name}: {error}");
        }
    }
}
