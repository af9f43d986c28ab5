//! The loop: input, engine events, signals and the second's tick in; frames and effects out.
//!
//! It never waits for anything but these. The clock is read once a turn and handed down. The
//! backend, the input and the host are parameters, so that tests run this very loop.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use crossterm::event::Event as InputEvent;
use ratatui::backend::Backend;
use ratatui::layout::Size;
use tokio::sync::mpsc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;

use crate::dashboard::effect::Effect;
use crate::dashboard::tour::fault::FaultKind;
use crate::dashboard::{App, Msg, draw, update};
use crate::dashboard_loop::configuration::{Configuration, ConfigurationReport, Typed};
use crate::dashboard_loop::copying::{Copy, Copying, Wanted};
use crate::dashboard_loop::departure::{Departure, Turn};
use crate::dashboard_loop::log_reader::LogReader;
use crate::dashboard_loop::{appearance, export};
use crate::domain::{Clock, ConnectionName, CopiedTo, Event, LogEntry, Secret};
use crate::engine::Engine;
use crate::notifications::{Attention, Wishes};
use crate::platform::clipboard::{Clipboard, ClipboardNote};
use crate::platform::signals::{Signal, Signals};
use crate::platform::timer::Alarm;
use crate::request_log::export::Format;
use crate::request_log::export::curl::curl;
use crate::request_log::query::{LogQuery, LogRest};
use crate::request_log::segments::RequestLog;
use crate::terminal::frame_writer::FrameWriter;
use crate::terminal::input::TerminalInput;

/// The most messages taken in before a frame is drawn: a flood of them must not keep the screen still.
const BATCH: usize = 512;
/// How long after a frame the engine's news wait for the next one: a flood of them is drawn so often
/// and no oftener. A key waits for nothing.
const FRAME: Duration = Duration::from_millis(16);

/// What the loop needs beyond drawing: of the terminal, and in the demo of what can be broken. The
/// real one is the terminal itself.
pub trait Host {
    /// Gives the terminal back and stops the process; returns when it is continued, without the
    /// terminal.
    ///
    /// # Errors
    /// The process cannot be stopped.
    fn suspend(&mut self) -> io::Result<()>;

    /// Takes the terminal over again after something else had it.
    ///
    /// # Errors
    /// The terminal cannot be set up.
    fn reenter(&mut self) -> io::Result<()>;

    /// Hands a text to the terminal's clipboard (OSC 52).
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn copy(&mut self, text: &Secret) -> io::Result<()>;

    /// Gives the window a title. A host without windows does nothing.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn set_title(&mut self, _title: &str) -> io::Result<()> {
        Ok(())
    }

    /// Has the terminal notify. A host that cannot does nothing.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn notify(&mut self, _text: &str) -> io::Result<()> {
        Ok(())
    }

    /// Rings the bell. A host without one does nothing.
    ///
    /// # Errors
    /// The terminal cannot be written to.
    fn ring(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Has something broken, or all of it mended, in the demo; elsewhere nothing can be. Must not
    /// wait: what comes of it is told by the engine's events.
    fn fault(&mut self, _connection: &ConnectionName, _kind: FaultKind) {}
}

/// A dashboard and everything it runs on.
pub struct Dashboard<H> {
    /// The state that is drawn.
    pub app: App,
    /// Where commands go.
    pub engine: Engine,
    /// What the engine announces.
    pub events: UnboundedReceiver<Event>,
    /// Keys, mouse, pasted text.
    pub input: TerminalInput,
    /// The configuration, whose file may change.
    pub configuration: Configuration,
    /// The desktop's clipboard, and what it reports later.
    pub clipboard: Clipboard,
    /// What the clipboard reports later.
    pub clipboard_notes: UnboundedReceiver<ClipboardNote>,
    /// After how long copies are cleared; `None` for never.
    pub clear_after: Option<Duration>,
    /// Where the request log goes on disk; `None` keeps it in memory.
    pub request_log: Option<RequestLog>,
    /// What reads it back from disk, from the first frame on.
    pub log_reader: Option<LogReader>,
    /// The directory that requests are written to when somebody asks for it.
    pub exports: PathBuf,
    /// The operating system's signals.
    pub signals: Signals,
    /// The configuration file whose commands are given tokens once there is a frame to be seen;
    /// `None` gives nobody any.
    pub answers: Option<PathBuf>,
    /// The terminal beyond drawing.
    pub host: H,
    /// Tells whoever looks elsewhere.
    pub attention: Attention,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Somebody asked to quit, by key or by signal; what is owed has yet to be waited for.
    Quit,
    /// Somebody asked twice to quit, and something is owed.
    QuitOwing,
    /// The terminal cannot be read any more.
    InputEnded,
    /// The engine ended by itself, which it never should.
    EngineEnded,
}

