//! What the login dialog says and how it is laid out: a band across the whole screen.
//!
//! Invariant: the URL begins in the first column and fills whole lines, without borders beside
//! it, so that it can be marked and copied with the mouse where no clipboard can be reached. What
//! does not fit scrolls; nothing of the URL is ever left out.

use chrono::{DateTime, Utc};
use ratatui::layout::{Rect, Size};

use crate::dashboard::action::Action;
use crate::dashboard::login::LoginDialog;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::sheet::{Sheet, SheetLine, Tone, chop, wrap};
use crate::dashboard::{App, layout};
use crate::domain::text::neutralise;
use crate::domain::{Activity, LoginView, Redirect, Severity};
use crate::format::time::countdown;

/// The longest URL shown, in characters.
const LONGEST_URL: usize = 8000;

/// The dialog, ready to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginScreen {
    /// The band, its upper and lower line included; what the text leaves of it is blank.
    pub area: Rect,
    /// Lines above the URL.
    pub before: Vec<SheetLine>,
    /// All lines of the URL.
    pub url: Vec<String>,
    /// The first of them shown.
    pub first: usize,
    /// How many of them are shown.
    pub shown: usize,
    /// Lines below the URL; one of them has [`Tone::Field`].
    pub after: Vec<SheetLine>,
}

/// The dialog on a screen of `size`; none when that is too small.
#[must_use]
pub fn screen(app: &App, dialog: &LoginDialog, size: Size, now: DateTime<Utc>) -> Option<LoginScreen> {
    let areas = layout::areas(size, app.shape())?;
    let body = areas.body;
    let width = usize::from(body.width);
    let view = app.connections.get(&dialog.connection);
    let (before, url, after) = match view.map(|view| &view.activity) {
        Some(Activity::LoggingIn(login)) => {
            (invitation(login), chop(&neutralise(&login.url, LONGEST_URL), width), answer(app, login, dialog, now))
        }
        Some(Activity::Refreshing { .. }) => (
            vec![SheetLine::new("", "The answer is here. Fetching the tokens...", Tone::Status(Severity::Busy))],
            vec![],
            vec![],
        ),
        _ => (vec![SheetLine::new("", "This login does not wait any more.", Tone::Plain)], vec![], vec![]),
    };
    let (before, after) = (fit(before, width), fit(after, width));
    let others = before.len() + after.len() + 2;
    let room = usize::from(body.height).saturating_sub(others);
    let shown = url.len().min(room.max(1));
    let height = u16::try_from(others + shown).unwrap_or(u16::MAX);
    let first = Sheet::clamp(url.len(), shown, dialog.scroll);
    // It takes the place of the panes below the table; where it does not fit, of the table too.
    let lower = Rect { y: body.y + areas.connections.height, height: body.height - areas.connections.height, ..body };
    let area = if height <= lower.height { lower } else { body };
    Some(LoginScreen { area, before, url, first, shown, after })
}

/// The login URL as it is on the screen now, and where; `None` where there is none.
#[must_use]
pub fn url_on_screen(app: &App, now: DateTime<Utc>) -> Option<(Rect, String)> {
    let Screen::Login(dialog) = app.screens.top() else { return None };
    let view = app.connections.get(&dialog.connection)?;
    let Activity::LoggingIn(login) = &view.activity else { return None };
    let screen = screen(app, dialog, app.size, now).filter(|_| !dialog.qr)?;
    let above = u16::try_from(1 + screen.before.len()).ok()?;
    let height = u16::try_from(screen.shown).ok()?;
    Some((Rect { y: screen.area.y + above, height, ..screen.area }, login.url.clone()))
}

fn invitation(login: &LoginView) -> Vec<SheetLine> {
    let text = match login.browser {
        None => SheetLine::new("", "Starting a browser. This is where it goes:", Tone::Plain),
        Some(Ok(())) => {
            SheetLine::new("", "A browser was started. If it does not show, open this URL yourself:", Tone::Plain)
        }
        Some(Err(_)) => SheetLine::new("", "Open this URL in a browser, on any machine:", Tone::Heading),
    };
    match &login.browser {
        Some(Err(why)) => {
            let why = format!("No browser was started: {}", neutralise(why, 200));
            vec![SheetLine::new("", why, Tone::Status(Severity::Warning)), text]
        }
        _ => vec![text],
    }
}

fn answer(app: &App, login: &LoginView, dialog: &LoginDialog, now: DateTime<Utc>) -> Vec<SheetLine> {
    let left = countdown(login.deadline - now);
    let (wait, ask) = match &login.redirect {
        Redirect::Loopback { uri } => (
            format!("Waiting {left} more at {}", neutralise(uri, 200)),
            "The browser on another machine? Paste the address it ends at, or the code:",
        ),
        Redirect::Pasted { uri } => (
            format!("Waiting {left} more. Afterwards the browser goes to {}", neutralise(uri, 200)),
            "Paste that address, whole, or the code in it:",
        ),
    };
    let field = if dialog.field.is_empty() && !dialog.typing {
        format!("nothing yet; paste, or {} to type", app.key(Action::EnterField))
    } else {
        dialog.field.masked()
    };
    let mut lines = vec![
        SheetLine::blank(),
        SheetLine::new("", wait, Tone::Status(Severity::Busy)),
        SheetLine::new("", ask, Tone::Plain),
        SheetLine::new("", field, Tone::Field),
    ];
    if let Some(why) = &dialog.refused {
        lines.push(SheetLine::new("", why.clone(), Tone::Status(Severity::Bad)));
    }
    lines
}

/// Lines wrapped to the width, a column kept free on either side and two for a symbol.
fn fit(lines: Vec<SheetLine>, width: usize) -> Vec<SheetLine> {
    let room = width.saturating_sub(4);
    let wrapped = |line: SheetLine| {
        // What a status line wraps to has no symbol of its own.
        let tone = |at| if at == 0 { line.tone } else { Tone::Plain };
        let parts = wrap(&line.text, room).into_iter().enumerate();
        parts.map(|(at, text)| SheetLine::new("", text, tone(at))).collect::<Vec<_>>()
    };
    lines.into_iter().flat_map(wrapped).collect()
}
