//! `manutop doctor`: looks at everything manutop depends on and says what to do about the rest.
//!
//! It sends nothing to any provider and changes nothing but one item of its own in the secret
//! store, which it writes, reads back and removes.

pub mod machine;
pub mod storage;

use std::io::Write;
use std::path::Path;

use eyre::Report;
use serde::Serialize;
use serde_json::json;

use crate::cli::support::exit::Exit;
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::Session;
use crate::cli::support::{json, version};
use crate::config;
use crate::config::{ConfigError, Copies, Original, Paths};
use crate::dashboard_loop::appearance::check_keys;
use crate::oauth::providers;
use crate::platform::environment::Environment;

/// Check the setup: configuration, secret store, tokens, clocks
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl DoctorArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        run(files, self.json).await
    }
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum CheckResult {
    Ok,
    Warn,
    Fail,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    /// What was looked at; stable.
    name: String,
    verdict: CheckResult,
    /// What was found.
    found: String,
    /// What to do about it, where there is something.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

impl Check {
    fn ok(name: impl Into<String>, found: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: CheckResult::Ok, found: found.into(), advice: None }
    }

    fn warn(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: CheckResult::Warn, found: found.into(), advice: Some(advice.into()) }
    }

    fn fail(name: impl Into<String>, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name: name.into(), verdict: CheckResult::Fail, found: found.into(), advice: Some(advice.into()) }
    }
}

/// Runs all checks and prints them; fails if any fails.
async fn run(files: &GlobalArgs, as_json: bool) -> Result<Exit, Report> {
    let mut checks = vec![configuration(files)];
    match Session::open(files) {
        Ok(session) => checks.extend(storage::checks(&session).await),
        // The configuration's own faults are reported already.
        Err(_) if checks[0].verdict == CheckResult::Fail => {}
        Err(stop) => {
            checks.push(Check::fail("storage", stop.to_string(), "fix this, or use another directory with --data-dir"));
        }
    }
    checks.extend(machine::checks(&Environment::read()));
    checks.insert(0, Check::ok("version", version::LONG));
    print(&checks, as_json)?;
    let any_fails = checks.iter().any(|check| check.verdict == CheckResult::Fail);
    Ok(if any_fails { Exit::Failed } else { Exit::Ok })
}

fn configuration(files: &GlobalArgs) -> Check {
    let name = "configuration";
    let paths = match Paths::resolve(files.config.clone(), files.data_dir.clone()) {
        Ok(paths) => paths,
        Err(error) => return Check::fail(name, error.to_string(), "set the files with --config and --data-dir"),
    };
    let file = paths.config_file.display();
    let checked = config::load(&paths.config_file, providers::ALL).and_then(|config| {
        config.iter().try_for_each(|config| check_keys(config, &paths.config_file))?;
        Ok(config)
    });
    match checked {
        Ok(Some(config)) if config.connections.is_empty() => {
            Check::warn(name, format!("{file} has no connections"), "add one in the dashboard (n), or run: manutop add")
        }
        Ok(Some(config)) => good_configuration(name, &paths.config_file, config.connections.len()),
        Ok(None) => Check::warn(name, format!("{file} does not exist"), "run: manutop add, or open the dashboard"),
        Err(ConfigError::Untrusted(why)) => Check::fail(name, why.to_string(), why.advice()),
        Err(error) => Check::fail(name, error.to_string(), "correct these lines"),
    }
}

/// A file without faults: was it written to its end, and can it be changed?
fn good_configuration(name: &str, file: &Path, connections: usize) -> Check {
    let found = format!("{} is valid; connections: {connections}", file.display());
    if let Some(Copies { after, .. }) = config::interrupted(file) {
        let (file, after) = (file.display(), after.display());
        let found = format!("{file} was only half written when manutop was killed; it is read as {after}");
        return Check::warn(name, found, format!("cp {after} {file}"));
    }
    match Original::read(file).and_then(|file| file.check()) {
        Ok(()) => Check::ok(name, found),
        // It may be read-only on purpose.
        Err(error) => Check::ok(name, format!("{found}; read-only for manutop: {error}")),
    }
}

fn print(checks: &[Check], as_json: bool) -> std::io::Result<()> {
    if as_json {
        return json::print(json!({ "checks": checks }));
    }
    let mut out = std::io::stdout().lock();
    for Check { name, verdict, found, advice } in checks {
        let word = match verdict {
            CheckResult::Ok => "ok  ",
            CheckResult::Warn => "warn",
            CheckResult::Fail => "FAIL",
        };
        writeln!(out, "{word}  {name}: {found}")?;
        if let Some(advice) = advice {
            writeln!(out, "      -> {advice}")?;
        }
    }
    Ok(())
}
