//! Reads the authorization endpoint's answer: a redirect's query. `state` is checked before anything else is believed.
//! [`crate::oauth::pasted_answer`] reads what a person pasted.

use std::iter;

use thiserror::Error;
use url::form_urlencoded;

use crate::domain::text::neutralise;
use crate::domain::{Reason, Secret, error_code};
use crate::oauth::redact::KnownSecrets;

/// The longest answer looked at, in bytes.
pub(super) const MAX: usize = 16 * 1024;
/// The longest issuer identifier kept, in characters.
const LONGEST_ISSUER: usize = 200;

/// What a login knows of the answer it waits for.
#[derive(Debug, Clone)]
pub struct Expected {
    /// What the authorization request sent.
    pub state: Secret,
    /// The authorization server's issuer identifier, if it is known or was seen before (RFC 9207).
    pub issuer: Option<String>,
    /// What else the server may know and repeat, and must not be shown.
    pub secrets: Vec<Secret>,
}

impl From<Secret> for Expected {
    /// An answer with this `state`, from any issuer.
    fn from(state: Secret) -> Self {
        Self { state, issuer: None, secrets: Vec::new() }
    }
}

/// What an answer grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The authorization code.
    pub code: Secret,
    /// The issuer that the answer names, neutralised; a bare code and most servers' redirects name none.
    pub issuer: Option<String>,
}

/// Why an authorization answer could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CallbackError {
    /// The answer belongs to another request, or was forged (RFC 6749 §10.12).
    #[error("its `state` is not the one sent with this login; start the login again if you did not expect that")]
    WrongState,
    /// The answer holds no `state`.
    #[error("it holds no `state`; paste the whole URL the browser ended on")]
    NoState,
    /// The answer names another authorization server (RFC 9207 §2.4).
    #[error(
        "its `iss` names another authorization server than the one this login is for; start the login again, and if \
         the provider has moved, log out first"
    )]
    WrongIssuer,
    /// The server, or the person, said no (§4.1.2.1).
    #[error("{}", refusal(.error, .description.as_deref()))]
    Refused {
        /// The error code.
        error: String,
        /// The server's words.
        description: Option<String>,
    },
    /// Neither a code nor an error is in it.
    #[error("it holds neither a code nor an error; paste the whole address the browser ended on")]
    Nothing,
    /// A parameter is given twice (§3.1 forbids it).
    #[error("it holds `{0}` more than once")]
    Twice(&'static str),
    /// The URL pasted is not the redirect URI.
    #[error("it does not begin with the redirect URI {0}; paste the address the browser ended on")]
    Elsewhere(String),
    /// The URL that starts the login was pasted.
    #[error(
        "it is the URL that starts the login; open it in a browser, log in, and paste the address the browser ends on"
    )]
    LoginUrl,
    /// The pasted text is not a URL and does not look like a code.
    #[error("it is neither a URL nor a code; paste the whole address the browser ended on")]
    NoAnswer,
    /// Longer than any answer.
    #[error("it is longer than 16 KiB")]
    TooLong,
}

impl CallbackError {
    /// What is wrong, with its public form: of a refusal only a registered code, because anyone can write the rest into a
    /// redirect.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let public = match self {
            Self::Refused { error, .. } => match error_code::registered(error) {
                Some(code) => return Reason::withheld(self.to_string(), refusal(code, None)).with_code(Some(code)),
                None => "refused (unknown error code)",
            },
            Self::Elsewhere(_) => "it does not begin with the redirect URI",
            _ => return Reason::ours(self.to_string()),
        };
        Reason::withheld(self.to_string(), public)
    }
}

fn refusal(error: &str, description: Option<&str>) -> String {
    let words = if error == "access_denied" { "access was denied (access_denied)" } else { error };
    description.map_or_else(|| words.to_owned(), |description| format!("{words}: {description}"))
}

/// Reads the query of a redirect (RFC 6749 §4.1.2). Its issuer must be the expected one if that is known (RFC 9207
/// §2.4). A redirect may name none: whether a server always does so is not known.
///
/// # Errors
/// Every reason why there is no code to use. `state` is checked before anything else is believed.
pub fn read_redirect(query: &str, expected: &Expected) -> Result<Granted, CallbackError> {
    let state = &expected.state;
    if query.len() > MAX {
        return Err(CallbackError::TooLong);
    }
    let answer = parameter(query, "state")?.ok_or(CallbackError::NoState)?;
    if answer != state.expose() {
        return Err(CallbackError::WrongState);
    }
    let issuer = parameter(query, "iss")?.map(|issuer| neutralise(&issuer, LONGEST_ISSUER));
    if let (Some(issuer), Some(expected)) = (&issuer, &expected.issuer)
        && issuer != expected
    {
        return Err(CallbackError::WrongIssuer);
    }
    let known = KnownSecrets::of(&iter::once(state).chain(&expected.secrets).collect::<Vec<_>>());
    if let Some(error) = parameter(query, "error")? {
        let description = parameter(query, "error_description")?.map(|text| known.excerpt(&text, 300));
        return Err(CallbackError::Refused { error: known.excerpt(&error, 64), description });
    }
    match parameter(query, "code")? {
        Some(code) if !code.is_empty() => {
            let issuer = issuer.filter(|issuer| !known.are_in(issuer));
            Ok(Granted { code: Secret::new(code), issuer })
        }
        _ => Err(CallbackError::Nothing),
    }
}

