//! Opens the dashboard, on the configured connections or on the demo's.

use std::ffi::{OsStr, OsString};
use std::io::{BufWriter, Stdout};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use crossterm::event::Event as InputEvent;
use eyre::Report;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::cli::commands::demo::faults::{Breakable, Faults};
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::message;
use crate::cli::support::terminal_host::TerminalHost;
use crate::cli::support::unsaved::given_up;
use crate::config::{Config, ConfigError, Paths};
use crate::dashboard::connection_form::Template;
use crate::dashboard::kept_view::KeptView;
use crate::dashboard::keymap::Keymap;
use crate::dashboard::theme::appearance::Appearance;
use crate::dashboard::{App, DashboardOptions, Msg, draw, update};
use crate::dashboard_loop::appearance::{check_keys, depth, has_exact_colours, keymap};
use crate::dashboard_loop::log_reader::LogReader;
use crate::dashboard_loop::run_loop::{Dashboard, Ending};
use crate::dashboard_loop::view_file;
use crate::domain::{Connection, ConnectionEvent, ConnectionView, Event, EventKind, LogEntry, Program, ThemeName};
use crate::engine::{Engine, Parts, UnfinishedWork};
use crate::format::time::Zone;
use crate::live_configuration::{Configuration, ConfigurationSource};
use crate::notifications::{Notifier, NotifierOptions};
use crate::oauth::providers;
use crate::platform::browser::SystemBrowser;
use crate::platform::clipboard::Clipboard;
use crate::platform::environment::Environment;
use crate::platform::file_stamp::Stamp;
use crate::platform::signals::{Insistence, QuitRequest, Signals};
use crate::request_log::segments::RequestLog;
use crate::terminal::backend::TerminalBackend;
use crate::terminal::background;
use crate::terminal::frame_writer::FrameWriter;
use crate::terminal::guard::TerminalGuard;
use crate::terminal::input::TerminalInput;
use crate::terminal::link::LinkSlot;
use crate::tokens::status_snapshot;

/// How long leaving waits for an exchange that is out. The exchange itself is bounded by less.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(90);

/// How long leaving waits for the program that is notified of events.
const LAST_EVENTS: Duration = Duration::from_secs(2);

/// Opens the dashboard on the configured connections.
pub(crate) async fn run(files: &GlobalArgs, read_only: bool) -> Result<Exit, Report> {
    let session = Session::open(files)?;
    let read_only = read_only || session.config.read_only;
    let browser = Arc::new(SystemBrowser::new(session.environment.clone()));
    let mut parts = session.parts(browser, Program::Dashboard);
    parts.automatic = !read_only;
    let Session { paths, config, stamp, environment, passphrase, .. } = session;
    drop(passphrase);
    let opening = Opening::new(files, &paths, config, stamp, environment).map_err(CliError::from)?;
    show(parts, Opening { read_only, ..opening }).await
}

/// How a dashboard is opened.
pub(crate) struct Opening {
    pub(crate) source: ConfigurationSource,
    /// Where the request log is kept; `None` keeps it in memory.
    pub(crate) data_dir: Option<PathBuf>,
    /// As it was read from the source.
    pub(crate) config: Config,
    pub(crate) ascii: bool,
    pub(crate) keymap: Keymap,
    /// As the command line names it; otherwise the configuration does.
    pub(crate) theme: Option<ThemeName>,
    pub(crate) demo: Option<Demo>,
    /// Whether it begins by only watching.
    pub(crate) read_only: bool,
    pub(crate) environment: Environment,
}

impl Opening {
    /// On the configured connections. Fails where the configuration's keys are faulty.
    fn new(
        files: &GlobalArgs,
        paths: &Paths,
        config: Config,
        stamp: Option<Stamp>,
        environment: Environment,
    ) -> Result<Self, ConfigError> {
        let (file, data_dir) = (paths.config_file.clone(), Some(paths.data_dir.clone()));
        Ok(Self {
            keymap: keymap(&config.keys, &config.commands, &file)?,
            source: ConfigurationSource { file, stamp, providers: providers::ALL, check_keys },
            data_dir,
            config,
            ascii: files.ascii,
            theme: files.theme,
            demo: None,
            read_only: false,
            environment,
        })
    }

