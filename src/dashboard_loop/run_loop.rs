//! The loop: input, engine events, signals and the second's tick in; frames and effects out.
//!
//! It never waits for anything but these. The clock is read once a turn and handed down. The
//! backend, the input and the host are parameters, so that tests run this very loop.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use crossterm::event::Event as InputEvent;
use ratatui::backend::Backend;
use tokio::sync::mpsc;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::dashboard::login::layout::url_on_screen;
use crate::dashboard::{App, Msg, draw, update};
use crate::dashboard_loop::copying::{Copying, clipboard_event};
use crate::dashboard_loop::host::Host;
use crate::dashboard_loop::log_reader::LogReader;
use crate::dashboard_loop::pending_exit::{PendingExit, Turn};
use crate::dashboard_loop::underway::Underway;
use crate::domain::{Clock, CopyWhat, Event, Secret};
use crate::engine::Engine;
use crate::live_configuration::{Configuration, ConfigurationReport};
use crate::notifications::Notifier;
use crate::platform::clipboard::{Clipboard, ClipboardNote};
use crate::platform::signals::{Signal, Signals};
use crate::platform::timer::Alarm;
use crate::request_log::segments::RequestLog;
use crate::terminal::frame_writer::FrameWriter;
use crate::terminal::input::TerminalInput;

/// How long after a frame the engine's news wait for the next one: a flood of them is drawn so often
/// and no oftener. A key waits for nothing.
const FRAME: Duration = Duration::from_millis(16);

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
    /// Where the request log is stored on disk; `None` keeps it in memory.
    pub request_log: Option<RequestLog>,
    /// What reads it back from disk, from the first frame on.
    pub log_reader: Option<LogReader>,
    /// The directory that requests are written to when a person asks for it.
    pub exports: PathBuf,
    /// The operating system's signals.
    pub signals: Signals,
    /// The configuration file whose commands are given tokens once there is a frame to be seen;
    /// `None` gives none.
    pub answers: Option<PathBuf>,
    /// The program and its arguments that let a person edit the configuration file.
    pub editor: Vec<OsString>,
    /// The terminal beyond drawing.
    pub host: H,
    /// Notifies a person who looks elsewhere.
    pub notifier: Notifier,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A person asked to quit, by key or by signal; what is owed has yet to be waited for.
    Quit,
    /// A person asked twice to quit, and something is owed.
    QuitUnsaved,
    /// A person wants to see the demo, perhaps with its tour; unfinished work has yet to be waited for.
    Demo {
        /// Whether with the guided tour.
        tour: bool,
    },
    /// The terminal cannot be read any more.
    InputEnded,
    /// The engine ended on its own, which it never should.
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
    /// The token that the first command to be started needs, if any.
    Ready(Result<Option<Secret>, String>),
    /// The program in the dashboard's place has ended.
    Ended(io::Result<ExitStatus>),
    Attention(Option<Event>),
    Departing(Turn),
    End(Ending),
}

