//! A person who looks elsewhere is notified: the real loop and the real engine, a terminal in memory,
//! real programs run for events, and a real desktop's notification daemon.

use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use crossterm::event::{KeyCode, KeyModifiers};
use manutop::config::NotifySettings;
use manutop::dashboard::App;
use manutop::dashboard_loop::host::Host;
use manutop::domain::{ConnectionName, Secret, TokenRecord};
use manutop::notifications::NotifierOptions;
use manutop::terminal::window::Window;
use serde_json::Value;

use crate::support::again::this_test;
use crate::support::keyring;
use crate::support::rig::{Rig, SECRET, eventually};
use crate::support::stage::{Person, Stage};

/// What was sent to the terminal beyond drawing.
#[derive(Clone, Default)]
struct Announced {
    notices: Arc<Mutex<Vec<String>>>,
    titles: Arc<Mutex<Vec<String>>>,
    bells: Arc<Mutex<usize>>,
}

impl Announced {
    fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap().clone()
    }

    fn title(&self) -> String {
        self.titles.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

impl Window for Announced {
    fn set_title(&mut self, title: &str) -> io::Result<()> {
        self.titles.lock().unwrap().push(title.to_owned());
        Ok(())
    }

    fn notify(&mut self, text: &str) -> io::Result<()> {
        self.notices.lock().unwrap().push(text.to_owned());
        Ok(())
    }

    fn ring(&mut self) -> io::Result<()> {
        *self.bells.lock().unwrap() += 1;
        Ok(())
    }
}

impl Host for Announced {
    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reenter(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn copy(&mut self, _text: &Secret) -> io::Result<()> {
        Ok(())
    }
}

/// A dashboard under way, on a directory where its hook writes.
struct Scene<'a> {
    rig: &'a Rig,
    person: Person,
    reported: Announced,
}

impl Scene<'_> {
    fn press(&self, key: &str) {
        self.person.press(key);
    }

    async fn sees(&self, words: &str) {
        self.person.sees(words).await;
    }

    /// What the hook was given so far.
    fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.rig.dir.path().join("events")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn count(&self, event: &str) -> usize {
        self.events().iter().filter(|object| object["event"] == event).count()
    }

    async fn until_events(&self, event: &str, count: usize) {
        eventually(event, || self.count(event) >= count).await;
    }

    /// The refresh token is revoked, and a refresh finds out; the start is long past by then.
    async fn revoke(&self) {
        self.sees("● live").await;
        self.rig.clock.advance(TimeDelta::seconds(20));
        let newest = self.rig.servers.manu().newest_refresh_token("app-factory").unwrap();
        self.rig.servers.manu().revoke(&newest);
        self.press("R");
        self.sees("✖ needs login").await;
    }
}

/// Runs the loop until `act` is through, with a hook that writes down what it is given.
async fn with_dashboard<'a, A: Future<Output = ()>>(
    rig: &'a Rig,
    notifier_options: NotifierOptions,
    quiet: bool,
    act: impl FnOnce(Scene<'a>) -> A,
) {
    let reported = Announced::default();
    let prepare = move |mut app: App| {
        if quiet {
            app.toggle_quiet();
        }
        app
    };
    let stage = Stage { notifier_options, prepare: Box::new(prepare), ..Stage::with_host(reported.clone()) };
    let acting = async |person: Person| {
        let leaving = person.clone();
        act(Scene { rig, person, reported }).await;
        leaving.press_code(KeyCode::Char('c'), KeyModifiers::CONTROL);
    };
    stage.play(rig, acting).await;
}

async fn rig() -> (Rig, ConnectionName, TokenRecord) {
    let mut rig = Rig::with(|options| {
        (options.manu_limit, options.manus_limit) = (None, None);
        options.manu_lifetime = Duration::from_secs(1800);
    });
    let factory = rig.manu("factory", "http://127.0.0.1/callback").await;
    let record = rig.logged_in(&factory, TimeDelta::zero()).await;
    (rig, factory, record)
}

fn writes_events(rig: &Rig) -> Vec<String> {
    let dir = rig.dir.path().display().to_string();
    ["sh", "-c", "cat >> \"$0/events\"; env >> \"$0/environment\"", &dir].map(String::from).to_vec()
}

fn notifier_options(rig: &Rig, notify: NotifySettings) -> NotifierOptions {
    NotifierOptions { notify, bell: true, on_event: Some(writes_events(rig)), on_event_timeout: None }
}

