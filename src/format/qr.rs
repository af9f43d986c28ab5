//! A text as a QR code made of a terminal's cells.
//!
//! Invariant: black on white of the fixed 256-colour palette, whatever the theme, with a quiet zone
//! of four modules (ISO/IEC 18004): a phone must read it on a light and on a dark terminal.

use std::fmt;
use std::iter::zip;

use qrcode::{EcLevel, QrCode};

/// Black of the 256-colour palette.
pub const BLACK: u8 = 16;
/// White of the 256-colour palette.
pub const WHITE: u8 = 231;

/// A code, ready to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What is in each cell: a half block, or a blank for ASCII.
    pub symbol: &'static str,
    /// The foreground and the background of each cell, line by line.
    pub lines: Vec<Vec<(u8, u8)>>,
}

impl Picture {
    /// The code of a text, with the least error correction, which makes it smallest; none where
    /// the text is too long for any. A cell is two modules, one above the other; in ASCII, two
    /// cells side by side are one module.
    #[must_use]
    pub fn of(text: &str, ascii: bool) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let (symbol, columns, rows) = if ascii { (" ", 2, 1) } else { ("▀", 1, 2) };
        let modules = code.render().dark_color('#').light_color(' ').module_dimensions(columns, 1).build();
        let ink = |module| if module == '#' { BLACK } else { WHITE };
        let mut inks: Vec<Vec<u8>> = modules.lines().map(|line| line.chars().map(ink).collect()).collect();
        if !inks.len().is_multiple_of(rows) {
            inks.push(vec![WHITE; inks.len()]);
        }
        let cells = |rows: &[Vec<u8>]| zip(rows[0].clone(), rows[rows.len() - 1].clone()).collect();
        Some(Self { symbol, lines: inks.chunks(rows).map(cells).collect() })
    }

    /// Its columns and lines.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        let cells = |count| u16::try_from(count).unwrap_or(u16::MAX);
        (cells(self.lines.first().map_or(0, Vec::len)), cells(self.lines.len()))
    }
}

/// With escape sequences, for a terminal.
impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, line) in self.lines.iter().enumerate() {
            f.write_str(if at > 0 { "\n" } else { "" })?;
            for (fore, back) in line {
                write!(f, "\x1b[38;5;{fore};48;5;{back}m{}", self.symbol)?;
            }
            f.write_str("\x1b[0m")?;
        }
        Ok(())
    }
}

/// What a camera reads off a screen whose cells are twice as high as wide: `shade` is the grey of
/// a half of a cell, by its column and its half line.
#[cfg(test)]
pub(crate) fn scanned((columns, lines): (u16, u16), shade: impl Fn(u16, u16) -> u8) -> String {
    const SCALE: usize = 4;
    let (width, height) = (usize::from(columns) * SCALE, usize::from(lines) * 2 * SCALE);
    let half = |pixel: usize| u16::try_from(pixel / SCALE).unwrap();
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| shade(half(x), half(y)));
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code is seen");
    grids[0].decode().expect("it can be read").1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_reads_the_text_off_a_terminal() {
        let url =
            "https://auth.example/oauth/authorize?client_id=x&redirect_uri=https%3A%2F%2Fexample.com%2Fcb&state=y";
        for ascii in [false, true] {
            let picture = Picture::of(url, ascii).expect("short enough");
            let (columns, lines) = picture.size();
            let (high, wide) = (lines.try_into().unwrap(), columns.try_into().unwrap());
            let mut terminal = vt100::Parser::new(high, wide, 0);
            terminal.process(picture.to_string().replace('\n', "\r\n").as_bytes());
            let shade = |x, y| {
                let cell = terminal.screen().cell(y / 2, x).expect("on the screen");
                let color = if cell.contents() == "▀" && y % 2 == 0 { cell.fgcolor() } else { cell.bgcolor() };
                if color == vt100::Color::Idx(BLACK) { 0 } else { 255 }
            };
            assert_eq!(scanned((columns, lines), shade), url, "ascii: {ascii}");
        }
    }

    #[test]
    fn the_quiet_zone_is_light_on_all_sides() {
        let lines = Picture::of("x", true).expect("short enough").lines;
        let side = lines.len();
        for at in 0..side {
            for edge in [0, 3, side - 4, side - 1] {
                assert_eq!([lines[at][2 * edge], lines[edge][2 * at]], [(WHITE, WHITE); 2], "{at} {edge}");
            }
        }
        assert_eq!(lines[4][8], (BLACK, BLACK), "a finder pattern begins in the corner");
    }
}
