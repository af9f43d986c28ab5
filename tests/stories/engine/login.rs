//! Logging in, through the real engine, with a person who walks the real consent page.

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use manutop::demo::DemoFault;
use manutop::domain::{
    Activity, Command, Connection, ConnectionEvent, ConnectionGrant, Event, EventKind, Exchange, LogEntry, Redirect,
    Secret, SecretSource,
};
use manutop::engine::{Browser, Engine, Opened, Parts, Refreshed};
use manutop::secrets::error::StoreError;
use manutop::secrets::memory::Call;
use url::Url;

use crate::support::login::{
    FOREIGN, LOOPBACK, Person, assert_newest_is_stored, assert_port_is_free, begin, changed, failed, logged_in,
    parameters, refused,
};
use crate::support::rig::{MovableClock, Rig, Running, SECRET, eventually};

/// A browser that, when it is started, sees whether anybody listens on the redirect URI.
#[derive(Default)]
struct Knocking(Mutex<Vec<bool>>);

impl Browser for Knocking {
    fn open(&self, url: &str) -> Result<Opened, String> {
        let redirect = Url::parse(&parameters(url)["redirect_uri"]).expect("a redirect URI");
        let address = redirect.socket_addrs(|| None).expect("loopback resolves");
        self.0.lock().expect("no test panics with it").push(TcpStream::connect(&*address).is_ok());
        Ok(Opened::default())
    }
}

/// An engine with a browser and a patience of its own.
fn start_with(rig: &Rig, browser: Arc<dyn Browser>, login_timeout: Duration) -> Running {
    let (engine, events) = Engine::start(Parts {
        connections: rig.connections.clone(),
        vault: rig.vault(),
        clock: Arc::<MovableClock>::clone(&rig.clock),
        browser,
        program: manutop::domain::Program::Command,
        automatic: false,
        login_timeout,
        lost_pause: manutop::engine::connections::schedule::PAUSE_AFTER_LOST_ANSWER,
    })
    .expect("an engine starts");
    Running { engine, events }
}

fn exchanges(running: &mut Running) -> Vec<LogEntry> {
    let mut entries = Vec::new();
    while let Ok(event) = running.events.try_recv() {
        if let Event::RequestLogged(entry) = event {
            entries.push(*entry);
        }
    }
    entries
}

#[tokio::test]
async fn a_login_by_redirect_saves_its_tokens_before_the_browser_says_connected() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    assert_eq!(rig.browser.0.lock().unwrap().as_slice(), std::slice::from_ref(&login.url));
    let back = person.sent_to(&login.url, "allow").await;
    let (status, page) = person.visit(&back).await;
    assert!(status == 200 && page.contains("factory is connected to Manu Online."), "{page}");
    assert_newest_is_stored(&rig, &factory, 1).await;
    assert_eq!(logged_in(&mut running).await, 1);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
}

#[tokio::test]
async fn a_login_whose_tokens_the_store_did_not_take_is_not_announced_as_saved() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    rig.store.fail_next(Call::Set, manutop::secrets::memory::InjectedFault::Error(StoreError::Locked));
    assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
    let (generation, why) = running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::NotSaved { generation, why }, .. }) => {
                Some((*generation, why.clone()))
            }
            Event::Connection(ConnectionEvent { kind: EventKind::LoggedIn { .. }, .. }) => panic!("it is not saved"),
            _ => None,
        })
        .await;
    assert!(generation == 2 && why.to_string().contains("locked"), "{why}");
    assert_eq!(rig.journal_state(&factory), "received");
    assert_eq!(running.engine.refresh(&factory, false).await, Ok(Refreshed::StillFresh(2)));
    assert_newest_is_stored(&rig, &factory, 2).await;
}

#[tokio::test]
async fn the_listener_is_bound_before_the_browser_is_asked_to_open() {
    for redirect in [LOOPBACK, "http://localhost/callback"] {
        let mut rig = Rig::new();
        let factory = rig.manu("factory", redirect).await;
        let browser = Arc::new(Knocking::default());
        let mut running = start_with(&rig, browser.clone(), Duration::from_secs(60));
        let login = begin(&mut running, &factory).await;
        assert_eq!(login.browser, Some(Ok(())));
        running.engine.send(Command::Cancel { connection: factory.clone() });
        running.until(|event| matches!(event.kind(), Some(EventKind::LoginCancelled)).then_some(())).await;
        let knocks = browser.0.lock().unwrap().clone();
        assert!(!knocks.is_empty() && knocks.iter().all(|open| *open), "{redirect}: {knocks:?}");
    }
}

