//! `manutop token`: a valid access token, alone. Also what it takes to have one, for every command
//! that calls an API with it.

use std::io;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use eyre::Report;
use futures_util::future::join_all;
use serde_json::json;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::global_args::GlobalArgs;
use crate::cli::support::session::Session;
use crate::cli::support::stderr::message;
use crate::cli::support::time_args::duration;
use crate::cli::support::unsaved::{not_in_the_store_yet, unsaved};
use crate::cli::support::{json, prompt};
use crate::config::Paths;
use crate::domain::clock::rfc3339;
use crate::domain::{Clock, ConnectionName, Problem, Reason, Secret, SystemClock};
use crate::engine::{AccessToken, Engine, agent};
use crate::oauth::pasted;

/// Print a valid access token; refreshes it first if necessary
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: curl -H \"$(manutop token factory --header)\" https://api.manuonline.com/")]
pub struct TokenArgs {
    /// Connection name
    name: ConnectionName,
    #[command(flatten)]
    freshness: Freshness,
    /// Read a token that the API rejected with 401 from standard input, and print a newer one
    #[arg(long, value_name = "-", value_parser = ["-"])]
    rejected: Option<String>,
    /// Print a whole header: "Authorization: Bearer …"
    #[arg(long, conflicts_with = "json")]
    header: bool,
    /// Print JSON, with the time the token expires
    #[arg(long)]
    json: bool,
}

/// How good a token must be, and what may be done for it.
#[derive(Debug, clap::Args)]
pub struct Freshness {
    /// How long the token must remain valid: seconds, or with a unit such as 90s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    min_ttl: Duration,
    /// Send nothing: use the stored token, or fail
    #[arg(long)]
    no_refresh: bool,
}

impl TokenArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        let names = std::slice::from_ref(&self.name);
        let tokens = match self.rejected()? {
            Some(rejected) => self.freshness.obtain_other_than(files, names, &rejected).await?,
            None => self.freshness.obtain(files, names).await?,
        };
        let [token] = &tokens[..] else { unreachable!("one token for each name") };
        if self.json {
            json::print(object(&self.name, token))?;
        } else {
            let text = if self.header { token.header() } else { token.token.clone() };
            writeln!(io::stdout(), "{}", text.expose())?;
        }
        Ok(Exit::Ok)
    }

    /// The token that the API did not take, where one is given.
    fn rejected(&self) -> Result<Option<Secret>, CliError> {
        if self.rejected.is_none() {
            return Ok(None);
        }
        let text = if io::stdin().is_terminal() {
            prompt::hidden(format_args!("Rejected access token of {}: ", self.name))
        } else {
            prompt::piped(pasted::LONGEST)
        };
        let text = text.map_err(|error| {
            CliError::on(&self.name, Exit::Failed, format!("no rejected access token was read: {error}"))
        })?;
        let token = pasted::access_token(&text);
        token.map(Some).map_err(|why| CliError::on(&self.name, Exit::Usage, format!("the rejected access token {why}")))
    }
}

/// Says what is wrong with a connection although its token is good. What a save owes is said elsewhere.
fn warn(name: &ConnectionName, problem: &Problem) {
    if !matches!(problem, Problem::NotSaved { .. }) {
        message!("warning: {}; its access token is still good", CliError::about(name, problem));
    }
}

fn object(name: &ConnectionName, token: &AccessToken) -> serde_json::Value {
    json!({
        "connection": name,
        "access_token": token.token.expose(),
        "token_type": "Bearer",
        "obtained_at": rfc3339(token.obtained_at),
        "expires_at": rfc3339(token.expires_at),
        "expires_in": (token.expires_at - SystemClock.now()).num_seconds(),
        "generation": token.generation,
        "scope": token.scope,
        "problem": token.problem.as_ref().map(ToString::to_string),
    })
}

impl Freshness {
    /// A good token for each of the connections, in their order.
    pub(crate) async fn obtain(
        &self,
        files: &GlobalArgs,
        names: &[ConnectionName],
    ) -> Result<Vec<AccessToken>, Report> {
        if let Some(tokens) = self.of_agent(files, names).await {
            return Ok(tokens);
        }
        self.obtain_alone(&Session::open_for_command(files).await?, names, None).await
    }

    /// The same other than one that the API has rejected. No dashboard or keepalive service is asked: what it
    /// holds may be the rejected one.
    async fn obtain_other_than(
        &self,
        files: &GlobalArgs,
        names: &[ConnectionName],
        rejected: &Secret,
    ) -> Result<Vec<AccessToken>, Report> {
        self.obtain_alone(&Session::open_for_command(files).await?, names, Some(rejected)).await
    }

