//! The result of revoking a refresh token at logout (RFC 7009).

use crate::domain::reason::Reason;

/// The result of a revocation. In every case the tokens are forgotten here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Revocation {
    /// Not requested: no revocation endpoint is configured, or no refresh token was held.
    #[default]
    None,
    /// The provider reports that the token no longer works.
    Revoked,
    /// The provider did not revoke it, or did not answer.
    Failed {
        /// Why, in plain words.
        why: Reason,
    },
    /// No request was sent.
    Skipped {
        /// Why, in plain words.
        why: Reason,
    },
}

impl Revocation {
    /// What to add to "logged out" and the like; empty if no revocation was requested.
    #[must_use]
    pub fn words(&self) -> String {
        self.reason().to_string()
    }

    /// The same with its public form.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::None => "".into(),
            Self::Revoked => "the provider revoked the refresh token".into(),
            Self::Failed { why } => why.between("revoking failed: ", "; the token may work until it ends"),
            Self::Skipped { why } => why.between("not revoked: ", "; the token may work until it ends"),
        }
    }

    /// A failure to forget the tokens here; says first that they no longer work, if the provider has revoked them.
    #[must_use]
    pub fn before_failure(&self, failure: &str) -> String {
        match self {
            Self::Revoked => format!("the provider revoked the refresh token, but {failure}"),
            Self::None | Self::Failed { .. } | Self::Skipped { .. } => failure.to_owned(),
        }
    }

    /// Whether it was revoked; `None` if that was not requested.
    #[must_use]
    pub fn is_revoked(&self) -> Option<bool> {
        match self {
            Self::None => None,
            Self::Revoked => Some(true),
            Self::Failed { .. } | Self::Skipped { .. } => Some(false),
        }
    }

    /// Why it was not revoked.
    #[must_use]
    pub fn why(&self) -> Option<&Reason> {
        match self {
            Self::None | Self::Revoked => None,
            Self::Failed { why } | Self::Skipped { why } => Some(why),
        }
    }
}
