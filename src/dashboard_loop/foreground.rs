//! A program in the dashboard's place: it has the terminal until it ends.

use std::io;
use std::process::ExitStatus;

use tokio::process::{Child, Command};

use crate::domain::{ConnectionName, Event, HostEvent};
use crate::platform::child_process::ChildCommand as _;
use crate::platform::signals;
use crate::platform::signals::QuitIgnored;

/// What is to run in the dashboard's place.
pub(super) struct LentProgram {
    /// What it is, for messages.
    pub(super) name: String,
    /// The connection it is run for.
    pub(super) connection: Option<ConnectionName>,
    /// How it is started.
    pub(super) command: Command,
    /// Whether its last words stay on the terminal until a person has read them, even after a success.
    pub(super) is_read: bool,
}

/// A program that has the terminal, or had it: then its last words are being read.
pub(super) struct Foreground {
    name: String,
    connection: Option<ConnectionName>,
    is_read: bool,
    child: Child,
    ended: Option<Result<(), String>>,
    _ignored: QuitIgnored,
}

impl LentProgram {
    /// The event that reports that it cannot run.
    pub(super) fn failed(&self, why: String) -> Event {
        let (name, connection) = (self.name.clone(), self.connection.clone());
        Event::Host(HostEvent::CommandEnded { name, connection, result: Err(why) })
    }

    /// Starts it on the terminal, which has been left to it.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(super) fn start(&mut self) -> io::Result<Foreground> {
        let ignored = signals::ignore_quit()?;
        let child = self.command.start()?;
        let (name, connection, is_read) = (self.name.clone(), self.connection.clone(), self.is_read);
        Ok(Foreground { name, connection, is_read, child, ended: None, _ignored: ignored })
    }
}

impl Foreground {
    /// Whether the keys are the program's.
    pub(super) fn has_keys(&self) -> bool {
        self.ended.is_none()
    }

    /// Waits for the program's end; never returns after it. Nothing is lost when the wait is given up.
    pub(super) async fn end(&mut self) -> io::Result<ExitStatus> {
        if self.ended.is_some() { std::future::pending().await } else { self.child.wait().await }
    }

    /// Takes in how it ended. Gives what is said of it while its last words are being read; `None` where nothing is.
    pub(super) fn ended(&mut self, status: io::Result<ExitStatus>) -> Option<String> {
        let result = match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("failed ({status})")),
            Err(error) => Err(format!("cannot be waited for: {error}")),
        };
        let words = result.as_ref().err().map_or("has ended", String::as_str);
        let line = format!("\n[{} {words}; press Enter to return to manutop]", self.name);
        let is_read = self.is_read || result.is_err();
        self.ended = Some(result);
        is_read.then_some(line)
    }

    /// The event that reports how it ended. What a person has seen end well needs none, but for their own command.
    pub(super) fn event(self) -> Option<Event> {
        let Self { name, connection, is_read, ended, .. } = self;
        let result = ended.unwrap_or(Ok(()));
        let is_news = is_read || result.is_err();
        let result = result.map(|()| String::new());
        is_news.then_some(Event::Host(HostEvent::CommandEnded { name, connection, result }))
    }
}
