//! One connection's state, owned by the actor.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::{Activity, Connection, ConnectionView, Holding, LastRefusal, LossOutcome, Problem, TokenRecord};
use crate::engine::connections::host_limit::HostKey;
use crate::engine::connections::schedule;
use crate::engine::messages::Waiter;
use crate::engine::unfinished::Unfinished;
use crate::engine::work::context::FoundTokens;
use crate::engine::work::load::Looked;
use crate::engine::work::login::LoginInput;
use crate::engine::work::refresh::decide::Need;
use crate::platform::file_stamp::Stamp;
use crate::tokens::journal_stamps::JournalStamp;

/// A connection and all that is known of it.
pub(crate) struct ConnectionState {
    pub(crate) connection: Arc<Connection>,
    /// Where its tokens come from.
    pub(crate) host: HostKey,
    /// What has been announced, or is about to be.
    pub(crate) view: ConnectionView,
    /// The newest durable record.
    pub(crate) record: Option<TokenRecord>,
    /// The one thing being done.
    pub(crate) work: Option<Work>,
    pub(crate) waiters: Vec<Waiter>,
    /// The generation last announced as uncertain.
    pub(crate) uncertain: Option<u64>,
    /// What the provider said last, where it gave no tokens and that still holds.
    pub(crate) refusal: Option<LastRefusal>,
    /// Refreshes asked for while the store was being read again: they begin when that ends.
    pub(crate) asked: Vec<(Need, Option<Waiter>)>,
    /// It is no longer in the configuration: nothing is begun, and it goes once its work has ended.
    pub(crate) is_leaving: bool,
    /// Its settings or its client secret changed while work was under way: what that ends with
    /// is looked at again.
    pub(crate) is_outdated: bool,
    /// How its journal looked when it was read last.
    pub(crate) journal: Option<Stamp>,
    /// The generation last written to the status snapshot.
    pub(crate) in_snapshot: Option<u64>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// When a passing failure is tried again.
    pub(crate) retry_at: Option<DateTime<Utc>>,
    /// When a first token may be minted without being asked: nothing was ever held, and no person
    /// is needed. A logout takes the permission away.
    pub(crate) first_mint: Option<DateTime<Utc>>,
    /// A keepalive beside this process goes first.
    pub(crate) defers_to_leader: bool,
    /// Drawn again for every generation, so that refreshes spread out.
    jitter: f64,
}

/// Work under way. One thing at a time per connection.
pub(crate) enum Work {
    Refresh(CancellationToken, Origin),
    /// Reading the store again under the lock; nothing is sent.
    Reread(CancellationToken),
    Login(CancellationToken, mpsc::Sender<LoginInput>),
    /// Taking over a pasted refresh token.
    Import(CancellationToken),
    Test,
    Logout(CancellationToken),
    /// Forgetting all there is.
    Remove(CancellationToken),
}

/// Who began a refresh: to a person its end is always announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Person,
    Schedule,
}

impl ConnectionState {
    pub(crate) fn new(connection: Connection) -> Self {
        Self {
            view: ConnectionView::loading(&connection),
            host: HostKey::of(&connection.token_url),
            connection: Arc::new(connection),
            record: None,
            work: None,
            waiters: Vec::new(),
            uncertain: None,
            refusal: None,
            asked: Vec::new(),
            is_leaving: false,
            is_outdated: false,
            journal: None,
            in_snapshot: None,
            failures: 0,
            retry_at: None,
            first_mint: None,
            defers_to_leader: false,
            jitter: fastrand::f64(),
        }
    }

    /// Takes over other settings.
    pub(crate) fn configure(&mut self, connection: Connection) {
        self.host = HostKey::of(&connection.token_url);
        self.connection = Arc::new(connection);
    }

    /// Takes over a record, durable at least in the journal.
    pub(crate) fn hold(&mut self, record: Option<TokenRecord>, saved: bool) {
        self.view.holding = match &record {
            Some(record) => Holding::Tokens { facts: record.facts(), saved },
            None => Holding::Nothing,
        };
        let generation = |record: &Option<TokenRecord>| record.as_ref().map(|record| record.generation);
        if generation(&record) != generation(&self.record) {
            self.jitter = fastrand::f64();
        }
        self.record = record;
    }

    /// Logged out, here or by another process: nothing is held, and nothing minted unasked.
    pub(crate) fn clear_tokens(&mut self) {
        self.hold(None, false);
        self.first_mint = None;
        self.succeed();
    }

    /// All is well: there is no problem any more.
    pub(crate) fn succeed(&mut self) {
        self.view.problem = None;
        self.refusal = None;
        self.uncertain = None;
        self.failures = 0;
        self.retry_at = None;
    }

