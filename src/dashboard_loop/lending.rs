//! How the loop starts commands of the configuration and the editor, and leaves the terminal to a program in its place:
//! it keeps running without screen and keys, so that events are taken in and logged.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use ratatui::backend::Backend;
use tokio::process::Command;
use tokio::sync::mpsc::UnboundedSender;

use crate::dashboard_loop::foreground::{Foreground, LentProgram};
use crate::dashboard_loop::host::Host;
use crate::dashboard_loop::own_commands;
use crate::dashboard_loop::own_commands::BackgroundRuns;
use crate::dashboard_loop::run_loop::Dashboard;
use crate::domain::{CommandTerminal, Event, HostEvent, ProgramRun, Secret};
use crate::platform::signals;
use crate::platform::signals::Signal;
use crate::terminal::frame_writer::FrameWriter;

/// How long a stop waits for the answer to a request that is out.
const REST: Duration = Duration::from_secs(5);

impl<H: Host> Dashboard<H> {
    /// Starts a command of the configuration, once its token is there; reports where it does not start.
    pub(super) fn start<B>(
        &mut self,
        run: ProgramRun,
        token: Result<Option<Secret>, String>,
        background: &BackgroundRuns,
        foreground: &mut Option<Foreground>,
        terminal: &mut FrameWriter<B>,
        events: &UnboundedSender<Event>,
    ) -> io::Result<Option<Event>>
    where
        B: Backend,
        io::Error: From<B::Error>,
    {
        let ProgramRun { name, connection, .. } = run.clone();
        let connection = Some(connection);
        match (token, run.terminal) {
            (Err(why), _) => {
                let result = Err(format!("not started: {why}"));
                Ok(Some(Event::Host(HostEvent::CommandEnded { name, connection, result })))
            }
            (Ok(token), CommandTerminal::Background(timeout)) => {
                background.begin(run, token, timeout, events);
                Ok(None)
            }
            (Ok(token), CommandTerminal::Foreground) => {
                let command = own_commands::command(&run.words, token.as_ref());
                self.lend(LentProgram { name, connection, command, is_read: true }, foreground, terminal)
            }
        }
    }

    /// What lets a person edit the configuration file.
    pub(super) fn editor_program(&self) -> LentProgram {
        let mut words = self.editor.iter();
        let mut command = Command::new(words.next().map_or("".as_ref(), |program| program.as_os_str()));
        command.args(words);
        LentProgram { name: "editing the configuration".into(), connection: None, command, is_read: false }
    }

    /// Leaves the terminal to a program; reports where it does not start.
    pub(super) fn lend<B>(
        &mut self,
        mut program: LentProgram,
        foreground: &mut Option<Foreground>,
        terminal: &mut FrameWriter<B>,
    ) -> io::Result<Option<Event>>
    where
        B: Backend,
        io::Error: From<B::Error>,
    {
        if !self.input.can_be_lent() {
            return Ok(Some(program.failed("cannot leave the keyboard to another program on this system".into())));
        }
        self.host.lend();
        match program.start() {
            Ok(started) => {
                *foreground = Some(started);
                Ok(None)
            }
            Err(error) => {
                self.take_back(terminal)?;
                Ok(Some(program.failed(own_commands::not_started(&error))))
            }
        }
    }

    /// The program has ended: its last words stay until a key is pressed, or the dashboard comes back.
    pub(super) fn ended<B>(
        &mut self,
        status: io::Result<ExitStatus>,
        foreground: &mut Option<Foreground>,
        terminal: &mut FrameWriter<B>,
    ) -> io::Result<Option<Event>>
    where
        B: Backend,
        io::Error: From<B::Error>,
    {
        match foreground.as_mut().map(|program| program.ended(status)) {
            Some(Some(line)) => {
                self.host.say(&line);
                Ok(None)
            }
            _ => self.come_back(foreground, terminal),
        }
    }

    /// The dashboard is on the terminal again; reports how the program ended.
    pub(super) fn come_back<B>(
        &mut self,
        foreground: &mut Option<Foreground>,
        terminal: &mut FrameWriter<B>,
    ) -> io::Result<Option<Event>>
    where
        B: Backend,
        io::Error: From<B::Error>,
    {
        let Some(program) = foreground.take() else { return Ok(None) };
        // What was typed behind Enter was not meant for the dashboard.
        while self.input.try_next().is_some() {}
        self.take_back(terminal)?;
        Ok(program.event())
    }

    fn take_back<B>(&mut self, terminal: &mut FrameWriter<B>) -> io::Result<()>
    where
        B: Backend,
        io::Error: From<B::Error>,
    {
        self.host.reenter()?;
        terminal.redraw()?;
        self.resize(terminal.size()?, self.clock.now());
        Ok(())
    }

    /// Answers a signal that is no wish to quit while a program has the terminal, which is not touched.
    pub(super) async fn obey_beside(&mut self, signal: Signal) -> io::Result<()> {
        if signal == Signal::Suspend {
            // It stops with the program, and goes on with it. A stopped process answers no commands.
            self.answers = self.engine.stop_answering();
            let mut rest = self.engine.rest();
            // The program has stopped already, and the shell waits for this process.
            let _ = tokio::time::timeout(REST, rest.came()).await;
            signals::stop()?;
        }
        Ok(())
    }
}