#[tokio::test]
async fn a_wrong_state_is_explained_and_the_login_continues() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    let (status, page) = person.visit(changed(&back, "state", "forged")).await;
    assert!(status == 400 && page.contains("is not the one sent with this login"), "{page}");
    assert!(refused(&mut running).await.contains("`state` is not the one sent"));
    // A refusal sent from outside does not end a login either.
    let mut forged = back.clone();
    forged.set_query(Some("error=access_denied&state=forged"));
    assert_eq!(person.visit(&forged).await.0, 400);
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
    assert_eq!(person.visit(&back).await.0, 200);
    assert!(refused(&mut running).await.starts_with("1 more request that is no answer to this login"));
    assert_eq!(logged_in(&mut running).await, 1);
}

#[tokio::test]
async fn thousands_of_wrong_redirects_are_reported_twice_and_logged_twice() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    for number in 0..2000 {
        let query = ["code=c&state=no", "code=c", "", "code=c&state=a&state=b", "error=no&state=x"][number % 5];
        let mut wrong = back.clone();
        wrong.set_query(Some(query));
        assert_eq!(person.visit(&wrong).await.0, 400, "{query}");
    }
    assert_eq!(person.visit(&back).await.0, 200);
    let (mut reported, mut logged) = (Vec::new(), Vec::new());
    running
        .until(|event| {
            match event {
                Event::Connection(ConnectionEvent { kind: EventKind::AnswerRefused { why }, .. }) => {
                    reported.push(why.clone());
                }
                Event::RequestLogged(entry) if entry.exchange == Exchange::Authorization => {
                    logged.push((entry.outcome.clone(), entry.oauth_error_description.clone().unwrap_or_default()));
                }
                Event::Connection(ConnectionEvent { kind: EventKind::LoggedIn { .. }, .. }) => return Some(()),
                _ => {}
            }
            None
        })
        .await;
    assert!(reported.len() == 2 && reported[0].to_string().contains("`state` is not the one"), "{reported:?}");
    assert_eq!(reported[1].to_string(), "1999 more requests that are no answer to this login were ignored");
    assert!(
        logged.len() == 3 && logged.iter().filter(|(_, why)| why.starts_with("1999 more")).count() == 1,
        "{logged:?}"
    );
}

#[tokio::test]
async fn stray_requests_are_answered_and_the_login_continues() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    let looked = person.look(&back).await;
    assert_eq!(looked, 204, "HEAD is no answer");
    for (path, status) in [("/favicon.ico", 204), ("/", 404), ("/callback/", 404)] {
        assert_eq!(person.visit(back.join(path).unwrap()).await.0, status, "{path}");
    }
    let bare = person.visit(back.join("/callback").unwrap()).await;
    assert!(bare.0 == 400 && bare.1.contains("holds no `state`"), "{bare:?}");
    assert_eq!(person.visit(&back).await.0, 200);
    assert_eq!(logged_in(&mut running).await, 1);
}

#[tokio::test]
async fn denied_access_ends_the_login_at_once_and_leaves_the_tokens_alone() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let before = rig.logged_in(&factory, TimeDelta::zero()).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let (status, page) = person.visit(person.sent_to(&login.url, "deny").await).await;
    assert!(status == 400 && page.contains("access was denied (access_denied)"), "{page}");
    assert_eq!(failed(&mut running).await, "access was denied (access_denied): The person denied access");
    assert_eq!(rig.vault().read(&factory).await.unwrap().record, Some(before));
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
}

#[tokio::test]
async fn a_taken_port_ends_the_login_before_any_browser_opens() {
    let squatter = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = squatter.local_addr().unwrap().port();
    let mut rig = Rig::new();
    let factory = rig.manu("factory", &format!("http://127.0.0.1:{port}/callback")).await;
    let mut running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Login { connection: factory });
    let why = failed(&mut running).await;
    assert!(why.contains(&format!("port {port} of the redirect URI is taken")), "{why}");
    assert!(rig.browser.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_unfinished_login_ends_in_time_and_frees_its_port() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let mut running = start_with(&rig, rig.browser.clone(), Duration::from_secs(1));
    let login = begin(&mut running, &factory).await;
    let why = failed(&mut running).await;
    assert!(why.starts_with("the login was not completed within"), "{why}");
    running.until_view(&factory, |view| view.activity == Activity::Idle).await;
    assert_port_is_free(&login);
}