    /// The tokens that a running dashboard or keepalive service holds, if they are good enough and all there:
    /// then neither configuration nor secret store has to be looked at.
    async fn of_agent(&self, files: &GlobalArgs, names: &[ConnectionName]) -> Option<Vec<AccessToken>> {
        let Paths { config_file, data_dir, .. } = Paths::resolve(files.config.clone(), files.data_dir.clone()).ok()?;
        let mut tokens = Vec::new();
        for name in names {
            tokens.push(agent::ask(&data_dir, &config_file, name, self.min_ttl, SystemClock.now()).await?);
        }
        Some(tokens)
    }

    /// The same by an engine of its own. All connections are tried before the first failure is reported.
    async fn obtain_alone(
        &self,
        session: &Session,
        names: &[ConnectionName],
        rejected: Option<&Secret>,
    ) -> Result<Vec<AccessToken>, Report> {
        let mut working = session.work_on(names)?;
        // A token that is there must be known first: then no lock is waited for.
        let views = working.engine.views().await;
        let impossible = views.iter().find_map(|view| self.impossible(&view.name, view.token()?.lifetime()));
        let now = session.clock.now();
        let results = if let Some(stop) = impossible {
            vec![Err(stop)]
        } else {
            let all = async |engine: &_| join_all(names.iter().map(|name| self.one(engine, name, rejected, now))).await;
            working.attend(all).await?
        };
        for (name, problem) in unsaved(&working).await {
            message!("{}", not_in_the_store_yet(&name, &problem));
        }
        working.finish().await;
        for (name, token) in names.iter().zip(&results) {
            if let Ok(AccessToken { problem: Some(problem), .. }) = token {
                warn(name, problem);
            }
        }
        let (tokens, failures): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        let mut failures: Vec<_> = failures.into_iter().filter_map(Result::err).collect();
        let Some(last) = failures.pop() else { return Ok(tokens.into_iter().flatten().collect()) };
        for stop in &failures {
            message!("{stop}");
        }
        Err(last.into())
    }

    async fn one(
        &self,
        engine: &Engine,
        name: &ConnectionName,
        rejected: Option<&Secret>,
        now: DateTime<Utc>,
    ) -> Result<AccessToken, CliError> {
        let about = |problem| CliError::about(name, &problem);
        if !self.no_refresh {
            // One that another process obtained meanwhile will do: it is as new as any can be.
            let token = match rejected {
                Some(rejected) => engine.access_token_other_than(name, rejected, self.min_ttl).await,
                None => engine.access_token(name, self.min_ttl).await,
            };
            let token = token.map_err(about)?;
            return self.impossible(name, token.expires_at - token.obtained_at).map_or(Ok(token), Err);
        }
        let token = engine.present_token(name).await.map_err(about)?;
        if rejected == Some(&token.token) {
            let why = "its access token is the rejected one, and --no-refresh keeps manutop from obtaining a new one";
            return Err(about(Problem::Retrying { at: None, why: why.into() }));
        }
        let left = (token.expires_at - now).to_std().unwrap_or_default();
        if left >= self.min_ttl {
            return Ok(token);
        }
        let (left, wanted) = (left.as_secs(), self.min_ttl.as_secs());
        let why = format!("its access token lives for {left} s more, less than the {wanted} s asked for");
        Err(about(Problem::Retrying { at: None, why: Reason::ours(why) }))
    }

    /// What no token of this connection is good for, so that nothing is sent for it.
    fn impossible(&self, name: &ConnectionName, lifetime: TimeDelta) -> Option<CliError> {
        let lifetime = lifetime.to_std().unwrap_or_default();
        (self.min_ttl > lifetime).then(|| {
            let why = format!(
                "its access tokens live for {} s in all, less than the {} s of --min-ttl",
                lifetime.as_secs(),
                self.min_ttl.as_secs()
            );
            CliError::on(name, Exit::Usage, why)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::object;
    use crate::cli::support::json::documented;
    use crate::dashboard::fixtures::{manu, now};
    use crate::domain::Secret;
    use crate::engine::AccessToken;

    #[test]
    fn keys_have_the_order_of_the_documentation() {
        let token = AccessToken {
            token: Secret::new("at"),
            generation: 41,
            obtained_at: now(),
            expires_at: now(),
            scope: None,
            problem: None,
        };
        documented::assert_order("access_token", object(&manu("factory", 1).name, &token));
    }
}
