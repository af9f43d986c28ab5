//! A login with a browser: the authorization request, the wait for a person, the code exchange.
//!
//! The listener is bound before any browser opens. Answers that do not belong to this login (a
//! wrong `state`, a stray request) are explained once and counted, and the login keeps waiting; only the
//! server's own refusal ends it from outside.

pub mod report;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::{
    Activity, Connection, ConnectionGrant, EventKind, LoginView, Problem, Reason, Redirect, Revocation, Secret,
    SubjectChange, TokenRecord,
};
use crate::engine::work::code_exchange::Exchanged;
use crate::engine::work::context::{Context, TaskReport, WorkOutcome, store_problem};
use crate::engine::work::login::report::kept;
use crate::engine::work::{client_secret, code_exchange, revoke};
use crate::oauth::callback::{Expected, Granted};
use crate::oauth::listener::Serving;
use crate::oauth::pasted_answer::read_answer;
use crate::oauth::{Authorization, CallbackError, CodeProgress, Listener, authorization};
use crate::platform::open_url::Opened;
use crate::secrets::error::StoreError;

/// What a person may do while a login waits.
#[derive(Debug)]
pub(crate) enum LoginInput {
    /// The final URL, or the bare code.
    Pasted(Secret),
    /// Opens the browser again.
    Reopen,
    /// Whether the tokens of another subject replace those held.
    Confirm(bool),
}

/// Runs one login to its end and reports it.
pub(crate) async fn login(
    context: Arc<Context>,
    connection: Arc<Connection>,
    timeout: Duration,
    mut input: mpsc::Receiver<LoginInput>,
    cancel: CancellationToken,
) -> WorkOutcome {
    let name = connection.name.clone();
    match run(&context, &connection, timeout, &mut input, &cancel).await {
        Ok(ended) => ended,
        Err(LoginFailure::Cancelled) => {
            context.announce(EventKind::LoginCancelled.of(name));
            WorkOutcome::Unchanged
        }
        Err(LoginFailure::Said(why)) => {
            context.announce(EventKind::LoginFailed { why, problem: None }.of(name));
            WorkOutcome::Unchanged
        }
        Err(LoginFailure::Problem(problem)) => {
            context.announce(EventKind::LoginFailed { why: problem.reason(), problem: Some(problem) }.of(name));
            WorkOutcome::Unchanged
        }
    }
}

enum LoginFailure {
    Cancelled,
    Said(Reason),
    Problem(Problem),
}

impl From<Problem> for LoginFailure {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Cancelled => Self::Cancelled,
            problem => Self::Problem(problem),
        }
    }
}

/// A login under way.
struct Waiting<'a> {
    context: &'a Arc<Context>,
    connection: &'a Arc<Connection>,
    authorization: Authorization,
    expected: Expected,
    serving: Option<Serving>,
    view: LoginView,
    began: DateTime<Utc>,
    /// Codes that the server has refused, and its words.
    refused: Vec<(Secret, Reason)>,
    /// What the browsers that were started need until the end.
    opened: Vec<Opened>,
}

async fn run(
    context: &Arc<Context>,
    connection: &Arc<Connection>,
    timeout: Duration,
    input: &mut mpsc::Receiver<LoginInput>,
    cancel: &CancellationToken,
) -> Result<WorkOutcome, LoginFailure> {
    // Asked for first: a login that cannot be finished should not send anybody to a browser.
    let read = context.vault.read(&connection.name).await;
    if let Err(error @ (StoreError::Renaming { .. } | StoreError::NewerFormat { .. })) = &read {
        return Err(store_problem(error).into());
    }
    let client_secret = client_secret::fetch(context, connection).await?;
    let held = read.ok().and_then(|standing| standing.record);
    let issuer = held.and_then(|held| held.subject?.issuer).or_else(|| connection.provider.issuer.map(str::to_owned));
    let mut waiting = begin(context, connection, (&client_secret, issuer), timeout).await?;
    waiting.show();
    context.announce(EventKind::LoginStarted.of(connection.name.clone()));
    waiting.open_browser().await;
    let result = waiting.tokens(&client_secret, timeout, input, cancel).await;
    waiting.report_ignored();
    if let (Some(serving), false) = (waiting.serving.take(), matches!(result, Err(LoginFailure::Cancelled))) {
        serving.close().await;
    }
    result
}

