//! What the loop does with a message, a signal, a report of the configuration, and a finished copy.

use std::io;
use std::path::Path;

use chrono::{DateTime, Utc};
use crossterm::event::Event as InputEvent;
use ratatui::backend::Backend;
use ratatui::layout::Size;
use tokio::sync::mpsc::UnboundedSender;

use crate::dashboard::effect::Effect;
use crate::dashboard::{Msg, follow, receive, update};
use crate::dashboard_loop::copying::{Copying, Wanted};
use crate::dashboard_loop::host::Host;
use crate::dashboard_loop::run_loop::Dashboard;
use crate::dashboard_loop::{appearance, export};
use crate::domain::{Command, ConnectionEvent, CopiedTo, Event, EventKind, LogEntry};
use crate::live_configuration::ConfigurationReport;
use crate::notifications::NotifierOptions;
use crate::platform::signals::Signal;
use crate::request_log::export::Format;
use crate::request_log::query::{LogQuery, LogRest};
use crate::terminal::frame_writer::FrameWriter;

/// The most messages handled before a frame is drawn: a flood of them must not freeze the screen.
const BATCH: usize = 512;

impl<H: Host> Dashboard<H> {
    /// Takes in a message and those of its kind that wait behind it, so that a burst costs one frame.
    /// A key is never kept waiting by news: they are left for later.
    pub(super) fn take(&mut self, first: Msg, now: DateTime<Utc>) -> Vec<Effect> {
        let is_input = matches!(first, Msg::Input(_));
        let mut effects = self.take_one(first, now);
        for _ in 0..BATCH {
            // Effects end a batch: what they change should be seen by the keys behind them.
            if !effects.is_empty() {
                break;
            }
            let next = if is_input {
                self.input.try_next().map(Msg::from)
            } else if self.input.is_empty() {
                self.events.try_recv().ok().map(Msg::Event)
            } else {
                None
            };
            let Some(message) = next else { break };
            effects = self.take_one(message, now);
        }
        if !is_input {
            effects.extend(follow(&mut self.app));
        }
        effects
    }

    /// Takes in a message; after events, [`follow`] is due.
    pub(super) fn take_one(&mut self, message: Msg, now: DateTime<Utc>) -> Vec<Effect> {
        if let (Msg::Event(event), Some(log)) = (&message, &self.request_log) {
            log.record(event);
        }
        // Only now that nothing of it is left: a crash in between leaves a connection without tokens.
        if let Msg::Event(Event::Connection(ConnectionEvent {
            connection,
            kind: EventKind::Forgotten { result: Ok(()), .. },
        })) = &message
        {
            self.configuration.delete(connection.clone());
        }
        if let Msg::Event(event) = &message {
            self.notifier.observe(event, now);
        }
        let take = if matches!(message, Msg::Event(_)) { receive } else { update };
        take(&mut self.app, message, now)
    }

    /// Takes in an event, if there is one.
    pub(super) fn take_event(&mut self, event: Option<Event>, now: DateTime<Utc>) -> Vec<Effect> {
        event.map(|event| self.take(Msg::Event(event), now)).unwrap_or_default()
    }

    pub(super) fn take_configuration(&mut self, note: ConfigurationReport, now: DateTime<Utc>) -> Vec<Effect> {
        let before = self.configuration.current();
        let (read_only, mouse) = (before.read_only, before.mouse);
        let (commands, event) = self.configuration.take(note);
        let config = self.configuration.current();
        let mut effects: Vec<_> = commands.into_iter().map(Effect::from).collect();
        // A changed file can take rights away; only a person who was asked gives them back.
        if config.read_only && !read_only && !self.app.is_read_only() {
            self.app.watch_only();
            effects.push(Command::StandDown.into());
        }
        if config.mouse != mouse {
            self.app.use_mouse(config.mouse);
            effects.push(Effect::Mouse(config.mouse));
        }
        self.clear_after = config.clipboard_clear;
        self.notifier.configure(NotifierOptions::from(config));
        if let Some(log) = &self.request_log {
            log.set_limit(config.request_log);
        }
        self.app.paint(config.colors);
        self.app.configure_columns(config.columns.as_deref());
        // Faulty keys stand in the banner, and those there are go on.
        if let Ok(keymap) = appearance::keymap(&config.keys, &config.commands, Path::new("")) {
            self.app.appear(keymap, config.theme);
        }
        effects.extend(event.into_iter().flat_map(|event| update(&mut self.app, Msg::Event(event), now)));
        effects
    }

    pub(super) fn handle_signal<B>(
        &mut self,
        signal: Signal,
        terminal: &mut FrameWriter<B>,
        now: DateTime<Utc>,
    ) -> io::Result<Vec<Effect>>
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
            Signal::Resized | Signal::Reload | Signal::Quit | Signal::Interrupt | Signal::HungUp => {}
        }
        self.resize(terminal.size()?, now);
        Ok(Vec::new())
    }

    pub(super) fn resize(&mut self, size: Size, now: DateTime<Utc>) {
        for effect in update(&mut self.app, Msg::Input(InputEvent::Resize(size.width, size.height)), now) {
            match effect {
                Effect::Log(ask) => self.ask_log(ask),
                effect => debug_assert!(false, "a size asks for rows alone, not for {effect:?}"),
            }
        }
    }

    pub(super) fn ask_log(&self, ask: LogQuery) {
        if let Some(reader) = &self.log_reader {
            reader.ask(ask);
        }
    }

    /// Writes requests to a file, those on disk as well where `older` says so.
    pub(super) fn export(
        &self,
        format: Format,
        entries: Vec<LogEntry>,
        older: Option<LogRest>,
        now: DateTime<Utc>,
        events: UnboundedSender<Event>,
    ) {
        let older = older.and_then(|rest| Some((self.log_reader.as_ref()?.searcher(), rest)));
        export::begin(self.exports.clone(), entries, older, format, self.app.zone(), now, events);
    }

    pub(super) fn finish_copy(&mut self, copying: Copying, wanted: &Wanted) -> Event {
        match copying {
            Copying::Finished(event) => event,
            Copying::ByTerminal(text) => match self.host.copy(&text) {
                Ok(()) => wanted.copied(CopiedTo::Terminal, None),
                Err(error) => wanted.failed(error.to_string()),
            },
        }
    }
}
