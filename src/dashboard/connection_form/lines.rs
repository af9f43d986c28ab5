//! What the form shows, line by line.

use crate::config::{FieldKind, default_text};
use crate::dashboard::connection_form::{Confirm, Form, FormRow};
use crate::dashboard::widgets::sheet::wrap;
use crate::domain::text::neutralise;

/// A line of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormLine {
    /// A row: its label and what is in it.
    Row {
        /// Which row.
        row: usize,
        /// Its label.
        label: &'static str,
        /// Whether a connection cannot do without it.
        required: bool,
        /// What is in it.
        value: FormValue,
    },
    /// Why the row above is not right yet, and whether this is the beginning of it.
    Fault(String, bool),
    /// What the row above is for.
    Help(String),
}

/// What a row shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormValue {
    /// The field that is typed into.
    Typing,
    /// Text that was filled in.
    Text(String),
    /// What it means when it is left empty.
    Default(String),
    /// One of some choices.
    Choice(String),
    /// What is under a heading, and whether that is unfolded.
    Fold(String, bool),
    /// A secret: dots only; whether it is typed into.
    Hidden {
        /// A dot a character.
        dots: String,
        /// Whether it is typed into.
        typing: bool,
    },
}

/// All lines of the form in `width` columns, and the first and last of the row that is typed into.
#[must_use]
pub fn lines(form: &Form, width: usize) -> (Vec<FormLine>, (usize, usize)) {
    let mut lines = Vec::new();
    let mut focus = (0, 0);
    for (at, row) in form.rows().into_iter().enumerate() {
        let focused = at == form.focus();
        let first = lines.len();
        lines.push(FormLine::Row {
            row: at,
            label: label(row),
            required: is_required(row),
            value: value(form, row, focused),
        });
        for fault in form.faults_of(row) {
            let parts = wrap(&fault.what, width).into_iter().enumerate();
            lines.extend(parts.map(|(part, text)| FormLine::Fault(text, part == 0)));
        }
        if focused {
            lines.extend(wrap(&help(form, row), width).into_iter().map(FormLine::Help));
            focus = (first, lines.len() - 1);
        }
    }
    (lines, focus)
}

impl Form {
    /// What is being done, or what prevents it, in one line; empty while there is nothing.
    #[must_use]
    pub fn message(&self) -> (bool, String) {
        match (&self.refused, self.to_confirm) {
            _ if self.saving => (true, "saving".into()),
            (Some(why), _) => (false, neutralise(why, 300)),
            (None, Some(Confirm::Replace)) => (false, "Replaces the present tokens. Save again to confirm".into()),
            (None, Some(Confirm::Leave)) => (false, "Unsaved changes. Esc again discards them".into()),
            (None, None) => (true, String::new()),
        }
    }

    /// The field that is typed into.
    #[must_use]
    pub fn input(&self) -> &crate::dashboard::widgets::text_field::TextField {
        &self.input
    }
}

fn label(row: FormRow) -> &'static str {
    match row {
        FormRow::Key(field) => field.label,
        FormRow::Secret => "Client secret",
        FormRow::RefreshToken => "Refresh token",
        FormRow::Advanced => "Advanced",
    }
}

/// Whether a connection cannot do without what is typed there.
fn is_required(row: FormRow) -> bool {
    matches!(row, FormRow::Key(field) if field.required && field.kind != FieldKind::Provider)
}

fn help(form: &Form, row: FormRow) -> String {
    match row {
        FormRow::Key(field) if field.kind == FieldKind::Provider || field.kind == FieldKind::Switch => {
            format!("{} (left, right or space changes it)", field.help)
        }
        FormRow::Key(field) => {
            let needed = if field.required { "" } else { " (may be left empty)" };
            format!("{}{needed}", field.help)
        }
        FormRow::Secret if form.secret_comes_from_a_command() => "A program is asked for it, see Advanced".into(),
        FormRow::Secret if form.changes().is_none() => {
            "From the provider, with the client ID; kept in the secret store, never in the file".into()
        }
        FormRow::Secret => "Kept in the secret store, never in the file".into(),
        FormRow::Advanced if form.unfolded => "Enter folds these rows".into(),
        FormRow::Advanced => "Enter shows these rows; all of them may be left as they are".into(),
        FormRow::RefreshToken => "From Postman or another program; it is replaced at once (may be left empty)".into(),
    }
}

fn value(form: &Form, row: FormRow, focused: bool) -> FormValue {
    let field = match row {
        FormRow::Key(field) => field,
        FormRow::Secret => return secret(form, focused),
        FormRow::RefreshToken => return FormValue::Hidden { dots: form.refresh_token.dots(), typing: focused },
        FormRow::Advanced => return FormValue::Fold(folded(form), form.unfolded),
    };
    if !form.choices(row).is_empty() {
        return FormValue::Choice(in_words(form, field.kind, form.chosen(row)));
    }
    let text = form.draft.get(field.key);
    match default_text(form.provider(), field.key) {
        _ if focused && !text.is_empty() => FormValue::Typing,
        Some(default) if text.is_empty() => FormValue::Default(default.to_owned()),
        _ if focused => FormValue::Typing,
        _ => FormValue::Text(neutralise(text, 500)),
    }
}

/// What is under *Advanced*: what was filled in there, or what there is to fill in.
fn folded(form: &Form) -> String {
    let is_set = |row: &FormRow| match row {
        FormRow::Key(field) => !form.draft.get(field.key).is_empty(),
        _ => !form.refresh_token.is_empty(),
    };
    let names = |rows: Vec<FormRow>| rows.into_iter().map(label).collect::<Vec<_>>().join(", ");
    let set: Vec<_> = form.folded_rows().filter(is_set).collect();
    if set.is_empty() { names(form.folded_rows().collect()) } else { format!("set: {}", names(set)) }
}

fn in_words(form: &Form, kind: FieldKind, chosen: &str) -> String {
    match (kind, chosen) {
        (FieldKind::Switch, "true") => "on".into(),
        (FieldKind::Switch, _) => "off".into(),
        _ => form.provider().title.to_owned(),
    }
}

fn secret(form: &Form, focused: bool) -> FormValue {
    let dots = form.secret.dots();
    match (form.changes(), dots.is_empty()) {
        _ if form.secret_comes_from_a_command() => FormValue::Default("from a command, see Advanced".into()),
        (Some(_), true) if !focused => FormValue::Default("as it is stored; type to replace it".into()),
        _ => FormValue::Hidden { dots, typing: focused },
    }
}