    /// The dashboard as it is before the store has answered: its rows show what an earlier run left.
    fn app(&self, kept: &Result<Option<KeptView>, String>, now: DateTime<Utc>) -> App {
        let snapshot = self.data_dir.as_deref().map(status_snapshot::read).unwrap_or_default();
        let view = |connection: &Connection| match snapshot.facts(&connection.name) {
            Some(facts) => ConnectionView::remembered(connection, facts),
            None => ConnectionView::loading(connection),
        };
        let options = DashboardOptions {
            appearance: Appearance {
                theme: self.theme.unwrap_or(self.config.theme),
                depth: depth(|name| std::env::var_os(name)),
                background: None,
                colours: self.config.colors,
                is_exact: has_exact_colours(|name| std::env::var_os(name)),
            },
            theme_is_fixed: self.theme.is_some(),
            ascii: self.ascii || !locale_is_utf8(),
            zone: Zone::Local,
            config_file: self.source.file.clone(),
            keymap: self.keymap.clone(),
            providers: self.source.providers,
            templates: self.demo.as_ref().map(|demo| demo.templates.clone()).unwrap_or_default(),
            demo: self.demo.is_some(),
        };
        let log = self.demo.as_ref().map(|demo| demo.log.clone()).unwrap_or_default();
        let mut app = App::new(self.config.connections.iter().map(view).collect(), log, options, now);
        app.configure(self.config.connections.clone());
        app.configure_columns(self.config.columns.as_deref());
        match kept {
            Ok(Some(view)) => app.restore(view, now),
            Ok(None) => {}
            Err(why) => app.warn(why, now),
        }
        app.use_mouse(self.config.mouse);
        if self.read_only {
            app.watch_only();
        }
        match &self.demo {
            Some(Demo { tour: true, .. }) => app = app.with_tour(now),
            Some(_) => app.greet(now),
            None => {}
        }
        app
    }
}

/// The terminal taken over, and what it is drawn with. In this order it is let go of.
pub(crate) struct Stage {
    guard: TerminalGuard,
    terminal: FrameWriter<TerminalBackend<BufWriter<Stdout>>>,
    link: LinkSlot,
    signals: Signals,
}

impl Stage {
    fn enter(mouse: bool) -> Result<Self, Report> {
        let signals = Signals::listen()?;
        let guard = TerminalGuard::enter_with(mouse).map_err(|error| CliError::new(Exit::Failed, error))?;
        let backend = TerminalBackend::stdout();
        let link = backend.link();
        Ok(Self { guard, terminal: FrameWriter::new(backend)?, link, signals })
    }

    /// Draws a frame in the terminal's present size.
    fn draw(&mut self, app: &mut App, now: DateTime<Utc>) -> Result<(), Report> {
        let size = self.terminal.size()?;
        let _ = update(app, Msg::Input(InputEvent::Resize(size.width, size.height)), now);
        self.terminal.draw(|frame| draw::draw(frame, app, now))?;
        Ok(())
    }
}

/// What only the demo has.
pub(crate) struct Demo {
    /// What can be broken.
    pub(crate) breakable: Breakable,
    /// What new connections begin with.
    pub(crate) templates: Vec<Template>,
    /// The requests of the hour before, oldest first.
    pub(crate) log: Vec<LogEntry>,
    /// Whether it begins with the guided tour.
    pub(crate) tour: bool,
}

/// Takes over the terminal, runs the dashboard, restores the terminal, and leaves only after what is
/// under way has been saved.
pub(crate) async fn show(parts: Parts, opening: Opening) -> Result<Exit, Report> {
    let clock = Arc::clone(&parts.clock);
    let (ascii, theme) = (opening.ascii, opening.theme);
    let kept = opening.data_dir.as_deref().map_or(Ok(None), view_file::read);
    let mut app = opening.app(&kept, clock.now());
    let mut stage = Stage::enter(app.uses_mouse())?;
    // The first frame waits for nothing: whatever has a thread of its own begins after it.
    stage.draw(&mut app, clock.now())?;
    let Stage { mut guard, mut terminal, link, signals } = stage;
    let answers = (opening.config.token_socket && opening.demo.is_none()).then(|| opening.source.file.clone());
    let config_file = opening.source.file.clone();
    let (engine, events) = Engine::start(parts)?;
    let notifier = Notifier::start(NotifierOptions::from(&opening.config), &opening.environment, clock.now());
    let log_limit = opening.config.request_log;
    let request_log = opening.data_dir.as_deref().map(|dir| RequestLog::start(dir, log_limit));
    let configuration = Configuration::start(opening.source, opening.config)?;
    let input = TerminalInput::of_terminal();
    // Nothing reads keys yet that could take the terminal's answer for some. The engine is at work
    // meanwhile.
    if app.options.appearance.asks_background() {
        app.options.appearance.background = background::ask().await;
    }
    // Whatever the theme is now: another may be chosen.
    input.follow_background();
    let faults = opening.demo.map(|demo| Faults::start(demo.breakable, engine.remote())).transpose()?;
    let (notes, clipboard_notes) = mpsc::unbounded_channel();
    let mut dashboard = Dashboard {
        app,
        engine,
        events,
        input,
        clipboard: Clipboard::start(&opening.environment, move |note| {
            // No one listens any more once the dashboard is leaving.
            let _ = notes.send(note);
        }),
        clipboard_notes,
        clear_after: configuration.current().clipboard_clear,
        configuration,
        request_log,
        log_reader: opening.data_dir.as_deref().map(LogReader::new),
        // Where a person who started it in a shell looks first.
        exports: std::env::current_dir().unwrap_or_else(|_| ".".into()),
        signals,
        answers,
        editor: editor(&config_file),
        host: TerminalHost::new(&mut guard, link, faults),
        notifier,
        clock,
    };
    let ending = dashboard.run(&mut terminal).await;
    let Dashboard { app, engine, signals, clipboard, request_log, mut events, mut notifier, .. } = dashboard;
    guard.leave();
    drop(clipboard);
    let left = match ending {
        Ok(Ending::QuitUnsaved) => Err(given_up(&engine.unfinished().await)),
        _ => leave(&engine, signals).await,
    };
    // Tokens come first: the disk may be slow.
    if let Some(data_dir) = &opening.data_dir
        && let Err(why) = view_file::write(data_dir, kept.ok().flatten().as_ref(), &app.kept_view())
    {
        message!("the view is not kept for the next start: {why}");
    }
    notifier.close(LAST_EVENTS).await;
    while let Ok(event) = events.try_recv() {
        if let Some(log) = &request_log {
            log.record(&event);
        }
        // The screen that would have shown it is gone.
        if let Event::Connection(ConnectionEvent {
            connection,
            kind: EventKind::ClientSecretSet { result: Err(why) },
        }) = event
        {
            message!("{connection}: the client secret is not stored: {why}");
        }
    }
    // Whose tokens are in danger is worth more than that the terminal is gone.
    let left = left?;
    match ending? {
        Ending::Quit | Ending::QuitUnsaved => Ok(left),
        Ending::Demo { tour } => {
            drop(request_log);
            Ok(run_demo(tour, ascii, theme)?)
        }
        Ending::InputEnded => Err(CliError::new(Exit::Failed, "cannot read from the terminal").into()),
        Ending::EngineEnded => Err(eyre::eyre!("the engine ended unexpectedly")),
    }
}

