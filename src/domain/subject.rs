//! Whose tokens these are, as far as the tokens say so.
//!
//! Decoded from a token and never verified: it is shown to people, and a login as another subject must be confirmed.
//! No security decision relies on it.

use serde::{Deserialize, Serialize};

use crate::domain::text::neutralise;

/// The longest claim kept, in characters.
const LONGEST: usize = 200;

/// Who a token names: claims of a JWT (RFC 7519 §4.1.2, RFC 9068 §2.2, `OpenID` Connect Core §5.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// `sub`: the identifier that the issuer never reassigns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `preferred_username`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// `client_id`, or `azp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// `iss` of the redirect that the login ended on (RFC 9207), which no token says. It names no account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// A login as another subject than the one whose tokens are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectChange {
    /// Whose tokens are held.
    pub held: Subject,
    /// Who logged in.
    pub received: Subject,
}

impl Subject {
    /// The subject of these claims, each bounded and neutralised; `None` if they name no one.
    #[must_use]
    pub fn of(claim: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let claim = |name: &str| {
            let text = neutralise(claim(name)?.trim(), LONGEST);
            (!text.is_empty()).then_some(text)
        };
        let subject = Self {
            sub: claim("sub"),
            email: claim("email"),
            preferred_username: claim("preferred_username"),
            client_id: claim("client_id").or_else(|| claim("azp")),
            issuer: None,
        };
        (subject != Self::default()).then_some(subject)
    }

    /// The same, completed from another that says more.
    #[must_use]
    pub fn filled_from(self, other: Self) -> Self {
        Self {
            sub: self.sub.or(other.sub),
            email: self.email.or(other.email),
            preferred_username: self.preferred_username.or(other.preferred_username),
            client_id: self.client_id.or(other.client_id),
            issuer: self.issuer.or(other.issuer),
        }
    }

    /// The same without the claims that must not be shown; `None` if none is left.
    #[must_use]
    pub fn without(self, is_hidden: impl Fn(&str) -> bool) -> Option<Self> {
        let shown = |claim: Option<String>| claim.filter(|claim| !is_hidden(claim));
        let subject = Self {
            sub: shown(self.sub),
            email: shown(self.email),
            preferred_username: shown(self.preferred_username),
            client_id: shown(self.client_id),
            issuer: shown(self.issuer),
        };
        (subject != Self::default()).then_some(subject)
    }

    /// Whether there is more than the issuer.
    #[must_use]
    pub fn names_someone(&self) -> bool {
        [&self.sub, &self.email, &self.preferred_username, &self.client_id].into_iter().any(Option::is_some)
    }

    /// Whether this is another subject, as far as is known: by `sub` if both have one, else by e-mail address, else by user
    /// name.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        if let (Some(own), Some(other)) = (&self.sub, &other.sub) {
            return own != other;
        }
        if let (Some(own), Some(other)) = (&self.email, &other.email) {
            return own.to_lowercase() != other.to_lowercase();
        }
        matches!((&self.preferred_username, &other.preferred_username), (Some(own), Some(other)) if own != other)
    }

    /// The name that says most to a person.
    #[must_use]
    pub fn name(&self) -> &str {
        let names = [&self.email, &self.preferred_username, &self.sub, &self.client_id];
        names.into_iter().flatten().next().map_or("someone", String::as_str)
    }

    /// All that is known, on one line.
    #[must_use]
    pub fn words(&self) -> String {
        let labelled = |label: &str, value: &Option<String>| value.as_ref().map(|value| format!("{label}{value}"));
        let client = self.client_id.as_ref().filter(|client| self.sub.as_ref() != Some(*client)).cloned();
        let parts = [
            labelled("", &self.email),
            labelled("", &self.preferred_username),
            labelled("sub ", &self.sub),
            labelled("client ", &client),
        ];
        parts.into_iter().flatten().map(|part| neutralise(&part, LONGEST)).collect::<Vec<_>>().join(" · ")
    }
}

impl SubjectChange {
    /// The names of both; where these are the same, all that is known of each.
    #[must_use]
    pub fn names(&self) -> (String, String) {
        let (held, received) = (self.held.name(), self.received.name());
        if held == received {
            (self.held.words(), self.received.words())
        } else {
            (neutralise(held, LONGEST), neutralise(received, LONGEST))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Subject, SubjectChange};

    fn subject(sub: &str, email: &str, user: &str) -> Subject {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Subject { sub: text(sub), email: text(email), preferred_username: text(user), client_id: None, issuer: None }
    }

    #[test]
    fn the_most_reliable_claim_that_both_have_decides() {
        for (one, other, differs) in [
            (subject("1", "ada@x", ""), subject("1", "countess@x", ""), false),
            (subject("1", "ada@x", ""), subject("2", "ada@x", ""), true),
            (subject("1", "ada@x", ""), subject("", "ADA@x", "bob"), false),
            (subject("", "ada@x", ""), subject("2", "bob@x", ""), true),
            (subject("", "", "ada"), subject("2", "bob@x", "bob"), true),
            (subject("1", "", ""), subject("", "bob@x", ""), false),
            (subject("", "", ""), subject("1", "ada@x", "ada"), false),
        ] {
            assert_eq!((one.differs_from(&other), other.differs_from(&one)), (differs, differs), "{one:?} {other:?}");
        }
    }

    #[test]
    fn claims_are_bounded_and_neutral_and_none_is_no_one() {
        let long = "x".repeat(1000);
        let hostile = Subject::of(|name| match name {
            "sub" => Some(long.clone()),
            "email" => Some("a\u{1b}[2J\u{202e}@x".into()),
            "azp" => Some(" app ".into()),
            _ => None,
        });
        let hostile = hostile.unwrap();
        assert_eq!(hostile.sub.as_ref().unwrap().chars().count(), 201);
        assert_eq!(hostile.email.as_deref(), Some("a\u{fffd}[2J\u{fffd}@x"));
        assert_eq!(hostile.client_id.as_deref(), Some("app"));
        assert_eq!(Subject::of(|_| Some("  ".into())), None);
    }

    #[test]
    fn the_words_begin_with_what_people_know() {
        let ada = Subject { client_id: Some("app".into()), ..subject("42", "ada@x", "ada") };
        assert_eq!((ada.name(), ada.words().as_str()), ("ada@x", "ada@x · ada · sub 42 · client app"));
        let machine = Subject { client_id: Some("tm_1".into()), ..subject("tm_1", "", "") };
        assert_eq!(machine.words(), "sub tm_1");
        let same_name = SubjectChange { held: subject("1", "ada@x", ""), received: subject("2", "ada@x", "") };
        assert_eq!(same_name.names(), ("ada@x · sub 1".into(), "ada@x · sub 2".into()));
    }
}
