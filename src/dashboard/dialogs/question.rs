//! Questions asked before something that cannot be taken back.

use crate::domain::{ConnectionName, SubjectChange};

/// A question asked before something that cannot be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Copy the most valuable secret there is?
    CopyRefreshToken(ConnectionName),
    /// Send the refresh token again whose answer was lost?
    SendAgain(ConnectionName),
    /// Forget the tokens?
    Logout(ConnectionName),
    /// Forget everything of the connection and take it out of the configuration?
    Delete(ConnectionName),
    /// Forget the tokens of all that are marked?
    LogoutMarked {
        /// Those that have tokens.
        connections: Vec<ConnectionName>,
        /// How many of these the filter or a folded group hides.
        hidden: usize,
    },
    /// The login came back as someone else: replace the tokens held?
    ReplaceSubject {
        /// Whose login.
        connection: ConnectionName,
        /// Who, before and now.
        change: Box<SubjectChange>,
    },
    /// Leave although a logout or a deletion has not happened yet?
    QuitPending,
    /// Act again instead of only watching?
    LeaveReadOnly,
    /// Keep secrets in encrypted files, as no keyring can be reached?
    UseFiles,
    /// Leave although tokens are not in the store yet?
    Quit,
}

impl Question {
    /// The one connection it is about.
    #[must_use]
    pub fn connection(&self) -> Option<&ConnectionName> {
        match self {
            Self::CopyRefreshToken(name)
            | Self::SendAgain(name)
            | Self::Logout(name)
            | Self::Delete(name)
            | Self::ReplaceSubject { connection: name, .. } => Some(name),
            Self::LogoutMarked { .. } | Self::LeaveReadOnly | Self::QuitPending | Self::UseFiles | Self::Quit => None,
        }
    }
}
