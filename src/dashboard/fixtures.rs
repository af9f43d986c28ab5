//! Connections, requests and a clock for tests of the state and of the drawing.

use chrono::{DateTime, FixedOffset, TimeDelta};
use crossterm::event::{Event as InputEvent, KeyCode, KeyEvent, KeyModifiers};

use crate::config::Draft;
use crate::dashboard::effect::Effect;
use crate::dashboard::keymap::Keymap;
use crate::dashboard::theme::appearance::Appearance;
use crate::dashboard::{App, DashboardOptions, Msg, update};
use crate::domain::{
    Activity, Connection, ConnectionName, ConnectionView, Event, Fingerprint, Holding, Inspection, Jwt, Last,
    LoginView, Obtained, Problem, Program, Provider, Redirect, RefreshFacts, Rotation, Secret, Subject, SubjectChange,
    TokenFacts, TokenForm,
};
use crate::format::time::Zone;
use crate::oauth::providers;
use crate::oauth::providers::{MANU, MANUS};
pub(crate) use crate::request_log::fixtures::{log, name, now, refused_request, request};

/// What most messages ask for.
pub(crate) const NOTHING: [Effect; 0] = [];

pub(crate) fn options() -> DashboardOptions {
    DashboardOptions {
        appearance: Appearance::SIXTEEN,
        theme_is_fixed: false,
        ascii: false,
        zone: Zone::Fixed(FixedOffset::east_opt(7200).unwrap()),
        config_file: "/home/ada/.config/manutop/config.toml".into(),
        keymap: Keymap::default(),
        providers: providers::ALL,
        templates: Vec::new(),
        demo: false,
    }
}

fn view(label: &str, provider: &'static Provider) -> ConnectionView {
    ConnectionView {
        name: name(label),
        title: None,
        provider,
        needs_browser: provider.id == "manu",
        auto: true,
        holding: Holding::Nothing,
        activity: Activity::Idle,
        problem: None,
        lost_answer: None,
        next_refresh: None,
        last: None,
        clock_skew: None,
    }
}

/// A Manu connection whose access token of half an hour has `left` seconds to go.
pub(crate) fn manu(label: &str, left: i64) -> ConnectionView {
    let expires_at = now() + TimeDelta::seconds(left);
    let obtained_at = expires_at - TimeDelta::seconds(1799);
    let facts = TokenFacts {
        generation: 41,
        obtained_at,
        expires_at,
        access_fingerprint: Fingerprint::of(&Secret::new(format!("access {label}"))),
        refresh: Some(RefreshFacts {
            obtained_at,
            estimated_end: obtained_at + TimeDelta::days(2 * 365),
            fingerprint: Fingerprint::of(&Secret::new(format!("refresh {label}"))),
        }),
        scope: Some("API_ALL".into()),
        subject: None,
    };
    ConnectionView {
        holding: Holding::Tokens { facts, saved: true },
        next_refresh: Some(expires_at - TimeDelta::seconds(360)),
        last: Some(Last { at: obtained_at, result: Ok(200) }),
        ..view(label, &MANU)
    }
}

/// A Manus connection whose token of an hour has `left` seconds to go.
pub(crate) fn manus(label: &str, left: i64) -> ConnectionView {
    let expires_at = now() + TimeDelta::seconds(left);
    let obtained_at = expires_at - TimeDelta::seconds(3600);
    let access_fingerprint = Fingerprint::of(&Secret::new(format!("access {label}")));
    let facts = TokenFacts {
        generation: 7,
        obtained_at,
        expires_at,
        access_fingerprint,
        refresh: None,
        scope: None,
        subject: None,
    };
    ConnectionView {
        holding: Holding::Tokens { facts, saved: true },
        next_refresh: Some(expires_at - TimeDelta::seconds(720)),
        last: Some(Last { at: obtained_at, result: Ok(200) }),
        ..view(label, &MANUS)
    }
}

/// A Manu connection that has never been logged in.
pub(crate) fn fresh(label: &str) -> ConnectionView {
    ConnectionView { problem: Some(Problem::NeverLoggedIn), ..view(label, &MANU) }
}

pub(crate) fn with_problem(view: ConnectionView, problem: Problem) -> ConnectionView {
    ConnectionView { problem: Some(problem), next_refresh: None, ..view }
}

pub(crate) fn with_activity(view: ConnectionView, activity: Activity) -> ConnectionView {
    ConnectionView { activity, ..view }
}