fn parameter(query: &str, key: &'static str) -> Result<Option<String>, CallbackError> {
    let mut values = form_urlencoded::parse(query.trim_start_matches('?').as_bytes()).filter(|(name, _)| name == key);
    let first = values.next().map(|(_, value)| value.into_owned());
    if values.next().is_some() { Err(CallbackError::Twice(key)) } else { Ok(first) }
}

#[cfg(test)]
mod tests {
    use super::{CallbackError, Expected, Secret, read_redirect};

    fn query(text: &str) -> Result<String, CallbackError> {
        read_redirect(text, &Secret::new("st").into()).map(|granted| granted.code.expose().to_owned())
    }

    #[test]
    fn a_code_with_the_right_state_is_taken() {
        assert_eq!(query("code=a%2Fb&state=st"), Ok("a/b".into()));
    }

    #[test]
    fn state_is_checked_before_anything_is_believed() {
        assert_eq!(query("code=a&state=other"), Err(CallbackError::WrongState));
        assert_eq!(query("error=access_denied&state=other"), Err(CallbackError::WrongState));
        assert_eq!(query("code=a"), Err(CallbackError::NoState));
    }

    #[test]
    fn an_issuer_must_be_the_one_expected_where_that_is_known() {
        let read = |query: &str, issuer: Option<&str>| {
            let issuer = issuer.map(str::to_owned);
            let expected = Expected { issuer, ..Secret::new("st").into() };
            read_redirect(query, &expected).map(|granted| granted.issuer)
        };
        let (ours, known) = ("https://auth.example", Some("https://auth.example"));
        let from_ours = "code=a&state=st&iss=https%3A%2F%2Fauth.example";
        assert_eq!(read(from_ours, known), Ok(Some(ours.into())));
        assert_eq!(read(from_ours, None), Ok(Some(ours.into())), "nothing is known yet");
        assert_eq!(read("code=a&state=st", known), Ok(None), "few servers name themselves");
        for foreign in ["https://evil.example", "https://auth.example/", "HTTPS://auth.example", ""] {
            for answer in ["code=a", "error=access_denied"] {
                let query = format!("{answer}&state=st&iss={foreign}");
                assert_eq!(read(&query, known), Err(CallbackError::WrongIssuer), "{query}");
            }
        }
        assert_eq!(read("code=a&state=no&iss=https://evil.example", known), Err(CallbackError::WrongState));
        assert_eq!(read("code=a&state=st&iss=a&iss=b", None), Err(CallbackError::Twice("iss")));
    }

    #[test]
    fn a_denial_repeats_no_secret_of_the_login() {
        let expected =
            Expected { secrets: vec![Secret::new("s3cret-of-the-client")], ..Secret::new("st-1234567").into() };
        let query = "error=access_denied&error_description=s3cret%252Dof+the+client+st-1234567&state=st-1234567";
        let error = read_redirect(query, &expected).unwrap_err();
        assert_eq!(error.to_string(), "access was denied (access_denied): *** ***");
    }

    #[test]
    fn a_denial_is_explained() {
        let error = query("error=access_denied&error_description=No+thanks&state=st").unwrap_err();
        assert_eq!(error.to_string(), "access was denied (access_denied): No thanks");
    }

    #[test]
    fn in_public_a_redirect_says_a_registered_code_and_nothing_else() {
        for (text, public, code) in [
            (
                "error=access_denied&error_description=MARKER&state=st",
                "access was denied (access_denied)",
                Some("access_denied"),
            ),
            ("error=login_required&error_description=MARKER&state=st", "login_required", Some("login_required")),
            ("error=MARKER&state=st", "refused (unknown error code)", None),
        ] {
            let error = query(text).unwrap_err();
            let reason = error.reason();
            assert_eq!((reason.public(), reason.code()), (public, code), "{text}");
            assert_eq!(reason.to_string(), error.to_string());
        }
        assert_eq!(CallbackError::NoState.reason().public(), CallbackError::NoState.to_string());
        assert!(!CallbackError::Elsewhere("MARKER".into()).reason().public().contains("MARKER"));
    }

    #[test]
    fn doubled_or_missing_parameters_are_refused() {
        assert_eq!(query("code=a&code=b&state=st"), Err(CallbackError::Twice("code")));
        assert_eq!(query("state=st"), Err(CallbackError::Nothing));
        assert_eq!(query("code=&state=st"), Err(CallbackError::Nothing));
    }
}
