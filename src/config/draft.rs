//! One connection as a form holds it: every key as text, checked as the file is.
//!
//! Invariants: there is one validator, the file's own; a draft made of a connection remembers what
//! it was made of, so that only what a person changed is written.

use std::collections::BTreeMap;
use std::fmt;

use toml::de::DeTable;
use toml_edit::{Array, DocumentMut, Value};

use crate::config::connection;
use crate::config::fields::{ConfigField, FIELDS, FieldKind, KEYS, default_text, fields};
use crate::config::section::{FaultCollector, Section};
use crate::domain::{AfterLostAnswer, Connection, ConnectionGrant, ConnectionName, FieldFault, Provider, SecretSource};

/// A connection being written down. An empty text means that the key is left out.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Draft {
    texts: Texts,
    /// The connection that is being changed, and its texts before.
    origin: Option<(ConnectionName, Texts)>,
}

type Texts = BTreeMap<&'static str, String>;

impl Draft {
    /// The draft of a connection that exists: what differs from its provider's defaults is filled
    /// in. Saving it changes that connection.
    #[must_use]
    pub fn of(connection: &Connection) -> Self {
        let texts: Texts = fields(connection.provider)
            .filter_map(|field| text_of(connection, field.key).map(|text| (field.key, text)))
            .filter(|(key, text)| default_text(connection.provider, key) != Some(text.as_str()))
            .collect();
        Self { origin: Some((connection.name.clone(), texts.clone())), texts }
    }

    /// The connection that saving changes; `None` where saving adds one.
    #[must_use]
    pub fn changes(&self) -> Option<&ConnectionName> {
        self.origin.as_ref().map(|(name, _)| name)
    }

    /// What is written under a key; empty where it is left out.
    #[must_use]
    pub fn get(&self, key: &str) -> &str {
        self.texts.get(key).map_or("", String::as_str)
    }

    /// Writes a text under a key; an empty one leaves it out. A key that no connection has is
    /// ignored.
    pub fn set(&mut self, key: &str, text: impl Into<String>) {
        let Some(key) = KEYS.iter().find(|known| **known == key) else { return };
        match text.into() {
            text if text.is_empty() => drop(self.texts.remove(key)),
            text => drop(self.texts.insert(key, text)),
        }
    }

    /// Whether anything was changed since the draft was made.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.origin.as_ref().map_or(!self.texts.is_empty(), |(_, before)| *before != self.texts)
    }

    /// The provider that is written down, if it is known.
    #[must_use]
    pub fn provider(&self, providers: &'static [&'static Provider]) -> Option<&'static Provider> {
        providers.iter().find(|provider| provider.id == self.get("provider")).copied()
    }

    /// The connection as the file would be read, or all that is wrong with it, in the order of
    /// [`FIELDS`]. `others` are the connections there are; the one being changed may be among them.
    /// Texts under keys that the provider's connections do not have do not count.
    ///
    /// # Errors
    /// What is wrong, key by key; never empty.
    pub fn check(
        &self,
        others: &[Connection],
        providers: &'static [&'static Provider],
    ) -> Result<Connection, Vec<FieldFault>> {
        let (text, mut faults) = self.to_toml(providers);
        let checked = read(&text, &mut faults, providers);
        faults.extend(self.name_faults(others));
        faults.sort_by_key(|fault| KEYS.iter().position(|key| *key == fault.key));
        match checked {
            Some(connection) if faults.is_empty() => Ok(connection),
            _ if faults.is_empty() => Err(vec![FieldFault::of_all("it cannot be read back as a configuration")]),
            _ => Err(faults),
        }
    }

    /// The name must not be another connection's, and a connection keeps the one it has.
    fn name_faults(&self, others: &[Connection]) -> Option<FieldFault> {
        let name = self.get("name");
        let what = match self.changes() {
            Some(before) if before.as_str() != name => {
                format!("its tokens are stored under {before}; to rename it, run: manutop rename {before} NAME")
            }
            None if others.iter().any(|other| other.name.is_same_as(name)) => {
                "is already the name of another connection (upper and lower case count as the same)".into()
            }
            _ => return None,
        };
        Some(FieldFault { key: "name", what })
    }

    /// The lines of the table, and what cannot even be written down.
    fn to_toml(&self, providers: &'static [&'static Provider]) -> (String, Vec<FieldFault>) {
        let mut document = DocumentMut::new();
        let mut faults = Vec::new();
        for field in self.fields(providers) {
            match value(field, self.get(field.key)) {
                Ok(Some(value)) => drop(document.insert(field.key, value.into())),
                // There is a field for it, so it is reported without a line of the file as an example.
                Ok(None) if field.required => {
                    faults.push(FieldFault { key: field.key, what: "must not be empty".into() });
                }
                Ok(None) => {}
                Err(what) => faults.push(FieldFault { key: field.key, what }),
            }
        }
        (document.to_string(), faults)
    }

    fn fields(&self, providers: &'static [&'static Provider]) -> Vec<&'static ConfigField> {
        self.provider(providers).map_or_else(|| FIELDS.iter().collect(), |provider| fields(provider).collect())
    }

    /// What has to be written into the table it was made of (or into a new one): each key that
    /// was changed, with its value or `None` where it is to be taken out.
    pub(super) fn differences(&self, providers: &'static [&'static Provider]) -> Vec<(&'static str, Option<Value>)> {
        let own = self.fields(providers);
        let before = |key: &str| self.origin.as_ref().and_then(|(_, texts)| texts.get(key));
        let of_field = |field: &'static ConfigField| {
            if !own.contains(&field) {
                return Some((field.key, None));
            }
            let is_same = before(field.key) == self.texts.get(field.key);
            (!is_same).then(|| (field.key, value(field, self.get(field.key)).ok().flatten()))
        };
        FIELDS.iter().filter_map(of_field).collect()
    }
}

