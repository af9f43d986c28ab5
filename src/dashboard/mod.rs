//! The dashboard's state, and the one function that changes it.
//!
//! [`update`] is pure: the same state, message and `now` give the same state and the same
//! commands. Drawing ([`crate::dashboard::draw`]) only reads. Neither ever holds a token: the state is made of
//! [`ConnectionView`]s and [`LogEntry`]s, which have none.

pub mod action;
pub mod availability;
pub mod command_palette;
pub mod connection_form;
pub mod connections;
pub mod details;
pub mod dialogs;
pub mod dispatch;
pub mod draw;
pub mod effect;
pub mod events;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod flow;
pub mod frame;
pub mod fuzzy;
pub mod help;
pub mod kept_view;
pub mod keymap;
pub mod layout;
pub mod login;
pub mod main_screen;
pub mod mouse;
pub mod msg;
pub mod read_only;
pub mod reading;
pub mod request_log;
pub mod screen;
pub mod settings;
#[cfg(test)]
pub(crate) mod tests;
pub mod theme;
pub mod timeline;
pub mod tour;
pub mod undo;
pub mod unlock;
pub mod widgets;

use std::collections::BTreeSet;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use crossterm::event::{Event as InputEvent, KeyEventKind};
use ratatui::layout::{Position, Size};

use crate::dashboard::action::Action;
use crate::dashboard::connection_form::Template;
use crate::dashboard::connections::Connections;
use crate::dashboard::connections::chosen_columns::ChosenColumns;
use crate::dashboard::details::token_history;
use crate::dashboard::effect::Effect;
use crate::dashboard::frame::message_line::StatusMessage;
use crate::dashboard::keymap::Keymap;
use crate::dashboard::layout::Pane;
pub use crate::dashboard::msg::Msg;
use crate::dashboard::request_log::Requests;
use crate::dashboard::screen::{Screen, Screens};
use crate::dashboard::theme::appearance::Appearance;
use crate::dashboard::timeline::Timeline;
use crate::dashboard::tour::Tour;
use crate::dashboard::widgets::sheet::Sheet;
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::text::neutralise;
use crate::domain::{
    Connection, ConnectionName, ConnectionView, KeepaliveProcess, LogEntry, Problem, Provider, Severity,
};
use crate::format::time::Zone;

/// How the dashboard is shown, settled at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardOptions {
    /// The theme, and what the terminal can do for it.
    pub appearance: Appearance,
    /// Whether its theme was named on the command line, over whatever the configuration says.
    pub theme_is_fixed: bool,
    /// Nothing but ASCII on the screen.
    pub ascii: bool,
    /// The zone moments are shown in.
    pub zone: Zone,
    /// The configuration file, for the welcome.
    pub config_file: PathBuf,
    /// The keys.
    pub keymap: Keymap,
    /// The providers there are.
    pub providers: &'static [&'static Provider],
    /// What new connections begin with.
    pub templates: Vec<Template>,
    /// Whether these are the demo's servers, so that no one takes them for the real ones.
    pub demo: bool,
}

/// The dashboard's whole state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own")]
pub struct App {
    pub(crate) options: DashboardOptions,
    pub(crate) size: Size,
    /// The connections as they are configured.
    pub(crate) configured: Vec<Connection>,
    pub(crate) connections: Connections,
    pub(crate) columns: ChosenColumns,
    pub(crate) requests: Requests,
    /// The filter as it is typed; the connections know what passes it.
    pub(crate) filter: TextField,
    pub(crate) pane: Pane,
    pub(crate) screens: Screens,
    pub(crate) timeline: Timeline,
    /// The first line shown of the details pane, or of the welcome.
    pub(crate) scroll: usize,
    pub(crate) message: Option<StatusMessage>,
    /// Why the secret store cannot be used.
    pub(crate) store_problem: Option<String>,
    /// No keyring can be reached, and encrypted files can take its place.
    pub(crate) offers_files: bool,
    /// A person chose encrypted files: the question for their passphrase may cover anything.
    pub(crate) wants_files: bool,
    /// What stands between the configuration file and what is worked with.
    pub(crate) config_problem: Option<String>,
    /// The keepalive service that leads beside this dashboard.
    pub(crate) keepalive: Option<KeepaliveProcess>,
    /// The encrypted store waits for its passphrase; whether that is to be chosen.
    pub(crate) passphrase: Option<bool>,
    /// A connection that was added here: selected as soon as it appears.
    pub(crate) awaited: Option<ConnectionName>,
    /// Logins asked for here: only theirs may open the dialog.
    pub(crate) logins_asked: BTreeSet<ConnectionName>,
    /// Nothing is announced beyond the screen and the title: no notification, no bell. What
    /// `on_event` names is run all the same.
    pub(crate) quiet: bool,
    /// What is about to be logged out or deleted.
    pub(crate) pendings: undo::Pendings,
    /// Whether it only watches: nothing is sent, and no connection is changed.
    pub(crate) read_only: bool,
    /// Whether the mouse is reported; otherwise it is the terminal's.
    pub(crate) mouse: bool,
    /// The guided tour, while a person is on it.
    pub(crate) tour: Option<Tour>,
    /// What was last typed or chosen on the command line, the latest first.
    pub(crate) recent: Vec<TextField>,
    /// Where and when the mouse was last clicked: a second click there soon after is a double one.
    pub(crate) last_click: Option<(Position, DateTime<Utc>)>,
}