#[tokio::test]
async fn cancelling_ends_the_login_at_once_and_frees_its_port() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let mut running = rig.start(false);
    let login = begin(&mut running, &factory).await;
    running.engine.send(Command::Cancel { connection: factory.clone() });
    running.until(|event| matches!(event.kind(), Some(EventKind::LoginCancelled)).then_some(())).await;
    running.until_view(&factory, |view| view.activity == Activity::Idle && view.problem.is_none()).await;
    assert_port_is_free(&login);
    let (again, person) = (begin(&mut running, &factory).await, Person::new());
    assert_ne!(parameters(&again.url)["state"], parameters(&login.url)["state"]);
    assert_eq!(person.visit(person.sent_to(&again.url, "allow").await).await.0, 200);
    assert_eq!(logged_in(&mut running).await, 1);
}

#[tokio::test]
async fn a_pasted_final_url_ends_the_login_and_one_with_a_wrong_state_does_not() {
    let mut rig = Rig::new();
    let partner = rig.manu("partner", FOREIGN).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &partner).await;
    assert_eq!(login.redirect, Redirect::Pasted { uri: FOREIGN.into() });
    let last = person.shown(&login.url).await;
    let paste = |text: &str| {
        running.engine.send(Command::FinishLogin { connection: partner.clone(), pasted: Secret::new(text) });
    };
    paste(&changed(&last, "state", "forged"));
    paste(last.as_str().replace("getpostman", "getp0stman").as_str());
    paste("not a code");
    paste(last.as_str());
    for expected in ["`state` is not the one sent", "does not begin with the redirect URI", "neither a URL nor a code"]
    {
        let why = refused(&mut running).await;
        assert!(why.starts_with("this does not look like the final URL: ") && why.contains(expected), "{why}");
    }
    assert_eq!(logged_in(&mut running).await, 1);
    assert_eq!(rig.servers.manu().stats().token_posts.total(), 1, "what was refused was not sent");
    assert_newest_is_stored(&rig, &partner, 1).await;
}

#[tokio::test]
async fn a_pasted_bare_code_ends_the_login() {
    let mut rig = Rig::new();
    let partner = rig.manu("partner", FOREIGN).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &partner).await;
    let code = parameters(person.shown(&login.url).await)["code"].clone();
    running
        .engine
        .send(Command::FinishLogin { connection: partner.clone(), pasted: Secret::new(format!(" {code}\n")) });
    assert_eq!(logged_in(&mut running).await, 1);
    assert_newest_is_stored(&rig, &partner, 1).await;
}

#[tokio::test]
async fn a_loopback_login_takes_a_pasted_url_too() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    running.engine.send(Command::FinishLogin { connection: factory.clone(), pasted: Secret::new(back.as_str()) });
    assert_eq!(logged_in(&mut running).await, 1);
    assert_port_is_free(&login);
}

#[tokio::test]
async fn the_code_is_bound_to_the_login_by_pkce() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let asked = parameters(&login.url);
    assert_eq!((asked["code_challenge_method"].as_str(), asked["code_challenge"].len()), ("S256", 43));
    // The example of RFC 7636, appendix B, in the place of ours: the server must notice.
    let other = changed(&login.url, "code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let (status, page) = person.visit(person.sent_to(&other, "allow").await).await;
    assert!(status == 400 && page.contains("Not logged in"), "{page}");
    let why = refused(&mut running).await;
    assert!(why.contains("the provider refused this code (400 invalid_grant"), "{why}");
    assert_eq!(rig.vault().read(&factory).await.unwrap().record, None);
    // A login stays open until it has its answer.
    running.until_view(&factory, |view| matches!(view.activity, Activity::LoggingIn(_))).await;
    assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
    assert_eq!(logged_in(&mut running).await, 1);
}

