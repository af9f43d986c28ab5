//! `/healthz`: whether this process does its work, and which connections have problems.
//!
//! What a restart, or a person at the machine, could fix is 503: the engine does not answer, the
//! store cannot be used, or nothing has been read from it yet. A connection that needs a person is
//! reported and counted, but the process is well: 200. Restarting it would only take the others down. Nor is it 503 while
//! new tokens are in memory only: a restart would lose them.
//!
//! Every user of this machine can read it. So it holds manutop's own words, classes and registered error codes, and no
//! text of a server, no path and no output of a program.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::domain::text::neutralise;
use crate::domain::{ConnectionView, KeepaliveProcess, Problem, Reason, Severity, Status};
use crate::keepalive::{ANSWER_TIMEOUT, KeepaliveState, needs_person};

/// Raised when a field changes its meaning or goes; new fields do not raise it.
const VERSION: u32 = 1;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 300;

/// Whether it is well (200, else 503), and the body.
pub(crate) async fn report(shared: &KeepaliveState) -> (bool, Value) {
    let views = shared.views().await;
    let role = if shared.leads() { "leader" } else { "standby" };
    let leader = if shared.leads() { Some(std::process::id()) } else { other_leader(shared).await };
    let head = json!({ "version": VERSION, "role": role, "pid": std::process::id(), "leader_pid": leader });
    let now = shared.clock.now();
    let (verdict, problem, rest) = match (views, shared.store_problem()) {
        (None, _) => ("unavailable", Some(Reason::from("the engine does not answer")), Value::Null),
        // A restart would lose what is in memory only: a supervisor that restarts what is not 200 must not.
        (Some(views), Some(why)) if is_in_memory(&views) => ("degraded", Some(why), facts(&views, now)),
        (Some(views), Some(why)) => ("unavailable", Some(why), facts(&views, now)),
        (Some(views), None) => (verdict(&views, now), None, facts(&views, now)),
    };
    let mut body = head;
    body["status"] = verdict.into();
    body["problem"] = problem.map(|problem| neutralise(problem.public(), LONGEST_REASON)).into();
    if let (Value::Object(body), Value::Object(rest)) = (&mut body, rest) {
        body.extend(rest);
    }
    (matches!(verdict, "ok" | "degraded"), body)
}

/// A disk that hangs must not keep the answer back.
async fn other_leader(shared: &KeepaliveState) -> Option<u32> {
    let vault = shared.vault.clone();
    let look = tokio::task::spawn_blocking(move || vault.keepalive_process());
    let keepalive = tokio::time::timeout(ANSWER_TIMEOUT, look).await.ok().and_then(Result::ok).flatten();
    keepalive.and_then(|KeepaliveProcess { pid }| pid)
}

fn verdict(views: &[ConnectionView], now: DateTime<Utc>) -> &'static str {
    let mut statuses = views.iter().map(|view| (view, view.status(now)));
    if views.iter().any(|view| view.is_unread() && view.problem.is_none()) {
        "starting"
    } else if statuses.any(|(view, status)| status.severity() == Severity::Bad || needs_person(view, &status)) {
        "degraded"
    } else {
        "ok"
    }
}

/// Whether new tokens are in memory only, so that ending the process loses them.
pub(crate) fn is_in_memory(views: &[ConnectionView]) -> bool {
    views.iter().any(|view| view.problem.as_ref().is_some_and(Problem::is_in_memory_only))
}

fn facts(views: &[ConnectionView], now: DateTime<Utc>) -> Value {
    let connections: Vec<_> = views
        .iter()
        .map(|view| {
            let status = view.status(now);
            let reason = view.problem.as_ref().map(Problem::reason);
            json!({
                "name": view.name,
                "status": status.id(),
                "problem": reason.as_ref().map(|reason| neutralise(reason.public(), LONGEST_REASON)),
                "problem_class": view.problem.as_ref().map(Problem::id),
                "code": reason.as_ref().and_then(Reason::code),
                "needs_person": needs_person(view, &status),
            })
        })
        .collect();
    json!({ "counts": counts(views, now, Status::id), "connections": connections })
}

/// How many connections are in each status, by one of its names.
fn counts(
    views: &[ConnectionView],
    now: DateTime<Utc>,
    name: impl Fn(&Status) -> &'static str,
) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for view in views {
        *counts.entry(name(&view.status(now))).or_default() += 1;
    }
    counts
}

