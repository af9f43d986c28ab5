//! `manutop keepalive`: automatic refresh without a screen, until it is told to stop.

use std::sync::Arc;

use color_eyre::eyre::Report;

use super::exit::{Exit, Stop};
use super::files::Files;
use super::owed::given_up;
use super::session::{NoBrowser, Session};
use crate::domain::Program;
use crate::engine::Engine;
use crate::keeper::listen::{Listen, Listener};
use crate::keeper::log::{Format, Log};
use crate::keeper::notify::Notify;
use crate::keeper::{Ending, Keeper};
use crate::shell::Configuration;
use crate::shell::appearance::keymap;
use crate::shell::attention::OnEvent;
use crate::shell::signals::Signals;
use crate::store::request_log::RequestLog;

/// Refresh automatically without a screen, until told to stop: for servers
#[derive(Debug, clap::Args)]
#[command(
    after_help = "SIGTERM and SIGINT stop it after what is out is saved; SIGHUP has it read the configuration anew.\n\
                        Of several on one data directory one leads; another takes over when it ends."
)]
pub struct Args {
    /// Tell health and metrics there: a loopback address with a port, or unix:PATH
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Listen>,
    /// How the log on standard error is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    log: Format,
}

impl Args {
    pub(super) async fn run(self, files: &Files) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        // Nobody presses keys here, but a file is good as a whole or not at all, also when it is read anew.
        keymap(&session.config.keys, &session.paths.config_file).map_err(Stop::from)?;
        let listener = match self.listen {
            Some(listen) => Some(Listener::bind(listen).await.map_err(|error| Stop::new(Exit::Failed, error))?),
            None => None,
        };
        let signals = Signals::listen_as_service()?;
        let (engine, events) = Engine::start(session.parts(Arc::new(NoBrowser), Program::Keepalive))?;
        let keeper = Keeper {
            answers: session.config.token_socket.then(|| session.paths.config_file.clone()),
            engine,
            events,
            on_event: OnEvent::start(session.config.on_event.clone(), None),
            request_log: RequestLog::start(&session.paths.data_dir, session.config.request_log),
            configuration: Configuration::start_unwatched(session.source(), session.config)?,
            vault: session.vault,
            signals,
            log: Log::start(self.log)?,
            notify: Notify::start()?,
            listener,
            clock: session.clock,
        };
        match keeper.run().await? {
            Ending::Stopped => Ok(Exit::Ok),
            Ending::GivenUp(owing) => Err(given_up(&owing).into()),
            Ending::NoLock(error) => Err(Stop::from(error).into()),
            Ending::EngineEnded => Err(color_eyre::eyre::eyre!("the engine ended by itself")),
        }
    }
}
