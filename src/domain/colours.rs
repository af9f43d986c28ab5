//! Colours that a person puts on top of a theme.

use std::str::FromStr;

use crate::domain::text::near_miss;

/// A colour, as the configuration names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenColour {
    /// One of the terminal's 256: up to 15 in its own shades, the others as xterm has them.
    Numbered(u8),
    /// Red, green and blue.
    Rgb(u8, u8, u8),
}

/// The names of the first 8 colours; with `bright-` before them, of the next 8.
const NAMES: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

impl FromStr for ChosenColour {
    type Err = String;

    /// # Errors
    /// What a colour may be. The word itself is not repeated.
    fn from_str(word: &str) -> Result<Self, String> {
        let plain = word.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        hex(&plain).or_else(|| named(&plain)).or_else(|| plain.parse().ok().map(Self::Numbered)).ok_or_else(|| {
            let meant = near_miss(plain.trim_start_matches("bright-"), &NAMES).filter(|_| !plain.starts_with('#'));
            match meant {
                Some(meant) => format!("unknown colour; did you mean {meant}?"),
                None => {
                    "must be \"#rrggbb\", a name such as \"blue\" or \"bright-blue\", or a number from 0 to 255".into()
                }
            }
        })
    }
}

fn hex(word: &str) -> Option<ChosenColour> {
    let digits = word.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    // A sign would be taken for part of a number.
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some(ChosenColour::Rgb(red, green, blue))
}

fn named(word: &str) -> Option<ChosenColour> {
    let (first, name) = match word.strip_prefix("bright-") {
        Some(name) => (8, name),
        None if matches!(word, "grey" | "gray") => (8, "black"),
        None => (0, word),
    };
    (first..).zip(NAMES).find(|(_, known)| *known == name).map(|(number, _)| ChosenColour::Numbered(number))
}

/// What a colour can be chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourRole {
    /// Keys, the program's name, the border of the pane with the keyboard.
    Accent,
    /// Text without a colour of its own.
    Text,
    /// What matters less.
    Dim,
    /// The border of other panes.
    Border,
    /// What is well.
    Live,
    /// What is under way.
    Busy,
    /// What may recover by itself.
    Warning,
    /// What needs a person.
    Error,
    /// The background of everything.
    Background,
    /// The background of the selected row.
    Selection,
}

impl ColourRole {
    /// Every role, in the order of [`Colours`].
    pub const ALL: [Self; 10] = [
        Self::Accent,
        Self::Text,
        Self::Dim,
        Self::Border,
        Self::Live,
        Self::Busy,
        Self::Warning,
        Self::Error,
        Self::Background,
        Self::Selection,
    ];

    /// Its stable name in the configuration.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Accent => "accent",
            Self::Text => "text",
            Self::Dim => "dim",
            Self::Border => "border",
            Self::Live => "live",
            Self::Busy => "busy",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Background => "background",
            Self::Selection => "selection",
        }
    }
}

/// The colours that were chosen; the theme has the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Colours([Option<ChosenColour>; ColourRole::ALL.len()]);

impl Colours {
    /// None chosen.
    pub const NONE: Self = Self([None; ColourRole::ALL.len()]);

    /// The colour chosen for a role.
    #[must_use]
    pub fn get(&self, role: ColourRole) -> Option<ChosenColour> {
        self.0[role as usize]
    }

    /// Chooses a colour.
    pub fn set(&mut self, role: ColourRole, colour: ChosenColour) {
        self.0[role as usize] = Some(colour);
    }
}

#[cfg(test)]
mod tests {
    use super::{ChosenColour, ColourRole, Colours};

    #[test]
    fn colours_are_read_as_hex_names_and_numbers() {
        for (word, colour) in [
            ("#ff8700", ChosenColour::Rgb(255, 135, 0)),
            ("#FF8700", ChosenColour::Rgb(255, 135, 0)),
            ("red", ChosenColour::Numbered(1)),
            ("Bright-Blue", ChosenColour::Numbered(12)),
            ("bright_white", ChosenColour::Numbered(15)),
            ("gray", ChosenColour::Numbered(8)),
            ("208", ChosenColour::Numbered(208)),
        ] {
            assert_eq!(word.parse(), Ok(colour), "{word}");
        }
        for word in ["", "#ff87", "#gg8700", "#+f8700", "256", "-1", "s3cr3t", "bright-"] {
            let why = word.parse::<ChosenColour>().unwrap_err();
            assert!(why.starts_with("must be \"#rrggbb\""), "{word}: {why}");
        }
        assert_eq!("gren".parse::<ChosenColour>(), Err("unknown colour; did you mean green?".into()));
    }

    #[test]
    fn each_role_has_a_place_of_its_own() {
        for (at, role) in ColourRole::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, at);
            let mut colours = Colours::NONE;
            colours.set(role, ChosenColour::Numbered(1));
            let chosen = ColourRole::ALL.into_iter().filter(|other| colours.get(*other).is_some());
            assert_eq!(chosen.collect::<Vec<_>>(), [role]);
        }
    }
}