/// Names the keys and no text: a person may have pasted a secret into the wrong field.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes = self.changes();
        f.debug_struct("Draft").field("changes", &changes).field("keys", &self.texts.keys()).finish_non_exhaustive()
    }
}

/// Reads the lines of one table as the file's are read.
fn read(text: &str, faults: &mut Vec<FieldFault>, providers: &'static [&'static Provider]) -> Option<Connection> {
    let table = DeTable::parse(text).ok()?;
    let mut report = FaultCollector::new(text);
    let mut section = Section::new(table.get_ref(), 0, None, &mut report);
    let connection = connection::read(&mut section, AfterLostAnswer::default(), providers);
    let known = |key: &str| KEYS.iter().copied().find(|known| *known == key).unwrap_or_default();
    let reported: Vec<_> = report.into_faults();
    // What could not be written down is reported in its own words only.
    let news =
        reported.into_iter().filter(|fault| faults.iter().all(|earlier| earlier.key != fault.key)).collect::<Vec<_>>();
    faults.extend(news.into_iter().map(|fault| FieldFault { key: known(&fault.key), what: fault.what }));
    connection
}

/// A field's text as a value of the file; `None` where it is left out.
fn value(field: &ConfigField, text: &str) -> Result<Option<Value>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(match field.kind {
        FieldKind::Switch => text.parse().map_or_else(|_| Value::from(text), |on: bool| Value::from(on)),
        FieldKind::Command => {
            let words = shlex::split(text).ok_or("has a quote that is not closed, or ends with a backslash")?;
            Value::from(words.into_iter().collect::<Array>())
        }
        FieldKind::Text | FieldKind::Provider | FieldKind::Url => Value::from(text),
    }))
}

/// What a connection has under a key, as text; `None` where it has nothing.
fn text_of(connection: &Connection, key: &str) -> Option<String> {
    match (key, &connection.grant) {
        ("name", _) => Some(connection.name.to_string()),
        ("title", _) => connection.title.clone(),
        ("provider", _) => Some(connection.provider.id.to_owned()),
        ("client_id", _) => Some(connection.client_id.clone()),
        ("client_secret_command", _) => match &connection.client_secret {
            SecretSource::Store => None,
            // Words with a NUL, which cannot be joined, are refused by the checker.
            SecretSource::Command(words) => shlex::try_join(words.iter().map(String::as_str)).ok(),
        },
        ("auto_refresh", _) => Some(connection.auto_refresh.to_string()),
        ("after_lost_answer", ConnectionGrant::AuthorizationCode { .. }) => {
            Some(connection.after_lost_answer.word().to_owned())
        }
        ("token_url", _) => Some(connection.token_url.to_string()),
        ("revoke_url", ConnectionGrant::AuthorizationCode { .. }) => {
            connection.revoke_url.as_ref().map(ToString::to_string)
        }
        ("test_url", _) => Some(connection.test_url.to_string()),
        ("redirect_uri", ConnectionGrant::AuthorizationCode { redirect_uri, .. }) => Some(redirect_uri.clone()),
        ("scope", ConnectionGrant::AuthorizationCode { scope, .. }) => Some(scope.clone()),
        ("pkce", ConnectionGrant::AuthorizationCode { pkce, .. }) => Some(pkce.to_string()),
        ("authorize_url", ConnectionGrant::AuthorizationCode { authorize_url, .. }) => Some(authorize_url.to_string()),
        _ => None,
    }
}

