//! Keys in the form.

use chrono::{DateTime, Utc};

use crate::config;
use crate::config::{Draft, FieldKind, suggested_text};
use crate::dashboard::action::Action;
use crate::dashboard::connection_form::{Confirm, Form, FormRow, Template};
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::frame::message_line::reason;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::secret_field::SecretField;
use crate::dashboard::{App, unlock};
use crate::domain::{Command, Connection, ConnectionName, FieldFault, Problem, Severity};

/// A form for a new connection, or for the one that is changed.
pub(in crate::dashboard) fn opened(app: &App, changes: Option<&ConnectionName>) -> Option<Form> {
    let providers = app.options.providers;
    let draft = if let Some(name) = changes {
        Draft::of(app.configured.iter().find(|connection| connection.name == *name)?)
    } else {
        let mut draft = Draft::default();
        draft.set("provider", providers.first()?.id);
        draft
    };
    let is_new = changes.is_none();
    let mut form = Form::new(draft, providers, &app.configured);
    if is_new {
        form.fill_in(&app.options.templates);
        form.check(&app.configured);
    }
    Some(form)
}

impl Form {
    /// Puts what the provider's template knows where nothing was typed yet.
    fn fill_in(&mut self, templates: &[Template]) {
        let provider = self.provider();
        for template in templates {
            let is_own = template.draft.provider(self.providers) == Some(provider);
            for row in self.rows() {
                let key = row.key();
                let theirs = template.draft.get(key);
                // What another provider's template filled in is no use here.
                if is_own && !theirs.is_empty() {
                    self.draft.set(key, theirs);
                } else if !is_own && key != "provider" && self.draft.get(key) == theirs {
                    self.draft.set(key, "");
                }
            }
            if let (true, Some(secret)) = (is_own, &template.client_secret) {
                self.secret.clear();
                self.secret.push_words(secret.expose());
            }
        }
        for field in config::fields(provider) {
            let suggested = suggested_text(provider, field.key).filter(|_| self.draft.get(field.key).is_empty());
            if let Some(text) = suggested {
                self.draft.set(field.key, text);
            }
        }
        self.begun = self.draft.clone();
    }

    /// What Enter does in the row: goes on to the next one, folds or unfolds those under *Advanced*, or saves.
    pub(in crate::dashboard) fn on_enter(&self) -> OnEnter {
        let rows = self.rows();
        match (&rows[self.focus.min(rows.len() - 1)], rows.get(self.focus + 1)) {
            (FormRow::Advanced, _) if self.unfolded => OnEnter::Fold,
            (FormRow::Advanced, _) => OnEnter::Unfold,
            (_, Some(FormRow::Advanced)) if self.unfolded => OnEnter::GoTo(self.focus + 2),
            (_, Some(FormRow::Advanced) | None) => OnEnter::Save,
            (_, Some(_)) => OnEnter::GoTo(self.focus + 1),
        }
    }

    /// The next choice of a row that has some, or the one before.
    fn choose(&mut self, row: FormRow, step: isize, app: &FormContext<'_>) {
        let choices = self.choices(row);
        let count = isize::try_from(choices.len()).unwrap_or(1).max(1);
        let at = choices.iter().position(|choice| *choice == self.chosen(row)).unwrap_or(0);
        let next = (isize::try_from(at).unwrap_or(0) + step).rem_euclid(count);
        let Some(choice) = choices.get(next.unsigned_abs()) else { return };
        self.input.clear();
        self.input.push(choice);
        self.take_over(app.configured);
        if self.changes().is_none() && matches!(row, FormRow::Key(field) if field.kind == FieldKind::Provider) {
            self.fill_in(app.templates);
            self.check(app.configured);
        }
    }

