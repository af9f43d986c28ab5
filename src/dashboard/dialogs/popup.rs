//! Small dialogs in the middle of the screen, line by line: menus, questions, a failed login.
//!
//! Laid out here, not while drawing, so that a click on an item or on a key's word finds it.

use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr;

use crate::dashboard::action::Action;
use crate::dashboard::connections::column::Column;
use crate::dashboard::connections::column_menu::ColumnMenu;
use crate::dashboard::dialogs::menu::Menu;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::dialogs::removal::WHAT_GOES;
use crate::dashboard::frame::footer::Hint;
use crate::dashboard::keymap::Scope;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::sheet::{Tone, wrap};
use crate::dashboard::{App, layout, undo};
use crate::domain::{ConnectionName, Severity};
use crate::format::time::count;

const WIDTH: u16 = 56;
const MENU: u16 = 40;
/// How many names a question lists.
const NAMES: usize = 5;

/// A dialog, ready to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Popup {
    /// Where it stands, borders included.
    pub area: Rect,
    /// Its title.
    pub title: String,
    /// What is in it; every line fits.
    pub lines: Vec<PopupLine>,
    /// How many items of a menu are above the first line.
    pub first: usize,
}

/// A line of a dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PopupLine {
    /// Words.
    Text(String, Tone),
    /// An item of a menu.
    Item {
        /// Its key.
        key: String,
        /// What it does.
        text: String,
        /// Whether it is the chosen one.
        chosen: bool,
    },
    /// Keys with their words.
    Keys(Vec<Hint>),
}

impl PopupLine {
    /// The columns it takes, the marker of a chosen item included.
    fn width(&self) -> usize {
        match self {
            Self::Text(text, _) => text.width(),
            Self::Item { key, text, .. } => 2 + key.width() + 2 + text.width(),
            Self::Keys(hints) => hints.last().map_or(0, |hint| usize::from(hint.x + hint.width())),
        }
    }
}

/// What a click on a dialog means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// The item with this number.
    Item(usize),
    /// A key's word.
    Key(Action),
    /// Nothing in particular.
    Inside,
    /// It is beside the dialog.
    Beside,
}

impl Popup {
    /// What stands at a position.
    #[must_use]
    pub fn hit(&self, at: Position) -> Hit {
        if !self.area.contains(at) {
            return Hit::Beside;
        }
        let text = layout::text(self.area);
        let line = at.y.checked_sub(text.y).map(usize::from);
        let x = at.x.saturating_sub(text.x);
        match line.and_then(|line| self.lines.get(line).map(|content| (line, content))) {
            Some((line, PopupLine::Item { .. })) => Hit::Item(self.first + line),
            Some((_, PopupLine::Keys(hints))) => {
                let hint = hints.iter().find(|hint| (hint.x..hint.x + hint.width()).contains(&x));
                hint.map_or(Hit::Inside, |hint| Hit::Key(hint.action))
            }
            _ => Hit::Inside,
        }
    }
}

/// The dialog of this kind that is open, if one is, in the middle of `body`.
#[must_use]
pub fn popup(app: &App, body: Rect) -> Option<Popup> {
    let (title, width, lines) = match app.screens.top() {
        Screen::Menu(menu) => return Some(menu_popup(items(app, menu), menu.choice, menu_title(menu), body)),
        Screen::Columns(menu) => {
            return Some(menu_popup(column_items(menu), menu.choice, format!(" {} ", Scope::Columns.title()), body));
        }
        Screen::Confirm(question) => confirm(app, question),
        Screen::LoginFailed { is_import, connection, why } => login_failed(app, *is_import, connection, why),
        _ => return None,
    };
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    Some(Popup { area: layout::centred(body, width, height), title, lines, first: 0 })
}

/// As many items as there is room for, the chosen one among them.
fn menu_popup(mut lines: Vec<PopupLine>, choice: usize, title: String, body: Rect) -> Popup {
    let longest = lines.iter().map(PopupLine::width).max().unwrap_or(0);
    let width = u16::try_from(longest + 4).unwrap_or(WIDTH).clamp(MENU, WIDTH);
    let height = usize::from(body.height.saturating_sub(2));
    let first = layout::first_row(0, choice, lines.len(), height);
    lines.drain(..first);
    lines.truncate(height);
    let rows = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    Popup { area: layout::centred(body, width, rows), title, lines, first }
}

fn menu_title(menu: &Menu) -> String {
    let whose = menu.connection.as_ref().map(|name| format!(": {name}")).unwrap_or_default();
    format!(" {}{whose} ", menu.scope.title())
}

fn items(app: &App, menu: &Menu) -> Vec<PopupLine> {
    let order = app.connections.order();
    let items = menu.items(&app.options.keymap).enumerate().map(|(at, item)| {
        let mark = if item.action == Action::SortBy(order.by) { order.mark() } else { "" };
        PopupLine::Item {
            // An item without a key can still be marked and taken.
            key: item.keys.first().map_or_else(|| " ".into(), |key| key.label()),
            text: format!("{} {mark}", item.help).trim_end().to_owned(),
            chosen: at == menu.choice,
        }
    });
    items.collect()
}

fn column_items(menu: &ColumnMenu) -> Vec<PopupLine> {
    let item = |(at, (column, shown)): (usize, &(Column, bool))| PopupLine::Item {
        key: if *shown { "[x]" } else { "[ ]" }.into(),
        text: column.words().into(),
        chosen: at == menu.choice,
    };
    menu.rows.iter().enumerate().map(item).collect()
}

