//! What both servers have in common: the state behind a lock, the counts, and the token endpoint
//! with its faults.
//!
//! Invariant: the lock is never held across an `await`.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::DATE;
use axum::http::{HeaderMap, HeaderValue, Response, Uri};
use axum::middleware::Next;
use axum::{Router, middleware};
use chrono::{DateTime, Utc};

use crate::demo::fault::DemoFault;
use crate::demo::options::DemoOptions;
use crate::demo::params::Params;
use crate::demo::stats::Stats;
use crate::demo::wire::{DemoAnswer, Scissors};
use crate::domain::Clock;

/// The largest request body accepted, in bytes.
const MAX_REQUEST: usize = 64 * 1024;

/// One server's state, shared between its handlers and its control handle.
pub(super) struct DemoState<S> {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub(super) base: String,
    pub(super) clock: Arc<dyn Clock>,
    /// How long each answer takes before it is begun.
    delay: Option<fn() -> Duration>,
    inner: Mutex<Inner<S>>,
}

/// What is behind the lock.
pub(super) struct Inner<S> {
    /// The provider's own state.
    pub(super) state: S,
    pub(super) stats: Stats,
    faults: VecDeque<DemoFault>,
    aimed: Vec<Aimed>,
    in_flight: usize,
}

/// A fault that waits for a particular client, or lasts.
struct Aimed {
    /// Whom it strikes; `None` for every client.
    client_id: Option<String>,
    fault: DemoFault,
    /// Whether it is gone after one request.
    once: bool,
}

/// A token request: its form, or why it could not be read as one.
pub(super) type DemoForm = Result<Params, &'static str>;

impl<S> DemoState<S> {
    pub(super) fn new(base: String, options: &DemoOptions, state: S) -> Self {
        let inner = Inner { state, stats: Stats::default(), faults: VecDeque::new(), aimed: Vec::new(), in_flight: 0 };
        Self { base, clock: Arc::clone(&options.clock), delay: options.delay, inner: Mutex::new(inner) }
    }

    /// The state. A panic elsewhere leaves it usable: every change is complete before it is seen.
    pub(super) fn lock(&self) -> MutexGuard<'_, Inner<S>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn push_fault(&self, fault: DemoFault) {
        self.lock().faults.push_back(fault);
    }

    pub(super) fn aim_fault(&self, client_id: Option<&str>, fault: DemoFault, once: bool) {
        self.lock().aimed.push(Aimed { client_id: client_id.map(str::to_owned), fault, once });
    }

    pub(super) fn clear_faults(&self) {
        let inner = &mut *self.lock();
        inner.faults.clear();
        inner.aimed.clear();
    }

    /// Answers one token request by the provider's rules (`process`), or as a fault has it.
    pub(super) async fn token_endpoint(
        &self,
        scissors: &Scissors,
        (headers, uri, body): (HeaderMap, Uri, Bytes),
        process: fn(&mut Inner<S>, &DemoForm, DateTime<Utc>) -> DemoAnswer,
    ) -> Response<Body> {
        let form = Params::from_form(&headers, &uri, &body);
        let (fault, _in_flight) = self.arrive(&form);
        let process = || process(&mut self.lock(), &form, self.now());
        match fault {
            None => process().into_response(),
            Some(DemoFault::Instead(reply)) => reply.into_response(scissors),
            Some(DemoFault::Afterwards(reply)) => {
                process();
                reply.into_response(scissors)
            }
            Some(DemoFault::DelayBefore(delay)) => {
                tokio::time::sleep(delay).await;
                process().into_response()
            }
            Some(DemoFault::DelayAfter(delay)) => {
                let answer = process();
                tokio::time::sleep(delay).await;
                answer.into_response()
            }
            Some(DemoFault::Drip { bytes, every }) => process().dripped(bytes, every),
            Some(DemoFault::Truncated) => process().truncated(),
            Some(DemoFault::Rewrite(rewrite)) => process().rewritten(rewrite),
            Some(DemoFault::Recode { headers, body }) => process().recoded(headers, body),
        }
    }

    /// Counts a token request in, and takes the next fault for it.
    fn arrive(&self, form: &DemoForm) -> (Option<DemoFault>, InFlight<'_, S>) {
        let mut inner = self.lock();
        let grant_type = form.as_ref().ok().and_then(|form| form.get("grant_type"));
        inner.stats.token_posts.count(grant_type);
        inner.in_flight += 1;
        inner.stats.peak_in_flight = inner.stats.peak_in_flight.max(inner.in_flight);
        let client_id = form.as_ref().ok().and_then(|form| form.get("client_id"));
        let fault = inner.faults.pop_front().or_else(|| take_aimed(&mut inner.aimed, client_id));
        (fault, InFlight(self))
    }
}

/// The newest of the faults that strike this client.
fn take_aimed(aimed: &mut Vec<Aimed>, client_id: Option<&str>) -> Option<DemoFault> {
    let strikes = |aimed: &Aimed| aimed.client_id.is_none() || aimed.client_id.as_deref() == client_id;
    let at = aimed.iter().rposition(strikes)?;
    if aimed[at].once { Some(aimed.remove(at).fault) } else { Some(aimed[at].fault.clone()) }
}

/// Counts a token request out when it is answered, or abandoned by its sender.
struct InFlight<'a, S>(&'a DemoState<S>);

impl<S> Drop for InFlight<'_, S> {
    fn drop(&mut self) {
        self.0.lock().in_flight -= 1;
    }
}

/// Bounds request bodies, takes its time, and dates every answer by the server's own clock: a hand-moved clock
/// must show in the `Date` header.
pub(super) fn with_common_layers<S: Send + 'static>(router: Router, state: &DemoState<S>) -> Router {
    let (clock, delay) = (Arc::clone(&state.clock), state.delay);
    let date = move |request: Request, next: Next| {
        let clock = Arc::clone(&clock);
        async move {
            if let Some(delay) = delay {
                tokio::time::sleep(delay()).await;
            }
            let mut response = next.run(request).await;
            let date = clock.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            if let Ok(date) = HeaderValue::from_str(&date) {
                response.headers_mut().insert(DATE, date);
            }
            response
        }
    };
    router.layer(DefaultBodyLimit::max(MAX_REQUEST)).layer(middleware::from_fn(date))
}
