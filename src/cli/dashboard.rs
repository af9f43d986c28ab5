//! Opens the dashboard, on the configured connections or on the demo's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::Report;
use crossterm::event::Event as InputEvent;
use tokio::sync::mpsc;

use super::exit::{Exit, Stop};
use super::faults::{Breakable, Faults};
use super::files::Files;
use super::host::TerminalHost;
use super::say::say;
use super::session::Session;
use crate::app::{App, Keymap, Look, Msg, Options, Template, Zone, update};
use crate::config::Config;
use crate::domain::{Connection, ConnectionView, Event, Program, ThemeName};
use crate::engine::{Engine, Parts};
use crate::oauth::providers;
use crate::shell::appearance::{depth, keymap};
use crate::shell::attention::{Attention, Wishes};
use crate::shell::background;
use crate::shell::browser::SystemBrowser;
use crate::shell::clipboard::Clipboard;
use crate::shell::environment::Environment;
use crate::shell::input::read_terminal;
use crate::shell::log_reader::LogReader;
use crate::shell::painter::Painter;
use crate::shell::screen::Screen;
use crate::shell::signals::Signals;
use crate::shell::terminal::TerminalGuard;
use crate::shell::{Configuration, Dashboard, Ending};
use crate::store::overview;
use crate::store::request_log::RequestLog;
use crate::ui;

/// How long leaving waits for an exchange that is out. The exchange itself is bounded by less.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(90);

/// How long leaving waits for the program that is told of events.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// Opens the dashboard on the configured connections.
pub(super) async fn run(files: &Files) -> Result<Exit, Report> {
    let session = Session::open(files)?;
    let keymap = keymap(&session.config.keys, &session.paths.config_file).map_err(Stop::from)?;
    let browser = Arc::new(SystemBrowser::new(session.environment.clone()));
    let parts = session.parts(browser, Program::Dashboard);
    let opening = Opening {
        config_file: session.paths.config_file.clone(),
        data_dir: Some(session.paths.data_dir.clone()),
        config: session.config,
        ascii: files.ascii,
        keymap,
        theme: files.theme,
        demo: None,
        environment: session.environment,
    };
    show(parts, opening).await
}

/// How a dashboard is opened.
pub(super) struct Opening {
    pub(super) config_file: PathBuf,
    /// Where the request log is kept; `None` keeps it in memory.
    pub(super) data_dir: Option<PathBuf>,
    /// As it was read from `config_file`.
    pub(super) config: Config,
    pub(super) ascii: bool,
    pub(super) keymap: Keymap,
    /// As the command line names it; otherwise the configuration does.
    pub(super) theme: Option<ThemeName>,
    pub(super) demo: Option<Demo>,
    pub(super) environment: Environment,
}

/// What only the demo has.
pub(super) struct Demo {
    /// What can be broken.
    pub(super) breakable: Breakable,
    /// What new connections begin with.
    pub(super) templates: Vec<Template>,
    /// Whether it begins with the guided tour.
    pub(super) tour: bool,
}

