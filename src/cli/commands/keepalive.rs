//! `manutop keepalive`: automatic refresh without a screen, until it is asked to stop.

use std::sync::Arc;

use eyre::Report;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::{NoBrowser, Session};
use crate::cli::support::unsaved::given_up;
use crate::dashboard_loop::appearance::check_keys;
use crate::domain::Program;
use crate::engine::Engine;
use crate::keepalive::listen::{Listen, MetricsListener};
use crate::keepalive::log::{Log, LogFormat};
use crate::keepalive::run::{Keepalive, KeepaliveEnding};
use crate::keepalive::service_manager::ServiceManager;
use crate::live_configuration::Configuration;
use crate::notifications::on_event::OnEvent;
use crate::platform::signals::Signals;
use crate::request_log::segments::RequestLog;

/// Refresh automatically without a screen, as a service
#[derive(Debug, clap::Args)]
#[command(after_help = "SIGTERM and SIGINT stop it once all tokens are saved; SIGHUP reloads the configuration.\n\
                        If several run on one data directory, one is active; another takes over when it ends.")]
pub struct KeepaliveArgs {
    /// Serve health and metrics on this address: a loopback address with a port, or unix:PATH
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Listen>,
    /// Format of the log on standard error
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    log: LogFormat,
}

impl KeepaliveArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let session = Session::open_for_command(files).await?;
        // No one presses keys here, but a file is good as a whole or not at all, also when it is reloaded.
        check_keys(&session.config, &session.paths.config_file).map_err(CliError::from)?;
        let listener = match self.listen {
            Some(listen) => {
                Some(MetricsListener::bind(listen).await.map_err(|error| CliError::new(Exit::Failed, error))?)
            }
            None => None,
        };
        let signals = Signals::listen_as_service()?;
        let (engine, events) = Engine::start(session.parts(Arc::new(NoBrowser), Program::Keepalive))?;
        let keepalive = Keepalive {
            answers: session.config.token_socket.then(|| session.paths.config_file.clone()),
            engine,
            events,
            on_event: OnEvent::start(session.config.on_event.clone(), None),
            request_log: RequestLog::start(&session.paths.data_dir, session.config.request_log),
            configuration: Configuration::start_unwatched(session.source(), session.config)?,
            vault: session.vault,
            signals,
            log: Log::start(self.log)?,
            notify: ServiceManager::start()?,
            listener,
            clock: session.clock,
        };
        match keepalive.run().await? {
            KeepaliveEnding::Stopped => Ok(Exit::Ok),
            KeepaliveEnding::GivenUp(unfinished) => Err(given_up(&unfinished).into()),
            KeepaliveEnding::NoLock(error) => Err(CliError::from(error).into()),
            KeepaliveEnding::EngineEnded => Err(eyre::eyre!("the engine ended unexpectedly")),
        }
    }
}
