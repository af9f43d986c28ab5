//! From the key to the screen: the real loop and the real engine, on a terminal in memory.

mod support;

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{FixedOffset, TimeDelta};
use crossterm::event::{Event as InputEvent, KeyCode, KeyEvent, KeyModifiers};
use manutop::app::{App, Keymap, Options, Zone};
use manutop::demo::Fault;
use manutop::domain::{Clock, ConnectionView, Secret};
use manutop::oauth::providers;
use manutop::shell::clipboard::Clipboard;
use manutop::shell::environment::Environment;
use manutop::shell::signals::Signals;
use manutop::shell::{Dashboard, Ending, Host};
use ratatui::Terminal;
use support::rig::{MovableClock, Rig, Running};
use support::screen::Screen;
use tokio::sync::mpsc::{self, UnboundedSender};

const PATIENCE: Duration = Duration::from_secs(20);

/// Remembers what the terminal's clipboard was given, and how often it was handed over.
#[derive(Clone, Default)]
struct FakeHost {
    copied: Arc<Mutex<Vec<Secret>>>,
    suspended: Arc<Mutex<u32>>,
}

impl Host for FakeHost {
    fn suspend(&mut self) -> io::Result<()> {
        *self.suspended.lock().expect("not poisoned") += 1;
        Ok(())
    }

    fn reenter(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn copy(&mut self, text: &Secret) -> io::Result<()> {
        self.copied.lock().expect("not poisoned").push(text.clone());
        Ok(())
    }
}

/// The fingers and the eyes of a test.
struct Person {
    keys: UnboundedSender<InputEvent>,
    screen: Screen,
    host: FakeHost,
}

impl Person {
    fn press(&self, key: char) {
        self.press_code(KeyCode::Char(key), KeyModifiers::NONE);
    }

    fn press_code(&self, code: KeyCode, modifiers: KeyModifiers) {
        self.keys.send(InputEvent::Key(KeyEvent::new(code, modifiers))).expect("the loop reads");
    }

