//! What a sealed text belongs to: its kind, connection and generation are inside the seal, and compared
//! when it is opened. A seal moved to another connection, or to another generation, is refused.
//!
//! Earlier versions sealed without a binding. Such a seal still opens and is bound at the next save.

use serde::Deserialize;

use crate::domain::{ConnectionName, Secret};
use crate::secrets::age_identity::Identity;
use crate::secrets::error::StoreError;

/// How every bound text begins. An unbound record has format 1, so that an earlier version of manutop finds a newer
/// format here and leaves it alone.
const START: &str = "{\"version\":2,\"kind\":";

/// What is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SealKind {
    /// A record that was received.
    Record,
    /// An answer that could not be read.
    Unread,
}

/// What a sealed text belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SealBinding<'a> {
    pub(crate) kind: SealKind,
    pub(crate) connection: &'a ConnectionName,
    /// The record's own generation, or the one whose refresh token was sent.
    pub(crate) generation: u64,
}

#[derive(Deserialize)]
struct BindingHeader {
    kind: String,
    connection: String,
    generation: u64,
}

impl SealKind {
    fn word(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Unread => "unread answer",
        }
    }

    /// A record's line is JSON, an unread answer a string.
    fn quotes(self) -> (&'static str, &'static str) {
        match self {
            Self::Record => ("", "}"),
            Self::Unread => ("\"", "\"}"),
        }
    }
}

impl<'a> SealBinding<'a> {
    pub(crate) fn record(connection: &'a ConnectionName, generation: u64) -> Self {
        Self { kind: SealKind::Record, connection, generation }
    }

    pub(crate) fn unread(connection: &'a ConnectionName, generation: u64) -> Self {
        Self { kind: SealKind::Unread, connection, generation }
    }

    /// The text before the content.
    fn start(&self) -> String {
        let (kind, (quote, _)) = (self.kind.word(), self.kind.quotes());
        // Names that differ only in case are one name.
        let (connection, generation) = (self.connection.as_str().to_ascii_lowercase(), self.generation);
        format!("{START}\"{kind}\",\"connection\":\"{connection}\",\"generation\":{generation},\"content\":{quote}")
    }

    /// The content, sealed together with what it belongs to; hex digits.
    pub(crate) fn seal(&self, identity: &Identity, content: &Secret) -> Option<String> {
        let (start, (_, end)) = (self.start(), self.kind.quotes());
        identity.seal(&Secret::new([&start, content.expose(), end].concat()))
    }

    /// The content of an opened seal, if that belongs here; `item` names it in errors.
    ///
    /// # Errors
    /// `Misplaced` if it belongs to something else.
    pub(crate) fn content(&self, item: &str, opened: &Secret) -> Result<Secret, StoreError> {
        let text = opened.expose();
        if let Some(rest) = text.strip_prefix(&self.start()) {
            let content = rest.strip_suffix(self.kind.quotes().1).ok_or_else(|| misplaced(item, "it is cut off"))?;
            return Ok(Secret::new(content));
        }
        if !is_bound(opened) {
            return Ok(opened.clone());
        }
        Err(misplaced(item, &self.difference(text)))
    }

    /// How another binding differs, in words.
    fn difference(&self, text: &str) -> String {
        let Ok(BindingHeader { kind, connection, generation }) = serde_json::from_str(text) else {
            return format!("its sealed {} does not say what it belongs to", self.kind.word());
        };
        if !self.connection.is_same_as(&connection) {
            return format!("its sealed {} belongs to {}", self.kind.word(), whose(&connection));
        }
        if kind != self.kind.word() {
            return format!("a sealed text of another kind is in the place of its {}", self.kind.word());
        }
        format!("its sealed {} is of generation {generation} and not {}", self.kind.word(), self.generation)
    }
}

/// Whether an opened seal says what it belongs to.
pub(crate) fn is_bound(opened: &Secret) -> bool {
    opened.expose().starts_with(START)
}

