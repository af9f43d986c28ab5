//! The program that the configuration names for events, as dashboard and keepalive run it: its
//! input, and what is reported of its failures, each once.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::domain::{Event, IncidentChange};
use crate::notifications::hook::Hook;
use crate::notifications::report;

/// Runs the configured program for events; does nothing where none is configured.
pub struct OnEvent {
    words: Option<Vec<String>>,
    /// How long one run may take; `None` for half a minute.
    timeout: Option<Duration>,
    hook: Option<Hook>,
    /// Why it failed, as last reported.
    trouble: Option<String>,
    /// What is to be said.
    unsaid: Option<String>,
    runs: UnboundedReceiver<Result<(), String>>,
    /// Held so that the channel never ends.
    run: UnboundedSender<Result<(), String>>,
}

impl OnEvent {
    /// Has `words`, a program and its arguments, run for each event from now on.
    #[must_use]
    pub fn start(words: Option<Vec<String>>, timeout: Option<Duration>) -> Self {
        let (run, runs) = mpsc::unbounded_channel();
        let mut this = Self { words, timeout, hook: None, trouble: None, unsaid: None, runs, run };
        this.start_hook();
        this
    }

    /// Takes over another program, or none; the same one keeps running.
    pub fn configure(&mut self, words: Option<Vec<String>>) {
        if self.words != words {
            self.words = words;
            self.start_hook();
        }
    }

    fn start_hook(&mut self) {
        let run = self.run.clone();
        // The receiver is gone once the program is leaving.
        let start = |words| Hook::start(words, self.timeout, move |result| drop(run.send(result)));
        let hook = self.words.clone().map(start).transpose();
        self.unsaid = hook.as_ref().err().map(|error| format!("cannot be run: {error}"));
        self.hook = hook.unwrap_or_default();
    }

    /// Hears what happened.
    pub fn observe(&mut self, event: &Event, now: DateTime<Utc>) {
        if let (Some(_), Event::Connection(event)) = (&self.hook, event)
            && let Some(report) = report::of_event(event, now)
        {
            self.send(report);
        }
    }

    /// Hears of an incident.
    pub fn observe_incident(&mut self, change: &IncidentChange, now: DateTime<Utc>) {
        if self.hook.is_some() {
            self.send(report::of_change(change, now));
        }
    }

    /// Waits for something to say about the program. Nothing is lost when the wait is given up.
    pub async fn trouble(&mut self) -> String {
        loop {
            if let Some(why) = self.unsaid.take() {
                return why;
            }
            match self.runs.recv().await {
                Some(Ok(())) => self.trouble = None,
                Some(Err(why)) if self.trouble.as_ref() != Some(&why) => {
                    self.trouble = Some(why.clone());
                    self.unsaid = Some(why);
                }
                Some(Err(_)) => {}
                None => std::future::pending().await,
            }
        }
    }

    /// Gives events that still wait for the program a moment.
    pub async fn close(&mut self, patience: Duration) {
        if let Some(hook) = &mut self.hook {
            hook.close(patience).await;
        }
    }

    fn send(&mut self, report: Value) {
        if let Some(Err(why)) = self.hook.as_mut().map(|hook| hook.send(report)) {
            self.unsaid = Some(why);
        }
    }
}