    /// There is a problem. A passing failure is given the moment of its next try.
    pub(crate) fn fail(&mut self, problem: Problem, now: DateTime<Utc>) {
        self.failures = self.failures.saturating_add(1);
        let wait = schedule::backoff(self.failures, fastrand::f64());
        let left = self.record.as_ref().map(|record| record.remaining(now));
        let next = now + left.map_or(wait, |left| schedule::in_time(wait, left));
        self.retry_at = match &problem {
            Problem::AnswerLost { at, .. } => Some(at.unwrap_or(next).max(self.due().unwrap_or(next))),
            Problem::RateLimited { until } => Some(next.max(*until)),
            Problem::Retrying { at: Some(at), .. } => Some(next.max(*at)),
            problem => problem.is_passing().then_some(next),
        };
        self.view.problem = Some(match (problem, self.retry_at) {
            (Problem::RateLimited { .. }, Some(until)) => Problem::RateLimited { until },
            (problem, _) => problem,
        });
    }

    /// Puts what is planned into the view, as far as anything is automatic.
    pub(crate) fn plan(&mut self, now: DateTime<Utc>, automatic: bool) {
        let planned = self.planned(now).filter(|_| automatic);
        self.view.next_refresh = planned;
        if let Some(Problem::Retrying { at, .. } | Problem::AnswerLost { at, .. }) = &mut self.view.problem {
            *at = planned;
        }
    }

    /// The provider refused.
    pub(crate) fn refuse(&mut self, refusal: LastRefusal, now: DateTime<Utc>) {
        let why = refusal.reason();
        self.fail(refusal.problem(now).unwrap_or(Problem::Retrying { at: None, why }), now);
        self.view.lost_answer = refusal.lost.map(|lost| (lost, LossOutcome::Replaced)).or(self.view.lost_answer);
        self.refusal = Some(refusal);
    }

    /// The problem although there is a good access token; nothing where `problem` is none.
    pub(crate) fn hold_in_spite_of(&mut self, problem: Option<Problem>, now: DateTime<Utc>) {
        let Some(problem) = problem else { return self.succeed() };
        let is_known = self.view.problem.as_ref().map(std::mem::discriminant) == Some(std::mem::discriminant(&problem));
        // What is known already keeps the moment of its next try.
        if !is_known || self.retry_at.is_some_and(|at| at <= now) {
            self.fail(problem, now);
        }
    }

    /// A refresh token may have been replaced; from now on a person who forces it has been shown that.
    pub(crate) fn mark_uncertain(&mut self, generation: u64, problem: Problem, now: DateTime<Utc>) {
        self.uncertain = Some(generation);
        self.fail(problem, now);
    }

    /// The generation that is shown to be uncertain at this moment.
    pub(crate) fn shown_uncertain(&self) -> Option<u64> {
        self.uncertain.filter(|_| self.view.is_uncertain())
    }

    /// Takes over what the store was found to hold.
    pub(crate) fn find(&mut self, found: FoundTokens, now: DateTime<Utc>) {
        self.hold(found.record, found.saved);
        match found.problem {
            Some(problem) => self.fail(problem, now),
            None => self.succeed(),
        }
        self.uncertain = found.uncertain;
        self.refusal = found.refusal;
        self.view.lost_answer = found.lost_answer;
    }

    /// When the access token is due for its refresh; `None` where there is none.
    fn due(&self) -> Option<DateTime<Utc>> {
        let record = self.record.as_ref()?;
        let due = if self.defers_to_leader { schedule::overdue } else { schedule::due };
        Some(due(record.obtained_at, record.expires_at, self.jitter))
    }

    /// When the next automatic refresh, or the next try, is planned.
    ///
    /// A clock set back would put off both by as much, while the server keeps its own time: a
    /// wait that is longer than any is cut, and a record from the future is refreshed once.
    pub(crate) fn planned(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !self.view.auto || self.is_leaving {
            return None;
        }
        match (&self.view.problem, &self.record) {
            // Looked at again slowly: what is wrong may be put right at the provider.
            (Some(Problem::Misconfigured { .. }), _) => {
                let asked_again = self.refusal.as_ref()?.not_before;
                Some(self.due().map_or(asked_again, |due| due.max(asked_again)))
            }
            (Some(problem), _) if !problem.is_passing() => None,
            (Some(Problem::RateLimited { .. } | Problem::AnswerLost { .. }), _) => self.retry_at,
            (Some(_), _) => self.retry_at.map(|at| at.min(now + schedule::LONGEST_BACKOFF)),
            (None, Some(record)) if schedule::is_from_the_future(record.obtained_at, now) => Some(now),
            (None, Some(_)) => self.due(),
            (None, None) => self.first_mint,
        }
    }