#[tokio::test]
async fn a_used_code_keeps_a_pasted_login_open_and_is_not_sent_again() {
    let mut rig = Rig::new();
    let partner = rig.manu("partner", FOREIGN).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &partner).await;
    let paste = |text: &str| {
        running.engine.send(Command::FinishLogin { connection: partner.clone(), pasted: Secret::new(text) });
    };
    let (wrong, right) = ("4/0AX4XfWh-not-a-code-of-ours", person.shown(&login.url).await);
    paste(wrong);
    paste(wrong);
    paste(right.as_str());
    for _ in 0..2 {
        let why = refused(&mut running).await;
        assert!(why.contains("the provider refused this code") && why.contains("open the login URL again"), "{why}");
    }
    assert_eq!(logged_in(&mut running).await, 1);
    assert_eq!(rig.servers.manu().stats().token_posts.authorization_code, 2);
}

#[tokio::test]
async fn an_error_that_is_not_about_the_code_ends_the_login() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    rig.servers.manu().delete_client("app-factory");
    let (first, second) = tokio::join!(person.visit(&back), person.visit(&back));
    assert!(first == second && first.0 == 400 && first.1.contains("invalid_client"), "{first:?} {second:?}");
    assert!(failed(&mut running).await.contains("invalid_client"));
    assert_eq!(person.visit(&back).await, first, "a reload after the end");
}

#[tokio::test]
async fn a_redirect_that_is_asked_for_twice_says_twice_how_the_login_went() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let (back, other) = (person.sent_to(&login.url, "allow").await, person.sent_to(&login.url, "allow").await);
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(500)));
    let meanwhile = async {
        eventually("the code is out", || rig.servers.manu().stats().token_posts.authorization_code == 1).await;
        // While the exchange is out: the same again, another code, a forged one.
        let again = person.visit(&back);
        let (again, other) = tokio::join!(again, person.visit(&other));
        assert!(other.0 == 409 && other.1.contains("came first"), "{other:?}");
        assert_eq!(person.visit(changed(&back, "state", "forged")).await.0, 400);
        again
    };
    let (first, again) = tokio::join!(person.visit(&back), meanwhile);
    assert!(first.0 == 200 && first.1.contains("Logged in"), "{first:?}");
    assert_eq!(again, first);
    assert_eq!(logged_in(&mut running).await, 1);
    assert_eq!(person.visit(&back).await, first, "a reload after the login's end");
    assert_eq!(rig.servers.manu().stats().token_posts.authorization_code, 1);
    assert_newest_is_stored(&rig, &factory, 1).await;
}

#[tokio::test]
async fn a_browser_that_comes_after_the_paste_sees_the_same_outcome() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    rig.servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_millis(500)));
    running.engine.send(Command::FinishLogin { connection: factory.clone(), pasted: Secret::new(back.as_str()) });
    eventually("the code is out", || rig.servers.manu().stats().token_posts.authorization_code == 1).await;
    let (status, page) = person.visit(&back).await;
    assert!(status == 200 && page.contains("Logged in"), "{page}");
    assert_eq!(logged_in(&mut running).await, 1);
    assert_eq!(rig.servers.manu().stats().token_posts.authorization_code, 1);
}

#[tokio::test]
async fn the_next_login_gets_the_port_of_the_last_one_at_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut rig = Rig::new();
    let factory = rig.manu("factory", &format!("http://127.0.0.1:{port}/callback")).await;
    let (mut running, person) = (rig.start(false), Person::new());
    for generation in 1..=3 {
        let login = begin(&mut running, &factory).await;
        assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
        assert_eq!(logged_in(&mut running).await, generation);
    }
}

#[tokio::test]
async fn pkce_can_be_left_out() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    if let ConnectionGrant::AuthorizationCode { pkce, .. } = &mut rig.connections[0].grant {
        *pkce = false;
    }
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    assert!(!login.url.contains("code_challenge"));
    assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
    assert_eq!(logged_in(&mut running).await, 1);
}