    async fn sees(&self, words: &str) {
        let looking = async {
            while !self.screen.text().contains(words) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, looking).await;
        assert!(seen.is_ok(), "{words:?} never came:\n{}", self.screen.text());
    }
}

/// Runs the loop over the rig until `act` is through, which must end it by quitting.
async fn with_dashboard<A: Future<Output = ()>>(rig: &Rig, act: impl FnOnce(Person) -> A) -> Ending {
    let Running { engine, events } = rig.start(true);
    let (keys, input) = mpsc::unbounded_channel();
    let (notes, clipboard_notes) = mpsc::unbounded_channel();
    let (screen, host) = (Screen::new(120, 32), FakeHost::default());
    let options = Options {
        color: true,
        ascii: false,
        zone: Zone::Fixed(FixedOffset::east_opt(0).expect("UTC")),
        config_file: "config.toml".into(),
        keymap: Keymap::default(),
        providers: providers::ALL,
        templates: Vec::new(),
        demo: false,
    };
    let views = rig.connections.iter().map(ConnectionView::loading).collect();
    let mut dashboard = Dashboard {
        app: App::new(views, Vec::new(), options, rig.clock.now()),
        engine,
        events,
        input,
        // No display: copies go to the terminal, that is to the host.
        clipboard: Clipboard::start(&Environment::default(), move |note| drop(notes.send(note))),
        clipboard_notes,
        clear_after: None,
        request_log: None,
        signals: Signals::listen().expect("signals"),
        host: host.clone(),
        clock: Arc::<MovableClock>::clone(&rig.clock),
    };
    let mut terminal = Terminal::new(screen.clone()).expect("a terminal in memory");
    let (ending, ()) = tokio::join!(dashboard.run(&mut terminal), act(Person { keys, screen, host }));
    dashboard.engine.shutdown().await;
    ending.expect("drawing in memory cannot fail")
}

async fn rig_with_factory() -> Rig {
    let mut rig = Rig::new();
    let factory = rig.manu("factory", "http://127.0.0.1/callback").await;
    rig.logged_in(&factory, TimeDelta::zero()).await;
    rig
}

#[tokio::test]
async fn one_key_is_one_exchange_and_the_screen_tells_how_it_went() {
    let rig = rig_with_factory().await;
    let ending = with_dashboard(&rig, async |person| {
        person.sees("● live").await;
        person.press('r');
        person.sees("R forces").await;
        assert_eq!(rig.servers.manu().stats().token_posts.total(), 0);
        person.press('R');
        person.sees("generation 2").await;
        person.sees("POST").await;
        assert_eq!(rig.servers.manu().stats().token_posts.refresh_token, 1);
        person.press('q');
    })
    .await;
    assert_eq!(ending, Ending::Quit);
}

#[tokio::test]
async fn the_screen_answers_while_a_request_is_out() {
    let rig = rig_with_factory().await;
    rig.servers.manu().push_fault(Fault::DelayAfter(Duration::from_secs(2)));
    with_dashboard(&rig, async |person| {
        person.sees("● live").await;
        person.press('R');
        person.sees("refreshing").await;
        person.press('?');
        person.sees("Help").await;
        let held = rig.vault().read(&rig.connections[0].name).await.expect("readable").record.expect("a record");
        assert_eq!(held.generation, 1, "Help came before the answer did");
        person.press_code(KeyCode::Esc, KeyModifiers::NONE);
        person.sees("generation 2").await;
        person.press('q');
    })
    .await;
}

#[tokio::test]
async fn the_countdown_ticks_by_itself() {
    let rig = rig_with_factory().await;
    with_dashboard(&rig, async |person| {
        person.sees("1m 28s").await;
        person.sees("1m 26s").await;
        person.press('q');
    })
    .await;
}

#[tokio::test]
async fn a_copied_token_reaches_the_clipboard_and_never_the_screen() {
    let rig = rig_with_factory().await;
    with_dashboard(&rig, async |person| {
        person.sees("● live").await;
        person.press('c');
        person.sees("sent to the terminal").await;
        let copied = person.host.copied.lock().expect("not poisoned").clone();
        assert_eq!(copied.len(), 1);
        assert!(!person.screen.text().contains(copied[0].expose()));
        let record = rig.vault().read(&rig.connections[0].name).await.expect("readable").record.expect("a record");
        assert_eq!(copied[0], record.access_token);
        person.press('q');
    })
    .await;
}

#[tokio::test]
async fn a_login_is_finished_by_pasting_and_a_wrong_paste_is_explained() {
    let mut rig = Rig::new();
    rig.manu("partner", "https://www.getpostman.com/oauth2/callback").await;
    with_dashboard(&rig, async |person| {
        person.sees("never logged in").await;
        person.press('l');
        person.sees("/oauth/authorize?").await;
        let paste = |text: &str| person.keys.send(InputEvent::Paste(text.into())).expect("the loop reads");
        paste("https://www.getpostman.com/oauth2/callback?code=abc&state=forged");
        person.press_code(KeyCode::Enter, KeyModifiers::NONE);
        person.sees("is not the one sent").await;
        person.press_code(KeyCode::Esc, KeyModifiers::NONE);
        person.sees("login cancelled").await;
        person.press('q');
    })
    .await;
}

#[tokio::test]
async fn ctrl_z_stops_and_comes_back_to_a_whole_screen_of_any_size() {
    let rig = rig_with_factory().await;
    with_dashboard(&rig, async |person| {
        person.sees("● live").await;
        person.press_code(KeyCode::Char('z'), KeyModifiers::CONTROL);
        person.sees("● live").await;
        for (width, height) in [(60, 15), (200, 50), (40, 8), (80, 24)] {
            person.screen.resize(width, height);
            person.keys.send(InputEvent::Resize(width, height)).expect("the loop reads");
        }
        person.sees("factory").await;
        assert_eq!(*person.host.suspended.lock().expect("not poisoned"), 1);
        person.press_code(KeyCode::Char('c'), KeyModifiers::CONTROL);
    })
    .await;
}
