//! The QR code of a login's URL, over the whole screen.
//!
//! Invariant: black on white of the fixed 256-colour palette, not the terminal's theme: a phone
//! must read it on a light and on a dark one.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use crate::dashboard;
use crate::dashboard::App;
use crate::dashboard::layout::centred;
use crate::dashboard::login::LoginDialog;
use crate::dashboard::login::qr::{Cells, Matrix, QrScreen, screen as qr_screen};
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::pane::frame_of;
use crate::dashboard::widgets::sheet::wrap;

const BLACK: Color = Color::Indexed(16);
const WHITE: Color = Color::Indexed(231);
/// The widest that words are set.
const WIDEST: u16 = 64;

/// Draws the code, or why there is none, above the footer.
pub(crate) fn draw(frame: &mut Frame, app: &App, dialog: &LoginDialog, footer: Rect, theme: Theme) {
    let whole = frame.area();
    let Some(screen) = qr_screen(app, dialog, whole.as_size()) else { return };
    let above = Rect { height: footer.y.saturating_sub(whole.y), ..whole };
    frame.render_widget(Clear, above);
    match screen {
        QrScreen::Code { matrix, cells, area, note } => {
            code(frame.buffer_mut(), &matrix, cells, area);
            let line = Rect { y: footer.y - 1, height: 1, ..whole };
            let name = format!("{}: ", dialog.connection);
            let text = Line::from(vec![Span::styled(name, theme.strong()), Span::raw(note)]);
            frame.render_widget(Paragraph::new(text).centered(), line);
        }
        QrScreen::Words(words) => {
            let width = above.width.min(WIDEST);
            let lines: Vec<_> =
                wrap(&words, usize::from(width.saturating_sub(4))).into_iter().map(Line::from).collect();
            let area = centred(above, width, u16::try_from(lines.len() + 2).unwrap_or(u16::MAX));
            frame.render_widget(frame_of(format!(" QR code: {} ", dialog.connection), true, theme), area);
            frame.render_widget(Paragraph::new(lines), dashboard::layout::text(area));
        }
    }
}

fn code(buffer: &mut Buffer, matrix: &Matrix, cells: Cells, area: Rect) {
    let ink = |dark: bool| if dark { BLACK } else { WHITE };
    for (line, y) in (area.top()..area.bottom()).enumerate() {
        for (at, x) in (area.left()..area.right()).enumerate() {
            let Some(cell) = buffer.cell_mut((x, y)) else { continue };
            let (symbol, upper, lower) = match cells {
                Cells::Halves => ("▀", matrix.is_dark(at, 2 * line), matrix.is_dark(at, 2 * line + 1)),
                Cells::Blanks => (" ", matrix.is_dark(at / 2, line), matrix.is_dark(at / 2, line)),
            };
            cell.set_symbol(symbol).set_style(Style::new().fg(ink(upper)).bg(ink(lower)));
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::dashboard::fixtures::{app_of, logging_in, login_url, now, pasted, press};
    use crate::dashboard::{Msg, update};

    /// What a phone's camera makes of a screen: black, white, and grey for all else.
    fn photograph(buffer: &Buffer) -> (usize, usize, Vec<u8>) {
        const SCALE: usize = 4;
        let (columns, rows) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
        let shade = |color: Color| match color {
            BLACK => 0,
            WHITE => 255,
            _ => 90,
        };
        // A cell is twice as high as it is wide.
        let (width, height) = (columns * SCALE, rows * 2 * SCALE);
        let pixel = |at: usize| {
            let (x, y) = (at % width / SCALE, at / width / SCALE);
            let cell = &buffer.content[y / 2 * columns + x];
            let upper = y % 2 == 0;
            shade(if cell.symbol() == "▀" && upper { cell.fg } else { cell.bg })
        };
        (width, height, (0..width * height).map(pixel).collect())
    }

    fn scanned(buffer: &Buffer) -> String {
        let (width, height, pixels) = photograph(buffer);
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code is seen");
        grids[0].decode().expect("it can be read").1
    }

    fn screen(width: u16, height: u16, ascii: bool) -> Buffer {
        let mut app = app_of(vec![logging_in("archive", pasted(), None)]);
        app.options.ascii = ascii;
        let resize = Msg::Input(crossterm::event::Event::Resize(width, height));
        assert!(update(&mut app, resize, now()).is_empty());
        press(&mut app, "l C-r");
        let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
        terminal.draw(|frame| crate::dashboard::draw::draw(frame, &app, now())).expect("drawn");
        terminal.backend().buffer().clone()
    }

    #[test]
    fn a_camera_reads_the_login_url_off_the_screen() {
        let matrix = Matrix::of(&login_url()).expect("short enough");
        for (cells, ascii, roomy) in [(Cells::Halves, false, (200, 60)), (Cells::Blanks, true, (300, 120))] {
            let wanted = cells.size(&matrix);
            for (width, height) in [roomy, (wanted.width, wanted.height + 2)] {
                assert_eq!(scanned(&screen(width, height, ascii)), login_url(), "{cells:?} {width}x{height}");
            }
        }
    }

    #[test]
    fn in_ascii_the_code_is_made_of_blanks() {
        let buffer = screen(300, 120, true);
        assert!(buffer.content.iter().all(|cell| cell.symbol().is_ascii()));
        assert!(buffer.content.iter().any(|cell| cell.bg == BLACK));
    }

    #[test]
    fn where_it_does_not_fit_it_says_what_would() {
        for (width, height) in [(80, 24), (60, 15)] {
            insta::assert_snapshot!(format!("qr_{width}x{height}"), text(&screen(width, height, false)));
        }
        insta::assert_snapshot!("qr_120x50", text(&screen(120, 50, false)));
    }

    /// The screen as text; where two shades stand in a cell, as they would be on white paper.
    fn text(buffer: &Buffer) -> String {
        let symbol = |cell: &ratatui::buffer::Cell| {
            match (cell.fg, cell.bg) {
                (BLACK, BLACK) => "█",
                (BLACK, WHITE) => "▀",
                (WHITE, BLACK) => "▄",
                (WHITE, WHITE) => " ",
                _ => cell.symbol(),
            }
            .to_owned()
        };
        let lines = buffer.content.chunks(usize::from(buffer.area.width));
        lines.map(|line| line.iter().map(symbol).collect::<String>().trim_end().to_owned() + "\n").collect()
    }
}
