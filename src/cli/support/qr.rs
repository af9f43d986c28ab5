//! A login's URL as a QR code between the lines of a terminal.

use std::fmt::Write as _;
use std::io;
use std::io::IsTerminal;

use crate::cli::commands::dashboard::locale_is_utf8;
use crate::dashboard::login::qr::{Cells, Matrix};
use crate::domain::{LoginView, Redirect};

/// Black and white of the fixed 256-colour palette.
const INKS: [u8; 2] = [231, 16];
const RESET: &str = "\x1b[0m";

/// The code, or why there is none, to be printed on standard error.
pub(crate) fn picture(login: &LoginView) -> String {
    if let Redirect::Loopback { uri } = &login.redirect {
        return format!("No QR code: afterwards the browser must reach {uri}, which is on this machine only.");
    }
    if !io::stderr().is_terminal() {
        return "No QR code: it is drawn on terminals only.".into();
    }
    let Some(matrix) = Matrix::of(&login.url) else { return "No QR code: the URL is too long for one.".into() };
    let cells = if locale_is_utf8() { Cells::Halves } else { Cells::Blanks };
    let wanted = cells.size(&matrix);
    match crossterm::terminal::size() {
        // A code of which a part has scrolled away cannot be read either.
        Ok((columns, rows)) if columns < wanted.width || rows < wanted.height => format!(
            "No QR code: it needs {} columns and {} rows, and this terminal has {columns} and {rows}.",
            wanted.width, wanted.height
        ),
        _ => drawn(&matrix, cells),
    }
}

/// Black on white, whatever the terminal's own colours are.
fn drawn(matrix: &Matrix, cells: Cells) -> String {
    let ink = |column, row| INKS[usize::from(matrix.is_dark(column, row))];
    let size = cells.size(matrix);
    let mut text = String::new();
    for row in 0..usize::from(size.height) {
        if row > 0 {
            text.push('\n');
        }
        for column in 0..usize::from(size.width) {
            // Writing to a String cannot fail.
            let _ = match cells {
                Cells::Halves => {
                    let (upper, lower) = (ink(column, 2 * row), ink(column, 2 * row + 1));
                    write!(text, "\x1b[38;5;{upper};48;5;{lower}m▀")
                }
                Cells::Blanks => write!(text, "\x1b[48;5;{}m ", ink(column / 2, row)),
            };
        }
        text.push_str(RESET);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Black and white as a terminal model sees the two halves of each cell.
    fn photographed(cells: Cells, text: &str) -> String {
        let matrix = Matrix::of(text).expect("short enough");
        let size = cells.size(&matrix);
        let (rows, columns) = (size.height.try_into().expect("not 0"), size.width.try_into().expect("not 0"));
        let mut terminal = vt100::Parser::new(rows, columns, 0);
        terminal.process(drawn(&matrix, cells).replace('\n', "\r\n").as_bytes());
        let (width, height) = (usize::from(size.width) * 4, usize::from(size.height) * 8);
        let dark = |x: usize, y: usize| {
            let (row, column) = (u16::try_from(y / 8).expect("small"), u16::try_from(x / 4).expect("small"));
            let cell = terminal.screen().cell(row, column).expect("on the screen");
            let upper = cell.contents() == "▀" && y % 8 < 4;
            (if upper { cell.fgcolor() } else { cell.bgcolor() }) == vt100::Color::Idx(INKS[1])
        };
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| if dark(x, y) { 0 } else { 255 });
        let grids = image.detect_grids();
        grids.first().expect("a code is seen").decode().expect("it can be read").1
    }

    #[test]
    fn a_camera_reads_the_url_off_the_terminal() {
        let url =
            "https://auth.example/oauth/authorize?client_id=x&redirect_uri=https%3A%2F%2Fexample.com%2Fcb&state=y";
        for cells in [Cells::Halves, Cells::Blanks] {
            assert_eq!(photographed(cells, url), url, "{cells:?}");
        }
    }
}