    /// Shows what is wrong and goes to the first row that is.
    fn refuse(&mut self, faults: Vec<FieldFault>) {
        self.saving = false;
        self.touched.extend(faults.iter().map(|fault| fault.key));
        let first = faults.first().map(|fault| fault.key);
        self.unfolded |= self.folded_rows().any(|row| Some(row.key()) == first);
        match self.rows().iter().position(|row| Some(row.key()) == first) {
            Some(row) => self.enter(row),
            None => self.refused = faults.first().map(|fault| fault.what.clone()),
        }
        self.faults = faults;
    }

    /// Whether saving puts a secret into the store.
    fn hands_over_a_secret(&self) -> bool {
        self.hands_over_client_secret() || self.taken_over().is_some()
    }

    fn hands_over_client_secret(&self) -> bool {
        !self.secret.is_empty() && !self.secret_comes_from_a_command()
    }

    fn handed_over(&mut self) -> Effect {
        self.saving = true;
        let client_secret = self.hands_over_client_secret().then(|| self.secret.secret());
        let refresh_token = self.taken_over().map(SecretField::secret);
        Effect::Save { draft: Box::new(self.draft.clone()), client_secret, refresh_token }
    }
}

/// What Enter does in a row of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dashboard) enum OnEnter {
    /// Goes to another row.
    GoTo(usize),
    /// Hides the rows under *Advanced*.
    Fold,
    /// Shows them.
    Unfold,
    /// Saves.
    Save,
}

impl OnEnter {
    /// The footer's word for it.
    pub(in crate::dashboard) fn word(self) -> &'static str {
        match self {
            Self::GoTo(_) => "next",
            Self::Fold => "fold",
            Self::Unfold => "open",
            Self::Save => "save",
        }
    }
}

/// What a form needs to know of the world around it.
struct FormContext<'a> {
    configured: &'a [Connection],
    templates: &'a [Template],
    /// Whether the connection that is changed has tokens worth keeping.
    has_tokens: bool,
    /// Why a secret cannot be stored now.
    store_problem: Option<&'a str>,
    /// What a person has to decide first.
    store_dialog: Option<Screen>,
}

/// Whether the connection that is changed has tokens that a person would miss.
fn has_tokens(app: &App) -> bool {
    let Screen::Form(form) = app.screens.top() else { return false };
    let view = form.changes().and_then(|name| app.connections.get(name));
    view.is_some_and(|view| view.token().is_some() && !matches!(view.problem, Some(Problem::NeedsLogin { .. })))
}

/// Carries out an action in the form.
pub(in crate::dashboard) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    let (has_tokens, store_dialog) = (has_tokens(app), unlock::update::opened(app));
    let store_problem = app.store_problem.as_deref();
    let (configured, templates) = (&app.configured, &app.options.templates);
    let around = FormContext { configured, templates, has_tokens, store_problem, store_dialog };
    let Screen::Form(form) = app.screens.top_mut() else { return Flow::NOTHING };
    if form.saving && action != Action::Cancel {
        return Flow::NOTHING;
    }
    let row = form.row();
    match action {
        Action::Down => form.enter((form.focus + 1) % form.rows().len()),
        Action::Up => form.enter(form.focus.checked_sub(1).unwrap_or(usize::MAX)),
        Action::Save => return save(form, around),
        Action::Accept => match form.on_enter() {
            OnEnter::GoTo(next) => form.enter(next),
            OnEnter::Fold => form.fold(true),
            OnEnter::Unfold => form.fold(false),
            OnEnter::Save => return save(form, around),
        },
        Action::CursorLeft | Action::CursorRight if row == FormRow::Advanced => {
            form.fold(action == Action::CursorLeft);
        }
        Action::Cancel if form.is_changed() && form.to_confirm != Some(Confirm::Leave) && !form.saving => {
            form.to_confirm = Some(Confirm::Leave);
        }
        Action::Cancel => {
            if form.saving {
                app.say(None, Severity::Busy, "the connection is still being saved", now);
            }
            return Flow::CLOSE;
        }
        Action::CursorLeft if !form.choices(row).is_empty() => form.choose(row, -1, &around),
        Action::CursorRight if !form.choices(row).is_empty() => form.choose(row, 1, &around),
        action => {
            let is_choice = !form.choices(row).is_empty();
            if let Some(secret) = form.hidden() {
                match action {
                    Action::Erase => secret.pop(),
                    Action::EraseAll => secret.clear(),
                    _ => {}
                }
            } else if !is_choice && row != FormRow::Advanced && form.input.act(action) {
                form.take_over(around.configured);
            }
        }
    }
    Flow::NOTHING
}