#[tokio::test]
async fn an_incident_is_notified_once_while_it_is_open_and_so_is_its_end() {
    let (rig, factory, record) = rig().await;
    with_dashboard(&rig, notifier_options(&rig, NotifySettings::Terminal), false, async |scene| {
        scene.revoke().await;
        eventually("a notification", || !scene.reported.notices().is_empty()).await;
        assert_eq!(scene.reported.title(), "manutop: ✖ factory needs login");
        for tries in 2..5 {
            // Past any pause between notifications, with a tick and a try in each.
            rig.clock.advance(TimeDelta::seconds(35));
            scene.press("R");
            scene.until_events("refresh_failed", tries).await;
        }
        assert_eq!(scene.reported.notices().len(), 1, "{:?}", scene.reported.notices());
        assert_eq!((scene.count("incident_opened"), *scene.reported.bells.lock().unwrap()), (1, 1));
        let notice = scene.reported.notices().remove(0);
        assert!(notice.starts_with("factory needs login: ") && notice.contains("l: log in"), "{notice}");

        // Another process logs in again.
        let renewed = rig.servers.manu().issue("app-factory", "API_ALL").record(record.generation + 1);
        rig.vault().lock(&factory, |_| {}).await.unwrap().receive(renewed.clone()).await.unwrap();
        scene.until_events("incident_closed", 1).await;
        eventually("the title", || scene.reported.title() == "manutop: ● 1 live").await;
        let events = scene.events();
        let closed = events.iter().find(|event| event["event"] == "incident_closed").unwrap();
        assert_eq!((&closed["recovered"], &closed["incident"]["kind"]), (&true.into(), &"needs_login".into()));
        assert!(events.iter().all(|event| event["version"] == 1 && event["connection"] == "factory"), "{events:?}");
        assert_eq!((scene.count("adopted"), scene.reported.notices().len()), (1, 1));
        no_secret_is_notified(&rig, &[record.clone(), renewed]);
    })
    .await;
}

/// Fails if a secret, or a good part of one, is in anything the hook was given.
fn no_secret_is_notified(rig: &Rig, records: &[TokenRecord]) {
    let mut secrets = vec![Secret::new(SECRET)];
    for record in records {
        secrets.push(record.access_token.clone());
        secrets.extend(record.refresh_token.iter().map(|refresh| refresh.token.clone()));
    }
    for file in ["events", "environment"] {
        let text = std::fs::read(rig.dir.path().join(file)).unwrap();
        assert!(text.len() > 100, "{file} is empty");
        for secret in &secrets {
            let parts = secret.expose().as_bytes().windows(16);
            assert!(parts.len() > 0 && !parts.into_iter().any(|part| text.windows(16).any(|window| window == part)));
        }
    }
}

#[tokio::test]
async fn what_was_open_at_the_start_is_passed_to_the_program_alone() {
    let (rig, _, record) = rig().await;
    rig.servers.manu().revoke(&record.refresh_token.unwrap().token);
    with_dashboard(&rig, notifier_options(&rig, NotifySettings::Terminal), false, async |scene| {
        scene.sees("● live").await;
        scene.press("R");
        scene.until_events("incident_opened", 1).await;
        let events = scene.events();
        let opened = events.iter().find(|event| event["event"] == "incident_opened").unwrap();
        assert_eq!(opened["incident"]["standing"], true);
        eventually("the title", || scene.reported.title() == "manutop: ✖ factory needs login").await;
        rig.clock.advance(TimeDelta::seconds(60));
        scene.press("R");
        scene.until_events("refresh_failed", 2).await;
        assert_eq!((scene.reported.notices().len(), scene.count("incident_opened")), (0, 1));
    })
    .await;
}