impl App {
    /// A dashboard of these connections, in this order, with the log read from disk, oldest
    /// first. Where there are none yet, it begins with the welcome.
    #[must_use]
    pub fn new(views: Vec<ConnectionView>, log: Vec<LogEntry>, options: DashboardOptions, now: DateTime<Utc>) -> Self {
        Self {
            options,
            size: Size::new(80, 24),
            configured: Vec::new(),
            connections: Connections::new(views, now),
            columns: ChosenColumns::default(),
            requests: Requests::new(log),
            filter: TextField::default(),
            pane: Pane::default(),
            screens: Screens::default(),
            timeline: Timeline::default(),
            scroll: 0,
            message: None,
            store_problem: None,
            offers_files: false,
            wants_files: false,
            config_problem: None,
            keepalive: None,
            passphrase: None,
            awaited: None,
            logins_asked: BTreeSet::new(),
            quiet: false,
            pendings: undo::Pendings::default(),
            read_only: false,
            mouse: true,
            tour: None,
            recent: Vec::new(),
            last_click: None,
        }
    }

    /// Informs a person who looks at the demo that it is one, and what to try.
    pub fn greet(&mut self, now: DateTime<Utc>) {
        let [help, tour, faults] =
            [Action::Help, Action::StartTour, Action::OpenFaultMenu].map(|action| self.key(action));
        let text = format!("Demo: {help} keys · {tour} guided tour · {faults} break something");
        self.message = Some(StatusMessage { connection: None, severity: Severity::Good, text, at: now, greets: true });
    }

    /// Takes over the connections as they are configured, for the form.
    pub fn configure(&mut self, connections: Vec<Connection>) {
        self.configured = connections;
    }

