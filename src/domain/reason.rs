//! Why something failed: manutop's own words, and beside them the words of others.
//!
//! A server chooses the text of its errors, a program what it prints. Either may put a secret there that
//! manutop does not recognise. So a reason has two forms: the full sentence, for the person at manutop, and the
//! public one, for every place that others read too (health, metrics, notifications, events).
//!
//! Invariant: the public form holds what was passed as manutop's own words, and nothing else. Only a text known when
//! manutop was compiled becomes one without saying so ([`From<&'static str>`]); any other takes [`Reason::ours`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::error_code;

/// Why something failed. `Display` writes the full sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    full: String,
    public: String,
    code: Option<&'static str>,
}

/// The public form as it is kept on disk, beside the full sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// The sentence.
    pub text: String,
    /// The provider's registered error code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl Reason {
    /// Words of manutop's own, made up as the program runs: names, numbers and times, but no text of a server
    /// or of another program.
    #[must_use]
    pub fn ours(words: impl Into<String>) -> Self {
        let full = words.into();
        Self { public: full.clone(), full, code: None }
    }

    /// A sentence that holds words of others, and what is shown in its place where those must not be.
    #[must_use]
    pub fn withheld(full: impl Into<String>, public: impl Into<String>) -> Self {
        Self { full: full.into(), public: public.into(), code: None }
    }

    /// The same with the provider's error code; one that is not registered counts as none.
    #[must_use]
    pub fn with_code(self, code: Option<&str>) -> Self {
        Self { code: code.and_then(error_code::registered), ..self }
    }

    /// The same between words of manutop's own.
    #[must_use]
    pub fn between(&self, before: &str, after: &str) -> Self {
        let wrapped = |words: &str| format!("{before}{words}{after}");
        Self { full: wrapped(&self.full), public: wrapped(&self.public), code: self.code }
    }

    /// The public form: manutop's own words, the HTTP status and a registered error code.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The provider's registered error code.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.code
    }

    /// The same with nothing but its public form.
    #[must_use]
    pub fn published(&self) -> Self {
        Self { full: self.public.clone(), ..self.clone() }
    }

    /// What is kept on disk beside the full sentence.
    #[must_use]
    pub fn to_disk(&self) -> Published {
        Published { text: self.public.clone(), code: self.code.map(str::to_owned) }
    }

    /// A sentence from disk. Older versions did not mark which words are manutop's own. Of their sentences, only an HTTP
    /// status and a registered code at the beginning are public; `otherwise` if there is none.
    #[must_use]
    pub fn from_disk(full: &str, published: Option<&Published>, otherwise: &'static str) -> Self {
        match published {
            Some(Published { text, code }) => Self::withheld(full, text).with_code(code.as_deref()),
            None => match status_and_code(full) {
                Some((status, code)) => {
                    let code_words = code.map_or_else(String::new, |code| format!(" {code}"));
                    Self::withheld(full, format!("{status}{code_words}")).with_code(code)
                }
                None => Self::withheld(full, otherwise),
            },
        }
    }
}

/// The HTTP status and the registered code that a sentence begins with.
fn status_and_code(text: &str) -> Option<(u16, Option<&'static str>)> {
    let mut words = text.split([' ', ':']);
    let status =
        words.next().filter(|word| word.len() == 3)?.parse().ok().filter(|status| (100..600).contains(status))?;
    Some((status, words.next().and_then(error_code::registered)))
}

impl From<&'static str> for Reason {
    fn from(words: &'static str) -> Self {
        Self::ours(words)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Published, Reason};

    #[test]
    fn both_forms_grow_by_the_same_words_of_ours() {
        let said = Reason::withheld("400 invalid_grant: token x is dead", "400 invalid_grant")
            .with_code(Some("invalid_grant"));
        let longer = said.between("the provider had replaced it (", ")");
        assert_eq!(longer.to_string(), "the provider had replaced it (400 invalid_grant: token x is dead)");
        assert_eq!(longer.public(), "the provider had replaced it (400 invalid_grant)");
        assert_eq!(longer.code(), Some("invalid_grant"));
        assert_eq!(longer.published().to_string(), longer.public());
        assert_eq!(Reason::from("timeout"), Reason::ours("timeout".to_owned()));
    }

    #[test]
    fn a_code_that_is_not_registered_is_none() {
        for code in ["", "INVALID_GRANT", "invalid_grant ", "eyJhbGciOiJub25lIn0", "s3cret"] {
            assert_eq!(Reason::from("400").with_code(Some(code)).code(), None, "{code}");
        }
    }

    #[test]
    fn of_a_sentence_of_an_older_version_status_and_code_are_public() {
        let public = |full: &str| {
            let reason = Reason::from_disk(full, None, "refused");
            (reason.public().to_owned(), reason.code())
        };
        assert_eq!(
            public("400 invalid_grant: The token s3cret is dead"),
            ("400 invalid_grant".into(), Some("invalid_grant"))
        );
        assert_eq!(public("400 invalid_grant"), ("400 invalid_grant".into(), Some("invalid_grant")));
        assert_eq!(public("400 s3cret: dead"), ("400".into(), None));
        assert_eq!(public("503 Service Unavailable"), ("503".into(), None));
        for other in ["timeout", "s3cret", "40 invalid_grant", "4000", "999 x", "", "é", "4é"] {
            assert_eq!(public(other), ("refused".into(), None), "{other}");
        }
    }

    #[test]
    fn what_is_kept_on_disk_is_read_back() {
        let reason =
            Reason::withheld("401 invalid_client: who?", "401 invalid_client").with_code(Some("invalid_client"));
        assert_eq!(Reason::from_disk(&reason.to_string(), Some(&reason.to_disk()), "refused"), reason);
        let foreign = Published { text: "401".into(), code: Some("s3cret".into()) };
        assert_eq!(Reason::from_disk("401 s3cret", Some(&foreign), "refused").code(), None);
    }

    proptest! {
        #[test]
        fn the_public_form_holds_nothing_of_what_was_withheld(
            marker in "MARKER[0-9a-z]{8}",
            before in ".{0,20}",
            after in ".{0,20}",
            status in prop::option::of(100..600_u16),
        ) {
            let free = format!("{before}{marker}{after}");
            let said = Reason::withheld(format!("400: {free}"), "400").with_code(Some(&free));
            let long = said.between("a (", ")").between("b: ", "");
            let code = |reason: &Reason| reason.code().unwrap_or_default().to_owned();
            let status = status.map_or_else(String::new, |status| format!("{status} "));
            let old = Reason::from_disk(&format!("{status}{free}"), None, "refused");
            for reason in [said, long.clone(), long.published(), old.between("a", "b")] {
                prop_assert!(!reason.public().contains("MARKER"), "{:?}", reason);
                prop_assert!(!code(&reason).contains("MARKER"));
                prop_assert!(!serde_json::to_string(&reason.to_disk()).unwrap().contains("MARKER"));
            }
            prop_assert!(long.to_string().contains(&marker));
        }
    }
}
