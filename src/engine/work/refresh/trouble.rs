//! A connection's problem by what store and journal say, in words.

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::last_refusal::{ASKED_AGAIN_AFTER, SHARED_FOR};
use crate::domain::{
    AfterLostAnswer, Connection, Fingerprint, LastRefusal, LossOutcome, LostAnswer, Problem, Reason, RefusalKind,
    Secret, SecretSource, TokenRecord,
};
use crate::engine::connections::schedule;
use crate::engine::work::context::{Context, FoundTokens};
use crate::oauth::{Class, Refusal};
use crate::tokens::reconcile::{Hazard, TokenState};
use crate::tokens::vault::Vault;

/// What a standing amounts to for a connection.
pub(in crate::engine) async fn found(context: &Context, connection: &Connection, standing: TokenState) -> FoundTokens {
    let refusal = current_refusal(&context.vault, connection, &standing).await;
    let refused = refusal.as_ref().and_then(|refusal| refusal.problem(context.now()));
    let hazard = standing.hazard.as_ref().filter(|_| connection.needs_browser());
    let uncertain = match hazard {
        Some(Hazard::Uncertain { generation, .. }) if connection.after_lost_answer == AfterLostAnswer::Ask => {
            Some(*generation)
        }
        _ => None,
    };
    let endangered = hazard.map(|hazard| hazard_problem(hazard, connection, context.lost_pause));
    let unsaved =
        standing.unsaved_because.as_ref().map(|error| Problem::NotSaved { why: error.reason(), durable: true });
    let problem = match (endangered, refused) {
        // The answer to the second sending says more than that the first was lost.
        (
            Some(Problem::AnswerLost { .. } | Problem::Uncertain { .. }) | None,
            Some(refused @ Problem::NeedsLogin { .. }),
        ) => Some(refused),
        (endangered, refused) => endangered.or(unsaved).or(refused),
    };
    FoundTokens {
        lost_answer: lost_answer(&standing, refusal.as_ref()),
        never_held: standing.mark == 0,
        record: standing.record,
        saved: standing.saved,
        problem,
        uncertain,
        missing: None,
        refusal,
    }
}

/// The last answer that was lost, and what became of it.
fn lost_answer(standing: &TokenState, refusal: Option<&LastRefusal>) -> Option<(LostAnswer, LossOutcome)> {
    let replaced = refusal.filter(|refusal| refusal.kind == RefusalKind::InvalidGrant).and_then(|refusal| refusal.lost);
    match (&standing.hazard, replaced) {
        (_, Some(lost)) => Some((lost, LossOutcome::Replaced)),
        (Some(Hazard::Uncertain { lost, .. }), None) => Some((*lost, LossOutcome::Pending)),
        _ => standing.recovered.map(|lost| (lost, LossOutcome::Recovered)),
    }
}

/// The last refusal, unless token, client or client secret are not those it was said about. A
/// configured command is not run to find out: it may want a person to touch a key.
pub async fn current_refusal(vault: &Vault, connection: &Connection, standing: &TokenState) -> Option<LastRefusal> {
    let refusal = standing.refusal.clone()?;
    if !refusal.is_about(connection, standing.record.as_ref()) {
        return None;
    }
    if !refusal.is_lasting() || connection.client_secret != SecretSource::Store {
        return Some(refusal);
    }
    match vault.client_secret(&connection.name).await {
        Ok(Some(secret)) if !refusal.is_about_secret(&secret) => None,
        _ => Some(refusal),
    }
}

