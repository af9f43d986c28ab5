//! The names of themes. Their colours are defined where they are drawn.

use std::str::FromStr;

use crate::domain::text::near_miss;

/// A theme that can be chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThemeName {
    /// Dark or light, as the terminal reports; its own 16 colours if it does not.
    #[default]
    Auto,
    /// For dark backgrounds.
    Dark,
    /// For light backgrounds.
    Light,
    /// Contrasts of 7:1 and more, on a background of its own.
    HighContrast,
    /// Colours that colour-blind people can distinguish.
    ColourBlind,
    /// The terminal's own 16 colours.
    Sixteen,
    /// No colour at all.
    None,
}

impl ThemeName {
    /// Every theme, in the order in which the key cycles through them.
    pub const ALL: [Self; 7] =
        [Self::Auto, Self::Dark, Self::Light, Self::HighContrast, Self::ColourBlind, Self::Sixteen, Self::None];

    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::ColourBlind => "colour-blind",
            Self::Sixteen => "16",
            Self::None => "none",
        }
    }

    /// The theme after this one; the first follows the last.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|theme| *theme == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

impl FromStr for ThemeName {
    type Err = String;

    /// # Errors
    /// What the names are. The word itself is not repeated.
    fn from_str(word: &str) -> Result<Self, String> {
        let plain = word.to_ascii_lowercase().replace('_', "-").replace("color", "colour");
        Self::ALL.into_iter().find(|theme| theme.word() == plain).ok_or_else(|| {
            // Near misses are compared with underscores.
            let words = ["auto", "dark", "light", "high_contrast", "colour_blind", "none"];
            match near_miss(&plain, &words) {
                Some(meant) => format!("is no theme; did you mean {}?", meant.replace('_', "-")),
                None => format!("is no theme; known are {}", Self::ALL.map(Self::word).join(", ")),
            }
        })
    }
}

/// How bright the terminal's background is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Darker than its text.
    Dark,
    /// Lighter than its text.
    Light,
}

/// How many colours may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// None: `NO_COLOR` is set.
    None,
    /// The 16 that every terminal has, in its own shades.
    Sixteen,
    /// The 256 of xterm, whose shades are fixed.
    Many,
}

#[cfg(test)]
mod tests {
    use super::ThemeName;

    #[test]
    fn every_name_is_read_back_and_spellings_are_forgiven() {
        for theme in ThemeName::ALL {
            assert_eq!(theme.word().parse(), Ok(theme));
        }
        for (word, theme) in [
            ("color-blind", ThemeName::ColourBlind),
            ("Colour_Blind", ThemeName::ColourBlind),
            ("HIGH-CONTRAST", ThemeName::HighContrast),
        ] {
            assert_eq!(word.parse(), Ok(theme), "{word}");
        }
        assert_eq!("drak".parse::<ThemeName>(), Err("is no theme; did you mean dark?".into()));
        let error = "solarized".parse::<ThemeName>().unwrap_err();
        assert_eq!(error, "is no theme; known are auto, dark, light, high-contrast, colour-blind, 16, none");
    }

    #[test]
    fn going_through_the_themes_comes_round() {
        let all = ThemeName::ALL.len();
        let round = std::iter::successors(Some(ThemeName::Auto), |theme| Some(theme.next()));
        assert_eq!(round.take(all + 1).last(), Some(ThemeName::Auto));
    }
}