async fn begin<'a>(
    context: &'a Arc<Context>,
    connection: &'a Arc<Connection>,
    (client_secret, issuer): (&Secret, Option<String>),
    timeout: Duration,
) -> Result<Waiting<'a>, LoginFailure> {
    let ConnectionGrant::AuthorizationCode { authorize_url, redirect_uri, scope, pkce } = &connection.grant else {
        return Err(LoginFailure::Said("this connection has no browser login".into()));
    };
    let said = |error: &dyn std::error::Error| LoginFailure::Said(Reason::ours(error.to_string()));
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
    let began = context.now();
    let deadline = began + TimeDelta::from_std(timeout).unwrap_or(TimeDelta::MAX);
    let view = LoginView { url: authorization.url.to_string(), redirect, deadline, browser: None, question: None };
    let secrets = authorization.verifier.iter().chain([client_secret]).cloned().collect();
    let expected = Expected { state: authorization.state.clone(), issuer, secrets };
    let serving = listener.map(|listener| listener.serve(expected.clone()));
    let (refused, opened) = (Vec::new(), Vec::new());
    Ok(Waiting { context, connection, authorization, expected, serving, view, began, refused, opened })
}

impl Waiting<'_> {
    fn show(&self) {
        self.context.report(TaskReport::Activity(self.connection.name.clone(), Activity::LoggingIn(self.view.clone())));
    }

    async fn open_browser(&mut self) {
        let (browser, url) = (Arc::clone(&self.context.browser), self.view.url.clone());
        let opened = tokio::task::spawn_blocking(move || browser.open(&url)).await;
        let opened = opened.unwrap_or_else(|_| Err("starting the browser failed".into()));
        self.view.browser = Some(opened.map(|opened| self.opened.push(opened)));
        self.show();
    }

    /// Waits for answers until one of them gives tokens, or the login ends otherwise.
    async fn tokens(
        &mut self,
        client_secret: &Secret,
        timeout: Duration,
        input: &mut mpsc::Receiver<LoginInput>,
        cancel: &CancellationToken,
    ) -> Result<WorkOutcome, LoginFailure> {
        let deadline = tokio::time::Instant::now() + timeout;
        let (context, connection) = (self.context, self.connection);
        loop {
            let granted = tokio::select! {
                answer = self.answer(input) => answer?,
                () = cancel.cancelled() => return Err(LoginFailure::Cancelled),
                () = tokio::time::sleep_until(deadline) => {
                    let minutes = timeout.as_secs().div_ceil(60);
                    let words = "press the login key to start again";
                    let why = format!("the login was not completed within {minutes} min; {words}");
                    return Err(LoginFailure::Said(Reason::ours(why)));
                }
            };
            let exchanged =
                code_exchange::exchange(context, connection, (&self.authorization, &granted), client_secret, cancel)
                    .await;
            let code = granted.code;
            match exchanged {
                Ok(Exchanged::Saved(ended)) => {
                    self.report_progress(&code, CodeProgress::Ended(Ok(self.connected())));
                    return Ok(ended);
                }
                Ok(Exchanged::OtherSubject(record, change)) => {
                    return self.confirm(&code, *record, change, timeout, input, cancel).await;
                }
                Ok(Exchanged::BadCode(why)) => self.refuse(code, &why),
                Err(problem) => {
                    self.report_progress(&code, CodeProgress::Ended(Err(problem.to_string())));
                    return Err(problem.into());
                }
            }
        }
    }

    fn connected(&self) -> String {
        format!("{} is connected to {}.", self.connection.name, self.connection.provider.title)
    }

    /// Reports progress to the browser that brought this code, now or later.
    fn report_progress(&self, code: &Secret, progress: CodeProgress) {
        if let Some(serving) = &self.serving {
            serving.report(code, progress);
        }
    }

    /// The server has refused a code: the login keeps waiting for another one.
    fn refuse(&mut self, code: Secret, why: &Reason) {
        let why = why.between(
            "the provider refused this code (",
            "); it was used before, or too late: open the login URL again",
        );
        self.report_progress(&code, CodeProgress::Ended(Err(why.to_string())));
        self.context.announce(EventKind::AnswerRefused { why: why.clone() }.of(self.connection.name.clone()));
        self.refused.push((code, why));
        self.show();
    }

    /// Asks whether another subject's tokens replace those held. Without a yes they are given
    /// back to the provider, as far as that takes them.
    async fn confirm(
        &mut self,
        code: &Secret,
        record: TokenRecord,
        change: SubjectChange,
        timeout: Duration,
        input: &mut mpsc::Receiver<LoginInput>,
        cancel: &CancellationToken,
    ) -> Result<WorkOutcome, LoginFailure> {
        let (name, (held, received)) = (self.connection.name.clone(), change.names());
        let sentence = format!(
            "You logged in as {received}, but {name} holds the tokens of {held}. manutop asks whether to replace them."
        );
        self.report_progress(code, CodeProgress::Asking(sentence));
        self.view.question = Some(Box::new(change.clone()));
        self.view.deadline = self.context.now() + TimeDelta::from_std(timeout).unwrap_or(TimeDelta::MAX);
        self.show();
        self.context.announce(EventKind::SubjectChanged { change: Box::new(change) }.of(name));
        let is_agreed = tokio::select! {
            is_agreed = confirmation(input) => is_agreed,
            () = cancel.cancelled() => false,
            () = tokio::time::sleep(timeout) => false,
        };
        let mut hindrance = None;
        if is_agreed {
            // They are in memory only until another process lets go of the connection: leaving waits for that.
            let why = "another process holds the connection".into();
            self.context.report(TaskReport::InMemoryOnly(self.connection.name.clone(), Box::new(record.clone()), why));
            match code_exchange::replace(self.context, self.connection, record.clone(), &CancellationToken::new()).await
            {
                Ok(ended) => {
                    self.report_progress(code, CodeProgress::Ended(Ok(self.connected())));
                    return Ok(ended);
                }
                Err(Problem::Cancelled) => {}
                Err(problem) => hindrance = Some(problem.reason()),
            }
        }
        let fate = match revoke::revoke(self.context, self.connection, &record).await {
            Revocation::None => "the new tokens were dropped, and work until they end".into(),
            Revocation::Revoked => "the new tokens were revoked".into(),
            other => other.reason().between("the new tokens were dropped (", ")"),
        };
        let why = kept((&received, &held), hindrance.as_ref(), &fate);
        self.report_progress(code, CodeProgress::Ended(Err(why.to_string())));
        Err(LoginFailure::Said(why))
    }

    /// Waits for a usable code, from the redirect or pasted. Others are explained on the way.
    async fn answer(&mut self, input: &mut mpsc::Receiver<LoginInput>) -> Result<Granted, LoginFailure> {
        loop {
            let arrival = async {
                match &mut self.serving {
                    Some(serving) => serving.arrival().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(arrived) = arrival => {
                    let (refused, why) = match &arrived {
                        Ok(_) => (None, None),
                        Err(CallbackError::Refused { error, description }) => (Some(error.clone()), description.clone()),
                        Err(error) => (None, Some(error.to_string())),
                    };
                    self.log_redirect(arrived.is_ok(), refused, why);
                    match arrived {
                        Ok(granted) => return Ok(granted),
                        Err(error) => self.explain("a request came that is no answer to this login", &error)?,
                    }
                }
                Some(input) = input.recv() => match input {
                    LoginInput::Reopen => self.open_browser().await,
                    LoginInput::Pasted(text) => if let Some(granted) = self.pasted(&text)? { return Ok(granted) },
                    // The question has been answered already.
                    LoginInput::Confirm(_) => {}
                },
                else => return Err(LoginFailure::Cancelled),
            }
        }
    }

    /// The code in what was pasted, where it is worth sending.
    fn pasted(&self, text: &Secret) -> Result<Option<Granted>, LoginFailure> {
        let granted = match read_answer(text, &self.expected, &self.authorization.redirect_uri) {
            Ok(granted) => granted,
            Err(error) => {
                self.explain("this does not look like the final URL", &error)?;
                return Ok(None);
            }
        };
        if let Some((_, why)) = self.refused.iter().find(|(refused, _)| *refused == granted.code) {
            self.context.announce(EventKind::AnswerRefused { why: why.clone() }.of(self.connection.name.clone()));
            return Ok(None);
        }
        self.report_progress(&granted.code, CodeProgress::Working);
        Ok(Some(granted))
    }
}

/// Waits for a yes or a no.
async fn confirmation(input: &mut mpsc::Receiver<LoginInput>) -> bool {
    loop {
        match input.recv().await {
            Some(LoginInput::Confirm(is_agreed)) => return is_agreed,
            Some(LoginInput::Pasted(_) | LoginInput::Reopen) => {}
            None => return false,
        }
    }
}