/// A connection whose login waits for a person.
pub(crate) fn logging_in(label: &str, redirect: Redirect, browser: Option<Result<(), String>>) -> ConnectionView {
    let login =
        LoginView { url: login_url(), redirect, deadline: now() + TimeDelta::seconds(272), browser, question: None };
    with_activity(fresh(label), Activity::LoggingIn(login))
}

/// Ada's tokens are held, and Bob logged in.
pub(crate) fn other_subject() -> SubjectChange {
    let subject =
        |sub: &str, email: &str| Subject { sub: Some(sub.into()), email: Some(email.into()), ..Subject::default() };
    SubjectChange { held: subject("7", "ada@example.com"), received: subject("9", "bob@example.com") }
}

pub(crate) fn loopback() -> Redirect {
    Redirect::Loopback { uri: "http://127.0.0.1:8400/callback".into() }
}

pub(crate) fn pasted() -> Redirect {
    Redirect::Pasted { uri: "https://www.getpostman.com/oauth2/callback".into() }
}

pub(crate) fn login_url() -> String {
    "https://auth.manuonline.com/oauth/authorize?response_type=code&client_id=6f1c2a9e-manutop\
     &redirect_uri=http%3A%2F%2F127.0.0.1%3A8400%2Fcallback&scope=API_ALL\
     &state=Zk3vQ0mJ9sR1xT7uW5yB2cD4eF6gH8iK&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
     &code_challenge_method=S256"
        .into()
}

/// One connection in every status there is.
pub(crate) fn every_status() -> Vec<ConnectionView> {
    let since = now() - TimeDelta::seconds(2);
    let why = || "the server said so";
    let soon = now() + TimeDelta::seconds(12);
    vec![
        ConnectionView { holding: Holding::Unknown, ..view("loading", &MANU) },
        manu("live", 1443),
        ConnectionView { auto: false, next_refresh: None, ..manu("expiring", 72) },
        ConnectionView { auto: false, next_refresh: None, ..manu("expired", -10_900) },
        with_activity(manu("refreshing", 300), Activity::Refreshing { since }),
        logging_in("logging-in", loopback(), Some(Ok(()))),
        with_activity(manu("waiting", 200), Activity::WaitingForLock { pid: Some(4_194_304), since }),
        fresh("never"),
        with_problem(view("no-secret", &MANUS), Problem::NoClientSecret { name: "no-secret".into() }),
        with_problem(manu("retrying", 100), Problem::Retrying { at: Some(soon), why: "connection refused".into() }),
        with_problem(
            manu("answer-lost", 100),
            Problem::AnswerLost { at: Some(soon), why: "no readable answer came to the refresh at 14:02".into() },
        ),
        with_problem(manus("rate-limited", 90), Problem::RateLimited { until: now() + TimeDelta::seconds(34) }),
        with_problem(manu("needs-login", -10_900), Problem::NeedsLogin { why: "invalid_grant".into() }),
        with_problem(
            manus("misconfigured", -60),
            Problem::Misconfigured { why: "invalid_client".into(), refused: true },
        ),
        with_problem(manu("uncertain", -5), Problem::Uncertain { why: "no answer came".into() }),
        with_problem(
            unsaved(manu("not-saved", 1700)),
            Problem::NotSaved { why: "the keyring is locked".into(), durable: true },
        ),
        with_problem(manu("rolled-back", 900), Problem::RolledBack { why: "generation 39 under mark 41".into() }),
        with_problem(manu("no-store", 900), Problem::StoreUnavailable { why: why().into() }),
    ]
}

pub(crate) fn unsaved(view: ConnectionView) -> ConnectionView {
    match view.holding {
        Holding::Tokens { facts, .. } => ConnectionView { holding: Holding::Tokens { facts, saved: false }, ..view },
        _ => view,
    }
}

/// The connections of the pictures.
pub(crate) fn seven() -> Vec<ConnectionView> {
    let last = |result| Some(Last { at: now() - TimeDelta::seconds(231), result });
    let refused = Problem::NeedsLogin { why: "invalid_grant: Token has been revoked".into() };
    vec![
        manu("factory", 1443),
        with_activity(manu("warehouse", 72), Activity::Refreshing { since: now() - TimeDelta::milliseconds(1200) }),
        manus("hr-sync", 1900),
        ConnectionView { auto: false, last: last(Ok(400)), ..with_problem(manu("sandbox", -10_900), refused) },
        manus("users-import", 3300),
        ConnectionView {
            last: last(Err("timeout".into())),
            ..with_problem(
                manu("planning", 400),
                Problem::Retrying { at: Some(now() + TimeDelta::seconds(12)), why: "timeout".into() },
            )
        },
        fresh("archive"),
    ]
}