/// What a connection has under each key that its provider's connections have, the provider's own
/// values included, as text; `None` where it has nothing.
pub fn settings(connection: &Connection) -> impl Iterator<Item = (&'static ConfigField, Option<String>)> {
    fields(connection.provider).map(|field| (field, text_of(connection, field.key)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;
    use crate::oauth::providers::ALL;

    const FILE: &str = r#"
        [[connections]]
        name = "factory"
        title = "Fabrik 工場"
        provider = "manu"
        client_id = "abc"
        redirect_uri = "http://127.0.0.1:8400/callback"
        scope = "READ WRITE"
        auto_refresh = false
        pkce = false
        token_url = "https://sandbox.example/oauth/token"
        client_secret_command = ["pass", "show", "manu's factory"]
        [[connections]]
        name = "hr"
        provider = "manus"
        client_id = "tm_1"
    "#;

    fn connections() -> Vec<Connection> {
        parse(FILE, Path::new("c.toml"), ALL).unwrap().connections
    }

    fn new(texts: &[(&str, &str)]) -> Draft {
        let mut draft = Draft::default();
        for (key, text) in texts {
            draft.set(key, *text);
        }
        draft
    }

    fn faults(draft: &Draft) -> Vec<(&'static str, String)> {
        let faults = draft.check(&connections(), ALL).unwrap_err();
        faults.into_iter().map(|fault| (fault.key, fault.what)).collect()
    }

    #[test]
    fn a_draft_of_a_connection_is_that_connection() {
        let connections = connections();
        for connection in &connections {
            let draft = Draft::of(connection);
            assert_eq!(draft.check(&connections, ALL).as_ref(), Ok(connection));
            assert!(!draft.is_changed() && draft.changes() == Some(&connection.name));
        }
    }

    #[test]
    fn only_what_differs_from_the_defaults_is_filled_in() {
        let drafts: Vec<_> = connections().iter().map(Draft::of).collect();
        assert_eq!(drafts[0].get("client_secret_command"), "pass show \"manu's factory\"");
        assert_eq!((drafts[0].get("authorize_url"), drafts[0].get("pkce")), ("", "false"));
        let filled: Vec<_> =
            FIELDS.iter().map(|field| field.key).filter(|key| !drafts[1].get(key).is_empty()).collect();
        assert_eq!(filled, ["name", "provider", "client_id"]);
    }

    #[test]
    fn every_default_offered_is_what_leaving_it_out_means() {
        for provider in ALL {
            let mut draft =
                new(&[("name", "x"), ("provider", provider.id), ("client_id", "i"), ("redirect_uri", "a:/b")]);
            let left_out = draft.check(&[], ALL).unwrap();
            for field in fields(provider) {
                let default = default_text(provider, field.key);
                assert!(!(field.required && default.is_some()), "{}", field.key);
                draft.set(field.key, default.map_or_else(|| draft.get(field.key).to_owned(), str::to_owned));
            }
            assert_eq!(draft.check(&[], ALL).unwrap(), left_out);
        }
    }

    #[test]
    fn each_fault_stands_beside_its_field_in_their_order() {
        let draft = new(&[
            ("token_url", "http://a.example/"),
            ("pkce", "maybe"),
            ("provider", "manu"),
            ("client_secret_command", "pass 'show"),
            ("title", "a\u{202e}b"),
        ]);
        let faults = faults(&draft);
        let keys: Vec<_> = faults.iter().map(|(key, _)| *key).collect();
        assert_eq!(
            keys,
            ["name", "title", "client_id", "client_secret_command", "redirect_uri", "pkce", "token_url"],
            "{faults:?}"
        );
        assert!(faults[3].1.contains("quote") && faults[5].1.contains("true or false"), "{faults:?}");
    }

    #[test]
    fn a_title_is_of_any_script_and_bounded() {
        let with = |title: &str| {
            let mut draft = Draft::of(&connections()[1]);
            draft.set("title", title);
            draft.check(&[], ALL).map(|connection| connection.title)
        };
        for title in ["工場".repeat(20), "מפעל".into(), "a".repeat(80), "हिन्दी".into()] {
            assert_eq!(with(&title), Ok(Some(title)));
        }
        for title in [" a", "\u{1b}[31m", "a\nb", " ", &"a".repeat(81), &"工".repeat(41)] {
            assert_eq!(with(title).unwrap_err()[0].key, "title", "{title:?}");
        }
    }

    #[test]
    fn names_are_unique_and_kept() {
        let new = new(&[("name", "HR"), ("provider", "manus"), ("client_id", "i")]);
        assert_eq!(faults(&new).len(), 1);
        assert!(faults(&new)[0].1.contains("already"), "{:?}", faults(&new));
        let mut renamed = Draft::of(&connections()[1]);
        renamed.set("name", "people");
        assert!(faults(&renamed)[0].1.contains("manutop rename hr NAME"), "{:?}", faults(&renamed));
    }

    #[test]
    fn fields_of_another_grant_do_not_count() {
        let mut draft = Draft::of(&connections()[0]);
        draft.set("provider", "manus");
        assert!(!draft.check(&connections(), ALL).unwrap().needs_browser());
        let taken_out: Vec<_> = draft.differences(ALL).into_iter().filter(|(_, value)| value.is_none()).collect();
        assert_eq!(taken_out.len(), 6);
    }

    #[test]
    fn debug_output_holds_no_text() {
        let draft = new(&[("client_id", "s3cr3t")]);
        assert!(!format!("{draft:?}").contains("s3cr3t"));
    }
}
