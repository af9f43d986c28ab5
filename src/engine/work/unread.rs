//! An answer that could not be read when it came, as it is kept sealed in the journal, and what a later
//! look finds in it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::domain::{Fingerprint, Secret};
use crate::oauth::{Body, TokenAnswer, answer};

/// The body as text, to be sealed.
pub(crate) fn text(body: &Body) -> Secret {
    Secret::new(BASE64_STANDARD.encode(&body.0))
}

/// The body in a text that was sealed.
#[must_use]
pub fn body(text: &Secret) -> Vec<u8> {
    BASE64_STANDARD.decode(text.expose()).unwrap_or_default()
}

/// The tokens in it, if a refresh token is among them that is whole and not just the one that was sent,
/// with the fingerprint `sent`, echoed by the server.
#[must_use]
pub fn tokens(text: &Secret, sent: &Fingerprint) -> Option<TokenAnswer> {
    // It may have been cut off: then its last field is none.
    let found = answer::read_cut(&body(text))?;
    let is_echo = Fingerprint::of(found.refresh_token.as_ref()?) == *sent;
    (found.access_token.is_some() || !is_echo).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::{text, tokens};
    use crate::domain::{Fingerprint, Secret};
    use crate::oauth::Body;

    fn refresh_token(body: &str) -> Option<String> {
        let found = tokens(&text(&Body(body.into())), &Fingerprint::of(&Secret::new("the-one-sent")));
        found.and_then(|found| found.refresh_token).map(|token| token.expose().to_owned())
    }

    #[test]
    fn a_whole_new_refresh_token_is_found() {
        assert_eq!(refresh_token(r#"{"access_token":"A","refresh_token":"new"}"#).as_deref(), Some("new"));
        assert_eq!(refresh_token(r#"<pre>{"refresh_token":"new"}</pre>"#).as_deref(), Some("new"));
        assert_eq!(refresh_token("access_token=A&refresh_token=new&expires_in=9").as_deref(), Some("new"));
    }

    #[test]
    fn one_that_may_be_cut_off_and_an_echo_of_the_one_sent_are_none() {
        for body in [
            "access_token=A&expires_in=9&refresh_token=ne",
            r#"{"access_token":"A","refresh_token":"ne"#,
            r#"{"message":"boom","request":{"grant_type":"refresh_token","refresh_token":"the-one-sent"}}"#,
            "grant_type=refresh_token&refresh_token=the-one-sent&client_id=c",
            r#"{"status":"accepted","refresh_token":"the-one-sent"}"#,
            "<html>502</html>",
        ] {
            assert_eq!(refresh_token(body), None, "{body}");
        }
    }
}