#[tokio::test]
async fn a_login_without_a_client_secret_ends_before_any_browser_opens() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.vault().remove_client_secret(&factory).await.unwrap();
    let mut running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Login { connection: factory });
    assert_eq!(failed(&mut running).await, "no client secret; set one with: manutop secret set factory");
    assert!(rig.browser.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_manus_login_mints_without_a_browser() {
    let mut rig = Rig::new();
    let sync = rig.manus("hr-sync").await;
    let mut running = rig.start(false);
    running.engine.views().await;
    running.engine.send(Command::Login { connection: sync.clone() });
    running.until(|event| matches!(event.kind(), Some(EventKind::Refreshed { generation: 1, .. })).then_some(())).await;
    assert!(rig.browser.0.lock().unwrap().is_empty());
    assert!(rig.vault().read(&sync).await.unwrap().saved);
}

#[tokio::test]
async fn the_log_has_redirect_and_exchange_and_none_of_their_secrets() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    person.visit(changed(&back, "state", "forged")).await;
    person.visit(&back).await;
    running.engine.shutdown().await;
    let entries = exchanges(&mut running);
    let kinds: Vec<_> = entries.iter().map(|entry| (entry.exchange, entry.method.as_str(), entry.is_ok())).collect();
    assert_eq!(
        kinds,
        [
            (Exchange::Authorization, "GET", false),
            (Exchange::Authorization, "GET", true),
            (Exchange::Code, "POST", true)
        ]
    );
    assert_eq!((entries[1].host.as_str(), entries[1].path.as_str()), (back.authority(), "/callback"));
    assert_eq!(entries[2].path, "/oauth/token");
    let record = rig.vault().read(&factory).await.unwrap().record.unwrap();
    let (asked, answered) = (parameters(&login.url), parameters(&back));
    let log = serde_json::to_string(&entries).unwrap();
    for secret in [
        answered["code"].as_str(),
        asked["state"].as_str(),
        asked["code_challenge"].as_str(),
        SECRET,
        record.access_token.expose(),
        record.refresh_token.as_ref().unwrap().token.expose(),
        "code_verifier",
        "forged",
    ] {
        assert!(!log.contains(secret), "{log}");
    }
}

/// A client secret that a command supplies: what it prints is used and stored nowhere.
#[cfg(unix)]
#[tokio::test]
async fn a_login_can_take_its_client_secret_from_a_command() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    rig.vault().remove_client_secret(&factory).await.unwrap();
    let command = vec!["printf".into(), "%s\\n".into(), SECRET.into()];
    rig.connections[0] = Connection { client_secret: SecretSource::Command(command), ..rig.connections[0].clone() };
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    assert_eq!(person.visit(person.sent_to(&login.url, "allow").await).await.0, 200);
    logged_in(&mut running).await;
    assert_eq!(rig.vault().client_secret(&factory).await.unwrap(), None);
}

#[tokio::test]
async fn a_login_begun_before_the_first_reading_and_cancelled_leaves_a_connection_that_is_read() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "https://example.com/callback").await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    let mut running = rig.start(true);
    running.engine.send(Command::Login { connection: factory.clone() });
    running.until(|event| matches!(event.kind(), Some(EventKind::LoginStarted)).then_some(())).await;
    running.engine.send(Command::Cancel { connection: factory.clone() });
    assert_eq!(running.view(&factory).await.token().map(|token| token.generation), Some(1));
}

#[tokio::test]
async fn a_redirect_from_another_issuer_than_the_one_seen_before_is_refused() {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", LOOPBACK).await;
    let (mut running, person) = (rig.start(false), Person::new());
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    assert_eq!(person.visit(changed(&back, "iss", "https://auth.example")).await.0, 200);
    assert_eq!(logged_in(&mut running).await, 1);
    assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)));
    let login = begin(&mut running, &factory).await;
    let back = person.sent_to(&login.url, "allow").await;
    let (status, page) = person.visit(changed(&back, "iss", "https://evil.example")).await;
    assert!(status == 400 && page.contains("names another authorization server") && !page.contains("evil"), "{page}");
    assert!(refused(&mut running).await.contains("`iss` names another authorization server"));
    running.engine.send(Command::FinishLogin {
        connection: factory.clone(),
        pasted: Secret::new(changed(&back, "iss", "https://evil.example")),
    });
    assert!(refused(&mut running).await.contains("`iss` names another authorization server"));
    assert_eq!(person.visit(changed(&back, "iss", "https://auth.example")).await.0, 200);
    assert_eq!(logged_in(&mut running).await, 3);
    let record = rig.vault().read(&factory).await.unwrap().record.unwrap();
    assert_eq!(record.subject.unwrap().issuer.as_deref(), Some("https://auth.example"));
    assert_eq!(record.generation, 3);
}
