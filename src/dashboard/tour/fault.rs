//! Faults on demand, in the demo alone: what can be broken, and how that is said.

/// Something the demo can be made to suffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The provider answers 429 to this connection's token requests.
    RateLimit,
    /// The provider answers 503 to everybody's token requests.
    Outage,
    /// The provider carries out this connection's next token request, and its answer is cut off.
    LostAnswer,
    /// The provider revokes this connection's refresh token.
    Revoked,
    /// The provider takes seconds for every token request.
    Slow,
    /// The client secret held for this connection becomes a wrong one.
    WrongSecret,
    /// The keyring is locked.
    KeyringLocked,
    /// The keyring can be read but takes nothing.
    KeyringFull,
    /// The keyring goes back to older tokens of this connection.
    RolledBack,
    /// Another process holds this connection's lock for a while.
    LockHeld,
    /// This connection's next access token lives for seconds, and nothing refreshes it.
    ShortLived,
    /// Everything is fixed, also what needed a person.
    AllWell,
}

impl FaultKind {
    /// Every one of them.
    pub const ALL: [Self; 12] = [
        Self::AllWell,
        Self::RateLimit,
        Self::Outage,
        Self::LostAnswer,
        Self::Revoked,
        Self::Slow,
        Self::WrongSecret,
        Self::KeyringLocked,
        Self::KeyringFull,
        Self::RolledBack,
        Self::LockHeld,
        Self::ShortLived,
    ];

    /// The stable name in the configuration.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::RateLimit => "rate_limit",
            Self::Outage => "outage",
            Self::LostAnswer => "lost_answer",
            Self::Revoked => "revoked",
            Self::Slow => "slow",
            Self::WrongSecret => "wrong_secret",
            Self::KeyringLocked => "keyring_locked",
            Self::KeyringFull => "keyring_full",
            Self::RolledBack => "rolled_back",
            Self::LockHeld => "lock_held",
            Self::ShortLived => "short_lived",
            Self::AllWell => "all_well",
        }
    }

    /// What has been done, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::RateLimit => "from now on its token requests are answered with 429",
            Self::Outage => "its provider answers 503 to everybody from now on",
            Self::LostAnswer => "the answer to its next token request gets lost",
            Self::Revoked => "its refresh token was revoked at the provider",
            Self::Slow => "its provider takes 5 seconds for every token from now on",
            Self::WrongSecret => "its client secret is a wrong one now",
            Self::KeyringLocked => "the keyring of the demo is locked",
            Self::KeyringFull => "the keyring of the demo takes nothing new",
            Self::RolledBack => "the keyring went back to older tokens",
            Self::LockHeld => "another process holds its lock for 10 seconds",
            Self::ShortLived => "its next access token lives 20 seconds, automatic refresh is off",
            Self::AllWell => "everything is fixed: providers, keyring, secrets and logins",
        }
    }

    /// Whether only a connection with refresh tokens can suffer it.
    #[must_use]
    pub fn needs_refresh_token(self) -> bool {
        matches!(self, Self::LostAnswer | Self::Revoked | Self::RolledBack)
    }
}
