//! A one-line field for what must not be shown: a pasted answer, a client secret, a passphrase.
//!
//! Invariant: its text is wiped on drop, is never moved while it grows, and never shows what matters of it.

use std::fmt;

use secrecy::zeroize::Zeroizing;

use crate::domain::Secret;
use crate::domain::text::neutralise;

/// A one-line field for a final URL, a bare code or a secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretField(Zeroizing<String>);

impl SecretField {
    /// The longest text taken, in bytes: the longest answer that is looked at, and what wraps it.
    pub const MAX: usize = 20 * 1024;

    /// Adds typed or pasted text. White space stays: it distinguishes a wrapped
    /// URL from words that were pasted by mistake.
    pub fn push(&mut self, text: &str) {
        self.take(text.chars().filter(|c| matches!(c, '\t' | '\n' | '\r') || !c.is_control()));
    }

    /// Adds typed or pasted text of a passphrase, blanks included.
    pub fn push_words(&mut self, text: &str) {
        self.take(text.chars().filter(|c| !c.is_control()));
    }

    fn take(&mut self, text: impl Iterator<Item = char>) {
        // Room for everything at once: growing would leave copies of the code behind.
        if self.0.capacity() < Self::MAX {
            let mut roomy = Zeroizing::new(String::with_capacity(Self::MAX));
            roomy.push_str(&self.0);
            self.0 = roomy;
        }
        for character in text {
            if self.0.len() + character.len_utf8() > Self::MAX {
                break;
            }
            self.0.push(character);
        }
    }

    /// Erases the last character.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Empties the field.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The answer, to be handed over.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.as_str())
    }

    /// What may be shown of a passphrase: a dot a character, up to a bound.
    #[must_use]
    pub fn dots(&self) -> String {
        "•".repeat(self.0.chars().count().min(40))
    }

    /// What may be shown: a URL up to its query, and how much there is. A bare code is all dots.
    #[must_use]
    pub fn masked(&self) -> String {
        // A wrapped URL is one without its line breaks.
        let length = self.0.chars().filter(|c| !c.is_whitespace()).count();
        let is_url = self.0.starts_with("http://") || self.0.starts_with("https://");
        let open = if is_url { self.0.split(['?', '#']).next().unwrap_or_default() } else { "" };
        let hidden = length.saturating_sub(open.chars().filter(|c| !c.is_whitespace()).count());
        let dots = "•".repeat(hidden.min(12));
        match length {
            0 => String::new(),
            _ => format!("{}{dots} ({length} characters)", neutralise(open, 60)),
        }
    }
}

impl fmt::Debug for SecretField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretField({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::SecretField;

    #[test]
    fn a_pasted_url_shows_where_it_leads_but_not_its_code() {
        let mut field = SecretField::default();
        field.push("https://www.getpostman.com/oauth2/callback?code=s3cr3t\n&state=xyz");
        assert_eq!(field.masked(), "https://www.getpostman.com/oauth2/callback•••••••••••• (64 characters)");
        let kept = field.secret();
        assert_eq!(kept.expose(), "https://www.getpostman.com/oauth2/callback?code=s3cr3t\n&state=xyz");
        assert!(!format!("{field:?}").contains("s3cr3t"));
    }

    #[test]
    fn a_bare_code_is_all_dots() {
        let mut field = SecretField::default();
        field.push("abc");
        assert_eq!(field.masked(), "••• (3 characters)");
        field.pop();
        field.pop();
        field.pop();
        assert_eq!(field.masked(), "");
    }

    #[test]
    fn the_field_takes_no_more_than_its_bound() {
        let mut field = SecretField::default();
        field.push(&"x".repeat(SecretField::MAX * 2));
        assert_eq!(field.secret().expose().len(), SecretField::MAX);
    }
}
