//! What the program named by `on_event` is given: one JSON object for each event.
//!
//! Every object has `version` (raised when a field changes its meaning or goes; new fields and
//! new events do not raise it), `event`, `at` and `connection`. Times are RFC 3339 in UTC. No
//! event carries a secret, or words of a server: `why` is manutop's own, and `code` beside it the provider's error code,
//! where that is a registered one, else null.
//!
//! | event | further fields |
//! | --- | --- |
//! | `incident_opened` | `incident`: `kind`, `since`, `why`, `code`, `standing` (it was so at the start) |
//! | `incident_closed` | `incident` as it was opened; `recovered`: whether all is well |
//! | `refreshed`, `logged_in` | `generation` |
//! | `adopted` | `generation`, `by`: `program`, `pid` of who had refreshed, null where not known |
//! | `not_saved` | `generation`, `why`, `code`: new tokens are in the journal, the store did not take them |
//! | `in_memory_only` | the same: neither took them, and ending manutop loses them |
//! | `refresh_failed`, `login_failed`, `import_failed` | `why`, `code` |
//! | `logged_out` | `revoked`: whether the provider revoked the refresh token, null where that was not asked; `why` not, `code` |

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::domain::clock::rfc3339;
use crate::domain::text::neutralise;
use crate::domain::{ConnectionEvent, ConnectionName, EventKind, Incident, IncidentChange, Reason};

const VERSION: u32 = 1;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 500;

/// The object for an incident's opening or closing.
pub(crate) fn of_change(change: &IncidentChange, at: DateTime<Utc>) -> Value {
    match change {
        IncidentChange::Opened(incident) => {
            object("incident_opened", &incident.connection, at, json!({ "incident": facts(incident) }))
        }
        IncidentChange::Closed { incident, recovered } => {
            let fields = json!({ "incident": facts(incident), "recovered": recovered });
            object("incident_closed", &incident.connection, at, fields)
        }
    }
}

/// The object for what happened to a connection; `None` for what is of no interest outside the dashboard.
pub(crate) fn of_event(event: &ConnectionEvent, at: DateTime<Utc>) -> Option<Value> {
    let numbered = |generation: &u64, reason: &Reason| {
        let mut fields = why(Some(reason));
        fields["generation"] = (*generation).into();
        fields
    };
    let (word, fields) = match &event.kind {
        EventKind::Refreshed { generation, recovered } => {
            let mut fields = json!({ "generation": generation });
            if let Some(lost) = recovered {
                fields["recovered"] = json!({ "lost_at": rfc3339(lost.at), "sends": lost.sends + 1 });
            }
            ("refreshed", fields)
        }
        EventKind::Adopted { generation, by } => ("adopted", json!({ "generation": generation, "by": by })),
        EventKind::LoggedIn { generation } => ("logged_in", json!({ "generation": generation })),
        EventKind::Imported { generation, .. } => ("imported", json!({ "generation": generation })),
        EventKind::ImportFailed { why: reason, .. } => ("import_failed", why(Some(reason))),
        EventKind::NotSaved { generation, why } => ("not_saved", numbered(generation, why)),
        EventKind::InMemoryOnly { generation, why } => ("in_memory_only", numbered(generation, why)),
        EventKind::RefreshFailed { problem } => ("refresh_failed", why(Some(&problem.reason()))),
        EventKind::LoginFailed { why: reason, .. } => ("login_failed", why(Some(reason))),
        EventKind::LoggedOut { revocation } => {
            let mut fields = why(revocation.why());
            fields["revoked"] = revocation.is_revoked().into();
            ("logged_out", fields)
        }
        _ => return None,
    };
    Some(object(word, &event.connection, at, fields))
}

/// Why, as far as others may read it.
fn why(reason: Option<&Reason>) -> Value {
    let public = reason.map(|reason| neutralise(reason.public(), LONGEST_REASON));
    json!({ "why": public, "code": reason.and_then(Reason::code) })
}

fn object(event: &str, connection: &ConnectionName, at: DateTime<Utc>, fields: Value) -> Value {
    let mut object = Map::new();
    object.insert("version".into(), VERSION.into());
    object.insert("event".into(), event.into());
    object.insert("at".into(), rfc3339(at).into());
    object.insert("connection".into(), connection.as_str().into());
    if let Value::Object(fields) = fields {
        object.extend(fields);
    }
    Value::Object(object)
}

