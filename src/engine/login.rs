//! A login with a browser: the authorization request, the wait for a person, the code exchange.
//!
//! The listener is bound before any browser opens. Answers that do not belong to this login (a
//! wrong `state`, a stray request) are explained and the login goes on waiting; nobody can end it
//! from outside but the server's own refusal.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::client_secret;
use super::exchange::{self, TokenRequest, Verdict};
use super::rotation::{Entered, enter, save};
use super::tools::{Ended, How, Note, Tools, store_problem};
use crate::domain::{
    Activity, Connection, ConnectionGrant, Event, Exchange, LogEntry, LoginView, Outcome, Problem, Redirect, Secret,
    Wire,
};
use crate::oauth::listener::{Arrival, Serving};
use crate::oauth::{Authorization, CallbackError, Listener, authorization, callback, form};
use crate::store::StoreError;

/// What a person may do while a login waits.
#[derive(Debug)]
pub(super) enum Input {
    /// The final URL, or the bare code.
    Pasted(Secret),
    /// The browser once more.
    Reopen,
}

/// Runs one login to its end and reports it.
pub(super) async fn login(
    tools: Arc<Tools>,
    connection: Arc<Connection>,
    timeout: Duration,
    mut input: mpsc::Receiver<Input>,
    cancel: CancellationToken,
) -> Ended {
    let name = connection.name.clone();
    match run(&tools, &connection, timeout, &mut input, &cancel).await {
        Ok(ended) => ended,
        Err(Failure::Cancelled) => {
            tools.announce(Event::LoginCancelled { connection: name });
            Ended::Unchanged
        }
        Err(Failure::Said(why)) => {
            tools.announce(Event::LoginFailed { connection: name, why, problem: None });
            Ended::Unchanged
        }
        Err(Failure::Problem(problem)) => {
            tools.announce(Event::LoginFailed { connection: name, why: problem.to_string(), problem: Some(problem) });
            Ended::Unchanged
        }
    }
}

enum Failure {
    Cancelled,
    Said(String),
    Problem(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Cancelled => Self::Cancelled,
            problem => Self::Problem(problem),
        }
    }
}

/// A login under way.
struct Waiting<'a> {
    tools: &'a Arc<Tools>,
    connection: &'a Arc<Connection>,
    authorization: Authorization,
    serving: Option<Serving>,
    view: LoginView,
    began: DateTime<Utc>,
}

async fn run(
    tools: &Arc<Tools>,
    connection: &Arc<Connection>,
    timeout: Duration,
    input: &mut mpsc::Receiver<Input>,
    cancel: &CancellationToken,
) -> Result<Ended, Failure> {
    // Asked for first: a login that cannot be finished should not send anybody to a browser.
    let read = tools.vault.read(&connection.name).await;
    if let Err(error @ (StoreError::Renaming { .. } | StoreError::NewerFormat { .. })) = read {
        return Err(store_problem(&error).into());
    }
    let client_secret = client_secret::fetch(tools, connection).await?;
    let mut waiting = begin(tools, connection, timeout).await?;
    waiting.show();
    tools.announce(Event::LoginStarted { connection: connection.name.clone() });
    waiting.open_browser().await;
    let deadline = tokio::time::Instant::now() + timeout;
    let (code, page) = tokio::select! {
        answer = waiting.answer(input) => answer?,
        () = cancel.cancelled() => return Err(Failure::Cancelled),
        () = tokio::time::sleep_until(deadline) => {
            let minutes = timeout.as_secs().div_ceil(60);
            return Err(Failure::Said(format!("nobody finished the login within {minutes} min; press the login key to start again")));
        }
    };
    let result = exchange_code(tools, connection, &waiting.authorization, &code, &client_secret, cancel).await;
    if let Some(page) = page {
        // The browser may have gone away; that changes nothing.
        let _ = page.send(match &result {
            Ok(_) => Ok(format!("{} is connected to {}.", connection.name, connection.provider.title)),
            Err(problem) => Err(problem.to_string()),
        });
    }
    if let Some(serving) = waiting.serving.take() {
        serving.close().await;
    }
    Ok(result?)
}

async fn begin<'a>(
    tools: &'a Arc<Tools>,
    connection: &'a Arc<Connection>,
    timeout: Duration,
) -> Result<Waiting<'a>, Failure> {
    let ConnectionGrant::AuthorizationCode { authorize_url, redirect_uri, scope, pkce } = &connection.grant else {
        return Err(Failure::Said("this connection has no browser login".into()));
    };
    let said = |error: &dyn std::error::Error| Failure::Said(error.to_string());
    let listener = if Listener::is_loopback(redirect_uri) {
        Some(Listener::bind(redirect_uri).await.map_err(|error| said(&error))?)
    } else {
        None
    };
    let sent_uri = listener.as_ref().map_or(redirect_uri.as_str(), Listener::redirect_uri).to_owned();
    let authorization = authorization::request(authorize_url, &connection.client_id, &sent_uri, scope, *pkce)
        .map_err(|error| said(&error))?;
    let redirect =
        if listener.is_some() { Redirect::Loopback { uri: sent_uri } } else { Redirect::Pasted { uri: sent_uri } };
    let began = tools.now();
    let deadline = began + TimeDelta::from_std(timeout).unwrap_or(TimeDelta::MAX);
    let view = LoginView { url: authorization.url.to_string(), redirect, deadline, browser: None };
    let serving = listener.map(|listener| listener.serve(authorization.state.clone()));
    Ok(Waiting { tools, connection, authorization, serving, view, began })
}