/// One thing that woke the loop.
enum Woken {
    /// It is time to draw what has changed.
    Frame,
    Message(Msg),
    Signal(Signal),
    Configuration(ConfigurationReport),
    Copied(Copying),
    Told(Option<Event>),
    Departing(Turn),
    End(Ending),
}

impl<H: Host> Dashboard<H> {
    /// Runs until somebody quits. The engine goes on; the caller shuts it down.
    ///
    /// # Errors
    /// The terminal cannot be drawn on.
    pub async fn run<B>(&mut self, terminal: &mut FrameWriter<B>) -> io::Result<Ending>
    where
        B: Backend,
        io::Error: From<B::Error>,
    {
        let size = terminal.size()?;
        let now = self.clock.now();
        self.resize(size, now);
        let mut copy: Option<Copy> = None;
        let mut departure: Option<Departure> = None;
        let (told, mut exported) = mpsc::unbounded_channel();
        let alarm = Alarm::new();
        let mut next_frame = Instant::now();
        let mut is_news = false;
        let mut ticked = now.timestamp();
        // When the screen was drawn, if it can be brought up to date by drawing its countdowns alone.
        let mut drawn_at = None;
        let mut counts_down = false;
        loop {
            let now = self.clock.now();
            // A second that began while there was much to do has its tick all the same.
            let next_tick = if now.timestamp() == ticked { until_next_second(now) } else { Duration::ZERO };
            let waits = is_news && Instant::now() < next_frame;
            if !waits {
                self.attention.turn(&self.app, &mut self.host, now);
                if counts_down && terminal.shows(self.app.size) {
                    terminal.draw_areas(&draw::countdowns(&self.app), |frame| {
                        draw::draw_countdowns(frame, &self.app, now);
                    })?;
                    drawn_at = Some(now);
                } else {
                    let mut is_plain = false;
                    let drawn = terminal.draw(|frame| is_plain = draw::draw_telling(frame, &self.app, now))?;
                    drawn_at = is_plain.then_some(now);
                    // What is clicked on is what was drawn, though the new size may be told after the click.
                    if drawn != self.app.size {
                        self.resize(drawn, now);
                        drawn_at = None;
                    }
                }
                next_frame = Instant::now() + FRAME;
            }
            if let Some(reader) = &mut self.log_reader {
                reader.begin();
            }
            if let Some(config_file) = self.answers.take() {
                self.engine.answer_commands(config_file);
            }
            let (frame, going) = (waits.then_some(next_frame), departure.as_mut());
            let woken = self.wait(next_tick, &alarm, frame, copy.as_mut(), going, &mut exported).await;
            is_news = matches!(woken, Woken::Message(Msg::Event(_)));
            let now = self.clock.now();
            // Whatever else has woken it may have changed everything.
            drawn_at = drawn_at.filter(|_| matches!(woken, Woken::Message(Msg::Tick)) && !waits);
            counts_down = drawn_at.is_some_and(|since| self.app.counts_down(since, now));
            let effects = match woken {
                // A person who has asked to leave misses neither the terminal nor the engine.
                Woken::End(_) if departure.as_ref().is_some_and(Departure::is_leaving) => return Ok(Ending::Quit),
                Woken::End(ending) => return Ok(ending),
                Woken::Frame => Vec::new(),
                Woken::Message(Msg::Tick) => {
                    ticked = now.timestamp();
                    self.take_one(Msg::Tick, now)
                }
                Woken::Message(message) => self.take(message, now),
                Woken::Told(event) => event.map(|event| self.take(Msg::Event(event), now)).unwrap_or_default(),
                // A signal is no key: there may be no one to read or to answer. The caller waits for what is owed.
                Woken::Signal(signal) if signal.is_quit() => return Ok(Ending::Quit),
                Woken::Signal(signal) => self.obey(signal, terminal, now)?,
                Woken::Departing(turn) => {
                    let next = Departure::go_on(&mut departure, turn, &self.engine, &mut self.app, now).await;
                    if let Some(ending) = self.depart(next, &mut departure, terminal).await? {
                        return Ok(ending);
                    }
                    Vec::new()
                }
                Woken::Configuration(note) => self.take_configuration(note, now),
                Woken::Copied(copying) => {
                    let event = copy.take().map(|copy| self.finish_copy(copying, copy.wanted()));
                    event.map(|event| update(&mut self.app, Msg::Event(event), now)).unwrap_or_default()
                }
            };
            counts_down &= effects.is_empty();
            for effect in effects {
                match effect {
                    Effect::Quit | Effect::Suspend => {
                        let next = Departure::ask(&mut departure, effect == Effect::Quit, &self.engine);
                        if let Some(ending) = self.depart(next, &mut departure, terminal).await? {
                            return Ok(ending);
                        }
                    }
                    Effect::Copy { connection, what } => {
                        copy = Some(Copy::new(Wanted::Of { connection, what }));
                    }
                    Effect::CopyNames(names) => copy = Some(Copy::new(Wanted::Names(names))),
                    Effect::CopyRequest(entry) => copy = Some(Copy::new(wanted_request(&entry))),
                    Effect::Export { format, entries, older } => {
                        self.export(format, entries, older, now, told.clone());
                    }
                    Effect::Save { draft, client_secret, refresh_token } => {
                        self.configuration.save(*draft, Typed { client_secret, refresh_token });
                    }
                    Effect::Delete { connection } => self.configuration.remove(connection),
                    Effect::Log(ask) => self.ask_log(ask),
                    Effect::Fault { connection, kind } => self.host.fault(&connection, kind),
                    Effect::Engine(command) => self.engine.send(command),
                }
            }
        }
    }

