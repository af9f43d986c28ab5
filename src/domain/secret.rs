//! A secret string: never printed by accident, zeroed when dropped.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// An access token, refresh token, client secret or authorization code.
///
/// It has no `Display` and no `Serialize`; its `Debug` is a fixed word. Reading it is
/// [`Secret::expose`], which is easy to search for. The memory is zeroed on drop.
#[derive(Clone, Default)]
pub struct Secret(SecretString);

/// The longest client secret accepted, in bytes.
const LONGEST_CLIENT_SECRET: usize = 16 * 1024;

impl Secret {
    /// Takes ownership of a secret text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret itself. Pass it only to the network, a store, or where the user asked for it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// A client secret as it was typed or piped in, without the white space around it: one line
    /// of printable ASCII (RFC 6749 appendix A.2).
    ///
    /// # Errors
    /// What is wrong with it, in words that follow "the client secret"; never repeats it.
    pub fn as_client_secret(&self) -> Result<Self, &'static str> {
        let line = self.expose().trim_end_matches(['\r', '\n']).trim();
        if line.is_empty() {
            return Err("is empty");
        }
        if line.len() > LONGEST_CLIENT_SECRET {
            return Err("is too long");
        }
        if line.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return Err("holds a line break or a character that is not printable ASCII");
        }
        Ok(Self::new(line))
    }

    /// Whether there is nothing in it (an empty secret is treated as a missing one).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_output_never_holds_the_secret() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(secret.expose(), "hunter2");
    }
}