/// The same in one line, for the service manager.
pub(crate) fn summary(views: &[ConnectionView], leads: bool, now: DateTime<Utc>) -> String {
    let role = if leads { "leading" } else { "standby" };
    let counts = counts(views, now, Status::word);
    let counts: Vec<_> = counts.iter().map(|(word, number)| format!("{number} {word}")).collect();
    if counts.is_empty() { format!("{role}; no connections") } else { format!("{role}; {}", counts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::{facts, is_in_memory, summary, verdict};
    use crate::dashboard::fixtures::{fresh, manu, now, with_activity, with_problem};
    use crate::domain::{Activity, Holding, Problem, Reason};

    #[test]
    fn tokens_in_memory_only_are_degraded_and_need_a_person() {
        let unsaved =
            |durable| with_problem(manu("factory", 1800), Problem::NotSaved { why: "no room".into(), durable });
        for (view, needs_person) in [(unsaved(true), false), (unsaved(false), true)] {
            assert_eq!(verdict(std::slice::from_ref(&view), now()), "degraded");
            let facts = facts(std::slice::from_ref(&view), now());
            assert_eq!(facts["connections"][0]["needs_person"], needs_person);
            assert_eq!(facts["connections"][0]["status"], "not_saved");
            assert_eq!(is_in_memory(&[view]), needs_person);
        }
    }

    #[test]
    fn every_user_may_read_the_class_and_the_code_of_a_problem_and_no_words_of_a_server() {
        let said = Reason::withheld("400 invalid_grant: MARKER", "400 invalid_grant").with_code(Some("invalid_grant"));
        let unknown = Reason::withheld("400 marker: MARKER", "400 (unknown error code)").with_code(Some("marker"));
        for (problem, words, class, code) in [
            (
                Problem::NeedsLogin { why: said.clone() },
                "needs login: 400 invalid_grant",
                "needs_login",
                Some("invalid_grant"),
            ),
            (
                Problem::Misconfigured { why: said, refused: true },
                "misconfigured: 400 invalid_grant",
                "misconfigured",
                Some("invalid_grant"),
            ),
            (Problem::Retrying { at: None, why: unknown.clone() }, "400 (unknown error code)", "retrying", None),
            (
                Problem::AnswerLost { at: None, why: unknown },
                "answer lost: 400 (unknown error code)",
                "answer_lost",
                None,
            ),
            (Problem::NeverLoggedIn, "never logged in", "never_logged_in", None),
        ] {
            let since = now();
            let view = with_activity(with_problem(manu("factory", 1800), problem), Activity::Refreshing { since });
            let facts = &facts(&[view], now())["connections"][0];
            assert_eq!(facts["status"], "refreshing");
            assert_eq!(facts["problem"], words);
            assert_eq!(facts["problem_class"], class);
            assert_eq!(facts["code"].as_str(), code);
            assert!(!facts.to_string().to_ascii_uppercase().contains("MARKER"), "{facts}");
        }
        let well = &facts(&[manu("factory", 1800)], now())["connections"][0];
        assert!(well["problem"].is_null() && well["problem_class"].is_null() && well["code"].is_null(), "{well}");
    }

    #[test]
    fn a_connection_that_needs_a_person_makes_it_degraded() {
        let well = manu("factory", 1800);
        assert_eq!(verdict(std::slice::from_ref(&well), now()), "ok");
        assert_eq!(verdict(&[], now()), "ok");
        let revoked = with_problem(manu("sandbox", 0), Problem::NeedsLogin { why: "revoked".into() });
        assert_eq!(verdict(&[well.clone(), revoked.clone()], now()), "degraded");
        assert_eq!(verdict(&[fresh("partner")], now()), "degraded", "a person has to log in");
        let retrying = with_problem(well.clone(), Problem::Retrying { at: None, why: "timeout".into() });
        assert_eq!(verdict(&[retrying], now()), "ok", "it recovers");
        let damaged = with_problem(well.clone(), Problem::StoreUnavailable { why: "no record".into() });
        assert_eq!(verdict(&[well.clone(), damaged], now()), "degraded", "the store answers for the others");
        let mut unread = well.clone();
        unread.holding = Holding::Unknown;
        assert_eq!(verdict(&[well.clone(), unread], now()), "starting");

        let facts = facts(&[well.clone(), revoked.clone()], now());
        assert_eq!(facts["counts"], serde_json::json!({ "live": 1, "needs_login": 1 }));
        assert_eq!(facts["connections"][1]["problem"], "needs login: revoked");
        assert_eq!(facts["connections"][1]["needs_person"], true);
        assert_eq!(summary(&[well, revoked], true, now()), "leading; 1 live, 1 needs login");
        assert_eq!(summary(&[], false, now()), "standby; no connections");
    }
}
