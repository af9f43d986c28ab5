//! What became of a refresh token at the provider when its connection was logged out (RFC 7009).

use crate::domain::reason::Reason;

/// The end of a revocation. Whatever it is, the tokens are forgotten here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Revocation {
    /// None was asked for: no revocation endpoint is configured, or no refresh token was held.
    #[default]
    None,
    /// The provider says that the token does not work any more.
    Revoked,
    /// The provider did not revoke it, or its answer never came.
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
    /// What to add to "logged out" and the like; empty where no revocation was asked for.
    #[must_use]
    pub fn words(&self) -> String {
        self.reason().to_string()
    }

    /// The same, and what of it is public.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::None => "".into(),
            Self::Revoked => "the provider revoked the refresh token".into(),
            Self::Failed { why } => why.between("revoking failed: ", "; the token may work until it ends"),
            Self::Skipped { why } => why.between("not revoked: ", "; the token may work until it ends"),
        }
    }

    /// A failure to forget the tokens here, and first that they work no more, if the provider revoked them before.
    #[must_use]
    pub fn before_failure(&self, failure: &str) -> String {
        match self {
            Self::Revoked => format!("the provider revoked the refresh token, but {failure}"),
            Self::None | Self::Failed { .. } | Self::Skipped { .. } => failure.to_owned(),
        }
    }

    /// Whether it was revoked; `None` where that was not asked for.
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
