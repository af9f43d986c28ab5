//! Keys in the form.

use chrono::{DateTime, Utc};

use crate::config::{Draft, FieldKind};
use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::connection_form::{Confirm, Form, FormRow, Template};
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::frame::message_line::reason;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::secret_field::SecretField;
use crate::domain::{Connection, ConnectionName, FieldFault, Problem, Severity};

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
        self.begun = self.draft.clone();
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
        match self.rows().iter().position(|row| Some(row.key()) == first) {
            Some(row) => self.enter(row),
            None => self.refused = faults.first().map(|fault| fault.what.clone()),
        }
        self.faults = faults;
    }

    fn handed_over(&mut self) -> Effect {
        self.saving = true;
        let client_secret =
            (!self.secret.is_empty() && !self.secret_comes_from_a_command()).then(|| self.secret.secret());
        let refresh_token = self.taken_over().map(SecretField::secret);
        Effect::Save { draft: Box::new(self.draft.clone()), client_secret, refresh_token }
    }
}

/// What a form needs to know of the world around it.
struct FormContext<'a> {
    configured: &'a [Connection],
    templates: &'a [Template],
    /// Whether the connection that is changed has tokens worth keeping.
    has_tokens: bool,
}

/// Whether the connection that is changed has tokens that a person would miss.
fn has_tokens(app: &App) -> bool {
    let Screen::Form(form) = app.screens.top() else { return false };
    let view = form.changes().and_then(|name| app.connections.get(name));
    view.is_some_and(|view| view.token().is_some() && !matches!(view.problem, Some(Problem::NeedsLogin { .. })))
}

/// Carries out an action in the form.
pub(in crate::dashboard) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    let has_tokens = has_tokens(app);
    let around = FormContext { configured: &app.configured, templates: &app.options.templates, has_tokens };
    let Screen::Form(form) = app.screens.top_mut() else { return Flow::NOTHING };
    if form.saving && action != Action::Cancel {
        return Flow::NOTHING;
    }
    let row = form.row();
    match action {
        Action::Down => form.enter((form.focus + 1) % form.rows().len()),
        Action::Up => form.enter(form.focus.checked_sub(1).unwrap_or(usize::MAX)),
        Action::Accept if form.focus + 1 < form.rows().len() => form.enter(form.focus + 1),
        Action::Accept | Action::Save => return save(form, &around),
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
            } else if !is_choice && form.input.act(action) {
                form.take_over(around.configured);
            }
        }
    }
    Flow::NOTHING
}

/// Hands over what is right; otherwise goes to the first row that is not.
fn save(form: &mut Form, around: &FormContext<'_>) -> Flow {
    let is_confirmed = form.to_confirm == Some(Confirm::Replace);
    form.check(around.configured);
    if form.faults.is_empty() {
        let replaces = around.has_tokens && form.taken_over().is_some();
        form.to_confirm = (replaces && !is_confirmed).then_some(Confirm::Replace);
        return if form.to_confirm.is_some() { Flow::NOTHING } else { Flow::effect(form.handed_over()) };
    }
    form.refuse(form.faults.clone());
    Flow::NOTHING
}

/// Typed text goes into the row; in a row of choices, a blank takes the next one.
pub(in crate::dashboard) fn type_text(app: &mut App, text: &str) {
    let has_tokens = has_tokens(app);
    let around = FormContext { configured: &app.configured, templates: &app.options.templates, has_tokens };
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