/// A connection as it is configured.
pub(crate) fn configured(name: &ConnectionName) -> Connection {
    let mut draft = Draft::default();
    draft.set("name", name.as_str());
    draft.set("provider", MANUS.id);
    draft.set("client_id", "tm_1");
    draft.check(&[], providers::ALL).unwrap()
}

/// A dashboard of the given connections.
pub(crate) fn app_of(views: Vec<ConnectionView>) -> App {
    App::new(views, log(), options(), now())
}

/// Presses keys one after another: `Enter`, `Esc`, `Tab`, `S-Tab`, `C-c`, else one character each.
pub(crate) fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let event = |key: &str| {
        let (code, modifiers) = match key {
            "Enter" => (KeyCode::Enter, KeyModifiers::NONE),
            "Esc" => (KeyCode::Esc, KeyModifiers::NONE),
            "Right" => (KeyCode::Right, KeyModifiers::NONE),
            "Left" => (KeyCode::Left, KeyModifiers::NONE),
            "Space" => (KeyCode::Char(' '), KeyModifiers::NONE),
            "Tab" => (KeyCode::Tab, KeyModifiers::NONE),
            "S-Tab" => (KeyCode::BackTab, KeyModifiers::SHIFT),
            "Up" => (KeyCode::Up, KeyModifiers::NONE),
            "Down" => (KeyCode::Down, KeyModifiers::NONE),
            "PgUp" => (KeyCode::PageUp, KeyModifiers::NONE),
            "PgDn" => (KeyCode::PageDown, KeyModifiers::NONE),
            "Backspace" => (KeyCode::Backspace, KeyModifiers::NONE),
            "C-c" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
            "C-z" => (KeyCode::Char('z'), KeyModifiers::CONTROL),
            "C-s" => (KeyCode::Char('s'), KeyModifiers::CONTROL),
            "C-r" => (KeyCode::Char('r'), KeyModifiers::CONTROL),
            "C-t" => (KeyCode::Char('t'), KeyModifiers::CONTROL),
            "C-d" => (KeyCode::Char('d'), KeyModifiers::CONTROL),
            "C-u" => (KeyCode::Char('u'), KeyModifiers::CONTROL),
            one => (KeyCode::Char(one.chars().next().unwrap()), KeyModifiers::NONE),
        };
        Msg::Input(InputEvent::Key(KeyEvent::new(code, modifiers)))
    };
    keys.split(' ').flat_map(|key| update(app, event(key), now())).collect()
}

/// Announces an event.
pub(crate) fn learn(app: &mut App, event: Event) {
    assert_eq!(update(app, Msg::Event(event), now()), NOTHING, "events ask for nothing");
}

/// Announces a connection's new state.
pub(crate) fn change(app: &mut App, view: ConnectionView) {
    learn(app, Event::Changed(Box::new(view)));
}

/// Pastes text as a terminal with bracketed paste does.
pub(crate) fn paste(app: &mut App, text: &str) {
    assert_eq!(update(app, Msg::Input(InputEvent::Paste(text.into())), now()), NOTHING);
}

/// What the engine reports of a connection's tokens.
pub(crate) fn inspection() -> Inspection {
    let print = |text: String| Fingerprint::of(&Secret::new(text));
    let rotation = |generation: u64| Rotation {
        generation,
        at: now() - TimeDelta::seconds(356 + 1440 * (41 - i64::try_from(generation).unwrap())),
        how: if generation == 36 { Obtained::Login } else { Obtained::Refresh },
        access: print(if generation == 41 { "access factory".into() } else { format!("access {generation}") }),
        refresh: Some(print(if generation == 41 { "refresh factory".into() } else { format!("refresh {generation}") })),
        recovered: None,
        pasted: None,
        pid: if generation > 38 { 4711 } else { 190_233 },
        by: Some(if generation > 38 { Program::Dashboard } else { Program::Command }),
    };
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    let jwt = Jwt {
        header: lines(&["{", "  \"alg\": \"HS256\",", "  \"typ\": \"JWT\"", "}"]),
        claims: lines(&["{", "  \"exp\": 1773145594,", "  \"iat\": 1773143795,", "  \"sub\": \"6f1c2a9e\"", "}"]),
        issued_at: DateTime::from_timestamp(1_773_143_795, 0),
        not_before: None,
        expires_at: DateTime::from_timestamp(1_773_145_594, 0),
    };
    Inspection { history: Ok((36..=41).rev().map(rotation).collect()), token: TokenForm::Jwt(Box::new(jwt)) }
}