/// Another connection in words; a text that is not a connection's name is not repeated.
pub(crate) fn whose(connection: &str) -> String {
    ConnectionName::new(connection)
        .map_or_else(|_| "another connection".into(), |name| format!("the connection {name}"))
}

/// The error for a text that belongs elsewhere.
pub(crate) fn misplaced(item: &str, why: &str) -> StoreError {
    StoreError::Misplaced { item: item.to_owned(), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{START, SealBinding};
    use crate::domain::{ConnectionName, Secret};
    use crate::secrets::age_identity::Identity;
    use crate::secrets::error::StoreError;
    use crate::tokens::record::tests::record;
    use crate::tokens::record::{from_line, to_line};

    fn name(name: &str) -> ConnectionName {
        ConnectionName::new(name).unwrap()
    }

    #[test]
    fn a_seal_opens_only_for_what_it_belongs_to() {
        let (identity, factory, plant) = (Identity::generate(), name("factory"), name("plant"));
        let line = to_line(&record(7));
        let sealed = SealBinding::record(&factory, 7).seal(&identity, &line).unwrap();
        let opened = identity.open(&sealed).unwrap();
        assert_eq!(SealBinding::record(&factory, 7).content("x", &opened).unwrap(), line);
        for (binding, words) in [
            (SealBinding::record(&plant, 7), "belongs to the connection factory"),
            (SealBinding::record(&factory, 8), "is of generation 7 and not 8"),
            (SealBinding::record(&factory, 77), "is of generation 7 and not 77"),
            (SealBinding::unread(&factory, 7), "of another kind"),
        ] {
            let error = binding.content("journals/x.json", &opened).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.is_replaceable() && error.is_about_one_item(), "{error}");
        }
    }

    #[test]
    fn an_unread_answer_comes_back_and_both_kinds_are_json_when_decrypted_by_hand() {
        let (identity, factory) = (Identity::generate(), name("factory"));
        for (binding, content) in [
            (SealBinding::unread(&factory, 7), Secret::new("aGVsbG8=")),
            (SealBinding::record(&factory, 7), to_line(&record(7))),
        ] {
            let opened = identity.open(&binding.seal(&identity, &content).unwrap()).unwrap();
            assert_eq!(binding.content("x", &opened).unwrap(), content);
            let json: serde_json::Value = serde_json::from_str(opened.expose()).unwrap();
            assert_eq!((&json["version"], &json["connection"]), (&2.into(), &"factory".into()));
            assert_eq!(json["generation"], 7);
        }
    }

    #[test]
    fn an_unbound_text_of_an_earlier_version_is_taken_as_it_is() {
        let factory = name("factory");
        for text in [to_line(&record(7)), Secret::new("aGVsbG8=")] {
            assert_eq!(SealBinding::record(&factory, 7).content("x", &text).unwrap(), text);
        }
    }

    #[test]
    fn a_bound_text_that_is_not_understood_is_never_taken_for_an_unbound_one() {
        let factory = name("factory");
        for rest in ["", "1}", "\"record\"", "\"record\",\"connection\":\"../x\\u001b[2J\",\"generation\":7}"] {
            let text = Secret::new(format!("{START}{rest}"));
            let error = SealBinding::record(&factory, 7).content("x", &text).unwrap_err();
            assert!(matches!(error, StoreError::Misplaced { .. }) && !error.to_string().contains('\u{1b}'), "{error}");
        }
    }

    #[test]
    fn an_earlier_version_finds_a_newer_format_and_leaves_it_alone() {
        let (identity, factory) = (Identity::generate(), name("factory"));
        let sealed = SealBinding::record(&factory, 7).seal(&identity, &to_line(&record(7))).unwrap();
        let error = from_line("x", &identity.open(&sealed).unwrap()).unwrap_err();
        assert!(matches!(error, StoreError::NewerFormat { version: 2, .. }), "{error}");
    }
}