type Page = tokio::sync::oneshot::Sender<Result<String, String>>;

impl Waiting<'_> {
    fn show(&self) {
        self.tools.note(Note::Activity(self.connection.name.clone(), Activity::LoggingIn(self.view.clone())));
    }

    async fn open_browser(&mut self) {
        let (browser, url) = (Arc::clone(&self.tools.browser), self.view.url.clone());
        let opened = tokio::task::spawn_blocking(move || browser.open(&url)).await;
        self.view.browser = Some(opened.unwrap_or_else(|_| Err("starting the browser failed".into())));
        self.show();
    }

    /// Waits for a usable code, from the redirect or pasted. Others are explained on the way.
    async fn answer(&mut self, input: &mut mpsc::Receiver<Input>) -> Result<(Secret, Option<Page>), Failure> {
        loop {
            let arrival = async {
                match &mut self.serving {
                    Some(serving) => serving.arrival().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(Arrival { code, page }) = arrival => {
                    self.log_redirect(&code);
                    match code {
                        Ok(code) => return Ok((code, Some(page))),
                        Err(error) => {
                            let _ = page.send(Err(error.to_string()));
                            self.explain(&error)?;
                        }
                    }
                }
                Some(input) = input.recv() => match input {
                    Input::Reopen => self.open_browser().await,
                    Input::Pasted(text) => {
                        match callback::read_pasted(&text, &self.authorization.state, &self.authorization.redirect_uri) {
                            Ok(code) => return Ok((code, None)),
                            Err(error) => self.explain(&error)?,
                        }
                    }
                },
                else => return Err(Failure::Cancelled),
            }
        }
    }

    /// The server's own refusal ends the login; anything else is said, and the wait goes on.
    fn explain(&self, error: &CallbackError) -> Result<(), Failure> {
        if matches!(error, CallbackError::Refused { .. }) {
            return Err(Failure::Said(error.to_string()));
        }
        let why = format!("an answer came that cannot be used: {error}");
        self.tools.announce(Event::AnswerRefused { connection: self.connection.name.clone(), why });
        Ok(())
    }

    fn log_redirect(&self, code: &Result<Secret, CallbackError>) {
        let now = self.tools.now();
        let uri = url::Url::parse(&self.authorization.redirect_uri);
        let (host, path) = uri
            .map_or_else(|_| <(String, String)>::default(), |uri| (uri.authority().to_owned(), uri.path().to_owned()));
        let (oauth_error, description) = match code {
            Ok(_) => (None, None),
            Err(CallbackError::Refused { error, description }) => (Some(error.clone()), description.clone()),
            Err(error) => (None, Some(error.to_string())),
        };
        self.tools.log(LogEntry {
            at: now,
            connection: self.connection.name.clone(),
            exchange: Exchange::Authorization,
            method: "GET".into(),
            host,
            path,
            outcome: if code.is_ok() { Outcome::Status(200) } else { Outcome::Status(400) },
            duration_ms: u64::try_from((now - self.began).num_milliseconds()).unwrap_or(0),
            attempt: 1,
            size: 0,
            headers: Vec::new(),
            oauth_error,
            oauth_error_description: description,
            wire: Wire::default(),
        });
    }
}

/// The code for tokens, under the connection's lock. An older refresh token is not spent by it,
/// so nothing is uncertain if it fails: the code is, and the person logs in again.
async fn exchange_code(
    tools: &Tools,
    connection: &Connection,
    authorization: &Authorization,
    code: &Secret,
    client_secret: &Secret,
    cancel: &CancellationToken,
) -> Result<Ended, Problem> {
    let Entered { mut lease, place: _place } = enter(tools, connection, cancel).await?;
    let standing = lease.recover_or_replace().await.map_err(|error| store_problem(&error))?;
    lease.preflight().await.map_err(|error| store_problem(&error))?;
    tools.note(Note::Activity(connection.name.clone(), Activity::Refreshing { since: tools.now() }));
    let client = form::Client { id: &connection.client_id, secret: client_secret };
    let form = form::code(client, code, &authorization.redirect_uri, authorization.verifier.as_ref());
    let mut secrets = vec![client_secret, code];
    secrets.extend(authorization.verifier.as_ref());
    let request = TokenRequest { connection, exchange: Exchange::Code, form: &form, secrets: &secrets, attempt: 1 };
    match exchange::send(tools, request).await {
        Verdict::Tokens(tokens, asked_at) => {
            let record = exchange::record(connection, tokens, asked_at, None, standing.next_generation());
            Ok(save(tools, &connection.name, &mut lease, record, How::LoggedIn).await)
        }
        Verdict::Refused(refusal, retry_after) => Err(exchange::problem(&refusal, retry_after, tools.now())),
        Verdict::NotSent(why) | Verdict::Lost { why, .. } => {
            Err(Problem::Retrying { at: None, why: format!("{why}; log in again") })
        }
    }
}
