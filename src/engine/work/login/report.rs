//! What a login reports of the answers that come to it.

use crate::domain::{EventKind, Exchange, LogEntry, Outcome, Reason, Wire};
use crate::engine::work::login::{LoginFailure, Waiting};
use crate::oauth::CallbackError;
use crate::oauth::listener::Serving;

impl Waiting<'_> {
    /// The server's own refusal ends the login; anything else is reported, and the wait continues.
    pub(crate) fn explain(&self, what: &str, error: &CallbackError) -> Result<(), LoginFailure> {
        if matches!(error, CallbackError::Refused { .. }) {
            return Err(LoginFailure::Said(error.reason()));
        }
        let why = error.reason().between(&format!("{what}: "), "");
        self.context.announce(EventKind::AnswerRefused { why }.of(self.connection.name.clone()));
        Ok(())
    }

    /// Says once how many wrong requests came after the first, which has been explained: anyone on this machine can
    /// send thousands of them.
    pub(crate) fn report_ignored(&self) {
        let why = match self.serving.as_ref().map_or(0, Serving::ignored) {
            0 => return,
            1 => "1 more request that is no answer to this login was ignored".to_owned(),
            more => format!("{more} more requests that are no answer to this login were ignored"),
        };
        self.log_redirect(false, None, Some(why.clone()));
        let why = Reason::ours(why);
        self.context.announce(EventKind::AnswerRefused { why }.of(self.connection.name.clone()));
    }

    pub(crate) fn log_redirect(&self, has_code: bool, oauth_error: Option<String>, description: Option<String>) {
        let now = self.context.now();
        let uri = url::Url::parse(&self.authorization.redirect_uri);
        let (host, path) = uri
            .map_or_else(|_| <(String, String)>::default(), |uri| (uri.authority().to_owned(), uri.path().to_owned()));
        self.context.log(LogEntry {
            at: now,
            connection: self.connection.name.clone(),
            exchange: Exchange::Authorization,
            method: "GET".into(),
            host,
            path,
            outcome: if has_code { Outcome::Status(200) } else { Outcome::Status(400) },
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

/// Why a login as another subject ended without tokens. Only the person at manutop reads who the two are.
pub(crate) fn kept((received, held): (&str, &str), hindrance: Option<&Reason>, fate: &Reason) -> Reason {
    let hindrance = hindrance.map_or_else(|| "".into(), |hindrance| hindrance.between(" (", ")"));
    Reason::withheld(
        format!("you logged in as {received}; the tokens of {held} were kept{hindrance}, {fate}"),
        format!("another account logged in; the tokens held were kept{}, {}", hindrance.public(), fate.public()),
    )
}

#[cfg(test)]
mod tests {
    use super::kept;
    use crate::domain::Reason;

    #[test]
    fn who_logged_in_is_for_the_person_at_manutop_alone() {
        let hindrance = Reason::withheld("400: MARKER", "400");
        let why = kept(("eve@example.com", "ada@example.com"), Some(&hindrance), &"the new tokens were revoked".into());
        assert_eq!(
            why.to_string(),
            "you logged in as eve@example.com; the tokens of ada@example.com were kept (400: MARKER), the new tokens were \
             revoked"
        );
        assert_eq!(
            why.public(),
            "another account logged in; the tokens held were kept (400), the new tokens were revoked"
        );
    }
}
