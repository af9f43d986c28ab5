//! Incidents under a clock of the tests' own.

use chrono::TimeZone;
use proptest::prelude::*;

use crate::domain::incident::*;
use crate::domain::{Fingerprint, LoginView, Redirect, Secret, TokenFacts};
use crate::oauth::providers::MANU;

fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 10, 12, 0, 0).unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

/// A connection whose access token ends so many seconds after the start.
fn view(name: &str, ends: i64) -> ConnectionView {
    let facts = TokenFacts {
        generation: 3,
        obtained_at: start(),
        expires_at: at(ends),
        access_fingerprint: Fingerprint::of(&Secret::new("token")),
        refresh: None,
        scope: None,
        subject: None,
    };
    ConnectionView {
        title: None,
        name: ConnectionName::new(name).unwrap(),
        provider: &MANU,
        needs_browser: true,
        auto: true,
        holding: Holding::Tokens { facts, saved: true },
        activity: Activity::Idle,
        problem: None,
        lost_answer: None,
        next_refresh: None,
        last: None,
        clock_skew: None,
    }
}

fn ill(problem: Problem, ends: i64) -> ConnectionView {
    ConnectionView { problem: Some(problem), ..view("sandbox", ends) }
}

fn revoked() -> Problem {
    Problem::NeedsLogin { why: "refresh token revoked".into() }
}

fn retrying() -> Problem {
    Problem::Retrying { at: None, why: "timeout".into() }
}

fn unavailable() -> Problem {
    Problem::StoreUnavailable { why: "the keyring is gone".into() }
}

fn logging_in(view: ConnectionView) -> ConnectionView {
    let redirect = Redirect::Pasted { uri: "https://a.example/".into() };
    let login = LoginView { url: String::new(), redirect, deadline: at(0), browser: None, question: None };
    ConnectionView { activity: Activity::LoggingIn(login), ..view }
}

/// Looks at one connection once a second, from a moment to another; gives what changed, when.
fn watch(incidents: &mut Incidents, view: &ConnectionView, from: i64, to: i64) -> Vec<(i64, String)> {
    let look = |second| incidents.look(std::slice::from_ref(view), at(second)).into_iter().map(move |c| (second, c));
    (from..=to).flat_map(look).map(|(second, change)| (second, short(&change))).collect()
}

fn short(change: &IncidentChange) -> String {
    match change {
        IncidentChange::Opened(incident) => {
            format!("{} opened{}", incident.kind.id(), if incident.standing { " standing" } else { "" })
        }
        IncidentChange::Closed { incident, recovered } => {
            format!("{} {}", incident.kind.id(), if *recovered { "recovered" } else { "closed" })
        }
    }
}

fn said(second: i64, words: &str) -> Vec<(i64, String)> {
    vec![(second, words.to_owned())]
}

#[test]
fn what_only_a_person_can_fix_opens_at_once_and_only_once_until_it_is_fixed() {
    let mut incidents = Incidents::new(start());
    assert_eq!(watch(&mut incidents, &view("sandbox", 9999), 0, 20), []);
    assert_eq!(watch(&mut incidents, &ill(revoked(), 9999), 21, 300), said(21, "needs_login opened"));
    assert_eq!(incidents.standing().count(), 1);
    assert_eq!(watch(&mut incidents, &view("sandbox", 9999), 301, 400), said(301, "needs_login recovered"));
    assert_eq!(watch(&mut incidents, &ill(revoked(), 9999), 401, 500), said(401, "needs_login opened"));
}

#[test]
fn what_is_found_at_the_start_is_standing() {
    let mut incidents = Incidents::new(start());
    assert_eq!(watch(&mut incidents, &ill(revoked(), 9999), 3, 300), said(3, "needs_login opened standing"));
    // A store that stays away is news after its minute: the person who looked at the start may have left.
    let mut incidents = Incidents::new(start());
    assert_eq!(watch(&mut incidents, &ill(unavailable(), 9999), 0, 300), said(60, "store opened"));
}

#[test]
fn tokens_in_memory_only_open_at_once_and_those_safe_in_the_journal_after_a_minute() {
    let unsaved = |durable| ill(Problem::NotSaved { why: "no room".into(), durable }, 9999);
    for (durable, second) in [(false, 20), (true, 80)] {
        let mut incidents = Incidents::new(start());
        assert_eq!(watch(&mut incidents, &unsaved(durable), 20, 300), said(second, "store opened"));
        assert_eq!(watch(&mut incidents, &view("sandbox", 9999), 301, 310), said(301, "store recovered"));
    }
}

#[test]
fn failing_refreshes_open_an_incident_after_a_while_and_sooner_once_the_token_has_ended() {
    let mut incidents = Incidents::new(start());
    assert_eq!(watch(&mut incidents, &ill(retrying(), 9999), 20, 900), said(320, "refresh_failing opened"));
    let mut incidents = Incidents::new(start());
    assert_eq!(watch(&mut incidents, &ill(retrying(), 100), 20, 900), said(100, "refresh_failing opened"));
    let mut incidents = Incidents::new(start());
    assert_eq!(watch(&mut incidents, &ill(retrying(), 0), 20, 900), said(80, "refresh_failing opened"));
}

