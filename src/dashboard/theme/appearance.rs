//! How the dashboard looks: the theme asked for, and what the terminal can do for it.

use crate::domain::{Background, Colours, Depth, ThemeName};

/// How the dashboard looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appearance {
    /// What was asked for.
    pub theme: ThemeName,
    /// How many colours there are.
    pub depth: Depth,
    /// The terminal's background, once it has answered.
    pub background: Option<Background>,
    /// A person's own colours on top of the theme.
    pub colours: Colours,
    /// Whether every shade of red, green and blue is shown as it is.
    pub is_exact: bool,
}

impl Appearance {
    /// The terminal's own 16 colours.
    pub const SIXTEEN: Self = Self {
        theme: ThemeName::Sixteen,
        depth: Depth::Sixteen,
        background: None,
        colours: Colours::NONE,
        is_exact: false,
    };
    /// Without colours.
    pub const PLAIN: Self = Self { theme: ThemeName::None, depth: Depth::None, ..Self::SIXTEEN };

    /// Whether it depends on the terminal's background.
    #[must_use]
    pub fn asks_background(self) -> bool {
        let depends = matches!(self.theme, ThemeName::Auto | ThemeName::HighContrast | ThemeName::ColourBlind);
        depends && self.depth == Depth::Many
    }

    /// Whether there are no colours.
    #[must_use]
    pub fn is_plain(self) -> bool {
        self.depth == Depth::None || self.theme == ThemeName::None
    }

    /// What to say when this theme is chosen, and why it may look like another.
    #[must_use]
    pub fn words(self) -> String {
        let word = self.theme.word();
        match (self.theme, self.depth) {
            (ThemeName::None, _) | (ThemeName::Sixteen, Depth::Sixteen) => format!("theme {word}"),
            (_, Depth::None) => format!("theme {word}, without colours: NO_COLOR is set"),
            (_, Depth::Sixteen) => format!("theme {word}, in the 16 colours this terminal has"),
            (ThemeName::Auto, Depth::Many) => match self.background {
                Some(Background::Dark) => "theme auto: dark".into(),
                Some(Background::Light) => "theme auto: light".into(),
                None => "theme auto: 16, as the terminal does not report its background".into(),
            },
            _ => format!("theme {word}"),
        }
    }
}
