//! The login URL as a QR code over the whole screen, for a browser on another device, or why there
//! is none where it would be of no use.
//!
//! Invariant: a code is never cut.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};
use url::Url;

use crate::config::is_loopback;
use crate::dashboard::action::Action;
use crate::dashboard::layout::centred;
use crate::dashboard::login::LoginDialog;
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::pane::frame_of;
use crate::dashboard::widgets::sheet::wrap;
use crate::dashboard::{App, layout};
use crate::domain::{Activity, CopyWhat, LoginView, Redirect};
use crate::format::qr::Picture;

/// Lines below the code: where it leads, and the keys.
const BELOW: u16 = 2;
/// The widest that words are set.
const WIDEST: u16 = 64;

/// Draws the code of a login that waits, or why there is none, above the footer.
pub(crate) fn draw(frame: &mut Frame, app: &App, dialog: &LoginDialog, footer: Rect, theme: Theme) {
    let whole = frame.area();
    let Some(view) = app.connections.get(&dialog.connection) else { return };
    let Activity::LoggingIn(login) = &view.activity else { return };
    let above = Rect { height: footer.y.saturating_sub(whole.y), ..whole };
    frame.render_widget(Clear, above);
    match code(app, login, whole.as_size()) {
        Ok(picture) => {
            let (width, height) = picture.size();
            let room = Rect { height: whole.height.saturating_sub(BELOW), ..whole };
            paint(frame.buffer_mut(), &picture, centred(room, width, height));
            let line = Rect { y: footer.y - 1, height: 1, ..whole };
            let name = format!("{}: ", dialog.connection);
            let text = Line::from(vec![Span::styled(name, theme.strong()), Span::raw(note(&login.url))]);
            frame.render_widget(Paragraph::new(text).centered(), line);
        }
        Err(words) => {
            let width = above.width.min(WIDEST);
            let lines: Vec<_> =
                wrap(&words, usize::from(width.saturating_sub(4))).into_iter().map(Line::from).collect();
            let area = centred(above, width, u16::try_from(lines.len() + 2).unwrap_or(u16::MAX));
            frame.render_widget(frame_of(format!(" QR code: {} ", dialog.connection), true, theme), area);
            frame.render_widget(Paragraph::new(lines), layout::text(area));
        }
    }
}

fn paint(buffer: &mut Buffer, picture: &Picture, area: Rect) {
    for (row, line) in area.rows().zip(&picture.lines) {
        for (at, &(fore, back)) in row.columns().zip(line) {
            let style = Style::new().fg(Color::Indexed(fore)).bg(Color::Indexed(back));
            buffer[at.as_position()].set_symbol(picture.symbol).set_style(style);
        }
    }
}

/// The code, if it fits on a screen of `size` and is of use; else why not, and what to do instead.
fn code(app: &App, login: &LoginView, size: Size) -> Result<Picture, String> {
    let copy = app.options.keymap.label(Action::Copy(CopyWhat::LoginUrl));
    if let Redirect::Loopback { uri } = &login.redirect {
        return Err(format!(
            "A phone cannot be used for this login: afterwards its browser would go to {uri}, which is on this \
             machine and not on the phone. A connection with a redirect_uri on another site can be logged in from \
             any device, because the address it ends at is pasted here."
        ));
    }
    if app.options.appearance.is_plain() {
        return Err(format!(
            "Without colours (NO_COLOR) a QR code cannot be drawn dark on light, as phones want it. Start manutop \
             without NO_COLOR, or copy the URL: {copy} in the login dialog."
        ));
    }
    let picture = Picture::of(&login.url, app.options.ascii)
        .ok_or_else(|| format!("The URL is too long for a QR code. Copy it instead: {copy} in the login dialog."))?;
    let (width, height) = picture.size();
    if width > size.width || height > size.height.saturating_sub(BELOW) {
        let utf8 =
            if app.options.ascii { " In a UTF-8 terminal, without --ascii, half of that is enough." } else { "" };
        return Err(format!(
            "The QR code needs a screen of {width}x{}; this one is {}x{}. Make the window larger or the font smaller \
             (Ctrl-minus in most terminals): the code appears as soon as it fits.{utf8}",
            height + BELOW,
            size.width,
            size.height
        ));
    }
    Ok(picture)
}

/// What becomes of the answer; where the page is on this very machine, that.
fn note(url: &str) -> &'static str {
    if Url::parse(url).is_ok_and(|url| is_loopback(&url)) {
        "This page is on this machine: another device cannot open it."
    } else {
        "Log in there; then send the address it ends at here, and paste it."
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;
    use crate::dashboard::fixtures::{app_of, logging_in, login_url, loopback, now, pasted, press};
    use crate::dashboard::theme::appearance::Appearance;
    use crate::dashboard::{Msg, update};
    use crate::format::qr::{self, scanned};

    const BLACK: Color = Color::Indexed(qr::BLACK);
    const WHITE: Color = Color::Indexed(qr::WHITE);

    fn shown(redirect: Redirect, size: Size, set: impl FnOnce(&mut App)) -> Result<Picture, String> {
        let view = logging_in("archive", redirect, None);
        let Activity::LoggingIn(login) = view.activity.clone() else { panic!("a login waits") };
        let mut app = app_of(vec![view]);
        set(&mut app);
        code(&app, &login, size)
    }

    /// The smallest screen on which the code is shown.
    fn smallest(ascii: bool) -> Size {
        let (width, height) = Picture::of(&login_url(), ascii).expect("short enough").size();
        Size::new(width, height + BELOW)
    }

    #[test]
    fn the_code_is_shown_from_exactly_the_size_it_asks_for() {
        let smallest = smallest(false);
        assert!(shown(pasted(), smallest, |_| ()).is_ok());
        for less in [Size::new(smallest.width - 1, 90), Size::new(200, smallest.height - 1)] {
            let words = shown(pasted(), less, |_| ()).expect_err("it would be cut");
            assert!(words.contains(&format!("{}x{}", smallest.width, smallest.height)), "{words}");
            assert!(words.contains(&format!("this one is {}x{}", less.width, less.height)), "{words}");
        }
    }

    #[test]
    fn where_a_phone_or_the_terminal_cannot_it_says_why() {
        let size = Size::new(130, 60);
        for (shown, because) in [
            (shown(loopback(), size, |_| ()), "http://127.0.0.1:8400/callback, which is on this machine"),
            (shown(pasted(), size, |app| app.options.appearance = Appearance::PLAIN), "NO_COLOR"),
            (shown(pasted(), size, |app| app.options.ascii = true), "half of that is enough"),
        ] {
            assert!(shown.is_err_and(|words| words.contains(because)), "{because}");
        }
    }

    #[test]
    fn a_page_on_this_machine_is_said_to_be_out_of_a_phone_s_reach() {
        for url in ["http://127.0.0.1:9/x", "http://[::1]:9/x", "http://localhost/x"] {
            assert!(note(url).contains("this machine"), "{url}");
        }
        assert!(note("https://auth.manuonline.com/").contains("paste"));
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
        for (ascii, roomy) in [(false, Size::new(200, 60)), (true, Size::new(300, 120))] {
            for Size { width, height } in [roomy, smallest(ascii)] {
                let buffer = screen(width, height, ascii);
                let shade = |x, y| {
                    let cell = &buffer[(x, y / 2)];
                    match if cell.symbol() == "▀" && y % 2 == 0 { cell.fg } else { cell.bg } {
                        BLACK => 0,
                        WHITE => 255,
                        _ => 90,
                    }
                };
                assert_eq!(scanned((width, height), shade), login_url(), "ascii: {ascii}, {width}x{height}");
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