    /// Whether there is work to begin at `now`.
    pub(crate) fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.work.is_none() && self.planned(now).is_some_and(|planned| planned <= now)
    }

    /// The generation of a token that will do without a look at the store, for a caller that looks
    /// nowhere else: all is well with it. No lock is waited for.
    #[cfg(unix)]
    pub(crate) fn good_enough(&self, need: &Need, now: DateTime<Utc>) -> Option<u64> {
        self.good_in_spite_of_trouble(need, now).filter(|_| self.work.is_none() && self.view.problem.is_none())
    }

    /// The same whatever trouble the connection is in: a good access token is handed out all the same.
    pub(crate) fn good_in_spite_of_trouble(&self, need: &Need, now: DateTime<Utc>) -> Option<u64> {
        let is_going = matches!(self.work, Some(Work::Login(..) | Work::Logout(_) | Work::Remove(_)));
        let record = self.record.as_ref().filter(|_| !is_going && !self.is_leaving && !need.is_new())?;
        let asks_for_a_token = matches!(need, Need::AtLeast(_) | Need::OtherThan(..));
        let is_ours = record.client_id == self.connection.client_id;
        (asks_for_a_token && is_ours && need.is_met_by(record, now)).then_some(record.generation)
    }

    /// The server's rate limit, if it prevents what is needed.
    pub(crate) fn rate_limited(&self, need: &Need, now: DateTime<Utc>) -> Option<Problem> {
        let is_met = self.record.as_ref().is_some_and(|record| need.is_met_by(record, now));
        let problem = self.view.problem.as_ref().filter(|_| !need.is_new() && !is_met)?;
        matches!(problem, Problem::RateLimited { until } if *until > now).then(|| problem.clone())
    }

    /// Work ended: nothing is being done.
    pub(crate) fn rest(&mut self) {
        self.work = None;
        self.view.activity = Activity::Idle;
    }

    /// What ending the program now would endanger. Whatever only waits may be left.
    pub(crate) fn unfinished(&self) -> Option<Unfinished> {
        match (&self.work, &self.view.problem) {
            (Some(Work::Logout(_) | Work::Remove(_)), _) => Some(Unfinished::Removal),
            // A reread only saves what is safe in the journal already.
            (
                Some(Work::Refresh(..) | Work::Login(..) | Work::Import(_)),
                Some(Problem::NotSaved { why, durable: false }),
            ) => Some(Unfinished::MemoryOnly(why.to_string())),
            _ => {
                let is_out = match &self.view.activity {
                    Activity::Refreshing { .. } => true,
                    // Tokens of a login that waits for a yes are given back to the provider without one.
                    Activity::LoggingIn(login) => login.question.is_some(),
                    _ => false,
                };
                is_out.then_some(Unfinished::Answer)
            }
        }
    }

    /// Whether it may send a request at any moment: a refresh has begun and waits for no other process.
    pub(crate) fn is_about_to_send(&self) -> bool {
        matches!(self.work, Some(Work::Refresh(..))) && self.is_at_its_host()
    }

    /// Whether leaving the program now could lose something: an exchange is out, a record is
    /// nowhere durable, or a logout or a removal is half done. Whatever only waits may be left.
    pub(crate) fn has_unfinished(&self) -> bool {
        self.unfinished().is_some()
    }

    pub(crate) fn generation(&self) -> Option<u64> {
        match &self.view.holding {
            Holding::Unknown | Holding::Remembered(_) => None,
            Holding::Nothing => Some(0),
            Holding::Tokens { facts, .. } => Some(facts.generation),
        }
    }

    /// What is known of its tokens, to be compared with what the journal says.
    pub(crate) fn known(&self) -> JournalStamp {
        JournalStamp {
            name: self.connection.name.clone(),
            journal: self.journal,
            generation: self.generation().unwrap_or(0),
        }
    }

    /// The same with all that another process may have changed.
    pub(crate) fn looked(&self) -> Looked {
        Looked {
            connection: Arc::clone(&self.connection),
            known: self.known(),
            refusal: self.refusal.clone(),
            is_lost: matches!(self.view.lost_answer, Some((_, LossOutcome::Pending))),
        }
    }

    /// Whether work on it takes up its host, or is about to. While another process holds it, that
    /// is not so.
    pub(crate) fn is_at_its_host(&self) -> bool {
        matches!(self.work, Some(Work::Refresh(..) | Work::Reread(_)))
            && !matches!(self.view.activity, Activity::WaitingForLock { .. })
    }

    /// Whether it has yet to be read, and may be.
    pub(crate) fn is_unread(&self) -> bool {
        self.view.is_unread() && self.view.problem.is_none()
    }

    /// Whether its work has ended, and it is to go or to be looked at again.
    pub(crate) fn is_stale(&self) -> bool {
        self.work.is_none() && (self.is_leaving || self.is_outdated)
    }

    /// The clock was set back: a wait that ends by the old time is no longer than any, unless the
    /// server asked for it.
    pub(crate) fn clock_went_back(&mut self, now: DateTime<Utc>) {
        if !matches!(self.view.problem, Some(Problem::RateLimited { .. })) {
            self.retry_at = self.retry_at.map(|at| at.min(now + schedule::LONGEST_BACKOFF));
        }
    }
}
