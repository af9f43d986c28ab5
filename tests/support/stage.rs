//! The dashboard's real loop and real engine on a screen in memory, and a person before it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, io};

use chrono::FixedOffset;
use crossterm::event::{Event as InputEvent, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use manutop::config;
use manutop::config::NotifySettings;
use manutop::dashboard::keymap::Keymap;
use manutop::dashboard::theme::appearance::Appearance;
use manutop::dashboard::{App, DashboardOptions};
use manutop::dashboard_loop::appearance::check_keys;
use manutop::dashboard_loop::host::Host;
use manutop::dashboard_loop::log_reader::LogReader;
use manutop::dashboard_loop::run_loop::{Dashboard, Ending};
use manutop::domain::{Clock, ConnectionView, DEFAULT_LOG_LIMIT, Secret};
use manutop::format::time::Zone;
use manutop::live_configuration::{Configuration, ConfigurationSource};
use manutop::notifications::{Notifier, NotifierOptions};
use manutop::oauth::providers::ALL;
use manutop::platform::clipboard::Clipboard;
use manutop::platform::environment::Environment;
use manutop::platform::signals::Signals;
use manutop::request_log::segments::RequestLog;
use manutop::terminal::frame_writer::FrameWriter;
use manutop::terminal::window::Window;
use tokio::sync::mpsc::{self, UnboundedSender};

use super::rig::{MovableClock, Rig, Running};
use super::screen::Screen;

const PATIENCE: Duration = Duration::from_secs(20);

/// Remembers what the terminal's clipboard was given, and how often it was handed over.
#[derive(Clone, Default)]
pub struct FakeHost {
    pub copied: Arc<Mutex<Vec<Secret>>>,
    pub suspended: Arc<Mutex<u32>>,
    /// What was said on the terminal while another program had it, and `back` for each return.
    pub lent: Arc<Mutex<Vec<String>>>,
    /// Whether the mouse is reported, as last set.
    pub mouse: Arc<Mutex<Option<bool>>>,
}

impl Window for FakeHost {}

impl Host for FakeHost {
    fn suspend(&mut self) -> io::Result<()> {
        *self.suspended.lock().expect("not poisoned") += 1;
        Ok(())
    }

    fn lend(&mut self) {
        self.lent.lock().expect("not poisoned").push("lent".into());
    }

    fn say(&mut self, line: &str) {
        self.lent.lock().expect("not poisoned").push(line.trim().into());
    }

    fn report_mouse(&mut self, on: bool) -> io::Result<()> {
        *self.mouse.lock().expect("not poisoned") = Some(on);
        Ok(())
    }

    fn reenter(&mut self) -> io::Result<()> {
        self.lent.lock().expect("not poisoned").push("back".into());
        Ok(())
    }

    fn copy(&mut self, text: &Secret) -> io::Result<()> {
        self.copied.lock().expect("not poisoned").push(text.clone());
        Ok(())
    }
}

/// The fingers and the eyes of a test.
#[derive(Clone)]
pub struct Person {
    keys: UnboundedSender<InputEvent>,
    pub screen: Screen,
    /// The frame from which on the next thing is looked for: the one that was shown when the
    /// latest key was pressed, or in which the latest thing was seen.
    from: Arc<AtomicUsize>,
}

impl Person {
    /// Presses keys one after another.
    pub fn press(&self, keys: &str) {
        for key in keys.chars() {
            self.press_code(KeyCode::Char(key), KeyModifiers::NONE);
        }
    }

    /// Presses a key that is no character, or not alone.
    pub fn press_code(&self, code: KeyCode, modifiers: KeyModifiers) {
        self.send(InputEvent::Key(KeyEvent::new(code, modifiers)));
    }

    /// Pastes text as a terminal with bracketed paste does.
    pub fn paste(&self, text: &str) {
        self.send(InputEvent::Paste(text.into()));
    }

    /// Anything a terminal can send.
    pub fn send(&self, event: InputEvent) {
        self.from.store(self.screen.newest(), Ordering::Relaxed);
        self.keys.send(event).expect("the loop reads");
    }

    /// Clicks on the first place of the screen where these words stand.
    pub fn clicks(&self, words: &str) {
        let text = self.screen.text();
        let lines = text.lines().map(|line| line.trim_matches('"'));
        let found = lines.zip(0..).find_map(|(line, y)| line.find(words).map(|at| (line[..at].chars().count(), y)));
        let (x, row) = found.unwrap_or_else(|| panic!("{words:?} is not there:\n{text}"));
        let kind = MouseEventKind::Down(MouseButton::Left);
        let column = u16::try_from(x).expect("on the screen") + 1;
        self.send(InputEvent::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    }

    /// Waits until these words stand one below the other.
    pub async fn sees_in_order(&self, words: &[&str]) {
        let in_order = |text: &str| {
            let mut rest = text.lines();
            words.iter().all(|word| rest.any(|line| line.contains(word)))
        };
        self.looks(&words.join(" above "), in_order).await;
    }

    /// Waits until words stand on the screen.
    pub async fn sees(&self, words: &str) {
        self.looks(words, |screen| screen.contains(words)).await;
    }

    /// Waits until words are gone from the screen.
    pub async fn sees_no_more(&self, words: &str) {
        let gone = || (!self.screen.text().contains(words)).then(|| self.screen.newest());
        self.waits(&format!("without {words:?}"), gone).await;
    }

    /// Waits until the screen is as asked, or has been since the latest key, however briefly.
    pub async fn looks(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        let seen = || self.screen.first_from(self.from.load(Ordering::Relaxed), &is_so);
        self.waits(&format!("for {what:?}"), seen).await;
    }

    /// Waits for a frame, from which on the next thing is looked for.
    async fn waits(&self, what: &str, frame: impl Fn() -> Option<usize>) {
        let looking = async {
            loop {
                if let Some(seen) = frame() {
                    return self.from.store(seen, Ordering::Relaxed);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let seen = tokio::time::timeout(PATIENCE, looking).await;
        assert!(seen.is_ok(), "waited in vain {what}:\n{}", self.screen.text());
    }
}

/// How the dashboard is set up.
pub struct Stage<H = FakeHost> {
    pub size: (u16, u16),
    /// The file the configuration is in; none for one that is written from the rig's connections.
    pub config_file: Option<PathBuf>,
    pub host: H,
    /// What edits the configuration file.
    pub editor: Vec<OsString>,
    /// What is changed about the state before it is shown.
    pub prepare: Box<dyn FnOnce(App) -> App>,
    pub options: DashboardOptions,
    /// What is done about incidents; nothing unless it says so.
    pub notifier_options: NotifierOptions,
    /// Where the request log is; none keeps it in memory.
    pub data_dir: Option<PathBuf>,
}

impl Stage {
    /// The usual one: 120 columns and 32 rows.
    pub fn new() -> Self {
        Self::with_host(FakeHost::default())
    }
}

impl<H: Host> Stage<H> {
    /// One with another terminal beyond drawing.
    pub fn with_host(host: H) -> Self {
        let options = DashboardOptions {
            appearance: Appearance::SIXTEEN,
            theme_is_fixed: false,
            ascii: false,
            zone: Zone::Fixed(FixedOffset::east_opt(0).expect("UTC")),
            keymap: Keymap::default(),
            providers: ALL,
            templates: Vec::new(),
            config_file: "config.toml".into(),
            demo: false,
        };
        let notifier_options =
            NotifierOptions { notify: NotifySettings::Off, bell: false, on_event: None, on_event_timeout: None };
        Self {
            size: (120, 32),
            config_file: None,
            editor: Vec::new(),
            host,
            prepare: Box::new(|app| app),
            options,
            notifier_options,
            data_dir: None,
        }
    }

    /// Runs the loop over the rig until `act` is through, which must end it by quitting.
    pub async fn play<A: Future<Output = ()>>(self, rig: &Rig, act: impl FnOnce(Person) -> A) -> Ending {
        self.play_with(rig, rig.start(true), act).await
    }

    /// The same with an engine that runs already.
    pub async fn play_with<A: Future<Output = ()>>(
        mut self,
        rig: &Rig,
        Running { engine, events }: Running,
        act: impl FnOnce(Person) -> A,
    ) -> Ending {
        let file = self.config_file.unwrap_or_else(|| {
            let file = rig.dir.path().join("config.toml");
            fs::write(&file, rig.configuration()).expect("the rig's directory can be written to");
            file
        });
        let config = config::load(&file, ALL).expect("the rig's configuration is good").unwrap_or_default();
        let (keys, input) = mpsc::unbounded_channel();
        let (notes, clipboard_notes) = mpsc::unbounded_channel();
        let screen = Screen::new(self.size.0, self.size.1);
        self.options.config_file.clone_from(&file);
        let views = rig.connections.iter().map(ConnectionView::loading).collect();
        let mut app = App::new(views, Vec::new(), self.options, rig.clock.now());
        app.configure(config.connections.clone());
        let source = ConfigurationSource { file, stamp: None, providers: ALL, check_keys };
        let mut dashboard = Dashboard {
            app: (self.prepare)(app),
            engine,
            events,
            input: input.into(),
            configuration: Configuration::start(source, config).expect("a thread"),
            // No display: copies go to the terminal, that is to the host.
            clipboard: Clipboard::start(&Environment::default(), move |note| drop(notes.send(note))),
            clipboard_notes,
            clear_after: None,
            request_log: self.data_dir.as_deref().map(|dir| RequestLog::start(dir, DEFAULT_LOG_LIMIT)),
            log_reader: self.data_dir.as_deref().map(LogReader::new),
            exports: rig.dir.path().to_owned(),
            signals: Signals::listen().expect("signals"),
            answers: None,
            editor: self.editor,
            host: self.host,
            notifier: Notifier::start(self.notifier_options, &Environment::default(), rig.clock.now()),
            clock: Arc::<MovableClock>::clone(&rig.clock),
        };
        let mut terminal = FrameWriter::new(screen.clone()).expect("a terminal in memory");
        let (ending, ()) =
            tokio::join!(dashboard.run(&mut terminal), act(Person { keys, screen, from: Arc::default() }));
        dashboard.notifier.close(PATIENCE).await;
        dashboard.engine.shutdown().await;
        ending.expect("drawing in memory cannot fail")
    }
}