#[tokio::test]
async fn quiet_silences_everything_but_the_title_and_the_program() {
    let (rig, ..) = rig().await;
    with_dashboard(&rig, notifier_options(&rig, NotifySettings::Terminal), true, async |scene| {
        scene.sees("quiet, auto on").await;
        scene.revoke().await;
        scene.until_events("incident_opened", 1).await;
        rig.clock.advance(TimeDelta::seconds(40));
        scene.press("R");
        scene.until_events("refresh_failed", 2).await;
        assert_eq!((scene.reported.notices().len(), *scene.reported.bells.lock().unwrap()), (0, 0));
        assert_eq!(scene.reported.title(), "manutop: ✖ factory needs login");
    })
    .await;
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_and_reported_while_the_screen_keeps_running() {
    let (rig, ..) = rig().await;
    let hangs = Some(["sh", "-c", "sleep 1000; true"].map(String::from).to_vec());
    let notifier_options = NotifierOptions {
        on_event: hangs,
        on_event_timeout: Some(Duration::from_secs(2)),
        ..NotifierOptions::default()
    };
    with_dashboard(&rig, NotifierOptions { notify: NotifySettings::Off, ..notifier_options }, false, async |scene| {
        scene.sees("● live").await;
        scene.press("R");
        scene.sees("generation 2").await;
        scene.press("?");
        scene.sees("Help").await;
        scene.press("q");
        scene.sees("on_event: sh took longer than 2 s and was ended").await;
    })
    .await;
}

#[tokio::test]
async fn a_logout_by_another_process_is_noticed_and_ends_an_incident_without_recovery() {
    let (rig, factory, _) = rig().await;
    with_dashboard(&rig, notifier_options(&rig, NotifySettings::Terminal), false, async |scene| {
        scene.revoke().await;
        scene.until_events("incident_opened", 1).await;
        rig.vault().lock(&factory, |_| {}).await.unwrap().forget().await.unwrap();
        scene.sees("never logged in").await;
        scene.until_events("incident_closed", 1).await;
        let events = scene.events();
        let closed = events.iter().find(|event| event["event"] == "incident_closed").unwrap();
        assert_eq!((&closed["recovered"], scene.count("logged_out")), (&false.into(), 1));
        eventually("the title", || scene.reported.title() == "manutop: ○ 0 live").await;
    })
    .await;
}

/// Runs the named test again in a child whose environment has this session bus.
fn with_bus(address: &str, test: &str) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    keyring::run_again(command.env("DBUS_SESSION_BUS_ADDRESS", address).env(INSIDE, "1"), test);
}

const INSIDE: &str = "MANUTOP_TEST_NOTICING";

fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

#[test]
fn without_a_desktop_the_terminal_notifies() {
    if !is_inside() {
        return with_bus("unix:path=/no/such/bus", this_test!());
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (rig, ..) = rig().await;
        with_dashboard(&rig, notifier_options(&rig, NotifySettings::Desktop), false, async |scene| {
            scene.revoke().await;
            eventually("a notification", || !scene.reported.notices().is_empty()).await;
        })
        .await;
    });
}

/// A program that is killed when this is dropped.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts an X server on a display it picks itself; gives its name.
fn xvfb() -> (Daemon, String) {
    let mut xvfb = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb is installed");
    let mut number = String::new();
    BufReader::new(xvfb.stdout.as_mut().unwrap()).read_line(&mut number).unwrap();
    (Daemon(xvfb), format!(":{}", number.trim()))
}

/// What `dunstctl` says.
fn dunstctl(arguments: &[&str]) -> String {
    let output = Command::new("dunstctl").args(arguments).stderr(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn notified() -> usize {
    ["displayed", "waiting", "history"]
        .map(|which| dunstctl(&["count", which]).trim().parse().unwrap_or(0))
        .iter()
        .sum()
}

#[test]
#[ignore = "needs dunst, Xvfb and dbus; scripts/test runs it"]
fn the_desktop_shows_one_notification_for_one_incident() {
    if !is_inside() {
        let session = keyring::Session::start();
        let (_xvfb, display) = xvfb();
        let mut dunst = session.command("dunst");
        dunst.env("DISPLAY", &display).stdout(Stdio::null()).stderr(Stdio::null());
        let _dunst = Daemon(dunst.spawn().expect("dunst is installed"));
        let mut inside = session.command(std::env::current_exe().unwrap());
        return keyring::run_again(inside.env("DISPLAY", &display).env(INSIDE, "1"), this_test!());
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        eventually("dunst", || dunstctl(&["count", "displayed"]).trim() == "0").await;
        let (rig, ..) = rig().await;
        with_dashboard(&rig, notifier_options(&rig, NotifySettings::Desktop), false, async |scene| {
            scene.revoke().await;
            eventually("a notification", || notified() == 1).await;
            rig.clock.advance(TimeDelta::seconds(40));
            scene.press("R");
            scene.until_events("refresh_failed", 2).await;
            rig.clock.advance(TimeDelta::seconds(40));
            scene.press("R");
            scene.until_events("refresh_failed", 3).await;
            assert_eq!((notified(), scene.reported.notices().len()), (1, 0));
            dunstctl(&["close-all"]);
            eventually("history", || dunstctl(&["count", "history"]).trim() == "1").await;
            let history: Value = serde_json::from_str(&dunstctl(&["history"])).unwrap();
            let shown = &history["data"][0][0];
            assert_eq!(
                (&shown["appname"]["data"], &shown["summary"]["data"]),
                (&"manutop".into(), &"factory needs login".into())
            );
            let body = shown["body"]["data"].as_str().unwrap();
            assert!(body.contains("In manutop, l: log in with the browser"), "{body}");
        })
        .await;
    });
}
