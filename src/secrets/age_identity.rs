//! An `age` X25519 identity: journals are sealed to one, the files of the encrypted store to another.
//!
//! Secrets are encrypted to its public key, so sealing needs no store once the identity is in memory.

use age::secrecy::ExposeSecret;
use age::x25519;

use crate::domain::Secret;

/// The key that records are sealed to and opened with.
pub(crate) struct Identity {
    key: x25519::Identity,
}

impl Identity {
    /// A new identity.
    pub(crate) fn generate() -> Self {
        Self { key: x25519::Identity::generate() }
    }

    /// The identity in its text form, `AGE-SECRET-KEY-1…`; `None` if it is not one.
    pub(crate) fn parse(text: &Secret) -> Option<Self> {
        text.expose().parse().ok().map(|key| Self { key })
    }

    /// The identity's text form.
    pub(crate) fn text(&self) -> Secret {
        Secret::new(self.key.to_string().expose_secret())
    }

    /// The secret encrypted, as an `age` file; different bytes each time. `None` if age fails,
    /// which it does not when writing to memory.
    pub(crate) fn encrypt(&self, secret: &Secret) -> Option<Vec<u8>> {
        age::encrypt(&self.key.to_public(), secret.expose().as_bytes()).ok()
    }

    /// The secret decrypted; `None` if it was encrypted to another identity or tampered with.
    pub(crate) fn decrypt(&self, bytes: &[u8]) -> Option<Secret> {
        String::from_utf8(age::decrypt(&self.key, bytes).ok()?).ok().map(Secret::new)
    }

    /// The secret encrypted, as hex digits.
    pub(crate) fn seal(&self, secret: &Secret) -> Option<String> {
        let sealed = self.encrypt(secret)?;
        Some(sealed.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hex_digit).collect())
    }

    /// The secret decrypted; `None` if it was sealed to another identity or tampered with.
    pub(crate) fn open(&self, sealed: &str) -> Option<Secret> {
        let digits: Option<Vec<u8>> =
            sealed.chars().map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok())).collect();
        let bytes: Vec<u8> =
            digits.filter(|digits| digits.len() % 2 == 0)?.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        self.decrypt(&bytes)
    }
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16).expect("half a byte is below 16")
}

#[cfg(test)]
mod tests {
    use super::Identity;
    use crate::domain::Secret;

    #[test]
    fn a_seal_opens_with_the_same_identity_after_a_restart() {
        let identity = Identity::generate();
        let sealed = identity.seal(&Secret::new("refresh-token")).unwrap();
        assert!(!sealed.contains("refresh") && sealed.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let restarted = Identity::parse(&identity.text()).unwrap();
        assert_eq!(restarted.open(&sealed), Some(Secret::new("refresh-token")));
    }

    #[test]
    fn another_identity_or_a_changed_digit_opens_nothing() {
        let identity = Identity::generate();
        let sealed = identity.seal(&Secret::new("refresh-token")).unwrap();
        assert_eq!(Identity::generate().open(&sealed), None);
        let last = if sealed.ends_with('0') { "1" } else { "0" };
        assert_eq!(identity.open(&format!("{}{last}", &sealed[..sealed.len() - 1])), None);
        assert_eq!(identity.open("not hex"), None);
        assert!(Identity::parse(&Secret::new("AGE-SECRET-KEY-1OTHER")).is_none());
    }
}
