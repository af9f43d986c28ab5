//! A person's own colours on top of a palette.
//!
//! Invariants: without colours nothing is coloured; where there are only 16, only those are used; where exact shades
//! are not known to be shown, the nearest of xterm's 240 is.

use ratatui::style::{Color, Style};

use crate::dashboard::theme::appearance::Appearance;
use crate::dashboard::theme::palettes::ThemePalette;
use crate::domain::{ChosenColour, ColourRole, Depth};

/// The levels of red, green and blue in xterm's cube of colours.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The palette with the colours that were chosen.
pub(super) fn painted(mut palette: ThemePalette, appearance: Appearance) -> ThemePalette {
    if appearance.is_plain() {
        return palette;
    }
    let chosen = |role| appearance.colours.get(role).and_then(|colour| shown(colour, appearance));
    let paint = |style: &mut Style, role| {
        if let Some(colour) = chosen(role) {
            *style = Style::new().fg(colour);
        }
    };
    paint(&mut palette.accent, ColourRole::Accent);
    paint(&mut palette.dim, ColourRole::Dim);
    paint(&mut palette.border, ColourRole::Border);
    paint(&mut palette.good, ColourRole::Live);
    paint(&mut palette.busy, ColourRole::Busy);
    paint(&mut palette.warning, ColourRole::Warning);
    paint(&mut palette.bad, ColourRole::Error);
    let (text, ground) = (chosen(ColourRole::Text), chosen(ColourRole::Background));
    if text.is_some() || ground.is_some() {
        // The terminal's own where there is neither: setting that changes nothing.
        let (own_text, own_ground) = palette.ground.unwrap_or_default();
        palette.ground = Some((text.unwrap_or(own_text), ground.unwrap_or(own_ground)));
    }
    palette.tint = chosen(ColourRole::Selection).or(palette.tint);
    palette
}

/// As the terminal shows it; none where it cannot.
fn shown(colour: ChosenColour, appearance: Appearance) -> Option<Color> {
    match (colour, appearance.depth) {
        (_, Depth::None) | (ChosenColour::Rgb(..) | ChosenColour::Numbered(16..), Depth::Sixteen) => None,
        (ChosenColour::Numbered(number), _) => Some(Color::Indexed(number)),
        (ChosenColour::Rgb(red, green, blue), Depth::Many) if appearance.is_exact => Some(Color::Rgb(red, green, blue)),
        (ChosenColour::Rgb(red, green, blue), Depth::Many) => Some(Color::Indexed(nearest([red, green, blue]))),
    }
}

/// The nearest of xterm's colours from 16 on, whose shades are settled.
fn nearest(wanted: [u8; 3]) -> u8 {
    (16..=255).min_by_key(|number| distance(shade(*number), wanted)).unwrap_or(16)
}

/// The shade of one of xterm's colours from 16 on.
fn shade(number: u8) -> [u8; 3] {
    if number >= 232 {
        return [8 + 10 * (number - 232); 3];
    }
    let cube = number.saturating_sub(16);
    [cube / 36, cube / 6 % 6, cube % 6].map(|level| LEVELS[usize::from(level)])
}

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.into_iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::theme::palettes::palette;
    use crate::domain::{Background, Colours, ThemeName};

    /// Dark with these colours, in a terminal with so many.
    fn dark(chosen: &[(ColourRole, &str)], depth: Depth, is_exact: bool) -> ThemePalette {
        let mut colours = Colours::NONE;
        for (role, word) in chosen {
            colours.set(*role, word.parse().unwrap());
        }
        let background = Some(Background::Dark);
        let appearance = Appearance { theme: ThemeName::Dark, depth, background, colours, is_exact };
        painted(*palette(appearance), appearance)
    }

    #[test]
    fn what_is_chosen_replaces_the_themes_and_the_rest_stays() {
        let chosen = [(ColourRole::Accent, "#ff8800"), (ColourRole::Error, "bright-red"), (ColourRole::Text, "252")];
        let own = dark(&chosen, Depth::Many, true);
        assert_eq!(own.accent.fg, Some(Color::Rgb(255, 136, 0)));
        assert_eq!(own.bad.fg, Some(Color::Indexed(9)));
        assert_eq!(own.ground, Some((Color::Indexed(252), Color::Reset)), "the terminal's own background");
        assert_eq!(own.good, dark(&[], Depth::Many, true).good);
    }

    #[test]
    fn a_shade_is_shown_as_the_terminal_can() {
        let accent = |depth, is_exact| dark(&[(ColourRole::Accent, "#ff8800")], depth, is_exact).accent.fg;
        assert_eq!(accent(Depth::Many, false), Some(Color::Indexed(208)), "#ff8700");
        assert_eq!(accent(Depth::Sixteen, false), Some(Color::Cyan), "as the theme has it");
        assert_eq!(accent(Depth::None, true), None);
        let named = dark(&[(ColourRole::Accent, "magenta")], Depth::Sixteen, false);
        assert_eq!(named.accent.fg, Some(Color::Indexed(5)));
    }

    #[test]
    fn the_nearest_of_a_settled_shade_is_itself() {
        for number in 16..=255 {
            assert_eq!(shade(nearest(shade(number))), shade(number), "{number}");
        }
    }
}