    /// The zone moments are shown in.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.options.zone
    }

    /// The worst any connection, or the secret store, is in: for a window title, say.
    #[must_use]
    pub fn worst(&self) -> Severity {
        if self.store_problem.is_some() {
            return Severity::Bad;
        }
        let config = if self.config_problem.is_some() { Severity::Warning } else { Severity::Quiet };
        self.connections.status_counts().worst().unwrap_or(Severity::Quiet).max(config)
    }

    /// The connections whose newest tokens are not in the store yet; leaving asks while there are.
    #[must_use]
    pub fn unsaved(&self) -> &BTreeSet<ConnectionName> {
        self.connections.unsaved()
    }

    /// The connection that keys act on.
    pub(crate) fn subject(&self) -> Option<&ConnectionView> {
        self.subject_of(self.screens.top())
    }

    /// The connection that keys on a screen act on.
    pub(crate) fn subject_of(&self, screen: &Screen) -> Option<&ConnectionView> {
        match screen.connection() {
            Some(connection) => self.connections.get(connection),
            None if screen.acts_on_the_selection() => self.connections.selected(),
            None => None,
        }
    }

    /// Whether `Esc` on the main screen clears the log's filter: the log has the keyboard, and is filtered.
    pub(crate) fn log_is_filtered(&self) -> bool {
        self.pane == Pane::Requests && self.requests.filter().is_active()
    }

    /// The layout's inputs.
    pub(crate) fn shape(&self) -> layout::Shape {
        layout::Shape {
            connections: self.connections.all().len() + self.connections.headings(),
            banner: self.banner().is_some(),
            pane: self.pane,
            tour: self.tour_rows(self.size),
        }
    }

    /// What the banner says: what endangers tokens, then what keeps a changed configuration away.
    pub(crate) fn banner(&self) -> Option<String> {
        let unsaved = self.unsaved();
        if let Some(name) = unsaved.first() {
            let more = unsaved.len() - 1;
            let whose = if more == 0 { name.to_string() } else { format!("{name} and {more} more") };
            let why = match self.connections.get(name).and_then(|view| view.problem.as_ref()) {
                Some(problem @ Problem::NotSaved { why, .. }) => {
                    let place = if problem.is_in_memory_only() { ", in memory only; keep manutop running" } else { "" };
                    format!("{place}: {}", neutralise(&why.to_string(), 300))
                }
                _ => String::new(),
            };
            return Some(format!("{whose}: new tokens not saved yet{why}"));
        }
        self.store_problem.clone().or_else(|| self.config_problem.clone())
    }

    /// The key of an action, as it is written: for sentences such as "l logs in".
    #[must_use]
    pub fn key(&self, action: Action) -> String {
        self.options.keymap.label(action)
    }

    /// Filters the connections.
    fn set_filter(&mut self, filter: TextField, now: DateTime<Utc>) {
        self.connections.set_filter(filter.text(), now);
        self.filter = filter;
    }

    /// Warns in the message line, in words of the program's own.
    pub fn warn(&mut self, text: impl Into<String>, now: DateTime<Utc>) {
        self.say(None, Severity::Warning, text, now);
    }

    fn say(
        &mut self,
        connection: Option<&ConnectionName>,
        severity: Severity,
        text: impl Into<String>,
        now: DateTime<Utc>,
    ) {
        let message =
            StatusMessage { connection: connection.cloned(), severity, text: text.into(), at: now, greets: false };
        // News of the selected connection is most likely the answer to the last key.
        let is_answer = connection.is_some() && connection == self.connections.selected_before();
        if is_answer || self.message.as_ref().is_none_or(|old| message.may_replace(old)) {
            self.message = Some(message);
        }
    }

    /// Brings windows and scrolled texts back to where there is something to see.
    fn settle(&mut self, now: DateTime<Utc>) {
        let Some(areas) = layout::areas(self.size, self.shape()) else { return };
        let rows = if *self.screens.top() == Screen::Timeline {
            timeline::update::rows(self)
        } else {
            layout::rows(areas.connections).height.into()
        };
        self.connections.settle(rows);
        if let Some(area) = areas.requests {
            self.requests.settle(layout::rows(area).height.into());
        }
        // At its beginning a text is wherever it ends.
        let scroll = *self.scroll_mut();
        if scroll > 0
            && let Some((lines, height)) = self.extent(self.size, now)
        {
            *self.scroll_mut() = Sheet::clamp(lines, height, scroll);
        }
        if let Screen::Login(dialog) = self.screens.top()
            && let Some(screen) = login::layout::screen(self, dialog, self.size, now)
        {
            *self.scroll_mut() = screen.first;
        }
    }
}

/// Takes in one message; answers with what is to be done about it.
#[must_use]
pub fn update(app: &mut App, msg: Msg, now: DateTime<Utc>) -> Vec<Effect> {
    let mut effects = receive(app, msg, now);
    effects.extend(follow(app));
    effects
}

/// Brings along what follows from the connections.
#[must_use]
pub fn follow(app: &mut App) -> Option<Effect> {
    request_log::update::follow_selection(app);
    request_log::update::look_further(app).map(Effect::Log)
}

/// Takes in one message of many; [`follow`] comes after the last, as it reads what each event of a burst would compute.
#[must_use]
pub fn receive(app: &mut App, msg: Msg, now: DateTime<Utc>) -> Vec<Effect> {
    let mut effects = match msg {
        Msg::Event(event) => {
            tour::observe(app, &event);
            let mut effects = events::learn(app, event, now);
            effects.extend(token_history::ask(app).map(Effect::from));
            return effects;
        }
        Msg::Log(news) => {
            request_log::update::take_answer(app, news, now);
            app.settle(now);
            return Vec::new();
        }
        Msg::Tick => {
            app.connections.tick(now);
            if app.message.as_ref().is_some_and(|message| !message.lives(now)) {
                app.message = None;
            }
            timeline::update::look_back(app, now);
            return undo::tick(app);
        }
        Msg::Background(background) => {
            app.options.appearance.background = Some(background);
            return Vec::new();
        }
        Msg::Input(InputEvent::Key(key)) if key.kind != KeyEventKind::Release => dispatch::key(app, &key, now),
        // What was on its way when the mouse was switched off.
        Msg::Input(InputEvent::Mouse(_)) if !app.mouse => return Vec::new(),
        Msg::Input(InputEvent::Mouse(event)) => mouse::event(app, event, now),
        Msg::Input(InputEvent::Paste(text)) => {
            dispatch::paste(app, &text, now);
            Vec::new()
        }
        Msg::Input(InputEvent::Resize(width, height)) => {
            app.size = Size { width, height };
            Vec::new()
        }
        Msg::Input(InputEvent::Key(_) | InputEvent::FocusGained | InputEvent::FocusLost) => return Vec::new(),
    };
    tour::check(app);
    app.settle(now);
    effects.extend(token_history::ask(app).map(Effect::from));
    timeline::update::look_back(app, now);
    effects
}
