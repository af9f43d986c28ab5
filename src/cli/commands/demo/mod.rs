//! `manutop demo`: the dashboard on embedded providers, or the providers alone.

pub mod faults;

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use eyre::Report;

use crate::cli::commands::dashboard::{Demo, Opening, show};
use crate::cli::commands::demo::faults::Breakable;
use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::stderr::message;
use crate::config;
use crate::config::Draft;
use crate::dashboard::connection_form::Template;
use crate::dashboard::keymap::Keymap;
use crate::dashboard_loop::appearance::check_keys;
use crate::demo::story::Spare;
use crate::demo::{DemoOptions, Servers, latency, story};
use crate::domain::{Clock, Program, SystemClock};
use crate::engine::Parts;
use crate::engine::connections::schedule::PAUSE_AFTER_LOST_ANSWER;
use crate::live_configuration::ConfigurationSource;
use crate::oauth::providers;
use crate::platform::browser::SystemBrowser;
use crate::platform::environment::Environment;
use crate::platform::signals::Signals;
use crate::secrets::memory::MemoryStore;
use crate::secrets::worker::Secrets;
use crate::tokens::vault::Vault;

/// Open the dashboard on built-in demo servers; nothing to set up
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Only run the demo servers, and print a configuration for them
    #[arg(long)]
    serve: bool,
    /// Start with a guided tour
    #[arg(long, conflicts_with = "serve")]
    tour: bool,
    /// Port of Manu Online's demo server; Manus gets the next one (default: free ports)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=65534))]
    port: Option<u16>,
}

impl DemoArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        if self.serve { serve(self.port).await } else { run(files, self.tour, self.port).await }
    }
}

/// Runs the dashboard on the demo's connections: servers in this process, secrets in memory,
/// journals in a directory that vanishes at the end.
async fn run(files: &GlobalArgs, tour: bool, port: Option<u16>) -> Result<Exit, Report> {
    let servers = start(port, Some(latency::thinking))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let dir = tempfile::Builder::new().prefix("manutop-demo-").tempdir()?;
    let config_file = dir.path().join("config.toml");
    let story = story::set_up(&servers);
    let config = config::parse(&story.configuration, &config_file, providers::ALL)?;
    let keyring = MemoryStore::new();
    let vault = Vault::open(Secrets::new(keyring.factory()), dir.path(), Arc::clone(&clock))?;
    // Now that the vault has made the directory its owner's alone.
    write_for_owner(&config_file, &story.configuration)?;
    let (mut secrets, mut log) = (HashMap::new(), Vec::new());
    for (character, connection) in story.characters.into_iter().zip(&config.connections) {
        vault.set_client_secret(&character.name, &character.client_secret).await?;
        if let Some(record) = character.record {
            // An expired one had no hour like that.
            if record.expires_at > clock.now() {
                log.extend(latency::past_hour(connection, &record));
            }
            vault.lock(&character.name, |_| {}).await?.receive(record).await?;
        }
        secrets.insert(character.name, character.registered_secret);
    }
    log.sort_by_key(|entry| entry.at);
    let breakable = Breakable {
        manu: servers.manu().clone(),
        manus: servers.manus().clone(),
        store: keyring,
        vault: vault.clone(),
        connections: config.connections.clone(),
        secrets,
    };
    let environment = Environment::read();
    let parts = Parts {
        connections: config.connections.clone(),
        vault,
        clock,
        browser: Arc::new(SystemBrowser::new(environment.clone())),
        program: Program::Dashboard,
        automatic: true,
        login_timeout: config.login_timeout,
        lost_pause: PAUSE_AFTER_LOST_ANSWER,
    };
    let demo = Some(Demo { breakable, templates: story.spare.into_iter().map(template).collect(), log, tour });
    let (keymap, theme) = (Keymap::default(), files.theme);
    let source = ConfigurationSource { file: config_file, stamp: None, providers: providers::ALL, check_keys };
    let opening = Opening {
        source,
        data_dir: None,
        config,
        ascii: files.ascii,
        keymap,
        theme,
        demo,
        read_only: false,
        environment,
    };
    show(parts, opening).await
}

/// What the form of a new connection begins with.
fn template(spare: Spare) -> Template {
    let mut draft = Draft::default();
    for (key, text) in spare.texts {
        draft.set(key, text);
    }
    Template { draft, client_secret: Some(spare.client_secret) }
}

/// The configuration is a file as anybody's is: it can be edited while the demo runs.
fn write_for_owner(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

/// Serves until asked to stop, after printing a ready configuration.
async fn serve(port: Option<u16>) -> Result<Exit, Report> {
    let mut signals = Signals::listen()?;
    let servers = start(port, None)?;
    let story = story::set_up(&servers);
    let mut out = std::io::stdout();
    writeln!(out, "{}", story.for_people())?;
    out.flush()?;
    message!(
        "Manu Online's demo is at {}, Manus's at {}; Ctrl-C ends both",
        servers.manu().base_url(),
        servers.manus().base_url()
    );
    while !signals.next().await.is_quit() {}
    Ok(Exit::Ok)
}

fn start(port: Option<u16>, delay: Option<fn() -> Duration>) -> Result<Servers, CliError> {
    Servers::start(DemoOptions { port, delay, ..DemoOptions::default() }).map_err(|error| {
        let whereabouts = port.map_or_else(String::new, |port| format!(" on ports {port} and {}", port + 1));
        CliError::new(Exit::Failed, format!("the demo servers cannot be started{whereabouts}: {error}"))
    })
}