impl<H: Host> Dashboard<H> {
    /// Runs until a person quits. The engine keeps running; the caller shuts it down.
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
        let mut underway = Underway::default();
        let (events, mut exported) = mpsc::unbounded_channel();
        let alarm = Alarm::new();
        let mut next_frame = Instant::now();
        let mut is_news = false;
        let mut ticked = now.timestamp();
        loop {
            let now = self.clock.now();
            // A second that began while there was much to do has its tick all the same.
            let next_tick = if now.timestamp() == ticked { until_next_second(now) } else { Duration::ZERO };
            let waits = is_news && Instant::now() < next_frame;
            if !waits && underway.foreground.is_none() {
                self.notifier.turn(&self.app, &mut self.host, now);
                self.host.link(url_on_screen(&self.app, now).as_ref().map(|(area, url)| (*area, url.as_str())));
                let drawn = terminal.draw(|frame| draw::draw(frame, &self.app, now))?;
                // What is clicked on is what was drawn, though the new size may be reported after the click.
                if drawn != self.app.size {
                    self.resize(drawn, now);
                }
                next_frame = Instant::now() + FRAME;
            }
            if let Some(reader) = &mut self.log_reader {
                reader.begin();
            }
            if let Some(config_file) = self.answers.take() {
                self.engine.answer_commands(config_file);
            }
            let frame = waits.then_some(next_frame);
            let woken = self.wait(next_tick, &alarm, frame, &mut underway, &mut exported).await;
            is_news = matches!(woken, Woken::Message(Msg::Event(_)));
            let now = self.clock.now();
            let effects = match woken {
                // A person who has asked to leave misses neither the terminal nor the engine.
                Woken::End(_) if underway.pending_exit.as_ref().is_some_and(PendingExit::is_leaving) => {
                    return Ok(Ending::Quit);
                }
                Woken::End(ending) => return Ok(ending),
                Woken::Frame => Vec::new(),
                Woken::Message(Msg::Tick) => {
                    ticked = now.timestamp();
                    self.take_one(Msg::Tick, now)
                }
                Woken::Message(Msg::Input(input)) if underway.foreground.is_some() => match input {
                    InputEvent::Key(_) => {
                        let event = self.come_back(&mut underway.foreground, terminal)?;
                        self.take_event(event, now)
                    }
                    _ => Vec::new(),
                },
                Woken::Message(message) => self.take(message, now),
                Woken::Ended(status) => {
                    let event = self.ended(status, &mut underway.foreground, terminal)?;
                    self.take_event(event, now)
                }
                Woken::Ready(token) => match underway.starting.pop_front() {
                    Some(run) => {
                        let Underway { background, foreground, .. } = &mut underway;
                        let event = self.start(run, token, background, foreground, terminal, &events)?;
                        self.take_event(event, now)
                    }
                    None => Vec::new(),
                },
                Woken::Attention(event) => self.take_event(event, now),
                // A signal is no key: there may be no one to read or to answer. The caller waits for what is owed.
                Woken::Signal(Signal::Interrupt) if underway.foreground.is_some() => Vec::new(),
                Woken::Signal(signal) if signal.is_quit() => return Ok(Ending::Quit),
                Woken::Signal(signal) if underway.foreground.is_some() => {
                    self.obey_beside(signal).await?;
                    Vec::new()
                }
                Woken::Signal(signal) => self.handle_signal(signal, terminal, now)?,
                Woken::Departing(turn) => {
                    let next =
                        PendingExit::go_on(&mut underway.pending_exit, turn, &self.engine, &mut self.app, now).await;
                    if let Some(ending) = self.carry_out_exit(next, &mut underway.pending_exit, terminal).await? {
                        return Ok(ending);
                    }
                    Vec::new()
                }
                Woken::Configuration(note) => self.take_configuration(note, now),
                Woken::Copied(copying) => {
                    let event = underway.copy.take().map(|copy| self.finish_copy(copying, copy.wanted()));
                    event.map(|event| update(&mut self.app, Msg::Event(event), now)).unwrap_or_default()
                }
            };
            for effect in effects {
                if let Some(ending) = self.carry_out(effect, &mut underway, terminal, &events, now).await? {
                    return Ok(ending);
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
        underway: &mut Underway,
        exported: &mut UnboundedReceiver<Event>,
    ) -> Woken {
        let Underway { copy, pending_exit, starting, foreground, .. } = underway;
        let is_lent = foreground.is_some();
        let has_keys = foreground.as_ref().is_none_or(|foreground| !foreground.has_keys());
        let token = async {
            // One after another has the terminal.
            match starting.front().filter(|_| !is_lent) {
                Some(run) if run.gets_access_token => {
                    let token = self.engine.reveal(&run.connection, CopyWhat::AccessToken).await;
                    Woken::Ready(token.map(Some))
                }
                Some(_) => Woken::Ready(Ok(None)),
                None => std::future::pending().await,
            }
        };
        let ended = async {
            match foreground {
                Some(foreground) => Woken::Ended(foreground.end().await),
                None => std::future::pending().await,
            }
        };
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
            match pending_exit {
                Some(pending_exit) => Woken::Departing(pending_exit.turn().await),
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
            input = self.input.next(), if has_keys => input.map_or(Woken::End(Ending::InputEnded), |input| Woken::Message(input.into())),
            signal = self.signals.next() => Woken::Signal(signal),
            woken = departing => woken,
            () = alarm.sleep(next_tick) => Woken::Message(Msg::Tick),
            () = frame => Woken::Frame,
            event = self.events.recv() => event.map_or(Woken::End(Ending::EngineEnded), |event| Woken::Message(Msg::Event(event))),
            Some(note) = self.configuration.note() => Woken::Configuration(note),
            Some(note) = self.clipboard_notes.recv() => Woken::Message(Msg::Event(clipboard_event(note))),
            Some(event) = exported.recv() => Woken::Message(Msg::Event(event)),
            woken = reading => woken,
            woken = token => woken,
            woken = ended => woken,
            woken = copying => woken,
            event = self.notifier.next() => Woken::Attention(event),
        }
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
