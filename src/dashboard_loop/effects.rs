//! What the loop does for the dashboard: each effect goes to the engine, the configuration or the machine.

use std::io;

use chrono::{DateTime, Utc};
use ratatui::backend::Backend;
use tokio::sync::mpsc::UnboundedSender;

use crate::dashboard::effect::Effect;
use crate::dashboard::{Msg, update};
use crate::dashboard_loop::copying::{PendingCopy, Wanted};
use crate::dashboard_loop::host::Host;
use crate::dashboard_loop::pending_exit::PendingExit;
use crate::dashboard_loop::run_loop::{Dashboard, Ending};
use crate::dashboard_loop::underway::Underway;
use crate::domain::Event;
use crate::live_configuration::Typed;
use crate::terminal::frame_writer::FrameWriter;

impl<H: Host> Dashboard<H> {
    /// Carries out an effect; gives the ending, where it is one.
    pub(super) async fn carry_out<B>(
        &mut self,
        effect: Effect,
        underway: &mut Underway,
        terminal: &mut FrameWriter<B>,
        events: &UnboundedSender<Event>,
        now: DateTime<Utc>,
    ) -> io::Result<Option<Ending>>
    where
        B: Backend,
        io::Error: From<B::Error>,
    {
        match effect {
            Effect::Quit | Effect::Suspend => {
                let next = PendingExit::ask(&mut underway.pending_exit, effect == Effect::Quit, &self.engine);
                return self.carry_out_exit(next, &mut underway.pending_exit, terminal).await;
            }
            Effect::Copy { connection, what } => {
                underway.copy = Some(PendingCopy::new(Wanted::Of { connection, what }));
            }
            Effect::OpenDemo { tour } => return Ok(Some(Ending::Demo { tour })),
            Effect::UseFiles => self.configuration.use_files(),
            Effect::CopyNames(names) => underway.copy = Some(PendingCopy::new(Wanted::Names(names))),
            Effect::CopyRequest(entry) => underway.copy = Some(PendingCopy::new(Wanted::request(&entry))),
            Effect::Export { format, entries, older } => self.export(format, entries, older, now, events.clone()),
            Effect::Save { draft, client_secret, refresh_token } => {
                self.configuration.save(*draft, Typed { client_secret, refresh_token });
            }
            Effect::Delete { connection } => self.configuration.remove(connection),
            // A program that leaves starts no other.
            Effect::RunCommand(_) | Effect::EditConfiguration if underway.pending_exit.is_some() => {}
            Effect::RunCommand(run) => underway.starting.push_back(*run),
            Effect::EditConfiguration => {
                let editor = self.editor_program();
                if let Some(event) = self.lend(editor, &mut underway.foreground, terminal)? {
                    // What has failed asks for nothing.
                    let _ = update(&mut self.app, Msg::Event(event), now);
                }
            }
            Effect::Mouse(on) => self.host.report_mouse(on)?,
            Effect::Log(ask) => self.ask_log(ask),
            Effect::Fault { connection, kind } => self.host.fault(&connection, kind),
            Effect::Engine(command) => self.engine.send(command),
        }
        Ok(None)
    }
}
