//! The form of a connection: new ones and those that are changed.
//!
//! Invariants: what is shown as wrong is what the configuration file's own checker says, key by
//! key; client secret and refresh token live in [`SecretField`]s and are handed over once; the rows shown are
//! those of the provider that is chosen, what is rarely needed folded away under *Advanced*.

pub mod lines;
pub mod update;
pub mod view;

use std::collections::BTreeSet;

use crate::config;
use crate::config::{Draft, FieldKind, default_text, fields};
use crate::dashboard::widgets::secret_field::SecretField;
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::{Connection, ConnectionName, FieldFault, Grant, Provider, Secret};

/// What a new connection begins with, for one provider: the demo fills in its own servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The texts; the provider is among them.
    pub draft: Draft,
    /// The client secret, where it is known.
    pub client_secret: Option<Secret>,
}

/// A row of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormRow {
    /// A key of the configuration.
    Key(&'static config::ConfigField),
    /// The client secret, which goes into the secret store and never into the file.
    Secret,
    /// The line that folds and unfolds what is rarely needed.
    Advanced,
    /// A refresh token to take over, which goes to the provider at once and never into the file.
    RefreshToken,
}

/// A form that is being filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    draft: Draft,
    /// The draft as it was before anything was typed.
    begun: Draft,
    /// The providers to choose from.
    providers: &'static [&'static Provider],
    /// Which row is typed into.
    focus: usize,
    /// Whether the rows under *Advanced* are shown.
    unfolded: bool,
    /// The text of that row, while it is a line of text.
    input: TextField,
    secret: SecretField,
    /// Whether a person typed it: a template may know one.
    secret_typed: bool,
    refresh_token: SecretField,
    /// The keys whose faults are shown: those that were typed into, or all after trying to save.
    touched: BTreeSet<&'static str>,
    faults: Vec<FieldFault>,
    /// Whether it was handed over and is being written.
    saving: bool,
    /// Why it could not be saved.
    refused: Option<String>,
    /// What is done if the same key is pressed again.
    to_confirm: Option<Confirm>,
}

/// What cannot be taken back, and is done only when the same key is pressed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Confirm {
    /// Leaving throws changes away.
    Leave,
    /// Saving replaces the tokens there are.
    Replace,
}

