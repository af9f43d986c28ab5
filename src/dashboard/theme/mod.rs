//! Colours and symbols.
//!
//! Invariants: no colour but the palette's; no meaning is carried by colour alone, there is always a symbol and a word; without colours only
//! modifiers are used; in ASCII mode not one other character leaves [`to_ascii`].

pub mod appearance;
mod own_colours;
pub mod palettes;
pub mod symbols;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::dashboard::theme::appearance::Appearance;
use crate::dashboard::theme::palettes::{ThemePalette, palette};
use crate::dashboard::widgets::sheet::Tone;
use crate::domain::Severity;

/// How things look.
#[derive(Debug, Clone, Copy)]
pub struct Theme(ThemePalette);

impl Theme {
    /// The theme of a look.
    #[must_use]
    pub fn of(appearance: Appearance) -> Self {
        Self(own_colours::painted(*palette(appearance), appearance))
    }

    /// Gives everything that has no colour yet the theme's own text and background, where it
    /// brings them along.
    pub fn ground(self, buffer: &mut Buffer, area: Rect) {
        let Some((text, ground)) = self.0.ground else { return };
        for cell in cells(buffer, area) {
            if cell.fg == Color::Reset {
                cell.fg = text;
            }
            if cell.bg == Color::Reset {
                cell.bg = ground;
            }
        }
    }

    /// A severity's style.
    #[must_use]
    pub fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Quiet => self.dim(),
            Severity::Good => self.0.good,
            Severity::Busy => self.0.busy,
            Severity::Warning => self.0.warning,
            Severity::Bad => self.0.bad.add_modifier(Modifier::BOLD),
        }
    }

    /// The row that keys act on, in the pane with the keyboard: a bar in the terminal's own two
    /// colours. Text in it that has a colour of its own keeps it, as a field of that colour, so
    /// every pair of colours is one the terminal's theme was made for.
    #[must_use]
    pub fn selected(self) -> Style {
        if let Some(tint) = self.0.tint {
            return Style::new().bg(tint).add_modifier(Modifier::BOLD);
        }
        Style::new().add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// A line that must not be overlooked: a bar in its severity's colour.
    #[must_use]
    pub fn bar(self, severity: Severity) -> Style {
        let style = if severity == Severity::Quiet { Style::new() } else { self.severity(severity) };
        style.add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// What matters less.
    #[must_use]
    pub fn dim(self) -> Style {
        self.0.dim
    }

    /// The style in the selected row, where nothing matters less.
    #[must_use]
    pub fn undimmed(self, mut style: Style) -> Style {
        if style.fg == self.0.dim.fg {
            style.fg = None;
        }
        style.remove_modifier(Modifier::DIM)
    }

    /// What matters more.
    #[must_use]
    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Letters that were searched for: underlined, so that they stand out without colour and in the
    /// bar too.
    #[must_use]
    pub fn hit(self) -> Style {
        self.0.warning.add_modifier(Modifier::UNDERLINED | Modifier::BOLD)
    }

    /// The ground of a field that is typed into.
    #[must_use]
    pub fn field(self) -> Style {
        self.0.field
    }

    /// Keys to press, and the program's name.
    #[must_use]
    pub fn accent(self) -> Style {
        self.0.accent.add_modifier(Modifier::BOLD)
    }

    /// A pane's border; bright where the keyboard is.
    #[must_use]
    pub fn border(self, focused: bool) -> Style {
        if focused { self.0.accent } else { self.0.border }
    }

    /// A pane's title.
    #[must_use]
    pub fn title(self, focused: bool) -> Style {
        if focused { self.accent() } else { self.strong() }
    }

    /// A line of a sheet.
    #[must_use]
    pub fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Plain | Tone::Wide | Tone::Key | Tone::Step | Tone::Field => Style::new(),
            Tone::Dim => self.dim(),
            Tone::Heading => self.strong(),
            Tone::Literal | Tone::Command => self.0.good,
            Tone::Status(severity) | Tone::More(severity, _) => self.severity(severity),
        }
    }

    /// A label of a sheet.
    #[must_use]
    pub fn label(self, tone: Tone) -> Style {
        if matches!(tone, Tone::Key | Tone::Step) { self.accent() } else { self.dim() }
    }
}

/// Replaces every character outside ASCII, whatever drew it, by one that looks or means alike.
pub fn to_ascii(buffer: &mut Buffer, area: Rect) {
    for cell in cells(buffer, area) {
        if !cell.symbol().is_ascii() {
            let ascii = cell.symbol().chars().next().map_or(' ', ascii);
            cell.set_char(ascii);
        }
    }
}

/// The cells of a part of a screen.
fn cells(buffer: &mut Buffer, area: Rect) -> impl Iterator<Item = &mut Cell> {
    let columns = usize::from(area.x)..usize::from(area.right());
    let rows = buffer.content.chunks_mut(usize::from(buffer.area.width).max(1));
    rows.skip(area.y.into()).take(area.height.into()).flat_map(move |row| &mut row[columns.clone()])
}

/// What stands for what; every symbol drawn anywhere is in here (tested).
const ALIKE: [(&str, char); 25] = [
    ("─—·▄", '-'),
    ("│", '|'),
    ("┌┐└┘▆", '+'),
    ("●•▇", '*'),
    ("○", 'o'),
    ("◌▂", '.'),
    ("◐…", '~'),
    ("◓", '/'),
    ("◑▅", '='),
    ("◒", '\\'),
    ("▲", '!'),
    ("✖", 'X'),
    ("▸→", '>'),
    ("◂", '<'),
    ("█━", '#'),
    ("▏▁", '_'),
    ("▃", ','),
    ("◆", 'R'),
    ("◇", 'E'),
    ("┫", ']'),
    ("░", ':'),
    ("↑", '^'),
    ("↓▾", 'v'),
    ("←", '<'),
    ("★", '+'),
];

/// The character that stands for one outside ASCII; `?` for one that nothing here draws.
#[must_use]
pub fn ascii(character: char) -> char {
    let found = ALIKE.iter().find(|(symbols, _)| symbols.contains(character));
    found.map_or('?', |(_, ascii)| *ascii)
}
