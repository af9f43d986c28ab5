//! Starting the engine, and what can be asked of it from other threads.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::{mpsc, oneshot};

use crate::domain::{
    Clock, Command, Connection, ConnectionName, ConnectionView, CopyWhat, Event, Fingerprint, Problem, Program, Secret,
};
use crate::engine::access_token::AccessToken;
use crate::engine::actor::Actor;
use crate::engine::agent::Agent;
use crate::engine::connections::host_limit::HostLimit;
use crate::engine::messages::{EngineMessage, Refreshed};
use crate::engine::remote::{Remote, answered};
use crate::engine::unfinished::{Rest, UnfinishedWork};
use crate::engine::work::context::Context;
use crate::engine::work::refresh::decide::Need;
use crate::oauth::Http;
use crate::platform::open_url::Browser;
use crate::tokens::vault::Vault;

/// Within this time the engine says what is unsaved, unless it hangs.
const UNFINISHED_ANSWERED: Duration = Duration::from_secs(2);

/// What an engine is made of: the connections, and its seams.
pub struct Parts {
    /// The connections, names unique.
    pub connections: Vec<Connection>,
    /// Where records are kept.
    pub vault: Vault,
    /// The clock everything is judged by.
    pub clock: Arc<dyn Clock>,
    /// What opens login URLs.
    pub browser: Arc<dyn Browser>,
    /// What this program is, to the histories it writes and to what it does automatically: only a
    /// single command gives up on a store that does not answer.
    pub program: Program,
    /// Whether due refreshes are begun without being asked, before any [`Command::TakeOver`].
    pub automatic: bool,
    /// How long a login waits for a person.
    pub login_timeout: Duration,
    /// The first pause after a lost answer, which doubles with every sending; see
    /// [`schedule::PAUSE_AFTER_LOST_ANSWER`](crate::engine::connections::schedule::PAUSE_AFTER_LOST_ANSWER).
    pub lost_pause: TimeDelta,
}

/// A running engine. Dropping it ends the engine without waiting; see [`Engine::shutdown`].
pub struct Engine {
    asks: mpsc::UnboundedSender<EngineMessage>,
    /// Gives commands the access tokens held here, once that is asked for.
    agent: Mutex<Option<Agent>>,
    runtime: tokio::runtime::Handle,
    vault: Vault,
}

impl Engine {
    /// Starts the engine on a thread of its own. Facts come out of the receiver.
    ///
    /// # Errors
    /// The system gives no thread or no event queue.
    pub fn start(parts: Parts) -> std::io::Result<(Self, mpsc::UnboundedReceiver<Event>)> {
        let (asks, asked) = mpsc::unbounded_channel();
        let (events, facts) = mpsc::unbounded_channel();
        let (reports, reported) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let engine =
            Self { asks, agent: Mutex::default(), runtime: runtime.handle().clone(), vault: parts.vault.clone() };
        let context = Arc::new(Context {
            http: Http::new(Arc::clone(&parts.clock)),
            clock: parts.clock,
            vault: parts.vault,
            host_limit: HostLimit::default(),
            browser: parts.browser,
            program: parts.program,
            lost_pause: parts.lost_pause,
            reports,
            store_opened: tokio::sync::Notify::new(),
        });
        let (unread, queue) = mpsc::unbounded_channel();
        let actor = Actor::new(context, events, parts.connections, parts.automatic, parts.login_timeout, unread);
        thread::Builder::new().name("engine".into()).spawn(move || {
            runtime.block_on(actor.run(asked, reported, queue));
            // A hung disk must not hold up the end of the program.
            runtime.shutdown_background();
        })?;
        Ok((engine, facts))
    }

    /// Gives commands that read this configuration file the access tokens held here, from when no
    /// other process does, until the engine is shut down. Returns at once.
    pub fn answer_commands(&self, config_file: PathBuf) {
        let agent = Agent::start(self.runtime.clone(), self.remote(), self.vault.clone(), config_file);
        *self.agent.lock().unwrap_or_else(PoisonError::into_inner) = Some(agent);
    }

    /// Leaves answering to another process; gives the configuration file, where it was ours until now.
    pub fn stop_answering(&self) -> Option<PathBuf> {
        self.agent.lock().unwrap_or_else(PoisonError::into_inner).take().map(|agent| agent.config_file.clone())
    }

    /// A way to hand over commands from elsewhere.
    #[must_use]
    pub fn remote(&self) -> Remote {
        Remote { asks: self.asks.downgrade() }
    }

    /// Hands over a command; events announce the outcome.
    pub fn send(&self, command: Command) {
        // The actor ends only after a shutdown, and then no one listens.
        let _ = self.asks.send(EngineMessage::Command(command));
    }

    /// Refreshes one connection and waits for the end. All who ask while an exchange is out share it.
    ///
    /// # Errors
    /// Why not.
    pub async fn refresh(&self, connection: &ConnectionName, force: bool) -> Result<Refreshed, Problem> {
        self.renew(connection, if force { Need::New } else { Need::NotDue }).await
    }