impl Form {
    /// A form of this draft.
    #[must_use]
    pub fn new(draft: Draft, providers: &'static [&'static Provider], others: &[Connection]) -> Self {
        let mut form = Self {
            begun: draft.clone(),
            draft,
            providers,
            focus: 0,
            unfolded: false,
            input: TextField::default(),
            secret: SecretField::default(),
            secret_typed: false,
            refresh_token: SecretField::default(),
            touched: BTreeSet::new(),
            faults: Vec::new(),
            saving: false,
            refused: None,
            to_confirm: None,
        };
        form.check(others);
        form.enter(0);
        form
    }

    /// The connection that is changed; none for a new one.
    #[must_use]
    pub fn changes(&self) -> Option<&ConnectionName> {
        self.draft.changes()
    }

    /// The rows, in their order: the provider first, because the others depend on it; what is required; then what
    /// is rarely needed, if that is unfolded.
    #[must_use]
    pub fn rows(&self) -> Vec<FormRow> {
        let keys = |is_wanted: fn(&config::ConfigField) -> bool| {
            fields(self.provider()).filter(move |field| is_wanted(field)).map(FormRow::Key)
        };
        let mut rows: Vec<_> = keys(|field| field.kind == FieldKind::Provider).collect();
        rows.extend(keys(|field| field.required && field.kind != FieldKind::Provider));
        let after_client_id = rows.iter().position(|row| row.key() == "client_id").map_or(rows.len(), |at| at + 1);
        rows.insert(after_client_id, FormRow::Secret);
        rows.push(FormRow::Advanced);
        if self.unfolded {
            rows.extend(self.folded_rows());
        }
        rows
    }

    /// The rows under *Advanced*.
    fn folded_rows(&self) -> impl Iterator<Item = FormRow> + use<> {
        let refresh_token = self.takes_refresh_token().then_some(FormRow::RefreshToken);
        let optional = fields(self.provider()).filter(|field| !field.required).map(FormRow::Key);
        refresh_token.into_iter().chain(optional)
    }

    /// Folds the rows under *Advanced*, or unfolds them and goes to the first.
    fn fold(&mut self, folded: bool) {
        self.unfolded = !folded;
        let heading = self.rows().iter().position(|row| *row == FormRow::Advanced).unwrap_or_default();
        self.enter(if folded { heading } else { heading + 1 });
    }

    /// Which row is typed into.
    #[must_use]
    pub fn focus(&self) -> usize {
        self.focus
    }

    fn provider(&self) -> &'static Provider {
        self.draft.provider(self.providers).unwrap_or(self.providers[0])
    }

    fn row(&self) -> FormRow {
        let rows = self.rows();
        rows[self.focus.min(rows.len() - 1)]
    }

    /// Goes to a row; past the end, the last one.
    fn enter(&mut self, row: usize) {
        self.focus = row.min(self.rows().len() - 1);
        self.input = match self.row() {
            FormRow::Key(field) => TextField::new(self.draft.get(field.key)),
            FormRow::Secret | FormRow::RefreshToken | FormRow::Advanced => TextField::default(),
        };
    }

    /// Writes what the field holds into the draft.
    fn take_over(&mut self, others: &[Connection]) {
        if let FormRow::Key(field) = self.row() {
            self.draft.set(field.key, self.input.text());
            self.touched.insert(field.key);
        }
        self.check(others);
    }

    fn check(&mut self, others: &[Connection]) {
        self.faults = self.draft.check(others, self.providers).err().unwrap_or_default();
        self.refused = None;
        self.to_confirm = None;
    }

    /// The secret that is typed into, where the row is one.
    fn hidden(&mut self) -> Option<&mut SecretField> {
        match self.row() {
            FormRow::Secret => Some(&mut self.secret),
            FormRow::RefreshToken => Some(&mut self.refresh_token),
            FormRow::Key(_) | FormRow::Advanced => None,
        }
    }

    /// Whether connections of the provider have refresh tokens.
    fn takes_refresh_token(&self) -> bool {
        matches!(self.provider().grant, Grant::AuthorizationCode { .. })
    }

    /// The refresh token to take over, where one was typed.
    fn taken_over(&self) -> Option<&SecretField> {
        Some(&self.refresh_token).filter(|token| self.takes_refresh_token() && !token.is_empty())
    }

    /// What can be chosen in a row that is no line of text.
    fn choices(&self, row: FormRow) -> Vec<&'static str> {
        match row {
            FormRow::Key(config::ConfigField { kind: FieldKind::Provider, .. }) => {
                self.providers.iter().map(|provider| provider.id).collect()
            }
            FormRow::Key(config::ConfigField { kind: FieldKind::Switch, .. }) => vec!["true", "false"],
            _ => Vec::new(),
        }
    }

    /// The choice that is in force: what was chosen, or the default.
    fn chosen(&self, row: FormRow) -> &str {
        let text = self.draft.get(row.key());
        if text.is_empty() { default_text(self.provider(), row.key()).unwrap_or_default() } else { text }
    }

    /// Whether anything was filled in that is not saved.
    fn is_changed(&self) -> bool {
        self.draft != self.begun || self.secret_typed || !self.refresh_token.is_empty()
    }

    /// The rows whose connections' client secret is no business of the store.
    fn secret_comes_from_a_command(&self) -> bool {
        !self.draft.get("client_secret_command").is_empty()
    }

    fn faults_of(&self, row: FormRow) -> impl Iterator<Item = &FieldFault> {
        self.faults.iter().filter(move |fault| fault.key == row.key() && self.touched.contains(fault.key))
    }
}

impl FormRow {
    /// The key its faults are reported under: the one in the file, where the client secret has none.
    fn key(self) -> &'static str {
        match self {
            Self::Key(field) => field.key,
            Self::Secret => "client_secret",
            Self::RefreshToken => "refresh_token",
            Self::Advanced => "advanced",
        }
    }
}