    /// Waits for whatever comes first. Every branch can be given up without losing anything.
    async fn wait(
        &mut self,
        next_tick: Duration,
        alarm: &Alarm,
        next_frame: Option<Instant>,
        copy: Option<&mut Copy>,
        departure: Option<&mut Departure>,
        exported: &mut UnboundedReceiver<Event>,
    ) -> Woken {
        let copying = async {
            match copy {
                Some(copy) => Woken::Copied(copy.end(&self.engine, &self.clipboard, self.clear_after).await),
                None => std::future::pending().await,
            }
        };
        let reading = async {
            match &mut self.log_reader {
                Some(reader) => Woken::Message(Msg::Log(reader.next().await)),
                None => std::future::pending().await,
            }
        };
        let departing = async {
            match departure {
                Some(departure) => Woken::Departing(departure.turn().await),
                None => std::future::pending().await,
            }
        };
        let frame = async {
            match next_frame {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            input = self.input.next() => input.map_or(Woken::End(Ending::InputEnded), |input| Woken::Message(Msg::Input(input))),
            signal = self.signals.next() => Woken::Signal(signal),
            woken = departing => woken,
            () = alarm.sleep(next_tick) => Woken::Message(Msg::Tick),
            () = frame => Woken::Frame,
            event = self.events.recv() => event.map_or(Woken::End(Ending::EngineEnded), |event| Woken::Message(Msg::Event(event))),
            Some(note) = self.configuration.note() => Woken::Configuration(note),
            Some(note) = self.clipboard_notes.recv() => Woken::Message(Msg::Event(clipboard_event(note))),
            Some(event) = exported.recv() => Woken::Message(Msg::Event(event)),
            woken = reading => woken,
            woken = copying => woken,
            event = self.attention.next() => Woken::Told(event),
        }
    }

    /// Takes in a message and those of its kind that wait behind it, so that a burst costs one frame.
    /// A key is never kept waiting by news: they are left for later.
    fn take(&mut self, first: Msg, now: DateTime<Utc>) -> Vec<Effect> {
        let is_input = matches!(first, Msg::Input(_));
        let mut effects = self.take_one(first, now);
        for _ in 0..BATCH {
            // Effects end a batch: what they change should be seen by the keys behind them.
            if !effects.is_empty() {
                break;
            }
            let next = if is_input {
                self.input.try_next().map(Msg::Input)
            } else if self.input.is_empty() {
                self.events.try_recv().ok().map(Msg::Event)
            } else {
                None
            };
            let Some(message) = next else { break };
            effects = self.take_one(message, now);
        }
        effects
    }

    fn take_one(&mut self, message: Msg, now: DateTime<Utc>) -> Vec<Effect> {
        if let (Msg::Event(event), Some(log)) = (&message, &self.request_log) {
            log.record(event);
        }
        // Only now that nothing of it is left: a crash in between leaves a connection without tokens.
        if let Msg::Event(Event::Forgotten { connection, result: Ok(()), .. }) = &message {
            self.configuration.delete(connection.clone());
        }
        if let Msg::Event(event) = &message {
            self.attention.hear(event, now);
        }
        update(&mut self.app, message, now)
    }

    fn take_configuration(&mut self, note: ConfigurationReport, now: DateTime<Utc>) -> Vec<Effect> {
        let (commands, event) = self.configuration.take(note);
        let config = self.configuration.current();
        self.clear_after = config.clipboard_clear;
        self.attention.wish(Wishes::from(config));
        if let Some(log) = &self.request_log {
            log.set_limit(config.request_log);
        }
        // Faulty keys stand in the banner, and those there are go on.
        if let Ok(keymap) = appearance::keymap(&config.keys, Path::new("")) {
            self.app.appear(keymap, config.theme);
        }
        let told = event.map(|event| update(&mut self.app, Msg::Event(event), now)).unwrap_or_default();
        commands.into_iter().map(Effect::from).chain(told).collect()
    }

    fn obey<B>(&mut self, signal: Signal, terminal: &mut FrameWriter<B>, now: DateTime<Utc>) -> io::Result<Vec<Effect>>
    where
        B: Backend,
        io::Error: From<B::Error>,
    {
        match signal {
            Signal::Suspend => return Ok(vec![Effect::Suspend]),
            Signal::Continued => {
                self.host.reenter()?;
                terminal.redraw()?;
            }
            // The file is watched.
            Signal::Resized | Signal::Reload | Signal::Quit | Signal::HungUp => {}
        }
        self.resize(terminal.size()?, now);
        Ok(Vec::new())
    }

    pub(crate) fn resize(&mut self, size: Size, now: DateTime<Utc>) {
        for effect in update(&mut self.app, Msg::Input(InputEvent::Resize(size.width, size.height)), now) {
            match effect {
                Effect::Log(ask) => self.ask_log(ask),
                effect => debug_assert!(false, "a size asks for rows alone, not for {effect:?}"),
            }
        }
    }

    fn ask_log(&self, ask: LogQuery) {
        if let Some(reader) = &self.log_reader {
            reader.ask(ask);
        }
    }

    /// Writes requests to a file, those on disk as well where `older` says so.
    fn export(
        &self,
        format: Format,
        entries: Vec<LogEntry>,
        older: Option<LogRest>,
        now: DateTime<Utc>,
        told: UnboundedSender<Event>,
    ) {
        let older = older.and_then(|rest| Some((self.log_reader.as_ref()?.searcher(), rest)));
        export::begin(self.exports.clone(), entries, older, format, self.app.zone(), now, told);
    }

    fn finish_copy(&mut self, copying: Copying, wanted: &Wanted) -> Event {
        match copying {
            Copying::Told(event) => event,
            Copying::ByTerminal(text) => match self.host.copy(&text) {
                Ok(()) => wanted.copied(CopiedTo::Terminal, None),
                Err(error) => wanted.failed(error.to_string()),
            },
        }
    }
}

fn wanted_request(entry: &LogEntry) -> Wanted {
    Wanted::Request { connection: entry.connection.clone(), text: Secret::new(curl(entry)) }
}

fn clipboard_event(note: ClipboardNote) -> Event {
    match note {
        ClipboardNote::Cleared => Event::ClipboardCleared,
        ClipboardNote::ClearFailed(why) => Event::ClipboardNotCleared { why },
    }
}

/// From `now` to just after the wall clock's next second begins.
fn until_next_second(now: DateTime<Utc>) -> Duration {
    // The leap second's 1,000 and more count as the second's end.
    let into_second = Duration::from_nanos(u64::from(now.nanosecond())).min(Duration::from_secs(1));
    Duration::from_millis(1001).saturating_sub(into_second)
}

#[cfg(test)]
mod tests {
    use super::until_next_second;

    #[test]
    fn the_tick_comes_just_after_the_second() {
        for (now, wait_ms) in
            [("2026-01-01T00:00:00Z", 1001), ("2026-01-01T00:00:00.250Z", 751), ("2026-01-01T00:00:00.999Z", 2)]
        {
            let wait = until_next_second(now.parse().unwrap());
            assert_eq!(wait.as_millis(), wait_ms, "{now}");
        }
    }
}