    /// The same for new tokens whatever is there, but without sending a refresh token that a person has
    /// to decide about: what a command has read has not been shown to anybody.
    ///
    /// # Errors
    /// Why not; `Uncertain` where a person has to decide.
    pub async fn force_if_sure(&self, connection: &ConnectionName) -> Result<Refreshed, Problem> {
        self.renew(connection, Need::NewIfSure).await
    }

    /// An access token other than one that the API has refused, refreshed once where that is the one
    /// held here. The refused one is never given.
    ///
    /// # Errors
    /// Why not.
    pub async fn access_token_other_than(
        &self,
        connection: &ConnectionName,
        refused: &Secret,
        min_ttl: Duration,
    ) -> Result<AccessToken, Problem> {
        let least = TimeDelta::from_std(min_ttl).unwrap_or(TimeDelta::MAX);
        let need = Need::OtherThan(Fingerprint::of(refused), least);
        // A refresh under way may have been asked for by a caller to which the refused one was fresh
        // enough. One that has obtained new tokens is not repeated.
        for _ in 0..2 {
            let refreshed = self.renew(connection, need.clone()).await?;
            let token = self.present_token(connection).await?;
            if token.token != *refused {
                return Ok(token);
            }
            if let Some(problem) = token.problem {
                return Err(problem);
            }
            if matches!(refreshed, Refreshed::Obtained(_)) {
                break;
            }
        }
        Err(Problem::Retrying { at: None, why: "the provider answered with the rejected access token again".into() })
    }

    /// An access token that is good for at least `min_ttl`, refreshed where the one there is not.
    ///
    /// # Errors
    /// Why not.
    pub async fn access_token(&self, connection: &ConnectionName, min_ttl: Duration) -> Result<AccessToken, Problem> {
        self.renew(connection, Need::AtLeast(TimeDelta::from_std(min_ttl).unwrap_or(TimeDelta::MAX))).await?;
        self.present_token(connection).await
    }

    /// The access token that is there, as long as it lives; nothing is sent for it.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn present_token(&self, connection: &ConnectionName) -> Result<AccessToken, Problem> {
        let token =
            answered(&self.asks, |reply| EngineMessage::PresentToken { connection: connection.clone(), reply }).await;
        token.unwrap_or(Err(Problem::Cancelled))
    }

    async fn renew(&self, connection: &ConnectionName, need: Need) -> Result<Refreshed, Problem> {
        let end =
            answered(&self.asks, |reply| EngineMessage::Refresh { connection: connection.clone(), need, reply }).await;
        end.unwrap_or(Err(Problem::Cancelled))
    }

    /// Something of a connection, in the clear, on explicit request.
    ///
    /// # Errors
    /// Why there is nothing to give, in plain words.
    pub async fn reveal(&self, connection: &ConnectionName, what: CopyWhat) -> Result<Secret, String> {
        let revealed =
            answered(&self.asks, |reply| EngineMessage::Reveal { connection: connection.clone(), what, reply }).await;
        revealed.unwrap_or_else(|| Err("manutop is ending".into()))
    }

    /// All connections as they stand, in the configuration's order, once the store has been read
    /// or has failed to answer.
    pub async fn views(&self) -> Vec<ConnectionView> {
        answered(&self.asks, |reply| EngineMessage::Views { reply }).await.unwrap_or_default()
    }

    /// Ends the engine: what only waits is cancelled, what is out is waited for and saved.
    /// Returns when nothing is unsaved any more; drop it to stop waiting.
    pub async fn shutdown(&self) {
        self.stop_answering();
        // No answer means that the engine has ended already.
        let _ = answered(&self.asks, |reply| EngineMessage::Shutdown { reply }).await;
    }

    /// Begins what [`Engine::shutdown`] does, for a caller that does something else meanwhile. The receiver is given a
    /// word, or closed, when nothing is unsaved any more.
    pub fn begin_shutdown(&self) -> oneshot::Receiver<()> {
        self.stop_answering();
        let (reply, ended) = oneshot::channel();
        let _ = self.asks.send(EngineMessage::Shutdown { reply });
        ended
    }

    /// What ending the program now would endanger; nothing where the engine has ended, or does not answer
    /// soon, as on a disk that hangs: nothing that a person waits for may hang with it.
    pub async fn unfinished(&self) -> Vec<UnfinishedWork> {
        let unfinished = answered(&self.asks, |reply| EngineMessage::Unfinished { reply });
        tokio::time::timeout(UNFINISHED_ANSWERED, unfinished).await.ok().flatten().unwrap_or_default()
    }

    /// Asks for a rest: nothing that is due is begun while it is held, and it comes once nothing is unsaved. What a
    /// person asks for is begun all the same.
    #[must_use]
    pub fn rest(&self) -> Rest {
        let (rest, hold, reply) = Rest::new();
        let _ = self.asks.send(EngineMessage::Rest { hold, reply });
        rest
    }
}
