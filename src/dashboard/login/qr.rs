//! The login URL as a QR code, for a browser on another device: its modules, how large a screen
//! they take, and why there is none where it would be of no use.
//!
//! Invariants: dark on light with a quiet zone of four modules (ISO/IEC 18004), whatever the theme,
//! or no code at all; a code is never cut.

use qrcode::{Color, EcLevel, QrCode};
use ratatui::layout::{Rect, Size};
use url::Url;

use crate::config::is_loopback;
use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::login::LoginDialog;
use crate::domain::{Activity, LoginView, Redirect};

/// Light modules around the code, on each side.
const QUIET: usize = 4;
/// Lines below the code: where it leads, and the keys.
const BELOW: u16 = 2;

/// The modules of a code, its quiet zone included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    width: usize,
    dark: Vec<bool>,
}

impl Matrix {
    /// The code of a text, with the least error correction, which makes it smallest; none where
    /// the text is too long for any.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Some(Self { width: code.width(), dark })
    }

    /// Columns and rows of it, in modules.
    #[must_use]
    pub fn side(&self) -> usize {
        self.width + 2 * QUIET
    }

    /// Whether the module is dark; those outside are light.
    #[must_use]
    pub fn is_dark(&self, column: usize, row: usize) -> bool {
        let (Some(x), Some(y)) = (column.checked_sub(QUIET), row.checked_sub(QUIET)) else { return false };
        x < self.width && y < self.width && self.dark[y * self.width + x]
    }
}

/// How modules become cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cells {
    /// Two modules, one above the other, in a cell: half blocks.
    Halves,
    /// One module in two cells side by side: coloured blanks, for ASCII.
    Blanks,
}

impl Cells {
    /// The columns and rows that a code takes on the screen.
    #[must_use]
    pub fn size(self, matrix: &Matrix) -> Size {
        let side = u16::try_from(matrix.side()).unwrap_or(u16::MAX);
        match self {
            Self::Halves => Size::new(side, side.div_ceil(2)),
            Self::Blanks => Size::new(side.saturating_mul(2), side),
        }
    }
}

/// The screen of a login's QR code, ready to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QrScreen {
    /// The code.
    Code {
        /// Its modules.
        matrix: Matrix,
        /// How they are drawn.
        cells: Cells,
        /// Where, in the middle of the screen.
        area: Rect,
        /// What to know about it, in one line.
        note: &'static str,
    },
    /// Why there is none, and what to do instead.
    Words(String),
}

/// The QR code of a login that waits, on a screen of `size`; none when nothing waits.
#[must_use]
pub fn screen(app: &App, dialog: &LoginDialog, size: Size) -> Option<QrScreen> {
    let view = app.connections.get(&dialog.connection)?;
    let Activity::LoggingIn(login) = &view.activity else { return None };
    Some(code(app, login, size).unwrap_or_else(QrScreen::Words))
}

fn code(app: &App, login: &LoginView, size: Size) -> Result<QrScreen, String> {
    let copy = app.options.keymap.label(Action::Copy(crate::domain::CopyWhat::LoginUrl));
    if let Redirect::Loopback { uri } = &login.redirect {
        return Err(format!(
            "A phone cannot be used for this login: afterwards its browser would go to {uri}, which is on this \
             machine and not on the phone. A connection with a redirect_uri on another site can be logged in from \
             any device, because the address it ends at is pasted here."
        ));
    }
    if app.options.look.is_plain() {
        return Err(format!(
            "Without colours (NO_COLOR) a QR code cannot be drawn dark on light, as phones want it. Start manutop \
             without NO_COLOR, or copy the URL: {copy} in the login dialog."
        ));
    }
    let matrix = Matrix::of(&login.url)
        .ok_or_else(|| format!("The URL is too long for a QR code. Copy it instead: {copy} in the login dialog."))?;
    let cells = if app.options.ascii { Cells::Blanks } else { Cells::Halves };
    let wanted = cells.size(&matrix);
    let room = Size::new(size.width, size.height.saturating_sub(BELOW));
    if wanted.width > room.width || wanted.height > room.height {
        let utf8 =
            if app.options.ascii { " In a UTF-8 terminal, without --ascii, half of that is enough." } else { "" };
        return Err(format!(
            "The QR code needs a screen of {}x{}; this one is {}x{}. Make the window larger or the font smaller \
             (Ctrl-minus in most terminals): the code appears as soon as it fits.{utf8}",
            wanted.width,
            wanted.height + BELOW,
            size.width,
            size.height
        ));
    }
    let area = Rect {
        x: (room.width - wanted.width) / 2,
        y: (room.height - wanted.height) / 2,
        width: wanted.width,
        height: wanted.height,
    };
    Ok(QrScreen::Code { matrix, cells, area, note: note(&login.url) })
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
    use super::*;
    use crate::dashboard::fixtures::{app_of, logging_in, login_url, loopback, name, pasted};

    fn shown(redirect: Redirect, size: Size, set: impl FnOnce(&mut App)) -> QrScreen {
        let mut app = app_of(vec![logging_in("archive", redirect, None)]);
        set(&mut app);
        screen(&app, &LoginDialog::new(name("archive"), true), size).expect("a login waits")
    }

    #[test]
    fn the_code_is_shown_from_exactly_the_size_it_asks_for() {
        let wanted = Cells::Halves.size(&Matrix::of(&login_url()).unwrap());
        let smallest = Size::new(wanted.width, wanted.height + BELOW);
        assert!(matches!(shown(pasted(), smallest, |_| ()), QrScreen::Code { .. }));
        for less in [Size::new(smallest.width - 1, 90), Size::new(200, smallest.height - 1)] {
            let QrScreen::Words(words) = shown(pasted(), less, |_| ()) else { panic!("cut at {less}") };
            assert!(words.contains(&format!("{}x{}", smallest.width, smallest.height)), "{words}");
            assert!(words.contains(&format!("this one is {}x{}", less.width, less.height)), "{words}");
        }
    }

    #[test]
    fn where_a_phone_or_the_terminal_cannot_it_says_why() {
        let size = Size::new(130, 60);
        for (screen, because) in [
            (shown(loopback(), size, |_| ()), "http://127.0.0.1:8400/callback, which is on this machine"),
            (
                shown(pasted(), size, |app| app.options.look = crate::dashboard::theme::appearance::Appearance::PLAIN),
                "NO_COLOR",
            ),
            (shown(pasted(), size, |app| app.options.ascii = true), "half of that is enough"),
        ] {
            assert!(matches!(&screen, QrScreen::Words(words) if words.contains(because)), "{because}");
        }
    }

    #[test]
    fn a_page_on_this_machine_is_said_to_be_out_of_a_phone_s_reach() {
        for url in ["http://127.0.0.1:9/x", "http://[::1]:9/x", "http://localhost/x"] {
            assert!(note(url).contains("this machine"), "{url}");
        }
        assert!(note("https://auth.manuonline.com/").contains("paste"));
    }

    #[test]
    fn the_quiet_zone_is_light_on_all_sides() {
        let matrix = Matrix::of("x").unwrap();
        let side = matrix.side();
        for at in 0..side {
            for edge in [0, QUIET - 1, side - QUIET, side - 1] {
                assert!(!matrix.is_dark(at, edge) && !matrix.is_dark(edge, at), "{at} {edge}");
            }
        }
        assert!(matrix.is_dark(QUIET, QUIET), "a finder pattern begins in the corner");
    }
}