/// A question, with what a yes would do.
fn confirm(app: &App, question: &Question) -> (String, u16, Vec<PopupLine>) {
    let (title, text, yes, no) = match question {
        Question::CopyRefreshToken(name) => (
            format!(" Copy the refresh token of {name}? "),
            "Anyone who has it has this access until it is revoked or replaced, for years perhaps. Any program can read the clipboard.".to_owned(),
            "copy it",
            "do not",
        ),
        Question::SendAgain(name) => (
            format!(" Send the refresh token of {name} again? "),
            "If the provider has replaced it, it may revoke all tokens of this login. A new login is safe.".to_owned(),
            "send it",
            "go back",
        ),
        Question::Logout(name) => (
            format!(" Log out {name}? "),
            format!("Its access token and refresh token are forgotten here and cannot be brought back; a new login is needed. The connection and its client secret stay. {}", undo::notice(app)),
            "log out",
            "stay",
        ),
        Question::LogoutMarked { connections, hidden } => (
            format!(" Log out {}? ", count(connections.len(), "connection")),
            format!(
                "{}.{} Their access tokens and refresh tokens are forgotten here and cannot be brought back; new logins are needed. The connections and their client secrets stay. {}",
                listed(connections.iter()),
                if *hidden == 0 { String::new() } else { format!(" The filter or a folded group hides {hidden} of them.") },
                undo::notice(app),
            ),
            "log out all",
            "stay",
        ),
        Question::Delete(name) => (
            format!(" Delete {name}? "),
            format!("{WHAT_GOES} {}", undo::notice(app)),
            "delete",
            "keep",
        ),
        Question::ReplaceSubject { connection, change } => {
            let (held, received) = change.names();
            (
                format!(" Replace the tokens of {connection}? "),
                format!("{connection} holds the tokens of {held}; you logged in as {received}. Replace them?"),
                "replace them",
                "keep them",
            )
        }
        Question::QuitPending => (
            " Leave now? ".to_owned(),
            format!("Not logged out or deleted yet: {}. Leaving now keeps everything.", listed(app.pendings.names().into_iter())),
            "leave, and keep them",
            "stay",
        ),
        Question::LeaveReadOnly => (
            " Leave read-only mode? ".to_owned(),
            "manutop refreshes automatically again, and keys that send requests or change connections work.".to_owned(),
            "leave read-only mode",
            "keep watching",
        ),
        Question::UseFiles => (
            " No keyring in this session ".to_owned(),
            "manutop keeps tokens and client secrets in a keyring, and none can be reached here. That is usual over SSH, in WSL and in containers. It can keep them in encrypted files instead: you choose a passphrase, which it asks for at every start.".to_owned(),
            "use encrypted files",
            "not now",
        ),
        Question::Quit => (" Leave now? ".to_owned(), leaving(app), "leave now", "stay until it is saved"),
    };
    let mut lines = words(&text, Tone::Plain);
    lines.push(PopupLine::Text(String::new(), Tone::Plain));
    let label = |action| app.options.keymap.label_in(Scope::Confirm, action);
    let mut choices = vec![(label(Action::Accept), yes, Action::Accept), (label(Action::Cancel), no, Action::Cancel)];
    if matches!(question, Question::SendAgain(_)) {
        choices.push((label(Action::Login), "log in instead", Action::Login));
    }
    lines.push(PopupLine::Keys(keys(choices)));
    (title, WIDTH, lines)
}

fn leaving(app: &App) -> String {
    format!(
        "New tokens are not in the secret store yet: {}. What is in the journal is saved at the next start; what is not even there is lost. Saving is still being tried.",
        listed(app.unsaved().iter())
    )
}

/// The first names, and how many more there are.
fn listed<'a>(names: impl ExactSizeIterator<Item = &'a ConnectionName>) -> String {
    let all = names.len();
    let first: Vec<_> = names.take(NAMES).map(ConnectionName::as_str).collect();
    let more = all - first.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", first.join(", "))
}

/// Why a login, or an import, has failed.
fn login_failed(app: &App, is_import: bool, connection: &ConnectionName, why: &str) -> (String, u16, Vec<PopupLine>) {
    let (what, login) = if is_import { ("Import", "log in") } else { ("Login", "try again") };
    let mut lines = words(why, Tone::Status(Severity::Bad));
    let label = |action| app.options.keymap.label_in(Scope::LoginFailed, action);
    lines.push(PopupLine::Text(String::new(), Tone::Plain));
    lines.push(PopupLine::Keys(keys(vec![
        (label(Action::Login), login, Action::Login),
        (label(Action::Cancel), "close", Action::Cancel),
    ])));
    (format!(" ✖ {what} failed: {connection} "), WIDTH, lines)
}

fn words(text: &str, tone: Tone) -> Vec<PopupLine> {
    wrap(text, usize::from(WIDTH) - 4).into_iter().map(|line| PopupLine::Text(line, tone)).collect()
}

/// Keys with their words, four columns apart.
fn keys(keys: Vec<(String, &'static str, Action)>) -> Vec<Hint> {
    let mut x = 0;
    let place = |(key, word, action): (String, &'static str, Action)| {
        let hint = Hint { x, key, word: word.into(), action };
        x += hint.width() + 4;
        hint
    };
    keys.into_iter().map(place).collect()
}