/// Takes the terminal over, runs the dashboard, gives the terminal back, and leaves only after
/// what is out has been saved.
pub(super) async fn show(parts: Parts, opening: Opening) -> Result<Exit, Report> {
    let clock = Arc::clone(&parts.clock);
    let overview = opening.data_dir.as_deref().map(overview::read).unwrap_or_default();
    let rows = overview.rows();
    let view = |connection: &Connection| match rows.facts(&connection.name) {
        Some(facts) => ConnectionView::remembered(connection, facts),
        None => ConnectionView::loading(connection),
    };
    let views = parts.connections.iter().map(view).collect();
    let answers = (opening.config.token_socket && opening.demo.is_none()).then(|| opening.config_file.clone());
    let options = Options {
        look: Look {
            theme: opening.theme.unwrap_or(opening.config.theme),
            depth: depth(|name| std::env::var_os(name)),
            background: None,
        },
        theme_is_fixed: opening.theme.is_some(),
        ascii: opening.ascii || !locale_is_utf8(),
        zone: Zone::Local,
        config_file: opening.config_file,
        keymap: opening.keymap,
        providers: providers::ALL,
        templates: opening.demo.as_ref().map(|demo| demo.templates.clone()).unwrap_or_default(),
        demo: opening.demo.is_some(),
    };
    let mut app = App::new(views, Vec::new(), options, clock.now());
    app.configure(parts.connections.clone());
    match &opening.demo {
        Some(Demo { tour: true, .. }) => app = app.with_tour(clock.now()),
        Some(_) => app.greet(clock.now()),
        None => {}
    }
    let signals = Signals::listen()?;
    let mut guard = TerminalGuard::enter().map_err(|error| Stop::new(Exit::Failed, error))?;
    let mut terminal = Painter::new(Screen::stdout())?;
    // The first frame waits for nothing: whatever has a thread of its own begins after it.
    let size = terminal.size()?;
    let _ = update(&mut app, Msg::Input(InputEvent::Resize(size.width, size.height)), clock.now());
    terminal.draw(|frame| ui::draw(frame, &app, clock.now()))?;
    let (engine, events) = Engine::start(parts)?;
    let attention = Attention::start(Wishes::from(&opening.config), &opening.environment, clock.now());
    let log_limit = opening.config.request_log;
    let request_log = opening.data_dir.as_deref().map(|dir| RequestLog::start(dir, log_limit));
    let configuration = Configuration::start(app.options.config_file.clone(), opening.config, providers::ALL)?;
    // Nothing reads keys yet that could take the terminal's answer for some. The engine is at work
    // meanwhile.
    if app.options.look.asks_background() {
        app.options.look.background = background::ask().await;
    }
    let faults = opening.demo.map(|demo| Faults::start(demo.breakable, engine.remote())).transpose()?;
    let (notes, clipboard_notes) = mpsc::unbounded_channel();
    let mut dashboard = Dashboard {
        app,
        engine,
        events,
        input: read_terminal()?,
        clipboard: Clipboard::start(&opening.environment, move |note| {
            // Nobody listens any more once the dashboard is leaving.
            let _ = notes.send(note);
        }),
        clipboard_notes,
        clear_after: configuration.current().clipboard_clear,
        configuration,
        request_log,
        log_reader: opening.data_dir.as_deref().map(LogReader::new),
        // Where somebody who started it in a shell looks first.
        exports: std::env::current_dir().unwrap_or_else(|_| ".".into()),
        signals,
        answers,
        host: TerminalHost::new(&mut guard, faults),
        attention,
        clock,
    };
    let ending = dashboard.run(&mut terminal).await;
    let Dashboard { engine, signals, clipboard, request_log, mut events, mut attention, .. } = dashboard;
    guard.leave();
    // The guard has shown the cursor. ratatui would do it again on drop, and panics where the
    // terminal is gone: in the middle of waiting for an answer.
    std::mem::forget(terminal);
    drop(clipboard);
    let left = leave(&engine, signals).await;
    attention.close(LAST_EVENTS).await;
    while let Ok(event) = events.try_recv() {
        match (event, &request_log) {
            (Event::RequestLogged(entry), Some(log)) => log.append(&entry),
            // The screen that would have said so is gone.
            (Event::ClientSecretSet { connection, result: Err(why) }, _) => {
                say!("{connection}: the client secret is not stored: {why}");
            }
            _ => {}
        }
    }
    match ending? {
        Ending::Quit => left.map_err(Report::from),
        Ending::InputEnded => Err(Stop::new(Exit::Failed, "the terminal cannot be read any more").into()),
        Ending::EngineEnded => Err(color_eyre::eyre::eyre!("the engine ended by itself")),
    }
}

/// Waits for what is out to be saved. A second wish to quit ends the wait, at the person's risk.
async fn leave(engine: &Engine, mut signals: Signals) -> Result<Exit, Stop> {
    let shutdown = engine.shutdown();
    tokio::pin!(shutdown);
    if tokio::time::timeout(Duration::from_millis(200), &mut shutdown).await.is_ok() {
        return Ok(Exit::Ok);
    }
    say!("waiting for an answer that is on its way, to save it; Ctrl-C leaves without it");
    let given_up =
        |why: &str| Err(Stop::new(Exit::Uncertain, format!("{why}; the journal will tell at the next start")));
    tokio::select! {
        () = shutdown => Ok(Exit::Ok),
        _ = signals.next() => given_up("left while an answer was on its way"),
        () = tokio::time::sleep(LEAVE_TIMEOUT) => given_up("the answer did not come, or could not be saved"),
    }
}

/// Whether the locale can show more than ASCII (POSIX: `LC_ALL` over `LC_CTYPE` over `LANG`).
pub(super) fn locale_is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")) {
        Some(locale) => locale.to_ascii_lowercase().replace('-', "").contains("utf8"),
        // Nothing said: on Windows and macOS terminals are UTF-8; elsewhere most are, too.
        None => true,
    }
}