/// What a hazard means for the person.
pub(crate) fn hazard_problem(hazard: &Hazard, connection: &Connection, pause: TimeDelta) -> Problem {
    match hazard {
        Hazard::Uncertain { .. } if connection.after_lost_answer == AfterLostAnswer::Retry => {
            answer_lost(hazard, pause)
        }
        Hazard::Uncertain { generation, fingerprint, pid, at, why, .. } => {
            let how = why.as_ref().map(|why| why.between("no readable answer came (", ")"));
            let how = how.unwrap_or_else(|| "no answer was recorded".into());
            let at = at.format("%Y-%m-%d %H:%M:%S UTC");
            let sent = format!("process {pid} sent refresh token {fingerprint} (generation {generation}) at {at} and ");
            Problem::Uncertain { why: how.between(&sent, "; it may have been replaced") }
        }
        Hazard::RolledBack { stored, mark } => {
            let words = "has been saved; the older one is never sent";
            Problem::RolledBack {
                why: Reason::ours(format!("the store holds generation {stored}, but {mark} {words}")),
            }
        }
    }
}

/// An answer was lost, and the refresh token is sent again after a pause.
pub(crate) fn answer_lost(hazard: &Hazard, pause: TimeDelta) -> Problem {
    let Hazard::Uncertain { lost_since, lost, why, .. } = hazard else {
        return Problem::Retrying { at: None, why: "the answer to the last refresh was lost".into() };
    };
    let times = if lost.sends > 1 { format!(", and to {} more", lost.sends - 1) } else { String::new() };
    let words = format!("no readable answer came to the refresh at {}{times}", lost.at.format("%Y-%m-%d %H:%M:%S UTC"));
    Problem::AnswerLost {
        at: Some(*lost_since + schedule::after_lost_answer(pause, lost.sends)),
        why: why.as_ref().map_or_else(|| Reason::ours(&words), |why| why.between(&format!("{words} ("), ")")),
    }
}

/// What was sent when a refusal came.
pub(crate) struct Sent<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) record: Option<&'a TokenRecord>,
    pub(crate) client_secret: &'a Secret,
    /// The lost answer before it, where the refresh token had been sent before.
    pub(crate) lost: Option<LostAnswer>,
}

impl Sent<'_> {
    /// The provider's refusal as it is remembered; `retry_after` is when the provider wants to be
    /// asked again.
    pub(crate) fn refused(
        &self,
        refusal: &Refusal,
        retry_after: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> LastRefusal {
        let words = refusal.reason();
        let shared_until = retry_after.unwrap_or(now + SHARED_FOR);
        match refusal.class() {
            Class::InvalidGrant => {
                let words = self.lost.map_or_else(
                    || words.clone(),
                    |lost| {
                        let at = lost.at.format("%Y-%m-%d %H:%M:%S UTC");
                        let lost = format!("the answer to the refresh at {at} was lost; ");
                        words.between(&format!("{lost}the provider had already replaced the token ("), ")")
                    },
                );
                self.remembered(RefusalKind::InvalidGrant, &words, now, now)
            }
            Class::Misconfigured => self.remembered(RefusalKind::Misconfigured, &words, now + ASKED_AGAIN_AFTER, now),
            Class::RateLimited => self.remembered(RefusalKind::RateLimited, &words, shared_until, now),
            Class::Transient => self.remembered(RefusalKind::Transient, &words, shared_until, now),
        }
    }

    /// A failure for which the provider is not to blame, as it is remembered.
    pub(crate) fn failed(&self, why: &Reason, now: DateTime<Utc>) -> LastRefusal {
        self.remembered(RefusalKind::Transient, why, now + SHARED_FOR, now)
    }

    fn remembered(
        &self,
        kind: RefusalKind,
        words: &Reason,
        not_before: DateTime<Utc>,
        at: DateTime<Utc>,
    ) -> LastRefusal {
        let refresh = self.record.and_then(|record| record.refresh_token.as_ref());
        LastRefusal {
            kind,
            at,
            not_before,
            words: words.to_string(),
            public: Some(words.to_disk()),
            refresh_token: refresh.map(|refresh| Fingerprint::of(&refresh.token)),
            client_secret: Fingerprint::of(self.client_secret),
            client_id: self.connection.client_id.clone(),
            token_url: self.connection.token_url.to_string(),
            lost: self.lost,
        }
    }
}
