//! The footer: the keys that apply now, fitted to the width, the most important ones kept.
//!
//! Computed here, not while drawing, so that a click on a word finds its action.

use chrono::{DateTime, Utc};
use unicode_width::UnicodeWidthStr;

use crate::dashboard::action::Action;
use crate::dashboard::connections::marked;
use crate::dashboard::details::remedy::remedy;
use crate::dashboard::keymap::key::Key;
use crate::dashboard::keymap::{KeyBinding, Scope};
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::Screen;
use crate::dashboard::{App, request_log};
use crate::domain::{Activity, ConnectionView, LoginView, Redirect, Status};

/// One word of the footer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Its first column.
    pub x: u16,
    /// The key.
    pub key: String,
    /// What it does.
    pub word: &'static str,
    /// The same for the program.
    pub action: Action,
}

impl Hint {
    /// How many columns key and word take.
    #[must_use]
    pub fn width(&self) -> u16 {
        u16::try_from(self.key.width() + 1 + self.word.width()).unwrap_or(u16::MAX)
    }
}

/// The hints that fit into `width` columns, in the order of the table.
#[must_use]
pub fn hints(app: &App, width: u16, now: DateTime<Utc>) -> Vec<Hint> {
    let scopes = app.scopes();
    let mut bindings: Vec<(usize, &KeyBinding, Key)> = app
        .options
        .keymap
        .bindings()
        .iter()
        .filter(|binding| !binding.word.is_empty() && scopes.contains(&binding.scope))
        .filter(|binding| applies(app, binding, now))
        // A key that a more special scope has means that there, and has its word there.
        .filter(|binding| {
            let before = scopes.iter().take_while(|scope| **scope != binding.scope);
            !before
                .flat_map(|scope| app.options.keymap.of(*scope))
                .any(|other| other.keys.first() == binding.keys.first())
        })
        .filter_map(|binding| Some((binding, *binding.keys.first()?)))
        .enumerate()
        .map(|(place, (binding, key))| (place, binding, key))
        .collect();
    // What mends the connection comes first: it is what a glance at the footer is for.
    let mends: Vec<_> = app
        .subject()
        .and_then(|view| remedy(view, now))
        .map_or_else(Vec::new, |way| way.first.into_iter().chain(way.keys).collect());
    bindings.sort_by_key(|(_, binding, _)| {
        let helps = mends.iter().any(|(action, _)| *action == binding.action);
        (!helps, rank(app, binding))
    });
    let mut used = 1;
    bindings.retain(|(_, binding, key)| {
        let needs = key.label().width() + 1 + word(app, binding, now).width() + 2;
        let fits = used + needs <= usize::from(width) + 2;
        if fits {
            used += needs;
        }
        fits
    });
    bindings.sort_by_key(|(place, _, _)| *place);
    let mut x = 1;
    let place = |(_, binding, key): (usize, &KeyBinding, Key)| {
        let hint = Hint { x, key: key.label(), word: word(app, binding, now), action: binding.action };
        x += hint.width() + 2;
        hint
    };
    bindings.into_iter().map(place).collect()
}

/// How important the key is here: on a group, and in the log, Enter is what one came for, and in
/// the log its own keys come before those of the connection.
fn rank(app: &App, binding: &KeyBinding) -> u8 {
    let in_log = app.mode == Screen::Normal && app.pane == Pane::Requests;
    match (binding.scope, binding.action) {
        (Scope::Main, Action::Open) if in_log || app.connections.selected_group().is_some() => 2,
        (Scope::Connection, _) if in_log => binding.rank.saturating_add(5),
        _ => binding.rank,
    }
}

/// What the key does here, where that is not what its word in the table says.
fn word(app: &App, binding: &KeyBinding, now: DateTime<Utc>) -> &'static str {
    match (binding.scope, binding.action) {
        (Scope::Main, Action::Open) if app.pane != Pane::Requests => match app.connections.selected_group() {
            Some(group) if group.folded => "unfold",
            Some(_) => "fold",
            None => binding.word,
        },
        (Scope::Main, Action::Cancel) => {
            let waits = app.subject().is_some_and(|view| matches!(view.status(now), Status::WaitingForLock { .. }));
            if waits && !request_log::update::is_filtered(app) { binding.word } else { "clear" }
        }
        (Scope::Unlock, Action::Accept) if app.passphrase == Some(true) => "choose",
        _ => binding.word,
    }
}

/// Whether pressing the key would do something now.
pub(crate) fn applies(app: &App, binding: &KeyBinding, now: DateTime<Utc>) -> bool {
    let selected = app.subject();
    let status = selected.map(|view| view.status(now));
    if marked::goes_to_marked(app, binding.action) {
        return true;
    }
    match binding.action {
        Action::Login => selected.is_some() || matches!(app.mode, Screen::LoginFailed { .. }),
        Action::Refresh
        | Action::ForceRefresh
        | Action::ToggleAuto
        | Action::Edit
        | Action::Delete
        | Action::OpenFaultMenu => selected.is_some(),
        Action::CopyAccessToken | Action::OpenCopyMenu | Action::Test | Action::Logout => {
            selected.and_then(ConnectionView::token).is_some()
        }
        Action::ShowQr => selected.is_some_and(waits_for_a_paste),
        Action::CopyRequest | Action::OpenExportMenu => app.requests.shown() > 0,
        Action::Unlock => app.passphrase.is_some(),
        Action::OpenSortMenu | Action::ToggleGroups | Action::Mark | Action::MarkAll => {
            !app.connections.all().is_empty()
        }
        Action::Filter | Action::NextPane | Action::Open | Action::Timeline if binding.scope == Scope::Main => {
            !app.connections.all().is_empty()
        }
        Action::Freeze if app.connections.all().is_empty() => false,
        Action::Freeze => app.requests.shown() > 0 || app.requests.frozen().is_some(),
        Action::Cancel if binding.scope == Scope::Main => {
            matches!(status, Some(Status::WaitingForLock { .. }))
                || !app.connections.filter().is_empty()
                || app.connections.marks().0 > 0
                || request_log::update::is_filtered(app)
        }
        _ => true,
    }
}

/// A login whose browser may be on any device.
fn waits_for_a_paste(view: &ConnectionView) -> bool {
    matches!(&view.activity, Activity::LoggingIn(LoginView { redirect: Redirect::Pasted { .. }, .. }))
}