#[test]
fn a_try_that_is_out_neither_closes_nor_doubles_an_incident() {
    let mut incidents = Incidents::new(start());
    let trying = |problem| ConnectionView { activity: Activity::Refreshing { since: start() }, ..ill(problem, 0) };
    watch(&mut incidents, &ill(retrying(), 0), 20, 90);
    for second in 91..200 {
        let again = if second % 2 == 0 { trying(retrying()) } else { ill(unavailable(), 0) };
        assert_eq!(watch(&mut incidents, &again, second, second), []);
    }
}

#[test]
fn a_worse_trouble_takes_the_place_and_a_lesser_one_does_not() {
    let mut incidents = Incidents::new(start());
    watch(&mut incidents, &ill(retrying(), 0), 20, 90);
    let changes = watch(&mut incidents, &ill(revoked(), 0), 91, 100);
    assert_eq!(changes, [(91, "refresh_failing closed".to_owned()), (91, "needs_login opened".to_owned())]);
    assert_eq!(watch(&mut incidents, &ill(retrying(), 0), 101, 900), []);
}

#[test]
fn a_login_is_not_disturbed() {
    let mut incidents = Incidents::new(start());
    assert_eq!(watch(&mut incidents, &logging_in(ill(revoked(), 0)), 20, 400), []);
    assert_eq!(watch(&mut incidents, &ill(revoked(), 0), 401, 402), said(401, "needs_login opened"));
    assert_eq!(watch(&mut incidents, &logging_in(ill(revoked(), 0)), 403, 500), []);
    assert_eq!(watch(&mut incidents, &view("sandbox", 9999), 501, 502), said(501, "needs_login recovered"));
}

#[test]
fn what_no_one_waits_for_is_no_incident() {
    let mut never = view("sandbox", 9999);
    never.holding = Holding::Nothing;
    let missing = Problem::NoClientSecret { name: "sandbox".into() };
    let never_worked = ConnectionView { problem: Some(missing.clone()), ..never.clone() };
    let by_hand = ConnectionView { auto: false, ..ill(retrying(), 0) };
    for quiet in [never, never_worked, by_hand, ConnectionView { auto: false, ..view("sandbox", 0) }] {
        assert_eq!(watch(&mut Incidents::new(start()), &quiet, 20, 900), [], "{quiet:?}");
    }
    let worked = ill(missing, 9999);
    assert_eq!(watch(&mut Incidents::new(start()), &worked, 20, 900), said(20, "no_client_secret opened"));
}

#[test]
fn giving_a_connection_up_closes_without_recovery() {
    let mut logged_out = view("sandbox", 9999);
    logged_out.holding = Holding::Nothing;
    let mut incidents = Incidents::new(start());
    watch(&mut incidents, &ill(revoked(), 9999), 20, 21);
    assert_eq!(watch(&mut incidents, &logged_out, 22, 30), said(22, "needs_login closed"));
    watch(&mut incidents, &ill(revoked(), 9999), 40, 41);
    let gone: Vec<_> = incidents.look(&[], at(42)).iter().map(short).collect();
    assert_eq!(gone, ["needs_login closed"]);
}

#[test]
fn after_a_sleep_everything_has_its_whole_time_again() {
    let mut incidents = Incidents::new(start());
    watch(&mut incidents, &ill(retrying(), 9999), 20, 30);
    let awake = 30_000;
    assert_eq!(
        watch(&mut incidents, &ill(retrying(), 0), awake, awake + 900),
        said(awake + 60, "refresh_failing opened")
    );
    let mut incidents = Incidents::new(start());
    watch(&mut incidents, &view("sandbox", 100), 20, 30);
    assert_eq!(watch(&mut incidents, &view("sandbox", 100), awake, awake + 299), []);
}

/// The states a connection may be in, by number.
fn state(number: u8, name: &str) -> ConnectionView {
    let with = |problem, ends| ConnectionView { problem: Some(problem), ..view(name, ends) };
    match number {
        0 => view(name, 1_000_000),
        1 => with(retrying(), 0),
        2 => with(revoked(), 0),
        3 => with(unavailable(), 1_000_000),
        4 => logging_in(with(revoked(), 0)),
        5 => view(name, 0),
        6 => ConnectionView { holding: Holding::Nothing, ..view(name, 0) },
        _ => with(Problem::Misconfigured { why: "invalid_client".into(), refused: true }, 0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever happens, and whenever it is looked at: openings and closings alternate, for each
    /// connection on its own; nothing opens during a login; no connection recovers that is not well.
    #[test]
    fn openings_and_closings_alternate(steps in prop::collection::vec((0u8..8, 0u8..8, 1i64..400), 1..200)) {
        let mut incidents = Incidents::new(start());
        let mut open = HashMap::new();
        let mut second = 0;
        for (one, other, pause) in steps {
            second += pause;
            let views = [state(one, "one"), state(other, "other")];
            for change in incidents.look(&views, at(second)) {
                match change {
                    IncidentChange::Opened(incident) => {
                        let number = if incident.connection.as_str() == "one" { one } else { other };
                        prop_assert!(![0, 4, 6].contains(&number));
                        prop_assert!(incident.since <= at(second));
                        prop_assert!(open.insert(incident.connection.clone(), incident).is_none());
                    }
                    IncidentChange::Closed { incident, recovered } => {
                        let number = if incident.connection.as_str() == "one" { one } else { other };
                        prop_assert_eq!(recovered, number == 0);
                        prop_assert_eq!(open.remove(&incident.connection), Some(incident));
                    }
                }
            }
            prop_assert_eq!(incidents.standing().count(), open.len());
        }
    }
}
