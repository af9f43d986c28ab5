//! A token record as one line of ASCII, the form in which stores and the journal's seal hold it.
//!
//! The format is versioned: a newer one is refused and left alone.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::{Fingerprint, RefreshToken, Secret, Subject, TokenRecord};
use crate::secrets::error::StoreError;
use crate::secrets::format_version::{VERSION, check_version};

#[derive(Serialize)]
struct RecordLine<'a> {
    version: u64,
    generation: u64,
    access_token: &'a str,
    obtained_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<RefreshLine<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a Subject>,
}

#[derive(Deserialize)]
struct OwnedRecordLine {
    generation: u64,
    access_token: String,
    obtained_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    refresh: Option<RefreshLine<String>>,
    scope: Option<String>,
    client_id: String,
    subject: Option<Subject>,
}

#[derive(Serialize, Deserialize)]
struct RefreshLine<Text> {
    token: Text,
    obtained_at: DateTime<Utc>,
    estimated_end: DateTime<Utc>,
}

/// The record as a line.
///
/// # Panics
/// Never: strings, numbers and times always serialise.
#[must_use]
pub fn to_line(record: &TokenRecord) -> Secret {
    let line = RecordLine {
        version: VERSION,
        generation: record.generation,
        access_token: record.access_token.expose(),
        obtained_at: record.obtained_at,
        expires_at: record.expires_at,
        refresh: record.refresh_token.as_ref().map(|refresh| RefreshLine {
            token: refresh.token.expose(),
            obtained_at: refresh.obtained_at,
            estimated_end: refresh.estimated_end,
        }),
        scope: record.scope.as_deref(),
        client_id: &record.client_id,
        subject: record.subject.as_ref(),
    };
    let json = Secret::new(serde_json::to_string(&line).expect("strings, numbers and times always serialise"));
    Secret::new(ascii(json.expose()))
}

/// The record in a line; `item` names it in errors.
///
/// # Errors
/// `NewerFormat`, or `Corrupt` where it is none.
pub fn from_line(item: &str, line: &Secret) -> Result<TokenRecord, StoreError> {
    check_version(item, line.expose())?;
    let line: OwnedRecordLine =
        serde_json::from_str(line.expose()).map_err(|error| StoreError::unreadable(item, &error))?;
    Ok(TokenRecord {
        generation: line.generation,
        access_token: Secret::new(line.access_token),
        obtained_at: line.obtained_at,
        expires_at: line.expires_at,
        refresh_token: line.refresh.map(|refresh| RefreshToken {
            token: Secret::new(refresh.token),
            obtained_at: refresh.obtained_at,
            estimated_end: refresh.estimated_end,
        }),
        scope: line.scope,
        client_id: line.client_id,
        subject: line.subject,
    })
}

/// What distinguishes two records of one generation: the refresh token's fingerprint, or the access
/// token's where there is no refresh token.
pub(crate) fn fingerprint(record: &TokenRecord) -> Fingerprint {
    Fingerprint::of(record.refresh_token.as_ref().map_or(&record.access_token, |refresh| &refresh.token))
}

/// JSON with every character beyond ASCII escaped; they occur within strings only.
fn ascii(json: &str) -> String {
    let mut line = String::with_capacity(json.len() * 2);
    for character in json.chars() {
        if character.is_ascii() && character != '\u{7f}' {
            line.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(line, "\\u{unit:04x}").expect("writing to a String cannot fail");
            }
        }
    }
    line
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{from_line, to_line};
    use crate::domain::{RefreshToken, Secret, Subject, TokenRecord};
    use crate::secrets::error::StoreError;

    pub(in crate::tokens) fn at() -> DateTime<Utc> {
        "2026-03-01T12:00:00.123456789Z".parse().unwrap()
    }

    pub(in crate::tokens) fn record(generation: u64) -> TokenRecord {
        TokenRecord {
            generation,
            access_token: Secret::new(format!("access-{generation}")),
            obtained_at: at(),
            expires_at: at() + TimeDelta::seconds(1799),
            refresh_token: Some(RefreshToken {
                token: Secret::new(format!("refresh-{generation}")),
                obtained_at: at(),
                estimated_end: at() + TimeDelta::days(730),
            }),
            scope: Some("API_ALL".into()),
            client_id: "client".into(),
            subject: None,
        }
    }

    #[test]
    fn any_record_comes_back_the_same_from_one_line_of_ascii() {
        let strange = TokenRecord {
            access_token: Secret::new("q\"uo\\te\nnew line \u{7f} é 日本 🦀 \u{2028}"),
            refresh_token: None,
            scope: None,
            subject: Some(Subject { sub: Some("é·1".into()), ..Subject::default() }),
            ..record(u64::MAX)
        };
        for record in [record(1), strange] {
            let line = to_line(&record);
            assert!(line.expose().bytes().all(|byte| (0x20..0x7f).contains(&byte)), "{}", line.expose());
            assert_eq!(from_line("x/token", &line).unwrap(), record);
        }
    }

    #[test]
    fn a_line_of_an_older_version_names_no_subject_and_is_written_back_the_same() {
        let line = to_line(&record(7));
        assert!(!line.expose().contains("subject"), "{}", line.expose());
        assert_eq!(from_line("x/token", &line).unwrap().subject, None);
    }

    #[test]
    fn a_newer_format_is_refused_even_where_nothing_else_is_understood() {
        let error = from_line("x/token", &Secret::new(r#"{"version":2,"tokens":[]}"#)).unwrap_err();
        assert!(matches!(error, StoreError::NewerFormat { version: 2, .. }), "{error}");
    }

    #[test]
    fn a_damaged_line_is_named_without_quoting_it() {
        for line in ["", "{", "hunter2", r#"{"version":1,"generation":"hunter2"}"#, r#"{"version":"hunter2"}"#] {
            let error = from_line("x/token", &Secret::new(line)).unwrap_err();
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