/// Runs the demo in this process's place: whatever this one started, a thread that reads the terminal among it, is
/// gone then.
fn run_demo(tour: bool, ascii: bool, theme: Option<ThemeName>) -> Result<Exit, CliError> {
    let failed = |error| CliError::new(Exit::Failed, format!("the demo cannot be started: {error}"));
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.arg("demo").args(tour.then_some("--tour")).args(ascii.then_some("--ascii"));
    if let Some(theme) = theme {
        command.args(["--theme", theme.word()]);
    }
    #[cfg(unix)]
    return Err(failed(std::os::unix::process::CommandExt::exec(&mut command)));
    #[cfg(not(unix))]
    {
        let status = command.status().map_err(failed)?;
        return Ok(if status.success() { Exit::Ok } else { Exit::Failed });
    }
}

/// Waits for what is out to be saved. A second, deliberate request to quit ends the wait, at the person's risk; so does
/// an answer that does not come, but never the time alone while new tokens are in memory only.
async fn leave(engine: &Engine, mut signals: Signals) -> Result<Exit, CliError> {
    let shutdown = engine.shutdown();
    tokio::pin!(shutdown);
    if tokio::time::timeout(Duration::from_millis(200), &mut shutdown).await.is_ok() {
        return Ok(Exit::Ok);
    }
    let mut insistence = Insistence::since(Instant::now());
    message!("saving first: {}; Ctrl-C again quits without saving", UnfinishedWork::words(&engine.unfinished().await));
    let mut deadline = Instant::now() + LEAVE_TIMEOUT;
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(Exit::Ok),
            signal = signals.next() => if insistence.on_signal(signal, Instant::now()) == Some(QuitRequest::Again) {
                return Err(given_up(&engine.unfinished().await));
            },
            () = tokio::time::sleep_until(deadline) => {
                let unfinished = engine.unfinished().await;
                if !UnfinishedWork::is_in_memory(&unfinished) {
                    return Err(given_up(&unfinished));
                }
                message!("still not saved: {}", UnfinishedWork::cost(&unfinished));
                deadline = Instant::now() + LEAVE_TIMEOUT;
            }
        }
    }
}

/// What lets a person edit the configuration file: this program, in a process of its own.
fn editor(file: &Path) -> Vec<OsString> {
    let program = std::env::current_exe().map_or_else(|_| "manutop".into(), PathBuf::into_os_string);
    let words: [&OsStr; 4] = ["--config".as_ref(), file.as_os_str(), "config".as_ref(), "edit".as_ref()];
    std::iter::once(program).chain(words.map(OsStr::to_owned)).collect()
}

/// Whether the locale can show more than ASCII (POSIX: `LC_ALL` over `LC_CTYPE` over `LANG`).
pub(crate) fn locale_is_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")) {
        Some(locale) => locale.to_ascii_lowercase().replace('-', "").contains("utf8"),
        // Nothing said: on Windows and macOS terminals are UTF-8; elsewhere most are, too.
        None => true,
    }
}
