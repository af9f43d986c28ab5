//! The loop: input, engine events, signals and the second's tick in; frames and effects out.
//!
//! It never waits for anything but these. The clock is read once a turn and handed down. The
//! backend, the input and the host are parameters, so that tests run this very loop.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use ratatui::backend::Backend;
use tokio::sync::mpsc;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::dashboard::effect::Effect;
use crate::dashboard::login::layout::url_on_screen;
use crate::dashboard::{App, Msg, draw, update};
use crate::dashboard_loop::copying::{Copying, PendingCopy, Wanted, clipboard_event};
use crate::dashboard_loop::host::Host;
use crate::dashboard_loop::log_reader::LogReader;
use crate::dashboard_loop::pending_exit::{PendingExit, Turn};
use crate::domain::{Clock, Event};
use crate::engine::Engine;
use crate::live_configuration::{Configuration, ConfigurationReport, Typed};
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
    /// A person asked to quit, by key or by signal; unfinished work has yet to be waited for.
    Quit,
    /// A person asked twice to quit, with work unfinished.
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
    Notifier(Option<Event>),
    Exit(Turn),
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
        let mut copy: Option<PendingCopy> = None;
        let mut pending_exit: Option<PendingExit> = None;
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
            if !waits {
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
            let (frame, going) = (waits.then_some(next_frame), pending_exit.as_mut());
            let woken = self.wait(next_tick, &alarm, frame, copy.as_mut(), going, &mut exported).await;
            is_news = matches!(woken, Woken::Message(Msg::Event(_)));
            let now = self.clock.now();
            let effects = match woken {
                // A person who has asked to leave misses neither the terminal nor the engine.
                Woken::End(_) if pending_exit.as_ref().is_some_and(PendingExit::is_leaving) => return Ok(Ending::Quit),
                Woken::End(ending) => return Ok(ending),
                Woken::Frame => Vec::new(),
                Woken::Message(Msg::Tick) => {
                    ticked = now.timestamp();
                    self.take_one(Msg::Tick, now)
                }
                Woken::Message(message) => self.take(message, now),
                Woken::Notifier(event) => event.map(|event| self.take(Msg::Event(event), now)).unwrap_or_default(),
                // A signal is no key: there may be no one to read or to answer. The caller waits for unfinished work.
                Woken::Signal(signal) if signal.is_quit() => return Ok(Ending::Quit),
                Woken::Signal(signal) => self.handle_signal(signal, terminal, now)?,
                Woken::Exit(turn) => {
                    let next = PendingExit::go_on(&mut pending_exit, turn, &self.engine, &mut self.app, now).await;
                    if let Some(ending) = self.carry_out_exit(next, &mut pending_exit, terminal).await? {
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
            for effect in effects {
                match effect {
                    Effect::Quit | Effect::Suspend => {
                        let next = PendingExit::ask(&mut pending_exit, effect == Effect::Quit, &self.engine);
                        if let Some(ending) = self.carry_out_exit(next, &mut pending_exit, terminal).await? {
                            return Ok(ending);
                        }
                    }
                    Effect::OpenDemo { tour } => return Ok(Ending::Demo { tour }),
                    Effect::UseFiles => self.configuration.use_files(),
                    Effect::Copy { connection, what } => {
                        copy = Some(PendingCopy::new(Wanted::Of { connection, what }));
                    }
                    Effect::CopyNames(names) => copy = Some(PendingCopy::new(Wanted::Names(names))),
                    Effect::CopyRequest(entry) => copy = Some(PendingCopy::new(Wanted::request(&entry))),
                    Effect::Export { format, entries, older } => {
                        self.export(format, entries, older, now, events.clone());
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
        copy: Option<&mut PendingCopy>,
        pending_exit: Option<&mut PendingExit>,
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
            match pending_exit {
                Some(pending_exit) => Woken::Exit(pending_exit.turn().await),
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
            event = self.notifier.next() => Woken::Notifier(event),
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