fn facts(incident: &Incident) -> Value {
    let mut facts = why(Some(&incident.why));
    facts["kind"] = incident.kind.id().into();
    facts["since"] = rfc3339(incident.since).into();
    facts["standing"] = incident.standing.into();
    facts
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::of_change;
    use crate::dashboard::fixtures::{name, now};
    use crate::domain::{Event, EventKind, Incident, IncidentChange, IncidentKind, Problem, Reason, Revocation};

    fn object_of(event: Event) -> Option<Value> {
        let Event::Connection(event) = event else { panic!("{event:?}") };
        super::of_event(&event, now())
    }

    #[test]
    fn an_incident_is_reported_whole() {
        let incident = Incident {
            connection: name("sandbox"),
            kind: IncidentKind::RefreshFailing,
            since: now(),
            why: "timeout\x1b".into(),
            standing: false,
        };
        let facts = json!({
            "kind": "refresh_failing", "since": "2026-03-10T12:02:31Z", "why": "timeout\u{fffd}", "code": null, "standing": false,
        });
        let head = |event: &str| json!({ "version": 1, "event": event, "at": "2026-03-10T12:02:31Z", "connection": "sandbox" });
        let mut opened = head("incident_opened");
        opened["incident"] = facts.clone();
        assert_eq!(of_change(&IncidentChange::Opened(incident.clone()), now()), opened);
        let mut closed = head("incident_closed");
        closed["incident"] = facts;
        closed["recovered"] = true.into();
        assert_eq!(of_change(&IncidentChange::Closed { incident, recovered: true }, now()), closed);
    }

    #[test]
    fn an_object_holds_the_code_and_no_words_of_others() {
        let said =
            || Reason::withheld("400 invalid_grant: MARKER", "400 invalid_grant").with_code(Some("invalid_grant"));
        let unknown = || Reason::withheld("400 marker: MARKER", "400 (unknown error code)").with_code(Some("marker"));
        for (why, public, code) in [
            (said(), "400 invalid_grant", json!("invalid_grant")),
            (unknown(), "400 (unknown error code)", json!(null)),
        ] {
            let connection = name("factory");
            let problem = Problem::NeedsLogin { why: why.clone() };
            let incident = Incident {
                connection: connection.clone(),
                kind: IncidentKind::NeedsLogin,
                since: now(),
                why: problem.reason(),
                standing: false,
            };
            let failed = Revocation::Failed { why: why.clone() };
            let of = |event: Event| object_of(event).unwrap();
            let objects = [
                of(EventKind::RefreshFailed { problem: problem.clone() }.of(connection.clone())),
                of(EventKind::LoginFailed { why: problem.reason(), problem: Some(problem) }.of(connection.clone())),
                of(EventKind::ImportFailed { why: why.clone(), problem: None }.of(connection.clone())),
                of(EventKind::NotSaved { generation: 2, why: why.clone() }.of(connection.clone())),
                of(EventKind::InMemoryOnly { generation: 2, why }.of(connection.clone())),
                of(EventKind::LoggedOut { revocation: failed }.of(connection)),
                of_change(&IncidentChange::Opened(incident), now())["incident"].clone(),
            ];
            for object in objects {
                assert!(object["why"].as_str().unwrap().ends_with(public), "{object}");
                assert_eq!(object["code"], code, "{object}");
                assert!(!object.to_string().to_ascii_uppercase().contains("MARKER"), "{object}");
            }
        }
    }

    #[test]
    fn results_are_reported_and_what_concerns_the_screen_alone_is_not() {
        let of = |kind: EventKind| object_of(kind.of(name("factory")));
        let failed = of(EventKind::RefreshFailed { problem: Problem::NeedsLogin { why: "revoked".into() } }).unwrap();
        assert_eq!(failed["why"], "needs login: revoked");
        let refreshed = of(EventKind::Refreshed { generation: 7, recovered: None }).unwrap();
        assert_eq!((&refreshed["event"], &refreshed["generation"]), (&json!("refreshed"), &json!(7)));
        let unsaved = of(EventKind::NotSaved { generation: 8, why: "full\x07".into() }).unwrap();
        let expected = (&json!("not_saved"), &json!(8), &json!("full\u{fffd}"));
        assert_eq!((&unsaved["event"], &unsaved["generation"], &unsaved["why"]), expected);
        let logged_out = of(EventKind::LoggedOut { revocation: Revocation::Revoked }).unwrap();
        assert_eq!((&logged_out["event"], &logged_out["revoked"]), (&json!("logged_out"), &json!(true)));
        for quiet in [EventKind::LoginStarted, EventKind::StillFresh { expires_at: now() }] {
            assert_eq!(of(quiet), None);
        }
    }
}