/// Hands over what is right; otherwise goes to the first row that is not.
fn save(form: &mut Form, around: FormContext<'_>) -> Flow {
    let is_confirmed = form.to_confirm == Some(Confirm::Replace);
    form.check(around.configured);
    if form.faults.is_empty() {
        // What was typed stays here until it can be stored.
        if let Some(why) = around.store_problem.filter(|_| form.hands_over_a_secret()) {
            return around.store_dialog.map_or_else(
                || {
                    form.refused = Some(format!("not saved: {why}"));
                    Flow::effect(Command::CheckStore)
                },
                Flow::Open,
            );
        }
        let replaces = around.has_tokens && form.taken_over().is_some();
        form.to_confirm = (replaces && !is_confirmed).then_some(Confirm::Replace);
        return if form.to_confirm.is_some() { Flow::NOTHING } else { Flow::effect(form.handed_over()) };
    }
    form.refuse(form.faults.clone());
    Flow::NOTHING
}

/// Typed text goes into the row; in a row of choices, a blank takes the next one.
pub(in crate::dashboard) fn type_text(app: &mut App, text: &str) {
    let (configured, templates) = (&app.configured, &app.options.templates);
    let around = FormContext { configured, templates, has_tokens: false, store_problem: None, store_dialog: None };
    let Screen::Form(form) = app.screens.top_mut() else { return };
    let row = form.row();
    match row {
        _ if form.saving => {}
        FormRow::Secret | FormRow::RefreshToken => {
            if let Some(secret) = form.hidden() {
                secret.push_words(text);
            }
            form.secret_typed |= row == FormRow::Secret;
            form.to_confirm = None;
        }
        FormRow::Advanced if text == " " => form.fold(form.unfolded),
        FormRow::Advanced => {}
        row if form.choices(row).is_empty() => {
            form.input.push(text);
            form.take_over(around.configured);
        }
        row @ FormRow::Key(_) if text == " " => form.choose(row, 1, &around),
        FormRow::Key(_) => {}
    }
}

/// Pasted text often ends with the line it was copied with; it is one line here.
pub(in crate::dashboard) fn paste(app: &mut App, text: &str) {
    type_text(app, text.trim());
}

/// What was in a form was written, or not.
pub(in crate::dashboard) fn saved(
    app: &mut App,
    connection: &str,
    result: Result<(), Vec<FieldFault>>,
    now: DateTime<Utc>,
) {
    let name = reason(connection);
    match (result, app.screens.top_mut()) {
        (Ok(()), Screen::Form(form)) if form.saving => {
            app.screens.close();
            match ConnectionName::new(connection).ok() {
                Some(known) if app.connections.get(&known).is_some() => {
                    app.say(Some(&known), Severity::Good, "saved", now);
                }
                new => app.awaited = new,
            }
        }
        (Ok(()), _) => app.say(None, Severity::Good, format!("{name} is saved"), now),
        (Err(faults), Screen::Form(form)) if form.saving => form.refuse(faults),
        (Err(faults), _) => {
            let faults: Vec<_> = faults.iter().map(|fault| format!("{} {}", fault.key, fault.what)).collect();
            let text = format!("{name} is not saved: {}", reason(faults.join("; ").trim_start()));
            app.say(None, Severity::Bad, text, now);
        }
    }
}
