//! From key to action, and from action to the screen that carries it out.
//!
//! Invariant: what an action does to the stack of screens is done here and nowhere else.

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::dashboard::action::Action;
use crate::dashboard::availability::{self, Availability};
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::help::HelpScreen;
use crate::dashboard::keymap::Scope;
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::Screen;
use crate::dashboard::{
    App, command_palette, connection_form, connections, dialogs, help, login, main_screen, reading, request_log,
    timeline, tour, undo, unlock,
};
use crate::domain::Command;

impl App {
    /// The scopes whose keys work now, the most special first.
    pub(crate) fn scopes(&self) -> Vec<Scope> {
        let mut scopes = self.tour_scopes().to_vec();
        scopes.extend(self.scopes_of(self.screens.top()));
        scopes
    }

    /// The same on a screen, which may be one below the top.
    pub(crate) fn scopes_of(&self, screen: &Screen) -> Vec<Scope> {
        let mut scopes = Vec::new();
        if !self.pendings.is_empty() && screen.may_be_covered() {
            scopes.push(Scope::Undo);
        }
        if *screen == Screen::Main && self.pane == Pane::Requests && !self.connections.all().is_empty() {
            scopes.push(Scope::Log);
        }
        if *screen == Screen::Main && self.connections.all().is_empty() && !self.options.demo {
            scopes.push(Scope::Welcome);
        }
        scopes.extend(screen.scopes());
        if self.options.demo && matches!(screen, Screen::Main | Screen::Details { .. }) {
            scopes.push(Scope::Demo);
        }
        scopes
    }
}

/// A key: by the table, else as typed text.
pub(crate) fn key(app: &mut App, key: &KeyEvent, now: DateTime<Utc>) -> Vec<Effect> {
    if let Some(action) = app.options.keymap.action(&app.scopes(), key) {
        if key.kind == KeyEventKind::Repeat && !action.repeats() {
            return Vec::new();
        }
        return act(app, action, now);
    }
    let ctrl_or_alt = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
    // Both together are AltGr, which types ordinary characters.
    if let KeyCode::Char(character) = key.code
        && (ctrl_or_alt.is_empty() || ctrl_or_alt == KeyModifiers::CONTROL | KeyModifiers::ALT)
    {
        type_text(app, character.encode_utf8(&mut [0; 4]), now);
    }
    Vec::new()
}

/// Text goes into the field that takes it, if there is one.
fn type_text(app: &mut App, text: &str, now: DateTime<Utc>) {
    match app.screens.top_mut() {
        Screen::Filter => connections::filter::type_text(app, text, now),
        Screen::LogFilter => request_log::update::type_text(app, text),
        Screen::Palette(_) => command_palette::update::edit(app, |field| field.push(text), now),
        Screen::Help(help) => help.type_text(text),
        Screen::Login(dialog) => login::update::type_text(dialog, text),
        Screen::Unlock(dialog) => unlock::update::type_text(dialog, text),
        Screen::Form(_) => connection_form::update::type_text(app, text),
        Screen::Main
        | Screen::Details { .. }
        | Screen::Request { .. }
        | Screen::Timeline
        | Screen::LoginFailed { .. }
        | Screen::Menu(_)
        | Screen::Columns(_)
        | Screen::Confirm(_) => {}
    }
}

/// Pasted text goes into the field there is. Without one it is dropped: it may be anything.
pub(crate) fn paste(app: &mut App, text: &str, now: DateTime<Utc>) {
    match app.screens.top_mut() {
        Screen::Login(dialog) => login::update::paste(dialog, text),
        Screen::Form(_) => connection_form::update::paste(app, text),
        _ => type_text(app, text, now),
    }
}

/// Carries out an action, wherever it came from.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    match availability::of(app, app.screens.top(), action, now) {
        Availability::Available => {
            let flow = carry_out(app, action, now);
            follow(app, flow, now)
        }
        Availability::Refused(severity, why) => {
            let connection = app.subject().map(|view| view.name.clone());
            app.say(connection.as_ref(), severity, why, now);
            Vec::new()
        }
        Availability::Nothing => Vec::new(),
    }
}

fn carry_out(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    match action {
        Action::Suspend => return Flow::effect(Effect::Suspend),
        Action::Quit => return quit(app),
        Action::Help => return Flow::Open(Screen::Help(HelpScreen::default())),
        Action::OpenPalette => return Flow::Open(Screen::Palette(command_palette::update::opened(app, now))),
        Action::Undo => return undo::undo(app, now),
        Action::StartTour | Action::TourNext | Action::TourBack | Action::TourEnd => {
            return tour::act(app, action, now);
        }
        _ => {}
    }
    let flow = match app.screens.top() {
        Screen::Main => main_screen::update::act(app, action, now),
        Screen::Filter => connections::filter::act(app, action, now),
        Screen::LogFilter => request_log::update::in_filter(app, action),
        Screen::Help(_) => help::update::act(app, action),
        Screen::Details { .. } => reading::act(app, action),
        Screen::Request { .. } => request_log::update::on_request(app, action, now),
        Screen::Timeline => timeline::update::act(app, action, now),
        Screen::Login(_) => login::update::act(app, action, now),
        Screen::LoginFailed { .. } => dialogs::update::on_failed_login(app, action),
        Screen::Menu(_) => dialogs::update::on_menu(app, action, now),
        Screen::Columns(_) => connections::column_choice::act(app, action),
        Screen::Form(_) => connection_form::update::act(app, action, now),
        Screen::Palette(_) => command_palette::update::act(app, action, now),
        Screen::Confirm(_) => dialogs::update::on_question(app, action, now),
        Screen::Unlock(_) => unlock::update::act(app, action),
    };
    if flow == Flow::Pass { connections::actions::act(app, action, now) } else { flow }
}

fn quit(app: &App) -> Flow {
    if !app.unsaved().is_empty() {
        Flow::Open(Screen::Confirm(Question::Quit))
    } else if app.pendings.is_empty() {
        Flow::effect(Effect::Quit)
    } else {
        Flow::Open(Screen::Confirm(Question::QuitPending))
    }
}

fn follow(app: &mut App, flow: Flow, now: DateTime<Utc>) -> Vec<Effect> {
    match flow {
        Flow::Done(effects) => effects,
        Flow::Pass => Vec::new(),
        Flow::Open(screen) => {
            let is_new_connection = matches!(&screen, Screen::Form(form) if form.changes().is_none());
            app.screens.open(screen);
            if is_new_connection { before_a_secret(app) } else { Vec::new() }
        }
        Flow::Replace(screen) => {
            app.screens.replace(screen);
            Vec::new()
        }
        Flow::Close(effects) => {
            app.screens.close();
            effects
        }
        Flow::Run(actions) => {
            app.screens.close();
            run(app, actions, now)
        }
        Flow::Restart(mut effects, actions) => {
            app.screens.close_all();
            effects.extend(run(app, actions, now));
            effects
        }
    }
}

/// Before a secret is typed it is known where it can be stored: asks what a person has to decide, and whether a store
/// that did not answer does now.
fn before_a_secret(app: &mut App) -> Vec<Effect> {
    if let Some(dialog) = unlock::update::opened(app) {
        app.screens.open(dialog);
    }
    app.store_problem.iter().map(|_| Command::CheckStore.into()).collect()
}

fn run(app: &mut App, actions: Vec<Action>, now: DateTime<Utc>) -> Vec<Effect> {
    actions.into_iter().flat_map(|action| act(app, action, now)).collect()
}
